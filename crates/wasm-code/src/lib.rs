//! WebAssembly as both engines use it: compiled once, kept on disk, interrupted in time.
//!
//! `compiler.rs` has wasmtime's settings, `cache.rs` what was compiled, `ticker.rs` the clock of the
//! interruptions. Who calls a guest sets its store's epoch deadline to 1 before each call, holds
//! [`Compiler::running`] while it runs, and calls by `call_async`: wasmtime keeps the calls of a
//! thread in a list, so a turn that is suspended inside a plain call would break it.

#![warn(missing_docs)]

mod cache;
mod compiler;
mod ticker;

pub use self::{
    cache::{Cache, Code},
    compiler::{CALL_STACK_BYTES, Compiler, GUEST_STACK_BYTES, StartError},
    ticker::Running,
};
