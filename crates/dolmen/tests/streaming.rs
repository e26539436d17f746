//! Bodies far larger than any buffer, over real connections, while whoever takes them is slow. Neither side may run
//! ahead, whatever it has to give, and the process must not keep what is on its way.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as expected"
)]

use std::{
    io::{BufRead, BufReader, ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use dolmen::{Bundle, Dolmen, Gateway, GatewayOptions, Options};

/// After this long without a byte a test fails instead of hanging.
const PATIENCE: Duration = Duration::from_secs(20);
const PIECE: usize = 64 << 10;
/// Of each body in pieces: 128 MiB.
const PIECES: usize = 2_048;
/// More than the sockets' buffers on both sides (at most 10 MiB on Linux as it comes) and the few pieces in between.
const MOST_AHEAD: usize = 24 << 20;
/// How much larger the process may become.
const MOST_MEMORY: usize = 48 << 20;
/// Requests in between: time enough for a side that nobody holds up.
const EXCHANGES: usize = 100;

/// `/down` makes as it is read. `/up` reads one piece, and the rest after `/go`. `/echo` and `/object` give back what comes,
/// the last one through an object. Every piece is filled with its number.
const WORKER: &str = r#"
import { DurableObject } from "cloudflare:workers";

const PIECE = 65536;
let made = 0;
let go = Promise.withResolvers();

const down = (pieces) => new ReadableStream({
  pull(controller) {
    if (made === pieces) return controller.close();
    controller.enqueue(new Uint8Array(PIECE).fill(made++ & 255));
  },
}, { highWaterMark: 0 });

async function up(body) {
  const reader = body.getReader();
  let { value } = await reader.read();
  let bytes = 0;
  let wrong = 0;
  await go.promise;
  while (value !== undefined) {
    // The first byte of each piece of the client's.
    for (let at = (PIECE - (bytes % PIECE)) % PIECE; at < value.length; at += PIECE) {
      if (value[at] !== ((bytes + at) / PIECE & 255)) wrong++;
    }
    bytes += value.length;
    ({ value } = await reader.read());
  }
  return `${bytes} bytes, ${wrong} wrong`;
}

export class Echo extends DurableObject {
  fetch(request) { return new Response(request.body); }
}

export default {
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url);
    switch (pathname) {
      case "/down": return new Response(down(Number(searchParams.get("pieces"))));
      case "/made": return new Response(String(made));
      case "/up": return new Response(await up(request.body));
      case "/go": go.resolve(); return new Response("");
      case "/echo": return new Response(request.body);
      case "/object": return env.ECHO.getByName("echo").fetch(request);
      default: return new Response("");
    }
  },
};
"#;

/// Serves the worker while `client` runs on another thread.
async fn serve<T: Send + 'static>(client: impl FnOnce(SocketAddr) -> T + Send + 'static) -> T {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("worker.mjs");
    std::fs::write(&file, WORKER).unwrap();
    let dolmen = Dolmen::builder()
        .storage(folder.path().join("storage"))
        .bundle(Bundle::from_file(&file).unwrap())
        .options(Options {
            // One worker, whose counter every request sees.
            shards: 1,
            // A heap that none of the bodies fits in.
            memory_limit: 32 << 20,
            ..Options::default()
        })
        .start()
        .unwrap();
    let options = GatewayOptions {
        max_body_bytes: PIECE * PIECES,
        ..GatewayOptions::default()
    };
    let gateway = Gateway::bind("127.0.0.1:0", options).unwrap();
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

fn connect(addr: SocketAddr, head: &str) -> TcpStream {
    let mut stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    write!(
        stream,
        "{head} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n"
    )
    .unwrap();
    stream
}

fn get(addr: SocketAddr, path: &str) -> String {
    let mut stream = connect(addr, &format!("GET {path}"));
    stream.write_all(b"\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

fn post(addr: SocketAddr, path: &str) -> TcpStream {
    let mut stream = connect(addr, &format!("POST {path}"));
    write!(stream, "content-length: {}\r\n\r\n", PIECE * PIECES).unwrap();
    stream
}

fn wait_a_while(addr: SocketAddr) {
    for _ in 0..EXCHANGES {
        get(addr, "/");
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the low byte is meant")]
fn byte_at(at: usize) -> u8 {
    (at / PIECE) as u8
}

/// Writes from `sent` on, at most to `end`.
fn send(stream: &mut TcpStream, sent: usize, end: usize) -> std::io::Result<usize> {
    let within = PIECE - sent % PIECE;
    stream.write(&vec![byte_at(sent); within.min(end - sent)])
}

/// Writes as much as the other side takes while it does nothing; gives how much that is.
fn send_until_full(addr: SocketAddr, stream: &mut TcpStream) -> usize {
    stream.set_nonblocking(true).unwrap();
    let mut sent = 0;
    // What is full only for a moment has room after a while.
    for _ in 0..3 {
        loop {
            assert!(sent < MOST_AHEAD, "{sent} bytes were taken unread");
            match send(stream, sent, PIECE * PIECES) {
                Ok(count) => sent += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => panic!("after {sent} bytes: {error}"),
            }
        }
        wait_a_while(addr);
    }
    stream.set_nonblocking(false).unwrap();
    sent
}

fn send_the_rest(stream: &mut TcpStream, mut sent: usize) {
    while sent < PIECE * PIECES {
        sent += send(stream, sent, PIECE * PIECES).unwrap();
    }
}

/// Reads a chunked answer to its end, and that it is all there in the right order.
fn check_answer(stream: TcpStream) {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    let mut next_line = |reader: &mut BufReader<TcpStream>| {
        line.clear();
        reader.read_line(&mut line).unwrap();
        line.trim().to_owned()
    };
    assert_eq!(next_line(&mut reader), "HTTP/1.1 200 OK");
    while !next_line(&mut reader).is_empty() {}
    let mut seen = 0;
    loop {
        let length = usize::from_str_radix(&next_line(&mut reader), 16).unwrap();
        if length == 0 {
            break;
        }
        let mut chunk = vec![0; length];
        reader.read_exact(&mut chunk).unwrap();
        let wrong = (seen..)
            .zip(&chunk)
            .find(|(at, byte)| byte_at(*at) != **byte);
        assert_eq!(wrong, None);
        seen += length;
        next_line(&mut reader);
    }
    assert_eq!(seen, PIECE * PIECES);
}

/// The most memory that this process ever had, in bytes.
fn peak_memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    line.split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<usize>()
        .unwrap()
        << 10
}

async fn in_bounded_memory(client: impl FnOnce(SocketAddr) + Send + 'static) {
    let before = peak_memory();
    serve(client).await;
    let grown = peak_memory() - before;
    assert!(grown < MOST_MEMORY, "the process grew by {grown} bytes");
}

#[tokio::test]
async fn an_answer_is_made_as_its_client_reads() {
    in_bounded_memory(|addr| {
        let mut stream = connect(addr, &format!("GET /down?pieces={PIECES}"));
        stream.write_all(b"\r\n").unwrap();
        wait_a_while(addr);
        let made: usize = get(addr, "/made").parse().unwrap();
        assert!(
            made > 0 && made * PIECE < MOST_AHEAD,
            "{made} pieces were made for nobody"
        );
        check_answer(stream);
    })
    .await;
}

#[tokio::test]
async fn a_request_is_taken_as_the_worker_reads() {
    in_bounded_memory(|addr| {
        let mut stream = post(addr, "/up");
        let sent = send_until_full(addr, &mut stream);
        get(addr, "/go");
        send_the_rest(&mut stream, sent);
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(
            answer.ends_with(&format!("{} bytes, 0 wrong", PIECE * PIECES)),
            "{answer}"
        );
    })
    .await;
}

#[tokio::test]
async fn what_goes_both_ways_is_taken_as_its_client_reads() {
    for path in ["/echo", "/object"] {
        in_bounded_memory(move |addr| {
            let mut stream = post(addr, path);
            let sent = send_until_full(addr, &mut stream);
            let reads = stream.try_clone().unwrap();
            let reader = std::thread::spawn(|| check_answer(reads));
            send_the_rest(&mut stream, sent);
            reader.join().unwrap();
        })
        .await;
    }
}
