//! What stays on its shard, in a store that wasmtime wants to be able to send.

use std::ops::{Deref, DerefMut};

/// A value that is used on the thread that made it only, whatever the type system is told.
pub(crate) struct OnShard<T>(T);

// SAFETY: a value is made by `Guest::new` on a shard's thread, and reachable through that guest
// alone, which an `Instance` owns. The runtime makes, runs and drops an instance on its shard; it
// is not `Send`. Wasmtime itself moves no store to another thread.
unsafe impl<T> Send for OnShard<T> {}

impl<T> OnShard<T> {
    pub fn new(value: T) -> Self {
        Self(value)
    }
}

impl<T> Deref for OnShard<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for OnShard<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}
