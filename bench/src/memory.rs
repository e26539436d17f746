//! Resident memory per live object: touch many, see what the process grew by, and divide by those still live.

use std::time::Duration;

use anyhow::{Result, ensure};
use rustix::process::{Resource, getrlimit};

use crate::flags::Flags;
use crate::load::{self, Stop};
use crate::measure::Figure;
use crate::server::Server;
use crate::work::{Call, Objects, Work};

/// Touched first, so that what the process sets up once is not counted.
const WARM_UP_OBJECTS: Objects = Objects {
    first: 1 << 40,
    count: 100,
    step: 1,
};
/// How many objects are asked whether they are still live.
const MOST_ASKED: u64 = 256;
const ASKING_TIME: Duration = Duration::from_secs(30);
/// Files that a live object keeps open in workerd: the database, its WAL and the WAL's index.
const FILES_PER_OBJECT: u64 = 3;
/// Files that a server needs besides.
const OTHER_FILES: u64 = 500;
const BYTES_PER_KB: f64 = 1e3;

/// Kilobytes for each object that `call` has touched once.
pub fn per_object(flags: &Flags, server: &Server, call: Call) -> Result<Figure> {
    let touch = |objects: Objects, count, within| {
        let stop = Stop::Requests { count, within };
        load::run(
            server.addr(),
            flags.connections,
            stop,
            &mut Work::new(call, objects),
        )
    };
    touch(WARM_UP_OBJECTS, WARM_UP_OBJECTS.count, flags.memory_time)?;
    let before = server.resident_bytes()?;
    let count = match call {
        // They keep no file open before they write.
        Call::InObject(_) => flags.memory_objects,
        _ => objects(flags),
    };
    let touched = touch(Objects::new_each(), count, flags.memory_time)?.acknowledged;
    let after = server.resident_bytes()?;

    let sample = Objects::sample(touched, MOST_ASKED);
    let stop = Stop::Requests {
        count: sample.count,
        within: ASKING_TIME,
    };
    let asked = load::run(
        server.addr(),
        flags.connections,
        stop,
        &mut Work::new(call.live(), sample),
    )?;
    ensure!(
        asked.total > 0,
        "none of the {touched} objects touched is live any more, so there is nothing to divide by"
    );
    let live_share = asked.total as f64 / asked.acknowledged as f64;

    let grown_bytes = after.saturating_sub(before) as f64;
    let value = grown_bytes / (touched as f64 * live_share) / BYTES_PER_KB;
    Ok(Figure {
        value,
        p50_us: None,
        p99_us: None,
        count: touched,
        share: Some(live_share),
    })
}

/// How many objects to touch: all of them are to be live at once, and each keeps files open.
fn objects(flags: &Flags) -> u64 {
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    flags
        .memory_objects
        .min(files.saturating_sub(OTHER_FILES) / FILES_PER_OBJECT)
}
