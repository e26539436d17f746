//! A server under measurement: started on a free port with its own folder, ended and removed when dropped.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Error, Result, anyhow};

use crate::bundle::Bundle;
use crate::contender::{Contender, Programs};
use crate::interrupt;
use crate::load::{self, Stop};
use crate::scratch::Scratch;
use crate::work::{Call, Objects, Work};

/// The longest that a server may take to its first right answer.
const START_TIMEOUT: Duration = Duration::from_secs(20);
/// How often a starting server is asked: the resolution of the start time.
const START_STEP: Duration = Duration::from_millis(1);
/// A connection breaks a little before its process can be seen to have ended.
const LAST_BREATH: Duration = Duration::from_millis(100);

/// A running server, known to answer.
#[derive(Debug)]
pub struct Server {
    contender: Contender,
    bundle: Bundle,
    child: Child,
    addr: SocketAddr,
    started_in: Duration,
    // Last, so that the folder goes after the process has ended.
    scratch: Scratch,
}

impl Server {
    /// Starts `contender` with `bundle` and its files under `root`, and waits for its first right answer.
    pub fn start(
        programs: &Programs,
        contender: Contender,
        bundle: Bundle,
        root: &Path,
    ) -> Result<Self> {
        let scratch = Scratch::create(root)?;
        let files = bundle.files(scratch.folder())?;
        let addr = free_port()?;
        let log = File::create(scratch.log())?;
        let mut command = programs.command(contender, &files, addr, &scratch.storage());
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let spawned = Instant::now();
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {}", contender.name()))?;
        let mut server = Server {
            contender,
            bundle,
            child,
            addr,
            started_in: Duration::ZERO,
            scratch,
        };
        loop {
            interrupt::check()?;
            match server.ask_once() {
                Ok(()) => break,
                Err(error) if spawned.elapsed() > START_TIMEOUT => {
                    let limit_s = START_TIMEOUT.as_secs();
                    return Err(server.blame(
                        error.context(format!("no right answer {limit_s} s after its start")),
                    ));
                }
                Err(error) if server.has_ended() => return Err(server.blame(error)),
                Err(_) => thread::sleep(START_STEP),
            }
        }
        server.started_in = spawned.elapsed();
        Ok(server)
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// From starting the program to its first right answer.
    pub fn started_in(&self) -> Duration {
        self.started_in
    }

    /// The process, for a profiler.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Resident memory of the process, in bytes.
    pub fn resident_bytes(&self) -> Result<u64> {
        const KIB: u64 = 1024;
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line
            .and_then(|line| line.trim().strip_suffix(" kB"))
            .context("the process has no VmRSS")?;
        Ok(kib.trim().parse::<u64>()? * KIB)
    }

    /// Tells whose fault `error` is: names the server, whether it ended by itself and what it said last.
    pub fn blame(&mut self, error: Error) -> Error {
        if interrupt::check().is_err() {
            return error;
        }
        thread::sleep(LAST_BREATH);
        let name = self.contender.name();
        let fate = match self.child.try_wait() {
            Ok(Some(status)) => format!("{name} ended by itself ({status})"),
            _ => format!("{name} failed"),
        };
        match self.scratch.last_lines() {
            lines if lines.is_empty() => error.context(fate),
            lines => anyhow!("{fate}: {error:#}\nits last lines:\n{lines}"),
        }
    }

    fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    fn ask_once(&self) -> Result<()> {
        let call = match self.contender {
            Contender::Hyper if self.bundle != Bundle::Handler => Call::Fetch,
            _ => self.bundle.first_call(),
        };
        let once = Stop::Requests {
            count: 1,
            within: START_TIMEOUT,
        };
        load::run(self.addr, 1, once, &mut Work::new(call, Objects::shared(1))).map(drop)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its files are thrown away, so there is nothing that it needs time for. It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that nothing listens on at this moment.
fn free_port() -> Result<SocketAddr> {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port on the loopback")?;
    Ok(listener.local_addr()?)
}
