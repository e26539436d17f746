//! Requests, responses and streams: into an instance, out of it, and inside messages.

use std::{cell::RefCell, future::Future, pin::Pin, rc::Rc};

use bytes::Bytes;
use dolmen_runtime::{
    Body, BodyReader, BodyWriter, Cap, Error, ErrorKind, Event, EventId, FetchRequest,
    FetchResponse, Host, Reply, body_stream,
};
use rquickjs::{
    Array, Class, Ctx, Exception, Function, Object, TypedArray, Value, function::Opt,
    promise::Promised,
};

use super::{
    native::{self, function},
    remote::RemoteHandle,
};
use crate::{
    js_class::js_class,
    web::message::{self, NewBody, PullSource, TakenBody},
};

/// A body that arrives while a program reads it.
struct Arriving(tokio::sync::Mutex<Option<BodyReader>>);

impl PullSource for Arriving {
    fn pull(self: Rc<Self>) -> Pin<Box<dyn Future<Output = Result<Option<Bytes>, String>>>> {
        Box::pin(async move {
            let mut reader = self.0.lock().await;
            match &mut *reader {
                None => Ok(None),
                Some(reader) => match reader.next().await {
                    None => Ok(None),
                    Some(Ok(bytes)) => Ok(Some(bytes)),
                    Some(Err(error)) => Err(error.message().to_owned()),
                },
            }
        })
    }

    fn cancel(&self) {
        // While a pull waits, dropping its future is what ends it.
        if let Ok(mut reader) = self.0.try_lock() {
            reader.take();
        }
    }
}

fn new_body(body: Body) -> NewBody {
    match body {
        Body::None => NewBody::Empty,
        Body::Full(bytes) => NewBody::Bytes(bytes),
        Body::Stream(reader) => NewBody::Source(arriving(reader)),
    }
}

fn arriving(reader: BodyReader) -> Rc<dyn PullSource> {
    Rc::new(Arriving(tokio::sync::Mutex::new(Some(reader))))
}

/// The `Request` of what came in with the event `id`.
pub(super) fn request<'js>(
    ctx: &Ctx<'js>,
    id: EventId,
    request: FetchRequest,
) -> rquickjs::Result<Value<'js>> {
    let FetchRequest {
        method,
        url,
        headers,
        body,
        ..
    } = request;
    message::new_request(ctx, &method, &url, &headers, new_body(body), Some(id))
}

/// What a handler's `Response` says; its body goes on as the program makes it.
pub(super) fn response<'js>(
    ctx: &Ctx<'js>,
    host: &Rc<Host>,
    value: Value<'js>,
) -> rquickjs::Result<FetchResponse> {
    let Some(parts) = message::response_parts(ctx, &value)? else {
        return Err(Exception::throw_type(
            ctx,
            "Incorrect type for Promise: the Promise did not resolve to 'Response'.",
        ));
    };
    let length = parts
        .headers
        .get(http::header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse().ok());
    let body = message::take_body(ctx, &value)?;
    Ok(FetchResponse {
        status: parts.status,
        headers: parts.headers,
        body: leaving(ctx, host, body, length)?,
        web_socket: parts.web_socket,
    })
}

/// A body on its way out; a stream is passed on piece by piece, each behind the output gate.
fn leaving<'js>(
    ctx: &Ctx<'js>,
    host: &Rc<Host>,
    body: TakenBody<'js>,
    length: Option<u64>,
) -> rquickjs::Result<Body> {
    Ok(match body {
        TakenBody::Empty => Body::None,
        TakenBody::Bytes(bytes) => Body::Full(bytes),
        TakenBody::Source(source) => {
            let (writer, reader) = body_stream(length);
            let ended = native::hold_for_stream(ctx)?;
            let pumped = pump(ctx.clone(), host.clone(), source, writer);
            ctx.spawn(async move {
                pumped.await;
                // It throws nothing, unless the instance is being stopped.
                let _ = ended.map(|ended| ended.call::<_, ()>(()));
            });
            Body::Stream(reader)
        }
    })
}

async fn pump<'js>(
    ctx: Ctx<'js>,
    host: Rc<Host>,
    source: message::BodyReader<'js>,
    writer: BodyWriter,
) {
    const UNREAD: &str = "nobody reads the stream any more";
    loop {
        let piece = tokio::select! {
            biased;
            () = writer.closed() => return source.cancel(UNREAD).await,
            piece = source.next() => piece,
        };
        let piece = match piece {
            Ok(piece) => piece,
            Err(error) => {
                let error = native::thrown(&ctx, &host, error);
                return writer.fail(error).await;
            }
        };
        // What was written before this piece was made is durable before the piece leaves.
        if let Err(error) = host.output_gate().await {
            return writer.fail(error).await;
        }
        let went = match piece {
            Some(bytes) => writer.write(bytes).await,
            None => {
                // A reader that is gone has no use for the end.
                let _ = writer.end().await;
                return;
            }
        };
        if went.is_err() {
            return source.cancel(UNREAD).await;
        }
    }
}

// ---- streams in messages -------------------------------------------------------------------------

/// The JavaScript object around one end of a stream, until a message takes it.
struct StreamHandle(RefCell<Option<Cap>>);

js_class!(StreamHandle, "Stream");

/// The end of a stream that `value` is a handle of, if it is one.
pub(super) fn take_stream(value: &Value<'_>) -> rquickjs::Result<Option<Cap>> {
    let Ok(handle) = Class::<StreamHandle>::from_value(value) else {
        return Ok(None);
    };
    let stream = handle.borrow().0.borrow_mut().take();
    match stream {
        Some(stream) => Ok(Some(stream)),
        None => Err(Exception::throw_type(
            value.ctx(),
            "the stream was sent before",
        )),
    }
}

/// A handle of one end of a stream.
pub(super) fn wrap_stream<'js>(ctx: &Ctx<'js>, stream: Cap) -> rquickjs::Result<Value<'js>> {
    Class::instance(ctx.clone(), StreamHandle(RefCell::new(Some(stream)))).map(Class::into_value)
}

/// What the glue needs for requests, responses and streams.
pub(super) fn natives<'js>(
    ctx: &Ctx<'js>,
    native: &Object<'js>,
    host: Option<&Rc<Host>>,
) -> rquickjs::Result<()> {
    let own = host.cloned();
    function(
        ctx,
        native,
        "fetchVia",
        move |ctx: Ctx<'js>, remote: Value<'js>, input: Value<'js>, init: Opt<Value<'js>>| {
            let host = native::required(&ctx, &own)?.clone();
            fetch_via(&ctx, host, &remote, input, init.0)
        },
    )?;
    // The two directions of a stream in a message: `out` reads from a source of this instance.
    let own = host.cloned();
    function(
        ctx,
        native,
        "streamOut",
        move |ctx: Ctx<'js>, source: Value<'js>| {
            let host = native::required(&ctx, &own)?;
            let body = message::taken(&ctx, &source)?;
            match leaving(&ctx, host, body, None)? {
                Body::Stream(reader) => wrap_stream(&ctx, Cap::Reader(reader)),
                _ => Err(Exception::throw_type(&ctx, "this is not a stream")),
            }
        },
    )?;
    function(
        ctx,
        native,
        "streamIn",
        |ctx: Ctx<'js>, caps: Array<'js>, index: usize| match take_stream(&caps.get(index)?)? {
            Some(Cap::Reader(reader)) => message::source_object(&ctx, arriving(reader)),
            _ => Err(Exception::throw_type(
                &ctx,
                "the message has no such stream",
            )),
        },
    )?;
    // A writable stream goes the other way: its handle writes, and what is written is read here.
    function(ctx, native, "sinkOut", |ctx: Ctx<'js>| {
        let (writer, reader) = body_stream(None);
        let pair = Array::new(ctx.clone())?;
        pair.set(0, wrap_stream(&ctx, Cap::Writer(writer))?)?;
        pair.set(1, message::source_object(&ctx, arriving(reader))?)?;
        Ok::<_, rquickjs::Error>(pair)
    })?;
    let own = host.cloned();
    function(
        ctx,
        native,
        "sinkIn",
        move |ctx: Ctx<'js>, caps: Array<'js>, index: usize| {
            let host = native::required(&ctx, &own)?.clone();
            match take_stream(&caps.get(index)?)? {
                Some(Cap::Writer(writer)) => sink(&ctx, host, writer),
                _ => Err(Exception::throw_type(
                    &ctx,
                    "the message has no such stream",
                )),
            }
        },
    )
}

/// `{ write(bytes), close(), abort(message) }` into a stream that somebody else reads.
fn sink<'js>(ctx: &Ctx<'js>, host: Rc<Host>, writer: BodyWriter) -> rquickjs::Result<Object<'js>> {
    let object = Object::new(ctx.clone())?;
    let gone = |ctx: &Ctx<'js>| Exception::throw_type(ctx, "the other side of the stream is gone");
    let (to, gate) = (writer.clone(), host.clone());
    object.set(
        "write",
        Function::new(
            ctx.clone(),
            move |ctx: Ctx<'js>, bytes: TypedArray<'js, u8>| {
                let bytes = Bytes::copy_from_slice(bytes.as_bytes().unwrap_or_default());
                let (to, open) = (to.clone(), gate.output_gate());
                let operation = gate.operation(native::section(&ctx)?);
                Ok::<_, rquickjs::Error>(Promised(operation.run(async move {
                    open.await
                        .map_err(|error| crate::exception::throw(&ctx, &error))?;
                    to.write(bytes).await.map_err(|_| gone(&ctx))
                })))
            },
        )?,
    )?;
    let (to, gate) = (writer.clone(), host.clone());
    object.set(
        "close",
        Function::new(ctx.clone(), move |ctx: Ctx<'js>| {
            let (to, open) = (to.clone(), gate.output_gate());
            let operation = gate.operation(native::section(&ctx)?);
            Ok::<_, rquickjs::Error>(Promised(operation.run(async move {
                open.await
                    .map_err(|error| crate::exception::throw(&ctx, &error))?;
                to.end().await.map_err(|_| gone(&ctx))
            })))
        })?,
    )?;
    object.set(
        "abort",
        Function::new(ctx.clone(), move |ctx: Ctx<'js>, message: String| {
            let to = writer.clone();
            let operation = host.operation(native::section(&ctx)?);
            Ok::<_, rquickjs::Error>(Promised(operation.run(async move {
                to.fail(Error::new(ErrorKind::Exception, message)).await;
                Ok::<_, rquickjs::Error>(())
            })))
        })?,
    )?;
    Ok(object)
}

/// `stub.fetch`.
fn fetch_via<'js>(
    ctx: &Ctx<'js>,
    host: Rc<Host>,
    remote: &Value<'js>,
    input: Value<'js>,
    init: Option<Value<'js>>,
) -> rquickjs::Result<Promised<impl Future<Output = rquickjs::Result<Value<'js>>> + use<'js>>> {
    let remote = RemoteHandle::get(ctx, remote)?;
    let made = message::make_request(ctx, input, init)?;
    let parts = message::request_parts(ctx, &made)?
        .ok_or_else(|| Exception::throw_type(ctx, "fetch() needs a Request or a URL"))?;
    let body = message::take_body(ctx, &made)?;
    // A fragment is for the client alone.
    let url = parts.url.split('#').next().unwrap_or_default().to_owned();
    let request = FetchRequest {
        target: remote.target(),
        method: parts.method,
        url: url.clone(),
        path: String::new(),
        query: String::new(),
        headers: parts.headers,
        body: leaving(ctx, &host, body, None)?,
    };
    let is_head = request.method == http::Method::HEAD;
    let answer = host.send(&remote.client(), Event::Fetch(request));
    let operation = host.operation(native::section(ctx)?);
    let ctx = ctx.clone();
    Ok(Promised::from(async move {
        match operation.run(answer).await {
            Ok(Reply::Fetch(response)) => message::new_response(
                &ctx,
                response.status,
                &response.headers,
                if is_head {
                    NewBody::Empty
                } else {
                    new_body(response.body)
                },
                &url,
                response.web_socket,
            ),
            Ok(_) => Err(Exception::throw_message(
                &ctx,
                "the callee answered with something else",
            )),
            Err(error) => Err(native::throw_remote(&ctx, &error)),
        }
    }))
}
