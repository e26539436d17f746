//! A file system in memory: what guests see as `/tmp`, one for all instances of a deployment.
//!
//! A file that is unlinked stays for those who have it open. No lock is held while another is
//! waited for, except by `rename`, of which one runs at a time.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use crate::files::{FilesError, Opening, names};

/// Bytes of all files together.
pub(crate) const MAX_BYTES: usize = 64 << 20;
/// Files and directories.
pub(crate) const MAX_ENTRIES: usize = 16 << 10;
type Result<T> = std::result::Result<T, FilesError>;

/// The whole of it.
#[derive(Debug)]
pub(crate) struct MemoryFiles {
    root: Arc<Directory>,
    usage: Arc<Usage>,
    renames: Mutex<()>,
}

#[derive(Debug, Default)]
struct Usage {
    bytes: AtomicUsize,
    entries: AtomicUsize,
    numbers: AtomicU64,
}

#[derive(Debug)]
pub(crate) struct Directory {
    pub number: u64,
    entries: Mutex<BTreeMap<String, Entry>>,
    usage: Arc<Usage>,
}

#[derive(Debug)]
pub(crate) struct File {
    pub number: u64,
    content: Mutex<Content>,
    usage: Arc<Usage>,
}

#[derive(Debug, Default)]
struct Content {
    bytes: Vec<u8>,
    modified_ms: i64,
}

/// What a name stands for.
#[derive(Clone, Debug)]
pub(crate) enum Entry {
    File(Arc<File>),
    Directory(Arc<Directory>),
}

/// Where an entry is or would be.
struct Place {
    directory: Arc<Directory>,
    /// Empty: the directory itself.
    name: String,
}

impl Default for MemoryFiles {
    fn default() -> Self {
        let usage = Arc::new(Usage {
            // The root.
            entries: AtomicUsize::new(1),
            ..Usage::default()
        });
        Self {
            root: Directory::new(&usage),
            usage,
            renames: Mutex::default(),
        }
    }
}

impl MemoryFiles {
    pub fn root(&self) -> Arc<Directory> {
        self.root.clone()
    }

    /// What is at `path` below `base`.
    pub fn find(&self, base: &Arc<Directory>, path: &str) -> Result<Entry> {
        let place = place(base, path)?;
        place.entry()?.ok_or(FilesError::NoEntry)
    }

    /// Opens or makes a file, or opens a directory.
    pub fn open(
        &self,
        base: &Arc<Directory>,
        path: &str,
        opening: Opening,
        now_ms: i64,
    ) -> Result<Entry> {
        let place = place(base, path)?;
        if place.name.is_empty() {
            return Ok(Entry::Directory(place.directory));
        }
        let mut entries = place.directory.lock();
        match entries.get(&place.name).cloned() {
            Some(_) if opening.create && opening.exclusive => Err(FilesError::Exists),
            Some(Entry::File(_)) if opening.directory => Err(FilesError::NotDirectory),
            Some(Entry::Directory(_)) if opening.create || opening.truncate => {
                Err(FilesError::IsDirectory)
            }
            Some(Entry::File(file)) => {
                if opening.truncate {
                    file.resize(0, now_ms)?;
                }
                Ok(Entry::File(file))
            }
            Some(directory) => Ok(directory),
            None if opening.create && !opening.directory => {
                self.usage.take_entry()?;
                let file = Arc::new(File {
                    number: self.usage.next_number(),
                    content: Mutex::new(Content {
                        bytes: Vec::new(),
                        modified_ms: now_ms,
                    }),
                    usage: self.usage.clone(),
                });
                entries.insert(place.name, Entry::File(file.clone()));
                Ok(Entry::File(file))
            }
            None => Err(FilesError::NoEntry),
        }
    }

    pub fn create_directory(&self, base: &Arc<Directory>, path: &str) -> Result<()> {
        let place = place(base, path)?;
        if place.name.is_empty() {
            return Err(FilesError::Exists);
        }
        let mut entries = place.directory.lock();
        if entries.contains_key(&place.name) {
            return Err(FilesError::Exists);
        }
        self.usage.take_entry()?;
        entries.insert(place.name, Entry::Directory(Directory::new(&self.usage)));
        Ok(())
    }

    pub fn remove_directory(&self, base: &Arc<Directory>, path: &str) -> Result<()> {
        let place = place(base, path)?;
        let mut entries = place.directory.lock();
        match entries.get(&place.name) {
            _ if place.name.is_empty() => return Err(FilesError::Invalid),
            None => return Err(FilesError::NoEntry),
            Some(Entry::File(_)) => return Err(FilesError::NotDirectory),
            // A directory is in no other one, so this lock is not taken twice.
            Some(Entry::Directory(directory)) if !directory.lock().is_empty() => {
                return Err(FilesError::NotEmpty);
            }
            Some(Entry::Directory(_)) => entries.remove(&place.name),
        };
        Ok(())
    }

    pub fn unlink(&self, base: &Arc<Directory>, path: &str) -> Result<()> {
        let place = place(base, path)?;
        let mut entries = place.directory.lock();
        match entries.get(&place.name) {
            _ if place.name.is_empty() => Err(FilesError::IsDirectory),
            None => Err(FilesError::NoEntry),
            Some(Entry::Directory(_)) => Err(FilesError::IsDirectory),
            Some(Entry::File(_)) => {
                entries.remove(&place.name);
                Ok(())
            }
        }
    }

    pub fn rename(&self, from: (&Arc<Directory>, &str), to: (&Arc<Directory>, &str)) -> Result<()> {
        let _alone = lock(&self.renames);
        let (from, to) = (place(from.0, from.1)?, place(to.0, to.1)?);
        if from.name.is_empty() || to.name.is_empty() {
            return Err(FilesError::Invalid);
        }
        let moved = from.entry()?.ok_or(FilesError::NoEntry)?;
        match (&moved, to.entry()?) {
            (Entry::Directory(moved), _) if has(moved, &to.directory) => {
                return Err(FilesError::Invalid);
            }
            (Entry::File(_), Some(Entry::Directory(_))) => return Err(FilesError::IsDirectory),
            (Entry::Directory(_), Some(Entry::File(_))) => return Err(FilesError::NotDirectory),
            (Entry::Directory(moved), Some(Entry::Directory(over)))
                if !Arc::ptr_eq(moved, &over) && !over.lock().is_empty() =>
            {
                return Err(FilesError::NotEmpty);
            }
            _ => {}
        }
        // Somebody else may have removed it meanwhile.
        let moved = from
            .directory
            .lock()
            .remove(&from.name)
            .ok_or(FilesError::NoEntry)?;
        to.directory.lock().insert(to.name, moved);
        Ok(())
    }
}

impl Directory {
    fn new(usage: &Arc<Usage>) -> Arc<Self> {
        Arc::new(Self {
            number: usage.next_number(),
            entries: Mutex::default(),
            usage: usage.clone(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Entry>> {
        lock(&self.entries)
    }

    /// The entries after the first `skip` ones, in the order of their names, until `each` says that it has enough.
    pub fn list(&self, skip: usize, mut each: impl FnMut(&str, &Entry) -> bool) {
        for (name, entry) in self.lock().iter().skip(skip) {
            if !each(name, entry) {
                return;
            }
        }
    }
}

impl Drop for Directory {
    /// One level at a time, because a tree may be deeper than a stack.
    fn drop(&mut self) {
        self.usage.entries.fetch_sub(1, Ordering::Relaxed);
        let entries = self
            .entries
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        let mut rest: Vec<_> = std::mem::take(entries).into_values().collect();
        while let Some(entry) = rest.pop() {
            if let Entry::Directory(directory) = entry
                && let Some(mut last) = Arc::into_inner(directory)
            {
                let entries = last
                    .entries
                    .get_mut()
                    .unwrap_or_else(PoisonError::into_inner);
                rest.extend(std::mem::take(entries).into_values());
            }
        }
    }
}

impl File {
    pub fn len(&self) -> u64 {
        lock(&self.content).bytes.len() as u64
    }

    pub fn modified_ms(&self) -> i64 {
        lock(&self.content).modified_ms
    }

    /// Copies what is at `offset` into `into`; says how many bytes.
    pub fn read(&self, offset: u64, into: &mut [u8]) -> usize {
        let content = lock(&self.content);
        let start =
            usize::try_from(offset).map_or(content.bytes.len(), |at| at.min(content.bytes.len()));
        let length = into.len().min(content.bytes.len() - start);
        into[..length].copy_from_slice(&content.bytes[start..start + length]);
        length
    }

    /// Writes at `offset`, or at the end if there is none. Gives where the next byte would be.
    pub fn write(&self, offset: Option<u64>, bytes: &[u8], now_ms: i64) -> Result<u64> {
        let mut content = lock(&self.content);
        let start = match offset {
            Some(at) => usize::try_from(at).map_err(|_| FilesError::NoSpace)?,
            None => content.bytes.len(),
        };
        let end = start.checked_add(bytes.len()).ok_or(FilesError::NoSpace)?;
        if end > content.bytes.len() && !bytes.is_empty() {
            self.grow(&mut content, end)?;
        }
        if !bytes.is_empty() {
            content.bytes[start..end].copy_from_slice(bytes);
        }
        content.modified_ms = now_ms;
        Ok(end as u64)
    }

    pub fn resize(&self, length: u64, now_ms: i64) -> Result<()> {
        let mut content = lock(&self.content);
        let length = usize::try_from(length).map_err(|_| FilesError::NoSpace)?;
        if length > content.bytes.len() {
            self.grow(&mut content, length)?;
        } else {
            self.usage
                .bytes
                .fetch_sub(content.bytes.len() - length, Ordering::Relaxed);
            content.bytes.truncate(length);
            content.bytes.shrink_to_fit();
        }
        content.modified_ms = now_ms;
        Ok(())
    }

    fn grow(&self, content: &mut Content, length: usize) -> Result<()> {
        let more = length - content.bytes.len();
        let taken = self
            .usage
            .bytes
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
                used.checked_add(more).filter(|all| *all <= MAX_BYTES)
            });
        taken.map_err(|_| FilesError::NoSpace)?;
        content.bytes.resize(length, 0);
        Ok(())
    }
}

impl Drop for File {
    fn drop(&mut self) {
        self.usage.entries.fetch_sub(1, Ordering::Relaxed);
        let content = self
            .content
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        self.usage
            .bytes
            .fetch_sub(content.bytes.len(), Ordering::Relaxed);
    }
}

impl Usage {
    fn next_number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn take_entry(&self) -> Result<()> {
        let taken = self
            .entries
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
                (used < MAX_ENTRIES).then_some(used + 1)
            });
        taken.map(|_| ()).map_err(|_| FilesError::NoSpace)
    }
}

impl Place {
    fn entry(&self) -> Result<Option<Entry>> {
        if self.name.is_empty() {
            return Ok(Some(Entry::Directory(self.directory.clone())));
        }
        Ok(self.directory.lock().get(&self.name).cloned())
    }
}

/// Whether a directory is `inner`, or has it, however deep.
fn has(outer: &Arc<Directory>, inner: &Arc<Directory>) -> bool {
    let mut rest = vec![outer.clone()];
    while let Some(directory) = rest.pop() {
        if Arc::ptr_eq(&directory, inner) {
            return true;
        }
        let entries = directory.lock();
        rest.extend(entries.values().filter_map(|entry| match entry {
            Entry::Directory(directory) => Some(directory.clone()),
            Entry::File(_) => None,
        }));
    }
    false
}

/// Follows all names of a path but the last.
fn place(base: &Arc<Directory>, path: &str) -> Result<Place> {
    let mut way = vec![base.clone()];
    let mut last: Option<&str> = None;
    for name in names(path)? {
        if let Some(before) = last.take() {
            let directory = way.last().expect("the base stays");
            let next = match directory.lock().get(before) {
                Some(Entry::Directory(directory)) => directory.clone(),
                Some(Entry::File(_)) => return Err(FilesError::NotDirectory),
                None => return Err(FilesError::NoEntry),
            };
            way.push(next);
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
    Ok(Place {
        directory: way.last().expect("checked at every `..`").clone(),
        name: last.unwrap_or_default().to_owned(),
    })
}

/// A panic while it was held has left nothing half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: Opening = Opening {
        create: true,
        exclusive: false,
        truncate: false,
        directory: false,
    };

    fn file(files: &MemoryFiles, path: &str) -> Arc<File> {
        match files.open(&files.root(), path, NEW, 1).unwrap() {
            Entry::File(file) => file,
            Entry::Directory(_) => panic!("{path} is a directory"),
        }
    }

    #[test]
    fn a_file_that_is_unlinked_stays_for_who_has_it_open() {
        let files = MemoryFiles::default();
        let open = file(&files, "a");
        open.write(Some(2), b"xy", 5).unwrap();
        files.unlink(&files.root(), "a").unwrap();
        assert!(matches!(
            files.find(&files.root(), "a"),
            Err(FilesError::NoEntry)
        ));
        let mut read = [9; 8];
        assert_eq!(open.read(0, &mut read), 4);
        assert_eq!(read[..4], *b"\0\0xy");
        assert_eq!(files.usage.bytes.load(Ordering::Relaxed), 4);
        drop(open);
        assert_eq!(files.usage.bytes.load(Ordering::Relaxed), 0);
        assert_eq!(files.usage.entries.load(Ordering::Relaxed), 1, "the root");
    }

    #[test]
    fn a_path_never_leaves_its_base() {
        let files = MemoryFiles::default();
        let root = files.root();
        files.create_directory(&root, "a").unwrap();
        files.create_directory(&root, "a/b").unwrap();
        let Entry::Directory(b) = files.find(&root, "a/./b/../b").unwrap() else {
            panic!()
        };
        for path in ["..", "../x", "c/../../x", "/tmp"] {
            assert!(
                matches!(
                    files.find(&b, path),
                    Err(FilesError::Outside | FilesError::NoEntry)
                ),
                "{path}"
            );
        }
        assert!(matches!(files.find(&b, ".."), Err(FilesError::Outside)));
        assert_eq!(
            files.rename((&root, "a"), (&root, "a/b/c")),
            Err(FilesError::Invalid)
        );
    }

    #[test]
    fn a_directory_is_not_moved_into_itself_by_whatever_way() {
        let files = MemoryFiles::default();
        let root = files.root();
        files.create_directory(&root, "a").unwrap();
        files.create_directory(&root, "a/b").unwrap();
        let Entry::Directory(inner) = files.find(&root, "a/b").unwrap() else {
            panic!("no directory")
        };
        for (base, path, error) in [
            (&root, "a/c", FilesError::Invalid),
            (&root, "a/b/c", FilesError::Invalid),
            (&inner, "c", FilesError::Invalid),
            (&inner, "../c", FilesError::Outside),
        ] {
            assert_eq!(files.rename((&root, "a"), (base, path)), Err(error));
        }
        assert!(files.find(&root, "a/b").is_ok());
    }

    #[test]
    fn space_and_entries_have_limits_and_come_back() {
        let files = MemoryFiles::default();
        let big = file(&files, "big");
        big.resize(MAX_BYTES as u64, 0).unwrap();
        assert_eq!(
            file(&files, "more").write(None, b"x", 0),
            Err(FilesError::NoSpace)
        );
        assert_eq!(big.write(Some(u64::MAX), b"x", 0), Err(FilesError::NoSpace));
        big.resize(0, 0).unwrap();
        file(&files, "more").write(None, b"x", 0).unwrap();
        let mut deepest = files.root();
        loop {
            match files.create_directory(&deepest, "d") {
                Err(FilesError::NoSpace) => break,
                made => made.unwrap(),
            }
            let Entry::Directory(next) = files.find(&deepest, "d").unwrap() else {
                panic!()
            };
            deepest = next;
        }
        drop((deepest, big));
        drop(files);
    }
}
