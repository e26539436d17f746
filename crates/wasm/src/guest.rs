//! One instance of a module: its store, its memory, and calls that run in slices.
//!
//! A call runs on wasmtime's own stack for it, which suspends at every tick of the epoch; the turn
//! then asks the runtime whether it may go on. It suspends, too, when an import leaves an errand to
//! the turn. Suspending the turn's coroutine inside the call instead would break wasmtime, which
//! keeps a list of the calls of a thread and takes them off it in the reverse order.

use std::{
    future::Future,
    pin::pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use dolmen_runtime::{Error, Host, Verdict, storage};
use wasmtime::{
    AsContextMut, Caller, Memory, Store, StoreLimits, StoreLimitsBuilder, Trap, TypedFunc,
    WasmParams, WasmResults,
};

use crate::{
    engine::Module,
    errand::Errand,
    fan_out::{MAX_FAN_OUT, MAX_FAN_OUT_BYTES},
    on_shard::OnShard,
    outbox::Outbox,
    wasi::{Exit, Wasi},
    writes::Writes,
    zerobuf::{Answer, Claim, Message, Slots, Value, copy_out},
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
    /// The host cannot do what it must; not the guest's fault.
    Host(Error),
}

impl From<Claim> for Fault {
    fn from(claim: Claim) -> Self {
        Self::Panic(claim.0)
    }
}

/// What the guest's imports work on.
pub(crate) struct State {
    pub host: OnShard<Rc<Host>>,
    pub writes: OnShard<Rc<Writes>>,
    pub wasi: Wasi,
    pub outbox: Outbox,
    pub errand: OnShard<Errand>,
    /// The version of the events that the module knows.
    pub abi: i32,
    /// Known once the instance is made.
    memory: Option<Memory>,
    limits: StoreLimits,
}

impl State {
    /// The guest's memory, and what its imports work on.
    ///
    /// # Errors
    /// If it has none, which is so only while it is made.
    pub fn split<'c>(
        caller: &'c mut Caller<'_, Self>,
    ) -> wasmtime::Result<(&'c mut [u8], &'c mut Self)> {
        let memory = caller.data().memory.or_else(|| {
            let memory = caller.get_export("memory");
            memory.and_then(wasmtime::Extern::into_memory)
        });
        match memory {
            Some(memory) => Ok(memory.data_and_store_mut(caller)),
            None => Err(wasmtime::Error::msg(
                "an import was called before the memory is there",
            )),
        }
    }
}

/// A block of the guest's memory that the host has asked it for.
struct Block {
    base: u32,
    size: u32,
    in_use: bool,
}

pub(crate) struct Guest {
    module: Arc<Module>,
    host: Rc<Host>,
    errand: Errand,
    store: Store<State>,
    memory: Memory,
    malloc: TypedFunc<u32, u32>,
    free: Option<TypedFunc<u32, ()>>,
    handle: TypedFunc<u32, u32>,
    fan_out: Option<TypedFunc<u32, u32>>,
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
    pub async fn new(
        module: &Arc<Module>,
        host: &Rc<Host>,
        writes: &Rc<Writes>,
    ) -> Result<Self, Fault> {
        let limits = StoreLimitsBuilder::new()
            .memory_size(host.options().memory_limit)
            .table_elements(MAX_TABLE_ELEMENTS)
            .instances(1)
            .memories(MAX_MEMORIES)
            .tables(MAX_TABLES)
            .build();
        let errand = Errand::default();
        let state = State {
            host: OnShard::new(host.clone()),
            writes: OnShard::new(writes.clone()),
            wasi: Wasi::new(OnShard::new(host.clone()), writes, module),
            outbox: Outbox::default(),
            errand: OnShard::new(errand.clone()),
            abi: 0,
            memory: None,
            limits,
        };
        let mut store = Store::new(module.compiler.engine(), state);
        store.limiter(|state| &mut state.limits);
        store.epoch_deadline_async_yield_and_update(1);
        store.set_epoch_deadline(1);
        let made = module.pre.instantiate_async(&mut store);
        let instance = sliced(module, host, &errand, made)
            .await?
            .map_err(|error| fault(error, &mut store))?;
        let missing = |name: &str| Fault::Panic(format!("the export {name} is gone"));
        let memory = instance
            .get_memory(&mut store, "memory")
            .ok_or_else(|| missing("memory"))?;
        store.data_mut().memory = Some(memory);
        let handle = instance.get_typed_func(&mut store, "handle_zerobuf");
        let malloc = instance.get_typed_func(&mut store, "malloc");
        let free = instance.get_typed_func(&mut store, "free").ok();
        let fan_out = instance.get_typed_func(&mut store, "fanout_zerobuf").ok();
        let abi = instance
            .get_typed_func::<(), i32>(&mut store, "do_abi")
            .ok();
        // Until it has said which: it may set its alarm while it starts.
        store.data_mut().abi = i32::from(abi.is_some());
        let start = ["_initialize", "_start"]
            .iter()
            .find_map(|name| instance.get_typed_func::<(), ()>(&mut store, name).ok());
        let mut guest = Self {
            module: module.clone(),
            host: host.clone(),
            errand,
            memory,
            malloc: malloc.map_err(|_| missing("malloc"))?,
            free,
            handle: handle.map_err(|_| missing("handle_zerobuf"))?,
            fan_out,
            store,
            blocks: Vec::new(),
        };
        if let Some(start) = start {
            match guest.call(&start, ()).await {
                Ok(()) => {}
                // A program that has run to its end.
                Err(Fault::Panic(_)) if guest.store.data().wasi.exit == Some(0) => {
                    guest.store.data_mut().wasi.exit = None;
                }
                Err(fault) => return Err(fault),
            }
        }
        if let Some(abi) = abi {
            let version = guest.call(&abi, ()).await?;
            guest.store.data_mut().abi = version;
        }
        Ok(guest)
    }

    /// The version of the events that it knows.
    pub fn abi(&self) -> i32 {
        self.store.data().abi
    }

    /// Copies a message into the guest's memory, and gives its address.
    ///
    /// # Errors
    /// `Panic` if the guest has no memory for it.
    pub async fn write(&mut self, message: &Message<'_>) -> Result<u32, Fault> {
        let base = self.allocate(message.size()).await?;
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
    pub async fn handle(&mut self, base: u32) -> Result<Answered, Fault> {
        let handle = self.handle.clone();
        self.store.data_mut().wasi.panic = None;
        let answer = self.call(&handle, base).await?;
        let answer = Answer::read(self.memory.data(&self.store), answer)?;
        Ok(Answered {
            status: answer.status,
            content_type: copy_out(answer.content_type),
            body: copy_out(answer.body),
            headers: copy_out(answer.headers),
        })
    }

    /// Whether [`Guest::fan_out`] has something to ask.
    pub fn has_fan_out(&self) -> bool {
        self.fan_out.is_some()
    }

    /// What the guest wants fetched for the request at `base`: at most [`MAX_FAN_OUT`] URLs.
    ///
    /// # Errors
    /// What the guest did wrong.
    pub async fn fan_out(&mut self, base: u32) -> Result<Vec<String>, Fault> {
        let Some(fan_out) = self.fan_out.clone() else {
            return Ok(Vec::new());
        };
        let slot = self.call(&fan_out, base).await?;
        let memory = self.memory.data(&self.store);
        let wrong = || {
            Fault::Panic(format!(
                "fanout_zerobuf gives null or an array of at most {MAX_FAN_OUT} strings with {MAX_FAN_OUT_BYTES} bytes"
            ))
        };
        let urls = match Slots::at(memory, slot, 1, "fan-out")?
            .values("fan-out")
            .next()
        {
            Some(Ok(Value::Null)) => return Ok(Vec::new()),
            Some(Ok(Value::Array(urls))) if urls.len() <= MAX_FAN_OUT => urls,
            Some(Err(claim)) => return Err(claim.into()),
            _ => return Err(wrong()),
        };
        if urls.bytes("fan-out")? > MAX_FAN_OUT_BYTES {
            return Err(wrong());
        }
        urls.values("fan-out")
            .map(|url| match url? {
                Value::String(url) => String::from_utf8(url.to_vec()).map_err(|_| wrong()),
                _ => Err(wrong()),
            })
            .collect()
    }

    /// The event is over: its blocks are not needed any more.
    ///
    /// # Errors
    /// What the guest's `free` did wrong.
    pub async fn release(&mut self) -> Result<(), Fault> {
        let state = self.store.data_mut();
        state.outbox = Outbox::default();
        state.wasi.panic = None;
        let Some(free) = self.free.clone() else {
            // They serve the next event.
            for block in &mut self.blocks {
                block.in_use = false;
            }
            return Ok(());
        };
        for block in std::mem::take(&mut self.blocks) {
            self.call(&free, block.base).await?;
        }
        Ok(())
    }

    async fn allocate(&mut self, size: u32) -> Result<u32, Fault> {
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
        let base = self.call(&malloc, size).await?;
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

    async fn call<P: WasmParams + Sync, R: WasmResults + Sync>(
        &mut self,
        function: &TypedFunc<P, R>,
        params: P,
    ) -> Result<R, Fault> {
        self.store.set_epoch_deadline(1);
        let called = function.call_async(self.store.as_context_mut(), params);
        let ended = sliced(&self.module, &self.host, &self.errand, called).await?;
        ended.map_err(|error| fault(error, &mut self.store))
    }
}

/// Runs a guest to its end. It suspends when the epoch has moved on, and then the runtime may give
/// the thread to other objects, or with an errand, which is done before it goes on.
async fn sliced<T>(
    module: &Module,
    host: &Host,
    errand: &Errand,
    work: impl Future<Output = T>,
) -> Result<T, Fault> {
    let mut work = pin!(work);
    loop {
        let running = module.compiler.running();
        // It is polled again whatever it waits for, so nobody need be woken.
        let polled = work.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        drop(running);
        if let Poll::Ready(done) = polled {
            return Ok(done);
        }
        if let Some(work) = errand.asked() {
            errand.done(work.await.map_err(Fault::Host)?);
        } else if host.slice().checkpoint() == Verdict::Stop {
            return Err(Fault::Stopped);
        }
    }
}

/// What a call ended with that did not return.
fn fault(error: wasmtime::Error, store: &mut Store<State>) -> Fault {
    let error = match error.downcast::<storage::Error>() {
        Ok(error) => return Fault::Host(error.into()),
        Err(error) => error,
    };
    let error = match error.downcast::<Error>() {
        Ok(error) => return Fault::Host(error),
        Err(error) => error,
    };
    if let Some(Exit(code)) = error.downcast_ref() {
        return Fault::Panic(format!("exit code: {code}"));
    }
    // What the guest itself has said is more than the name of a trap.
    let said = store.data_mut().wasi.panic.take();
    Fault::Panic(match (error.downcast_ref::<Trap>(), said) {
        (Some(_), Some(said)) => said,
        (Some(trap), None) => trap.to_string(),
        (None, _) => format!("{error:#}"),
    })
}
