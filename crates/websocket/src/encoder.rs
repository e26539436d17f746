//! From messages to frames.

use bytes::BytesMut;

use crate::{
    Role,
    close::{CloseCode, MAX_REASON_BYTES},
    deflate,
    frame::{self, Header},
};

/// Shorter messages are sent as they are: compressing them gains nothing.
const LEAST_COMPRESSED: usize = 256;

/// Writes the frames of one connection; each message is one frame.
#[derive(Clone, Copy, Debug)]
pub struct Encoder {
    role: Role,
    compress: bool,
}

impl Encoder {
    /// `compress`: whether permessage-deflate was agreed on.
    pub fn new(role: Role, compress: bool) -> Self {
        Self { role, compress }
    }

    /// Appends a text message; `text` is UTF-8.
    pub fn text(&self, text: &[u8], to: &mut BytesMut) {
        self.message(frame::TEXT, text, to);
    }

    /// Appends a binary message.
    pub fn binary(&self, bytes: &[u8], to: &mut BytesMut) {
        self.message(frame::BINARY, bytes, to);
    }

    /// Appends the answer to a ping.
    pub fn pong(&self, payload: &[u8], to: &mut BytesMut) {
        self.frame(frame::PONG, false, payload, to);
    }

    /// Appends a close frame; 1005 sends one without a code. A long reason is cut.
    pub fn close(&self, code: u16, reason: &str, to: &mut BytesMut) {
        if code == CloseCode::NO_STATUS {
            return self.frame(frame::CLOSE, false, &[], to);
        }
        let mut payload = code.to_be_bytes().to_vec();
        payload.extend(reason[..reason.floor_char_boundary(MAX_REASON_BYTES)].bytes());
        self.frame(frame::CLOSE, false, &payload, to);
    }

    fn message(&self, opcode: u8, payload: &[u8], to: &mut BytesMut) {
        if self.compress && payload.len() >= LEAST_COMPRESSED {
            let compressed = deflate::deflate(payload);
            if compressed.len() < payload.len() {
                return self.frame(opcode, true, &compressed, to);
            }
        }
        self.frame(opcode, false, payload, to);
    }

    fn frame(&self, opcode: u8, is_compressed: bool, payload: &[u8], to: &mut BytesMut) {
        let mask = match self.role {
            Role::Server => None,
            Role::Client => {
                let mut mask = [0; 4];
                // Without randomness proxies are less protected from their clients; messages still arrive.
                let _ = getrandom::fill(&mut mask);
                Some(mask)
            }
        };
        let header = Header {
            is_last: true,
            is_compressed,
            opcode,
            mask,
            length: payload.len() as u64,
        };
        to.reserve(payload.len() + 14);
        header.write(to);
        let start = to.len();
        to.extend_from_slice(payload);
        if let Some(mask) = mask {
            frame::apply_mask(&mut to[start..], mask, 0);
        }
    }
}
