//! Every limit and setting of the runtime, with its default and its reason.

use std::time::Duration;

use crate::egress::EgressPolicy;

/// Limits and settings; each is documented in `docs/reference/limits.md`.
#[derive(Clone, Debug)]
pub struct Options {
    /// Shards, one OS thread each. Default: the number of cores.
    pub shards: usize,
    /// How long one event may run, from its start to its settled and converted result, not
    /// counting the time its neighbours had the thread. Default: 2 s.
    pub cpu_timeout: Duration,
    /// How long an object may be idle before it is evicted; `None`: never. Default: 5 min.
    pub idle_timeout: Option<Duration>,
    /// How long an object with hibernatable WebSockets may be idle before it leaves them to the
    /// runtime; `None` or zero: as others. Default: 10 s.
    pub hibernation_timeout: Option<Duration>,
    /// Bytes that may wait on one side of a WebSocket; one message may exceed it. Default: 16 MiB.
    pub socket_buffer: usize,
    /// Bytes of one message that an object's outbound WebSocket takes, decompressed. Default: 32 MiB.
    pub max_socket_message: usize,
    /// Heap of one object in bytes. Default: 128 MiB.
    pub memory_limit: usize,
    /// Events that may wait for one object. Default: 1,024.
    pub queue_limit: usize,
    /// Live objects in the whole process; the longest idle ones are evicted beyond it.
    /// Default: 100,000.
    pub max_live_objects: usize,
    /// Databases open at once in the whole process; idle ones are closed beyond it.
    /// Default: 1,024, or fewer if the open-file limit is low. A closed one costs its object no
    /// memory, and its next use a fraction of a millisecond.
    pub max_open_databases: usize,
    /// Bytes of one RPC argument list or result, and of one response body. Default: 32 MiB.
    pub max_value_bytes: usize,
    /// How many objects may wait for each other in one chain of calls. Default: 32.
    pub max_call_depth: usize,
    /// Timers that one object may have pending. Default: 10,000.
    pub max_timers: usize,
    /// Whether alarms fire. Default: yes.
    pub alarms: bool,
    /// How long running events may go on after a shutdown began. Default: 10 s.
    pub shutdown_grace: Duration,
    /// Which hosts objects may reach with `fetch`. Default: public ones.
    pub egress: EgressPolicy,
}

/// File handles kept back for connections and the process itself.
const RESERVED_FILES: usize = 2_048;
/// A database holds its file, its WAL and the two handles that syncs use.
const FILES_PER_DATABASE: usize = 4;
/// Databases that may be open even where files are very few.
const FEWEST_DATABASES: usize = 16;
/// Databases that are open by default: an open one takes about 80 KB.
const MOST_DATABASES: usize = 1_024;

impl Default for Options {
    fn default() -> Self {
        let files = rustix::process::getrlimit(rustix::process::Resource::Nofile)
            .current
            .map_or(1_048_576, |n| usize::try_from(n).unwrap_or(usize::MAX));
        Self {
            shards: std::thread::available_parallelism().map_or(1, usize::from),
            cpu_timeout: Duration::from_secs(2),
            idle_timeout: Some(Duration::from_secs(300)),
            hibernation_timeout: Some(Duration::from_secs(10)),
            socket_buffer: 16 << 20,
            max_socket_message: 32 << 20,
            memory_limit: 128 << 20,
            queue_limit: 1_024,
            max_live_objects: 100_000,
            max_open_databases: (files.saturating_sub(RESERVED_FILES) / FILES_PER_DATABASE)
                .clamp(FEWEST_DATABASES, MOST_DATABASES),
            max_value_bytes: 32 << 20,
            max_call_depth: 32,
            max_timers: 10_000,
            alarms: true,
            shutdown_grace: Duration::from_secs(10),
            egress: EgressPolicy::default(),
        }
    }
}
