//! WASI preview 1: all of its calls. Clocks, random numbers, standard output and error, and files
//! (`wasi/files.rs`); the environment of the bundle; no arguments, no sockets.
//!
//! A call reads and writes the guest's memory only through [`View`], which checks every pointer.
//! None blocks, and none does much
//! at once: what is long is done in part, and the guest asks again.

mod files;
mod view;

use std::{rc::Rc, sync::Arc, time::Instant};

use dolmen_runtime::Host;
use wasmtime::{Caller, Linker};

use self::{files::Descriptors, view::View};
use crate::{
    engine::Module, files::Files, guest::State, on_shard::OnShard, stored_files::StoredFiles,
    writes::Writes,
};

/// The module that the calls are imported from.
pub(crate) const MODULE: &str = "wasi_snapshot_preview1";
/// Longest line of standard output or error that is logged, in bytes; longer ones are cut in pieces.
const MAX_LINE: usize = 16 << 10;

/// Bytes of random numbers that one call gives at most, because nothing interrupts it.
const MAX_RANDOM: u32 = 1 << 20;

/// What a call answers instead of success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Errno(i32);

impl Errno {
    pub const BADF: Self = Self(8);
    pub const EXIST: Self = Self(20);
    pub const FAULT: Self = Self(21);
    pub const FBIG: Self = Self(22);
    pub const INVAL: Self = Self(28);
    pub const IO: Self = Self(29);
    pub const ISDIR: Self = Self(31);
    pub const MFILE: Self = Self(33);
    pub const NAMETOOLONG: Self = Self(37);
    pub const NOENT: Self = Self(44);
    pub const NOSPC: Self = Self(51);
    pub const NOSYS: Self = Self(52);
    pub const NOTDIR: Self = Self(54);
    pub const NOTEMPTY: Self = Self(55);
    pub const SPIPE: Self = Self(70);
    pub const XDEV: Self = Self(75);
    pub const NOTCAPABLE: Self = Self(76);
}

pub(crate) type Result<T = ()> = std::result::Result<T, Errno>;

/// The guest has called `proc_exit` with this code.
#[derive(Debug, thiserror::Error)]
#[error("exit code: {0}")]
pub(crate) struct Exit(pub i32);

/// What the calls of one instance work on.
pub(crate) struct Wasi {
    module: Arc<Module>,
    host: OnShard<Rc<Host>>,
    /// What the monotonic clock counts from.
    started: Instant,
    descriptors: OnShard<Descriptors>,
    /// Unfinished lines of standard output and error.
    lines: [Vec<u8>; 2],
    /// The code that the guest has exited with.
    pub exit: Option<i32>,
    /// What it has said last on standard error, or logged, that begins with [`PANIC`]; without that.
    pub panic: Option<String>,
}

/// How guests begin what they panic with.
const PANIC: &str = "panic: ";

#[derive(Clone, Copy)]
enum Output {
    Out,
    Error,
}

impl Wasi {
    pub fn new(host: OnShard<Rc<Host>>, writes: &Rc<Writes>, module: &Arc<Module>) -> Self {
        let data = (!host.is_worker()).then(|| StoredFiles::new(host.clone(), writes.clone()));
        let files = Files::new(module.tmp.clone(), data);
        Self {
            module: module.clone(),
            started: host.now(),
            host,
            descriptors: OnShard::new(Descriptors::new(files)),
            lines: Default::default(),
            exit: None,
            panic: None,
        }
    }

    fn now_ns(&self, clock: i32) -> Result<u64> {
        match clock {
            // The calendar.
            0 => Ok(u64::try_from(self.host.unix_ms()).unwrap_or(0) * 1_000_000),
            // The time since the instance was made, and what the process and the thread have used, which it stands for.
            1..=3 => Ok(u64::try_from(
                self.host
                    .now()
                    .saturating_duration_since(self.started)
                    .as_nanos(),
            )
            .unwrap_or(u64::MAX)),
            _ => Err(Errno::INVAL),
        }
    }

    /// Notes a line of a log, if it is a panic.
    pub fn note(&mut self, text: &str) {
        if let Some(panic) = text.strip_prefix(PANIC) {
            self.panic = Some(panic.to_owned());
        }
    }

    fn print(&mut self, output: Output, bytes: &[u8]) {
        let line = &mut self.lines[output as usize];
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            for piece in piece.chunks(MAX_LINE) {
                line.extend_from_slice(piece);
                let ends = line.last() == Some(&b'\n');
                if ends || line.len() >= MAX_LINE {
                    let text = String::from_utf8_lossy(&line[..line.len() - usize::from(ends)]);
                    let object = self.host.label();
                    match output {
                        Output::Out => tracing::info!(target: "dolmen::console", object, "{text}"),
                        Output::Error => {
                            tracing::warn!(target: "dolmen::console", object, "{text}")
                        }
                    }
                    if let Some(panic) = text.strip_prefix(PANIC) {
                        self.panic = Some(panic.to_owned());
                    }
                    line.clear();
                }
            }
        }
    }
}

/// Runs one call on the guest's memory; its result is the errno.
fn call(
    caller: &mut Caller<'_, State>,
    work: impl FnOnce(&mut Wasi, &mut View<'_>) -> Result,
) -> i32 {
    let Ok((memory, state)) = State::split(caller) else {
        return Errno::INVAL.0;
    };
    match work(&mut state.wasi, &mut View::new(memory)) {
        Ok(()) => 0,
        Err(errno) => errno.0,
    }
}

/// Lists the calls: their names with their parameters, and what each does.
macro_rules! calls {
    ($($name:ident($($arg:ident: $ty:ty),*) $work:expr;)*) => {
        /// The names of the calls that a guest may import, `proc_exit` excepted.
        const NAMES: &[&str] = &[$(stringify!($name)),*];

        fn link_calls(linker: &mut Linker<State>) -> wasmtime::Result<()> {
            $(
                linker.func_wrap(
                    MODULE,
                    stringify!($name),
                    |mut caller: Caller<'_, State>, $($arg: $ty),*| -> i32 {
                        let work: fn(&mut Wasi, &mut View<'_>, $($ty),*) -> Result = $work;
                        call(&mut caller, |wasi, view| work(wasi, view, $($arg),*))
                    },
                )?;
            )*
            Ok(())
        }
    };
}

calls! {
    args_get(_argv: u32, _text: u32) |_, _, _, _| Ok(());
    args_sizes_get(count: u32, size: u32) |_, view, count, size| {
        view.put_u32(count, 0)?;
        view.put_u32(size, 0)
    };
    environ_get(into: u32, text: u32) environ;
    environ_sizes_get(count: u32, size: u32) |wasi, view, count, size| {
        let env = &wasi.module.env;
        view.put_u32(count, env.len() as u32)?;
        view.put_u32(size, env.iter().map(|entry| entry.len() as u32 + 1).sum())
    };
    clock_res_get(clock: i32, out: u32) |wasi, view, clock, out| {
        wasi.now_ns(clock)?;
        view.put_u64(out, if clock == 0 { 1_000_000 } else { 1 })
    };
    clock_time_get(clock: i32, _precision: i64, out: u32) |wasi, view, clock, _, out| {
        let now = wasi.now_ns(clock)?;
        view.put_u64(out, now)
    };
    fd_advise(fd: u32, _at: i64, _length: i64, _advice: i32) |wasi, _, fd, _, _, _| wasi.descriptors.file(fd).map(drop);
    fd_allocate(_fd: u32, _at: i64, _length: i64) |_, _, _, _, _| Err(Errno::NOSYS);
    fd_close(fd: u32) |wasi, _, fd| wasi.descriptors.close(fd);
    fd_datasync(fd: u32) |wasi, _, fd| wasi.descriptors.known(fd);
    fd_fdstat_get(fd: u32, out: u32) files::fdstat_get;
    fd_fdstat_set_flags(fd: u32, flags: i32) files::fdstat_set_flags;
    fd_fdstat_set_rights(_fd: u32, _base: i64, _inheriting: i64) |_, _, _, _, _| Err(Errno::NOSYS);
    fd_filestat_get(fd: u32, out: u32) files::fd_filestat_get;
    fd_filestat_set_size(fd: u32, size: i64) files::set_size;
    fd_filestat_set_times(_fd: u32, _access: i64, _modified: i64, _flags: i32) |_, _, _, _, _, _| Err(Errno::NOSYS);
    fd_pread(fd: u32, vectors: u32, count: u32, at: i64, out: u32) |wasi, view, fd, vectors, count, at, out| {
        files::read(wasi, view, fd, (vectors, count), Some(at.cast_unsigned()), out)
    };
    fd_prestat_get(fd: u32, out: u32) files::prestat_get;
    fd_prestat_dir_name(fd: u32, into: u32, size: u32) files::prestat_dir_name;
    fd_pwrite(fd: u32, vectors: u32, count: u32, at: i64, out: u32) |wasi, view, fd, vectors, count, at, out| {
        files::write(wasi, view, fd, (vectors, count), Some(at.cast_unsigned()), out)
    };
    fd_read(fd: u32, vectors: u32, count: u32, out: u32) |wasi, view, fd, vectors, count, out| {
        files::read(wasi, view, fd, (vectors, count), None, out)
    };
    fd_readdir(fd: u32, into: u32, size: u32, cookie: i64, out: u32) files::readdir;
    fd_renumber(from: u32, to: u32) |wasi, _, from, to| wasi.descriptors.renumber(from, to);
    fd_seek(fd: u32, offset: i64, whence: i32, out: u32) files::seek;
    fd_sync(fd: u32) |wasi, _, fd| wasi.descriptors.known(fd);
    fd_tell(fd: u32, out: u32) |wasi, view, fd, out| files::seek(wasi, view, fd, 0, files::FROM_CURRENT, out);
    fd_write(fd: u32, vectors: u32, count: u32, out: u32) |wasi, view, fd, vectors, count, out| {
        files::write(wasi, view, fd, (vectors, count), None, out)
    };
    path_create_directory(fd: u32, path: u32, length: u32) files::create_directory;
    path_filestat_get(fd: u32, _flags: i32, path: u32, length: u32, out: u32) files::path_filestat_get;
    path_filestat_set_times(_fd: u32, _flags: i32, _path: u32, _length: u32, _access: i64, _modified: i64, _which: i32)
        |_, _, _, _, _, _, _, _, _| Err(Errno::NOSYS);
    path_link(_fd: u32, _flags: i32, _path: u32, _length: u32, _to: u32, _new: u32, _new_length: u32)
        |_, _, _, _, _, _, _, _, _| Err(Errno::NOSYS);
    path_open(fd: u32, _follow: i32, path: u32, length: u32, opening: i32, rights: i64, _inheriting: i64, flags: i32, out: u32)
        |wasi, view, fd, _, path, length, opening, rights, _, flags, out| {
            files::open(wasi, view, fd, (path, length), (opening, rights, flags), out)
        };
    path_readlink(_fd: u32, _path: u32, _length: u32, _into: u32, _size: u32, _out: u32)
        |_, _, _, _, _, _, _, _| Err(Errno::NOSYS);
    path_remove_directory(fd: u32, path: u32, length: u32) files::remove_directory;
    path_rename(fd: u32, path: u32, length: u32, to: u32, new: u32, new_length: u32)
        |wasi, view, fd, path, length, to, new, new_length| {
            files::rename(wasi, view, (fd, path, length), (to, new, new_length))
        };
    path_symlink(_path: u32, _length: u32, _fd: u32, _new: u32, _new_length: u32) |_, _, _, _, _, _, _| Err(Errno::NOSYS);
    path_unlink_file(fd: u32, path: u32, length: u32) files::unlink;
    poll_oneoff(subscriptions: u32, events: u32, count: u32, out: u32) poll;
    proc_raise(_signal: i32) |_, _, _| Err(Errno::NOSYS);
    random_get(into: u32, size: u32) |_, view, into, size| {
        if size > MAX_RANDOM {
            return Err(Errno::INVAL);
        }
        getrandom::fill(view.range_mut(into, size)?).map_err(|_| Errno::IO)
    };
    sched_yield() |_, _| Ok(());
    sock_accept(_fd: u32, _flags: i32, _out: u32) |_, _, _, _, _| Err(Errno::NOSYS);
    sock_recv(_fd: u32, _vectors: u32, _count: u32, _flags: i32, _size: u32, _out: u32) |_, _, _, _, _, _, _, _| Err(Errno::NOSYS);
    sock_send(_fd: u32, _vectors: u32, _count: u32, _flags: i32, _size: u32) |_, _, _, _, _, _, _| Err(Errno::NOSYS);
    sock_shutdown(_fd: u32, _how: i32) |_, _, _, _| Err(Errno::NOSYS);
}

/// Whether a guest may import a call of this name.
pub(crate) fn has(name: &str) -> bool {
    name == "proc_exit" || NAMES.contains(&name)
}

/// Gives a linker all calls.
pub(crate) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    link_calls(linker)?;
    linker.func_wrap(
        MODULE,
        "proc_exit",
        |mut caller: Caller<'_, State>, code: i32| -> wasmtime::Result<()> {
            caller.data_mut().wasi.exit = Some(code);
            Err(Exit(code).into())
        },
    )?;
    Ok(())
}

/// The variables: a pointer to each, and each with a zero behind it.
fn environ(wasi: &mut Wasi, view: &mut View<'_>, environ: u32, text: u32) -> Result {
    let (mut pointer, mut at) = (environ, text);
    for entry in &wasi.module.env {
        view.put_u32(pointer, at)?;
        let length = entry.len() as u32;
        let into = view.range_mut(at, length + 1)?;
        into[..entry.len()].copy_from_slice(entry.as_bytes());
        into[entry.len()] = 0;
        // Neither can go beyond a memory that has what was just written.
        pointer = pointer.checked_add(4).ok_or(Errno::FAULT)?;
        at = at.checked_add(length + 1).ok_or(Errno::FAULT)?;
    }
    Ok(())
}

/// Bytes of a subscription, and of an event.
const SUBSCRIPTION: u32 = 48;
const EVENT: u32 = 32;
/// Most subscriptions of one call.
const MAX_SUBSCRIPTIONS: u32 = 1 << 10;

/// Everything has happened at once: a handler that slept would hold its whole object up.
fn poll(
    _: &mut Wasi,
    view: &mut View<'_>,
    subscriptions: u32,
    events: u32,
    count: u32,
    out: u32,
) -> Result {
    if count == 0 || count > MAX_SUBSCRIPTIONS {
        return Err(Errno::INVAL);
    }
    for index in 0..count {
        let subscription = view.range(subscriptions, count * SUBSCRIPTION)?;
        let from = (index * SUBSCRIPTION) as usize;
        let mut event = [0; EVENT as usize];
        event[..8].copy_from_slice(&subscription[from..from + 8]);
        event[10] = subscription[from + 8];
        let all = view.range_mut(events, count * EVENT)?;
        let to = (index * EVENT) as usize;
        all[to..to + EVENT as usize].copy_from_slice(&event);
    }
    view.put_u32(out, count)
}
