//! The command line as typed. Nothing is checked here beyond its words.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand};

/// Durable Objects on your own machine.
#[derive(Debug, Parser)]
#[command(
    name = "dolmen",
    version,
    disable_help_subcommand = true,
    args_conflicts_with_subcommands = true,
    after_help = "Without a bundle, a counter is served. `dolmen help` lists the pages that explain the rest."
)]
pub struct Args {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub serve: ServeFlags,
}

/// What can be asked for.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve objects over HTTP; what `dolmen` alone does, too
    Serve(Box<ServeFlags>),
    /// Print a page of the manual
    Help {
        /// overview, workers, js-api, wasm, gateway, storage or troubleshooting; without one, the list
        topic: Option<String>,
    },
}

/// The flags of the server.
#[derive(Debug, ClapArgs)]
pub struct ServeFlags {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8787")]
    pub addr: String,
    /// The folder of the objects' databases
    #[arg(long, value_name = "FOLDER", default_value = "./var/durable-objects")]
    pub storage: PathBuf,
    /// A module worker, JavaScript or TypeScript, a CommonJS bundle, or a wrangler file whose main it is
    #[arg(long, value_name = "FILE")]
    pub bundle: Option<PathBuf>,
    /// Namespaces and variables, YAML or JSON: objects: {ROOMS: ChatRoom}; or a wrangler file
    #[arg(long, value_name = "FILE")]
    pub manifest: Option<PathBuf>,
    /// A variable of env; may be given more than once, and overrides the manifest
    #[arg(long, value_name = "NAME=VALUE")]
    pub var: Vec<String>,
    /// Let /rpc/ and /fetch/ lead to the objects of a module worker, too
    #[arg(long)]
    pub gateway: bool,
    /// How long one event may run, until its promise is settled; of module workers, one turn
    #[arg(long, value_name = "DURATION", default_value = "2s")]
    pub cpu_timeout: String,
    /// How long an object may be idle before it leaves memory; 0: for ever
    #[arg(long, value_name = "DURATION", default_value = "5m")]
    pub idle_timeout: String,
    /// How long an object may be idle before it hibernates and leaves its WebSockets to Dolmen; 0: as others
    #[arg(long, value_name = "DURATION", default_value = "10s")]
    pub hibernation_timeout: String,
    /// Let no alarm fire
    #[arg(long)]
    pub no_alarms: bool,
    /// Heap of one object
    #[arg(long, value_name = "SIZE", default_value = "128MiB")]
    pub memory_limit: String,
    /// Largest request body
    #[arg(long, value_name = "SIZE", default_value = "64MiB")]
    pub max_body: String,
    /// Largest WebSocket message
    #[arg(long, value_name = "SIZE", default_value = "32MiB")]
    pub max_message: String,
    /// Bytes that may wait for a WebSocket's slow reader before it is closed; one message may exceed it
    #[arg(long, value_name = "SIZE", default_value = "16MiB")]
    pub socket_buffer: String,
    /// WebSockets open at once [default: 1000000, or half of the open-file limit]
    #[arg(long, value_name = "COUNT")]
    pub max_sockets: Option<String>,
    /// Events that may wait for one object
    #[arg(long, value_name = "COUNT", default_value = "1024")]
    pub queue_limit: String,
    /// Threads that run objects [default: the number of cores]
    #[arg(long, value_name = "COUNT")]
    pub shards: Option<String>,
    /// The only hosts that objects may fetch from, such as api.example.com,*.example.org,10.0.0.0/8; !HOST denies one [default: every public one]
    #[arg(long, value_name = "HOSTS", value_delimiter = ',')]
    pub egress: Vec<String>,
    /// Let objects fetch from private, loopback and link-local addresses too
    #[arg(long)]
    pub allow_private_network: bool,
    /// Put stacks and causes into the answers of failed requests
    #[arg(long)]
    pub dev_errors: bool,
    /// What to log, such as debug or dolmen_js=debug
    #[arg(long, value_name = "FILTER", default_value = "info")]
    pub log: String,
}
