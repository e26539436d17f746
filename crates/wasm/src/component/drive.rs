//! Runs a guest's call: in slices while it computes, and as a wait of the event loop while it waits.
//!
//! A call runs on a stack of wasmtime's, which must be left before the turn is suspended (see `guest.rs` of core
//! modules). So whatever may take long leaves it: at a tick of the epoch, or because an import asks for an errand,
//! the call's future is pending with a pause, which is dealt with here, on the turn's own stack. Pending without a
//! pause is a wait for something outside.

use std::{
    cell::{Cell, RefCell},
    future::Future,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use dolmen_runtime::{Host, Verdict};
use dolmen_wasm_code::Compiler;

use super::fault::Fault;
use crate::on_shard::OnShard;

/// Why a call has left its stack, if it does not wait.
enum Pause {
    Tick,
    Errand(Box<dyn FnOnce()>),
}

/// Where a guest leaves its pauses.
#[derive(Default)]
pub(crate) struct Desk(RefCell<Option<Pause>>);

impl Desk {
    /// The epoch has moved on.
    pub fn tick(&self) {
        self.0.replace(Some(Pause::Tick));
    }

    /// Does `work`, which may suspend the turn, away from the guest's stack.
    pub fn errand<T: 'static>(self: &Rc<Self>, work: impl FnOnce() -> T + 'static) -> Errand<T> {
        let done = Rc::new(Cell::new(None));
        let to = done.clone();
        let work = Box::new(move || to.set(Some(work())));
        Errand(OnShard::new(Sent {
            desk: self.clone(),
            work: Cell::new(Some(work)),
            done,
        }))
    }

    /// Deals with a pause; `false` if there is none.
    fn clear(&self) -> bool {
        let pause = self.0.take();
        match pause {
            None => return false,
            Some(Pause::Tick) => {}
            Some(Pause::Errand(work)) => work(),
        }
        true
    }
}

/// Work that was asked for.
pub(crate) struct Errand<T>(OnShard<Sent<T>>);

struct Sent<T> {
    desk: Rc<Desk>,
    work: Cell<Option<Box<dyn FnOnce()>>>,
    done: Rc<Cell<Option<T>>>,
}

impl<T> Future for Errand<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<T> {
        if let Some(done) = self.0.done.take() {
            return Poll::Ready(done);
        }
        if let Some(work) = self.0.work.take() {
            self.0.desk.0.replace(Some(Pause::Errand(work)));
        }
        Poll::Pending
    }
}

/// Polls a guest's call as far as it goes without waiting for something outside.
///
/// # Errors
/// `Stopped` if the turn was told to end.
pub(crate) fn poll_call<T>(
    host: &Host,
    compiler: &Compiler,
    desk: &Desk,
    mut call: Pin<&mut (impl Future<Output = T> + ?Sized)>,
    cx: &mut Context<'_>,
) -> Poll<Result<T, Fault>> {
    let _running = compiler.running();
    loop {
        if let Poll::Ready(done) = call.as_mut().poll(cx) {
            return Poll::Ready(Ok(done));
        }
        if !desk.clear() {
            return Poll::Pending;
        }
        if host.slice().checkpoint() == Verdict::Stop {
            return Poll::Ready(Err(Fault::Stopped));
        }
    }
}
