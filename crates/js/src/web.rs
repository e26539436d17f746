//! The web platform's APIs for a bare engine context, each attached at its first use.
//!
//! [`install`] puts one accessor on the global object for each name. The first use of a name builds the
//! group it belongs to and replaces the group's accessors by the values, so what a program does not
//! touch costs an accessor. A program that assigns one of the names first just has its own value.
//!
//! What there is, and where it falls short of the standards: `docs/reference/web-apis.md`.
//!
//! ```
//! use std::{future, pin::Pin, rc::Rc};
//! use dolmen_js::web::{self, WebHost};
//! use rquickjs::{Context, Runtime};
//!
//! struct Host;
//! impl WebHost for Host {
//!     fn output_gate(&self) -> Pin<Box<dyn Future<Output = Result<(), String>>>> {
//!         Box::pin(future::ready(Ok(())))
//!     }
//!     fn now(&self) -> f64 { 0.0 }
//!     fn unix_ms(&self) -> f64 { 0.0 }
//! }
//!
//! let context = Context::full(&Runtime::new()?)?;
//! context.with(|ctx| -> rquickjs::Result<()> {
//!     web::install(&ctx, Rc::new(Host))?;
//!     let host: String = ctx.eval("new URL('/b', 'https://example.com/a').host")?;
//!     assert_eq!(host, "example.com");
//!     rquickjs::Result::Ok(())
//! })?;
//! # Ok::<(), rquickjs::Error>(())
//! ```
mod address;
mod clone;
mod codec;
mod crypto;
mod encoding;
pub(crate) mod glue;
pub(crate) mod group;
pub(crate) mod hashes;
mod lazy;
pub mod message;
mod names;
mod pattern;
mod send;
pub(crate) mod socket;
mod state;
mod subtle;
mod upload;

use std::{future::Future, pin::Pin, rc::Rc, time::Duration};

use dolmen_runtime::{EgressPolicy, Host, Operation, SectionId};
use rquickjs::{Ctx, Result};

use self::state::State;

/// What the APIs need from the object that they run in.
pub trait WebHost {
    /// Resolves once everything the object has written so far is durable, or says why it never will be.
    fn output_gate(&self) -> Pin<Box<dyn Future<Output = std::result::Result<(), String>>>>;

    /// Waits until the client of the event goes away before its answer is complete: `true`. `false` once it has
    /// the whole answer.
    fn client_gone(&self, _event: u64) -> Pin<Box<dyn Future<Output = bool>>> {
        Box::pin(std::future::ready(false))
    }

    /// Lets other objects go on while the program waits for another thread. `false`: it must end.
    fn give_way(&self) -> bool {
        true
    }

    /// Milliseconds since the context began, never going back.
    fn now(&self) -> f64;

    /// Milliseconds since the Unix epoch.
    fn unix_ms(&self) -> f64;

    /// Which hosts `fetch` may reach: public ones, unless the host says otherwise.
    fn egress(&self) -> &EgressPolicy {
        EgressPolicy::public_only()
    }

    /// The object around the context, for WebSockets and critical sections; `None`: there are none.
    fn object(&self) -> Option<Rc<Host>> {
        None
    }

    /// How long `fetch` waits when nothing is sent and nothing comes.
    fn fetch_idle_timeout(&self) -> Duration {
        dolmen_http_client::IDLE_TIMEOUT
    }

    /// Fills `bytes` with random numbers fit for keys.
    fn random(&self, bytes: &mut [u8]) -> std::result::Result<(), String> {
        getrandom::fill(bytes).map_err(|error| error.to_string())
    }
}

/// Defines the APIs on the global object; nothing is built until a name is used.
///
/// One context of a runtime can have them.
pub fn install<'js>(ctx: &Ctx<'js>, host: Rc<dyn WebHost>) -> Result<()> {
    let accessors = lazy::define_accessors(ctx)?;
    State::store(ctx, host, accessors)
}

/// `work`, which begins now, until the critical sections let its end in.
fn gated<T, W: Future<Output = T>>(
    ctx: &Ctx<'_>,
    host: &dyn WebHost,
    work: W,
) -> Result<impl Future<Output = T> + use<T, W>> {
    let operation = operation(host, crate::module::section(ctx)?);
    Ok(run(operation, work))
}

/// Something begins that the program waits for, in the critical section `section`.
fn operation(host: &dyn WebHost, section: SectionId) -> Option<Operation> {
    host.object().map(|object| object.operation(section))
}

async fn run<T>(operation: Option<Operation>, work: impl Future<Output = T>) -> T {
    match operation {
        Some(operation) => operation.run(work).await,
        None => work.await,
    }
}

/// Random numbers, hashes, ciphers and comparison, for Node's `crypto`.
pub(crate) fn crypto_natives<'js>(ctx: &Ctx<'js>, native: &rquickjs::Object<'js>) -> Result<()> {
    crypto::native(native, &State::of(ctx)?.host)?;
    subtle::cipher_native(native)?;
    hashes::native(native)
}

/// The computations of `crypto.subtle` for Node's keys, which do not wait for a promise.
pub(crate) fn key_natives<'js>(ctx: &Ctx<'js>, native: &rquickjs::Object<'js>) -> Result<()> {
    subtle::key_native(native, &State::of(ctx)?.host)
}
