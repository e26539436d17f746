//! One namespace's `metadata.sqlite`. The table is workerd's to the letter; the index on the time is ours, and
//! workerd keeps it up to date without knowing it.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension};

use super::DueAlarm;
use crate::alarm_time::{to_millis, to_nanos};
use crate::db_file::DbFile;
use crate::error::{Error, Result};
use crate::folder::Folder;
use crate::handles::Handles;
use crate::id::ObjectId;
use crate::template::Template;

const FILE_NAME: &str = "metadata.sqlite";
/// There is one such file per namespace, so it may keep more in memory than an object: 1 MiB.
const CACHE_PAGES: u32 = 256;
const CREATE: &str = "CREATE TABLE IF NOT EXISTS _cf_ALARM (
      actor_id TEXT PRIMARY KEY,
      scheduled_time INTEGER,
      actor_name TEXT
    ) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS _cf_ALARM_time ON _cf_ALARM (scheduled_time);";
const SET: &str =
    "INSERT OR REPLACE INTO _cf_ALARM (actor_id, scheduled_time, actor_name) VALUES (?1, ?2, ?3)";
const CLEAR: &str = "DELETE FROM _cf_ALARM WHERE actor_id = ?1";
const DUE: &str = "SELECT actor_id, scheduled_time, actor_name FROM _cf_ALARM WHERE scheduled_time <= ?1 ORDER BY scheduled_time LIMIT ?2";
const NEXT: &str = "SELECT min(scheduled_time) FROM _cf_ALARM";

pub(super) struct Table {
    file: DbFile,
    in_transaction: bool,
    /// The table and its index are there.
    ready: bool,
}

impl Table {
    pub fn new(folder: Arc<Folder>) -> Table {
        Table {
            file: DbFile::new(Handles::new(folder, FILE_NAME), CACHE_PAGES),
            in_transaction: false,
            ready: false,
        }
    }

    /// Sets or clears one time, in a transaction that [`finish`](Self::finish) ends.
    pub fn set(&mut self, id: ObjectId, name: Option<&str>, unix_ms: Option<i64>) -> Result<()> {
        let Some(unix_ms) = unix_ms else {
            if !self.open()? {
                return Ok(());
            }
            return self.write(|sql| sql.prepare_cached(CLEAR)?.execute([id.to_string()]));
        };
        let nanos = to_nanos(unix_ms)?;
        if !self.file.open()? {
            self.file.create(Template::Empty)?;
        }
        self.open()?;
        self.write(|sql| {
            sql.prepare_cached(SET)?
                .execute((id.to_string(), nanos, name))
        })
    }

    pub fn due(&mut self, until_ms: i64, limit: usize) -> Result<Vec<DueAlarm>> {
        if !self.open()? {
            return Ok(Vec::new());
        }
        let until = to_nanos(until_ms).unwrap_or(if until_ms < 0 { i64::MIN } else { i64::MAX });
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self.read(|sql| {
            sql.prepare_cached(DUE)?
                .query_map((until, limit), |row| {
                    Ok((row.get::<_, String>(0)?, row.get(1)?, row.get(2)?))
                })?
                .collect::<rusqlite::Result<Vec<(String, i64, Option<String>)>>>()
        })?;
        rows.into_iter()
            .map(|(id, nanos, name)| {
                Ok(DueAlarm {
                    id: id.parse()?,
                    name,
                    unix_ms: to_millis(nanos),
                })
            })
            .collect()
    }

    pub fn next(&mut self) -> Result<Option<i64>> {
        if !self.open()? {
            return Ok(None);
        }
        let next = self.read(|sql| {
            sql.prepare_cached(NEXT)?
                .query_row((), |row| row.get::<_, Option<i64>>(0))
                .optional()
        })?;
        Ok(next.flatten().map(to_millis))
    }

    /// Commits and makes durable. After an error nothing of the transaction is left.
    pub fn finish(&mut self, checkpoint_pages: u32) -> Result<()> {
        let outcome = self.try_finish(checkpoint_pages);
        if outcome.is_err() {
            self.give_up();
        }
        outcome
    }

    /// Goes back to what is durable.
    pub fn give_up(&mut self) {
        self.in_transaction = false;
        self.ready = false;
        if let Err(error) = self.file.reset() {
            tracing::error!("the alarm index could not go back to what is durable: {error}");
        }
    }

    fn try_finish(&mut self, checkpoint_pages: u32) -> Result<()> {
        if !self.in_transaction {
            return Ok(());
        }
        self.read(|sql| sql.prepare_cached("COMMIT")?.execute(()))?;
        self.in_transaction = false;
        self.file.note_commit()?;
        let (work, mark) = self.file.sync_work()?;
        work.run()?;
        drop(work);
        self.file.note_synced(mark);
        if self.file.log_frames() >= checkpoint_pages
            && let Err(error) = self.file.checkpoint()
        {
            // What was asked for is durable all the same.
            tracing::warn!("the alarm index could not be checkpointed: {error}");
            self.give_up();
        }
        Ok(())
    }

    /// Opens the file if there is one, with our table and index in it.
    fn open(&mut self) -> Result<bool> {
        if !self.file.open()? {
            return Ok(false);
        }
        if !self.ready {
            self.write(|sql| sql.execute_batch(CREATE))?;
            self.ready = true;
        }
        Ok(true)
    }

    fn write<T>(
        &mut self,
        statement: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<()> {
        if !self.in_transaction {
            self.read(|sql| sql.prepare_cached("BEGIN")?.execute(()))?;
            self.in_transaction = true;
        }
        self.read(statement).map(|_| ())
    }

    fn read<T>(&self, statement: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        let open = self
            .file
            .connection()
            .ok_or_else(|| Error::internal("the alarm index was used while it is closed"))?;
        statement(&open.sql).map_err(|e| Error::sqlite("read or write alarms", self.file.path(), e))
    }
}
