//! Keys and values of an object, and of the worker.
//!
//! An object's are its own storage. The worker's are the storage of one object that has no handler,
//! `default` of the class [`CLASS`] (`kv/object.rs`); what is asked there is a request. A value is
//! stored as an `ArrayBuffer` in V8's format, like those of JavaScript objects.

mod object;
mod remote;

use std::ops::ControlFlow;

use bytes::Bytes;
use dolmen_runtime::{Error, Host, Verdict, storage};

pub(crate) use self::object::serve;
use crate::{outbound::Ask, replay::Outcome, writes::Writes};

/// The class of the object that has the worker's keys and values.
pub const CLASS: &str = "KV";
/// Most keys of one list.
pub(crate) const MAX_LISTED: usize = 1_000;
/// Most bytes of the keys and values of one list.
const MAX_LISTED_BYTES: usize = 16 << 20;
/// Keys that are read without a break.
const PAGE: usize = 8;
/// How a value begins: version 15, and an `ArrayBuffer`, whose length follows.
const HEAD: [u8; 3] = [0xff, 15, b'B'];
/// Bits of a length in one byte of it; the highest bit says that more follow.
const LENGTH_BITS: u32 = 7;

/// What can be asked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Get(String),
    Put(String, Bytes),
    Delete(String),
    List(Listing),
}

/// Which keys a list has.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Listing {
    pub prefix: String,
    /// Where it begins; empty: at one end.
    pub start: String,
    /// `start` itself is left out.
    pub after: bool,
    pub reverse: bool,
    pub values: bool,
    /// 1 to [`MAX_LISTED`].
    pub limit: usize,
}

/// What is found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Value(Bytes),
    /// No value, or nothing deleted.
    Missing,
    Done,
    Listed(Vec<(String, Bytes)>),
    /// What was wrong, in words.
    Failed(String),
}

/// Does an operation, where the keys and values of this instance are.
///
/// # Errors
/// If the storage fails.
pub(crate) async fn ask(
    operation: Operation,
    host: &Host,
    writes: &Writes,
) -> Result<Answer, Error> {
    if host.is_worker() {
        return remote::ask(operation, host).await;
    }
    own(operation, host, writes)
}

/// Does an operation on the object's own storage.
///
/// # Errors
/// If the storage fails; what was asked wrongly is an answer.
pub(crate) fn own(operation: Operation, host: &Host, writes: &Writes) -> Result<Answer, Error> {
    let done = match operation {
        Operation::Get(key) => get(&key, host),
        Operation::Put(key, value) => put(&key, &value, host, writes),
        Operation::Delete(key) => delete(&key, host, writes),
        Operation::List(listing) => list(&listing, host),
    };
    match done {
        Err(error)
            if matches!(
                error.kind(),
                storage::ErrorKind::Limit | storage::ErrorKind::Invalid
            ) =>
        {
            Ok(Answer::Failed(error.to_string()))
        }
        done => Ok(done?),
    }
}

type Done = Result<Answer, storage::Error>;

fn get(key: &str, host: &Host) -> Done {
    let value = host.storage(|db| {
        db.get(key, |value| {
            value.map(|value| decode(value).map(Bytes::copy_from_slice))
        })
    })?;
    Ok(match value {
        None => Answer::Missing,
        Some(None) => Answer::Failed(format!("the value of {key:?} is not an ArrayBuffer")),
        Some(Some(value)) => Answer::Value(value),
    })
}

fn put(key: &str, value: &[u8], host: &Host, writes: &Writes) -> Done {
    writes.begin()?;
    host.storage(|db| db.put(key, &encode(value)))?;
    Ok(Answer::Done)
}

fn delete(key: &str, host: &Host, writes: &Writes) -> Done {
    writes.begin()?;
    let was_there = host.storage(|db| db.delete(key))?;
    Ok(if was_there {
        Answer::Done
    } else {
        Answer::Missing
    })
}

/// Must be called on the turn's own stack, which it may suspend.
fn list(listing: &Listing, host: &Host) -> Done {
    let mut found: Vec<(String, Bytes)> = Vec::new();
    let mut bytes = 0;
    // The end of a range is not in it, so a list from the end that begins at a key ends behind it.
    let behind = match listing.after {
        true => listing.start.clone(),
        false => format!("{}\0", listing.start),
    };
    // A page at a time, because the values are read too, and each may be large.
    loop {
        let before = found.len();
        let last = found.last().map(|(key, _)| key.clone());
        let limit = PAGE.min(listing.limit - before);
        let options = options(listing, &behind, last.as_deref(), limit);
        host.storage(|db| {
            db.list(&options, &mut |key, value| {
                let value = match listing.values {
                    true => decode(value).map_or_else(Bytes::new, Bytes::copy_from_slice),
                    false => Bytes::new(),
                };
                bytes += key.len() + value.len();
                found.push((key.to_owned(), value));
                ControlFlow::Continue(())
            })
        })?;
        if bytes > MAX_LISTED_BYTES {
            return Ok(Answer::Failed(format!(
                "the list has more than {MAX_LISTED_BYTES} bytes; ask for fewer keys"
            )));
        }
        let is_all = found.len() < before + PAGE || found.len() == listing.limit;
        // When the turn is to end, its result is not looked at any more.
        if is_all || host.slice().checkpoint() == Verdict::Stop {
            return Ok(Answer::Listed(found));
        }
    }
}

/// What the storage is asked for, after the key `last`. Its `start` and `end` do not turn with the
/// direction, and its `start_after` is the only way to leave a key out.
fn options<'a>(
    listing: &'a Listing,
    behind: &'a str,
    last: Option<&'a str>,
    limit: usize,
) -> storage::ListOptions<'a> {
    let start = Some(listing.start.as_str()).filter(|start| !start.is_empty());
    let mut options = storage::ListOptions {
        prefix: Some(&listing.prefix),
        reverse: listing.reverse,
        limit: Some(limit),
        ..storage::ListOptions::default()
    };
    match (last, listing.reverse) {
        (Some(last), true) => options.end = Some(last),
        (None, true) => options.end = start.map(|_| behind),
        (Some(last), false) => options.start_after = Some(last),
        (None, false) if listing.after => options.start_after = start,
        (None, false) => options.start = start,
    }
    options
}

/// Does one operation of the replay protocol.
///
/// # Errors
/// If the storage fails; what the guest did wrong is an outcome.
pub(crate) async fn perform(ask: &Ask, host: &Host, writes: &Writes) -> Result<Outcome, Error> {
    let key = || ask.url.clone();
    let operation = match ask.method.as_str() {
        "__KV_GET" => Operation::Get(key()),
        "__KV_PUT" => Operation::Put(key(), ask.body.clone()),
        "__KV_DELETE" => Operation::Delete(key()),
        "__KV_LIST" => Operation::List(Listing {
            prefix: key(),
            limit: MAX_LISTED,
            ..Listing::default()
        }),
        other => return Ok(Outcome::text(400, format!("{other} is not an operation"))),
    };
    let is_delete = matches!(operation, Operation::Delete(_));
    Ok(match self::ask(operation, host, writes).await? {
        Answer::Missing if !is_delete => Outcome::text(404, ""),
        Answer::Missing | Answer::Done => Outcome::text(200, ""),
        Answer::Failed(reason) => Outcome::text(500, reason),
        Answer::Value(body) => Outcome {
            body,
            ..Outcome::text(200, "")
        },
        Answer::Listed(found) => Outcome {
            content_type: Bytes::from_static(b"application/json"),
            ..Outcome::text(200, keys(found))
        },
    })
}

/// The keys of a list as a JSON array.
fn keys(found: Vec<(String, Bytes)>) -> String {
    let keys: Vec<_> = found.into_iter().map(|(key, _)| key).collect();
    serde_json::Value::from(keys).to_string()
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
