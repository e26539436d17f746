//! WebSockets of objects: the events `WEBSOCKET_OPEN`, `WEBSOCKET`, `WEBSOCKET_BINARY` and
//! `WEBSOCKET_CLOSE`. All of them hibernate, with the request that opened each in its attachment.

use std::rc::Rc;

use bytes::Bytes;
use dolmen_runtime::{
    Body, Error, ErrorKind, FetchRequest, FetchResponse, HibernatingSocket, Host, Received, Reply,
    SocketEnd, SocketEvent, SocketId, SocketMessage, socket_pair, websocket,
};
use http::{HeaderMap, StatusCode};

use crate::{
    guest::{Answered, Fault},
    instance::{Ended, Failure, Guests},
    request::{self, Request, SOCKET_BINARY, SOCKET_CLOSE, SOCKET_OPEN, SOCKET_TEXT},
    response,
};

/// Bytes that a guest may keep with one socket.
pub(crate) const MAX_ATTACHMENT: usize = 16 << 10;
/// Bytes of the path and of the headers that are kept with a socket.
const MAX_OPENING: usize = 32 << 10;
/// How a socket is closed by `x-ws-close`, and when the handler panicked.
const CLOSED: (u16, &str) = (1000, "closed by handler");
const PANICKED: (u16, &str) = (1011, "handler panic");

/// Whether a client asks for a WebSocket.
pub(crate) fn is_upgrade(request: &FetchRequest) -> bool {
    websocket::is_upgrade(&request.headers)
}

/// A socket's number as a guest has it.
pub(crate) fn number(id: SocketId) -> i32 {
    // An object that has opened two billion sockets since the start is not expected; `open` refuses.
    i32::try_from(id).unwrap_or(i32::MAX)
}

/// What is kept with a socket: the request that opened it, and the guest's own bytes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Attachment {
    path: String,
    headers: Vec<u8>,
    pub own: Option<Vec<u8>>,
}

impl Attachment {
    /// What a socket has.
    pub fn of(socket: &HibernatingSocket) -> Self {
        let bytes = socket.attachment();
        bytes
            .and_then(|bytes| Self::read(&bytes))
            .unwrap_or_default()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        let mut part = || {
            let (length, tail) = rest.split_first_chunk()?;
            let length = u32::from_le_bytes(*length) as usize;
            let (part, tail) = tail.split_at_checked(length)?;
            rest = tail;
            Some(part.to_vec())
        };
        Some(Self {
            path: String::from_utf8(part()?).ok()?,
            headers: part()?,
            own: part(),
        })
    }

    /// With other bytes of the guest.
    pub fn with_own(mut self, own: &[u8]) -> Self {
        self.own = Some(own.to_vec());
        self
    }

    /// As it is kept.
    pub fn encoded(&self) -> Box<[u8]> {
        let parts = [
            Some(self.path.as_bytes()),
            Some(&self.headers),
            self.own.as_deref(),
        ];
        let mut bytes = Vec::new();
        for part in parts.into_iter().flatten() {
            // Each is less than 4 GiB.
            bytes.extend_from_slice(&(part.len() as u32).to_le_bytes());
            bytes.extend_from_slice(part);
        }
        bytes.into()
    }
}

/// A client wants a WebSocket. A module that knows the event is asked; others take every one.
///
/// # Errors
/// `BadRequest` in the worker, and when the object has no room for one more.
pub(crate) async fn open(guests: &Guests, request: FetchRequest) -> Result<Reply, Failure> {
    let host = &guests.host;
    let refused = |message: String| Failure::Error(Error::new(ErrorKind::BadRequest, message));
    if host.is_worker() {
        let message = "the worker of a WASM module has no WebSockets; objects have (/do/:name/* and /fetch/:namespace/:name/*)";
        return Err(refused(message.to_owned()));
    }
    let opening = Attachment {
        path: request::path(&request),
        headers: request::header_lines(&request.headers),
        own: None,
    };
    if opening.path.len() + opening.headers.len() > MAX_OPENING {
        let message =
            format!("a WebSocket's request has at most {MAX_OPENING} bytes of path and headers");
        return Err(refused(message));
    }
    let asks = match guests.abi().await? {
        Ended::Well(abi) => abi >= 1,
        Ended::Panicked(message) => return Ok(Reply::Fetch(response::panic(&message))),
    };
    let (ours, theirs) = socket_pair(host.options().socket_buffer);
    let socket = host.accept_socket(ours, &[])?;
    if i32::try_from(socket.id()).is_err() {
        host.forget_socket(socket.id());
        return Err(refused(
            "the object has no number left for a WebSocket".to_owned(),
        ));
    }
    socket.attach(opening.encoded());
    if !asks {
        return Ok(Reply::Fetch(switching(HeaderMap::new(), theirs)));
    }
    let event = event_of(&socket, SOCKET_OPEN, Bytes::new(), vec![]);
    let ended = guests.run(event, response::convert).await;
    let answer = match ended {
        Ok(Ended::Well(response)) if response.status.is_success() => {
            if let Body::Full(first) = response.body
                && !first.is_empty()
            {
                send(host, &socket, first, Frame::Text);
            }
            return Ok(Reply::Fetch(switching(response.headers, theirs)));
        }
        Ok(Ended::Well(response)) => Ok(response),
        Ok(Ended::Panicked(message)) => Ok(response::panic(&message)),
        Err(failure) => Err(failure),
    };
    host.forget_socket(socket.id());
    answer.map(Reply::Fetch)
}

/// The answer that makes the connection a WebSocket.
fn switching(mut headers: HeaderMap, end: SocketEnd) -> FetchResponse {
    headers.remove(http::header::CONTENT_TYPE);
    FetchResponse {
        status: StatusCode::SWITCHING_PROTOCOLS,
        headers,
        body: Body::None,
        web_socket: Some(end),
    }
}

/// Something happened on a socket.
///
/// # Errors
/// If the event cannot be served; a handler that panics costs the socket only.
pub(crate) async fn event(guests: &Guests, event: SocketEvent) -> Result<Reply, Failure> {
    let host = &guests.host;
    let Some(socket) = host.socket(event.socket) else {
        return Ok(Reply::Socket);
    };
    let (request, frame) = match event.received {
        Received::Message(SocketMessage::Text(text)) => (
            event_of(&socket, SOCKET_TEXT, text, vec![]),
            Some(Frame::Text),
        ),
        Received::Message(SocketMessage::Binary(bytes)) => {
            let request = event_of(&socket, SOCKET_BINARY, bytes, vec![]);
            (request, Some(Frame::Binary))
        }
        Received::Message(SocketMessage::Close { code, reason }) => {
            (close_of(&socket, code, &reason, 1), None)
        }
        Received::Lost(loss) => (close_of(&socket, loss.code, &loss.reason, 0), None),
    };
    match (guests.run(request, answer).await?, frame) {
        (Ended::Well(answer), Some(frame)) if !socket.is_closed_here() => {
            if !answer.body.is_empty() {
                let frame = if answer.is_binary {
                    Frame::Binary
                } else {
                    frame
                };
                send(host, &socket, answer.body, frame);
            }
            if answer.closes {
                close(host, &socket, CLOSED.0, CLOSED.1);
            }
        }
        (Ended::Panicked(message), Some(_)) if !socket.is_closed_here() => {
            send(
                host,
                &socket,
                format!("error: {message}").into(),
                Frame::Text,
            );
            close(host, &socket, PANICKED.0, PANICKED.1);
        }
        _ => {}
    }
    Ok(Reply::Socket)
}

fn event_of(
    socket: &HibernatingSocket,
    kind: &'static str,
    body: Bytes,
    more: Vec<i32>,
) -> Request {
    let opening = Attachment::of(socket);
    let mut numbers = vec![number(socket.id())];
    numbers.extend(more);
    Request::event(kind, opening.path, opening.headers, body, numbers)
}

fn close_of(socket: &HibernatingSocket, code: u16, reason: &str, is_clean: i32) -> Request {
    let reason = Bytes::copy_from_slice(reason.as_bytes());
    event_of(socket, SOCKET_CLOSE, reason, vec![code.into(), is_clean])
}

/// What a handler answers to a message.
struct ToSocket {
    body: Bytes,
    is_binary: bool,
    closes: bool,
}

#[expect(clippy::unnecessary_wraps, reason = "as who runs handlers wants it")]
fn answer(answered: Answered) -> Result<ToSocket, Fault> {
    let is_set = |wanted: &[u8]| {
        let mut lines = response::lines(&answered.headers);
        lines
            .any(|(name, value)| name.eq_ignore_ascii_case(wanted) && value.trim_ascii() == b"true")
    };
    Ok(ToSocket {
        is_binary: is_set(b"x-ws-binary"),
        closes: is_set(b"x-ws-close"),
        body: answered.body,
    })
}

#[derive(Clone, Copy)]
enum Frame {
    Text,
    Binary,
}

/// Sends text, or bytes if it is not UTF-8.
fn send(host: &Host, socket: &Rc<HibernatingSocket>, body: Bytes, frame: Frame) {
    let message = match frame {
        Frame::Text if std::str::from_utf8(&body).is_ok() => SocketMessage::Text(body),
        _ => SocketMessage::Binary(body),
    };
    host.send_on_socket(socket.end(), message);
}

/// Closes a socket, once.
fn close(host: &Host, socket: &HibernatingSocket, code: u16, reason: &str) {
    if socket.is_closed_here() {
        return;
    }
    socket.close_here();
    let reason = reason.into();
    host.send_on_socket(socket.end(), SocketMessage::Close { code, reason });
}
