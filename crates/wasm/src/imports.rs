//! The imports of the module `do`: what a handler asks its host for while it runs.
//! `docs/reference/wasm-abi.md` says what each does.
//!
//! A pointer that leads nowhere is a trap. What waits, or may be long, is an errand of the turn.

mod alarm;
mod fetch;
mod kv;
mod sockets;
mod sql;

use wasmtime::{Caller, Linker};

use crate::{
    guest::State,
    outbox::Found,
    zerobuf::{Claim, range},
};

/// The module that they are imported from.
pub(crate) const MODULE: &str = "do";
/// Longest text of one call of `log`, in bytes; the rest is left out.
const MAX_LOGGED: usize = 16 << 10;
/// What the guest is told when there is none.
const NONE: i32 = -1;

const NAMES: &[&str] = &[
    "take",
    "last_error",
    "kv_get",
    "kv_put",
    "kv_delete",
    "kv_list",
    "sql_exec",
    "alarm_get",
    "alarm_set",
    "alarm_delete",
    "fetch",
    "fetch_many",
    "ws_send",
    "ws_broadcast",
    "ws_close",
    "ws_list",
    "ws_attach",
    "ws_attachment",
    "log",
    "now_ms",
    "object_id",
];

/// Whether a guest may import a function of this name.
pub(crate) fn has(name: &str) -> bool {
    NAMES.contains(&name)
}

/// Gives a linker all of them.
pub(crate) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    alarm::link(linker)?;
    fetch::link(linker)?;
    kv::link(linker)?;
    sockets::link(linker)?;
    sql::link(linker)?;
    linker.func_wrap(MODULE, "take", take)?;
    linker.func_wrap(MODULE, "last_error", |mut caller: Caller<'_, State>| {
        caller.data_mut().outbox.put_error()
    })?;
    linker.func_wrap(MODULE, "log", log)?;
    linker.func_wrap(MODULE, "now_ms", |caller: Caller<'_, State>| {
        caller.data().host.unix_ms()
    })?;
    linker.func_wrap(MODULE, "object_id", object_id)?;
    Ok(())
}

fn take(mut caller: Caller<'_, State>, to: u32, offset: u32, max: u32) -> wasmtime::Result<i32> {
    let (memory, state) = State::split(&mut caller)?;
    Ok(state.outbox.take(memory, to, offset, max)?)
}

fn log(mut caller: Caller<'_, State>, level: i32, text: u32, length: u32) -> wasmtime::Result<()> {
    let (memory, state) = State::split(&mut caller)?;
    let text = bytes(memory, (text, length), "do.log", "text")?;
    let text = String::from_utf8_lossy(&text[..text.len().min(MAX_LOGGED)]);
    state.wasi.note(&text);
    let object = state.host.label();
    match level {
        0 => tracing::debug!(target: "dolmen::console", object, "{text}"),
        1 => tracing::info!(target: "dolmen::console", object, "{text}"),
        2 => tracing::warn!(target: "dolmen::console", object, "{text}"),
        _ => tracing::error!(target: "dolmen::console", object, "{text}"),
    }
    Ok(())
}

fn object_id(mut caller: Caller<'_, State>, which: i32) -> i32 {
    let state = caller.data_mut();
    let host = &state.host;
    let found = match which {
        _ if host.is_worker() => Found::None,
        0 => Found::text(host.id().to_string()),
        1 => host.name().map_or(Found::None, |name| Found::text(&*name)),
        2 => Found::text(&host.namespace().name),
        _ => Found::None,
    };
    state.outbox.put(found)
}

impl From<Claim> for wasmtime::Error {
    fn from(claim: Claim) -> Self {
        Self::msg(claim.0)
    }
}

/// Bytes that the guest names: where, and how many.
type Named = (u32, u32);

/// The bytes that `import` was given as its `what`.
fn bytes<'m>(
    memory: &'m [u8],
    (at, length): Named,
    import: &str,
    what: &str,
) -> wasmtime::Result<&'m [u8]> {
    // Languages give any address for what is empty.
    if length == 0 {
        return Ok(&[]);
    }
    let range = range(memory.len(), at, length as usize).ok_or_else(|| {
        Claim(format!(
            "{import}: the {what} at {at:#x} with {length} bytes is not inside the memory of {} bytes",
            memory.len()
        ))
    })?;
    Ok(&memory[range])
}

/// As [`bytes`], as text.
fn text<'m>(memory: &'m [u8], named: Named, import: &str, what: &str) -> wasmtime::Result<&'m str> {
    let bytes = bytes(memory, named, import, what)?;
    std::str::from_utf8(bytes)
        .map_err(|_| Claim(format!("{import}: the {what} is not UTF-8")).into())
}

/// What the guest is told where there are no objects.
fn in_objects_only(import: &str) -> Found {
    Found::Failed(format!(
        "{import} is there in objects only (/do/:name/* and /fetch/:namespace/:name/*), not in the worker"
    ))
}
