//! The object that has the worker's keys and values. It has no handler; it answers requests:
//! `GET`, `PUT` and `DELETE /KEY`, and `GET /?prefix=P&start=S&limit=N` for a JSON array of keys.
//! With `values`, a list is binary: for each a length of 4 bytes and the key, and the same for its value.

use bytes::{Bytes, BytesMut};
use dolmen_runtime::{Body, Error, FetchRequest, FetchResponse, Host, NestedEnd};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header::CONTENT_TYPE};
use percent_encoding::percent_decode_str;

use super::{Answer, Listing, MAX_LISTED, Operation};
use crate::{request, writes::Writes};

/// Answers one request.
///
/// # Errors
/// If the storage fails, or the client goes away.
pub(crate) async fn serve(
    request: FetchRequest,
    host: &Host,
    writes: &Writes,
) -> Result<FetchResponse, Error> {
    let key = match percent_decode_str(request.path.trim_start_matches('/')).decode_utf8() {
        Ok(key) => key.into_owned(),
        Err(_) => return Ok(response(StatusCode::BAD_REQUEST, "the key is not UTF-8")),
    };
    let operation = match request.method {
        Method::GET if key.is_empty() => match listing(&request.query) {
            Ok(listing) => Operation::List(listing),
            Err(message) => return Ok(response(StatusCode::BAD_REQUEST, message)),
        },
        Method::GET => Operation::Get(key),
        Method::PUT => Operation::Put(key, request::read(request.body).await?),
        Method::DELETE => Operation::Delete(key),
        _ => {
            let message = "keys and values have GET, PUT and DELETE";
            return Ok(response(StatusCode::METHOD_NOT_ALLOWED, message));
        }
    };
    let values = matches!(&operation, Operation::List(listing) if listing.values);
    let answer = super::own(operation, host, writes);
    writes.end(match answer {
        Ok(_) => NestedEnd::Commit,
        Err(_) => NestedEnd::Rollback,
    })?;
    Ok(match answer? {
        Answer::Value(value) => binary(value),
        Answer::Missing => response(StatusCode::NOT_FOUND, ""),
        Answer::Done => FetchResponse {
            body: Body::None,
            ..response(StatusCode::NO_CONTENT, "")
        },
        Answer::Failed(reason) => response(StatusCode::BAD_REQUEST, reason),
        Answer::Listed(found) if values => binary(packed(&found)),
        Answer::Listed(found) => json(super::keys(found)),
    })
}

fn listing(query: &str) -> Result<Listing, String> {
    let mut listing = Listing {
        limit: MAX_LISTED,
        ..Listing::default()
    };
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "prefix" => listing.prefix = value.into_owned(),
            "start" => listing.start = value.into_owned(),
            "after" => listing.after = true,
            "reverse" => listing.reverse = true,
            "values" => listing.values = true,
            "limit" => {
                let limit = value.parse().ok();
                listing.limit = limit
                    .filter(|limit| (1..=MAX_LISTED).contains(limit))
                    .ok_or_else(|| format!("the limit of a list is from 1 to {MAX_LISTED}"))?;
            }
            other => return Err(format!("{other:?} is no parameter of a list")),
        }
    }
    Ok(listing)
}

/// What [`super::remote`] reads.
fn packed(found: &[(String, Bytes)]) -> Bytes {
    let mut all = BytesMut::new();
    for part in found
        .iter()
        .flat_map(|(key, value)| [key.as_bytes(), value])
    {
        // A list has less than 4 GiB.
        all.extend_from_slice(&(part.len() as u32).to_le_bytes());
        all.extend_from_slice(part);
    }
    all.freeze()
}

fn binary(body: Bytes) -> FetchResponse {
    typed(StatusCode::OK, "application/octet-stream", body)
}

fn json(body: String) -> FetchResponse {
    typed(StatusCode::OK, "application/json", body.into())
}

fn response(status: StatusCode, message: impl Into<String>) -> FetchResponse {
    typed(status, "text/plain; charset=utf-8", message.into().into())
}

fn typed(status: StatusCode, content_type: &'static str, body: Bytes) -> FetchResponse {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    FetchResponse {
        status,
        headers,
        body: Body::Full(body),
        web_socket: None,
    }
}
