//! What the runtime runs: an object with its one guest, or a shard's worker with a pool of them.
//!
//! Each event is a future. It waits for its body, then for a guest, which it keeps until its answer
//! is there, through all replays, so no other event can see what this one left in the guest.

use std::{
    cell::{Cell, RefCell},
    future::Future,
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll},
};

use dolmen_runtime::{
    Error, ErrorKind, Event, EventId, FetchResponse, Host, Instance, NestedEnd, Reply, Work,
    storage,
};
use futures_util::stream::{FuturesUnordered, Stream};
use tokio::sync::Semaphore;

use crate::{
    engine::Module,
    guest::{Fault, Guest},
    request::Request,
    response,
};

/// Guests that the worker of one shard has at most; further requests wait for one.
const WORKER_GUESTS: usize = 64;

pub(crate) struct WasmInstance {
    guests: Rc<Guests>,
    events: FuturesUnordered<Pin<Box<dyn Future<Output = ()>>>>,
}

/// The guests of one object or worker.
pub(crate) struct Guests {
    module: Arc<Module>,
    pub host: Rc<Host>,
    /// Who has a permit has a guest, or takes one from `idle`, or makes one.
    permits: Semaphore,
    idle: RefCell<Vec<Guest>>,
}

impl WasmInstance {
    /// One object: its guest lives as long as it does.
    pub fn object(module: Arc<Module>, host: Rc<Host>) -> Self {
        Self::new(module, host, 1)
    }

    /// A shard's worker.
    pub fn worker(module: Arc<Module>, host: Rc<Host>) -> Self {
        Self::new(module, host, WORKER_GUESTS)
    }

    fn new(module: Arc<Module>, host: Rc<Host>, guests: usize) -> Self {
        let guests = Guests {
            module,
            host,
            permits: Semaphore::new(guests),
            idle: RefCell::default(),
        };
        Self {
            guests: Rc::new(guests),
            events: FuturesUnordered::new(),
        }
    }
}

impl Instance for WasmInstance {
    fn turn(&mut self, work: Work, cx: &mut Context<'_>) {
        if let Work::Begin(id, event) = work {
            let guests = self.guests.clone();
            self.events.push(Box::pin(async move {
                let result = serve(&guests, id, event).await;
                if let Some(result) = result {
                    guests.host.settle(id, result);
                }
            }));
        }
        while let Poll::Ready(Some(())) = Pin::new(&mut self.events).poll_next(cx) {}
    }

    fn has_operations(&self) -> bool {
        !self.events.is_empty()
    }
}

/// The result of an event; `None` if the runtime has told the turn to end, and knows why.
async fn serve(guests: &Guests, id: EventId, event: Event) -> Option<Result<Reply, Error>> {
    let request = match event {
        Event::Fetch(request) => request,
        other => return Some(Err(unsupported(&other))),
    };
    let request = match Request::read(request).await {
        Ok(request) => request,
        Err(error) => return Some(Err(error)),
    };
    let _permit = guests.permits.acquire().await.expect("it is never closed");
    let writes = Writes::new(&guests.host);
    match answer(guests, &request, &writes).await {
        Ok(response) => {
            let kept = writes.end(NestedEnd::Commit);
            Some(kept.and(response).map(Reply::Fetch))
        }
        Err(Fault::Panic(message)) => {
            tracing::error!(
                object = guests.host.label(),
                "the handler panicked: {message}"
            );
            let undone = writes.end(NestedEnd::Rollback);
            Some(undone.map(|()| Reply::Fetch(response::panic(&message))))
        }
        Err(Fault::Stopped) => {
            guests.host.blame(id);
            None
        }
    }
}

/// Runs the handler until it has an answer. A guest that did something wrong is dropped here.
async fn answer(
    guests: &Guests,
    request: &Request,
    writes: &Writes<'_>,
) -> Result<Result<FetchResponse, Error>, Fault> {
    let idle = guests.idle.borrow_mut().pop();
    let mut guest = match idle {
        Some(guest) => guest,
        None => Guest::new(&guests.module, &guests.host)?,
    };
    let answered = crate::replay::run(&mut guest, request, &guests.host, writes).await?;
    let response = match answered {
        Ok(answered) => Ok(response::convert(answered)?),
        Err(error) => Err(error),
    };
    guest.release()?;
    guests.idle.borrow_mut().push(guest);
    Ok(response)
}

/// What an event has written since its last fetch: kept or undone as one.
pub(crate) struct Writes<'h> {
    host: &'h Host,
    is_open: Cell<bool>,
}

impl<'h> Writes<'h> {
    fn new(host: &'h Host) -> Self {
        Self {
            host,
            is_open: Cell::new(false),
        }
    }

    /// A write comes.
    ///
    /// # Errors
    /// If SQLite refuses.
    pub fn begin(&self) -> Result<(), storage::Error> {
        if !self.is_open.get() {
            self.host.begin_nested()?;
            self.is_open.set(true);
        }
        Ok(())
    }

    /// Keeps or undoes what was written.
    ///
    /// # Errors
    /// If SQLite refuses.
    pub fn end(&self, end: NestedEnd) -> Result<(), Error> {
        if self.is_open.take() {
            self.host.end_nested(end)?;
        }
        Ok(())
    }
}

/// What a handler cannot do yet.
fn unsupported(event: &Event) -> Error {
    let (kind, what) = match event {
        Event::Rpc(call) => (
            ErrorKind::MethodNotFound,
            format!("a WASM handler has no methods, so no `{}`", call.method),
        ),
        Event::Call(_) => (
            ErrorKind::MethodNotFound,
            "a WASM handler has no methods; use fetch()".to_owned(),
        ),
        Event::Alarm(_) => (
            ErrorKind::MethodNotFound,
            "alarms of WASM handlers are not there yet".to_owned(),
        ),
        _ => (
            ErrorKind::BadRequest,
            "WebSockets of WASM handlers are not there yet".to_owned(),
        ),
    };
    Error::new(kind, what)
}
