//! Text to bytes and back, searching and comparing: the native half of `glue/node/buffer.js`.

use encoding_rs::UTF_8;
use rquickjs::{
    Ctx, Exception, Object, Result, String as JsString, TypedArray, Value, prelude::Func,
};

use crate::value_format;

/// As numbered in `glue/node/buffer.js`.
#[derive(Clone, Copy)]
enum Encoding {
    Utf8,
    Hex,
    Base64,
    Base64Url,
    Latin1,
    Ascii,
    Utf16,
}

impl Encoding {
    fn of(ctx: &Ctx<'_>, number: u8) -> Result<Self> {
        Ok(match number {
            0 => Self::Utf8,
            1 => Self::Hex,
            2 => Self::Base64,
            3 => Self::Base64Url,
            4 => Self::Latin1,
            5 => Self::Ascii,
            6 => Self::Utf16,
            _ => return Err(Exception::throw_internal(ctx, "no such encoding")),
        })
    }
}

/// Adds the functions to `native`.
pub(super) fn natives<'js>(ctx: &Ctx<'js>, native: &Object<'js>) -> Result<()> {
    class_natives(ctx, native)?;
    native.set("fromText", Func::from(from_text))?;
    native.set("toText", Func::from(to_text))?;
    native.set("writeText", Func::from(write_text))?;
    native.set("utf8Length", Func::from(utf8_length))?;
    native.set("compare", Func::from(compare))?;
    native.set("indexOf", Func::from(index_of))?;
    native.set("isUtf8", Func::from(is_utf8))?;
    native.set("isAscii", Func::from(is_ascii))
}

/// Adds `classOf` and what else the engine knows of a value, whatever a program has done to its prototype.
pub(super) fn class_natives<'js>(_: &Ctx<'js>, native: &Object<'js>) -> Result<()> {
    native.set("classOf", Func::from(super::class::class_of))?;
    native.set("promiseState", Func::from(super::class::promise_state))?;
    native.set("proxyTarget", Func::from(super::class::proxy_target))
}

fn live<'a>(ctx: &Ctx<'_>, bytes: &'a TypedArray<'_, u8>) -> Result<&'a [u8]> {
    bytes
        .as_bytes()
        .ok_or_else(|| Exception::throw_type(ctx, "the ArrayBuffer is detached"))
}

fn from_text<'js>(ctx: Ctx<'js>, text: JsString<'js>, encoding: u8) -> Result<TypedArray<'js, u8>> {
    let bytes = encode(&ctx, &text, Encoding::of(&ctx, encoding)?)?;
    TypedArray::new_copy(ctx, bytes)
}

fn encode<'js>(ctx: &Ctx<'js>, text: &JsString<'js>, encoding: Encoding) -> Result<Vec<u8>> {
    Ok(match encoding {
        Encoding::Utf8 => value_format::utf8(ctx, text)?,
        Encoding::Hex => value_format::with_text(ctx, text, from_hex)?,
        Encoding::Base64 | Encoding::Base64Url => value_format::with_text(ctx, text, from_base64)?,
        Encoding::Latin1 | Encoding::Ascii => match value_format::latin1_bytes(ctx, text)? {
            Some(bytes) => bytes,
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the low byte is what Node takes"
            )]
            None => value_format::utf16_units(ctx, text)?
                .into_iter()
                .map(|unit| unit as u8)
                .collect(),
        },
        Encoding::Utf16 => value_format::utf16_units(ctx, text)?
            .into_iter()
            .flat_map(u16::to_le_bytes)
            .collect(),
    })
}

/// Pairs of digits, up to the first that is not one.
fn from_hex(text: &[u8]) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    text.chunks_exact(2)
        .map_while(|pair| Some((digit(pair[0])? << 4 | digit(pair[1])?) as u8))
        .collect()
}

/// Either alphabet, with or without padding; other characters are skipped, as Node does.
fn from_base64(text: &[u8]) -> Vec<u8> {
    if let Ok(bytes) = base64_simd::STANDARD.decode_to_vec(text) {
        return bytes;
    }
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 3);
    let (mut held, mut bits) = (0_u32, 0);
    for byte in text {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => break,
            _ => continue,
        };
        held = held << 6 | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
        }
    }
    bytes
}

/// The text of `bytes[start..end]`; the caller has put both inside the bytes.
fn to_text<'js>(
    ctx: Ctx<'js>,
    bytes: TypedArray<'js, u8>,
    encoding: u8,
    start: usize,
    end: usize,
) -> Result<JsString<'js>> {
    let bytes = live(&ctx, &bytes)?.get(start..end).unwrap_or_default();
    let ascii = |text: &[u8]| {
        let text = std::str::from_utf8(text).expect("only ASCII is in it");
        JsString::from_str(ctx.clone(), text)
    };
    match Encoding::of(&ctx, encoding)? {
        Encoding::Utf8 => {
            let (text, _) = UTF_8.decode_without_bom_handling(bytes);
            JsString::from_str(ctx, &text)
        }
        Encoding::Hex => {
            const DIGITS: &[u8; 16] = b"0123456789abcdef";
            let digits = |byte: &u8| [byte >> 4, byte & 15].map(|digit| DIGITS[usize::from(digit)]);
            ascii(&bytes.iter().flat_map(digits).collect::<Vec<u8>>())
        }
        Encoding::Base64 => JsString::from_str(ctx, &base64_simd::STANDARD.encode_to_string(bytes)),
        Encoding::Base64Url => {
            JsString::from_str(ctx, &base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes))
        }
        Encoding::Latin1 => value_format::latin1(&ctx, bytes),
        Encoding::Ascii => ascii(&bytes.iter().map(|byte| byte & 0x7F).collect::<Vec<u8>>()),
        Encoding::Utf16 => {
            let pairs = bytes.chunks_exact(2);
            let units: Vec<u16> = pairs
                .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
                .collect();
            value_format::from_utf16(&ctx, &units)
        }
    }
}

/// Writes as much of the text as fits into `target[offset..offset + room]`, whole characters only; how many
/// bytes that is.
fn write_text<'js>(
    ctx: Ctx<'js>,
    target: Value<'js>,
    text: JsString<'js>,
    offset: usize,
    room: usize,
    encoding: u8,
) -> Result<usize> {
    let encoding = Encoding::of(&ctx, encoding)?;
    let bytes = encode(&ctx, &text, encoding)?;
    let mut length = bytes.len().min(room);
    match encoding {
        Encoding::Utf8 => {
            while length > 0 && length < bytes.len() && bytes[length] & 0xC0 == 0x80 {
                length -= 1;
            }
        }
        Encoding::Utf16 => length -= length % 2,
        _ => {}
    }
    let view = target
        .as_object()
        .and_then(|object| object.as_typed_array::<u8>());
    let raw = view.and_then(TypedArray::as_raw);
    let Some(raw) = raw.filter(|raw| offset <= raw.len && length <= raw.len - offset) else {
        return Err(Exception::throw_type(
            &ctx,
            "the ArrayBuffer is detached or too short",
        ));
    };
    // SAFETY: the view's memory is live while `target` is held, nothing of JavaScript has run since its
    // length was read, and the place is inside it. `bytes` is memory of our own.
    unsafe {
        raw.ptr
            .as_ptr()
            .add(offset)
            .copy_from_nonoverlapping(bytes.as_ptr(), length);
    }
    Ok(length)
}

fn utf8_length<'js>(ctx: Ctx<'js>, text: JsString<'js>) -> Result<usize> {
    value_format::with_text(&ctx, &text, <[u8]>::len)
}

fn compare<'js>(
    ctx: Ctx<'js>,
    left: TypedArray<'js, u8>,
    right: TypedArray<'js, u8>,
) -> Result<i32> {
    Ok(live(&ctx, &left)?.cmp(live(&ctx, &right)?) as i32)
}

/// Where `needle` first begins at or after `from`, or last begins at or before it; -1 if nowhere.
/// Takes time in proportion to the lengths, however nearly they match.
fn index_of<'js>(
    ctx: Ctx<'js>,
    bytes: TypedArray<'js, u8>,
    needle: TypedArray<'js, u8>,
    from: usize,
    forward: bool,
) -> Result<f64> {
    let (bytes, needle) = (live(&ctx, &bytes)?, live(&ctx, &needle)?);
    let found = match forward {
        true => bytes
            .get(from..)
            .and_then(|rest| memchr::memmem::find(rest, needle))
            .map(|at| at + from),
        false => {
            let end = bytes.len().min(from.saturating_add(needle.len()));
            memchr::memmem::rfind(&bytes[..end], needle)
        }
    };
    #[expect(
        clippy::cast_precision_loss,
        reason = "memory is far smaller than 2^53 bytes"
    )]
    Ok(found.map_or(-1.0, |at| at as f64))
}

fn is_utf8<'js>(ctx: Ctx<'js>, bytes: TypedArray<'js, u8>) -> Result<bool> {
    Ok(std::str::from_utf8(live(&ctx, &bytes)?).is_ok())
}

fn is_ascii<'js>(ctx: Ctx<'js>, bytes: TypedArray<'js, u8>) -> Result<bool> {
    Ok(live(&ctx, &bytes)?.is_ascii())
}
