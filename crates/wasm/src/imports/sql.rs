//! `sql_exec`.

use std::rc::Rc;

use bytes::Bytes;
use dolmen_runtime::{
    Error, Host,
    storage::{self, SqlCursor, SqlValue},
};
use wasmtime::{Caller, Linker};

use super::{MODULE, in_objects_only, text};
use crate::{
    guest::State,
    outbox::Found,
    writes::Writes,
    zerobuf::{Claim, Item, Slots, Value},
};

/// Most bytes of one result, so that the host's memory has a limit: as much as the guest's can take.
const MAX_RESULT_BYTES: usize = 64 << 20;
/// What a cell costs besides its bytes.
const CELL_BYTES: usize = 32;
/// Most bytes of all parameters of a statement.
const MAX_PARAMETER_BYTES: usize = 32 << 20;
/// How errors call them.
const PARAMETERS: &str = "parameters of do.sql_exec";
/// Most parameters of a statement, SQLite's own limit for Durable Objects.
const MAX_PARAMETERS: u32 = 100;

pub(super) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    linker.func_wrap_async(
        MODULE,
        "sql_exec",
        |mut caller: Caller<'_, State>, (at, length, params, count): (u32, u32, u32, u32)| {
            Box::new(async move {
                let (memory, state) = State::split(&mut caller)?;
                let statement = text(memory, (at, length), "do.sql_exec", "statement")?;
                let found = if state.host.is_worker() {
                    in_objects_only("SQL")
                } else if count > MAX_PARAMETERS {
                    Found::Failed(format!(
                        "a statement has at most {MAX_PARAMETERS} parameters"
                    ))
                } else if bytes_of(memory, params, count)? > MAX_PARAMETER_BYTES {
                    Found::Failed(format!(
                        "the parameters of a statement have at most {MAX_PARAMETER_BYTES} bytes together"
                    ))
                } else {
                    let params = parameters(memory, params, count)?;
                    let statement = statement.to_owned();
                    let (host, writes) = (state.host.clone(), state.writes.clone());
                    let errand = state
                        .errand
                        .ask(async move { exec(&statement, &params, &host, &writes) });
                    errand.await
                };
                Ok(caller.data_mut().outbox.put(found))
            })
        },
    )?;
    Ok(())
}

/// The bytes that the parameters would take in the host.
fn bytes_of(memory: &[u8], at: u32, count: u32) -> Result<usize, Claim> {
    Slots::at(memory, at, count, PARAMETERS)?.bytes(PARAMETERS)
}

/// A parameter, out of the guest's memory.
enum Parameter {
    Null,
    Integer(i64),
    Real(f64),
    Text(String),
    Blob(Vec<u8>),
}

impl Parameter {
    fn value(&self) -> SqlValue<'_> {
        match self {
            Self::Null => SqlValue::Null,
            Self::Integer(value) => SqlValue::Integer(*value),
            Self::Real(value) => SqlValue::Real(*value),
            Self::Text(text) => SqlValue::Text(text.as_bytes()),
            Self::Blob(bytes) => SqlValue::Blob(bytes),
        }
    }
}

fn parameters(memory: &[u8], at: u32, count: u32) -> Result<Vec<Parameter>, Claim> {
    let what = PARAMETERS;
    let slots = Slots::at(memory, at, count, what)?;
    slots
        .values(what)
        .map(|value| {
            Ok(match value? {
                Value::Null => Parameter::Null,
                Value::Bool(value) => Parameter::Integer(value.into()),
                Value::I32(value) => Parameter::Integer(value.into()),
                Value::I64(value) => Parameter::Integer(value),
                Value::F64(value) => Parameter::Real(value),
                Value::Bytes(bytes) => Parameter::Blob(bytes.to_vec()),
                Value::String(text) => Parameter::Text(
                    String::from_utf8(text.to_vec())
                        .map_err(|_| Claim(format!("one of the {what} is not UTF-8")))?,
                ),
                Value::Array(_) => {
                    return Err(Claim(format!("one of the {what} is an array")));
                }
            })
        })
        .collect()
}

/// Must be called on the turn's own stack, which a long statement suspends.
fn exec(
    statement: &str,
    params: &[Parameter],
    host: &Rc<Host>,
    writes: &Writes,
) -> Result<Found, Error> {
    writes.begin()?;
    let values: Vec<_> = params.iter().map(Parameter::value).collect();
    let found = match host.sql_exec(statement, &values) {
        Ok(cursor) => {
            let result = result(host, cursor);
            host.storage(|db| Ok(db.sql_close(cursor)))?;
            result
        }
        Err(error) => Err(error),
    };
    match found {
        Err(error) if error.kind() == storage::ErrorKind::Sql => {
            Ok(Found::Failed(error.to_string()))
        }
        found => Ok(found?),
    }
}

/// `[columns, rows, rows read, rows written]`.
fn result(host: &Host, cursor: SqlCursor) -> Result<Found, storage::Error> {
    let columns = host.storage(|db| db.sql_columns(cursor))?;
    let names = columns
        .names
        .iter()
        .map(|name| Item::Owned(Bytes::copy_from_slice(name.as_bytes())));
    let names = Item::Array(names.collect());
    let (mut rows, mut bytes) = (Vec::new(), 0);
    while host.storage(|db| db.sql_has_row(cursor))? {
        let row = host.storage(|db| {
            db.sql_read(cursor, |row| {
                let cells = (0..row.len()).map(|column| cell(row.value(column), &mut bytes));
                Item::Array(cells.collect())
            })
        })?;
        rows.extend(row);
        if bytes > MAX_RESULT_BYTES {
            return Ok(Found::Failed(format!(
                "the result of the statement has more than {MAX_RESULT_BYTES} bytes; use LIMIT"
            )));
        }
        host.sql_fetch(cursor)?;
    }
    let summary = host.storage(|db| db.sql_summary(cursor))?;
    let written = host.storage(|db| db.sql_rows_written(&summary))?;
    let count = |rows: u64| Item::I64(i64::try_from(rows).unwrap_or(i64::MAX));
    Ok(Found::Slots(vec![Item::Array(vec![
        names,
        Item::Array(rows),
        count(summary.rows_read),
        count(written),
    ])]))
}

fn cell(value: SqlValue<'_>, bytes: &mut usize) -> Item<'static> {
    *bytes += CELL_BYTES;
    match value {
        SqlValue::Null => Item::Null,
        SqlValue::Integer(value) => Item::I64(value),
        SqlValue::Real(value) => Item::F64(value),
        SqlValue::Text(text) => {
            *bytes += text.len();
            Item::Owned(Bytes::copy_from_slice(text))
        }
        SqlValue::Blob(blob) => {
            *bytes += blob.len();
            Item::Blob(Bytes::copy_from_slice(blob))
        }
    }
}
