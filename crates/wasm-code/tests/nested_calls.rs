//! What JavaScript asks of wasmtime: calls that wait for the host on a coroutine of the host's own,
//! call again meanwhile, and end in any order. The host function does nothing but to leave its call
//! and wait; the loop that polls the call does it, on the coroutine.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    ops::{Deref, DerefMut},
    pin::pin,
    ptr::NonNull,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use corosensei::{Coroutine, CoroutineResult, Yielder};
use dolmen_wasm_code::Compiler;
use wasmtime::{
    AsContextMut, Caller, Func, Instance, Module, Store, StoreContextMut, Trap, TypedFunc,
};

const GUEST: &str = r#"(module
    (import "host" "ask" (func $ask (param i32) (result i32)))
    (func (export "outer") (param i32) (result i32)
        (i32.add (call $ask (local.get 0)) (i32.const 1000)))
    (func (export "inner") (param i32) (result i32)
        (i32.mul (local.get 0) (i32.const 2)))
    (func (export "trap") (param i32) (result i32) unreachable)
    (func (export "forever") (param i32) (result i32) (loop $l (br $l)) unreachable)
)"#;

/// A value that stays on the thread of the test.
struct Local<T>(T);
// SAFETY: each test uses its values on its own thread alone.
unsafe impl<T> Send for Local<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Local<T> {}

impl<T> Deref for Local<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Local<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

/// Where a host function leaves its call, and finds the answer.
#[derive(Default)]
struct Place {
    asked: Cell<Option<(i32, NonNull<Caller<'static, ()>>)>>,
    answer: Cell<Option<Result<i32, String>>>,
}

struct Guest {
    store: RefCell<Store<()>>,
    place: Rc<Place>,
    /// The contexts of the callers that wait, the last one innermost.
    waiting: RefCell<Vec<NonNull<Caller<'static, ()>>>>,
    instance: Instance,
}

impl Guest {
    fn new(compiler: &Compiler) -> Self {
        let module = Module::new(compiler.engine(), wat::parse_str(GUEST).unwrap()).unwrap();
        let mut store = Store::new(compiler.engine(), ());
        store.epoch_deadline_async_yield_and_update(1);
        store.set_epoch_deadline(1);
        let place = Rc::new(Place::default());
        let own = Local(place.clone());
        let ask = Func::wrap_async(
            &mut store,
            move |caller: Caller<'_, ()>, (asked,): (i32,)| {
                Box::new(ask(Local(Rc::clone(&own)), Local(caller), asked))
            },
        );
        let instance = ready(Instance::new_async(&mut store, &module, &[ask.into()])).unwrap();
        Self {
            store: RefCell::new(store),
            place,
            waiting: RefCell::default(),
            instance,
        }
    }

    /// Works on the store, through the innermost caller that waits.
    fn with<R>(&self, work: impl FnOnce(StoreContextMut<'_, ()>) -> R) -> R {
        let innermost = self.waiting.borrow().last().copied();
        match innermost {
            // SAFETY: the caller is in a future that is suspended until `call` has its answer.
            Some(mut caller) => work(unsafe { caller.as_mut() }.as_context_mut()),
            None => work(self.store.borrow_mut().as_context_mut()),
        }
    }

    /// Calls an export; `host` answers what it asks.
    fn call(
        &self,
        name: &str,
        param: i32,
        host: &dyn Fn(i32) -> Result<i32, String>,
        checkpoint: &dyn Fn() -> bool,
    ) -> wasmtime::Result<i32> {
        self.with(|mut store| {
            let function: TypedFunc<i32, i32> = self.instance.get_typed_func(&mut store, name)?;
            store.set_epoch_deadline(1);
            let mut call = pin!(function.call_async(&mut store, param));
            loop {
                if let Poll::Ready(done) =
                    call.as_mut().poll(&mut Context::from_waker(Waker::noop()))
                {
                    return done;
                }
                let Some((asked, caller)) = self.place.asked.take() else {
                    if !checkpoint() {
                        wasmtime::bail!("stopped");
                    }
                    continue;
                };
                self.waiting.borrow_mut().push(caller);
                let answer = host(asked);
                self.waiting.borrow_mut().pop();
                if !checkpoint() {
                    wasmtime::bail!("stopped");
                }
                self.place.answer.set(Some(answer));
            }
        })
    }
}

async fn ask(
    place: Local<Rc<Place>>,
    mut caller: Local<Caller<'_, ()>>,
    asked: i32,
) -> wasmtime::Result<i32> {
    let pointer = NonNull::from(&mut *caller).cast();
    place.asked.set(Some((asked, pointer)));
    let answer = poll_fn(|_| match place.answer.take() {
        Some(answer) => Poll::Ready(answer),
        None => Poll::Pending,
    });
    answer.await.map_err(wasmtime::Error::msg)
}

fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it should not wait"),
    }
}

type Run<'a, T> = Box<dyn FnOnce(&Yielder<(), ()>) -> T + 'a>;

/// A turn: a coroutine that `run` may suspend.
fn turn<'a, T: 'static>(run: impl FnOnce(&Yielder<(), ()>) -> T + 'a) -> Coroutine<(), (), T> {
    let run: Run<'a, T> = Box::new(run);
    // SAFETY: the tests end their coroutines before what those borrow goes.
    let run = unsafe { std::mem::transmute::<Run<'a, T>, Run<'static, T>>(run) };
    Coroutine::new(move |yielder: &Yielder<(), ()>, ()| run(yielder))
}

fn suspended<T>(result: CoroutineResult<(), T>) {
    assert!(matches!(result, CoroutineResult::Yield(())));
}

fn ended<T>(result: CoroutineResult<(), T>) -> T {
    match result {
        CoroutineResult::Return(value) => value,
        CoroutineResult::Yield(()) => panic!("it is still suspended"),
    }
}

fn nested(guest: &Guest, yielder: &Yielder<(), ()>) -> i32 {
    let check = || true;
    let host = |asked| {
        yielder.suspend(());
        let inner = guest
            .call("inner", asked, &|_| unreachable!(), &check)
            .unwrap();
        yielder.suspend(());
        // Two deep, and back.
        let outer = guest
            .call(
                "outer",
                inner,
                &|asked| {
                    yielder.suspend(());
                    Ok(asked + 1)
                },
                &check,
            )
            .unwrap();
        Ok(outer)
    };
    guest.call("outer", 10, &host, &check).unwrap()
}

#[test]
fn two_turns_suspended_inside_nested_calls_end_in_either_order() {
    let compiler = Compiler::start(None).unwrap();
    let _running = compiler.running();
    for first_ends_first in [true, false] {
        let (a, b) = (Guest::new(&compiler), Guest::new(&compiler));
        let mut first = turn(|yielder| nested(&a, yielder));
        let mut second = turn(|yielder| nested(&b, yielder));
        for _ in 0..3 {
            suspended(first.resume(()));
            suspended(second.resume(()));
        }
        let (mut x, mut y) = (&mut first, &mut second);
        if !first_ends_first {
            std::mem::swap(&mut x, &mut y);
        }
        assert_eq!(ended(x.resume(())), 10 * 2 + 1 + 2000);
        assert_eq!(ended(y.resume(())), 10 * 2 + 1 + 2000);
    }
}

#[test]
fn a_trap_and_an_error_of_the_host_end_the_innermost_call_alone() {
    let compiler = Compiler::start(None).unwrap();
    let guest = Guest::new(&compiler);
    let check = || true;
    let host = |_| {
        let trapped = guest
            .call("trap", 0, &|_| unreachable!(), &check)
            .unwrap_err();
        assert_eq!(
            trapped.downcast_ref::<Trap>(),
            Some(&Trap::UnreachableCodeReached)
        );
        let refused = guest
            .call("outer", 0, &|_| Err("no".to_owned()), &check)
            .unwrap_err();
        assert_eq!(refused.to_string(), "no");
        Ok(5)
    };
    assert_eq!(guest.call("outer", 1, &host, &check).unwrap(), 1005);
    let refused = guest.call(
        "outer",
        1,
        &|_| {
            guest
                .call("outer", 2, &|_| Err("both".to_owned()), &check)
                .map_err(|error| error.to_string())
        },
        &check,
    );
    assert_eq!(refused.unwrap_err().to_string(), "both");
    assert_eq!(
        guest.call("inner", 4, &host, &check).unwrap(),
        8,
        "it goes on"
    );
}

#[test]
fn nested_calls_that_are_told_to_stop_unwind_and_leave_their_thread_usable() {
    let compiler = Compiler::start(None).unwrap();
    let _running = compiler.running();
    let (a, b) = (Guest::new(&compiler), Guest::new(&compiler));
    let late = Cell::new(false);
    let check = || !late.get();
    let mut other = turn(|yielder| nested(&b, yielder));
    let mut stopped = turn(|yielder| {
        let may = || {
            yielder.suspend(());
            check()
        };
        let host = |_| guest_error(a.call("forever", 0, &|_| unreachable!(), &may));
        a.call("outer", 1, &host, &may).unwrap_err().to_string()
    });
    suspended(stopped.resume(()));
    suspended(other.resume(()));
    suspended(stopped.resume(()));
    late.set(true);
    let mut last = stopped.resume(());
    while matches!(last, CoroutineResult::Yield(())) {
        last = stopped.resume(());
    }
    assert_eq!(ended(last), "stopped");
    for _ in 0..2 {
        suspended(other.resume(()));
    }
    assert_eq!(ended(other.resume(())), 2021);
    late.set(false);
    assert_eq!(a.call("inner", 3, &|_| unreachable!(), &check).unwrap(), 6);
}

fn guest_error(result: wasmtime::Result<i32>) -> Result<i32, String> {
    result.map_err(|error| error.to_string())
}
