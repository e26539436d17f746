//! What an import leaves to the turn, because it waits, or may be long.
//!
//! A guest runs on a stack of wasmtime's, where nothing may suspend the turn. So an import leaves
//! its work here and suspends the guest; the turn does the work on its own stack, and continues it.

use std::{
    cell::RefCell,
    future::{Future, poll_fn},
    pin::Pin,
    rc::Rc,
    task::Poll,
};

use dolmen_runtime::Error;

use crate::{on_shard::OnShard, outbox::Found};

/// What is to be done. The outer error ends the event.
pub(crate) type Work = Pin<Box<dyn Future<Output = Result<Found, Error>>>>;

#[derive(Default)]
enum Stage {
    #[default]
    Idle,
    Asked(Work),
    Done(Found),
}

/// The one errand of a guest.
#[derive(Clone, Default)]
pub(crate) struct Errand(Rc<RefCell<Stage>>);

impl Errand {
    /// What the guest has asked for.
    pub fn asked(&self) -> Option<Work> {
        match self.0.take() {
            Stage::Asked(work) => Some(work),
            other => {
                self.0.replace(other);
                None
            }
        }
    }

    /// It is done.
    pub fn done(&self, found: Found) {
        self.0.replace(Stage::Done(found));
    }
}

impl OnShard<Errand> {
    /// Leaves work to the turn, and waits for it.
    pub fn ask<W>(&self, work: W) -> impl Future<Output = Found> + Send + use<W>
    where
        W: Future<Output = Result<Found, Error>> + 'static,
    {
        self.0.replace(Stage::Asked(Box::pin(work)));
        let errand = OnShard::new(Errand::clone(self));
        poll_fn(move |_| {
            // The turn polls the guest again once it is done.
            match errand.0.take() {
                Stage::Done(found) => Poll::Ready(found),
                other => {
                    errand.0.replace(other);
                    Poll::Pending
                }
            }
        })
    }
}
