//! From bytes to messages.

use bytes::{Buf, Bytes, BytesMut};

use crate::{
    Role,
    close::{self, CloseCode},
    deflate::{self, InflateError},
    frame::{self, BadHeader, Header, MAX_CONTROL_BYTES},
};

/// What arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// A text message, valid UTF-8.
    Text(Bytes),
    /// A binary message.
    Binary(Bytes),
    /// A ping, to be answered with the same payload.
    Ping(Bytes),
    /// An answer to a ping, or an unasked one.
    Pong,
    /// The other side closes; nothing follows.
    Close {
        /// Its code; 1005: the frame has none.
        code: u16,
        /// Its reason; may be empty.
        reason: String,
    },
}

/// Why a connection must be failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct ProtocolError {
    /// What to close with.
    pub code: u16,
    /// Why.
    pub reason: &'static str,
}

const fn violation(reason: &'static str) -> ProtocolError {
    ProtocolError {
        code: CloseCode::PROTOCOL_ERROR,
        reason,
    }
}

const TOO_LARGE: ProtocolError = ProtocolError {
    code: CloseCode::TOO_LARGE,
    reason: "Message is too large",
};
const NOT_UTF8: ProtocolError = ProtocolError {
    code: CloseCode::INVALID_DATA,
    reason: "a text message is not UTF-8",
};

/// A message whose last frame has not come.
#[derive(Debug)]
struct Partial {
    is_text: bool,
    is_compressed: bool,
    bytes: BytesMut,
}

/// Reads the messages of one connection. While no message is incomplete it holds no memory.
#[derive(Debug)]
pub struct Decoder {
    role: Role,
    compress: bool,
    limit: usize,
    /// Bytes of an incomplete frame.
    pending: BytesMut,
    partial: Option<Box<Partial>>,
}

impl Decoder {
    /// Reads what the peer of a `role` sends. `compress`: whether permessage-deflate was agreed
    /// on. `limit`: the largest message in bytes, decompressed.
    pub fn new(role: Role, compress: bool, limit: usize) -> Self {
        Self {
            role,
            compress,
            limit,
            pending: BytesMut::new(),
            partial: None,
        }
    }

    /// Takes bytes as they arrive and gives each message to `on`, in order, until a close.
    ///
    /// # Errors
    /// How the connection must be closed. The decoder is of no use after that.
    pub fn read(
        &mut self,
        bytes: &[u8],
        mut on: impl FnMut(Incoming),
    ) -> Result<(), ProtocolError> {
        if self.pending.is_empty() {
            // Most reads hold whole frames.
            let used = self.frames(bytes, &mut on)?;
            // A length alone is not trusted with memory; the buffer grows as bytes arrive.
            self.pending.extend_from_slice(&bytes[used..]);
            return Ok(());
        }
        let mut pending = std::mem::take(&mut self.pending);
        pending.extend_from_slice(bytes);
        let used = self.frames(&pending, &mut on)?;
        pending.advance(used);
        if !pending.is_empty() {
            self.pending = pending;
        }
        Ok(())
    }

    /// Whether it is between two messages.
    #[cfg(test)]
    fn is_idle(&self) -> bool {
        self.pending.is_empty() && self.partial.is_none()
    }

    /// Takes the whole frames at the start of `bytes`; gives how many bytes they have.
    fn frames(
        &mut self,
        bytes: &[u8],
        on: &mut impl FnMut(Incoming),
    ) -> Result<usize, ProtocolError> {
        let mut at = 0;
        while let Some((header, head)) = self.header(&bytes[at..])? {
            let Some(payload) = payload_of(&header, &bytes[at..], head) else {
                break;
            };
            let mut payload = payload.to_vec();
            at += head + payload.len();
            if let Some(mask) = header.mask {
                frame::apply_mask(&mut payload, mask, 0);
            }
            self.payload(header, payload.into(), on)?;
        }
        Ok(at)
    }

    fn header(&self, bytes: &[u8]) -> Result<Option<(Header, usize)>, ProtocolError> {
        let read = Header::read(bytes).map_err(|bad| {
            violation(match bad {
                BadHeader::Reserved => "a reserved bit is set",
                BadHeader::Opcode => "an unknown opcode",
                BadHeader::Length => "a length that is not in its shortest form",
            })
        })?;
        let Some((header, head)) = read else {
            return Ok(None);
        };
        if header.mask.is_some() != (self.role == Role::Server) {
            return Err(violation(match self.role {
                Role::Server => "a client's frame is not masked",
                Role::Client => "a server's frame is masked",
            }));
        }
        let starts_message = matches!(header.opcode, frame::TEXT | frame::BINARY);
        if header.is_compressed && !(self.compress && starts_message) {
            return Err(violation("a reserved bit is set"));
        }
        if header.is_control() {
            if !header.is_last || header.length > MAX_CONTROL_BYTES as u64 {
                return Err(violation("a control frame is fragmented or too long"));
            }
            return Ok(Some((header, head)));
        }
        if starts_message != self.partial.is_none() {
            return Err(violation(match starts_message {
                true => "a message begins within another",
                false => "a continuation of nothing",
            }));
        }
        let before = self
            .partial
            .as_ref()
            .map_or(0, |partial| partial.bytes.len());
        if header.length > (self.limit - before.min(self.limit)) as u64 {
            return Err(TOO_LARGE);
        }
        Ok(Some((header, head)))
    }

    fn payload(
        &mut self,
        header: Header,
        payload: Bytes,
        on: &mut impl FnMut(Incoming),
    ) -> Result<(), ProtocolError> {
        match header.opcode {
            frame::PING => on(Incoming::Ping(payload)),
            frame::PONG => on(Incoming::Pong),
            frame::CLOSE => on(closed(&payload)?),
            opcode if header.is_last && opcode != frame::CONTINUATION => {
                on(self.message(opcode == frame::TEXT, header.is_compressed, payload)?);
            }
            opcode => {
                let partial = self.partial.get_or_insert_with(|| {
                    Box::new(Partial {
                        is_text: opcode == frame::TEXT,
                        is_compressed: header.is_compressed,
                        bytes: BytesMut::new(),
                    })
                });
                partial.bytes.extend_from_slice(&payload);
                if header.is_last
                    && let Some(whole) = self.partial.take()
                {
                    let bytes = whole.bytes.freeze();
                    on(self.message(whole.is_text, whole.is_compressed, bytes)?);
                }
            }
        }
        Ok(())
    }

    fn message(
        &self,
        is_text: bool,
        is_compressed: bool,
        bytes: Bytes,
    ) -> Result<Incoming, ProtocolError> {
        let bytes = if is_compressed {
            let inflated = deflate::inflate(&bytes, self.limit).map_err(|error| match error {
                InflateError::TooLarge => TOO_LARGE,
                InflateError::Corrupt => violation("a message cannot be decompressed"),
            })?;
            Bytes::from(inflated)
        } else {
            bytes
        };
        if !is_text {
            return Ok(Incoming::Binary(bytes));
        }
        match simdutf8::basic::from_utf8(&bytes) {
            Ok(_) => Ok(Incoming::Text(bytes)),
            Err(_) => Err(NOT_UTF8),
        }
    }
}

fn payload_of<'b>(header: &Header, bytes: &'b [u8], head: usize) -> Option<&'b [u8]> {
    bytes.get(head..head.checked_add(to_size(header.length))?)
}

fn to_size(length: u64) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}

fn closed(payload: &[u8]) -> Result<Incoming, ProtocolError> {
    let (code, reason) = match payload {
        [] => (CloseCode::NO_STATUS, &[][..]),
        [_] => return Err(violation("a close frame with half a code")),
        [high, low, reason @ ..] => (u16::from_be_bytes([*high, *low]), reason),
    };
    if !payload.is_empty() && !close::may_be_received(code) {
        return Err(violation("a close code that may not be sent"));
    }
    let reason = simdutf8::basic::from_utf8(reason).map_err(|_| ProtocolError {
        reason: "a close reason is not UTF-8",
        ..NOT_UTF8
    })?;
    Ok(Incoming::Close {
        code,
        reason: reason.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Encoder;

    const LIMIT: usize = 1 << 20;

    fn read(role: Role, compress: bool, bytes: &[u8]) -> Result<Vec<Incoming>, ProtocolError> {
        let mut decoder = Decoder::new(role, compress, LIMIT);
        let mut seen = Vec::new();
        decoder.read(bytes, |incoming| seen.push(incoming))?;
        assert!(decoder.is_idle());
        Ok(seen)
    }

    /// What a server sees of frames that are written without a mask here.
    fn frames(parts: &[(u8, &[u8])]) -> Result<Vec<Incoming>, ProtocolError> {
        let mut bytes = BytesMut::new();
        for (first, payload) in parts {
            Header {
                is_last: first & 0x80 != 0,
                is_compressed: first & 0x40 != 0,
                opcode: first & 0x0F,
                mask: None,
                length: payload.len() as u64,
            }
            .write(&mut bytes);
            bytes.extend_from_slice(payload);
        }
        read(Role::Client, false, &bytes)
    }

    fn code(result: Result<Vec<Incoming>, ProtocolError>) -> u16 {
        result.expect_err("it was accepted").code
    }

    #[test]
    fn messages_arrive_whole_however_they_are_cut() {
        let long = vec![7; 70_000];
        for (role, peer) in [(Role::Server, Role::Client), (Role::Client, Role::Server)] {
            for compress in [false, true] {
                let encoder = Encoder::new(peer, compress);
                let mut bytes = BytesMut::new();
                encoder.text("grüße".as_bytes(), &mut bytes);
                encoder.binary(&long, &mut bytes);
                encoder.binary(b"", &mut bytes);
                encoder.pong(b"x", &mut bytes);
                encoder.close(4000, "end", &mut bytes);
                let expected = vec![
                    Incoming::Text("grüße".into()),
                    Incoming::Binary(long.clone().into()),
                    Incoming::Binary(Bytes::new()),
                    Incoming::Pong,
                    Incoming::Close {
                        code: 4000,
                        reason: "end".to_owned(),
                    },
                ];
                for step in [1, 2, 7, 1_000, 65_536, bytes.len()] {
                    let mut decoder = Decoder::new(role, compress, LIMIT);
                    let mut seen = Vec::new();
                    for part in bytes.chunks(step) {
                        decoder.read(part, |incoming| seen.push(incoming)).unwrap();
                    }
                    assert_eq!(seen, expected, "in steps of {step}");
                    assert!(decoder.is_idle());
                }
            }
        }
    }

    #[test]
    fn fragments_join_around_control_frames() {
        let seen = frames(&[
            (0x01, b"a"),
            (0x89, b"p"),
            (0x00, b"\xc3"),
            (0x80, b"\xa4"),
            (0x82, b"z"),
        ]);
        assert_eq!(
            seen.unwrap(),
            [
                Incoming::Ping("p".into()),
                Incoming::Text("aä".into()),
                Incoming::Binary("z".into())
            ]
        );
    }

    #[test]
    fn what_breaks_the_protocol_is_1002() {
        let protocol = CloseCode::PROTOCOL_ERROR;
        assert_eq!(
            code(frames(&[(0x80, b"")])),
            protocol,
            "a continuation of nothing"
        );
        assert_eq!(
            code(frames(&[(0x01, b"a"), (0x81, b"b")])),
            protocol,
            "a message within another"
        );
        assert_eq!(code(frames(&[(0x09, b"a")])), protocol, "a fragmented ping");
        assert_eq!(code(frames(&[(0x89, &[0; 126])])), protocol, "a long ping");
        assert_eq!(
            code(frames(&[(0xC1, b"a")])),
            protocol,
            "compressed without agreement"
        );
        assert_eq!(code(frames(&[(0x88, b"x")])), protocol, "half a close code");
        for bad in [0u16, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535] {
            assert_eq!(
                code(frames(&[(0x88, &bad.to_be_bytes())])),
                protocol,
                "{bad}"
            );
        }
        let mut unmasked = BytesMut::new();
        Encoder::new(Role::Server, false).text(b"a", &mut unmasked);
        assert_eq!(code(read(Role::Server, false, &unmasked)), protocol);
        let mut masked = BytesMut::new();
        Encoder::new(Role::Client, false).text(b"a", &mut masked);
        assert_eq!(code(read(Role::Client, false, &masked)), protocol);
        let mut corrupt = BytesMut::new();
        Header {
            is_last: true,
            is_compressed: true,
            opcode: frame::TEXT,
            mask: None,
            length: 20,
        }
        .write(&mut corrupt);
        corrupt.extend_from_slice(&[0xFF; 20]);
        assert_eq!(code(read(Role::Client, true, &corrupt)), protocol);
    }

    #[test]
    fn text_that_is_not_utf8_is_1007() {
        assert_eq!(code(frames(&[(0x81, b"\xff")])), CloseCode::INVALID_DATA);
        assert_eq!(
            code(frames(&[(0x01, b"\xc3"), (0x80, b"x")])),
            CloseCode::INVALID_DATA
        );
        assert_eq!(
            code(frames(&[(0x88, b"\x03\xe8\xff")])),
            CloseCode::INVALID_DATA
        );
    }

    #[test]
    fn a_message_over_the_limit_is_1009_before_its_bytes_are_kept() {
        let half = vec![0; LIMIT / 2 + 1];
        assert_eq!(
            code(frames(&[(0x02, &half), (0x80, &half)])),
            CloseCode::TOO_LARGE
        );
        assert!(frames(&[(0x02, &half), (0x80, &half[2..])]).is_ok());
        let mut head = BytesMut::new();
        Header {
            is_last: true,
            is_compressed: false,
            opcode: frame::BINARY,
            mask: None,
            length: 1 << 40,
        }
        .write(&mut head);
        assert_eq!(code(read(Role::Client, false, &head)), CloseCode::TOO_LARGE);
        let mut bomb = BytesMut::new();
        Encoder::new(Role::Server, true).binary(&vec![0; LIMIT + 1], &mut bomb);
        assert!(bomb.len() < LIMIT / 100);
        assert_eq!(code(read(Role::Client, true, &bomb)), CloseCode::TOO_LARGE);
    }
}
