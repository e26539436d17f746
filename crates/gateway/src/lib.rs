//! Dolmen's HTTP edge: accepts connections, finds the object a request is for, and writes its answer.
//!
//! A connection is accepted in `gateway.rs`, handed to a shard and served there (`connection.rs`);
//! `route.rs` reads the path, `rpc.rs` and `fetch.rs` turn a request into an event, and
//! `failure.rs` holds the one table from error kinds to codes and statuses. The edge knows the
//! runtime's [`Handle`](dolmen_runtime::Handle) and nothing behind it.
//!
//! ```no_run
//! use dolmen_gateway::{Gateway, GatewayError, GatewayOptions};
//!
//! async fn serve(handle: dolmen_runtime::Handle) -> Result<(), GatewayError> {
//!     let gateway = Gateway::bind("127.0.0.1:0", GatewayOptions::default())?;
//!     println!("http://{}", gateway.local_addr());
//!     let (_stop, stopped) = tokio::sync::oneshot::channel::<()>();
//!     gateway.serve(handle, async { drop(stopped.await) }).await
//! }
//! ```

#![warn(missing_docs)]

mod answer;
mod body;
mod connection;
mod failure;
mod fetch;
mod gateway;
mod lingering;
mod options;
mod route;
mod rpc;
mod upgrade;

pub use self::{
    failure::code_and_status,
    gateway::{Gateway, GatewayError},
    options::{ErrorDetails, GatewayOptions},
};
