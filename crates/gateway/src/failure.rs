//! What a request gets that did not succeed: one table from kinds to codes and statuses, and the
//! JSON body `{"ok":false,"error":{"code","message"}}`.

use bytes::Bytes;
use dolmen_runtime::{Error, ErrorKind};
use http::{
    HeaderValue, Response, StatusCode,
    header::{ALLOW, CONNECTION, CONTENT_TYPE, RETRY_AFTER, SEC_WEBSOCKET_VERSION},
};
use http_body_util::Full;
use serde::Serialize;

use crate::options::ErrorDetails;

/// The `code` and the HTTP status of an error; the table of `docs/reference/errors.md`.
pub fn code_and_status(kind: ErrorKind) -> (&'static str, StatusCode) {
    let status = match kind {
        ErrorKind::BadRequest => StatusCode::BAD_REQUEST,
        ErrorKind::UnknownNamespace | ErrorKind::MethodNotFound => StatusCode::NOT_FOUND,
        ErrorKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorKind::Timeout => StatusCode::GATEWAY_TIMEOUT,
        ErrorKind::Overloaded | ErrorKind::Interrupted | ErrorKind::Unavailable => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        ErrorKind::Exception
        | ErrorKind::Reset
        | ErrorKind::StartFailed
        | ErrorKind::Storage
        | ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    };
    (kind.code(), status)
}

/// A request that did not succeed, and how to say so.
#[derive(Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    code: &'static str,
    message: String,
    detail: Option<String>,
    advice: Advice,
}

/// What a failure asks of the client beyond reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Advice {
    None,
    /// Try again later.
    RetryAfter,
    /// Use POST.
    AllowPost,
    /// Ask for a WebSocket.
    Upgrade,
    /// The rest of the body is not read, so the connection ends.
    Close,
}

impl Failure {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            detail: None,
            advice: Advice::None,
        }
    }

    /// The request is wrong: 400.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", message)
    }

    /// No route has this path: 404.
    pub fn not_found(path: &str) -> Self {
        let shown: String = path.chars().take(SHOWN_PATH_CHARS).collect();
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            format!(
                "nothing is at {shown:?}; objects are at POST /rpc/:namespace/:name/:method and /fetch/:namespace/:name/*"
            ),
        )
    }

    /// `/rpc` with another method than POST: 405.
    pub fn not_post(method: &http::Method) -> Self {
        Self {
            advice: Advice::AllowPost,
            ..Self::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                format!("a method is called with POST, not {method}"),
            )
        }
    }

    /// The answer is a WebSocket, and the request did not rightly ask for one: 426.
    pub fn upgrade_required(message: impl Into<String>) -> Self {
        Self {
            advice: Advice::Upgrade,
            ..Self::new(StatusCode::UPGRADE_REQUIRED, "upgrade_required", message)
        }
    }

    /// One WebSocket more than may be open: 503.
    pub fn too_many_sockets(limit: u32) -> Self {
        Self {
            advice: Advice::RetryAfter,
            ..Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "overloaded",
                format!("{limit} WebSockets are open (--max-sockets); try again later"),
            )
        }
    }

    /// A body over the limit: 413.
    pub fn body_too_large(limit: usize) -> Self {
        Self {
            advice: Advice::Close,
            ..Self::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "body_too_large",
                format!("a request body has at most {limit} bytes (--max-body)"),
            )
        }
    }

    /// A body that came too slowly: 408.
    pub fn body_too_slow() -> Self {
        Self {
            advice: Advice::Close,
            ..Self::new(
                StatusCode::REQUEST_TIMEOUT,
                "request_timeout",
                "the request body came too slowly",
            )
        }
    }

    /// Whether the connection ends with bytes of the client still on their way.
    pub fn leaves_body_unread(&self) -> bool {
        self.advice == Advice::Close
    }

    /// Writes the answer.
    pub fn into_response(self, details: ErrorDetails) -> Response<Full<Bytes>> {
        let detail = self
            .detail
            .as_deref()
            .filter(|_| details == ErrorDetails::Shown);
        let body = Envelope {
            ok: false,
            error: Described {
                code: self.code,
                message: &self.message,
                detail,
            },
        };
        let json = serde_json::to_vec(&body).expect("strings always serialize");
        let mut response = Response::new(Full::new(Bytes::from(json)));
        *response.status_mut() = self.status;
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let advice = match self.advice {
            Advice::None => None,
            Advice::RetryAfter => Some((RETRY_AFTER, "1")),
            Advice::AllowPost => Some((ALLOW, "POST")),
            Advice::Upgrade => Some((SEC_WEBSOCKET_VERSION, "13")),
            Advice::Close => Some((CONNECTION, "close")),
        };
        if let Some((name, value)) = advice {
            response
                .headers_mut()
                .insert(name, HeaderValue::from_static(value));
        }
        response
    }

    /// What an event's error tells a client, after it was logged.
    ///
    /// The messages of user code and of limits are for clients. Those of the disk and of defects
    /// name files and internals, so they are details.
    pub fn from_event(error: &Error, namespace: &str, object: &str) -> Self {
        let kind = error.kind();
        log(error, namespace, object);
        let (code, status) = code_and_status(kind);
        let full = || {
            Some(error.detail().map_or_else(
                || error.message().to_owned(),
                |detail| format!("{}\n{detail}", error.message()),
            ))
        };
        let (message, detail) = match kind {
            ErrorKind::Storage => (
                "the object's storage failed; Dolmen's log says why".to_owned(),
                full(),
            ),
            ErrorKind::Internal => (
                "Dolmen has a defect here; its log says more".to_owned(),
                full(),
            ),
            _ => (
                error.message().to_owned(),
                error.detail().map(str::to_owned),
            ),
        };
        let advice = match status {
            StatusCode::SERVICE_UNAVAILABLE => Advice::RetryAfter,
            _ => Advice::None,
        };
        Self {
            detail,
            advice,
            ..Self::new(status, code, message)
        }
    }
}

impl Failure {
    /// What the reader of a body that cannot be read to its end is told.
    pub fn into_error(self) -> Error {
        Error::new(ErrorKind::BadRequest, self.message)
    }
}

/// How much of an unknown path an answer repeats.
const SHOWN_PATH_CHARS: usize = 100;

fn log(error: &Error, namespace: &str, object: &str) {
    let detail = error.detail().unwrap_or_default();
    match error.kind() {
        ErrorKind::Storage | ErrorKind::Internal => {
            tracing::error!(namespace, object, "{error} {detail}")
        }
        ErrorKind::Exception | ErrorKind::StartFailed | ErrorKind::Reset | ErrorKind::Timeout => {
            tracing::warn!(namespace, object, "{error} {detail}");
        }
        _ => tracing::debug!(namespace, object, "{error}"),
    }
}

/// The whole answer to a connection beyond the limit, head included.
pub(crate) const TOO_MANY_CONNECTIONS: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
content-type: application/json\r\nretry-after: 1\r\nconnection: close\r\ncontent-length: 84\r\n\r\n\
{\"ok\":false,\"error\":{\"code\":\"overloaded\",\"message\":\"too many connections are open\"}}";

#[derive(Serialize)]
struct Envelope<'a> {
    ok: bool,
    error: Described<'a>,
}

#[derive(Serialize)]
struct Described<'a> {
    code: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_refusal_of_a_connection_states_its_own_length() {
        let text = std::str::from_utf8(TOO_MANY_CONNECTIONS).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(
            head.contains(&format!("content-length: {}", body.len())),
            "{} bytes",
            body.len()
        );
    }
}
