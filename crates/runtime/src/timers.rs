//! One object's timers: which callback is due when.

use std::{
    collections::{BTreeSet, HashMap},
    time::{Duration, Instant},
};

use crate::host::TimerId;

/// Longest delay; a longer one is cut to it (the limit of `setTimeout` everywhere).
const MAX_DELAY: Duration = Duration::from_millis(i32::MAX as u64);

/// Pending timers in the order in which they fall due; equal times in the order of creation.
#[derive(Default)]
pub(crate) struct Timers {
    due: BTreeSet<(Instant, TimerId)>,
    times: HashMap<TimerId, Instant>,
    last: TimerId,
}

impl Timers {
    pub fn start(&mut self, now: Instant, delay: Duration) -> TimerId {
        self.last += 1;
        let at = now + delay.min(MAX_DELAY);
        self.due.insert((at, self.last));
        self.times.insert(self.last, at);
        self.last
    }

    pub fn cancel(&mut self, timer: TimerId) {
        if let Some(at) = self.times.remove(&timer) {
            self.due.remove(&(at, timer));
        }
    }

    pub fn next(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| *at)
    }

    pub fn take_due(&mut self, now: Instant) -> Option<TimerId> {
        let (at, timer) = *self.due.first()?;
        if at > now {
            return None;
        }
        self.cancel(timer);
        Some(timer)
    }

    pub fn clear(&mut self) {
        self.due.clear();
        self.times.clear();
    }

    pub fn len(&self) -> usize {
        self.due.len()
    }

    pub fn is_empty(&self) -> bool {
        self.due.is_empty()
    }
}
