//! The parts that are written in JavaScript (`glue/web/`): compiled once in a process, loaded by each
//! context that uses them. Raw engine calls live here, because only they leave the source text out of
//! the bytecode, which halves what a context keeps of it.
//!
//! A file is a function of `native`, an object with what it needs from Rust and from other groups, and
//! returns what it defines.

use std::ffi::{CString, c_int};
use std::sync::OnceLock;

use rquickjs::{Ctx, Error, FromJs, Function, Object, Result, Value, qjs};

pub(crate) struct Glue {
    file: &'static str,
    source: &'static str,
    /// Bytecode that the engine of this process wrote.
    compiled: OnceLock<Vec<u8>>,
}

macro_rules! glue {
    ($($name:ident: $file:literal,)*) => {
        $(pub(super) static $name: Glue = Glue::new(
            concat!("dolmen:web/", $file),
            include_str!(concat!("../../glue/web/", $file)),
        );)*
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
    COMPRESSION: "compression.js",
    URL_PATTERN: "url_pattern.js",
    SCHEDULER: "scheduler.js",
    MESSAGES: "messages.js",
    ABSENT: "absent.js",
    WEBSOCKET: "websocket.js",
    CRYPTO: "crypto.js",
    SUBTLE: "subtle.js",
    PLATFORM: "platform.js",
    STREAMS: "streams.js",
    STREAMS_READABLE: "streams_readable.js",
    STREAMS_WRITABLE: "streams_writable.js",
    STREAMS_PIPE: "streams_pipe.js",
    URL: "url.js",
    DISPOSAL: "disposal.js",
    WEBASSEMBLY: "webassembly.js",
}

impl Glue {
    /// A file under the name that stack traces give it.
    pub(crate) const fn new(file: &'static str, source: &'static str) -> Self {
        Self {
            file,
            source,
            compiled: OnceLock::new(),
        }
    }

    /// Runs the file and returns what it defines.
    pub(crate) fn run<'js, T: FromJs<'js>>(
        &self,
        ctx: &Ctx<'js>,
        native: Object<'js>,
    ) -> Result<T> {
        let compiled = match self.compiled.get() {
            Some(compiled) => compiled,
            None => {
                let compiled = compile(ctx, self.file, self.source)?;
                self.compiled.get_or_init(|| compiled)
            }
        };
        load(ctx, compiled)?.call((native,))
    }
}

fn compile(ctx: &Ctx<'_>, file: &str, source: &str) -> Result<Vec<u8>> {
    let raw = ctx.as_raw().as_ptr();
    let (file, text) = (CString::new(file)?, CString::new(source)?);
    let flags = qjs::JS_EVAL_TYPE_GLOBAL | qjs::JS_EVAL_FLAG_COMPILE_ONLY;
    // SAFETY: the context is live and locked; the text ends with a zero that its length leaves out; the
    // value returned is taken over by `from_raw`.
    let script = unsafe {
        let script = qjs::JS_Eval(
            raw,
            text.as_ptr(),
            source.len() as _,
            file.as_ptr(),
            flags as c_int,
        );
        Value::from_raw(ctx.clone(), script)
    };
    if script.is_exception() {
        return Err(Error::Exception);
    }
    let flags = qjs::JS_WRITE_OBJ_BYTECODE | qjs::JS_WRITE_OBJ_STRIP_SOURCE;
    let mut length = 0;
    // SAFETY: `script` is a compiled script; the engine returns `length` bytes that are ours to free.
    unsafe {
        let bytes = qjs::JS_WriteObject(raw, &mut length, script.as_raw(), flags as c_int);
        if bytes.is_null() {
            return Err(Error::Exception);
        }
        let copy = std::slice::from_raw_parts(bytes, length as usize).to_vec();
        qjs::js_free(raw, bytes.cast());
        Ok(copy)
    }
}

fn load<'js>(ctx: &Ctx<'js>, compiled: &[u8]) -> Result<Function<'js>> {
    let raw = ctx.as_raw().as_ptr();
    // SAFETY: this engine wrote the bytes and nothing has changed them; `JS_EvalFunction` takes over the
    // script's count, and `from_raw` that of the result.
    let function = unsafe {
        let flags = qjs::JS_READ_OBJ_BYTECODE as c_int;
        let script = qjs::JS_ReadObject(raw, compiled.as_ptr(), compiled.len() as _, flags);
        if qjs::JS_IsException(script) {
            return Err(Error::Exception);
        }
        Value::from_raw(ctx.clone(), qjs::JS_EvalFunction(raw, script))
    };
    if function.is_exception() {
        return Err(Error::Exception);
    }
    Function::from_js(ctx, function)
}
