//! A response on its way out of a guest: whole if it is short and complete in time, or piece by piece.
//!
//! What a guest makes in one turn is held until the turn ends, because a guest that fails before that is answered
//! with its failure. A piece of a stream waits until what was written before it is durable.

use std::{
    collections::VecDeque,
    future::{Future, poll_fn},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use dolmen_runtime::{Body, BodyWriter, Error, EventId, FetchResponse, Host, Reply, body_stream};
use http::{StatusCode, header::CONTENT_LENGTH, response::Parts};
use hyper::body::Body as _;
use tokio::sync::oneshot;
use wasmtime_wasi_http::p2::{bindings::http::types::ErrorCode, body::HyperOutgoingBody};

use super::{fault::Fault, writes::Writes};
use crate::response;

/// Bytes of a response that are held; with more, it leaves as a stream.
const MAX_HELD: usize = 64 << 10;

type Set = Result<hyper::Response<HyperOutgoingBody>, ErrorCode>;

/// The answer to one request.
pub(crate) struct Leaving {
    host: Rc<Host>,
    writes: Rc<Writes>,
    id: EventId,
    stage: Stage,
}

enum Stage {
    /// Nothing was given to the guest yet.
    New,
    /// The guest has not set it.
    Expected(oneshot::Receiver<Set>),
    /// The guest has set an error instead.
    Refused(ErrorCode),
    /// The guest has set one with a status that is none; its body was dropped.
    Unsendable(StatusCode),
    /// The guest has set it; the runtime does not know it.
    Held(Parts, Pieces),
    /// The runtime has it.
    Streams(Stream),
    Over,
}

/// What has come out of a guest's body.
struct Pieces {
    body: HyperOutgoingBody,
    queue: VecDeque<Bytes>,
    bytes: usize,
    end: End,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    NotYet,
    Complete,
    /// The guest has dropped it, or has written another length than it said.
    Broken,
}

impl Pieces {
    fn new(body: HyperOutgoingBody) -> Self {
        Self {
            body,
            queue: VecDeque::new(),
            bytes: 0,
            end: End::NotYet,
        }
    }

    /// Takes one piece, or the end, if it is there.
    fn take(&mut self, cx: &mut Context<'_>) -> bool {
        if self.end != End::NotYet {
            return false;
        }
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Pending => return false,
            Poll::Ready(None) => self.end = End::Complete,
            Poll::Ready(Some(Err(_))) => self.end = End::Broken,
            Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                Ok(piece) => {
                    self.bytes += piece.len();
                    self.queue.push_back(piece);
                }
                // Trailers, which are the end. Dolmen's bodies have none.
                Err(_) => self.end = End::Complete,
            },
        }
        true
    }

    /// Takes all that is there.
    ///
    /// # Errors
    /// If it is not complete.
    fn finish(&mut self) -> Result<(), Fault> {
        while self.take(&mut Context::from_waker(std::task::Waker::noop())) {}
        let broken = |what: &str| Err(Fault::Panic(what.to_owned()));
        match self.end {
            End::Complete => Ok(()),
            End::NotYet => {
                broken("the handler returned before the body of its response was finished")
            }
            End::Broken => broken(
                "the handler dropped the body of its response, or wrote another length than its content-length",
            ),
        }
    }

    fn join(&mut self) -> Bytes {
        self.bytes = 0;
        match self.queue.len() {
            0 => Bytes::new(),
            1 => self.queue.pop_front().unwrap_or_default(),
            _ => {
                let mut all = BytesMut::new();
                for piece in self.queue.drain(..) {
                    all.extend_from_slice(&piece);
                }
                all.freeze()
            }
        }
    }
}

type Sending = Pin<Box<dyn Future<Output = Option<BodyWriter>>>>;

/// A response whose beginning has left.
struct Stream {
    pieces: Pieces,
    writer: Option<BodyWriter>,
    /// Gives the writer back, unless nobody reads any more or that was the end.
    sending: Option<Sending>,
}

impl Stream {
    /// Goes on as far as it can; ready when it is over. `writes`: those that a piece waits for.
    fn poll(&mut self, writes: Option<&Writes>, cx: &mut Context<'_>) -> Poll<()> {
        let gate = || writes.filter(|writes| writes.is_dirty()).map(Writes::gate);
        loop {
            if let Some(sending) = &mut self.sending {
                let Poll::Ready(writer) = sending.as_mut().poll(cx) else {
                    return Poll::Pending;
                };
                self.sending = None;
                self.writer = writer;
            }
            let Some(writer) = &self.writer else {
                return Poll::Ready(());
            };
            while self.pieces.queue.is_empty() && self.pieces.take(cx) {}
            let writer = writer.clone();
            if let Some(piece) = self.pieces.queue.pop_front() {
                self.pieces.bytes -= piece.len();
                self.sending = Some(Box::pin(send(writer, gate(), piece)));
            } else {
                match self.pieces.end {
                    End::NotYet => return Poll::Pending,
                    End::Complete => self.sending = Some(Box::pin(end(writer, gate()))),
                    // A stream whose writer is dropped is broken off.
                    End::Broken => self.writer = None,
                }
            }
        }
    }
}

type Gate<F> = Option<F>;

async fn send(
    writer: BodyWriter,
    gate: Gate<impl Future<Output = Result<(), Error>>>,
    piece: Bytes,
) -> Option<BodyWriter> {
    if let Some(gate) = gate
        && let Err(error) = gate.await
    {
        writer.fail(error).await;
        return None;
    }
    writer.write(piece).await.ok()?;
    Some(writer)
}

async fn end(
    writer: BodyWriter,
    gate: Gate<impl Future<Output = Result<(), Error>>>,
) -> Option<BodyWriter> {
    match gate {
        Some(gate) => match gate.await {
            Ok(()) => drop(writer.end().await),
            Err(error) => writer.fail(error).await,
        },
        // A reader that is gone has no use for the end.
        None => drop(writer.end().await),
    }
    None
}

impl Leaving {
    pub fn new(host: &Rc<Host>, writes: &Rc<Writes>, id: EventId) -> Self {
        Self {
            host: host.clone(),
            writes: writes.clone(),
            id,
            stage: Stage::New,
        }
    }

    /// Where the guest sets its response.
    pub fn expect(&mut self) -> oneshot::Sender<Set> {
        let (set, response) = oneshot::channel();
        self.stage = Stage::Expected(response);
        set
    }

    /// The guest waits: takes of its response what is there. `true`: it may have something to go on for. Else the
    /// turn is about to end, and what was held leaves.
    pub fn take(&mut self, cx: &mut Context<'_>) -> bool {
        self.receive(cx);
        if let Stage::Held(_, pieces) = &mut self.stage {
            if pieces.bytes <= MAX_HELD && pieces.take(cx) {
                return true;
            }
            self.let_go();
        }
        if let Stage::Streams(stream) = &mut self.stage
            && stream.poll(Some(&self.writes), cx).is_ready()
        {
            self.stage = Stage::Over;
        }
        false
    }

    /// The guest has returned: its response must be there, and complete.
    ///
    /// # Errors
    /// `Panic` if it is not.
    pub fn finish(&mut self) -> Result<(), Fault> {
        self.receive(&mut Context::from_waker(std::task::Waker::noop()));
        match &mut self.stage {
            Stage::New | Stage::Expected(_) => {
                let message = "the handler returned without a response";
                Err(Fault::Panic(message.to_owned()))
            }
            Stage::Unsendable(status) => Err(Fault::Panic(format!(
                "the handler answered with the status {}",
                status.as_u16()
            ))),
            Stage::Held(_, pieces) => pieces.finish(),
            Stage::Streams(stream) if stream.writer.is_some() || stream.sending.is_some() => {
                stream.pieces.finish()
            }
            Stage::Refused(_) | Stage::Streams(_) | Stage::Over => Ok(()),
        }
    }

    /// What is left leaves. The object goes on with its next event meanwhile.
    pub async fn rest(mut self) {
        self.let_go();
        let Stage::Streams(mut stream) = self.stage else {
            return;
        };
        // What the next event writes is none of its business.
        let gate = self.writes.is_dirty().then(|| self.writes.gate());
        if let Some(gate) = gate
            && let Err(error) = gate.await
        {
            if let Some(writer) = stream.writer {
                writer.fail(error).await;
            }
            return;
        }
        poll_fn(|cx| stream.poll(None, cx)).await;
    }

    /// The guest failed, and its instance is gone. A response that has begun is broken off.
    pub fn panic(self, message: &str) {
        self.settle_unless_begun(Ok(Reply::Fetch(response::panic(message))));
    }

    /// The host failed, and the instance is gone. A response that has begun is broken off.
    pub fn fail(self, error: Error) {
        self.settle_unless_begun(Err(error));
    }

    fn settle_unless_begun(self, result: Result<Reply, Error>) {
        if !matches!(self.stage, Stage::Streams(_) | Stage::Over) {
            self.host.settle(self.id, result);
            self.writes.replied();
        }
    }

    fn receive(&mut self, cx: &mut Context<'_>) {
        let Stage::Expected(response) = &mut self.stage else {
            return;
        };
        // A sender that was dropped is seen when the guest returns.
        self.stage = match Pin::new(response).poll(cx) {
            Poll::Ready(Ok(Ok(response))) if !is_status(response.status()) => {
                Stage::Unsendable(response.status())
            }
            Poll::Ready(Ok(Ok(response))) => {
                let (parts, body) = response.into_parts();
                Stage::Held(parts, Pieces::new(body))
            }
            Poll::Ready(Ok(Err(code))) => Stage::Refused(code),
            Poll::Ready(Err(_)) => Stage::New,
            Poll::Pending => return,
        };
    }

    /// Gives what is held to the runtime.
    fn let_go(&mut self) {
        let stage = std::mem::replace(&mut self.stage, Stage::Over);
        let reply = match stage {
            Stage::Refused(code) => Ok(Reply::Fetch(refused(&code))),
            Stage::Held(parts, mut pieces) => {
                let body = if has_no_body(parts.status) {
                    Body::None
                } else if pieces.end == End::Complete {
                    Body::Full(pieces.join())
                } else {
                    let length = parts.headers.get(CONTENT_LENGTH);
                    let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
                    let (writer, reader) = body_stream(length);
                    self.stage = Stage::Streams(Stream {
                        pieces,
                        writer: Some(writer),
                        sending: None,
                    });
                    Body::Stream(reader)
                };
                Ok(Reply::Fetch(FetchResponse {
                    status: parts.status,
                    headers: parts.headers,
                    body,
                    web_socket: None,
                }))
            }
            other => {
                self.stage = other;
                return;
            }
        };
        self.host.settle(self.id, reply);
        self.writes.replied();
    }
}

fn is_status(status: StatusCode) -> bool {
    (200..=599).contains(&status.as_u16())
}

fn has_no_body(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED
    )
}

/// The answer for a handler that has set an error.
fn refused(code: &ErrorCode) -> FetchResponse {
    let mut response = response::panic("");
    response.body = Body::Full(Bytes::from(format!("the handler failed: {code:?}")));
    response
}
