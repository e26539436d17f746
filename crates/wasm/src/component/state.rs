//! What the imports of one instance of a component work on.

use std::rc::Rc;

use dolmen_runtime::Host;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use super::{
    clocks::{Calendar, Stopwatch},
    console::{Console, Output},
    drive::{Desk, Errand},
    limits::Limits,
    outgoing::Outgoing,
    writes::Writes,
};
use crate::on_shard::OnShard;

/// Resources that one instance may have: headers, bodies, streams, pollables, buckets. The host has 32 KiB of memory
/// for each at most, so 256 MiB for all.
const MAX_RESOURCES: usize = 8_192;
/// Names and values of one resource of headers, in bytes.
const MAX_FIELDS: usize = 32 << 10;
/// Bytes of random numbers that one call gives at most, because nothing interrupts it.
const MAX_RANDOM: u64 = 1 << 20;

pub(crate) struct State {
    pub table: ResourceTable,
    pub limits: Limits,
    pub desk: OnShard<Rc<Desk>>,
    pub host: OnShard<Rc<Host>>,
    pub writes: OnShard<Rc<Writes>>,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    outgoing: Outgoing,
}

impl State {
    pub fn new(host: &Rc<Host>, writes: &Rc<Writes>, env: &[(String, String)]) -> Self {
        let here = || OnShard::new(host.clone());
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_RESOURCES);
        let wasi = WasiCtx::builder()
            .envs(env)
            .stdout(Console::new(host.clone(), Output::Out))
            .stderr(Console::new(host.clone(), Output::Error))
            .wall_clock(Calendar(here()))
            .monotonic_clock(Stopwatch {
                started: host.now(),
                host: here(),
            })
            .max_random_size(MAX_RANDOM)
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false)
            .build();
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(MAX_FIELDS);
        Self {
            table,
            limits: Limits::new(host.options().memory_limit),
            desk: OnShard::new(Rc::default()),
            host: here(),
            writes: OnShard::new(writes.clone()),
            wasi,
            http,
            outgoing: Outgoing::new(host.clone(), writes.clone()),
        }
    }

    /// Does `work`, which may take long, away from the guest's stack.
    pub fn errand<T: 'static>(
        &self,
        work: impl FnOnce(&Host, &Writes) -> T + 'static,
    ) -> Errand<T> {
        let (host, writes) = (self.host.clone(), self.writes.clone());
        self.desk.errand(move || work(&host, &writes))
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            hooks: &mut self.outgoing,
            table: &mut self.table,
            ctx: &mut self.http,
        }
    }
}
