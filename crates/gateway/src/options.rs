//! Every limit and setting of the HTTP edge, with its default and its reason.

use std::time::Duration;

/// Limits and settings; each is documented in `docs/reference/limits.md`.
#[derive(Clone, Debug)]
pub struct GatewayOptions {
    /// Bytes of one request body. Default: 64 MiB.
    pub max_body_bytes: usize,
    /// Bytes of a request's first line and headers together; at least 8 KiB. Default: 64 KiB.
    pub max_head_bytes: usize,
    /// Connections open at once; one more is answered 503 and closed. Default: 1,536, or half of
    /// what the open-file limit allows, because the databases need files too.
    pub max_connections: u32,
    /// WebSockets open at once, which do not count as connections; one more is answered 503.
    /// Default: 1,000,000, or half of what the open-file limit allows.
    pub max_sockets: u32,
    /// Bytes of one WebSocket message, decompressed; a larger one closes its connection with
    /// 1009. Default: 32 MiB.
    pub max_socket_message: usize,
    /// How long a connection may take to send a request's first line and headers, and so also
    /// how long it may be idle. Default: 30 s.
    pub head_timeout: Duration,
    /// How long a body may take beyond the time that it needs at 16 KiB a second. Default: 30 s.
    pub body_timeout: Duration,
    /// How long open requests may go on after a shutdown began. Default: 10 s.
    pub shutdown_grace: Duration,
    /// What a client sees of an error beyond its message.
    pub error_details: ErrorDetails,
    /// Whether `/rpc/` and `/fetch/` lead to objects of a module worker too, whose own `fetch`
    /// gets every other path. Objects of CommonJS bundles are always reached there. Default: no.
    pub object_routes: bool,
}

/// What a client sees of an error beyond its message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ErrorDetails {
    /// Stacks, paths and the causes of failures inside Dolmen go to the log only.
    #[default]
    Hidden,
    /// They are in the answer too: for development.
    Shown,
}

/// The slowest upload that goes on after `body_timeout`, in bytes a second.
pub(crate) const MIN_BODY_RATE: u32 = 16 << 10;

const CONNECTIONS: u64 = 1_536;
const SOCKETS: u64 = 1_000_000;

impl Default for GatewayOptions {
    fn default() -> Self {
        let files = rustix::process::getrlimit(rustix::process::Resource::Nofile)
            .current
            .unwrap_or(u64::MAX);
        Self {
            max_body_bytes: 64 << 20,
            max_head_bytes: 64 << 10,
            max_connections: u32::try_from((files / 2).clamp(16, CONNECTIONS)).unwrap_or(u32::MAX),
            max_sockets: u32::try_from((files / 2).clamp(16, SOCKETS)).unwrap_or(u32::MAX),
            max_socket_message: 32 << 20,
            head_timeout: Duration::from_secs(30),
            body_timeout: Duration::from_secs(30),
            shutdown_grace: Duration::from_secs(10),
            error_details: ErrorDetails::default(),
            object_routes: false,
        }
    }
}
