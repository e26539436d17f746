//! The life of one object: the task that takes its events, runs its turns, commits them, and
//! evicts it when it is idle.
//!
//! Events run one at a time, from the method call through settlement. What interleaves with a
//! waiting event is only what that event, or an earlier one, started: timers and host operations.

use std::{
    cell::Cell,
    future::poll_fn,
    rc::Rc,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use tokio::sync::oneshot;

use crate::{
    Result,
    engine::{Concurrency, Instance, Work},
    error::{Error, ErrorKind},
    event::{AlarmInfo, Event, Reply},
    host::{EventId, Host, TimerId},
    object::{Envelope, Object, Running},
    turn::Budget,
};

/// What the driver does next.
#[expect(
    clippy::large_enum_variant,
    reason = "moved once an event; a box would cost an allocation"
)]
pub(crate) enum Next {
    /// Make the instance: events wait, and there is none.
    Start,
    Event(Envelope),
    Operations,
    Timer(TimerId),
    Stopped,
    Deadline,
    /// A critical section will never end.
    Stuck,
    Evict,
}

/// Whether [`Driver::next`] may start another event.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Waiting {
    ForEvents,
    ForSettlement,
}

pub(crate) struct Driver {
    pub(crate) object: Rc<Object>,
    pub(crate) host: Rc<Host>,
    pub(crate) instance: Option<Box<dyn Instance>>,
    /// Wakes this driver because a host operation is ready.
    waker: Waker,
    /// Since when this driver has had the shard without a break.
    busy_since: Cell<Option<Instant>>,
    /// Its instance is being made.
    pub(crate) starting: bool,
    /// It has given everything back.
    left: bool,
}

/// How long one object's short turns may follow each other before the others get theirs.
const LONGEST_BUSY: Duration = Duration::from_millis(2);
/// How many timers may fire in a row before waiting events get their turn.
const TIMERS_PER_EVENT: u32 = 16;

impl Driver {
    pub fn new(object: Rc<Object>) -> Self {
        let host = Rc::new(Host {
            object: object.clone(),
        });
        let waker = Waker::from(object.wakeup.clone());
        Self {
            object,
            host,
            instance: None,
            waker,
            busy_since: Cell::new(None),
            starting: false,
            left: false,
        }
    }

    /// Runs until the object is evicted.
    pub async fn run(mut self) {
        let interleaved = self.object.shard.concurrency == Concurrency::Interleaved;
        let mut timers_in_a_row = 0;
        loop {
            self.maintain().await;
            let events_first = timers_in_a_row >= TIMERS_PER_EVENT;
            let deadline = self.deadline();
            let next = self.next(Waiting::ForEvents, deadline, events_first).await;
            timers_in_a_row = match next {
                Next::Evict => return self.leave(),
                next if interleaved => {
                    let is_event = matches!(next, Next::Event(_));
                    self.go_on(next).await;
                    if is_event { 0 } else { timers_in_a_row + 1 }
                }
                Next::Event(envelope) => {
                    self.serve(envelope).await;
                    0
                }
                next @ (Next::Operations | Next::Timer(_)) => {
                    self.background(next).await;
                    timers_in_a_row + 1
                }
                Next::Stopped => {
                    let reason = self.stop_reason();
                    self.reset(&reason);
                    0
                }
                Next::Deadline | Next::Start | Next::Stuck => 0,
            };
            self.note_operations();
            self.object.last_used.set(self.object.shard.clock.now());
        }
    }

    /// Waits for the next thing to do. Timers come before events unless `events_first`.
    async fn next(&self, waiting: Waiting, deadline: Option<Instant>, events_first: bool) -> Next {
        let object = &*self.object;
        let clock = &object.shard.clock;
        let busy_since = self.busy_since.get().unwrap_or_else(Instant::now);
        self.busy_since.set(Some(busy_since));
        if busy_since.elapsed() >= LONGEST_BUSY {
            self.busy_since.set(None);
            tokio::task::yield_now().await;
        }
        loop {
            let timer = object.timers.borrow().next(&object.sections.borrow());
            let wake_at = match (timer, deadline) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
            let changed = poll_fn(|cx| match self.ready(waiting, events_first, cx) {
                Some(next) => Poll::Ready(next),
                None => {
                    self.busy_since.set(None);
                    Poll::Pending
                }
            });
            let Some(wake_at) = wake_at else {
                return changed.await;
            };
            tokio::select! {
                biased;
                next = changed => return next,
                () = clock.sleep_until(wake_at) => {
                    if deadline.is_some_and(|deadline| deadline <= clock.now()) {
                        return Next::Deadline;
                    }
                }
            }
        }
    }

    fn ready(&self, waiting: Waiting, events_first: bool, cx: &Context<'_>) -> Option<Next> {
        let object = &*self.object;
        object.wakeup.register(cx);
        if object.is_stopped() {
            return Some(Next::Stopped);
        }
        let event = || {
            if waiting == Waiting::ForSettlement || !object.sections.borrow().is_empty() {
                return None;
            }
            let interleaved = object.shard.concurrency == Concurrency::Interleaved;
            if interleaved && self.instance.is_none() && !object.mailbox.borrow().is_empty() {
                return Some(Next::Start);
            }
            // The messages of sockets wait where they are while too much is under way.
            let is_full = object.in_flight.borrow().len() >= object.shard.options.queue_limit;
            let mut mailbox = object.mailbox.borrow_mut();
            if is_full && matches!(mailbox.front()?.event, Event::SocketReady(_)) {
                return None;
            }
            mailbox.pop_front().map(Next::Event)
        };
        if events_first && let Some(next) = event() {
            return Some(next);
        }
        if object.wakeup.take_operations_ready() && self.instance.is_some() {
            return Some(Next::Operations);
        }
        let now = object.shard.clock.now();
        let timer = object
            .timers
            .borrow_mut()
            .take_due(now, &object.sections.borrow());
        if let Some(timer) = timer {
            return Some(Next::Timer(timer));
        }
        if let Some(next) = event() {
            return Some(next);
        }
        if self.is_stuck() {
            return Some(Next::Stuck);
        }
        let evictable = waiting == Waiting::ForEvents && object.evict.get();
        (evictable && self.is_idle()).then_some(Next::Evict)
    }

    fn is_idle(&self) -> bool {
        self.note_operations();
        self.object.is_quiet()
    }

    /// Notes whether the instance waits for something, for those who look for objects that may leave.
    fn note_operations(&self) {
        let instance = self.instance.as_ref();
        let has_operations = instance.is_some_and(|instance| instance.has_operations());
        self.object.has_operations.set(has_operations);
    }

    /// It is no longer one of the longest idle, so it need not leave unless all must.
    fn in_use_again(&self) {
        if !self.object.shard.draining.get() {
            self.object.evict.set(false);
        }
    }

    /// Runs one event from start to settlement.
    async fn serve(&mut self, envelope: Envelope) {
        let Envelope {
            event,
            chain,
            reply,
            ..
        } = envelope;
        let object = self.object.clone();
        let (event, last_of_socket) = match object.open_event(event) {
            Some(opened) => opened,
            None => return,
        };
        self.in_use_again();
        let id = object.next_event.get();
        object.next_event.set(id + 1);
        *object.running.borrow_mut() = Some(Running { id, chain });
        let alarm = match &event {
            Event::Alarm(info) => Some(*info),
            _ => None,
        };
        let result = match alarm {
            Some(info) => match self.due_alarm(info) {
                Ok(Some(due)) => {
                    object.alarm.handler_started(self.alarm_deadline());
                    self.run_event(id, Event::Alarm(due)).await
                }
                Ok(None) => Ok(Reply::Alarm),
                Err(error) => Err(error),
            },
            None => self.run_event(id, event).await,
        };
        let result = match alarm {
            Some(info) => self.end_alarm(info.retry_count, result),
            None => result,
        };
        if let Some(last) = last_of_socket {
            object.end_socket(last);
        }
        object.gate.borrow_mut().push(Box::new(move |opened| {
            // Nobody may be waiting any more; the event ran all the same.
            let _ = reply.send(opened.and(result));
        }));
        if let Err(error) = self.end_turn().await {
            self.reset(&error);
        }
        object.running.borrow_mut().take();
    }

    async fn run_event(&mut self, id: EventId, event: Event) -> Result<Reply> {
        let mut budget = Budget {
            left: self.object.shard.options.cpu_timeout,
        };
        self.trust_storage()?;
        self.start(&mut budget).await?;
        self.turn(&mut budget, Work::Begin(id, event)).await?;
        loop {
            let settled = std::mem::take(&mut *self.object.settled.borrow_mut());
            if let Some(own) = settled.into_iter().find(|settled| settled.id == id) {
                // The last turn is committed by the caller, together with what it still adds.
                return own.result;
            }
            if let Err(error) = self.end_turn().await {
                self.reset(&error);
                return Err(error);
            }
            let clock = self.object.shard.clock.clone();
            let began = clock.now();
            let next = self
                .next(Waiting::ForSettlement, Some(began + budget.left), false)
                .await;
            budget.spend(clock.now().saturating_duration_since(began));
            match next {
                Next::Operations | Next::Timer(_) => self.turn_for(next, &mut budget).await?,
                Next::Deadline => {
                    let late = late(&self.object);
                    self.reset(&late);
                    return Err(late);
                }
                Next::Stopped => {
                    let reason = self.stop_reason();
                    self.reset(&reason);
                    return Err(reason);
                }
                Next::Event(_) | Next::Evict | Next::Start | Next::Stuck => {
                    unreachable!("not while an event waits for its settlement")
                }
            }
        }
    }

    /// Makes the instance if there is none.
    pub(crate) async fn start(&mut self, budget: &mut Budget) -> Result<()> {
        if self.instance.is_some() {
            return Ok(());
        }
        let host = self.host.clone();
        self.starting = true;
        let made = self
            .run_turn(budget, move || {
                let engine = host.object.shard.engine.clone();
                if host.is_worker() {
                    return engine.instantiate_worker(host);
                }
                let class = host.namespace().class.clone();
                engine.instantiate(&class, host)
            })
            .await?;
        self.instance = Some(made.inspect_err(|error| self.reset(error))?);
        self.starting = false;
        Ok(())
    }

    pub(crate) fn stop_reason(&self) -> Error {
        let stop = self.object.slice.take_stop();
        stop.or_else(|| self.object.failed_sync.borrow().clone())
            .unwrap_or_else(|| late(&self.object))
    }

    /// Something that an earlier event left behind goes on.
    async fn background(&mut self, next: Next) {
        self.in_use_again();
        let mut budget = Budget {
            left: self.object.shard.options.cpu_timeout,
        };
        let ended = match self.turn_for(next, &mut budget).await {
            Ok(()) => self.end_turn().await.inspect_err(|error| self.reset(error)),
            Err(error) => Err(error),
        };
        if let Err(error) = ended {
            tracing::warn!(object = %self.object.label(), %error, "a timer or late callback reset the object");
        }
    }

    async fn turn_for(&mut self, next: Next, budget: &mut Budget) -> Result<()> {
        let work = match next {
            Next::Timer(timer) => Work::Timer(timer),
            _ => Work::Operations,
        };
        self.turn(budget, work).await
    }

    /// Gives the instance one turn.
    pub(crate) async fn turn(&mut self, budget: &mut Budget, work: Work) -> Result<()> {
        let Some(mut instance) = self.instance.take() else {
            return Ok(());
        };
        let waker = self.waker.clone();
        let instance = self
            .run_turn(budget, move || {
                instance.turn(work, &mut Context::from_waker(&waker));
                instance
            })
            .await?;
        self.instance = Some(instance);
        Ok(())
    }

    /// Runs `work` on a coroutine; on an error the instance is gone and its unfinished writes are dropped.
    async fn run_turn<T: 'static>(
        &mut self,
        budget: &mut Budget,
        work: impl FnOnce() -> T + 'static,
    ) -> Result<T> {
        let object = self.object.clone();
        let turns = &object.shard.turns;
        let ran = turns
            .run(&object.slice, budget, || late(&object), work)
            .await;
        ran.inspect_err(|error| self.reset(error))
    }

    /// Commits the turn and gives its outputs to the gate.
    pub(crate) async fn end_turn(&self) -> Result<()> {
        let object = &*self.object;
        // A transaction that awaits goes on over several turns, and nothing of it is committed before its end.
        let goes_on = object.db.borrow().nesting() > 0;
        let change = match goes_on {
            true => None,
            false => object.db.borrow().alarm_change(),
        };
        if let Some(change) = change {
            object.alarm.before_commit(object, change).await?;
        }
        let commit = match goes_on {
            true => object.db.borrow().committed(),
            false => object.db.borrow_mut().commit()?,
        };
        if let Some(change) = change {
            object.alarm.committed(change, commit);
        }
        object.gate.borrow_mut().turn_committed(commit);
        object.advance_gate();
        object.shard.note_database(&self.object);
        Ok(())
    }

    /// Throws the instance away, with everything that its unfinished turn did.
    pub(crate) fn reset(&mut self, reason: &Error) {
        let object = &*self.object;
        self.instance = None;
        object.slice.take_stop();
        object.timers.borrow_mut().clear();
        object.settled.borrow_mut().clear();
        object.wakeup.take_operations_ready();
        object.alarm.reset();
        let outputs = object.gate.borrow_mut().take_turn();
        fail(outputs, reason);
        object.lose_sockets();
        if let Err(error) = object.db.borrow_mut().rollback() {
            tracing::error!(object = %object.label(), %error, "rollback failed");
        }
        if let Some(failure) = object.failed_sync.borrow_mut().take() {
            let outputs = object.gate.borrow_mut().take_held();
            fail(outputs, &failure);
            object.distrusted.set(true);
        }
        // A failure is tried again, and reported, by the next event.
        let _ = self.trust_storage();
        if object.shard.concurrency == Concurrency::Interleaved {
            self.fail_all(reason);
        }
    }

    /// After a failed sync or checkpoint: goes back to exactly what is durable.
    pub(crate) fn trust_storage(&self) -> Result<()> {
        let object = &*self.object;
        if object.distrusted.get() {
            object.alarm.forget_after(object.db.borrow().durable());
            object.db.borrow_mut().reset_to_durable().map_err(|error| {
                tracing::error!(object = %object.label(), %error, "the database could not be reset to its durable state");
                Error::new(
                    ErrorKind::Storage,
                    format!(
                        "object {} cannot be used until its database is back at what is durable, which failed: {error}",
                        object.label()
                    ),
                )
            })?;
            object.distrusted.set(false);
        }
        Ok(())
    }

    /// Between events: the checkpoint that keeps the WAL short.
    async fn maintain(&self) {
        let object = &*self.object;
        if !object.db.borrow().wants_checkpoint() || object.is_stopped() {
            return;
        }
        while !object.is_settled_on_disk() {
            poll_fn(|cx| {
                object.wakeup.register(cx);
                if object.is_settled_on_disk() || object.is_stopped() {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            })
            .await;
            if object.is_stopped() {
                return;
            }
        }
        let (done, through) = oneshot::channel();
        object
            .db
            .borrow_mut()
            .checkpoint(Box::new(move |result| drop(done.send(result))));
        if let Ok(result) = through.await
            && let Err(error) = object.db.borrow_mut().finish_checkpoint(result)
        {
            tracing::error!(object = %object.label(), %error, "checkpoint failed; it will be tried again");
            object.distrusted.set(true);
            let _ = self.trust_storage();
        }
    }

    /// Gives memory and file handles back. Runs without an await, so nothing can arrive meanwhile.
    fn leave(&mut self) {
        self.left = true;
        self.instance = None;
        let object = &*self.object;
        // Reported where it fails; dropping the database tries once more.
        let _ = self.trust_storage();
        if let Err(error) = object.db.borrow_mut().close() {
            tracing::warn!(object = %object.label(), %error, "the database did not close cleanly");
        }
        object.shard.forget(&self.object);
    }

    /// The stored alarm, if it is due, which may not be the one that the index fired for. If the
    /// index fired too early, tells it the right time.
    pub(crate) fn due_alarm(&self, fired: AlarmInfo) -> Result<Option<AlarmInfo>> {
        let object = &*self.object;
        let stored = object.db.borrow_mut().alarm()?;
        let now = fired.scheduled_ms.max(object.shard.clock.unix_ms());
        if let Some(scheduled_ms) = stored.filter(|time| *time <= now) {
            return Ok(Some(AlarmInfo {
                scheduled_ms,
                ..fired
            }));
        }
        object.alarm.rearm(object.db.borrow().committed(), stored);
        Ok(None)
    }

    /// Clears the alarm that was served, unless the handler set another one, or it will be retried.
    pub(crate) fn end_alarm(&self, retries: u32, result: Result<Reply>) -> Result<Reply> {
        let object = &*self.object;
        let replaced = object.alarm.handler_ended();
        if replaced {
            return Ok(Reply::Alarm);
        }
        match result {
            Err(error)
                if retries < crate::alarms::MAX_RETRIES || !crate::alarms::counts(&error) =>
            {
                Err(error)
            }
            ended => {
                if let Err(error) = &ended {
                    tracing::error!(object = %object.label(), %error, retries, "the alarm failed too often and is dropped");
                }
                object.db.borrow_mut().set_alarm(None)?;
                Ok(Reply::Alarm)
            }
        }
    }
}

impl Drop for Driver {
    /// After a panic in the driver itself nobody may wait for this object for ever, and the next event
    /// must get a new one.
    fn drop(&mut self) {
        if !self.left {
            self.object.abandon();
        }
    }
}

fn fail(outputs: Vec<crate::gate::Output>, reason: &Error) {
    for output in outputs {
        output(Err(reason.clone()));
    }
}

/// The error of an event that ran out of time.
fn late(object: &Object) -> Error {
    let limit = object.shard.options.cpu_timeout;
    Error::new(
        ErrorKind::Timeout,
        format!(
            "object {} did not finish within {limit:?}; it was reset and what the unfinished turn wrote was dropped",
            object.label()
        ),
    )
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    };

    use dolmen_storage::Storage;

    use super::*;
    use crate::{
        Clock, Engine, NamespaceSpec, Options, Payload, Received, RpcCall, Runtime, SocketEnd,
        SocketLoss, event::Reply,
    };

    /// Its first instance panics between turns, where nothing but the driver runs.
    struct PanicsOnce {
        panics: AtomicBool,
        /// The first instance accepts it.
        socket: Mutex<Option<SocketEnd>>,
    }

    struct Answers {
        host: Rc<Host>,
        panics: bool,
    }

    impl Engine for PanicsOnce {
        fn instantiate(&self, _class: &str, host: Rc<Host>) -> Result<Box<dyn Instance>> {
            let panics = self.panics.swap(false, Ordering::SeqCst);
            if let Some(end) = self.socket.lock().unwrap().take() {
                host.accept_socket(end, &[])?;
            }
            Ok(Box::new(Answers { host, panics }))
        }
    }

    impl Instance for Answers {
        fn turn(&mut self, work: Work, _cx: &mut Context<'_>) {
            if let Work::Begin(id, _) = work {
                let answer = Payload::Json(bytes::Bytes::from_static(b"1"));
                self.host.settle(id, Ok(Reply::Rpc(answer)));
            }
        }

        fn has_operations(&self) -> bool {
            assert!(!self.panics, "between two turns");
            false
        }
    }

    #[tokio::test]
    async fn after_a_panic_the_next_event_gets_a_new_object() {
        let (client, end) = crate::socket_pair(1 << 20);
        let folder = tempfile::tempdir().unwrap();
        let spec = NamespaceSpec {
            name: "A".to_owned(),
            class: "A".to_owned(),
            unique_key: "A".to_owned(),
        };
        let runtime = Runtime::start(
            Arc::new(PanicsOnce {
                panics: AtomicBool::new(true),
                socket: Mutex::new(Some(end)),
            }),
            vec![spec],
            Storage::open(folder.path(), dolmen_storage::Options::default()).unwrap(),
            Options {
                shards: 1,
                ..Options::default()
            },
            Clock::system(),
        )
        .unwrap();
        let handle = runtime.handle();
        let call = |object| {
            let call = RpcCall {
                method: "m".to_owned(),
                args: Payload::Json(bytes::Bytes::new()),
            };
            handle.rpc("A", object, call)
        };
        call("one").await.unwrap();
        let again = tokio::time::timeout(Duration::from_secs(60), call("one"));
        again.await.expect("the call waits for ever").unwrap();
        let lost = tokio::time::timeout(Duration::from_secs(60), client.receive()).await;
        let lost = lost.expect("the socket hangs");
        assert_eq!(lost, Some(Received::Lost(SocketLoss::disconnected())));
        runtime.shutdown().await.unwrap();
    }
}
