//! The command line as checked: every value is in its range, and they fit each other.

use std::{path::PathBuf, time::Duration};

use dolmen::{EgressPolicy, ErrorDetails, GatewayOptions, Manifest, Options};
use tracing_subscriber::EnvFilter;

use crate::{
    args::ServeFlags,
    failure::{Cause, Failure},
    quantity,
};

/// What the server runs with.
pub struct Config {
    pub addr: String,
    pub storage: PathBuf,
    pub objects: Objects,
    pub options: Options,
    pub gateway: GatewayOptions,
    pub log: EnvFilter,
}

/// Where the classes come from.
pub enum Objects {
    /// The built-in counter.
    Counter,
    /// A file, and perhaps a manifest for it.
    Bundle {
        /// Without one it is the manifest's `main`.
        file: Option<PathBuf>,
        manifest: Option<PathBuf>,
        /// Text variables by name.
        vars: Vec<(String, String)>,
    },
}

/// An object needs some room for the runtime itself.
const LEAST_MEMORY: usize = 1 << 20;
const LEAST_CPU_TIMEOUT: Duration = Duration::from_millis(1);
/// Idle objects are looked for four times in this time.
const LEAST_IDLE_TIMEOUT: Duration = Duration::from_millis(10);
/// Longer ones are typing errors, and would overflow a clock.
const MOST_TIME: Duration = Duration::from_secs(366 * 24 * 60 * 60);
const MOST_SHARDS: usize = 1_024;
const MOST_QUEUED: usize = 1 << 20;
const MOST_SOCKETS: usize = 1 << 28;

impl Config {
    /// Checks the flags; the message of a failure names the flag.
    pub fn check(flags: ServeFlags) -> Result<Self, Failure> {
        raise_file_limit();
        let defaults = Options::default();
        let cpu_timeout = flag("--cpu-timeout", quantity::duration(&flags.cpu_timeout))?;
        if !(LEAST_CPU_TIMEOUT..=MOST_TIME).contains(&cpu_timeout) {
            return Err(usage("--cpu-timeout", "is from 1ms to a year"));
        }
        let idle_timeout = idle_time("--idle-timeout", &flags.idle_timeout, "for ever")?;
        let hibernation_timeout = idle_time(
            "--hibernation-timeout",
            &flags.hibernation_timeout,
            "for the time of --idle-timeout",
        )?;
        let max_sockets = match &flags.max_sockets {
            Some(count) => {
                let count = flag("--max-sockets", quantity::count(count, 0, MOST_SOCKETS))?;
                u32::try_from(count).expect("MOST_SOCKETS is less than 4 billion")
            }
            None => GatewayOptions::default().max_sockets,
        };
        let max_message = flag("--max-message", quantity::size(&flags.max_message))?;
        let memory_limit = flag("--memory-limit", quantity::size(&flags.memory_limit))?;
        if memory_limit < LEAST_MEMORY {
            return Err(usage("--memory-limit", "is 1MiB at least"));
        }
        let shards = match &flags.shards {
            Some(shards) => flag("--shards", quantity::count(shards, 1, MOST_SHARDS))?,
            None => defaults.shards,
        };
        let vars = flags
            .var
            .iter()
            .map(|var| match var.split_once('=') {
                Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
                None => Err(usage("--var", "is NAME=VALUE")),
            })
            .collect::<Result<Vec<_>, _>>()?;
        let objects = match (flags.bundle, flags.manifest) {
            (Some(file), None) if Manifest::is_wrangler_file(&file) => Objects::Bundle {
                file: None,
                manifest: Some(file),
                vars,
            },
            (Some(file), Some(_)) if Manifest::is_wrangler_file(&file) => {
                return Err(usage(
                    "--manifest",
                    "is not needed: the bundle is a wrangler file",
                ));
            }
            (Some(file), manifest) => Objects::Bundle {
                file: Some(file),
                manifest,
                vars,
            },
            (None, None) if !vars.is_empty() => {
                return Err(usage("--var", "is for a bundle; give --bundle FILE too"));
            }
            (None, None) => Objects::Counter,
            (None, Some(_)) => {
                return Err(usage(
                    "--manifest",
                    "names the classes of a bundle; give --bundle FILE too",
                ));
            }
        };
        Ok(Self {
            addr: flags.addr,
            storage: flags.storage,
            objects,
            options: Options {
                shards,
                cpu_timeout,
                idle_timeout,
                hibernation_timeout,
                socket_buffer: flag("--socket-buffer", quantity::size(&flags.socket_buffer))?,
                max_socket_message: max_message,
                memory_limit,
                queue_limit: flag(
                    "--queue-limit",
                    quantity::count(&flags.queue_limit, 1, MOST_QUEUED),
                )?,
                alarms: !flags.no_alarms,
                egress: egress(&flags.egress, flags.allow_private_network)?,
                ..defaults
            },
            gateway: GatewayOptions {
                max_sockets,
                max_socket_message: max_message,
                max_body_bytes: flag("--max-body", quantity::size(&flags.max_body))?,
                error_details: if flags.dev_errors {
                    ErrorDetails::Shown
                } else {
                    ErrorDetails::Hidden
                },
                object_routes: flags.gateway,
                ..GatewayOptions::default()
            },
            log: flag(
                "--log",
                EnvFilter::try_new(&flags.log)
                    .map_err(|error| format!("{:?} is not a log filter: {error}", flags.log)),
            )?,
        })
    }
}

/// Rules, of which those after a `!` deny.
fn egress(rules: &[String], allow_private: bool) -> Result<EgressPolicy, Failure> {
    let mut policy = EgressPolicy {
        allow_private,
        ..EgressPolicy::default()
    };
    for rule in rules {
        let (list, rule) = match rule.trim().strip_prefix('!') {
            Some(rule) => (&mut policy.deny, rule),
            None => (&mut policy.allow, rule.trim()),
        };
        let rule = rule.parse().map_err(|error| format!("{error}"));
        list.push(flag("--egress", rule)?);
    }
    Ok(policy)
}

/// Databases and connections need file handles; systems give few unless asked.
fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let wanted = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, wanted) {
        // It stays as it is, and the defaults follow from that.
        tracing::debug!(%error, "the limit of open files cannot be raised");
    }
}

/// A time after which idle objects leave; 0 is `None`, which stands `instead`.
fn idle_time(name: &str, text: &str, instead: &str) -> Result<Option<Duration>, Failure> {
    let time = flag(name, quantity::duration(text))?;
    match time {
        Duration::ZERO => Ok(None),
        time if (LEAST_IDLE_TIMEOUT..=MOST_TIME).contains(&time) => Ok(Some(time)),
        _ => Err(usage(
            name,
            &format!("is from 10ms to a year, or 0 {instead}"),
        )),
    }
}

fn flag<T>(name: &str, value: Result<T, String>) -> Result<T, Failure> {
    value.map_err(|message| usage(name, &format!("cannot be read: {message}")))
}

fn usage(flag: &str, message: &str) -> Failure {
    Failure::new(
        Cause::Usage,
        format!("{flag} {message} (`dolmen --help` lists the flags)"),
    )
}
