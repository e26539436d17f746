//! The body of a request that the program makes chunk by chunk while the connection takes them.

use std::{pin::pin, rc::Rc};

use bytes::Bytes;
use dolmen_http_client::{Broken, Upload};
use rquickjs::{CaughtError, Ctx};
use tokio::sync::mpsc;

use super::message::BodyReader;
use super::send::Exchange;

/// Chunks that wait for the connection: one is on its way while the program makes the next.
const WAITING_CHUNKS: usize = 1;

/// A body that is read from the program while it is sent, until the exchange is given up.
pub(super) fn of_reader<'js>(
    ctx: &Ctx<'js>,
    reader: BodyReader<'js>,
    exchange: Rc<Exchange>,
) -> Upload {
    let (sender, receiver) = mpsc::channel(WAITING_CHUNKS);
    ctx.spawn(send_chunks(ctx.clone(), reader, sender, exchange));
    Upload::Chunks(receiver)
}

async fn send_chunks<'js>(
    ctx: Ctx<'js>,
    reader: BodyReader<'js>,
    sender: mpsc::Sender<Result<Bytes, Broken>>,
    exchange: Rc<Exchange>,
) {
    let mut cancelled = pin!(exchange.cancelled());
    loop {
        // The next chunk is asked for only when there is room for it.
        let room = tokio::select! {
            Ok(room) = sender.reserve() => room,
            () = &mut cancelled => break,
            else => break,
        };
        let chunk = tokio::select! {
            chunk = reader.next() => chunk,
            () = sender.closed() => break,
            () = &mut cancelled => break,
        };
        exchange.touch();
        match chunk {
            Ok(Some(chunk)) => room.send(Ok(chunk)),
            Ok(None) => return,
            Err(error) => {
                let message = CaughtError::from_error(&ctx, error).to_string();
                room.send(Err(Broken(message)));
                return;
            }
        }
    }
    reader.cancel("the request ended before its body did").await;
}
