//! The implicit transaction and the nested ones inside it. BEGIN and each SAVEPOINT are issued by the first write that
//! needs them, so reading costs no transaction and an object that only reads gets no file.

use rusqlite::config::DbConfig;

use super::{Database, Place, Tables};
use crate::error::{Error, ErrorKind, Result};
use crate::sql::failure_of;
use crate::template::Template;

/// One nested transaction.
pub(super) struct Level {
    /// Its SAVEPOINT has been issued.
    issued: bool,
    /// The transaction's alarm when it began.
    alarm: Option<Option<i64>>,
}

impl Database {
    /// Whether the implicit transaction has written anything yet.
    pub fn in_transaction(&self) -> bool {
        self.in_transaction
    }

    /// Open nested transactions.
    pub fn nesting(&self) -> usize {
        self.levels.len()
    }

    /// Starts a nested transaction, of whatever is written until it ends.
    pub fn begin_nested(&mut self) -> Result<()> {
        self.file_mut()?;
        self.levels.push(Level {
            issued: false,
            alarm: self.pending_alarm,
        });
        Ok(())
    }

    /// Ends the innermost nested transaction and keeps its writes as part of the one around it.
    pub fn commit_nested(&mut self) -> Result<()> {
        let level = self
            .levels
            .pop()
            .ok_or_else(|| self.misuse("asked to end a transaction that is not open"))?;
        if level.issued {
            self.control("RELEASE nested")
        } else {
            Ok(())
        }
    }

    /// Ends the innermost nested transaction and undoes its writes, the alarm's change included.
    pub fn rollback_nested(&mut self) -> Result<()> {
        let level = self
            .levels
            .pop()
            .ok_or_else(|| self.misuse("asked to end a transaction that is not open"))?;
        self.pending_alarm = level.alarm;
        if !level.issued {
            return Ok(());
        }
        self.tables = Tables::default();
        self.control("ROLLBACK TO nested")?;
        self.control("RELEASE nested")
    }

    /// Commits the implicit transaction, without making it durable. Returns the number of the newest commit, which stays
    /// the same if nothing was written.
    ///
    /// # Errors
    /// After any error nothing of the transaction is left. `Constraint` if a deferred constraint is violated; `Io` if
    /// the disk failed now or during an earlier write; `Internal` if a nested transaction is open (then nothing happens).
    pub fn commit(&mut self) -> Result<u64> {
        if !self.levels.is_empty() {
            return Err(self.misuse("asked to commit inside a nested transaction"));
        }
        if !self.in_transaction {
            return Ok(self.committed);
        }
        if let Err(error) = self.check_alive().and_then(|()| self.control("COMMIT")) {
            let error = self.told_of_constraints(error);
            self.rollback()?;
            return Err(error);
        }
        self.in_transaction = false;
        if let Some(alarm) = self.pending_alarm.take() {
            self.committed_alarm = Some(alarm);
        }
        match self.file_mut()?.note_commit() {
            Ok(wrote) => self.committed += u64::from(wrote),
            Err(error) => {
                // Whether the commit will be found again is unknown, so the object goes back to what is durable.
                self.committed += 1;
                self.mark_broken(error.message().to_owned());
                return Err(error);
            }
        }
        Ok(self.committed)
    }

    fn told_of_constraints(&self, error: Error) -> Error {
        match (error.kind(), self.connection()) {
            (ErrorKind::Constraint, Ok(sql)) => Error::new(
                ErrorKind::Constraint,
                format!(
                    "Durable Object was reset and rolled back to its last known good state because the application \
                     left the database in a state where constraints were violated: {}",
                    failure_of(sql)
                ),
            ),
            _ => error,
        }
    }

    /// Drops the implicit transaction and every nested one, and ends all cursors of user SQL.
    pub fn rollback(&mut self) -> Result<()> {
        self.close_cursors();
        self.levels.clear();
        self.pending_alarm = None;
        if !self.in_transaction {
            return Ok(());
        }
        self.in_transaction = false;
        self.tables = Tables::default();
        match self.connection() {
            // SQLite may have rolled back by itself, after an error of the disk.
            Ok(sql) if !sql.is_autocommit() => self.control("ROLLBACK"),
            _ => Ok(()),
        }
    }

    /// Removes every key, the alarm, and every table of the user, as part of the implicit transaction. What that
    /// transaction wrote before is dropped first, and cursors of user SQL are ended.
    ///
    /// # Errors
    /// `Invalid` inside a nested transaction. After another error, roll back.
    pub fn delete_all(&mut self) -> Result<()> {
        if !self.levels.is_empty() {
            return Err(Error::new(
                ErrorKind::Invalid,
                "Cannot call deleteAll() within a transaction",
            ));
        }
        self.rollback()?;
        if self.reading()?.is_none() {
            return Ok(());
        }
        self.alarm()?;
        self.begin_write(Template::Empty)?;
        let dropped = drop_all(self.connection()?).map_err(|e| self.failed("delete everything", e));
        self.tables = Tables::default();
        dropped?;
        self.pending_alarm = Some(None);
        Ok(())
    }

    /// Issues BEGIN and the SAVEPOINTs that are due. Every write starts here.
    pub(super) fn begin_write(&mut self, template: Template) -> Result<()> {
        if self.in_transaction {
            self.check_alive()?;
        } else {
            self.opened(template)?;
            self.control("BEGIN")?;
            self.in_transaction = true;
        }
        while let Some(next) = self.levels.iter().position(|level| !level.issued) {
            self.control("SAVEPOINT nested")?;
            self.levels[next].issued = true;
        }
        Ok(())
    }

    /// An error of the disk makes SQLite roll back by itself; writes after it must not count as a new transaction.
    fn check_alive(&self) -> Result<()> {
        if self.connection()?.is_autocommit() {
            return Err(Error::new(
                ErrorKind::Io,
                format!(
                    "object {}: Cannot commit transaction due to an earlier SQL critical error",
                    self.id
                ),
            ));
        }
        Ok(())
    }

    fn control(&self, sql: &'static str) -> Result<()> {
        let failed = |e| self.failed(&format!("run {sql}"), e);
        self.connection()?
            .prepare_cached(sql)
            .map_err(failed)?
            .execute(())
            .map_err(failed)?;
        Ok(())
    }

    pub(super) fn mark_broken(&mut self, why: String) {
        self.place = match std::mem::replace(&mut self.place, Place::AtCheckpoint) {
            Place::Here(file) => Place::Broken(file, why),
            other => other,
        };
    }
}

/// Drops everything but SQLite's own tables. Foreign keys are off meanwhile: the order of the drops is not theirs.
fn drop_all(sql: &rusqlite::Connection) -> rusqlite::Result<()> {
    let foreign_keys = sql.db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY)?;
    sql.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, false)?;
    // A virtual table takes its shadow tables with it, so they go before the ordinary ones are counted.
    let dropped = drop_each(sql, "VIEW", "type = 'view'")
        .and_then(|()| drop_each(sql, "TABLE", "type = 'table' AND rootpage = 0"))
        .and_then(|()| {
            drop_each(
                sql,
                "TABLE",
                "type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
            )
        });
    sql.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, foreign_keys)?;
    dropped
}

fn drop_each(sql: &rusqlite::Connection, kind: &str, which: &str) -> rusqlite::Result<()> {
    let mut statement = sql.prepare(&format!("SELECT name FROM sqlite_schema WHERE {which}"))?;
    let names: Vec<String> = statement
        .query_map((), |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    drop(statement);
    for name in names {
        sql.execute_batch(&format!("DROP {kind} \"{}\"", name.replace('"', "\"\"")))?;
    }
    Ok(())
}
