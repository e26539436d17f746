//! The HTTP clients that `fetch` uses: pools of connections, for each thread its own.
//!
//! A connection's task lives on the event loop that opened it, so a pool shared between shards would let
//! a busy shard hold up its neighbours' answers. A pool belongs to one egress policy, so a connection that
//! one policy allowed is never used under another.

use std::{cell::RefCell, sync::Arc, time::Duration};

use dolmen_runtime::EgressPolicy;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::connect::Connector;
use crate::upload::Upload;

/// How long a connection that is not used stays open.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// Most unused connections to one host.
const MAX_IDLE_PER_HOST: usize = 16;

/// Most policies that a thread keeps connections for. A process has one, unless it is a test.
const MAX_POOLS: usize = 8;

/// A client, cheap to clone.
pub type HttpClient = Client<HttpsConnector<Connector>, Upload>;

/// This thread's client for a policy.
///
/// # Errors
/// If there is no TLS.
pub fn client(policy: &EgressPolicy) -> Result<HttpClient, String> {
    thread_local! {
        static POOLS: RefCell<Vec<(Arc<EgressPolicy>, HttpClient)>> = const { RefCell::new(Vec::new()) };
    }
    POOLS.with_borrow_mut(|pools| {
        if let Some((_, client)) = pools.iter().find(|(own, _)| **own == *policy) {
            return Ok(client.clone());
        }
        let policy = Arc::new(policy.clone());
        let client = build(policy.clone()).map_err(|error| format!("no TLS: {error}"))?;
        if pools.len() == MAX_POOLS {
            pools.remove(0);
        }
        pools.push((policy, client.clone()));
        Ok(client)
    })
}

fn build(policy: Arc<EgressPolicy>) -> Result<HttpClient, rustls::Error> {
    let connector = hyper_rustls::HttpsConnectorBuilder::new()
        .with_provider_and_webpki_roots(rustls::crypto::ring::default_provider())?
        .https_or_http()
        .enable_http1()
        .wrap_connector(Connector::new(policy));
    Ok(Client::builder(TokioExecutor::new())
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(MAX_IDLE_PER_HOST)
        .pool_timer(TokioTimer::new())
        .build(connector))
}
