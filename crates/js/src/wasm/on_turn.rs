//! What stays with its context, in a store that wasmtime wants to be able to send.

use std::ops::{Deref, DerefMut};

/// A value that is used on the thread that made it only, whatever the type system is told.
pub(super) struct OnTurn<T>(pub T);

// SAFETY: a value is made within a context, for the store of that context, and reachable through
// both alone. The runtime makes, runs and drops an instance, and so its context, on one shard; a
// bundle is loaded by one thread. Wasmtime itself moves no store to another thread.
unsafe impl<T> Send for OnTurn<T> {}
// SAFETY: as above: there is one thread.
unsafe impl<T> Sync for OnTurn<T> {}

impl<T> Deref for OnTurn<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for OnTurn<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}
