//! Nothing leaves an object before what it wrote is durable, and nothing that failed to become
//! durable is ever acknowledged. The disk belongs to the test.

use std::{
    collections::HashSet,
    fs::File,
    io::{self, BufRead, BufReader, Write},
    net::TcpListener,
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
  laterWrite() { setTimeout(() => this.storage.put("n", 50), 1); }
  async ask(url) { return (await fetch(url)).status; }
  async writeThenAsk(url) { this.storage.put("n", 1); return this.ask(url); }
  async writeThenCall() { this.storage.put("n", 1); return this.env.COUNTER.getByName("other").rpc("increment"); }
}
exports.objects = { Counter };
"#;

/// What the disk does with the next syncs of objects' files and of their folders.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    Works,
    Holds,
    /// Holds the syncs of folders, which make new files durable.
    HoldsFolders,
    Fails,
    /// Fails every n-th sync.
    FailsEvery(u64),
}

pub(super) struct TestDisk {
    mood: Mutex<Mood>,
    changed: Condvar,
    asked: AtomicU64,
    held: AtomicU64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    File,
    Folder,
}

impl TestDisk {
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            mood: Mutex::new(Mood::Works),
            changed: Condvar::new(),
            asked: AtomicU64::new(0),
            held: AtomicU64::new(0),
        })
    }

    pub fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
        self.changed.notify_all();
    }

    pub fn storage(self: &Arc<Self>) -> storage::Options {
        storage::Options {
            disk: self.clone(),
            ..storage::Options::default()
        }
    }

    /// How many syncs there were.
    pub fn asked(&self) -> u64 {
        self.asked.load(Ordering::SeqCst)
    }

    pub async fn until_asked(&self, syncs: u64) {
        while self.asked.load(Ordering::SeqCst) < syncs {
            tokio::task::yield_now().await;
        }
    }

    pub async fn until_held(&self, syncs: u64) {
        while self.held.load(Ordering::SeqCst) != syncs {
            tokio::task::yield_now().await;
        }
    }
}

impl TestDisk {
    /// Does what the mood says with one sync.
    fn sync(&self, what: What, works: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let asked = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        let mut mood = self.mood.lock().unwrap();
        while *mood == Mood::Holds || *mood == Mood::HoldsFolders && what == What::Folder {
            self.held.fetch_add(1, Ordering::SeqCst);
            mood = self.changed.wait(mood).unwrap();
            self.held.fetch_sub(1, Ordering::SeqCst);
        }
        match *mood {
            Mood::Fails => Err(io::Error::other("the test's disk fails")),
            Mood::FailsEvery(n) if asked.is_multiple_of(n) => {
                Err(io::Error::other("the test's disk fails now and then"))
            }
            _ => works(),
        }
    }
}

impl Disk for TestDisk {
    fn sync_data(&self, file: &File, _path: &Path) -> io::Result<()> {
        self.sync(What::File, || file.sync_data())
    }

    fn sync_dir(&self, _dir: &Path) -> io::Result<()> {
        self.sync(What::Folder, || Ok(()))
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
fn the_first_write_and_the_first_alarm_of_an_object_wait_for_their_new_files() {
    for mood in [Mood::Holds, Mood::HoldsFolders] {
        for (method, args, result) in [
            ("increment", "", json!(1)),
            ("setAlarm", "[4000000000000]", json!(null)),
        ] {
            on_disk(async |w, disk| {
                disk.set(mood);
                let handle = w.handle.clone();
                let first =
                    tokio::spawn(
                        async move { world::call(&handle, "COUNTER/new", method, args).await },
                    );
                disk.until_held(1).await;
                for other in 0..50 {
                    w.ok(&format!("COUNTER/reader-{other}"), "hello", "").await;
                }
                assert!(!first.is_finished(), "{method}: a reply left too early");
                disk.set(Mood::Works);
                assert_eq!(first.await.unwrap().unwrap(), result, "{method}");
            });
        }
    }
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

/// A web server on a port of its own: answers each request with 200, and says which paths were asked for.
fn web_server() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let paths = seen.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = String::new();
            let mut lines = BufReader::new(&stream);
            while !request.ends_with("\r\n\r\n") {
                // A connection that is given up before its request.
                if lines.read_line(&mut request).unwrap_or(0) == 0 {
                    break;
                }
            }
            if let Some(path) = request.split(' ').nth(1) {
                paths.lock().unwrap().push(path.to_owned());
            }
            let answer = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
            // Nobody may wait any more.
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    (url, seen)
}

#[test]
fn an_outbound_request_waits_for_its_objects_writes_and_is_not_sent_if_they_are_lost() {
    let (url, seen) = web_server();
    on_disk(async |w, disk| {
        disk.set(Mood::Holds);
        let handle = w.handle.clone();
        let args = json!([format!("{url}/held")]).to_string();
        let held =
            tokio::spawn(
                async move { world::call(&handle, "COUNTER/a", "writeThenAsk", &args).await },
            );
        disk.until_held(1).await;
        // These take the way that the held one must not have taken yet.
        let args = json!([format!("{url}/free")]).to_string();
        for _ in 0..3 {
            assert_eq!(w.ok("COUNTER/reader", "ask", &args).await, json!(200));
        }
        assert_eq!(*seen.lock().unwrap(), ["/free"; 3]);
        disk.set(Mood::Works);
        assert_eq!(held.await.unwrap().unwrap(), json!(200));
        assert_eq!(seen.lock().unwrap()[3..], ["/held"]);

        disk.set(Mood::Fails);
        let lost = json!([format!("{url}/lost")]).to_string();
        let (kind, _) = w.err("COUNTER/b", "writeThenAsk", &lost).await;
        assert_eq!(kind, ErrorKind::Storage);
        assert_eq!(w.ok("COUNTER/reader", "ask", &args).await, json!(200));
        disk.set(Mood::Works);
        assert_eq!(w.ok("COUNTER/b", "ask", &args).await, json!(200));
        assert_eq!(seen.lock().unwrap()[4..], ["/free"; 2]);
    });
}

#[test]
fn shutdown_waits_for_the_sync_of_a_write_that_nobody_waits_for() {
    on_disk(async |w, disk| {
        disk.set(Mood::Holds);
        w.ok("COUNTER/a", "laterWrite", "").await;
        disk.until_held(1).await;
        let handle = w.handle.clone();
        {
            let mut stop = std::pin::pin!(w.stop());
            let mut refused = 0;
            while refused < 50 {
                tokio::select! {
                    biased;
                    () = &mut stop => panic!("it ended before what was written was durable"),
                    reply = world::call(&handle, "COUNTER/a", "hello", "") => {
                        refused += usize::from(reply.is_err());
                    }
                }
            }
            disk.set(Mood::Works);
            stop.await;
        }
        w.start();
        assert_eq!(w.ok("COUNTER/a", "value", "").await, json!(50));
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
