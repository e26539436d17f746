//! Bodies: bytes that are all there, or that come piece by piece.
//!
//! A stream has room for a few pieces only; its writer waits for the reader, on whatever thread
//! that is. A stream whose writer goes without [`BodyWriter::end`] is broken off, which the reader sees.

use std::{
    future::poll_fn,
    task::{Context, Poll},
};

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use crate::{
    Result,
    error::{Error, ErrorKind},
};

/// Pieces that wait between a writer and its reader.
const PIECES: usize = 4;

/// The bytes of a request or a response.
#[derive(Debug, Default)]
pub enum Body {
    /// There is none, which is not the same as an empty one.
    #[default]
    None,
    /// All of it.
    Full(Bytes),
    /// What comes out of a stream.
    Stream(BodyReader),
}

impl Body {
    /// The bytes if all of them are there already; a stream gives `None`.
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::None => Some(&[]),
            Self::Full(bytes) => Some(bytes),
            Self::Stream(_) => None,
        }
    }
}

enum Piece {
    Bytes(Bytes),
    End,
    Failed(Error),
}

/// The end of a stream that bytes come out of. Dropping it tells the writer.
#[derive(Debug)]
pub struct BodyReader {
    pieces: mpsc::Receiver<Piece>,
    length: Option<u64>,
    ended: bool,
    /// Told at the end, and dropped with a reader that does not come so far.
    watcher: Option<oneshot::Sender<()>>,
}

impl std::fmt::Debug for Piece {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::End => f.write_str("end"),
            Self::Failed(error) => write!(f, "failed: {error}"),
        }
    }
}

/// The end of a stream that bytes go into.
#[derive(Clone, Debug)]
pub struct BodyWriter {
    pieces: mpsc::Sender<Piece>,
}

/// The reader of a stream is gone: what is written goes nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReaderGone;

/// A stream, with its whole length in bytes if that is known.
pub fn body_stream(length: Option<u64>) -> (BodyWriter, BodyReader) {
    let (sender, receiver) = mpsc::channel(PIECES);
    (
        BodyWriter { pieces: sender },
        BodyReader {
            pieces: receiver,
            length,
            ended: false,
            watcher: None,
        },
    )
}

impl BodyReader {
    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// What the writer failed with, or `Reset` if it went away in the middle.
    pub async fn next(&mut self) -> Option<Result<Bytes>> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// As [`BodyReader::next`], for those who poll.
    ///
    /// # Errors
    /// As there.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let piece = std::task::ready!(self.pieces.poll_recv(cx));
        if !matches!(piece, Some(Piece::Bytes(_)))
            && let Some(watcher) = self.watcher.take()
        {
            // Who watched may have gone.
            let _ = watcher.send(());
        }
        Poll::Ready(match piece {
            Some(Piece::Bytes(bytes)) => Some(Ok(bytes)),
            Some(Piece::End) => {
                self.ended = true;
                None
            }
            Some(Piece::Failed(error)) => Some(Err(error)),
            None => Some(Err(Error::new(
                ErrorKind::Reset,
                "the other side went away before the stream ended",
            ))),
        })
    }

    /// Resolves once the stream has been read to its end, whatever that is, and fails if the reader goes
    /// away before it.
    pub(crate) fn watch(&mut self) -> oneshot::Receiver<()> {
        let (watcher, read) = oneshot::channel();
        self.watcher = Some(watcher);
        read
    }

    /// How many bytes will come in all, if the writer said so.
    pub fn length(&self) -> Option<u64> {
        self.length
    }
}

impl BodyWriter {
    /// Passes bytes on, once there is room.
    ///
    /// # Errors
    /// If nobody reads any more.
    pub async fn write(&self, bytes: Bytes) -> Result<(), ReaderGone> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.send(Piece::Bytes(bytes)).await
    }

    /// Everything has been written.
    ///
    /// # Errors
    /// If nobody reads any more.
    pub async fn end(self) -> Result<(), ReaderGone> {
        self.send(Piece::End).await
    }

    /// The reader gets this error instead of more bytes.
    pub async fn fail(self, error: Error) {
        // A reader that is gone does not need it.
        let _ = self.send(Piece::Failed(error)).await;
    }

    /// Waits until nobody reads any more.
    pub async fn closed(&self) {
        self.pieces.closed().await;
    }

    async fn send(&self, piece: Piece) -> Result<(), ReaderGone> {
        self.pieces.send(piece).await.map_err(|_| ReaderGone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_stream_ends_fails_or_is_broken_off() {
        let (writer, mut reader) = body_stream(None);
        writer.write(Bytes::from_static(b"a")).await.unwrap();
        writer.end().await.unwrap();
        assert_eq!(reader.next().await.unwrap().unwrap(), "a");
        assert!(reader.next().await.is_none());
        assert!(reader.next().await.is_none());

        let (writer, mut reader) = body_stream(None);
        writer.fail(Error::new(ErrorKind::Storage, "lost")).await;
        assert_eq!(reader.next().await.unwrap().unwrap_err().message(), "lost");

        let (writer, mut reader) = body_stream(None);
        drop(writer);
        let error = reader.next().await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Reset);
    }

    #[tokio::test]
    async fn who_watches_a_stream_hears_whether_it_was_read_to_its_end() {
        let (writer, mut reader) = body_stream(None);
        let read = reader.watch();
        writer.end().await.unwrap();
        assert!(reader.next().await.is_none());
        assert_eq!(read.await, Ok(()));

        let (_writer, mut reader) = body_stream(None);
        let read = reader.watch();
        drop(reader);
        assert!(read.await.is_err());
    }

    #[tokio::test]
    async fn a_writer_waits_for_room_and_hears_that_nobody_reads() {
        let (writer, reader) = body_stream(None);
        for _ in 0..PIECES {
            writer.write(Bytes::from_static(b"x")).await.unwrap();
        }
        let mut full = std::pin::pin!(writer.write(Bytes::from_static(b"y")));
        let waiting = poll_fn(|cx| Poll::Ready(full.as_mut().poll(cx).is_pending()));
        assert!(waiting.await, "there was room for more than {PIECES}");
        drop(reader);
        assert_eq!(full.await, Err(ReaderGone));
    }
}
