//! The output gate: nothing leaves an object before every write made earlier is durable.
//!
//! Outputs made during a turn are held without a number; the turn's commit gives them one, and
//! they leave, in order, once a sync has covered it. A failed sync turns all of them into errors.

use std::collections::VecDeque;

use crate::Result;

/// An output that waits: called once, with `Ok` to leave and with the reason if it never may.
pub(crate) type Output = Box<dyn FnOnce(Result<()>)>;

/// One object's held outputs.
#[derive(Default)]
pub(crate) struct OutputGate {
    /// Made in the turn that runs now.
    turn: Vec<Output>,
    /// Waiting for the sync of the commit with that number; numbers never fall.
    held: VecDeque<(u64, Output)>,
}

impl OutputGate {
    /// Holds an output of the running turn.
    pub fn push(&mut self, output: Output) {
        self.turn.push(output);
    }

    /// The running turn was committed as number `commit`.
    pub fn turn_committed(&mut self, commit: u64) {
        self.held
            .extend(self.turn.drain(..).map(|output| (commit, output)));
    }

    /// Takes the first output that `durable` lets out. One at a time, because running it may
    /// come back to this gate.
    pub fn next_open(&mut self, durable: u64) -> Option<Output> {
        match self.held.front() {
            Some((commit, _)) if *commit <= durable => {
                self.held.pop_front().map(|(_, output)| output)
            }
            _ => None,
        }
    }

    /// Takes the outputs of the running turn, which will never be committed.
    pub fn take_turn(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.turn)
    }

    /// Takes everything that waits for a sync which will not come.
    pub fn take_held(&mut self) -> Vec<Output> {
        self.held.drain(..).map(|(_, output)| output).collect()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.turn.is_empty() && self.held.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, rc::Rc};

    use super::*;
    use crate::error::{Error, ErrorKind};

    fn log_into(log: &Rc<RefCell<Vec<String>>>, name: &'static str) -> Output {
        let log = log.clone();
        Box::new(move |result| {
            log.borrow_mut().push(match result {
                Ok(()) => name.to_owned(),
                Err(error) => format!("{name}: {error}"),
            });
        })
    }

    #[test]
    fn outputs_leave_in_order_and_only_after_their_commit_is_durable() {
        let log = Rc::default();
        let mut gate = OutputGate::default();
        gate.push(log_into(&log, "a"));
        assert!(
            gate.next_open(u64::MAX).is_none(),
            "an uncommitted turn's output must not leave"
        );
        gate.turn_committed(1);
        gate.push(log_into(&log, "b"));
        gate.turn_committed(2);
        assert!(gate.next_open(0).is_none());
        while let Some(output) = gate.next_open(1) {
            output(Ok(()));
        }
        assert_eq!(*log.borrow(), ["a"]);
        while let Some(output) = gate.next_open(2) {
            output(Ok(()));
        }
        assert_eq!(*log.borrow(), ["a", "b"]);
        assert!(gate.is_empty());
    }

    #[test]
    fn a_failed_sync_fails_everything_held() {
        let log = Rc::default();
        let mut gate = OutputGate::default();
        gate.push(log_into(&log, "a"));
        gate.turn_committed(1);
        gate.push(log_into(&log, "b"));
        gate.turn_committed(2);
        for output in gate.take_held() {
            output(Err(Error::new(ErrorKind::Storage, "lost")));
        }
        assert_eq!(*log.borrow(), ["a: lost", "b: lost"]);
    }
}
