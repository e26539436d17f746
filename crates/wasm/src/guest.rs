//! One instance of a module: its store, its memory, and calls that run in slices.
//!
//! A call runs on wasmtime's own stack for it, which suspends at every tick of the epoch; the turn
//! then asks the runtime whether it may go on. Suspending the turn's coroutine inside the call
//! instead would break wasmtime, which keeps a list of the calls of a thread and takes them off it
//! in the reverse order.

use std::{
    future::Future,
    pin::pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use dolmen_runtime::{Host, Verdict};
use wasmtime::{
    AsContextMut, Memory, Store, StoreLimits, StoreLimitsBuilder, Trap, TypedFunc, WasmParams,
    WasmResults,
};

use crate::{
    engine::Module,
    on_shard::OnShard,
    wasi::{Exit, Wasi},
    zerobuf::{Answer, Claim, Message},
};

/// Entries that the tables of one instance may have in all.
const MAX_TABLE_ELEMENTS: usize = 1 << 20;
/// Memories and tables that one instance may have.
const MAX_MEMORIES: usize = 1;
const MAX_TABLES: usize = 16;

/// Why a call of a guest did not end well. The instance is not to be used again.
#[derive(Debug)]
pub(crate) enum Fault {
    /// It trapped, exited or gave a pointer to nowhere, in words.
    Panic(String),
    /// The turn was told to end; the runtime knows why.
    Stopped,
}

impl From<Claim> for Fault {
    fn from(claim: Claim) -> Self {
        Self::Panic(claim.0)
    }
}

/// What the guest's imports work on.
pub(crate) struct State {
    pub wasi: Wasi,
    limits: StoreLimits,
}

/// A block of the guest's memory that the host has asked it for.
struct Block {
    base: u32,
    size: u32,
    in_use: bool,
}

pub(crate) struct Guest {
    module: Arc<Module>,
    host: OnShard<Rc<Host>>,
    store: Store<State>,
    memory: Memory,
    malloc: TypedFunc<u32, u32>,
    free: Option<TypedFunc<u32, ()>>,
    handle: TypedFunc<u32, u32>,
    blocks: Vec<Block>,
}

/// What a guest answers, in the host's memory.
#[derive(Debug)]
pub(crate) struct Answered {
    pub status: i32,
    pub content_type: Bytes,
    pub body: Bytes,
    pub headers: Bytes,
}

impl Guest {
    /// Makes an instance and runs its `_initialize` or `_start`.
    ///
    /// # Errors
    /// What the guest did wrong.
    pub fn new(module: &Arc<Module>, host: &Rc<Host>) -> Result<Self, Fault> {
        let limits = StoreLimitsBuilder::new()
            .memory_size(host.options().memory_limit)
            .table_elements(MAX_TABLE_ELEMENTS)
            .instances(1)
            .memories(MAX_MEMORIES)
            .tables(MAX_TABLES)
            .build();
        let state = State {
            wasi: Wasi::new(OnShard::new(host.clone()), module.tmp.clone()),
            limits,
        };
        let mut store = Store::new(module.compiler.engine(), state);
        store.limiter(|state| &mut state.limits);
        store.epoch_deadline_async_yield_and_update(1);
        store.set_epoch_deadline(1);
        let running = module.compiler.running();
        let instance = sliced(host, module.pre.instantiate_async(&mut store))?
            .map_err(|error| Fault::Panic(panic_text(&error)))?;
        drop(running);
        let missing = |name: &str| Fault::Panic(format!("the export {name} is gone"));
        let memory = instance
            .get_memory(&mut store, "memory")
            .ok_or_else(|| missing("memory"))?;
        let handle = instance.get_typed_func(&mut store, "handle_zerobuf");
        let malloc = instance.get_typed_func(&mut store, "malloc");
        let free = instance.get_typed_func(&mut store, "free").ok();
        let start = ["_initialize", "_start"]
            .iter()
            .find_map(|name| instance.get_typed_func::<(), ()>(&mut store, name).ok());
        let mut guest = Self {
            module: module.clone(),
            host: OnShard::new(host.clone()),
            memory,
            malloc: malloc.map_err(|_| missing("malloc"))?,
            free,
            handle: handle.map_err(|_| missing("handle_zerobuf"))?,
            store,
            blocks: Vec::new(),
        };
        match start.map(|start| guest.call(&start, ())) {
            None | Some(Ok(())) => Ok(guest),
            // A program that has run to its end.
            Some(Err(Fault::Panic(_))) if guest.store.data().wasi.exit == Some(0) => {
                guest.store.data_mut().wasi.exit = None;
                Ok(guest)
            }
            Some(Err(fault)) => Err(fault),
        }
    }

    /// Copies a message into the guest's memory, and gives its address.
    ///
    /// # Errors
    /// `Panic` if the guest has no memory for it.
    pub fn write(&mut self, message: &Message<'_>) -> Result<u32, Fault> {
        let base = self.allocate(message.size())?;
        message.write(self.memory.data_mut(&mut self.store), base)?;
        Ok(base)
    }

    /// Copies a message to where [`Guest::write`] has copied one that was as large.
    ///
    /// # Errors
    /// `Panic` if the memory is not there any more.
    pub fn rewrite(&mut self, message: &Message<'_>, base: u32) -> Result<(), Fault> {
        Ok(message.write(self.memory.data_mut(&mut self.store), base)?)
    }

    /// Runs the handler on a request that was written to `base`.
    ///
    /// # Errors
    /// What the guest did wrong.
    pub fn handle(&mut self, base: u32) -> Result<Answered, Fault> {
        let handle = self.handle.clone();
        let answer = self.call(&handle, base)?;
        let answer = Answer::read(self.memory.data(&self.store), answer)?;
        Ok(Answered {
            status: answer.status,
            content_type: Bytes::copy_from_slice(answer.content_type),
            body: Bytes::copy_from_slice(answer.body),
            headers: Bytes::copy_from_slice(answer.headers),
        })
    }

    /// The event is over: its blocks are not needed any more.
    ///
    /// # Errors
    /// What the guest's `free` did wrong.
    pub fn release(&mut self) -> Result<(), Fault> {
        let Some(free) = self.free.clone() else {
            // They serve the next event.
            for block in &mut self.blocks {
                block.in_use = false;
            }
            return Ok(());
        };
        for block in std::mem::take(&mut self.blocks) {
            self.call(&free, block.base)?;
        }
        Ok(())
    }

    fn allocate(&mut self, size: u32) -> Result<u32, Fault> {
        let unused = self
            .blocks
            .iter_mut()
            .filter(|block| !block.in_use && block.size >= size)
            .min_by_key(|block| block.size);
        if let Some(block) = unused {
            block.in_use = true;
            return Ok(block.base);
        }
        let malloc = self.malloc.clone();
        let base = self.call(&malloc, size)?;
        if base == 0 {
            return Err(Fault::Panic(format!(
                "malloc has no memory for {size} bytes"
            )));
        }
        self.blocks.push(Block {
            base,
            size,
            in_use: true,
        });
        Ok(base)
    }

    fn call<P: WasmParams + Sync, R: WasmResults + Sync>(
        &mut self,
        function: &TypedFunc<P, R>,
        params: P,
    ) -> Result<R, Fault> {
        self.store.set_epoch_deadline(1);
        let _running = self.module.compiler.running();
        let called = function.call_async(self.store.as_context_mut(), params);
        sliced(&self.host, called)?.map_err(|error| Fault::Panic(panic_text(&error)))
    }
}

/// Polls `work` to its end. It is pending only when the epoch has moved on, and between two polls
/// the runtime may give the thread to other objects.
fn sliced<T>(host: &Host, work: impl Future<Output = T>) -> Result<T, Fault> {
    let mut work = pin!(work);
    loop {
        if let Poll::Ready(done) = work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return Ok(done);
        }
        if host.slice().checkpoint() == Verdict::Stop {
            return Err(Fault::Stopped);
        }
    }
}

/// What a trap is called in the answer.
fn panic_text(error: &wasmtime::Error) -> String {
    if let Some(Exit(code)) = error.downcast_ref() {
        return format!("exit code: {code}");
    }
    match error.downcast_ref::<Trap>() {
        Some(trap) => trap.to_string(),
        None => format!("{error:#}"),
    }
}
