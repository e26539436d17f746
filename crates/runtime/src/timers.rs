//! One object's timers: which callback is due when.

use std::{
    collections::{BTreeSet, HashMap},
    time::{Duration, Instant},
};

use crate::{
    host::TimerId,
    sections::{SectionId, Sections},
};

/// Longest delay; a longer one is cut to it (the limit of `setTimeout` everywhere).
const MAX_DELAY: Duration = Duration::from_millis(i32::MAX as u64);

/// Pending timers in the order in which they fall due; equal times in the order of creation.
#[derive(Default)]
pub(crate) struct Timers {
    due: BTreeSet<(Instant, TimerId)>,
    /// When each is due, and in which critical section it was started.
    times: HashMap<TimerId, (Instant, SectionId)>,
    last: TimerId,
}

impl Timers {
    pub fn start(&mut self, now: Instant, delay: Duration, section: SectionId) -> TimerId {
        self.last += 1;
        let at = now + delay.min(MAX_DELAY);
        self.due.insert((at, self.last));
        self.times.insert(self.last, (at, section));
        self.last
    }

    pub fn cancel(&mut self, timer: TimerId) {
        if let Some((at, _)) = self.times.remove(&timer) {
            self.due.remove(&(at, timer));
        }
    }

    /// When the next of those that the open sections let in is due.
    pub fn next(&self, sections: &Sections) -> Option<Instant> {
        self.first(sections).map(|(at, _)| at)
    }

    fn first(&self, sections: &Sections) -> Option<(Instant, TimerId)> {
        if sections.is_empty() {
            return self.due.first().copied();
        }
        let admitted = |timer| {
            self.times
                .get(timer)
                .is_some_and(|(_, section)| sections.admits(*section))
        };
        self.due.iter().find(|(_, timer)| admitted(timer)).copied()
    }

    pub fn take_due(&mut self, now: Instant, sections: &Sections) -> Option<TimerId> {
        let (at, timer) = self.first(sections)?;
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
