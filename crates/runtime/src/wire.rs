//! A WebSocket on a connection: carries messages between a byte stream and a [`SocketEnd`].
//!
//! One task a connection. While nothing moves it holds no buffer, and nobody is woken for a ping.

use std::{
    cell::Cell,
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Buf, Bytes, BytesMut};
use dolmen_websocket::{CloseCode, Decoder, Encoder, Incoming, ProtocolError, Role};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Sleep,
};

use crate::socket::{Received, SocketEnd, SocketLoss, SocketMessage};

/// Bytes that are read at a time, into memory that all connections of a thread share.
const READ: usize = 64 << 10;
/// Encoded bytes that may wait for the connection before more are made.
const UNSENT: usize = 64 << 10;
/// How long the other side has to answer a close, and to take what was sent before.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(if cfg!(test) { 20 } else { 10_000 });
/// How long an ended connection still reads, so that its last frame is not lost in a reset.
const LINGER: Duration = Duration::from_secs(2);
/// Steps before other tasks get their turn.
const STEPS: u32 = 32;

thread_local! {
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// What a connection was opened with.
#[derive(Clone, Copy, Debug)]
pub struct WireOptions {
    /// Which side this is.
    pub role: Role,
    /// Whether permessage-deflate was agreed on.
    pub deflate: bool,
    /// The largest message that is taken, in bytes.
    pub max_message: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outgoing {
    Open,
    /// A close frame is among what is to be written, or was written.
    Closing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    Open,
    /// The other side has closed, or broken the protocol.
    Ended,
    /// Its sending side of the stream has ended after that.
    Shut,
}

struct Wire<S> {
    stream: S,
    end: SocketEnd,
    decoder: Decoder,
    encoder: Encoder,
    unsent: BytesMut,
    /// The stream may keep some of what was written to itself.
    unflushed: bool,
    outgoing: Outgoing,
    reading: Reading,
    deadline: Option<Pin<Box<Sleep>>>,
    /// The stream's sending side is shut; what still comes is thrown away.
    lingering: bool,
}

/// Carries messages until the connection has ended. `early` is what was read with the handshake.
/// When `stop` resolves, the connection is closed with 1012: the server restarts.
pub async fn carry<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    early: Bytes,
    end: SocketEnd,
    options: WireOptions,
    stop: impl Future<Output = ()>,
) {
    let mut wire = Wire {
        stream,
        end,
        decoder: Decoder::new(options.role, options.deflate, options.max_message),
        encoder: Encoder::new(options.role, options.deflate),
        unsent: BytesMut::new(),
        unflushed: false,
        outgoing: Outgoing::Open,
        reading: Reading::Open,
        deadline: None,
        lingering: false,
    };
    wire.take(&early);
    drop(early);
    let mut stop = std::pin::pin!(stop);
    let mut stopped = false;
    let ended = poll_fn(|cx| {
        if !stopped && stop.as_mut().poll(cx).is_ready() {
            stopped = true;
            let restart = SocketLoss::restart();
            wire.close(restart.code, &restart.reason);
        }
        wire.poll(cx)
    })
    .await;
    if wire.reading == Reading::Open {
        wire.end.lose(SocketLoss::disconnected());
    }
    if let Err(error) = ended {
        tracing::debug!(%error, "a WebSocket's connection ended");
    }
}

/// The code that a connection is closed with when the object's side of it is lost.
fn close_code(loss: &SocketLoss) -> (u16, &str) {
    match loss.code {
        CloseCode::ABNORMAL => (
            CloseCode::INTERNAL_ERROR,
            "the other side of this WebSocket was reset",
        ),
        code => (code, &loss.reason),
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        for _ in 0..STEPS {
            if let Some(deadline) = &mut self.deadline
                && deadline.as_mut().poll(cx).is_ready()
            {
                return Poll::Ready(Ok(()));
            }
            // One that is set below must be polled once before this task may sleep.
            let watched = self.deadline.is_some();
            if self.lingering {
                match ready!(self.poll_read(cx, |_, _| {}))? {
                    0 => return Poll::Ready(Ok(())),
                    _ => continue,
                }
            }
            let sent = self.poll_send(cx)?;
            if self.unsent.is_empty()
                && self.outgoing == Outgoing::Closing
                && self.reading != Reading::Open
            {
                match Pin::new(&mut self.stream).poll_shutdown(cx)? {
                    Poll::Pending if watched => return Poll::Pending,
                    Poll::Pending => continue,
                    Poll::Ready(()) => {}
                }
                self.lingering = true;
                self.deadline = Some(Box::pin(tokio::time::sleep(LINGER)));
                continue;
            }
            if sent.is_pending()
                && self.poll_take(cx)?.is_pending()
                && self.deadline.is_some() == watched
            {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Encodes what the end has, and writes; pending when there is nothing more to do.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> io::Result<Poll<()>> {
        loop {
            while self.outgoing == Outgoing::Open && self.unsent.len() < UNSENT {
                match self.end.poll_receive(cx) {
                    Poll::Ready(Some(received)) => self.encode(received),
                    Poll::Ready(None) | Poll::Pending => break,
                }
            }
            if self.unsent.is_empty() {
                // An idle connection keeps no buffer.
                self.unsent = BytesMut::new();
                if self.unflushed
                    && let Poll::Ready(flushed) = Pin::new(&mut self.stream).poll_flush(cx)
                {
                    flushed?;
                    self.unflushed = false;
                }
                return Ok(Poll::Pending);
            }
            match Pin::new(&mut self.stream).poll_write(cx, &self.unsent) {
                Poll::Pending => return Ok(Poll::Pending),
                Poll::Ready(written) => match written? {
                    0 => return Err(io::ErrorKind::WriteZero.into()),
                    written => self.unsent.advance(written),
                },
            }
            self.unflushed = true;
            if self.unsent.is_empty() && self.outgoing == Outgoing::Closing {
                return Ok(Poll::Ready(()));
            }
        }
    }

    fn encode(&mut self, received: Received) {
        match received {
            Received::Message(SocketMessage::Text(text)) => {
                self.encoder.text(&text, &mut self.unsent);
            }
            Received::Message(SocketMessage::Binary(bytes)) => {
                self.encoder.binary(&bytes, &mut self.unsent);
            }
            Received::Message(SocketMessage::Close { code, reason }) => self.close(code, &reason),
            Received::Lost(loss) => {
                let (code, reason) = close_code(&loss);
                self.close(code, reason);
            }
        }
    }

    fn close(&mut self, code: u16, reason: &str) {
        if self.outgoing == Outgoing::Open {
            self.encoder.close(code, reason, &mut self.unsent);
            self.outgoing = Outgoing::Closing;
            self.deadline = Some(Box::pin(tokio::time::sleep(CLOSE_TIMEOUT)));
        }
    }

    /// Reads once and passes on what came, if the end has room for it.
    fn poll_take(&mut self, cx: &mut Context<'_>) -> io::Result<Poll<()>> {
        // Pongs that the other side does not take are not piled up either.
        if self.reading == Reading::Shut
            || self.unsent.len() >= UNSENT
            || self.end.poll_room(cx).is_pending()
        {
            return Ok(Poll::Pending);
        }
        match self.poll_read(cx, Self::take) {
            Poll::Pending => Ok(Poll::Pending),
            Poll::Ready(read) => match read? {
                // After its close the other side may stop sending, and still waits for ours.
                0 if self.reading == Reading::Ended => {
                    self.reading = Reading::Shut;
                    self.deadline
                        .get_or_insert_with(|| Box::pin(tokio::time::sleep(CLOSE_TIMEOUT)));
                    Ok(Poll::Ready(()))
                }
                0 => Err(io::ErrorKind::UnexpectedEof.into()),
                _ => Ok(Poll::Ready(())),
            },
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        if bytes.is_empty() || self.reading != Reading::Open {
            return;
        }
        let Self {
            end,
            encoder,
            unsent,
            reading,
            outgoing,
            ..
        } = self;
        let read = self.decoder.read(bytes, |incoming| match incoming {
            _ if *reading == Reading::Ended => {}
            Incoming::Text(text) => end.send(SocketMessage::Text(text)),
            Incoming::Binary(bytes) => end.send(SocketMessage::Binary(bytes)),
            Incoming::Ping(payload) => {
                if *outgoing == Outgoing::Open {
                    encoder.pong(&payload, unsent);
                }
            }
            Incoming::Pong => {}
            Incoming::Close { code, reason } => {
                *reading = Reading::Ended;
                end.send(SocketMessage::Close {
                    code,
                    reason: reason.into(),
                });
            }
        });
        if let Err(ProtocolError { code, reason }) = read
            && self.reading == Reading::Open
        {
            self.reading = Reading::Ended;
            self.end.lose(SocketLoss {
                code,
                reason: reason.into(),
                is_error: true,
            });
            self.close(code, reason);
        }
    }

    /// Reads once and gives what came to `use_bytes`; 0: the stream has ended.
    fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        use_bytes: impl FnOnce(&mut Self, &[u8]),
    ) -> Poll<io::Result<usize>> {
        let mut scratch = SCRATCH.take();
        scratch.resize(READ, 0);
        let mut buffer = ReadBuf::new(&mut scratch);
        let read = Pin::new(&mut self.stream).poll_read(cx, &mut buffer);
        let filled = buffer.filled().len();
        use_bytes(self, &scratch[..filled]);
        SCRATCH.set(scratch);
        read.map_ok(|()| filled)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use tokio::io::AsyncReadExt;

    use super::*;
    use crate::socket::socket_pair;

    const OPTIONS: WireOptions = WireOptions {
        role: Role::Server,
        deflate: false,
        max_message: 1 << 20,
    };
    /// Longer than anything here takes, and than the time to answer a close.
    const NEVER: Duration = Duration::from_secs(10);

    fn carried<S: AsyncRead + AsyncWrite + Unpin>(
        stream: S,
        end: SocketEnd,
    ) -> impl Future<Output = ()> {
        carry(stream, Bytes::new(), end, OPTIONS, std::future::pending())
    }

    #[tokio::test]
    async fn a_close_ends_the_connection_of_a_client_that_takes_nothing() {
        // What the client has room for is full before the close comes.
        let (ours, _client) = tokio::io::duplex(16);
        let (object, end) = socket_pair(1 << 20);
        object.send(SocketMessage::Binary(vec![0; 100].into()));
        let mut wire = std::pin::pin!(carried(ours, end));
        poll_fn(|cx| {
            assert!(wire.as_mut().poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        object.send(SocketMessage::Close {
            code: 1000,
            reason: "".into(),
        });
        // The message has woken this test already.
        tokio::task::yield_now().await;
        let watch = tokio::time::sleep(NEVER);
        tokio::select! {
            biased;
            () = watch => panic!("nobody watched the time"),
            () = wire => {}
        }
        let lost = object.receive().await;
        assert_eq!(lost, Some(Received::Lost(SocketLoss::disconnected())));
    }

    /// A stream that keeps what is written until it is flushed, as TLS does, and whose flush must be tried
    /// again.
    struct Held<S> {
        inner: S,
        held: BytesMut,
        flushes: Arc<AtomicUsize>,
    }

    impl<S: AsyncRead + Unpin> AsyncRead for Held<S> {
        fn poll_read(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buffer: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            Pin::new(&mut self.inner).poll_read(cx, buffer)
        }
    }

    impl<S: AsyncWrite + Unpin> AsyncWrite for Held<S> {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            self.held.extend_from_slice(bytes);
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            let Self {
                inner,
                held,
                flushes,
            } = &mut *self;
            if flushes.fetch_add(1, Ordering::Relaxed) == 0 {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            while !held.is_empty() {
                let written = ready!(Pin::new(&mut *inner).poll_write(cx, held))?;
                held.advance(written);
            }
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.inner).poll_shutdown(cx)
        }
    }

    #[tokio::test]
    async fn a_flush_that_has_to_wait_is_tried_again() {
        let (inner, mut client) = tokio::io::duplex(1_024);
        let (object, end) = socket_pair(1 << 20);
        let stream = Held {
            inner,
            held: BytesMut::new(),
            flushes: Arc::default(),
        };
        object.send(SocketMessage::Text("held".into()));
        let mut frame = [0; 6];
        let read = async {
            tokio::select! {
                () = carried(stream, end) => panic!("the connection ended"),
                read = client.read_exact(&mut frame) => read,
            }
        };
        let read = tokio::time::timeout(NEVER, read).await;
        read.expect("the message stays in the stream").unwrap();
        assert_eq!(&frame[2..], b"held");
    }
}
