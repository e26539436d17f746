//! `Request` and `Response` objects made of, and taken apart into, what the host has: the native half of
//! the end of `glue/web/fetch.js`.
//!
//! Nothing is checked on the way in, because it comes from an HTTP parser. Bodies that are not here yet
//! travel in chunks and only when they are asked for, so neither side holds more than one of them.

use std::{future::Future, pin::Pin, rc::Rc};

use bytes::Bytes;
use dolmen_runtime::{Operation, SocketEnd};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use rquickjs::{
    Array, Ctx, Exception, Function, Object, Promise, Result, String as JsString, TypedArray,
    Value,
    function::{Constructor, This},
    promise::Promised,
};

use super::{gated, group, names::Group, socket::SocketHandle, state::State};
use crate::{async_context, value_format};

/// The chunks of a body that the host receives while the program reads them.
pub trait PullSource: 'static {
    /// The next chunk, which is not empty, or `None` at the end. Not called again before it has resolved.
    ///
    /// # Errors
    /// What the program's `TypeError` is to say.
    fn pull(
        self: Rc<Self>,
    ) -> Pin<Box<dyn Future<Output = std::result::Result<Option<Bytes>, String>>>>;

    /// The program wants no more.
    fn cancel(&self);
}

/// A body that a program is given.
pub enum NewBody {
    /// No body: `body` is `null`.
    Empty,
    /// All of it.
    Bytes(Bytes),
    /// Chunks, pulled as the program reads.
    Source(Rc<dyn PullSource>),
}

/// A body that was taken out of a program's request or response.
pub enum TakenBody<'js> {
    /// No body.
    Empty,
    /// All of it.
    Bytes(Bytes),
    /// Chunks that the program makes as they are asked for.
    Source(BodyReader<'js>),
}

/// Reads a body that a program makes.
///
/// The program makes it as what has passed it on: in that async context, and only while the critical
/// sections let that in.
#[derive(Clone, Debug)]
pub struct BodyReader<'js> {
    source: Object<'js>,
    context: Value<'js>,
    operation: Rc<Option<Operation>>,
}

impl<'js> BodyReader<'js> {
    fn new(ctx: &Ctx<'js>, source: Object<'js>) -> Result<Self> {
        let host = &State::of(ctx)?.host;
        Ok(Self {
            source,
            context: async_context::capture(ctx),
            operation: Rc::new(super::operation(&**host, crate::module::section(ctx)?)),
        })
    }

    /// The next chunk, which is not empty, or `None` at the end. To be awaited before it is called again.
    ///
    /// # Errors
    /// Whatever the stream fails with, and a `TypeError` if it gives something else than bytes.
    pub async fn next(&self) -> Result<Option<Bytes>> {
        self.admitted().await;
        let chunk = async_context::run_in(self.source.ctx(), self.context.clone(), || {
            let read: Function<'js> = self.source.get("read")?;
            read.call::<_, Promise<'js>>((This(self.source.clone()),))
        });
        let chunk: Option<TypedArray<'js, u8>> = chunk?.into_future().await?;
        Ok(chunk.and_then(|chunk| chunk.as_bytes().map(Bytes::copy_from_slice)))
    }

    /// Tells the stream that the rest is not wanted, for this reason. What it makes of that is ignored.
    pub async fn cancel(&self, reason: &str) {
        self.admitted().await;
        let ctx = self.source.ctx();
        let cancelled = || -> Result<()> {
            let cancel: Function<'js> = self.source.get("cancel")?;
            let reason = Exception::from_message(ctx.clone(), reason)?;
            let result: Value<'js> = cancel.call((This(self.source.clone()), reason))?;
            let Some(promise) = result.as_promise() else {
                return Ok(());
            };
            let ignored = Function::new(ctx.clone(), || {})?;
            promise.catch()?.call((This(promise.clone()), ignored))
        };
        if async_context::run_in(ctx, self.context.clone(), cancelled).is_err() {
            ctx.catch();
        }
    }

    async fn admitted(&self) {
        if let Some(operation) = &*self.operation {
            operation.admitted().await;
        }
    }
}

/// What a program's request asks for.
#[derive(Debug)]
pub struct RequestParts<'js> {
    /// Its method.
    pub method: Method,
    /// Its absolute URL.
    pub url: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// `follow`, `manual` or `error`.
    pub redirect: String,
    /// Its `AbortSignal`, if the program gave one.
    pub signal: Option<Object<'js>>,
}

/// What a program's response says.
#[derive(Debug)]
pub struct ResponseParts {
    /// Its status.
    pub status: StatusCode,
    /// Its reason phrase, often empty.
    pub status_text: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// The socket that the program passed as `webSocket`, which is no longer its own.
    pub web_socket: Option<SocketEnd>,
}

/// A `Request` of what came in with the event whose number is `event`, if its client can go away.
///
/// # Errors
/// When the engine is out of memory.
pub fn new_request<'js>(
    ctx: &Ctx<'js>,
    method: &Method,
    url: &str,
    headers: &HeaderMap,
    body: NewBody,
    event: Option<u64>,
) -> Result<Value<'js>> {
    let make: Function<'js> = internals(ctx)?.get("internalRequest")?;
    let body = body_value(ctx, body)?;
    let headers = header_text(ctx, headers)?;
    #[expect(clippy::cast_precision_loss, reason = "events are fewer than 2^53")]
    let event = event.map(|event| event as f64);
    make.call((method.as_str(), url, headers, body, event))
}

/// What `new Request(input, init)` makes, whatever the program has made of that name.
///
/// # Errors
/// As the constructor.
pub(crate) fn make_request<'js>(
    ctx: &Ctx<'js>,
    input: Value<'js>,
    init: Option<Value<'js>>,
) -> Result<Value<'js>> {
    let constructor: Constructor<'js> = internals(ctx)?.get("Request")?;
    match init {
        Some(init) => constructor.construct((input, init)),
        None => constructor.construct((input,)),
    }
}

/// A `Response` of what came in; its `url` is empty if there is none.
///
/// # Errors
/// When the engine is out of memory.
pub fn new_response<'js>(
    ctx: &Ctx<'js>,
    status: StatusCode,
    headers: &HeaderMap,
    body: NewBody,
    url: &str,
    web_socket: Option<SocketEnd>,
) -> Result<Value<'js>> {
    let make: Function<'js> = internals(ctx)?.get("internalResponse")?;
    let reason = status.canonical_reason().unwrap_or_default();
    let headers = header_text(ctx, headers)?;
    let web_socket = match web_socket {
        Some(end) => {
            let make: Function<'js> =
                group::use_name(ctx.clone(), "socketOfHandle".to_owned())?.get()?;
            make.call::<_, Value<'js>>((SocketHandle::wrap(ctx, end)?,))?
        }
        None => Value::new_null(ctx.clone()),
    };
    make.call((
        status.as_u16(),
        reason,
        headers,
        body_value(ctx, body)?,
        url,
        web_socket,
    ))
}

/// What a `Request` asks for, or `None` if the value is something else.
///
/// # Errors
/// If it holds what HTTP cannot carry.
pub fn request_parts<'js>(
    ctx: &Ctx<'js>,
    request: &Value<'js>,
) -> Result<Option<RequestParts<'js>>> {
    let parts: Function<'js> = internals(ctx)?.get("partsOfRequest")?;
    let parts: Option<Array<'js>> = parts.call((request.clone(),))?;
    let Some(parts) = parts else {
        return Ok(None);
    };
    let method: String = parts.get(0)?;
    Ok(Some(RequestParts {
        method: Method::from_bytes(method.as_bytes())
            .map_err(|error| Exception::throw_type(ctx, &error.to_string()))?,
        url: parts.get(1)?,
        headers: header_map(ctx, &parts.get(2)?)?,
        redirect: parts.get(3)?,
        signal: parts.get(4)?,
    }))
}

/// What a `Response` says, or `None` if the value is something else.
///
/// # Errors
/// If it holds what HTTP cannot carry, as `Response.error()` does.
pub fn response_parts<'js>(ctx: &Ctx<'js>, response: &Value<'js>) -> Result<Option<ResponseParts>> {
    let parts: Function<'js> = internals(ctx)?.get("partsOfResponse")?;
    let parts: Option<Array<'js>> = parts.call((response.clone(),))?;
    let Some(parts) = parts else {
        return Ok(None);
    };
    let status: u16 = parts.get(0)?;
    Ok(Some(ResponseParts {
        status: StatusCode::from_u16(status).map_err(|_| {
            Exception::throw_type(ctx, "a response made by Response.error() cannot be sent")
        })?,
        status_text: parts.get(1)?,
        headers: header_map(ctx, &parts.get(2)?)?,
        web_socket: match parts.get::<Option<Object<'js>>>(3)? {
            None => None,
            Some(socket) => {
                let release: Function<'js> =
                    group::use_name(ctx.clone(), "releaseSocket".to_owned())?.get()?;
                SocketHandle::release(&release.call((socket,))?)?
            }
        },
    }))
}

/// Takes the body out of a `Request` or a `Response`, which has none afterwards.
///
/// # Errors
/// A `TypeError` if the body is used or locked.
pub fn take_body<'js>(ctx: &Ctx<'js>, message: &Value<'js>) -> Result<TakenBody<'js>> {
    let take: Function<'js> = internals(ctx)?.get("takeBody")?;
    taken(ctx, &take.call((message.clone(),))?)
}

fn internals<'js>(ctx: &Ctx<'js>) -> Result<Object<'js>> {
    let state = State::of(ctx)?;
    group::exports(ctx, &state, Group::Fetch)
}

/// What `fetch.js` calls a body.
pub(crate) fn taken<'js>(ctx: &Ctx<'js>, body: &Value<'js>) -> Result<TakenBody<'js>> {
    if let Some(text) = body.as_string() {
        return Ok(TakenBody::Bytes(value_format::utf8(ctx, text)?.into()));
    }
    let Some(object) = body.as_object() else {
        return Ok(TakenBody::Empty);
    };
    Ok(match object.as_typed_array::<u8>() {
        // The engine's bytes may move or go; a copy may be sent by any thread.
        Some(bytes) => TakenBody::Bytes(Bytes::copy_from_slice(bytes.as_bytes().unwrap_or(&[]))),
        None => TakenBody::Source(BodyReader::new(ctx, object.clone())?),
    })
}

fn body_value<'js>(ctx: &Ctx<'js>, body: NewBody) -> Result<Value<'js>> {
    match body {
        NewBody::Empty => Ok(Value::new_null(ctx.clone())),
        NewBody::Bytes(bytes) => {
            TypedArray::<u8>::new_copy(ctx.clone(), bytes).map(TypedArray::into_value)
        }
        NewBody::Source(source) => source_object(ctx, source).map(Object::into_value),
    }
}

/// A pull source as `fetch.js` has it: `{ read, cancel }`.
pub(crate) fn source_object<'js>(
    ctx: &Ctx<'js>,
    source: Rc<dyn PullSource>,
) -> Result<Object<'js>> {
    let object = Object::new(ctx.clone())?;
    let pulled = source.clone();
    let read = move |ctx: Ctx<'js>| {
        let chunk = gated(&ctx, &*State::of(&ctx)?.host, pulled.clone().pull())?;
        Ok::<_, rquickjs::Error>(Promised(async move {
            match chunk.await {
                Ok(Some(chunk)) => TypedArray::<u8>::new_copy(ctx, chunk).map(Some),
                Ok(None) => Ok(None),
                Err(message) => Err(Exception::throw_type(&ctx, &message)),
            }
        }))
    };
    object.set("read", Function::new(ctx.clone(), read)?)?;
    object.set(
        "cancel",
        Function::new(ctx.clone(), move || source.cancel())?,
    )?;
    Ok(object)
}

/// Headers as `headers.js` has them: one text, `"\nname\0value"` for each.
pub(super) fn header_text<'js>(ctx: &Ctx<'js>, headers: &HeaderMap) -> Result<JsString<'js>> {
    let mut text = Vec::with_capacity(headers.len() * 32);
    let mut cookies = headers.get_all(header::COOKIE).iter();
    for (name, value) in headers {
        if name == header::COOKIE {
            continue;
        }
        append(&mut text, name, value.as_bytes());
    }
    // The only list whose items are not separated by commas.
    if let Some(first) = cookies.next() {
        append(&mut text, &header::COOKIE, first.as_bytes());
        for more in cookies {
            text.extend_from_slice(b"; ");
            text.extend_from_slice(more.as_bytes());
        }
    }
    value_format::latin1(ctx, &text)
}

fn append(text: &mut Vec<u8>, name: &HeaderName, value: &[u8]) {
    text.push(b'\n');
    text.extend_from_slice(name.as_str().as_bytes());
    text.push(0);
    text.extend_from_slice(value);
}

/// The headers in a text of `headers.js`.
pub(super) fn header_map<'js>(ctx: &Ctx<'js>, text: &JsString<'js>) -> Result<HeaderMap> {
    let invalid = |what: &dyn std::fmt::Display| {
        Exception::throw_type(ctx, &format!("a header cannot be sent: {what}"))
    };
    let text = value_format::latin1_bytes(ctx, text)?.unwrap_or_default();
    let mut headers = HeaderMap::new();
    for header in text.split(|byte| *byte == b'\n').skip(1) {
        let end = header.iter().position(|byte| *byte == 0).unwrap_or(0);
        let (name, value) = (&header[..end], &header[header.len().min(end + 1)..]);
        let name = HeaderName::from_bytes(name).map_err(|error| invalid(&error))?;
        let value = HeaderValue::from_bytes(value).map_err(|error| invalid(&error))?;
        headers
            .try_append(name, value)
            .map_err(|error| invalid(&error))?;
    }
    Ok(headers)
}
