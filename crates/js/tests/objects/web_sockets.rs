//! WebSockets of objects: who is woken, what survives hibernation, what the gate holds. What user code sees of them
//! is in `tests/conformance/websockets`.

use std::time::Duration;

use dolmen_runtime::{
    Body, Clock, ErrorKind, FetchRequest, ManualClock, Options, Received, SocketEnd, SocketMessage,
    Target,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde_json::json;

use super::{
    durability::{Mood, TestDisk},
    world::{World, in_world, in_world_on, in_world_with, options},
};

/// A CommonJS class that keeps count of its lives in storage, and echoes.
const ECHO: &str = r#"
class Echo {
  constructor(state) {
    this.state = state;
    this.storage = state.storage;
    this.storage.put("lives", this.lives() + 1);
  }
  lives() { return this.storage.get("lives") ?? 0; }
  sockets() { return this.state.getWebSockets().length; }
  log() { return this.storage.get("log") ?? []; }
  note(...entry) { this.storage.put("log", [...this.log(), entry]); }
  auto() { this.state.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong")); }
  broadcast(text) { for (const ws of this.state.getWebSockets()) ws.send(text); }
  pause() { this.storage.put("paused", true); return new Promise((done) => setTimeout(done, 1e6)); }
  webSocketOpen(ws, req) {
    if (req.path === "/refused") throw new Error("not you");
    ws.serializeAttachment({ path: req.path, lives: this.lives() });
    ws.send(`welcome ${req.path}`);
  }
  async webSocketMessage(ws, data) {
    if (data === "lives") return ws.send(`${this.lives()} ${JSON.stringify(ws.deserializeAttachment())}`);
    if (data === "write") { this.storage.put("written", (this.storage.get("written") ?? 0) + 1); return ws.send("written"); }
    if (data === "throw") throw new Error("in the handler");
    if (data === "loop") for (;;);
    if (data === "close") return ws.close(4000, "asked");
    if (data === "wait") return new Promise(() => {});
    ws.send(data);
  }
  webSocketClose(ws, code, reason, clean) { this.note("close", code, reason, clean, ws.readyState); }
  webSocketError(ws, error) { this.note("error", error.message); }
}
class Plain { fetch() { return "plain"; } hello() { return "hello"; } }
class Other {
  constructor(state) { this.storage = state.storage; }
  hello() { return "hello"; }
  wait() { this.storage.put("waits", true); return new Promise((done) => setTimeout(done, 1e6)); }
}
exports.objects = { Echo, Plain, Other };
"#;

fn upgrade(path: &str) -> FetchRequest {
    let mut headers = HeaderMap::new();
    headers.insert("upgrade", HeaderValue::from_static("websocket"));
    FetchRequest {
        target: Target::Root,
        method: Method::GET,
        url: format!("http://localhost{path}"),
        path: path.to_owned(),
        query: String::new(),
        headers,
        body: Body::None,
    }
}

async fn connect(w: &World, object: &str, path: &str) -> SocketEnd {
    let response = w.fetch(object, upgrade(path)).await.unwrap();
    assert_eq!(response.status, StatusCode::SWITCHING_PROTOCOLS);
    let end = response.web_socket.unwrap();
    if object.starts_with("ECHO/") {
        assert_eq!(text(&end).await, format!("welcome {path}"));
    }
    end
}

fn send(end: &SocketEnd, text: &str) {
    end.send(SocketMessage::Text(text.to_owned().into()));
}

async fn text(end: &SocketEnd) -> String {
    match end.receive().await {
        Some(Received::Message(SocketMessage::Text(text))) => {
            String::from_utf8(text.to_vec()).unwrap()
        }
        other => panic!("no text but {other:?}"),
    }
}

async fn ask(end: &SocketEnd, question: &str) -> String {
    send(end, question);
    text(end).await
}

/// The code and reason that `end` is closed with, and whether that was clean.
async fn closed(end: &SocketEnd) -> (u16, String, bool) {
    loop {
        match end.receive().await {
            Some(Received::Message(SocketMessage::Close { code, reason })) => {
                return (code, reason.into(), true);
            }
            Some(Received::Lost(loss)) => return (loss.code, loss.reason.into(), false),
            Some(Received::Message(_)) => {}
            None => panic!("it had ended before"),
        }
    }
}

#[test]
fn a_commonjs_object_gets_opens_messages_and_closes() {
    in_world(ECHO, async |w| {
        let end = connect(w, "ECHO/a", "/room").await;
        assert_eq!(ask(&end, "hello").await, "hello");
        let bytes = SocketMessage::Binary(vec![1, 2].into());
        end.send(bytes.clone());
        assert_eq!(end.receive().await, Some(Received::Message(bytes)));
        assert_eq!(w.ok("ECHO/a", "sockets", "").await, json!(1));
        end.send(SocketMessage::Close {
            code: 4321,
            reason: "bye".into(),
        });
        assert_eq!(closed(&end).await, (4321, "bye".to_owned(), true));
        assert_eq!(w.ok("ECHO/a", "sockets", "").await, json!(0));
        assert_eq!(
            w.ok("ECHO/a", "log", "").await,
            json!([["close", 4321, "bye", true, 2]])
        );
        drop(connect(w, "ECHO/a", "/room").await);
        // The loss arrives before the call does.
        assert_eq!(
            w.ok("ECHO/a", "log", "").await[1],
            json!([
                "close",
                1006,
                "WebSocket disconnected without sending Close frame.",
                false,
                2
            ])
        );
    });
}

#[test]
fn without_handlers_or_with_a_handler_that_throws_there_is_no_socket() {
    in_world(ECHO, async |w| {
        let response = w.fetch("PLAIN/a", upgrade("/")).await.unwrap();
        assert_eq!(response.status, StatusCode::UPGRADE_REQUIRED);
        let body = String::from_utf8(response.body.bytes().unwrap().to_vec()).unwrap();
        assert!(
            body.contains("PLAIN") && body.contains("webSocketOpen"),
            "{body}"
        );
        let refused = w.fetch("ECHO/a", upgrade("/refused")).await.unwrap_err();
        assert_eq!(refused.message(), "not you");
        assert_eq!(w.ok("ECHO/a", "sockets", "").await, json!(0));
    });
}

#[test]
fn an_idle_object_leaves_its_sockets_and_the_next_message_makes_it_again() {
    let clock = ManualClock::new(0);
    let options = Options {
        shards: 1,
        ..options()
    };
    in_world_with(ECHO, options, Clock::manual(clock.clone()), async |w| {
        let first = connect(w, "ECHO/a", "/first").await;
        let second = connect(w, "ECHO/a", "/second").await;
        w.ok("ECHO/a", "auto", "").await;
        hibernate(w, &clock).await;
        // Answered for the object, which stays where it is.
        assert_eq!(ask(&first, "ping").await, "pong");
        assert!(second.auto_responded().is_none() && first.auto_responded().is_some());
        assert_eq!(
            ask(&first, "lives").await,
            r#"2 {"path":"/first","lives":1}"#,
            "the constructor ran again, and only now"
        );
        assert_eq!(
            ask(&second, "lives").await,
            r#"2 {"path":"/second","lives":1}"#
        );
        w.ok("ECHO/a", "broadcast", r#"["to all"]"#).await;
        assert_eq!(text(&first).await, "to all");
        assert_eq!(text(&second).await, "to all");
        hibernate(w, &clock).await;
        // All of it was sent before the object was there.
        for n in 0..100 {
            send(&second, &format!("{n}"));
        }
        for n in 0..100 {
            assert_eq!(text(&second).await, format!("{n}"));
        }
        hibernate(w, &clock).await;
        drop(first);
        assert_eq!(
            ask(&second, "lives").await,
            r#"4 {"path":"/second","lives":1}"#
        );
        assert_eq!(w.ok("ECHO/a", "sockets", "").await, json!(1));
    });
}

/// Lets the ten idle seconds pass.
async fn hibernate(w: &World, clock: &ManualClock) {
    for _ in 0..8 {
        clock.advance(Duration::from_millis(2_500));
        // Lets the sweeper run before the next step.
        w.ok("OTHER/b", "hello", "").await;
    }
}

#[test]
fn the_idle_time_is_an_option_and_objects_without_sockets_have_another() {
    let clock = ManualClock::new(0);
    let options = Options {
        shards: 1,
        hibernation_timeout: Some(Duration::from_secs(3_600)),
        ..options()
    };
    in_world_with(ECHO, options, Clock::manual(clock.clone()), async |w| {
        let end = connect(w, "ECHO/a", "/").await;
        hibernate(w, &clock).await;
        assert_eq!(ask(&end, "lives").await, r#"1 {"path":"/","lives":1}"#);
    });
    let clock = ManualClock::new(0);
    let options = Options {
        shards: 1,
        ..super::world::options()
    };
    in_world_with(ECHO, options, Clock::manual(clock.clone()), async |w| {
        w.ok("ECHO/without", "lives", "").await;
        hibernate(w, &clock).await;
        assert_eq!(w.ok("ECHO/without", "lives", "").await, json!(1));
    });
}

#[test]
fn a_message_leaves_when_what_was_written_before_it_is_durable() {
    let disk = TestDisk::new();
    in_world_on(
        ECHO,
        options(),
        disk.storage(),
        Clock::system(),
        async |w| {
            let end = connect(w, "ECHO/a", "/").await;
            disk.set(Mood::Holds);
            send(&end, "write");
            disk.until_held(1).await;
            send(&end, "after");
            // Another object is not held, and its answer shows that time has passed.
            assert_eq!(w.ok("PLAIN/b", "hello", "").await, json!("hello"));
            let nothing = std::future::poll_fn(|cx| {
                std::task::Poll::Ready(end.poll_receive(cx).is_pending())
            });
            assert!(nothing.await, "a message overtook its write");
            disk.set(Mood::Works);
            assert_eq!(text(&end).await, "written");
            assert_eq!(text(&end).await, "after");
            disk.set(Mood::Fails);
            send(&end, "write");
            let (code, reason, clean) = closed(&end).await;
            assert_eq!((code, clean), (1006, false), "{reason}");
            disk.set(Mood::Works);
            assert_eq!(w.ok("ECHO/a", "sockets", "").await, json!(0));
        },
    );
}

#[test]
fn a_handler_that_throws_keeps_its_socket_and_one_that_loops_loses_all() {
    let options = Options {
        cpu_timeout: Duration::from_millis(200),
        ..options()
    };
    in_world_with(ECHO, options, Clock::system(), async |w| {
        let end = connect(w, "ECHO/a", "/").await;
        let other = connect(w, "ECHO/a", "/").await;
        send(&end, "throw");
        assert_eq!(ask(&end, "still here").await, "still here");
        send(&end, "loop");
        for end in [&end, &other] {
            let (code, _, clean) = closed(end).await;
            assert_eq!((code, clean), (1006, false));
        }
        let again = connect(w, "ECHO/a", "/").await;
        assert_eq!(ask(&again, "lives").await, r#"2 {"path":"/","lives":2}"#);
    });
}

#[test]
fn a_close_by_the_object_ends_with_the_clients_answer() {
    in_world(ECHO, async |w| {
        let end = connect(w, "ECHO/a", "/").await;
        send(&end, "close");
        assert_eq!(closed(&end).await, (4000, "asked".to_owned(), true));
        assert_eq!(
            w.ok("ECHO/a", "sockets", "").await,
            json!(1),
            "not answered yet"
        );
        end.send(SocketMessage::Close {
            code: 4000,
            reason: "".into(),
        });
        assert_eq!(w.ok("ECHO/a", "sockets", "").await, json!(0));
        assert_eq!(
            w.ok("ECHO/a", "log", "").await,
            json!([["close", 4000, "", true, 3]])
        );
    });
}

#[test]
fn an_error_on_the_connection_reaches_web_socket_error() {
    in_world(ECHO, async |w| {
        let end = connect(w, "ECHO/a", "/").await;
        end.lose(dolmen_runtime::SocketLoss {
            code: 1009,
            reason: "Message is too large".into(),
            is_error: true,
        });
        assert_eq!(
            w.ok("ECHO/a", "log", "").await,
            json!([["error", "Message is too large"]])
        );
        assert_eq!(w.ok("ECHO/a", "sockets", "").await, json!(0));
    });
}

#[test]
fn a_message_for_an_object_that_finds_no_room_waits_until_there_is_some() {
    let clock = ManualClock::new(0);
    let options = Options {
        shards: 1,
        max_live_objects: 1,
        cpu_timeout: Duration::from_secs(36_000),
        ..options()
    };
    let disk = TestDisk::new();
    let system = Clock::manual(clock.clone());
    in_world_on(ECHO, options, disk.storage(), system, async |w| {
        let end = connect(w, "ECHO/a", "/").await;
        let other = connect(w, "ECHO/a", "/").await;
        let syncs = disk.asked();
        let handle = w.handle.clone();
        let waiting =
            tokio::spawn(async move { super::world::call(&handle, "OTHER/b", "wait", "").await });
        // Its write shows that it lives, in the place of the first one.
        disk.until_asked(syncs + 1).await;
        let (kind, _) = w.err("ECHO/a", "lives", "").await;
        assert_eq!(kind, ErrorKind::Overloaded);
        send(&end, "patient");
        send(&other, "patient too");
        let (kind, _) = w.err("ECHO/a", "lives", "").await;
        assert_eq!(kind, ErrorKind::Overloaded);
        clock.advance(Duration::from_secs(2_000));
        waiting.await.unwrap().unwrap();
        clock.advance(Duration::from_secs(1));
        assert_eq!(text(&end).await, "patient");
        assert_eq!(text(&other).await, "patient too");
    });
}

const MODULE: &str = r#"
import { DurableObject } from "cloudflare:workers";
export class Room extends DurableObject {
  async fetch(request) {
    const [client, server] = Object.values(new WebSocketPair());
    if (new URL(request.url).pathname === "/pinned") {
      server.accept();
      server.addEventListener("message", ({ data }) => server.send(`${data} ${this.count = (this.count ?? 0) + 1}`));
      return new Response(null, { status: 101, webSocket: client });
    }
    this.ctx.acceptWebSocket(server);
    return new Response(null, { status: 101, webSocket: client });
  }
  async webSocketMessage(ws, data) {
    this.count = (this.count ?? 0) + 1;
    if (data === "timeout") { this.ctx.setHibernatableWebSocketEventTimeout(50); return ws.send("set"); }
    if (data === "hang") return new Promise(() => {});
    ws.send(`${data} ${this.count}`);
  }
}
export class Other extends DurableObject { fetch() { return new Response("hello"); } }
export default { fetch() { return new Response("worker"); } };
"#;

async fn pass(w: &World, clock: &ManualClock, step: Duration) {
    let get = FetchRequest {
        headers: HeaderMap::new(),
        ..upgrade("/")
    };
    clock.advance(step);
    w.fetch("OTHER/b", get).await.unwrap();
}

#[test]
fn a_socket_that_was_accepted_with_accept_keeps_its_object() {
    let clock = ManualClock::new(0);
    let options = Options {
        shards: 1,
        ..options()
    };
    in_world_with(MODULE, options, Clock::manual(clock.clone()), async |w| {
        let pinned = connect(w, "ROOM/pinned", "/pinned").await;
        let idle = connect(w, "ROOM/idle", "/idle").await;
        assert_eq!(ask(&pinned, "a").await, "a 1");
        assert_eq!(ask(&idle, "a").await, "a 1");
        for _ in 0..8 {
            pass(w, &clock, Duration::from_millis(2_500)).await;
        }
        for _ in 0..8 {
            pass(w, &clock, Duration::from_secs(100)).await;
        }
        assert_eq!(ask(&pinned, "b").await, "b 2", "the same instance");
        assert_eq!(ask(&idle, "b").await, "b 1", "another instance");
    });
}

#[test]
fn a_handler_that_hangs_ends_at_the_event_timeout_and_lets_the_object_hibernate() {
    let clock = ManualClock::new(0);
    let options = Options {
        shards: 1,
        ..options()
    };
    in_world_with(MODULE, options, Clock::manual(clock.clone()), async |w| {
        let end = connect(w, "ROOM/a", "/").await;
        assert_eq!(ask(&end, "timeout").await, "set");
        send(&end, "hang");
        assert_eq!(ask(&end, "x").await, "x 3");
        for _ in 0..8 {
            pass(w, &clock, Duration::from_millis(2_500)).await;
        }
        assert_eq!(ask(&end, "y").await, "y 1", "another instance");
    });
}

#[test]
fn more_messages_than_handlers_may_run_wait_in_their_socket() {
    let options = Options {
        queue_limit: 4,
        shards: 1,
        ..options()
    };
    let source = MODULE.replace(
        r#"if (data === "hang") return new Promise(() => {});"#,
        r#"if (data === "hang") return new Promise((done) => { (this.hung ??= []).push(done); });
    if (data === "free") for (const done of this.hung ?? []) done();"#,
    );
    in_world_with(&source, options, Clock::system(), async |w| {
        let end = connect(w, "ROOM/a", "/").await;
        for _ in 0..3 {
            send(&end, "hang");
        }
        assert_eq!(ask(&end, "free").await, "free 4");
        for n in 0..100 {
            send(&end, &format!("m{n}"));
        }
        for n in 0..100 {
            assert_eq!(text(&end).await, format!("m{n} {}", n + 5));
        }
    });
}

/// What a hibernated connection costs the process, connections of the system apart. Run it by itself:
/// `cargo test --release -p dolmen-js --test objects -- --ignored --nocapture hibernated`.
#[test]
#[ignore = "a measurement"]
fn fifty_thousand_hibernated_sockets() {
    const OBJECTS: usize = 1_000;
    const SOCKETS: usize = 50;
    let clock = ManualClock::new(0);
    in_world_with(ECHO, options(), Clock::manual(clock.clone()), async |w| {
        let open = async |name: String| {
            let mut ends = Vec::with_capacity(SOCKETS);
            for _ in 0..SOCKETS {
                ends.push(connect(w, &name, "/").await);
            }
            ends
        };
        drop(open("ECHO/first".to_owned()).await);
        hibernate(w, &clock).await;
        let before = resident();
        let mut rooms = Vec::with_capacity(OBJECTS);
        for number in 0..OBJECTS {
            rooms.push(open(format!("ECHO/{number}")).await);
            if number % 100 == 99 {
                hibernate(w, &clock).await;
            }
        }
        hibernate(w, &clock).await;
        let count = OBJECTS * SOCKETS;
        let bytes = resident().saturating_sub(before) / count;
        let mut delays: Vec<Duration> = Vec::with_capacity(OBJECTS);
        for ends in &rooms {
            let asked = std::time::Instant::now();
            assert!(
                ask(&ends[0], "lives").await.starts_with("2 "),
                "it had not hibernated"
            );
            delays.push(asked.elapsed());
        }
        delays.sort();
        println!(
            "{count} sockets over {OBJECTS} objects: {bytes} bytes each; first message after {:?}, p99 {:?}",
            delays[OBJECTS / 2],
            delays[OBJECTS * 99 / 100]
        );
    });
}

/// Memory of this process, in bytes.
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    let resident: usize = pages.split(' ').nth(1).unwrap().parse().unwrap();
    resident * 4096
}

const THROWS: &str = r#"
import { DurableObject } from "cloudflare:workers";
export class Room extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
  }
  fetch(request) {
    const [client, server] = Object.values(new WebSocketPair());
    this.ctx.acceptWebSocket(server);
    return new Response(null, { status: 101, webSocket: client });
  }
  webSocketMessage(ws, data) {
    this.count = (this.count ?? 0) + 1;
    if (data === "timeout") this.ctx.setHibernatableWebSocketEventTimeout(600_000);
    if (data === "throw") throw new Error("at once");
    if (data === "name") return ws.send(`${this.ctx.id.name}`);
    if (data === "gone") return ws.send(`${this.closed.deref() === undefined}`);
    ws.send(`${data} ${this.count}`);
  }
  webSocketClose(ws) {
    this.closed = new WeakRef(ws);
    throw new Error("at once");
  }
  touch() {}
}
export class Other extends DurableObject {
  async fetch(request) {
    const id = this.env.ROOM.idFromName("named").toString();
    if (new URL(request.url).pathname === "/touch") await this.env.ROOM.get(this.env.ROOM.idFromString(id)).touch();
    return new Response("hello");
  }
}
export default { fetch() { return new Response("worker"); } };
"#;

#[test]
fn a_handler_that_throws_at_once_leaves_no_timer_and_no_socket() {
    let clock = ManualClock::new(0);
    let options = Options {
        shards: 1,
        ..options()
    };
    in_world_with(THROWS, options, Clock::manual(clock.clone()), async |w| {
        let end = connect(w, "ROOM/a", "/").await;
        let other = connect(w, "ROOM/a", "/").await;
        other.send(SocketMessage::Close {
            code: 1000,
            reason: "".into(),
        });
        assert!(closed(&other).await.2);
        assert_eq!(ask(&end, "gone").await, "true");
        assert_eq!(ask(&end, "timeout").await, "timeout 2");
        send(&end, "throw");
        assert_eq!(ask(&end, "x").await, "x 4");
        for _ in 0..8 {
            pass(w, &clock, Duration::from_millis(2_500)).await;
        }
        assert_eq!(ask(&end, "y").await, "y 1", "another instance");
    });
}

#[test]
fn the_name_that_a_request_brings_survives_hibernation() {
    let clock = ManualClock::new(0);
    let options = Options {
        shards: 1,
        ..options()
    };
    in_world_with(THROWS, options, Clock::manual(clock.clone()), async |w| {
        let touch = FetchRequest {
            headers: HeaderMap::new(),
            ..upgrade("/touch")
        };
        w.fetch("OTHER/b", touch).await.unwrap();
        let end = connect(w, "ROOM/named", "/").await;
        for _ in 0..8 {
            pass(w, &clock, Duration::from_millis(2_500)).await;
        }
        assert_eq!(ask(&end, "name").await, "named");
        assert_eq!(ask(&end, "x").await, "x 2");
    });
}

#[test]
fn objects_that_a_socket_keeps_count_as_live() {
    let options = Options {
        shards: 1,
        max_live_objects: 2,
        ..options()
    };
    in_world_with(MODULE, options, Clock::system(), async |w| {
        let one = connect(w, "ROOM/one", "/pinned").await;
        let two = connect(w, "ROOM/two", "/pinned").await;
        let refused = w.fetch("ROOM/three", upgrade("/pinned")).await;
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Overloaded);
        assert_eq!(ask(&one, "a").await, "a 1");
        drop(one);
        // The first one hears of it before the other one is asked.
        assert_eq!(ask(&two, "b").await, "b 1");
        connect(w, "ROOM/three", "/pinned").await;
    });
}

/// Sends what `work` begins with.
async fn begin(mut work: std::pin::Pin<&mut impl Future>) {
    std::future::poll_fn(|cx| {
        assert!(work.as_mut().poll(cx).is_pending());
        std::task::Poll::Ready(())
    })
    .await;
}

#[test]
fn messages_of_many_sockets_do_not_keep_requests_out() {
    let clock = ManualClock::new(0);
    let options = Options {
        shards: 1,
        queue_limit: 4,
        cpu_timeout: Duration::from_secs(36_000),
        ..options()
    };
    let disk = TestDisk::new();
    let system = Clock::manual(clock.clone());
    in_world_on(ECHO, options, disk.storage(), system, async |w| {
        let mut ends = Vec::new();
        for _ in 0..6 {
            ends.push(connect(w, "ECHO/a", "/").await);
        }
        let syncs = disk.asked();
        let call = |method| super::world::call(&w.handle, "ECHO/a", method, "");
        let mut paused = std::pin::pin!(call("pause"));
        begin(paused.as_mut()).await;
        disk.until_asked(syncs + 1).await;
        for end in &ends {
            send(end, "x");
        }
        let mut asked = std::pin::pin!(call("sockets"));
        begin(asked.as_mut()).await;
        // What was sent before another object's answer has arrived.
        w.ok("OTHER/b", "hello", "").await;
        clock.advance(Duration::from_secs(2_000));
        paused.await.unwrap();
        assert_eq!(asked.await.unwrap(), json!(6));
        for end in &ends {
            assert_eq!(text(end).await, "x");
        }
    });
}
