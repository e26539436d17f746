//! Module workers: ES modules with a stateless part and classes that extend `DurableObject`.
//!
//! `bundle.rs` loads the files and finds what they export; `loader.rs` and `builtin.rs` give an
//! instance its modules; `instance.rs` is one live object or worker; `native.rs` is what the glue
//! (`glue/module/`) asks of Rust, and `remote.rs` what a stub holds; `http.rs` carries requests and
//! responses in and out.

mod builtin;
pub(crate) mod bundle;
mod http;
mod instance;
mod loader;
mod native;
mod remote;
mod transform;

pub(crate) use self::{
    bundle::{ModuleBundle, is_module},
    instance::ModuleInstance,
    loader::Source,
    native::{from_js as count, section, to_js as number},
};
