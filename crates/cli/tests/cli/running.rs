//! A server that runs: what it says, what its flags do, how it stops and returns.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
};

use rustix::process::Signal;

use super::process::{Running, answer, send};

#[test]
fn the_welcome_shows_commands_that_work() {
    let folder = tempfile::tempdir().unwrap();
    let dolmen = Running::start(folder.path(), &[]);
    let url = format!("http://{}", dolmen.addr);
    for line in [
        format!(
            "curl -X POST {url}/rpc/COUNTER/global/increment -H 'content-type: application/json' -d '[1]'"
        ),
        format!("curl {url}/fetch/COUNTER/global/count"),
    ] {
        assert!(dolmen.welcome.contains(&line), "{}", dolmen.welcome);
    }
    assert!(
        dolmen.welcome.contains(folder.path().to_str().unwrap()),
        "{}",
        dolmen.welcome
    );
}

#[test]
fn the_count_survives_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let dolmen = Running::start(folder.path(), &[]);
    assert_eq!(
        dolmen.ask("POST", "/rpc/COUNTER/global/increment", "[1]"),
        (200, "{\"ok\":true,\"result\":1}".to_owned())
    );
    assert_eq!(
        dolmen.ask("GET", "/fetch/COUNTER/global/count", ""),
        (200, "1".to_owned())
    );
    assert_eq!(
        dolmen.rpc("/rpc/COUNTER/another/increment", "[41]")["result"],
        41
    );
    dolmen.signal(Signal::KILL);
    assert_eq!(dolmen.ended().code(), None);

    let dolmen = Running::start(folder.path(), &["serve"]);
    assert_eq!(
        dolmen.rpc("/rpc/COUNTER/global/increment", "[1]")["result"],
        2
    );
    assert_eq!(dolmen.rpc("/rpc/COUNTER/another/get", "")["result"], 41);
}

const SLOW: &str = r#"
class Slow {
  constructor(state) { this.state = state; }
  async wait(ms) {
    this.state.storage.put("begun", ms);
    console.log("begun");
    await new Promise((done) => setTimeout(done, ms));
    this.state.storage.put("ended", ms);
    return "waited";
  }
  both() { return [this.state.storage.get("begun") ?? null, this.state.storage.get("ended") ?? null]; }
  loop() { for (;;); }
  fill() { for (const all = []; ;) all.push(new Array(1000).fill(0)); }
  calls() { return this.count = (this.count ?? 0) + 1; }
  speak() { console.log("said", { a: [1] }); console.warn("warned"); console.error("failed"); console.debug("hidden"); }
  fail() { throw new Error("on purpose"); }
  hello() { return "hello"; }
}
module.exports = { objects: { Slow } };
"#;

fn slow(folder: &std::path::Path) -> String {
    let bundle = folder.join("slow.js");
    fs::write(&bundle, SLOW).unwrap();
    bundle.to_str().unwrap().to_owned()
}

#[test]
fn sigterm_and_ctrl_c_drain() {
    for signal in [Signal::TERM, Signal::INT] {
        let folder = tempfile::tempdir().unwrap();
        let storage = folder.path().join("storage");
        let bundle = slow(folder.path());
        let mut dolmen = Running::start(&storage, &["--bundle", &bundle]);
        let mut open = BufReader::new(dolmen.connect());
        send(open.get_mut(), "POST", "/rpc/SLOW/a/wait", "[300]");
        dolmen.logs("begun");
        let mut idle = dolmen.connect();
        assert_eq!(dolmen.rpc("/rpc/SLOW/b/hello", "[]")["result"], "hello");
        dolmen.signal(signal);
        // The idle connection is closed at once, by then nothing new is accepted.
        assert_eq!(idle.read(&mut [0]).unwrap(), 0);
        let (status, body) = answer(open.get_mut());
        assert_eq!(
            (status, body.as_str()),
            (200, "{\"ok\":true,\"result\":\"waited\"}")
        );
        assert_eq!(dolmen.ended().code(), Some(0));

        let again = Running::start(&storage, &["--bundle", &bundle]);
        assert_eq!(
            again.rpc("/rpc/SLOW/a/both", "")["result"],
            serde_json::json!([300, 300])
        );
    }
}

#[test]
fn a_second_signal_ends_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = slow(folder.path());
    let mut dolmen = Running::start(
        &folder.path().join("storage"),
        &["--bundle", &bundle, "--cpu-timeout", "1h"],
    );
    let mut open = BufReader::new(dolmen.connect());
    send(open.get_mut(), "POST", "/rpc/SLOW/a/wait", "[3000000]");
    dolmen.logs("begun");
    let mut idle = dolmen.connect();
    assert_eq!(dolmen.rpc("/rpc/SLOW/b/hello", "[]")["result"], "hello");
    dolmen.signal(Signal::TERM);
    assert_eq!(idle.read(&mut [0]).unwrap(), 0);
    dolmen.signal(Signal::TERM);
    assert_eq!(dolmen.ended().code(), Some(1));
    let mut rest = String::new();
    // Cut off without an answer, perhaps with a reset.
    drop(open.read_line(&mut rest));
    assert_eq!(rest, "");
}

#[test]
fn flags_reach_the_objects() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = slow(folder.path());
    let flags = [
        "serve",
        "--bundle",
        &bundle,
        "--cpu-timeout",
        "50ms",
        "--max-body",
        "1KiB",
        "--shards",
        "1",
        "--dev-errors",
        "--log",
        "off",
    ];
    let dolmen = Running::start(&folder.path().join("storage"), &flags);
    let (status, body) = dolmen.ask("POST", "/rpc/SLOW/a/loop", "[]");
    assert_eq!(status, 504, "{body}");
    assert!(body.contains("50ms"), "{body}");
    let (status, body) = dolmen.ask(
        "POST",
        "/rpc/SLOW/a/hello",
        &format!("[\"{}\"]", "x".repeat(1024)),
    );
    assert_eq!(status, 413, "{body}");
    let failed = dolmen.rpc("/rpc/SLOW/a/fail", "[]");
    assert_eq!(failed["error"]["message"], "on purpose");
    assert!(
        failed["error"]["detail"]
            .as_str()
            .unwrap()
            .contains("slow.js"),
        "{failed}"
    );
    assert!(
        dolmen.welcome.contains("SLOW (class Slow)") && dolmen.welcome.contains("/rpc/SLOW/"),
        "{}",
        dolmen.welcome
    );
}

#[test]
fn the_limits_of_memory_and_of_waiting_events_reach_the_objects() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = slow(folder.path());
    let flags = [
        "--bundle",
        &bundle,
        "--memory-limit",
        "8MiB",
        "--queue-limit",
        "1",
        "--cpu-timeout",
        "1m",
    ];
    let mut dolmen = Running::start(&folder.path().join("storage"), &flags);
    let failed = dolmen.rpc("/rpc/SLOW/a/fill", "");
    assert_eq!(failed["error"]["code"], "execution_error", "{failed}");
    assert!(
        failed["error"]["message"]
            .as_str()
            .unwrap()
            .contains("memory limit of 8 MiB"),
        "{failed}"
    );

    // One event runs, one waits, and the other four are refused.
    let mut running = dolmen.connect();
    send(&mut running, "POST", "/rpc/SLOW/b/wait", "[1000]");
    dolmen.logs("begun");
    let mut others: Vec<_> = (0..5).map(|_| dolmen.connect()).collect();
    for other in &mut others {
        send(other, "POST", "/rpc/SLOW/b/hello", "[]");
    }
    let mut answers: Vec<_> = others.iter_mut().map(answer).collect();
    answers.sort();
    assert_eq!(answers[0].0, 200, "{answers:?}");
    for (status, body) in &answers[1..] {
        assert_eq!(*status, 503, "{body}");
        assert!(body.contains("1 events waiting"), "{body}");
    }
    assert_eq!(answer(&mut running).0, 200);
}

#[test]
fn idle_objects_leave_after_the_idle_timeout_and_never_with_0() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = slow(folder.path());
    let dolmen = |storage: &str, timeout: &str| {
        let flags = ["--bundle", &bundle, "--idle-timeout", timeout];
        Running::start(&folder.path().join(storage), &flags)
    };
    // Time passes while another object waits for its timer.
    let calls_after_a_while = |dolmen: &Running| {
        assert_eq!(dolmen.rpc("/rpc/SLOW/a/calls", "")["result"], 1);
        let mut looks = 0;
        loop {
            dolmen.rpc("/rpc/SLOW/other/wait", "[200]");
            let calls = dolmen.rpc("/rpc/SLOW/a/calls", "")["result"].clone();
            looks += 1;
            if calls == 1 || looks == 5 {
                return calls;
            }
        }
    };
    assert_eq!(calls_after_a_while(&dolmen("short", "20ms")), 1);
    assert_eq!(calls_after_a_while(&dolmen("never", "0")), 6);
}

#[test]
fn the_console_goes_to_the_log_with_the_objects_name() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = slow(folder.path());
    let mut dolmen = Running::start(&folder.path().join("storage"), &["--bundle", &bundle]);
    dolmen.rpc("/rpc/SLOW/the%20room/speak", "");
    for (level, text) in [
        (" INFO", "said { a: [ 1 ] }"),
        (" WARN", "warned"),
        ("ERROR", "failed"),
    ] {
        let line = dolmen.logs(text);
        let (time, rest) = line.trim_end().split_once(' ').unwrap();
        assert!(time.ends_with('Z'), "{line}");
        assert_eq!(
            rest,
            format!("{level} console: {text} object=SLOW/the room")
        );
    }
}

#[test]
fn a_manifest_names_what_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = slow(folder.path());
    let manifest = folder.path().join("manifest.json");
    fs::write(
        &manifest,
        "{\"objects\": {\"A\": \"Slow\", \"B\": \"Slow\"}}",
    )
    .unwrap();
    let flags = [
        "--bundle",
        &bundle,
        "--manifest",
        manifest.to_str().unwrap(),
    ];
    let dolmen = Running::start(&folder.path().join("storage"), &flags);
    for namespace in ["A", "B"] {
        assert_eq!(
            dolmen.rpc(&format!("/rpc/{namespace}/x/hello"), "")["result"],
            "hello"
        );
    }
    let (status, body) = dolmen.ask("POST", "/rpc/SLOW/x/hello", "");
    assert_eq!(status, 404, "{body}");
    assert!(body.contains("A, B"), "{body}");
    // The stack is for developers only.
    assert!(dolmen.rpc("/rpc/A/x/fail", "[]")["error"]["detail"].is_null());
}

#[test]
fn without_alarms_they_wait_for_a_start_with_alarms() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("alarms.js");
    fs::write(
        &bundle,
        "exports.objects = { Alarms: class {
           constructor(state) { this.storage = state.storage; }
           set() { this.storage.setAlarm(1); }
           wait() { return new Promise((done) => setTimeout(() => done(true), 100)); }
           fired() { return this.storage.get('fired') ?? false; }
           alarm() { this.storage.put('fired', true); }
         } };",
    )
    .unwrap();
    let storage = folder.path().join("storage");
    let bundle = ["--bundle", bundle.to_str().unwrap()];
    let dolmen = Running::start(&storage, &[&bundle[..], &["--no-alarms"]].concat());
    dolmen.rpc("/rpc/ALARMS/a/set", "");
    // It is due at once, so it would run long before this other object's timer.
    dolmen.rpc("/rpc/ALARMS/other/wait", "");
    assert_eq!(dolmen.rpc("/rpc/ALARMS/a/fired", "")["result"], false);
    drop(dolmen);
    let dolmen = Running::start(&storage, &bundle);
    let mut looks = 0;
    while dolmen.rpc("/rpc/ALARMS/a/fired", "")["result"] != true {
        looks += 1;
        assert!(looks < 1_000, "the alarm never ran");
        dolmen.rpc("/rpc/ALARMS/other/wait", "");
    }
}

#[test]
fn objects_reach_this_machine_only_when_a_flag_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("bundle.js");
    fs::write(
        &bundle,
        "exports.objects = { Getter: class { async get(url) { return (await fetch(url)).status; } } };",
    )
    .unwrap();
    let bundle = bundle.to_str().unwrap();
    let server = Running::start(&folder.path().join("server"), &[]);
    let url = format!("[\"http://{}/nothing\"]", server.addr);
    let ask = |flags: &[&str]| {
        let storage = tempfile::tempdir().unwrap();
        let flags = [&["--bundle", bundle], flags].concat();
        Running::start(storage.path(), &flags).ask("POST", "/rpc/GETTER/a/get", &url)
    };
    for flags in [
        &[][..],
        &["--egress", "*"],
        &["--allow-private-network", "--egress", "!127.0.0.0/8"],
    ] {
        let (status, body) = ask(flags);
        assert!(status == 500 && body.contains("127.0.0.1"), "{body}");
    }
    for flags in [
        &["--allow-private-network"][..],
        &["--egress", "a.example,127.0.0.1"],
    ] {
        assert_eq!(ask(flags), (200, "{\"ok\":true,\"result\":404}".to_owned()));
    }
}
