//! Wasmtime's engine, with the settings that all guests run under.

use wasmtime::{Collector, Config, Engine};

use crate::{
    cache::{Cache, Code},
    ticker::{Running, Ticker},
};

/// Stack that a guest may use, in bytes.
pub const GUEST_STACK_BYTES: usize = 512 << 10;
/// Stack of a call: the guest's own, and as much for the host calls that it makes.
pub const CALL_STACK_BYTES: usize = 1 << 20;

/// Why there is no WebAssembly here.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Wasmtime refuses its settings on this machine.
    #[error("wasmtime does not run here: {0}")]
    Unsupported(String),
    /// The system has no thread left.
    #[error("no thread to interrupt guests with: {0}")]
    NoThread(#[from] std::io::Error),
}

/// Compiles modules, and interrupts what runs of them.
pub struct Compiler {
    engine: Engine,
    ticker: Ticker,
    cache: Option<Cache>,
}

impl Compiler {
    /// Starts wasmtime and the thread that interrupts guests. `cache` keeps compiled code.
    ///
    /// # Errors
    /// [`StartError`]; see there.
    pub fn start(cache: Option<Cache>) -> Result<Self, StartError> {
        let engine = Engine::new(&config())
            .map_err(|error| StartError::Unsupported(format!("{error:#}")))?;
        Ok(Self {
            ticker: Ticker::start(&engine)?,
            engine,
            cache,
        })
    }

    /// Wasmtime's engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Compiles a module or a component, or takes what the cache has of it.
    ///
    /// # Errors
    /// What wasmtime finds wrong with it.
    pub fn compile<C: Code>(&self, wasm: &[u8]) -> wasmtime::Result<C> {
        match &self.cache {
            Some(cache) => cache.code(&self.engine, wasm),
            None => C::compile(&self.engine, wasm),
        }
    }

    /// A guest begins to run: its epoch moves on while the result lives.
    pub fn running(&self) -> Running<'_> {
        self.ticker.running()
    }
}

fn config() -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .max_wasm_stack(GUEST_STACK_BYTES)
        .async_stack_size(CALL_STACK_BYTES)
        // The buffers that JavaScript has of a memory stay where they are.
        .memory_may_move(false)
        .wasm_memory64(false)
        .wasm_multi_memory(false)
        .wasm_gc(false)
        // What JavaScript holds is kept across collections by address.
        .collector(Collector::DeferredReferenceCounting)
        .wasm_backtrace_max_frames(None);
    config
}
