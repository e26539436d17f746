//! How each group is built: from glue, functions in Rust, and other groups.

use rquickjs::{
    Ctx, Function, Object, Result, Value, atom::PredefinedAtom, object::Property, prelude::Func,
};

use crate::{value_format, wasm};

use super::names::Group;
use super::state::State;
use super::{
    address, clone, codec, crypto, encoding, glue, hashes, names, pattern, send, socket, subtle,
};

/// The names of a group, built if they are not yet, and what other groups use of it.
pub(super) fn exports<'js>(
    ctx: &Ctx<'js>,
    state: &State<'js>,
    group: Group,
) -> Result<Object<'js>> {
    if let Some(exports) = state.built(group) {
        return Ok(exports);
    }
    let exports = build(ctx, state, group)?;
    state.set_built(group, &exports);
    Ok(exports)
}

fn build<'js>(ctx: &Ctx<'js>, state: &State<'js>, group: Group) -> Result<Object<'js>> {
    let native = Object::new(ctx.clone())?;
    native.set("tag", Func::from(tag))?;
    match group {
        Group::Url => {
            address::native(&native)?;
            glue::URL.run(ctx, native)
        }
        Group::Blob => {
            encoding::native(&native)?;
            platform(&native, state)?;
            uses(&native)?;
            glue::BLOB.run(ctx, native)
        }
        Group::Encoding => {
            encoding::native(&native)?;
            glue::ENCODING.run(ctx, native)
        }
        Group::Events => {
            platform(&native, state)?;
            native.set("report", Func::from(report))?;
            glue::EVENTS.run(ctx, native)
        }
        Group::Abort => {
            take(
                ctx,
                state,
                &native,
                Group::Events,
                &["Event", "EventTarget"],
            )?;
            native.set(
                "setTimeout",
                ctx.globals().get::<_, Value<'js>>("setTimeout")?,
            )?;
            glue::ABORT.run(ctx, native)
        }
        Group::Headers => {
            native.set(
                "isPlainHeaderValue",
                Func::from(encoding::is_plain_header_value),
            )?;
            glue::HEADERS.run(ctx, native)
        }
        Group::FormData => {
            take(ctx, state, &native, Group::Blob, &["Blob", "File"])?;
            take(ctx, state, &native, Group::Url, &["URLSearchParams"])?;
            encoding::native(&native)?;
            crypto::native(&native, &state.host)?;
            glue::FORM_DATA.run(ctx, native)
        }
        Group::Fetch => {
            let of_headers = [
                "headersOfText",
                "textOfHeaders",
                "textOfInit",
                "valueIn",
                "without",
            ];
            take(ctx, state, &native, Group::Headers, &of_headers)?;
            address::native(&native)?;
            encoding::native(&native)?;
            send::native(&native, &state.host)?;
            uses(&native)?;
            glue::FETCH.run(ctx, native)
        }
        Group::Streams => streams(ctx, native),
        Group::Transform => {
            take(
                ctx,
                state,
                &native,
                Group::Streams,
                &["ReadableStream", "WritableStream"],
            )?;
            take(
                ctx,
                state,
                &native,
                Group::Encoding,
                &["TextEncoder", "TextDecoder"],
            )?;
            glue::TRANSFORM.run(ctx, native)
        }
        Group::Compression => {
            let streams = ["ReadableStream", "WritableStream"];
            take(ctx, state, &native, Group::Streams, &streams)?;
            encoding::native(&native)?;
            codec::native(&native)?;
            glue::COMPRESSION.run(ctx, native)
        }
        Group::UrlPattern => {
            pattern::native(&native)?;
            glue::URL_PATTERN.run(ctx, native)
        }
        Group::Scheduler => {
            for name in ["setTimeout", "clearTimeout"] {
                native.set(name, ctx.globals().get::<_, Value<'js>>(name)?)?;
            }
            uses(&native)?;
            glue::SCHEDULER.run(ctx, native)
        }
        Group::Messages => {
            let events = ["Event", "EventTarget"];
            take(ctx, state, &native, Group::Events, &events)?;
            take(ctx, state, &native, Group::Clone, &["structuredClone"])?;
            native.set(
                "setTimeout",
                ctx.globals().get::<_, Value<'js>>("setTimeout")?,
            )?;
            native.set("report", Func::from(report))?;
            glue::MESSAGES.run(ctx, native)
        }
        Group::Absent => glue::ABSENT.run(ctx, native),
        Group::WebSocket => {
            take(
                ctx,
                state,
                &native,
                Group::Events,
                &["Event", "EventTarget"],
            )?;
            take(ctx, state, &native, Group::Messages, &["MessageEvent"])?;
            take(ctx, state, &native, Group::Headers, &["valueIn"])?;
            for name in ["setTimeout", "clearTimeout"] {
                native.set(name, ctx.globals().get::<_, Value<'js>>(name)?)?;
            }
            send::native(&native, &state.host)?;
            socket::native(&native, &state.host)?;
            uses(&native)?;
            glue::WEBSOCKET.run(ctx, native)
        }
        Group::Crypto => {
            encoding::native(&native)?;
            crypto::native(&native, &state.host)?;
            hashes::native(&native)?;
            uses(&native)?;
            glue::CRYPTO.run(ctx, native)
        }
        Group::Subtle => {
            encoding::native(&native)?;
            crypto::native(&native, &state.host)?;
            subtle::native(&native, &state.host)?;
            glue::SUBTLE.run(ctx, native)
        }
        Group::Platform => {
            platform(&native, state)?;
            take(ctx, state, &native, Group::Clone, &["structuredClone"])?;
            glue::PLATFORM.run(ctx, native)
        }
        Group::Disposal => glue::DISPOSAL.run(ctx, native),
        Group::WebAssembly => {
            wasm::native(ctx, &native)?;
            uses(&native)?;
            glue::WEBASSEMBLY.run(ctx, native)
        }
        Group::Clone => {
            let clone = Function::new(ctx.clone(), clone::structured_clone)?
                .with_name("structuredClone")?;
            native.set("structuredClone", clone.with_length(1)?)?;
            native.set("reportError", Func::from(report))?;
            Ok(native)
        }
    }
}

/// Copies values of another group to `native`.
fn take<'js>(
    ctx: &Ctx<'js>,
    state: &State<'js>,
    native: &Object<'js>,
    group: Group,
    names: &[&str],
) -> Result<()> {
    let exports = exports(ctx, state, group)?;
    for name in names {
        native.set(*name, exports.get::<_, Value<'js>>(*name)?)?;
    }
    Ok(())
}

/// Adds `use`, which builds another group when a value of it is needed, and `built`, which does not.
pub(crate) fn uses(native: &Object<'_>) -> Result<()> {
    native.set("use", Func::from(use_name))?;
    native.set("built", Func::from(built_name))
}

/// A value of ours, whatever the program has made of the global of that name.
pub(crate) fn use_name<'js>(ctx: Ctx<'js>, name: String) -> Result<Value<'js>> {
    let state = State::of(&ctx)?;
    exports(&ctx, &state, names::group(&name))?.get(name)
}

fn built_name<'js>(ctx: Ctx<'js>, name: String) -> Result<Option<Value<'js>>> {
    let built = State::of(&ctx)?.built(names::group(&name));
    built.map(|exports| exports.get(name)).transpose()
}

fn platform<'js>(native: &Object<'js>, state: &State<'js>) -> Result<()> {
    let host = state.host.clone();
    native.set("now", Func::from(move || host.now()))?;
    let host = state.host.clone();
    native.set("unixMs", Func::from(move || host.unix_ms()))
}

/// Four files, each using what those before it return.
fn streams<'js>(ctx: &Ctx<'js>, native: Object<'js>) -> Result<Object<'js>> {
    uses(&native)?;
    for glue in [
        &glue::STREAMS,
        &glue::STREAMS_WRITABLE,
        &glue::STREAMS_READABLE,
    ] {
        let names: Object<'js> = glue.run(ctx, native.clone())?;
        for entry in names.props::<String, Value<'js>>() {
            let (name, value) = entry?;
            native.set(name, value)?;
        }
    }
    let pipe: Function<'js> = glue::STREAMS_PIPE.run(ctx, native.clone())?;
    native.set("pipe", pipe)?;
    Ok(native)
}

/// Names the class in what `Object.prototype.toString` says of its objects, and keeps them from being cloned.
fn tag<'js>(ctx: Ctx<'js>, constructor: Function<'js>) -> Result<()> {
    let prototype: Object<'js> = constructor.get("prototype")?;
    let name: String = constructor.get("name")?;
    let tag = Property::from(name.as_str()).configurable();
    prototype.prop(PredefinedAtom::SymbolToStringTag, tag)?;
    let only_rpc = matches!(name.as_str(), "ReadableStream" | "WritableStream")
        .then(|| format!("{name} can only be serialized for RPC."));
    value_format::mark_refused(&ctx, &prototype, only_rpc.as_deref())
}

/// An error that no program catches: it is logged, as the web's `reportError` does.
fn report<'js>(ctx: Ctx<'js>, error: Value<'js>) -> Result<()> {
    let console: Value<'js> = ctx.globals().get("console")?;
    let Some(console) = console.into_object() else {
        return Ok(());
    };
    let log: Value<'js> = console.get("error")?;
    match log.into_function() {
        Some(log) => log.call((rquickjs::function::This(console), "Uncaught", error)),
        None => Ok(()),
    }
}
