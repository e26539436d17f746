//! The replay protocol: a handler that wants something of the host answers with the status -1 and
//! what it wants; it then runs again from the top, with the result beside its request.
//!
//! Each result has a block of its own until the event is over, so the bodies of all earlier ones
//! stay as they were. What a guest remembers of them is gone when it fails, because it is dropped.

use bytes::Bytes;
use dolmen_runtime::{Error, Host};

use crate::{
    guest::{Answered, Fault, Guest},
    instance::Writes,
    kv, outbound,
    request::Request,
    zerobuf::Message,
};

/// How often a handler may run again for one request.
pub(crate) const MAX_REPLAYS: usize = 64;
/// The status that asks for a replay.
const WANTS: i32 = -1;

/// What a handler wants of the host.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub method: String,
    pub content_type: Bytes,
    /// A URL, or the key of an operation on KV.
    pub url: String,
    pub body: Bytes,
    /// The number that the guest knows it by.
    index: i32,
    /// `name: value` lines.
    pub headers: Bytes,
}

/// What it gets.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub status: u16,
    pub content_type: Bytes,
    pub body: Bytes,
    /// `name: value` lines.
    pub headers: Vec<u8>,
}

impl Outcome {
    /// A result that is a short text.
    pub fn text(status: u16, text: impl Into<String>) -> Self {
        Self {
            status,
            content_type: Bytes::from_static(b"text/plain; charset=utf-8"),
            body: Bytes::from(text.into()),
            headers: Vec::new(),
        }
    }
}

/// Runs the handler, again and again while it wants something.
///
/// # Errors
/// The outer one is the guest's fault, the inner one the host's.
pub(crate) async fn run(
    guest: &mut Guest,
    request: &Request,
    host: &Host,
    writes: &Writes<'_>,
) -> Result<Result<Answered, Error>, Fault> {
    let too_large = || Fault::Panic("a message of more than 4 GiB".to_owned());
    let message = |replay| {
        let (method, path) = (request.method.as_str(), request.path.as_str());
        Message::request(method, path, &request.body, &request.headers, replay)
            .ok_or_else(too_large)
    };
    let base = guest.write(&message(None)?)?;
    let mut answered = guest.handle(base)?;
    for _ in 0..MAX_REPLAYS {
        if answered.status != WANTS {
            return Ok(Ok(answered));
        }
        let call = Call::parse(&answered)?;
        let outcome = match perform(&call, host, writes).await {
            Ok(outcome) => outcome,
            Err(error) => return Ok(Err(error)),
        };
        let result = Message::result(
            i32::from(outcome.status),
            &outcome.content_type,
            &outcome.body,
            &outcome.headers,
        );
        let result = guest.write(&result.ok_or_else(too_large)?)?;
        guest.rewrite(&message(Some((result, call.index)))?, base)?;
        answered = guest.handle(base)?;
    }
    if answered.status != WANTS {
        return Ok(Ok(answered));
    }
    Err(Fault::Panic(format!(
        "the handler wanted more than {MAX_REPLAYS} results for one request"
    )))
}

async fn perform(call: &Call, host: &Host, writes: &Writes<'_>) -> Result<Outcome, Error> {
    if call.method.starts_with("__") {
        return kv::perform(call, host, writes);
    }
    outbound::perform(call, host, writes).await
}

impl Call {
    fn parse(answered: &Answered) -> Result<Self, Fault> {
        let (method, content_type) = first_line(&answered.content_type);
        let (url, body) = first_line(&answered.body);
        let (index, headers) = first_line(&answered.headers);
        let text = |bytes: &Bytes, what: &str| match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text.trim().to_owned()),
            Err(_) => Err(Fault::Panic(format!(
                "the {what} of a wanted result is not UTF-8"
            ))),
        };
        let method = text(&method, "method")?;
        let index = text(&index, "index")?;
        Ok(Self {
            method: if method.is_empty() {
                "GET".to_owned()
            } else {
                method
            },
            content_type,
            url: text(&url, "URL")?,
            body,
            index: index.parse().map_err(|_| {
                Fault::Panic(format!("{index:?} is not the index of a wanted result"))
            })?,
            headers,
        })
    }
}

/// What is before the first line feed, and what is after it.
fn first_line(text: &Bytes) -> (Bytes, Bytes) {
    match text.iter().position(|byte| *byte == b'\n') {
        Some(end) => (text.slice(..end), text.slice(end + 1..)),
        None => (text.clone(), Bytes::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wants(content_type: &'static str, body: &'static [u8], headers: &'static str) -> Answered {
        Answered {
            status: WANTS,
            content_type: Bytes::from_static(content_type.as_bytes()),
            body: Bytes::from_static(body),
            headers: Bytes::from_static(headers.as_bytes()),
        }
    }

    #[test]
    fn a_wanted_result_has_a_method_a_url_and_an_index() {
        let call = Call::parse(&wants(
            "POST\ntext/x",
            b" http://a/ \nx\n\xff",
            "3\nA: b\nC: d\n",
        ))
        .unwrap();
        assert_eq!(
            (call.method.as_str(), call.url.as_str(), call.index),
            ("POST", "http://a/", 3)
        );
        assert_eq!(call.content_type, "text/x");
        assert_eq!(
            call.body[..],
            *b"x\n\xff",
            "all behind the first line, as it is"
        );
        assert_eq!(call.headers, "A: b\nC: d\n");
        let call = Call::parse(&wants("", b"http://a/", "0")).unwrap();
        assert_eq!((call.method.as_str(), call.body.len()), ("GET", 0));
        for index in ["", "x", "99999999999"] {
            assert!(Call::parse(&wants("", b"", index)).is_err(), "{index:?}");
        }
    }
}
