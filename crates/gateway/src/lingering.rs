//! A TCP stream that can be closed without losing its last answer.
//!
//! Closing a socket while bytes of the client are unread resets the connection, and the reset may
//! overtake the answer. So after an answer that left the body unread, the closing stream goes on
//! reading for a moment, bounded in time and size.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// How long a closing connection still reads.
const LINGER: Duration = Duration::from_secs(2);
/// How many bytes a closing connection still reads.
const LINGER_BYTES: u64 = 4 << 20;

/// Shuts the sending side and reads what the client still sends.
pub(crate) async fn close(mut stream: TcpStream) {
    // The client may be gone already; whatever it sends, and however this ends, is of no interest.
    drop(stream.shutdown().await);
    let mut rest = stream.take(LINGER_BYTES);
    drop(tokio::time::timeout(LINGER, tokio::io::copy(&mut rest, &mut tokio::io::sink())).await);
}

/// A connection's stream, as hyper reads and writes it.
pub(crate) struct Lingering {
    stream: Option<TokioIo<TcpStream>>,
    unread_body: Arc<AtomicBool>,
}

impl Lingering {
    /// `unread_body` is set by whoever answers without having read the whole request.
    pub fn new(stream: TcpStream, unread_body: Arc<AtomicBool>) -> Self {
        Self {
            stream: Some(TokioIo::new(stream)),
            unread_body,
        }
    }

    /// The stream, for a connection that goes on with another protocol.
    pub fn into_inner(self) -> Option<TcpStream> {
        self.stream.map(TokioIo::into_inner)
    }

    fn stream(&mut self) -> io::Result<Pin<&mut TokioIo<TcpStream>>> {
        self.stream
            .as_mut()
            .map(Pin::new)
            .ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

impl Read for Lingering {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        self.stream()?.poll_read(cx, buffer)
    }
}

impl Write for Lingering {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stream()?.poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.unread_body.load(Ordering::Relaxed) {
            if let Some(stream) = self.stream.take() {
                tokio::task::spawn_local(close(stream.into_inner()));
            }
            return Poll::Ready(Ok(()));
        }
        self.stream()?.poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.as_ref().is_some_and(Write::is_write_vectored)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream()?.poll_write_vectored(cx, bytes)
    }
}
