//! Opens SQLite the way this crate needs it: no syncs of its own, no checkpoints of its own, one owner per file,
//! little memory. With `sql/statement.rs` the only file of the crate that calls SQLite's C interface.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::{ffi::c_int, ptr};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, ffi};

use crate::error::{Error, Result};
use crate::sql::UserSql;

/// Prepared statements one connection keeps.
const STATEMENTS: usize = 16;

/// A connection, and the length of its write-ahead log as SQLite last told.
pub(crate) struct OpenConnection {
    /// Goes before the connection, because it holds statements of it. Most objects have none.
    pub user: Option<Box<UserSql>>,
    pub sql: Connection,
    /// Frames in the log after the last commit; 0 if no commit since the last [`take_frames`](Self::take_frames).
    frames: Arc<AtomicU32>,
}

impl OpenConnection {
    /// Opens an existing database in WAL mode.
    pub fn open(path: &Path, cache_pages: u32) -> Result<OpenConnection> {
        let failed = |e| Error::sqlite("open the database", path, e);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let sql = Connection::open_with_flags(path, flags).map_err(failed)?;
        let mut open = OpenConnection {
            user: None,
            sql,
            frames: Arc::default(),
        };
        open.configure(cache_pages).map_err(failed)?;
        Ok(open)
    }

    /// An empty database that is nowhere.
    pub fn in_memory() -> rusqlite::Result<OpenConnection> {
        let sql = Connection::open_in_memory()?;
        sql.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        Ok(OpenConnection {
            user: None,
            sql,
            frames: Arc::default(),
        })
    }

    /// What user SQL needs, made at its first use. `longest_value` is in bytes.
    pub fn user_sql(
        &mut self,
        longest_value: i32,
        cache_pages: u32,
    ) -> rusqlite::Result<(&Connection, &mut UserSql)> {
        let user = match &mut self.user {
            Some(user) => user,
            empty => empty.insert(Box::new(UserSql::new(
                &mut self.sql,
                longest_value,
                cache_pages,
            )?)),
        };
        Ok((&self.sql, user))
    }

    /// Closes it, user SQL first.
    pub fn close(self) -> rusqlite::Result<()> {
        drop(self.user);
        self.sql.close().map_err(|(_, error)| error)
    }

    fn configure(&mut self, cache_pages: u32) -> rusqlite::Result<()> {
        self.drop_lookaside();
        self.sql
            .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        self.sql
            .set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        self.sql.set_prepared_statement_cache_capacity(STATEMENTS);
        // Exclusive locking comes first: set before the first read, it keeps the index of the log in memory
        // and makes the -shm file needless.
        self.sql.execute_batch(&format!(
            "PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY; \
             PRAGMA cache_size = {cache_pages};"
        ))?;
        // Reading the schema above took page memory for SQLite's default cache, 88 KB. Given back here, it is taken
        // again for the size just set.
        self.sql.release_memory()?;
        let frames = Arc::clone(&self.frames);
        // A hook of our own also replaces SQLite's automatic checkpoint.
        self.sql
            .wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages: c_int| {
                frames.store(u32::try_from(pages).unwrap_or(0), Relaxed);
                Ok(())
            }))
    }

    /// Frees the 48 KiB that SQLite reserves per connection for small allocations.
    fn drop_lookaside(&self) {
        // SAFETY: the handle is open for the whole call, and this verb takes a pointer and two ints. A refusal
        // (it is only possible while lookaside memory is in use) leaves everything as it was.
        unsafe {
            ffi::sqlite3_db_config(
                self.sql.handle(),
                ffi::SQLITE_DBCONFIG_LOOKASIDE,
                ptr::null_mut::<std::ffi::c_void>(),
                0 as c_int,
                0 as c_int,
            );
        }
    }

    /// The frames in the log after the last commit, if there was one that wrote since the last call.
    pub fn take_frames(&self) -> Option<u32> {
        match self.frames.swap(0, Relaxed) {
            0 => None,
            frames => Some(frames),
        }
    }

    /// Committed frames now in the log. Does no work on the files.
    pub fn log_frames(&self) -> rusqlite::Result<u32> {
        Ok(self.checkpoint(ffi::SQLITE_CHECKPOINT_NOOP)?.0)
    }

    /// Copies all of the log into the database file, without any sync. Returns the frames in the log and those copied.
    pub fn copy_log(&self) -> rusqlite::Result<(u32, u32)> {
        self.checkpoint(ffi::SQLITE_CHECKPOINT_PASSIVE)
    }

    fn checkpoint(&self, mode: c_int) -> rusqlite::Result<(u32, u32)> {
        let (mut log, mut copied): (c_int, c_int) = (0, 0);
        // SAFETY: the handle is open for the whole call, the null name means all attached databases (there is
        // one), and both out-pointers live longer than the call.
        let code = unsafe {
            ffi::sqlite3_wal_checkpoint_v2(
                self.sql.handle(),
                ptr::null(),
                mode,
                &raw mut log,
                &raw mut copied,
            )
        };
        if code != ffi::SQLITE_OK {
            return Err(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));
        }
        // SQLite answers -1 for a database without a log.
        Ok((
            u32::try_from(log).unwrap_or(0),
            u32::try_from(copied).unwrap_or(0),
        ))
    }
}

/// Turns a database of another journal mode (a rollback journal, written by another program) into WAL mode, with
/// SQLite's own syncs on.
pub(crate) fn convert_to_wal(path: &Path) -> Result<()> {
    let failed = |e| Error::sqlite("switch to a write-ahead log", path, e);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let sql = Connection::open_with_flags(path, flags).map_err(failed)?;
    sql.execute_batch("PRAGMA synchronous = FULL; PRAGMA journal_mode = WAL;")
        .map_err(failed)
}
