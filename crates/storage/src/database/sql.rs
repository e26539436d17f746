//! User SQL, inside the same implicit transaction as keys and values. A statement that writes issues BEGIN first; one
//! that only reads runs on an empty database in memory while the object has no file.

use std::sync::Arc;

use rusqlite::Connection;

use super::{Database, Place};
use crate::connection::OpenConnection;
use crate::error::{Error, ErrorKind, Result};
use crate::sql::{
    Access, Compiled, Cursor, SqlColumns, SqlCursor, SqlRow, SqlStep, SqlSummary, SqlValue, UserSql,
};
use crate::template::Template;

/// A statement that is ready to run, and what of the text is still to be run after it.
#[derive(Clone, Copy, Debug)]
pub struct Prepared<'t> {
    /// Runs the statement.
    pub cursor: SqlCursor,
    /// Empty if that was the last one.
    pub rest: &'t str,
}

impl Database {
    /// Compiles the first statement of `text` and, if it is the last one, binds `bindings`. Nothing has run yet.
    ///
    /// # Errors
    /// `Sql`, with Cloudflare's texts: the statement is wrong or not allowed, or needs another number of values.
    pub fn sql_prepare<'t>(
        &mut self,
        text: &'t str,
        bindings: &[SqlValue<'_>],
    ) -> Result<Prepared<'t>> {
        let has_file = self.reading()?.is_some();
        let compiled = self.compile(text, bindings)?;
        let access = compiled.statement.access;
        let compiled = if has_file || access == Access::Reads {
            compiled
        } else {
            // Compiled for the empty database: the file is made now. If nothing is written to it, it goes again when
            // it is closed.
            drop(compiled);
            self.opened(Template::Empty)?;
            self.compile(text, bindings)?
        };
        if access == Access::Writes {
            self.begin_write(Template::Empty)?;
        }
        let Compiled {
            mut statement,
            rest,
        } = compiled;
        let id = SqlCursor(self.next_cursor);
        self.next_cursor += 1;
        let (sql, user) = self.user_sql()?;
        if rest.is_empty() {
            user.bind(sql, &mut statement, bindings)?;
        }
        user.open(id, sql, statement)?;
        Ok(Prepared { cursor: id, rest })
    }

    fn compile<'t>(&mut self, text: &'t str, bindings: &[SqlValue<'_>]) -> Result<Compiled<'t>> {
        let (sql, user) = self.user_sql()?;
        let compiled = user.compile(sql, text)?;
        let parameters = compiled.statement.parameters();
        if !compiled.rest.is_empty() && parameters > 0 {
            return Err(Error::new(
                ErrorKind::Sql,
                "When executing multiple SQL statements in a single call, only the last statement can have parameters.",
            ));
        }
        if compiled.rest.is_empty() && parameters != bindings.len() {
            return Err(Error::new(
                ErrorKind::Sql,
                "Wrong number of parameter bindings for SQL query.",
            ));
        }
        Ok(compiled)
    }

    /// What must be run before the cursor has a row or is at its end; `None` if it is there. A statement that writes
    /// needs many.
    ///
    /// # Errors
    /// `Sql` if the cursor was closed.
    pub fn sql_begin_step(&mut self, cursor: SqlCursor) -> Result<Option<SqlStep>> {
        let (sql, user) = self.user_sql_of(cursor)?;
        let step = user.begin_step(sql, cursor);
        self.stepping = step.is_some();
        Ok(step)
    }

    /// Takes a step back after it was run.
    ///
    /// # Errors
    /// `Sql`: what SQLite says. The cursor is at its end then.
    pub fn sql_end_step(&mut self, cursor: SqlCursor, step: SqlStep) -> Result<()> {
        self.stepping = false;
        let (sql, user) = self.user_sql_of(cursor)?;
        user.end_step(sql, cursor, step)
    }

    /// Whether the cursor has a row to read; runs it as far as that needs.
    pub fn sql_fetch(&mut self, cursor: SqlCursor) -> Result<bool> {
        while let Some(mut step) = self.sql_begin_step(cursor)? {
            step.run(&mut || false);
            self.sql_end_step(cursor, step)?;
        }
        self.sql_has_row(cursor)
    }

    /// Runs all of `text`: each statement but the last to its end, the last to its first row.
    pub fn sql_exec(&mut self, text: &str, bindings: &[SqlValue<'_>]) -> Result<SqlCursor> {
        let mut text = text;
        loop {
            let Prepared { cursor, rest } = self.sql_prepare(text, bindings)?;
            let ran = self.sql_fetch(cursor).and_then(|mut row| {
                while row && !rest.is_empty() {
                    self.sql_read(cursor, |_| ())?;
                    row = self.sql_fetch(cursor)?;
                }
                Ok(())
            });
            if let Err(error) = ran {
                self.sql_close(cursor);
                return Err(error);
            }
            if rest.is_empty() {
                return Ok(cursor);
            }
            self.sql_close(cursor);
            text = rest;
        }
    }

    /// Whether a row was fetched that was not read.
    pub fn sql_has_row(&mut self, cursor: SqlCursor) -> Result<bool> {
        let (_, user) = self.user_sql_of(cursor)?;
        Ok(user.cursor(cursor).is_some_and(|cursor| cursor.has_row()))
    }

    /// Gives `f` the row that was fetched, and moves behind it; `None` if there is none.
    pub fn sql_read<R>(
        &mut self,
        cursor: SqlCursor,
        f: impl FnOnce(SqlRow<'_>) -> R,
    ) -> Result<Option<R>> {
        let (_, user) = self.user_sql_of(cursor)?;
        Ok(user.cursor_mut(cursor).and_then(|cursor| cursor.read(f)))
    }

    /// The columns of the cursor's rows.
    pub fn sql_columns(&mut self, cursor: SqlCursor) -> Result<Arc<SqlColumns>> {
        let (_, user) = self.user_sql_of(cursor)?;
        user.cursor(cursor)
            .and_then(|cursor| cursor.columns.clone())
            .ok_or_else(closed)
    }

    /// What the cursor has done so far.
    pub fn sql_summary(&mut self, cursor: SqlCursor) -> Result<SqlSummary> {
        let (_, user) = self.user_sql_of(cursor)?;
        user.cursor(cursor).map(Cursor::summary).ok_or_else(closed)
    }

    /// About how many rows of tables and indexes were written, as Cloudflare counts them.
    pub fn sql_rows_written(&mut self, summary: &SqlSummary) -> Result<u64> {
        if summary.changes == 0 {
            return Ok(0);
        }
        let (sql, _) = self.user_sql()?;
        let indexes = summary
            .tables
            .iter()
            .map(|table| indexes_of(sql, table).unwrap_or(0));
        Ok(summary.changes * (1 + indexes.max().unwrap_or(0)))
    }

    /// Ends a cursor and says what it did; `None` if it was closed before.
    pub fn sql_close(&mut self, cursor: SqlCursor) -> Option<SqlSummary> {
        let (_, user) = self.user_sql_of(cursor).ok()?;
        user.close(cursor)
    }

    /// Bytes of the database that are in use: its pages without the free ones.
    pub fn sql_size(&mut self) -> Result<u64> {
        let Some(sql) = self.reading()? else {
            return Ok(0);
        };
        // Not by a pragma's name: the statements are kept.
        let bytes = sql
            .prepare_cached(
                "SELECT (page_count - freelist_count) * page_size \
                 FROM pragma_page_count, pragma_freelist_count, pragma_page_size",
            )
            .and_then(|mut bytes| bytes.query_row((), |row| row.get::<_, i64>(0)));
        bytes
            .map(|bytes| u64::try_from(bytes).unwrap_or(0))
            .map_err(|e| self.failed("read the size", e))
    }

    /// The connection that user SQL runs on now.
    fn user_sql(&mut self) -> Result<(&Connection, &mut UserSql)> {
        let options = self.options();
        let (longest, pages) = (options.max_sql_value_bytes, options.sql_cache_pages);
        let path = self.path();
        let failed = |e| Error::sqlite("prepare for SQL", &path, e);
        let open = match &mut self.place {
            Place::Here(file) if file.is_open() => file.connection_mut(),
            _ => None,
        };
        let open = match open {
            Some(open) => open,
            None => match &mut self.scratch {
                Some(scratch) => scratch,
                empty => empty.insert(OpenConnection::in_memory().map_err(failed)?),
            },
        };
        open.user_sql(longest, pages).map_err(failed)
    }

    /// The connection that has the cursor.
    fn user_sql_of(&mut self, cursor: SqlCursor) -> Result<(&Connection, &mut UserSql)> {
        let file = match &mut self.place {
            Place::Here(file) => file.connection_mut(),
            _ => None,
        };
        for open in [file, self.scratch.as_mut()].into_iter().flatten() {
            if let Some(user) = open.user.as_mut().filter(|user| user.has(cursor)) {
                return Ok((&open.sql, user));
            }
        }
        Err(closed())
    }

    /// Whether a cursor of user SQL may still have rows.
    pub(super) fn has_open_cursors(&self) -> bool {
        let file = match &self.place {
            Place::Here(file) => file.connection(),
            _ => None,
        };
        let mut users = [file, self.scratch.as_ref()]
            .into_iter()
            .flatten()
            .filter_map(|open| open.user.as_ref());
        self.stepping || users.any(|user| user.has_open())
    }

    /// Ends all cursors.
    pub(super) fn close_cursors(&mut self) {
        let file = match &mut self.place {
            Place::Here(file) => file.connection_mut(),
            _ => None,
        };
        if let Some(user) = file.and_then(|open| open.user.as_mut()) {
            user.close_all();
        }
        self.scratch = None;
    }
}

fn indexes_of(sql: &Connection, table: &str) -> rusqlite::Result<u64> {
    let count = sql.prepare_cached(
        "SELECT count(*) FROM sqlite_schema WHERE type = 'index' AND tbl_name = ?1 COLLATE NOCASE",
    )?
    .query_row([table], |row| row.get::<_, i64>(0))?;
    Ok(u64::try_from(count).unwrap_or(0))
}

fn closed() -> Error {
    Error::new(
        ErrorKind::Sql,
        "this SQL cursor was closed, because its object was reset or its database was tidied up; run the query again",
    )
}
