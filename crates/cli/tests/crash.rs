//! Kills the server with SIGKILL at random points under load, many times over one storage folder:
//! after each restart every acknowledged write must be there, and no half turn. In the end every acknowledged alarm must
//! have fired.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as expected"
)]

use std::{
    collections::BTreeMap,
    hash::{BuildHasher, Hasher, RandomState},
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};

const BUNDLE: &str = r#"
class Ledger {
  constructor(state) { this.storage = state.storage; }
  // One turn: three keys that must always agree.
  add(n) {
    this.storage.put("left", n);
    this.storage.put("blob", "x".repeat(n % 5000));
    this.storage.put("right", n);
    return n;
  }
  // Two turns: the second may be missing, but never without the first.
  async twice(n) {
    this.storage.put("one", n);
    await new Promise((r) => setTimeout(r, 1));
    this.storage.put("two", n);
    return n;
  }
  plan(ms) { this.storage.setAlarm(Date.now() + ms); }
  alarm() { this.storage.put("fired", true); }
  fired() { return this.storage.get("fired") ?? false; }
  rest() { return new Promise((r) => setTimeout(() => r(1), 10)); }
  read() {
    const s = this.storage;
    return [s.get("left") ?? 0, s.get("right") ?? 0, (s.get("blob") ?? "").length, s.get("one") ?? 0, s.get("two") ?? 0];
  }
}
exports.objects = { Ledger };
"#;

const ROUNDS: u64 = 15;
const CLIENTS: usize = 6;
/// These clients keep their object; the others take a new one each round, so that kills hit its first writes as well.
const FAITHFUL: usize = 3;
/// How often an alarm that has not fired is asked for again, 10 ms apart.
const MOST_LOOKS: usize = 2_000;

/// Random numbers that a seed repeats: splitmix64.
struct Random(u64);

impl Random {
    /// Seeded by `DOLMEN_CRASH_SEED`, or by chance. A failed test shows the seed.
    fn new() -> Self {
        let seed = match std::env::var("DOLMEN_CRASH_SEED") {
            Ok(seed) => seed.parse().unwrap(),
            Err(_) => RandomState::new().build_hasher().finish(),
        };
        println!("DOLMEN_CRASH_SEED={seed}");
        Self(seed)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}

struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(folder: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_dolmen"))
            .args(["--addr", "127.0.0.1:0", "--storage"])
            .arg(folder.join("objects"))
            .arg("--bundle")
            .arg(folder.join("ledger.js"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        let address = loop {
            line.clear();
            assert!(
                output.read_line(&mut line).unwrap() > 0,
                "the server ended before it was ready"
            );
            if let Some((_, rest)) = line.split_once("http://") {
                break rest
                    .chars()
                    .take_while(|c| c.is_ascii_digit() || ".:".contains(*c))
                    .collect();
            }
        };
        // Keeps the pipe open without ever filling it.
        std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
        Self { child, address }
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// One keep-alive connection; `None` once the server is gone.
struct Client(BufReader<TcpStream>);

impl Client {
    fn connect(address: &str) -> Option<Self> {
        let stream = TcpStream::connect(address).ok()?;
        stream.set_nodelay(true).ok()?;
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .ok()?;
        Some(Self(BufReader::new(stream)))
    }

    fn call(&mut self, object: &str, method: &str, args: &str) -> Option<String> {
        let request = format!(
            "POST /rpc/LEDGER/{object}/{method} HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{args}",
            args.len()
        );
        self.0.get_mut().write_all(request.as_bytes()).ok()?;
        let mut length = 0;
        let mut line = String::new();
        loop {
            line.clear();
            if self.0.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let lower = line.to_ascii_lowercase();
            if let Some(value) = lower.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).ok()?;
        let body = String::from_utf8(body).unwrap();
        let result = body
            .strip_prefix(r#"{"ok":true,"result":"#)
            .unwrap_or_else(|| panic!("{body}"));
        Some(result.trim_end_matches('}').to_owned())
    }
}

/// What a client knows to be saved.
#[derive(Clone, Copy, Default)]
struct Acknowledged {
    add: u64,
    twice: u64,
}

/// What one client did in one round.
struct Done {
    known: Acknowledged,
    /// Objects whose alarm was acknowledged.
    alarms: Vec<String>,
}

fn load(
    address: &str,
    object: &str,
    known: Acknowledged,
    stop: &AtomicBool,
    calls: &AtomicU64,
) -> Done {
    let mut done = Done {
        known,
        alarms: Vec::new(),
    };
    let Some(mut connection) = Client::connect(address) else {
        return done;
    };
    while !stop.load(Ordering::Relaxed) {
        let next = done.known.add + 1;
        let Some(result) = connection.call(object, "add", &format!("[{next}]")) else {
            break;
        };
        assert_eq!(result, next.to_string());
        done.known.add = next;
        calls.fetch_add(1, Ordering::Relaxed);
        if next.is_multiple_of(7) {
            let Some(_) = connection.call(object, "twice", &format!("[{next}]")) else {
                break;
            };
            done.known.twice = next;
        }
        if next.is_multiple_of(20) {
            // Some fire before the kill, and some are due at the next start.
            let (alarm, delay) = (format!("alarm-{object}-{next}"), next % 300);
            let Some(_) = connection.call(&alarm, "plan", &format!("[{delay}]")) else {
                break;
            };
            done.alarms.push(alarm);
        }
    }
    done
}

/// Checks that the object has what was acknowledged, and at most one write more; gives what it has.
fn check(reader: &mut Client, object: &str, known: Acknowledged) -> Acknowledged {
    let state = reader.call(object, "read", "[]").unwrap();
    let state: Vec<u64> = state
        .trim_matches(['[', ']'])
        .split(',')
        .map(|n| n.parse().unwrap())
        .collect();
    let [left, right, blob, one, two] = state[..] else {
        panic!("{state:?}")
    };
    assert_eq!(
        (left, left % 5_000),
        (right, blob),
        "half a turn in {object}"
    );
    assert!(
        left == known.add || left == known.add + 1,
        "{object} has {left}, acknowledged {}",
        known.add
    );
    assert!(
        two >= known.twice && one >= two,
        "{object} has {state:?}, acknowledged {}",
        known.twice
    );
    Acknowledged {
        add: left,
        twice: two,
    }
}

#[test]
fn every_acknowledged_write_and_alarm_survives_a_kill_and_no_half_turn_does() {
    let mut random = Random::new();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ledger.js"), BUNDLE).unwrap();
    let mut known: BTreeMap<String, Acknowledged> = BTreeMap::new();
    let mut alarms = Vec::new();
    let mut acknowledged = 0;
    for round in 0..ROUNDS {
        println!("round {round}");
        let server = Server::start(folder.path());
        let mut reader = Client::connect(&server.address).unwrap();
        for (object, known) in &mut known {
            // An unacknowledged write may have been saved: that is where its client goes on.
            *known = check(&mut reader, object, *known);
        }
        let objects = (0..CLIENTS).map(|client| match client {
            ..FAITHFUL => format!("ledger-{client}"),
            _ => format!("ledger-{client}-{round}"),
        });
        let (stop, calls) = (AtomicBool::new(false), AtomicU64::new(0));
        std::thread::scope(|scope| {
            let loads: Vec<_> = objects
                .map(|object| {
                    let known = known.get(&object).copied().unwrap_or_default();
                    let (address, stop, calls) = (server.address.clone(), &stop, &calls);
                    scope.spawn(move || {
                        let done = load(&address, &object, known, stop, calls);
                        (object, done)
                    })
                })
                .collect();
            // The load has begun, and then it goes on for a while, counted in calls and not in time.
            let pacemaker = format!("pacemaker-{round}");
            let mut paces = random.below(500);
            while calls.load(Ordering::Relaxed) == 0 || paces > 0 {
                reader.call(&pacemaker, "add", "[1]").unwrap();
                paces = paces.saturating_sub(1);
            }
            // Not always right after an answer.
            std::thread::sleep(Duration::from_micros(random.below(3_000)));
            server.kill();
            stop.store(true, Ordering::Relaxed);
            for load in loads {
                let (object, done) = load.join().unwrap();
                known.insert(object, done.known);
                alarms.extend(done.alarms);
            }
        });
        acknowledged += calls.load(Ordering::Relaxed);
    }
    assert!(
        acknowledged > 1_000,
        "only {acknowledged} writes were acknowledged: the load did not run"
    );
    assert!(alarms.len() > 20, "only {} alarms were set", alarms.len());

    let server = Server::start(folder.path());
    let mut reader = Client::connect(&server.address).unwrap();
    let mut looks = 0;
    for alarm in &alarms {
        while reader.call(alarm, "fired", "[]").unwrap() != "true" {
            looks += 1;
            assert!(looks < MOST_LOOKS, "{alarm} was lost");
            reader.call("pacemaker", "rest", "[]").unwrap();
        }
    }
    server.kill();
}
