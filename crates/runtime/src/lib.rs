//! Dolmen's runtime: shards, objects and their turns, the output gate, timers and alarms.
//!
//! A request enters through a [`Handle`], travels to the shard that owns the object
//! (`shard.rs`), waits in its mailbox (`object.rs`), runs as turns on a coroutine (`driver.rs`,
//! `turn.rs`), and its reply leaves through the output gate (`gate.rs`) once everything written
//! before it is durable. Which language objects are written in is the business of an [`Engine`].

#![warn(missing_docs)]

mod alarm_state;
mod alarms;
mod body;
mod call;
mod clock;
mod driver;
mod egress;
mod engine;
mod error;
mod event;
mod gate;
mod handle;
mod host;
mod interleaved;
mod namespace;
mod object;
mod options;
mod runtime;
mod sections;
mod shard;
mod timers;
mod turn;
mod wakeup;

pub use self::{
    body::{Body, BodyReader, BodyWriter, ReaderGone, body_stream},
    call::{Call, Cap, Client, Connection, Entrypoint, Export, Message, ObjectRef, Target},
    clock::{Clock, ManualClock},
    egress::{EgressPolicy, EgressRefusal, EgressRule, InvalidEgressRule},
    engine::{Concurrency, Engine, Instance, Work},
    error::{Error, ErrorKind, Result},
    event::{AlarmInfo, Event, FetchRequest, FetchResponse, Payload, Reply, RpcCall},
    handle::Handle,
    host::{EventId, Host, NestedEnd, Operation, TimerId},
    namespace::{MAX_NAME_BYTES, NamespaceSpec},
    options::Options,
    runtime::Runtime,
    sections::{ANY_SECTION, SectionId},
    shard::ShardTask,
    turn::{ENGINE_STACK_BYTES, Slice, Verdict},
};
pub use dolmen_storage as storage;
