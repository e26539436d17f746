//! The WebSocket protocol on plain bytes: RFC 6455 and permessage-deflate, RFC 7692.
//!
//! Nothing here reads or writes a connection, and nothing is kept for one that is idle: a
//! [`Decoder`] holds memory only while a message is incomplete, and compression state belongs to
//! the thread. That is what makes a hundred thousand idle connections cheap.
//!
//! Start with `decoder.rs` and `encoder.rs`; `handshake.rs` is how a connection begins.

mod close;
mod decoder;
mod deflate;
mod encoder;
mod frame;
mod handshake;

pub use close::{CloseCode, may_be_sent};
pub use decoder::{Decoder, Incoming, ProtocolError};
pub use encoder::Encoder;
pub use handshake::{
    Extensions, HandshakeError, accept, client_headers, is_upgrade, is_valid_protocol,
    verify_accepted,
};

/// Which side of a connection this is: clients mask what they send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It accepted the connection.
    Server,
    /// It opened the connection.
    Client,
}
