//! The table of the modules: names, glue, and what each needs from Rust.

use rquickjs::{Ctx, Object, Result};

use super::{async_natives, bytes, domains, name_natives, scrypt};
use crate::{
    bindings::process_natives,
    web::{self, glue::Glue},
};

pub(super) struct Module {
    pub name: &'static str,
    pub glue: Source,
    /// Adds what the glue needs from Rust to its `native`.
    pub natives: for<'a, 'js> fn(&'a Ctx<'js>, &'a Object<'js>) -> Result<()>,
}

#[derive(Clone, Copy)]
pub(super) enum Source {
    Glue(&'static Glue),
    /// A property of another module's exports.
    Part(&'static str, &'static str),
}

/// What glue shares and programs cannot import.
const INTERNAL: &str = "internal/";

fn nothing(_: &Ctx<'_>, _: &Object<'_>) -> Result<()> {
    Ok(())
}

macro_rules! file {
    ($file:literal) => {{
        static GLUE: Glue = Glue::new(
            concat!("dolmen:node/", $file),
            include_str!(concat!("../../glue/node/", $file)),
        );
        Source::Glue(&GLUE)
    }};
}

macro_rules! modules {
    ($($name:literal: $glue:expr $(, $natives:path)?;)*) => {
        static MODULES: &[Module] = &[$(Module {
            name: $name,
            glue: $glue,
            natives: modules!(@ $($natives)?),
        }),*];
    };
    (@) => { nothing };
    (@ $natives:path) => { $natives };
}

modules! {
    "internal/errors": file!("errors.js");
    "internal/inspect": file!("inspect.js"), bytes::class_natives;
    "internal/equal": file!("equal.js"), bytes::class_natives;
    "internal/readable-stream": file!("readable_stream.js");
    "assert": file!("assert.js");
    "assert/strict": Source::Part("assert", "strict");
    "async_hooks": file!("async_hooks.js"), async_natives;
    "buffer": file!("buffer.js"), bytes::natives;
    "internal/ciphers": file!("ciphers.js"), web::crypto_natives;
    "internal/derivation": file!("derivation.js"), scrypt::natives;
    "internal/keys": file!("keys.js"), web::key_natives;
    "crypto": file!("crypto.js"), web::crypto_natives;
    "diagnostics_channel": file!("diagnostics_channel.js");
    "events": file!("events.js");
    "module": file!("module.js"), name_natives;
    "os": file!("os.js");
    "path": file!("path.js");
    "path/posix": Source::Part("path", "posix");
    "perf_hooks": file!("perf_hooks.js");
    "process": file!("process.js"), process_natives;
    "querystring": file!("querystring.js");
    "stream": file!("stream.js");
    "stream/consumers": file!("stream_consumers.js");
    "stream/promises": Source::Part("stream", "promises");
    "stream/web": file!("stream_web.js");
    "string_decoder": file!("string_decoder.js");
    "timers": file!("timers.js");
    "timers/promises": Source::Part("timers", "promises");
    "tty": file!("tty.js");
    "url": file!("url.js"), domains::natives;
    "util": file!("util.js");
    "util/types": file!("types.js"), bytes::class_natives;
    "sys": file!("sys.js");
}

/// The module that programs import by this name.
pub(super) fn find(name: &str) -> Option<&'static Module> {
    public().find(|module| module.name == name)
}

/// Also those that only glue uses.
pub(super) fn find_any(name: &str) -> Option<&'static Module> {
    MODULES.iter().find(|module| module.name == name)
}

pub(super) fn public() -> impl Iterator<Item = &'static Module> {
    MODULES
        .iter()
        .filter(|module| !module.name.starts_with(INTERNAL))
}
