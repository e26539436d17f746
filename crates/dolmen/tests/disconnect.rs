//! `request.signal` of a request whose client goes away, over real connections.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as expected"
)]

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use dolmen::{Bundle, Dolmen, Gateway, GatewayOptions};

/// After this long without a byte a test fails instead of hanging.
const PATIENCE: Duration = Duration::from_secs(20);

/// `Board` keeps facts under names; who asks for one waits until it is there.
const WORKER: &str = r#"
import { DurableObject } from "cloudflare:workers";

export class Board extends DurableObject {
  facts = new Map();
  fact(name) {
    if (!this.facts.has(name)) this.facts.set(name, Promise.withResolvers());
    return this.facts.get(name);
  }
  tell(name, text) { this.fact(name).resolve(text); }
  ask(name) { return this.fact(name).promise; }
  async fetch(request) {
    const gone = new Promise((done) => request.signal.addEventListener("abort", done));
    this.tell("object began", "yes");
    await gone;
    this.tell("object", String(request.signal.reason));
    return new Response("nobody reads this");
  }
}

const kept = new Map();

export default {
  async fetch(request, env) {
    const board = env.BOARD.getByName("board");
    const [, what, name] = new URL(request.url).pathname.split("/");
    const watch = () => {
      const { signal } = request;
      const copies = [new Request(request), request.clone()];
      return new Promise((done) => signal.addEventListener("abort", () => done(`${signal.reason}, copies ${copies.some((copy) => copy.signal.aborted)}`)));
    };
    if (what === "ask") return new Response(await board.ask(decodeURIComponent(name)));
    if (what === "never") {
      const gone = watch();
      await board.tell("never began", "yes");
      await board.tell("never", await gone);
      return new Response("nobody reads this");
    }
    if (what === "stream") {
      const gone = watch();
      gone.then((text) => board.tell("stream", text));
      const { readable, writable } = new TransformStream();
      writable.getWriter().write(new TextEncoder().encode("first piece")).catch(() => {});
      return new Response(readable);
    }
    if (what === "whole" || what === "pieces") {
      kept.set(what, request.signal);
      request.signal.addEventListener("abort", () => board.tell("wrong", "aborted"));
      if (what === "whole") return new Response("whole answer");
      return new Response(new ReadableStream({ start(c) { c.enqueue(new TextEncoder().encode("pieces")); c.close(); } }));
    }
    return new Response(JSON.stringify([...kept].map(([name, signal]) => `${name} ${signal.aborted}`)));
  },
};
"#;

fn connect(addr: SocketAddr, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: test\r\n\r\n").unwrap();
    stream
}

/// Reads until the answer holds `text`.
fn read_until(stream: &mut TcpStream, text: &str) -> String {
    let mut answer = String::new();
    let mut piece = [0; 1024];
    while !answer.contains(text) {
        let count = stream.read(&mut piece).unwrap();
        assert_ne!(count, 0, "no {text:?} in {answer:?}");
        answer.push_str(std::str::from_utf8(&piece[..count]).unwrap());
    }
    answer
}

fn ask(addr: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    body.to_owned()
}

/// Serves the worker while `client` runs on another thread.
async fn serve<T: Send + 'static>(client: impl FnOnce(SocketAddr) -> T + Send + 'static) -> T {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("worker.mjs");
    std::fs::write(&file, WORKER).unwrap();
    let dolmen = Dolmen::builder()
        .storage(folder.path().join("storage"))
        .bundle(Bundle::from_file(&file).unwrap())
        .options(dolmen::Options {
            // One worker, so that what it keeps is there for every request.
            shards: 1,
            ..dolmen::Options::default()
        })
        .start()
        .unwrap();
    let gateway = Gateway::bind(
        "127.0.0.1:0",
        GatewayOptions {
            object_routes: true,
            ..GatewayOptions::default()
        },
    )
    .unwrap();
    let addr = gateway.local_addr();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let client = tokio::task::spawn_blocking(move || {
        let result = client(addr);
        drop(stop);
        result
    });
    dolmen
        .serve(gateway, async { drop(stopped.await) })
        .await
        .unwrap();
    client.await.unwrap()
}

const GONE: &str = "AbortError: The client has disconnected";

#[tokio::test]
async fn the_signal_aborts_when_the_client_leaves_before_the_answer() {
    let seen = serve(|addr| {
        let client = connect(addr, "/never");
        ask(addr, "/ask/never%20began");
        drop(client);
        ask(addr, "/ask/never")
    });
    assert_eq!(seen.await, format!("{GONE}, copies false"));
}

#[tokio::test]
async fn the_signal_aborts_in_an_object_that_the_client_asked() {
    let seen = serve(|addr| {
        let client = connect(addr, "/fetch/BOARD/board/");
        ask(addr, "/ask/object%20began");
        drop(client);
        ask(addr, "/ask/object")
    });
    assert_eq!(seen.await, GONE);
}

#[tokio::test]
async fn the_signal_aborts_when_the_client_leaves_in_the_middle_of_a_stream() {
    let seen = serve(|addr| {
        let mut client = connect(addr, "/stream");
        read_until(&mut client, "first piece");
        drop(client);
        ask(addr, "/ask/stream")
    });
    assert_eq!(seen.await, format!("{GONE}, copies false"));
}

#[tokio::test]
async fn the_signal_stays_when_the_client_leaves_after_the_answer() {
    let seen = serve(|addr| {
        let mut whole = connect(addr, "/whole");
        read_until(&mut whole, "whole answer");
        let mut pieces = connect(addr, "/pieces");
        // The end of a chunked answer.
        read_until(&mut pieces, "\r\n0\r\n\r\n");
        drop((whole, pieces));
        // What follows comes after all that the connections left behind.
        let leaves = connect(addr, "/never");
        ask(addr, "/ask/never%20began");
        drop(leaves);
        ask(addr, "/ask/never");
        ask(addr, "/kept")
    });
    assert_eq!(seen.await, r#"["whole false","pieces false"]"#);
}
