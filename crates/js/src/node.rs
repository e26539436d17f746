//! Node's modules, for `import ... from "node:..."` and `require`, and the globals `Buffer` and `process`.
//!
//! A module is built in a context when it is first asked for, from glue (`glue/node/`) over functions in
//! Rust, and kept there. What Dolmen lacks of a module throws an error that names it when it is used;
//! a name that no module has is absent. What there is: `docs/reference/node-apis.md`.
//!
//! The web APIs must be installed in the context: modules share their classes.

mod bytes;
mod class;
mod domains;
mod globals;
mod modules;
mod scrypt;

use std::{cell::RefCell, collections::HashMap, rc::Rc};

use rquickjs::{Ctx, Exception, JsLifetime, Object, Result, Value, prelude::Func};

pub use self::globals::install as install_globals;
use self::modules::Module;
use crate::{async_context, web};

/// What a module exports, by its name without `node:`; `None` if there is no such module.
///
/// The object's own properties are the named exports. A property `default` is there only if the
/// default export is not the object itself.
pub fn exports<'js>(ctx: &Ctx<'js>, name: &str) -> Result<Option<Object<'js>>> {
    match modules::find(name) {
        Some(module) => get(ctx, module).map(Some),
        None => Ok(None),
    }
}

/// The names that [`exports`] knows, without `node:`.
pub fn names() -> impl Iterator<Item = &'static str> {
    modules::public().map(|module| module.name)
}

/// The modules of one context that are built so far.
#[derive(Default)]
struct Built<'js>(Rc<RefCell<HashMap<&'static str, Object<'js>>>>);

// SAFETY: `Changed` is the same type with the other lifetime, and nothing else of `'js` is inside.
unsafe impl<'js> JsLifetime<'js> for Built<'js> {
    type Changed<'to> = Built<'to>;
}

fn built<'js>(ctx: &Ctx<'js>) -> Result<Rc<RefCell<HashMap<&'static str, Object<'js>>>>> {
    if ctx.userdata::<Built<'js>>().is_none()
        && let Err(error) = ctx.store_userdata(Built::default())
    {
        return Err(Exception::throw_message(ctx, &error.to_string()));
    }
    let built = ctx
        .userdata::<Built<'js>>()
        .expect("it was there or is stored");
    Ok(built.0.clone())
}

fn get<'js>(ctx: &Ctx<'js>, module: &'static Module) -> Result<Object<'js>> {
    let built = built(ctx)?;
    if let Some(exports) = built.borrow().get(module.name) {
        return Ok(exports.clone());
    }
    let exports: Object<'js> = match module.glue {
        modules::Source::Glue(glue) => {
            let native = Object::new(ctx.clone())?;
            native.set("use", Func::from(use_module))?;
            native.set("web", Func::from(web::group::use_name))?;
            (module.natives)(ctx, &native)?;
            glue.run(ctx, native)?
        }
        modules::Source::Part(of, name) => {
            let whole = modules::find(of).expect("a part names a module of the table");
            get(ctx, whole)?.get(name)?
        }
    };
    built.borrow_mut().insert(module.name, exports.clone());
    Ok(exports)
}

/// Another module, for glue; also those that programs cannot import.
fn use_module<'js>(ctx: Ctx<'js>, name: String) -> Result<Option<Object<'js>>> {
    let module = modules::find_any(&name);
    module.map(|module| get(&ctx, module)).transpose()
}

/// The names of the modules, for `node:module`.
fn name_natives<'js>(_: &Ctx<'js>, native: &Object<'js>) -> Result<()> {
    native.set("names", Func::from(|| names().collect::<Vec<_>>()))
}

/// The async context, for `AsyncLocalStorage`.
fn async_natives<'js>(_: &Ctx<'js>, native: &Object<'js>) -> Result<()> {
    fn capture<'js>(ctx: Ctx<'js>) -> Value<'js> {
        async_context::capture(&ctx)
    }
    fn swap<'js>(ctx: Ctx<'js>, value: Value<'js>) -> Value<'js> {
        async_context::swap(&ctx, value)
    }
    native.set("capture", Func::from(capture))?;
    native.set("swap", Func::from(swap))
}
