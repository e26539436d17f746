//! The stateless worker of a shard is one heap for all requests. When it has to be reset, the request that is to
//! blame is told why, the others that they can be sent again, and those that have not begun do not notice.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as expected"
)]

use std::time::Duration;

use dolmen::{
    Bundle, Dolmen, FetchRequest, FetchResponse, Handle, Options, Payload, RpcCall,
    runtime::{Body, BodyWriter, Error, ErrorKind, body_stream},
};

const SOURCE: &str = r#"
import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";

const endless = () => { for (;;); };
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

// (module (func (export "f") (loop (br 0))))
const loops = () => new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0, 10, 9, 1, 7, 0, 3, 64, 12, 0, 11, 11,
])));

const ways = {
  "/now": endless,
  "/later": async () => { await sleep(1); endless(); },
  "/timer": () => new Promise(() => setTimeout(endless, 1)),
  "/microtasks": async () => { for (;;) await null; },
  "/call": async (env) => { await env.OTHER.getByName("other").nothing(); endless(); },
  "/body": async (_env, request) => { await request.text(); endless(); },
  "/callback": async (env) => { await env.OTHER.getByName("other").back(endless); },
  "/memory": async () => { await sleep(1); const all = []; for (;;) all.push(new Uint8Array(1 << 20)); },
  "/text": async () => { await sleep(1); let text = "x"; for (;;) text = [text, text].join(); },
  "/wasm": async () => { const { f } = loops().exports; await sleep(1); f(); },
  "/abort": async (env, _request, ctx) => { await sleep(1); ctx.abort("enough"); },
};

export class Other extends DurableObject {
  nothing() {}
  async back(f) { await f(); }
  visiting = Promise.withResolvers();
  begun() { return this.visiting.promise; }
  async visit() {
    try {
      return await this.ctx.exports.Visitor.wait(() => this.visiting.resolve());
    } catch ({ message, retryable, durableObjectReset }) {
      return { message, retryable, durableObjectReset };
    }
  }
}

export class Visitor extends WorkerEntrypoint {
  async wait(began) {
    await began();
    return new Promise(() => setTimeout(() => {}, 1_000_000));
  }
}

export default {
  async fetch(request, env, ctx) {
    const { pathname } = new URL(request.url);
    if (pathname === "/echo") return new Response(await request.text());
    await ways[pathname](env, request, ctx);
    return new Response("it ended");
  },
};
"#;

fn request(path: &str, body: Body) -> FetchRequest {
    FetchRequest {
        target: Default::default(),
        method: "POST".parse().unwrap(),
        url: format!("http://worker{path}"),
        path: String::new(),
        query: String::new(),
        headers: Default::default(),
        body,
    }
}

async fn send(handle: &Handle, path: &str, body: Body) -> Result<String, Error> {
    let FetchResponse { body, .. } = handle.worker(request(path, body)).await?;
    Ok(match body {
        Body::Stream(mut reader) => {
            let mut text = Vec::new();
            while let Some(piece) = reader.next().await {
                text.extend_from_slice(&piece?);
            }
            String::from_utf8(text).unwrap()
        }
        known => String::from_utf8(known.bytes().unwrap().to_vec()).unwrap(),
    })
}

/// Requests of one worker: one that waits for `_writer`, then one that runs away, and one behind it.
async fn run_away(handle: &Handle, path: &str) -> [Result<String, Error>; 3] {
    let (_writer, reader): (BodyWriter, _) = body_stream(None);
    let (waits, runs_away, behind) = tokio::join!(
        send(handle, "/echo", Body::Stream(reader)),
        send(handle, path, Body::Full("a body".into())),
        send(handle, "/echo", Body::Full("behind".into())),
    );
    [waits, runs_away, behind]
}

fn with_worker(cpu_timeout: Duration, test: impl AsyncFnOnce(&Handle)) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let dolmen = Dolmen::builder()
            .storage(folder.path())
            .bundle(Bundle::from_source("worker.mjs", SOURCE).unwrap())
            .options(Options {
                shards: 1,
                cpu_timeout,
                memory_limit: 32 << 20,
                ..Options::default()
            })
            .start()
            .unwrap();
        test(&dolmen.handle()).await;
        dolmen.shutdown().await.unwrap();
    });
}

const SHORT: Duration = Duration::from_millis(100);
/// So that a slow machine does not take a full heap for a loop.
const LONG: Duration = Duration::from_secs(30);

async fn check(handle: &Handle, path: &str, kind: ErrorKind) {
    let [waits, runs_away, behind] = run_away(handle, path).await;
    let runs_away = runs_away.unwrap_err();
    assert_eq!(runs_away.kind(), kind, "{path}: {runs_away}");
    let waits = waits.unwrap_err();
    assert_eq!(waits.kind(), ErrorKind::Interrupted, "{path}: {waits}");
    // Whether it had begun is the scheduler's to say.
    match behind {
        Ok(text) => assert_eq!(text, "behind", "{path}"),
        Err(error) => assert_eq!(error.kind(), ErrorKind::Interrupted, "{path}: {error}"),
    }
    let again = send(handle, "/echo", Body::Full("again".into())).await;
    assert_eq!(again.unwrap(), "again", "{path}");
}

#[test]
fn only_the_request_that_ran_too_long_is_told_so() {
    with_worker(SHORT, async |handle| {
        for path in [
            "/now",
            "/later",
            "/timer",
            "/microtasks",
            "/call",
            "/body",
            "/callback",
            "/wasm",
        ] {
            check(handle, path, ErrorKind::Timeout).await;
        }
    });
}

#[test]
fn only_the_request_that_filled_the_heap_is_told_so() {
    with_worker(LONG, async |handle| {
        for path in ["/memory", "/text"] {
            check(handle, path, ErrorKind::Reset).await;
        }
    });
}

#[test]
fn an_abort_is_of_the_request_that_called_it() {
    with_worker(LONG, async |handle| {
        check(handle, "/abort", ErrorKind::Reset).await;
    });
}

#[test]
fn requests_that_have_not_begun_do_not_notice() {
    with_worker(SHORT, async |handle| {
        // It ends its turn, and the instance, before the other one can begin.
        let (runs_away, behind) = tokio::join!(
            send(handle, "/now", Body::None),
            send(handle, "/echo", Body::Full("behind".into())),
        );
        assert_eq!(runs_away.unwrap_err().kind(), ErrorKind::Timeout);
        assert_eq!(behind.unwrap(), "behind");
    });
}

#[test]
fn a_call_of_the_worker_is_retryable_when_another_request_ended_it() {
    with_worker(SHORT, async |handle| {
        let call = |method: &str| {
            let call = RpcCall {
                method: method.to_owned(),
                args: Payload::Json("[]".into()),
            };
            handle.rpc("OTHER", "visitor", call)
        };
        let visit = call("visit");
        call("begun").await.unwrap();
        let runs_away = send(handle, "/now", Body::None).await.unwrap_err();
        assert_eq!(runs_away.kind(), ErrorKind::Timeout);
        let caught = visit.await.unwrap();
        assert_eq!(
            caught,
            Payload::Json(
                r#"{"message":"the worker was reset because of another request; send this one again","retryable":true}"#
                    .into()
            )
        );
    });
}
