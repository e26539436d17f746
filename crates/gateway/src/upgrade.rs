//! Requests that become WebSockets.
//!
//! The connection leaves HTTP behind and goes on as a task of its own on the same shard
//! (`dolmen_runtime::carry`), so an idle one keeps nothing of what served its request.

use std::time::Duration;

use dolmen_runtime::{
    FetchResponse, SocketEnd, WireOptions, carry,
    websocket::{self, Extensions, HandshakeError, Role},
};
use http::{
    HeaderMap, Method, Request, Response, StatusCode,
    header::{SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS},
};
use hyper::{body::Incoming, upgrade::OnUpgrade};
use tokio::{net::TcpStream, sync::OwnedSemaphorePermit};

use crate::{
    answer::Answer,
    connection::{Edge, Phase},
    failure::Failure,
    fetch,
    lingering::Lingering,
};

/// What a request said about WebSockets.
pub(crate) enum Upgrade {
    /// Nothing.
    NotAsked,
    /// It asked in a way that cannot be served.
    Wrong(HandshakeError),
    /// It asked for one.
    Asked {
        on: OnUpgrade,
        headers: HeaderMap,
        extensions: Extensions,
    },
}

impl Upgrade {
    /// What `request` says.
    pub fn asked_for(request: &mut Request<Incoming>) -> Self {
        if !websocket::is_upgrade(request.headers()) {
            return Self::NotAsked;
        }
        match websocket::accept(request.method(), request.version(), request.headers()) {
            Err(error) => Self::Wrong(error),
            Ok((headers, extensions)) => Self::Asked {
                on: hyper::upgrade::on(request),
                headers,
                extensions,
            },
        }
    }
}

/// Writes an object's answer, which may be a WebSocket.
pub(crate) fn answer(
    edge: &Edge,
    upgrade: Upgrade,
    mut response: FetchResponse,
    method: &Method,
) -> Result<Response<Answer>, Failure> {
    let Some(end) = response.web_socket.take() else {
        return Ok(fetch::answer(response, method));
    };
    let (on, handshake, extensions) = match upgrade {
        Upgrade::NotAsked => {
            let error = HandshakeError::NotAnUpgrade;
            return Err(Failure::upgrade_required(error.to_string()));
        }
        Upgrade::Wrong(error @ HandshakeError::Key) => {
            return Err(Failure::bad_request(error.to_string()));
        }
        Upgrade::Wrong(error) => return Err(Failure::upgrade_required(error.to_string())),
        Upgrade::Asked {
            on,
            headers,
            extensions,
        } => (on, headers, extensions),
    };
    let Ok(place) = edge.sockets.clone().try_acquire_owned() else {
        return Err(Failure::too_many_sockets(edge.options.max_sockets));
    };
    let options = WireOptions {
        role: Role::Server,
        deflate: extensions.deflate,
        max_message: edge.options.max_socket_message,
    };
    tokio::task::spawn_local(serve(on, end, options, edge.phase.clone(), place));
    response.status = StatusCode::SWITCHING_PROTOCOLS;
    response.headers.remove(SEC_WEBSOCKET_ACCEPT);
    response.headers.remove(SEC_WEBSOCKET_EXTENSIONS);
    let mut answer = fetch::answer(response, method);
    answer.headers_mut().extend(handshake);
    Ok(answer)
}

async fn serve(
    on: OnUpgrade,
    end: SocketEnd,
    options: WireOptions,
    mut phases: tokio::sync::watch::Receiver<Phase>,
    place: OwnedSemaphorePermit,
) {
    let Ok(upgraded) = on.await else {
        // The client was gone before it had its answer; dropping the end tells the object.
        return;
    };
    let Ok(parts) = upgraded.downcast::<Lingering>() else {
        return tracing::error!("a connection is of another kind than it was opened with");
    };
    let Some(stream) = parts.io.into_inner() else {
        return;
    };
    keep_alive(&stream);
    // Apart from this task, which the handshake has made large.
    tokio::task::spawn_local(async move {
        let mut closed = phases.clone();
        let stop = async { drop(phases.wait_for(|phase| *phase != Phase::Serving).await) };
        let is_closed = closed.wait_for(|phase| *phase == Phase::Closed);
        tokio::select! {
            () = carry(stream, parts.read_buf, end, options, stop) => {}
            _ = is_closed => {}
        }
        drop(place);
    });
}

/// Finds out in minutes, and without waking anybody, that an idle client is gone.
fn keep_alive(stream: &TcpStream) {
    let stream = socket2::SockRef::from(stream);
    let probe = socket2::TcpKeepalive::new()
        .with_time(KEEPALIVE_TIME)
        .with_interval(KEEPALIVE_INTERVAL);
    let set = stream.set_tcp_keepalive(&probe);
    #[cfg(target_os = "linux")]
    let set = set.and_then(|()| stream.set_tcp_user_timeout(Some(VANISHED_AFTER)));
    if let Err(error) = set {
        tracing::debug!(%error, "a WebSocket has no keep-alive");
    }
}

const KEEPALIVE_TIME: Duration = Duration::from_secs(60);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(15);
/// How long nothing may be heard of a client. On Linux this and not the number of probes decides, so it
/// has room for several: one may be lost on its way.
#[cfg(target_os = "linux")]
const VANISHED_AFTER: Duration = Duration::from_secs(120);

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_idle_client_may_lose_a_few_probes() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let own = socket2::SockRef::from(&stream);
        own.set_tcp_user_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        keep_alive(&stream);
        let vanished = own.tcp_user_timeout().unwrap().unwrap();
        let first = own.tcp_keepalive_time().unwrap();
        let probes = (vanished - first).as_secs() / own.tcp_keepalive_interval().unwrap().as_secs();
        assert!(own.keepalive().unwrap() && probes >= 3, "{probes} probes");
    }
}
