//! One HTTP exchange: the native half of `glue/web/fetch.js`.
//!
//! `send` starts the request and returns `{ answer, cancel }`; the answer resolves when the headers are
//! there, to `{ status, statusText, headers, read, cancel }`, and `read` gives the body chunk by chunk,
//! so nothing of it is kept outside the engine's memory limit.

use std::cell::{Cell, RefCell};
use std::io::{self, BufRead, Read};
use std::rc::Rc;

use bytes::{Buf, Bytes};
use flate2::bufread::{MultiGzDecoder, ZlibDecoder};
use http::{HeaderName, HeaderValue, Method, Request, Response, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use rquickjs::promise::Promised;
use rquickjs::{
    Ctx, Exception, Function, Object, Result, String as JsString, TypedArray, Value, prelude::Func,
};
use tokio::sync::Notify;

use super::WebHost;
use super::http_client;
use crate::value_format;

/// Most exchanges of one object that are not read to their end.
const MAX_OPEN: usize = 100;

/// Most bytes that `read` gives at a time.
const CHUNK_BYTES: usize = 64 << 10;

/// Headers that the connection decides.
const CONNECTION_HEADERS: [HeaderName; 7] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("keep-alive"),
];

/// Adds `outputGate` and `send` to `native`.
pub(super) fn native<'js>(native: &Object<'js>, host: &Rc<dyn WebHost>) -> Result<()> {
    let host = host.clone();
    native.set(
        "outputGate",
        Func::from(move |ctx: Ctx<'js>| output_gate(ctx, &*host)),
    )?;
    let open = Rc::new(Cell::new(0));
    let send = move |ctx: Ctx<'js>,
                     method: String,
                     url: String,
                     headers: Vec<JsString<'js>>,
                     body: Option<TypedArray<'js, u8>>| {
        send(ctx, &open, method, url, headers, body)
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
struct Exchange {
    url: String,
    cancelled: Cell<bool>,
    cancel: Notify,
    open: Rc<Cell<usize>>,
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.open.set(self.open.get() - 1);
    }
}

impl Exchange {
    fn cancel(&self) {
        self.cancelled.set(true);
        self.cancel.notify_waiters();
    }

    /// `work`, unless the program gives up first.
    async fn run<T>(
        &self,
        work: impl Future<Output = std::result::Result<T, String>>,
    ) -> std::result::Result<T, String> {
        let given_up = self.cancel.notified();
        if self.cancelled.get() {
            return Err("it was cancelled".to_owned());
        }
        tokio::select! {
            result = work => result,
            () = given_up => Err("it was cancelled".to_owned()),
        }
    }

    fn failed(&self, ctx: &Ctx<'_>, what: &str) -> rquickjs::Error {
        Exception::throw_type(ctx, &format!("fetch of {} failed: {what}", self.url))
    }
}

fn send<'js>(
    ctx: Ctx<'js>,
    open: &Rc<Cell<usize>>,
    method: String,
    url: String,
    headers: Vec<JsString<'js>>,
    body: Option<TypedArray<'js, u8>>,
) -> Result<Object<'js>> {
    if open.get() >= MAX_OPEN {
        let message = format!(
            "fetch: more than {MAX_OPEN} responses of this object are not read to their end"
        );
        return Err(Exception::throw_message(&ctx, &message));
    }
    open.set(open.get() + 1);
    let exchange = Rc::new(Exchange {
        url,
        cancelled: Cell::new(false),
        cancel: Notify::new(),
        open: open.clone(),
    });
    let body = body
        .and_then(|body| body.as_bytes().map(Bytes::copy_from_slice))
        .unwrap_or_default();
    let request = build(&ctx, &exchange, &method, &headers, body)?;
    let client = http_client::client().map_err(|error| exchange.failed(&ctx, &error))?;

    let answer = {
        let (ctx, exchange) = (ctx.clone(), exchange.clone());
        async move {
            let sent = async { client.request(request).await.map_err(|error| cause(&error)) };
            match exchange.run(sent).await {
                Ok(response) => receive(&ctx, exchange, response),
                Err(error) => Err(exchange.failed(&ctx, &error)),
            }
        }
    };
    let result = Object::new(ctx.clone())?;
    result.set("answer", Promised(answer))?;
    result.set("cancel", Function::new(ctx, move || exchange.cancel())?)?;
    Ok(result)
}

fn build<'js>(
    ctx: &Ctx<'js>,
    exchange: &Exchange,
    method: &str,
    headers: &[JsString<'js>],
    body: Bytes,
) -> Result<Request<Full<Bytes>>> {
    let invalid = |what: String| exchange.failed(ctx, &what);
    let uri: Uri = exchange
        .url
        .parse()
        .map_err(|error| invalid(format!("{error}")))?;
    let method =
        Method::from_bytes(method.as_bytes()).map_err(|error| invalid(error.to_string()))?;
    // Servers expect a length, even zero, of a request that may have a body.
    let expects_length = matches!(method, Method::POST | Method::PUT | Method::PATCH);
    let length = body.len();
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    let map = request.headers_mut();
    for pair in headers.chunks_exact(2) {
        let name = HeaderName::from_bytes(&value_format::utf8(ctx, &pair[0])?);
        let name = name.map_err(|error| invalid(error.to_string()))?;
        if CONNECTION_HEADERS.contains(&name) {
            continue;
        }
        let value = value_format::latin1_bytes(ctx, &pair[1])?.unwrap_or_default();
        let value = HeaderValue::from_bytes(&value).map_err(|error| invalid(error.to_string()))?;
        map.append(name, value);
    }
    if expects_length && length == 0 {
        map.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    for (name, value) in [
        (header::ACCEPT, "*/*"),
        (header::ACCEPT_ENCODING, "gzip, deflate"),
        (header::USER_AGENT, "Dolmen"),
    ] {
        map.entry(name).or_insert(HeaderValue::from_static(value));
    }
    Ok(request)
}

/// The innermost cause says most: "connection refused", "certificate expired".
fn cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

fn receive<'js>(
    ctx: &Ctx<'js>,
    exchange: Rc<Exchange>,
    response: Response<Incoming>,
) -> Result<Object<'js>> {
    let (head, incoming) = response.into_parts();
    let mut headers = Vec::with_capacity(head.headers.len() * 2);
    for (name, value) in &head.headers {
        headers.push(JsString::from_str(ctx.clone(), name.as_str())?);
        headers.push(value_format::latin1(ctx, value.as_bytes())?);
    }
    let answer = Object::new(ctx.clone())?;
    answer.set("status", head.status.as_u16())?;
    answer.set(
        "statusText",
        head.status.canonical_reason().unwrap_or_default(),
    )?;
    answer.set("headers", headers)?;
    let decoding = head
        .headers
        .get(header::CONTENT_ENCODING)
        .map(HeaderValue::as_bytes);
    let body = Rc::new(RefCell::new(Some(Body::new(incoming, decoding))));
    let slot = body.clone();
    let reader = exchange.clone();
    let read = move |ctx: Ctx<'js>| Promised(read(ctx, reader.clone(), slot.clone()));
    answer.set("read", Function::new(ctx.clone(), read)?)?;
    let cancel = move || {
        exchange.cancel();
        body.borrow_mut().take();
    };
    answer.set("cancel", Function::new(ctx.clone(), cancel)?)?;
    Ok(answer)
}

/// The next chunk, or `None` at the end.
async fn read<'js>(
    ctx: Ctx<'js>,
    exchange: Rc<Exchange>,
    slot: Rc<RefCell<Option<Body>>>,
) -> Result<Option<TypedArray<'js, u8>>> {
    // Out of its place while it is read, so no borrow is held meanwhile.
    let Some(mut body) = slot.borrow_mut().take() else {
        return Ok(None);
    };
    match exchange.run(body.next()).await {
        Ok(None) => Ok(None),
        Ok(Some(chunk)) => {
            *slot.borrow_mut() = Some(body);
            TypedArray::new_copy(ctx, chunk).map(Some)
        }
        Err(error) => Err(exchange.failed(&ctx, &error)),
    }
}

/// The body of a response, decoded.
struct Body {
    incoming: Incoming,
    decoder: Decoder,
}

enum Decoder {
    Identity(Feed),
    Gzip(MultiGzDecoder<Feed>),
    Deflate(ZlibDecoder<Feed>),
}

impl Body {
    fn new(incoming: Incoming, encoding: Option<&[u8]>) -> Body {
        let decoder = match encoding {
            Some(b"gzip" | b"x-gzip") => Decoder::Gzip(MultiGzDecoder::new(Feed::default())),
            Some(b"deflate") => Decoder::Deflate(ZlibDecoder::new(Feed::default())),
            _ => Decoder::Identity(Feed::default()),
        };
        Body { incoming, decoder }
    }

    /// The next bytes, at most `CHUNK_BYTES`, so that a small compressed body cannot become a huge one
    /// before the engine has counted it.
    async fn next(&mut self) -> std::result::Result<Option<Bytes>, String> {
        loop {
            if let Some(decoded) = self.decoder.next()? {
                return Ok((!decoded.is_empty()).then_some(decoded));
            }
            match self.incoming.frame().await {
                None => self.decoder.feed().ended = true,
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.decoder.feed().bytes = data;
                    }
                }
                Some(Err(error)) => return Err(cause(&error)),
            }
        }
    }
}

impl Decoder {
    /// Decoded bytes, none at the end, or `None` if it takes more input.
    fn next(&mut self) -> std::result::Result<Option<Bytes>, String> {
        let read = |source: &mut dyn Read| {
            let mut chunk = vec![0; CHUNK_BYTES];
            match source.read(&mut chunk) {
                Ok(length) => {
                    chunk.truncate(length);
                    Ok(Some(Bytes::from(chunk)))
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
                Err(error) => Err(format!("its body cannot be decoded: {error}")),
            }
        };
        match self {
            Decoder::Identity(feed) if feed.bytes.is_empty() && !feed.ended => Ok(None),
            Decoder::Identity(feed) => {
                Ok(Some(feed.bytes.split_to(feed.bytes.len().min(CHUNK_BYTES))))
            }
            Decoder::Gzip(decoder) => read(decoder),
            Decoder::Deflate(decoder) => read(decoder),
        }
    }

    fn feed(&mut self) -> &mut Feed {
        match self {
            Decoder::Identity(feed) => feed,
            Decoder::Gzip(decoder) => decoder.get_mut(),
            Decoder::Deflate(decoder) => decoder.get_mut(),
        }
    }
}

/// Input of a decoder: blocks when it has none, until the end is known.
#[derive(Default)]
struct Feed {
    bytes: Bytes,
    ended: bool,
}

impl BufRead for Feed {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.bytes.is_empty() && !self.ended {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(&self.bytes)
    }

    fn consume(&mut self, count: usize) {
        self.bytes.advance(count);
    }
}

impl Read for Feed {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let length = available.len().min(out.len());
        out[..length].copy_from_slice(&available[..length]);
        self.consume(length);
        Ok(length)
    }
}
