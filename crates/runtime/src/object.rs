//! One object on its shard: its mailbox, its database, its gate, and whether it may be evicted.
//!
//! The state here belongs to the shard's thread. Its driver (`driver.rs`) is the only task that
//! runs turns; everybody else only puts events into the mailbox, reports syncs, and wakes it.

use std::{
    cell::{Cell, OnceCell, RefCell},
    collections::{HashMap, VecDeque},
    rc::Rc,
    sync::Arc,
    task::Wake,
    time::{Duration, Instant},
};

use dolmen_storage::{Database, ObjectId};
use tokio::sync::oneshot;

use crate::{
    Result,
    alarm_state::AlarmState,
    call::{Connection, Export, Life},
    deliveries::Deliveries,
    engine::Concurrency,
    error::{Error, ErrorKind},
    event::{AlarmInfo, Event, Reply},
    gate::OutputGate,
    hibernation::{LastEvent, Sockets},
    host::EventId,
    sections::Sections,
    shard::{CallChain, Shard, ShardMessage, WORKER},
    socket::SocketId,
    timers::Timers,
    turn::Slice,
    wakeup::Wakeup,
};

/// Which object: the index of its namespace, and its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ObjectKey {
    pub namespace: usize,
    pub id: ObjectId,
}

/// An event in a mailbox, and who waits for its result.
pub(crate) struct Envelope {
    pub event: Event,
    pub chain: CallChain,
    pub route: Route,
    pub reply: oneshot::Sender<Result<Reply>>,
}

impl Envelope {
    /// An event that begins a chain of calls, and came by no reference that can break.
    pub fn plain(event: Event, reply: oneshot::Sender<Result<Reply>>) -> Self {
        Self {
            event,
            chain: CallChain::default(),
            route: Route::Plain,
            reply,
        }
    }
}

/// By what kind of reference an event came.
pub(crate) enum Route {
    /// None that can break.
    Plain,
    /// A stub.
    Stub(Arc<Connection>),
    /// An export, which stays for as long as the event.
    Export(Arc<Export>),
}

/// A result that the engine reported.
pub(crate) struct Settled {
    pub id: EventId,
    pub result: Result<Reply>,
}

/// An event that was begun and is not settled, of an object whose events interleave.
pub(crate) struct InFlight {
    /// What it came by, which must outlive it.
    pub _route: Route,
    pub reply: oneshot::Sender<Result<Reply>>,
    pub alarm: Option<AlarmInfo>,
    /// It is the last one of a socket.
    pub last_of_socket: Option<LastEvent>,
    /// Who watches whether the event's client stays: told when there is an answer, with what tells whether
    /// it is read to its end if it is a stream.
    pub watcher: Option<oneshot::Sender<Option<oneshot::Receiver<()>>>>,
}

/// The event that a driver runs now.
pub(crate) struct Running {
    pub id: EventId,
    pub chain: CallChain,
}

pub(crate) struct Object {
    pub key: ObjectKey,
    /// Tells one life of an object from the next one on this shard.
    pub life: u64,
    pub name: RefCell<Option<Rc<str>>>,
    pub shard: Rc<Shard>,
    pub mailbox: RefCell<VecDeque<Envelope>>,
    /// How many of the mailbox are sockets that have something, which the limit of the mailbox is not for.
    pub sockets_ready: Cell<usize>,
    pub running: RefCell<Option<Running>>,
    pub in_flight: RefCell<HashMap<EventId, InFlight>>,
    /// Critical sections, innermost last: while there is one, no event begins.
    pub sections: RefCell<Sections>,
    /// Whose end of an operation user code sees next.
    pub deliveries: RefCell<Deliveries>,
    pub next_event: Cell<EventId>,
    /// The events that the instance is to be reset for.
    pub culprits: RefCell<Vec<EventId>>,
    /// Tells one instance from the next one on this shard.
    pub instance: Cell<u64>,
    /// What callers' stubs look at; a new one with each instance.
    pub connections: RefCell<Arc<Life>>,
    /// How many exported values somebody may still refer to.
    pub exported: Cell<usize>,
    /// Exports that nobody refers to any more, until the instance has heard of them.
    pub released: RefCell<Vec<u64>>,
    pub settled: RefCell<Vec<Settled>>,
    pub db: RefCell<Database>,
    pub db_counted: Cell<bool>,
    pub sync_in_flight: Cell<bool>,
    /// Why the last sync failed, until the driver has reset the object.
    pub failed_sync: RefCell<Option<Error>>,
    /// The database may show more than is durable and must be reset before its next use.
    pub distrusted: Cell<bool>,
    pub gate: RefCell<OutputGate>,
    pub alarm: AlarmState,
    pub sockets: OnceCell<Rc<Sockets>>,
    pub timers: RefCell<Timers>,
    /// Its instance waits for something outside, such as what arrives on a socket.
    pub has_operations: Cell<bool>,
    pub slice: Rc<Slice>,
    pub wakeup: Arc<Wakeup>,
    pub last_used: Cell<Instant>,
    pub evict: Cell<bool>,
}

impl Object {
    pub fn new(shard: &Rc<Shard>, key: ObjectKey, name: Option<Rc<str>>) -> Rc<Self> {
        let sockets = shard.sockets.borrow().get(&key).cloned();
        let name = name.or_else(|| sockets.as_ref()?.name.borrow().clone());
        Rc::new(Self {
            key,
            life: shard.next_life(),
            name: RefCell::new(name),
            shard: shard.clone(),
            mailbox: RefCell::default(),
            sockets_ready: Cell::new(0),
            running: RefCell::default(),
            in_flight: RefCell::default(),
            deliveries: RefCell::default(),
            sections: RefCell::default(),
            next_event: Cell::new(1),
            culprits: RefCell::default(),
            instance: Cell::new(shard.next_life()),
            connections: RefCell::default(),
            exported: Cell::new(0),
            released: RefCell::default(),
            settled: RefCell::default(),
            db: RefCell::new(shard.namespace(key.namespace).storage.database(key.id)),
            db_counted: Cell::new(false),
            sync_in_flight: Cell::new(false),
            failed_sync: RefCell::default(),
            distrusted: Cell::new(false),
            gate: RefCell::default(),
            alarm: AlarmState::default(),
            sockets: sockets.map_or_else(OnceCell::new, OnceCell::from),
            timers: RefCell::default(),
            has_operations: Cell::new(false),
            slice: Rc::new(Slice::new()),
            wakeup: Arc::default(),
            last_used: Cell::new(shard.clock.now()),
            evict: Cell::new(false),
        })
    }

    /// How errors and logs call this object.
    pub fn label(&self) -> String {
        if self.key.namespace == WORKER {
            return "the worker".to_owned();
        }
        let namespace = &self.shard.namespace(self.key.namespace).spec.name;
        match &*self.name.borrow() {
            Some(name) => format!("{namespace}/{name}"),
            None => format!("{namespace}/{}", self.key.id),
        }
    }

    /// Puts an event into the mailbox, or refuses it at once.
    pub fn deliver(&self, envelope: Envelope) {
        let limit = self.shard.options.queue_limit;
        let waiting = self.mailbox.borrow().len() - self.sockets_ready.get();
        if let Route::Stub(connection) = &envelope.route
            && let Err(broken) = connection.arrive(&self.connections.borrow())
        {
            return drop(envelope.reply.send(Err(broken)));
        }
        let refusal = if self.shard.draining.get() {
            Some(Error::new(
                ErrorKind::Unavailable,
                "Dolmen is shutting down; send the request again later",
            ))
        } else if waiting + self.in_flight.borrow().len() >= limit
            && self.shard.concurrency == Concurrency::Interleaved
        {
            Some(Error::new(
                ErrorKind::Overloaded,
                "Durable Object is overloaded. Too many requests queued.",
            ))
        } else if waiting >= limit {
            Some(Error::new(
                ErrorKind::Overloaded,
                format!(
                    "object {} has {limit} events waiting; try again later",
                    self.label()
                ),
            ))
        } else if self.waits_in(&envelope.chain) {
            Some(Error::new(
                ErrorKind::Exception,
                format!(
                    "this call would wait for ever: object {} is waiting for the call chain that this call belongs to",
                    self.label()
                ),
            ))
        } else {
            None
        };
        match refusal {
            Some(error) => drop(envelope.reply.send(Err(error))),
            None => {
                self.mailbox.borrow_mut().push_back(envelope);
                self.wakeup.wake_driver();
            }
        }
    }

    /// A socket has something to read. It says so once, so the mailbox has at most one such event
    /// of each socket, whatever its limit.
    pub fn socket_ready(&self, socket: SocketId) {
        let (nobody, _) = oneshot::channel();
        let envelope = Envelope::plain(Event::SocketReady(socket), nobody);
        self.mailbox.borrow_mut().push_back(envelope);
        self.sockets_ready.set(self.sockets_ready.get() + 1);
        self.wakeup.wake_driver();
    }

    /// Takes everything out of the mailbox.
    pub fn empty_mailbox(&self) -> VecDeque<Envelope> {
        self.sockets_ready.set(0);
        self.mailbox.take()
    }

    /// Asks the object to leave if it has been idle for that long.
    pub fn leave_if_idle(&self, idle: Duration) {
        let unused = self
            .shard
            .clock
            .now()
            .saturating_duration_since(self.last_used.get());
        if unused >= idle && self.may_leave() && self.is_quiet() {
            self.evict.set(true);
            self.wakeup.wake_driver();
        }
    }

    /// Whether the event that runs here is one that `chain` came through.
    fn waits_in(&self, chain: &CallChain) -> bool {
        let running = self.running.borrow();
        let Some(running) = &*running else {
            return false;
        };
        chain
            .iter()
            .any(|link| link.key == self.key && link.event == running.id)
    }

    /// The chain of a call that this object makes now.
    pub fn chain_for_call(&self) -> Result<CallChain> {
        match &*self.running.borrow() {
            None => Ok(CallChain::default()),
            Some(running) => {
                let limit = self.shard.options.max_call_depth;
                running.chain.with(self.key, running.id, limit).ok_or_else(|| {
                    Error::new(
                        ErrorKind::Exception,
                        format!("the call chain is too deep: at most {limit} objects may wait for each other"),
                    )
                })
            }
        }
    }

    /// Whether the instance must be thrown away now.
    pub fn is_stopped(&self) -> bool {
        self.slice.stopped() || self.failed_sync.borrow().is_some()
    }

    /// Lets everything out that is durable, and starts the next sync if one is owed.
    pub fn advance_gate(&self) {
        let durable = self.db.borrow().durable();
        // Before any reply leaves: whoever hears of an alarm's end finds the index up to date.
        self.alarm.advance(self, durable);
        loop {
            let open = self.gate.borrow_mut().next_open(durable);
            let Some(output) = open else { break };
            output(Ok(()));
        }
        let mut db = self.db.borrow_mut();
        if db.committed() > durable
            && !self.sync_in_flight.get()
            && self.failed_sync.borrow().is_none()
        {
            self.sync_in_flight.set(true);
            let inbox = self.shard.inbox.clone();
            let (key, life) = (self.key, self.life);
            db.sync(Box::new(move |result| {
                // A closed inbox means that the shard is gone, and its waiting replies with it.
                let _ = inbox.send(ShardMessage::Synced { key, life, result });
            }));
        }
    }

    /// A sync thread is through.
    pub fn synced(&self, result: Result<u64, dolmen_storage::Error>) {
        self.sync_in_flight.set(false);
        match result {
            Ok(durable) => {
                self.db.borrow_mut().note_durable(durable);
                self.advance_gate();
            }
            Err(error) => {
                tracing::error!(object = %self.label(), %error, "sync failed; the object is reset");
                let failure = Error::new(
                    ErrorKind::Storage,
                    format!(
                        "a write of object {} could not be made durable; the object was reset: {error}",
                        self.label()
                    ),
                );
                self.slice.stop(failure.clone());
                *self.failed_sync.borrow_mut() = Some(failure);
            }
        }
        self.wakeup.wake_driver();
    }

    /// The grace period of a shutdown is over: whatever still runs or waits is refused.
    pub fn abort(&self) {
        let reason = || {
            Error::new(
                ErrorKind::Unavailable,
                "Dolmen is shutting down; the event was cut off",
            )
        };
        for envelope in self.empty_mailbox() {
            drop(envelope.reply.send(Err(reason())));
        }
        // An event that was answered may still do something.
        let is_busy = self.running.borrow().is_some()
            || !self.in_flight.borrow().is_empty()
            || self.has_operations.get();
        if is_busy {
            self.slice.stop(reason());
        }
        self.wakeup.wake_driver();
    }

    /// Its driver is gone without having left: refuses whatever waits and takes the object out of the table.
    pub fn abandon(self: &Rc<Self>) {
        let reason = Error::new(
            ErrorKind::Internal,
            format!(
                "object {} was reset because Dolmen panicked in it; this is a defect, please report it",
                self.label()
            ),
        );
        self.shard.forget(self);
        self.lose_sockets();
        let (turn, held) = {
            let mut gate = self.gate.borrow_mut();
            (gate.take_turn(), gate.take_held())
        };
        for output in turn.into_iter().chain(held) {
            output(Err(reason.clone()));
        }
        for envelope in self.empty_mailbox() {
            drop(envelope.reply.send(Err(reason.clone())));
        }
    }

    /// Whether nothing is running, waiting or unconfirmed, so that memory and files can go.
    pub fn is_quiet(&self) -> bool {
        self.running.borrow().is_none()
            && self.in_flight.borrow().is_empty()
            && !self.has_operations.get()
            && self.mailbox.borrow().is_empty()
            && (self.timers.borrow().is_empty() && self.exported.get() == 0
                || self.shard.draining.get())
            && self.is_settled_on_disk()
    }

    /// Whether it may be evicted to make room. The worker stays.
    pub fn may_leave(&self) -> bool {
        self.key.namespace != WORKER
    }

    /// Whether it is the stateless worker.
    pub fn is_worker(&self) -> bool {
        self.key.namespace == WORKER
    }

    /// Nobody refers to an export of the instance `instance` any more.
    pub fn release(&self, instance: u64, export: u64) {
        if self.instance.get() == instance {
            self.exported.set(self.exported.get().saturating_sub(1));
            self.released.borrow_mut().push(export);
            self.wakeup.wake_by_ref();
        }
    }

    /// Whether everything written is durable and nobody waits for it.
    pub fn is_settled_on_disk(&self) -> bool {
        if self.distrusted.get() {
            // Nobody waits any more; the next event resets it, or, at the end, its leaving does.
            return self.shard.draining.get();
        }
        let db = self.db.borrow();
        self.gate.borrow().is_empty()
            && !self.sync_in_flight.get()
            && !db.in_transaction()
            && db.committed() == db.durable()
            && self.alarm.is_settled()
    }
}
