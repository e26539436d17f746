//! The rows of the table: what each one measures, on whom, and the goal of Dolmen's design for it.

use clap::ValueEnum;
use serde::Serialize;

use crate::contender::Contender;
use crate::work::{Call, Objects};

/// One line of the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Row {
    /// RPC that touches no storage, one object.
    Rpc,
    /// RPC that reads one stored value, one object.
    RpcRead,
    /// Object fetch that touches no storage, one object.
    Fetch,
    /// Object fetch that touches no storage, 64 objects in turn.
    #[value(name = "fetch-64")]
    #[serde(rename = "fetch-64")]
    Fetch64,
    /// Durable increment, one object.
    Increment,
    /// Durable increment, 64 objects in turn.
    #[value(name = "increment-64")]
    #[serde(rename = "increment-64")]
    Increment64,
    /// Durable increment, a new object each time.
    IncrementNew,
    /// Resident memory per object that has answered one read.
    Memory,
    /// Resident memory per object that has made one durable increment.
    MemoryWritten,
    /// Time from starting the program to its first right answer.
    Start,
}

/// How a row is measured.
#[derive(Clone, Copy, Debug)]
pub enum Method {
    /// Answers in a second.
    Rate(Call, Objects),
    /// Kilobytes of resident memory for each object, touched by this call.
    Memory(Call),
    /// Milliseconds to the first answer.
    Start,
}

/// What the design asks of Dolmen in a row.
#[derive(Clone, Copy, Debug)]
pub enum Goal {
    /// At least this many times workerd's figure.
    TimesWorkerd(f64),
    /// At most this figure.
    AtMost(f64),
}

/// The share of the bare hyper server's rate that object fetch is to reach.
pub const HYPER_SHARE_GOAL: f64 = 0.45;

const MANY: u64 = 64;

impl Row {
    /// The name on the command line and in the JSON file.
    pub fn name(self) -> String {
        self.to_possible_value()
            .expect("no row is skipped")
            .get_name()
            .to_owned()
    }

    /// The name in the table.
    pub fn title(self) -> &'static str {
        match self {
            Row::Rpc => "RPC, no write, one object",
            Row::RpcRead => "RPC, one stored read, one object",
            Row::Fetch => "object fetch, no write, one object",
            Row::Fetch64 => "object fetch, no write, 64 objects",
            Row::Increment => "durable increment, one object",
            Row::Increment64 => "durable increment, 64 objects",
            Row::IncrementNew => "durable increment, a new object each",
            Row::Memory => "memory per live object, read once",
            Row::MemoryWritten => "memory per live object, written once",
            Row::Start => "time from start to first answer",
        }
    }

    /// How the row is measured.
    pub fn method(self) -> Method {
        match self {
            Row::Rpc => Method::Rate(Call::Hello, Objects::shared(1)),
            Row::RpcRead => Method::Rate(Call::Read, Objects::shared(1)),
            Row::Fetch => Method::Rate(Call::Fetch, Objects::shared(1)),
            Row::Fetch64 => Method::Rate(Call::Fetch, Objects::shared(MANY)),
            Row::Increment => Method::Rate(Call::Increment, Objects::shared(1)),
            Row::Increment64 => Method::Rate(Call::Increment, Objects::shared(MANY)),
            Row::IncrementNew => Method::Rate(Call::FirstIncrement, Objects::new_each()),
            Row::Memory => Method::Memory(Call::Read),
            Row::MemoryWritten => Method::Memory(Call::FirstIncrement),
            Row::Start => Method::Start,
        }
    }

    /// The unit of the row's figure, as printed behind it.
    pub fn unit(self) -> &'static str {
        match self.method() {
            Method::Rate(..) => "/s",
            Method::Memory(_) => " KB",
            Method::Start => " ms",
        }
    }

    /// The servers that the row is measured on.
    pub fn contenders(self) -> &'static [Contender] {
        match self {
            Row::Fetch | Row::Fetch64 => &[Contender::Workerd, Contender::Dolmen, Contender::Hyper],
            _ => &[Contender::Workerd, Contender::Dolmen],
        }
    }

    /// The design's goal, if it sets one.
    pub fn goal(self) -> Option<Goal> {
        match self {
            Row::Rpc | Row::Fetch | Row::Fetch64 => Some(Goal::TimesWorkerd(3.5)),
            Row::Increment => Some(Goal::TimesWorkerd(5.0)),
            Row::Increment64 => Some(Goal::TimesWorkerd(20.0)),
            Row::IncrementNew => Some(Goal::TimesWorkerd(10.0)),
            Row::Memory | Row::MemoryWritten => Some(Goal::AtMost(200.0)),
            Row::RpcRead | Row::Start => None,
        }
    }
}
