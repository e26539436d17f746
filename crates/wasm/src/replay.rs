//! The replay protocol: a handler that wants something of the host answers with the status -1 and
//! what it wants; it then runs again from the top, with the result beside its request.
//!
//! Each result has a block of its own until the event is over, so the bodies of all earlier ones
//! stay as they were. What a guest remembers of them is gone when it fails, because it is dropped.

use bytes::Bytes;
use dolmen_runtime::{Error, Host};

use crate::{
    fan_out,
    guest::{Answered, Fault, Guest},
    kv, outbound,
    outbound::Ask,
    request::Request,
    writes::Writes,
    zerobuf::{Item, Message},
};

/// How often a handler may run again for one request.
pub(crate) const MAX_REPLAYS: usize = 64;
/// The status that asks for a replay.
const WANTS: i32 = -1;

/// What a handler wants of the host: a request, or an operation on KV, with a key for a URL.
#[derive(Debug, PartialEq, Eq)]
struct Call {
    ask: Ask,
    /// The number that the guest knows it by.
    index: i32,
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

    /// The slots of a result.
    pub fn items(self) -> Vec<Item<'static>> {
        vec![
            Item::I32(i32::from(self.status)),
            Item::Owned(self.content_type),
            Item::Owned(self.body),
            Item::Owned(self.headers.into()),
        ]
    }
}

/// Runs the handler, again and again while it wants something.
///
/// # Errors
/// The guest's fault, or the host's.
pub(crate) async fn run(
    guest: &mut Guest,
    mut request: Request,
    host: &Host,
    writes: &Writes,
) -> Result<Answered, Fault> {
    let mut base = guest.write(&request.message(None)?).await?;
    if request.is_http() && guest.has_fan_out() {
        request.more = fan_out::resolve(guest, base, host, writes).await?;
        if !request.more.is_empty() {
            base = guest.write(&request.message(None)?).await?;
        }
    }
    let mut answered = guest.handle(base).await?;
    for _ in 0..MAX_REPLAYS {
        if answered.status != WANTS {
            return Ok(answered);
        }
        let call = Call::parse(&answered)?;
        let outcome = perform(&call.ask, host, writes)
            .await
            .map_err(Fault::Host)?;
        let result = Message::slots(outcome.items()).ok_or_else(too_large)?;
        let result = guest.write(&result).await?;
        guest.rewrite(&request.message(Some((result, call.index)))?, base)?;
        answered = guest.handle(base).await?;
    }
    if answered.status != WANTS {
        return Ok(answered);
    }
    Err(Fault::Panic(format!(
        "the handler wanted more than {MAX_REPLAYS} results for one request"
    )))
}

/// A message cannot be written.
pub(crate) fn too_large() -> Fault {
    Fault::Panic("a message of more than 4 GiB".to_owned())
}

async fn perform(ask: &Ask, host: &Host, writes: &Writes) -> Result<Outcome, Error> {
    if ask.method.starts_with("__") {
        return kv::perform(ask, host, writes).await;
    }
    writes.make_durable().await?;
    Ok(outbound::send(ask, host).await.unwrap_or_else(|message| {
        Outcome::text(502, format!("fetch of {} failed: {message}", ask.url))
    }))
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
            index: index.parse().map_err(|_| {
                Fault::Panic(format!("{index:?} is not the index of a wanted result"))
            })?,
            ask: Ask {
                method: if method.is_empty() {
                    "GET".to_owned()
                } else {
                    method
                },
                content_type,
                url: text(&url, "URL")?,
                body,
                headers,
            },
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
            (call.ask.method.as_str(), call.ask.url.as_str(), call.index),
            ("POST", "http://a/", 3)
        );
        let call = call.ask;
        assert_eq!(call.content_type, "text/x");
        assert_eq!(
            call.body[..],
            *b"x\n\xff",
            "all behind the first line, as it is"
        );
        assert_eq!(call.headers, "A: b\nC: d\n");
        let call = Call::parse(&wants("", b"http://a/", "0")).unwrap().ask;
        assert_eq!((call.method.as_str(), call.body.len()), ("GET", 0));
        for index in ["", "x", "99999999999"] {
            assert!(Call::parse(&wants("", b"", index)).is_err(), "{index:?}");
        }
    }
}
