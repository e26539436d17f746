//! Dolmen's storage: one SQLite database per object, durable by group sync, in workerd's layout on disk.
//!
//! A [`Storage`] is an open root folder. It has [`Namespace`]s, which derive [`ObjectId`]s and hold one [`Database`]
//! per object, and an [`AlarmIndex`]. Writes gather in an implicit transaction; a commit does not wait for the
//! disk, a sync does, on another thread:
//!
//! ```
//! use dolmen_storage::{Options, Storage};
//! use std::sync::mpsc::channel;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let root = folder.path();
//! let storage = Storage::open(root, Options::default())?;
//! let rooms = storage.namespace("chat-Room")?;
//! let mut room = rooms.database(rooms.key().id_from_name("lobby"));
//!
//! room.put("topic", b"stones")?;
//! let number = room.commit()?;
//! assert_eq!(room.durable(), 0);
//!
//! let (done, told) = channel();
//! room.sync(Box::new(move |outcome| done.send(outcome).unwrap()));
//! room.note_durable(told.recv()??);
//! assert_eq!(room.durable(), number);
//!
//! let topic = room.get("topic", |value| value.map(<[u8]>::to_vec))?;
//! assert_eq!(topic.as_deref(), Some(&b"stones"[..]));
//! # Ok(()) }
//! ```

mod alarm_time;
mod alarms;
mod connection;
mod database;
mod db_file;
mod disk;
mod error;
mod folder;
mod handles;
mod id;
mod lock;
mod log;
mod namespace;
mod options;
mod sql;
mod storage;
mod sync_pool;
mod template;

pub use alarms::{AlarmIndex, Done, DueAlarm};
pub use database::{
    AlarmChange, CheckpointDone, Database, FileEntry, ListOptions, Prepared, ROOT_DIRECTORY,
};
pub use disk::{Disk, RealDisk};
pub use error::{Error, ErrorKind, Result};
pub use id::{NamespaceKey, ObjectId};
pub use namespace::Namespace;
pub use options::Options;
pub use sql::{SqlColumns, SqlCursor, SqlRow, SqlStep, SqlSummary, SqlValue};
pub use storage::Storage;
