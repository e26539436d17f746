//! WebSockets that nobody uses: what they take in memory while their objects hibernate, and how long the first message
//! to such an object takes to its echo.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use rustix::process::{Resource, getrlimit};

use crate::flags::Flags;
use crate::interrupt;
use crate::load;
use crate::measure::Figure;
use crate::server::Server;
use crate::sockets::Sockets;

/// Opened first, each to an object of its own, so that what the process sets up once is not counted. So many that Dolmen
/// gives back the memory of their instances too, which would else be taken off the figure.
const WARM_UP_SOCKETS: u64 = 256;
/// Files that the servers and this program have open besides.
const OTHER_FILES: u64 = 500;
/// How often a wait looks whether it should go on.
const STEP: Duration = Duration::from_millis(100);

/// What the figure is.
#[derive(Clone, Copy, Debug)]
pub enum Measured {
    /// Bytes of resident memory for each socket.
    Bytes,
    /// The median time from a first message to its echo, in milliseconds.
    Wake,
}

/// Opens `count` sockets, evenly over `objects` objects, leaves them alone, and wakes every object.
pub fn measure(
    flags: &Flags,
    server: &Server,
    measured: Measured,
    count: u64,
    objects: u64,
) -> Result<Figure> {
    let mut sockets = Sockets::new()?;
    for number in 0..WARM_UP_SOCKETS {
        sockets.open(server.addr(), &format!("w{number}"))?;
        echo(&mut sockets, number as usize)?;
    }
    wait(flags.idle)?;
    let before = server.resident_bytes()?;

    let first = sockets.len();
    for number in 0..count {
        sockets.open(server.addr(), &format!("c{}", number % objects))?;
    }
    let of_objects = first..first + usize::try_from(objects.min(count))?;
    // Each object has handled a message before it hibernates, as one in use has.
    for number in of_objects.clone() {
        echo(&mut sockets, number)?;
    }
    wait(flags.idle)?;
    let grown_bytes = server.resident_bytes()?.saturating_sub(before);

    let mut latencies_us = load::no_latencies();
    for number in of_objects.clone() {
        let (answer, took) = sockets.ask(number, "woken?")?;
        ensure!(
            ["yes", "no"].map(str::as_bytes).contains(&&*answer),
            "woken? {:?}",
            String::from_utf8_lossy(&answer)
        );
        if answer == "yes" {
            latencies_us.saturating_record(u64::try_from(took.as_micros())?);
        }
    }
    ensure!(
        !latencies_us.is_empty(),
        "no object has hibernated within {} s",
        flags.idle.as_secs_f64()
    );
    // All of them are still there.
    for number in of_objects.end..sockets.len() {
        echo(&mut sockets, number)?;
    }

    let p50_us = latencies_us.value_at_quantile(0.50);
    Ok(Figure {
        value: match measured {
            Measured::Bytes => grown_bytes as f64 / count as f64,
            Measured::Wake => p50_us as f64 / 1e3,
        },
        p50_us: Some(p50_us),
        p99_us: Some(latencies_us.value_at_quantile(0.99)),
        count,
        share: Some(latencies_us.len() as f64 / of_objects.len() as f64),
    })
}

/// How many sockets to open: each takes a file here and one in the server, and Dolmen gives half of its files to them.
pub fn within_files(count: u64) -> u64 {
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    count.min((files / 2).saturating_sub(OTHER_FILES))
}

fn echo(sockets: &mut Sockets, number: usize) -> Result<()> {
    let text = format!("message {number}");
    let (echo, _) = sockets.ask(number, &text)?;
    ensure!(
        echo == text.as_bytes(),
        "{text:?} came back as {:?}",
        String::from_utf8_lossy(&echo)
    );
    Ok(())
}

/// The servers tell nobody when an object hibernates, so this is a matter of time.
fn wait(time: Duration) -> Result<()> {
    let until = Instant::now() + time;
    while Instant::now() < until {
        interrupt::check()?;
        thread::sleep(STEP);
    }
    Ok(())
}
