//! `__KV_*`: the object's own storage, as a handler of the replay protocol reaches it.
//!
//! A value is stored as an `ArrayBuffer` in V8's format, like those of JavaScript objects.

use std::ops::ControlFlow;

use bytes::Bytes;
use dolmen_runtime::{Error, Host, Verdict, storage};

use crate::{
    instance::Writes,
    replay::{Call, Outcome},
};

/// Most keys of one list.
const MAX_LISTED: usize = 1_000;
/// Keys that are read without a break.
const PAGE: usize = 8;
/// How a value begins: version 15, and an `ArrayBuffer`, whose length follows.
const HEAD: [u8; 3] = [0xff, 15, b'B'];
/// Bits of a length in one byte of it; the highest bit says that more follow.
const LENGTH_BITS: u32 = 7;

/// Does one operation.
///
/// # Errors
/// If the storage fails; what the guest did wrong is an outcome.
pub(crate) fn perform(call: &Call, host: &Host, writes: &Writes<'_>) -> Result<Outcome, Error> {
    let operation = match call.method.as_str() {
        "__KV_GET" => get,
        "__KV_PUT" => put,
        "__KV_DELETE" => delete,
        "__KV_LIST" => list,
        other => return Ok(Outcome::text(400, format!("{other} is not an operation"))),
    };
    if host.is_worker() {
        let message = "KV is there in objects only (/do/:name/* and /fetch/:namespace/:name/*), not in the worker yet";
        return Ok(Outcome::text(500, message));
    }
    match operation(call, host, writes) {
        Err(error) if error.kind() == storage::ErrorKind::Limit => {
            Ok(Outcome::text(500, error.to_string()))
        }
        done => Ok(done?),
    }
}

type Done = Result<Outcome, storage::Error>;

fn get(call: &Call, host: &Host, _: &Writes<'_>) -> Done {
    let value = host.storage(|db| {
        db.get(&call.url, |value| {
            value.map(|value| decode(value).map(Bytes::copy_from_slice))
        })
    })?;
    Ok(match value {
        None => Outcome::text(404, ""),
        Some(None) => Outcome::text(
            500,
            format!("the value of {:?} is not an ArrayBuffer", call.url),
        ),
        Some(Some(body)) => Outcome {
            body,
            ..Outcome::text(200, "")
        },
    })
}

fn put(call: &Call, host: &Host, writes: &Writes<'_>) -> Done {
    writes.begin()?;
    host.storage(|db| db.put(&call.url, &encode(&call.body)))?;
    Ok(Outcome::text(200, ""))
}

fn delete(call: &Call, host: &Host, writes: &Writes<'_>) -> Done {
    writes.begin()?;
    host.storage(|db| db.delete(&call.url))?;
    Ok(Outcome::text(200, ""))
}

fn list(call: &Call, host: &Host, _: &Writes<'_>) -> Done {
    let mut keys: Vec<String> = Vec::new();
    // A page at a time, because the values are read too, and each may be large.
    loop {
        let before = keys.len();
        let last = keys.last().cloned();
        let options = storage::ListOptions {
            prefix: Some(&call.url),
            start_after: last.as_deref(),
            limit: Some(PAGE.min(MAX_LISTED - before)),
            ..storage::ListOptions::default()
        };
        host.storage(|db| {
            db.list(&options, &mut |key, _| {
                keys.push(key.to_owned());
                ControlFlow::Continue(())
            })
        })?;
        let is_all = keys.len() < before + PAGE || keys.len() == MAX_LISTED;
        // When the turn is to end, its result is not looked at any more.
        if is_all || host.slice().checkpoint() == Verdict::Stop {
            break;
        }
    }
    let keys = serde_json::Value::from(keys).to_string();
    Ok(Outcome {
        content_type: Bytes::from_static(b"application/json"),
        ..Outcome::text(200, keys)
    })
}

/// As it is stored.
pub(crate) fn encode(bytes: &[u8]) -> Vec<u8> {
    let mut value = Vec::with_capacity(HEAD.len() + 10 + bytes.len());
    value.extend_from_slice(&HEAD);
    let mut length = bytes.len();
    while length >= 1 << LENGTH_BITS {
        value.push((length & 0x7f) as u8 | 0x80);
        length >>= LENGTH_BITS;
    }
    value.push(length as u8);
    value.extend_from_slice(bytes);
    value
}

/// `None` if it is not an `ArrayBuffer`.
pub(crate) fn decode(value: &[u8]) -> Option<&[u8]> {
    let mut rest = value.strip_prefix(&HEAD)?;
    let (mut length, mut shift) = (0_usize, 0);
    loop {
        let (first, tail) = rest.split_first()?;
        rest = tail;
        length |= usize::from(first & 0x7f).checked_shl(shift)?;
        if first & 0x80 == 0 {
            break;
        }
        shift += LENGTH_BITS;
    }
    (rest.len() == length).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_an_array_buffer_of_any_length() {
        assert_eq!(encode(b"ab"), [0xff, 15, b'B', 2, b'a', b'b']);
        for length in [0, 1, 127, 128, 16_383, 16_384, 300_000] {
            let bytes = vec![7; length];
            assert_eq!(decode(&encode(&bytes)), Some(&bytes[..]), "{length}");
        }
        for bad in [
            &b""[..],
            b"\xff\x0f",
            b"\xff\x0fB",
            b"\xff\x0fB\x02a",
            b"\xff\x0f\"\x01a",
            b"\xff\x0fB\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        ] {
            assert_eq!(decode(bad), None, "{bad:?}");
        }
    }
}
