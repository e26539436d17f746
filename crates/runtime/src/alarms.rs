//! The alarm scheduler: one task that waits for the next due time of each namespace and sends
//! alarm events to their objects.
//!
//! The index on disk says what is due; only alarms that run now or wait for a retry are in
//! memory. An alarm leaves the index when its object says so, never here, so it fires at least once.

use std::{collections::HashMap, time::Duration};

use dolmen_storage::{DueAlarm, ObjectId};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
};

use crate::{
    Result,
    error::{Error, ErrorKind},
    event::{AlarmInfo, Event, Reply},
    object::{Envelope, ObjectKey},
    shard::{ShardMessage, Shared, owner},
};

/// How often a failing handler is tried again before the alarm is dropped.
pub(crate) const MAX_RETRIES: u32 = 6;
/// The wait before the first retry; doubles with each.
const FIRST_RETRY_MS: i64 = 2_000;
/// Alarms of one namespace that run at once.
const MAX_RUNNING: usize = 1_024;
/// Alarms of one namespace that wait for a retry in memory; beyond it a failed one is simply due again.
const MAX_RETRYING: usize = 65_536;
/// How long to wait when the index cannot be read.
const INDEX_RETRY: Duration = Duration::from_secs(1);

/// Says that an alarm of `namespace` is now due at `time`, perhaps before all others.
pub(crate) struct AlarmNote {
    pub namespace: usize,
    pub time: i64,
}

/// Whether a failure of the handler counts as one of its retries; failures of the runtime do not.
pub(crate) fn counts(error: &Error) -> bool {
    !matches!(
        error.kind(),
        ErrorKind::Storage | ErrorKind::Overloaded | ErrorKind::Unavailable | ErrorKind::Internal
    )
}

enum Pending {
    Running { retries: u32 },
    Retry { at: i64, retries: u32 },
}

#[derive(Default)]
struct Waiting {
    pending: HashMap<ObjectId, Pending>,
    running: usize,
    /// The next time at which something of this namespace must be done.
    next: Option<i64>,
}

/// Runs until every sender of notes is gone.
pub(crate) async fn schedule(shared: Shared, mut notes: mpsc::UnboundedReceiver<AlarmNote>) {
    let mut namespaces: Vec<Waiting> = shared
        .namespaces
        .iter()
        .map(|_| Waiting::default())
        .collect();
    let mut finished: JoinSet<(usize, ObjectId, Result<Reply>)> = JoinSet::new();
    for (index, waiting) in namespaces.iter_mut().enumerate() {
        look(&shared, index, waiting, &mut finished).await;
    }
    loop {
        let next = namespaces.iter().filter_map(|waiting| waiting.next).min();
        let due = async {
            match next {
                Some(time) => {
                    let wait = time.saturating_sub(shared.clock.unix_ms()).max(0);
                    shared
                        .clock
                        .sleep(Duration::from_millis(wait.unsigned_abs()))
                        .await;
                }
                None => std::future::pending().await,
            }
        };
        let stale = tokio::select! {
            note = notes.recv() => {
                let Some(note) = note else { return };
                namespaces[note.namespace].next.is_none_or(|next| note.time < next).then_some(note.namespace)
            }
            Some(Ok((index, id, result))) = finished.join_next() => {
                let unix_ms = shared.clock.unix_ms();
                namespaces[index].finish(id, result, unix_ms);
                Some(index)
            }
            () = due => {
                let now = shared.clock.unix_ms();
                namespaces.iter().position(|waiting| waiting.next.is_some_and(|next| next <= now))
            }
        };
        if let Some(index) = stale {
            look(&shared, index, &mut namespaces[index], &mut finished).await;
        }
    }
}

/// Sends what is due to its objects and notes when to look again.
async fn look(
    shared: &Shared,
    namespace: usize,
    waiting: &mut Waiting,
    finished: &mut JoinSet<(usize, ObjectId, Result<Reply>)>,
) {
    waiting.next = None;
    if waiting.running >= MAX_RUNNING {
        return; // Looks again when one is through.
    }
    let now = shared.clock.unix_ms();
    let room = MAX_RUNNING - waiting.running;
    let (reply, answer) = oneshot::channel();
    shared.storage.alarms().due(
        &shared.namespaces[namespace].storage,
        i64::MAX,
        waiting.pending.len() + room,
        Box::new(move |result| drop(reply.send(result))),
    );
    let alarms = match answer.await {
        Ok(Ok(alarms)) => alarms,
        Ok(Err(error)) => {
            tracing::error!(%error, "the alarm index could not be read; trying again");
            waiting.next = Some(now + i64::try_from(INDEX_RETRY.as_millis()).unwrap_or(1_000));
            return;
        }
        Err(_) => return,
    };
    for alarm in alarms {
        let retries = match waiting.pending.get(&alarm.id) {
            Some(Pending::Running { .. }) => continue,
            Some(Pending::Retry { at, .. }) if *at > now => {
                waiting.wake_at(*at);
                continue;
            }
            Some(Pending::Retry { retries, .. }) => *retries,
            None => 0,
        };
        if alarm.unix_ms > now {
            waiting.wake_at(alarm.unix_ms);
            break;
        }
        if waiting.running >= MAX_RUNNING {
            return;
        }
        waiting.running += 1;
        waiting
            .pending
            .insert(alarm.id, Pending::Running { retries });
        finished.spawn(send(shared.clone(), namespace, alarm, retries));
    }
}

async fn send(
    shared: Shared,
    namespace: usize,
    alarm: DueAlarm,
    retry_count: u32,
) -> (usize, ObjectId, Result<Reply>) {
    let (reply, answer) = oneshot::channel();
    let key = ObjectKey {
        namespace,
        id: alarm.id,
    };
    let event = Event::Alarm(AlarmInfo {
        scheduled_ms: alarm.unix_ms,
        retry_count,
    });
    let name = alarm.name.map(Into::into);
    // A closed inbox drops the reply.
    let _ = shared.shards[owner(alarm.id, shared.shards.len())].send(ShardMessage::Deliver {
        key,
        name,
        envelope: Envelope::plain(event, reply),
    });
    let result = answer
        .await
        .unwrap_or_else(|_| Err(Error::new(ErrorKind::Unavailable, "shutting down")));
    (namespace, alarm.id, result)
}

impl Waiting {
    fn wake_at(&mut self, time: i64) {
        self.next = Some(self.next.map_or(time, |next| next.min(time)));
    }

    fn finish(&mut self, id: ObjectId, result: Result<Reply>, now: i64) {
        self.running -= 1;
        let Some(Pending::Running { retries }) = self.pending.remove(&id) else {
            return;
        };
        let Err(error) = result else { return };
        let after = if counts(&error) { retries + 1 } else { retries };
        tracing::warn!(%id, %error, retries, "alarm failed; it will be tried again");
        if self.pending.len() - self.running < MAX_RETRYING {
            let at = now.saturating_add(retry_delay_ms(retries));
            self.pending
                .insert(id, Pending::Retry { at, retries: after });
        }
    }
}

/// 2 s doubling with each retry, plus up to a quarter of jitter.
fn retry_delay_ms(retries: u32) -> i64 {
    let delay = FIRST_RETRY_MS << retries.min(9);
    let mut byte = [0_u8; 1];
    // Without randomness the delay is still right, only without jitter.
    let _ = getrandom::fill(&mut byte);
    delay + delay * i64::from(byte[0]) / 1_024
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn retries_wait_twice_as_long_each_time_with_up_to_a_quarter_of_jitter() {
        for (retries, least) in [(0, 2_000), (1, 4_000), (2, 8_000), (5, 64_000)] {
            let delays: HashSet<i64> = (0..200).map(|_| retry_delay_ms(retries)).collect();
            assert!(
                delays
                    .iter()
                    .all(|delay| (least..=least + least / 4).contains(delay)),
                "{retries}: {delays:?}"
            );
            // That many equal random bytes are not seen in the life of the universe.
            assert!(delays.len() > 1, "no jitter");
        }
    }
}
