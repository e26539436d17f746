//! What an object can be asked to do, and what it answers.
//!
//! Everything here is plain bytes and `Send`: it is what crosses from a connection to a shard
//! and from one shard to another.

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};

use crate::{
    body::Body,
    call::{Call, Message, Target},
    socket::{Received, SocketEnd, SocketId},
};

/// A value in one of the two encodings in which values travel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// JSON text in UTF-8.
    Json(Bytes),
    /// V8's structured-clone format, version 15.
    Cloned(Bytes),
}

impl Payload {
    /// The encoded bytes, whatever the encoding.
    pub fn bytes(&self) -> &Bytes {
        match self {
            Self::Json(bytes) | Self::Cloned(bytes) => bytes,
        }
    }
}

/// A method call on an object.
#[derive(Clone, Debug)]
pub struct RpcCall {
    /// The method's name.
    pub method: String,
    /// An array of the arguments. Empty JSON bytes mean no arguments.
    pub args: Payload,
}

/// An HTTP request as an object sees it.
#[derive(Debug)]
pub struct FetchRequest {
    /// What it is for inside the object or the worker.
    pub target: Target,
    /// The HTTP method.
    pub method: Method,
    /// The full URL; through the gateway's route `http://host/fetch/NS/name/path?query`.
    pub url: String,
    /// The path below the object, percent-encoded as it arrived; starts with `/`. Only objects
    /// of CommonJS bundles see it.
    pub path: String,
    /// The raw query without `?`; empty when there is none. As `path`.
    pub query: String,
    /// The headers as they arrived.
    pub headers: HeaderMap,
    /// The body. Complete for objects of CommonJS bundles.
    pub body: Body,
}

/// An object's answer to a [`FetchRequest`].
#[derive(Debug)]
pub struct FetchResponse {
    /// The status, 200 to 599; 101 with a WebSocket.
    pub status: StatusCode,
    /// The headers, repeated ones in order.
    pub headers: HeaderMap,
    /// The body.
    pub body: Body,
    /// The end that the client gets of the WebSocket that it asked for.
    pub web_socket: Option<SocketEnd>,
}

/// Something happened on a hibernatable WebSocket.
#[derive(Debug)]
pub struct SocketEvent {
    /// Which one; see [`crate::Host::socket`].
    pub socket: SocketId,
    /// A message, a close or a loss.
    pub received: Received,
}

/// Why an alarm handler runs now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlarmInfo {
    /// When it was due, milliseconds since 1970.
    pub scheduled_ms: i64,
    /// How many failed attempts came before this one.
    pub retry_count: u32,
}

/// One thing for an object to do.
#[derive(Debug)]
pub enum Event {
    /// Call a method.
    Rpc(RpcCall),
    /// Answer an HTTP request.
    Fetch(FetchRequest),
    /// Run the alarm handler.
    Alarm(AlarmInfo),
    /// A call by another object or the worker, of a module worker.
    Call(Call),
    /// A hibernatable WebSocket has something; only in mailboxes.
    SocketReady(SocketId),
    /// Run the handler of a hibernatable WebSocket.
    Socket(SocketEvent),
}

/// The answer to an [`Event`] of the same variant.
#[derive(Debug)]
pub enum Reply {
    /// A method's result, in the encoding of its arguments.
    Rpc(Payload),
    /// The HTTP response.
    Fetch(FetchResponse),
    /// The alarm handler is through.
    Alarm,
    /// A call's result.
    Call(Message),
    /// The handler of a WebSocket is through.
    Socket,
}
