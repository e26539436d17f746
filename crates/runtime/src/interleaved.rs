//! Objects whose events interleave, as those of module workers: an event begins as soon as the one
//! before it waits for something outside, unless a critical section holds the input gate shut.

use std::{
    task::Wake,
    time::{Duration, Instant},
};

use crate::{
    Result,
    alarms::{self, MAX_RETRIES},
    body::Body,
    driver::{Driver, Next},
    engine::Work,
    error::{Error, ErrorKind},
    event::{AlarmInfo, Event, Reply},
    object::{Envelope, InFlight, Route},
    turn::Budget,
};

/// How long `blockConcurrencyWhile` may take.
pub(crate) const LONGEST_SECTION: Duration = Duration::from_secs(30);
/// How long the handler of an alarm may take, waiting included.
const LONGEST_ALARM: Duration = Duration::from_secs(15 * 60);
/// How deep critical sections may nest.
pub(crate) const MAX_SECTIONS: usize = 64;

/// The error of an event of the worker that was cut off because of another one.
fn interrupted() -> Error {
    Error::new(
        ErrorKind::Interrupted,
        "the worker was reset because of another request; send this one again",
    )
}

impl Driver {
    /// Does what `next` says, which is not to leave.
    pub(super) async fn go_on(&mut self, next: Next) {
        let mut budget = Budget {
            left: self.object.shard.options.cpu_timeout,
        };
        // What fails has reset the object, and its callers have been told.
        let _ = match next {
            Next::Start => self.make_instance(&mut budget).await,
            Next::Event(envelope) => self.begin(envelope, &mut budget).await,
            Next::Operations => self.turn(&mut budget, Work::Operations).await,
            Next::Timer(timer) => self.turn(&mut budget, Work::Timer(timer)).await,
            Next::Stopped => Err(self.stop_reason()).inspect_err(|reason| self.reset(reason)),
            Next::Deadline => self.end_what_is_overdue(),
            Next::Stuck => self.reset_for(
                "A critical section within this Durable Object awaited a Promise that apparently will never complete. This could happen in particular if a critical section awaits a task that was initiated outside of the critical section. Since a critical section blocks all other tasks from completing, this leads to deadlock.",
                ErrorKind::Reset,
            ),
            Next::Evict => Ok(()),
        };
        self.end_interleaved_turn().await;
    }

    async fn make_instance(&mut self, budget: &mut Budget) -> Result<()> {
        self.trust_storage()
            .inspect_err(|error| self.reset(error))?;
        self.start(budget).await?;
        // What the constructor has started has not been looked at yet.
        self.object.wakeup.wake_by_ref();
        Ok(())
    }

    async fn begin(&mut self, envelope: Envelope, budget: &mut Budget) -> Result<()> {
        let object = self.object.clone();
        let Envelope {
            event,
            reply,
            route,
            ..
        } = envelope;
        let Some((event, last_of_socket)) = object.open_event(event) else {
            return Ok(());
        };
        if !object.shard.draining.get() {
            object.evict.set(false);
        }
        let id = object.next_event.get();
        object.next_event.set(id + 1);
        let alarm = match &event {
            Event::Alarm(info) => Some(*info),
            _ => None,
        };
        object.in_flight.borrow_mut().insert(
            id,
            InFlight {
                _route: route,
                reply,
                alarm,
                last_of_socket,
                watcher: None,
            },
        );
        let event = match alarm {
            None => event,
            Some(info) => match self.due_alarm(info) {
                Ok(Some(due)) => {
                    object.alarm.handler_started(self.alarm_deadline());
                    Event::Alarm(due)
                }
                not_due => {
                    self.host.settle(id, not_due.map(|_| Reply::Alarm));
                    return Ok(());
                }
            },
        };
        self.turn(budget, Work::Begin(id, event)).await
    }

    /// Gives the results of the turn to the gate, and commits it.
    async fn end_interleaved_turn(&mut self) {
        let object = self.object.clone();
        let settled = std::mem::take(&mut *object.settled.borrow_mut());
        for mut done in settled {
            let Some(mut event) = object.in_flight.borrow_mut().remove(&done.id) else {
                continue;
            };
            if let Some(watcher) = event.watcher.take() {
                // Who watched may have been reset.
                let _ = watcher.send(match &mut done.result {
                    Ok(Reply::Fetch(response)) => match &mut response.body {
                        Body::Stream(reader) => Some(reader.watch()),
                        _ => None,
                    },
                    _ => None,
                });
            }
            let result = match event.alarm {
                Some(info) => self.end_alarm(info.retry_count, done.result),
                None => done.result,
            };
            if let Some(last) = event.last_of_socket {
                object.end_socket(last);
            }
            let result = result.map_err(|error| self.in_this_object(error));
            object.gate.borrow_mut().push(Box::new(move |opened| {
                // Nobody may be waiting any more; the event ran all the same.
                let _ = event.reply.send(opened.and(result));
            }));
        }
        if let Err(error) = self.end_turn().await {
            self.reset(&error);
        }
    }

    /// Fails every event that runs or waits, and every stub that reached this instance. Of the worker, which all
    /// requests share, the reason is told to the events that are to blame alone.
    pub(super) fn fail_all(&self, reason: &Error) {
        let object = &*self.object;
        let reason = self.in_this_object(reason.clone());
        object.instance.set(object.shard.next_life());
        object.connections.take().end(&reason);
        object.sections.borrow_mut().clear();
        object.released.borrow_mut().clear();
        object.exported.set(0);
        let mut in_flight = object.in_flight.take();
        let drop_alarm = object.alarm.take_drop_at_reset();
        let is_dropped = |alarm: AlarmInfo| drop_alarm || self.was_last_try(alarm, &reason);
        let dropped = in_flight
            .iter()
            .find_map(|(id, event)| event.alarm.is_some_and(is_dropped).then_some(*id));
        if let Some(id) = dropped
            && let Some(alarm) = in_flight.remove(&id)
        {
            let ended = self.end_dropped_alarm();
            object.gate.borrow_mut().push(Box::new(move |opened| {
                // Nobody may be waiting any more.
                let _ = alarm.reply.send(opened.and(ended));
            }));
        }
        let culprits = object.culprits.take();
        // At the end of the process nobody is to blame.
        let is_shared = object.is_worker() && reason.kind() != ErrorKind::Unavailable;
        if is_shared {
            tracing::warn!(%reason, ?culprits, "the worker was reset");
        }
        let running = in_flight.into_iter().map(|(id, event)| {
            let is_to_blame = !is_shared || culprits.contains(&id);
            let reason = if is_to_blame {
                reason.clone()
            } else {
                interrupted()
            };
            (event.reply, reason)
        });
        let stay = is_shared && !self.starting;
        let waiting = object.empty_mailbox().into_iter().filter_map(|envelope| {
            if stay && matches!(envelope.route, Route::Plain) {
                // It has not begun, and the next instance will do as well.
                object.mailbox.borrow_mut().push_back(envelope);
                return None;
            }
            Some((envelope.reply, reason.clone()))
        });
        for (reply, reason) in running.chain(waiting) {
            object.gate.borrow_mut().push(Box::new(move |opened| {
                // As above.
                let _ = reply.send(opened.and(Err(reason)));
            }));
        }
        let commit = object.db.borrow().committed();
        object.gate.borrow_mut().turn_committed(commit);
        object.advance_gate();
    }

    /// Whether the handler's reset for that reason was its last try, and the alarm is still the one that it ran for.
    fn was_last_try(&self, alarm: AlarmInfo, reason: &Error) -> bool {
        if alarm.retry_count < MAX_RETRIES || !alarms::counts(reason) {
            return false;
        }
        let now = alarm.scheduled_ms.max(self.object.shard.clock.unix_ms());
        let stored = self.object.db.borrow_mut().alarm();
        stored.is_ok_and(|time| time.is_some_and(|time| time <= now))
    }

    /// Clears the alarm whose handler will not be tried again.
    fn end_dropped_alarm(&self) -> Result<Reply> {
        let object = &*self.object;
        let mut db = object.db.borrow_mut();
        db.set_alarm(None)?;
        let change = db.alarm_change();
        let commit = db.commit()?;
        if let Some(change) = change {
            object.alarm.committed(change, commit);
        }
        Ok(Reply::Alarm)
    }

    fn in_this_object(&self, error: Error) -> Error {
        if self.object.is_worker() {
            error
        } else {
            error.with_object(self.object.key.id)
        }
    }

    fn end_what_is_overdue(&mut self) -> Result<()> {
        let now = self.object.shard.clock.now();
        let is_over = |ends: Option<Instant>| ends.is_some_and(|ends| ends <= now);
        if is_over(self.object.sections.borrow().deadline()) {
            return self.reset_for(
                "A call to blockConcurrencyWhile() in a Durable Object waited for too long. The call was canceled and the Durable Object was reset.",
                ErrorKind::Overloaded,
            );
        }
        if is_over(self.object.alarm.deadline()) {
            return self.reset_for(
                "The alarm handler of a Durable Object ran for more than 15 minutes. It was cut off and the Durable Object was reset.",
                ErrorKind::Timeout,
            );
        }
        Ok(())
    }

    fn reset_for(&mut self, message: &str, kind: ErrorKind) -> Result<()> {
        let reason = Error::new(kind, message);
        self.reset(&reason);
        Err(reason)
    }

    /// When the first critical section, or the handler of the alarm, must be over.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let section = self.object.sections.borrow().deadline();
        let alarm = self.object.alarm.deadline();
        section.into_iter().chain(alarm).min()
    }

    /// When a handler of the alarm that starts now must be over.
    pub(super) fn alarm_deadline(&self) -> Instant {
        self.object.shard.clock.now() + LONGEST_ALARM
    }

    /// Whether the innermost critical section waits for something that cannot come while it is open.
    pub(super) fn is_stuck(&self) -> bool {
        let sections = self.object.sections.borrow();
        !sections.is_empty()
            && self.instance.is_some()
            && !sections.is_busy()
            && self.object.timers.borrow().next(&sections).is_none()
    }
}
