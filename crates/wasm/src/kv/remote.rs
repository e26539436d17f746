//! The worker's keys and values, asked for by a request to their object.

use bytes::{Buf, Bytes};
use dolmen_runtime::{Body, Error, ErrorKind, Event, FetchRequest, Host, Reply, Target};
use http::{HeaderMap, Method, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Answer, CLASS, Listing, Operation};
use crate::request;

/// The name of the object.
const NAME: &str = "default";

/// Does an operation there.
///
/// # Errors
/// If the object cannot be reached, or its storage fails.
pub(super) async fn ask(operation: Operation, host: &Host) -> Result<Answer, Error> {
    let Some(namespace) = host.namespaces().position(|spec| spec.class == CLASS) else {
        return Ok(Answer::Failed(format!(
            "the worker has no KV: the manifest binds no namespace to the class {CLASS}"
        )));
    };
    if matches!(&operation, Operation::Get(key) | Operation::Put(key, _) | Operation::Delete(key) if key.is_empty())
    {
        return Ok(Answer::Failed(
            "a key in the worker's KV is not empty".to_owned(),
        ));
    }
    let wants = Wants::of(&operation);
    let called = host.call(namespace, NAME, Event::Fetch(as_request(operation)));
    let reply = match called.await {
        Err(error) if matches!(error.kind(), ErrorKind::Overloaded | ErrorKind::Unavailable) => {
            return Ok(Answer::Failed(error.to_string()));
        }
        reply => reply?,
    };
    let Reply::Fetch(response) = reply else {
        return Err(Error::new(ErrorKind::Internal, "KV gave no response"));
    };
    let body = request::read(response.body).await?;
    Ok(match (response.status, wants) {
        (StatusCode::NOT_FOUND, _) => Answer::Missing,
        (StatusCode::NO_CONTENT, _) => Answer::Done,
        (StatusCode::OK, Wants::Value) => Answer::Value(body),
        (StatusCode::OK, Wants::Keys) => listed(keys(&body))?,
        (StatusCode::OK, Wants::List) => listed(unpacked(body))?,
        _ => Answer::Failed(String::from_utf8_lossy(&body).into_owned()),
    })
}

fn listed(found: Option<Vec<(String, Bytes)>>) -> Result<Answer, Error> {
    let broken = || Error::new(ErrorKind::Internal, "KV gave no list");
    found.map(Answer::Listed).ok_or_else(broken)
}

fn keys(body: &[u8]) -> Option<Vec<(String, Bytes)>> {
    let keys: Vec<String> = serde_json::from_slice(body).ok()?;
    Some(keys.into_iter().map(|key| (key, Bytes::new())).collect())
}

#[derive(Clone, Copy)]
enum Wants {
    Value,
    Keys,
    List,
}

impl Wants {
    fn of(operation: &Operation) -> Self {
        match operation {
            Operation::List(listing) if listing.values => Self::List,
            Operation::List(_) => Self::Keys,
            _ => Self::Value,
        }
    }
}

fn as_request(operation: Operation) -> FetchRequest {
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let (method, key, query, body) = match operation {
        Operation::Get(key) => (Method::GET, key, String::new(), Body::None),
        Operation::Put(key, value) => (Method::PUT, key, String::new(), Body::Full(value)),
        Operation::Delete(key) => (Method::DELETE, key, String::new(), Body::None),
        Operation::List(Listing {
            prefix,
            start,
            after,
            reverse,
            values,
            limit,
        }) => {
            let flag = |set: bool, name: &str| {
                if set {
                    format!("&{name}")
                } else {
                    String::new()
                }
            };
            let query = format!(
                "prefix={}&start={}&limit={limit}{}{}{}",
                encoded(&prefix),
                encoded(&start),
                flag(values, "values"),
                flag(after, "after"),
                flag(reverse, "reverse"),
            );
            (Method::GET, String::new(), query, Body::None)
        }
    };
    let path = format!("/{}", encoded(&key));
    FetchRequest {
        target: Target::Root,
        method,
        url: format!("http://kv{path}?{query}"),
        path,
        query,
        headers: HeaderMap::new(),
        body,
    }
}

fn unpacked(mut all: Bytes) -> Option<Vec<(String, Bytes)>> {
    let mut part = || {
        if all.remaining() < 4 {
            return None;
        }
        let length = all.get_u32_le() as usize;
        (length <= all.remaining()).then(|| all.split_to(length))
    };
    let mut found = Vec::new();
    while let Some(key) = part() {
        let key = String::from_utf8(key.to_vec()).ok()?;
        found.push((key, part()?));
    }
    Some(found)
}
