//! The HTTP client that `fetch` uses: one pool of connections for each thread.
//!
//! A connection's task lives on the event loop that opened it, so a pool shared between shards would let
//! a busy shard hold up its neighbours' answers.

use std::cell::OnceCell;
use std::time::Duration;

use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::upload::Upload;

/// How long a connection may take to open.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection that is not used stays open.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// Most unused connections to one host.
const MAX_IDLE_PER_HOST: usize = 16;

pub(super) type HttpClient = Client<HttpsConnector<HttpConnector>, Upload>;

/// The client of this thread.
pub(super) fn client() -> Result<HttpClient, String> {
    thread_local! {
        static CLIENT: OnceCell<HttpClient> = const { OnceCell::new() };
    }
    CLIENT.with(|client| {
        if let Some(client) = client.get() {
            return Ok(client.clone());
        }
        let new = build().map_err(|error| format!("no TLS: {error}"))?;
        Ok(client.get_or_init(|| new).clone())
    })
}

fn build() -> Result<HttpClient, rustls::Error> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
    let connector = hyper_rustls::HttpsConnectorBuilder::new()
        .with_provider_and_webpki_roots(rustls::crypto::ring::default_provider())?
        .https_or_http()
        .enable_http1()
        .wrap_connector(tcp);
    Ok(Client::builder(TokioExecutor::new())
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(MAX_IDLE_PER_HOST)
        .pool_timer(TokioTimer::new())
        .build(connector))
}
