//! WebSockets of objects. They stay open while the object hibernates.

use crate::{
    Request, Response,
    host::{Error, done, found, taken},
    imports,
};

const NO_SUCH_SOCKET: i32 = -1;

/// A WebSocket of the object. It stays the same while the object hibernates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Socket(pub(crate) i32);

/// What a WebSocket carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are what they are called")]
pub enum Message<'a> {
    Text(&'a str),
    Binary(&'a [u8]),
}

/// How a WebSocket has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    /// The code of the close frame; 1006 if there was none.
    pub code: u16,
    /// The other side's words.
    pub reason: String,
    /// Whether both sides have agreed to it.
    pub clean: bool,
}

/// What happens with the WebSockets of an object. The request is the one that has opened the
/// socket.
pub trait WebSockets {
    /// A client asks for a WebSocket. A status of 200 to 299 accepts it, and a body is the first
    /// message, as text; another status is the client's answer. Headers go to the client.
    fn open(&self, request: &Request, socket: Socket) -> Response {
        let _ = (request, socket);
        Response::status(200)
    }

    /// A message has arrived.
    fn message(&self, request: &Request, socket: Socket, message: Message<'_>);

    /// The other side has closed the socket or is gone. Nothing can be sent on it any more.
    fn close(&self, request: &Request, socket: Socket, closing: &Closing) {
        let _ = (request, socket, closing);
    }
}

impl Message<'_> {
    fn parts(&self) -> (&[u8], i32) {
        match self {
            Self::Text(text) => (text.as_bytes(), 0),
            Self::Binary(bytes) => (bytes, 1),
        }
    }
}

impl Socket {
    /// Sends a message.
    ///
    /// # Errors
    /// If the socket is closed, or the host refuses.
    pub fn send(self, message: Message<'_>) -> Result<(), Error> {
        let (bytes, binary) = message.parts();
        // SAFETY: the host reads the bytes.
        self.done(
            unsafe { imports::ws_send(self.0, bytes.as_ptr(), bytes.len(), binary) },
            "send",
        )
    }

    /// Closes it. The code is 1000, or 3000 to 4999; the reason has 123 bytes at most.
    ///
    /// # Errors
    /// If the socket is closed, or the host refuses the code or reason.
    pub fn close(self, code: u16, reason: &str) -> Result<(), Error> {
        // SAFETY: the host reads the reason.
        self.done(
            unsafe { imports::ws_close(self.0, code.into(), reason.as_ptr(), reason.len()) },
            "close",
        )
    }

    /// Keeps bytes, 16,384 at most, with the socket, also while the object hibernates.
    ///
    /// # Errors
    /// If the socket is closed, or they are too many.
    pub fn attach(self, bytes: &[u8]) -> Result<(), Error> {
        // SAFETY: the host reads the bytes.
        self.done(
            unsafe { imports::ws_attach(self.0, bytes.as_ptr(), bytes.len()) },
            "attach",
        )
    }

    /// What [`Socket::attach`] has kept, if anything.
    ///
    /// # Errors
    /// If the host cannot read it.
    pub fn attachment(self) -> Result<Option<Vec<u8>>, Error> {
        // SAFETY: the function has no conditions.
        let answer = unsafe { imports::ws_attachment(self.0) };
        let kept = found(answer, || format!("attachment of socket {}", self.0))?;
        Ok(kept.map(|kept| kept.bytes().to_vec()))
    }

    fn done(self, answer: i32, what: &str) -> Result<(), Error> {
        let what = || format!("{what} on socket {}", self.0);
        if answer == NO_SUCH_SOCKET {
            return Err(Error::new(what(), "there is no such socket any more"));
        }
        done(answer, what).map(drop)
    }
}

/// Sends a message on all sockets of the object but `except`, and says on how many.
///
/// # Errors
/// If the host refuses.
pub fn broadcast(message: Message<'_>, except: Option<Socket>) -> Result<usize, Error> {
    let (bytes, binary) = message.parts();
    let except = except.map_or(-1, |socket| socket.0);
    // SAFETY: the host reads the bytes.
    let answer = unsafe { imports::ws_broadcast(bytes.as_ptr(), bytes.len(), binary, except) };
    let sent = done(answer, || "broadcast".to_owned())?;
    Ok(sent.unsigned_abs() as usize)
}

/// The object's open sockets, the newest first.
///
/// # Errors
/// If the host cannot list them.
pub fn list() -> Result<Vec<Socket>, Error> {
    // SAFETY: the function has no conditions.
    let list = taken(unsafe { imports::ws_list() }, || {
        "list of sockets".to_owned()
    })?;
    let view = list.view();
    Ok(view.array(0).map(|slot| Socket(view.i32(slot))).collect())
}
