//! Random numbers and small things around keys: the native half of `glue/web/crypto.js`.

use std::rc::Rc;

use rquickjs::{Ctx, Exception, Object, Result, TypedArray, prelude::Func};

use super::WebHost;

/// Adds the functions to `native`.
pub(super) fn native(native: &Object<'_>, host: &Rc<dyn WebHost>) -> Result<()> {
    let random_host = host.clone();
    let random =
        move |ctx: Ctx<'_>, length: usize| random(&ctx, &*random_host, length).map(TypedBytes);
    native.set("random", Func::from(random_function(random)))?;
    let uuid_host = host.clone();
    native.set(
        "randomUUID",
        Func::from(move |ctx: Ctx<'_>| random_uuid(&ctx, &*uuid_host)),
    )?;
    native.set("base64url", Func::from(base64url))?;
    native.set("bytesOfBase64url", Func::from(bytes_of_base64url))?;
    native.set("timingSafeEqual", Func::from(timing_safe_equal))
}

/// Bytes that become a `Uint8Array`.
struct TypedBytes(Vec<u8>);

impl<'js> rquickjs::IntoJs<'js> for TypedBytes {
    fn into_js(self, ctx: &Ctx<'js>) -> Result<rquickjs::Value<'js>> {
        TypedArray::<u8>::new_copy(ctx.clone(), self.0).map(TypedArray::into_value)
    }
}

/// Names the signature, which inference cannot find through the context's lifetime.
fn random_function<F: Fn(Ctx<'_>, usize) -> Result<TypedBytes>>(function: F) -> F {
    function
}

fn random(ctx: &Ctx<'_>, host: &dyn WebHost, length: usize) -> Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    match host.random(&mut bytes) {
        Ok(()) => Ok(bytes),
        Err(error) => Err(Exception::throw_message(
            ctx,
            &format!("no random numbers: {error}"),
        )),
    }
}

/// A version 4 UUID in its usual form.
fn random_uuid(ctx: &Ctx<'_>, host: &dyn WebHost) -> Result<String> {
    const LENGTH: usize = 16;
    let mut bytes = random(ctx, host, LENGTH)?;
    bytes[6] = bytes[6] & 0x0F | 0x40;
    bytes[8] = bytes[8] & 0x3F | 0x80;
    let mut text = String::with_capacity(36);
    for (position, byte) in bytes.iter().enumerate() {
        if matches!(position, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.extend(
            [byte >> 4, byte & 15]
                .map(|digit| char::from_digit(digit.into(), 16).expect("below 16")),
        );
    }
    Ok(text)
}

/// Whether two equally long lists of bytes are the same, in a time that does not tell where they differ.
fn timing_safe_equal<'js>(left: TypedArray<'js, u8>, right: TypedArray<'js, u8>) -> bool {
    let (left, right) = (
        left.as_bytes().unwrap_or_default(),
        right.as_bytes().unwrap_or_default(),
    );
    let difference = left
        .iter()
        .zip(right)
        .fold(0, |all, (left, right)| all | (left ^ right));
    std::hint::black_box(difference) == 0 && left.len() == right.len()
}

fn base64url(bytes: TypedArray<'_, u8>) -> String {
    base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes.as_bytes().unwrap_or_default())
}

/// The bytes of a text, or nothing if it is no base64url without padding.
fn bytes_of_base64url(text: String) -> Option<TypedBytes> {
    let bytes = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(text.as_bytes());
    bytes.ok().map(TypedBytes)
}
