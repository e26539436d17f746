//! How commits become durable: a sync on a sync thread, told back to the shard; checkpoints; and the way back after
//! either failed. Keeps true: `durable() <= committed()`, and what is durable is known to the byte.

use super::{Database, InFlight, Place, Tables};
use crate::db_file::DbFile;
use crate::error::{Error, Result};

/// How many times longer than usual the log may get while a cursor of user SQL is open.
const PATIENCE: u32 = 8;

/// A checkpoint that ended. Hand it to [`Database::finish_checkpoint`].
pub struct CheckpointDone {
    file: DbFile,
    outcome: Result<()>,
}

impl Database {
    /// The number of the newest commit.
    pub fn committed(&self) -> u64 {
        self.committed
    }

    /// The number of the newest commit that is known to be durable.
    pub fn durable(&self) -> u64 {
        self.durable
    }

    /// Makes everything committed so far durable. `done` is called on a sync thread, with the number of the newest commit
    /// that is durable now; tell it back with [`note_durable`](Self::note_durable). After an error call
    /// [`reset_to_durable`](Self::reset_to_durable).
    ///
    /// # Panics
    /// If the sync before it has not been told back.
    pub fn sync(&mut self, done: Box<dyn FnOnce(Result<u64>) + Send>) {
        assert!(
            self.in_flight.is_none(),
            "object {} has a sync in flight already",
            self.id
        );
        let number = self.committed;
        let work = self.file_mut().and_then(|file| file.sync_work());
        let (outcome, mark) = match work {
            Ok((work, mark)) => (Ok(work), Some(mark)),
            Err(error) => (Err(error), None),
        };
        self.in_flight = Some(InFlight { number, mark });
        self.namespace.shared().pool.run(Box::new(move || {
            let outcome = outcome.and_then(|work| work.run());
            done(outcome.map(|()| number));
        }));
    }

    /// Tells back what a sync's `done` was called with.
    ///
    /// # Panics
    /// If no sync of that number is in flight.
    pub fn note_durable(&mut self, number: u64) {
        let in_flight = self.in_flight.take().filter(|sync| sync.number == number);
        let in_flight = in_flight.unwrap_or_else(|| {
            panic!(
                "object {} has no sync of commit {number} in flight",
                self.id
            )
        });
        if let (Place::Here(file), Some(mark)) = (&mut self.place, in_flight.mark) {
            file.note_synced(mark);
        }
        self.durable = number;
    }

    /// Whether the log has grown so long that a checkpoint is due. It waits for cursors of user SQL, which it would end,
    /// but not for ever, and for a transaction that goes on over several turns.
    pub fn wants_checkpoint(&self) -> bool {
        let Place::Here(file) = &self.place else {
            return false;
        };
        let due = self.options().checkpoint_pages;
        let frames = file.log_frames();
        frames >= due
            && !self.in_transaction
            && self.levels.is_empty()
            && !self.stepping
            && (frames >= due.saturating_mul(PATIENCE) || !self.has_open_cursors())
    }

    /// Moves the log into the database file, on a sync thread, and ends all cursors of user SQL. `done` is called there; until
    /// [`finish_checkpoint`](Self::finish_checkpoint) every other use is an `Internal` error.
    ///
    /// # Panics
    /// If something is uncommitted or not durable, or the object is broken or at a checkpoint already.
    pub fn checkpoint(&mut self, done: Box<dyn FnOnce(CheckpointDone) + Send>) {
        let quiet =
            !self.in_transaction && self.in_flight.is_none() && self.committed == self.durable;
        assert!(
            quiet,
            "object {} cannot be checkpointed: not all of it is durable",
            self.id
        );
        assert!(
            !self.stepping,
            "object {} cannot be checkpointed while a cursor is stepped",
            self.id
        );
        self.close_cursors();
        let mut file = match std::mem::replace(&mut self.place, Place::AtCheckpoint) {
            Place::Here(file) => file,
            Place::AtCheckpoint | Place::Broken(..) => panic!(
                "object {} cannot be checkpointed: it is broken or at a checkpoint",
                self.id
            ),
        };
        self.namespace.shared().pool.run(Box::new(move || {
            let outcome = file.checkpoint();
            done(CheckpointDone { file, outcome });
        }));
    }

    /// Takes the file back.
    ///
    /// # Errors
    /// The checkpoint's. Then the object is broken until [`reset_to_durable`](Self::reset_to_durable); nothing is lost.
    pub fn finish_checkpoint(&mut self, done: CheckpointDone) -> Result<()> {
        self.place = Place::Here(done.file);
        if let Err(error) = done.outcome {
            self.tables = Tables::default();
            self.mark_broken(error.message().to_owned());
            return Err(error);
        }
        Ok(())
    }

    /// Goes back to exactly what is durable, after a sync or a checkpoint failed: closes the file and cuts its log.
    /// Blocks on the disk. `committed()` becomes `durable()`, so numbers of lost commits are given again.
    ///
    /// # Errors
    /// `Internal` if a sync or checkpoint still runs. After any other error the object stays broken, with nothing
    /// committed that is not durable; try again later.
    pub fn reset_to_durable(&mut self) -> Result<()> {
        // SQLite's own roll-back may need a page that is lost, and the connection goes anyway.
        self.close_cursors();
        self.levels.clear();
        self.in_transaction = false;
        self.pending_alarm = None;
        self.committed_alarm = None;
        self.tables = Tables::default();
        let mut file = match std::mem::replace(&mut self.place, Place::AtCheckpoint) {
            Place::Here(file) | Place::Broken(file, _) => file,
            Place::AtCheckpoint => return Err(self.misuse("reset during its checkpoint")),
        };
        if file.is_shared() {
            self.place = Place::Here(file);
            return Err(self.misuse("reset while its sync was running"));
        }
        // What was not durable is lost from here on, even if the log cannot be cut yet.
        self.in_flight = None;
        self.committed = self.durable;
        match file.reset() {
            Ok(()) => {
                self.place = Place::Here(file);
                Ok(())
            }
            Err(error) => {
                self.place = Place::Broken(file, error.message().to_owned());
                Err(error)
            }
        }
    }

    /// What `drop` does: nothing that is not durable may be found by the next one who opens the file.
    pub(super) fn leave(&mut self) {
        // Without its transaction the file is as committed; the connection that has it goes below.
        self.in_transaction = false;
        let outcome = match std::mem::replace(&mut self.place, Place::AtCheckpoint) {
            Place::Here(mut file) if self.in_flight.is_none() => settle(&mut file),
            Place::Here(mut file) | Place::Broken(mut file, _) => file.reset(),
            Place::AtCheckpoint => Ok(()),
        };
        if let Err(error) = outcome {
            tracing::error!(object = %self.id, "an object was dropped with commits that could not be made durable: {error}");
        }
    }
}

fn settle(file: &mut DbFile) -> Result<()> {
    if !file.is_durable() {
        let (work, mark) = file.sync_work()?;
        if let Err(error) = work.run() {
            drop(work);
            file.reset()?;
            return Err(error);
        }
        file.note_synced(mark);
    }
    file.close()
}

impl CheckpointDone {
    /// Why it failed, if it did.
    pub fn error(&self) -> Option<&Error> {
        self.outcome.as_ref().err()
    }
}
