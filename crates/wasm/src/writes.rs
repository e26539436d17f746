//! What one event has done since its last outbound request: kept or undone as one. That is what it
//! has written, sent on WebSockets, and left with them.

use std::{
    cell::{Cell, RefCell},
    collections::HashSet,
    rc::Rc,
};

use dolmen_runtime::{Error, HibernatingSocket, Host, NestedEnd, SocketId, SocketMessage, storage};

/// What a message costs besides its bytes.
const MESSAGE_COST: usize = 64;

/// The writes of the event that has the object's guest.
pub(crate) struct Writes {
    host: Rc<Host>,
    is_open: Cell<bool>,
    sends: RefCell<Sends>,
    attachments: RefCell<Vec<Before>>,
}

/// What a socket had before the event.
struct Before {
    socket: Rc<HibernatingSocket>,
    attachment: Box<[u8]>,
}

/// Messages in the order in which they are to go.
#[derive(Default)]
struct Sends {
    messages: Vec<(Rc<HibernatingSocket>, SocketMessage)>,
    /// Sockets that get a close.
    closing: HashSet<SocketId>,
    cost: usize,
}

impl Writes {
    pub fn new(host: Rc<Host>) -> Self {
        Self {
            host,
            is_open: Cell::new(false),
            sends: RefCell::default(),
            attachments: RefCell::default(),
        }
    }

    /// Sends a message on each of some sockets once the event has ended well. `None` if all that the
    /// event sends would be too much; else on how many.
    pub fn send(
        &self,
        sockets: impl IntoIterator<Item = Rc<HibernatingSocket>>,
        message: &SocketMessage,
    ) -> Option<usize> {
        let mut sends = self.sends.borrow_mut();
        let sockets: Vec<_> = sockets.into_iter().collect();
        // However many get it, its bytes are there once.
        let bytes = match message {
            SocketMessage::Text(bytes) | SocketMessage::Binary(bytes) => bytes.len(),
            SocketMessage::Close { reason, .. } => reason.len(),
        };
        let cost = sends.cost + sockets.len() * MESSAGE_COST + bytes;
        if cost > self.host.options().socket_buffer {
            return None;
        }
        sends.cost = cost;
        if let SocketMessage::Close { .. } = message {
            sends
                .closing
                .extend(sockets.iter().map(|socket| socket.id()));
        }
        let count = sockets.len();
        let messages = sockets.into_iter().map(|socket| (socket, message.clone()));
        sends.messages.extend(messages);
        Some(count)
    }

    /// Whether the object has closed a socket, or does in this event.
    pub fn closes(&self, socket: &HibernatingSocket) -> bool {
        socket.is_closed_here() || self.sends.borrow().closing.contains(&socket.id())
    }

    /// Leaves bytes with a socket, unless the event fails.
    pub fn attach(&self, socket: &Rc<HibernatingSocket>, bytes: Box<[u8]>) {
        self.attachments.borrow_mut().push(Before {
            socket: socket.clone(),
            attachment: socket.attachment().unwrap_or_default(),
        });
        socket.attach(bytes);
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

    /// Keeps or undoes what was done.
    ///
    /// # Errors
    /// If SQLite refuses.
    pub fn end(&self, end: NestedEnd) -> Result<(), Error> {
        let (sends, attachments) = (self.sends.take(), self.attachments.take());
        if self.is_open.take() {
            self.host.end_nested(end)?;
        }
        match end {
            NestedEnd::Commit => {
                for (socket, message) in sends.messages {
                    if let SocketMessage::Close { .. } = message {
                        socket.close_here();
                    }
                    self.host.send_on_socket(socket.end(), message);
                }
            }
            NestedEnd::Rollback => {
                for before in attachments.into_iter().rev() {
                    before.socket.attach(before.attachment);
                }
            }
        }
        Ok(())
    }

    /// Something is to leave the object: keeps what was written, and waits until it is durable.
    ///
    /// # Errors
    /// If it never will be.
    pub async fn make_durable(&self) -> Result<(), Error> {
        self.end(NestedEnd::Commit)?;
        self.host.output_gate().await
    }
}
