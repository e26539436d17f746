//! The binary `dolmen`: flags, help pages, printing, and nothing else.
//!
//! `args.rs` is the command line as typed, `config.rs` as checked; `serve.rs` runs the server,
//! `help.rs` prints the pages, and `failure.rs` has the table of exit codes.

mod args;
mod config;
mod failure;
mod help;
mod quantity;
mod serve;

use std::process::ExitCode;

use clap::Parser;

use crate::{
    args::{Args, Command},
    config::Config,
    failure::Failure,
};

/// Objects allocate and free small pieces on few threads; the system's allocator is slower at
/// that and gives less back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args = Args::parse();
    let outcome = match args.command {
        Some(Command::Help { topic }) => help::print(topic.as_deref()),
        Some(Command::Serve(flags)) => start(*flags),
        None => start(args.serve),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn start(flags: args::ServeFlags) -> Result<(), Failure> {
    serve::run(Config::check(flags)?)
}
