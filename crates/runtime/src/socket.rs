//! WebSockets inside the process: a pair of ends with a queue of messages in each direction.
//!
//! An end may be in a connection's task (`wire.rs`), in an instance, in a response on its way, or
//! in the table of an object that hibernates (`hibernation.rs`); the other end does not know which.
//! A queue that its reader does not empty is bounded: whoever can wait is made to
//! ([`SocketEnd::poll_room`]), and for those who cannot the socket is closed.

use std::{
    collections::VecDeque,
    future::poll_fn,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use dolmen_websocket::CloseCode;
use tokio::sync::mpsc::UnboundedSender;

use crate::{clock::Clock, object::ObjectKey, shard::ShardMessage};

/// Names one hibernatable socket of one object; later ones have higher numbers.
pub type SocketId = u64;

/// What a queued message costs besides its bytes.
const MESSAGE_COST: usize = 64;
/// Bytes that may wait for a reader before a writer that can wait does.
const ROOM: usize = 64 << 10;
/// The reason of a connection that ended without a close frame.
const NO_CLOSE_FRAME: &str = "WebSocket disconnected without sending Close frame.";
/// Messages that an empty queue keeps room for.
const KEPT_MESSAGES: usize = 16;
const TOO_SLOW: &str = "the other side takes its messages too slowly";

/// A message, or the last one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SocketMessage {
    /// Text, valid UTF-8.
    Text(Bytes),
    /// Bytes.
    Binary(Bytes),
    /// Nothing follows in this direction.
    Close {
        /// 1000 to 4999; 1005: none.
        code: u16,
        /// At most 123 bytes.
        reason: Box<str>,
    },
}

impl SocketMessage {
    fn cost(&self) -> usize {
        MESSAGE_COST
            + match self {
                Self::Text(bytes) | Self::Binary(bytes) => bytes.len(),
                Self::Close { reason, .. } => reason.len(),
            }
    }
}

/// Why a direction ended without a close.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketLoss {
    /// The code of the `close` event.
    pub code: u16,
    /// Its reason.
    pub reason: Box<str>,
    /// It is an `error`, and not only a `close`.
    pub is_error: bool,
}

impl SocketLoss {
    /// The server is going.
    pub fn restart() -> Self {
        Self {
            code: CloseCode::RESTART,
            reason: "the server restarts".into(),
            is_error: false,
        }
    }

    /// The other side is gone.
    pub fn disconnected() -> Self {
        Self {
            code: CloseCode::ABNORMAL,
            reason: NO_CLOSE_FRAME.into(),
            is_error: false,
        }
    }
}

/// What comes out of a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// A message; nothing follows a close.
    Message(SocketMessage),
    /// The end, without a close. Nothing follows.
    Lost(SocketLoss),
}

/// What an object answers without being woken: `setWebSocketAutoResponse`.
#[derive(Debug)]
pub(crate) struct AutoResponses {
    clock: Clock,
    pair: Mutex<Option<Arc<AutoResponse>>>,
}

/// A text message and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AutoResponse {
    /// The text that must be matched as a whole.
    pub request: Bytes,
    /// What is sent back.
    pub response: Bytes,
}

impl AutoResponses {
    pub fn new(clock: Clock) -> Self {
        Self {
            clock,
            pair: Mutex::default(),
        }
    }

    pub fn pair(&self) -> MutexGuard<'_, Option<Arc<AutoResponse>>> {
        self.pair.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, text: &Bytes) -> Option<Arc<AutoResponse>> {
        self.pair()
            .as_ref()
            .filter(|pair| pair.request == text)
            .cloned()
    }
}

/// Whom a queue tells that there is something to read.
#[derive(Debug, Default)]
enum Reader {
    /// Nobody yet.
    #[default]
    None,
    /// A task that waits.
    Task(Waker),
    /// The shard of an object, once until it has taken everything.
    Object(Arc<ObjectReader>, bool),
    /// It is gone.
    Gone,
}

#[derive(Debug)]
struct ObjectReader {
    shard: UnboundedSender<ShardMessage>,
    key: ObjectKey,
    socket: SocketId,
    auto: Arc<AutoResponses>,
}

/// One direction.
#[derive(Debug, Default)]
struct Direction {
    queue: VecDeque<SocketMessage>,
    /// What the queue, and what is promised to it, costs.
    bytes: usize,
    /// A close was queued.
    closed: bool,
    /// What comes after the queue.
    lost: Option<SocketLoss>,
    reader: Reader,
    /// A writer that waits for room.
    writer: Option<Waker>,
}

impl Direction {
    fn is_open(&self) -> bool {
        !self.closed && self.lost.is_none()
    }

    fn has_something(&self) -> bool {
        !self.queue.is_empty() || self.lost.is_some()
    }

    fn push(&mut self, message: SocketMessage) {
        self.closed = matches!(message, SocketMessage::Close { .. });
        self.queue.push_back(message);
        self.tell_reader();
    }

    fn lose(&mut self, loss: SocketLoss) {
        if self.is_open() {
            self.lost = Some(loss);
            self.tell_reader();
        }
    }

    fn take(&mut self) -> Option<Received> {
        match self.queue.pop_front() {
            Some(message) => {
                self.bytes = self.bytes.saturating_sub(message.cost());
                if self.queue.is_empty() && self.queue.capacity() > KEPT_MESSAGES {
                    self.queue = VecDeque::new();
                }
                if self.bytes < ROOM
                    && let Some(writer) = self.writer.take()
                {
                    writer.wake();
                }
                Some(Received::Message(message))
            }
            None => self.lost.take().map(|loss| {
                self.closed = true;
                Received::Lost(loss)
            }),
        }
    }

    fn tell_reader(&mut self) {
        match &mut self.reader {
            Reader::None | Reader::Gone => {}
            Reader::Task(waker) => waker.wake_by_ref(),
            Reader::Object(reader, told) => {
                if !*told {
                    *told = true;
                    // A closed inbox means that the process ends.
                    let _ = reader.shard.send(ShardMessage::Socket {
                        key: reader.key,
                        socket: reader.socket,
                    });
                }
            }
        }
    }
}

#[derive(Debug)]
struct Pair {
    /// What the end of this index reads.
    directions: [Mutex<Direction>; 2],
    /// Bytes that may wait in a direction.
    limit: usize,
    /// When an automatic response was last sent, milliseconds since 1970; 0: never.
    auto_responded: AtomicI64,
}

/// One end of a WebSocket. Dropping it ends the connection, with a loss unless it was closed.
#[derive(Debug)]
pub struct SocketEnd {
    pair: Arc<Pair>,
    index: usize,
}

/// Two connected ends. `limit`: bytes that may wait in each direction for a reader.
pub fn socket_pair(limit: usize) -> (SocketEnd, SocketEnd) {
    let pair = Arc::new(Pair {
        directions: Default::default(),
        limit,
        auto_responded: AtomicI64::new(0),
    });
    let end = |index| SocketEnd {
        pair: pair.clone(),
        index,
    };
    (end(0), end(1))
}

impl SocketEnd {
    fn incoming(&self) -> MutexGuard<'_, Direction> {
        self.direction(self.index)
    }

    fn outgoing(&self) -> MutexGuard<'_, Direction> {
        self.direction(1 - self.index)
    }

    fn direction(&self, index: usize) -> MutexGuard<'_, Direction> {
        self.pair.directions[index]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes room for a message that will be [`pushed`](Self::push). If too much waits already,
    /// the socket is ended on both sides, and `false` is returned.
    pub fn reserve(&self, message: &SocketMessage) -> bool {
        let mut outgoing = self.outgoing();
        if outgoing.bytes <= self.pair.limit || matches!(message, SocketMessage::Close { .. }) {
            outgoing.bytes += message.cost();
            return true;
        }
        let too_slow = SocketLoss {
            code: CloseCode::TRY_AGAIN_LATER,
            reason: TOO_SLOW.into(),
            is_error: false,
        };
        outgoing.queue.clear();
        outgoing.lose(too_slow.clone());
        drop(outgoing);
        self.incoming().lose(too_slow);
        false
    }

    /// Sends a message that room was [`reserved`](Self::reserve) for. After a close, or when the
    /// other end is gone, it goes nowhere.
    pub fn push(&self, message: SocketMessage) {
        let mut outgoing = self.outgoing();
        if !outgoing.is_open() || matches!(outgoing.reader, Reader::Gone) {
            outgoing.bytes = outgoing.bytes.saturating_sub(message.cost());
            return;
        }
        if let (SocketMessage::Text(text), Reader::Object(reader, _)) = (&message, &outgoing.reader)
            && let Some(auto) = reader.auto.find(text)
        {
            let now = reader.auto.clock.unix_ms();
            outgoing.bytes = outgoing.bytes.saturating_sub(message.cost());
            drop(outgoing);
            return self.answer(&auto, now);
        }
        outgoing.push(message);
    }

    /// Sends, whether there is room or not. For those who asked [`SocketEnd::poll_room`].
    pub fn send(&self, message: SocketMessage) {
        self.outgoing().bytes += message.cost();
        self.push(message);
    }

    /// The other end's automatic response to what this one sent.
    fn answer(&self, auto: &AutoResponse, now: i64) {
        let response = SocketMessage::Text(auto.response.clone());
        let mut incoming = self.incoming();
        if incoming.is_open() {
            incoming.bytes += response.cost();
            incoming.push(response);
            self.pair.auto_responded.store(now, Ordering::Relaxed);
        }
    }

    /// When an automatic response was last sent, milliseconds since 1970.
    pub fn auto_responded(&self) -> Option<i64> {
        Some(self.pair.auto_responded.load(Ordering::Relaxed)).filter(|time| *time != 0)
    }

    /// Whether a writer that can wait should go on.
    pub fn poll_room(&self, cx: &Context<'_>) -> Poll<()> {
        let mut outgoing = self.outgoing();
        if outgoing.bytes < ROOM || matches!(outgoing.reader, Reader::Gone) {
            return Poll::Ready(());
        }
        outgoing.writer = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Ends the outgoing direction without a close.
    pub fn lose(&self, loss: SocketLoss) {
        self.outgoing().lose(loss);
    }

    /// The next thing that arrived; `None` after the end.
    pub async fn receive(&self) -> Option<Received> {
        poll_fn(|cx| self.poll_receive(cx)).await
    }

    /// As [`SocketEnd::receive`], for those who poll.
    pub fn poll_receive(&self, cx: &Context<'_>) -> Poll<Option<Received>> {
        let mut incoming = self.incoming();
        if let Some(received) = incoming.take() {
            return Poll::Ready(Some(received));
        }
        if incoming.closed {
            return Poll::Ready(None);
        }
        match &mut incoming.reader {
            Reader::Task(waker) => waker.clone_from(cx.waker()),
            reader => *reader = Reader::Task(cx.waker().clone()),
        }
        Poll::Pending
    }

    /// From now on messages wake the object `key` on its shard.
    pub(crate) fn read_by_object(
        &self,
        shard: UnboundedSender<ShardMessage>,
        key: ObjectKey,
        socket: SocketId,
        auto: Arc<AutoResponses>,
    ) {
        let mut incoming = self.incoming();
        let reader = ObjectReader {
            shard,
            key,
            socket,
            auto,
        };
        incoming.reader = Reader::Object(Arc::new(reader), false);
        if incoming.has_something() {
            incoming.tell_reader();
        }
    }

    /// What arrived for the object that reads here, and whether there is more.
    pub(crate) fn take(&self) -> (Option<Received>, bool) {
        let mut incoming = self.incoming();
        let taken = incoming.take();
        let more = incoming.has_something();
        if let Reader::Object(_, told) = &mut incoming.reader {
            *told = more;
        }
        (taken, more)
    }
}

impl Drop for SocketEnd {
    fn drop(&mut self) {
        self.outgoing().lose(SocketLoss::disconnected());
        let mut incoming = self.incoming();
        incoming.reader = Reader::Gone;
        incoming.queue = VecDeque::new();
        if let Some(writer) = incoming.writer.take() {
            writer.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &'static str) -> SocketMessage {
        SocketMessage::Text(text.into())
    }

    fn close(code: u16) -> SocketMessage {
        SocketMessage::Close {
            code,
            reason: "".into(),
        }
    }

    #[tokio::test]
    async fn messages_arrive_in_order_and_nothing_follows_a_close() {
        let (a, b) = socket_pair(1_000);
        a.send(text("1"));
        a.send(text("2"));
        a.send(close(1000));
        a.send(text("3"));
        drop(a);
        assert_eq!(b.receive().await, Some(Received::Message(text("1"))));
        assert_eq!(b.receive().await, Some(Received::Message(text("2"))));
        assert_eq!(b.receive().await, Some(Received::Message(close(1000))));
        assert_eq!(b.receive().await, None);
    }

    #[tokio::test]
    async fn an_end_that_goes_without_a_close_is_a_loss_after_its_messages() {
        let (a, b) = socket_pair(1_000);
        a.send(text("1"));
        drop(a);
        assert_eq!(b.receive().await, Some(Received::Message(text("1"))));
        let lost = b.receive().await;
        assert_eq!(lost, Some(Received::Lost(SocketLoss::disconnected())));
        assert_eq!(b.receive().await, None);
        b.send(text("nobody reads this"));
    }

    #[tokio::test]
    async fn a_reader_that_is_too_slow_ends_the_socket_on_both_sides() {
        let (a, b) = socket_pair(300);
        let long = SocketMessage::Binary(vec![0; 300].into());
        assert!(a.reserve(&long), "one message may be larger than the limit");
        a.push(long.clone());
        assert!(!a.reserve(&text("1")));
        for end in [&a, &b] {
            let Some(Received::Lost(loss)) = end.receive().await else {
                panic!("it went on");
            };
            assert_eq!(loss.code, 1013);
        }
    }

    #[tokio::test]
    async fn a_writer_that_can_wait_hears_of_room() {
        let (a, b) = socket_pair(1 << 30);
        let room = |end: &SocketEnd| {
            let cx = Context::from_waker(Waker::noop());
            end.poll_room(&cx).is_ready()
        };
        assert!(room(&a));
        a.send(SocketMessage::Binary(vec![0; ROOM].into()));
        assert!(!room(&a));
        b.receive().await.unwrap();
        assert!(room(&a));
        a.send(SocketMessage::Binary(vec![0; ROOM].into()));
        drop(b);
        assert!(room(&a), "what is written goes nowhere");
    }

    #[tokio::test]
    async fn a_burst_leaves_no_memory_behind() {
        let (a, b) = socket_pair(1 << 20);
        for _ in 0..1_000 {
            a.send(text("x"));
        }
        while b.incoming().has_something() {
            b.receive().await.unwrap();
        }
        assert!(b.incoming().queue.capacity() <= KEPT_MESSAGES);
    }
}
