//! The hibernatable WebSockets of one object: `ctx.acceptWebSocket` and what belongs to it.
//!
//! The table belongs to the shard and not to the object's instance, so the sockets stay when the
//! object leaves. What arrives makes the object live again: the socket tells the shard, the shard
//! puts [`crate::Event::SocketReady`] into the object's mailbox, and its driver takes one message
//! for each. So messages wait in the socket, where the other side feels it, and not in the mailbox.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet, HashMap},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use crate::{
    clock::Clock,
    event::{Event, SocketEvent},
    object::Object,
    shard::Shard,
    socket::{
        AutoResponse, AutoResponses, Received, SocketEnd, SocketId, SocketLoss, SocketMessage,
    },
};

/// How many hibernatable sockets one object may have.
pub const MAX_SOCKETS: usize = 32_768;

/// A socket that an object accepted, whether the object is live or not.
#[derive(Debug)]
pub struct HibernatingSocket {
    id: SocketId,
    end: Rc<SocketEnd>,
    tags: Box<[Rc<str>]>,
    attachment: RefCell<Option<Box<[u8]>>>,
    closed_here: Cell<bool>,
    closed_there: Cell<bool>,
}

impl HibernatingSocket {
    /// Its number.
    pub fn id(&self) -> SocketId {
        self.id
    }

    /// Its connection.
    pub fn end(&self) -> &Rc<SocketEnd> {
        &self.end
    }

    /// What it was accepted with.
    pub fn tags(&self) -> &[Rc<str>] {
        &self.tags
    }

    /// The bytes that [`HibernatingSocket::attach`] left.
    pub fn attachment(&self) -> Option<Box<[u8]>> {
        self.attachment.borrow().clone()
    }

    /// Keeps bytes that outlive the instance, but not the process.
    pub fn attach(&self, bytes: Box<[u8]>) {
        self.attachment.replace(Some(bytes));
    }

    /// The object closed it.
    pub fn is_closed_here(&self) -> bool {
        self.closed_here.get()
    }

    /// The other side closed it, or is gone.
    pub fn is_closed_there(&self) -> bool {
        self.closed_there.get()
    }

    /// Notes that the object closes it.
    pub fn close_here(&self) {
        self.closed_here.set(true);
    }
}

#[derive(Default)]
struct Table {
    by_id: BTreeMap<SocketId, Rc<HibernatingSocket>>,
    by_tag: HashMap<Rc<str>, BTreeSet<SocketId>>,
}

pub(crate) struct Sockets {
    /// The object's name, which its next instance is told again.
    pub name: RefCell<Option<Rc<str>>>,
    auto: Arc<AutoResponses>,
    event_timeout: Cell<Option<Duration>>,
    table: RefCell<Table>,
    next: Cell<SocketId>,
}

impl Sockets {
    pub fn new(name: Option<Rc<str>>, clock: Clock) -> Rc<Self> {
        Rc::new(Self {
            name: RefCell::new(name),
            auto: Arc::new(AutoResponses::new(clock)),
            event_timeout: Cell::default(),
            table: RefCell::default(),
            next: Cell::new(1),
        })
    }

    pub fn len(&self) -> usize {
        self.table.borrow().by_id.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn get(&self, id: SocketId) -> Option<Rc<HibernatingSocket>> {
        self.table.borrow().by_id.get(&id).cloned()
    }

    /// Those with `tag`, or all, the newest first.
    pub fn list(&self, tag: Option<&str>) -> Vec<Rc<HibernatingSocket>> {
        let table = self.table.borrow();
        match tag {
            None => table.by_id.values().rev().cloned().collect(),
            Some(tag) => match table.by_tag.get(tag) {
                None => Vec::new(),
                Some(ids) => ids
                    .iter()
                    .rev()
                    .filter_map(|id| table.by_id.get(id).cloned())
                    .collect(),
            },
        }
    }

    /// Takes a socket into the table. `tags` are distinct.
    pub fn accept(
        &self,
        object: &Object,
        end: SocketEnd,
        tags: &[String],
    ) -> Rc<HibernatingSocket> {
        let id = self.next.get();
        self.next.set(id + 1);
        let mut table = self.table.borrow_mut();
        let tags = tags
            .iter()
            .map(|tag| match table.by_tag.get_key_value(tag.as_str()) {
                Some((known, _)) => known.clone(),
                None => Rc::from(tag.as_str()),
            })
            .collect::<Box<[Rc<str>]>>();
        for tag in &tags {
            table.by_tag.entry(tag.clone()).or_default().insert(id);
        }
        let socket = Rc::new(HibernatingSocket {
            id,
            end: Rc::new(end),
            tags,
            attachment: RefCell::default(),
            closed_here: Cell::default(),
            closed_there: Cell::default(),
        });
        table.by_id.insert(id, socket.clone());
        drop(table);
        let shard = object.shard.inbox.clone();
        socket
            .end
            .read_by_object(shard, object.key, id, self.auto.clone());
        socket
    }

    pub fn remove(&self, id: SocketId) {
        let mut table = self.table.borrow_mut();
        let Some(socket) = table.by_id.remove(&id) else {
            return;
        };
        for tag in &socket.tags {
            if let Some(ids) = table.by_tag.get_mut(tag) {
                ids.remove(&id);
                if ids.is_empty() {
                    table.by_tag.remove(tag);
                }
            }
        }
    }

    /// The instance was reset: every socket ends.
    pub fn lose_all(&self) {
        let table = self.table.take();
        for socket in table.by_id.into_values() {
            socket.closed_here.set(true);
            socket.closed_there.set(true);
            socket.end.lose(SocketLoss::disconnected());
        }
    }

    pub fn auto_response(&self) -> Option<Arc<AutoResponse>> {
        self.auto.pair().clone()
    }

    pub fn set_auto_response(&self, pair: Option<AutoResponse>) {
        *self.auto.pair() = pair.map(Arc::new);
    }

    pub fn event_timeout(&self) -> Option<Duration> {
        self.event_timeout.get()
    }

    pub fn set_event_timeout(&self, timeout: Option<Duration>) {
        self.event_timeout.set(timeout);
    }
}

/// How a socket ends with the event that tells its object so.
#[derive(Debug)]
pub(crate) struct LastEvent {
    socket: SocketId,
    /// The close to answer with, unless the object closes by itself.
    answer: Option<(u16, Box<str>)>,
}

impl Object {
    /// Its sockets; made when they are first needed.
    pub fn sockets(&self) -> &Rc<Sockets> {
        self.sockets.get_or_init(|| {
            let name = self.name.borrow().clone();
            Sockets::new(name, self.shard.clock.clone())
        })
    }

    /// What an event of the mailbox is about. Of a socket: what it has for the object now, and
    /// whether that is the last; `None`: nothing any more, because the instance was reset.
    pub fn open_event(&self, event: Event) -> Option<(Event, Option<LastEvent>)> {
        let Event::SocketReady(socket) = event else {
            return Some((event, None));
        };
        self.sockets_ready.set(self.sockets_ready.get() - 1);
        let (received, last) = self.take_from_socket(socket)?;
        Some((Event::Socket(SocketEvent { socket, received }), last))
    }

    fn take_from_socket(&self, id: SocketId) -> Option<(Received, Option<LastEvent>)> {
        let socket = self.sockets.get()?.get(id)?;
        let (received, more) = socket.end.take();
        if more {
            self.socket_ready(id);
        }
        let received = received?;
        let answer = match &received {
            Received::Message(SocketMessage::Close { code, reason }) => {
                Some((*code, reason.clone()))
            }
            Received::Message(_) => return Some((received, None)),
            Received::Lost(_) => None,
        };
        socket.closed_there.set(true);
        let last = LastEvent { socket: id, answer };
        Some((received, Some(last)))
    }

    /// The last event of a socket is over: closes it in return, and forgets it.
    pub fn end_socket(&self, last: LastEvent) {
        let Some(socket) = self.sockets.get().and_then(|table| table.get(last.socket)) else {
            return;
        };
        if let Some((code, reason)) = last.answer
            && !socket.is_closed_here()
        {
            socket.close_here();
            self.send_on_socket(&socket.end, SocketMessage::Close { code, reason });
        }
        self.forget_socket(last.socket);
    }

    pub fn forget_socket(&self, id: SocketId) {
        if let Some(sockets) = self.sockets.get() {
            sockets.remove(id);
            if sockets.is_empty() {
                self.shard.sockets.borrow_mut().remove(&self.key);
            }
        }
    }

    /// Takes a socket that the object accepts.
    pub fn accept_socket(&self, end: SocketEnd, tags: &[String]) -> Rc<HibernatingSocket> {
        let sockets = self.sockets();
        // Who came first may not have known it.
        sockets.name.replace(self.name.borrow().clone());
        self.shard
            .sockets
            .borrow_mut()
            .entry(self.key)
            .or_insert_with(|| sockets.clone());
        if let Some(idle) = self
            .shard
            .options
            .hibernation_timeout
            .filter(|idle| !idle.is_zero())
            && !self.shard.sweeps_sockets.replace(true)
        {
            tokio::task::spawn_local(sweep(self.shard.clone(), idle));
        }
        sockets.accept(self, end, tags)
    }

    /// Sends once everything written until now is durable, in order with all other outputs.
    pub fn send_on_socket(&self, end: &Rc<SocketEnd>, message: SocketMessage) {
        if !end.reserve(&message) {
            return;
        }
        let end = end.clone();
        self.gate.borrow_mut().push(Box::new(move |opened| {
            if opened.is_ok() {
                end.push(message);
            }
        }));
    }

    /// The instance is gone with everything it knew of its sockets.
    pub fn lose_sockets(&self) {
        if let Some(sockets) = self.sockets.get()
            && !sockets.is_empty()
        {
            sockets.lose_all();
            self.shard.sockets.borrow_mut().remove(&self.key);
        }
    }
}

/// Asks objects with sockets that were idle for `idle` to leave, four times in that time, for as
/// long as there are any.
async fn sweep(shard: Rc<Shard>, idle: Duration) {
    while !shard.draining.get() && !shard.sockets.borrow().is_empty() {
        shard.clock.sleep(idle / 4).await;
        // Of those that left since the last time.
        shard.give_memory_back();
        let keys: Vec<_> = shard.sockets.borrow().keys().copied().collect();
        for object in keys.into_iter().filter_map(|key| shard.find(key)) {
            object.leave_if_idle(idle);
        }
    }
    shard.sweeps_sockets.set(false);
}
