use std::time::Duration;

use dolmen_runtime::{Clock, ErrorKind, Options};
use serde_json::json;

use super::world::{in_world, in_world_with, options};

const CALLERS: &str = r#"
class A {
  constructor(state, env) { this.env = env; this.state = state; }
  names() { return Object.keys(this.env).sort(); }
  async ask(other, method, ...args) { return this.env.B.getByName(other).rpc(method, args); }
  async rich() {
    const back = await this.env.B.getByName("b").rpc("echo", [new Map([[1, new Date(5)]]), 10n, undefined]);
    return [back[0].get(1).getTime(), back[1] === 10n, back[2] === undefined];
  }
  async error() {
    try { await this.env.B.getByName("b").rpc("boom"); } catch (e) { return [e instanceof Error, e.message, e.code]; }
  }
  async loop() { return this.env.A.getByName(this.state.id.name).rpc("names"); }
  async viaB() { return this.env.B.getByName("b").rpc("back", [this.state.id.name]); }
  async chain(n) { return n === 0 ? 0 : 1 + await this.env.A.getByName("chain" + n).rpc("chain", [n - 1]); }
  async parallel() { const b = this.env.B; const r = await Promise.all([1, 2, 3].map((i) => b.getByName("p" + i).rpc("echo", [i]))); return r.flat(); }
  async order() { const b = this.env.B.getByName("ordered"); const all = []; for (let i = 0; i < 50; i++) all.push(b.rpc("push", [i, "x".repeat(i % 7 * 1000)])); await Promise.all(all); return b.rpc("list"); }
  stub() { return this.env.B.getByName("n").name; }
  badName() { this.env.B.getByName(5); }
  emptyName() { this.env.B.getByName(""); }
  badArgs() { return this.env.B.getByName("n").rpc("echo", 5); }
  badMethod() { return this.env.B.getByName("n").rpc(); }
  uncloneable() { return this.env.B.getByName("n").rpc("echo", [() => 1]); }
}
class B {
  constructor(state, env) { this.env = env; this.items = []; }
  echo(...args) { return args; }
  boom() { throw new RangeError("from b"); }
  async back(name) { return this.env.A.getByName(name).rpc("names"); }
  push(i) { this.items.push(i); }
  list() { return this.items; }
}
exports.objects = { A, B };
"#;

#[test]
fn objects_call_each_other_with_structured_values() {
    in_world(CALLERS, async |w| {
        assert_eq!(w.ok("A/a", "names", "").await, json!(["A", "B"]));
        assert_eq!(
            w.ok("A/a", "ask", r#"["b", "echo", 1, {"x": 2}]"#).await,
            json!([1, { "x": 2 }])
        );
        assert_eq!(w.ok("A/a", "rich", "").await, json!([5, true, true]));
        assert_eq!(w.ok("A/a", "parallel", "").await, json!([1, 2, 3]));
        assert_eq!(w.ok("A/a", "stub", "").await, json!("n"));
        assert_eq!(
            w.ok("A/a", "order", "").await,
            json!((0..50).collect::<Vec<_>>())
        );
    });
}

#[test]
fn the_callees_error_reaches_the_caller() {
    in_world(CALLERS, async |w| {
        assert_eq!(
            w.ok("A/a", "error", "").await,
            json!([true, "RangeError: from b", "execution_error"])
        );
        let (_, message) = w.err("A/a", "ask", r#"["b", "missing"]"#).await;
        assert!(message.contains("missing"), "{message}");
    });
}

#[test]
fn wrong_calls_are_refused_at_once() {
    in_world(CALLERS, async |w| {
        for (method, part) in [
            ("badName", "needs a string"),
            ("emptyName", "1 to 1024"),
            ("badArgs", "as an array"),
            ("badMethod", "name of a method"),
            ("uncloneable", "could not be cloned"),
        ] {
            let (kind, message) = w.err("A/a", method, "").await;
            assert_eq!(kind, ErrorKind::Exception);
            assert!(message.contains(part), "{method}: {message}");
        }
    });
}

#[test]
fn a_chain_that_comes_back_to_a_waiting_object_fails_at_once() {
    // The time-out is far away: only the detection can end these calls.
    let options = Options {
        cpu_timeout: Duration::from_secs(3_600),
        ..options()
    };
    in_world_with(CALLERS, options, Clock::system(), async |w| {
        for method in ["loop", "viaB"] {
            let (kind, message) = w.err("A/a", method, "").await;
            assert_eq!(kind, ErrorKind::Exception);
            assert!(message.contains("wait for ever"), "{method}: {message}");
            assert!(message.contains("A/a"), "{method}: {message}");
        }
        assert_eq!(w.ok("A/chain", "chain", "[20]").await, json!(20));
        let (_, message) = w.err("A/chain", "chain", "[100]").await;
        assert!(message.contains("too deep"), "{message}");
    });
}
