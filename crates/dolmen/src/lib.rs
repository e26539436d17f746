//! Dolmen as a library: durable objects inside your own program.
//!
//! `builder.rs` starts and stops everything; `bundle.rs` loads the JavaScript, `namespaces.rs`
//! and `manifest.rs` decide under which names its classes are reached, `wrangler.rs` reads the files of
//! wrangler.
//!
//! ```
//! use dolmen::{Bundle, Dolmen, Payload, RpcCall};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! let bundle = Bundle::from_source(
//!     "greeter.js",
//!     "exports.objects = { Greeter: class { greet(name) { return `Hello, ${name}`; } } };",
//! )?;
//! let dolmen = Dolmen::builder().storage(folder.path()).bundle(bundle).start()?;
//!
//! let call = RpcCall { method: "greet".into(), args: Payload::Json("[\"Ann\"]".into()) };
//! let result = dolmen.handle().rpc("GREETER", "front door", call).await?;
//! assert_eq!(result, Payload::Json("\"Hello, Ann\"".into()));
//!
//! dolmen.shutdown().await?;
//! # Ok(())
//! # }
//! ```
//!
//! To serve the objects over HTTP, bind a [`Gateway`] and give it to [`Dolmen::serve`].

#![warn(missing_docs)]

mod builder;
mod bundle;
mod error;
mod manifest;
mod namespaces;
mod wrangler;

pub use self::{
    builder::{Builder, Dolmen},
    bundle::Bundle,
    error::{Error, ErrorKind, Result},
    manifest::Manifest,
    namespaces::namespace_name,
};
pub use dolmen_gateway::{ErrorDetails, Gateway, GatewayError, GatewayOptions};
pub use dolmen_js::{Binding, Bindings};
pub use dolmen_runtime::{
    self as runtime, Clock, EgressPolicy, EgressRule, FetchRequest, FetchResponse, Handle,
    ManualClock, NamespaceSpec, Options, Payload, RpcCall,
};
pub use dolmen_storage as storage;
