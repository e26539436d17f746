//! `fetch` of CommonJS objects: plain request objects in, plain response objects out.

use bytes::Bytes;
use dolmen_runtime::{Body, Error, ErrorKind, FetchRequest, FetchResponse};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header::CONTENT_TYPE};
use rquickjs::{ArrayBuffer, Ctx, Exception, Object, TypedArray, Value};

use crate::{
    raw,
    rpc::{self, Called},
};

/// Most headers of a response.
const MAX_HEADERS: usize = 1_000;

/// Calls the object's `fetch`.
pub(crate) fn call<'js>(
    ctx: &Ctx<'js>,
    object: &Object<'js>,
    request: &FetchRequest,
) -> rquickjs::Result<Called<'js>> {
    let Some(fetch) = object.get::<_, Value<'js>>("fetch")?.into_function() else {
        return Ok(Called::Refused(Error::new(
            ErrorKind::MethodNotFound,
            "the object has no fetch method; call its methods at /rpc/:namespace/:name/:method",
        )));
    };
    let req = request_object(ctx, request)?;
    fetch
        .call((rquickjs::function::This(object.clone()), req))
        .map(Called::Value)
}

/// A request as `{ method, url, path, query, headers, body, rawBody }`.
pub(crate) fn request_object<'js>(
    ctx: &Ctx<'js>,
    request: &FetchRequest,
) -> rquickjs::Result<Object<'js>> {
    let req = Object::new(ctx.clone())?;
    req.set("method", request.method.as_str())?;
    req.set("url", request.url.as_str())?;
    req.set("path", request.path.as_str())?;
    req.set("query", request.query.as_str())?;
    req.set("headers", request_headers(ctx, &request.headers)?)?;
    let body = request.body.bytes().unwrap_or_default();
    if let Ok(text) = std::str::from_utf8(body) {
        req.set("body", text)?;
    } else {
        req.set("body", rquickjs::Null)?;
    }
    req.set("rawBody", TypedArray::<u8>::new_copy(ctx.clone(), body)?)?;
    Ok(req)
}

fn request_headers<'js>(ctx: &Ctx<'js>, headers: &HeaderMap) -> rquickjs::Result<Object<'js>> {
    let object = Object::new(ctx.clone())?;
    for name in headers.keys() {
        let mut values = headers
            .get_all(name)
            .iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()));
        let first = values.next().unwrap_or_default();
        let separator = if name == http::header::COOKIE {
            "; "
        } else {
            ", "
        };
        let joined = values.fold(first, |mut all, value| {
            all.to_mut().push_str(separator);
            all.to_mut().push_str(&value);
            all
        });
        let value = rquickjs::String::from_str(ctx.clone(), &joined)?.into_value();
        raw::define(ctx, &object, name.as_str(), &value)?;
    }
    Ok(object)
}

/// Converts what `fetch` returned. Anything that is not a response is an exception.
pub(crate) fn response<'js>(
    ctx: &Ctx<'js>,
    value: Value<'js>,
    limit: usize,
) -> rquickjs::Result<FetchResponse> {
    if value.is_undefined() || value.is_null() {
        return Ok(FetchResponse {
            status: StatusCode::NO_CONTENT,
            headers: HeaderMap::new(),
            body: Body::None,
            web_socket: None,
        });
    }
    let is_response = value
        .as_object()
        .is_some_and(|object| !object.is_array() && bytes_of(&value).is_none());
    if !is_response && (value.is_string() || bytes_of(&value).is_some()) {
        return with_body(ctx, None, HeaderMap::new(), value, limit);
    }
    let Some(object) = value.as_object().filter(|_| is_response) else {
        return Err(Exception::throw_type(
            ctx,
            "fetch must return {status, headers, body}, a string, bytes or nothing",
        ));
    };
    if object.get::<_, Value<'js>>("arrayBuffer")?.is_function() {
        return Err(Exception::throw_type(
            ctx,
            "fetch returned a Response; an object of a CommonJS bundle returns a plain {status, headers, body}",
        ));
    }
    let status = status(ctx, &object.get("status")?)?;
    let headers = response_headers(ctx, &object.get("headers")?)?;
    let body: Value<'js> = object.get("body")?;
    let known = !object.get::<_, Value<'js>>("status")?.is_undefined()
        || !object.get::<_, Value<'js>>("headers")?.is_undefined()
        || raw::has_own_property(ctx, object, "body")?
        || object.is_empty();
    if !known {
        return Err(Exception::throw_type(
            ctx,
            "fetch must return {status, headers, body}; the object it returned has none of them; to send it as JSON return {body: object}",
        ));
    }
    with_body(ctx, status, headers, body, limit)
}

fn with_body<'js>(
    ctx: &Ctx<'js>,
    status: Option<StatusCode>,
    mut headers: HeaderMap,
    body: Value<'js>,
    limit: usize,
) -> rquickjs::Result<FetchResponse> {
    let (body, content_type) = if body.is_undefined() || body.is_null() {
        (Bytes::new(), None)
    } else if let Some(text) = body.as_string() {
        (
            Bytes::from(text.to_string()?),
            Some("text/plain; charset=utf-8"),
        )
    } else if let Some(bytes) = bytes_of(&body) {
        (bytes, Some("application/octet-stream"))
    } else {
        (rpc::json(ctx, body, "body")?, Some("application/json"))
    };
    if body.len() > limit {
        return Err(Exception::throw_range(
            ctx,
            &format!(
                "the response body has {} bytes; at most {limit} can be returned",
                body.len()
            ),
        ));
    }
    if let (Some(content_type), false) = (content_type, headers.contains_key(CONTENT_TYPE)) {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    let default = if content_type.is_none() {
        StatusCode::NO_CONTENT
    } else {
        StatusCode::OK
    };
    Ok(FetchResponse {
        status: status.unwrap_or(default),
        headers,
        body: Body::Full(body),
        web_socket: None,
    })
}

fn status(ctx: &Ctx<'_>, value: &Value<'_>) -> rquickjs::Result<Option<StatusCode>> {
    if value.is_undefined() {
        return Ok(None);
    }
    let wrong = || Exception::throw_range(ctx, "status must be an integer from 200 to 599");
    let number = value
        .as_number()
        .filter(|number| number.fract() == 0.0 && (200.0..=599.0).contains(number));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked: 200 to 599"
    )]
    let number = number.ok_or_else(wrong)? as u16;
    StatusCode::from_u16(number).map(Some).map_err(|_| wrong())
}

fn response_headers<'js>(ctx: &Ctx<'js>, value: &Value<'js>) -> rquickjs::Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    if value.is_undefined() || value.is_null() {
        return Ok(headers);
    }
    let Some(object) = value.as_object() else {
        return Err(Exception::throw_type(
            ctx,
            "headers must be an object of names to strings",
        ));
    };
    for entry in object.props::<String, Value<'js>>() {
        let (name, value) = entry?;
        let Ok(header) = HeaderName::from_bytes(name.as_bytes()) else {
            return Err(Exception::throw_type(
                ctx,
                &format!("{name:?} is not a header name"),
            ));
        };
        match value.as_array() {
            Some(values) => {
                for value in values.iter::<Value<'js>>() {
                    headers.append(header.clone(), header_value(ctx, &name, &value?)?);
                }
            }
            None if value.is_undefined() || value.is_null() => {}
            None => {
                headers.append(header, header_value(ctx, &name, &value)?);
            }
        }
        if headers.len() > MAX_HEADERS {
            return Err(Exception::throw_range(
                ctx,
                &format!("a response has at most {MAX_HEADERS} headers"),
            ));
        }
    }
    Ok(headers)
}

fn header_value<'js>(
    ctx: &Ctx<'js>,
    name: &str,
    value: &Value<'js>,
) -> rquickjs::Result<HeaderValue> {
    let text = if value.is_string() || value.is_number() || value.is_bool() {
        value.get::<rquickjs::Coerced<String>>()?.0
    } else {
        return Err(Exception::throw_type(
            ctx,
            &format!("header {name} must be a string, a number or an array of them"),
        ));
    };
    HeaderValue::from_bytes(text.as_bytes()).map_err(|_| {
        Exception::throw_type(
            ctx,
            &format!("header {name} has a character that a header cannot carry"),
        )
    })
}

/// A copy of the bytes of an `ArrayBuffer` or a `Uint8Array`.
/// The bytes of an `ArrayBuffer` or a `Uint8Array`.
pub(crate) fn bytes_of(value: &Value<'_>) -> Option<Bytes> {
    if let Ok(array) = TypedArray::<u8>::from_value(value.clone()) {
        return array.as_bytes().map(Bytes::copy_from_slice);
    }
    if raw::is_array_buffer(value) {
        return ArrayBuffer::from_value(value.clone())?
            .as_bytes()
            .map(Bytes::copy_from_slice);
    }
    None
}
