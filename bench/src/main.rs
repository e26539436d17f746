//! `dolmen-bench` measures Dolmen beside workerd, on this machine, in one run.
//!
//! Each figure comes from a fresh server on a fresh storage folder; the servers take turns, row by row, and all of
//! them get the same requests from the same load generator. A wrong answer, a lost increment or a server that ends by
//! itself stops the run with one error and exit code 1.

mod answer;
mod bundle;
mod connection;
mod contender;
mod flags;
mod hyper_server;
mod idle_sockets;
mod install;
mod interrupt;
mod load;
mod machine;
mod measure;
mod memory;
mod report;
mod rows;
mod run;
mod scratch;
mod server;
mod socket_rates;
mod sockets;
mod summary;
mod work;

use std::process::ExitCode;

use clap::Parser;

use crate::flags::{Command, Flags};

fn main() -> ExitCode {
    let flags = Flags::parse();
    let done = match &flags.command {
        Some(Command::HyperServer { addr }) => hyper_server::serve(*addr),
        None => run::run(&flags),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
