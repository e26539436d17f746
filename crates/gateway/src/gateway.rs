//! Owns the listening socket: accepts connections, hands each to a shard, and drains them at the end.

use std::{
    io,
    net::{SocketAddr, TcpListener, ToSocketAddrs},
    sync::Arc,
    time::Duration,
};

use dolmen_runtime::Handle;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    sync::{Semaphore, watch},
};

use crate::{
    connection::{self, Edge, Phase},
    failure::TOO_MANY_CONNECTIONS,
    lingering,
    options::GatewayOptions,
};

/// Why there is no gateway.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The address is not one, or its name is unknown.
    #[error(
        "{addr:?} is not an address to listen on: {source}; write HOST:PORT, such as 127.0.0.1:8787"
    )]
    Address {
        /// The address as it was given.
        addr: String,
        /// What the system said.
        source: io::Error,
    },
    /// Another process listens there.
    #[error(
        "{addr} is in use by another process, perhaps another Dolmen; choose another with --addr"
    )]
    InUse {
        /// The address as it was given.
        addr: String,
    },
    /// The system does not let this process listen there.
    #[error("cannot listen on {addr}: {source}")]
    Listen {
        /// The address as it was given.
        addr: String,
        /// What the system said.
        source: io::Error,
    },
}

/// Connections that the system keeps until they are accepted.
const BACKLOG: i32 = 1_024;
/// How long to wait when the process has no file handle left for another connection.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(50);
/// How many connections beyond the limit are told so at the same time; more are just closed.
const REFUSALS: usize = 64;
/// How long a peer may leave written data unacknowledged, or its window shut.
#[cfg(target_os = "linux")]
const PEER_TIMEOUT: Duration = Duration::from_secs(60);
/// How long connections get to notice that their time is over.
const CLOSE_GRACE: Duration = Duration::from_secs(1);

/// A listening HTTP edge.
#[derive(Debug)]
pub struct Gateway {
    listener: TcpListener,
    addr: SocketAddr,
    options: GatewayOptions,
}

impl Gateway {
    /// Takes the address `addr`, `HOST:PORT`. Clients can connect from here on; they are answered
    /// once [`Gateway::serve`] runs. Port 0 takes a free one.
    ///
    /// # Errors
    /// If `addr` is not an address, or cannot be taken.
    pub fn bind(addr: &str, options: GatewayOptions) -> Result<Self, GatewayError> {
        let addresses = addr
            .to_socket_addrs()
            .map_err(|source| GatewayError::Address {
                addr: addr.to_owned(),
                source,
            })?;
        let mut failure = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for address in addresses {
            match listen(address).and_then(|listener| Ok((listener.local_addr()?, listener))) {
                Ok((addr, listener)) => {
                    return Ok(Self {
                        listener,
                        addr,
                        options,
                    });
                }
                Err(error) => failure = error,
            }
        }
        Err(match failure.kind() {
            io::ErrorKind::AddrInUse => GatewayError::InUse {
                addr: addr.to_owned(),
            },
            _ => GatewayError::Listen {
                addr: addr.to_owned(),
                source: failure,
            },
        })
    }

    /// The address that clients reach.
    pub fn local_addr(&self) -> SocketAddr {
        self.addr
    }

    /// Serves until `shutdown` resolves; then refuses connections, closes idle ones, and lets
    /// open requests finish within the grace period. Call it on a tokio runtime with IO and time.
    ///
    /// # Errors
    /// If the event loop cannot watch the socket.
    pub async fn serve(
        self,
        handle: Handle,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), GatewayError> {
        let listener = tokio::net::TcpListener::from_std(self.listener).map_err(|source| {
            GatewayError::Listen {
                addr: self.addr.to_string(),
                source,
            }
        })?;
        let max_connections = self.options.max_connections.max(1);
        let grace = self.options.shutdown_grace;
        let places = Arc::new(Semaphore::new(max_connections as usize));
        let refusals = Arc::new(Semaphore::new(REFUSALS));
        let (phase, phases) = watch::channel(Phase::Serving);
        let max_sockets = self.options.max_sockets;
        let sockets = Arc::new(Semaphore::new(max_sockets as usize));
        let edge = Edge {
            handle,
            sockets: sockets.clone(),
            options: Arc::new(self.options),
            phase: phases,
        };
        let mut next_shard = 0usize;
        tokio::pin!(shutdown);
        loop {
            let stream = tokio::select! {
                biased;
                () = &mut shutdown => break,
                accepted = accept(&listener) => accepted,
            };
            let Ok(place) = places.clone().try_acquire_owned() else {
                if let Ok(refusal) = refusals.clone().try_acquire_owned() {
                    tokio::spawn(async move {
                        refuse(stream).await;
                        drop(refusal);
                    });
                }
                continue;
            };
            match prepare(stream) {
                Ok(stream) => {
                    let served = edge.clone();
                    next_shard = next_shard.wrapping_add(1);
                    edge.handle.spawn_on(
                        next_shard,
                        Box::new(move || Box::pin(connection::serve(stream, served, place))),
                    );
                }
                Err(error) => tracing::debug!(%error, "a connection was gone before it was served"),
            }
        }
        drop(listener);
        phase.send_replace(Phase::Draining);
        let all_ended = async || {
            // A closed semaphore would mean the same.
            drop(places.acquire_many(max_connections).await);
            drop(sockets.acquire_many(max_sockets).await);
        };
        if tokio::time::timeout(grace, all_ended()).await.is_err() {
            tracing::warn!("requests were still open after {grace:?}; they are cut off");
            phase.send_replace(Phase::Closed);
            // A shard that is busy for longer drops its connections when it ends.
            drop(tokio::time::timeout(CLOSE_GRACE, all_ended()).await);
        }
        Ok(())
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    // Lets a restart take the address while old connections time out; two listeners stay an error.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// The next connection. Errors of single connections and a want of file handles pass.
async fn accept(listener: &tokio::net::TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept connections");
                tokio::time::sleep(ACCEPT_BACKOFF).await;
            }
        }
    }
}

/// Takes a connection off this event loop, so that a shard's can have it.
fn prepare(stream: TcpStream) -> io::Result<std::net::TcpStream> {
    stream.set_nodelay(true)?;
    #[cfg(target_os = "linux")]
    socket2::SockRef::from(&stream).set_tcp_user_timeout(Some(PEER_TIMEOUT))?;
    stream.into_std()
}

/// Tells a connection beyond the limit to come back later.
async fn refuse(mut stream: TcpStream) {
    // The client may be gone already.
    drop(stream.write_all(TOO_MANY_CONNECTIONS).await);
    lingering::close(stream).await;
}
