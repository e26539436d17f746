//! The bare hyper server: the same answers as the objects' `fetch` and the WASM handler, with nothing behind it.
//!
//! It shows what this machine, its loopback and the load generator can do at most. Connections are dealt to the two
//! threads in turn, so neither is left idle by chance.

use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use anyhow::{Context, Result};
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::sync::mpsc;
use tokio::task::LocalSet;

const THREADS: usize = 2;
/// Connections that may wait for a busy thread before accepting pauses.
const WAITING_CONNECTIONS: usize = 64;

/// Serves until the process is ended.
pub fn serve(addr: SocketAddr) -> Result<()> {
    let listener = TcpListener::bind(addr).with_context(|| format!("cannot listen on {addr}"))?;
    let mut threads = Vec::with_capacity(THREADS);
    for _ in 0..THREADS {
        let (sender, receiver) = mpsc::channel(WAITING_CONNECTIONS);
        thread::spawn(move || serve_connections(receiver));
        threads.push(sender);
    }
    for sender in threads.iter().cycle() {
        let (stream, _) = listener.accept().context("cannot accept a connection")?;
        sender
            .blocking_send(stream)
            .context("a serving thread has ended")?;
    }
    Ok(())
}

/// One thread: serves the connections dealt to it, side by side.
fn serve_connections(mut connections: mpsc::Receiver<TcpStream>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    LocalSet::new().block_on(&runtime, async move {
        while let Some(stream) = connections.recv().await {
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            let stream = TokioIo::new(tokio::net::TcpStream::from_std(stream)?);
            // A connection that fails is the client's news: the load generator reports it.
            tokio::task::spawn_local(
                http1::Builder::new().serve_connection(stream, service_fn(answer)),
            );
        }
        Ok(())
    })
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path();
    let page = path.rsplit_once('/').map_or(path, |(_, page)| page);
    let (content_type, body) = match page {
        "json" => (
            "application/json",
            serde_json::json!({ "message": "hello", "ok": true }).to_string(),
        ),
        "simd" => ("application/json", simd()),
        "dot" => ("text/plain", long_dot().to_string()),
        "" => ("text/plain", "hello".to_owned()),
        _ => ("text/plain", format!("hello, {}", request.method())),
    };
    let mut response = Response::new(Full::from(body));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    Ok(response)
}

fn simd() -> String {
    const NUMBERS: [f64; 8] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
    let numbers = std::hint::black_box(&NUMBERS);
    let sum: f64 = numbers.iter().sum();
    let scaled: f64 = numbers.iter().map(|n| n * 2.0).sum();
    format!(
        r#"{{"sum":{sum},"dot":{},"scaled":{scaled}}}"#,
        dot(numbers, numbers)
    )
}

/// The dot product, in eight sums so that the compiler can use vectors.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    for (a, b) in a.chunks_exact(8).zip(b.chunks_exact(8)) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += a * b;
        }
    }
    sums.iter().sum()
}

/// The dot product of 1,000,000 numbers, kept by each thread as each instance of the handler keeps them.
fn long_dot() -> f64 {
    thread_local! {
        static VECTORS: [Vec<f64>; 2] = [vec![1.0; 1_000_000], vec![0.5; 1_000_000]];
    }
    VECTORS.with(|[a, b]| dot(std::hint::black_box(a), b))
}
