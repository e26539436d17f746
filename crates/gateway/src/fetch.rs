//! HTTP passed through to an object: `/fetch/:namespace/:name/*`.

use dolmen_runtime::{Body, FetchResponse};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Uri, Version,
    header::{CONNECTION, CONTENT_LENGTH, HOST, TE, TRAILER, TRANSFER_ENCODING, UPGRADE},
};

use crate::{answer::Answer, failure::Failure};

/// The host of a request that names none, which only HTTP/1.0 may do.
const UNNAMED_HOST: &str = "localhost";

/// Checks that a request names its host as its version of HTTP demands, and gives the name.
pub(crate) fn host<'r>(
    uri: &'r Uri,
    headers: &'r HeaderMap,
    version: Version,
) -> Result<&'r str, Failure> {
    let mut hosts = headers.get_all(HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().ok().filter(|host| is_host(host)),
        (None, _) if version < Version::HTTP_11 => Some(UNNAMED_HOST),
        _ => None,
    };
    let host =
        host.ok_or_else(|| Failure::bad_request("the request needs one valid host header"))?;
    Ok(uri
        .authority()
        .map(http::uri::Authority::as_str)
        .filter(|authority| is_host(authority))
        .unwrap_or(host))
}

/// Whether text can stand between `http://` and `/` without meaning anything but a host and a port.
fn is_host(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:[]%".contains(&byte))
}

/// The full URL of a request, as the object sees it.
pub(crate) fn url(host: &str, uri: &Uri) -> String {
    let whole = uri
        .path_and_query()
        .map_or("/", http::uri::PathAndQuery::as_str);
    let mut url = String::with_capacity("http://".len() + host.len() + whole.len());
    url.push_str("http://");
    url.push_str(host);
    url.push_str(whole);
    url
}

/// Writes an object's answer. What concerns the connection alone is not the object's to say.
pub(crate) fn answer(response: FetchResponse, method: &Method) -> Response<Answer> {
    let FetchResponse {
        status,
        mut headers,
        body,
        web_socket: _,
    } = response;
    let is_empty = body.bytes().is_some_and(<[u8]>::is_empty);
    // The one answer whose length is not that of its body.
    let length = match *method {
        Method::HEAD if is_empty && !is_null_body(status) => headers.get(CONTENT_LENGTH).cloned(),
        _ => None,
    };
    if headers.keys().any(is_hop_by_hop) {
        for name in HOP_BY_HOP.iter().chain(&OTHER_HOP_BY_HOP) {
            headers.remove(name);
        }
    }
    let is_length = |length: &HeaderValue| {
        let digits = length.as_bytes();
        (1..=MAX_LENGTH_DIGITS).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit)
    };
    if let Some(length) = length.filter(is_length) {
        headers.insert(CONTENT_LENGTH, length);
    }
    let no_body = method == Method::HEAD && is_empty || is_null_body(status);
    let mut answer = Response::new(Answer::from(if no_body { Body::None } else { body }));
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    answer
}

/// Digits of a length that 64 bits hold.
const MAX_LENGTH_DIGITS: usize = 19;

const HOP_BY_HOP: [HeaderName; 6] = [
    CONNECTION,
    CONTENT_LENGTH,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];
const OTHER_HOP_BY_HOP: [HeaderName; 2] = [
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];

fn is_hop_by_hop(name: &HeaderName) -> bool {
    HOP_BY_HOP.contains(name) || OTHER_HOP_BY_HOP.contains(name)
}

/// The statuses whose responses have no body, after the Fetch Standard.
fn is_null_body(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::SWITCHING_PROTOCOLS
            | StatusCode::NO_CONTENT
            | StatusCode::RESET_CONTENT
            | StatusCode::NOT_MODIFIED
    )
}
