//! The WebAssembly engine: compiled HTTP handlers as stateless workers and as objects.
//!
//! `engine.rs` checks and compiles a module; `instance.rs` is one object or worker, `guest.rs` one instance of the module; `zerobuf.rs` is what both sides have in
//! memory, `request.rs`, `response.rs` and `replay.rs` what it means; `kv.rs` and `outbound.rs` are what a handler
//! can want of the host; `wasi.rs` has the imports. Components (WASI 0.2) are in `component.rs`.
//!
//! ```
//! use dolmen_wasm::{LoadError, WasmEngine};
//!
//! let empty = b"\0asm\x01\0\0\0";
//! assert!(WasmEngine::is_wasm(empty));
//! let Err(LoadError::Unfit { problems, .. }) = WasmEngine::load("empty.wasm", empty, None, &[]) else {
//!     panic!("it has no handler");
//! };
//! assert_eq!(problems.last().unwrap(), "it does not export `handle_zerobuf`");
//! ```

#![warn(missing_docs)]

mod alarm;
mod component;
mod engine;
mod errand;
mod fan_out;
mod files;
mod guest;
mod imports;
mod instance;
mod kv;
mod memory_files;
mod on_shard;
mod outbound;
mod outbox;
mod replay;
mod request;
mod response;
mod sockets;
mod stored_files;
mod wasi;
mod writes;
mod zerobuf;

pub use self::{
    engine::{CLASS, LoadError, WasmEngine},
    kv::CLASS as KV_CLASS,
};
pub use dolmen_wasm_code::{Cache, StartError};

#[cfg(test)]
extern crate self as dolmen_wasm;
#[cfg(test)]
mod copy_count;
#[cfg(test)]
#[expect(dead_code, reason = "shared with the integration tests")]
#[path = "../tests/handlers/world.rs"]
mod world;
