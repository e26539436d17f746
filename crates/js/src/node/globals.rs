//! The globals that programs for Node expect: `Buffer`, `process`, `setImmediate`, `clearImmediate`, `global`.

use rquickjs::{Ctx, Object, Result, Value, prelude::Func};

use super::use_module;
use crate::web::glue::Glue;

static GLUE: Glue = Glue::new(
    "dolmen:node/globals.js",
    include_str!("../../glue/node/globals.js"),
);

/// Puts the globals on the global object; a module is built when one of its names is first used.
///
/// A program that assigns a name first just has its own value.
pub fn install(ctx: &Ctx<'_>) -> Result<()> {
    let native = Object::new(ctx.clone())?;
    native.set("use", Func::from(use_module))?;
    GLUE.run::<Value<'_>>(ctx, native).map(drop)
}
