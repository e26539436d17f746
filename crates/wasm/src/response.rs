//! A guest's answer as an HTTP response.

use bytes::Bytes;
use dolmen_runtime::{Body, FetchResponse};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header::CONTENT_TYPE};

use crate::guest::{Answered, Fault};

/// Checks and converts an answer.
///
/// # Errors
/// If its status or one of its headers cannot be sent.
pub(crate) fn convert(answered: Answered) -> Result<FetchResponse, Fault> {
    let status = u16::try_from(answered.status)
        .ok()
        .filter(|status| (200..=599).contains(status))
        .and_then(|status| StatusCode::from_u16(status).ok())
        .ok_or_else(|| {
            Fault::Panic(format!(
                "the handler answered with the status {}",
                answered.status
            ))
        })?;
    let mut headers = HeaderMap::new();
    if !answered.content_type.is_empty() {
        let value = value(&answered.content_type, "content-type")?;
        headers.insert(CONTENT_TYPE, value);
    }
    for (name, text) in lines(&answered.headers) {
        if name.eq_ignore_ascii_case(b"content-type") {
            continue;
        }
        let shown = String::from_utf8_lossy(name);
        let name = HeaderName::from_bytes(name)
            .map_err(|_| Fault::Panic(format!("{shown:?} is not the name of a header")))?;
        headers.append(name, value(text, &shown)?);
    }
    let body = match status {
        StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED => Body::None,
        _ => Body::Full(answered.body),
    };
    Ok(FetchResponse {
        status,
        headers,
        body,
        web_socket: None,
    })
}

/// The answer for a handler that panicked.
pub(crate) fn panic(message: &str) -> FetchResponse {
    let mut headers = HeaderMap::new();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    FetchResponse {
        status: StatusCode::INTERNAL_SERVER_ERROR,
        headers,
        body: Body::Full(Bytes::from(format!("panic: {message}"))),
        web_socket: None,
    }
}

/// The `name: value` lines of a text; others are left out.
pub(crate) fn lines(text: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    text.split(|byte| *byte == b'\n').filter_map(|line| {
        let colon = line.windows(2).position(|pair| pair == b": ")?;
        Some((&line[..colon], &line[colon + 2..]))
    })
}

fn value(text: &[u8], name: &str) -> Result<HeaderValue, Fault> {
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    HeaderValue::from_bytes(text)
        .map_err(|_| Fault::Panic(format!("the header {name} has a value that cannot be sent")))
}
