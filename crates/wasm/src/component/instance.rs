//! What the runtime runs: an object with its one guest, or a shard's worker with a pool of them.
//!
//! Each event is a future that takes a guest and keeps it until its handler has returned, so that no other event
//! can see what this one is in the middle of. A guest that did something wrong is dropped.

use std::{
    cell::{Cell, RefCell},
    future::Future,
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll},
};

use dolmen_runtime::{
    Error, ErrorKind, Event, EventId, FetchRequest, Host, Instance, Reply, Work, websocket,
};
use futures_util::stream::{FuturesUnordered, Stream};
use tokio::sync::Semaphore;

use super::{
    Component, arriving::Arrived, events, fault::Fault, guest::Guest, leaving::Leaving,
    writes::Writes,
};

/// Guests that the worker of one shard has at most; further requests wait for one.
const WORKER_GUESTS: usize = 64;

pub(crate) struct ComponentInstance {
    guests: Rc<Guests>,
    events: FuturesUnordered<Pin<Box<dyn Future<Output = ()>>>>,
}

/// The guests of one object or worker.
struct Guests {
    component: Arc<Component>,
    host: Rc<Host>,
    writes: Rc<Writes>,
    /// Who has a permit has a guest, or takes one from `idle`, or makes one.
    permits: Semaphore,
    idle: RefCell<Vec<Guest>>,
    /// Of a worker: a guest has panicked at a request that was not its first. There are components
    /// whose instances can answer one only, so from then on each request has an instance of its own.
    is_single_use: Cell<bool>,
}

impl ComponentInstance {
    /// One object: its guest lives as long as it does.
    pub fn object(component: Arc<Component>, host: Rc<Host>) -> Self {
        Self::new(component, host, 1)
    }

    /// A shard's worker.
    pub fn worker(component: Arc<Component>, host: Rc<Host>) -> Self {
        Self::new(component, host, WORKER_GUESTS)
    }

    fn new(component: Arc<Component>, host: Rc<Host>, guests: usize) -> Self {
        let guests = Guests {
            component,
            writes: Rc::new(Writes::new(host.clone())),
            host,
            permits: Semaphore::new(guests),
            idle: RefCell::default(),
            is_single_use: Cell::default(),
        };
        Self {
            guests: Rc::new(guests),
            events: FuturesUnordered::new(),
        }
    }
}

impl Instance for ComponentInstance {
    fn turn(&mut self, work: Work, cx: &mut Context<'_>) {
        if let Work::Begin(id, event) = work {
            let guests = self.guests.clone();
            self.events
                .push(Box::pin(async move { guests.serve(id, event).await }));
        }
        let guests = self.guests.clone();
        // When the turn is to end, what waits behind the event that is to blame must not begin. Nor
        // may an object's next event in a turn in which the reply of the one before leaves: what
        // leaves is kept when the turn ends, and this one might still fail.
        let goes_on = || {
            !guests.host.slice().stopped() && (guests.host.is_worker() || !guests.writes.leaves())
        };
        while goes_on()
            && let Poll::Ready(Some(())) = Pin::new(&mut self.events).poll_next(cx)
        {}
        if !goes_on() {
            // Who is ready and was not polled wakes nobody.
            cx.waker().wake_by_ref();
        }
        if let Err(error) = self.guests.writes.end_turn() {
            self.guests.host.slice().stop(error);
        }
    }

    fn has_operations(&self) -> bool {
        !self.events.is_empty()
    }
}

impl Guests {
    async fn serve(&self, id: EventId, event: Event) {
        match event {
            Event::Fetch(request) if websocket::is_upgrade(&request.headers) => {
                self.open(id, request).await;
            }
            Event::Fetch(request) => self.fetch(id, request).await,
            Event::Alarm(info) => {
                let run = async |guest: &mut Guest| events::alarm(guest, info).await;
                self.run(id, run, |message| {
                    Err(Error::new(ErrorKind::Exception, message))
                })
                .await;
            }
            Event::Socket(event) => {
                let run = async |guest: &mut Guest| events::socket(guest, &self.host, &event).await;
                let panicked = |message: String| {
                    events::tell(&self.host, &event, &message);
                    Err(Error::new(ErrorKind::Exception, message))
                };
                self.run(id, run, panicked).await;
            }
            Event::Rpc(_) | Event::Call(_) | Event::SocketReady(_) => {
                let message = "a WASM component has no methods; use fetch()";
                let error = Error::new(ErrorKind::MethodNotFound, message);
                self.host.settle(id, Err(error));
            }
        }
    }

    /// An HTTP request. Its answer may leave before the handler returns.
    async fn fetch(&self, id: EventId, request: FetchRequest) {
        let request = match Arrived::of(request) {
            Ok(request) => request,
            Err(error) => return self.host.settle(id, Err(error)),
        };
        let permit = self.permits.acquire().await.expect("it is never closed");
        let mut leaving = Leaving::new(&self.host, &self.writes, id);
        let handled = async |guest: &mut Guest, leaving: &mut Leaving| {
            guest.handle(request, leaving).await?;
            leaving.finish()
        };
        let is_first = self.idle.borrow().is_empty();
        let ran = match self.take().await {
            Ok(mut guest) => match handled(&mut guest, &mut leaving).await {
                Ok(()) => {
                    if !self.is_single_use.get() {
                        self.idle.borrow_mut().push(guest);
                    }
                    Ok(())
                }
                Err(fault) => Err(fault),
            },
            Err(fault) => Err(fault),
        };
        if matches!(ran, Err(Fault::Panic(_))) && !is_first && self.host.is_worker() {
            tracing::warn!(
                "an instance of the worker panicked at a request that was not its first: from now on each request has its own"
            );
            self.is_single_use.set(true);
            self.idle.borrow_mut().clear();
        }
        match self.end(id, ran) {
            Ended::Well => {
                drop(permit);
                leaving.rest().await;
            }
            Ended::Panicked(message) => leaving.panic(&message),
            Ended::Failed(error) => leaving.fail(error),
            Ended::Stopped => {}
        }
    }

    /// A request for a WebSocket.
    async fn open(&self, id: EventId, request: FetchRequest) {
        let run = async |guest: &mut Guest| {
            if self.host.is_worker() {
                let message = "WebSockets are there in objects only (/do/:name/* and /fetch/:namespace/:name/*), not in the worker";
                return Ok(Err(Error::new(ErrorKind::BadRequest, message)));
            }
            let opened = events::open(guest, &self.host, request).await?;
            Ok(opened.map(Reply::Fetch))
        };
        self.run(id, run, |message| Ok(events::panicked(&message)))
            .await;
    }

    /// An event whose result is there when its handler returns. An error of the handler undoes what it wrote.
    async fn run(
        &self,
        id: EventId,
        run: impl AsyncFnOnce(&mut Guest) -> Result<Result<Reply, Error>, Fault>,
        panicked: impl FnOnce(String) -> Result<Reply, Error>,
    ) {
        let _permit = self.permits.acquire().await.expect("it is never closed");
        let ran = match self.take().await {
            Ok(mut guest) => match run(&mut guest).await {
                Ok(result) => {
                    self.idle.borrow_mut().push(guest);
                    Ok(result)
                }
                Err(fault) => Err(fault),
            },
            Err(fault) => Err(fault),
        };
        let (ran, result) = match ran {
            Ok(Ok(reply)) => (Ok(()), Some(Ok(reply))),
            Ok(Err(error)) => (Err(Fault::Failed(error)), None),
            Err(fault) => (Err(fault), None),
        };
        let result = match self.end(id, ran) {
            Ended::Well => result,
            Ended::Panicked(message) => Some(panicked(message)),
            Ended::Failed(error) => Some(Err(error)),
            Ended::Stopped => None,
        };
        if let Some(result) = result {
            self.host.settle(id, result);
            self.writes.replied();
        }
    }

    /// A guest that nobody uses, or a new one.
    async fn take(&self) -> Result<Guest, Fault> {
        let idle = self.idle.borrow_mut().pop();
        match idle {
            Some(guest) => Ok(guest),
            None => Guest::new(&self.component, &self.host, &self.writes).await,
        }
    }

    /// Keeps what the event wrote, or undoes it.
    fn end(&self, id: EventId, ran: Result<(), Fault>) -> Ended {
        let (done, ended) = match ran {
            Ok(()) => (self.writes.keep(), Ended::Well),
            Err(Fault::Panic(message)) => {
                tracing::error!(
                    object = self.host.label(),
                    "the handler panicked: {message}"
                );
                (self.writes.undo(), Ended::Panicked(message))
            }
            Err(Fault::Failed(error)) => (self.writes.undo(), Ended::Failed(error)),
            Err(Fault::Stopped) => {
                self.host.blame(id);
                (Ok(()), Ended::Stopped)
            }
        };
        done.map_or_else(Ended::Failed, |()| ended)
    }
}

/// How an event went.
enum Ended {
    Well,
    Panicked(String),
    Failed(Error),
    Stopped,
}
