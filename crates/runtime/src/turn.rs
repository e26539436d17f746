//! Turns: user code on a coroutine, in slices.
//!
//! A turn runs from the moment the event loop hands control to an engine until the engine hands
//! it back. The engine's interrupt handler calls [`Slice::checkpoint`]; once the slice is used up
//! the coroutine is suspended, the shard serves its other objects, and the turn goes on later on
//! the same stack. Code that must end (time-out, reset) is told so at its next checkpoint, and
//! runs to its end: a suspended stack with foreign frames on it is never unwound from outside.

use std::{
    cell::{Cell, RefCell},
    mem::ManuallyDrop,
    panic::{AssertUnwindSafe, catch_unwind},
    ptr::NonNull,
    rc::Rc,
    time::{Duration, Instant},
};

use corosensei::{Coroutine, CoroutineResult, Yielder, stack::DefaultStack};

use crate::error::{Error, ErrorKind};

/// Longest time that user code keeps the shard when nobody else is suspended.
const LONGEST_SLICE: Duration = Duration::from_millis(3);
/// Shortest slice, so that switching never costs more than the work.
const SHORTEST_SLICE: Duration = Duration::from_micros(500);
/// How often a suspended turn lets everybody else go first: a request passes through several
/// tasks, and each of them would otherwise wait for one more slice.
const HOPS: u32 = 4;
/// Stack of a turn in bytes; only touched pages cost memory.
const STACK_BYTES: usize = 2 << 20;
/// What an engine may let its own code use of a turn's stack, in bytes. The rest is for host calls.
pub const ENGINE_STACK_BYTES: usize = 1 << 20;
/// Stacks that a shard keeps for the next turns.
const POOLED_STACKS: usize = 16;

/// What running code must do after a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Go on.
    Continue,
    /// End now, uncatchably; the instance will be thrown away.
    Stop,
}

/// The slice of one object's running turn.
pub struct Slice {
    yielder: Cell<Option<NonNull<Yielder<(), ()>>>>,
    ends: Cell<Instant>,
    stop: RefCell<Option<Error>>,
}

impl Slice {
    pub(crate) fn new() -> Self {
        Self {
            yielder: Cell::new(None),
            ends: Cell::new(Instant::now()),
            stop: RefCell::new(None),
        }
    }

    /// Called by the engine's interrupt handler, often; gives the thread to other objects when
    /// the slice is used up.
    #[must_use]
    pub fn checkpoint(&self) -> Verdict {
        if self.stopped() {
            return Verdict::Stop;
        }
        if Instant::now() < self.ends.get() {
            return Verdict::Continue;
        }
        self.give_way()
    }

    /// Gives the thread to other objects, however much of the slice is left: for who waits for
    /// something that another thread does.
    #[must_use]
    pub fn give_way(&self) -> Verdict {
        if let Some(yielder) = self.yielder.get() {
            // SAFETY: the pointer was taken from the reference that corosensei passed to the
            // running coroutine, which is alive because this code runs on it; `run` clears it
            // before the coroutine returns.
            unsafe { yielder.as_ref() }.suspend(());
        }
        if self.stopped() {
            Verdict::Stop
        } else {
            Verdict::Continue
        }
    }

    /// Makes the running turn end at its next checkpoint and the instance be thrown away.
    /// The first reason stays.
    pub fn stop(&self, reason: Error) {
        self.stop.borrow_mut().get_or_insert(reason);
    }

    /// Whether the turn was told to end.
    pub fn stopped(&self) -> bool {
        self.stop.borrow().is_some()
    }

    pub(crate) fn take_stop(&self) -> Option<Error> {
        self.stop.borrow_mut().take()
    }
}

/// Time that one event may still use.
#[derive(Debug)]
pub(crate) struct Budget {
    pub left: Duration,
}

impl Budget {
    pub fn spend(&mut self, time: Duration) {
        self.left = self.left.saturating_sub(time);
    }
}

/// A shard's stacks and how many turns are suspended on it.
#[derive(Default)]
pub(crate) struct Turns {
    stacks: RefCell<Vec<DefaultStack>>,
    suspended: Cell<u32>,
}

/// Counts a suspended turn for as long as it lives.
struct Suspended<'a>(&'a Cell<u32>);

impl<'a> Suspended<'a> {
    fn new(count: &'a Cell<u32>) -> Self {
        count.set(count.get() + 1);
        Self(count)
    }
}

impl Drop for Suspended<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

impl Turns {
    /// Runs `work` as one turn of the object that owns `slice`.
    ///
    /// # Errors
    /// What stopped it: a time-out made from `late` once `budget` is used up, a reset by the
    /// engine, or a panic. The caller throws the instance away.
    pub async fn run<T: 'static>(
        &self,
        slice: &Rc<Slice>,
        budget: &mut Budget,
        late: impl Fn() -> Error,
        work: impl FnOnce() -> T + 'static,
    ) -> Result<T, Error> {
        let stack = match self.stacks.borrow_mut().pop() {
            Some(stack) => stack,
            None => DefaultStack::new(STACK_BYTES).map_err(|error| {
                Error::new(
                    ErrorKind::Overloaded,
                    format!("no memory for a stack: {error}"),
                )
            })?,
        };
        let on_coroutine = slice.clone();
        // Never dropped while suspended: that would unwind through the engine's frames.
        let mut coroutine = ManuallyDrop::new(Coroutine::with_stack(
            stack,
            move |yielder: &Yielder<(), ()>, ()| {
                on_coroutine.yielder.set(Some(NonNull::from(yielder)));
                let result = catch_unwind(AssertUnwindSafe(work));
                on_coroutine.yielder.set(None);
                result
            },
        ));
        let result = loop {
            let started = Instant::now();
            let share = LONGEST_SLICE / (self.suspended.get() + 1);
            slice.ends.set(started + share.max(SHORTEST_SLICE));
            match coroutine.resume(()) {
                CoroutineResult::Return(result) => {
                    budget.spend(started.elapsed());
                    break result;
                }
                CoroutineResult::Yield(()) => {
                    budget.spend(started.elapsed());
                    if budget.left.is_zero() {
                        slice.stop(late());
                    } else {
                        let _suspended = Suspended::new(&self.suspended);
                        for _ in 0..HOPS {
                            tokio::task::yield_now().await;
                        }
                    }
                }
            }
        };
        let stack = ManuallyDrop::into_inner(coroutine).into_stack();
        let mut stacks = self.stacks.borrow_mut();
        if stacks.len() < POOLED_STACKS {
            stacks.push(stack);
        }
        match (slice.take_stop(), result) {
            (Some(reason), _) => Err(reason),
            (None, Ok(value)) => Ok(value),
            (None, Err(panic)) => Err(Error::new(
                ErrorKind::Internal,
                "the object was reset because Dolmen panicked in it; this is a defect, please report it",
            )
            .with_detail(panic_text(&*panic))),
        }
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned())
}
