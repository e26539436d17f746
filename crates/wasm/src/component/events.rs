//! What is asked of a component beside HTTP: its alarm, and its WebSockets.

use bytes::Bytes;
use dolmen_runtime::{
    AlarmInfo, Body, Error, ErrorKind, FetchRequest, FetchResponse, HibernatingSocket, Host,
    Received, Reply, SocketEvent, SocketMessage, socket_pair,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};

use self::bindings::exports::dolmen::object::events::{Message, Refusal, Request};
use super::{
    arriving::{header_list, path_with_query},
    fault::Fault,
    guest::Guest,
    sockets::{Headers, Note},
};
use crate::response;

/// Bindings of `dolmen:object/events`, made from `wit/`.
pub(crate) mod bindings {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "dolmen:object/with-events",
        imports: { default: async | trappable },
        exports: { default: async },
        with: { "dolmen:object/sockets": crate::component::bindings::dolmen::object::sockets },
    });
}

/// The code of a close because of a failure: <https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1>.
const INTERNAL_ERROR: u16 = 1011;

/// The error of an event that the component has no function for.
pub(crate) fn missing(kind: ErrorKind, what: &str) -> Error {
    let message =
        format!("the component does not export `dolmen:object/events@0.1.0`, so it has no {what}");
    Error::new(kind, message)
}

/// Runs the alarm. What it failed with is the inner error.
///
/// # Errors
/// What the guest did wrong.
pub(crate) async fn alarm(
    guest: &mut Guest,
    info: AlarmInfo,
) -> Result<Result<Reply, Error>, Fault> {
    let ran = guest.event(async |events, store| {
        let events = events.dolmen_object_events();
        events.call_alarm(store, info.retry_count).await
    });
    Ok(match ran.await? {
        None => Err(missing(ErrorKind::MethodNotFound, "alarm")),
        Some(Ok(())) => Ok(Reply::Alarm),
        Some(Err(message)) => Err(Error::new(ErrorKind::Exception, message)),
    })
}

/// Asks whether a client gets a WebSocket.
///
/// # Errors
/// What the guest did wrong; the socket is gone then.
pub(crate) async fn open(
    guest: &mut Guest,
    host: &Host,
    request: FetchRequest,
) -> Result<Result<FetchResponse, Error>, Fault> {
    let (ours, theirs) = socket_pair(host.options().socket_buffer);
    let socket = match host.accept_socket(ours, &[]) {
        Ok(socket) => socket,
        Err(error) => return Ok(Err(error)),
    };
    let url = request
        .url
        .parse()
        .unwrap_or_else(|_| Uri::from_static("/"));
    let note = Note {
        path: path_with_query(&request, &url),
        headers: header_list(&request.headers),
        ..Note::default()
    };
    note.keep(&socket);
    let request = self::request(note);
    let asked = guest.event(async |events, store| {
        let events = events.dolmen_object_events();
        events
            .call_websocket_open(store, socket.id(), &request)
            .await
    });
    let answer = match asked.await {
        Ok(Some(Ok(headers))) => convert(headers).map(|headers| {
            Ok(FetchResponse {
                status: StatusCode::SWITCHING_PROTOCOLS,
                headers,
                body: Body::None,
                web_socket: Some(theirs),
            })
        }),
        Ok(Some(Err(refusal))) => {
            refuse(&socket);
            refused(refusal).map(Ok)
        }
        Ok(None) => {
            refuse(&socket);
            Ok(Err(missing(ErrorKind::BadRequest, "WebSockets")))
        }
        Err(fault) => Err(fault),
    };
    answer.inspect_err(|_| refuse(&socket))
}

/// Takes a socket from the guest. It stays in the object's table until the loss of its other end arrives.
fn refuse(socket: &HibernatingSocket) {
    socket.close_here();
    let note = Note::of(socket).unwrap_or_default();
    let note = Note {
        is_refused: true,
        ..note
    };
    note.keep(socket);
}

/// Runs the handler of a message or of the end of a socket.
///
/// # Errors
/// What the guest did wrong.
pub(crate) async fn socket(
    guest: &mut Guest,
    host: &Host,
    event: &SocketEvent,
) -> Result<Result<Reply, Error>, Fault> {
    let Some(note) = host
        .socket(event.socket)
        .and_then(|socket| Note::of(&socket))
    else {
        return Ok(Ok(Reply::Socket));
    };
    if note.is_refused {
        return Ok(Ok(Reply::Socket));
    }
    let (id, request) = (event.socket, request(note));
    let ran = guest.event(async |events, store| {
        let events = events.dolmen_object_events();
        let (code, reason, is_clean) = match &event.received {
            Received::Message(SocketMessage::Text(text)) => {
                let text = Message::Text(String::from_utf8_lossy(text).into_owned());
                return events
                    .call_websocket_message(store, id, &request, &text)
                    .await;
            }
            Received::Message(SocketMessage::Binary(bytes)) => {
                let bytes = Message::Binary(bytes.to_vec());
                return events
                    .call_websocket_message(store, id, &request, &bytes)
                    .await;
            }
            Received::Message(SocketMessage::Close { code, reason }) => (*code, reason, true),
            Received::Lost(loss) => (loss.code, &loss.reason, false),
        };
        events
            .call_websocket_close(store, id, &request, code, reason, is_clean)
            .await
    });
    Ok(match ran.await? {
        Some(()) => Ok(Reply::Socket),
        None => Err(missing(ErrorKind::BadRequest, "WebSockets")),
    })
}

/// Tells a client that the handler of its message has failed, and closes its socket.
pub(crate) fn tell(host: &Host, event: &SocketEvent, message: &str) {
    let Some(socket) = host.socket(event.socket) else {
        return;
    };
    if socket.is_closed_here() || socket.is_closed_there() {
        return;
    }
    socket.close_here();
    let text = Bytes::from(format!("error: {message}"));
    host.send_on_socket(socket.end(), SocketMessage::Text(text));
    let close = SocketMessage::Close {
        code: INTERNAL_ERROR,
        reason: "handler panic".into(),
    };
    host.send_on_socket(socket.end(), close);
}

fn request(note: Note) -> Request {
    Request {
        path: note.path,
        headers: note.headers,
    }
}

/// The answer of a guest that does not want a socket.
fn refused(refusal: Refusal) -> Result<FetchResponse, Fault> {
    let status = StatusCode::from_u16(refusal.status)
        .ok()
        .filter(|status| (200..=599).contains(&status.as_u16()));
    let status = status.ok_or_else(|| {
        Fault::Panic(format!(
            "the handler answered with the status {}",
            refusal.status
        ))
    })?;
    Ok(FetchResponse {
        status,
        headers: convert(refusal.headers)?,
        body: Body::Full(Bytes::from(refusal.body)),
        web_socket: None,
    })
}

fn convert(headers: Headers) -> Result<HeaderMap, Fault> {
    let mut converted = HeaderMap::new();
    for (name, value) in headers {
        let bad = |what: &str| Fault::Panic(format!("{name:?} {what}"));
        let value = HeaderValue::from_bytes(&value)
            .map_err(|_| bad("is a header with a value that cannot be sent"))?;
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| bad("is not the name of a header"))?;
        converted.append(name, value);
    }
    Ok(converted)
}

/// The answer to a request for a WebSocket whose handler panicked.
pub(crate) fn panicked(message: &str) -> Reply {
    Reply::Fetch(response::panic(message))
}
