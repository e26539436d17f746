//! Lets a Rust program be a handler of Dolmen: a WASM module that answers HTTP requests, by itself
//! and in objects.
//!
//! ```
//! use dolmen_guest::{App, Request, Response, kv, serve};
//!
//! fn app() -> App {
//!     App::new()
//!         .get("/", |_: &Request| "hello")
//!         .get("/value/{key}", |request: &Request| {
//!             let value = kv::get(request.param("key"))?;
//!             Ok::<_, dolmen_guest::Error>(value.map_or(Response::not_found(), Response::bytes))
//!         })
//! }
//!
//! serve!(app);
//! ```
//!
//! The functions of [`kv`], [`sql`], [`alarm`] and [`websocket`] work on the object that is being
//! asked. What they write is kept once the event has ended without a panic. One that is called
//! outside of a handler panics, as on the machine that builds it.

mod app;
mod block;
mod event;
mod fan_out;
mod headers;
mod host;
mod imports;
mod request;
mod response;
mod route;
mod view;

pub mod alarm;
pub mod columns;
#[cfg(feature = "crypto")]
pub mod crypto;
pub mod fetch;
pub mod kv;
pub mod log;
pub mod object;
pub mod sql;
pub mod vector;
pub mod websocket;

pub use app::App;
pub use fan_out::FanOut;
pub use host::Error;
pub use request::Request;
pub use response::{IntoResponse, Response};

#[doc(hidden)]
pub use event::{handle, initialize, plan};

/// Makes a function that gives an [`App`] the handler of the module. It runs once per instance,
/// before its first event.
///
/// `serve!(app, fan_out = plan)` also lets `plan`, a `fn(&Request) -> Vec<String>`, say which URLs
/// are fetched before each request, 64 at most; [`Request::fan_out`] has the results.
#[macro_export]
macro_rules! serve {
    ($app:path) => {
        #[unsafe(no_mangle)]
        extern "C" fn handle_zerobuf(request: u32) -> u32 {
            $crate::handle(request, $app)
        }
        #[unsafe(no_mangle)]
        extern "C" fn do_abi() -> i32 {
            1
        }
        #[unsafe(no_mangle)]
        extern "C" fn _initialize() {
            $crate::initialize();
        }
    };
    ($app:path, fan_out = $plan:path) => {
        $crate::serve!($app);
        #[unsafe(no_mangle)]
        extern "C" fn fanout_zerobuf(request: u32) -> u32 {
            $crate::plan(request, $plan)
        }
    };
}
