//! Reads a whole request body, bounded in size and in time.

use std::{pin::Pin, task::Poll, time::Duration};

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming};
use tokio::time::Instant;

use crate::{
    failure::Failure,
    options::{GatewayOptions, MIN_BODY_RATE},
};

/// Space set aside on the word of a content-length alone, in bytes.
const MAX_RESERVED: usize = 1 << 20;

/// A body whose length is stated and no greater is read before the request is passed on.
const READ_AHEAD: u64 = 64 << 10;

/// A request's body for a reader that can take it piece by piece. A task on this thread passes
/// the pieces on as they are wanted, within the same limits as [`read`].
pub(crate) async fn open(
    mut body: Incoming,
    options: &GatewayOptions,
) -> Result<dolmen_runtime::Body, Failure> {
    use dolmen_runtime::{Body as Passed, body_stream};
    if body.is_end_stream() {
        return Ok(Passed::None);
    }
    let length = body.size_hint().exact();
    if length.is_some_and(|length| length <= READ_AHEAD) {
        return read(body, options).await.map(Passed::Full);
    }
    let (limit, patience) = (options.max_body_bytes, options.body_timeout);
    if length.is_some_and(|length| usize::try_from(length).map_or(true, |length| length > limit)) {
        return Err(Failure::body_too_large(limit));
    }
    let (writer, reader) = body_stream(length);
    tokio::task::spawn_local(async move {
        let mut received = 0;
        loop {
            // The clock runs while the client is waited for, and not while the reader is.
            let mut waiting_since = None;
            let piece = tokio::select! {
                () = writer.closed() => return,
                piece = next_piece(&mut body, 0, &mut waiting_since, patience) => piece,
            };
            let failure = match piece {
                Ok(None) => {
                    // A reader that is gone has no use for the end.
                    let _ = writer.end().await;
                    return;
                }
                Ok(Some(piece)) => {
                    received += piece.len();
                    if received <= limit {
                        if writer.write(piece).await.is_err() {
                            return;
                        }
                        continue;
                    }
                    Failure::body_too_large(limit)
                }
                Err(failure) => failure,
            };
            return writer.fail(failure.into_error()).await;
        }
    });
    Ok(Passed::Stream(reader))
}

/// Reads `body` to its end. A body of one piece is not copied.
pub(crate) async fn read(mut body: Incoming, options: &GatewayOptions) -> Result<Bytes, Failure> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    let limit = options.max_body_bytes;
    let stated = body.size_hint().lower();
    if usize::try_from(stated).is_ok_and(|stated| stated > limit) {
        return Err(Failure::body_too_large(limit));
    }
    let mut started = None;
    let mut whole = Bytes::new();
    let mut pieces = BytesMut::new();
    loop {
        let received = whole.len() + pieces.len();
        let Some(piece) =
            next_piece(&mut body, received, &mut started, options.body_timeout).await?
        else {
            break;
        };
        if received + piece.len() > limit {
            return Err(Failure::body_too_large(limit));
        }
        if received == 0 {
            whole = piece;
            continue;
        }
        if pieces.is_empty() {
            pieces.reserve(
                usize::try_from(stated).map_or(MAX_RESERVED, |stated| stated.min(MAX_RESERVED)),
            );
            pieces.extend_from_slice(&std::mem::take(&mut whole));
        }
        pieces.extend_from_slice(&piece);
    }
    Ok(if pieces.is_empty() {
        whole
    } else {
        pieces.freeze()
    })
}

/// The next bytes of the body; `None` at its end. The clock starts only when there is a wait.
async fn next_piece(
    body: &mut Incoming,
    received: usize,
    started: &mut Option<Instant>,
    patience: Duration,
) -> Result<Option<Bytes>, Failure> {
    loop {
        let ready =
            std::future::poll_fn(|cx| Poll::Ready(Pin::new(&mut *body).poll_frame(cx))).await;
        let frame = match ready {
            Poll::Ready(frame) => frame,
            Poll::Pending => {
                let started = *started.get_or_insert_with(Instant::now);
                let needed = Duration::from_secs(received as u64) / MIN_BODY_RATE;
                tokio::time::timeout_at(started + patience + needed, body.frame())
                    .await
                    .map_err(|_| Failure::body_too_slow())?
            }
        };
        let frame = match frame {
            None => return Ok(None),
            Some(Ok(frame)) => frame,
            Some(Err(error)) => {
                return Err(Failure::bad_request(format!(
                    "the request body is broken: {error}"
                )));
            }
        };
        // Trailers are not passed on.
        if let Ok(piece) = Frame::into_data(frame)
            && !piece.is_empty()
        {
            return Ok(Some(piece));
        }
    }
}
