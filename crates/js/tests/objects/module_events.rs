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

const ALARMS: &str = r#"
import { DurableObject } from "cloudflare:workers";

export class Clock extends DurableObject {
  async set(mode) {
    await this.ctx.storage.put("mode", mode);
    await this.ctx.storage.setAlarm(1);
  }
  get() { return this.ctx.storage.getAlarm(); }
  async runs() { return (await this.ctx.storage.get("runs")) ?? []; }
  async alarm({ retryCount }) {
    const { storage } = this.ctx;
    await storage.put("runs", [...(await this.runs()), retryCount]);
    await storage.sync();
    const mode = await storage.get("mode");
    if (mode === "hang") await new Promise(() => {});
    if (mode === "abort") this.ctx.abort("in the alarm");
    if (mode === "set, and abort") {
      if (retryCount === 6) {
        await storage.put("mode", "ok");
        await storage.setAlarm(86_400_000);
        await storage.sync();
      }
      this.ctx.abort("in the alarm");
    }
  }
}
"#;

fn with_alarms(test: impl AsyncFnOnce(&mut World, Arc<ManualClock>)) {
    let clock = ManualClock::new(1_000);
    let options = Options {
        shards: 1,
        idle_timeout: None,
        ..options()
    };
    in_world_with(ALARMS, options, Clock::manual(clock.clone()), async |w| {
        test(w, clock).await;
    });
}

/// Waits until the alarm has begun `count` times.
async fn until_runs(w: &World, count: usize) -> Value {
    loop {
        // A reset fails the calls that are under way.
        if let Ok(runs) = w.call("CLOCK/a", "runs", "").await
            && runs.as_array().unwrap().len() >= count
        {
            return runs;
        }
        tokio::task::yield_now().await;
    }
}

/// Waits until the first to wake sleeps for `least` to a quarter more, and lets that time pass.
async fn pass(clock: &ManualClock, least: Duration) {
    loop {
        if let Some(wait) = clock.next_wake()
            && wait >= least
            && wait <= least + least / 4
        {
            return clock.advance(wait);
        }
        tokio::task::yield_now().await;
    }
}

#[test]
fn the_handler_of_an_alarm_has_15_minutes() {
    with_alarms(async |w, clock| {
        w.ok("CLOCK/a", "set", r#"["hang"]"#).await;
        until_runs(w, 1).await;
        clock.advance(Duration::from_millis(15 * 60_000 - 1));
        until_asleep_for(&clock, Duration::from_millis(1)).await;
        clock.advance(Duration::from_millis(1));
        // It counts as a failure.
        pass(&clock, Duration::from_secs(2)).await;
        assert_eq!(until_runs(w, 2).await, json!([0, 1]));
    });
}

#[test]
fn an_alarm_whose_handler_is_always_reset_is_dropped_after_six_retries() {
    with_alarms(async |w, clock| {
        w.ok("CLOCK/a", "set", r#"["abort"]"#).await;
        for retry in 0..6 {
            until_runs(w, retry + 1).await;
            pass(&clock, Duration::from_secs(2 << retry)).await;
        }
        assert_eq!(until_runs(w, 7).await, json!([0, 1, 2, 3, 4, 5, 6]));
        while !matches!(w.call("CLOCK/a", "get", "").await, Ok(Value::Null)) {
            tokio::task::yield_now().await;
        }
        clock.advance(Duration::from_secs(86_400));
        assert_eq!(
            w.ok("CLOCK/a", "runs", "").await.as_array().unwrap().len(),
            7
        );
    });
}

#[test]
fn an_alarm_that_the_last_try_has_set_is_kept() {
    with_alarms(async |w, clock| {
        w.ok("CLOCK/a", "set", r#"["set, and abort"]"#).await;
        for retry in 0..6 {
            until_runs(w, retry + 1).await;
            pass(&clock, Duration::from_secs(2 << retry)).await;
        }
        // Of the reset object the calls fail; the next one has what it left.
        let kept = async || w.call("CLOCK/a", "get", "").await.ok();
        while kept().await != Some(json!(86_400_000)) {
            tokio::task::yield_now().await;
        }
    });
}

/// What is not there says so when it is used, by name; looking at it harms nobody.
#[test]
fn what_is_missing_throws_a_named_error_at_first_use() {
    const SOURCE: &str = r#"
import * as workers from "cloudflare:workers";

export class Asker extends workers.DurableObject {
  async ask() {
    const { ctx, env } = this;
    const uses = {
      "stub.connect": () => env.ASKER.getByName("a").connect("host:1"),
      "namespace.getExisting": () => env.ASKER.getExisting(ctx.id),
      "ctx.facets.get": () => ctx.facets.get("a", () => ({})),
      "ctx.facets.abort": () => ctx.facets.abort("a", "why"),
      "ctx.facets.delete": () => ctx.facets.delete("a"),
      "ctx.facets.clone": () => ctx.facets.clone("a", "b"),
      getBookmarkForTime: () => ctx.storage.getBookmarkForTime(0),
      onNextSessionRestoreBookmark: () => ctx.storage.onNextSessionRestoreBookmark(""),
      withEnv: () => workers.withEnv({}, () => {}),
      withExports: () => workers.withExports({}, () => {}),
      withEnvAndExports: () => workers.withEnvAndExports({}, {}, () => {}),
      abortIsolate: () => workers.abortIsolate(),
      cache: () => workers.cache.purge,
      tracing: () => workers.tracing.enterSpan,
      WorkflowEntrypoint: () => new workers.WorkflowEntrypoint(ctx, env),
      "caches.default": () => caches.default,
      "caches.open": () => caches.open("a"),
      HTMLRewriter: () => new HTMLRewriter(),
      EventSource: () => new EventSource("http://a"),
      Worker: () => new Worker("a"),
      Cloudflare: () => Cloudflare.compatibilityFlags,
      Intl: () => new Intl.NumberFormat(),
      BroadcastChannel: () => new BroadcastChannel("a"),
    };
    const said = {};
    for (const [name, use] of Object.entries(uses)) {
      try {
        await use();
        said[name] = "nothing";
      } catch (error) {
        said[name] = `${error.name}: ${error.message}`;
      }
    }
    return said;
  }
}
"#;
    in_world_with(SOURCE, options(), Clock::system(), async |w| {
        let said = w.ok("ASKER/a", "ask", "").await;
        for (name, said) in said.as_object().unwrap() {
            let said = said.as_str().unwrap();
            let last = name.rsplit('.').next().unwrap();
            let is_recovery = said.ends_with("does not implement point-in-time recovery.");
            let is_named = said.contains(last)
                && (said.contains("not implemented in Dolmen")
                    || said.ends_with(" is not defined"));
            assert!(is_recovery || is_named, "{name}: {said}");
        }
    });
}

#[test]
fn a_result_of_sql_that_does_not_fit_in_memory_is_refused_and_can_be_read_row_by_row() {
    const SOURCE: &str = r#"
import { DurableObject } from "cloudflare:workers";

const ROWS = "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 400) SELECT hex(zeroblob(50000)) AS x FROM n";

export class Reader extends DurableObject {
  all() { return this.ctx.storage.sql.exec(ROWS).toArray().length; }
  each() {
    let rows = 0;
    for (const { x } of this.ctx.storage.sql.exec(ROWS)) rows += x.length / 100_000;
    return rows;
  }
}
"#;
    let options = Options {
        memory_limit: 16 << 20,
        ..options()
    };
    in_world_with(SOURCE, options, Clock::system(), async |w| {
        let (_, message) = w.err("READER/a", "all", "").await;
        assert_eq!(
            message,
            "SQL query result set is too large to fit in memory. Use a streaming iterator instead."
        );
        assert_eq!(w.ok("READER/a", "each", "").await, 400);
    });
}
