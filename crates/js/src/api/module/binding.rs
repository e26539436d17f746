//! From JavaScript values to what user SQL binds.

use dolmen_runtime::storage::SqlValue;
use rquickjs::{Coerced, Ctx, Exception, String as JsString, Value};

use crate::value_format;

/// A value with its own copy of the bytes: turning the next one into text may run code that changes them.
pub(super) enum Binding {
    Null,
    Real(f64),
    Text(Vec<u8>),
    Blob(Vec<u8>),
}

impl Binding {
    /// Numbers are REAL; what is neither a number nor bytes nor nothing is TEXT.
    pub fn of<'js>(ctx: &Ctx<'js>, value: &Value<'js>) -> rquickjs::Result<Binding> {
        if let Some(number) = value.as_number() {
            return Ok(Binding::Real(number));
        }
        if let Some(text) = value.as_string() {
            return value_format::utf8(ctx, text).map(Binding::Text);
        }
        if value.is_undefined() || value.is_null() {
            return Ok(Binding::Null);
        }
        if let Some(boolean) = value.as_bool() {
            let text: &[u8] = if boolean { b"true" } else { b"false" };
            return Ok(Binding::Text(text.to_vec()));
        }
        if value.is_symbol() {
            return Err(Exception::throw_type(
                ctx,
                "Cannot convert a Symbol value to a string",
            ));
        }
        if value.type_of() == rquickjs::Type::BigInt {
            return Err(Exception::throw_type(
                ctx,
                "Cannot convert a BigInt value to a number",
            ));
        }
        if let Some(bytes) = value_format::copy_bytes(ctx, value)? {
            return Ok(Binding::Blob(bytes));
        }
        let text = value.get::<Coerced<JsString<'js>>>()?;
        value_format::utf8(ctx, &text.0).map(Binding::Text)
    }

    pub fn borrow(&self) -> SqlValue<'_> {
        match self {
            Binding::Null => SqlValue::Null,
            Binding::Real(number) => SqlValue::Real(*number),
            Binding::Text(text) => SqlValue::Text(text),
            Binding::Blob(blob) => SqlValue::Blob(blob),
        }
    }
}
