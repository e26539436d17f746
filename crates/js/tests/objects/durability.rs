//! Nothing leaves an object before what it wrote is durable, and nothing that failed to become
//! durable is ever acknowledged. The disk belongs to the test.

use std::{
    collections::HashSet,
    fs::File,
    io,
    path::Path,
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use dolmen_runtime::{
    Clock, ErrorKind, ManualClock,
    storage::{self, Disk},
};
use serde_json::json;

use super::world::{self, World, in_world_on, options};

const COUNTER: &str = r#"
class Counter {
  constructor(state, env) { this.storage = state.storage; this.env = env; }
  increment() { const n = (this.storage.get("n") ?? 0) + 1; this.storage.put("n", n); return n; }
  value() { return this.storage.get("n") ?? 0; }
  hello() { return "hello"; }
  writeThenThrow() { this.storage.put("n", 100); throw new Error("after the write"); }
  setAlarm(ms) { this.storage.setAlarm(ms); }
  getAlarm() { return this.storage.getAlarm(); }
  alarms() { return this.storage.get("alarms") ?? 0; }
  alarm() { this.storage.put("alarms", this.alarms() + 1); }
  writeAndNeverEnd() { this.storage.put("n", 7); return new Promise((r) => setTimeout(r, 1e9)); }
  async writeThenCall() { this.storage.put("n", 1); return this.env.COUNTER.getByName("other").rpc("increment"); }
}
exports.objects = { Counter };
"#;

/// What the disk does with the next syncs of objects' files.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mood {
    Works,
    Holds,
    Fails,
    /// Fails every n-th sync.
    FailsEvery(u64),
}

struct TestDisk {
    mood: Mutex<Mood>,
    changed: Condvar,
    asked: AtomicU64,
}

impl TestDisk {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            mood: Mutex::new(Mood::Works),
            changed: Condvar::new(),
            asked: AtomicU64::new(0),
        })
    }

    fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
        self.changed.notify_all();
    }

    fn storage(self: &Arc<Self>) -> storage::Options {
        storage::Options {
            disk: self.clone(),
            ..storage::Options::default()
        }
    }

    async fn until_asked(&self, syncs: u64) {
        while self.asked.load(Ordering::SeqCst) < syncs {
            tokio::task::yield_now().await;
        }
    }
}

impl Disk for TestDisk {
    fn sync_data(&self, file: &File, _path: &Path) -> io::Result<()> {
        let asked = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        let mut mood = self.mood.lock().unwrap();
        while *mood == Mood::Holds {
            mood = self.changed.wait(mood).unwrap();
        }
        match *mood {
            Mood::Fails => Err(io::Error::other("the test's disk fails")),
            Mood::FailsEvery(n) if asked.is_multiple_of(n) => {
                Err(io::Error::other("the test's disk fails now and then"))
            }
            _ => file.sync_data(),
        }
    }

    fn sync_dir(&self, _dir: &Path) -> io::Result<()> {
        Ok(())
    }

    fn sync_filesystem(&self, _root: &Path) -> io::Result<()> {
        Ok(())
    }
}

fn on_disk(test: impl AsyncFnOnce(&mut World, &Arc<TestDisk>)) {
    let disk = TestDisk::new();
    in_world_on(
        COUNTER,
        options(),
        disk.storage(),
        Clock::system(),
        async |w| test(w, &disk).await,
    );
}

#[test]
fn no_reply_leaves_before_its_sync_and_nobody_else_waits() {
    on_disk(async |w, disk| {
        assert_eq!(w.ok("COUNTER/a", "increment", "").await, json!(1));
        let before = disk.asked.load(Ordering::SeqCst);
        disk.set(Mood::Holds);
        let mut held = Vec::new();
        for method in ["increment", "value", "hello", "writeThenThrow"] {
            let handle = w.handle.clone();
            held.push(tokio::spawn(async move {
                world::call(&handle, "COUNTER/a", method, "").await
            }));
            tokio::task::yield_now().await;
        }
        disk.until_asked(before + 1).await;
        // Objects that wrote nothing answer, on both shards; these answers also prove that time passed.
        for other in 0..50 {
            assert_eq!(
                w.ok(&format!("COUNTER/reader-{other}"), "hello", "").await,
                json!("hello")
            );
        }
        assert!(
            held.iter().all(|reply| !reply.is_finished()),
            "a reply left before its sync"
        );
        disk.set(Mood::Works);
        let mut replies = Vec::new();
        for reply in held {
            replies.push(reply.await.unwrap());
        }
        assert_eq!(replies[0].as_ref().unwrap(), &json!(2));
        assert_eq!(replies[1].as_ref().unwrap(), &json!(2));
        assert_eq!(replies[2].as_ref().unwrap(), &json!("hello"));
        assert_eq!(
            replies[3].as_ref().unwrap_err().message(),
            "after the write"
        );
    });
}

#[test]
fn a_failed_sync_turns_held_replies_into_errors_and_resets_the_object() {
    on_disk(async |w, disk| {
        assert_eq!(w.ok("COUNTER/a", "increment", "").await, json!(1));
        let before = disk.asked.load(Ordering::SeqCst);
        disk.set(Mood::Holds);
        let mut held = Vec::new();
        for method in ["increment", "increment", "value"] {
            let handle = w.handle.clone();
            held.push(tokio::spawn(async move {
                world::call(&handle, "COUNTER/a", method, "").await
            }));
        }
        disk.until_asked(before + 1).await;
        disk.set(Mood::Fails);
        for reply in held {
            let error = reply.await.unwrap().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Storage, "{error}");
            assert!(error.message().contains("COUNTER/a"), "{error}");
        }
        disk.set(Mood::Works);
        assert_eq!(
            w.ok("COUNTER/a", "value", "").await,
            json!(1),
            "back to what is on disk"
        );
        assert_eq!(w.ok("COUNTER/a", "increment", "").await, json!(2));
        w.restart().await;
        assert_eq!(w.ok("COUNTER/a", "value", "").await, json!(2));
    });
}

/// Loses one increment of `COUNTER/a` to a disk that goes on failing, so that the reset fails as well.
async fn lose_an_increment(w: &mut World, disk: &Arc<TestDisk>) {
    assert_eq!(w.ok("COUNTER/a", "increment", "").await, json!(1));
    disk.set(Mood::Fails);
    let (kind, message) = w.err("COUNTER/a", "increment", "").await;
    assert_eq!(kind, ErrorKind::Storage);
    assert!(message.contains("COUNTER/a"), "{message}");
}

#[test]
fn an_object_that_cannot_be_reset_refuses_events_until_it_can() {
    on_disk(async |w, disk| {
        lose_an_increment(w, disk).await;
        for method in ["value", "hello", "increment", "value"] {
            let (kind, message) = w.err("COUNTER/a", method, "").await;
            assert_eq!(kind, ErrorKind::Storage);
            assert!(message.contains("COUNTER/a"), "{message}");
        }
        disk.set(Mood::Works);
        assert_eq!(w.ok("COUNTER/a", "value", "").await, json!(1));
        assert_eq!(w.ok("COUNTER/a", "increment", "").await, json!(2));
    });
}

#[test]
fn an_object_that_cannot_be_reset_leaves_at_shutdown() {
    on_disk(async |w, disk| {
        lose_an_increment(w, disk).await;
        w.stop().await;
    });
}

#[test]
fn an_event_that_runs_while_its_object_cannot_be_reset_fails() {
    on_disk(async |w, disk| {
        assert_eq!(w.ok("COUNTER/a", "increment", "").await, json!(1));
        let before = disk.asked.load(Ordering::SeqCst);
        disk.set(Mood::Holds);
        let handle = w.handle.clone();
        let waiting =
            tokio::spawn(
                async move { world::call(&handle, "COUNTER/a", "writeAndNeverEnd", "").await },
            );
        disk.until_asked(before + 1).await;
        disk.set(Mood::Fails);
        let error = waiting.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Storage, "{error}");
        disk.set(Mood::Works);
        assert_eq!(w.ok("COUNTER/a", "value", "").await, json!(1));
    });
}

#[test]
fn a_lost_change_of_the_alarm_does_not_reach_the_index() {
    let disk = TestDisk::new();
    let clock = ManualClock::new(0);
    in_world_on(
        COUNTER,
        options(),
        disk.storage(),
        Clock::manual(clock.clone()),
        async |w| {
            w.ok("COUNTER/a", "setAlarm", "[10000]").await;
            disk.set(Mood::Fails);
            w.err("COUNTER/a", "setAlarm", "[1000000]").await;
            disk.set(Mood::Works);
            // The commit that takes the number of the lost one.
            w.ok("COUNTER/a", "increment", "").await;
            assert_eq!(w.ok("COUNTER/a", "getAlarm", "").await, json!(10000));
            w.stop_for(clock, Duration::from_secs(10)).await;
            while w.ok("COUNTER/a", "alarms", "").await != json!(1) {
                tokio::task::yield_now().await;
            }
        },
    );
}

#[test]
fn a_call_to_another_object_waits_for_the_callers_writes() {
    on_disk(async |w, disk| {
        w.ok("COUNTER/other", "hello", "").await;
        disk.set(Mood::Fails);
        let (kind, _) = w.err("COUNTER/caller", "writeThenCall", "").await;
        assert_eq!(kind, ErrorKind::Storage);
        disk.set(Mood::Works);
        assert_eq!(
            w.ok("COUNTER/other", "value", "").await,
            json!(0),
            "the call left although the write was lost"
        );
        assert_eq!(w.ok("COUNTER/caller", "writeThenCall", "").await, json!(1));
    });
}

#[test]
fn acknowledged_increments_are_unique_and_kept_while_syncs_fail_now_and_then() {
    on_disk(async |w, disk| {
        disk.set(Mood::FailsEvery(7));
        let mut calls = Vec::new();
        for index in 0..600 {
            let handle = w.handle.clone();
            let object = format!("COUNTER/{}", index % 4);
            calls.push(tokio::spawn(async move {
                (
                    index % 4,
                    world::call(&handle, &object, "increment", "").await,
                )
            }));
            if index % 3 == 0 {
                tokio::task::yield_now().await;
            }
        }
        let mut acknowledged: [HashSet<u64>; 4] = Default::default();
        let mut failures = 0;
        for call in calls {
            let (object, result) = call.await.unwrap();
            match result {
                Ok(value) => assert!(
                    acknowledged[object].insert(value.as_u64().unwrap()),
                    "{value} was acknowledged twice"
                ),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Storage, "{error}");
                    failures += 1;
                }
            }
        }
        assert!(failures > 0, "no sync failed: the test showed nothing");
        w.use_disk(storage::Options::default());
        disk.set(Mood::Works);
        w.restart().await;
        for (object, values) in acknowledged.iter().enumerate() {
            let stored = w
                .ok(&format!("COUNTER/{object}"), "value", "")
                .await
                .as_u64()
                .unwrap();
            let last = values.iter().copied().max().unwrap_or(0);
            assert_eq!(stored, last, "object {object}");
            assert_eq!(
                values.len() as u64,
                last,
                "object {object}: a number below the last one was never acknowledged"
            );
        }
    });
}
