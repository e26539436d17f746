//! Kills the server with SIGKILL at random points under load, many times over one storage folder:
//! after each restart every acknowledged write must be there, and no half turn.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as expected"
)]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
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
  read() {
    const s = this.storage;
    return [s.get("left") ?? 0, s.get("right") ?? 0, (s.get("blob") ?? "").length, s.get("one") ?? 0, s.get("two") ?? 0];
  }
}
exports.objects = { Ledger };
"#;

const ROUNDS: u64 = 15;
const CLIENTS: usize = 6;

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

fn load(address: &str, client: usize, mut known: Acknowledged, stop: &AtomicBool) -> Acknowledged {
    let Some(mut connection) = Client::connect(address) else {
        return known;
    };
    let object = format!("ledger-{client}");
    while !stop.load(Ordering::Relaxed) {
        let next = known.add + 1;
        let Some(result) = connection.call(&object, "add", &format!("[{next}]")) else {
            break;
        };
        assert_eq!(result, next.to_string());
        known.add = next;
        if next.is_multiple_of(7) {
            let Some(_) = connection.call(&object, "twice", &format!("[{next}]")) else {
                break;
            };
            known.twice = next;
        }
    }
    known
}

#[test]
fn every_acknowledged_write_survives_a_kill_and_no_half_turn_does() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ledger.js"), BUNDLE).unwrap();
    let mut known = [Acknowledged::default(); CLIENTS];
    let mut acknowledged = 0;
    for round in 0..ROUNDS {
        let server = Server::start(folder.path());
        let mut reader = Client::connect(&server.address).unwrap();
        for (client, known) in known.iter_mut().enumerate() {
            let state = reader
                .call(&format!("ledger-{client}"), "read", "[]")
                .unwrap();
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
                "round {round}: half a turn in ledger-{client}"
            );
            assert!(
                left == known.add || left == known.add + 1,
                "round {round}: ledger-{client} has {left}, acknowledged {}",
                known.add
            );
            assert!(
                two >= known.twice && one >= two,
                "round {round}: {state:?}, acknowledged {}",
                known.twice
            );
            // An unacknowledged write may have been saved: that is where this client goes on.
            known.add = left;
            known.twice = two;
        }
        let stop = AtomicBool::new(false);
        let before: u64 = known.iter().map(|known| known.add).sum();
        let started_with = known;
        std::thread::scope(|scope| {
            let loads: Vec<_> = started_with
                .into_iter()
                .enumerate()
                .map(|(client, known)| {
                    let (address, stop) = (server.address.clone(), &stop);
                    scope.spawn(move || load(&address, client, known, stop))
                })
                .collect();
            // Random points without a clock: after a number of calls of our own that differs each round.
            for call in 0..(round * 37 % 101) * 5 {
                reader
                    .call("pacemaker", "add", &format!("[{call}]"))
                    .unwrap();
            }
            server.kill();
            stop.store(true, Ordering::Relaxed);
            for (known, load) in known.iter_mut().zip(loads) {
                *known = load.join().unwrap();
            }
        });
        acknowledged += known.iter().map(|known| known.add).sum::<u64>() - before;
    }
    assert!(
        acknowledged > 1_000,
        "only {acknowledged} writes were acknowledged: the load did not run"
    );
}
