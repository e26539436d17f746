//! The HTTP client of user code: what both engines' outbound requests go through.
//!
//! Connections are opened to addresses that an egress policy allows (`connect.rs`), and pooled for
//! each thread (`client.rs`); bodies are sent and received piece by piece (`upload.rs`, `download.rs`).

#![warn(missing_docs)]

mod client;
mod connect;
mod connection;
pub mod decode;
mod download;
mod upload;

use std::time::Duration;

use http::{HeaderName, header};

pub use self::{
    client::{HttpClient, client},
    connect::Connector,
    download::Download,
    upload::{Broken, Upload},
};

/// How long a request may wait when nothing is sent and nothing comes: longer than a server takes for
/// most answers, shorter than a connection that is dead stays unnoticed.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(300);

/// Headers that the connection decides.
pub const CONNECTION_HEADERS: [HeaderName; 7] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("keep-alive"),
];

/// The innermost cause says most: "connection refused", "certificate expired".
pub fn cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

/// Nothing came for too long.
pub fn idle(waited: Duration) -> String {
    format!("nothing was received for {} s", waited.as_secs_f64())
}
