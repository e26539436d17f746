//! What the runtime asks of an engine, and nothing about which engine it is.
//!
//! Every call on an [`Instance`] is made on a turn: on a coroutine that the engine's interrupt
//! handler suspends through [`crate::Slice::checkpoint`]. Between two turns an instance does nothing.

use std::{rc::Rc, task::Context};

use crate::{
    Result,
    event::Event,
    host::{EventId, Host, TimerId},
};

/// How the events of one object follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concurrency {
    /// One at a time, through settlement and conversion.
    Serial,
    /// The next one starts when the one before it waits for something outside the object.
    Interleaved,
}

/// Makes instances of a bundle's classes. Shared by all shards.
pub trait Engine: Send + Sync + 'static {
    /// How the events of the bundle's objects follow each other.
    fn concurrency(&self) -> Concurrency {
        Concurrency::Serial
    }

    /// Whether a worker that has objects leaves `/do/` and `/fetch/` to them.
    fn has_object_paths(&self) -> bool {
        false
    }

    /// Makes the stateless part of a module worker, one on each shard.
    ///
    /// # Errors
    /// `StartFailed` if the bundle has none, or threw.
    fn instantiate_worker(&self, _host: Rc<Host>) -> Result<Box<dyn Instance>> {
        Err(crate::Error::new(
            crate::ErrorKind::StartFailed,
            "this bundle has no worker",
        ))
    }

    /// Runs the bundle and the constructor of `class` for one object.
    ///
    /// # Errors
    /// `StartFailed` if the bundle or the constructor threw.
    fn instantiate(&self, class: &str, host: Rc<Host>) -> Result<Box<dyn Instance>>;
}

/// What a turn starts with.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "moved once an event; a box would cost an allocation"
)]
pub enum Work {
    /// Start an event.
    Begin(EventId, Event),
    /// Run the callback of a timer.
    Timer(TimerId),
    /// A host operation is ready, or exports were released.
    Operations,
}

/// One live object inside an engine.
///
/// A turn returns when control is back at the event loop: no JavaScript is running and no
/// microtask is left.
pub trait Instance {
    /// Does `work`, then lets host operations that are ready continue until none is.
    /// `cx` is woken when there is more to do.
    ///
    /// The result of an event arrives by [`Host::settle`] with its id, now or in a later turn.
    fn turn(&mut self, work: Work, cx: &mut Context<'_>);

    /// Whether host operations are under way, so that the object is not idle.
    fn has_operations(&self) -> bool;
}
