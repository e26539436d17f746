//! The body of a request that goes out: all of it at once, or chunk by chunk as the connection takes them.

use std::{
    pin::{Pin, pin},
    rc::Rc,
    task::{Context, Poll},
};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use rquickjs::{CaughtError, Ctx};
use tokio::sync::mpsc;

use super::message::BodyReader;
use super::send::Exchange;

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
    /// A body that is read from the program while it is sent, until the exchange is given up.
    pub(super) fn of_reader<'js>(
        ctx: &Ctx<'js>,
        reader: BodyReader<'js>,
        exchange: Rc<Exchange>,
    ) -> Self {
        let (sender, receiver) = mpsc::channel(WAITING_CHUNKS);
        ctx.spawn(send_chunks(ctx.clone(), reader, sender, exchange));
        Upload::Chunks(receiver)
    }
}

async fn send_chunks<'js>(
    ctx: Ctx<'js>,
    reader: BodyReader<'js>,
    sender: mpsc::Sender<Result<Bytes, Broken>>,
    exchange: Rc<Exchange>,
) {
    let mut cancelled = pin!(exchange.cancelled());
    loop {
        // The next chunk is asked for only when there is room for it.
        let room = tokio::select! {
            Ok(room) = sender.reserve() => room,
            () = &mut cancelled => break,
            else => break,
        };
        let chunk = tokio::select! {
            chunk = reader.next() => chunk,
            () = sender.closed() => break,
            () = &mut cancelled => break,
        };
        exchange.touch();
        match chunk {
            Ok(Some(chunk)) => room.send(Ok(chunk)),
            Ok(None) => return,
            Err(error) => {
                let message = CaughtError::from_error(&ctx, error).to_string();
                room.send(Err(Broken(message)));
                return;
            }
        }
    }
    reader.cancel("the request ended before its body did").await;
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
