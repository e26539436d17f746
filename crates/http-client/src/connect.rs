//! Opens the connections of `fetch`, to addresses that the egress policy allows.
//!
//! The address that was judged is the address that is connected to: nothing is looked up in between.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use dolmen_runtime::EgressPolicy;
use http::Uri;
use hyper_util::rt::TokioIo;
use socket2::{SockRef, TcpKeepalive};
use tokio::{
    net::{TcpStream, lookup_host},
    time::{sleep, timeout},
};
use tower_service::Service;

use crate::connection::Connection;

/// How long a connection may take to open, its look-up included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the addresses of the other family wait for those of the first: <https://www.rfc-editor.org/rfc/rfc8305#section-5>.
const FALLBACK_DELAY: Duration = Duration::from_millis(250);

/// When a connection that nothing comes on is asked whether its other side is there, and how often then.
const KEEPALIVE_TIME: Duration = Duration::from_secs(60);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(15);

/// Most addresses of a host that are tried.
const MAX_ADDRESSES: usize = 8;

/// Makes the connections of one policy.
#[derive(Clone)]
pub struct Connector {
    policy: Arc<EgressPolicy>,
}

impl Connector {
    pub(crate) fn new(policy: Arc<EgressPolicy>) -> Self {
        Self { policy }
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Connection>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<TokioIo<Connection>>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let policy = self.policy.clone();
        Box::pin(async move {
            let host = uri.host().unwrap_or_default();
            let port = match uri.port_u16() {
                Some(port) => port,
                None if uri.scheme_str() == Some("https") => 443,
                None => 80,
            };
            match timeout(CONNECT_TIMEOUT, open(&policy, host, port)).await {
                Ok(opened) => opened.map(|stream| TokioIo::new(Connection::new(stream))),
                Err(_) => Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    format!(
                        "{host} did not accept a connection within {} s",
                        CONNECT_TIMEOUT.as_secs()
                    ),
                )),
            }
        })
    }
}

async fn open(policy: &EgressPolicy, host: &str, port: u16) -> io::Result<TcpStream> {
    let refused = |refusal| io::Error::new(io::ErrorKind::PermissionDenied, refusal);
    policy.check_host(host).map_err(refused)?;
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let found = lookup_host((bare, port)).await.map_err(|error| {
        io::Error::new(error.kind(), format!("{host} cannot be looked up: {error}"))
    })?;
    let mut refusal = None;
    let mut allowed = Vec::new();
    for address in found {
        match policy.check_address(host, address.ip()) {
            Ok(()) => allowed.push(address),
            Err(why) => refusal = Some(why),
        }
    }
    allowed.truncate(MAX_ADDRESSES);
    let Some(first) = allowed.first() else {
        return Err(match refusal {
            Some(why) => refused(why),
            None => io::Error::new(io::ErrorKind::NotFound, format!("{host} has no address")),
        });
    };
    let is_v6 = first.is_ipv6();
    let (preferred, fallback) = allowed
        .iter()
        .partition::<Vec<_>, _>(|address| address.is_ipv6() == is_v6);
    race(&preferred, &fallback).await
}

/// The first connection that opens; the second list starts late, or when the first has failed.
async fn race(preferred: &[SocketAddr], fallback: &[SocketAddr]) -> io::Result<TcpStream> {
    let first = in_turn(preferred);
    if fallback.is_empty() {
        return first.await;
    }
    let mut first = std::pin::pin!(first);
    let failed = tokio::select! {
        opened = &mut first => match opened {
            Ok(stream) => return Ok(stream),
            Err(error) => Some(error),
        },
        () = sleep(FALLBACK_DELAY) => None,
    };
    let second = in_turn(fallback);
    if let Some(error) = failed {
        return second.await.map_err(|_| error);
    }
    let mut second = std::pin::pin!(second);
    tokio::select! {
        opened = &mut first => match opened {
            Ok(stream) => Ok(stream),
            Err(error) => second.await.map_err(|_| error),
        },
        opened = &mut second => match opened {
            Ok(stream) => Ok(stream),
            Err(error) => first.await.map_err(|_| error),
        },
    }
}

async fn in_turn(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut failed = io::Error::from(io::ErrorKind::NotFound);
    for (tried, address) in addresses.iter().enumerate() {
        // One that does not answer leaves the others their part of the time.
        let left = u32::try_from(addresses.len() - tried).unwrap_or(1);
        match timeout(CONNECT_TIMEOUT / left, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                stream.set_nodelay(true)?;
                // A WebSocket may be open for days, and nobody else would notice that its server is gone.
                let probe = TcpKeepalive::new()
                    .with_time(KEEPALIVE_TIME)
                    .with_interval(KEEPALIVE_INTERVAL);
                SockRef::from(&stream).set_tcp_keepalive(&probe)?;
                return Ok(stream);
            }
            Ok(Err(error)) => failed = error,
            Err(_) => failed = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_connection_finds_out_that_its_server_is_gone() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let policy = EgressPolicy {
            allow_private: true,
            ..EgressPolicy::default()
        };
        let port = listener.local_addr().unwrap().port();
        let stream = open(&policy, "127.0.0.1", port).await.unwrap();
        assert!(SockRef::from(&stream).keepalive().unwrap());
    }
}
