//! What an event writes, and what it sends: when it is kept, when it is undone, and when it leaves.
//!
//! Writes are in a nested transaction from the first one to the end of the event, so that a fault undoes them.
//! Only if something leaves meanwhile (a request, the beginning or a piece of a response, messages on sockets) they
//! are kept when the turn ends, because what leaves must not leave before they are durable.

use std::{
    cell::{Cell, RefCell},
    collections::HashSet,
    future::Future,
    rc::Rc,
};

use dolmen_runtime::{Error, HibernatingSocket, Host, NestedEnd, SocketId, SocketMessage, storage};

/// Bytes of messages that wait for the end of the turn; more end the wait.
const MAX_OUTBOX_BYTES: usize = 4 << 20;

/// A message that waits for the end of the turn.
struct Post {
    socket: Rc<HibernatingSocket>,
    message: SocketMessage,
}

/// The writes of the one event that an object runs. The worker has none.
pub(crate) struct Writes {
    host: Rc<Host>,
    is_open: Cell<bool>,
    /// Something was written since the last gate.
    is_dirty: Cell<bool>,
    /// Something leaves when this turn is durable.
    leaves: Cell<bool>,
    outbox: RefCell<Vec<Post>>,
    outbox_bytes: Cell<usize>,
    /// Sockets whose close waits there.
    closing: RefCell<HashSet<SocketId>>,
}

impl Writes {
    pub fn new(host: Rc<Host>) -> Self {
        Self {
            host,
            is_open: Cell::default(),
            is_dirty: Cell::default(),
            leaves: Cell::default(),
            outbox: RefCell::default(),
            outbox_bytes: Cell::default(),
            closing: RefCell::default(),
        }
    }

    /// A write comes.
    ///
    /// # Errors
    /// If SQLite refuses.
    pub fn begin(&self) -> Result<(), storage::Error> {
        self.is_dirty.set(true);
        if !self.is_open.get() {
            self.host.begin_nested()?;
            self.is_open.set(true);
        }
        Ok(())
    }

    /// The reply of the event was given to the runtime, which holds it until this turn is durable.
    pub fn replied(&self) {
        self.leaves.set(true);
        self.is_dirty.set(false);
    }

    /// Resolves once everything written until now is durable, and keeps it from now on.
    ///
    /// # Errors
    /// The future gives `Storage` if it never will be.
    pub fn gate(&self) -> impl Future<Output = Result<(), Error>> + Send + use<> {
        self.is_dirty.set(false);
        self.gate_of_request()
    }

    /// The same for what leaves beside the response, whose next piece has to wait for a gate of its own.
    ///
    /// # Errors
    /// As [`Writes::gate`].
    pub fn gate_of_request(&self) -> impl Future<Output = Result<(), Error>> + Send + use<> {
        self.leaves.set(true);
        self.host.output_gate()
    }

    /// Whether something leaves when this turn ends.
    pub fn leaves(&self) -> bool {
        self.leaves.get()
    }

    /// Whether a piece of a response has to wait for [`Writes::gate`].
    pub fn is_dirty(&self) -> bool {
        self.is_dirty.get()
    }

    /// Sends a message at the end of the turn, unless the event fails before it.
    ///
    /// # Errors
    /// If SQLite refuses to keep what was written before.
    pub fn post(&self, socket: Rc<HibernatingSocket>, message: SocketMessage) -> Result<(), Error> {
        let bytes = match &message {
            SocketMessage::Text(bytes) | SocketMessage::Binary(bytes) => bytes.len(),
            SocketMessage::Close { reason, .. } => reason.len(),
        };
        let all = self.outbox_bytes.get() + bytes + size_of::<Post>();
        self.outbox_bytes.set(all);
        if let SocketMessage::Close { .. } = message {
            self.closing.borrow_mut().insert(socket.id());
        }
        self.outbox.borrow_mut().push(Post { socket, message });
        if all > MAX_OUTBOX_BYTES {
            return self.keep();
        }
        Ok(())
    }

    /// Whether a close of this socket waits.
    pub fn closes(&self, socket: SocketId) -> bool {
        self.closing.borrow().contains(&socket)
    }

    /// The turn ends while the event goes on.
    ///
    /// # Errors
    /// If SQLite refuses.
    pub fn end_turn(&self) -> Result<(), Error> {
        if self.leaves.take() || !self.outbox.borrow().is_empty() {
            return self.keep();
        }
        Ok(())
    }

    /// Keeps what was written, and sends what waits.
    ///
    /// # Errors
    /// If SQLite refuses.
    pub fn keep(&self) -> Result<(), Error> {
        let outbox = self.outbox.take();
        self.outbox_bytes.set(0);
        self.closing.take();
        // If it fails, nothing of it is sent.
        if self.is_open.take() {
            self.host.end_nested(NestedEnd::Commit)?;
        }
        for post in outbox {
            if matches!(post.message, SocketMessage::Close { .. }) {
                post.socket.close_here();
            }
            self.host.send_on_socket(post.socket.end(), post.message);
        }
        Ok(())
    }

    /// Undoes what was written, and sends nothing of what waits.
    ///
    /// # Errors
    /// If SQLite refuses.
    pub fn undo(&self) -> Result<(), Error> {
        self.outbox_bytes.set(0);
        self.outbox.take();
        self.closing.take();
        self.is_dirty.set(false);
        if self.is_open.take() {
            self.host.end_nested(NestedEnd::Rollback)?;
        }
        Ok(())
    }
}
