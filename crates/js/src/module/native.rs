//! What the glue asks of Rust: calls, references, ids, sections, results. One state a context.

use std::{cell::RefCell, rc::Rc, sync::Arc};

use bytes::Bytes;
use dolmen_runtime::{
    Call, Cap, Entrypoint, Error, ErrorKind, Event, EventId, Host, Message, ObjectRef, Payload,
    Reply, SectionId, Target, storage,
};
use rquickjs::{
    Array, Ctx, Exception, Function, JsLifetime, Object, Value, function::Opt, promise::Promised,
};

use super::{
    arguments, http,
    remote::{Remote, RemoteHandle},
};
use crate::{
    api, async_context,
    bindings::{self, Bindings},
    exception::{Thrown, log_uncaught},
    raw, rpc, value_format,
    vm::{self, over_memory},
    web::{glue::Glue, group},
};

static SESSIONS: Glue = Glue::new(
    "dolmen:module/sessions.js",
    include_str!("../../glue/module/sessions.js"),
);
static STUBS: Glue = Glue::new(
    "dolmen:module/stubs.js",
    include_str!("../../glue/module/stubs.js"),
);
static WEB: Glue = Glue::new(
    "dolmen:module/web.js",
    include_str!("../../glue/module/web.js"),
);
static WORKERS: Glue = Glue::new(
    "dolmen:module/workers.js",
    include_str!("../../glue/module/workers.js"),
);

/// What a bundle exports, as an instance needs to know it.
#[derive(Debug, Default)]
pub(crate) struct Exports {
    /// Classes that extend `DurableObject`.
    pub objects: Vec<String>,
    /// Classes that extend nothing of ours, which a manifest may bind.
    pub plain: Vec<String>,
    /// The default export and classes that extend `WorkerEntrypoint`.
    pub entrypoints: Vec<String>,
    /// All other classes and functions, and those that extend `DurableObject`, which may not be bound.
    pub classes: Vec<String>,
}

/// The glue of one context.
pub(crate) struct ModuleState<'js> {
    pub sessions: Object<'js>,
    pub stubs: Object<'js>,
    pub workers: Object<'js>,
    replace: Value<'js>,
    revive: Value<'js>,
}

struct Stored<'js>(Rc<ModuleState<'js>>);

// SAFETY: `Changed` is the same type with the other lifetime, and nothing else of `'js` is inside.
unsafe impl<'js> JsLifetime<'js> for Stored<'js> {
    type Changed<'to> = Stored<'to>;
}

/// The state of a context that [`install`] was called for.
pub(super) fn state<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Rc<ModuleState<'js>>> {
    match ctx.userdata::<Stored<'js>>() {
        Some(stored) => Ok(stored.0.clone()),
        None => Err(Exception::throw_message(
            ctx,
            "there is no module worker here",
        )),
    }
}

/// The critical section that the running code belongs to; 0: none.
pub(crate) fn section(ctx: &Ctx<'_>) -> rquickjs::Result<SectionId> {
    let frame = async_context::capture(ctx);
    let (false, Some(stored)) = (frame.is_undefined(), ctx.userdata::<Stored<'_>>()) else {
        return Ok(0);
    };
    let section_of: Function<'_> = stored.0.workers.get("sectionOf")?;
    section_of.call((frame,)).map(from_js)
}

/// The event of a worker that runs now is not over before `until`, a promise, has settled.
pub(crate) fn keep_event<'js>(ctx: &Ctx<'js>, until: Value<'js>) -> rquickjs::Result<()> {
    match ctx.userdata::<Stored<'_>>() {
        Some(stored) => {
            let keep: Function<'js> = stored.0.sessions.get("keepEvent")?;
            keep.call((until,))
        }
        None => Ok(()),
    }
}

/// Tells the host which events the code is part of that `context` is current in.
pub(crate) fn blame<'js>(ctx: &Ctx<'js>, host: &Host, context: Value<'js>) {
    let (false, Some(stored)) = (context.is_undefined(), ctx.userdata::<Stored<'_>>()) else {
        return;
    };
    let events_of = || -> rquickjs::Result<Vec<f64>> {
        let events_of: Function<'js> = stored.0.sessions.get("eventsOf")?;
        events_of.call((context,))
    };
    match events_of() {
        Ok(events) => events
            .into_iter()
            .for_each(|event| host.blame(from_js(event))),
        // With a full heap nobody can be found.
        Err(_) => drop(ctx.catch()),
    }
}

/// What is to be called once a stream has ended that is made now, if a result has it and its event
/// lasts as long.
pub(super) fn hold_for_stream<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Option<Function<'js>>> {
    let hold: Function<'js> = state(ctx)?.sessions.get("holdForStream")?;
    hold.call(())
}

/// A number of ours (of an event, an export, a section) as JavaScript has it.
#[expect(clippy::cast_precision_loss, reason = "counts, far below 2^53")]
pub(crate) fn to_js(number: u64) -> f64 {
    number as f64
}

/// What [`to_js`] made of a number.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`to_js` made it"
)]
pub(crate) fn from_js(number: f64) -> u64 {
    number as u64
}

/// The exports of `cloudflare:workers`.
pub(super) fn workers_module<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    state(ctx)?.workers.get("workers")
}

/// Builds the glue. Without a host, while a bundle is loaded, what needs one throws.
pub(super) fn install<'js>(
    ctx: &Ctx<'js>,
    host: Option<&Rc<Host>>,
    exports: &Exports,
    bindings: &Arc<Bindings>,
) -> rquickjs::Result<()> {
    let native = Object::new(ctx.clone())?;
    bindings::store(ctx, bindings)?;
    if bindings.iter().next().is_some() {
        native.set("bindings", bindings::list(ctx, bindings)?)?;
        native.set("addBindings", bindings::adder(ctx)?)?;
    }
    calls(ctx, &native, host)?;
    identity(ctx, &native, host, exports)?;
    sections(ctx, &native, host)?;
    http::natives(ctx, &native, host)?;
    storage(ctx, &native, host)?;
    group::uses(&native)?;
    let sessions: Object<'js> = SESSIONS.run(ctx, native.clone())?;
    native.set("sessions", sessions.clone())?;
    let stubs: Object<'js> = STUBS.run(ctx, native.clone())?;
    native.set("stubs", stubs.clone())?;
    let web: Object<'js> = WEB.run(ctx, native.clone())?;
    native.set("replaceWeb", web.get::<_, Value<'js>>("replaceWeb")?)?;
    native.set("reviveWeb", web.get::<_, Value<'js>>("reviveWeb")?)?;
    native.set("fetchThrough", web.get::<_, Value<'js>>("fetchThrough")?)?;
    let workers: Object<'js> = WORKERS.run(ctx, native.clone())?;
    let state = ModuleState {
        replace: stubs.get("replace")?,
        revive: stubs.get("revive")?,
        sessions,
        stubs,
        workers,
    };
    match ctx.store_userdata(Stored(Rc::new(state))) {
        Ok(_) => Ok(()),
        Err(error) => Err(Exception::throw_message(ctx, &error.to_string())),
    }
}

pub(super) fn function<'js, P>(
    ctx: &Ctx<'js>,
    native: &Object<'js>,
    name: &str,
    body: impl rquickjs::function::IntoJsFunc<'js, P> + 'js,
) -> rquickjs::Result<()> {
    native.set(name, Function::new(ctx.clone(), body)?.with_name(name)?)
}

pub(super) fn required<'h>(
    ctx: &Ctx<'_>,
    host: &'h Option<Rc<Host>>,
) -> rquickjs::Result<&'h Rc<Host>> {
    host.as_ref().ok_or_else(|| {
        Exception::throw_message(
            ctx,
            "Disallowed operation called within global scope. Asynchronous I/O (ex: fetch() or connect()), setting a timeout, and generating random values are not allowed within global scope. To fix this error, perform this operation within a handler.",
        )
    })
}

// ---- calls ---------------------------------------------------------------------------------------

fn calls<'js>(
    ctx: &Ctx<'js>,
    native: &Object<'js>,
    host: Option<&Rc<Host>>,
) -> rquickjs::Result<()> {
    let own = host.cloned();
    function(
        ctx,
        native,
        "call",
        move |ctx: Ctx<'js>, remote: Value<'js>, path: Vec<String>, args: Value<'js>| {
            call(&ctx, &own, &remote, path, args)
        },
    )?;
    let own = host.cloned();
    function(
        ctx,
        native,
        "encodeArguments",
        move |ctx: Ctx<'js>, args: Value<'js>| {
            arguments::wrap(&ctx, encode(&ctx, &args, required(&ctx, &own)?)?)
        },
    )?;
    function(
        ctx,
        native,
        "decodeArguments",
        |ctx: Ctx<'js>, args: Value<'js>| match arguments::take(&args) {
            Some(message) => decode(&ctx, message),
            None => Ok(args),
        },
    )?;
    let own = host.cloned();
    function(
        ctx,
        native,
        "settle",
        move |ctx: Ctx<'js>, id: f64, kind: String, ok: bool, value: Value<'js>| {
            settle(&ctx, required(&ctx, &own)?, id, &kind, ok, value)
        },
    )?;
    let own = host.cloned();
    function(
        ctx,
        native,
        "exportRemote",
        move |ctx: Ctx<'js>, id: f64, is_promise: bool| {
            let export = required(&ctx, &own)?.export(from_js(id));
            RemoteHandle::wrap(&ctx, Remote::Export(export), is_promise)
        },
    )?;
    function(ctx, native, "dup", |ctx: Ctx<'js>, handle: Value<'js>| {
        let is_promise = RemoteHandle::is_promise(&handle)?;
        RemoteHandle::wrap(&ctx, RemoteHandle::get(&ctx, &handle)?, is_promise)
    })?;
    function(ctx, native, "dispose", |handle: Value<'js>| {
        RemoteHandle::dispose(&handle)
    })?;
    function(ctx, native, "isPromise", |handle: Value<'js>| {
        RemoteHandle::is_promise(&handle)
    })?;
    function(
        ctx,
        native,
        "cap",
        |ctx: Ctx<'js>, caps: Array<'js>, index: usize, is_promise: bool| {
            let handle: Value<'js> = caps.get(index)?;
            // One reference may be named more than once.
            RemoteHandle::wrap(&ctx, RemoteHandle::get(&ctx, &handle)?, is_promise)
        },
    )?;
    function(
        ctx,
        native,
        "markPlatform",
        |ctx: Ctx<'js>, prototype: Object<'js>| value_format::mark_platform(&ctx, &prototype),
    )?;
    function(
        ctx,
        native,
        "isCloneable",
        |ctx: Ctx<'js>, value: Value<'js>| {
            let fits = value_format::serialize(&ctx, &value).is_ok();
            if !fits {
                ctx.catch();
            }
            fits
        },
    )?;
    function(ctx, native, "isError", |value: Value<'js>| value.is_error())?;
    let label = host.map_or_else(|| "the bundle".to_owned(), |host| host.label());
    function(ctx, native, "report", move |value: Value<'js>| {
        if let Thrown::Exception(error) = Thrown::describe(value, ErrorKind::Exception) {
            log_uncaught(&label, "uncaught", &error);
        }
    })
}

fn call<'js>(
    ctx: &Ctx<'js>,
    host: &Option<Rc<Host>>,
    remote: &Value<'js>,
    path: Vec<String>,
    args: Value<'js>,
) -> rquickjs::Result<Promised<impl Future<Output = rquickjs::Result<Value<'js>>> + use<'js>>> {
    let host = required(ctx, host)?;
    let remote = RemoteHandle::get(ctx, remote)?;
    let args = match arguments::take(&args) {
        Some(message) => Some(message),
        None if args.is_undefined() => None,
        None => Some(encode(ctx, &args, host)?),
    };
    let call = Call {
        target: remote.target(),
        path: path.into_iter().map(Into::into).collect(),
        args,
    };
    let answer = host.send(&remote.client(), Event::Call(call));
    let operation = host.operation(section(ctx)?);
    let ctx = ctx.clone();
    // The stubs in the result belong to the event that made the call.
    let context = async_context::capture(&ctx);
    Ok(Promised::from(async move {
        match operation.run(answer).await {
            Ok(Reply::Call(message)) => {
                async_context::run_in(&ctx, context, || decode_result(&ctx, message))
            }
            Ok(_) => Err(Exception::throw_message(
                &ctx,
                "the callee answered with something else",
            )),
            Err(error) => Err(throw_remote(&ctx, &error)),
        }
    }))
}

/// Encodes a value with what it refers to.
pub(super) fn encode<'js>(
    ctx: &Ctx<'js>,
    value: &Value<'js>,
    host: &Host,
) -> rquickjs::Result<Message> {
    let state = state(ctx)?;
    let caps = Array::new(ctx.clone())?;
    let mut bytes = Vec::new();
    value_format::serialize_message(ctx, value, &state.replace, caps.as_value(), &mut bytes)?;
    let limit = host.options().max_value_bytes;
    if bytes.len() > limit {
        return Err(Exception::throw_message(
            ctx,
            &format!(
                "Serialized RPC arguments or return values are limited to {}MiB, but the size of this value was: {} bytes.",
                limit >> 20,
                bytes.len()
            ),
        ));
    }
    let mut found = Vec::with_capacity(caps.len());
    for cap in caps.iter::<Value<'js>>() {
        let cap = cap?;
        found.push(match http::take_stream(&cap)? {
            Some(stream) => stream,
            None => RemoteHandle::get(ctx, &cap)?.cap(),
        });
    }
    Ok(Message {
        bytes: bytes.into(),
        caps: found,
    })
}

/// Decodes a message; its references become stubs.
pub(super) fn decode<'js>(ctx: &Ctx<'js>, message: Message) -> rquickjs::Result<Value<'js>> {
    let state = state(ctx)?;
    let caps = Array::new(ctx.clone())?;
    for (index, cap) in message.caps.into_iter().enumerate() {
        let remote = match cap {
            Cap::Export(export) => Remote::Export(export),
            Cap::Object(object) => Remote::object(object),
            Cap::Entrypoint(entrypoint) => Remote::Entrypoint(entrypoint),
            stream @ (Cap::Reader(_) | Cap::Writer(_)) => {
                caps.set(index, http::wrap_stream(ctx, stream)?)?;
                continue;
            }
        };
        // Which of them are promises is said where the value refers to them.
        caps.set(index, RemoteHandle::wrap(ctx, remote, false)?)?;
    }
    value_format::deserialize_message(ctx, &message.bytes, &state.revive, caps.as_value())
}

/// A result: the stubs in it belong to whoever gets it.
fn decode_result<'js>(ctx: &Ctx<'js>, message: Message) -> rquickjs::Result<Value<'js>> {
    if message.caps.is_empty() {
        return decode(ctx, message);
    }
    let state = state(ctx)?;
    let decoder = decoder(ctx, message)?;
    let collecting: Function<'js> = state.stubs.get("collecting")?;
    let pair: Array<'js> = collecting.call((decoder,))?;
    let with_disposer: Function<'js> = state.stubs.get("withDisposer")?;
    with_disposer.call((pair.get::<Value<'js>>(0)?, pair.get::<Value<'js>>(1)?))
}

/// A function that decodes `message`, once.
pub(super) fn decoder<'js>(ctx: &Ctx<'js>, message: Message) -> rquickjs::Result<Function<'js>> {
    let message = RefCell::new(Some(message));
    Function::new(ctx.clone(), move |ctx: Ctx<'js>| {
        match message.borrow_mut().take() {
            Some(message) => decode(&ctx, message),
            None => Ok(Value::new_undefined(ctx)),
        }
    })
}

/// Reports the result of an event.
fn settle<'js>(
    ctx: &Ctx<'js>,
    host: &Rc<Host>,
    id: f64,
    kind: &str,
    ok: bool,
    value: Value<'js>,
) -> rquickjs::Result<()> {
    let id: EventId = from_js(id);
    let converted = if ok {
        match kind {
            "call" => encode(ctx, &value, host).map(Reply::Call),
            "json" => rpc::encode(
                ctx,
                rpc::Encoding::Json,
                value,
                host.options().max_value_bytes,
            )
            .map(Reply::Rpc),
            "fetch" => http::response(ctx, host, value).map(Reply::Fetch),
            "socket" => Ok(Reply::Socket),
            _ => Ok(Reply::Alarm),
        }
    } else {
        Err(ctx.throw(value))
    };
    let result = converted.map_err(|error| {
        let error = thrown(ctx, host, error);
        if kind == "refusal" && error.thrown().is_some() {
            error.with_kind(ErrorKind::MethodNotFound)
        } else {
            error
        }
    });
    host.settle(id, result);
    Ok(())
}

/// The runtime's error for the pending exception, with the value itself for callers that can revive it.
pub(super) fn thrown(ctx: &Ctx<'_>, host: &Rc<Host>, error: rquickjs::Error) -> Error {
    let memory = || {
        let error = over_memory(host);
        vm::stop(ctx, host, error.clone());
        error
    };
    if !error.is_exception() {
        return match error {
            rquickjs::Error::Allocation => memory(),
            other => Error::new(ErrorKind::Exception, other.to_string()),
        };
    }
    let value = ctx.catch();
    let encoded = encode_thrown(ctx, &value);
    if let (true, Some(encoded)) = (value.is_null(), &encoded) {
        // The engine throws null when its memory is full; here there was enough to encode it.
        return Error::new(ErrorKind::Exception, "null").with_thrown(encoded.clone());
    }
    match Thrown::describe(value, ErrorKind::Exception) {
        Thrown::OutOfMemory => memory(),
        Thrown::Exception(error) => match encoded {
            Some(bytes) => error.with_thrown(bytes),
            None => error,
        },
    }
}

/// A thrown value without its references; `None` if it cannot be copied.
fn encode_thrown<'js>(ctx: &Ctx<'js>, value: &Value<'js>) -> Option<Bytes> {
    let encode = || {
        let state = state(ctx)?;
        let described = Object::new(ctx.clone())?;
        let is_exception: Function<'js> = state.stubs.get("isException")?;
        let is_error = value.is_error() || is_exception.call((value.clone(),))?;
        if is_error {
            let describe: Function<'js> = state.stubs.get("describe")?;
            described.set("error", describe.call::<_, Value<'js>>((value.clone(),))?)?;
        } else {
            described.set("value", value.clone())?;
        }
        let mut bytes = Vec::new();
        let caps = Array::new(ctx.clone())?;
        value_format::serialize_message(
            ctx,
            described.as_value(),
            &state.replace,
            caps.as_value(),
            &mut bytes,
        )?;
        if caps.is_empty() {
            Ok(Some(Bytes::from(bytes)))
        } else {
            Ok::<_, rquickjs::Error>(None)
        }
    };
    match encode() {
        Ok(encoded) => encoded,
        Err(_) => {
            // The message alone then has to do.
            ctx.catch();
            None
        }
    }
}

/// Throws the error of a callee here.
pub(super) fn throw_remote<'js>(ctx: &Ctx<'js>, error: &Error) -> rquickjs::Error {
    match revive_thrown(ctx, error) {
        Ok(value) => ctx.throw(value),
        Err(failed) => failed,
    }
}

fn revive_thrown<'js>(ctx: &Ctx<'js>, error: &Error) -> rquickjs::Result<Value<'js>> {
    let value = match error.thrown() {
        Some(bytes) => {
            let state = state(ctx)?;
            let caps = Array::new(ctx.clone())?;
            let described: Object<'js> =
                value_format::deserialize_message(ctx, bytes, &state.revive, caps.as_value())?
                    .into_object()
                    .ok_or_else(|| Exception::throw_message(ctx, error.message()))?;
            if raw::has_own_property(ctx, &described, "value")? {
                let value: Value<'js> = described.get("value")?;
                if value.is_object() {
                    value
                } else {
                    let text = value.get::<rquickjs::Coerced<String>>()?.0;
                    Exception::from_message(ctx.clone(), &text)?.into_value()
                }
            } else {
                let rebuild: Function<'js> = state.stubs.get("rebuild")?;
                rebuild.call((described.get::<_, Value<'js>>("error")?,))?
            }
        }
        None => Exception::from_message(ctx.clone(), error.message())?.into_value(),
    };
    let Some(object) = value.as_object() else {
        return Ok(value);
    };
    match error.kind() {
        ErrorKind::Reset | ErrorKind::Timeout | ErrorKind::Storage | ErrorKind::StartFailed => {
            object.set("durableObjectReset", true)?;
        }
        ErrorKind::Exception | ErrorKind::MethodNotFound if error.thrown().is_some() => {
            object.set("remote", true)?;
        }
        ErrorKind::Overloaded => {
            object.set("overloaded", true)?;
            // Of a call that was refused no object is named.
            if error.object().is_some() {
                object.set("durableObjectReset", true)?;
            }
        }
        ErrorKind::Interrupted | ErrorKind::Unavailable => object.set("retryable", true)?,
        _ => {}
    }
    if let (Some(id), ErrorKind::Exception) = (error.object(), error.kind()) {
        object.set("durableObjectId", id.to_string())?;
    }
    Ok(value)
}

// ---- identity ------------------------------------------------------------------------------------

fn identity<'js>(
    ctx: &Ctx<'js>,
    native: &Object<'js>,
    host: Option<&Rc<Host>>,
    exports: &Exports,
) -> rquickjs::Result<()> {
    let names = Array::new(ctx.clone())?;
    let objects = Array::new(ctx.clone())?;
    if let Some(host) = host {
        for (index, namespace) in host.namespaces().enumerate() {
            names.set(index, namespace.name.as_str())?;
            let pair = Array::new(ctx.clone())?;
            pair.set(0, namespace.class.as_str())?;
            pair.set(1, index)?;
            objects.set(index, pair)?;
        }
        if !host.is_worker() {
            let own = Object::new(ctx.clone())?;
            own.set("namespace", host.namespace_index())?;
            own.set("hex", host.id().to_string())?;
            if let Some(name) = host.name() {
                own.set("name", &*name)?;
            }
            native.set("self", own)?;
        }
    }
    native.set("namespaces", names)?;
    native.set("objectExports", objects)?;
    native.set("entrypointExports", exports.entrypoints.clone())?;
    native.set("classExports", exports.classes.clone())?;
    let own = host.cloned();
    function(
        ctx,
        native,
        "randomId",
        move |ctx: Ctx<'js>, namespace: usize| {
            required(&ctx, &own)?
                .namespace_key(namespace)
                .random_id()
                .map(|id| id.to_string())
                .map_err(|error| Exception::throw_message(&ctx, &error.to_string()))
        },
    )?;
    let own = host.cloned();
    function(
        ctx,
        native,
        "idFromName",
        move |ctx: Ctx<'js>, namespace: usize, name: String| {
            Ok::<_, rquickjs::Error>(
                required(&ctx, &own)?
                    .id_from_name(namespace, &name)
                    .to_string(),
            )
        },
    )?;
    let own = host.cloned();
    function(
        ctx,
        native,
        "parseId",
        move |ctx: Ctx<'js>, namespace: usize, hex: String| {
            required(&ctx, &own)?
                .namespace_key(namespace)
                .parse_id(&hex)
                .map(|id| id.to_string())
                .map_err(|error| Exception::throw_type(&ctx, error.message()))
        },
    )?;
    let own = host.cloned();
    function(
        ctx,
        native,
        "objectRemote",
        move |ctx: Ctx<'js>, namespace: usize, hex: String, name: Opt<Option<String>>| {
            required(&ctx, &own)?;
            // The id was made or checked when the glue got it.
            let id = hex
                .parse()
                .map_err(|error: storage::Error| Exception::throw_type(&ctx, error.message()))?;
            let object = ObjectRef {
                namespace,
                id,
                // Longer names are not passed on, as in the Durable Objects documentation.
                name: name
                    .0
                    .flatten()
                    .filter(|name| name.len() <= dolmen_runtime::MAX_NAME_BYTES)
                    .map(Into::into),
            };
            RemoteHandle::wrap(&ctx, Remote::object(object), false)
        },
    )?;
    let own = host.cloned();
    function(
        ctx,
        native,
        "entrypointRemote",
        move |ctx: Ctx<'js>, name: String, props: Opt<Value<'js>>| {
            let props = props.0.filter(|props| !props.is_undefined());
            let props = match (props, &own) {
                (Some(props), Some(_)) => Some(value_format::serialize(&ctx, &props)?.into()),
                _ => None,
            };
            RemoteHandle::wrap(
                &ctx,
                Remote::Entrypoint(Entrypoint {
                    name: name.into(),
                    props,
                }),
                false,
            )
        },
    )
}

fn storage<'js>(
    ctx: &Ctx<'js>,
    native: &Object<'js>,
    host: Option<&Rc<Host>>,
) -> rquickjs::Result<()> {
    let own = host.cloned();
    function(
        ctx,
        native,
        "makeStorage",
        move |ctx: Ctx<'js>, has_alarm: bool, gates: Object<'js>| {
            let handler = if has_alarm {
                api::state::AlarmHandler::Present
            } else {
                api::state::AlarmHandler::Absent
            };
            api::module::make_storage(&ctx, required(&ctx, &own)?, handler, gates)
        },
    )
}

// ---- sections and resets -------------------------------------------------------------------------

fn sections<'js>(
    ctx: &Ctx<'js>,
    native: &Object<'js>,
    host: Option<&Rc<Host>>,
) -> rquickjs::Result<()> {
    let own = host.cloned();
    function(ctx, native, "beginSection", move |ctx: Ctx<'js>| {
        required(&ctx, &own)?
            .begin_section(section(&ctx)?)
            .map(to_js)
            .map_err(|error| Exception::throw_message(&ctx, error.message()))
    })?;
    // Resolves in a later turn, once what was started in the section may go on.
    let own = host.cloned();
    function(
        ctx,
        native,
        "nextTurn",
        move |ctx: Ctx<'js>, section: f64| {
            let operation = required(&ctx, &own)?.operation(from_js(section));
            Ok::<_, rquickjs::Error>(Promised::from(async move {
                operation.run(tokio::task::yield_now()).await;
                Ok::<_, rquickjs::Error>(())
            }))
        },
    )?;
    function(ctx, native, "captureContext", |ctx: Ctx<'js>| {
        async_context::capture(&ctx)
    })?;
    function(
        ctx,
        native,
        "swapContext",
        |ctx: Ctx<'js>, value: Value<'js>| async_context::swap(&ctx, value),
    )?;
    let own = host.cloned();
    function(ctx, native, "endSection", move |ctx: Ctx<'js>, id: f64| {
        required(&ctx, &own)?.end_section(from_js(id));
        Ok::<_, rquickjs::Error>(())
    })?;
    let own = host.cloned();
    function(
        ctx,
        native,
        "abort",
        move |ctx: Ctx<'js>, message: String, retry_alarm: Opt<bool>| {
            let host = required(&ctx, &own)?;
            if retry_alarm.0 == Some(false) {
                host.drop_running_alarm();
            }
            vm::stop(&ctx, host, Error::new(ErrorKind::Reset, message));
            Err::<(), _>(raw::throw_uncatchable(&ctx))
        },
    )?;
    let own = host.cloned();
    function(
        ctx,
        native,
        "abortWith",
        move |ctx: Ctx<'js>, value: Value<'js>| {
            let host = required(&ctx, &own)?;
            let pending = ctx.throw(value);
            let error = thrown(&ctx, host, pending);
            vm::stop(&ctx, host, error.with_kind(ErrorKind::Reset));
            Err::<(), _>(raw::throw_uncatchable(&ctx))
        },
    )
}

/// What an event's target is called in the glue: its kind, its name or number, and its props.
pub(super) fn target<'js>(
    ctx: &Ctx<'js>,
    target: Target,
) -> rquickjs::Result<(&'static str, Value<'js>, Value<'js>)> {
    let undefined = Value::new_undefined(ctx.clone());
    Ok(match target {
        Target::Root => ("root", undefined.clone(), undefined),
        Target::Export(id) => {
            let id = Value::new_number(ctx.clone(), to_js(id));
            ("export", id, undefined)
        }
        Target::Entrypoint(entrypoint) => {
            let name = rquickjs::String::from_str(ctx.clone(), &entrypoint.name)?.into_value();
            let props = match entrypoint.props {
                Some(props) => value_format::deserialize(ctx, &props)?,
                None => undefined,
            };
            ("entrypoint", name, props)
        }
    })
}

/// The arguments of a call that came through the gateway.
pub(super) fn json_arguments<'js>(ctx: &Ctx<'js>, args: &Payload) -> rquickjs::Result<Value<'js>> {
    if args.bytes().is_empty() {
        return Array::new(ctx.clone()).map(Array::into_value);
    }
    ctx.json_parse(args.bytes().as_ref())
}
