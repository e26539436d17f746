//! `state.storage` of CommonJS objects: key-value storage, transactions and the alarm, all
//! synchronous, all in the implicit transaction of the turn.

use std::{cell::Cell, ops::ControlFlow, rc::Rc};

use dolmen_runtime::{Host, NestedEnd, storage::ListOptions};
use rquickjs::{Ctx, Exception, Function, Object, Value, function::Opt, promise::PromiseState};

use super::state::AlarmHandler;
use crate::{
    exception::{option, throw_storage},
    raw, value_format,
};

/// Latest time that an alarm can have: the last day of a JavaScript Date.
const LATEST_MS: f64 = 8.64e15;

/// One object's storage and the buffer that its values pass through.
struct Storage {
    host: Rc<Host>,
    handler: AlarmHandler,
    buffer: Cell<Vec<u8>>,
}

/// A buffer that grew beyond this is given back after use, in bytes.
const KEPT_BUFFER: usize = 64 << 10;

pub(crate) fn make<'js>(
    ctx: &Ctx<'js>,
    host: &Rc<Host>,
    handler: AlarmHandler,
) -> rquickjs::Result<Object<'js>> {
    let storage = Rc::new(Storage {
        host: host.clone(),
        handler,
        buffer: Cell::default(),
    });
    let object = Object::new(ctx.clone())?;
    macro_rules! method {
        ($name:literal, |$storage:ident, $ctx:ident $(, $arg:ident: $type:ty)*| $body:expr) => {{
            let captured = storage.clone();
            object.set($name, Function::new(ctx.clone(), move |$ctx: Ctx<'js> $(, $arg: $type)*| {
                let $storage = &*captured;
                $body
            })?.with_name($name)?)?;
        }};
    }
    method!("get", |storage, ctx, key: Opt<Value<'js>>| storage
        .get(&ctx, key.0));
    method!("put", |storage,
                    ctx,
                    key: Opt<Value<'js>>,
                    value: Opt<Value<'js>>| storage
        .put(&ctx, key.0, value.0));
    method!("delete", |storage, ctx, key: Opt<Value<'js>>| storage
        .delete(&ctx, key.0));
    method!("list", |storage, ctx, options: Opt<Value<'js>>| storage
        .list(&ctx, options.0));
    method!("deleteAll", |storage, ctx| storage.delete_all(&ctx));
    method!("transaction", |storage, ctx, work: Opt<Value<'js>>| storage
        .transaction(&ctx, work.0));
    method!("setAlarm", |storage, ctx, time: Opt<Value<'js>>| storage
        .set_alarm(&ctx, time.0));
    method!("getAlarm", |storage, ctx| storage.get_alarm(&ctx));
    method!("deleteAlarm", |storage, ctx| storage.delete_alarm(&ctx));
    Ok(object)
}

fn key_text(ctx: &Ctx<'_>, key: Option<Value<'_>>) -> rquickjs::Result<String> {
    match key.as_ref().and_then(|key| key.as_string()) {
        Some(key) => key.to_string(),
        None => {
            let given = key.map_or("undefined", |key| key.type_name());
            Err(Exception::throw_type(
                ctx,
                &format!("a storage key must be a string, not {given}"),
            ))
        }
    }
}

impl Storage {
    fn get<'js>(&self, ctx: &Ctx<'js>, key: Option<Value<'js>>) -> rquickjs::Result<Value<'js>> {
        let key = key_text(ctx, key)?;
        let mut buffer = self.take_buffer();
        // Copied out first: decoding must not run while the database is borrowed.
        let found = self.host.storage(|db| {
            db.get(&key, |value| {
                value.map(|value| buffer.extend_from_slice(value)).is_some()
            })
        });
        let value = match found {
            Ok(true) => value_format::deserialize(ctx, &buffer),
            Ok(false) => Ok(Value::new_undefined(ctx.clone())),
            Err(error) => Err(throw_storage(ctx, &error)),
        };
        self.give_back(buffer);
        value
    }

    fn put<'js>(
        &self,
        ctx: &Ctx<'js>,
        key: Option<Value<'js>>,
        value: Option<Value<'js>>,
    ) -> rquickjs::Result<()> {
        let key = key_text(ctx, key)?;
        let Some(value) = value.filter(|value| !value.is_undefined()) else {
            return Err(Exception::throw_type(
                ctx,
                "put() called with undefined value.",
            ));
        };
        // Encoding may run getters, which may use the storage themselves: they find no buffer
        // here and take a new one.
        let mut buffer = self.take_buffer();
        let written = value_format::serialize_into(ctx, &value, &mut buffer).and_then(|()| {
            self.host
                .storage(|db| db.put(&key, &buffer))
                .map_err(|error| throw_storage(ctx, &error))
        });
        self.give_back(buffer);
        written
    }

    fn delete<'js>(&self, ctx: &Ctx<'js>, key: Option<Value<'js>>) -> rquickjs::Result<bool> {
        let key = key_text(ctx, key)?;
        self.host
            .storage(|db| db.delete(&key))
            .map_err(|error| throw_storage(ctx, &error))
    }

    fn list<'js>(
        &self,
        ctx: &Ctx<'js>,
        options: Option<Value<'js>>,
    ) -> rquickjs::Result<Object<'js>> {
        let listing = Listing::read(ctx, options)?;
        let mut rows: Vec<(String, Vec<u8>)> = Vec::new();
        let limit = self.host.options().memory_limit;
        let mut size = 0;
        self.host
            .storage(|db| {
                db.list(&listing.bounds(), &mut |key, value| {
                    size += key.len() + value.len();
                    if size > limit {
                        return ControlFlow::Break(());
                    }
                    rows.push((key.to_owned(), value.to_owned()));
                    ControlFlow::Continue(())
                })
            })
            .map_err(|error| throw_storage(ctx, &error))?;
        if size > limit {
            return Err(Exception::throw_range(
                ctx,
                "the listed values do not fit into the object's memory; use prefix, start, end or limit",
            ));
        }
        let found = Object::new(ctx.clone())?;
        for (key, value) in rows {
            raw::define(ctx, &found, &key, &value_format::deserialize(ctx, &value)?)?;
        }
        Ok(found)
    }

    fn delete_all(&self, ctx: &Ctx<'_>) -> rquickjs::Result<()> {
        // The keys first: inside a transaction they are refused, and then the alarm must stay as well.
        self.host
            .storage(|db| db.delete_all())
            .and_then(|()| self.host.set_alarm(None))
            .map_err(|error| throw_storage(ctx, &error))
    }

    fn transaction<'js>(
        &self,
        ctx: &Ctx<'js>,
        work: Option<Value<'js>>,
    ) -> rquickjs::Result<Value<'js>> {
        let Some(work) = work.and_then(Value::into_function) else {
            return Err(Exception::throw_type(ctx, "transaction() needs a function"));
        };
        self.host
            .begin_nested()
            .map_err(|error| throw_storage(ctx, &error))?;
        let result = work
            .call::<_, Value<'js>>(())
            .and_then(|value| finished(ctx, value));
        let end = if result.is_ok() {
            NestedEnd::Commit
        } else {
            NestedEnd::Rollback
        };
        let ended = self.host.end_nested(end);
        let value = result?;
        ended.map_err(|error| throw_storage(ctx, &error))?;
        Ok(value)
    }

    fn set_alarm<'js>(&self, ctx: &Ctx<'js>, time: Option<Value<'js>>) -> rquickjs::Result<()> {
        if self.handler == AlarmHandler::Absent {
            return Err(Exception::throw_type(
                ctx,
                "Your Durable Object class must have an alarm() handler in order to call setAlarm()",
            ));
        }
        let time = time.unwrap_or_else(|| Value::new_undefined(ctx.clone()));
        let ms = match time.as_number() {
            Some(ms) => ms,
            None if raw::is_date(&time) => time.get::<rquickjs::Coerced<f64>>()?.0,
            None => {
                return Err(Exception::throw_type(
                    ctx,
                    "setAlarm() needs a Date or a number of milliseconds since 1970",
                ));
            }
        };
        if ms.is_nan() || ms > LATEST_MS {
            return Err(Exception::throw_type(
                ctx,
                "The value cannot be converted because it is not a valid Date.",
            ));
        }
        if ms <= 0.0 {
            return Err(Exception::throw_type(
                ctx,
                "setAlarm() cannot be called with an alarm time <= 0",
            ));
        }
        #[expect(clippy::cast_possible_truncation, reason = "checked: at most 8.64e15")]
        let ms = ms as i64;
        self.host
            .set_alarm(Some(ms))
            .map_err(|error| throw_storage(ctx, &error))
    }

    fn get_alarm<'js>(&self, ctx: &Ctx<'js>) -> rquickjs::Result<Value<'js>> {
        let alarm = self
            .host
            .alarm()
            .map_err(|error| throw_storage(ctx, &error))?;
        #[expect(clippy::cast_precision_loss, reason = "times are far below 2^53 ms")]
        Ok(match alarm {
            Some(ms) => Value::new_number(ctx.clone(), ms as f64),
            None => Value::new_null(ctx.clone()),
        })
    }

    fn delete_alarm(&self, ctx: &Ctx<'_>) -> rquickjs::Result<()> {
        self.host
            .set_alarm(None)
            .map_err(|error| throw_storage(ctx, &error))
    }

    fn take_buffer(&self) -> Vec<u8> {
        let mut buffer = self.buffer.take();
        buffer.clear();
        buffer
    }

    fn give_back(&self, buffer: Vec<u8>) {
        if buffer.capacity() <= KEPT_BUFFER {
            self.buffer.set(buffer);
        }
    }
}

/// A transaction's result, which must not be a promise that is still pending.
fn finished<'js>(ctx: &Ctx<'js>, value: Value<'js>) -> rquickjs::Result<Value<'js>> {
    let Some(promise) = value.as_promise() else {
        return Ok(value);
    };
    match promise.state() {
        PromiseState::Pending => Err(Exception::throw_type(
            ctx,
            "transaction() is synchronous: its function returned a pending promise, so it was rolled back; do not await inside it",
        )),
        PromiseState::Resolved | PromiseState::Rejected => promise.result().unwrap_or(Ok(value)),
    }
}

/// The options of a `list` as they were given.
#[derive(Default)]
struct Listing {
    prefix: Option<String>,
    start: Option<String>,
    end: Option<String>,
    reverse: bool,
    limit: Option<usize>,
}

impl Listing {
    fn read<'js>(ctx: &Ctx<'js>, options: Option<Value<'js>>) -> rquickjs::Result<Self> {
        let Some(options) = options.filter(|options| !options.is_undefined() && !options.is_null())
        else {
            return Ok(Self::default());
        };
        let Some(options) = options.as_object() else {
            return Err(Exception::throw_type(
                ctx,
                "list() takes an object of options",
            ));
        };
        let limit = match option::<f64>(ctx, options, "limit", "a number")? {
            None => None,
            Some(limit) if limit.fract() != 0.0 || limit <= 0.0 || limit.is_nan() => {
                return Err(Exception::throw_type(ctx, "List limit must be positive."));
            }
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "checked; saturates"
            )]
            Some(limit) => Some(limit as usize),
        };
        Ok(Self {
            prefix: option(ctx, options, "prefix", "a string")?,
            start: option(ctx, options, "start", "a string")?,
            end: option(ctx, options, "end", "a string")?,
            reverse: option(ctx, options, "reverse", "true or false")?.unwrap_or(false),
            limit,
        })
    }

    fn bounds(&self) -> ListOptions<'_> {
        ListOptions {
            prefix: self.prefix.as_deref(),
            start: self.start.as_deref(),
            start_after: None,
            end: self.end.as_deref(),
            reverse: self.reverse,
            limit: self.limit,
        }
    }
}
