//! Events of module workers where time and limits decide: the end of a section, a full queue, eviction. What user code
//! sees otherwise is asserted in `tests/conformance/{gates,rpc,errors}`.

use std::{sync::Arc, time::Duration};

use dolmen_runtime::{Clock, ManualClock, Options};
use serde_json::{Value, json};

use super::world::{World, call, in_world_with, options};

const SOURCE: &str = r#"
import { DurableObject, RpcTarget } from "cloudflare:workers";

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

class Target extends RpcTarget {}

export class Callee extends DurableObject {
  instance = crypto.randomUUID();
  which() { return this.instance; }
  wait(ms) { return sleep(ms); }
  section(ms) {
    return this.ctx.blockConcurrencyWhile(async () => {
      await this.env.CALLEE.getByName("witness").note("it began");
      await sleep(ms);
    });
  }
  note(what) { this.noted = what; }
  getNoted() { return this.noted ?? null; }
  target() { return new Target(); }
}

export class Caller extends DurableObject {
  stubs = new Map();
  constructor(ctx, env) {
    super(ctx, env);
    setTimeout(() => {}, 2 ** 31 - 1); // Keeps the instance.
  }
  stub(name) {
    if (!this.stubs.has(name)) this.stubs.set(name, this.env.CALLEE.getByName(name));
    return this.stubs.get(name);
  }
  // The result, or what the error says, by the same stub each time.
  async ask(name, method, ...args) {
    try {
      return (await this.stub(name)[method](...args)) ?? null;
    } catch (error) {
      return { message: error.message, ...error };
    }
  }
  async askTimes(times, ...args) { return Promise.all(Array.from({ length: times }, () => this.ask(...args))); }
  async hold(name) { this.held = await this.stub(name).target(); }
  async drop() { this.held[Symbol.dispose](); }
  async askNew(name, method) { return this.env.CALLEE.getByName(name)[method](); }
}
"#;

fn in_time(options: Options, test: impl AsyncFnOnce(&mut World, Arc<ManualClock>)) {
    let clock = ManualClock::new(0);
    let options = Options {
        shards: 1,
        ..options
    };
    in_world_with(SOURCE, options, Clock::manual(clock.clone()), async |w| {
        test(w, clock).await
    });
}

/// Waits until somebody sleeps for exactly `time`, as the first to wake.
async fn until_asleep_for(clock: &ManualClock, time: Duration) {
    while clock.next_wake() != Some(time) {
        tokio::task::yield_now().await;
    }
}

fn spawn(w: &World, method: &'static str, args: &'static str) -> tokio::task::JoinHandle<Value> {
    let handle = w.handle.clone();
    tokio::spawn(async move { call(&handle, "CALLER/a", method, args).await.unwrap() })
}

#[test]
fn a_section_has_30_seconds() {
    let options = Options {
        idle_timeout: None,
        ..options()
    };
    in_time(options, async |w, clock| {
        let instance = w.ok("CALLER/a", "ask", r#"["it", "which"]"#).await;
        let section = spawn(w, "ask", r#"["it", "section", 3600000]"#);
        while w.ok("CALLEE/witness", "getNoted", "").await != "it began" {
            tokio::task::yield_now().await;
        }
        // Waits for the section, and shares its end.
        let waits = spawn(w, "askTimes", r#"[1, "it", "which"]"#);
        clock.advance(Duration::from_millis(29_999));
        // An event there and back, in which a section that is over would have ended.
        w.ok("CALLEE/witness", "which", "").await;
        assert!(!section.is_finished() && !waits.is_finished());
        clock.advance(Duration::from_millis(1));
        let reset = json!({
            "message": "A call to blockConcurrencyWhile() in a Durable Object waited for too long. The call was canceled and the Durable Object was reset.",
            "overloaded": true,
            "durableObjectReset": true,
        });
        assert_eq!(section.await.unwrap(), reset);
        assert_eq!(waits.await.unwrap(), json!([reset]));
        assert_eq!(
            w.ok("CALLER/a", "ask", r#"["it", "which"]"#).await,
            reset,
            "the stub is broken"
        );
        let again = w.ok("CALLER/a", "askNew", r#"["it", "which"]"#).await;
        assert!(again.is_string() && again != instance);
    });
}

#[test]
fn a_call_beyond_the_queue_is_refused_and_breaks_nothing() {
    let options = Options {
        queue_limit: 3,
        idle_timeout: None,
        ..options()
    };
    in_time(options, async |w, clock| {
        let calls = spawn(w, "askTimes", r#"[5, "it", "wait", 1000]"#);
        until_asleep_for(&clock, Duration::from_secs(1)).await;
        clock.advance(Duration::from_secs(1));
        let refused = json!({
            "message": "Durable Object is overloaded. Too many requests queued.",
            "overloaded": true,
        });
        assert_eq!(
            calls.await.unwrap(),
            json!([null, null, null, refused, refused])
        );
        let again = w.ok("CALLER/a", "ask", r#"["it", "which"]"#).await;
        assert!(again.is_string(), "{again}");
    });
}

#[test]
fn a_stub_reaches_the_instance_after_an_eviction_and_what_it_refers_to_prevents_one() {
    let options = Options {
        idle_timeout: Some(Duration::from_secs(60)),
        ..options()
    };
    in_time(options, async |w, clock| {
        let idle = async || {
            for _ in 0..8 {
                clock.advance(Duration::from_secs(15));
                w.ok("CALLEE/other", "which", "").await;
            }
        };
        let which = async || w.ok("CALLER/a", "ask", r#"["it", "which"]"#).await;
        let first = which().await;
        idle().await;
        let second = which().await;
        assert!(second.is_string() && second != first, "{first} {second}");

        w.ok("CALLER/a", "hold", r#"["it"]"#).await;
        idle().await;
        assert_eq!(which().await, second, "a reference is held");
        let waits = spawn(w, "ask", r#"["it", "wait", 300000]"#);
        w.ok("CALLER/a", "drop", "").await;
        idle().await;
        assert_eq!(which().await, second, "a call is under way");
        for _ in 0..2 {
            idle().await;
        }
        assert_eq!(waits.await.unwrap(), json!(null));
        idle().await;
        assert_ne!(which().await, second);
    });
}
