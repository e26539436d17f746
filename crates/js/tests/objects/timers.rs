use std::time::Duration;

use dolmen_runtime::{Clock, ManualClock};
use serde_json::json;

use super::world::{in_world, in_world_with, options};

const TIMERS: &str = r#"
class T {
  constructor(state) { this.log = []; this.storage = state.storage; }
  async order() {
    await new Promise((done) => { setTimeout(() => this.log.push("b"), 3); setTimeout((x) => this.log.push(x), 1, "a"); setTimeout(done, 5); });
    queueMicrotask(() => this.log.push("micro"));
    await null;
    return this.log;
  }
  async interval() { let n = 0; await new Promise((done) => { const i = setInterval(() => { if (++n === 3) { clearInterval(i); done(); } }, 1); }); await new Promise((r) => setTimeout(r, 5)); return n; }
  async cleared() { let fired = false; const t = setTimeout(() => { fired = true; }, 1); clearTimeout(t); clearTimeout(undefined); clearTimeout(12345); await new Promise((r) => setTimeout(r, 3)); return fired; }
  later(ms) { setTimeout(() => { this.storage.put("late", true); this.log.push("late"); }, ms); return "set"; }
  fails(ms) { setTimeout(() => { throw new Error("in a timer"); }, ms); }
  seen() { return [this.log, this.storage.get("late") ?? null]; }
  bad() { setTimeout("code"); }
  flood() { const again = () => setTimeout(again, 0); for (let i = 0; i < 50; i++) again(); }
}
exports.objects = { T };
"#;

#[test]
fn timers_fire_in_order_and_intervals_repeat_until_cleared() {
    in_world(TIMERS, async |w| {
        assert_eq!(w.ok("T/a", "order", "").await, json!(["a", "b", "micro"]));
        assert_eq!(w.ok("T/a", "interval", "").await, json!(3));
        assert_eq!(w.ok("T/a", "cleared", "").await, json!(false));
        assert!(w.err("T/a", "bad", "").await.1.contains("needs a function"));
    });
}

#[test]
fn a_timer_outlives_its_event_and_what_it_writes_is_kept() {
    let clock = ManualClock::new(1_000);
    in_world_with(TIMERS, options(), Clock::manual(clock.clone()), async |w| {
        w.ok("T/a", "later", "[10000]").await;
        assert_eq!(w.ok("T/a", "seen", "").await, json!([[], null]));
        clock.advance(Duration::from_secs(10));
        assert_eq!(w.ok("T/a", "seen", "").await, json!([["late"], true]));
    });
}

#[test]
fn a_throwing_or_endless_timer_does_not_stop_the_object() {
    in_world(TIMERS, async |w| {
        w.ok("T/a", "fails", "[1]").await;
        w.ok("T/a", "flood", "").await;
        assert_eq!(w.ok("T/a", "order", "").await, json!(["a", "b", "micro"]));
        assert_eq!(w.ok("T/b", "order", "").await, json!(["a", "b", "micro"]));
    });
}
