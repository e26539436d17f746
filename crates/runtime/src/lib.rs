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
mod deliveries;
mod driver;
mod egress;
mod engine;
mod error;
mod event;
mod gate;
mod handle;
mod hibernation;
mod host;
mod interleaved;
mod memory;
mod namespace;
mod object;
mod options;
mod runtime;
mod sections;
mod shard;
mod socket;
mod timers;
mod turn;
mod wakeup;
mod wire;

pub use self::{
    body::{Body, BodyReader, BodyWriter, ReaderGone, body_stream},
    call::{Call, Cap, Client, Connection, Entrypoint, Export, Message, ObjectRef, Target},
    clock::{Clock, ManualClock},
    egress::{EgressPolicy, EgressRefusal, EgressRule, InvalidEgressRule},
    engine::{Concurrency, Engine, Instance, Work},
    error::{Error, ErrorKind, Result},
    event::{AlarmInfo, Event, FetchRequest, FetchResponse, Payload, Reply, RpcCall, SocketEvent},
    handle::Handle,
    hibernation::{HibernatingSocket, MAX_SOCKETS},
    host::{EventId, Host, NestedEnd, Operation, TimerId},
    namespace::{MAX_NAME_BYTES, NamespaceSpec},
    options::Options,
    runtime::Runtime,
    sections::{ANY_SECTION, SectionId},
    shard::ShardTask,
    socket::{AutoResponse, Received, SocketEnd, SocketId, SocketLoss, SocketMessage, socket_pair},
    turn::{ENGINE_STACK_BYTES, Slice, Verdict},
    wire::{WireOptions, carry},
};
pub use dolmen_storage as storage;
pub use dolmen_websocket as websocket;
