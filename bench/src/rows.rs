//! The rows of the table: what each one measures, on whom, and the goal of Dolmen's design for it.

use clap::ValueEnum;
use serde::Serialize;

use crate::bundle::Bundle;
use crate::contender::Contender;
use crate::work::{Call, Objects, Op, Page};

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
    /// Module worker: `stub.fetch` that touches no storage, one object.
    WorkerFetch,
    /// Module worker: RPC that touches no storage, one object.
    WorkerRpc,
    /// Module worker: RPC with an argument of 10 KB, one object.
    #[value(name = "worker-rpc-10kb")]
    #[serde(rename = "worker-rpc-10kb")]
    WorkerRpc10kb,
    /// Module worker: RPC to an object that makes one to another object.
    WorkerRpcChain,
    /// Module worker: SQL that reads 10 of 100 rows, one object.
    WorkerSqlRead,
    /// Module worker: SQL that inserts a row, one object.
    WorkerSqlWrite,
    /// Module worker: asynchronous `get` of one key, one object.
    WorkerGet,
    /// Module worker: asynchronous `put` of one key, one object.
    WorkerPut,
    /// Module worker: asynchronous `list` of 1,000 keys, one object.
    WorkerList,
    /// Module worker: 100 requests and 100 responses made in the worker.
    WorkerMessages,
    /// Module worker: durable increment, one object.
    WorkerIncrement,
    /// Module worker: durable increment, 64 objects in turn.
    #[value(name = "worker-increment-64")]
    #[serde(rename = "worker-increment-64")]
    WorkerIncrement64,
    /// Module worker: durable increment, a new object each time.
    WorkerIncrementNew,
    /// Module worker of 200 KB: a stored read of a new object each time.
    WorkerCold,
    /// Echoes on WebSockets of one object, one message under way on each connection.
    SocketEcho,
    /// Messages delivered, each sent to all 1,000 WebSockets of one object.
    SocketBroadcast,
    /// Resident memory per idle WebSocket whose object hibernates; latencies are those of the first message after it.
    SocketMemory,
    /// Time from a message to an object that hibernates to its echo.
    SocketWake,
    /// WASM handler, `GET /` of the worker.
    Wasm,
    /// WASM handler, `GET /json` of the worker.
    WasmJson,
    /// WASM handler, `GET /simd` of the worker: 64-bit numbers in vectors.
    WasmSimd,
    /// WASM handler, `GET /` of one object.
    WasmObject,
    /// WASM handler, `GET /json` of one object.
    WasmObjectJson,
    /// WASM handler, `GET /simd` of one object.
    WasmObjectSimd,
    /// WASM handler, the dot product of 1,000,000 64-bit numbers.
    WasmDot,
    /// Resident memory per WASM object that has answered once.
    WasmMemory,
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
    /// Echoes in a second.
    Echo,
    /// Messages delivered in a second.
    Broadcast,
    /// Bytes of resident memory for each idle WebSocket.
    SocketMemory,
    /// Milliseconds from a first message to its echo.
    SocketWake,
}

/// What the design asks of Dolmen in a row.
#[derive(Clone, Copy, Debug)]
pub enum Goal {
    /// At least this many times workerd's figure.
    TimesWorkerd(f64),
    /// At most this share of workerd's figure.
    ShareOfWorkerd(f64),
    /// At least this share of the bare hyper server's figure.
    ShareOfHyper(f64),
    /// At most this figure.
    AtMost(f64),
}

/// The share of the bare hyper server's rate that object fetch is to reach.
pub const HYPER_SHARE_GOAL: f64 = 0.45;
/// The same for a WASM handler in the worker.
const WASM_SHARE_GOAL: f64 = 0.6;

/// Where the design sets no figure.
const FASTER: Goal = Goal::TimesWorkerd(1.0);

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
            Row::WorkerFetch => "worker to object, stub.fetch",
            Row::WorkerRpc => "worker to object, RPC",
            Row::WorkerRpc10kb => "worker to object, RPC with 10 KB",
            Row::WorkerRpcChain => "worker to object to object, RPC",
            Row::WorkerSqlRead => "worker, SQL select of 10 rows",
            Row::WorkerSqlWrite => "worker, SQL insert",
            Row::WorkerGet => "worker, KV get",
            Row::WorkerPut => "worker, KV put",
            Row::WorkerList => "worker, KV list of 1,000 keys",
            Row::WorkerMessages => "worker, 100 new Request and Response",
            Row::WorkerIncrement => "worker, durable increment, one object",
            Row::WorkerIncrement64 => "worker, durable increment, 64 objects",
            Row::WorkerIncrementNew => "worker, durable increment, new objects",
            Row::WorkerCold => "worker of 200 KB, read of a new object",
            Row::SocketEcho => "WebSocket echo, one object",
            Row::SocketBroadcast => "WebSocket message to 1,000 sockets",
            Row::SocketMemory => "memory per idle WebSocket",
            Row::SocketWake => "message to a hibernating object",
            Row::Wasm => "WASM worker, GET /",
            Row::WasmJson => "WASM worker, GET /json",
            Row::WasmSimd => "WASM worker, GET /simd",
            Row::WasmObject => "WASM object, GET /",
            Row::WasmObjectJson => "WASM object, GET /json",
            Row::WasmObjectSimd => "WASM object, GET /simd",
            Row::WasmDot => "WASM worker, dot product of 1,000,000",
            Row::WasmMemory => "memory per live WASM object",
        }
    }

    /// How the row is measured.
    pub fn method(self) -> Method {
        let worker = |op, objects| Method::Rate(Call::Worker(op), objects);
        let page = |page| Method::Rate(Call::Page(page), Objects::shared(1));
        let in_object = |page| Method::Rate(Call::InObject(page), Objects::shared(1));
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
            Row::WorkerFetch => worker(Op::Page, Objects::shared(1)),
            Row::WorkerRpc => worker(Op::Hello, Objects::shared(1)),
            Row::WorkerRpc10kb => worker(Op::Take, Objects::shared(1)),
            Row::WorkerRpcChain => worker(Op::Pass, Objects::shared(1)),
            Row::WorkerSqlRead => worker(Op::Select, Objects::shared(1)),
            Row::WorkerSqlWrite => worker(Op::Insert, Objects::shared(1)),
            Row::WorkerGet => worker(Op::Get, Objects::shared(1)),
            Row::WorkerPut => worker(Op::Put, Objects::shared(1)),
            Row::WorkerList => worker(Op::List, Objects::shared(1)),
            Row::WorkerMessages => worker(Op::Messages, Objects::shared(1)),
            Row::WorkerIncrement => worker(Op::Increment, Objects::shared(1)),
            Row::WorkerIncrement64 => worker(Op::Increment, Objects::shared(MANY)),
            Row::WorkerIncrementNew => worker(Op::FirstIncrement, Objects::new_each()),
            Row::WorkerCold => worker(Op::FirstRead, Objects::new_each()),
            Row::SocketEcho => Method::Echo,
            Row::SocketBroadcast => Method::Broadcast,
            Row::SocketMemory => Method::SocketMemory,
            Row::SocketWake => Method::SocketWake,
            Row::Wasm => page(Page::Root),
            Row::WasmJson => page(Page::Json),
            Row::WasmSimd => page(Page::Simd),
            Row::WasmObject => in_object(Page::Root),
            Row::WasmObjectJson => in_object(Page::Json),
            Row::WasmObjectSimd => in_object(Page::Simd),
            Row::WasmDot => page(Page::Dot),
            Row::WasmMemory => Method::Memory(Call::InObject(Page::Root)),
        }
    }

    /// What the servers serve.
    pub fn bundle(self) -> Bundle {
        match self.method() {
            Method::Rate(Call::Worker(_), _) if self == Row::WorkerCold => Bundle::LargeWorker,
            Method::Rate(Call::Worker(_), _) => Bundle::Worker,
            Method::Rate(Call::Page(_) | Call::InObject(_), _)
            | Method::Memory(Call::InObject(_)) => Bundle::Handler,
            Method::Rate(..) | Method::Memory(_) | Method::Start => Bundle::Counter,
            Method::Echo | Method::Broadcast | Method::SocketMemory | Method::SocketWake => {
                Bundle::Sockets
            }
        }
    }

    /// The unit of the row's figure, as printed behind it.
    pub fn unit(self) -> &'static str {
        match self.method() {
            Method::Rate(..) | Method::Echo | Method::Broadcast => "/s",
            Method::Memory(_) => " KB",
            Method::SocketMemory => " B",
            Method::Start | Method::SocketWake => " ms",
        }
    }

    /// The servers that the row is measured on.
    pub fn contenders(self) -> &'static [Contender] {
        match self {
            Row::Fetch | Row::Fetch64 => &[Contender::Workerd, Contender::Dolmen, Contender::Hyper],
            Row::WasmMemory => &[Contender::Dolmen],
            _ if self.bundle() == Bundle::Handler => {
                &[Contender::Dolmen, Contender::Script, Contender::Hyper]
            }
            _ => &[Contender::Workerd, Contender::Dolmen],
        }
    }

    /// The design's goal, if it sets one.
    pub fn goal(self) -> Option<Goal> {
        match self {
            Row::Rpc | Row::Fetch | Row::Fetch64 | Row::WorkerFetch | Row::WorkerRpc => {
                Some(Goal::TimesWorkerd(3.5))
            }
            Row::Increment | Row::WorkerIncrement => Some(Goal::TimesWorkerd(5.0)),
            Row::Increment64 | Row::WorkerIncrement64 => Some(Goal::TimesWorkerd(20.0)),
            Row::IncrementNew | Row::WorkerIncrementNew => Some(Goal::TimesWorkerd(10.0)),
            Row::Memory | Row::MemoryWritten => Some(Goal::AtMost(200.0)),
            Row::WorkerRpc10kb
            | Row::WorkerRpcChain
            | Row::WorkerSqlRead
            | Row::WorkerSqlWrite
            | Row::WorkerGet
            | Row::WorkerPut
            | Row::WorkerList
            | Row::WorkerMessages
            | Row::WorkerCold => Some(FASTER),
            Row::SocketEcho | Row::SocketBroadcast => Some(Goal::TimesWorkerd(2.0)),
            Row::SocketMemory => Some(Goal::ShareOfWorkerd(0.5)),
            Row::SocketWake => Some(Goal::ShareOfWorkerd(1.0)),
            Row::Wasm | Row::WasmJson | Row::WasmSimd => Some(Goal::ShareOfHyper(WASM_SHARE_GOAL)),
            Row::WasmObject | Row::WasmObjectJson | Row::WasmObjectSimd => {
                Some(Goal::ShareOfHyper(HYPER_SHARE_GOAL))
            }
            Row::RpcRead | Row::Start | Row::WasmDot | Row::WasmMemory => None,
        }
    }
}
