//! Descriptors and paths: 0 to 2 are the standard streams, then come the directories that a guest
//! begins with, `/tmp` and in objects `/data`.

use super::{Errno, Output, Result, Wasi, view::View};
use crate::files::{Directory, Entry, File, Files, FilesError, Opening, Stat};

/// Most descriptors of one instance.
const MAX_DESCRIPTORS: usize = 256;
/// The first descriptor after the standard streams.
const FIRST_ROOT: u32 = 3;
/// Bytes of a directory's entry before its name.
const ENTRY_HEAD: usize = 24;

/// Bytes that one call reads or writes at most, because nothing interrupts it.
const MAX_TRANSFER: u32 = 1 << 20;
/// The same for standard output and error, where each byte may be a line of the log.
const MAX_PRINTED: u32 = 4 << 10;

/// Kinds of file, as guests know them.
const CHARACTER_DEVICE: u8 = 2;
const DIRECTORY: u8 = 3;
const REGULAR_FILE: u8 = 4;

/// Flags of an open file, and of opening one.
const APPEND: i32 = 1;
const OPEN_CREATE: i32 = 1;
const OPEN_DIRECTORY: i32 = 2;
const OPEN_EXCLUSIVE: i32 = 4;
const OPEN_TRUNCATE: i32 = 8;
/// Rights of a descriptor that matter here.
const RIGHT_READ: i64 = 1 << 1;
const RIGHT_WRITE: i64 = 1 << 6;

/// What an offset counts from.
const FROM_START: i32 = 0;
pub(super) const FROM_CURRENT: i32 = 1;
const FROM_END: i32 = 2;

enum Descriptor {
    Input,
    Output(Output),
    Directory(Directory),
    File(OpenFile),
}

pub(super) struct OpenFile {
    file: File,
    at: u64,
    flags: i32,
    rights: i64,
}

/// The descriptors of one instance.
pub(super) struct Descriptors {
    files: Files,
    open: Vec<Option<Descriptor>>,
}

impl From<FilesError> for Errno {
    fn from(error: FilesError) -> Self {
        match error {
            FilesError::CrossDevice => Self::XDEV,
            FilesError::Io => Self::IO,
            FilesError::Exists => Self::EXIST,
            FilesError::Invalid => Self::INVAL,
            FilesError::IsDirectory => Self::ISDIR,
            FilesError::NameTooLong => Self::NAMETOOLONG,
            FilesError::NoEntry => Self::NOENT,
            FilesError::NoSpace => Self::NOSPC,
            FilesError::NotDirectory => Self::NOTDIR,
            FilesError::NotEmpty => Self::NOTEMPTY,
            FilesError::Outside => Self::NOTCAPABLE,
            FilesError::TooLarge => Self::FBIG,
        }
    }
}

impl Descriptors {
    pub fn new(files: Files) -> Self {
        let mut open = vec![
            Some(Descriptor::Input),
            Some(Descriptor::Output(Output::Out)),
            Some(Descriptor::Output(Output::Error)),
        ];
        let roots = files.roots().into_iter();
        open.extend(roots.map(|(_, root)| Some(Descriptor::Directory(root))));
        Self { files, open }
    }

    /// The name of a directory that the guest begins with.
    fn root(&self, fd: u32) -> Result<&'static str> {
        let index = fd.checked_sub(FIRST_ROOT).ok_or(Errno::BADF)?;
        let root = self
            .files
            .roots()
            .get(index as usize)
            .map(|(name, _)| *name);
        root.ok_or(Errno::BADF)
    }

    fn get(&mut self, fd: u32) -> Result<&mut Descriptor> {
        let descriptor = self.open.get_mut(fd as usize).and_then(Option::as_mut);
        descriptor.ok_or(Errno::BADF)
    }

    pub fn known(&mut self, fd: u32) -> Result {
        self.get(fd).map(drop)
    }

    pub fn file(&mut self, fd: u32) -> Result<&mut OpenFile> {
        match self.get(fd)? {
            Descriptor::File(file) => Ok(file),
            Descriptor::Directory(_) => Err(Errno::ISDIR),
            _ => Err(Errno::SPIPE),
        }
    }

    fn directory(&mut self, fd: u32) -> Result<Directory> {
        match self.get(fd)? {
            Descriptor::Directory(directory) => Ok(directory.clone()),
            _ => Err(Errno::NOTDIR),
        }
    }

    fn add(&mut self, descriptor: Descriptor) -> Result<u32> {
        let free = self.open.iter().position(Option::is_none);
        let index = free.unwrap_or(self.open.len());
        if index >= MAX_DESCRIPTORS {
            return Err(Errno::MFILE);
        }
        if index == self.open.len() {
            self.open.push(None);
        }
        self.open[index] = Some(descriptor);
        Ok(index as u32)
    }

    pub fn close(&mut self, fd: u32) -> Result {
        self.get(fd)?;
        self.open[fd as usize] = None;
        Ok(())
    }

    pub fn renumber(&mut self, from: u32, to: u32) -> Result {
        self.get(from)?;
        self.get(to)?;
        if from != to {
            self.open[to as usize] = self.open[from as usize].take();
        }
        Ok(())
    }
}

pub(super) fn fdstat_get(wasi: &mut Wasi, view: &mut View<'_>, fd: u32, out: u32) -> Result {
    let (kind, flags, rights) = match wasi.descriptors.get(fd)? {
        Descriptor::Input => (CHARACTER_DEVICE, 0, RIGHT_READ),
        Descriptor::Output(_) => (CHARACTER_DEVICE, 0, RIGHT_WRITE),
        Descriptor::Directory(_) => (DIRECTORY, 0, i64::MAX),
        Descriptor::File(file) => (REGULAR_FILE, file.flags, file.rights),
    };
    let stat = view.range_mut(out, 24)?;
    stat.fill(0);
    stat[0] = kind;
    // Only the low flags are known, so two bytes have them all.
    stat[2..4].copy_from_slice(&(flags as u16).to_le_bytes());
    stat[8..16].copy_from_slice(&rights.to_le_bytes());
    stat[16..24].copy_from_slice(&i64::MAX.to_le_bytes());
    Ok(())
}

pub(super) fn fdstat_set_flags(wasi: &mut Wasi, _: &mut View<'_>, fd: u32, flags: i32) -> Result {
    if let Descriptor::File(file) = wasi.descriptors.get(fd)? {
        file.flags = flags & APPEND;
    }
    Ok(())
}

fn put_filestat(view: &mut View<'_>, out: u32, found: &Stat) -> Result {
    let modified = u64::try_from(found.modified_ms).unwrap_or(0) * 1_000_000;
    let stat = view.range_mut(out, 64)?;
    stat.fill(0);
    stat[8..16].copy_from_slice(&found.number.to_le_bytes());
    stat[16] = kind(found);
    stat[24..32].copy_from_slice(&1_u64.to_le_bytes());
    stat[32..40].copy_from_slice(&found.size.to_le_bytes());
    for time in stat[40..64].chunks_exact_mut(8) {
        time.copy_from_slice(&modified.to_le_bytes());
    }
    Ok(())
}

fn kind(found: &Stat) -> u8 {
    match found.is_directory {
        true => DIRECTORY,
        false => REGULAR_FILE,
    }
}

pub(super) fn fd_filestat_get(wasi: &mut Wasi, view: &mut View<'_>, fd: u32, out: u32) -> Result {
    let entry = match wasi.descriptors.get(fd)? {
        Descriptor::File(file) => Entry::File(file.file.clone()),
        Descriptor::Directory(directory) => Entry::Directory(directory.clone()),
        _ => {
            let stat = view.range_mut(out, 64)?;
            stat.fill(0);
            stat[16] = CHARACTER_DEVICE;
            return Ok(());
        }
    };
    let stat = wasi.descriptors.files.stat(&entry)?;
    put_filestat(view, out, &stat)
}

pub(super) fn path_filestat_get(
    wasi: &mut Wasi,
    view: &mut View<'_>,
    fd: u32,
    _follow: i32,
    path: u32,
    length: u32,
    out: u32,
) -> Result {
    let base = wasi.descriptors.directory(fd)?;
    let path = view.path(path, length)?;
    let stat = wasi.descriptors.files.find(&base, path)?;
    put_filestat(view, out, &stat)
}

pub(super) fn set_size(wasi: &mut Wasi, _: &mut View<'_>, fd: u32, size: i64) -> Result {
    let now = wasi.host.unix_ms();
    let file = writable(wasi.descriptors.file(fd)?)?.file.clone();
    let size = u64::try_from(size).map_err(|_| Errno::INVAL)?;
    Ok(wasi.descriptors.files.resize(&file, size, now)?)
}

pub(super) fn prestat_get(wasi: &mut Wasi, view: &mut View<'_>, fd: u32, out: u32) -> Result {
    let name = wasi.descriptors.root(fd)?;
    view.put_u32(out, 0)?;
    view.put_u32(out.checked_add(4).ok_or(Errno::FAULT)?, name.len() as u32)
}

pub(super) fn prestat_dir_name(
    wasi: &mut Wasi,
    view: &mut View<'_>,
    fd: u32,
    into: u32,
    size: u32,
) -> Result {
    let name = wasi.descriptors.root(fd)?.as_bytes();
    if (size as usize) < name.len() {
        return Err(Errno::NAMETOOLONG);
    }
    view.range_mut(into, name.len() as u32)?
        .copy_from_slice(name);
    Ok(())
}

pub(super) fn read(
    wasi: &mut Wasi,
    view: &mut View<'_>,
    fd: u32,
    (vectors, count): (u32, u32),
    offset: Option<u64>,
    out: u32,
) -> Result {
    let descriptors: &mut Descriptors = &mut wasi.descriptors;
    let open = match descriptors
        .open
        .get_mut(fd as usize)
        .and_then(Option::as_mut)
        .ok_or(Errno::BADF)?
    {
        Descriptor::File(file) => file,
        Descriptor::Input if offset.is_none() => return view.put_u32(out, 0),
        Descriptor::Input => return Err(Errno::SPIPE),
        Descriptor::Directory(_) => return Err(Errno::ISDIR),
        Descriptor::Output(_) => return Err(Errno::BADF),
    };
    if open.rights & RIGHT_READ == 0 {
        return Err(Errno::BADF);
    }
    let buffers = view.buffers(vectors, count, MAX_TRANSFER)?;
    let mut at = offset.unwrap_or(open.at);
    let mut total = 0;
    for (to, length) in buffers {
        let into = view.range_mut(to, length)?;
        let read = descriptors.files.read(&open.file, at, into)?;
        at += read as u64;
        total += read as u32;
        if read < length as usize {
            break;
        }
    }
    if offset.is_none() {
        open.at = at;
    }
    view.put_u32(out, total)
}

pub(super) fn write(
    wasi: &mut Wasi,
    view: &mut View<'_>,
    fd: u32,
    (vectors, count): (u32, u32),
    offset: Option<u64>,
    out: u32,
) -> Result {
    let limit = match wasi.descriptors.get(fd)? {
        Descriptor::Output(_) => MAX_PRINTED,
        _ => MAX_TRANSFER,
    };
    let buffers = view.buffers(vectors, count, limit)?;
    let now = wasi.host.unix_ms();
    let total = buffers.iter().map(|(_, length)| length).sum();
    let descriptors: &mut Descriptors = &mut wasi.descriptors;
    let open = descriptors
        .open
        .get_mut(fd as usize)
        .and_then(Option::as_mut);
    match open.ok_or(Errno::BADF)? {
        Descriptor::Output(output) if offset.is_none() => {
            let output = *output;
            for (from, length) in buffers {
                wasi.print(output, view.range(from, length)?);
            }
        }
        Descriptor::Output(_) => return Err(Errno::SPIPE),
        Descriptor::Input => return Err(Errno::BADF),
        Descriptor::Directory(_) => return Err(Errno::ISDIR),
        Descriptor::File(open) => {
            let open = writable(open)?;
            let appends = open.flags & APPEND != 0 && offset.is_none();
            let mut at = offset.unwrap_or(open.at);
            // One write, however many buffers: each is a matter of the database.
            let mut gathered = Vec::new();
            let bytes = match buffers[..] {
                [(from, length)] => view.range(from, length)?,
                _ => {
                    for (from, length) in buffers {
                        gathered.extend_from_slice(view.range(from, length)?);
                    }
                    &gathered
                }
            };
            let place = (!appends).then_some(at);
            at = descriptors.files.write(&open.file, place, bytes, now)?;
            if offset.is_none() {
                open.at = at;
            }
        }
    }
    view.put_u32(out, total)
}

fn writable(open: &mut OpenFile) -> Result<&mut OpenFile> {
    if open.rights & RIGHT_WRITE == 0 {
        return Err(Errno::BADF);
    }
    Ok(open)
}

pub(super) fn seek(
    wasi: &mut Wasi,
    view: &mut View<'_>,
    fd: u32,
    offset: i64,
    whence: i32,
    out: u32,
) -> Result {
    let open = wasi.descriptors.file(fd)?;
    let (file, at) = (open.file.clone(), open.at);
    let base = match whence {
        FROM_START => 0,
        FROM_CURRENT => at,
        FROM_END => wasi.descriptors.files.size(&file)?,
        _ => return Err(Errno::INVAL),
    };
    let at = base.checked_add_signed(offset).ok_or(Errno::INVAL)?;
    wasi.descriptors.file(fd)?.at = at;
    view.put_u64(out, at)
}

pub(super) fn readdir(
    wasi: &mut Wasi,
    view: &mut View<'_>,
    fd: u32,
    into: u32,
    size: u32,
    cookie: i64,
    out: u32,
) -> Result {
    let directory = wasi.descriptors.directory(fd)?;
    let skip = usize::try_from(cookie).map_err(|_| Errno::INVAL)?;
    let buffer = view.range_mut(into, size)?;
    let (mut at, mut next) = (0, skip as u64);
    wasi.descriptors
        .files
        .list(&directory, skip, |name, found| {
            next += 1;
            let mut head = [0; ENTRY_HEAD];
            head[..8].copy_from_slice(&next.to_le_bytes());
            head[8..16].copy_from_slice(&found.number.to_le_bytes());
            head[16..20].copy_from_slice(&(name.len() as u32).to_le_bytes());
            head[20] = kind(found);
            // An entry that does not fit is cut off, which tells the guest to ask again with more room.
            for part in [&head[..], name.as_bytes()] {
                let length = part.len().min(buffer.len() - at);
                buffer[at..at + length].copy_from_slice(&part[..length]);
                at += length;
            }
            at < buffer.len()
        })?;
    view.put_u32(out, at as u32)
}

pub(super) fn open(
    wasi: &mut Wasi,
    view: &mut View<'_>,
    fd: u32,
    (path, length): (u32, u32),
    (opening, rights, flags): (i32, i64, i32),
    out: u32,
) -> Result {
    let now = wasi.host.unix_ms();
    let base = wasi.descriptors.directory(fd)?;
    // Checked before anything is made.
    view.range(out, 4)?;
    let opening = Opening {
        create: opening & OPEN_CREATE != 0,
        exclusive: opening & OPEN_EXCLUSIVE != 0,
        truncate: opening & OPEN_TRUNCATE != 0,
        directory: opening & OPEN_DIRECTORY != 0,
    };
    let entry = wasi
        .descriptors
        .files
        .open(&base, view.path(path, length)?, opening, now)?;
    let opened = wasi.descriptors.add(match entry {
        Entry::Directory(directory) => Descriptor::Directory(directory),
        Entry::File(file) => Descriptor::File(OpenFile {
            file,
            at: 0,
            flags: flags & APPEND,
            rights,
        }),
    })?;
    view.put_u32(out, opened)
}

pub(super) fn create_directory(
    wasi: &mut Wasi,
    view: &mut View<'_>,
    fd: u32,
    path: u32,
    length: u32,
) -> Result {
    let now = wasi.host.unix_ms();
    let base = wasi.descriptors.directory(fd)?;
    let path = view.path(path, length)?;
    Ok(wasi.descriptors.files.create_directory(&base, path, now)?)
}

pub(super) fn remove_directory(
    wasi: &mut Wasi,
    view: &mut View<'_>,
    fd: u32,
    path: u32,
    length: u32,
) -> Result {
    let base = wasi.descriptors.directory(fd)?;
    let path = view.path(path, length)?;
    Ok(wasi.descriptors.files.remove_directory(&base, path)?)
}

pub(super) fn unlink(
    wasi: &mut Wasi,
    view: &mut View<'_>,
    fd: u32,
    path: u32,
    length: u32,
) -> Result {
    let base = wasi.descriptors.directory(fd)?;
    let path = view.path(path, length)?;
    Ok(wasi.descriptors.files.unlink(&base, path)?)
}

pub(super) fn rename(
    wasi: &mut Wasi,
    view: &mut View<'_>,
    (from, path, length): (u32, u32, u32),
    (to, new, new_length): (u32, u32, u32),
) -> Result {
    let from = wasi.descriptors.directory(from)?;
    let to = wasi.descriptors.directory(to)?;
    let (path, new) = (view.path(path, length)?, view.path(new, new_length)?);
    Ok(wasi.descriptors.files.rename((&from, path), (&to, new))?)
}
