//! `wasi:clocks`: the runtime's clock, as components see it.

use std::{
    rc::Rc,
    time::{Duration, Instant},
};

use dolmen_runtime::Host;
use wasmtime_wasi::{HostMonotonicClock, HostWallClock};

use crate::on_shard::OnShard;

/// The calendar, in milliseconds.
pub(crate) struct Calendar(pub OnShard<Rc<Host>>);

impl HostWallClock for Calendar {
    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn now(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.unix_ms()).unwrap_or(0))
    }
}

/// The time since the instance was made, in nanoseconds.
pub(crate) struct Stopwatch {
    pub host: OnShard<Rc<Host>>,
    pub started: Instant,
}

impl HostMonotonicClock for Stopwatch {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        let passed = self.host.now().saturating_duration_since(self.started);
        u64::try_from(passed.as_nanos()).unwrap_or(u64::MAX)
    }
}
