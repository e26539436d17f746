//! Calls between JavaScript and WebAssembly.
//!
//! WebAssembly runs on stacks of wasmtime's, and JavaScript on the turn's: a turn may be suspended
//! in JavaScript for long, and wasmtime wants its calls of a thread to end in the reverse order. So
//! an imported function only leaves its call in [`Shared::asked`] and waits; `drive`, on the turn's
//! stack, runs it and polls again. WebAssembly that runs long is suspended too, by the epoch.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    ptr::NonNull,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use rquickjs::{Ctx, Exception, Function, Result, Value, function::Args};
use wasmtime::{AsContextMut, Caller, Func, FuncType, StoreContextMut, Val};

use super::{
    buffer,
    context::Wasm,
    errors::{Class, Ended, Thrown},
    functions::Signature,
    on_turn::OnTurn,
    store::{Asked, Data, Shared},
    values::{Plain, Type, no_vectors},
};
/// Calls into WebAssembly that may be under way, one inside the other. Each has a stack of 1 MiB.
const MAX_DEPTH: u32 = 64;

/// Counts a call that is under way; values on their way to it are not given up.
pub(super) struct Entered<'a, 'js>(&'a Wasm<'js>);

impl<'a, 'js> Entered<'a, 'js> {
    pub fn new(ctx: &Ctx<'js>, wasm: &'a Wasm<'js>) -> Result<Self> {
        if wasm.depth.get() >= MAX_DEPTH {
            let message = format!(
                "Maximum call stack size exceeded: {MAX_DEPTH} calls into WebAssembly are under way, one inside the other"
            );
            return Err(Exception::throw_range(ctx, &message));
        }
        wasm.depth.set(wasm.depth.get() + 1);
        Ok(Self(wasm))
    }
}

impl Drop for Entered<'_, '_> {
    fn drop(&mut self) {
        self.0.depth.set(self.0.depth.get() - 1);
    }
}

/// A call of an exported function by JavaScript.
pub(super) fn exported<'js>(
    ctx: &Ctx<'js>,
    number: u32,
    arguments: Vec<Value<'js>>,
) -> Result<Value<'js>> {
    let wasm = Wasm::of(ctx)?;
    let result = enter(ctx, &wasm, number, arguments);
    wasm.settle_after(ctx, result)
}

fn enter<'js>(
    ctx: &Ctx<'js>,
    wasm: &Wasm<'js>,
    number: u32,
    arguments: Vec<Value<'js>>,
) -> Result<Value<'js>> {
    let _entered = Entered::new(ctx, wasm)?;
    let known = wasm.store.shared.functions.borrow().get(number);
    let Signature { params, results } = &*known.signature;
    if params.contains(&Type::V128) || results.contains(&Type::V128) {
        return Err(no_vectors(ctx));
    }
    let mut arguments = arguments.into_iter();
    let mut given = Vec::with_capacity(params.len());
    for ty in params {
        let value = arguments.next();
        let value = value.unwrap_or_else(|| Value::new_undefined(ctx.clone()));
        given.push(Plain::of_js(ctx, wasm, *ty, value)?);
    }
    let got = call(ctx, wasm, &known.func, &given, results)?;
    match got.as_slice() {
        [] => Ok(Value::new_undefined(ctx.clone())),
        [one] => one.to_js(ctx, wasm),
        all => {
            let list = rquickjs::Array::new(ctx.clone())?;
            for (index, value) in all.iter().enumerate() {
                list.set(index, value.to_js(ctx, wasm)?)?;
            }
            Ok(list.into_value())
        }
    }
}

fn call<'js>(
    ctx: &Ctx<'js>,
    wasm: &Wasm<'js>,
    func: &Func,
    given: &[Plain],
    results: &[Type],
) -> Result<Vec<Plain>> {
    let shared = &wasm.store.shared;
    let called = wasm.store.with(|mut store| {
        let to_val = |plain: &Plain| plain.to_val(&mut store, shared);
        let params = given
            .iter()
            .map(to_val)
            .collect::<wasmtime::Result<Vec<Val>>>()?;
        let mut values = vec![Val::I32(0); results.len()];
        store.set_epoch_deadline(1);
        let called = func.call_async(store.as_context_mut(), &params, &mut values);
        drive(ctx, wasm, called)?;
        let plain = |value| Plain::of_val(&mut store, shared, value);
        Ok(values.iter().map(plain).collect())
    });
    called.map_err(|ended: Ended<'js>| ended.throw(ctx, wasm, Class::Runtime))
}

/// Polls `work` to its end, which wasmtime does on a stack of its own. Between two polls it runs the
/// imported functions that `work` calls, or lets the runtime give the thread to other objects.
///
/// # Errors
/// What `work` ended with. It is thrown when nobody works on the store any more, because making an
/// error may run code.
pub(super) fn drive<'js, T>(
    ctx: &Ctx<'js>,
    wasm: &Wasm<'js>,
    work: impl Future<Output = wasmtime::Result<T>>,
) -> std::result::Result<T, Ended<'js>> {
    let _running = wasm.store.compiler.running();
    let shared = &wasm.store.shared;
    let mut work = pin!(work);
    let mut thrown = None;
    loop {
        match work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(done)) => return Ok(done),
            Poll::Ready(Err(error)) => {
                return Err(match thrown {
                    Some(thrown) if error.is::<Thrown>() => Ended::Thrown(thrown),
                    _ => Ended::Failed(error),
                });
            }
            Poll::Pending => {}
        }
        let Some(asked) = shared.asked.take() else {
            if (wasm.surroundings.may_go_on)() {
                continue;
            }
            // Dropping the work unwinds what runs on wasmtime's stack.
            return Err(Ended::Stopped);
        };
        let caller = asked.caller;
        let answer = wasm.store.answering(caller, || {
            imported(ctx, wasm, &asked).map_err(|error| {
                if !error.is_exception() {
                    let _ = Exception::throw_message(ctx, &error.to_string());
                }
                ctx.catch()
            })
        });
        let answer = answer.map_err(|value| thrown = Some(value));
        shared.answer.set(Some(answer));
    }
}

/// Calls a function that an instance imports.
fn imported<'js>(ctx: &Ctx<'js>, wasm: &Wasm<'js>, asked: &Asked) -> Result<Vec<Plain>> {
    buffer::detach_grown(ctx, wasm);
    let (function, signature) = wasm.imports.borrow()[asked.import as usize].clone();
    let types = &signature.results;
    if signature.params.contains(&Type::V128) || types.contains(&Type::V128) {
        return Err(no_vectors(ctx));
    }
    let mut arguments = Args::new(ctx.clone(), asked.params.len());
    for value in &asked.params {
        arguments.push_arg(value.to_js(ctx, wasm)?)?;
    }
    let result: Value<'js> = function.call_arg(arguments)?;
    match types.as_slice() {
        [] => Ok(Vec::new()),
        [one] => Ok(vec![Plain::of_js(ctx, wasm, *one, result)?]),
        all => {
            let list_of: Function<'js> = wasm.glue.get("listOf")?;
            let list: Vec<Value<'js>> = list_of.call((result,))?;
            if list.len() != all.len() {
                let message = "multi-return length mismatch";
                return Err(Exception::throw_type(ctx, message));
            }
            let pairs = all.iter().zip(list);
            pairs
                .map(|(ty, value)| Plain::of_js(ctx, wasm, *ty, value))
                .collect()
        }
    }
}

/// A function for instances to import: the one that the context has under this number.
pub(super) fn import(
    store: &mut StoreContextMut<'_, Data>,
    shared: &Rc<Shared>,
    ty: FuncType,
    import: u32,
) -> Func {
    let shared = OnTurn(shared.clone());
    Func::new_async(store, ty, move |caller, params, results| {
        let (shared, caller) = (OnTurn(Rc::clone(&shared)), OnTurn(caller));
        Box::new(ask(shared, caller, import, params, results))
    })
}

/// Leaves the call for the turn, and waits for the answer.
async fn ask(
    shared: OnTurn<Rc<Shared>>,
    mut caller: OnTurn<Caller<'_, Data>>,
    import: u32,
    params: &[Val],
    results: &mut [Val],
) -> wasmtime::Result<()> {
    {
        let mut store = caller.0.as_context_mut();
        let plain = |value| Plain::of_val(&mut store, &shared, value);
        let params = params.iter().map(plain).collect();
        shared.asked.set(Some(Asked {
            import,
            params,
            caller: NonNull::from(&mut caller.0).cast(),
        }));
    }
    let answer = poll_fn(|_| match shared.answer.take() {
        Some(answer) => Poll::Ready(answer),
        None => Poll::Pending,
    });
    let answer = answer.await.map_err(|()| wasmtime::Error::new(Thrown))?;
    let mut store = caller.0.as_context_mut();
    for (result, plain) in results.iter_mut().zip(answer) {
        *result = plain.to_val(&mut store, &shared)?;
    }
    Ok(())
}

impl<'js> Wasm<'js> {
    /// Settles after a call; what the call threw stays what is thrown.
    pub(super) fn settle_after<T>(&self, ctx: &Ctx<'js>, result: Result<T>) -> Result<T> {
        match result {
            Ok(done) => self.settle(ctx).map(|()| done),
            Err(error) if error.is_exception() => {
                let thrown = ctx.catch();
                if self.settle(ctx).is_err() {
                    ctx.catch();
                }
                Err(ctx.throw(thrown))
            }
            Err(error) => Err(error),
        }
    }
}
