//! What a WASM handler costs inside the process, without HTTP:
//! `cargo build --release --workspace --example calls && target/release/examples/calls`.
//!
//! Prints the median of several rounds, and the least and most. Each answer is checked.

#![allow(clippy::unwrap_used, reason = "a failed unwrap ends the run")]

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use dolmen_runtime::{
    Body, Clock, FetchRequest, NamespaceSpec, Options, Runtime, Target, storage::Storage,
};
use dolmen_wasm::{CLASS, Cache, WasmEngine};
use http::{HeaderMap, Method};

const ROUNDS: usize = 9;
/// Calls of one round of the warm row, and objects of one round of the row of new ones.
const WARM_CALLS: u32 = 20_000;
const NEW_OBJECTS: u32 = 500;

fn main() {
    let handler = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bench/objects/handler.wat");
    let wasm = wat::parse_file(handler).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let compiled = folder.path().join("compiled");
    let load = |cached: bool| {
        let cache = cached.then(|| Cache::open(&compiled).unwrap());
        WasmEngine::load("handler.wasm", &wasm, cache, &[]).unwrap()
    };
    report("compile", ROUNDS, |_| time(|| drop(load(false))));
    load(true);
    report("load from the cache", ROUNDS, |_| time(|| drop(load(true))));

    let event_loop = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let serve = |round: usize, name: &str| {
        let folder = folder.path().join(format!("{name}-{round}"));
        let storage = Storage::open(&folder, dolmen_runtime::storage::Options::default()).unwrap();
        let options = Options {
            shards: 1,
            ..Options::default()
        };
        let spec = NamespaceSpec {
            name: "HANDLER".to_owned(),
            class: CLASS.to_owned(),
            unique_key: "HANDLER".to_owned(),
        };
        (storage, options, vec![spec])
    };
    report("load, start and first answer", ROUNDS, |round| {
        event_loop.block_on(async {
            let (storage, options, specs) = serve(round, "cold");
            let started = Instant::now();
            let engine = Arc::new(load(true));
            let runtime = Runtime::start(engine, specs, storage, options, Clock::system()).unwrap();
            ask(runtime.handle().worker(request())).await;
            let took = started.elapsed();
            runtime.shutdown().await.unwrap();
            took
        })
    });
    event_loop.block_on(async {
        let (storage, options, specs) = serve(0, "warm");
        let engine = Arc::new(load(true));
        let runtime = Runtime::start(engine, specs, storage, options, Clock::system()).unwrap();
        let handle = runtime.handle();
        let mut warm = Vec::new();
        let mut new = Vec::new();
        for round in 0..ROUNDS as u32 {
            let started = Instant::now();
            for _ in 0..WARM_CALLS {
                ask(handle.fetch("HANDLER", "one", request())).await;
            }
            warm.push(started.elapsed() / WARM_CALLS);
            let started = Instant::now();
            for object in 0..NEW_OBJECTS {
                let name = format!("{round}-{object}");
                ask(handle.fetch("HANDLER", &name, request())).await;
            }
            new.push(started.elapsed() / NEW_OBJECTS);
        }
        show("a call of a warm object, from another thread", warm);
        show("the first call of an object", new);
        runtime.shutdown().await.unwrap();
    });
}

fn request() -> FetchRequest {
    FetchRequest {
        target: Target::Root,
        method: Method::GET,
        url: "http://localhost/json".to_owned(),
        path: "/json".to_owned(),
        query: String::new(),
        headers: HeaderMap::new(),
        body: Body::None,
    }
}

async fn ask(
    answer: impl Future<Output = Result<dolmen_runtime::FetchResponse, dolmen_runtime::Error>>,
) {
    let response = answer.await.unwrap();
    let right = br#"{"message":"hello","ok":true}"#;
    assert_eq!(response.body.bytes().unwrap(), right);
}

fn time(work: impl FnOnce()) -> Duration {
    let started = Instant::now();
    work();
    started.elapsed()
}

fn report(what: &str, rounds: usize, round: impl FnMut(usize) -> Duration) {
    show(what, (0..rounds).map(round).collect());
}

fn show(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let (least, most) = (times[0], times[times.len() - 1]);
    let median = times[times.len() / 2];
    println!("{what:50}{median:>12.1?}  ({least:.1?} to {most:.1?})");
}
