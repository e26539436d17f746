//! The body of an answer: whole, or passed on from an object piece by piece.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use dolmen_runtime::{Body, BodyReader, Error};
use http_body_util::Full;
use hyper::body::{Frame, SizeHint};

/// What a connection writes after the head.
pub(crate) enum Answer {
    Full(Full<Bytes>),
    Stream(BodyReader),
}

impl From<Full<Bytes>> for Answer {
    fn from(body: Full<Bytes>) -> Self {
        Self::Full(body)
    }
}

impl From<Body> for Answer {
    fn from(body: Body) -> Self {
        match body {
            Body::None => Self::Full(Full::default()),
            Body::Full(bytes) => Self::Full(Full::new(bytes)),
            Body::Stream(reader) => Self::Stream(reader),
        }
    }
}

impl hyper::body::Body for Answer {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match &mut *self {
            Self::Full(body) => Pin::new(body)
                .poll_frame(cx)
                .map_err(|never| match never {}),
            Self::Stream(reader) => reader
                .poll_next(cx)
                .map(|piece| piece.map(|piece| piece.map(Frame::data))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Full(body) => body.is_end_stream(),
            Self::Stream(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Full(body) => body.size_hint(),
            Self::Stream(reader) => reader
                .length()
                .map_or_else(SizeHint::new, SizeHint::with_exact),
        }
    }
}
