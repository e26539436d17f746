//! `wasi:http/outgoing-handler`: requests under the egress rules, once what was written is durable.
//!
//! Redirects are the guest's to follow, and bodies are passed on as they are, compressed or not.

use std::{
    error::Error as StdError,
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use dolmen_http_client::{Broken, CONNECTION_HEADERS, IDLE_TIMEOUT, Upload, cause, client};
use dolmen_runtime::Host;
use http::header::CONTENT_LENGTH;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming};
use tokio::time::{Sleep, sleep, timeout};
use wasmtime_wasi_http::{Error, RequestOptions, Result, WasiBody, WasiHttpHooks};

use super::writes::Writes;
use crate::on_shard::OnShard;

/// Bytes of one piece of a body that a guest writes. Two of them wait for who takes them.
const PIECE_BYTES: usize = 16 << 10;

/// What `wasi:http` asks of its host.
pub(crate) struct Outgoing {
    host: OnShard<Rc<Host>>,
    writes: OnShard<Rc<Writes>>,
}

impl Outgoing {
    pub fn new(host: Rc<Host>, writes: Rc<Writes>) -> Self {
        Self {
            host: OnShard::new(host),
            writes: OnShard::new(writes),
        }
    }
}

type Sent = dyn Future<Output = Result<(http::Response<WasiBody>, Box<Told>)>> + Send;
type Told = dyn Future<Output = Result<()>> + Send;

impl WasiHttpHooks for Outgoing {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _told: Box<Told>,
    ) -> Box<Sent> {
        let gate = self.writes.gate_of_request();
        let client = client(&self.host.options().egress);
        let object = self.host.label();
        Box::new(async move {
            let client = client.map_err(|error| Error::InternalError(Some(error)))?;
            gate.await
                .map_err(|error| Error::InternalError(Some(error.to_string())))?;
            let limits = Limits::of(options.as_ref());
            let url = request.uri().to_string();
            let sent = timeout(limits.first, client.request(convert(request))).await;
            let answer = match sent {
                Ok(Ok(answer)) => answer,
                Ok(Err(error)) => {
                    let told = cause(&error);
                    tracing::warn!(object, url, "a request failed: {told}");
                    return Err(failure(&error, told));
                }
                Err(_) => return Err(Error::ConnectionReadTimeout),
            };
            let between = limits.between;
            let answer = answer.map(|body| Answer::new(body, between).boxed_unsync());
            let told: Box<Told> = Box::new(async { Ok(()) });
            Ok((answer, told))
        })
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        PIECE_BYTES
    }
}

/// How long each part may take.
struct Limits {
    first: Duration,
    between: Duration,
}

impl Limits {
    /// A guest may ask for less than the client's own limit. The connection is part of the wait for the answer,
    /// because it may come from a pool.
    fn of(options: Option<&RequestOptions>) -> Self {
        let at_most =
            |asked: Option<Duration>| asked.map_or(IDLE_TIMEOUT, |asked| asked.min(IDLE_TIMEOUT));
        let first = options.and_then(|options| {
            match (options.connect_timeout, options.first_byte_timeout) {
                (Some(connect), Some(first)) => Some(connect.saturating_add(first)),
                (_, first) => first,
            }
        });
        Self {
            first: at_most(first),
            between: at_most(options.and_then(|options| options.between_bytes_timeout)),
        }
    }
}

fn convert(request: http::Request<WasiBody>) -> http::Request<Upload> {
    let (mut parts, body) = request.into_parts();
    // The length is the one header of the connection that the guest may know better.
    for name in CONNECTION_HEADERS
        .iter()
        .filter(|name| **name != CONTENT_LENGTH)
    {
        parts.headers.remove(name);
    }
    let upload = if body.is_end_stream() {
        Upload::Whole(Bytes::new())
    } else {
        Upload::Frames(Box::pin(body.map_err(|error| Broken(format!("{error}")))))
    };
    http::Request::from_parts(parts, upload)
}

/// What a guest is told; most of the codes have no room for a reason, which is in the log.
fn failure(error: &(dyn StdError + 'static), told: String) -> Error {
    let mut source = Some(error);
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            match error.kind() {
                io::ErrorKind::PermissionDenied => return Error::HttpRequestDenied,
                io::ErrorKind::ConnectionRefused => return Error::ConnectionRefused,
                io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof => {
                    return Error::ConnectionTerminated;
                }
                io::ErrorKind::TimedOut => return Error::ConnectionTimeout,
                _ => {}
            }
        }
        source = error.source();
    }
    Error::InternalError(Some(told))
}

/// The body of an answer, with a limit on its silence.
struct Answer {
    body: Incoming,
    between: Duration,
    /// Runs while nothing comes.
    silence: Option<Pin<Box<Sleep>>>,
}

impl Answer {
    fn new(body: Incoming, between: Duration) -> Self {
        Self {
            body,
            between,
            silence: None,
        }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            self.silence = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(Error::Hyper)));
        }
        let between = self.between;
        let silence = self.silence.get_or_insert_with(|| Box::pin(sleep(between)));
        ready!(silence.as_mut().poll(cx));
        Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
    }
}
