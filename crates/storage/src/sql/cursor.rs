//! One run of a statement, a row at a time. A statement that writes runs to its end before its first row is given out:
//! while it is under way SQLite could not commit.

use std::collections::VecDeque;
use std::sync::Arc;

use rusqlite::Connection;

use super::guard::Scope;
use super::statement::{Access, SqlColumns, SqlValue, Statement, Stepped};
use crate::error::{Error, ErrorKind, Result};

/// Memory for the rows that one writing statement returns, in bytes.
const MAX_RETURNED_BYTES: usize = 64 << 20;
/// What a value costs beside its bytes.
const VALUE_BYTES: usize = size_of::<Owned>();

pub(crate) struct Cursor {
    state: State,
    /// The columns of its rows, once it has been stepped.
    pub columns: Option<Arc<SqlColumns>>,
    rows: u64,
    scanned: u64,
    /// The connection's count of changed rows before this run; of this run, once it is over.
    changes: u64,
    /// Where it writes.
    tables: Arc<[String]>,
}

enum State {
    /// The next row must be fetched.
    Waiting(Statement),
    /// A step runs, and has the statement.
    Stepping,
    /// A row has been fetched and not been read.
    Fetched(Statement),
    /// It writes, and has returned these rows so far.
    Writing(Statement, Returned),
    /// It wrote, and these rows are left.
    Wrote(Returned),
    /// The end, or an error.
    Over,
}

#[derive(Default)]
struct Returned {
    rows: VecDeque<Vec<Owned>>,
    bytes: usize,
}

enum Owned {
    Null,
    Integer(i64),
    Real(f64),
    Text(Box<[u8]>),
    Blob(Box<[u8]>),
}

/// What a cursor has done.
#[derive(Clone, Debug, Default)]
pub struct SqlSummary {
    /// Rows that it went over: those it returned, or those that SQLite scanned if they are more.
    pub rows_read: u64,
    /// Rows of tables that it inserted, updated or deleted.
    pub changes: u64,
    /// The tables that it may have written to.
    pub(crate) tables: Arc<[String]>,
}

/// A row, for as long as the database is borrowed.
pub struct SqlRow<'a>(Source<'a>);

enum Source<'a> {
    Statement(&'a Statement, usize),
    Returned(&'a [Owned]),
}

impl SqlRow<'_> {
    /// How many columns it has.
    pub fn len(&self) -> usize {
        match self.0 {
            Source::Statement(_, columns) => columns,
            Source::Returned(row) => row.len(),
        }
    }

    /// Whether it has no column, which no row of SQLite is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value in a column; NULL behind the last one.
    pub fn value(&self, column: usize) -> SqlValue<'_> {
        match self.0 {
            Source::Statement(statement, _) => statement.value(column),
            Source::Returned(row) => row.get(column).map_or(SqlValue::Null, Owned::borrow),
        }
    }
}

impl Owned {
    fn of(value: SqlValue<'_>) -> Owned {
        match value {
            SqlValue::Null => Owned::Null,
            SqlValue::Integer(number) => Owned::Integer(number),
            SqlValue::Real(number) => Owned::Real(number),
            SqlValue::Text(text) => Owned::Text(text.into()),
            SqlValue::Blob(blob) => Owned::Blob(blob.into()),
        }
    }

    fn borrow(&self) -> SqlValue<'_> {
        match self {
            Owned::Null => SqlValue::Null,
            Owned::Integer(number) => SqlValue::Integer(*number),
            Owned::Real(number) => SqlValue::Real(*number),
            Owned::Text(text) => SqlValue::Text(text),
            Owned::Blob(blob) => SqlValue::Blob(blob),
        }
    }

    fn bytes(&self) -> usize {
        VALUE_BYTES
            + match self {
                Owned::Text(bytes) | Owned::Blob(bytes) => bytes.len(),
                _ => 0,
            }
    }
}

impl Cursor {
    pub fn new(sql: &Connection, statement: Statement) -> Cursor {
        Cursor {
            columns: None,
            rows: 0,
            scanned: 0,
            changes: if statement.access == Access::Writes {
                sql.total_changes()
            } else {
                0
            },
            tables: Arc::clone(&statement.tables),
            state: if statement.access == Access::Writes {
                State::Writing(statement, Returned::default())
            } else {
                State::Waiting(statement)
            },
        }
    }

    /// Whether it may have rows that were not read.
    pub fn is_open(&self) -> bool {
        match &self.state {
            State::Waiting(_) | State::Stepping | State::Fetched(_) | State::Writing(..) => true,
            State::Wrote(returned) => !returned.rows.is_empty(),
            State::Over => false,
        }
    }

    /// Whether a row can be read without a step.
    pub fn has_row(&self) -> bool {
        match &self.state {
            State::Fetched(_) => true,
            State::Wrote(returned) => !returned.rows.is_empty(),
            _ => false,
        }
    }

    /// What it has done so far.
    pub fn summary(&self) -> SqlSummary {
        SqlSummary {
            rows_read: self.rows.max(self.scanned),
            changes: match self.state {
                State::Wrote(_) | State::Over => self.changes,
                _ => 0,
            },
            tables: Arc::clone(&self.tables),
        }
    }

    /// Gives `f` the row that was fetched, and moves behind it.
    pub fn read<R>(&mut self, f: impl FnOnce(SqlRow<'_>) -> R) -> Option<R> {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Fetched(statement) => {
                let result = f(SqlRow(Source::Statement(&statement, self.width())));
                self.state = State::Waiting(statement);
                Some(result)
            }
            State::Wrote(mut returned) => {
                let row = returned.rows.pop_front();
                self.state = State::Wrote(returned);
                row.map(|row| f(SqlRow(Source::Returned(&row))))
            }
            other => {
                self.state = other;
                None
            }
        }
    }

    /// The statement, if it must be stepped before there is a row or the end.
    pub fn take_for_step(&mut self) -> Option<Stepping> {
        match std::mem::replace(&mut self.state, State::Stepping) {
            State::Waiting(statement) => Some(Stepping(statement, None)),
            State::Writing(statement, returned) => Some(Stepping(statement, Some(returned))),
            other => {
                self.state = other;
                None
            }
        }
    }

    /// Takes the statement back after a step; gives it on when it is over.
    pub fn stepped(
        &mut self,
        sql: &Connection,
        stepping: Stepping,
        outcome: Result<Stepped>,
    ) -> (Option<Statement>, Result<()>) {
        let Stepping(mut statement, returned) = stepping;
        let outcome = match (outcome, returned) {
            (Ok(Stepped::Row), None) => {
                self.rows += 1;
                if self.rows == 1 {
                    self.columns = Some(statement.columns());
                }
                self.state = State::Fetched(statement);
                return (None, Ok(()));
            }
            (Ok(Stepped::Row), Some(mut returned)) => {
                if self.rows == 0 {
                    self.columns = Some(statement.columns());
                }
                self.rows += 1;
                match returned.take(&statement, self.width()) {
                    Ok(()) => {
                        self.state = State::Writing(statement, returned);
                        return (None, Ok(()));
                    }
                    Err(error) => Err(error),
                }
            }
            (Ok(Stepped::Done), returned) => {
                if self.rows == 0 {
                    self.columns = Some(statement.columns());
                }
                Ok(returned)
            }
            (Err(error), _) => Err(error),
        };
        self.scanned += statement.take_scanned();
        if statement.access == Access::Writes {
            self.changes = sql.total_changes().saturating_sub(self.changes);
        }
        statement.rest();
        match outcome {
            Ok(Some(returned)) => {
                self.state = State::Wrote(returned);
                (Some(statement), Ok(()))
            }
            Ok(None) => {
                self.state = State::Over;
                (Some(statement), Ok(()))
            }
            Err(error) => {
                self.state = State::Over;
                (Some(statement), Err(error))
            }
        }
    }

    fn width(&self) -> usize {
        self.columns
            .as_ref()
            .map_or(0, |columns| columns.names.len())
    }

    pub fn into_statement(self) -> Option<Statement> {
        match self.state {
            State::Waiting(statement)
            | State::Fetched(statement)
            | State::Writing(statement, _) => Some(statement),
            State::Stepping | State::Wrote(_) | State::Over => None,
        }
    }
}

impl Returned {
    fn take(&mut self, statement: &Statement, columns: usize) -> Result<()> {
        let row: Vec<Owned> = (0..columns)
            .map(|index| Owned::of(statement.value(index)))
            .collect();
        self.bytes += row.iter().map(Owned::bytes).sum::<usize>();
        if self.bytes > MAX_RETURNED_BYTES {
            return Err(Error::new(
                ErrorKind::Sql,
                "SQL query result set is too large to fit in memory. Use RETURNING for fewer rows at a time.",
            ));
        }
        self.rows.push_back(row);
        Ok(())
    }
}

/// A statement, and what it has returned if it writes.
pub(crate) struct Stepping(Statement, Option<Returned>);

/// One step of a cursor, to be run while the database is not borrowed: a long one may suspend the turn.
///
/// Until it is handed back, nothing but the step may use the database's statements.
pub struct SqlStep {
    stepping: Stepping,
    outcome: Option<Result<Stepped>>,
    _scope: Scope,
}

impl SqlStep {
    pub(super) fn new(stepping: Stepping, scope: Scope) -> SqlStep {
        SqlStep {
            stepping,
            outcome: None,
            _scope: scope,
        }
    }

    /// Runs it. `pulse` is called every some ten microseconds; if it says `true`, the step fails.
    pub fn run(&mut self, pulse: &mut dyn FnMut() -> bool) {
        self.outcome = Some(self.stepping.0.step(pulse));
    }

    pub(super) fn finish(self) -> (Stepping, Result<Stepped>) {
        let outcome = self
            .outcome
            .unwrap_or_else(|| Err(Error::internal("a step of a cursor was handed back unrun")));
        (self.stepping, outcome)
    }
}
