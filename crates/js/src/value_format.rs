//! V8's structured-clone format, version 15, between JavaScript values and bytes.
//!
//! This is how values rest in `_cf_KV`, how `structuredClone` copies and how RPC arguments travel.
//! It keeps true: what is written here V8 and workerd read, and what they write is read here; object
//! ids are handed out in V8's order; no input, however hostile, panics, recurses on the native stack or
//! makes us allocate by a length that the input does not back with bytes.
//!
//! The format itself has no written standard; see `docs/decisions/0003-value-format.md`.
//!
//! ```
//! use dolmen_js::value_format;
//! use rquickjs::{Context, Runtime, Value};
//!
//! let context = Context::full(&Runtime::new()?)?;
//! context.with(|ctx| -> rquickjs::Result<()> {
//!     let value: Value = ctx.eval("({ seats: [1, 2], at: new Date(5) })")?;
//!     let bytes = value_format::serialize(&ctx, &value)?;
//!     assert_eq!(bytes[..2], [0xFF, 0x0F]);
//!     let copy = value_format::deserialize(&ctx, &bytes)?;
//!     assert!(copy.is_object());
//!     rquickjs::Result::Ok(())
//! })?;
//! # Ok::<(), rquickjs::Error>(())
//! ```
mod clone_error;
mod engine;
mod number;
mod reader;
mod seen;
mod tags;
mod text;
mod writer;

#[cfg(test)]
mod tests;

use rquickjs::{Ctx, Result, Value};

use engine::Engine;
use reader::Reader;
use writer::Writer;

/// The version that is written: what workerd writes to disk.
pub const VERSION: u32 = 15;

/// The version of rows without a header, written by the first Durable Objects.
const VERSION_WITHOUT_HEADER: u32 = 13;

/// The newest version that is read. 16 only widens lengths beyond 4 GiB, which no row here has.
const NEWEST_VERSION: u32 = 16;

/// How deep a value may nest when written. V8 gives up between 2,200 and 2,800 levels when it reads.
pub const MAX_WRITE_DEPTH: usize = 2_000;

/// How deep a value may nest when read: more than V8 can write with its usual 1 MB of stack.
pub const MAX_READ_DEPTH: usize = 8_000;

/// The most bytes one value may take, so that a small graph that names one large string many times
/// cannot fill the host's memory, which the engine's own memory limit does not count.
pub const MAX_BYTES: usize = 64 << 20;

/// The bytes of `value`, with the version header.
///
/// Throws a `DataCloneError` with V8's text for what has no serialized form, such as a function.
pub fn serialize<'js>(ctx: &Ctx<'js>, value: &Value<'js>) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    serialize_into(ctx, value, &mut bytes)?;
    Ok(bytes)
}

/// Appends the bytes of `value` to `out`, with the version header; for callers that reuse a buffer.
///
/// On an error `out` is as long as it was.
pub fn serialize_into<'js>(ctx: &Ctx<'js>, value: &Value<'js>, out: &mut Vec<u8>) -> Result<()> {
    serialize_with_transfer(ctx, value, &[], out)
}

/// As [`serialize_into`], but each buffer of `transfer` is written as its index in that list.
///
/// The caller detaches the buffers, and hands their successors to [`deserialize_with_transfer`].
pub fn serialize_with_transfer<'js>(
    ctx: &Ctx<'js>,
    value: &Value<'js>,
    transfer: &[Value<'js>],
    out: &mut Vec<u8>,
) -> Result<()> {
    let start = out.len();
    let result = Writer::new(Engine::of(ctx), out, transfer).write(value.as_raw());
    if result.is_err() {
        out.truncate(start);
    }
    result
}

/// The value of `bytes`, as `serialize`, V8 or workerd wrote them; without a header, as version 13.
///
/// Throws an `Error` saying what is wrong at which byte if they are none of these.
pub fn deserialize<'js>(ctx: &Ctx<'js>, bytes: &[u8]) -> Result<Value<'js>> {
    deserialize_with_transfer(ctx, bytes, &[])
}

/// As [`deserialize`], with the buffers that the value names by index.
pub fn deserialize_with_transfer<'js>(
    ctx: &Ctx<'js>,
    bytes: &[u8],
    transferred: &[Value<'js>],
) -> Result<Value<'js>> {
    let value = Reader::new(Engine::of(ctx), bytes, transferred).read()?;
    Ok(value.into_value(ctx))
}

/// As [`serialize_into`], for messages: what cannot be copied is written as what `replace(value, caps)`
/// gives for it; `undefined` refuses it. Objects of classes are refused unless `replace` knows them.
pub(crate) fn serialize_message<'js>(
    ctx: &Ctx<'js>,
    value: &Value<'js>,
    replace: &Value<'js>,
    caps: &Value<'js>,
    out: &mut Vec<u8>,
) -> Result<()> {
    let start = out.len();
    let references = writer::References {
        replace: replace.as_raw().into(),
        caps: caps.as_raw().into(),
    };
    let result = Writer::new(Engine::of(ctx), out, &[])
        .with_references(references)
        .write(value.as_raw());
    if result.is_err() {
        out.truncate(start);
    }
    result
}

/// The value of a message; `revive(standIn, caps)` gives what could not be copied.
pub(crate) fn deserialize_message<'js>(
    ctx: &Ctx<'js>,
    bytes: &[u8],
    revive: &Value<'js>,
    caps: &Value<'js>,
) -> Result<Value<'js>> {
    let references = reader::Revive {
        revive: revive.as_raw().into(),
        caps: caps.as_raw().into(),
    };
    let value = Reader::new(Engine::of(ctx), bytes, &[])
        .with_references(references)
        .read()?;
    Ok(value.into_value(ctx))
}

/// Calls `look` with the text's WTF-8 bytes, which are copied only if they are not ASCII.
pub(crate) fn with_text<'js, R>(
    ctx: &Ctx<'js>,
    text: &rquickjs::String<'js>,
    look: impl FnOnce(&[u8]) -> R,
) -> Result<R> {
    Engine::of(ctx).with_text(text.as_raw().into(), look)
}

/// The text as UTF-8, with U+FFFD for each lone surrogate, as the web's encoders have it.
pub(crate) fn utf8<'js>(ctx: &Ctx<'js>, text: &rquickjs::String<'js>) -> Result<Vec<u8>> {
    let text = text.as_raw().into();
    Engine::of(ctx).with_text(text, text::without_surrogates)
}

/// Text whose characters are these bytes.
pub(crate) fn latin1<'js>(ctx: &Ctx<'js>, bytes: &[u8]) -> Result<rquickjs::String<'js>> {
    rquickjs::String::from_str(ctx.clone(), &text::latin1(bytes))
}

/// The bytes that are the text's characters, or `None` if one of these is above U+00FF.
pub(crate) fn latin1_bytes<'js>(
    ctx: &Ctx<'js>,
    text: &rquickjs::String<'js>,
) -> Result<Option<Vec<u8>>> {
    Engine::of(ctx).with_text(text.as_raw().into(), |text| match text::from_wtf8(text) {
        text::Wide::Latin1(bytes) => Some(bytes),
        text::Wide::Utf16(_) => None,
    })
}

/// The text's UTF-16 units, lone surrogates too.
pub(crate) fn utf16_units<'js>(ctx: &Ctx<'js>, text: &rquickjs::String<'js>) -> Result<Vec<u16>> {
    Engine::of(ctx).with_text(text.as_raw().into(), |text| match text::from_wtf8(text) {
        text::Wide::Latin1(bytes) => bytes.into_iter().map(u16::from).collect(),
        text::Wide::Utf16(units) => units,
    })
}

/// Text of UTF-16 units, lone surrogates too.
pub(crate) fn from_utf16<'js>(ctx: &Ctx<'js>, units: &[u16]) -> Result<rquickjs::String<'js>> {
    let text = Engine::of(ctx).string_from_utf16(units)?.into_value(ctx);
    rquickjs::FromJs::from_js(ctx, text)
}

/// Throws a `DataCloneError` with this message.
pub(crate) fn throw_clone_error(ctx: &Ctx<'_>, message: &str) -> rquickjs::Error {
    clone_error::throw(Engine::of(ctx), message)
}

/// Marks the prototype of a platform class: its objects, and those of classes over it, cannot be cloned.
pub(crate) fn mark_platform<'js>(ctx: &Ctx<'js>, prototype: &rquickjs::Object<'js>) -> Result<()> {
    mark_refused(ctx, prototype, None)
}

/// As [`mark_platform`], with the text of the refusal.
pub(crate) fn mark_refused<'js>(
    ctx: &Ctx<'js>,
    prototype: &rquickjs::Object<'js>,
    text: Option<&str>,
) -> Result<()> {
    let engine = Engine::of(ctx);
    let mark = engine.platform_mark()?;
    let value = match text {
        Some(text) => engine.string(text)?,
        None => engine.bool(true),
    };
    engine.define_hidden(prototype.as_raw().into(), mark.key(), value)
}

/// A copy of the bytes of a buffer or a view of one; `None` for any other value.
pub(crate) fn copy_bytes<'js>(ctx: &Ctx<'js>, value: &Value<'js>) -> Result<Option<Vec<u8>>> {
    use engine::{Kind, class};

    let (engine, raw) = (Engine::of(ctx), engine::Raw::from(value.as_raw()));
    let Kind::Object(kind) = raw.kind() else {
        return Ok(None);
    };
    let (buffer, offset, length) = match kind {
        class::ARRAY_BUFFER => return Ok(Some(engine.buffer_bytes(raw).unwrap_or(&[]).to_vec())),
        class::FIRST_TYPED_ARRAY..=class::LAST_TYPED_ARRAY => engine.typed_array(raw)?,
        class::DATA_VIEW => {
            let number = |name| {
                let value = engine.get_named(raw, name)?;
                engine.to_double(value.raw())
            };
            let (offset, length) = (number("byteOffset")?, number("byteLength")?);
            let buffer = engine.get_named(raw, "buffer")?;
            (buffer, offset as usize, length as usize)
        }
        _ => return Ok(None),
    };
    let bytes = engine.buffer_bytes(buffer.raw()).unwrap_or(&[]);
    let view = bytes.get(offset..offset.saturating_add(length));
    Ok(Some(view.unwrap_or(&[]).to_vec()))
}

/// Whether the value is an `ArrayBuffer`, be it detached.
pub(crate) fn is_array_buffer(value: &Value<'_>) -> bool {
    engine::Raw::from(value.as_raw()).is_array_buffer()
}
