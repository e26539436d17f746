//! The load generator: one thread that keeps a request under way on each of its connections.
//!
//! Every request sent is waited for and its answer checked, also those that end after the measured time; only the
//! answers within it count for the rate and the latencies.

use std::net::SocketAddr;
use std::ops::Range;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use hdrhistogram::Histogram;
use mio::{Events, Poll, Token};

use crate::connection::Connection;
use crate::interrupt;
use crate::work::Work;

/// The longest that an answer may take. Seen at worst: 1 s, on a disk in heavy use.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// How often a load that gets no answers looks at the clock.
pub const LONGEST_WAIT: Duration = Duration::from_millis(100);
/// The longest latency that the histogram tells apart, in microseconds.
const LONGEST_LATENCY_US: u64 = 60_000_000;
const HISTOGRAM_DIGITS: u8 = 3;

/// When a load stops sending.
#[derive(Clone, Copy, Debug)]
pub enum Stop {
    /// After a time: `warm_up`, which is not measured, and `measured`.
    After {
        /// Driven, but not measured.
        warm_up: Duration,
        /// Driven and measured.
        measured: Duration,
    },
    /// After a number of requests, or after a time if that comes first.
    Requests {
        /// The most requests sent.
        count: u64,
        /// The longest time that requests are sent.
        within: Duration,
    },
}

/// What a load saw.
#[derive(Debug)]
pub struct Outcome {
    /// Right answers received, all of them.
    pub acknowledged: u64,
    /// The numbers that those answers brought, added up.
    pub total: u64,
    /// Right answers received within the measured time.
    pub measured: u64,
    /// The measured time.
    pub time: Duration,
    /// Of the measured answers, in microseconds.
    pub latencies_us: Histogram<u64>,
}

impl Outcome {
    /// Nothing yet, of a load that is measured for `time`.
    pub fn new(time: Duration) -> Self {
        Outcome {
            acknowledged: 0,
            total: 0,
            measured: 0,
            time,
            latencies_us: no_latencies(),
        }
    }

    /// Counts `answers` that came `at` once to what was sent at `sent_at`.
    pub fn take(&mut self, at: Instant, sent_at: Instant, measured: Range<Instant>, answers: u64) {
        self.acknowledged += answers;
        if measured.contains(&at) {
            self.measured += answers;
            let latency_us = u64::try_from((at - sent_at).as_micros()).unwrap_or(u64::MAX);
            self.latencies_us.saturating_record(latency_us);
        }
    }

    /// Answers in a second.
    pub fn rate(&self) -> f64 {
        self.measured as f64 / self.time.as_secs_f64()
    }
}

/// A histogram of latencies in microseconds, with none yet.
pub fn no_latencies() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST_LATENCY_US, HISTOGRAM_DIGITS)
        .expect("the bounds are constant and good")
}

/// Sends `work` to the server at `addr` over `connections` until `stop`, then waits for the last answers.
pub fn run(addr: SocketAddr, connections: u32, stop: Stop, work: &mut Work) -> Result<Outcome> {
    let (mut to_send, warm_up, measured) = match stop {
        Stop::After { warm_up, measured } => (u64::MAX, warm_up, measured),
        Stop::Requests { count, within } => (count, Duration::ZERO, within),
    };
    let mut poll = Poll::new()?;
    let mut connections = (0..connections as usize)
        .map(|token| Connection::open(addr, poll.registry(), Token(token)))
        .collect::<Result<Vec<_>>>()?;
    let mut events = Events::with_capacity(connections.len());
    let mut outcome = Outcome::new(measured);

    let from = Instant::now() + warm_up;
    let until = from + measured;
    let mut under_way = 0_u64;
    let mut last_answer = from;
    for connection in connections
        .iter_mut()
        .take(usize::try_from(to_send).unwrap_or(usize::MAX))
    {
        connection.send(|out| work.write_next(out))?;
        to_send -= 1;
        under_way += 1;
    }
    while under_way > 0 {
        if let Err(error) = poll.poll(&mut events, Some(LONGEST_WAIT))
            && error.kind() != std::io::ErrorKind::Interrupted
        {
            return Err(error).context("cannot wait for answers");
        }
        interrupt::check()?;
        for event in &events {
            let connection = &mut connections[event.token().0];
            connection.flush()?;
            connection.receive(event.is_read_closed(), |answer, sent_at| {
                outcome.total += work.check(answer)?;
                under_way -= 1;
                last_answer = Instant::now();
                outcome.take(last_answer, sent_at, from..until, 1);
                Ok(())
            })?;
            if connection.sent_at().is_none() && to_send > 0 && last_answer < until {
                connection.send(|out| work.write_next(out))?;
                to_send -= 1;
                under_way += 1;
            }
        }
        let slowest = connections.iter().filter_map(Connection::sent_at).min();
        if events.is_empty() && slowest.is_some_and(|sent_at| sent_at.elapsed() > ANSWER_TIMEOUT) {
            bail!("no answer within {} s", ANSWER_TIMEOUT.as_secs());
        }
    }
    if let Stop::Requests { .. } = stop {
        outcome.time = last_answer - from;
    }
    Ok(outcome)
}
