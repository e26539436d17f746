//! A folder whose syncs are shared: one sync covers everybody who asked before it began, so a burst of
//! new objects costs a few folder syncs and not one each.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::disk::Disk;
use crate::error::{Error, ErrorKind, Result};

/// Invariant: `done <= begun`; `begun == done + 1` exactly while a sync runs.
#[derive(Default)]
struct Rounds {
    begun: u64,
    done: u64,
    /// The newest round that failed, and how.
    failed: Option<(u64, String)>,
}

pub(crate) struct Folder {
    path: PathBuf,
    disk: Arc<dyn Disk>,
    rounds: Mutex<Rounds>,
    changed: Condvar,
}

impl Folder {
    pub fn new(path: PathBuf, disk: Arc<dyn Disk>) -> Folder {
        Folder {
            path,
            disk,
            rounds: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn disk(&self) -> &dyn Disk {
        &*self.disk
    }

    /// Blocks until every entry made before this call is durable.
    pub fn sync(&self) -> Result<()> {
        let mut rounds = self.lock();
        let wanted = rounds.begun + 1;
        loop {
            // First the failure: a later round that succeeds says nothing about what an earlier one lost.
            if let Some((_, message)) = rounds.failed.as_ref().filter(|(round, _)| *round >= wanted)
            {
                return Err(Error::new(ErrorKind::Io, message.clone()));
            }
            if rounds.done >= wanted {
                return Ok(());
            }
            if rounds.begun == rounds.done {
                rounds.begun += 1;
                let round = rounds.begun;
                drop(rounds);
                let outcome = self.disk.sync_dir(&self.path);
                rounds = self.lock();
                rounds.done = round;
                if let Err(error) = outcome {
                    rounds.failed = Some((
                        round,
                        Error::io("sync the folder", &self.path, error).to_string(),
                    ));
                }
                self.changed.notify_all();
            } else {
                rounds = self
                    .changed
                    .wait(rounds)
                    .unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Rounds> {
        self.rounds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
