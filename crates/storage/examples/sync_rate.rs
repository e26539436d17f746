//! Measures the commit path on this machine's disk. `cargo run --release -p dolmen-storage --example sync_rate -- [folder] [sync threads]`
//! One shard is played by one thread, as in the runtime: it commits, hands the sync over, and goes on.

use std::collections::VecDeque;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use dolmen_storage::{CheckpointDone, Database, Namespace, Options, Result, Storage};

const TIME: Duration = Duration::from_secs(2);
/// Events that wait at any time, as 32 connections would have.
const WAITING: usize = 32;

type Outcome = std::result::Result<(), Box<dyn std::error::Error>>;

enum Told {
    Synced(usize, Result<u64>),
    Checkpointed(usize, CheckpointDone),
}

fn main() -> Outcome {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments
        .next()
        .map_or_else(std::env::temp_dir, PathBuf::from);
    let threads = arguments.next().map(|n| n.parse()).transpose()?;
    {
        let root = tempfile::tempdir_in(&folder)?;
        memory(&Storage::open(root.path(), Options::default())?.namespace("memory")?)?;
        println!(
            "the disk alone:       {:>8.0} fdatasync/s, one at a time",
            disk_rate(root.path())?
        );
    }
    for sync_threads in threads.map_or_else(|| vec![4, 8, 16, 32], |n| vec![n]) {
        let root = tempfile::tempdir_in(&folder)?;
        measure(root.path(), sync_threads)?;
    }
    Ok(())
}

fn measure(root: &Path, sync_threads: usize) -> Outcome {
    let storage = Storage::open(
        root,
        Options {
            sync_threads,
            ..Options::default()
        },
    )?;
    let namespace = storage.namespace("rate")?;
    println!("{sync_threads} sync threads");
    println!(
        "  one object, {WAITING} waiting: {:>8.0} durable commits/s",
        durable_rate(&namespace, 1, 1)?
    );
    println!(
        "  one object, one waiting: {:>8.0} durable commits/s",
        durable_rate(&namespace, 1, WAITING)?
    );
    println!(
        "  64 objects:         {:>8.0} durable commits/s",
        durable_rate(&namespace, 64, 1)?
    );
    println!(
        "  a new object each:  {:>8.0} durable commits/s",
        creation_rate(&namespace)?
    );
    hot_key(&namespace)
}

/// Every object always has a commit to make. `share` divides the number of commits that may wait for one sync.
fn durable_rate(
    namespace: &Namespace,
    objects: usize,
    share: usize,
) -> std::result::Result<f64, Box<dyn std::error::Error>> {
    let (tell, told) = channel();
    let key = namespace.key();
    let mut shard = (0..objects)
        .map(|_| Ok(namespace.database(key.random_id()?)))
        .collect::<Result<Vec<Database>>>()?;
    let batch = (WAITING / objects / share).max(1);
    let started = Instant::now();
    let mut durable = 0;
    for (index, db) in shard.iter_mut().enumerate() {
        commit_and_sync(db, index, batch, &tell)?;
    }
    let mut busy = objects;
    while busy > 0 {
        let index = match told.recv()? {
            Told::Synced(index, number) => {
                let before = shard[index].durable();
                shard[index].note_durable(number?);
                durable += shard[index].durable() - before;
                if shard[index].wants_checkpoint() {
                    let tell = tell.clone();
                    shard[index].checkpoint(Box::new(move |done| {
                        drop(tell.send(Told::Checkpointed(index, done)))
                    }));
                    continue;
                }
                index
            }
            Told::Checkpointed(index, done) => {
                shard[index].finish_checkpoint(done)?;
                index
            }
        };
        if started.elapsed() < TIME {
            commit_and_sync(&mut shard[index], index, batch, &tell)?;
        } else {
            busy -= 1;
        }
    }
    Ok(durable as f64 / started.elapsed().as_secs_f64())
}

fn commit_and_sync(
    db: &mut Database,
    index: usize,
    commits: usize,
    tell: &Sender<Told>,
) -> Result<()> {
    for _ in 0..commits {
        let count = db.get("count", |value| value.map_or(0, |bytes| bytes[0]))?;
        db.put("count", &[count.wrapping_add(1); 16])?;
        db.commit()?;
    }
    let tell = tell.clone();
    db.sync(Box::new(move |outcome| {
        drop(tell.send(Told::Synced(index, outcome)))
    }));
    Ok(())
}

fn creation_rate(namespace: &Namespace) -> std::result::Result<f64, Box<dyn std::error::Error>> {
    let (tell, told): (_, Receiver<Told>) = channel();
    let started = Instant::now();
    let mut open: VecDeque<Option<Database>> = VecDeque::new();
    let (mut made, mut durable, mut first) = (0, 0, 0);
    while started.elapsed() < TIME || durable < made {
        while made - durable < WAITING && started.elapsed() < TIME {
            let mut db = namespace.database(namespace.key().random_id()?);
            commit_and_sync(&mut db, made, 1, &tell)?;
            open.push_back(Some(db));
            made += 1;
        }
        if let Told::Synced(index, number) = told.recv()?
            && let Some(mut db) = open[index - first].take()
        {
            db.note_durable(number?);
            durable += 1;
        }
        while let Some(None) = open.front() {
            open.pop_front();
            first += 1;
        }
    }
    Ok(durable as f64 / started.elapsed().as_secs_f64())
}

fn hot_key(namespace: &Namespace) -> Outcome {
    const ROUNDS: u32 = 50_000;
    let mut db = namespace.database(namespace.key().random_id()?);
    db.put("key", &[7; 100])?;
    db.commit()?;
    let started = Instant::now();
    for _ in 0..ROUNDS {
        db.get("key", |value| assert!(value.is_some()))?;
    }
    println!(
        "  get:                {:>8.2} us",
        started.elapsed().as_secs_f64() * 1e6 / f64::from(ROUNDS)
    );
    let started = Instant::now();
    for round in 0..ROUNDS / 10 {
        // A value that stays the same would write nothing.
        let mut value = [8; 100];
        value[..4].copy_from_slice(&round.to_le_bytes());
        db.put("key", &value)?;
        db.commit()?;
    }
    println!(
        "  put and commit:     {:>8.2} us",
        started.elapsed().as_secs_f64() * 1e6 / f64::from(ROUNDS / 10)
    );
    Ok(())
}

/// What one open database with one small value costs. Measured first, before there is freed memory to reuse.
fn memory(namespace: &Namespace) -> Outcome {
    const OBJECTS: usize = 500;
    let before = resident_bytes()?;
    let (tell, told) = channel();
    let mut open = Vec::with_capacity(OBJECTS);
    for index in 0..OBJECTS {
        let mut db = namespace.database(namespace.key().random_id()?);
        commit_and_sync(&mut db, index, 1, &tell)?;
        open.push(db);
    }
    println!(
        "one open database:    {:>8} bytes resident",
        resident_bytes()?.saturating_sub(before) / OBJECTS
    );
    for _ in 0..OBJECTS {
        if let Told::Synced(index, number) = told.recv()? {
            open[index].note_durable(number?);
        }
    }
    Ok(())
}

/// The disk without us: one writer, one file of its full size, one block and one `fdatasync` at a time.
fn disk_rate(folder: &Path) -> std::result::Result<f64, Box<dyn std::error::Error>> {
    let file = std::fs::File::create(folder.join("raw"))?;
    file.write_all_at(&vec![0; 4 << 20], 0)?;
    file.sync_all()?;
    let started = Instant::now();
    let mut syncs = 0;
    while started.elapsed() < TIME {
        file.write_all_at(&[syncs as u8; 4096], (syncs % 1024) * 4096)?;
        file.sync_data()?;
        syncs += 1;
    }
    Ok(syncs as f64 / started.elapsed().as_secs_f64())
}

fn resident_bytes() -> std::result::Result<usize, Box<dyn std::error::Error>> {
    let status = std::fs::read_to_string("/proc/self/statm")?;
    let pages: usize = status
        .split(' ')
        .nth(1)
        .ok_or("no resident size")?
        .parse()?;
    Ok(pages * 4096)
}
