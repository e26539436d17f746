//! Bad neighbours: each fails itself with a clear error, and nobody else.

use std::time::{Duration, Instant};

use dolmen_runtime::{Clock, ErrorKind, Options};
use serde_json::json;

use super::world::{self, in_world, in_world_with, options};

const NEIGHBOURS: &str = r#"
class Bad {
  constructor(state) { this.storage = state.storage; this.calls = 0; }
  calls_() { return ++this.calls; }
  spin() { this.storage.put("spin", 1); for (;;) {} }
  async spinLater() { this.storage.put("first", 1); await new Promise((r) => setTimeout(r, 1)); this.storage.put("second", 1); for (;;) {} }
  async never() { this.storage.put("never", 1); await new Promise(() => {}); }
  regex() { return /^(a+)+$/.test("a".repeat(40) + "!"); }
  microtasks() { const again = () => Promise.resolve().then(again); again(); return new Promise(() => {}); }
  catchless() { try { for (;;) {} } catch { return "caught"; } finally { this.storage.put("finally", 1); } }
  allocate() { const all = []; for (;;) all.push(new Array(1000).fill(all.length)); }
  concat() { let s = "x".repeat(1024); for (;;) s += s + s; }
  recurse(n = 0) { return this.recurse(n + 1) + 1; }
  nestedJson() { return JSON.parse("[".repeat(1000000)); }
  get(k) { return this.storage.get(k); }
  parse() { const text = JSON.stringify(Array(20000).fill("some text")); for (;;) JSON.parse(text); }
  put() { for (let i = 0; ; i++) this.storage.put("k" + i % 100, "x".repeat(10000)); }
  timers() { for (let i = 0; i < 20000; i++) setTimeout(() => {}, 100000); }
}
class Good { constructor(state) { this.storage = state.storage; } hello() { return "hello"; } inc() { const n = (this.storage.get("n") ?? 0) + 1; this.storage.put("n", n); return n; } }
exports.objects = { Bad, Good };
"#;

fn tight() -> Options {
    Options {
        shards: 1,
        cpu_timeout: Duration::from_millis(200),
        memory_limit: 16 << 20,
        ..options()
    }
}

#[test]
fn what_does_not_end_times_out_and_the_next_event_gets_a_fresh_instance() {
    in_world_with(NEIGHBOURS, tight(), Clock::system(), async |w| {
        for method in [
            "spin",
            "spinLater",
            "never",
            "regex",
            "microtasks",
            "catchless",
            "parse",
            "put",
        ] {
            let name = format!("BAD/{method}");
            assert_eq!(w.ok(&name, "calls_", "").await, json!(1));
            let (kind, message) = w.err(&name, method, "").await;
            assert_eq!(kind, ErrorKind::Timeout, "{method}: {message}");
            assert!(message.contains(&name), "{message}");
            assert_eq!(
                w.ok(&name, "calls_", "").await,
                json!(1),
                "{method}: a fresh instance"
            );
        }
    });
}

#[test]
fn a_time_out_drops_the_writes_of_the_unfinished_turn_only() {
    in_world_with(NEIGHBOURS, tight(), Clock::system(), async |w| {
        w.err("BAD/a", "spin", "").await;
        assert_eq!(w.ok("BAD/a", "get", r#"["spin"]"#).await, json!(null));
        w.err("BAD/a", "spinLater", "").await;
        assert_eq!(
            w.ok("BAD/a", "get", r#"["first"]"#).await,
            json!(1),
            "committed before the timer"
        );
        assert_eq!(w.ok("BAD/a", "get", r#"["second"]"#).await, json!(null));
        w.err("BAD/a", "catchless", "").await;
        assert_eq!(w.ok("BAD/a", "get", r#"["finally"]"#).await, json!(null));
    });
}

#[test]
fn memory_and_recursion_limits_are_clear_errors() {
    let roomy = Options {
        cpu_timeout: Duration::from_secs(20),
        ..tight()
    };
    in_world_with(NEIGHBOURS, roomy, Clock::system(), async |w| {
        for method in ["allocate", "concat"] {
            let (kind, message) = w.err("BAD/a", method, "").await;
            assert!(
                matches!(kind, ErrorKind::Reset | ErrorKind::Exception),
                "{method}: {message}"
            );
            if kind == ErrorKind::Reset {
                assert!(message.contains("memory limit of 16 MiB"), "{message}");
            }
            assert_eq!(
                w.ok("BAD/a", "get", r#"["x"]"#).await,
                json!(null),
                "{method}: the object goes on"
            );
        }
        let (kind, message) = w.err("BAD/a", "allocate", "").await;
        assert_eq!(kind, ErrorKind::Reset, "{message}");
        let (kind, message) = w.err("BAD/a", "recurse", "").await;
        assert_eq!(kind, ErrorKind::Exception);
        assert!(message.starts_with("RangeError"), "{message}");
        let (kind, _) = w.err("BAD/a", "nestedJson", "").await;
        assert_eq!(kind, ErrorKind::Exception);
        let (kind, message) = w.err("BAD/a", "timers", "").await;
        assert_eq!(kind, ErrorKind::Exception);
        assert!(message.contains("too many timers"), "{message}");
        assert_eq!(w.ok("GOOD/a", "hello", "").await, json!("hello"));
    });
}

/// Counts answers rather than judging times: while a neighbour loops to its time-out, the others
/// of the same shard must go on answering all along.
#[test]
fn neighbours_of_an_endless_loop_keep_answering() {
    let options = Options {
        cpu_timeout: Duration::from_secs(1),
        ..tight()
    };
    in_world_with(NEIGHBOURS, options, Clock::system(), async |w| {
        w.ok("GOOD/a", "inc", "").await;
        for method in ["spin", "regex", "parse", "put"] {
            let handle = w.handle.clone();
            let bad = tokio::spawn(async move { world::call(&handle, "BAD/a", method, "").await });
            let mut answers = 0;
            let mut slowest = Duration::ZERO;
            while !bad.is_finished() {
                let asked = Instant::now();
                w.ok("GOOD/a", "hello", "").await;
                slowest = slowest.max(asked.elapsed());
                answers += 1;
            }
            assert_eq!(bad.await.unwrap().unwrap_err().kind(), ErrorKind::Timeout);
            assert!(
                answers > 20,
                "{method}: only {answers} answers while it ran; the slowest took {slowest:?}"
            );
        }
    });
}

#[test]
fn a_full_queue_is_overloaded_and_harms_no_other_object() {
    let options = Options {
        queue_limit: 10,
        ..tight()
    };
    in_world_with(NEIGHBOURS, options, Clock::system(), async |w| {
        let calls: Vec<_> = (0..30)
            .map(|_| {
                let handle = w.handle.clone();
                tokio::spawn(async move { world::call(&handle, "BAD/a", "never", "").await })
            })
            .collect();
        let mut overloaded = 0;
        for call in calls {
            match call.await.unwrap().unwrap_err().kind() {
                ErrorKind::Overloaded => overloaded += 1,
                ErrorKind::Timeout => {}
                other => panic!("{other:?}"),
            }
        }
        assert!((18..=20).contains(&overloaded), "{overloaded}");
        assert_eq!(w.ok("GOOD/a", "hello", "").await, json!("hello"));
    });
}

/// The engine ends the process when an instance leaves something behind that it cannot free.
#[test]
fn iterator_helpers_lose_nothing() {
    let source = "
        class Walker {
          walk() {
            const items = () => [{ n: 1 }, { n: 2 }, { n: 3 }].values();
            const numbers = items().map((item) => item.n).filter((n) => n > 1).toArray();
            items().filter(() => false).toArray();
            try { items().filter((item) => { throw item; }).toArray(); } catch {}
            const first = items().map((item) => item.n).filter((n) => n > 1).take(1).toArray();
            items().flatMap((item) => [item, item]).take(3).toArray();
            return [numbers, first];
          }
        }
        exports.objects = { Walker };";
    in_world(source, async |world| {
        assert_eq!(
            world.ok("WALKER/a", "walk", "[]").await,
            json!([[2, 3], [2]])
        );
    });
}
