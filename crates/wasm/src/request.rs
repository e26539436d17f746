//! A request as a guest sees it: method, path with query, body, and headers as text.

use bytes::{Bytes, BytesMut};
use dolmen_runtime::{Body, Error, ErrorKind, FetchRequest};
use http::{HeaderMap, Method};

use crate::{
    guest::Fault,
    replay::too_large,
    zerobuf::{Item, Message},
};

/// What is in the slots from the seventh on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum More {
    I32(i32),
    Text(Bytes),
}

/// The kinds of event that are no HTTP requests, in the place of a method.
pub(crate) const EVENTS: [&str; 5] = [ALARM, SOCKET_OPEN, SOCKET_TEXT, SOCKET_BINARY, SOCKET_CLOSE];
pub(crate) const ALARM: &str = "ALARM";
pub(crate) const SOCKET_OPEN: &str = "WEBSOCKET_OPEN";
pub(crate) const SOCKET_TEXT: &str = "WEBSOCKET";
pub(crate) const SOCKET_BINARY: &str = "WEBSOCKET_BINARY";
pub(crate) const SOCKET_CLOSE: &str = "WEBSOCKET_CLOSE";

enum Kind {
    Http(Method),
    Event(&'static str),
}

pub(crate) struct Request {
    kind: Kind,
    path: String,
    body: Bytes,
    headers: Vec<u8>,
    pub more: Vec<More>,
}

impl Request {
    /// Waits for the whole body.
    ///
    /// # Errors
    /// If the client goes away before its end, or its method is an event.
    pub async fn read(request: FetchRequest) -> Result<Self, Error> {
        if EVENTS.contains(&request.method.as_str()) {
            return Err(Error::new(
                ErrorKind::BadRequest,
                format!(
                    "{} is an event of WASM handlers, and not a method for requests",
                    request.method
                ),
            ));
        }
        Ok(Self {
            path: path(&request),
            headers: header_lines(&request.headers),
            body: read(request.body).await?,
            kind: Kind::Http(request.method),
            more: Vec::new(),
        })
    }

    /// Something that happened, one of [`EVENTS`].
    pub fn event(
        kind: &'static str,
        path: String,
        headers: Vec<u8>,
        body: Bytes,
        more: Vec<i32>,
    ) -> Self {
        Self {
            kind: Kind::Event(kind),
            path,
            body,
            headers,
            more: more.into_iter().map(More::I32).collect(),
        }
    }

    /// Whether a client has sent it.
    pub fn is_http(&self) -> bool {
        matches!(self.kind, Kind::Http(_))
    }

    /// The message to the guest, at a replay with a result and its index.
    ///
    /// # Errors
    /// `Panic` if a guest cannot have that much.
    pub fn message(&self, replay: Option<(u32, i32)>) -> Result<Message<'_>, Fault> {
        let method = match &self.kind {
            Kind::Http(method) => method.as_str(),
            Kind::Event(kind) => kind,
        };
        let parts = [
            method.as_bytes(),
            self.path.as_bytes(),
            &self.body,
            &self.headers,
        ];
        let more = self.more.iter().map(|more| match more {
            More::I32(number) => Item::I32(*number),
            More::Text(text) => Item::Text(text),
        });
        Message::request(parts, replay, more).ok_or_else(too_large)
    }
}

/// The path below the object with the query, or the whole one of the URL where there is no object.
pub(crate) fn path(request: &FetchRequest) -> String {
    if !request.path.is_empty() {
        return match request.query.is_empty() {
            true => request.path.clone(),
            false => format!("{}?{}", request.path, request.query),
        };
    }
    let after_scheme = request.url.find("://").map_or(0, |at| at + 3);
    let rest = &request.url[after_scheme..];
    rest.find(['/', '?']).map_or_else(
        || "/".to_owned(),
        |at| match rest[at..].starts_with('/') {
            true => rest[at..].to_owned(),
            false => format!("/{}", &rest[at..]),
        },
    )
}

/// `name: value` lines; the values of a repeated header are joined.
pub(crate) fn header_lines(headers: &HeaderMap) -> Vec<u8> {
    let mut lines = Vec::new();
    for name in headers.keys() {
        lines.extend_from_slice(name.as_str().as_bytes());
        lines.extend_from_slice(b": ");
        for (index, value) in headers.get_all(name).iter().enumerate() {
            if index > 0 {
                lines.extend_from_slice(b", ");
            }
            lines.extend_from_slice(value.as_bytes());
        }
        lines.push(b'\n');
    }
    lines
}

/// All of a body; one that is complete is not copied.
pub(crate) async fn read(body: Body) -> Result<Bytes, Error> {
    match body {
        Body::None => Ok(Bytes::new()),
        Body::Full(bytes) => Ok(bytes),
        Body::Stream(mut reader) => {
            let mut all = BytesMut::new();
            while let Some(piece) = reader.next().await {
                all.extend_from_slice(&piece?);
            }
            Ok(all.freeze())
        }
    }
}
