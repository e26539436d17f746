//! Our own file handles of one database, used for syncing beside SQLite's. Two rules: closing any handle of the
//! database file drops SQLite's locks on it, so ours stays open until the connection is closed; a log has no locks.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind as IoKind};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use crate::error::{Error, Result};
use crate::folder::Folder;
use crate::log::HEADER_BYTES;

pub(crate) struct Handles {
    folder: Arc<Folder>,
    db_path: PathBuf,
    log_path: PathBuf,
    db: OnceLock<File>,
    log: OnceLock<File>,
}

/// A sync to be done, on any thread.
pub(crate) struct SyncWork {
    pub handles: Arc<Handles>,
    pub log: bool,
    pub db: bool,
    pub folder: bool,
}

impl SyncWork {
    /// Blocks on the disk. The order is free: nothing is acknowledged before all of it is done.
    pub fn run(&self) -> Result<()> {
        if self.log {
            self.handles.sync_log()?;
        }
        if self.db {
            self.handles.sync_db()?;
        }
        if self.folder {
            self.handles.folder.sync()?;
        }
        Ok(())
    }
}

impl Handles {
    /// `name` is the file's, without its folder.
    pub fn new(folder: Arc<Folder>, name: &str) -> Handles {
        let db_path = folder.path().join(name);
        let log_path = folder.path().join(format!("{name}-wal"));
        Handles {
            folder,
            db_path,
            log_path,
            db: OnceLock::new(),
            log: OnceLock::new(),
        }
    }

    pub fn db_path(&self) -> &Path {
        &self.db_path
    }

    pub fn log_exists(&self) -> bool {
        self.log_path.exists()
    }

    /// The log's handle, opened at its first use.
    pub fn log(&self) -> Result<&File> {
        opened(&self.log, &self.log_path)
    }

    /// Writes `image` as the whole database file, with an empty log beside it.
    pub fn create(&self, image: &[u8]) -> Result<()> {
        let make = |path: &Path| {
            OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(true)
                .open(path)
                .map_err(|e| Error::io("create", path, e))
        };
        // The log first: an old one must never lie beside the new database.
        let log = make(&self.log_path)?;
        let db = make(&self.db_path)?;
        db.write_all_at(image, 0)
            .map_err(|e| Error::io("write", &self.db_path, e))?;
        // The caller holds the only handles, and has released them, so both cells are empty.
        let _ = self.log.set(log);
        let _ = self.db.set(db);
        Ok(())
    }

    fn sync_log(&self) -> Result<()> {
        self.sync(self.log()?, &self.log_path)
    }

    pub fn sync_db(&self) -> Result<()> {
        self.sync(opened(&self.db, &self.db_path)?, &self.db_path)
    }

    fn sync(&self, file: &File, path: &Path) -> Result<()> {
        self.folder
            .disk()
            .sync_data(file, path)
            .map_err(|e| Error::io("sync", path, e))
    }

    /// Durably makes the log count as empty, keeping its size.
    pub fn erase_log(&self) -> Result<()> {
        let log = self.log()?;
        log.write_all_at(&[0; HEADER_BYTES as usize], 0)
            .map_err(|e| Error::io("erase", &self.log_path, e))?;
        self.sync(log, &self.log_path)
    }

    /// Durably cuts the log to `bytes`.
    pub fn cut_log(&self, bytes: u64) -> Result<()> {
        let log = match self.log() {
            Ok(log) => log,
            Err(_) if bytes == 0 && !self.log_exists() => return Ok(()),
            Err(error) => return Err(error),
        };
        log.set_len(bytes)
            .map_err(|e| Error::io("truncate", &self.log_path, e))?;
        self.sync(log, &self.log_path)
    }

    /// Durably removes both files.
    pub fn remove(&self) -> Result<()> {
        self.remove_files()?;
        self.folder.sync()
    }

    /// Removes both files, not durably.
    pub fn remove_files(&self) -> Result<()> {
        remove_file(&self.db_path)?;
        remove_file(&self.log_path)
    }

    /// Removes the log, not durably.
    pub fn remove_log(&self) -> Result<()> {
        remove_file(&self.log_path)
    }

    pub fn sync_folder(&self) -> Result<()> {
        self.folder.sync()
    }

    /// Whether the log's header is zeros, or is not there.
    pub fn log_is_erased(&self) -> Result<bool> {
        let mut header = [0; HEADER_BYTES as usize];
        let read = self
            .log()?
            .read_at(&mut header, 0)
            .map_err(|e| Error::io("read", &self.log_path, e))?;
        Ok(read < header.len() || header == [0; HEADER_BYTES as usize])
    }

    /// Closes both handles. Only after SQLite has closed its own.
    pub fn release(&mut self) {
        self.db.take();
        self.log.take();
    }
}

fn opened<'a>(cell: &'a OnceLock<File>, path: &Path) -> Result<&'a File> {
    if let Some(file) = cell.get() {
        return Ok(file);
    }
    let file: io::Result<File> = OpenOptions::new().read(true).write(true).open(path);
    let file = file.map_err(|e| Error::io("open", path, e))?;
    // Should two threads race here, the loser's database handle must not be closed; but only the owner of a file
    // opens its database handle, so there is no second thread.
    Ok(cell.get_or_init(|| file))
}

fn remove_file(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != IoKind::NotFound => Err(Error::io("remove", path, e)),
        _ => Ok(()),
    }
}
