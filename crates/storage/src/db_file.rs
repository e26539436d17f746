//! One SQLite file and its write-ahead log, with every sync in our hands. Used for objects and for the alarm index.
//! Keeps true: we know how many bytes of the log are committed and how many are durable; a log is only written
//! from its start again after the database file is durable and the old log is durably erased.
//! Nothing here is allowed to run on two threads at once; the syncs are described by a [`SyncWork`] that may.

use std::path::Path;
use std::sync::Arc;

use crate::connection::{OpenConnection, convert_to_wal};
use crate::error::{Error, Result};
use crate::handles::{Handles, SyncWork};
use crate::log::Log;
use crate::template::{Probe, Template, probe};

pub(crate) struct DbFile {
    handles: Arc<Handles>,
    cache_pages: u32,
    connection: Option<OpenConnection>,
    log: Log,
    /// The database file was made by us and has not been synced.
    new_file: bool,
    /// The folder may not durably name our files.
    new_entries: bool,
}

/// What was true when a sync was asked for; becomes the durable state when it succeeds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SyncMark {
    frames: u32,
}

impl DbFile {
    pub fn new(handles: Handles, cache_pages: u32) -> DbFile {
        DbFile {
            handles: Arc::new(handles),
            cache_pages,
            connection: None,
            log: Log::default(),
            new_file: false,
            new_entries: false,
        }
    }

    pub fn path(&self) -> &Path {
        self.handles.db_path()
    }

    pub fn is_open(&self) -> bool {
        self.connection.is_some()
    }

    pub fn connection(&self) -> Option<&OpenConnection> {
        self.connection.as_ref()
    }

    pub fn connection_mut(&mut self) -> Option<&mut OpenConnection> {
        self.connection.as_mut()
    }

    /// Opens the file if there is one; says whether there is.
    pub fn open(&mut self) -> Result<bool> {
        if self.connection.is_some() {
            return Ok(true);
        }
        match probe(self.path())? {
            Probe::Missing => return Ok(false),
            Probe::Other => convert_to_wal(self.path())?,
            Probe::Wal => {}
        }
        let log_existed = self.handles.log_exists();
        self.connect()?;
        self.new_entries |= !log_existed;
        Ok(true)
    }

    /// Makes the file. Whatever an unfinished creation left behind is overwritten.
    pub fn create(&mut self, template: Template) -> Result<()> {
        assert!(
            self.connection.is_none(),
            "a file is created only when there is none"
        );
        self.handles.create(template.image()?)?;
        self.new_file = true;
        self.new_entries = true;
        self.connect()
    }

    fn connect(&mut self) -> Result<()> {
        let connection = OpenConnection::open(self.handles.db_path(), self.cache_pages)?;
        let failed = |e| Error::sqlite("read the log", self.handles.db_path(), e);
        let page_bytes = connection
            .sql
            .query_row("PRAGMA page_size", (), |row| row.get(0))
            .map_err(failed)?;
        let frames = connection.log_frames().map_err(failed)?;
        // Everything in the log of a file just opened is durable: opening the storage synced the file system, and
        // within this process a file is only closed when it is durable. A file just created has no frames.
        self.log.opened(page_bytes, frames);
        self.connection = Some(connection);
        Ok(())
    }

    /// Call after each COMMIT. Says whether the commit wrote anything.
    ///
    /// # Errors
    /// If a new generation of the log did not begin at its start. Then [`reset`](Self::reset) must be called.
    pub fn note_commit(&mut self) -> Result<bool> {
        let Some(frames) = self
            .connection
            .as_ref()
            .and_then(OpenConnection::take_frames)
        else {
            return Ok(false);
        };
        // The header was erased when the last generation ended. SQLite writes it anew when it starts over; had it
        // gone on behind the old frames, the log would be lost at the next start.
        if self.log.frames() == 0 && self.handles.log_is_erased()? {
            return Err(Error::internal(format!(
                "the log of `{}` did not start over",
                self.path().display()
            )));
        }
        self.log.committed(frames);
        Ok(true)
    }

    pub fn log_frames(&self) -> u32 {
        self.log.frames()
    }

    /// What must be synced so that everything committed is durable, and what to [`note_synced`](Self::note_synced) then.
    pub fn sync_work(&mut self) -> Result<(SyncWork, SyncMark)> {
        let work = SyncWork {
            handles: Arc::clone(&self.handles),
            log: self.log.has_undurable(),
            db: self.new_file,
            folder: self.new_entries,
        };
        if work.log {
            let file = self.handles.log()?;
            self.log.preallocate(file);
        }
        Ok((
            work,
            SyncMark {
                frames: self.log.frames(),
            },
        ))
    }

    pub fn note_synced(&mut self, mark: SyncMark) {
        self.log.synced(mark.frames);
        self.new_file = false;
        self.new_entries = false;
    }

    /// Moves the log into the database file and erases it. Blocks on the disk. Everything must be durable.
    ///
    /// # Errors
    /// After an error the connection is closed and [`reset`](Self::reset) must be called.
    pub fn checkpoint(&mut self) -> Result<()> {
        let outcome = self.try_checkpoint();
        if outcome.is_err() {
            self.connection = None;
        }
        outcome
    }

    fn try_checkpoint(&mut self) -> Result<()> {
        let Some(connection) = &self.connection else {
            return Ok(());
        };
        let failed = |e| Error::sqlite("checkpoint", self.handles.db_path(), e);
        if self.log.frames() == 0 {
            return Ok(());
        }
        let (frames, copied) = connection.copy_log().map_err(failed)?;
        if frames != copied {
            return Err(Error::internal(format!(
                "checkpoint of `{}` copied {copied} of {frames} frames: a statement was still open",
                self.path().display()
            )));
        }
        self.handles.sync_db()?;
        // From here on the log is not needed, and before it is written from its start again its old content must be
        // durably invalid. Otherwise a crash could leave old frames behind a valid old header, and they would be
        // laid over the newer database.
        self.log.ended();
        self.handles.erase_log()
    }

    /// Closes the file and frees its memory and handles. The log stays as it is.
    pub fn close(&mut self) -> Result<()> {
        let Some(connection) = self.connection.take() else {
            return Ok(());
        };
        // The locks of the process go with the first handle closed, so SQLite's come first.
        connection
            .close()
            .map_err(|e| Error::sqlite("close the database", self.handles.db_path(), e))?;
        self.release_handles()?;
        if self.new_file {
            // Made for a transaction that was rolled back: nothing is in it, and the next opening must not find a
            // file that was never synced.
            self.handles.remove_files()?;
            self.new_file = false;
            self.new_entries = false;
        }
        if self.new_entries {
            // SQLite made the log when it read the file, and nothing was committed through it. Its name may not be
            // durable, so the next opening must not find it and believe that it is.
            self.handles.remove_log()?;
            self.new_entries = false;
        }
        Ok(())
    }

    /// Whether everything committed is durable.
    pub fn is_durable(&self) -> bool {
        !self.log.has_undurable()
    }

    /// Whether a sync still uses the handles.
    pub fn is_shared(&self) -> bool {
        Arc::strong_count(&self.handles) > 1
    }

    fn release_handles(&mut self) -> Result<()> {
        let handles = Arc::get_mut(&mut self.handles).ok_or_else(|| {
            Error::internal("a file was closed while it was being synced".to_owned())
        })?;
        handles.release();
        Ok(())
    }

    /// Brings the files back to what is surely on disk, after a sync or a checkpoint failed: the page cache may
    /// hold bytes that never reached the disk. Blocks on the disk.
    pub fn reset(&mut self) -> Result<()> {
        self.connection = None;
        self.release_handles()?;
        if self.new_file {
            self.handles.remove()?;
        } else {
            self.handles.cut_log(self.log.durable_bytes())?;
            if self.new_entries {
                self.handles.sync_folder()?;
            }
        }
        self.release_handles()?;
        self.new_file = false;
        self.new_entries = false;
        self.log = Log::default();
        Ok(())
    }
}
