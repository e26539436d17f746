//! Keys and values: the table `_cf_KV` of workerd. Keys are UTF-8 and ordered by their bytes; values are bytes.

use std::ops::ControlFlow;

use rusqlite::OptionalExtension;
use rusqlite::types::ValueRef;

use super::Database;
use super::range::Range;
use crate::error::{Error, ErrorKind, Result};
use crate::template::{CREATE_KV, Template};

const GET: &str = "SELECT value FROM _cf_KV WHERE key = ?1";
const PUT: &str = "INSERT INTO _cf_KV (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
const DELETE: &str = "DELETE FROM _cf_KV WHERE key = ?1";

/// Which entries a [`list`](Database::list) gives, and in which order. All conditions hold together.
#[derive(Clone, Copy, Debug, Default)]
pub struct ListOptions<'a> {
    /// The first key, itself included.
    pub start: Option<&'a str>,
    /// Keys after this one, itself excluded.
    pub start_after: Option<&'a str>,
    /// The key to stop before.
    pub end: Option<&'a str>,
    /// Keys that begin with exactly these characters.
    pub prefix: Option<&'a str>,
    /// From the last to the first. `start` and `end` keep their meaning.
    pub reverse: bool,
    /// At most so many entries.
    pub limit: Option<usize>,
}

impl Database {
    /// Gives `f` the value of `key`, or `None`.
    pub fn get<R>(&mut self, key: &str, f: impl FnOnce(Option<&[u8]>) -> R) -> Result<R> {
        self.check_key(key)?;
        if self.reading()?.is_none() || !self.has_kv()? {
            return Ok(f(None));
        }
        let failed = |e| self.failed("get a value", e);
        let mut statement = self.connection()?.prepare_cached(GET).map_err(failed)?;
        let mut rows = statement.query([key]).map_err(failed)?;
        match rows.next().map_err(failed)? {
            Some(row) => Ok(f(Some(bytes(row.get_ref(0).map_err(failed)?, key)?))),
            None => Ok(f(None)),
        }
    }

    /// Stores `value` under `key`.
    ///
    /// # Errors
    /// `Limit` if the key or both together are too long; `Io` if the disk is full or failing.
    pub fn put(&mut self, key: &str, value: &[u8]) -> Result<()> {
        self.check_key(key)?;
        let (size, limit) = (key.len() + value.len(), self.options().max_value_bytes);
        if size > limit {
            return Err(Error::new(
                ErrorKind::Limit,
                format!(
                    "Keys and values cannot be larger than {limit} bytes together. The one for key {key:?} is {size} bytes."
                ),
            ));
        }
        self.begin_write(Template::WithKv)?;
        if !self.has_kv()? {
            self.connection()?
                .execute_batch(CREATE_KV)
                .map_err(|e| self.failed("make the table for values", e))?;
            self.tables.kv = Some(true);
        }
        let failed = |e| self.failed("put a value", e);
        self.connection()?
            .prepare_cached(PUT)
            .map_err(failed)?
            .execute((key, value))
            .map_err(failed)?;
        Ok(())
    }

    /// Removes `key`; says whether it was there.
    pub fn delete(&mut self, key: &str) -> Result<bool> {
        self.check_key(key)?;
        if self.reading()?.is_none() || !self.has_kv()? {
            return Ok(false);
        }
        self.begin_write(Template::WithKv)?;
        let failed = |e| self.failed("delete a value", e);
        Ok(self
            .connection()?
            .prepare_cached(DELETE)
            .map_err(failed)?
            .execute([key])
            .map_err(failed)?
            > 0)
    }

    /// Gives `f` each entry that `options` asks for, until it breaks.
    pub fn list(
        &mut self,
        options: &ListOptions<'_>,
        f: &mut dyn FnMut(&str, &[u8]) -> ControlFlow<()>,
    ) -> Result<()> {
        if self.reading()?.is_none() || !self.has_kv()? {
            return Ok(());
        }
        let range = Range::of(options);
        let failed = |e| self.failed("list values", e);
        let mut statement = self
            .connection()?
            .prepare_cached(range.sql())
            .map_err(failed)?;
        let mut rows = statement.query(range.bindings()).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            let key = match row.get_ref(0).map_err(failed)? {
                ValueRef::Text(key) => std::str::from_utf8(key).ok(),
                _ => None,
            }
            .ok_or_else(|| {
                Error::new(
                    ErrorKind::Data,
                    format!("object {} holds a key that is not UTF-8 text", self.id),
                )
            })?;
            if f(key, bytes(row.get_ref(1).map_err(failed)?, key)?).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// How many keys there are; 0 for an object that never wrote.
    pub fn count(&mut self) -> Result<u64> {
        if self.reading()?.is_none() || !self.has_kv()? {
            return Ok(0);
        }
        let count: Option<i64> = self
            .connection()?
            .query_row("SELECT count(*) FROM _cf_KV", (), |row| row.get(0))
            .optional()
            .map_err(|e| self.failed("count values", e))?;
        Ok(count
            .and_then(|count| u64::try_from(count).ok())
            .unwrap_or(0))
    }

    fn check_key(&self, key: &str) -> Result<()> {
        let limit = self.options().max_key_bytes;
        if key.len() > limit {
            return Err(Error::new(
                ErrorKind::Limit,
                format!(
                    "Keys cannot be larger than {limit} bytes. A key of size {} was provided.",
                    key.len()
                ),
            ));
        }
        Ok(())
    }
}

fn bytes<'a>(value: ValueRef<'a>, key: &str) -> Result<&'a [u8]> {
    match value {
        ValueRef::Blob(bytes) | ValueRef::Text(bytes) => Ok(bytes),
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => Err(Error::new(
            ErrorKind::Data,
            format!("the value of key {key:?} is not bytes: another program wrote it"),
        )),
    }
}
