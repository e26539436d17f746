//! A runtime with one module and a temporary storage folder, and the frame that modules are written in.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use dolmen_runtime::{
    Body, Clock, EgressPolicy, Error, FetchRequest, FetchResponse, Handle, NamespaceSpec, Options,
    Runtime, Target, storage::Storage,
};
use dolmen_wasm::WasmEngine;
use http::{HeaderMap, Method};
use tokio::task::LocalSet;

const ENV: [(&str, &str); 2] = [("NAME", "value"), ("EMPTY", "")];
const LONGEST_TEST: Duration = Duration::from_secs(60);

pub struct World {
    pub handle: Handle,
}

/// An answer with its body.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// Options whose time-out never decides a test that is not about it.
pub fn options() -> Options {
    Options {
        shards: 1,
        cpu_timeout: Duration::from_secs(20),
        egress: EgressPolicy {
            allow_private: true,
            ..EgressPolicy::default()
        },
        ..Options::default()
    }
}

impl Answer {
    pub fn text_lossy(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl World {
    /// Asks the worker.
    pub async fn worker(&self, path: &str) -> Answer {
        answer(
            self.handle
                .worker(request(Method::GET, path, ""))
                .await
                .unwrap(),
        )
    }

    /// Asks an object.
    pub async fn object(&self, name: &str, path: &str) -> Answer {
        self.try_object(name, path).await.unwrap()
    }

    /// Asks an object of a namespace.
    pub async fn fetch_from(&self, namespace: &str, name: &str, path: &str) -> Answer {
        let asked = self
            .handle
            .fetch(namespace, name, request(Method::GET, path, ""));
        answer(asked.await.unwrap())
    }

    pub async fn try_object(&self, name: &str, path: &str) -> Result<Answer, Error> {
        let asked = self
            .handle
            .fetch("HANDLER", name, request(Method::GET, path, ""));
        asked.await.map(answer)
    }

    /// Asks the worker with a body.
    pub async fn post_worker(&self, path: &str, body: impl Into<Bytes>) -> Answer {
        let asked = request(Method::POST, path, body);
        answer(self.handle.worker(asked).await.unwrap())
    }

    pub async fn post(&self, name: &str, path: &str, body: impl Into<Bytes>) -> Answer {
        let asked = request(Method::POST, path, body);
        answer(self.handle.fetch("HANDLER", name, asked).await.unwrap())
    }
}

pub fn request(method: Method, path: &str, body: impl Into<Bytes>) -> FetchRequest {
    let (below, query) = path.split_once('?').unwrap_or((path, ""));
    FetchRequest {
        target: Target::Root,
        method,
        url: format!("http://localhost{path}"),
        path: below.to_owned(),
        query: query.to_owned(),
        headers: HeaderMap::new(),
        body: Body::Full(body.into()),
    }
}

pub fn answer(response: FetchResponse) -> Answer {
    Answer {
        status: response.status.as_u16(),
        headers: response.headers,
        body: response
            .body
            .bytes()
            .map_or_else(Bytes::new, Bytes::copy_from_slice),
    }
}

pub fn in_world(wat: &str, test: impl AsyncFnOnce(&World)) {
    in_world_with(wat, options(), test);
}

/// An event loop, for what runs beside a world too.
pub fn event_loop() -> (tokio::runtime::Runtime, LocalSet) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    (runtime, LocalSet::new())
}

/// Runs a test in a world that serves a module, and shuts it down.
pub fn in_world_with(wat: &str, options: Options, test: impl AsyncFnOnce(&World)) {
    in_world_at(wat, options, Clock::system(), test);
}

/// As [`in_world`], of a module that is compiled already.
pub fn in_world_of(wasm: &[u8], test: impl AsyncFnOnce(&World)) {
    serve(wasm, options(), Clock::system(), event_loop(), test);
}

/// As [`in_world_with`], on a clock of the test's.
pub fn in_world_at(wat: &str, options: Options, clock: Clock, test: impl AsyncFnOnce(&World)) {
    run(wat, options, clock, event_loop(), test);
}

/// As [`in_world_with`], on an event loop that has something else to do too.
pub fn in_world_beside(
    wat: &str,
    options: Options,
    event_loop: (tokio::runtime::Runtime, LocalSet),
    test: impl AsyncFnOnce(&World),
) {
    run(wat, options, Clock::system(), event_loop, test);
}

fn run(
    wat: &str,
    options: Options,
    clock: Clock,
    event_loop: (tokio::runtime::Runtime, LocalSet),
    test: impl AsyncFnOnce(&World),
) {
    let wasm = wat::parse_str(wat).unwrap();
    serve(&wasm, options, clock, event_loop, test);
}

fn serve(
    wasm: &[u8],
    options: Options,
    clock: Clock,
    (event_loop, local): (tokio::runtime::Runtime, LocalSet),
    test: impl AsyncFnOnce(&World),
) {
    let env = ENV.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let engine = WasmEngine::load("test.wasm", wasm, None, &env).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let storage =
        Storage::open(folder.path(), dolmen_runtime::storage::Options::default()).unwrap();
    let specs = vec![
        spec("HANDLER", dolmen_wasm::CLASS),
        spec("KV", dolmen_wasm::KV_CLASS),
    ];
    local.block_on(&event_loop, async {
        let engine = Arc::new(engine);
        let runtime = Runtime::start(engine, specs, storage, options, clock).unwrap();
        let world = World {
            handle: runtime.handle(),
        };
        let ran = tokio::time::timeout(LONGEST_TEST, test(&world)).await;
        ran.expect("the test takes too long");
        runtime.shutdown().await.unwrap();
    });
}

fn spec(name: &str, class: &str) -> NamespaceSpec {
    NamespaceSpec {
        name: name.to_owned(),
        class: class.to_owned(),
        unique_key: name.to_owned(),
    }
}

/// A module that has a memory, `malloc`, and the functions of [`FRAME`]; `parts` has the handler,
/// `$handle`, and whatever it needs. `imports` come first, as WAT demands.
pub fn module(imports: &str, parts: &str) -> String {
    format!("(module {imports} {FRAME} {parts})")
}

/// Strings are at 1024 and above: `$text` makes one of a pointer and a length that follow each other
/// in memory as the ABI wants it.
const FRAME: &str = r#"
  (memory (export "memory") 2)
  (global $heap (mut i32) (i32.const 16384))
  (func $malloc (export "malloc") (param $size i32) (result i32) (local $at i32)
    (local.set $at (global.get $heap))
    (global.set $heap (i32.and (i32.add (i32.add (local.get $at) (local.get $size)) (i32.const 7)) (i32.const -8)))
    (block $fits (loop $more
      (br_if $fits (i32.le_u (global.get $heap) (i32.mul (memory.size) (i32.const 65536))))
      (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))
      (global.set $heap (local.get $at))
      (return (i32.const 0))))
    (local.get $at))
  ;; The payload of a slot of the request.
  (func $slot (param $request i32) (param $index i32) (result i32)
    (i32.load offset=4 (i32.add (local.get $request) (i32.mul (local.get $index) (i32.const 16)))))
  ;; The letter after the slash of the path.
  (func $letter (param $request i32) (result i32)
    (i32.load8_u offset=5 (call $slot (local.get $request) (i32.const 1))))
  ;; A response at 64; each part is the pointer of a string, or 0.
  (func $respond (param $status i32) (param $type i32) (param $body i32) (param $headers i32) (result i32)
    (i32.store (i32.const 64) (i32.const 2)) (i32.store (i32.const 68) (local.get $status))
    (i32.store (i32.const 80) (i32.const 4)) (i32.store (i32.const 84) (local.get $type))
    (i32.store (i32.const 96) (i32.const 8)) (i32.store (i32.const 100) (local.get $body))
    (i32.store (i32.const 112) (select (i32.const 4) (i32.const 0) (local.get $headers))) (i32.store (i32.const 116) (local.get $headers))
    (i32.const 64))
  ;; One digit as a string, at 160.
  (func $digit (param $value i32) (result i32)
    (i32.store (i32.const 160) (i32.const 1))
    (i32.store8 (i32.const 164) (i32.add (i32.const 48) (local.get $value)))
    (i32.const 160))
  (func (export "handle_zerobuf") (param $request i32) (result i32) (call $handle (local.get $request)))
"#;

/// A string at an address, with its length before it.
pub fn text(at: u32, text: &str) -> String {
    let length: String = (text.len() as u32)
        .to_le_bytes()
        .iter()
        .map(|byte| format!("\\{byte:02x}"))
        .collect();
    let bytes: String = text.bytes().map(|byte| format!("\\{byte:02x}")).collect();
    format!("(data (i32.const {at}) \"{length}{bytes}\")")
}
