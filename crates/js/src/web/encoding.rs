//! Text and bytes: the native half of `glue/web/encoding.js`, which bodies and digests use too.

use encoding_rs::{CoderResult, Decoder, DecoderResult, Encoding, UTF_8};
use rquickjs::{
    Ctx, Exception, Function, IntoJs, Object, Result, String as JsString, TypedArray, Value,
    function::Constructor,
    prelude::{Func, MutFn, Opt},
};

use crate::value_format;

/// Adds the functions to `native`.
pub(super) fn native(native: &Object<'_>) -> Result<()> {
    native.set("encode", Func::from(encode))?;
    native.set("decodeUtf8", Func::from(decode_utf8))?;
    native.set("encodingName", Func::from(encoding_name))?;
    native.set("decoder", Func::from(decoder))?;
    native.set("bytesOf", Func::from(bytes_of))?;
    native.set("latin1", Func::from(latin1))?;
    native.set("bytesOfLatin1", Func::from(bytes_of_latin1))?;
    native.set("percentDecode", Func::from(percent_decode))?;
    native.set("atob", Func::from(atob))?;
    native.set("btoa", Func::from(btoa))
}

/// Whether a header's value is printable ASCII without space at its ends: what nearly all are.
pub(super) fn is_plain_header_value<'js>(ctx: Ctx<'js>, value: JsString<'js>) -> Result<bool> {
    value_format::with_text(&ctx, &value, |text| {
        let ends = [text.first(), text.last()];
        text.iter().all(|byte| (0x20..0x7F).contains(byte)) && !ends.contains(&Some(&b' '))
    })
}

/// Throws a `DOMException`.
pub(super) fn dom_exception<'js>(ctx: &Ctx<'js>, name: &str, message: &str) -> rquickjs::Error {
    let exception = ctx
        .globals()
        .get::<_, Constructor<'js>>("DOMException")
        .and_then(|constructor| constructor.construct::<_, Value<'js>>((message, name)));
    match exception {
        Ok(exception) => ctx.throw(exception),
        Err(error) => error,
    }
}

/// UTF-8 of a string.
fn encode<'js>(ctx: Ctx<'js>, text: JsString<'js>) -> Result<TypedArray<'js, u8>> {
    let bytes = value_format::utf8(&ctx, &text)?;
    TypedArray::new_copy(ctx, bytes)
}

/// Text of UTF-8, without a byte order mark; what is not UTF-8 becomes U+FFFD.
fn decode_utf8<'js>(ctx: Ctx<'js>, bytes: TypedArray<'js, u8>) -> Result<JsString<'js>> {
    let bytes = live(&ctx, &bytes)?;
    let (text, _) = UTF_8.decode_with_bom_removal(bytes);
    JsString::from_str(ctx, &text)
}

fn live<'a, 'js>(ctx: &Ctx<'js>, bytes: &'a TypedArray<'js, u8>) -> Result<&'a [u8]> {
    bytes
        .as_bytes()
        .ok_or_else(|| Exception::throw_type(ctx, "the ArrayBuffer is detached"))
}

/// The name that a label stands for, if it stands for one that can be decoded.
fn encoding_name(label: String) -> Option<String> {
    let encoding = Encoding::for_label_no_replacement(label.as_bytes())?;
    Some(encoding.name().to_ascii_lowercase())
}

/// A function of bytes, and of whether they are the last, that returns their text.
fn decoder<'js>(
    ctx: Ctx<'js>,
    label: String,
    fatal: bool,
    ignore_bom: bool,
) -> Result<Function<'js>> {
    let encoding = Encoding::for_label(label.as_bytes()).expect("a name that `encoding_name` gave");
    let mut decoder = match ignore_bom {
        true => encoding.new_decoder_without_bom_handling(),
        false => encoding.new_decoder_with_bom_removal(),
    };
    let decode =
        move |ctx: Ctx<'js>, bytes: TypedArray<'js, u8>, last: bool| -> Result<JsString<'js>> {
            let mut text = String::new();
            let valid = decode(&mut decoder, live(&ctx, &bytes)?, &mut text, last, fatal);
            if !valid {
                let message = format!("The encoded data was not valid for encoding {label}");
                return Err(Exception::throw_type(&ctx, &message));
            }
            JsString::from_str(ctx, &text)
        };
    Function::new(ctx, MutFn::new(decode))
}

/// Appends the text of `bytes`. `false` if they are not valid and must be.
fn decode(decoder: &mut Decoder, bytes: &[u8], text: &mut String, last: bool, fatal: bool) -> bool {
    text.reserve(
        decoder
            .max_utf8_buffer_length(bytes.len())
            .unwrap_or(bytes.len()),
    );
    let mut rest = bytes;
    loop {
        if fatal {
            let (result, read) = decoder.decode_to_string_without_replacement(rest, text, last);
            match result {
                DecoderResult::InputEmpty => return true,
                DecoderResult::Malformed(..) => return false,
                DecoderResult::OutputFull => rest = &rest[read..],
            }
        } else {
            let (result, read, _) = decoder.decode_to_string(rest, text, last);
            match result {
                CoderResult::InputEmpty => return true,
                CoderResult::OutputFull => rest = &rest[read..],
            }
        }
        text.reserve(rest.len() + 16);
    }
}

/// A `Uint8Array` over the memory of a buffer or a view.
fn bytes_of<'js>(ctx: Ctx<'js>, source: Value<'js>) -> Result<Value<'js>> {
    if let Some(object) = source.as_object() {
        let array = || ctx.globals().get::<_, Constructor<'js>>("Uint8Array");
        if object.as_typed_array::<u8>().is_some() {
            return Ok(source);
        }
        if object.is_array_buffer() {
            return array()?.construct((source,));
        }
        let is_view: Function<'js> = ctx
            .globals()
            .get::<_, Object<'js>>("ArrayBuffer")?
            .get("isView")?;
        if is_view.call((source.clone(),))? {
            let buffer: Value<'js> = object.get("buffer")?;
            let (offset, length): (f64, f64) =
                (object.get("byteOffset")?, object.get("byteLength")?);
            return array()?.construct((buffer, offset, length));
        }
    }
    Err(Exception::throw_type(
        &ctx,
        "the value is not an ArrayBuffer or a view of one",
    ))
}

/// Text with one character a byte.
fn latin1<'js>(ctx: Ctx<'js>, bytes: TypedArray<'js, u8>) -> Result<JsString<'js>> {
    let bytes = live(&ctx, &bytes)?;
    value_format::latin1(&ctx, bytes)
}

fn bytes_of_latin1<'js>(ctx: Ctx<'js>, text: JsString<'js>) -> Result<TypedArray<'js, u8>> {
    match value_format::latin1_bytes(&ctx, &text)? {
        Some(bytes) => TypedArray::new_copy(ctx, bytes),
        None => Err(Exception::throw_type(&ctx, "a character is above U+00FF")),
    }
}

fn percent_decode<'js>(ctx: Ctx<'js>, text: JsString<'js>) -> Result<TypedArray<'js, u8>> {
    let text = value_format::utf8(&ctx, &text)?;
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_slice();
    while let [first, tail @ ..] = rest {
        let digits = (*first == b'%').then(|| tail.get(..2)).flatten();
        let byte = digits
            .filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))
            .and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &tail[2..] } else { tail };
    }
    TypedArray::new_copy(ctx, bytes)
}

/// Text of base64, as <https://html.spec.whatwg.org/#dom-atob> has it.
fn atob<'js>(ctx: Ctx<'js>, data: Opt<rquickjs::Coerced<JsString<'js>>>) -> Result<Value<'js>> {
    let Some(data) = data.0 else {
        return Err(Exception::throw_type(
            &ctx,
            "Failed to execute 'atob': 1 argument required, but only 0 present.",
        ));
    };
    let data = value_format::utf8(&ctx, &data.0)?;
    match base64_simd::forgiving_decode_to_vec(&data) {
        Ok(bytes) => value_format::latin1(&ctx, &bytes)?.into_js(&ctx),
        Err(_) => {
            let message = "atob() called with invalid base64-encoded data. (Only whitespace, '+', '/', alphanumeric ASCII, and up to two terminal '=' signs when the input data length is divisible by 4 are allowed.)";
            Err(dom_exception(&ctx, "InvalidCharacterError", message))
        }
    }
}

/// Base64 of text whose characters are bytes.
fn btoa<'js>(ctx: Ctx<'js>, data: Opt<rquickjs::Coerced<JsString<'js>>>) -> Result<String> {
    let Some(data) = data.0 else {
        return Err(Exception::throw_type(
            &ctx,
            "Failed to execute 'btoa': 1 argument required, but only 0 present.",
        ));
    };
    match value_format::latin1_bytes(&ctx, &data.0)? {
        Some(bytes) => Ok(base64_simd::STANDARD.encode_to_string(bytes)),
        None => {
            let message =
                "btoa() can only operate on characters in the Latin1 (ISO/IEC 8859-1) range.";
            Err(dom_exception(&ctx, "InvalidCharacterError", message))
        }
    }
}
