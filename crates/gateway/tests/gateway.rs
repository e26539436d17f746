//! The HTTP edge from outside: raw sockets against a gateway whose objects are a few lines of Rust.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as expected"
)]

mod gateway {
    mod bodies;
    mod client;
    mod connections;
    mod errors;
    mod hostile;
    mod objects;
    mod routes;
    mod server;
    mod web_sockets;
}
