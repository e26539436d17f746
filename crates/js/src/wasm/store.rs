//! The store of one context: what wasmtime has, and how it is reached while calls wait.

use std::{
    cell::{Cell, RefCell},
    ptr::NonNull,
    rc::Rc,
    sync::Arc,
};

use dolmen_wasm_code::Compiler;
use wasmtime::{AsContextMut, Caller, Global, Memory, RootScope, StoreContextMut, Table};

use super::{externs::Externs, functions::Functions, limits::Limits, values::Plain};

/// What the store carries for its host functions.
pub(super) struct Data {
    limits: Limits,
}

/// A call of an imported function, which waits for its answer.
pub(super) struct Asked {
    pub import: u32,
    pub params: Vec<Plain>,
    /// Its context, which is in a future that wasmtime keeps until it has its answer.
    pub caller: NonNull<Caller<'static, Data>>,
}

/// What host functions, on wasmtime's stacks, share with the turn, which is on another.
#[derive(Default)]
pub(super) struct Shared {
    pub asked: Cell<Option<Asked>>,
    /// `Err`: the function threw.
    pub answer: Cell<Option<Result<Vec<Plain>, ()>>>,
    /// A memory grew since JavaScript ran last.
    pub grown: Cell<bool>,
    /// Something was refused because of the context's limit.
    pub refused: Cell<bool>,
    pub externs: RefCell<Externs>,
    pub functions: RefCell<Functions>,
}

/// A store, and what JavaScript has numbers for.
pub(crate) struct Store {
    pub(super) shared: Rc<Shared>,
    pub(super) memories: RefCell<Vec<Memory>>,
    pub(super) tables: RefCell<Vec<Table>>,
    pub(super) globals: RefCell<Vec<Global>>,
    pub(super) compiler: Arc<Compiler>,
    /// The callers that wait, the last one innermost.
    waiting: RefCell<Vec<NonNull<Caller<'static, Data>>>>,
    /// Somebody has the store, from the turn's stack.
    at_work: Cell<bool>,
    store: RefCell<wasmtime::Store<Data>>,
}

/// Sets a flag for as long as it lives.
struct Set<'a>(&'a Cell<bool>, bool);

impl<'a> Set<'a> {
    fn to(flag: &'a Cell<bool>, value: bool) -> Self {
        Self(flag, flag.replace(value))
    }
}

impl Drop for Set<'_> {
    fn drop(&mut self) {
        self.0.set(self.1);
    }
}

impl Store {
    pub fn new(compiler: Arc<Compiler>, memory_limit: usize) -> Self {
        let shared = Rc::new(Shared::default());
        let data = Data {
            limits: Limits::new(shared.clone(), memory_limit),
        };
        let mut store = wasmtime::Store::new(compiler.engine(), data);
        store.limiter(|data| &mut data.limits);
        store.epoch_deadline_async_yield_and_update(1);
        Self {
            shared,
            memories: RefCell::default(),
            tables: RefCell::default(),
            globals: RefCell::default(),
            compiler,
            waiting: RefCell::default(),
            at_work: Cell::new(false),
            store: RefCell::new(store),
        }
    }

    /// Works on the store, from the turn's stack. While calls wait it is reached through the
    /// innermost of them. References that are made inside are gone afterwards.
    ///
    /// # Panics
    /// If somebody works on it already; while an import is answered nobody does.
    pub(super) fn with<R>(&self, work: impl FnOnce(StoreContextMut<'_, Data>) -> R) -> R {
        assert!(!self.at_work.get(), "the store is worked on twice");
        let _at_work = Set::to(&self.at_work, true);
        let innermost = self.waiting.borrow().last().copied();
        match innermost {
            Some(mut caller) => {
                // SAFETY: `answering` put it there; the future that has it is suspended until
                // `answering` is over, and this runs within. `at_work` keeps others away.
                let caller = unsafe { caller.as_mut() };
                work(RootScope::new(caller.as_context_mut()).as_context_mut())
            }
            None => {
                let mut store = self.store.borrow_mut();
                work(RootScope::new(store.as_context_mut()).as_context_mut())
            }
        }
    }

    /// Runs `answer`, which answers a call that waits: the store is reached through it meanwhile.
    pub(super) fn answering<R>(
        &self,
        caller: NonNull<Caller<'static, Data>>,
        answer: impl FnOnce() -> R,
    ) -> R {
        struct Popped<'a>(&'a RefCell<Vec<NonNull<Caller<'static, Data>>>>);
        impl Drop for Popped<'_> {
            fn drop(&mut self) {
                self.0.borrow_mut().pop();
            }
        }
        let _free = Set::to(&self.at_work, false);
        self.waiting.borrow_mut().push(caller);
        let _popped = Popped(&self.waiting);
        answer()
    }

    /// Whether no call waits.
    pub fn is_idle(&self) -> bool {
        self.waiting.borrow().is_empty()
    }
}
