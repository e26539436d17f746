//! One object's database: one SQLite file, one implicit transaction at a time. A database belongs to one shard thread
//! at a time. Keeps true: a file is made by the first write and never by a read; nothing is written to the file
//! while its checkpoint runs elsewhere or while it is broken.
//!
//! The parts: `kv` (keys and values), `range` (what a list covers), `sql` (user SQL), `transaction`, `alarm`,
//! `durability`, `files`.

use std::fmt;

use std::path::PathBuf;

use rusqlite::Connection;

use crate::connection::OpenConnection;
use crate::db_file::{DbFile, SyncMark};
use crate::error::{Error, ErrorKind, Result};
use crate::handles::Handles;
use crate::id::ObjectId;
use crate::namespace::Namespace;
use crate::options::Options;
use crate::template::Template;

mod alarm;
mod durability;
mod files;
mod kv;
mod range;
mod sql;
mod transaction;

pub use alarm::AlarmChange;
pub use durability::CheckpointDone;
pub use files::{FileEntry, ROOT_DIRECTORY};
pub use kv::ListOptions;
pub use sql::Prepared;

use transaction::Level;

/// The database of one object. See the [crate documentation](crate) for an example.
///
/// Numbers: each commit that wrote gets the next commit number. [`durable`](Database::durable) runs behind
/// [`committed`](Database::committed) until a [`sync`](Database::sync) has been told back.
pub struct Database {
    namespace: Namespace,
    id: ObjectId,
    place: Place,
    tables: Tables,
    /// BEGIN has been issued.
    in_transaction: bool,
    levels: Vec<Level>,
    /// As in the last committed state; `None` until it is first needed.
    committed_alarm: Option<Option<i64>>,
    /// Set by the open transaction.
    pending_alarm: Option<Option<i64>>,
    committed: u64,
    durable: u64,
    in_flight: Option<InFlight>,
    /// Where user SQL reads while there is no file: an empty database in memory.
    scratch: Option<OpenConnection>,
    next_cursor: u64,
    /// A step of a cursor is out.
    stepping: bool,
}

/// Where the file is.
enum Place {
    Here(DbFile),
    /// On a sync thread; it comes back with `finish_checkpoint`.
    AtCheckpoint,
    /// A sync or checkpoint failed, as the message tells.
    Broken(DbFile, String),
}

/// Which of our tables exist; `None` until asked.
#[derive(Default)]
struct Tables {
    kv: Option<bool>,
    metadata: Option<bool>,
    files: Option<bool>,
}

/// The sync that runs.
struct InFlight {
    number: u64,
    mark: Option<SyncMark>,
}

impl Database {
    pub(crate) fn new(namespace: Namespace, id: ObjectId) -> Database {
        let handles = Handles::new(namespace.folder_handle().clone(), &format!("{id}.sqlite"));
        let file = DbFile::new(handles, namespace.shared().options.cache_pages);
        Database {
            namespace,
            id,
            place: Place::Here(file),
            tables: Tables::default(),
            in_transaction: false,
            levels: Vec::new(),
            committed_alarm: None,
            pending_alarm: None,
            committed: 0,
            durable: 0,
            in_flight: None,
            scratch: None,
            next_cursor: 0,
            stepping: false,
        }
    }

    /// The object's id.
    pub fn id(&self) -> ObjectId {
        self.id
    }

    /// The object's namespace.
    pub fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    /// Whether the file is open: it holds memory and file handles then.
    pub fn is_open(&self) -> bool {
        match &self.place {
            Place::Here(file) => file.is_open(),
            Place::AtCheckpoint => true,
            Place::Broken(..) => false,
        }
    }

    /// Closes the file and frees its memory and handles. The next use opens it again.
    ///
    /// # Errors
    /// `Internal` if something is uncommitted, or committed and not durable, or a sync or checkpoint runs, or a cursor
    /// of user SQL may still have rows.
    pub fn close(&mut self) -> Result<()> {
        if self.in_transaction || self.committed != self.durable || self.in_flight.is_some() {
            return Err(self.misuse("closed with writes that are not durable"));
        }
        if self.has_open_cursors() {
            return Err(self.misuse("closed with SQL cursors that are not read to their end"));
        }
        self.tables = Tables::default();
        self.scratch = None;
        self.file_mut()?.close()
    }

    fn options(&self) -> &Options {
        &self.namespace.shared().options
    }

    fn file_mut(&mut self) -> Result<&mut DbFile> {
        match &mut self.place {
            Place::Here(file) => Ok(file),
            Place::AtCheckpoint => Err(Error::internal(format!(
                "object {} was used during its checkpoint",
                self.id
            ))),
            Place::Broken(_, why) => Err(Error::new(
                ErrorKind::Broken,
                format!(
                    "object {} must be reset before its storage can be used: {why}",
                    self.id
                ),
            )),
        }
    }

    /// Opens the file for reading. `None` if the object never wrote.
    fn reading(&mut self) -> Result<Option<&Connection>> {
        let file = self.file_mut()?;
        Ok(if file.open()? {
            file.connection().map(|open| &open.sql)
        } else {
            None
        })
    }

    /// Opens the file, or makes it of `template`.
    fn opened(&mut self, template: Template) -> Result<&Connection> {
        let file = self.file_mut()?;
        if !file.open()? {
            file.create(template)?;
            self.tables = Tables {
                kv: Some(template == Template::WithKv),
                metadata: Some(false),
                files: Some(false),
            };
        }
        self.connection()
    }

    fn connection(&self) -> Result<&Connection> {
        match &self.place {
            Place::Here(file) => file.connection().map(|open| &open.sql),
            _ => None,
        }
        .ok_or_else(|| self.misuse("used while it is not open"))
    }

    fn has_kv(&mut self) -> Result<bool> {
        if let Some(known) = self.tables.kv {
            return Ok(known);
        }
        let found = self.has_table("_cf_KV")?;
        self.tables.kv = Some(found);
        Ok(found)
    }

    fn has_metadata(&mut self) -> Result<bool> {
        if let Some(known) = self.tables.metadata {
            return Ok(known);
        }
        let found = self.has_table("_cf_METADATA")?;
        self.tables.metadata = Some(found);
        Ok(found)
    }

    fn has_table(&self, name: &str) -> Result<bool> {
        self.connection()?
            .query_row(
                "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1)",
                [name],
                |row| row.get(0),
            )
            .map_err(|e| self.failed("read the schema", e))
    }

    /// `action` continues "could not ...".
    fn failed(&self, action: &str, error: rusqlite::Error) -> Error {
        Error::sqlite(action, &self.path(), error)
    }

    fn path(&self) -> PathBuf {
        self.namespace.folder().join(format!("{}.sqlite", self.id))
    }

    /// `what` continues "object X was ...".
    fn misuse(&self, what: &str) -> Error {
        Error::internal(format!(
            "object {} of namespace `{}` was {what}",
            self.id,
            self.namespace.key().unique_key()
        ))
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database")
            .field("id", &self.id)
            .field("committed", &self.committed)
            .field("durable", &self.durable)
            .finish_non_exhaustive()
    }
}

impl Drop for Database {
    /// What was committed and not synced must not look durable to the next one who opens the file. This is the slow
    /// way out, for objects that panicked.
    fn drop(&mut self) {
        // Errors here have nobody to go to; each is logged where it happens.
        self.leave();
    }
}
