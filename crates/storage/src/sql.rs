//! User SQL on one connection: compiled statements, the cursors that run them, and what user code may not do.
//! Keeps true: a statement of user code is compiled and run under the user's rules and limits, and everything else on
//! the connection without them.
//!
//! The parts: `statement` (SQLite's interface), `rules` (what is allowed), `guard` (when the rules hold), `cache`,
//! `cursor`, `failure` (error texts).

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::Connection;

mod cache;
mod cursor;
mod failure;
mod guard;
mod rules;
mod statement;

pub use cursor::{SqlRow, SqlStep, SqlSummary};
pub use statement::{SqlColumns, SqlValue};

pub(crate) use cursor::Cursor;
pub(crate) use statement::Access;

use crate::error::{Error, ErrorKind, Result};
use cache::Cache;
use guard::{Guard, Notes};
use statement::Statement;

/// Names a cursor of one [`Database`](crate::Database).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SqlCursor(pub(crate) u64);

/// Open cursors that one object may have. A program closes them by reading them to their end or dropping them.
const MAX_CURSORS: usize = 1024;

/// What one connection has for user SQL. Made by the first use.
pub(crate) struct UserSql {
    cursors: HashMap<SqlCursor, Cursor>,
    cache: Cache,
    guard: Arc<Guard>,
}

/// A statement that was compiled, with the text behind it.
pub(crate) struct Compiled<'t> {
    pub statement: Statement,
    pub rest: &'t str,
}

impl UserSql {
    /// Puts the connection under the rules.
    pub fn new(
        sql: &mut Connection,
        longest_value: i32,
        cache_pages: u32,
    ) -> rusqlite::Result<UserSql> {
        let guard = Guard::install(sql, longest_value)?;
        // Queries over tables need more than the few pages that keys and values do; memory is taken as pages are read.
        sql.pragma_update(None, "cache_size", cache_pages)?;
        // No limit counts what a query sorts or keeps for later, so it must not be in memory.
        sql.pragma_update(None, "temp_store", "FILE")?;
        Ok(UserSql {
            cursors: HashMap::new(),
            cache: Cache::default(),
            guard,
        })
    }

    /// Compiles the first statement of `text`, or finds it compiled.
    pub fn compile<'t>(&mut self, sql: &Connection, text: &'t str) -> Result<Compiled<'t>> {
        if let Some(statement) = self.cache.take(text) {
            return Ok(Compiled {
                statement,
                rest: "",
            });
        }
        let scope = self.guard.enter(sql);
        self.guard.clear_notes();
        let compiled = Statement::compile(sql, text);
        drop(scope);
        let notes = self.guard.take_notes();
        if notes.transaction {
            return Err(Error::new(ErrorKind::Sql, TRANSACTION_REFUSED));
        }
        let (statement, used) = compiled?;
        let Some(mut statement) = statement else {
            return Err(Error::new(
                ErrorKind::Sql,
                "SQL code did not contain a statement.",
            ));
        };
        if renames_to_reserved(&notes, &text[..used]) {
            return Err(Error::new(ErrorKind::Sql, "not authorized: SQLITE_AUTH"));
        }
        statement.access = if notes.forces_write || !statement.is_readonly() {
            Access::Writes
        } else if notes.sets {
            Access::Sets
        } else {
            Access::Reads
        };
        statement.tables = notes.written.into();
        // What is behind it is a statement unless it is blank; a comment is one too, which then cannot be run.
        let rest = text[used..].trim_ascii_start();
        if rest.is_empty() {
            statement.text = Some(Arc::from(text));
        }
        Ok(Compiled { statement, rest })
    }

    /// Gives a statement its values; the count must be right.
    pub fn bind(
        &self,
        sql: &Connection,
        statement: &mut Statement,
        bindings: &[SqlValue<'_>],
    ) -> Result<()> {
        let _scope = self.guard.enter(sql);
        statement.bind(sql, bindings)
    }

    /// Makes a cursor of a statement that is ready to run.
    pub fn open(&mut self, id: SqlCursor, sql: &Connection, statement: Statement) -> Result<()> {
        if self.cursors.len() >= MAX_CURSORS {
            return Err(Error::new(
                ErrorKind::Sql,
                format!("too many SQL cursors are open: an object may have {MAX_CURSORS}"),
            ));
        }
        self.cursors.insert(id, Cursor::new(sql, statement));
        Ok(())
    }

    pub fn has(&self, id: SqlCursor) -> bool {
        self.cursors.contains_key(&id)
    }

    pub fn cursor(&self, id: SqlCursor) -> Option<&Cursor> {
        self.cursors.get(&id)
    }

    pub fn cursor_mut(&mut self, id: SqlCursor) -> Option<&mut Cursor> {
        self.cursors.get_mut(&id)
    }

    /// Takes the cursor's statement out for one step, if it needs one.
    pub fn begin_step(&mut self, sql: &Connection, id: SqlCursor) -> Option<SqlStep> {
        let statement = self.cursors.get_mut(&id)?.take_for_step()?;
        Some(SqlStep::new(statement, self.guard.enter(sql)))
    }

    /// Takes the statement back.
    pub fn end_step(&mut self, sql: &Connection, id: SqlCursor, step: SqlStep) -> Result<()> {
        let (statement, outcome) = step.finish();
        let Some(cursor) = self.cursors.get_mut(&id) else {
            return Ok(());
        };
        let (over, result) = cursor.stepped(sql, statement, outcome);
        if let Some(statement) = over {
            self.cache.give(statement);
        }
        result
    }

    /// Ends a cursor; says what it did.
    pub fn close(&mut self, id: SqlCursor) -> Option<SqlSummary> {
        let cursor = self.cursors.remove(&id)?;
        let summary = cursor.summary();
        if let Some(statement) = cursor.into_statement() {
            self.cache.give(statement);
        }
        Some(summary)
    }

    /// Ends all cursors.
    pub fn close_all(&mut self) {
        self.cursors.clear();
    }

    /// Whether a cursor is not at its end.
    pub fn has_open(&self) -> bool {
        self.cursors.values().any(Cursor::is_open)
    }
}

/// What went wrong last on the connection, as user code is told.
pub(crate) fn failure_of(sql: &Connection) -> Error {
    statement::Handle::of(sql).failure()
}

const TRANSACTION_REFUSED: &str = "To execute a transaction, please use the state.storage.transaction() or \
    state.storage.transactionSync() APIs instead of the SQL BEGIN TRANSACTION or SAVEPOINT statements. The JavaScript \
    API is safer because it will automatically roll back on exceptions, and because it interacts correctly with \
    Durable Objects' automatic atomic write coalescing.";

/// SQLite does not tell its authorizer the new name of a table.
fn renames_to_reserved(notes: &Notes, text: &str) -> bool {
    notes.alters
        && text
            .as_bytes()
            .windows(rules::RESERVED.len())
            .any(|part| part.eq_ignore_ascii_case(rules::RESERVED.as_bytes()))
}
