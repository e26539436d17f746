//! The body of a response, decoded as it is read.

use std::io::{self, BufRead, Read};

use bytes::{Buf, Bytes};
use flate2::bufread::{MultiGzDecoder, ZlibDecoder};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use super::send::cause;

/// Most bytes that are given at a time.
const CHUNK_BYTES: usize = 64 << 10;

pub(super) struct Download {
    incoming: Incoming,
    decoder: Decoder,
}

enum Decoder {
    Identity(Feed),
    Gzip(MultiGzDecoder<Feed>),
    Deflate(ZlibDecoder<Feed>),
}

impl Download {
    pub(super) fn new(incoming: Incoming, encoding: Option<&[u8]>) -> Self {
        let decoder = match encoding {
            Some(b"gzip" | b"x-gzip") => Decoder::Gzip(MultiGzDecoder::new(Feed::default())),
            Some(b"deflate") => Decoder::Deflate(ZlibDecoder::new(Feed::default())),
            _ => Decoder::Identity(Feed::default()),
        };
        Self { incoming, decoder }
    }

    /// The next bytes, at most `CHUNK_BYTES`, so that a small compressed body cannot become a huge one
    /// before the engine has counted it.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, String> {
        loop {
            if let Some(decoded) = self.decoder.next()? {
                return Ok((!decoded.is_empty()).then_some(decoded));
            }
            match self.incoming.frame().await {
                None => self.decoder.feed().ended = true,
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.decoder.feed().bytes = data;
                    }
                }
                Some(Err(error)) => return Err(cause(&error)),
            }
        }
    }
}

impl Decoder {
    /// Decoded bytes, none at the end, or `None` if it takes more input.
    fn next(&mut self) -> Result<Option<Bytes>, String> {
        let read = |source: &mut dyn Read| {
            let mut chunk = vec![0; CHUNK_BYTES];
            match source.read(&mut chunk) {
                Ok(length) => {
                    chunk.truncate(length);
                    Ok(Some(Bytes::from(chunk)))
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
                Err(error) => Err(format!("its body cannot be decoded: {error}")),
            }
        };
        match self {
            Decoder::Identity(feed) if feed.bytes.is_empty() && !feed.ended => Ok(None),
            Decoder::Identity(feed) => {
                Ok(Some(feed.bytes.split_to(feed.bytes.len().min(CHUNK_BYTES))))
            }
            Decoder::Gzip(decoder) => read(decoder),
            Decoder::Deflate(decoder) => read(decoder),
        }
    }

    fn feed(&mut self) -> &mut Feed {
        match self {
            Decoder::Identity(feed) => feed,
            Decoder::Gzip(decoder) => decoder.get_mut(),
            Decoder::Deflate(decoder) => decoder.get_mut(),
        }
    }
}

/// Input of a decoder: blocks when it has none, until the end is known.
#[derive(Default)]
struct Feed {
    bytes: Bytes,
    ended: bool,
}

impl BufRead for Feed {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.bytes.is_empty() && !self.ended {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(&self.bytes)
    }

    fn consume(&mut self, count: usize) {
        self.bytes.advance(count);
    }
}

impl Read for Feed {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let length = available.len().min(out.len());
        out[..length].copy_from_slice(&available[..length]);
        self.consume(length);
        Ok(length)
    }
}
