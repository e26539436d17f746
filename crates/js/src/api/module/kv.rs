//! `ctx.storage.kv`: keys and values without promises, and a list that is read as it is iterated.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    ops::ControlFlow,
    rc::Rc,
};

use dolmen_runtime::{Host, storage::ListOptions};
use rquickjs::{Array, Class, Ctx, Exception, Function, IntoJs, Object, Value, function::This};

use super::{Buffer, function, listing::Listing, storage, throw};
use crate::{js_class::js_class, value_format};

/// Entries that a list reads at a time, and bytes of them after which it stops earlier.
const BATCH: usize = 32;
const BATCH_BYTES: usize = 64 << 10;

struct Kv {
    host: Rc<Host>,
    buffer: Buffer,
    /// How many lists were begun; only the last may be read.
    lists: Cell<u64>,
}

/// The iterator of a list.
pub(super) struct ListHandle {
    kv: Rc<Kv>,
    number: u64,
    state: RefCell<List>,
}

/// What of a list is still to come.
struct List {
    listing: Listing,
    read: VecDeque<(String, Vec<u8>)>,
    /// All that is left is in `read`.
    ended: bool,
}

js_class!(ListHandle, "KvListIterator", list_prototype);

fn list_prototype<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let prototype = Object::new(ctx.clone())?;
    let next = |ctx: Ctx<'js>, this: This<Class<'js, ListHandle>>| this.0.borrow().next(&ctx);
    prototype.set("next", Function::new(ctx.clone(), next)?.with_name("next")?)?;
    Ok(prototype)
}

pub(super) fn native<'js>(
    ctx: &Ctx<'js>,
    native: &Object<'js>,
    host: &Rc<Host>,
) -> rquickjs::Result<()> {
    let kv = Rc::new(Kv {
        host: host.clone(),
        buffer: Buffer::default(),
        lists: Cell::new(0),
    });
    let own = kv.clone();
    function(
        ctx,
        native,
        "get",
        move |ctx: Ctx<'js>, key: rquickjs::String<'js>| {
            let found = storage::get(&ctx, &own.host, &own.buffer, &storage::text(&ctx, &key)?)?;
            Ok::<_, rquickjs::Error>(found.unwrap_or_else(|| Value::new_undefined(ctx)))
        },
    )?;
    let own = kv.clone();
    function(
        ctx,
        native,
        "put",
        move |ctx: Ctx<'js>, key: rquickjs::String<'js>, value: Value<'js>| {
            let key = storage::text(&ctx, &key)?;
            storage::put(&ctx, &own.host, &own.buffer, &key, &value)
        },
    )?;
    let own = kv.clone();
    function(
        ctx,
        native,
        "delete",
        move |ctx: Ctx<'js>, key: rquickjs::String<'js>| {
            let key = storage::text(&ctx, &key)?;
            own.host
                .storage(|db| db.delete(&key))
                .map_err(|error| throw(&ctx, &error))
        },
    )?;
    let own = kv.clone();
    function(
        ctx,
        native,
        "list",
        move |ctx: Ctx<'js>, options: Value<'js>| {
            let listing = Listing::read(&ctx, &options)?;
            let number = own.lists.get() + 1;
            own.lists.set(number);
            Class::instance(
                ctx,
                ListHandle {
                    kv: own.clone(),
                    number,
                    state: RefCell::new(List {
                        listing,
                        read: VecDeque::new(),
                        ended: false,
                    }),
                },
            )
        },
    )?;
    native.set("listPrototype", Class::<ListHandle>::prototype(ctx)?)
}

impl ListHandle {
    fn next<'js>(&self, ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
        let entry = self.take(ctx)?;
        let result = Object::new(ctx.clone())?;
        result.set("done", entry.is_none())?;
        let value = match entry {
            Some((key, value)) => {
                let pair = Array::new(ctx.clone())?;
                pair.set(0, key.into_js(ctx)?)?;
                pair.set(1, value_format::deserialize(ctx, &value)?)?;
                pair.into_value()
            }
            None => Value::new_undefined(ctx.clone()),
        };
        result.set("value", value)?;
        Ok(result)
    }

    fn take(&self, ctx: &Ctx<'_>) -> rquickjs::Result<Option<(String, Vec<u8>)>> {
        let mut list = self.state.borrow_mut();
        if list.ended && list.read.is_empty() {
            return Ok(None);
        }
        if self.number != self.kv.lists.get() {
            return Err(Exception::throw_message(
                ctx,
                "kv.list() iterator was invalidated because a new call to kv.list() was started. Only one kv.list() iterator can exist at a time.",
            ));
        }
        if list.read.is_empty() {
            self.kv
                .host
                .storage(|db| list.fill(db))
                .map_err(|error| throw(ctx, &error))?;
        }
        Ok(list.read.pop_front())
    }
}

impl List {
    /// Reads the next entries, and moves the bounds behind them.
    fn fill(
        &mut self,
        db: &mut dolmen_runtime::storage::Database,
    ) -> Result<(), dolmen_runtime::storage::Error> {
        let limit = self.listing.limit.unwrap_or(usize::MAX);
        let asked = limit.min(BATCH);
        let bounds = ListOptions {
            limit: Some(asked),
            ..self.listing.bounds()
        };
        let (read, mut bytes) = (&mut self.read, 0);
        db.list(&bounds, &mut |key, value| {
            read.push_back((key.to_owned(), value.to_owned()));
            bytes += key.len() + value.len();
            if bytes > BATCH_BYTES {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })?;
        let stopped = bytes > BATCH_BYTES;
        self.ended = (!stopped && self.read.len() < asked) || self.read.len() >= limit;
        self.listing.limit = self.listing.limit.map(|limit| limit - self.read.len());
        if let Some((last, _)) = self.read.back() {
            if self.listing.reverse {
                self.listing.end = Some(last.clone());
            } else {
                self.listing.start = None;
                self.listing.start_after = Some(last.clone());
            }
        }
        Ok(())
    }
}
