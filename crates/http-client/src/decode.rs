//! Decompression in bounded steps, for bodies that are received and for whoever else has compressed bytes.
//!
//! Input is fed in, output is asked for: at most [`CHUNK_BYTES`] at a time, so that a small input cannot
//! become a huge output before the engine has counted it.

use std::io::{self, BufRead, Read};

use brotli_decompressor::Decompressor;
use bytes::{Buf, Bytes};
use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

/// Most bytes that a step gives.
pub const CHUNK_BYTES: usize = 64 << 10;

/// What the brotli decoder reads at a time.
const BROTLI_INPUT_BYTES: usize = 4 << 10;

/// One body or stream that is decoded.
pub enum Decoder {
    /// It is not compressed.
    Identity(Feed),
    /// gzip, perhaps several after each other.
    Gzip(MultiGzDecoder<Feed>),
    /// In the zlib format, as HTTP has it.
    Deflate(ZlibDecoder<Feed>),
    /// Without the zlib format.
    DeflateRaw(DeflateDecoder<Feed>),
    /// brotli.
    Brotli(Box<Decompressor<Feed>>),
}

/// What a step of a decoder has come to.
pub enum Step {
    /// Decoded bytes, not none.
    Output(Bytes),
    /// It takes more input.
    Hungry,
    /// There is no more, and all is decoded.
    Ended,
}

impl Decoder {
    /// Gives what it is fed.
    pub fn identity() -> Self {
        Decoder::Identity(Feed::default())
    }

    /// Of [`Decoder::Gzip`].
    pub fn gzip() -> Self {
        Decoder::Gzip(MultiGzDecoder::new(Feed::default()))
    }

    /// Of [`Decoder::Deflate`].
    pub fn deflate() -> Self {
        Decoder::Deflate(ZlibDecoder::new(Feed::default()))
    }

    /// Of [`Decoder::DeflateRaw`].
    pub fn deflate_raw() -> Self {
        Decoder::DeflateRaw(DeflateDecoder::new(Feed::default()))
    }

    /// Of [`Decoder::Brotli`].
    pub fn brotli() -> Self {
        let decoder = Decompressor::new(Feed::default(), BROTLI_INPUT_BYTES);
        Decoder::Brotli(Box::new(decoder))
    }

    /// Gives it input; to be called when it is hungry.
    pub fn feed(&mut self, input: Bytes) {
        self.source().bytes = input;
    }

    /// There is no more input.
    pub fn end(&mut self) {
        self.source().ended = true;
    }

    /// The next bytes.
    ///
    /// # Errors
    /// What is wrong with the input.
    pub fn step(&mut self) -> io::Result<Step> {
        let reader: &mut dyn Read = match self {
            Decoder::Identity(feed) => {
                let length = feed.bytes.len().min(CHUNK_BYTES);
                return Ok(match (length, feed.ended) {
                    (0, false) => Step::Hungry,
                    (0, true) => Step::Ended,
                    _ => Step::Output(feed.bytes.split_to(length)),
                });
            }
            Decoder::Gzip(decoder) => decoder,
            Decoder::Deflate(decoder) => decoder,
            Decoder::DeflateRaw(decoder) => decoder,
            Decoder::Brotli(decoder) => decoder,
        };
        step(reader)
    }

    /// Its input.
    pub fn source(&mut self) -> &mut Feed {
        match self {
            Decoder::Identity(feed) => feed,
            Decoder::Gzip(decoder) => decoder.get_mut(),
            Decoder::Deflate(decoder) => decoder.get_mut(),
            Decoder::DeflateRaw(decoder) => decoder.get_mut(),
            Decoder::Brotli(decoder) => decoder.get_mut(),
        }
    }
}

/// Reads the next bytes of a source that blocks when it takes more input.
fn step(reader: &mut dyn Read) -> io::Result<Step> {
    let mut chunk = vec![0; CHUNK_BYTES];
    match reader.read(&mut chunk) {
        Ok(0) => Ok(Step::Ended),
        Ok(length) => {
            chunk.truncate(length);
            Ok(Step::Output(Bytes::from(chunk)))
        }
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Step::Hungry),
        Err(error) => Err(error),
    }
}

/// Input of a decoder: blocks when it has none, until the end is known.
#[derive(Default)]
pub struct Feed {
    /// What has not been read.
    pub bytes: Bytes,
    /// No more will come.
    pub ended: bool,
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
