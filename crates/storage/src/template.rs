//! The first bytes of a new object's file. SQLite needs several journalled steps to make an empty database in
//! WAL mode; writing the finished image with one write is many times faster. The image is made once per process.
//! A crash may leave part of it. Such a file was never acknowledged, and `probe` is what recognises it.

use std::fs::File;
use std::io::{ErrorKind as IoKind, Read};
use std::path::Path;
use std::sync::OnceLock;

use rusqlite::Connection;

use crate::error::{Error, Result};

pub(crate) const PAGE_BYTES: usize = 4096;
const ZERO_PAGE: [u8; PAGE_BYTES] = [0; PAGE_BYTES];
/// Where an SQLite header keeps its write and read version; 2 means WAL.
const VERSIONS: std::ops::Range<usize> = 18..20;

/// The tables of workerd, to the letter.
pub(crate) const CREATE_KV: &str = "CREATE TABLE IF NOT EXISTS _cf_KV (
        key TEXT PRIMARY KEY,
        value BLOB
      ) WITHOUT ROWID;";

/// What a new file holds. workerd makes its tables at their first use, so a file made by a put has the KV table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Template {
    Empty,
    WithKv,
}

impl Template {
    pub fn image(self) -> Result<&'static [u8]> {
        static EMPTY: OnceLock<Vec<u8>> = OnceLock::new();
        static WITH_KV: OnceLock<Vec<u8>> = OnceLock::new();
        let (cell, sql) = match self {
            // A page must exist before there is an image; setting the version writes it.
            Template::Empty => (&EMPTY, "PRAGMA user_version = 0;"),
            Template::WithKv => (&WITH_KV, CREATE_KV),
        };
        if let Some(image) = cell.get() {
            return Ok(image);
        }
        let image = make_image(sql).map_err(|e| {
            Error::sqlite("make the image of a new database", Path::new(":memory:"), e)
        })?;
        Ok(cell.get_or_init(|| image))
    }
}

fn make_image(sql: &str) -> rusqlite::Result<Vec<u8>> {
    let mut memory = Connection::open_in_memory()?;
    memory.execute_batch(&format!("PRAGMA page_size = {PAGE_BYTES}; {sql}"))?;
    let mut image = memory.serialize("main")?.to_vec();
    image[VERSIONS].fill(2);
    Ok(image)
}

/// What lies at the path of an object's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Probe {
    /// Nothing, or the rest of a creation that was never acknowledged. It counts as nothing.
    Missing,
    /// A database in WAL mode.
    Wal,
    /// A database in another journal mode, or something that only SQLite can judge.
    Other,
}

pub(crate) fn probe(path: &Path) -> Result<Probe> {
    let failed = |e| Error::io("read", path, e);
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == IoKind::NotFound => return Ok(Probe::Missing),
        Err(e) => return Err(failed(e)),
    };
    let longest = Template::WithKv.image()?.len();
    // Room for it all at once: a growing buffer would take ten reads.
    let mut start = Vec::with_capacity(longest + 2);
    Read::by_ref(&mut file)
        .take(longest as u64 + 1)
        .read_to_end(&mut start)
        .map_err(failed)?;
    if start.len() <= longest
        && (is_unfinished(&start, Template::Empty)? || is_unfinished(&start, Template::WithKv)?)
    {
        return Ok(Probe::Missing);
    }
    Ok(if start.get(VERSIONS) == Some(&[2, 2]) {
        Probe::Wal
    } else {
        Probe::Other
    })
}

/// Whether `file` is `template` with at least one block still missing, every other block being the template's.
/// After the first sync no block of the file is ever missing or all zeros again.
fn is_unfinished(file: &[u8], template: Template) -> Result<bool> {
    let image = template.image()?;
    if file.len() > image.len() {
        return Ok(false);
    }
    let mut missing = file.len() < image.len();
    for (found, wanted) in file.chunks(PAGE_BYTES).zip(image.chunks(PAGE_BYTES)) {
        if *found == ZERO_PAGE[..found.len()] {
            missing = true;
        } else if *found != wanted[..found.len()] {
            return Ok(false);
        }
    }
    Ok(missing)
}
