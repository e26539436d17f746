//! A shard: one OS thread with one event loop, and the table of the objects that live on it.
//!
//! An object belongs to the shard that its id selects, so it lives at most once. Everything that
//! comes from other threads is a [`ShardMessage`]; inside, nothing is locked.

use std::{
    cell::{Cell, RefCell},
    collections::{HashMap, VecDeque},
    pin::Pin,
    rc::{Rc, Weak},
    sync::Arc,
    time::{Duration, Instant},
};

use dolmen_storage::{ObjectId, Storage};
use tokio::sync::{
    Notify,
    mpsc::{UnboundedReceiver, UnboundedSender},
    oneshot,
};

use crate::{
    Result,
    alarms::AlarmNote,
    call::Export,
    clock::Clock,
    driver::Driver,
    engine::{Concurrency, Engine},
    error::{Error, ErrorKind},
    hibernation::Sockets,
    host::EventId,
    namespace::NamespaceSpec,
    object::{Envelope, Object, ObjectKey, Route},
    options::Options,
    socket::SocketId,
    turn::Turns,
};

/// A task for a shard's event loop; made on the shard, so it need not be `Send` itself.
pub type ShardTask = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = ()>>> + Send>;

/// Everything that reaches a shard from other threads.
pub(crate) enum ShardMessage {
    Deliver {
        key: ObjectKey,
        name: Option<Box<str>>,
        envelope: Envelope,
    },
    /// For this shard's stateless worker.
    ToWorker(Envelope),
    /// Nobody refers to an exported value any more.
    Release {
        key: ObjectKey,
        instance: u64,
        export: u64,
    },
    /// A hibernatable WebSocket of an object has something to read.
    Socket {
        key: ObjectKey,
        socket: SocketId,
    },
    Synced {
        key: ObjectKey,
        life: u64,
        result: Result<u64, dolmen_storage::Error>,
    },
    AlarmIndexed {
        key: ObjectKey,
        life: u64,
        after: Option<i64>,
        result: Result<(), dolmen_storage::Error>,
    },
    Spawn(ShardTask),
    /// Take no new work, let what runs finish, and end.
    Drain(oneshot::Sender<()>),
    /// The grace period is over.
    Abort,
}

/// The objects that wait for an event, innermost first.
#[derive(Clone, Default)]
pub(crate) struct CallChain(Option<Arc<ChainLink>>);

pub(crate) struct ChainLink {
    pub key: ObjectKey,
    pub event: EventId,
    depth: usize,
    outer: CallChain,
}

impl CallChain {
    /// The chain with one more waiting event, unless it gets longer than `limit`.
    pub fn with(&self, key: ObjectKey, event: EventId, limit: usize) -> Option<Self> {
        let depth = self.0.as_ref().map_or(0, |link| link.depth) + 1;
        (depth <= limit).then(|| {
            Self(Some(Arc::new(ChainLink {
                key,
                event,
                depth,
                outer: self.clone(),
            })))
        })
    }

    pub fn iter(&self) -> impl Iterator<Item = &ChainLink> {
        std::iter::successors(self.0.as_deref(), |link| link.outer.0.as_deref())
    }
}

/// A namespace with its folder.
pub(crate) struct OpenNamespace {
    pub spec: NamespaceSpec,
    pub storage: dolmen_storage::Namespace,
}

/// The place in a key that stands for the stateless worker, which has no namespace.
pub(crate) const WORKER: usize = usize::MAX;

/// What all shards of a runtime share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub namespaces: Arc<[OpenNamespace]>,
    /// Of the stateless worker; nothing is ever stored in it.
    pub worker: Arc<OpenNamespace>,
    pub storage: Storage,
    pub engine: Arc<dyn Engine>,
    pub options: Arc<Options>,
    pub clock: Clock,
    pub shards: Arc<[UnboundedSender<ShardMessage>]>,
    pub alarms: UnboundedSender<AlarmNote>,
}

/// How many ids of names a shard remembers, because deriving one costs a microsecond.
const REMEMBERED_IDS: usize = 8_192;
/// How long a WebSocket's message waits before its object is tried again, when no object could be made live.
const ROOM_RETRY: Duration = Duration::from_millis(50);

pub(crate) struct Shard {
    pub index: usize,
    pub namespaces: Arc<[OpenNamespace]>,
    pub storage: Storage,
    pub engine: Arc<dyn Engine>,
    pub concurrency: Concurrency,
    pub options: Arc<Options>,
    pub clock: Clock,
    pub inbox: UnboundedSender<ShardMessage>,
    pub turns: Turns,
    pub draining: Cell<bool>,
    shared: Shared,
    table: RefCell<HashMap<ObjectKey, Rc<Object>>>,
    ids: RefCell<HashMap<(usize, Rc<str>), ObjectId>>,
    open_databases: RefCell<VecDeque<Weak<Object>>>,
    /// Hibernatable WebSockets, of objects that are live and of those that are not.
    pub sockets: RefCell<HashMap<ObjectKey, Rc<Sockets>>>,
    /// Sockets whose objects found no room; they are tried again together.
    roomless: RefCell<Vec<(ObjectKey, SocketId)>>,
    /// Whether somebody looks for objects that may hibernate.
    pub sweeps_sockets: Cell<bool>,
    /// Tells those who wait that the shard drains.
    pub drain: Notify,
    drained: RefCell<Option<oneshot::Sender<()>>>,
    lives: Cell<u64>,
    /// Instances that ended since memory was given back.
    pub ended: Cell<usize>,
}

thread_local! {
    static CURRENT: RefCell<Option<Rc<Shard>>> = const { RefCell::new(None) };
}

impl Shard {
    /// Runs shard `index` on this thread until it is drained.
    pub async fn run(index: usize, shared: Shared, mut messages: UnboundedReceiver<ShardMessage>) {
        let shard = Rc::new(Self {
            index,
            namespaces: shared.namespaces.clone(),
            storage: shared.storage.clone(),
            engine: shared.engine.clone(),
            concurrency: shared.engine.concurrency(),
            options: shared.options.clone(),
            clock: shared.clock.clone(),
            inbox: shared.shards[index].clone(),
            turns: Turns::default(),
            draining: Cell::new(false),
            table: RefCell::default(),
            ids: RefCell::default(),
            open_databases: RefCell::default(),
            sockets: RefCell::default(),
            roomless: RefCell::default(),
            sweeps_sockets: Cell::new(false),
            drain: Notify::new(),
            drained: RefCell::default(),
            lives: Cell::new(0),
            ended: Cell::new(0),
            shared,
        });
        CURRENT.set(Some(shard.clone()));
        if let Some(idle) = shard.options.idle_timeout {
            tokio::task::spawn_local(sweep(shard.clone(), idle));
        }
        while let Some(message) = messages.recv().await {
            shard.receive(message);
            if shard.draining.get() && shard.table.borrow().is_empty() {
                break;
            }
        }
        CURRENT.set(None);
        if let Some(drained) = shard.drained.take() {
            // The runtime may have stopped waiting.
            let _ = drained.send(());
        }
    }

    /// The shard of this thread, if it belongs to the runtime that has `shards`.
    pub fn current(shards: &Arc<[UnboundedSender<ShardMessage>]>) -> Option<Rc<Self>> {
        CURRENT.with_borrow(|current| {
            current
                .as_ref()
                .filter(|shard| Arc::ptr_eq(&shard.shared.shards, shards))
                .cloned()
        })
    }

    fn receive(self: &Rc<Self>, message: ShardMessage) {
        match message {
            ShardMessage::Deliver {
                key,
                name,
                envelope,
            } => self.deliver(key, name.as_deref(), envelope),
            ShardMessage::ToWorker(envelope) => self.send_to_worker(envelope),
            ShardMessage::Release {
                key,
                instance,
                export,
            } => {
                if let Some(object) = self.find(key) {
                    object.release(instance, export);
                }
            }
            ShardMessage::Socket { key, socket } => self.socket_ready(key, socket),
            ShardMessage::Synced { key, life, result } => {
                if let Some(object) = self.find(key).filter(|object| object.life == life) {
                    object.synced(result);
                }
            }
            ShardMessage::AlarmIndexed {
                key,
                life,
                after,
                result,
            } => {
                if let Some(object) = self.find(key).filter(|object| object.life == life) {
                    object.alarm.index_written();
                    object.wakeup.wake_driver();
                }
                match (result, after) {
                    // The index then fires too early, and the object puts it right.
                    (Err(error), _) => {
                        tracing::warn!(%error, "the alarm index could not be written")
                    }
                    (Ok(()), Some(time)) => self.alarm_changed(key.namespace, time),
                    (Ok(()), None) => {}
                }
            }
            ShardMessage::Spawn(task) => drop(tokio::task::spawn_local(task())),
            ShardMessage::Drain(drained) => {
                self.draining.set(true);
                *self.drained.borrow_mut() = Some(drained);
                self.drain.notify_waiters();
                for object in self.table.borrow().values() {
                    object.evict.set(true);
                    object.wakeup.wake_driver();
                }
            }
            ShardMessage::Abort => {
                for object in self.table.borrow().values() {
                    object.abort();
                }
            }
        }
    }

    /// Sends an event to the object called `name`, wherever that lives.
    pub fn dispatch(self: &Rc<Self>, namespace: usize, name: &Rc<str>, envelope: Envelope) {
        let key = ObjectKey {
            namespace,
            id: self.id_of(namespace, name),
        };
        self.send(key, Some(name), envelope);
    }

    /// Sends an event to an object, wherever that lives.
    pub fn send(self: &Rc<Self>, key: ObjectKey, name: Option<&str>, envelope: Envelope) {
        let owner = owner(key.id, self.shared.shards.len());
        if owner == self.index {
            self.deliver(key, name, envelope);
        } else {
            // A closed inbox drops the reply, which its receiver reports as shutting down.
            let _ = self.shared.shards[owner].send(ShardMessage::Deliver {
                key,
                name: name.map(Box::from),
                envelope,
            });
        }
    }

    /// Sends an event to an instance that has exported something.
    pub fn send_to_export(self: &Rc<Self>, export: &Export, envelope: Envelope) {
        if export.shard.same_channel(&self.inbox) {
            self.deliver(export.key, None, envelope);
        } else {
            // As in `send`.
            let _ = export.shard.send(ShardMessage::Deliver {
                key: export.key,
                name: None,
                envelope,
            });
        }
    }

    /// Sends an event to the stateless worker of this shard.
    pub fn send_to_worker(self: &Rc<Self>, envelope: Envelope) {
        self.deliver(self.worker_key(), None, envelope);
    }

    /// Makes the object live that has something to read on a socket.
    fn socket_ready(self: &Rc<Self>, key: ObjectKey, socket: SocketId) {
        if !self.sockets.borrow().contains_key(&key) {
            return;
        }
        match self.object(key, None) {
            Ok(object) => object.socket_ready(socket),
            Err(_) if self.draining.get() => {}
            Err(error) => {
                // What arrived waits in the socket until there is room for the object.
                let mut roomless = self.roomless.borrow_mut();
                roomless.push((key, socket));
                if roomless.len() == 1 {
                    tracing::warn!(%error, "a WebSocket's object cannot be made live yet");
                    let again = self.clock.now() + ROOM_RETRY;
                    tokio::task::spawn_local(self.clone().try_roomless(again));
                }
            }
        }
    }

    /// Tries once more, at `time`, those that found no room. The first one that still finds none is enough to know.
    async fn try_roomless(self: Rc<Self>, time: Instant) {
        self.clock.sleep_until(time).await;
        for (key, socket) in self.roomless.take() {
            let is_full = !self.roomless.borrow().is_empty();
            if is_full && self.find(key).is_none() {
                self.roomless.borrow_mut().push((key, socket));
            } else {
                self.socket_ready(key, socket);
            }
        }
    }

    fn worker_key(&self) -> ObjectKey {
        let mut id = [0; 32];
        id[..8].copy_from_slice(&(self.index as u64).to_le_bytes());
        ObjectKey {
            namespace: WORKER,
            id: ObjectId::from_bytes(id),
        }
    }

    /// The namespace with this index, or the worker's.
    pub fn namespace(&self, index: usize) -> &OpenNamespace {
        self.namespaces.get(index).unwrap_or(&self.shared.worker)
    }

    fn deliver(self: &Rc<Self>, key: ObjectKey, name: Option<&str>, envelope: Envelope) {
        if let Route::Export(export) = &envelope.route
            && self
                .find(key)
                .is_none_or(|object| object.instance.get() != export.instance)
        {
            return drop(envelope.reply.send(Err(Error::new(
                ErrorKind::Reset,
                "The execution context which hosts this callback is no longer running.",
            ))));
        }
        match self.object(key, name) {
            Ok(object) => object.deliver(envelope),
            Err(error) => drop(envelope.reply.send(Err(error))),
        }
    }

    /// The live object `key`, made live if need be.
    fn object(self: &Rc<Self>, key: ObjectKey, name: Option<&str>) -> Result<Rc<Object>> {
        if let Some(object) = self.find(key) {
            let mut known = object.name.borrow_mut();
            if known.is_none() {
                *known = name.map(Rc::from);
            }
            drop(known);
            return Ok(object);
        }
        if self.draining.get() {
            return Err(Error::new(
                ErrorKind::Unavailable,
                "Dolmen is shutting down; send the request again later",
            ));
        }
        self.make_room()?;
        let object = Object::new(self, key, name.map(Rc::from));
        self.table.borrow_mut().insert(key, object.clone());
        tokio::task::spawn_local(Driver::new(object.clone()).run());
        Ok(object)
    }

    /// A number that no object of this shard had before.
    pub fn next_life(&self) -> u64 {
        self.lives.set(self.lives.get() + 1);
        self.lives.get()
    }

    pub fn find(&self, key: ObjectKey) -> Option<Rc<Object>> {
        self.table.borrow().get(&key).cloned()
    }

    /// How many objects are live.
    pub fn live(&self) -> usize {
        self.table.borrow().len()
    }

    /// Takes an evicted object out of the table.
    pub fn forget(&self, object: &Rc<Object>) {
        self.table.borrow_mut().remove(&object.key);
        self.ended.set(self.ended.get() + 1);
        if self.draining.get() && self.table.borrow().is_empty() {
            // Wakes the message loop, which then sees that nothing is left.
            let _ = self.inbox.send(ShardMessage::Abort);
        }
    }

    /// Refuses another live object when there is no room, and asks the longest idle ones to leave.
    fn make_room(&self) -> Result<()> {
        let limit = (self.options.max_live_objects / self.shared.shards.len()).max(1);
        let table = self.table.borrow();
        if table.len() < limit {
            return Ok(());
        }
        let mut quiet: Vec<&Rc<Object>> = table
            .values()
            .filter(|object| !object.evict.get() && object.may_leave() && object.is_quiet())
            .collect();
        let leaving = table.values().filter(|object| object.evict.get()).count();
        if quiet.is_empty() && leaving == 0 {
            return Err(Error::new(
                ErrorKind::Overloaded,
                format!("{limit} objects of this shard are live and none is idle; try again later"),
            ));
        }
        let wanted = (limit / 16).max(1);
        if leaving < wanted {
            quiet.sort_by_key(|object| object.last_used.get());
            for object in quiet.into_iter().take(wanted) {
                object.evict.set(true);
                object.wakeup.wake_driver();
            }
        }
        Ok(())
    }

    /// Called after each turn: counts open databases and closes idle ones beyond the limit.
    pub fn note_database(&self, object: &Rc<Object>) {
        if object.db_counted.get() || !object.db.borrow().is_open() {
            return;
        }
        object.db_counted.set(true);
        let limit = (self.options.max_open_databases / self.shared.shards.len()).max(1);
        let mut open = self.open_databases.borrow_mut();
        open.push_back(Rc::downgrade(object));
        let mut looks = open.len();
        while open.len() > limit && looks > 0 {
            looks -= 1;
            let Some(oldest) = open.pop_front() else {
                break;
            };
            let Some(oldest_object) = oldest.upgrade() else {
                continue;
            };
            let busy =
                oldest_object.running.borrow().is_some() || !oldest_object.is_settled_on_disk();
            if busy || oldest_object.db.borrow_mut().close().is_err() {
                open.push_back(oldest);
            } else {
                oldest_object.db_counted.set(false);
            }
        }
    }

    /// Tells the scheduler that an alarm may be due earlier than it knows.
    pub fn alarm_changed(&self, namespace: usize, time: i64) {
        // A scheduler that is gone means that the process ends.
        let _ = self.shared.alarms.send(AlarmNote { namespace, time });
    }

    /// The id of the object called `name`.
    pub fn id_of(&self, namespace: usize, name: &Rc<str>) -> ObjectId {
        let mut ids = self.ids.borrow_mut();
        let key = (namespace, name.clone());
        if let Some(id) = ids.get(&key) {
            return *id;
        }
        let id = self.namespaces[namespace].storage.key().id_from_name(name);
        if ids.len() >= REMEMBERED_IDS {
            ids.clear();
        }
        ids.insert(key, id);
        id
    }
}

/// The shard that an id belongs to: its first eight bytes are as good as a hash.
pub(crate) fn owner(id: ObjectId, shards: usize) -> usize {
    let head = id
        .as_bytes()
        .first_chunk::<8>()
        .map_or(0, |bytes| u64::from_le_bytes(*bytes));
    usize::try_from(head % shards as u64).unwrap_or(0)
}

/// Asks objects that were idle for `idle` to leave, four times in that time.
async fn sweep(shard: Rc<Shard>, idle: Duration) {
    while !shard.draining.get() {
        shard.clock.sleep(idle / 4).await;
        // Of those that left since the last time.
        shard.give_memory_back();
        for object in shard.table.borrow().values() {
            object.leave_if_idle(idle);
        }
    }
}
