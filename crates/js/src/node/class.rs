//! What the engine knows of a value, whatever a program has done to its prototype. Raw engine calls live
//! here, because rquickjs has none for these.

use rquickjs::{
    Ctx, Error, FromJs, IntoJs, Result, Value, convert::List, promise::PromiseState, qjs,
};

/// The engine's name for an object's class, such as `Map Iterator`; `undefined` for what is no object.
pub(super) fn class_of<'js>(ctx: Ctx<'js>, value: Value<'js>) -> Result<Value<'js>> {
    if !value.is_object() {
        return Ok(Value::new_undefined(ctx));
    }
    // SAFETY: reads the class of a live value.
    if unsafe { qjs::JS_IsProxy(value.as_raw()) } {
        return "Proxy".into_js(&ctx);
    }
    let raw = ctx.as_raw().as_ptr();
    // SAFETY: the value and the context are live; the atom is counted for us and freed once, and the
    // string returned is taken over by `from_raw`.
    let name = unsafe {
        let class = qjs::JS_GetClassID(value.as_raw());
        let atom = qjs::JS_GetClassName(qjs::JS_GetRuntime(raw), class);
        let name = qjs::JS_AtomToString(raw, atom);
        qjs::JS_FreeAtom(raw, atom);
        Value::from_raw(ctx.clone(), name)
    };
    if name.is_exception() {
        return Err(Error::Exception);
    }
    Ok(name)
}

/// `[state, result]` of a promise.
pub(super) fn promise_state<'js>(
    ctx: Ctx<'js>,
    value: Value<'js>,
) -> Result<Option<List<(&'static str, Value<'js>)>>> {
    let Some(promise) = value.as_promise() else {
        return Ok(None);
    };
    let state = match promise.state() {
        PromiseState::Pending => return Ok(Some(List(("pending", Value::new_undefined(ctx))))),
        PromiseState::Resolved => "fulfilled",
        PromiseState::Rejected => "rejected",
    };
    // SAFETY: the promise is live; the result is counted for us and taken over by `from_raw`.
    let result = unsafe {
        let result = qjs::JS_PromiseResult(ctx.as_raw().as_ptr(), value.as_raw());
        Value::from_raw(ctx.clone(), result)
    };
    Ok(Some(List((state, result))))
}

/// What a proxy stands for; `undefined` for everything else and for a revoked one.
pub(super) fn proxy_target<'js>(ctx: Ctx<'js>, value: Value<'js>) -> Result<Value<'js>> {
    // SAFETY: the value is live; the target is counted for us and taken over by `from_raw`.
    unsafe {
        if !value.is_object() || !qjs::JS_IsProxy(value.as_raw()) {
            return Ok(Value::new_undefined(ctx));
        }
        let target = qjs::JS_GetProxyTarget(ctx.as_raw().as_ptr(), value.as_raw());
        let target = Value::from_raw(ctx.clone(), target);
        if target.is_exception() {
            ctx.catch();
            return Ok(Value::new_undefined(ctx));
        }
        Value::from_js(&ctx, target)
    }
}
