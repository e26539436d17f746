//! The files of one object in its database: what its guest sees as `/data`. They are written in the
//! event's transaction, so they are there when it is answered, and gone when it is undone.

use std::rc::Rc;

use dolmen_runtime::{
    Host,
    storage::{self, Database, FileEntry, ROOT_DIRECTORY},
};

use crate::{
    files::{FilesError, Opening, names},
    writes::Writes,
};

/// Bytes of one file: it is removed and cut in one step, which must not take long.
pub(crate) const MAX_FILE_BYTES: u64 = 256 << 20;
/// Bytes of all files of one object.
pub(crate) const MAX_BYTES: u64 = 10 << 30;
/// Files and directories of one object.
pub(crate) const MAX_ENTRIES: usize = 16 << 10;
/// Directories on the way to one.
const MAX_DEPTH: usize = 64;
/// Entries that are read at once.
const PAGE: usize = 64;

type Result<T> = std::result::Result<T, FilesError>;

/// The whole of it.
#[derive(Clone)]
pub(crate) struct StoredFiles {
    host: Rc<Host>,
    writes: Rc<Writes>,
}

/// Where an entry is or would be.
struct Place {
    parent: i64,
    /// Empty: the directory itself.
    name: String,
    found: Option<FileEntry>,
}

fn root() -> FileEntry {
    directory(ROOT_DIRECTORY)
}

fn directory(id: i64) -> FileEntry {
    FileEntry {
        id,
        is_directory: true,
        size: 0,
        modified_ms: 0,
    }
}

impl StoredFiles {
    pub fn new(host: Rc<Host>, writes: Rc<Writes>) -> Self {
        Self { host, writes }
    }

    /// What is at `path` below the directory `base`.
    pub fn find(&self, base: i64, path: &str) -> Result<FileEntry> {
        self.place(base, path)?.found.ok_or(FilesError::NoEntry)
    }

    /// Opens or makes a file, or opens a directory.
    pub fn open(&self, base: i64, path: &str, opening: Opening, now_ms: i64) -> Result<FileEntry> {
        let place = self.place(base, path)?;
        match place.found {
            Some(_) if opening.create && opening.exclusive && !place.name.is_empty() => {
                Err(FilesError::Exists)
            }
            Some(found) if found.is_directory && (opening.create || opening.truncate) => {
                Err(FilesError::IsDirectory)
            }
            Some(found) if !found.is_directory && opening.directory => {
                Err(FilesError::NotDirectory)
            }
            Some(found) => {
                if opening.truncate {
                    self.resize(found.id, 0, now_ms)?;
                }
                Ok(found)
            }
            None if opening.create && !opening.directory => {
                self.make(place.parent, &place.name, false, now_ms)
            }
            None => Err(FilesError::NoEntry),
        }
    }

    pub fn create_directory(&self, base: i64, path: &str, now_ms: i64) -> Result<()> {
        let place = self.place(base, path)?;
        if place.found.is_some() {
            return Err(FilesError::Exists);
        }
        self.make(place.parent, &place.name, true, now_ms).map(drop)
    }

    pub fn remove_directory(&self, base: i64, path: &str) -> Result<()> {
        let place = self.place(base, path)?;
        match place.found {
            _ if place.name.is_empty() => Err(FilesError::Invalid),
            None => Err(FilesError::NoEntry),
            Some(found) if !found.is_directory => Err(FilesError::NotDirectory),
            Some(found) => self.remove(found),
        }
    }

    pub fn unlink(&self, base: i64, path: &str) -> Result<()> {
        match self.place(base, path)?.found {
            None => Err(FilesError::NoEntry),
            Some(found) if found.is_directory => Err(FilesError::IsDirectory),
            Some(found) => self.remove(found),
        }
    }

    pub fn rename(&self, from: (i64, &str), to: (i64, &str)) -> Result<()> {
        let (from, to) = (self.place(from.0, from.1)?, self.place(to.0, to.1)?);
        if from.name.is_empty() || to.name.is_empty() {
            return Err(FilesError::Invalid);
        }
        let moved = from.found.ok_or(FilesError::NoEntry)?;
        if moved.is_directory && self.is_inside(to.parent, moved.id)? {
            return Err(FilesError::Invalid);
        }
        match to.found {
            Some(over) if over.id == moved.id => return Ok(()),
            Some(over) if over.is_directory && !moved.is_directory => {
                return Err(FilesError::IsDirectory);
            }
            Some(over) if !over.is_directory && moved.is_directory => {
                return Err(FilesError::NotDirectory);
            }
            Some(over) => self.remove(over)?,
            None => {}
        }
        self.write(|db| db.move_file(moved.id, to.parent, &to.name))
    }

    /// The entries of a directory after the first `skip` ones, in the order of their names, until
    /// `each` says that it has enough.
    pub fn list(
        &self,
        parent: i64,
        skip: usize,
        mut each: impl FnMut(&str, &FileEntry) -> bool,
    ) -> Result<()> {
        let mut page = self.read(|db| db.list_files(parent, skip, PAGE))?;
        loop {
            if !page.iter().all(|(name, entry)| each(name, entry)) {
                return Ok(());
            }
            let Some((last, _)) = page.last().filter(|_| page.len() == PAGE) else {
                return Ok(());
            };
            page = self.read(|db| db.list_files_after(parent, last, PAGE))?;
        }
    }

    /// Whether a directory is `outer`, or is in it, however deep.
    fn is_inside(&self, directory: i64, outer: i64) -> Result<bool> {
        let mut at = directory;
        // No way is longer than there are entries.
        for _ in 0..=MAX_ENTRIES {
            if at == outer {
                return Ok(true);
            }
            match self.read(|db| db.parent_of_file(at))? {
                Some(parent) => at = parent,
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    /// What an open file or directory is now; `NoEntry` once it was removed.
    pub fn stat(&self, id: i64) -> Result<FileEntry> {
        if id == ROOT_DIRECTORY {
            return Ok(root());
        }
        self.read(|db| db.file(id))?.ok_or(FilesError::NoEntry)
    }

    /// Copies what is at `offset` into `into`; says how many bytes.
    pub fn read_at(&self, id: i64, offset: u64, into: &mut [u8]) -> Result<usize> {
        self.read(|db| db.read_file(id, offset, into))
    }

    /// Writes at `offset`, or at the end if there is none. Gives where the next byte would be.
    pub fn write_at(&self, id: i64, offset: Option<u64>, bytes: &[u8], now_ms: i64) -> Result<u64> {
        let file = self.stat(id)?;
        let offset = offset.unwrap_or(file.size);
        let end = offset
            .checked_add(bytes.len() as u64)
            .ok_or(FilesError::NoSpace)?;
        self.check_growth(file, end)?;
        self.write(|db| db.write_file(id, offset, bytes, now_ms))?;
        Ok(end)
    }

    pub fn resize(&self, id: i64, size: u64, now_ms: i64) -> Result<()> {
        self.check_growth(self.stat(id)?, size)?;
        self.write(|db| db.resize_file(id, size, now_ms))
    }

    fn check_growth(&self, file: FileEntry, size: u64) -> Result<()> {
        if size <= file.size {
            return Ok(());
        }
        if size > MAX_FILE_BYTES {
            return Err(FilesError::TooLarge);
        }
        let (_, used) = self.read(Database::files_usage)?;
        match used.checked_add(size - file.size) {
            Some(used) if used <= MAX_BYTES => Ok(()),
            _ => Err(FilesError::NoSpace),
        }
    }

    fn make(&self, parent: i64, name: &str, is_directory: bool, now_ms: i64) -> Result<FileEntry> {
        let (entries, _) = self.read(Database::files_usage)?;
        if entries >= MAX_ENTRIES {
            return Err(FilesError::NoSpace);
        }
        self.write(|db| db.make_file(parent, name, is_directory, now_ms))
    }

    fn remove(&self, entry: FileEntry) -> Result<()> {
        if entry.is_directory && !self.read(|db| db.list_files(entry.id, 0, 1))?.is_empty() {
            return Err(FilesError::NotEmpty);
        }
        self.write(|db| db.remove_file(entry.id))
    }

    fn read<T>(&self, work: impl FnOnce(&mut Database) -> storage::Result<T>) -> Result<T> {
        self.host.storage(work).map_err(|error| self.failed(&error))
    }

    fn write<T>(&self, work: impl FnOnce(&mut Database) -> storage::Result<T>) -> Result<T> {
        self.writes.begin().map_err(|error| self.failed(&error))?;
        self.read(work)
    }

    /// The disk's failure breaks the object by itself; the guest gets EIO.
    fn failed(&self, error: &storage::Error) -> FilesError {
        let object = self.host.label();
        tracing::error!(object, %error, "a file in /data cannot be used");
        FilesError::Io
    }

    /// Follows all names of a path, and finds what the last one is.
    fn place(&self, base: i64, path: &str) -> Result<Place> {
        // Who has a directory open may have seen it removed.
        if !self.stat(base)?.is_directory {
            return Err(FilesError::NotDirectory);
        }
        let mut way = vec![base];
        let mut last: Option<&str> = None;
        for name in names(path)? {
            if let Some(before) = last.take() {
                let parent = *way.last().expect("the base stays");
                match self.read(|db| db.find_file(parent, before))? {
                    Some(found) if found.is_directory => way.push(found.id),
                    Some(_) => return Err(FilesError::NotDirectory),
                    None => return Err(FilesError::NoEntry),
                }
                if way.len() > MAX_DEPTH {
                    return Err(FilesError::NameTooLong);
                }
            }
            if name == ".." {
                way.pop();
                if way.is_empty() {
                    return Err(FilesError::Outside);
                }
            } else {
                last = Some(name);
            }
        }
        let parent = *way.last().expect("checked at every `..`");
        let name = last.unwrap_or_default();
        let found = match name {
            "" if parent == ROOT_DIRECTORY => Some(root()),
            "" => self.read(|db| db.file(parent))?,
            name => self.read(|db| db.find_file(parent, name))?,
        };
        Ok(Place {
            parent,
            name: name.to_owned(),
            found,
        })
    }
}
