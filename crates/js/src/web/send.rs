//! One HTTP exchange: the native half of `glue/web/fetch.js`.
//!
//! `send` starts the request and returns `{ answer, cancel }`; the answer resolves when the headers are
//! there, to `{ status, statusText, headers, body }`, and the pull source `body` gives the body chunk by
//! chunk, so nothing of it is kept outside the engine's memory limit. A body that nobody can read any more
//! ends its connection.

use std::{
    cell::{Cell, RefCell},
    future::Future,
    pin::Pin,
    rc::Rc,
    time::Duration,
};

use bytes::Bytes;
use dolmen_http_client::{CONNECTION_HEADERS, Download, Upload, cause, client, idle};
use dolmen_runtime::{
    SocketEnd, WireOptions, carry, socket_pair,
    websocket::{self, Role},
};
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri, header};
use hyper::body::Incoming;
use hyper::ext::ReasonPhrase;
use hyper_util::{client::legacy::ResponseFuture, rt::TokioIo};
use rquickjs::promise::Promised;
use rquickjs::{
    Ctx, Exception, Function, Object, Result, String as JsString, Value, prelude::Func,
};
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

use super::message::{self, PullSource, TakenBody};
use super::socket::SocketHandle;
use super::upload;
use super::{WebHost, gated};

/// Most exchanges of one object that are not read to their end.
const MAX_OPEN: usize = 100;

/// Adds `outputGate`, `clientGone` and `send` to `native`.
pub(super) fn native<'js>(native: &Object<'js>, host: &Rc<dyn WebHost>) -> Result<()> {
    let gate_host = host.clone();
    native.set(
        "outputGate",
        Func::from(move |ctx: Ctx<'js>| output_gate(ctx, &*gate_host)),
    )?;
    let client_host = host.clone();
    native.set(
        "clientGone",
        Func::from(move |event: f64| {
            // Events are numbered by us, below 2^53.
            let gone = client_host.client_gone(event as u64);
            Promised(async move { Ok::<_, rquickjs::Error>(gone.await) })
        }),
    )?;
    let open = Rc::new(Cell::new(0));
    let host = host.clone();
    let send = move |ctx: Ctx<'js>,
                     method: String,
                     url: String,
                     headers: JsString<'js>,
                     body: Value<'js>| {
        let exchange = Exchange::open(&ctx, &open, url)?;
        send(ctx, &*host, exchange, &method, &headers, &body)
    };
    native.set("send", Func::from(send))
}

/// A promise that resolves when the output gate opens.
fn output_gate<'js>(ctx: Ctx<'js>, host: &dyn WebHost) -> Result<Value<'js>> {
    let gate = host.output_gate();
    let opened = {
        let ctx = ctx.clone();
        async move {
            gate.await
                .map_err(|error| Exception::throw_message(&ctx, &error))
        }
    };
    rquickjs::IntoJs::into_js(Promised(opened), &ctx)
}

/// An exchange that the program may give up at any time.
pub(super) struct Exchange {
    url: String,
    cancelled: Cell<bool>,
    cancel: Notify,
    /// When a chunk of the request's body was last made.
    active: Cell<Instant>,
    open: Rc<Cell<usize>>,
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.open.set(self.open.get() - 1);
    }
}

impl Exchange {
    fn open(ctx: &Ctx<'_>, open: &Rc<Cell<usize>>, url: String) -> Result<Rc<Self>> {
        if open.get() >= MAX_OPEN {
            let message = format!(
                "fetch: more than {MAX_OPEN} responses of this object are not read to their end"
            );
            return Err(Exception::throw_message(ctx, &message));
        }
        open.set(open.get() + 1);
        Ok(Rc::new(Exchange {
            url,
            cancelled: Cell::new(false),
            cancel: Notify::new(),
            active: Cell::new(Instant::now()),
            open: open.clone(),
        }))
    }

    fn cancel(&self) {
        self.cancelled.set(true);
        self.cancel.notify_waiters();
    }

    /// Resolves when the program gives up.
    pub(super) async fn cancelled(&self) {
        let given_up = self.cancel.notified();
        if !self.cancelled.get() {
            given_up.await;
        }
    }

    /// A chunk of the request's body was made.
    pub(super) fn touch(&self) {
        self.active.set(Instant::now());
    }

    /// `work`, unless the program gives up first.
    async fn run<T>(
        &self,
        work: impl Future<Output = std::result::Result<T, String>>,
    ) -> std::result::Result<T, String> {
        let result = tokio::select! {
            biased;
            () = self.cancelled() => Err("it was cancelled".to_owned()),
            result = work => result,
        };
        result.map_err(|error| self.failed(&error))
    }

    /// What a server answers, unless it does not, while nothing is sent to it either.
    async fn answered(
        &self,
        answer: ResponseFuture,
        idle_timeout: Duration,
    ) -> std::result::Result<Response<Incoming>, String> {
        let mut answer = std::pin::pin!(answer);
        self.touch();
        loop {
            let deadline = self.active.get() + idle_timeout;
            tokio::select! {
                answered = &mut answer => return answered.map_err(|error| cause(&error)),
                () = sleep_until(deadline) => {}
            }
            if self.active.get() + idle_timeout <= Instant::now() {
                return Err(idle(idle_timeout));
            }
        }
    }

    fn failed(&self, what: &str) -> String {
        format!("fetch of {} failed: {what}", self.url)
    }
}

fn send<'js>(
    ctx: Ctx<'js>,
    host: &dyn WebHost,
    exchange: Rc<Exchange>,
    method: &str,
    headers: &JsString<'js>,
    body: &Value<'js>,
) -> Result<Object<'js>> {
    let idle_timeout = host.fetch_idle_timeout();
    let failed = |error: &dyn std::fmt::Display| {
        Exception::throw_type(&ctx, &exchange.failed(&error.to_string()))
    };
    let mut request = build(&ctx, &exchange, method, headers, body)?;
    let handshake = Handshake::begin(&mut request).map_err(|error| failed(&error))?;
    let limits = host.object().map(|object| {
        let options = object.options();
        (options.socket_buffer, options.max_socket_message)
    });
    let client = client(host.egress()).map_err(|error| failed(&error))?;
    let answer = {
        let (ctx, exchange) = (ctx.clone(), exchange.clone());
        async move {
            let sent = exchange.answered(client.request(request), idle_timeout);
            match exchange.run(sent).await {
                Ok(response) => match (handshake, limits) {
                    (Some(handshake), Some(limits)) if response.status() == 101 => {
                        let url = exchange.url.clone();
                        match exchange.run(handshake.finish(response, limits)).await {
                            Ok((head, end)) => switched(&ctx, head, end),
                            Err(error) => Err(Exception::throw_type(&ctx, &error)),
                        }
                        .inspect(|_| tracing::debug!(url, "a WebSocket is open"))
                    }
                    _ => receive(&ctx, exchange, response, idle_timeout),
                },
                Err(error) => {
                    // The program need not make more of a body that nobody takes.
                    exchange.cancel();
                    Err(Exception::throw_type(&ctx, &error))
                }
            }
        }
    };
    let result = Object::new(ctx.clone())?;
    result.set("answer", Promised(gated(&ctx, host, answer)?))?;
    result.set("cancel", Function::new(ctx, move || exchange.cancel())?)?;
    Ok(result)
}

fn build<'js>(
    ctx: &Ctx<'js>,
    exchange: &Rc<Exchange>,
    method: &str,
    headers: &JsString<'js>,
    body: &Value<'js>,
) -> Result<Request<Upload>> {
    let failed = |error: &dyn std::fmt::Display| {
        Exception::throw_type(ctx, &exchange.failed(&error.to_string()))
    };
    let uri: Uri = exchange.url.parse().map_err(|error| failed(&error))?;
    let method = Method::from_bytes(method.as_bytes()).map_err(|error| failed(&error))?;
    let mut headers = message::header_map(ctx, headers)?;
    let upgrade = websocket::is_upgrade(&headers);
    for name in CONNECTION_HEADERS {
        headers.remove(name);
    }
    if upgrade {
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    }
    let body = match message::taken(ctx, body)? {
        TakenBody::Empty => Upload::Whole(Bytes::new()),
        TakenBody::Bytes(bytes) => Upload::Whole(bytes),
        TakenBody::Source(reader) => upload::of_reader(ctx, reader, exchange.clone()),
    };
    // Servers expect a length, even zero, of a request that may have a body.
    let expects_length = matches!(method, Method::POST | Method::PUT | Method::PATCH);
    if expects_length && matches!(&body, Upload::Whole(bytes) if bytes.is_empty()) {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    for (name, value) in [
        (header::ACCEPT, "*/*"),
        (header::ACCEPT_ENCODING, "gzip, deflate, br"),
        (header::USER_AGENT, "Dolmen"),
    ] {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    Ok(request)
}

/// A request for a WebSocket that is under way.
struct Handshake {
    key: String,
    asked: HeaderMap,
}

impl Handshake {
    /// Completes a request that says `Upgrade: websocket`; others stay as they are.
    fn begin(request: &mut Request<Upload>) -> std::result::Result<Option<Self>, getrandom::Error> {
        if !websocket::is_upgrade(request.headers()) {
            return Ok(None);
        }
        let (headers, key) = websocket::client_headers(true)?;
        // What the program says of the handshake is replaced, its protocols excepted.
        for (name, value) in headers {
            if let Some(name) = name {
                request.headers_mut().insert(name, value);
            }
        }
        request.headers_mut().remove(header::ACCEPT_ENCODING);
        let asked = request.headers().clone();
        Ok(Some(Self { key, asked }))
    }

    /// Checks the server's answer; the connection then goes on as a task of its own.
    async fn finish(
        self,
        mut response: Response<Incoming>,
        (buffer, max_message): (usize, usize),
    ) -> std::result::Result<(Response<()>, SocketEnd), String> {
        let agreed = websocket::verify_accepted(response.headers(), &self.key, &self.asked, true)
            .map_err(|error| error.to_string())?;
        let upgraded = hyper::upgrade::on(&mut response)
            .await
            .map_err(|error| cause(&error))?;
        let (ours, theirs) = socket_pair(buffer);
        let options = WireOptions {
            role: Role::Client,
            deflate: agreed.deflate,
            max_message,
        };
        let stream = TokioIo::new(upgraded);
        let carried = carry(
            stream,
            Bytes::new(),
            theirs,
            options,
            std::future::pending(),
        );
        tokio::task::spawn_local(carried);
        Ok((response.map(drop), ours))
    }
}

/// The answer of a connection that is a WebSocket now.
fn switched<'js>(ctx: &Ctx<'js>, head: Response<()>, end: SocketEnd) -> Result<Object<'js>> {
    let answer = Object::new(ctx.clone())?;
    answer.set("status", head.status().as_u16())?;
    answer.set("statusText", "Switching Protocols")?;
    answer.set("headers", message::header_text(ctx, head.headers())?)?;
    answer.set("body", message::source_object(ctx, Rc::new(NoBody))?)?;
    answer.set("socket", SocketHandle::wrap(ctx, end)?)?;
    Ok(answer)
}

/// The body of an answer that has none.
struct NoBody;

impl PullSource for NoBody {
    fn pull(
        self: Rc<Self>,
    ) -> Pin<Box<dyn Future<Output = std::result::Result<Option<Bytes>, String>>>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    fn cancel(&self) {}
}

fn receive<'js>(
    ctx: &Ctx<'js>,
    exchange: Rc<Exchange>,
    response: Response<Incoming>,
    idle_timeout: Duration,
) -> Result<Object<'js>> {
    let (mut head, incoming) = response.into_parts();
    let reason = match head.extensions.get::<ReasonPhrase>() {
        Some(reason) => String::from_utf8_lossy(reason.as_bytes()).into_owned(),
        None => head
            .status
            .canonical_reason()
            .unwrap_or_default()
            .to_owned(),
    };
    let download = Download::new(incoming, &mut head.headers, idle_timeout);
    let body = Rc::new(Received {
        download: RefCell::new(Some(download)),
        exchange,
    });
    let answer = Object::new(ctx.clone())?;
    answer.set("status", head.status.as_u16())?;
    answer.set("statusText", reason)?;
    answer.set("headers", message::header_text(ctx, &head.headers)?)?;
    answer.set("body", message::source_object(ctx, body)?)?;
    Ok(answer)
}

/// The body of an answer.
struct Received {
    /// Out of its place while it is read; gone at the end.
    download: RefCell<Option<Download>>,
    exchange: Rc<Exchange>,
}

impl PullSource for Received {
    fn pull(
        self: Rc<Self>,
    ) -> Pin<Box<dyn Future<Output = std::result::Result<Option<Bytes>, String>>>> {
        Box::pin(async move {
            let Some(mut download) = self.download.borrow_mut().take() else {
                return Ok(None);
            };
            let chunk = self.exchange.run(download.next()).await?;
            if chunk.is_some() {
                *self.download.borrow_mut() = Some(download);
            }
            Ok(chunk)
        })
    }

    fn cancel(&self) {
        self.exchange.cancel();
        self.download.borrow_mut().take();
    }
}
