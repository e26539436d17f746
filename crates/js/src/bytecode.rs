//! Bytecode: compiled once, loaded by every new runtime. Raw QuickJS calls live here, because
//! rquickjs offers them for modules only.

use std::ffi::CString;

use rquickjs::{Ctx, FromJs, Value, qjs};

/// A compiled script.
#[derive(Clone)]
pub(crate) struct Bytecode(std::sync::Arc<[u8]>);

/// Compiles `source` as a sloppy script without running it.
pub(crate) fn compile_script(
    ctx: &Ctx<'_>,
    file: &str,
    source: &str,
) -> rquickjs::Result<Bytecode> {
    let file_name = CString::new(file)?;
    let text = CString::new(source)?;
    let flags = qjs::JS_EVAL_TYPE_GLOBAL | qjs::JS_EVAL_FLAG_COMPILE_ONLY;
    // SAFETY: the context is live and locked by whoever holds `ctx`; `text` is NUL-terminated and
    // its length excludes the NUL; both strings outlive the call.
    let compiled = unsafe {
        qjs::JS_Eval(
            ctx.as_raw().as_ptr(),
            text.as_ptr(),
            source.len() as _,
            file_name.as_ptr(),
            flags as i32,
        )
    };
    // SAFETY: `compiled` is a value just returned to us, which `from_raw` takes over.
    let compiled = unsafe { Value::from_raw(ctx.clone(), compiled) };
    if compiled.is_exception() {
        return Err(rquickjs::Error::Exception);
    }
    let mut length = 0;
    // SAFETY: `compiled` is a compiled script; the buffer returned has `length` bytes and is ours
    // to free with `js_free`.
    let bytes = unsafe {
        let buffer = qjs::JS_WriteObject(
            ctx.as_raw().as_ptr(),
            &mut length,
            compiled.as_raw(),
            qjs::JS_WRITE_OBJ_BYTECODE as i32,
        );
        if buffer.is_null() {
            return Err(rquickjs::Error::Exception);
        }
        let bytes = std::slice::from_raw_parts(buffer, length as usize).into();
        qjs::js_free(ctx.as_raw().as_ptr(), buffer.cast());
        bytes
    };
    Ok(Bytecode(bytes))
}

impl Bytecode {
    /// Loads the script into `ctx` and runs it; gives its completion value.
    pub fn evaluate<'js, T: FromJs<'js>>(&self, ctx: &Ctx<'js>) -> rquickjs::Result<T> {
        // SAFETY: the bytes were written by `JS_WriteObject` of the same QuickJS in this process
        // and are not changed since; `JS_EvalFunction` consumes the reference made for it.
        let value = unsafe {
            let function = qjs::JS_ReadObject(
                ctx.as_raw().as_ptr(),
                self.0.as_ptr(),
                self.0.len() as _,
                qjs::JS_READ_OBJ_BYTECODE as i32,
            );
            let function = Value::from_raw(ctx.clone(), function);
            if function.is_exception() {
                return Err(rquickjs::Error::Exception);
            }
            let given = qjs::JS_DupValue(ctx.as_raw().as_ptr(), function.as_raw());
            Value::from_raw(
                ctx.clone(),
                qjs::JS_EvalFunction(ctx.as_raw().as_ptr(), given),
            )
        };
        if value.is_exception() {
            return Err(rquickjs::Error::Exception);
        }
        T::from_js(ctx, value)
    }
}
