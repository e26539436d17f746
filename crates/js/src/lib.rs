//! The QuickJS engine: bundles, one runtime for each live object, and the API that objects see.
//!
//! `engine.rs` is what the runtime calls; `instance.rs` is one live object of a CommonJS bundle and `module/` module
//! workers; `rpc.rs` and
//! `fetch.rs` convert calls and their results, `json.rs` what is sent as JSON; `bindings.rs` is the rest of `env`; `api/` has the host calls, one area a file; `web/`
//! the web platform's APIs, `wasm/` the `WebAssembly` global, `node/` Node's modules; `value_format` the encoding of stored and copied values.

mod api;
mod async_context;
mod bindings;
mod bundle;
mod bytecode;
mod engine;
mod exception;
mod fetch;
mod instance;
mod js_class;
mod json;
mod module;
pub mod node;
mod pacer;
mod raw;
mod rpc;
mod sockets;
pub mod value_format;
mod vm;
mod wasm;
pub mod web;

use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

pub use self::{
    bindings::{Binding, Bindings},
    bundle::BundleError,
    engine::JsEngine,
};

/// Finishes a future that never waits: the lock of a runtime that only its own turn uses.
fn poll_now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => {
            unreachable!("a runtime is used by one turn at a time, so its lock is free")
        }
    }
}
