//! Parts of the engine's own library that are replaced because they leak: at the end of an instance the engine would
//! find what was leaked and end the process.

use rquickjs::{Ctx, Object};

use crate::web::glue::Glue;

static ITERATOR: Glue = Glue::new(
    "dolmen:engine/iterator.js",
    include_str!("../glue/engine/iterator.js"),
);

/// Replaces them in a new context.
pub(crate) fn install(ctx: &Ctx<'_>) -> rquickjs::Result<()> {
    ITERATOR.run(ctx, Object::new(ctx.clone())?)
}
