//! The lock that keeps a second Dolmen out of a root folder. It belongs to the open file, so it goes with the
//! process however that ends.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::error::{Error, ErrorKind, Result};

const NAME: &str = ".dolmen.lock";

pub(crate) struct RootLock {
    _file: File,
}

impl RootLock {
    /// Takes the lock or says who has it.
    pub fn take(root: &Path) -> Result<RootLock> {
        let path = root.join(NAME);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|e| {
                Error::io(
                    "write to the storage folder: choose another one or make it writable;",
                    &path,
                    e,
                )
            })?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Err(held(root, &mut file)),
            Err(e) => return Err(Error::io("lock", &path, e.into())),
        }
        // Only for the message above, so a failure to write it changes nothing.
        let _ = file
            .set_len(0)
            .and_then(|()| writeln!(file, "{}", std::process::id()));
        Ok(RootLock { _file: file })
    }
}

fn held(root: &Path, file: &mut File) -> Error {
    let mut holder = String::new();
    let _ = file.take(32).read_to_string(&mut holder);
    let holder = match holder.trim() {
        "" => String::new(),
        pid => format!(" (process {pid})"),
    };
    Error::new(
        ErrorKind::Held,
        format!(
            "the storage folder `{}` is in use by another Dolmen{holder}: stop it, or choose another folder",
            root.display()
        ),
    )
}
