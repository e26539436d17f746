//! Compression and decompression in bounded steps, for the bodies that `fetch` receives and for the streams of
//! `glue/web/compression.js`.
//!
//! Input is fed in, output is asked for: at most [`CHUNK_BYTES`] at a time, so that a small input cannot
//! become a huge output before the engine has counted it.

use std::io::{self, BufRead, Read, Write};

use brotli_decompressor::Decompressor;
use bytes::{Buf, Bytes};
use flate2::{
    Compression,
    bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder},
    write::{DeflateEncoder, GzEncoder, ZlibEncoder},
};
use rquickjs::{
    Ctx, Exception, Function, IntoJs, Null, Object, Result, TypedArray, Value,
    prelude::{Func, MutFn, Opt},
};

/// Most bytes that a step gives.
pub(super) const CHUNK_BYTES: usize = 64 << 10;

/// What the brotli decoder reads at a time.
const BROTLI_INPUT_BYTES: usize = 4 << 10;

pub(super) enum Decoder {
    Identity(Feed),
    Gzip(MultiGzDecoder<Feed>),
    /// In the zlib format, as HTTP has it.
    Deflate(ZlibDecoder<Feed>),
    DeflateRaw(DeflateDecoder<Feed>),
    Brotli(Box<Decompressor<Feed>>),
}

/// What a step of a decoder has come to.
pub(super) enum Step {
    /// Decoded bytes, not none.
    Output(Bytes),
    /// It takes more input.
    Hungry,
    /// There is no more, and all is decoded.
    Ended,
}

impl Decoder {
    pub(super) fn identity() -> Self {
        Decoder::Identity(Feed::default())
    }

    pub(super) fn gzip() -> Self {
        Decoder::Gzip(MultiGzDecoder::new(Feed::default()))
    }

    pub(super) fn deflate() -> Self {
        Decoder::Deflate(ZlibDecoder::new(Feed::default()))
    }

    fn deflate_raw() -> Self {
        Decoder::DeflateRaw(DeflateDecoder::new(Feed::default()))
    }

    pub(super) fn brotli() -> Self {
        let decoder = Decompressor::new(Feed::default(), BROTLI_INPUT_BYTES);
        Decoder::Brotli(Box::new(decoder))
    }

    /// Gives it input; to be called when it is hungry.
    pub(super) fn feed(&mut self, input: Bytes) {
        self.source().bytes = input;
    }

    /// There is no more input.
    pub(super) fn end(&mut self) {
        self.source().ended = true;
    }

    /// The next bytes. An error says what is wrong with the input.
    pub(super) fn step(&mut self) -> io::Result<Step> {
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

    fn source(&mut self) -> &mut Feed {
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
pub(super) struct Feed {
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

// ---- for the streams -------------------------------------------------------------------------------

/// What turns a program's bytes into others.
enum Codec {
    Decode(Decoder),
    /// With the input that waits.
    Encode(Encoder, Feed),
}

enum Encoder {
    Gzip(GzEncoder<Vec<u8>>),
    Deflate(ZlibEncoder<Vec<u8>>),
    DeflateRaw(DeflateEncoder<Vec<u8>>),
    Finished,
}

impl Codec {
    fn feed(&mut self) -> &mut Feed {
        match self {
            Codec::Decode(decoder) => decoder.source(),
            Codec::Encode(_, feed) => feed,
        }
    }

    fn step(&mut self) -> io::Result<Step> {
        let result = match self {
            Codec::Decode(decoder) => decoder.step(),
            Codec::Encode(encoder, feed) => encoder.step(feed),
        };
        match result {
            // The end of the format before the end of the input.
            Ok(Step::Ended) if !self.feed().bytes.is_empty() => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "there is more after the end of the compressed data",
            )),
            // More may still come, which would be too much.
            Ok(Step::Ended) if !self.feed().ended => Ok(Step::Hungry),
            other => other,
        }
    }
}

impl Encoder {
    fn step(&mut self, feed: &mut Feed) -> io::Result<Step> {
        while !feed.bytes.is_empty() {
            let input = feed.bytes.split_to(feed.bytes.len().min(CHUNK_BYTES));
            let output = match self {
                Encoder::Gzip(encoder) => encoder.write_all(&input).map(|()| encoder.get_mut()),
                Encoder::Deflate(encoder) => encoder.write_all(&input).map(|()| encoder.get_mut()),
                Encoder::DeflateRaw(encoder) => {
                    encoder.write_all(&input).map(|()| encoder.get_mut())
                }
                Encoder::Finished => return Ok(Step::Ended),
            }?;
            if !output.is_empty() {
                return Ok(Step::Output(std::mem::take(output).into()));
            }
        }
        if !feed.ended {
            return Ok(Step::Hungry);
        }
        let rest = match std::mem::replace(self, Encoder::Finished) {
            Encoder::Gzip(encoder) => encoder.finish()?,
            Encoder::Deflate(encoder) => encoder.finish()?,
            Encoder::DeflateRaw(encoder) => encoder.finish()?,
            Encoder::Finished => return Ok(Step::Ended),
        };
        Ok(Step::Output(rest.into()))
    }
}

/// Adds `compressor` and `decompressor` to `native`: each makes a function of input, and of whether it is
/// the last, that returns the next bytes, nothing if it takes more input, or `null` at the end.
pub(super) fn native(native: &Object<'_>) -> Result<()> {
    native.set("decompressor", Func::from(decompressor))?;
    native.set("compressor", Func::from(compressor))
}

fn decompressor(ctx: Ctx<'_>, format: String) -> Result<Option<Function<'_>>> {
    let decoder = match format.as_str() {
        "gzip" => Decoder::gzip(),
        "deflate" => Decoder::deflate(),
        "deflate-raw" => Decoder::deflate_raw(),
        _ => return Ok(None),
    };
    function(ctx, Codec::Decode(decoder)).map(Some)
}

fn compressor(ctx: Ctx<'_>, format: String) -> Result<Option<Function<'_>>> {
    let level = Compression::default();
    let encoder = match format.as_str() {
        "gzip" => Encoder::Gzip(GzEncoder::new(Vec::new(), level)),
        "deflate" => Encoder::Deflate(ZlibEncoder::new(Vec::new(), level)),
        "deflate-raw" => Encoder::DeflateRaw(DeflateEncoder::new(Vec::new(), level)),
        _ => return Ok(None),
    };
    function(ctx, Codec::Encode(encoder, Feed::default())).map(Some)
}

fn function(ctx: Ctx<'_>, mut codec: Codec) -> Result<Function<'_>> {
    fn sized<'js, F>(function: F) -> F
    where
        F: FnMut(Ctx<'js>, Opt<Option<TypedArray<'js, u8>>>, Opt<bool>) -> Result<Value<'js>>,
    {
        function
    }
    let run = sized(move |ctx, input, last| {
        if let Some(input) = input.0.flatten() {
            codec.feed().bytes = Bytes::copy_from_slice(input.as_bytes().unwrap_or_default());
        }
        codec.feed().ended |= last.0.unwrap_or_default();
        match codec.step() {
            Ok(Step::Output(bytes)) => {
                TypedArray::<u8>::new_copy(ctx, bytes).map(TypedArray::into_value)
            }
            Ok(Step::Hungry) => Ok(Value::new_undefined(ctx)),
            Ok(Step::Ended) => Null.into_js(&ctx),
            Err(error) => Err(Exception::throw_type(
                &ctx,
                &format!("the data cannot be decompressed: {error}"),
            )),
        }
    });
    Function::new(ctx, MutFn::new(run))
}
