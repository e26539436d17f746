//! The bare hyper server: the same answer as the objects' `fetch`, with nothing behind it.
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
    let mut response = Response::new(Full::from(format!("hello, {}", request.method())));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    Ok(response)
}
