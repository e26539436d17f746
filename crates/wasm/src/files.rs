//! What a guest sees as its files: `/tmp`, in memory (`memory_files.rs`), and in objects `/data`, in
//! their database (`stored_files.rs`). A path never leads from one to the other.

use std::sync::Arc;

use dolmen_runtime::storage::{FileEntry, ROOT_DIRECTORY};

use crate::{
    memory_files::{self, MemoryFiles},
    stored_files::StoredFiles,
};

/// Bytes of one name.
const MAX_NAME: usize = 255;

/// Why something cannot be done; the words are those of POSIX.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FilesError {
    /// The path leads from one file system to another one.
    CrossDevice,
    Exists,
    Invalid,
    /// The disk has failed.
    Io,
    IsDirectory,
    NameTooLong,
    NoEntry,
    NoSpace,
    NotDirectory,
    NotEmpty,
    /// The path leads out of the directory that it begins in.
    Outside,
    TooLarge,
}

type Result<T> = std::result::Result<T, FilesError>;

/// What to do if a file to open is or is not there.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Opening {
    pub create: bool,
    pub exclusive: bool,
    pub truncate: bool,
    pub directory: bool,
}

/// The file systems of one instance.
pub(crate) struct Files {
    tmp: Arc<MemoryFiles>,
    data: Option<StoredFiles>,
}

#[derive(Clone, Debug)]
pub(crate) enum Directory {
    Memory(Arc<memory_files::Directory>),
    Stored(i64),
}

#[derive(Clone, Debug)]
pub(crate) enum File {
    Memory(Arc<memory_files::File>),
    Stored(i64),
}

/// What a name stands for.
#[derive(Clone, Debug)]
pub(crate) enum Entry {
    File(File),
    Directory(Directory),
}

/// What is known of an entry.
pub(crate) struct Stat {
    pub number: u64,
    pub is_directory: bool,
    pub size: u64,
    pub modified_ms: i64,
}

/// The names in a path, one by one.
///
/// # Errors
/// If it is empty, begins at a root, or a name is too long.
pub(crate) fn names(path: &str) -> Result<impl Iterator<Item = &str>> {
    if path.is_empty() {
        return Err(FilesError::NoEntry);
    }
    if path.starts_with('/') {
        return Err(FilesError::Outside);
    }
    if path.split('/').any(|name| name.len() > MAX_NAME) {
        return Err(FilesError::NameTooLong);
    }
    let names = path.split('/');
    Ok(names.filter(|name| !name.is_empty() && *name != "."))
}

impl Files {
    pub fn new(tmp: Arc<MemoryFiles>, data: Option<StoredFiles>) -> Self {
        Self { tmp, data }
    }

    /// The directories that a guest begins with, and their names.
    pub fn roots(&self) -> Vec<(&'static str, Directory)> {
        let mut roots = vec![("/tmp", Directory::Memory(self.tmp.root()))];
        if self.data.is_some() {
            roots.push(("/data", Directory::Stored(ROOT_DIRECTORY)));
        }
        roots
    }

    fn data(&self) -> &StoredFiles {
        self.data
            .as_ref()
            .expect("who has no /data has no directory in it")
    }

    /// What is at `path` below `base`.
    pub fn find(&self, base: &Directory, path: &str) -> Result<Stat> {
        match base {
            Directory::Memory(base) => Ok(self.stat(&self.tmp.find(base, path)?.into())?),
            Directory::Stored(base) => Ok(self.data().find(*base, path)?.into()),
        }
    }

    /// Opens or makes a file, or opens a directory.
    pub fn open(
        &self,
        base: &Directory,
        path: &str,
        opening: Opening,
        now_ms: i64,
    ) -> Result<Entry> {
        Ok(match base {
            Directory::Memory(base) => self.tmp.open(base, path, opening, now_ms)?.into(),
            Directory::Stored(base) => self.data().open(*base, path, opening, now_ms)?.into(),
        })
    }

    pub fn create_directory(&self, base: &Directory, path: &str, now_ms: i64) -> Result<()> {
        match base {
            Directory::Memory(base) => self.tmp.create_directory(base, path),
            Directory::Stored(base) => self.data().create_directory(*base, path, now_ms),
        }
    }

    pub fn remove_directory(&self, base: &Directory, path: &str) -> Result<()> {
        match base {
            Directory::Memory(base) => self.tmp.remove_directory(base, path),
            Directory::Stored(base) => self.data().remove_directory(*base, path),
        }
    }

    pub fn unlink(&self, base: &Directory, path: &str) -> Result<()> {
        match base {
            Directory::Memory(base) => self.tmp.unlink(base, path),
            Directory::Stored(base) => self.data().unlink(*base, path),
        }
    }

    pub fn rename(&self, from: (&Directory, &str), to: (&Directory, &str)) -> Result<()> {
        match (from, to) {
            ((Directory::Memory(from), path), (Directory::Memory(to), new)) => {
                self.tmp.rename((from, path), (to, new))
            }
            ((Directory::Stored(from), path), (Directory::Stored(to), new)) => {
                self.data().rename((*from, path), (*to, new))
            }
            _ => Err(FilesError::CrossDevice),
        }
    }

    /// The entries of a directory after the first `skip` ones, in the order of their names, until
    /// `each` says that it has enough.
    pub fn list(
        &self,
        directory: &Directory,
        skip: usize,
        mut each: impl FnMut(&str, &Stat) -> bool,
    ) -> Result<()> {
        match directory {
            Directory::Memory(directory) => {
                directory.list(skip, |name, entry| each(name, &stat_of(entry)))
            }
            Directory::Stored(directory) => {
                let each = |name: &str, entry: &FileEntry| each(name, &(*entry).into());
                self.data().list(*directory, skip, each)?;
            }
        }
        Ok(())
    }

    pub fn stat(&self, entry: &Entry) -> Result<Stat> {
        Ok(match entry {
            Entry::File(File::Memory(file)) => stat_of(&memory_files::Entry::File(file.clone())),
            Entry::Directory(Directory::Memory(directory)) => {
                stat_of(&memory_files::Entry::Directory(directory.clone()))
            }
            Entry::File(File::Stored(id)) | Entry::Directory(Directory::Stored(id)) => {
                self.data().stat(*id)?.into()
            }
        })
    }

    /// Bytes of a file.
    pub fn size(&self, file: &File) -> Result<u64> {
        match file {
            File::Memory(file) => Ok(file.len()),
            File::Stored(id) => Ok(self.data().stat(*id)?.size),
        }
    }

    /// Copies what is at `offset` into `into`; says how many bytes.
    pub fn read(&self, file: &File, offset: u64, into: &mut [u8]) -> Result<usize> {
        match file {
            File::Memory(file) => Ok(file.read(offset, into)),
            File::Stored(id) => self.data().read_at(*id, offset, into),
        }
    }

    /// Writes at `offset`, or at the end if there is none. Gives where the next byte would be.
    pub fn write(
        &self,
        file: &File,
        offset: Option<u64>,
        bytes: &[u8],
        now_ms: i64,
    ) -> Result<u64> {
        match file {
            File::Memory(file) => file.write(offset, bytes, now_ms),
            File::Stored(id) => self.data().write_at(*id, offset, bytes, now_ms),
        }
    }

    pub fn resize(&self, file: &File, size: u64, now_ms: i64) -> Result<()> {
        match file {
            File::Memory(file) => file.resize(size, now_ms),
            File::Stored(id) => self.data().resize(*id, size, now_ms),
        }
    }
}

fn stat_of(entry: &memory_files::Entry) -> Stat {
    match entry {
        memory_files::Entry::File(file) => Stat {
            number: file.number,
            is_directory: false,
            size: file.len(),
            modified_ms: file.modified_ms(),
        },
        memory_files::Entry::Directory(directory) => Stat {
            number: directory.number,
            is_directory: true,
            size: 0,
            modified_ms: 0,
        },
    }
}

impl From<memory_files::Entry> for Entry {
    fn from(entry: memory_files::Entry) -> Self {
        match entry {
            memory_files::Entry::File(file) => Self::File(File::Memory(file)),
            memory_files::Entry::Directory(directory) => {
                Self::Directory(Directory::Memory(directory))
            }
        }
    }
}

impl From<FileEntry> for Entry {
    fn from(entry: FileEntry) -> Self {
        match entry.is_directory {
            false => Self::File(File::Stored(entry.id)),
            true => Self::Directory(Directory::Stored(entry.id)),
        }
    }
}

impl From<FileEntry> for Stat {
    fn from(entry: FileEntry) -> Self {
        Self {
            number: entry.id.unsigned_abs(),
            is_directory: entry.is_directory,
            size: entry.size,
            modified_ms: entry.modified_ms,
        }
    }
}
