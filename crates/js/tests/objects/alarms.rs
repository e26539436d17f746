use std::{sync::Arc, time::Duration};

use dolmen_runtime::{Clock, ErrorKind, ManualClock, Options};
use serde_json::{Value, json};

use super::world::{self, World, in_world_with, options};

const START_MS: i64 = 1_700_000_000_000;

const ALARMS: &str = r#"
class Clock {
  constructor(state, env) { this.storage = state.storage; this.env = env; }
  set(ms) { this.storage.setAlarm(ms); }
  setDate(ms) { this.storage.setAlarm(new Date(ms)); }
  get() { return this.storage.getAlarm(); }
  cancel() { this.storage.deleteAlarm(); }
  mode(m) { this.storage.put("mode", m); }
  runs() { return this.storage.get("runs") ?? []; }
  rolledBack(ms) { try { this.storage.transaction(() => { this.storage.setAlarm(ms); throw 0; }); } catch {} return this.storage.getAlarm(); }
  put(k) { this.storage.put(k, 1); }
  has(k) { return this.storage.get(k) !== undefined; }
  deleteAll() { this.storage.deleteAll(); }
  deleteAllNested() {
    let refused;
    this.storage.transaction(() => { try { this.storage.deleteAll(); } catch (error) { refused = error.message; } });
    return refused;
  }
  touch() { return this.touched = (this.touched ?? 0) + 1; }
  seen() { return [this.most, this.ended]; }
  async alarm(info) {
    this.active = (this.active ?? 0) + 1;
    this.most = Math.max(this.most ?? 0, this.active);
    try { await this.handle(info); } finally { this.active--; this.ended = (this.ended ?? 0) + 1; }
  }
  async handle(info) {
    const runs = this.storage.get("runs") ?? [];
    runs.push([info.retryCount, info.isRetry, info.scheduledTime, this.storage.getAlarm()]);
    this.storage.put("runs", runs);
    const mode = this.storage.get("mode");
    if (mode === "fail") throw new Error("alarm failed");
    if (mode === "again") { this.storage.put("mode", "ok"); this.storage.setAlarm(info.scheduledTime + 5000); }
    if (mode === "againAndFail") { this.storage.put("mode", "ok"); this.storage.setAlarm(info.scheduledTime + 5000); throw new Error("superseded"); }
    if (mode === "slow") { this.storage.put("mode", "ok"); this.storage.setAlarm(1); await new Promise((r) => setTimeout(r, 1000)); }
    if (mode === "report") await this.env.CLOCK.getByName("log").rpc("put", [`touched ${this.touched ?? 0}`]);
    if (mode === "hang") { this.storage.put("mode", "ok"); await new Promise(() => {}); }
    if (mode === "memory" && info.retryCount === 0) for (const all = []; ;) all.push(new Array(1000).fill(0));
  }
}
class NoHandler { constructor(state) { this.storage = state.storage; } set() { this.storage.setAlarm(5); } }
exports.objects = { Clock, NoHandler };
"#;

const CPU_TIMEOUT: Duration = Duration::from_secs(36_000);

fn alarm_world(test: impl AsyncFnOnce(&mut World, Arc<ManualClock>)) {
    alarm_world_with(None, test);
}

fn alarm_world_with(
    idle_timeout: Option<Duration>,
    test: impl AsyncFnOnce(&mut World, Arc<ManualClock>),
) {
    let clock = ManualClock::new(START_MS);
    let options = Options {
        idle_timeout,
        cpu_timeout: CPU_TIMEOUT,
        memory_limit: 16 << 20,
        ..options()
    };
    in_world_with(ALARMS, options, Clock::manual(clock.clone()), async |w| {
        test(w, clock).await
    });
}

/// Waits until the alarm has run `count` times: each look is an event of the same object, so it
/// comes after whatever was delivered before it.
async fn runs(w: &World, count: usize) -> Value {
    loop {
        let runs = w.ok("CLOCK/a", "runs", "").await;
        if runs.as_array().unwrap().len() >= count {
            return runs;
        }
        tokio::task::yield_now().await;
    }
}

/// Waits until somebody waits for the clock.
async fn until_a_sleeper(clock: &ManualClock) {
    while clock.sleepers() == 0 {
        tokio::task::yield_now().await;
    }
}

#[test]
fn an_alarm_fires_once_when_it_is_due_and_is_gone_after_it() {
    alarm_world(async |w, clock| {
        w.ok("CLOCK/a", "set", &format!("[{}]", START_MS + 10_000))
            .await;
        assert_eq!(w.ok("CLOCK/a", "get", "").await, json!(START_MS + 10_000));
        clock.advance(Duration::from_millis(9_999));
        assert_eq!(w.ok("CLOCK/a", "runs", "").await, json!([]));
        clock.advance(Duration::from_millis(1));
        assert_eq!(
            runs(w, 1).await,
            json!([[0, false, START_MS + 10_000, null]])
        );
        assert_eq!(w.ok("CLOCK/a", "get", "").await, json!(null));
        clock.advance(Duration::from_secs(3_600));
        assert_eq!(
            w.ok("CLOCK/a", "runs", "").await.as_array().unwrap().len(),
            1
        );
    });
}

#[test]
fn an_alarm_in_the_past_fires_now_and_dates_work() {
    alarm_world(async |w, _clock| {
        w.ok("CLOCK/a", "setDate", "[1]").await;
        assert_eq!(runs(w, 1).await, json!([[0, false, 1, null]]));
    });
}

#[test]
fn a_later_set_or_delete_replaces_the_alarm() {
    alarm_world(async |w, clock| {
        w.ok("CLOCK/a", "set", &format!("[{}]", START_MS + 1_000))
            .await;
        w.ok("CLOCK/a", "set", &format!("[{}]", START_MS + 5_000))
            .await;
        clock.advance(Duration::from_secs(2));
        assert_eq!(w.ok("CLOCK/a", "runs", "").await, json!([]));
        w.ok("CLOCK/a", "set", &format!("[{}]", START_MS + 3_000))
            .await;
        clock.advance(Duration::from_secs(1));
        assert_eq!(runs(w, 1).await[0][2], json!(START_MS + 3_000));
        w.ok("CLOCK/a", "set", &format!("[{}]", START_MS + 10_000))
            .await;
        w.ok("CLOCK/a", "cancel", "").await;
        assert_eq!(w.ok("CLOCK/a", "get", "").await, json!(null));
        clock.advance(Duration::from_secs(100));
        assert_eq!(
            w.ok("CLOCK/a", "runs", "").await.as_array().unwrap().len(),
            1
        );
        assert_eq!(
            w.ok("CLOCK/a", "rolledBack", &format!("[{START_MS}]"))
                .await,
            json!(null)
        );
    });
}

#[test]
fn a_failing_alarm_is_retried_six_times_with_back_off_and_then_dropped() {
    alarm_world(async |w, clock| {
        w.ok("CLOCK/a", "mode", r#"["fail"]"#).await;
        w.ok("CLOCK/a", "set", &format!("[{START_MS}]")).await;
        runs(w, 1).await;
        let mut delay = 2_000;
        for retry in 1..=6_usize {
            // The only sleeper is the scheduler, once it knows when to try again.
            until_a_sleeper(&clock).await;
            clock.advance(Duration::from_millis(delay - 1));
            assert_eq!(
                w.ok("CLOCK/a", "runs", "").await.as_array().unwrap().len(),
                retry,
                "not before {delay} ms"
            );
            // The jitter is at most a quarter.
            clock.advance(Duration::from_millis(delay / 4 + 1));
            let seen = runs(w, retry + 1).await;
            assert_eq!(seen[retry][0], json!(retry));
            assert_eq!(seen[retry][1], json!(true));
            delay *= 2;
        }
        assert_eq!(
            w.ok("CLOCK/a", "get", "").await,
            json!(null),
            "dropped after the sixth retry"
        );
        clock.advance(Duration::from_secs(86_400));
        assert_eq!(
            w.ok("CLOCK/a", "runs", "").await.as_array().unwrap().len(),
            7
        );
    });
}

#[test]
fn an_alarm_set_by_the_handler_takes_the_place_of_the_old_one_and_of_its_retry() {
    for mode in ["again", "againAndFail"] {
        alarm_world(async |w, clock| {
            w.ok("CLOCK/a", "mode", &format!("[{mode:?}]")).await;
            w.ok("CLOCK/a", "set", &format!("[{START_MS}]")).await;
            runs(w, 1).await;
            assert_eq!(
                w.ok("CLOCK/a", "get", "").await,
                json!(START_MS + 5_000),
                "{mode}"
            );
            clock.advance(Duration::from_secs(5));
            let seen = runs(w, 2).await;
            assert_eq!(seen[1], json!([0, false, START_MS + 5_000, null]), "{mode}");
            assert_eq!(w.ok("CLOCK/a", "get", "").await, json!(null), "{mode}");
        });
    }
}

#[test]
fn an_overdue_alarm_fires_at_start_without_any_request() {
    alarm_world(async |w, clock| {
        w.ok("CLOCK/a", "set", &format!("[{}]", START_MS + 1_000))
            .await;
        w.stop_for(clock, Duration::from_secs(60)).await;
        assert_eq!(
            runs(w, 1).await,
            json!([[0, false, START_MS + 1_000, null]])
        );
    });
}

#[test]
fn delete_all_takes_the_alarm_with_it_or_is_refused_and_takes_nothing() {
    alarm_world(async |w, clock| {
        let time = START_MS + 1_000;
        w.ok("CLOCK/a", "put", r#"["k"]"#).await;
        w.ok("CLOCK/a", "set", &format!("[{time}]")).await;
        let refused = w.ok("CLOCK/a", "deleteAllNested", "").await;
        assert_eq!(
            refused,
            json!("Cannot call deleteAll() within a transaction")
        );
        assert_eq!(w.ok("CLOCK/a", "get", "").await, json!(time));
        assert_eq!(w.ok("CLOCK/a", "has", r#"["k"]"#).await, json!(true));
        w.ok("CLOCK/a", "deleteAll", "").await;
        assert_eq!(w.ok("CLOCK/a", "get", "").await, json!(null));
        assert_eq!(w.ok("CLOCK/a", "has", r#"["k"]"#).await, json!(false));
        w.stop_for(clock, Duration::from_secs(10)).await;
        assert_eq!(runs(w, 0).await, json!([]));
    });
}

#[test]
fn while_an_alarm_runs_calls_wait_and_no_second_one_starts() {
    alarm_world(async |w, clock| {
        w.ok("CLOCK/a", "mode", r#"["slow"]"#).await;
        w.ok("CLOCK/a", "set", "[1]").await;
        // The handler's timer; the scheduler has nothing to wait for, although the handler set an alarm that is due.
        until_a_sleeper(&clock).await;
        let handle = w.handle.clone();
        let waiting =
            tokio::spawn(async move { world::call(&handle, "CLOCK/a", "seen", "").await });
        clock.advance(Duration::from_millis(999));
        for other in 0..50 {
            w.ok(&format!("CLOCK/other-{other}"), "get", "").await;
        }
        assert!(!waiting.is_finished(), "a call ran beside the alarm");
        clock.advance(Duration::from_millis(1));
        let seen = waiting.await.unwrap().unwrap();
        assert!(
            seen == json!([1, 1]) || seen == json!([1, 2]),
            "one after the other: {seen}"
        );
        runs(w, 2).await;
        assert_eq!(w.ok("CLOCK/a", "seen", "").await, json!([1, 2]));
    });
}

#[test]
fn an_alarm_brings_an_evicted_object_back() {
    alarm_world_with(Some(Duration::from_secs(60)), async |w, clock| {
        w.ok("CLOCK/a", "mode", r#"["report"]"#).await;
        w.ok("CLOCK/a", "set", &format!("[{}]", START_MS + 3_600_000))
            .await;
        assert_eq!(w.ok("CLOCK/a", "touch", "").await, json!(1));
        // Each step wakes the sweepers; the events on both shards let them run before we go on.
        for _ in 0..8 {
            clock.advance(Duration::from_secs(15));
            for other in 0..10 {
                w.ok(&format!("CLOCK/other-{other}"), "get", "").await;
            }
        }
        clock.advance(Duration::from_secs(3_600));
        // Nobody asks the object itself, so only its alarm can have made it live.
        while w.ok("CLOCK/log", "has", r#"["touched 0"]"#).await != json!(true) {
            tokio::task::yield_now().await;
        }
        assert_eq!(
            w.ok("CLOCK/log", "has", r#"["touched 1"]"#).await,
            json!(false)
        );
    });
}

#[test]
fn an_alarm_that_timed_out_or_was_reset_is_tried_again() {
    for (mode, first) in [
        ("hang", Some(json!([0, false, 1, null]))),
        // Its only turn was not finished.
        ("memory", None),
    ] {
        alarm_world(async |w, clock| {
            w.ok("CLOCK/a", "mode", &format!("[{mode:?}]")).await;
            w.ok("CLOCK/a", "set", "[1]").await;
            if mode == "hang" {
                // The driver, until the event's time is over.
                until_a_sleeper(&clock).await;
                clock.advance(CPU_TIMEOUT);
            }
            // The scheduler, until the retry.
            until_a_sleeper(&clock).await;
            clock.advance(Duration::from_millis(1_999));
            let before = w.ok("CLOCK/a", "runs", "").await;
            assert_eq!(before.as_array().unwrap().first(), first.as_ref(), "{mode}");
            clock.advance(Duration::from_millis(501));
            let seen = runs(w, 1 + usize::from(first.is_some())).await;
            assert_eq!(
                seen.as_array().unwrap().last(),
                Some(&json!([1, true, 1, null])),
                "{mode}"
            );
        });
    }
}

#[test]
fn nothing_looks_for_alarms_before_one_is_due() {
    alarm_world(async |w, clock| {
        w.ok("CLOCK/a", "set", &format!("[{}]", START_MS + 7_200_000))
            .await;
        w.ok("CLOCK/b", "set", &format!("[{}]", START_MS + 3_600_000))
            .await;
        while clock.next_wake() != Some(Duration::from_secs(3_600)) {
            tokio::task::yield_now().await;
        }
        assert_eq!(clock.sleepers(), 1);
        clock.advance(Duration::from_secs(3_599));
        w.ok("CLOCK/a", "runs", "").await;
        assert_eq!(clock.next_wake(), Some(Duration::from_secs(1)));
        assert_eq!(clock.sleepers(), 1);
    });
}

#[test]
fn wrong_times_and_classes_without_a_handler_are_refused() {
    alarm_world(async |w, _clock| {
        for (args, part) in [
            ("[0]", "<= 0"),
            ("[-5]", "<= 0"),
            ("[9e15]", "not a valid Date"),
            (r#"["soon"]"#, "needs a Date"),
            ("[]", "needs a Date"),
        ] {
            let (kind, message) = w.err("CLOCK/a", "set", args).await;
            assert_eq!(kind, ErrorKind::Exception);
            assert!(message.contains(part), "{args}: {message}");
        }
        assert!(
            w.err("CLOCK/a", "setDate", r#"["x"]"#)
                .await
                .1
                .contains("not a valid Date")
        );
        assert!(
            w.err("NOHANDLER/a", "set", "")
                .await
                .1
                .contains("must have an alarm() handler")
        );
    });
}
