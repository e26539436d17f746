//! Method calls over HTTP: `POST /rpc/:namespace/:name/:method` with the arguments as JSON.

use bytes::{Bytes, BytesMut};
use dolmen_runtime::Payload;
use http::{HeaderValue, Response, header::CONTENT_TYPE};
use http_body_util::Full;
use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;

use crate::failure::Failure;

/// How deep arrays and objects of the arguments may be nested.
const MAX_DEPTH: usize = 512;

/// The other form of a body: `{"args": [...]}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wrapped<'a> {
    #[serde(borrow)]
    args: &'a RawValue,
}

/// Finds the array of arguments in a body and checks that it is JSON, without building its values.
pub(crate) fn arguments(body: &Bytes) -> Result<Payload, Failure> {
    let json = std::str::from_utf8(body).map_err(|error| {
        Failure::bad_request(format!(
            "the body is not UTF-8 at byte {}",
            error.valid_up_to()
        ))
    })?;
    let not_json = |error: serde_json::Error| {
        Failure::bad_request(format!("the body is not a list of arguments: {error}"))
    };
    let args = match json.trim_ascii_start().as_bytes().first() {
        None => Bytes::new(),
        Some(b'[') => {
            serde_json::from_str::<IgnoredAny>(json).map_err(not_json)?;
            body.clone()
        }
        Some(b'{') => {
            let args = serde_json::from_str::<Wrapped<'_>>(json)
                .map_err(not_json)?
                .args
                .get();
            if !args.starts_with('[') {
                return Err(Failure::bad_request("`args` must be an array"));
            }
            body.slice_ref(args.as_bytes())
        }
        Some(_) => {
            serde_json::from_str::<IgnoredAny>(json).map_err(not_json)?;
            return Err(Failure::bad_request(
                "the body must be a JSON array of the arguments, or {\"args\": [...]}, or empty",
            ));
        }
    };
    if is_too_deep(&args) {
        return Err(Failure::bad_request(format!(
            "the arguments are nested deeper than {MAX_DEPTH} levels"
        )));
    }
    Ok(Payload::Json(args))
}

/// Whether valid JSON is nested deeper than [`MAX_DEPTH`].
fn is_too_deep(json: &[u8]) -> bool {
    let openings = json
        .iter()
        .filter(|byte| matches!(byte, b'[' | b'{'))
        .count();
    if openings <= MAX_DEPTH {
        return false;
    }
    let mut depth = 0usize;
    let mut bytes = json.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'"' => {
                while let Some(byte) = bytes.next() {
                    match byte {
                        b'\\' => drop(bytes.next()),
                        b'"' => break,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
        if depth > MAX_DEPTH {
            return true;
        }
    }
    false
}

/// Writes `{"ok":true,"result":...}` around a result that is JSON already.
pub(crate) fn answer(result: &Payload) -> Response<Full<Bytes>> {
    const HEAD: &[u8] = b"{\"ok\":true,\"result\":";
    let result = result.bytes();
    let mut body = BytesMut::with_capacity(HEAD.len() + result.len() + 1);
    body.extend_from_slice(HEAD);
    body.extend_from_slice(result);
    body.extend_from_slice(b"}");
    let mut response = Response::new(Full::new(body.freeze()));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(body: &str) -> Bytes {
        arguments(&Bytes::copy_from_slice(body.as_bytes()))
            .unwrap()
            .bytes()
            .clone()
    }

    fn refused(body: &[u8]) -> String {
        format!(
            "{:?}",
            arguments(&Bytes::copy_from_slice(body)).unwrap_err()
        )
    }

    #[test]
    fn an_array_an_object_with_args_and_nothing_are_arguments() {
        assert_eq!(accepted("[1, \"a\"]"), "[1, \"a\"]");
        assert_eq!(accepted(" \r\n\t[]\n"), " \r\n\t[]\n");
        assert_eq!(accepted("{\"args\": [ {\"a\":1} ] }"), "[ {\"a\":1} ]");
        assert_eq!(accepted(""), "");
        assert_eq!(accepted("  \n"), "");
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (body, message) in [
            ("[1", "EOF while parsing a list at line 1 column 2"),
            ("[1,]", "expected value at line 1 column 4"),
            ("[1] x", "trailing characters at line 1 column 5"),
            ("[\"\n\"]", "control character"),
            ("nope", "expected ident at line 1 column 2"),
            ("1", "must be a JSON array"),
            ("\"[]\"", "must be a JSON array"),
            ("null", "must be a JSON array"),
            ("{}", "missing field `args`"),
            ("{\"args\":1}", "`args` must be an array"),
            ("{\"args\":[],\"arg\":1}", "unknown field `arg`"),
            ("{\"args\":[],\"args\":[]}", "duplicate field `args`"),
            ("{\"args\":[}", "line 1 column 10"),
            ("{\"args\":[]", "EOF while parsing an object"),
        ] {
            let failure = refused(body.as_bytes());
            assert!(failure.contains(message), "{body}: {failure}");
        }
        assert!(refused(b"[\"\xff\"]").contains("not UTF-8 at byte 2"));
    }

    #[test]
    fn nesting_is_bounded_and_brackets_in_strings_do_not_count() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        accepted(&nested(MAX_DEPTH));
        assert!(refused(nested(MAX_DEPTH + 1).as_bytes()).contains("nested deeper"));
        accepted(&format!("[\"\\\"{}\", []]", "[".repeat(10_000)));
        accepted(&format!("[{}0]", "[],".repeat(10_000)));
    }
}
