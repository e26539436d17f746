//! Why a call of a component did not end well.

use dolmen_runtime::Error;
use wasmtime::Trap;
use wasmtime_wasi::I32Exit;

/// The instance is not to be used again, and what its event wrote is undone.
#[derive(Debug)]
pub(crate) enum Fault {
    /// It trapped, exited or broke a rule, in words.
    Panic(String),
    /// The host could not do what it was asked for.
    Failed(Error),
    /// The turn was told to end; the runtime knows why.
    Stopped,
}

/// What an import fails with when the host could not do it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct HostFailed(pub Error);

impl From<wasmtime::Error> for Fault {
    fn from(error: wasmtime::Error) -> Self {
        if let Some(HostFailed(error)) = error.downcast_ref() {
            return Self::Failed(error.clone());
        }
        if let Some(I32Exit(code)) = error.downcast_ref() {
            return Self::Panic(format!("exit code: {code}"));
        }
        Self::Panic(match error.downcast_ref::<Trap>() {
            Some(trap) => trap.to_string(),
            None => format!("{error:#}"),
        })
    }
}
