//! The `WebAssembly` global of JavaScript, run by wasmtime: docs/decisions/0017-webassembly-in-javascript.md
//!
//! One store for each context, made at the first use, which ends with the context. JavaScript knows
//! what is in it by numbers; `glue/web/webassembly.js` gives them the shape of the standard. A call
//! (`call.rs`) runs on wasmtime's stacks, in slices, and what it imports runs on the turn's own.

mod buffer;
mod call;
mod code;
mod context;
mod errors;
mod externs;
mod functions;
mod instance;
mod limits;
mod members;
mod module;
mod on_turn;
mod store;
mod values;

pub(crate) use self::{
    code::{Code, Compiled},
    context::{Kept, Surroundings, surround},
    module::{ModuleHandle, import_module},
};

use rquickjs::{Ctx, Object, Result};

/// Adds the functions of `glue/web/webassembly.js` to `native`.
pub(crate) fn native<'js>(ctx: &Ctx<'js>, native: &Object<'js>) -> Result<()> {
    context::native(ctx, native)?;
    module::native(native)?;
    instance::native(native)?;
    members::native(native)
}
