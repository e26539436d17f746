//! One compiled statement, over SQLite's C interface: a cursor outlives the call that made it, so it cannot borrow the
//! connection as rusqlite's statements do. With `connection.rs` the only file of the crate that calls C.
//!
//! Why a statement cannot dangle: a connection refuses to close while it has statements (`sqlite3_close`, which is what
//! rusqlite calls), so as long as one is here its connection is alive.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use rusqlite::{Connection, ffi};

use super::failure;
use crate::error::{Error, ErrorKind, Result};

/// Steps of SQLite's machine between two questions whether to go on: some ten microseconds.
const STEPS_PER_PULSE: c_int = 1000;

/// A value that is bound to a statement, or that a row has. Text is UTF-8.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SqlValue<'a> {
    /// NULL.
    Null,
    /// INTEGER.
    Integer(i64),
    /// REAL.
    Real(f64),
    /// TEXT. SQLite checks nothing, so a program that reads it must.
    Text(&'a [u8]),
    /// BLOB.
    Blob(&'a [u8]),
}

/// The columns of a result.
#[derive(Debug)]
pub struct SqlColumns {
    /// Tells these columns from all others of the process, so that whoever derives something from the names can keep it.
    pub id: u64,
    /// Their names, in order. A name may occur twice.
    pub names: Vec<String>,
}

/// A limit of one connection.
#[derive(Clone, Copy)]
pub(super) enum Limit {
    Length = ffi::SQLITE_LIMIT_LENGTH as isize,
    SqlLength = ffi::SQLITE_LIMIT_SQL_LENGTH as isize,
    Columns = ffi::SQLITE_LIMIT_COLUMN as isize,
    ExpressionDepth = ffi::SQLITE_LIMIT_EXPR_DEPTH as isize,
    CompoundSelect = ffi::SQLITE_LIMIT_COMPOUND_SELECT as isize,
    VdbeOperations = ffi::SQLITE_LIMIT_VDBE_OP as isize,
    FunctionArguments = ffi::SQLITE_LIMIT_FUNCTION_ARG as isize,
    LikePattern = ffi::SQLITE_LIMIT_LIKE_PATTERN_LENGTH as isize,
    Variables = ffi::SQLITE_LIMIT_VARIABLE_NUMBER as isize,
    TriggerDepth = ffi::SQLITE_LIMIT_TRIGGER_DEPTH as isize,
}

/// A connection's handle, for calls while the connection is known to live.
#[derive(Clone, Copy)]
pub(super) struct Handle(*mut ffi::sqlite3);

impl Handle {
    pub fn of(sql: &Connection) -> Handle {
        // SAFETY: the handle is not closed through this copy; see `Handle` for when it is used.
        Handle(unsafe { sql.handle() })
    }

    /// What went wrong last, as user code is told.
    pub fn failure(self) -> Error {
        // SAFETY: the connection is alive, and the text is copied before anything else is called on it.
        let (message, offset, code) = unsafe {
            let message = CStr::from_ptr(ffi::sqlite3_errmsg(self.0));
            (
                message.to_string_lossy(),
                ffi::sqlite3_error_offset(self.0),
                ffi::sqlite3_extended_errcode(self.0),
            )
        };
        Error::new(
            ErrorKind::Sql,
            // Other errors leave the offset of an earlier one behind.
            failure::describe(
                &message,
                u32::try_from(offset)
                    .ok()
                    .filter(|_| code & 0xff == ffi::SQLITE_ERROR),
                code,
            ),
        )
    }
}

pub(super) fn set_limit(handle: Handle, limit: Limit, value: i32) {
    // SAFETY: the connection is alive: whoever made the handle holds it, or a statement of it.
    unsafe { ffi::sqlite3_limit(handle.0, limit as c_int, value) };
}

/// What a statement needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Any database will do, if the object has none yet.
    Reads,
    /// The connection whose settings it changes.
    Sets,
    /// The implicit transaction.
    Writes,
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stepped {
    Row,
    Done,
}

/// A compiled statement and what is known about it.
pub(crate) struct Statement {
    raw: NonNull<ffi::sqlite3_stmt>,
    /// Its columns, and how often it had been compiled again when they were looked at.
    columns: Option<(u32, Arc<SqlColumns>)>,
    pub access: Access,
    /// The tables that it, or a trigger of theirs, writes to.
    pub tables: Arc<[String]>,
    /// The whole text, if the cache may keep it.
    pub text: Option<Arc<str>>,
}

// SAFETY: a statement may be used by any thread that has its connection to itself, and the two move together: a
// statement is kept beside its connection, or by the one step that runs.
unsafe impl Send for Statement {}

impl Statement {
    /// Compiles the first statement of `text`: what it is, if it is any, and how many bytes it took.
    pub fn compile(sql: &Connection, text: &str) -> Result<(Option<Statement>, usize)> {
        let handle = Handle::of(sql);
        let mut raw = ptr::null_mut();
        let mut tail: *const c_char = ptr::null();
        let start = text.as_ptr().cast::<c_char>();
        let length = c_int::try_from(text.len())
            .map_err(|_| Error::new(ErrorKind::Sql, "statement too long: SQLITE_TOOBIG"))?;
        // SAFETY: the connection is alive; SQLite reads at most `length` bytes and sets both out-pointers.
        let code = unsafe {
            ffi::sqlite3_prepare_v3(handle.0, start, length, 0, &raw mut raw, &raw mut tail)
        };
        if code != ffi::SQLITE_OK {
            return Err(handle.failure());
        }
        // SAFETY: after a success the tail points into the text, or behind its last byte.
        let used = usize::try_from(unsafe { tail.offset_from(start) }).unwrap_or(text.len());
        let statement = NonNull::new(raw).map(|raw| Statement {
            raw,
            columns: None,
            access: Access::Writes,
            tables: Arc::default(),
            text: None,
        });
        Ok((statement, used))
    }

    pub fn is_readonly(&self) -> bool {
        // SAFETY: the statement is alive.
        unsafe { ffi::sqlite3_stmt_readonly(self.raw.as_ptr()) != 0 }
    }

    /// How many values must be bound.
    pub fn parameters(&self) -> usize {
        // SAFETY: the statement is alive.
        let count = unsafe { ffi::sqlite3_bind_parameter_count(self.raw.as_ptr()) };
        usize::try_from(count).unwrap_or(0)
    }

    /// Binds copies of the values to the first parameters.
    pub fn bind(&mut self, sql: &Connection, values: &[SqlValue<'_>]) -> Result<()> {
        let raw = self.raw.as_ptr();
        for (index, value) in (1..).zip(values) {
            // SAFETY: the statement is alive and at rest; SQLite copies the bytes before the call returns.
            let code = unsafe {
                match *value {
                    SqlValue::Null => ffi::sqlite3_bind_null(raw, index),
                    SqlValue::Integer(number) => ffi::sqlite3_bind_int64(raw, index, number),
                    SqlValue::Real(number) => ffi::sqlite3_bind_double(raw, index, number),
                    SqlValue::Text(text) => ffi::sqlite3_bind_text64(
                        raw,
                        index,
                        text.as_ptr().cast(),
                        text.len() as u64,
                        ffi::SQLITE_TRANSIENT(),
                        ffi::SQLITE_UTF8 as u8,
                    ),
                    // SQLite takes a null pointer for NULL, which an empty slice's is not.
                    SqlValue::Blob(blob) => ffi::sqlite3_bind_blob64(
                        raw,
                        index,
                        blob.as_ptr().cast(),
                        blob.len() as u64,
                        ffi::SQLITE_TRANSIENT(),
                    ),
                }
            };
            if code != ffi::SQLITE_OK {
                return Err(Handle::of(sql).failure());
            }
        }
        Ok(())
    }

    /// Runs to the next row or to the end. `pulse` is asked now and then whether to stop.
    pub fn step(&mut self, pulse: &mut dyn FnMut() -> bool) -> Result<Stepped> {
        let raw = self.raw.as_ptr();
        let mut pulse = pulse;
        // SAFETY: the statement is alive, and with it its connection. The handler gets a pointer to `pulse`, which lives
        // until the handler is taken away again, after the only call that can run it.
        unsafe {
            let handle = Handle(ffi::sqlite3_db_handle(raw));
            let argument = (&raw mut pulse).cast::<c_void>();
            ffi::sqlite3_progress_handler(handle.0, STEPS_PER_PULSE, Some(ask), argument);
            let code = ffi::sqlite3_step(raw);
            ffi::sqlite3_progress_handler(handle.0, 0, None, ptr::null_mut());
            match code {
                ffi::SQLITE_ROW => Ok(Stepped::Row),
                ffi::SQLITE_DONE => Ok(Stepped::Done),
                _ => Err(handle.failure()),
            }
        }
    }

    /// Ends the run and forgets the values.
    pub fn rest(&mut self) {
        // SAFETY: the statement is alive. What `reset` returns is the error of the last step, told already.
        unsafe {
            ffi::sqlite3_reset(self.raw.as_ptr());
            ffi::sqlite3_clear_bindings(self.raw.as_ptr());
        }
    }

    /// Rows that full scans went over since this was last asked. SQLite counts no others.
    pub fn take_scanned(&mut self) -> u64 {
        let raw = self.raw.as_ptr();
        // SAFETY: the statement is alive.
        let steps =
            unsafe { ffi::sqlite3_stmt_status(raw, ffi::SQLITE_STMTSTATUS_FULLSCAN_STEP, 1) };
        match u64::try_from(steps).unwrap_or(0) {
            0 => 0,
            // The counter does not see the step to the first row.
            steps => steps + 1,
        }
    }

    /// The columns of its rows, once it has been stepped: the first step may compile it again.
    pub fn columns(&mut self) -> Arc<SqlColumns> {
        let raw = self.raw.as_ptr();
        // SAFETY: the statement is alive.
        let compiled =
            unsafe { ffi::sqlite3_stmt_status(raw, ffi::SQLITE_STMTSTATUS_REPREPARE, 0) };
        let compiled = u32::try_from(compiled).unwrap_or(0);
        match &self.columns {
            Some((known, columns)) if *known == compiled => Arc::clone(columns),
            _ => {
                static NEXT: AtomicU64 = AtomicU64::new(1);
                let columns = Arc::new(SqlColumns {
                    id: NEXT.fetch_add(1, Relaxed),
                    names: self.column_names(),
                });
                self.columns = Some((compiled, Arc::clone(&columns)));
                columns
            }
        }
    }

    fn column_names(&self) -> Vec<String> {
        let raw = self.raw.as_ptr();
        // SAFETY: the statement is alive.
        let count = unsafe { ffi::sqlite3_column_count(raw) };
        let name = |index| {
            // SAFETY: the statement is alive and the index is within its columns; the text, which is null if there is
            // no memory for it, is copied at once.
            unsafe {
                let name = ffi::sqlite3_column_name(raw, index);
                if name.is_null() {
                    String::new()
                } else {
                    CStr::from_ptr(name).to_string_lossy().into_owned()
                }
            }
        };
        (0..count).map(name).collect()
    }

    /// A value of the row that the last step came to.
    pub fn value(&self, index: usize) -> SqlValue<'_> {
        let (raw, index) = (self.raw.as_ptr(), index as c_int);
        // SAFETY: the statement is alive; a wrong index gives NULL. The bytes stay until the statement is stepped,
        // reset or freed, all of which need it exclusively, and no column is converted twice.
        unsafe {
            match ffi::sqlite3_column_type(raw, index) {
                ffi::SQLITE_INTEGER => SqlValue::Integer(ffi::sqlite3_column_int64(raw, index)),
                ffi::SQLITE_FLOAT => SqlValue::Real(ffi::sqlite3_column_double(raw, index)),
                ffi::SQLITE_TEXT => {
                    let text = ffi::sqlite3_column_text(raw, index);
                    SqlValue::Text(bytes(text.cast(), ffi::sqlite3_column_bytes(raw, index)))
                }
                ffi::SQLITE_BLOB => {
                    let blob = ffi::sqlite3_column_blob(raw, index);
                    SqlValue::Blob(bytes(blob.cast(), ffi::sqlite3_column_bytes(raw, index)))
                }
                _ => SqlValue::Null,
            }
        }
    }
}

impl Drop for Statement {
    fn drop(&mut self) {
        // SAFETY: it was compiled by `compile` and is freed once.
        unsafe { ffi::sqlite3_finalize(self.raw.as_ptr()) };
    }
}

/// SAFETY: `start` is null or points to `length` bytes that outlive `'a`.
unsafe fn bytes<'a>(start: *const u8, length: c_int) -> &'a [u8] {
    match usize::try_from(length) {
        // SAFETY: the caller's promise.
        Ok(length @ 1..) if !start.is_null() => unsafe {
            std::slice::from_raw_parts(start, length)
        },
        _ => &[],
    }
}

/// SQLite's progress handler; `argument` points to a `&mut dyn FnMut() -> bool`.
unsafe extern "C" fn ask(argument: *mut c_void) -> c_int {
    // SAFETY: `step` passes such a pointer and outlives the handler.
    let pulse = unsafe { &mut *argument.cast::<&mut dyn FnMut() -> bool>() };
    c_int::from(pulse())
}
