//! The input gate of an object whose events interleave: critical sections, and who gets in.
//!
//! While a section is open no event begins, and of what is under way only what was started inside
//! the innermost section goes on. What an ended section has left behind counts as its parent's.
//! A section is stuck when nothing is under way that it would let in.

use std::{
    collections::HashMap,
    task::{Context, Poll, Waker},
    time::Instant,
};

/// Names one critical section of one instance; 0 is none.
pub type SectionId = u64;

/// Stands for the section of an operation that every section lets in: no user code sees when it ends.
pub const ANY_SECTION: SectionId = SectionId::MAX;

struct Section {
    id: SectionId,
    ends: Instant,
}

/// The open sections, innermost last.
#[derive(Default)]
pub(crate) struct Sections {
    open: Vec<Section>,
    /// Where the ones that ended while others are open had been begun.
    ended: HashMap<SectionId, SectionId>,
    parents: HashMap<SectionId, SectionId>,
    /// How many operations are under way of each section.
    operations: HashMap<SectionId, usize>,
    waiting: Vec<Waker>,
}

impl Sections {
    pub fn begin(&mut self, id: SectionId, parent: SectionId, ends: Instant) {
        self.open.push(Section { id, ends });
        self.parents.insert(id, parent);
    }

    pub fn end(&mut self, id: SectionId) {
        self.open.retain(|section| section.id != id);
        if let Some(parent) = self.parents.remove(&id) {
            self.ended.insert(id, parent);
        }
        if self.open.is_empty() {
            self.ended.clear();
            self.parents.clear();
        }
        for waker in self.waiting.drain(..) {
            waker.wake();
        }
    }

    pub fn clear(&mut self) {
        *self = Self::default();
    }

    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// Whether events may begin.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// When the first one must be over.
    pub fn deadline(&self) -> Option<Instant> {
        self.open.iter().map(|section| section.ends).min()
    }

    /// An operation begins in `section`. Those outside all sections need not be known: none lets them in.
    pub fn begin_operation(&mut self, section: SectionId) {
        if section != 0 {
            *self.operations.entry(section).or_default() += 1;
        }
    }

    pub fn end_operation(&mut self, section: SectionId) {
        if let Some(count) = self.operations.get_mut(&section) {
            *count -= 1;
            if *count == 0 {
                self.operations.remove(&section);
            }
        }
    }

    /// Whether an operation is under way that may go on now.
    pub fn is_busy(&self) -> bool {
        self.operations.keys().any(|section| self.admits(*section))
    }

    /// Whether what was started in `section` may go on now.
    pub fn admits(&self, mut section: SectionId) -> bool {
        let Some(innermost) = self.open.last() else {
            return true;
        };
        if section == ANY_SECTION {
            return true;
        }
        while let Some(parent) = self.ended.get(&section) {
            section = *parent;
        }
        section == innermost.id
    }

    /// As [`Sections::admits`], for those who wait.
    pub fn poll_admits(&mut self, section: SectionId, cx: &Context<'_>) -> Poll<()> {
        if self.admits(section) {
            return Poll::Ready(());
        }
        self.waiting.push(cx.waker().clone());
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTSIDE: SectionId = 0;

    #[test]
    fn only_what_the_innermost_section_started_goes_on() {
        let mut sections = Sections::default();
        let ends = Instant::now();
        assert!(sections.admits(OUTSIDE) && sections.admits(7));
        sections.begin(1, OUTSIDE, ends);
        assert!(sections.admits(1) && !sections.admits(OUTSIDE));
        sections.begin(2, 1, ends);
        assert!(sections.admits(2) && !sections.admits(1));
        sections.end(2);
        assert!(sections.admits(1), "the outer one goes on");
        assert!(
            sections.admits(2),
            "what the inner one left counts as the outer one's"
        );
        assert!(!sections.admits(OUTSIDE));
        sections.end(1);
        assert!(sections.admits(OUTSIDE) && sections.admits(2));
        sections.begin(3, OUTSIDE, ends);
        assert!(!sections.admits(2) && sections.admits(3));
        assert!(sections.admits(ANY_SECTION));
    }

    #[test]
    fn a_section_waits_for_what_it_would_let_in() {
        let mut sections = Sections::default();
        let ends = Instant::now();
        sections.begin_operation(OUTSIDE);
        sections.begin(1, OUTSIDE, ends);
        assert!(!sections.is_busy(), "that was begun outside");
        sections.begin_operation(1);
        sections.begin_operation(1);
        sections.end_operation(1);
        assert!(sections.is_busy());
        sections.begin(2, 1, ends);
        assert!(!sections.is_busy(), "it is of the outer one");
        sections.begin_operation(ANY_SECTION);
        assert!(sections.is_busy());
        sections.end_operation(ANY_SECTION);
        sections.end(2);
        assert!(sections.is_busy());
        sections.end_operation(1);
        assert!(!sections.is_busy());
    }
}
