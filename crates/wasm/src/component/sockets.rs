//! `dolmen:object/sockets`: the hibernatable WebSockets of the object, and what is kept with each.

use std::rc::Rc;

use bytes::Bytes;
use dolmen_runtime::{HibernatingSocket, Host as Object, SocketId, SocketMessage};

use super::{
    bindings::dolmen::object::sockets::{self, Message},
    fault::HostFailed,
    state::State,
    writes::Writes,
};

/// Longest attachment, in bytes.
const MAX_ATTACHMENT: usize = 16_384;
/// Longest reason of a close, in bytes: <https://www.rfc-editor.org/rfc/rfc6455#section-5.5>.
const MAX_REASON: usize = 123;

/// Names and values of headers.
pub(crate) type Headers = Vec<(String, Vec<u8>)>;

/// What is kept with a socket while the object is gone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Note {
    /// Nobody has it: the guest did not want it.
    pub is_refused: bool,
    /// Of the request that asked for it.
    pub path: String,
    pub headers: Headers,
    pub attachment: Option<Vec<u8>>,
}

const REFUSED: u8 = 1;
const ATTACHED: u8 = 2;

impl Note {
    /// What is kept with `socket`; `None` if it is not of this engine.
    pub fn of(socket: &HibernatingSocket) -> Option<Self> {
        Self::decode(&socket.attachment()?)
    }

    /// Keeps it with `socket`.
    pub fn keep(&self, socket: &HibernatingSocket) {
        socket.attach(self.encode().into());
    }

    fn encode(&self) -> Vec<u8> {
        let flag = |is_set: bool, flag| if is_set { flag } else { 0 };
        let mut bytes =
            vec![flag(self.is_refused, REFUSED) | flag(self.attachment.is_some(), ATTACHED)];
        let mut part = |part: &[u8]| {
            // A request's head is far shorter than 4 GiB.
            bytes.extend_from_slice(&(part.len() as u32).to_le_bytes());
            bytes.extend_from_slice(part);
        };
        part(self.path.as_bytes());
        part(self.attachment.as_deref().unwrap_or_default());
        for (name, value) in &self.headers {
            part(name.as_bytes());
            part(value);
        }
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (flags, mut rest) = bytes.split_first()?;
        let mut part = || {
            let (length, tail) = rest.split_first_chunk()?;
            let (part, tail) = tail.split_at_checked(u32::from_le_bytes(*length) as usize)?;
            rest = tail;
            Some(part.to_vec())
        };
        let (path, attachment) = (String::from_utf8(part()?).ok()?, part()?);
        let mut headers = Vec::new();
        while let Some(name) = part() {
            headers.push((String::from_utf8(name).ok()?, part()?));
        }
        Some(Self {
            is_refused: flags & REFUSED != 0,
            path,
            headers,
            attachment: (flags & ATTACHED != 0).then_some(attachment),
        })
    }
}

/// A socket that can be sent on.
fn open(host: &Object, writes: &Writes, id: SocketId) -> Option<Rc<HibernatingSocket>> {
    let is_open = |socket: &Rc<HibernatingSocket>| {
        !socket.is_closed_here() && !socket.is_closed_there() && !writes.closes(id)
    };
    host.socket(id).filter(is_open)
}

fn convert(message: Message) -> SocketMessage {
    match message {
        Message::Text(text) => SocketMessage::Text(Bytes::from(text)),
        Message::Binary(bytes) => SocketMessage::Binary(Bytes::from(bytes)),
    }
}

impl State {
    fn post(&self, socket: Rc<HibernatingSocket>, message: SocketMessage) -> wasmtime::Result<()> {
        Ok(self.writes.post(socket, message).map_err(HostFailed)?)
    }
}

impl sockets::Host for State {
    async fn send(&mut self, socket: SocketId, message: Message) -> wasmtime::Result<bool> {
        let Some(socket) = open(&self.host, &self.writes, socket) else {
            return Ok(false);
        };
        self.post(socket, convert(message))?;
        Ok(true)
    }

    async fn broadcast(
        &mut self,
        message: Message,
        but: Option<SocketId>,
    ) -> wasmtime::Result<u32> {
        let (message, mut count) = (convert(message), 0);
        for socket in self.host.sockets(None) {
            let id = socket.id();
            if Some(id) != but && open(&self.host, &self.writes, id).is_some() {
                self.post(socket, message.clone())?;
                count += 1;
            }
        }
        Ok(count)
    }

    async fn close(
        &mut self,
        socket: SocketId,
        code: u16,
        reason: String,
    ) -> wasmtime::Result<Result<bool, String>> {
        if code != 1000 && !(3000..=4999).contains(&code) {
            let message =
                format!("{code} is no code to close a WebSocket with: 1000, or 3000 to 4999");
            return Ok(Err(message));
        }
        if reason.len() > MAX_REASON {
            let message = format!(
                "the reason of a close has {} bytes, and may have {MAX_REASON}",
                reason.len()
            );
            return Ok(Err(message));
        }
        let Some(socket) = open(&self.host, &self.writes, socket) else {
            return Ok(Ok(false));
        };
        let reason = reason.into();
        self.post(socket, SocketMessage::Close { code, reason })?;
        Ok(Ok(true))
    }

    async fn list(&mut self) -> wasmtime::Result<Vec<SocketId>> {
        let all = self.host.sockets(None);
        let ids = all.iter().map(|socket| socket.id());
        Ok(ids
            .filter(|id| open(&self.host, &self.writes, *id).is_some())
            .collect())
    }

    async fn attach(
        &mut self,
        socket: SocketId,
        attachment: Vec<u8>,
    ) -> wasmtime::Result<Result<bool, String>> {
        if attachment.len() > MAX_ATTACHMENT {
            let message = format!(
                "an attachment has {} bytes, and may have {MAX_ATTACHMENT}",
                attachment.len()
            );
            return Ok(Err(message));
        }
        let Some(socket) = open(&self.host, &self.writes, socket) else {
            return Ok(Ok(false));
        };
        let mut note = Note::of(&socket).unwrap_or_default();
        note.attachment = Some(attachment);
        note.keep(&socket);
        Ok(Ok(true))
    }

    /// Also of one that is closed, for its last event.
    async fn attachment(&mut self, socket: SocketId) -> wasmtime::Result<Option<Vec<u8>>> {
        let socket = self.host.socket(socket);
        Ok(socket.and_then(|socket| Note::of(&socket)?.attachment))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_with_a_socket_comes_back_as_it_was() {
        let full = Note {
            is_refused: true,
            path: "/a?b".to_owned(),
            headers: vec![("a".to_owned(), vec![0xff]), ("b".to_owned(), Vec::new())],
            attachment: Some(vec![1, 2]),
        };
        for note in [Note::default(), full.clone()] {
            assert_eq!(Note::decode(&note.encode()), Some(note));
        }
        let bytes = full.encode();
        assert_eq!(Note::decode(&[]), None);
        assert_eq!(Note::decode(&bytes[..8]), None, "cut in the path");
        assert_eq!(
            Note::decode(&bytes[..bytes.len() - 1]),
            None,
            "cut in a header"
        );
    }
}
