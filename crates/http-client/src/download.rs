//! The body of a response, decoded as it is read.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::timeout;

use crate::decode::{Decoder, Step};
use crate::{cause, idle};

/// A body that arrives.
pub struct Download {
    incoming: Incoming,
    decoder: Decoder,
    idle_timeout: Duration,
}

impl Download {
    /// Takes the headers that are no longer true of a decoded body out of `headers`.
    pub fn new(incoming: Incoming, headers: &mut HeaderMap, idle_timeout: Duration) -> Self {
        let encoding = headers.get(header::CONTENT_ENCODING);
        let decoder = match encoding.map(|encoding| encoding.as_bytes()) {
            Some(b"gzip" | b"x-gzip") => Decoder::gzip(),
            Some(b"deflate") => Decoder::deflate(),
            Some(b"br") => Decoder::brotli(),
            _ => Decoder::identity(),
        };
        if !matches!(decoder, Decoder::Identity(_)) {
            headers.remove(header::CONTENT_ENCODING);
            headers.remove(header::CONTENT_LENGTH);
        }
        Self {
            incoming,
            decoder,
            idle_timeout,
        }
    }

    /// The next bytes, or `None` at the end.
    ///
    /// # Errors
    /// In words, what is wrong with the body or the connection.
    pub async fn next(&mut self) -> Result<Option<Bytes>, String> {
        loop {
            match self.decoder.step() {
                Ok(Step::Output(bytes)) => return Ok(Some(bytes)),
                Ok(Step::Ended) => return Ok(None),
                Ok(Step::Hungry) => {}
                Err(error) => return Err(format!("its body cannot be decoded: {error}")),
            }
            let frame = timeout(self.idle_timeout, self.incoming.frame()).await;
            match frame.map_err(|_| idle(self.idle_timeout))? {
                None => self.decoder.end(),
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.decoder.feed(data);
                    }
                }
                Some(Err(error)) => return Err(cause(&error)),
            }
        }
    }
}
