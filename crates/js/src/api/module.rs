//! `ctx.storage` of module workers: the asynchronous storage, `kv`, `sql`, transactions and the alarm.
//!
//! Behaviour and hot paths are in Rust, the shape of the classes in glue (`glue/objects/`). All of it works within
//! the turn's implicit transaction and answers at once: promises are settled when they are returned, so awaiting one
//! does not end the turn.

use std::{cell::Cell, rc::Rc};

use dolmen_runtime::{
    Host,
    storage::{Error, ErrorKind},
};
use rquickjs::{Ctx, Exception, Object};

use super::state::AlarmHandler;
use crate::web::glue::Glue;

mod binding;
mod kv;
mod listing;
mod row;
mod sql;
mod storage;

static STORAGE: Glue = Glue::new(
    "dolmen:objects/storage.js",
    include_str!("../../glue/objects/storage.js"),
);
static KV: Glue = Glue::new(
    "dolmen:objects/kv.js",
    include_str!("../../glue/objects/kv.js"),
);
static SQL: Glue = Glue::new(
    "dolmen:objects/sql.js",
    include_str!("../../glue/objects/sql.js"),
);

/// Makes a `DurableObjectStorage`.
///
/// `gates.blockConcurrencyWhile(fn)` runs an asynchronous critical section and gives a promise of what `fn` gives.
pub(crate) fn make_storage<'js>(
    ctx: &Ctx<'js>,
    host: &Rc<Host>,
    handler: AlarmHandler,
    gates: Object<'js>,
) -> rquickjs::Result<Object<'js>> {
    let native = Object::new(ctx.clone())?;
    storage::native(ctx, &native, host, handler)?;
    native.set(
        "blockConcurrencyWhile",
        gates.get::<_, rquickjs::Function<'js>>("blockConcurrencyWhile")?,
    )?;
    let own = host.clone();
    function(ctx, &native, "makeKv", move |ctx: Ctx<'js>| {
        let native = Object::new(ctx.clone())?;
        kv::native(&ctx, &native, &own)?;
        KV.run::<Object<'js>>(&ctx, native)
    })?;
    let own = host.clone();
    function(ctx, &native, "makeSql", move |ctx: Ctx<'js>| {
        let native = Object::new(ctx.clone())?;
        sql::native(&ctx, &native, &own)?;
        SQL.run::<Object<'js>>(&ctx, native)
    })?;
    STORAGE.run(ctx, native)
}

/// Defines a function of Rust's on an object.
fn function<'js, P, F>(
    ctx: &Ctx<'js>,
    object: &Object<'js>,
    name: &str,
    f: F,
) -> rquickjs::Result<()>
where
    F: rquickjs::function::IntoJsFunc<'js, P> + 'js,
{
    object.set(
        name,
        rquickjs::Function::new(ctx.clone(), f)?.with_name(name)?,
    )
}

/// Throws a storage error as Cloudflare words it.
fn throw(ctx: &Ctx<'_>, error: &Error) -> rquickjs::Error {
    match error.kind() {
        ErrorKind::Limit if !error.message().starts_with("Keys cannot") => {
            Exception::throw_message(ctx, "string or blob too big: SQLITE_TOOBIG")
        }
        _ => Exception::throw_message(ctx, error.message()),
    }
}

/// A buffer that values pass through on their way to and from the database.
#[derive(Default)]
struct Buffer(Cell<Vec<u8>>);

/// A buffer that grew beyond this is given back after use, in bytes.
const KEPT_BUFFER: usize = 64 << 10;

impl Buffer {
    /// Lends the buffer, empty. Whoever asks meanwhile, such as a getter that is run, gets a new one.
    fn with<R>(&self, f: impl FnOnce(&mut Vec<u8>) -> R) -> R {
        let mut bytes = self.0.take();
        bytes.clear();
        let result = f(&mut bytes);
        if bytes.capacity() <= KEPT_BUFFER {
            self.0.set(bytes);
        }
        result
    }
}
