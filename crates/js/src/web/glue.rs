//! The parts that are written in JavaScript (`glue/web/`): compiled once in a process, loaded by each
//! context that uses them.
//!
//! A file is a function of `native`, an object with what it needs from Rust and from other groups, and
//! returns an object with the group's names.

use std::sync::OnceLock;

use rquickjs::{Ctx, FromJs, Function, Object, Result};

use crate::bytecode::{self, Bytecode};

pub(super) struct Glue {
    file: &'static str,
    source: &'static str,
    compiled: OnceLock<Bytecode>,
}

macro_rules! glue {
    ($($name:ident: $file:literal,)*) => {
        $(pub(super) static $name: Glue = Glue {
            file: concat!("dolmen:web/", $file),
            source: include_str!(concat!("../../glue/web/", $file)),
            compiled: OnceLock::new(),
        };)*
    };
}

glue! {
    EVENTS: "events.js",
    ABORT: "abort.js",
    BLOB: "blob.js",
    ENCODING: "encoding.js",
    HEADERS: "headers.js",
    FORM_DATA: "form_data.js",
    FETCH: "fetch.js",
    TRANSFORM: "transform.js",
    CRYPTO: "crypto.js",
    PLATFORM: "platform.js",
    STREAMS: "streams.js",
    STREAMS_READABLE: "streams_readable.js",
    STREAMS_WRITABLE: "streams_writable.js",
    STREAMS_PIPE: "streams_pipe.js",
    URL: "url.js",
}

impl Glue {
    /// Runs the file and returns the names that it defines.
    pub(super) fn run<'js, T: FromJs<'js>>(
        &self,
        ctx: &Ctx<'js>,
        native: Object<'js>,
    ) -> Result<T> {
        let compiled = match self.compiled.get() {
            Some(compiled) => compiled,
            None => {
                let compiled = bytecode::compile_script(ctx, self.file, self.source)?;
                self.compiled.get_or_init(|| compiled)
            }
        };
        let function: Function<'js> = compiled.evaluate(ctx)?;
        function.call((native,))
    }
}
