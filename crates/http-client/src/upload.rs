//! The body of a request that goes out: all of it at once, or chunk by chunk as the connection takes them.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;

/// What is sent.
pub enum Upload {
    /// All of it; empty: none.
    Whole(Bytes),
    /// Chunk by chunk.
    Chunks(mpsc::Receiver<Result<Bytes, Broken>>),
    /// Frame by frame, trailers among them.
    Frames(Pin<Box<dyn Body<Data = Bytes, Error = Broken> + Send>>),
}

/// The program's stream failed, with this message; the connection is to be given up.
#[derive(Debug)]
pub struct Broken(pub String);

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the stream of the request's body failed: {}", self.0)
    }
}

impl std::error::Error for Broken {}

impl Body for Upload {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        match &mut *self {
            Upload::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Upload::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Upload::Chunks(chunks) => chunks
                .poll_recv(cx)
                .map(|chunk| chunk.map(|chunk| chunk.map(Frame::data))),
            Upload::Frames(frames) => frames.as_mut().poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Upload::Whole(bytes) => bytes.is_empty(),
            Upload::Chunks(_) => false,
            Upload::Frames(frames) => frames.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Upload::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Upload::Chunks(_) => SizeHint::default(),
            Upload::Frames(frames) => frames.size_hint(),
        }
    }
}
