//! A request as a guest sees it: method, path with query, body, and headers as text.

use bytes::{Bytes, BytesMut};
use dolmen_runtime::{Body, Error, ErrorKind, FetchRequest, websocket};
use http::{HeaderMap, Method};

pub(crate) struct Request {
    pub method: Method,
    pub path: String,
    pub body: Bytes,
    pub headers: Vec<u8>,
}

impl Request {
    /// Waits for the whole body.
    ///
    /// # Errors
    /// If the client goes away before its end, or asks for a WebSocket.
    pub async fn read(request: FetchRequest) -> Result<Self, Error> {
        if websocket::is_upgrade(&request.headers) {
            return Err(Error::new(
                ErrorKind::BadRequest,
                "WebSockets of WASM handlers are not there yet",
            ));
        }
        let headers = header_lines(&request.headers);
        Ok(Self {
            path: path(&request),
            headers,
            body: read(request.body).await?,
            method: request.method,
        })
    }
}

/// The path below the object with the query, or the whole one of the URL where there is no object.
fn path(request: &FetchRequest) -> String {
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
async fn read(body: Body) -> Result<Bytes, Error> {
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
