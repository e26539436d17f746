//! The loop of the alarm thread: take what waits, apply it, commit and sync each file once, answer.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use super::table::Table;
use super::{Command, Done, What};
use crate::error::Result;

/// Commands that share one commit at most. More would make the first one wait long for its answer.
const BATCH: usize = 1024;

pub(super) struct Worker {
    tables: HashMap<PathBuf, Table>,
    checkpoint_pages: u32,
}

/// The answers that wait for the end of the batch, by file.
type Waiting = HashMap<PathBuf, Vec<Done<()>>>;

impl Worker {
    pub fn new(checkpoint_pages: u32) -> Worker {
        Worker {
            tables: HashMap::new(),
            checkpoint_pages,
        }
    }

    pub fn run(mut self, commands: &Receiver<Command>) {
        while let Ok(first) = commands.recv() {
            let mut waiting = Waiting::new();
            self.apply(first, &mut waiting);
            for command in commands.try_iter().take(BATCH - 1) {
                self.apply(command, &mut waiting);
            }
            self.finish(waiting);
        }
    }

    fn apply(&mut self, command: Command, waiting: &mut Waiting) {
        let path = command.folder.path().to_owned();
        let table = self
            .tables
            .entry(path.clone())
            .or_insert_with(|| Table::new(Arc::clone(&command.folder)));
        match command.what {
            What::Set {
                id,
                name,
                unix_ms,
                done,
            } => match table.set(id, name.as_deref(), unix_ms) {
                Ok(()) => waiting.entry(path).or_default().push(done),
                Err(error) => answer(done, Err(error)),
            },
            What::Due {
                until_ms,
                limit,
                done,
            } => answer(done, table.due(until_ms, limit)),
            What::Next { done } => answer(done, table.next()),
        }
    }

    fn finish(&mut self, mut waiting: Waiting) {
        for (path, table) in &mut self.tables {
            let outcome = table.finish(self.checkpoint_pages);
            if let Err(error) = &outcome {
                tracing::error!("the alarm index `{}` lost a batch: {error}", path.display());
            }
            for done in waiting.remove(path).unwrap_or_default() {
                answer(done, outcome.as_ref().copied().map_err(crate::Error::again));
            }
        }
    }
}

/// A callback that panics must not end the thread that every alarm depends on.
fn answer<T>(done: Done<T>, outcome: Result<T>) {
    if catch_unwind(AssertUnwindSafe(|| done(outcome))).is_err() {
        tracing::error!("a completion callback of the alarm index panicked");
    }
}
