//! A disk that remembers what a power loss would leave: per file the content at its last sync, per folder the names at
//! its last sync. Real files hold the current content. It can also fail, hold a sync back, and take pictures of
//! the moment inside a sync, which is where checkpoints and creations are half done.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex};
use std::time::SystemTime;

use dolmen_storage::Disk;

use crate::support::Random;

const BLOCK: usize = 4096;

/// Inode numbers are reused at once, so the time of birth belongs to a file's identity.
type Identity = (u64, Option<SystemTime>);

#[derive(Default)]
struct State {
    synced: HashMap<Identity, Vec<u8>>,
    names: HashMap<PathBuf, BTreeMap<String, Identity>>,
    failing: bool,
    held: bool,
    photographing: Option<PathBuf>,
    pictures: Vec<Picture>,
    syncs: usize,
}

#[derive(Default)]
pub struct TestDisk {
    state: Mutex<State>,
    released: Condvar,
}

/// What is durable and what is not, of every file of one folder.
pub struct Picture {
    files: BTreeMap<String, Vec<Version>>,
}

/// One file that the name may lead to after a crash.
struct Version {
    /// The name is durable, and no other version of it is current.
    certain: bool,
    synced: Option<Vec<u8>>,
    current: Option<Vec<u8>>,
}

impl TestDisk {
    pub fn fail(&self, failing: bool) {
        self.state.lock().unwrap().failing = failing;
    }

    /// Syncs that begin now take effect with the content of now, but return only after `release`.
    pub fn hold(&self) {
        self.state.lock().unwrap().held = true;
    }

    pub fn release(&self) {
        self.state.lock().unwrap().held = false;
        self.released.notify_all();
    }

    pub fn syncs(&self) -> usize {
        self.state.lock().unwrap().syncs
    }

    /// Take a picture of `folder` at the beginning of every sync from now on.
    pub fn photograph(&self, folder: Option<&Path>) {
        self.state.lock().unwrap().photographing = folder.map(Path::to_owned);
    }

    pub fn pictures(&self) -> Vec<Picture> {
        std::mem::take(&mut self.state.lock().unwrap().pictures)
    }

    pub fn picture(&self, folder: &Path) -> Picture {
        self.state.lock().unwrap().picture(folder)
    }

    fn begin(&self) -> io::Result<std::sync::MutexGuard<'_, State>> {
        let mut state = self.state.lock().unwrap();
        state.syncs += 1;
        if let Some(folder) = state.photographing.clone() {
            let picture = state.picture(&folder);
            state.pictures.push(picture);
        }
        if state.failing {
            Err(io::Error::other("the test disk fails"))
        } else {
            Ok(state)
        }
    }
}

impl State {
    fn picture(&self, folder: &Path) -> Picture {
        let current = names(folder);
        let durable = self.names.get(folder).cloned().unwrap_or_default();
        let all: BTreeSet<&String> = current.keys().chain(durable.keys()).collect();
        let mut files = BTreeMap::new();
        for name in all {
            let (now, before) = (current.get(name), durable.get(name));
            let mut versions = Vec::new();
            if let Some(now) = now {
                let content = fs::read(folder.join(name)).ok();
                versions.push(Version {
                    certain: Some(now) == before,
                    synced: self.synced.get(now).cloned(),
                    current: content,
                });
            }
            if let Some(before) = before.filter(|before| Some(*before) != now) {
                versions.push(Version {
                    certain: false,
                    synced: self.synced.get(before).cloned(),
                    current: None,
                });
            }
            files.insert(name.clone(), versions);
        }
        Picture { files }
    }
}

impl Disk for TestDisk {
    fn sync_data(&self, file: &File, path: &Path) -> io::Result<()> {
        let mut state = self.begin()?;
        let content = fs::read(path)?;
        while state.held {
            state = self.released.wait(state).unwrap();
        }
        if state.failing {
            return Err(io::Error::other("the test disk fails"));
        }
        state.synced.insert(identity(&file.metadata()?), content);
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut state = self.begin()?;
        state.names.insert(dir.to_owned(), names(dir));
        Ok(())
    }

    fn sync_filesystem(&self, root: &Path) -> io::Result<()> {
        let mut state = self.state.lock().unwrap();
        for entry in fs::read_dir(root)? {
            let path = entry?.path();
            if path.is_dir() {
                state.names.insert(path.clone(), names(&path));
                for file in fs::read_dir(path)? {
                    let file = file?;
                    state
                        .synced
                        .insert(identity(&file.metadata()?), fs::read(file.path())?);
                }
            }
        }
        Ok(())
    }
}

impl Picture {
    /// Writes one of the folders that a power loss at that moment could leave.
    pub fn develop(&self, folder: &Path, random: &mut Random) {
        fs::create_dir_all(folder).unwrap();
        // Some crashes lose everything unsynced, some nothing, most a bit of each.
        let loss = [0, 10, 50, 90, 100][random.below(5)];
        for (name, versions) in &self.files {
            for version in versions {
                if version.certain || random.below(100) >= loss {
                    fs::write(folder.join(name), version.content(loss, random)).unwrap();
                    break;
                }
            }
        }
    }
}

impl Version {
    fn content(&self, loss: usize, random: &mut Random) -> Vec<u8> {
        let empty = Vec::new();
        let synced = self.synced.as_ref().unwrap_or(&empty);
        let current = self.current.as_ref().unwrap_or(synced);
        let (short, long) = (
            synced.len().min(current.len()),
            synced.len().max(current.len()),
        );
        let length = match random.below(3) {
            0 => synced.len(),
            1 => current.len(),
            _ => (short + random.below(long - short + 1))
                .next_multiple_of(BLOCK)
                .min(long),
        };
        let mut content = vec![0; length];
        for start in (0..length).step_by(BLOCK) {
            let source = if random.below(100) < loss {
                synced
            } else {
                current
            };
            let end = (start + BLOCK).min(length).min(source.len());
            if start < end {
                content[start..end].copy_from_slice(&source[start..end]);
            }
        }
        content
    }
}

fn names(folder: &Path) -> BTreeMap<String, Identity> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|e| {
            Some((
                e.file_name().into_string().ok()?,
                identity(&e.metadata().ok()?),
            ))
        })
        .collect()
}

fn identity(metadata: &fs::Metadata) -> Identity {
    (metadata.ino(), metadata.created().ok())
}
