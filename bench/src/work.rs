//! What the load generator asks: which call, on which objects, and what a right answer holds.

use std::io::Write;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use crate::answer::Answer;

/// The call made in every request of one load. What each does is written in `objects/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// The object's `fetch`, which writes nothing.
    Fetch,
    /// An RPC that touches no storage.
    Hello,
    /// An RPC that reads the stored count.
    Read,
    /// An RPC that adds one to the stored count.
    Increment,
    /// An RPC that adds one to the count of an object never seen before.
    FirstIncrement,
    /// An RPC that tells whether the object is still in memory.
    Live,
    /// A request to the module worker.
    Worker(Op),
    /// A page of the WASM handler, from the worker.
    Page(Page),
    /// A page of the WASM handler, from an object.
    InObject(Page),
}

/// A page of the WASM handler. What each is, is written in `objects/handler.wat`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// A short text.
    Root,
    /// A short object.
    Json,
    /// A few sums.
    Simd,
    /// A long sum.
    Dot,
    /// Whether the instance has answered before.
    Live,
}

impl Page {
    /// The path, and the answer.
    pub fn path_and_answer(self) -> (&'static str, Option<&'static str>) {
        match self {
            Page::Root => ("/", Some("hello")),
            Page::Json => ("/json", Some(r#"{"message":"hello","ok":true}"#)),
            Page::Simd => ("/simd", Some(r#"{"sum":36,"dot":204,"scaled":72}"#)),
            Page::Dot => ("/dot", Some("500000")),
            Page::Live => ("/live", None),
        }
    }
}

/// What the module worker is asked to do. What each does is written in `objects/rows.mjs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// `stub.fetch`, which writes nothing.
    Page,
    /// An RPC that touches no storage.
    Hello,
    /// An RPC with an argument of 10 KB.
    Take,
    /// An RPC to an object that makes one to another object.
    Pass,
    /// SQL that reads 10 of 100 rows.
    Select,
    /// SQL that inserts one row.
    Insert,
    /// How many rows were inserted.
    Inserted,
    /// An asynchronous `get` of one key.
    Get,
    /// An asynchronous `put` of one key.
    Put,
    /// The last value put.
    Puts,
    /// An asynchronous `list` of 1,000 keys.
    List,
    /// 100 requests and 100 responses made in the worker.
    Messages,
    /// An RPC that reads the stored count.
    Read,
    /// An RPC that reads the stored count of an object never seen before.
    FirstRead,
    /// An RPC that adds one to the stored count.
    Increment,
    /// An RPC that adds one to the count of an object never seen before.
    FirstIncrement,
}

/// What a call leaves behind, and the call that reads it back.
#[derive(Clone, Copy, Debug)]
pub enum Kept {
    /// Nothing that could be counted.
    Nothing,
    /// One more for every answer.
    Every(Call),
    /// One in each object.
    One(Call),
}

/// What a right answer holds.
#[derive(Clone, Copy, Debug)]
enum Right {
    Text(&'static str),
    Number,
}

impl Call {
    /// The call that tells whether an object that this one touched is still in memory.
    pub fn live(self) -> Call {
        match self {
            Call::InObject(_) => Call::InObject(Page::Live),
            _ => Call::Live,
        }
    }

    /// What the call leaves behind.
    pub fn kept(self) -> Kept {
        match self {
            Call::Increment => Kept::Every(Call::Read),
            Call::FirstIncrement => Kept::One(Call::Read),
            Call::Worker(Op::Increment) => Kept::Every(Call::Worker(Op::Read)),
            Call::Worker(Op::FirstIncrement) => Kept::One(Call::Worker(Op::Read)),
            Call::Worker(Op::Put) => Kept::Every(Call::Worker(Op::Puts)),
            Call::Worker(Op::Insert) => Kept::Every(Call::Worker(Op::Inserted)),
            Call::Fetch
            | Call::Hello
            | Call::Read
            | Call::Live
            | Call::Worker(_)
            | Call::Page(_)
            | Call::InObject(_) => Kept::Nothing,
        }
    }
}

impl Op {
    /// The first part of the path, and the answer.
    fn path_and_answer(self) -> (&'static str, Right) {
        match self {
            Op::Page => ("page", Right::Text("hello, GET")),
            Op::Hello => ("hello", Right::Text("hello, bench")),
            Op::Take => ("take", Right::Text("100")),
            Op::Pass => ("pass", Right::Text("hello, bench")),
            Op::Select => ("select", Right::Text("505")),
            Op::Insert => ("insert", Right::Text("1")),
            Op::Inserted => ("inserted", Right::Number),
            Op::Get => ("get", Right::Text("value")),
            Op::Put => ("put", Right::Text("put")),
            Op::Puts => ("puts", Right::Number),
            Op::List => ("list", Right::Text("1000")),
            Op::Messages => ("messages", Right::Text("100")),
            Op::Read => ("read", Right::Number),
            Op::FirstRead => ("read", Right::Text("0")),
            Op::Increment => ("increment", Right::Number),
            Op::FirstIncrement => ("increment", Right::Text("1")),
        }
    }
}

/// Which objects a load goes to: `count` of them in turn, their numbers `step` apart, from `first` on.
#[derive(Clone, Copy, Debug)]
pub struct Objects {
    /// The number of the first object.
    pub first: u64,
    /// How many objects are asked before the first one's turn comes again.
    pub count: u64,
    /// The distance between the numbers of two objects that follow each other.
    pub step: u64,
}

impl Objects {
    /// The first `count` objects.
    pub fn shared(count: u64) -> Self {
        Objects {
            first: 0,
            count,
            step: 1,
        }
    }

    /// A new object for each request.
    pub fn new_each() -> Self {
        Objects::shared(u64::MAX)
    }

    /// Whether each request goes to an object never seen before.
    pub fn are_new(self) -> bool {
        self.count == u64::MAX
    }

    /// At most `sample` of the first `count` objects, evenly spaced.
    pub fn sample(count: u64, sample: u64) -> Self {
        let step = count.div_ceil(sample).max(1);
        Objects {
            first: 0,
            count: count.div_ceil(step),
            step,
        }
    }
}

/// The requests of one load, one after the other.
#[derive(Debug)]
pub struct Work {
    call: Call,
    objects: Objects,
    asked: u64,
}

/// A gateway's answer to an RPC.
#[derive(Deserialize)]
struct RpcAnswer<'a> {
    ok: bool,
    #[serde(borrow, default)]
    result: RpcResult<'a>,
}

#[derive(Deserialize, Default)]
#[serde(untagged)]
enum RpcResult<'a> {
    Number(u64),
    Text(&'a str),
    #[default]
    None,
}

impl Work {
    /// `call` on each of `objects` in turn.
    pub fn new(call: Call, objects: Objects) -> Self {
        Work {
            call,
            objects,
            asked: 0,
        }
    }

    /// Appends the next request to `out`.
    pub fn write_next(&mut self, out: &mut Vec<u8>) {
        let number = self.objects.first + (self.asked % self.objects.count) * self.objects.step;
        self.asked += 1;
        let (method, arguments) = match self.call {
            Call::Fetch => {
                write!(
                    out,
                    "GET /fetch/COUNTER/c{number}/hello HTTP/1.1\r\nhost: localhost\r\n\r\n"
                )
                .expect("a Vec takes every write");
                return;
            }
            Call::Hello => ("hello", "[\"bench\"]"),
            Call::Read => ("read", "[]"),
            Call::Increment | Call::FirstIncrement => ("increment", "[]"),
            Call::Live => ("live", "[]"),
            Call::Page(page) => {
                let (path, _) = page.path_and_answer();
                write!(out, "GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n")
                    .expect("a Vec takes every write");
                return;
            }
            Call::InObject(page) => {
                let (path, _) = page.path_and_answer();
                write!(
                    out,
                    "GET /do/c{number}{path} HTTP/1.1\r\nhost: localhost\r\n\r\n"
                )
                .expect("a Vec takes every write");
                return;
            }
            Call::Worker(op) => {
                let (what, _) = op.path_and_answer();
                write!(
                    out,
                    "GET /{what}/c{number} HTTP/1.1\r\nhost: localhost\r\n\r\n"
                )
                .expect("a Vec takes every write");
                return;
            }
        };
        let length = arguments.len();
        write!(
            out,
            "POST /rpc/COUNTER/c{number}/{method} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\n\r\n{arguments}"
        )
        .expect("a Vec takes every write");
    }

    /// Checks an answer. Returns the number it brought, 0 when the call brings none.
    pub fn check(&self, answer: &Answer<'_>) -> Result<u64> {
        ensure!(
            answer.status == 200,
            "wrong answer: status {}: {}",
            answer.status,
            answer.text()
        );
        if self.call == Call::Fetch {
            ensure!(
                *answer.body == *b"hello, GET",
                "wrong answer to fetch: {}",
                answer.text()
            );
            return Ok(0);
        }
        if let Call::Page(page) | Call::InObject(page) = self.call {
            let wrong = || format!("wrong answer to {page:?}: {}", answer.text());
            let Some(right) = page.path_and_answer().1 else {
                let text = std::str::from_utf8(&answer.body).ok();
                return text.and_then(|text| text.parse().ok()).with_context(wrong);
            };
            ensure!(*answer.body == *right.as_bytes(), wrong());
            return Ok(0);
        }
        if let Call::Worker(op) = self.call {
            let wrong = || format!("wrong answer to {op:?}: {}", answer.text());
            return match op.path_and_answer().1 {
                Right::Text(right) => {
                    ensure!(*answer.body == *right.as_bytes(), wrong());
                    Ok(0)
                }
                Right::Number => std::str::from_utf8(&answer.body)
                    .ok()
                    .and_then(|text| text.parse().ok())
                    .with_context(wrong),
            };
        }
        let rpc: Option<RpcAnswer<'_>> = serde_json::from_slice(&answer.body).ok();
        match (self.call, rpc) {
            (
                Call::Hello,
                Some(RpcAnswer {
                    ok: true,
                    result: RpcResult::Text("hello, bench"),
                }),
            ) => Ok(0),
            (
                Call::FirstIncrement,
                Some(RpcAnswer {
                    ok: true,
                    result: RpcResult::Number(1),
                }),
            ) => Ok(1),
            (
                Call::Read | Call::Increment | Call::Live,
                Some(RpcAnswer {
                    ok: true,
                    result: RpcResult::Number(n),
                }),
            ) => Ok(n),
            _ => bail!("wrong answer to {:?}: {}", self.call, answer.text()),
        }
    }
}
