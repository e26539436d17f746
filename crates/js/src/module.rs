//! Module workers: ES modules with a stateless part and classes that extend `DurableObject`.
//!
//! `bundle.rs` loads the files and finds what they export; `loader.rs` and `builtin.rs` give an
//! instance its modules; `instance.rs` is one live object or worker; `native.rs` is what the glue
//! (`glue/module/`) asks of Rust, `remote.rs` what a stub holds, and `arguments.rs` what a call
//! holds that is made later; `http.rs` carries requests and responses in and out.

mod arguments;
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
    native::{blame, from_js as count, keep_event, section, to_js as number},
};
