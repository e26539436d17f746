//! Measuring one row on one server, and checking that no acknowledged write was lost.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde::Serialize;

use crate::contender::{Contender, Programs};
use crate::flags::Flags;
use crate::idle_sockets::{self, Measured};
use crate::load::{self, Outcome, Stop};
use crate::memory;
use crate::rows::{Method, Row};
use crate::server::Server;
use crate::socket_rates;
use crate::work::{Call, Kept, Objects, Work};

/// Objects whose count is read back at most.
const MOST_READ_BACK: u64 = 256;
/// The longest that one call to each object may take in all.
const ONE_EACH_TIME: Duration = Duration::from_secs(30);

/// What was measured once, for one row on one server.
#[derive(Clone, Debug, Serialize)]
pub struct Sample {
    /// Counted from one.
    pub round: u32,
    /// The row measured.
    pub row: Row,
    /// The server measured.
    pub contender: Contender,
    /// What was seen.
    #[serde(flatten)]
    pub figure: Figure,
}

/// A figure and what it rests on.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    /// In the row's unit: answers per second, bytes, kilobytes (1,000 bytes) or milliseconds.
    pub value: f64,
    /// Half of the answers came within this time, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p50_us: Option<u64>,
    /// 99 of 100 answers came within this time, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p99_us: Option<u64>,
    /// Answers measured, objects touched, or WebSockets left idle.
    pub count: u64,
    /// For memory: the share of the touched objects that were still live in the end. For idle WebSockets: the share of
    /// the objects that had hibernated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
}

impl Figure {
    /// Answers in a second.
    pub fn of_rate(outcome: &Outcome) -> Result<Self> {
        ensure!(
            outcome.measured > 0,
            "no answer came within the measured time"
        );
        Ok(Figure {
            value: outcome.rate(),
            p50_us: Some(outcome.latencies_us.value_at_quantile(0.50)),
            p99_us: Some(outcome.latencies_us.value_at_quantile(0.99)),
            count: outcome.measured,
            share: None,
        })
    }
}

/// Starts `contender` afresh and measures `row` on it.
pub fn measure(
    flags: &Flags,
    programs: &Programs,
    root: &Path,
    row: Row,
    contender: Contender,
) -> Result<Figure> {
    let mut server = Server::start(programs, contender, row.bundle(), root)?;
    if flags.only.is_some() {
        eprintln!(
            "{} runs as process {} at {}",
            contender.name(),
            server.pid(),
            server.addr()
        );
    }
    let figure = match row.method() {
        Method::Rate(call, objects) => rate(flags, &server, call, objects),
        Method::Memory(call) => memory::per_object(flags, &server, call),
        Method::Echo => socket_rates::echo(flags, &server),
        Method::Broadcast => socket_rates::broadcast(flags, &server),
        Method::SocketMemory => {
            let count = idle_sockets::within_files(flags.sockets);
            let objects = flags.socket_objects;
            idle_sockets::measure(flags, &server, Measured::Bytes, count, objects)
        }
        Method::SocketWake => {
            let count = flags.woken_objects;
            idle_sockets::measure(flags, &server, Measured::Wake, count, count)
        }
        Method::Start => {
            let value = server.started_in().as_secs_f64() * 1e3;
            Ok(Figure {
                value,
                p50_us: None,
                p99_us: None,
                count: 1,
                share: None,
            })
        }
    };
    figure.map_err(|error| server.blame(error))
}

fn rate(flags: &Flags, server: &Server, call: Call, objects: Objects) -> Result<Figure> {
    // What it costs to make an object has a row of its own; in the others they are made before.
    let made = if objects.are_new() {
        0
    } else {
        call_each(server, call, objects)?.acknowledged
    };
    let stop = Stop::After {
        warm_up: flags.warm_up,
        measured: flags.duration,
    };
    let outcome = load::run(
        server.addr(),
        flags.connections,
        stop,
        &mut Work::new(call, objects),
    )?;
    match call.kept() {
        Kept::Nothing => {}
        Kept::Every(read) => {
            let kept = call_each(server, read, objects)?.total;
            let acknowledged = made + outcome.acknowledged;
            ensure!(
                kept == acknowledged,
                "{acknowledged} writes were acknowledged, but the objects hold {kept}"
            );
        }
        Kept::One(read) => {
            let sample = Objects::sample(outcome.acknowledged, MOST_READ_BACK);
            let kept = call_each(server, read, sample)?.total;
            let asked = sample.count;
            ensure!(
                kept == asked,
                "of {asked} objects incremented once, the counts add up to {kept}"
            );
        }
    }
    Figure::of_rate(&outcome)
}

/// Calls each of `objects` once, one after the other.
fn call_each(server: &Server, call: Call, objects: Objects) -> Result<Outcome> {
    let stop = Stop::Requests {
        count: objects.count,
        within: ONE_EACH_TIME,
    };
    let outcome = load::run(server.addr(), 1, stop, &mut Work::new(call, objects))?;
    ensure!(
        outcome.acknowledged == objects.count,
        "one call to each of {} objects took too long",
        objects.count
    );
    Ok(outcome)
}
