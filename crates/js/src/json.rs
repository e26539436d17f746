//! What objects send as JSON: results of methods and bodies of fetches.
//!
//! JSON has no word for many values, and `JSON.stringify` drops or empties most of them without a
//! word. Here they are errors, however deep they are. A replacer sees each value exactly as it is
//! about to be written, but costs a call for each; so values that can be seen to be plain, by a
//! walk that runs no user code, go without it.

use bytes::Bytes;
use rquickjs::{Ctx, Exception, Function, Value, atom::PredefinedAtom};

use crate::raw;

/// How deep the walk looks. Whatever is deeper, a cycle included, is left to the replacer.
const MAX_DEPTH: u32 = 64;
/// How many values the walk looks at: a few milliseconds. Unlike the walk, a replacer can be interrupted.
const MAX_VALUES: u32 = 100_000;

/// JSON text of a value; `undefined` becomes `null`, and what JSON has no word for is refused.
pub(crate) fn json<'js>(ctx: &Ctx<'js>, value: Value<'js>, what: &str) -> rquickjs::Result<Bytes> {
    if value.is_undefined() {
        return Ok(Bytes::from_static(b"null"));
    }
    if let Some(number) = value.as_int() {
        return Ok(Bytes::from(number.to_string()));
    }
    let text = if (Walk { left: MAX_VALUES }).is_plain(ctx, &value, 0)? {
        ctx.json_stringify(value)?
    } else {
        ctx.json_stringify_replacer(value, replacer(ctx, what)?)?
    };
    match text {
        Some(text) => Ok(Bytes::from(text.to_string()?)),
        None => Err(Exception::throw_type(
            ctx,
            &format!("the {what} cannot be sent as JSON: its toJSON gave undefined"),
        )),
    }
}

struct Walk {
    left: u32,
}

impl Walk {
    /// Whether JSON surely carries the value as it is. Runs no user code.
    fn is_plain<'js>(
        &mut self,
        ctx: &Ctx<'js>,
        value: &Value<'js>,
        depth: u32,
    ) -> rquickjs::Result<bool> {
        if self.left == 0 || depth > MAX_DEPTH {
            return Ok(false);
        }
        self.left -= 1;
        if let Some(number) = value.as_float() {
            return Ok(number.is_finite());
        }
        let Some(object) = value.as_object() else {
            return Ok(!value.is_symbol() && !value.is_big_int());
        };
        let is_array = object.is_array();
        if !is_array && !raw::is_ordinary(value) || object.contains_key(PredefinedAtom::ToJSON)? {
            return Ok(false);
        }
        let mut failed = None;
        let mut look = |value: Value<'js>| match self.is_plain(ctx, &value, depth + 1) {
            Ok(plain) => plain,
            Err(error) => {
                failed = Some(error);
                false
            }
        };
        let plain = raw::all_own_data(ctx, object, &mut look)?;
        failed.map_or(Ok(plain), Err)
    }
}

/// Refuses each value that JSON would drop or empty, where it is about to be written.
fn replacer<'js>(ctx: &Ctx<'js>, what: &str) -> rquickjs::Result<Function<'js>> {
    let what = what.to_owned();
    Function::new(
        ctx.clone(),
        move |ctx: Ctx<'js>, key: String, value: Value<'js>| match not_json(&value) {
            None => Ok(value),
            Some(wrong) => {
                // The outermost value has an empty key.
                let subject = match key.as_str() {
                    "" => "it".to_owned(),
                    key => format!("its {key:?}"),
                };
                Err(Exception::throw_type(
                    &ctx,
                    &format!("the {what} cannot be sent as JSON: {subject} is {wrong}"),
                ))
            }
        },
    )
}

/// What a value is that JSON has no word for.
fn not_json(value: &Value<'_>) -> Option<&'static str> {
    if value.is_function() {
        return Some("a function");
    }
    if value.is_symbol() {
        return Some("a symbol");
    }
    if value.is_big_int() {
        return Some("a BigInt; return its toString() or a Number");
    }
    if value.as_float().is_some_and(|number| !number.is_finite()) {
        return Some("NaN or infinite");
    }
    if !value.is_object() || raw::is_ordinary(value) {
        return None;
    }
    if raw::is_map(value) {
        return Some("a Map; return Object.fromEntries(map) or an array of its entries");
    }
    if raw::is_set(value) {
        return Some("a Set; return [...set]");
    }
    if raw::is_array_buffer(value) || raw::is_view(value) {
        return Some("binary data; return an array of numbers or a base64 string");
    }
    if value.is_promise() {
        return Some("a Promise; await it first");
    }
    if value.is_error() {
        return Some("an Error; return its message");
    }
    None
}
