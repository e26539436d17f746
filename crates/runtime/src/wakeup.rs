//! Wakes an object's driver: from its own shard, and from whatever its host operations wait for.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Wake, Waker},
};

/// The waker that an engine's operations get, which remembers that it was woken.
#[derive(Default)]
pub(crate) struct Wakeup {
    operations_ready: AtomicBool,
    driver: Mutex<Option<Waker>>,
}

impl Wakeup {
    /// Notes which task drives the object.
    pub fn register(&self, cx: &Context<'_>) {
        let mut driver = self.driver.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *driver {
            Some(waker) => waker.clone_from(cx.waker()),
            None => *driver = Some(cx.waker().clone()),
        }
    }

    /// Whether an operation became ready since the last call.
    pub fn take_operations_ready(&self) -> bool {
        self.operations_ready.swap(false, Ordering::AcqRel)
    }

    /// Wakes the driver without saying that an operation is ready.
    pub fn wake_driver(&self) {
        let driver = self.driver.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(waker) = &*driver {
            waker.wake_by_ref();
        }
    }
}

impl Wake for Wakeup {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.operations_ready.store(true, Ordering::Release);
        self.wake_driver();
    }
}
