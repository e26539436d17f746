//! Requests that handlers send: under the egress rules, once what was written is durable.
//!
//! Redirects are followed as `fetch` does: <https://fetch.spec.whatwg.org/#http-redirect-fetch>.

use std::cell::Cell;

use bytes::{Bytes, BytesMut};
use dolmen_http_client::{CONNECTION_HEADERS, Download, IDLE_TIMEOUT, Upload, cause, client, idle};
use dolmen_runtime::Host;
use futures_util::future::join_all;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode,
    header::{
        ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, LOCATION,
        USER_AGENT,
    },
};
use tokio::time::timeout;
use url::Url;

use crate::{replay::Outcome, request::header_lines, response::lines};

/// Most redirects that are followed.
const MAX_REDIRECTS: usize = 20;
/// What is sent with a body that has no type.
const DEFAULT_TYPE: &[u8] = b"text/plain;charset=UTF-8";

/// A request to send.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ask {
    pub method: String,
    /// Of the body; empty: none is said.
    pub content_type: Bytes,
    pub url: String,
    pub body: Bytes,
    /// `name: value` lines.
    pub headers: Bytes,
}

/// Sends one request, and waits for the whole answer. The writes before it are durable.
///
/// # Errors
/// Why there is none, in words.
pub(crate) async fn send(ask: &Ask, host: &Host) -> Result<Outcome, String> {
    exchange(ask, host, &Cell::new(host.options().max_value_bytes)).await
}

/// Sends requests at the same time; all bodies together have the room of one.
pub(crate) async fn send_all(asks: &[Ask], host: &Host) -> Vec<Result<Outcome, String>> {
    let room = Cell::new(host.options().max_value_bytes);
    join_all(asks.iter().map(|ask| exchange(ask, host, &room))).await
}

async fn exchange(call: &Ask, host: &Host, room: &Cell<usize>) -> Result<Outcome, String> {
    let mut method =
        Method::from_bytes(call.method.as_bytes()).map_err(|error| error.to_string())?;
    let mut url = Url::parse(&call.url).map_err(|error| error.to_string())?;
    let mut headers = headers(call)?;
    let mut body = match method {
        Method::GET | Method::HEAD => Bytes::new(),
        _ => call.body.clone(),
    };
    if body.is_empty() {
        headers.remove(CONTENT_TYPE);
    }
    let client = client(&host.options().egress)?;
    for _ in 0..=MAX_REDIRECTS {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("{:?} is not a scheme of HTTP", url.scheme()));
        }
        url.set_fragment(None);
        let mut request = Request::new(Upload::Whole(body.clone()));
        *request.method_mut() = method.clone();
        *request.uri_mut() = url.as_str().parse().map_err(|error| format!("{error}"))?;
        *request.headers_mut() = headers.clone();
        if body.is_empty() && matches!(method, Method::POST | Method::PUT | Method::PATCH) {
            // Servers expect a length, even zero, of a request that may have a body.
            request
                .headers_mut()
                .insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        let answer = timeout(IDLE_TIMEOUT, client.request(request))
            .await
            .map_err(|_| idle(IDLE_TIMEOUT))?
            .map_err(|error| cause(&error))?;
        let (mut head, incoming) = answer.into_parts();
        let Some(next) = redirect(head.status, &head.headers, &url) else {
            let download = Download::new(incoming, &mut head.headers, IDLE_TIMEOUT);
            let body = collect(download, room).await?;
            let content_type = head.headers.get(CONTENT_TYPE);
            return Ok(Outcome {
                status: head.status.as_u16(),
                content_type: content_type
                    .map_or_else(Bytes::new, |value| Bytes::copy_from_slice(value.as_bytes())),
                headers: header_lines(&head.headers),
                body,
            });
        };
        let next = next?;
        let becomes_get = head.status == StatusCode::SEE_OTHER && method != Method::HEAD
            || matches!(
                head.status,
                StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND
            ) && method == Method::POST;
        if becomes_get {
            method = Method::GET;
            body = Bytes::new();
            headers.remove(CONTENT_TYPE);
        }
        if next.origin() != url.origin() {
            // They were meant for the first origin alone.
            headers.remove(AUTHORIZATION);
            headers.remove(COOKIE);
        }
        url = next;
    }
    Err(format!("more than {MAX_REDIRECTS} redirects"))
}

/// Where an answer leads; `None` if it is no redirect.
fn redirect(status: StatusCode, headers: &HeaderMap, url: &Url) -> Option<Result<Url, String>> {
    if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = headers.get(LOCATION)?;
    let text = String::from_utf8_lossy(location.as_bytes());
    Some(
        url.join(&text)
            .map_err(|error| format!("its redirect to {text:?} leads nowhere: {error}")),
    )
}

fn headers(call: &Ask) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    let value = |text: &[u8], name: &str| {
        HeaderValue::from_bytes(text)
            .map_err(|_| format!("the header {name} has a value that cannot be sent"))
    };
    let content_type = if call.content_type.is_empty() {
        DEFAULT_TYPE
    } else {
        &call.content_type[..]
    };
    headers.insert(CONTENT_TYPE, value(content_type, "content-type")?);
    for (name, text) in lines(&call.headers) {
        let shown = String::from_utf8_lossy(name);
        let name = HeaderName::from_bytes(name)
            .map_err(|_| format!("{shown:?} is not the name of a header"))?;
        let value = value(text, &shown)?;
        // The type of the call is a default; other names may be repeated.
        if name == CONTENT_TYPE {
            headers.insert(name, value);
        } else if !CONNECTION_HEADERS.contains(&name) {
            headers.append(name, value);
        }
    }
    for (name, value) in [
        (ACCEPT, "*/*"),
        (ACCEPT_ENCODING, "gzip, deflate, br"),
        (USER_AGENT, "Dolmen"),
    ] {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    Ok(headers)
}

async fn collect(mut download: Download, room: &Cell<usize>) -> Result<Bytes, String> {
    let take = |piece: &Bytes| {
        let left = room.get().checked_sub(piece.len());
        room.set(left.ok_or("its body is larger than the limit of a value")?);
        Ok::<_, String>(())
    };
    let Some(first) = download.next().await? else {
        return Ok(Bytes::new());
    };
    take(&first)?;
    let mut all = BytesMut::from(first);
    while let Some(piece) = download.next().await? {
        take(&piece)?;
        all.extend_from_slice(&piece);
    }
    Ok(all.freeze())
}
