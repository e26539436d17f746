//! Compression and decompression in bounded steps, for the streams of `glue/web/compression.js`.
//!
//! Input is fed in, output is asked for: at most [`CHUNK_BYTES`] at a time, so that a small input cannot
//! become a huge output before the engine has counted it.

use std::io::{self, Write};

use bytes::Bytes;
use dolmen_http_client::decode::{CHUNK_BYTES, Decoder, Feed, Step};
use flate2::{
    Compression,
    write::{DeflateEncoder, GzEncoder, ZlibEncoder},
};
use rquickjs::{
    Ctx, Exception, Function, IntoJs, Null, Object, Result, TypedArray, Value,
    prelude::{Func, MutFn, Opt},
};

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
