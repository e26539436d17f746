//! The object's own record of its alarm: nanoseconds since 1970 in `_cf_METADATA` under key 1, as in workerd. It is
//! written in the implicit transaction; the [`AlarmIndex`](crate::AlarmIndex) is told separately, in the order that loses no alarm.

use rusqlite::OptionalExtension;

use super::Database;
use crate::alarm_time::{to_millis, to_nanos};
use crate::error::Result;
use crate::template::Template;

const CREATE: &str = "CREATE TABLE IF NOT EXISTS _cf_METADATA (
        key INTEGER PRIMARY KEY,
        value BLOB
      );";
const GET: &str = "SELECT value FROM _cf_METADATA WHERE key = 1";
const SET: &str = "INSERT OR REPLACE INTO _cf_METADATA (key, value) VALUES (1, ?1)";
const BOOKMARK: &str = "SELECT value FROM _cf_METADATA WHERE key = 2";
const SET_BOOKMARK: &str = "INSERT OR REPLACE INTO _cf_METADATA (key, value) VALUES (2, ?1)";
const CLEAR: &str = "DELETE FROM _cf_METADATA WHERE key = 1";

/// What the open transaction does to the committed alarm. Times are milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlarmChange {
    /// The committed alarm.
    pub before: Option<i64>,
    /// The alarm once this transaction is committed. Never equal to `before`.
    pub after: Option<i64>,
}

impl Database {
    /// The alarm as the open transaction sees it, in milliseconds since 1970.
    pub fn alarm(&mut self) -> Result<Option<i64>> {
        match self.pending_alarm {
            Some(alarm) => Ok(alarm),
            None => self.committed_alarm(),
        }
    }

    /// Sets or clears the alarm, in milliseconds since 1970.
    ///
    /// # Errors
    /// `Invalid` if the time does not fit in 64 bits of nanoseconds.
    pub fn set_alarm(&mut self, unix_ms: Option<i64>) -> Result<()> {
        let nanos = match unix_ms {
            Some(ms) => Some(to_nanos(ms)?),
            None => None,
        };
        if self.alarm()? == unix_ms {
            return Ok(());
        }
        self.begin_metadata()?;
        let failed = |e| self.failed("set the alarm", e);
        match nanos {
            Some(nanos) => self
                .connection()?
                .prepare_cached(SET)
                .map_err(failed)?
                .execute([nanos]),
            None => self
                .connection()?
                .prepare_cached(CLEAR)
                .map_err(failed)?
                .execute(()),
        }
        .map_err(failed)?;
        self.pending_alarm = Some(unix_ms);
        Ok(())
    }

    fn begin_metadata(&mut self) -> Result<()> {
        self.begin_write(Template::Empty)?;
        if !self.has_metadata()? {
            self.connection()?
                .execute_batch(CREATE)
                .map_err(|e| self.failed("make the table for the alarm", e))?;
            self.tables.metadata = Some(true);
        }
        Ok(())
    }

    /// A number that is greater each time, kept where workerd keeps its bookmark for local development.
    pub fn next_bookmark(&mut self) -> Result<u64> {
        self.begin_metadata()?;
        let failed = |e| self.failed("take a bookmark", e);
        let sql = self.connection()?;
        let last: Option<Option<i64>> = sql
            .prepare_cached(BOOKMARK)
            .and_then(|mut last| last.query_row((), |row| row.get(0)).optional())
            .map_err(failed)?;
        let next = last.flatten().unwrap_or(0) + 1;
        sql.prepare_cached(SET_BOOKMARK)
            .and_then(|mut set| set.execute([next]))
            .map_err(failed)?;
        Ok(u64::try_from(next).unwrap_or(0))
    }

    /// What the open transaction changes about the committed alarm, if anything.
    pub fn alarm_change(&self) -> Option<AlarmChange> {
        let after = self.pending_alarm?;
        // Whoever set it has read the committed one first.
        let before = self.committed_alarm?;
        (before != after).then_some(AlarmChange { before, after })
    }

    fn committed_alarm(&mut self) -> Result<Option<i64>> {
        if let Some(known) = self.committed_alarm {
            return Ok(known);
        }
        let alarm = self.read_alarm()?;
        self.committed_alarm = Some(alarm);
        Ok(alarm)
    }

    fn read_alarm(&mut self) -> Result<Option<i64>> {
        if self.reading()?.is_none() || !self.has_metadata()? {
            return Ok(None);
        }
        let failed = |e| self.failed("read the alarm", e);
        let mut statement = self.connection()?.prepare_cached(GET).map_err(failed)?;
        let nanos: Option<Option<i64>> = statement
            .query_row((), |row| row.get(0))
            .optional()
            .map_err(failed)?;
        Ok(nanos.flatten().map(to_millis))
    }
}
