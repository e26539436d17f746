//! The value that asynchronous code carries along: what `AsyncLocalStorage` is made of.
//!
//! The engine keeps one current value. A promise reaction (and so an `await`) and a job keep the
//! value that is current when they are made, and run in it. Whoever keeps a callback for later
//! does the same with [`capture`] and [`run_in`]. See `docs/decisions/0009-async-context.md`.
//!
//! Raw engine calls live here: the two functions are our own addition to QuickJS.

use std::{cell::Cell, ptr::NonNull};

use rquickjs::{Ctx, Value, qjs};

unsafe extern "C" {
    fn JS_GetAsyncContext(ctx: *mut qjs::JSContext) -> qjs::JSValue;
    fn JS_SetAsyncContext(ctx: *mut qjs::JSContext, value: qjs::JSValue);
}

/// The current value; `undefined` if nothing has set one.
pub(crate) fn capture<'js>(ctx: &Ctx<'js>) -> Value<'js> {
    // SAFETY: the context is live and locked; the count returned is taken over by `from_raw`.
    unsafe { Value::from_raw(ctx.clone(), JS_GetAsyncContext(ctx.as_raw().as_ptr())) }
}

/// Makes `value` the current one and returns the one before.
pub(crate) fn swap<'js>(ctx: &Ctx<'js>, value: Value<'js>) -> Value<'js> {
    let before = capture(ctx);
    // SAFETY: the context and the value are live; the engine takes over the count made for it.
    unsafe {
        let raw = ctx.as_raw().as_ptr();
        JS_SetAsyncContext(raw, qjs::JS_DupValue(raw, value.as_raw()));
    }
    before
}

/// Goes back to `undefined`, as a new turn begins.
pub(crate) fn clear(ctx: &Ctx<'_>) {
    swap(ctx, Value::new_undefined(ctx.clone()));
}

/// Runs `body` with `value` as the current one, and then restores the one before.
pub(crate) fn run_in<'js, T>(ctx: &Ctx<'js>, value: Value<'js>, body: impl FnOnce() -> T) -> T {
    let before = swap(ctx, value);
    let result = body();
    swap(ctx, before);
    result
}

/// The value that was current when the engine last asked whether it may go on: whose code it is
/// that does not end.
pub(crate) struct LastSeen {
    context: NonNull<qjs::JSContext>,
    value: Cell<Option<qjs::JSValue>>,
}

impl LastSeen {
    pub fn new(ctx: &Ctx<'_>) -> Self {
        Self {
            context: ctx.as_raw(),
            value: Cell::new(None),
        }
    }

    /// Called by the interrupt handler of the context's runtime, and by nobody else: the context
    /// is live and locked there.
    pub fn note(&self) {
        let context = self.context.as_ptr();
        // SAFETY: as above; what is given back is the count that was taken here the last time.
        unsafe {
            let now = JS_GetAsyncContext(context);
            if let Some(before) = self.value.replace(Some(now)) {
                qjs::JS_FreeValue(context, before);
            }
        }
    }

    /// The value, once. Must be called before the runtime goes, which minds what is still counted.
    pub fn take<'js>(&self, ctx: &Ctx<'js>) -> Option<Value<'js>> {
        let value = self.value.take()?;
        // SAFETY: the count that `note` took is taken over by the value.
        Some(unsafe { Value::from_raw(ctx.clone(), value) })
    }
}

#[cfg(test)]
mod tests {
    use rquickjs::{Context, Object, Runtime, prelude::Func};

    use super::*;

    /// Runs `source` and every job it leaves; `swap(value)` and `current()` are there, and what
    /// it `say`s comes back.
    fn said(source: &str) -> String {
        let runtime = Runtime::new().unwrap();
        let context = Context::full(&runtime).unwrap();
        context.with(|ctx| {
            let globals = ctx.globals();
            globals
                .set("swap", Func::from(swap_in))
                .unwrap();
            globals.set("current", Func::from(current)).unwrap();
            ctx.eval::<(), _>(
                "globalThis.lines = [];
                globalThis.say = (name) => lines.push(`${name} ${current()}`);
                globalThis.run = (value, body) => { const before = swap(value); try { return body() } finally { swap(before) } };",
            )
            .unwrap();
            ctx.eval::<(), _>(source).unwrap();
            while ctx.execute_pending_job() {}
            assert!(capture(&ctx).is_undefined(), "jobs restore the value before");
            ctx.eval("lines.join(', ')").unwrap()
        })
    }

    fn swap_in<'js>(ctx: Ctx<'js>, value: Value<'js>) -> Value<'js> {
        swap(&ctx, value)
    }

    fn current<'js>(ctx: Ctx<'js>) -> Value<'js> {
        capture(&ctx)
    }

    #[test]
    fn await_goes_on_in_the_value_it_began_in() {
        let source = "
            const task = async (name) => { say(name); await 0; say(name); await { then: (go) => { say('thenable'); go() } }; say(name) };
            run('a', () => task('first')); run('b', () => task('second')); task('third');";
        assert_eq!(
            said(source),
            "first a, second b, third undefined, first a, second b, third undefined, \
             thenable a, thenable b, thenable undefined, first a, second b, third undefined"
        );
    }

    #[test]
    fn reactions_keep_their_own_value_whoever_resolves() {
        let source = "
            let go; const promise = new Promise((resolve) => { go = resolve });
            run('a', () => promise.then(() => say('then')).finally(() => say('finally')));
            run('b', () => promise.then(() => { throw 1 }).catch(() => say('catch')));
            run('c', () => queueMicrotask(() => say('microtask')));
            run('d', () => go());";
        assert_eq!(said(source), "microtask c, then a, finally a, catch b");
    }

    #[test]
    fn generators_and_iteration_keep_it() {
        let source = "
            async function* numbers() { say('generator'); yield 1; await 0; say('generator'); yield 2 }
            run('a', async () => { for await (const number of numbers()) say(number); for await (const number of [3]) say(number); });";
        assert_eq!(said(source), "generator a, 1 a, generator a, 2 a, 3 a");
    }

    #[test]
    fn a_change_inside_a_job_ends_with_the_job() {
        let source = "
            (async () => { await 0; swap('x'); say('changed'); await 0; say('kept') })();
            (async () => { await 0; say('other'); await 0; say('other') })();";
        assert_eq!(
            said(source),
            "changed x, other undefined, kept x, other undefined"
        );
    }

    #[test]
    fn values_in_reactions_and_jobs_are_freed() {
        let runtime = Runtime::new().unwrap();
        let context = Context::full(&runtime).unwrap();
        let begin = |ctx: &Ctx<'_>, kept: &str| {
            let value = Object::new(ctx.clone()).unwrap();
            let before = swap(ctx, value.into_value());
            // The value and the promise are a cycle: the promise keeps the value, the value the promise.
            ctx.eval::<(), _>(format!(
                "{kept} new Promise(() => {{}}).then(() => {{}}, () => {{}})"
            ))
            .unwrap();
            swap(ctx, before);
        };
        let used = || runtime.memory_usage().obj_count;
        context.with(|ctx| begin(&ctx, ""));
        runtime.run_gc();
        let before = used();
        context.with(|ctx| {
            for _ in 0..100 {
                begin(&ctx, "");
            }
        });
        runtime.run_gc();
        assert_eq!(used(), before);
        // What is still pending and current when the runtime ends is freed with it.
        context.with(|ctx| {
            begin(&ctx, "globalThis.pending =");
            swap(&ctx, Object::new(ctx.clone()).unwrap().into_value());
            ctx.eval::<(), _>("queueMicrotask(() => {})").unwrap();
        });
    }
}
