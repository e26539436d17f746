//! Starting, failing to start, eviction and shutdown.

use std::time::Duration;

use dolmen_js::JsEngine;
use dolmen_runtime::{Clock, ErrorKind, ManualClock, Options};
use serde_json::json;

use super::world::{self, in_world, in_world_with, options};

const LIVES: &str = r#"
class Life {
  constructor(state, env) { this.env = env; this.storage = state.storage; this.calls = 0; const n = state.storage.get("starts") ?? 0; state.storage.put("starts", n + 1); }
  call() { return ++this.calls; }
  starts() { return this.storage.get("starts"); }
  timer() { setTimeout(() => {}, 1e9); }
  async ask(name, ms) { return this.env.LIFE.getByName(name).rpc("wait", [ms]); }
  askAndGoOn(name, ms) { this.ask(name, ms).then((answer) => { this.answer = answer; }); }
  answered() { return this.answer ?? null; }
  async wait(ms) { await new Promise((r) => setTimeout(r, ms)); return "waited"; }
}
class Fragile {
  constructor(state) { this.storage = state.storage; state.storage.put("from constructor", 1); if (state.id.name === "broken") throw new Error("no start"); }
  get(k) { return this.storage.get(k); }
}
class Picky { constructor() { if (!globalThis.tried) { globalThis.tried = 1; } } hi() { return globalThis.tried++; } }
exports.objects = { Life, Fragile, Picky };
"#;

#[test]
fn a_throwing_constructor_is_a_failed_start_and_keeps_nothing() {
    in_world(LIVES, async |w| {
        let (kind, message) = w.err("FRAGILE/broken", "get", r#"["x"]"#).await;
        assert_eq!(
            (kind, message.as_str()),
            (ErrorKind::StartFailed, "no start")
        );
        assert_eq!(
            w.ok("FRAGILE/fine", "get", r#"["from constructor"]"#).await,
            json!(1)
        );
    });
}

#[test]
fn heaps_are_apart() {
    in_world(LIVES, async |w| {
        assert_eq!(w.ok("PICKY/a", "hi", "").await, json!(1));
        assert_eq!(w.ok("PICKY/a", "hi", "").await, json!(2));
        assert_eq!(
            w.ok("PICKY/b", "hi", "").await,
            json!(1),
            "another object has another global scope"
        );
    });
}

#[test]
fn idle_objects_are_evicted_and_come_back_with_their_state() {
    let clock = ManualClock::new(0);
    let options = Options {
        idle_timeout: Some(Duration::from_secs(60)),
        shards: 1,
        ..options()
    };
    in_world_with(LIVES, options, Clock::manual(clock.clone()), async |w| {
        assert_eq!(w.ok("LIFE/a", "call", "").await, json!(1));
        assert_eq!(w.ok("LIFE/pinned", "call", "").await, json!(1));
        w.ok("LIFE/pinned", "timer", "").await;
        // Each step wakes the sweeper; the event to another object lets it run before we go on.
        #[cfg(target_os = "linux")]
        assert_eq!(open_databases(w.folder()), 2);
        for _ in 0..8 {
            clock.advance(Duration::from_secs(15));
            w.ok("LIFE/other", "call", "").await;
        }
        // "pinned" and "other" are left.
        #[cfg(target_os = "linux")]
        assert_eq!(open_databases(w.folder()), 2, "the file handles go");
        assert_eq!(
            w.ok("LIFE/a", "call", "").await,
            json!(1),
            "a fresh instance"
        );
        assert_eq!(w.ok("LIFE/a", "starts", "").await, json!(2));
        assert_eq!(
            w.ok("LIFE/pinned", "call", "").await,
            json!(2),
            "a pending timer keeps it"
        );
    });
}

#[test]
fn an_object_is_not_idle_while_an_event_runs_or_a_call_is_on_its_way() {
    let clock = ManualClock::new(0);
    let options = Options {
        idle_timeout: Some(Duration::from_secs(60)),
        cpu_timeout: Duration::from_secs(36_000),
        shards: 1,
        ..options()
    };
    in_world_with(LIVES, options, Clock::manual(clock.clone()), async |w| {
        w.ok("LIFE/idle", "call", "").await;
        w.ok("LIFE/running", "call", "").await;
        w.ok("LIFE/calling", "call", "").await;
        let handle = w.handle.clone();
        let running = tokio::spawn(async move {
            world::call(&handle, "LIFE/running", "ask", r#"["slow-1", 300000]"#).await
        });
        // Its event ends at once; only the call goes on.
        w.ok("LIFE/calling", "askAndGoOn", r#"["slow-2", 300000]"#)
            .await;
        for _ in 0..8 {
            clock.advance(Duration::from_secs(15));
            w.ok("LIFE/other", "call", "").await;
        }
        assert_eq!(w.ok("LIFE/idle", "call", "").await, json!(1), "evicted");
        assert_eq!(w.ok("LIFE/calling", "call", "").await, json!(2));
        assert!(!running.is_finished());
        assert_eq!(w.ok("LIFE/calling", "answered", "").await, json!(null));
        while !running.is_finished()
            || w.ok("LIFE/calling", "answered", "").await != json!("waited")
        {
            clock.advance(Duration::from_secs(15));
            w.ok("LIFE/other", "call", "").await;
        }
        assert_eq!(running.await.unwrap().unwrap(), json!("waited"));
        assert_eq!(w.ok("LIFE/running", "call", "").await, json!(2));
        assert_eq!(w.ok("LIFE/calling", "call", "").await, json!(3));
    });
}

#[test]
fn a_bundle_that_loads_but_cannot_run_again_for_an_object_is_a_failed_start() {
    // Loading has room for this, and an object has not.
    let source = r#"
const much = new Array(3_000_000).fill(0);
class Big { hello() { return much.length; } }
exports.objects = { Big };
"#;
    let options = Options {
        memory_limit: 8 << 20,
        ..options()
    };
    in_world_with(source, options, Clock::system(), async |w| {
        for _ in 0..2 {
            let (kind, message) = w.err("BIG/a", "hello", "").await;
            assert_eq!(kind, ErrorKind::StartFailed, "{message}");
            assert!(message.contains("memory limit of 8 MiB"), "{message}");
        }
    });
}

/// How many object files below `folder` this process has open.
#[cfg(target_os = "linux")]
fn open_databases(folder: &std::path::Path) -> usize {
    let open = std::fs::read_dir("/proc/self/fd").unwrap();
    let files: std::collections::HashSet<_> = open
        .filter_map(|handle| std::fs::read_link(handle.unwrap().path()).ok())
        .filter(|file| file.starts_with(folder.join("LIFE")))
        .filter(|file| file.extension().is_some_and(|kind| kind == "sqlite"))
        .filter(|file| !file.ends_with("metadata.sqlite"))
        .collect();
    files.len()
}

#[test]
fn more_objects_than_may_live_and_more_files_than_may_be_open() {
    let options = Options {
        max_live_objects: 8,
        max_open_databases: 4,
        shards: 1,
        ..options()
    };
    in_world_with(LIVES, options, Clock::system(), async |w| {
        for round in 1..=2 {
            for index in 0..40 {
                let name = format!("LIFE/{index}");
                let starts = w.ok(&name, "starts", "").await.as_u64().unwrap();
                assert!(starts >= round, "{name} lost a start");
            }
        }
    });
}

#[test]
fn shutdown_lets_running_events_finish_and_refuses_new_ones() {
    in_world(LIVES, async |w| {
        w.ok("LIFE/a", "call", "").await;
        let handle = w.handle.clone();
        let running = tokio::spawn({
            let handle = handle.clone();
            async move { world::call(&handle, "LIFE/a", "wait", "[30]").await }
        });
        // The next event waits behind the running one, so both were accepted before the shutdown.
        let waiting = tokio::spawn({
            let handle = handle.clone();
            async move { world::call(&handle, "LIFE/a", "call", "[]").await }
        });
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
        w.stop().await;
        assert_eq!(running.await.unwrap().unwrap(), json!("waited"));
        assert_eq!(waiting.await.unwrap().unwrap(), json!(2));
        let late = world::call(&handle, "LIFE/a", "call", "[]")
            .await
            .unwrap_err();
        assert_eq!(late.kind(), ErrorKind::Unavailable);
    });
}

#[test]
fn shutdown_cuts_off_what_does_not_end() {
    let options = Options {
        shutdown_grace: Duration::from_millis(50),
        ..options()
    };
    in_world_with(LIVES, options, Clock::system(), async |w| {
        w.ok("LIFE/a", "call", "").await;
        let handle = w.handle.clone();
        let running =
            tokio::spawn(async move { world::call(&handle, "LIFE/a", "wait", "[1000000]").await });
        tokio::task::yield_now().await;
        w.stop().await;
        assert_eq!(
            running.await.unwrap().unwrap_err().kind(),
            ErrorKind::Unavailable
        );
    });
}

#[test]
fn a_syntax_error_has_the_column_of_the_wrong_token() {
    for (source, place, mark) in [
        (
            "let ok = 1;\n  let b = ;\n",
            "bundle.js:2:11:",
            "          ^",
        ),
        ("let b = ;", "bundle.js:1:9:", "        ^"),
        (
            "const first = 1;\nconst first = 2;",
            "bundle.js:2:7:",
            "      ^",
        ),
        (
            "f(1, 2\n\n",
            "bundle.js:1:7: SyntaxError: Unexpected end",
            "      ^",
        ),
    ] {
        let error = JsEngine::load("bundle.js", source)
            .err()
            .unwrap()
            .to_string();
        assert!(error.contains(place), "{source}: {error}");
        assert!(error.ends_with(mark), "{source}: {error}");
    }
    let long = format!("{}let b = ;", "f();".repeat(100_000));
    let error = JsEngine::load("bundle.js", &long)
        .err()
        .unwrap()
        .to_string();
    assert!(error.starts_with("bundle.js:1:400009:"), "{}", &error[..80]);
    assert!(error.len() < 1_000, "only a part of a long line is shown");
}

#[test]
fn bundles_that_cannot_be_used_say_where_and_why() {
    for (source, parts) in [
        (
            "exports.objects = {\n  A: class { x( {} }\n};",
            &["bundle.js:2:", "SyntaxError", "A: class { x( {} }", "^"][..],
        ),
        ("let a = 1; let a = 2;", &["bundle.js:1:", "SyntaxError"]),
        (
            "throw new TypeError('top')",
            &["bundle.js:1:", "TypeError: top"],
        ),
        ("\n\nundefinedThing();", &["bundle.js:3:", "undefinedThing"]),
        (
            "const x = require('fs')",
            &["require(\"fs\") is not available", "esbuild"],
        ),
        ("", &["exports no objects", "exports.objects"]),
        ("exports.objects = {}", &["is empty"]),
        (
            "exports.objects = { A: 5 }",
            &["exports.objects.A is not a class"],
        ),
        (
            "exports.objects = { A: () => 1 }",
            &["exports.objects.A is not a class"],
        ),
        ("exports.objects = 5", &["exports no objects"]),
        ("for (;;) {}", &["did not end within"]),
    ] {
        let error = JsEngine::load("bundle.js", source)
            .err()
            .unwrap_or_else(|| panic!("{source} loaded"))
            .to_string();
        for part in parts {
            assert!(error.contains(part), "{source}: {error}");
        }
    }
    for source in [
        "module.exports = { objects: { A: class {} } }",
        "module.exports.objects = { A: function () {} }",
        "exports.objects = { A: class {} } // end",
    ] {
        assert_eq!(
            JsEngine::load("bundle.js", source).unwrap().classes(),
            ["A"],
            "{source}"
        );
    }
}
