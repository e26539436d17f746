//! `dolmen:object/storage`: the object's keys and values, and its SQL.
//!
//! A value is stored as an `ArrayBuffer` in V8's format, like those of JavaScript objects.

use std::ops::ControlFlow;

use dolmen_runtime::{
    Host as Object, Verdict,
    storage::{self as files, ErrorKind, SqlCursor, SqlValue},
};

use super::{
    bindings::dolmen::object::storage::{self, ListOptions, Rows, Value},
    fault::HostFailed,
    state::State,
    writes::Writes,
};
use crate::kv::{decode, encode};

/// Bytes of keys and values, or of rows, that one call gives.
const MAX_ANSWER: usize = 8 << 20;
/// Keys that are read without a break.
const PAGE: usize = 8;
/// What a value of a row counts besides its bytes.
const VALUE_BYTES: usize = 16;

/// Why the storage did not do what it was asked for.
pub(crate) enum Failure {
    /// The guest is told.
    Told(String),
    Storage(files::Error),
}

impl From<files::Error> for Failure {
    fn from(error: files::Error) -> Self {
        Self::Storage(error)
    }
}

/// What a guest gets: what it did wrong as text; what the host could not do fails the event.
///
/// # Errors
/// [`HostFailed`].
pub(crate) fn told<T>(done: Result<T, Failure>) -> wasmtime::Result<Result<T, String>> {
    match done {
        Ok(done) => Ok(Ok(done)),
        Err(Failure::Told(text)) => Ok(Err(text)),
        Err(Failure::Storage(error)) => match error.kind() {
            ErrorKind::Invalid | ErrorKind::Limit | ErrorKind::Sql => Ok(Err(error.to_string())),
            _ => Err(HostFailed(error.into()).into()),
        },
    }
}

/// Fails in the worker, which has no storage.
pub(crate) fn in_object(host: &Object) -> Result<(), Failure> {
    match host.is_worker() {
        true => Err(Failure::Told(
            "storage is there in objects only (/do/:name/* and /fetch/:namespace/:name/*), not in the worker".to_owned(),
        )),
        false => Ok(()),
    }
}

/// The value of a key.
pub(crate) fn get(host: &Object, key: &str) -> Result<Option<Vec<u8>>, Failure> {
    in_object(host)?;
    let found = host.storage(|db| {
        db.get(key, |value| {
            value.map(|value| decode(value).map(<[u8]>::to_vec))
        })
    })?;
    match found {
        None => Ok(None),
        Some(Some(value)) => Ok(Some(value)),
        Some(None) => Err(not_bytes(key)),
    }
}

/// Whether there is a key.
pub(crate) fn exists(host: &Object, key: &str) -> Result<bool, Failure> {
    in_object(host)?;
    Ok(host.storage(|db| db.get(key, |value| value.is_some()))?)
}

/// Sets a key.
pub(crate) fn put(host: &Object, writes: &Writes, key: &str, value: &[u8]) -> Result<(), Failure> {
    in_object(host)?;
    writes.begin()?;
    Ok(host.storage(|db| db.put(key, &encode(value)))?)
}

/// Deletes a key; whether it was there.
pub(crate) fn delete(host: &Object, writes: &Writes, key: &str) -> Result<bool, Failure> {
    in_object(host)?;
    writes.begin()?;
    Ok(host.storage(|db| db.delete(key))?)
}

fn not_bytes(key: &str) -> Failure {
    Failure::Told(format!("the value of {key:?} is not an ArrayBuffer"))
}

/// Gives `take` what `options` say, in order, a page at a time, because each value may be large.
pub(crate) fn each(
    host: &Object,
    options: &ListOptions,
    mut take: impl FnMut(&str, &[u8]) -> Result<usize, Failure>,
) -> Result<(), Failure> {
    in_object(host)?;
    if options.start.is_some() && options.start_after.is_some() {
        return Err(Failure::Told(
            "a list begins at a key or after one, not both".to_owned(),
        ));
    }
    let mut left = options.limit.map_or(usize::MAX, |limit| limit as usize);
    let (mut bytes, mut last) = (0, None::<String>);
    while left > 0 {
        let goes_on = last.is_some();
        let page = files::ListOptions {
            prefix: options.prefix.as_deref(),
            start: options
                .start
                .as_deref()
                .filter(|_| !goes_on || options.reverse),
            start_after: match (&last, options.reverse) {
                (Some(last), false) => Some(last),
                _ => options.start_after.as_deref(),
            },
            end: match (&last, options.reverse) {
                (Some(last), true) => Some(last),
                _ => options.end.as_deref(),
            },
            reverse: options.reverse,
            limit: Some(PAGE.min(left)),
        };
        let (mut count, mut done, mut end) = (0, Ok(()), None);
        host.storage(|db| {
            db.list(&page, &mut |key, value| {
                count += 1;
                match take(key, value) {
                    Ok(size) => bytes += size,
                    Err(failure) => done = Err(failure),
                }
                end = Some(key.to_owned());
                match done.is_ok() && bytes <= MAX_ANSWER {
                    true => ControlFlow::Continue(()),
                    false => ControlFlow::Break(()),
                }
            })
        })?;
        done?;
        if bytes > MAX_ANSWER {
            let message = format!(
                "the list has more than {MAX_ANSWER} bytes: ask for less of it, with a limit"
            );
            return Err(Failure::Told(message));
        }
        last = end;
        left -= count;
        // When the turn is to end, the answer is not looked at any more.
        if count < PAGE || host.slice().checkpoint() == Verdict::Stop {
            break;
        }
    }
    Ok(())
}

fn sql(host: &Object, writes: &Writes, text: &str, parameters: &[Value]) -> Result<Rows, Failure> {
    in_object(host)?;
    let bindings: Vec<_> = parameters.iter().map(bound).collect();
    writes.begin()?;
    let cursor = host.sql_exec(text, &bindings)?;
    let rows = rows(host, cursor);
    let closed = host.storage(|db| {
        let summary = db.sql_close(cursor).unwrap_or_default();
        let written = db.sql_rows_written(&summary)?;
        Ok((summary.rows_read, written))
    });
    let (columns, rows) = rows?;
    let (rows_read, rows_written) = closed?;
    Ok(Rows {
        columns,
        rows,
        rows_read,
        rows_written,
    })
}

type Found = (Vec<String>, Vec<Vec<Value>>);

fn rows(host: &Object, cursor: SqlCursor) -> Result<Found, Failure> {
    let columns = host.storage(|db| db.sql_columns(cursor))?.names.clone();
    let (mut rows, mut bytes) = (Vec::new(), 0);
    while host.sql_fetch(cursor)? {
        let row = host.storage(|db| {
            db.sql_read(cursor, |row| {
                (0..row.len())
                    .map(|column| value(row.value(column)))
                    .collect::<Vec<_>>()
            })
        })?;
        let Some(row) = row else { break };
        bytes += row
            .iter()
            .map(|value| VALUE_BYTES + size(value))
            .sum::<usize>();
        if bytes > MAX_ANSWER {
            let message = format!(
                "the result has more than {MAX_ANSWER} bytes: ask for less of it, with LIMIT"
            );
            return Err(Failure::Told(message));
        }
        rows.push(row);
        if host.slice().checkpoint() == Verdict::Stop {
            break;
        }
    }
    Ok((columns, rows))
}

fn bound(value: &Value) -> SqlValue<'_> {
    match value {
        Value::Null => SqlValue::Null,
        Value::Integer(number) => SqlValue::Integer(*number),
        Value::Real(number) => SqlValue::Real(*number),
        Value::Text(text) => SqlValue::Text(text.as_bytes()),
        Value::Blob(bytes) => SqlValue::Blob(bytes),
    }
}

/// Text that is not UTF-8, which SQLite does not check, has replacement characters.
fn value(value: SqlValue<'_>) -> Value {
    match value {
        SqlValue::Null => Value::Null,
        SqlValue::Integer(number) => Value::Integer(number),
        SqlValue::Real(number) => Value::Real(number),
        SqlValue::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        SqlValue::Blob(bytes) => Value::Blob(bytes.to_vec()),
    }
}

fn size(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len(),
        Value::Blob(bytes) => bytes.len(),
        _ => 0,
    }
}

impl storage::Host for State {
    async fn get(&mut self, key: String) -> wasmtime::Result<Result<Option<Vec<u8>>, String>> {
        told(self.errand(move |host, _| get(host, &key)).await)
    }

    async fn put(&mut self, key: String, value: Vec<u8>) -> wasmtime::Result<Result<(), String>> {
        told(
            self.errand(move |host, writes| put(host, writes, &key, &value))
                .await,
        )
    }

    async fn delete(&mut self, key: String) -> wasmtime::Result<Result<bool, String>> {
        told(
            self.errand(move |host, writes| delete(host, writes, &key))
                .await,
        )
    }

    async fn list(
        &mut self,
        options: ListOptions,
    ) -> wasmtime::Result<Result<Vec<(String, Vec<u8>)>, String>> {
        let work = move |host: &Object, _: &Writes| {
            let mut all = Vec::new();
            each(host, &options, |key, value| {
                let value = decode(value).ok_or_else(|| not_bytes(key))?;
                all.push((key.to_owned(), value.to_vec()));
                Ok(key.len() + value.len())
            })?;
            Ok(all)
        };
        told(self.errand(work).await)
    }

    async fn list_keys(
        &mut self,
        options: ListOptions,
    ) -> wasmtime::Result<Result<Vec<String>, String>> {
        let work = move |host: &Object, _: &Writes| {
            let mut all = Vec::new();
            each(host, &options, |key, _| {
                all.push(key.to_owned());
                Ok(key.len() + size_of::<String>())
            })?;
            Ok(all)
        };
        told(self.errand(work).await)
    }

    async fn sql(
        &mut self,
        statements: String,
        parameters: Vec<Value>,
    ) -> wasmtime::Result<Result<Rows, String>> {
        told(
            self.errand(move |host, writes| sql(host, writes, &statements, &parameters))
                .await,
        )
    }
}
