//! The binary as people run it: what it prints, how it starts, fails, drains and survives.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as expected"
)]

mod cli {
    mod flags;
    mod help;
    mod process;
    mod running;
    mod start;
    mod wasm;
    mod workers;
}
