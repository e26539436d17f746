//! The body of a request that goes out: all of it at once, or chunk by chunk as the connection takes them.

use std::{
    cell::Cell,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use rquickjs::Ctx;
use tokio::{sync::mpsc, time::Instant};

use super::message::BodyReader;

/// Chunks that wait for the connection: one is on its way while the program makes the next.
const WAITING_CHUNKS: usize = 1;

pub(super) enum Upload {
    Whole(Bytes),
    Chunks(mpsc::Receiver<Result<Bytes, Broken>>),
}

/// The program's stream failed, with this message; the connection is to be given up.
#[derive(Debug)]
pub(super) struct Broken(pub(super) String);

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the stream of the request's body failed: {}", self.0)
    }
}

impl std::error::Error for Broken {}

impl Upload {
    /// A body that is read from the program while it is sent. `active` is set whenever a chunk is.
    pub(super) fn of_reader<'js>(
        ctx: &Ctx<'js>,
        reader: BodyReader<'js>,
        active: Rc<Cell<Instant>>,
    ) -> Self {
        let (sender, receiver) = mpsc::channel(WAITING_CHUNKS);
        ctx.spawn(send_chunks(ctx.clone(), reader, sender, active));
        Upload::Chunks(receiver)
    }
}

async fn send_chunks<'js>(
    ctx: Ctx<'js>,
    reader: BodyReader<'js>,
    sender: mpsc::Sender<Result<Bytes, Broken>>,
    active: Rc<Cell<Instant>>,
) {
    // The next chunk is asked for only when there is room for it.
    while let Ok(room) = sender.reserve().await {
        let chunk = tokio::select! {
            chunk = reader.next() => chunk,
            () = sender.closed() => break,
        };
        active.set(Instant::now());
        match chunk {
            Ok(Some(chunk)) => room.send(Ok(chunk)),
            Ok(None) => return,
            Err(error) => {
                let message = rquickjs::CaughtError::from_error(&ctx, error).to_string();
                room.send(Err(Broken(message)));
                return;
            }
        }
    }
    reader.cancel("the request ended before its body did");
}

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
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Upload::Whole(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Upload::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Upload::Chunks(_) => SizeHint::default(),
        }
    }
}
