//! The asynchronous storage, under its promises: each function here is done when it returns.

use std::{ops::ControlFlow, rc::Rc};

use dolmen_runtime::{Host, NestedEnd};
use rquickjs::{Array, Ctx, Exception, Object, Value, object::Filter, promise::Promised};

use super::{Buffer, function, listing::Listing, row::MapMaker, throw};
use crate::{api::state::AlarmHandler, raw, value_format};

/// The latest time that an alarm can have, in milliseconds since 1970: nanoseconds, as the index has them, end in 2262.
const LATEST_MS: f64 = 9_223_372_036_854.0;

/// Keys that one call may name, as on Cloudflare.
const MAX_KEYS: usize = 128;

struct Storage {
    host: Rc<Host>,
    handler: AlarmHandler,
    buffer: Buffer,
}

pub(super) fn native<'js>(
    ctx: &Ctx<'js>,
    native: &Object<'js>,
    host: &Rc<Host>,
    handler: AlarmHandler,
) -> rquickjs::Result<()> {
    let storage = Rc::new(Storage {
        host: host.clone(),
        handler,
        buffer: Buffer::default(),
    });
    macro_rules! method {
        ($name:literal, |$storage:ident, $ctx:ident $(, $arg:ident: $type:ty)*| $body:expr) => {{
            let captured = storage.clone();
            function(ctx, native, $name, move |$ctx: Ctx<'js> $(, $arg: $type)*| {
                let $storage = &*captured;
                $body
            })?;
        }};
    }
    method!("get", |s, ctx, key: rquickjs::String<'js>| s
        .get(&ctx, &text(&ctx, &key)?));
    method!("put", |s,
                    ctx,
                    key: rquickjs::String<'js>,
                    value: Value<'js>| s.put(
        &ctx,
        &text(&ctx, &key)?,
        &value
    ));
    method!("delete", |s, ctx, key: rquickjs::String<'js>| s
        .delete(&ctx, &text(&ctx, &key)?));
    method!("getMany", |s,
                        ctx,
                        keys: Array<'js>,
                        map: Value<'js>,
                        set: Value<'js>| s
        .get_many(&ctx, &keys, MapMaker::new(map, set)));
    method!("putMany", |s, ctx, entries: Object<'js>| s
        .put_many(&ctx, &entries));
    method!("deleteMany", |s, ctx, keys: Array<'js>| s
        .delete_many(&ctx, &keys));
    method!("list", |s,
                     ctx,
                     options: Value<'js>,
                     map: Value<'js>,
                     set: Value<'js>| s.list(
        &ctx,
        &options,
        MapMaker::new(map, set)
    ));
    method!("deleteAll", |s, ctx| s.delete_all(&ctx));
    method!("getAlarm", |s, ctx| s.get_alarm(&ctx));
    method!("setAlarm", |s, ctx, time: Value<'js>| s
        .set_alarm(&ctx, &time));
    method!("deleteAlarm", |s, ctx| s
        .host
        .set_alarm(None)
        .map_err(|error| throw(&ctx, &error)));
    method!("sync", |s, ctx| {
        let gate = s.host.output_gate();
        let operation = s.host.operation(crate::module::section(&ctx)?);
        Ok::<_, rquickjs::Error>(Promised(operation.run(async move {
            gate.await
                .map_err(|error| Exception::throw_message(&ctx, error.message()))
        })))
    });
    method!("hasWritten", |s, ctx| s
        .host
        .storage(|db| Ok(db.in_transaction() && db.nesting() == 0))
        .map_err(|error| throw(&ctx, &error)));
    method!("begin", |s, ctx| {
        s.host.begin_nested().map_err(|error| throw(&ctx, &error))?;
        s.nesting(&ctx)
    });
    method!("commit", |s, ctx, level: usize| s.end(
        &ctx,
        level,
        NestedEnd::Commit
    ));
    method!("rollBack", |s, ctx, level: usize| s.end(
        &ctx,
        level,
        NestedEnd::Rollback
    ));
    method!("bookmark", |s, ctx| s
        .host
        .storage(dolmen_runtime::storage::Database::next_bookmark)
        .map(|count| format!("{:08x}-{:08x}-{:08x}-{count:032x}", 0, 0, 0))
        .map_err(|error| throw(&ctx, &error)));
    Ok(())
}

/// Text as UTF-8, with U+FFFD for what has none.
pub(super) fn text<'js>(ctx: &Ctx<'js>, text: &rquickjs::String<'js>) -> rquickjs::Result<String> {
    let bytes = value_format::utf8(ctx, text)?;
    Ok(String::from_utf8(bytes).expect("the encoder writes UTF-8"))
}

/// Reads and decodes the value of a key.
pub(super) fn get<'js>(
    ctx: &Ctx<'js>,
    host: &Host,
    buffer: &Buffer,
    key: &str,
) -> rquickjs::Result<Option<Value<'js>>> {
    buffer.with(|buffer| {
        // Copied out first: decoding must not run while the database is borrowed.
        let found = host.storage(|db| {
            db.get(key, |value| {
                value.map(|value| buffer.extend_from_slice(value)).is_some()
            })
        });
        match found {
            Ok(true) => value_format::deserialize(ctx, buffer).map(Some),
            Ok(false) => Ok(None),
            Err(error) => Err(throw(ctx, &error)),
        }
    })
}

/// Encodes and writes a value.
pub(super) fn put<'js>(
    ctx: &Ctx<'js>,
    host: &Host,
    buffer: &Buffer,
    key: &str,
    value: &Value<'js>,
) -> rquickjs::Result<()> {
    buffer.with(|buffer| {
        value_format::serialize_into(ctx, value, buffer)?;
        host.storage(|db| db.put(key, buffer))
            .map_err(|error| throw(ctx, &error))
    })
}

fn check_count(ctx: &Ctx<'_>, keys: usize) -> rquickjs::Result<()> {
    if keys > MAX_KEYS {
        return Err(Exception::throw_range(
            ctx,
            &format!("Maximum number of keys is {MAX_KEYS}."),
        ));
    }
    Ok(())
}

fn strings<'js>(ctx: &Ctx<'js>, keys: &Array<'js>) -> rquickjs::Result<Vec<String>> {
    check_count(ctx, keys.len())?;
    keys.iter::<rquickjs::Coerced<rquickjs::String<'js>>>()
        .map(|key| text(ctx, &key?.0))
        .collect()
}

impl Storage {
    fn get<'js>(&self, ctx: &Ctx<'js>, key: &str) -> rquickjs::Result<Value<'js>> {
        let found = get(ctx, &self.host, &self.buffer, key)?;
        Ok(found.unwrap_or_else(|| Value::new_undefined(ctx.clone())))
    }

    fn put<'js>(&self, ctx: &Ctx<'js>, key: &str, value: &Value<'js>) -> rquickjs::Result<()> {
        put(ctx, &self.host, &self.buffer, key, value)
    }

    fn delete(&self, ctx: &Ctx<'_>, key: &str) -> rquickjs::Result<bool> {
        self.host
            .storage(|db| db.delete(key))
            .map_err(|error| throw(ctx, &error))
    }

    fn get_many<'js>(
        &self,
        ctx: &Ctx<'js>,
        keys: &Array<'js>,
        found: MapMaker<'js>,
    ) -> rquickjs::Result<Value<'js>> {
        let mut keys = strings(ctx, keys)?;
        keys.sort_unstable();
        keys.dedup();
        for key in keys {
            if let Some(value) = get(ctx, &self.host, &self.buffer, &key)? {
                found.set(&key, &value)?;
            }
        }
        Ok(found.into_map())
    }

    /// All or none: every value is encoded before the first is written.
    fn put_many<'js>(&self, ctx: &Ctx<'js>, entries: &Object<'js>) -> rquickjs::Result<()> {
        let mut encoded: Vec<(String, usize)> = Vec::new();
        let keys = entries
            .own_keys::<rquickjs::String<'js>>(Filter::new().string().enum_only())
            .collect::<rquickjs::Result<Vec<_>>>()?;
        check_count(ctx, keys.len())?;
        self.buffer.with(|buffer| {
            for key in keys {
                let value: Value<'js> = entries.get(key.clone())?;
                if value.is_undefined() {
                    continue;
                }
                value_format::serialize_into(ctx, &value, buffer)?;
                encoded.push((text(ctx, &key)?, buffer.len()));
            }
            let fail = |error| throw(ctx, &error);
            self.host.begin_nested().map_err(fail)?;
            let written = self.host.storage(|db| {
                let mut start = 0;
                for (key, end) in &encoded {
                    db.put(key, &buffer[start..*end])?;
                    start = *end;
                }
                Ok(())
            });
            let end = match &written {
                Ok(()) => NestedEnd::Commit,
                Err(_) => NestedEnd::Rollback,
            };
            self.host.end_nested(end).map_err(fail)?;
            written.map_err(fail)
        })
    }

    fn delete_many<'js>(&self, ctx: &Ctx<'js>, keys: &Array<'js>) -> rquickjs::Result<u32> {
        let keys = strings(ctx, keys)?;
        self.host
            .storage(|db| {
                let mut deleted = 0;
                for key in &keys {
                    deleted += u32::from(db.delete(key)?);
                }
                Ok(deleted)
            })
            .map_err(|error| throw(ctx, &error))
    }

    fn list<'js>(
        &self,
        ctx: &Ctx<'js>,
        options: &Value<'js>,
        found: MapMaker<'js>,
    ) -> rquickjs::Result<Value<'js>> {
        let listing = Listing::read(ctx, options)?;
        let limit = self.host.options().memory_limit;
        self.buffer.with(|buffer| {
            // Keys and values lie behind one another in the buffer, each up to its end.
            let mut ends: Vec<(usize, usize)> = Vec::new();
            self.host
                .storage(|db| {
                    db.list(&listing.bounds(), &mut |key, value| {
                        buffer.extend_from_slice(key.as_bytes());
                        let key_end = buffer.len();
                        buffer.extend_from_slice(value);
                        ends.push((key_end, buffer.len()));
                        if buffer.len() > limit {
                            return ControlFlow::Break(());
                        }
                        ControlFlow::Continue(())
                    })
                })
                .map_err(|error| throw(ctx, &error))?;
            if buffer.len() > limit {
                return Err(Exception::throw_range(
                    ctx,
                    "the listed values do not fit into the object's memory; use prefix, start, end or limit",
                ));
            }
            let mut start = 0;
            for (key_end, end) in ends {
                let key = std::str::from_utf8(&buffer[start..key_end])
                    .expect("the database gives keys that are UTF-8");
                found.set(key, &value_format::deserialize(ctx, &buffer[key_end..end])?)?;
                start = end;
            }
            Ok(found.into_map())
        })
    }

    fn delete_all(&self, ctx: &Ctx<'_>) -> rquickjs::Result<()> {
        let work = || {
            if self.host.storage(|db| Ok(db.nesting()))? > 0 {
                // Says so, and changes nothing.
                return self.host.storage(|db| db.delete_all());
            }
            self.host.set_alarm(None)?;
            self.host.storage(|db| db.delete_all())
        };
        work().map_err(|error| throw(ctx, &error))
    }

    fn get_alarm<'js>(&self, ctx: &Ctx<'js>) -> rquickjs::Result<Value<'js>> {
        let alarm = self.host.alarm().map_err(|error| throw(ctx, &error))?;
        #[expect(clippy::cast_precision_loss, reason = "times are far below 2^53 ms")]
        Ok(match alarm {
            Some(ms) => Value::new_number(ctx.clone(), ms as f64),
            None => Value::new_null(ctx.clone()),
        })
    }

    fn set_alarm<'js>(&self, ctx: &Ctx<'js>, time: &Value<'js>) -> rquickjs::Result<()> {
        let ms = match time.as_number() {
            Some(ms) => ms,
            None if raw::is_date(time) => time.get::<rquickjs::Coerced<f64>>()?.0,
            None => {
                return Err(Exception::throw_type(
                    ctx,
                    "Failed to execute 'setAlarm' on 'DurableObjectStorage': parameter 1 is not of type 'date'.",
                ));
            }
        };
        if ms.is_nan() {
            return Err(Exception::throw_type(
                ctx,
                "The value cannot be converted because it is not a valid Date.",
            ));
        }
        if ms > LATEST_MS {
            return Err(Exception::throw_type(
                ctx,
                "This API doesn't support dates after 2189.",
            ));
        }
        if ms <= 0.0 {
            return Err(Exception::throw_type(
                ctx,
                "setAlarm() cannot be called with an alarm time <= 0",
            ));
        }
        if self.handler == AlarmHandler::Absent {
            return Err(Exception::throw_type(
                ctx,
                "Your Durable Object class must have an alarm() handler in order to call setAlarm()",
            ));
        }
        #[expect(clippy::cast_possible_truncation, reason = "checked: at most 8.64e15")]
        let ms = ms as i64;
        self.host
            .set_alarm(Some(ms))
            .map_err(|error| throw(ctx, &error))
    }

    fn nesting(&self, ctx: &Ctx<'_>) -> rquickjs::Result<usize> {
        self.host
            .storage(|db| Ok(db.nesting()))
            .map_err(|error| throw(ctx, &error))
    }

    /// Ends the nested transaction of this level, and those inside it with it; one that has ended is left alone.
    fn end(&self, ctx: &Ctx<'_>, level: usize, end: NestedEnd) -> rquickjs::Result<()> {
        while self.nesting(ctx)? >= level {
            self.host
                .end_nested(end)
                .map_err(|error| throw(ctx, &error))?;
        }
        Ok(())
    }
}
