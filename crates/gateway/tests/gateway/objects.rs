//! Objects without a language: an engine that echoes, fails as asked, or waits to be released.

use std::{
    rc::Rc,
    sync::{Arc, Mutex, mpsc},
    task::{Context, Waker},
};

use bytes::Bytes;
use dolmen_runtime::{
    Body, Engine, Error, ErrorKind, Event, EventId, FetchRequest, FetchResponse, Host, Instance,
    Payload, Received, Reply, Result, RpcCall, SocketEvent, SocketMessage, Work, socket_pair,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

/// Holds events back until the test lets them go.
#[derive(Default)]
pub struct Latch(Mutex<(bool, Vec<Waker>)>);

impl Latch {
    pub fn release(&self) {
        let mut state = self.0.lock().unwrap();
        state.0 = true;
        state.1.drain(..).for_each(Waker::wake);
    }

    fn is_released(&self, cx: &Context<'_>) -> bool {
        let mut state = self.0.lock().unwrap();
        if !state.0 {
            state.1.push(cx.waker().clone());
        }
        state.0
    }
}

pub struct Echo {
    pub latch: Arc<Latch>,
    /// Hears of every event that waits for the latch.
    pub held: mpsc::Sender<()>,
}

impl Engine for Echo {
    fn instantiate(&self, _class: &str, host: Rc<Host>) -> Result<Box<dyn Instance>> {
        Ok(Box::new(EchoInstance {
            host,
            latch: self.latch.clone(),
            held: self.held.clone(),
            waiting: None,
        }))
    }
}

struct EchoInstance {
    host: Rc<Host>,
    latch: Arc<Latch>,
    held: mpsc::Sender<()>,
    waiting: Option<EventId>,
}

impl Instance for EchoInstance {
    fn turn(&mut self, work: Work, cx: &mut Context<'_>) {
        if let Work::Begin(id, event) = work {
            match event {
                Event::Fetch(request) if request.path == "/held" => {
                    self.waiting = Some(id);
                    self.held.send(()).unwrap();
                }
                Event::Fetch(request) if request.path == "/socket" => {
                    let response = open_socket(&self.host);
                    self.host.settle(id, Ok(Reply::Fetch(response)));
                }
                Event::Fetch(request) => self.host.settle(id, Ok(Reply::Fetch(fetch(&request)))),
                Event::Rpc(call) => self.host.settle(id, rpc(&self.host, &call)),
                Event::Alarm(_) => self.host.settle(id, Ok(Reply::Alarm)),
                Event::Socket(event) => {
                    socket(&self.host, event);
                    self.host.settle(id, Ok(Reply::Socket));
                }
                Event::Call(_) | Event::SocketReady(_) => unreachable!("no module worker"),
            }
        }
        if let Some(id) = self.waiting.filter(|_| self.latch.is_released(cx)) {
            self.waiting = None;
            self.host
                .settle(id, Ok(Reply::Fetch(text(StatusCode::OK, "released"))));
        }
    }

    fn has_operations(&self) -> bool {
        self.waiting.is_some()
    }
}

/// Accepts a WebSocket.
fn open_socket(host: &Host) -> FetchResponse {
    let (ours, theirs) = socket_pair(host.options().socket_buffer);
    host.accept_socket(ours, &[]).unwrap();
    FetchResponse {
        web_socket: Some(theirs),
        ..text(StatusCode::SWITCHING_PROTOCOLS, "")
    }
}

/// Sends messages back. The text `flood:N` gets N messages of a MiB, `close` a close; how a socket
/// ended is written to the others.
fn socket(host: &Host, event: SocketEvent) {
    let Some(own) = host.socket(event.socket) else {
        return;
    };
    match event.received {
        Received::Message(SocketMessage::Text(text)) if text.starts_with(b"flood:") => {
            let count = std::str::from_utf8(&text[6..]).unwrap().parse().unwrap();
            for _ in 0..count {
                let mebibyte = SocketMessage::Binary(vec![0; 1 << 20].into());
                host.send_on_socket(own.end(), mebibyte);
            }
        }
        Received::Message(SocketMessage::Text(text)) if text == "close" => {
            own.close_here();
            let close = SocketMessage::Close {
                code: 4001,
                reason: "asked to".into(),
            };
            host.send_on_socket(own.end(), close);
        }
        Received::Message(message @ (SocketMessage::Text(_) | SocketMessage::Binary(_))) => {
            host.send_on_socket(own.end(), message);
        }
        ended => {
            let told = SocketMessage::Text(format!("{ended:?}").into());
            for other in host.sockets(None) {
                if other.id() != own.id() {
                    host.send_on_socket(other.end(), told.clone());
                }
            }
        }
    }
}

/// Every kind of error, by the name under which `fail:KIND` raises it.
pub const KINDS: [(&str, ErrorKind); 13] = [
    ("BadRequest", ErrorKind::BadRequest),
    ("UnknownNamespace", ErrorKind::UnknownNamespace),
    ("MethodNotFound", ErrorKind::MethodNotFound),
    ("TooLarge", ErrorKind::TooLarge),
    ("Timeout", ErrorKind::Timeout),
    ("Overloaded", ErrorKind::Overloaded),
    ("Exception", ErrorKind::Exception),
    ("StartFailed", ErrorKind::StartFailed),
    ("Storage", ErrorKind::Storage),
    ("Reset", ErrorKind::Reset),
    ("Interrupted", ErrorKind::Interrupted),
    ("Unavailable", ErrorKind::Unavailable),
    ("Internal", ErrorKind::Internal),
];

/// `echo` gives its arguments back, `name` the object's name; `fail:KIND` fails.
fn rpc(host: &Host, call: &RpcCall) -> Result<Reply> {
    if let Some(wanted) = call.method.strip_prefix("fail:") {
        let (_, kind) = KINDS.iter().find(|(name, _)| *name == wanted).unwrap();
        return Err(
            Error::new(*kind, format!("{wanted} in /secret/path.sqlite"))
                .with_detail("at Echo (echo.js:1:2)"),
        );
    }
    let json = match call.method.as_str() {
        "echo" if call.args.bytes().is_empty() => Bytes::from_static(b"\"no arguments\""),
        "echo" => call.args.bytes().clone(),
        "name" => serde_json::to_vec(&*host.name().unwrap()).unwrap().into(),
        other => {
            return Err(Error::new(
                ErrorKind::MethodNotFound,
                format!("no method {other:?}"),
            ));
        }
    };
    Ok(Reply::Rpc(Payload::Json(json)))
}

/// `/status/NNN` answers with that status and a body, `/length/TEXT` with that length and none, `/hop` with headers that are not an
/// object's to set, anything else with the request as JSON.
fn fetch(request: &FetchRequest) -> FetchResponse {
    if let Some(status) = request.path.strip_prefix("/status/") {
        return text(status.parse().unwrap(), "a body");
    }
    if let Some(length) = request.path.strip_prefix("/length/") {
        let mut response = text(StatusCode::OK, "");
        let length = HeaderValue::from_str(length).unwrap();
        response.headers.insert("content-length", length);
        return response;
    }
    if request.path == "/hop" {
        let mut response = text(StatusCode::OK, "hop");
        for name in [
            "connection",
            "content-length",
            "transfer-encoding",
            "keep-alive",
            "upgrade",
            "te",
            "trailer",
        ] {
            response
                .headers
                .append(HeaderName::from_static(name), HeaderValue::from_static("7"));
        }
        response
            .headers
            .append("set-cookie", HeaderValue::from_static("a=1"));
        response
            .headers
            .append("set-cookie", HeaderValue::from_static("b=2"));
        return response;
    }
    let headers: Vec<_> = request
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes())))
        .collect();
    let seen = serde_json::json!({
        "method": request.method.as_str(),
        "url": request.url,
        "path": request.path,
        "query": request.query,
        "headers": headers,
        "bytes": request.body.bytes().unwrap().len(),
        "body": String::from_utf8_lossy(request.body.bytes().unwrap()),
    });
    let mut response = text(StatusCode::OK, &seen.to_string());
    response
        .headers
        .insert("content-type", HeaderValue::from_static("application/json"));
    response
}

fn text(status: StatusCode, body: &str) -> FetchResponse {
    FetchResponse {
        status,
        headers: HeaderMap::new(),
        body: Body::Full(Bytes::copy_from_slice(body.as_bytes())),
        web_socket: None,
    }
}
