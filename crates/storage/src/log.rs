//! Arithmetic of a write-ahead log: how many frames are committed, how many of them are durable, and how far the
//! file has been filled. A generation is what SQLite writes between two starts from the beginning of the file.

use std::fs::File;
use std::os::unix::fs::FileExt;

/// Bytes before the first frame, and before the page in each frame.
pub(crate) const HEADER_BYTES: u64 = 32;
const FRAME_HEADER_BYTES: u64 = 24;

/// An object is hot, and its log worth filling in advance, once a generation has this many frames.
const HOT_FRAMES: u32 = 32;
/// Zeros written at a time.
const CHUNK_BYTES: u64 = 256 * 1024;
static ZEROS: [u8; CHUNK_BYTES as usize] = [0; CHUNK_BYTES as usize];

/// Invariant: `durable <= frames`, both of the current generation.
#[derive(Debug, Default)]
pub(crate) struct Log {
    page_bytes: u32,
    frames: u32,
    durable: u32,
    /// Bytes of the file known to be written, now or by an earlier generation.
    filled: u64,
}

impl Log {
    pub fn opened(&mut self, page_bytes: u32, frames: u32) {
        *self = Log {
            page_bytes,
            frames,
            durable: frames,
            filled: 0,
        };
    }

    pub fn committed(&mut self, frames: u32) {
        debug_assert!(
            frames > self.frames,
            "a generation only grows; ended() comes between two of them"
        );
        self.frames = frames;
    }

    pub fn synced(&mut self, frames: u32) {
        debug_assert!(self.durable <= frames && frames <= self.frames);
        self.durable = frames;
    }

    /// The database file has it all.
    pub fn ended(&mut self) {
        self.filled = self.filled.max(self.bytes(self.frames));
        self.frames = 0;
        self.durable = 0;
    }

    pub fn frames(&self) -> u32 {
        self.frames
    }

    pub fn has_undurable(&self) -> bool {
        self.frames > self.durable
    }

    pub fn durable_bytes(&self) -> u64 {
        if self.durable == 0 {
            0
        } else {
            self.bytes(self.durable)
        }
    }

    fn bytes(&self, frames: u32) -> u64 {
        HEADER_BYTES + u64::from(frames) * (FRAME_HEADER_BYTES + u64::from(self.page_bytes))
    }

    /// Fills the file ahead of a hot object's commits, because syncing a file that grows costs a journal write of the
    /// file system each time. Runs on the thread that writes frames: another one could lay zeros over a new frame.
    pub fn preallocate(&mut self, file: &File) {
        let used = self.bytes(self.frames);
        if self.frames < HOT_FRAMES || used + CHUNK_BYTES / 4 < self.filled {
            return;
        }
        // The file may be longer than we know: an earlier generation, or transactions rolled back.
        let Ok(length) = file.metadata().map(|metadata| metadata.len()) else {
            return;
        };
        self.filled = self.filled.max(length);
        if used + CHUNK_BYTES / 4 < self.filled {
            return;
        }
        let start = self.filled;
        // Only a help: if the disk is full, the commit itself will say so.
        if file.write_all_at(&ZEROS, start).is_ok() {
            self.filled = start + CHUNK_BYTES;
        }
    }
}
