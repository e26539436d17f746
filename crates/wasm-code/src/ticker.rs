//! The thread that interrupts guests: while any runs, it moves the engine's epoch on.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, Thread},
    time::Duration,
};

use wasmtime::Engine;

/// How long a guest runs until it is asked whether it may go on. A slice is a few milliseconds.
const TICK: Duration = Duration::from_millis(1);
/// Ticks without a guest after which the thread sleeps until there is one.
const IDLE_TICKS: u32 = 100;

#[derive(Debug, Default)]
struct State {
    running: AtomicUsize,
    parked: AtomicBool,
    ended: AtomicBool,
}

/// Owns the thread, which ends with it.
pub(crate) struct Ticker {
    state: Arc<State>,
    thread: Thread,
}

/// A guest runs as long as this lives; see [`crate::Compiler::running`].
#[derive(Debug)]
pub struct Running<'a>(&'a State);

impl Ticker {
    /// Starts the thread.
    ///
    /// # Errors
    /// If the system has none left.
    pub fn start(engine: &Engine) -> std::io::Result<Self> {
        let state = Arc::new(State::default());
        let (engine, own) = (engine.clone(), state.clone());
        let thread = thread::Builder::new()
            .name("dolmen-epochs".to_owned())
            .spawn(move || tick(&engine, &own))?;
        Ok(Self {
            state,
            thread: thread.thread().clone(),
        })
    }

    /// A guest begins to run.
    pub fn running(&self) -> Running<'_> {
        self.state.running.fetch_add(1, Ordering::SeqCst);
        // The thread says that it parks before it looks whether anything runs, so one of both sees the other.
        if self.state.parked.load(Ordering::SeqCst) {
            self.thread.unpark();
        }
        Running(&self.state)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.state.ended.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

fn tick(engine: &Engine, state: &State) {
    let mut idle = 0;
    while !state.ended.load(Ordering::SeqCst) {
        thread::sleep(TICK);
        if state.running.load(Ordering::SeqCst) > 0 {
            engine.increment_epoch();
            idle = 0;
            continue;
        }
        idle += 1;
        if idle < IDLE_TICKS {
            continue;
        }
        state.parked.store(true, Ordering::SeqCst);
        while state.running.load(Ordering::SeqCst) == 0 && !state.ended.load(Ordering::SeqCst) {
            thread::park();
        }
        state.parked.store(false, Ordering::SeqCst);
        idle = 0;
    }
}
