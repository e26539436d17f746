//! Domain names in ASCII and in Unicode: the native half of `glue/node/url.js`.

use rquickjs::{Ctx, Object, Result, prelude::Func};

/// Adds the functions to `native`.
pub(super) fn natives<'js>(_: &Ctx<'js>, native: &Object<'js>) -> Result<()> {
    native.set(
        "domainToAscii",
        Func::from(|domain: String| url::quirks::domain_to_ascii(&domain)),
    )?;
    native.set(
        "domainToUnicode",
        Func::from(|domain: String| url::quirks::domain_to_unicode(&domain)),
    )
}
