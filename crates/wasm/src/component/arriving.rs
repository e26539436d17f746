//! A request on its way to a guest, with its body piece by piece.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use dolmen_runtime::{Body, Error, ErrorKind, FetchRequest};
use http::{HeaderMap, Uri, header::HOST, uri::Scheme as UriScheme};
use hyper::body::Frame;
use wasmtime_wasi_http::{Error as HttpError, p2::bindings::http::types::Scheme};

/// A request as `wasi:http` wants it.
pub(crate) struct Arrived {
    pub scheme: Scheme,
    pub request: hyper::Request<Arriving>,
}

impl Arrived {
    /// The path is that below the object, or the whole one of the URL where there is no object.
    ///
    /// # Errors
    /// `BadRequest` if the URL is none.
    pub fn of(request: FetchRequest) -> Result<Self, Error> {
        let not_a_url = |error: &dyn std::fmt::Display| {
            let message = format!("{:?} is not the URL of a request: {error}", request.url);
            Error::new(ErrorKind::BadRequest, message)
        };
        let url: Uri = request.url.parse().map_err(|error| not_a_url(&error))?;
        let scheme = match url.scheme() {
            Some(scheme) if *scheme == UriScheme::HTTPS => Scheme::Https,
            _ => Scheme::Http,
        };
        let path = path_with_query(&request, &url);
        let authority = url.authority().map(|authority| authority.as_str());
        let host = request
            .headers
            .get(HOST)
            .and_then(|host| host.to_str().ok());
        let uri = Uri::builder()
            .scheme("http")
            .authority(host.or(authority).unwrap_or("localhost"))
            .path_and_query(path)
            .build()
            .map_err(|error| not_a_url(&error))?;
        let mut converted = hyper::Request::new(Arriving(request.body));
        *converted.method_mut() = request.method;
        *converted.uri_mut() = uri;
        *converted.headers_mut() = request.headers;
        Ok(Self {
            scheme,
            request: converted,
        })
    }
}

/// The path that a guest sees, with the query.
pub(crate) fn path_with_query(request: &FetchRequest, url: &Uri) -> String {
    if !request.path.is_empty() {
        return match request.query.is_empty() {
            true => request.path.clone(),
            false => format!("{}?{}", request.path, request.query),
        };
    }
    url.path_and_query()
        .map_or_else(|| "/".to_owned(), |path| path.as_str().to_owned())
}

/// Names and values of headers, as the events have them.
pub(crate) fn header_list(headers: &HeaderMap) -> Vec<(String, Vec<u8>)> {
    let headers = headers.iter();
    headers
        .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
        .collect()
}

/// The body of a request.
pub(crate) struct Arriving(Body);

impl hyper::body::Body for Arriving {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        let piece = match &mut self.0 {
            Body::None => return Poll::Ready(None),
            Body::Full(bytes) => {
                let bytes = std::mem::take(bytes);
                self.0 = Body::None;
                // A frame without data would look like one that is not there yet.
                return Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))));
            }
            Body::Stream(reader) => ready!(reader.poll_next(cx)),
        };
        Poll::Ready(piece.map(|piece| match piece {
            Ok(bytes) => Ok(Frame::data(bytes)),
            Err(error) => {
                self.0 = Body::None;
                Err(HttpError::InternalError(Some(error.to_string())))
            }
        }))
    }
}
