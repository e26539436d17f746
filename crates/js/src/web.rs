//! The web platform's APIs for a bare engine context, each attached at its first use.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use rquickjs::{Ctx, Result};

/// A future on the object's own thread.
pub type LocalFuture<T> = Pin<Box<dyn Future<Output = T>>>;

/// What the APIs need from the object that they run in.
pub trait WebHost {
    /// Resolves once everything the object has written so far is durable, or says why it never will be.
    fn output_gate(&self) -> LocalFuture<std::result::Result<(), String>>;

    /// Milliseconds since the context began, never going back.
    fn now(&self) -> f64;

    /// Milliseconds since the Unix epoch.
    fn unix_ms(&self) -> f64;
}

/// Defines the APIs on the global object; nothing is built until a name is used.
pub fn install<'js>(_ctx: &Ctx<'js>, _host: Rc<dyn WebHost>) -> Result<()> {
    Ok(())
}
