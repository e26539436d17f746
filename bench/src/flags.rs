//! The command line: what to measure, how long, and where things are.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::contender::Contender;
use crate::rows::Row;

/// Measure dolmen beside workerd, and beside a bare hyper server for scale.
#[derive(Debug, Parser)]
#[command(version, about, args_conflicts_with_subcommands = true)]
pub struct Flags {
    /// How often every row is measured; the table shows medians.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub rounds: u32,

    /// How often the rows of memory and of hibernation are measured; each takes up to a minute.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub memory_rounds: u32,

    /// How long one server is measured on one row, in seconds.
    #[arg(long, default_value = "3", value_parser = seconds)]
    pub duration: Duration,

    /// How long one server is driven before it is measured, in seconds.
    #[arg(long, default_value = "0.5", value_parser = seconds)]
    pub warm_up: Duration,

    /// Connections kept open at once; each has one request under way.
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub connections: u32,

    /// Objects touched for the memory rows; fewer when this user may not open three files for each.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(100..=1_000_000))]
    pub memory_objects: u64,

    /// The longest a memory row may touch objects, in seconds; it then divides by those touched.
    #[arg(long, default_value = "60", value_parser = seconds)]
    pub memory_time: Duration,

    /// WebSockets left idle for `socket-memory`; fewer when this user may not open twice as many files.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(100..=1_000_000))]
    pub sockets: u64,

    /// Objects that those WebSockets are spread over.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub socket_objects: u64,

    /// Objects woken for `socket-wake`, each by its only WebSocket.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(10..=5_000))]
    pub woken_objects: u64,

    /// How long WebSockets are left idle, in seconds; objects hibernate after some twelve.
    #[arg(long, default_value = "20", value_parser = seconds)]
    pub idle: Duration,

    /// Measure only this row (may be given more than once).
    #[arg(long = "row", value_name = "ROW")]
    pub rows: Vec<Row>,

    /// Drive only this server, for a profiling session.
    #[arg(long)]
    pub only: Option<Contender>,

    /// The dolmen binary; without it the one beside this program, built first if it is missing or out of date.
    #[arg(long, value_name = "PATH")]
    pub dolmen: Option<PathBuf>,

    /// One more argument for dolmen (may be given more than once).
    #[arg(long, value_name = "ARG", allow_hyphen_values = true)]
    pub dolmen_arg: Vec<String>,

    /// Where the servers keep their files; must be on a real disk. Each server gets its own folder there, removed
    /// when it ends.
    #[arg(long, value_name = "DIR")]
    pub storage: Option<PathBuf>,

    /// Save every number measured to this file.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,

    /// What to do instead of measuring.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What this program does besides measuring.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the bare hyper answer that the others are compared with.
    #[command(hide = true)]
    HyperServer {
        /// Where to listen.
        #[arg(long)]
        addr: SocketAddr,
    },
}

/// Reads a number of seconds, such as `3` or `0.5`.
fn seconds(text: &str) -> Result<Duration, String> {
    const LONGEST_S: f64 = 3_600.0;
    match text.parse::<f64>() {
        Ok(seconds) if (0.0..=LONGEST_S).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err(format!("expected seconds from 0 to {LONGEST_S}")),
    }
}
