//! What the runtime runs: an object with its one guest, or a shard's worker with a pool of them.
//!
//! Each event is a future. It waits for its body, then for a guest, which it keeps until its answer
//! is there, through all replays, so no other event can see what this one left in the guest.

use std::{
    cell::RefCell,
    future::Future,
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll},
};

use dolmen_runtime::{Error, ErrorKind, Event, EventId, Host, Instance, NestedEnd, Reply, Work};
use futures_util::stream::{FuturesUnordered, Stream};
use tokio::sync::Semaphore;

use crate::{
    alarm,
    engine::Module,
    guest::{Answered, Fault, Guest},
    kv, replay,
    request::Request,
    response, sockets,
    writes::Writes,
};

/// Guests that the worker of one shard has at most; further requests wait for one.
const WORKER_GUESTS: usize = 64;

pub(crate) struct WasmInstance {
    serves: Serves,
    events: FuturesUnordered<Pin<Box<dyn Future<Output = ()>>>>,
}

/// Who answers.
#[derive(Clone)]
enum Serves {
    Guests(Rc<Guests>),
    /// The object that has the worker's keys and values.
    Kv(Rc<Host>, Rc<Writes>),
}

impl Serves {
    fn host(&self) -> &Rc<Host> {
        match self {
            Self::Guests(guests) => &guests.host,
            Self::Kv(host, _) => host,
        }
    }
}

/// The guests of one object or worker.
pub(crate) struct Guests {
    module: Arc<Module>,
    pub host: Rc<Host>,
    writes: Rc<Writes>,
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

    /// The object that has the worker's keys and values.
    pub fn kv(host: Rc<Host>) -> Self {
        let writes = Rc::new(Writes::new(host.clone()));
        Self {
            serves: Serves::Kv(host, writes),
            events: FuturesUnordered::new(),
        }
    }

    fn new(module: Arc<Module>, host: Rc<Host>, guests: usize) -> Self {
        let guests = Guests {
            module,
            writes: Rc::new(Writes::new(host.clone())),
            host,
            permits: Semaphore::new(guests),
            idle: RefCell::default(),
        };
        Self {
            serves: Serves::Guests(Rc::new(guests)),
            events: FuturesUnordered::new(),
        }
    }
}

impl Instance for WasmInstance {
    fn turn(&mut self, work: Work, cx: &mut Context<'_>) {
        if let Work::Begin(id, event) = work {
            let serves = self.serves.clone();
            self.events.push(Box::pin(async move {
                let (host, result) = match &serves {
                    Serves::Guests(guests) => (&guests.host, serve(guests, id, event).await),
                    Serves::Kv(host, writes) => (host, Some(serve_kv(host, writes, event).await)),
                };
                if let Some(result) = result {
                    host.settle(id, result);
                }
            }));
        }
        // When the turn is to end, what waits behind the event that is to blame must not begin.
        let host = self.serves.host().clone();
        while !host.slice().stopped()
            && let Poll::Ready(Some(())) = Pin::new(&mut self.events).poll_next(cx)
        {}
    }

    fn has_operations(&self) -> bool {
        !self.events.is_empty()
    }
}

/// The result of an event; `None` if the runtime has told the turn to end, and knows why.
async fn serve(guests: &Guests, id: EventId, event: Event) -> Option<Result<Reply, Error>> {
    let served = match event {
        Event::Fetch(request) => match sockets::is_upgrade(&request) {
            true => sockets::open(guests, request).await,
            false => fetch(guests, request).await,
        },
        Event::Alarm(info) => alarm::run(guests, info).await,
        Event::Socket(event) => sockets::event(guests, event).await,
        other => Err(Failure::Error(unsupported(&other))),
    };
    match served {
        Ok(reply) => Some(Ok(reply)),
        Err(Failure::Error(error)) => Some(Err(error)),
        Err(Failure::Stopped) => {
            guests.host.blame(id);
            None
        }
    }
}

async fn serve_kv(host: &Host, writes: &Writes, event: Event) -> Result<Reply, Error> {
    match event {
        Event::Fetch(request) => kv::serve(request, host, writes).await.map(Reply::Fetch),
        other => Err(unsupported(&other)),
    }
}

async fn fetch(guests: &Guests, request: dolmen_runtime::FetchRequest) -> Result<Reply, Failure> {
    let request = Request::read(request).await?;
    let ended = guests.run(request, response::convert).await?;
    Ok(Reply::Fetch(match ended {
        Ended::Well(response) => response,
        Ended::Panicked(message) => response::panic(&message),
    }))
}

/// How a handler has ended.
pub(crate) enum Ended<T> {
    Well(T),
    /// It did something wrong, which is undone; its guest is gone.
    Panicked(String),
}

/// Why an event has no reply.
pub(crate) enum Failure {
    Error(Error),
    /// The runtime has told the turn to end.
    Stopped,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl Guests {
    /// Runs the handler until it has an answer that `accept` takes. What it wrote is kept then.
    ///
    /// # Errors
    /// If the event cannot be served, whatever the handler does.
    pub async fn run<T>(
        &self,
        request: Request,
        accept: impl FnOnce(Answered) -> Result<T, Fault>,
    ) -> Result<Ended<T>, Failure> {
        let _permit = self.permits.acquire().await.expect("it is never closed");
        let (ended, end) = match self.answer(request, accept).await {
            Ok(accepted) => (Ok(Ended::Well(accepted)), NestedEnd::Commit),
            Err(Fault::Panic(message)) => {
                let object = self.host.label();
                tracing::error!(object, "the handler panicked: {message}");
                (Ok(Ended::Panicked(message)), NestedEnd::Rollback)
            }
            Err(Fault::Host(error)) => (Err(Failure::Error(error)), NestedEnd::Rollback),
            // The runtime undoes what the turn did.
            Err(Fault::Stopped) => return Err(Failure::Stopped),
        };
        self.writes.end(end)?;
        ended
    }

    /// The version of the events that the module knows. Makes the guest if there is none.
    ///
    /// # Errors
    /// As [`Guests::run`].
    pub async fn abi(&self) -> Result<Ended<i32>, Failure> {
        let _permit = self.permits.acquire().await.expect("it is never closed");
        match self.guest().await {
            Ok(guest) => {
                let abi = guest.abi();
                self.idle.borrow_mut().push(guest);
                // What it did while it started.
                self.writes.end(NestedEnd::Commit)?;
                Ok(Ended::Well(abi))
            }
            Err(Fault::Panic(message)) => {
                self.writes.end(NestedEnd::Rollback)?;
                Ok(Ended::Panicked(message))
            }
            Err(Fault::Host(error)) => {
                self.writes.end(NestedEnd::Rollback)?;
                Err(Failure::Error(error))
            }
            Err(Fault::Stopped) => Err(Failure::Stopped),
        }
    }

    async fn guest(&self) -> Result<Guest, Fault> {
        let idle = self.idle.borrow_mut().pop();
        match idle {
            Some(guest) => Ok(guest),
            None => Guest::new(&self.module, &self.host, &self.writes).await,
        }
    }

    /// A guest that did something wrong is dropped here.
    async fn answer<T>(
        &self,
        request: Request,
        accept: impl FnOnce(Answered) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let mut guest = self.guest().await?;
        let answered = replay::run(&mut guest, request, &self.host, &self.writes).await?;
        let accepted = accept(answered)?;
        guest.release().await?;
        self.idle.borrow_mut().push(guest);
        Ok(accepted)
    }
}

/// What a handler never has.
fn unsupported(event: &Event) -> Error {
    let what = match event {
        Event::Rpc(call) => format!("a WASM handler has no methods, so no `{}`", call.method),
        _ => "a WASM handler has no methods; use fetch()".to_owned(),
    };
    Error::new(ErrorKind::MethodNotFound, what)
}
