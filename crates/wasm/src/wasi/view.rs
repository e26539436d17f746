//! A guest's memory during one call: every access checks its pointer.

use super::{Errno, Result};
use crate::zerobuf::range;

pub(super) struct View<'m>(&'m mut [u8]);

/// Most buffers of one read or write.
const MAX_VECTORS: u32 = 1_024;
/// Longest path in bytes.
const MAX_PATH: u32 = 4_096;

/// A buffer that the guest names: where, and how many bytes.
pub(super) type Buffer = (u32, u32);

impl<'m> View<'m> {
    pub fn new(memory: &'m mut [u8]) -> Self {
        Self(memory)
    }

    pub fn range(&self, at: u32, length: u32) -> Result<&[u8]> {
        let range = range(self.0.len(), at, length as usize).ok_or(Errno::FAULT)?;
        Ok(&self.0[range])
    }

    pub fn range_mut(&mut self, at: u32, length: u32) -> Result<&mut [u8]> {
        let range = range(self.0.len(), at, length as usize).ok_or(Errno::FAULT)?;
        Ok(&mut self.0[range])
    }

    pub fn put_u32(&mut self, at: u32, value: u32) -> Result {
        self.range_mut(at, 4)?.copy_from_slice(&value.to_le_bytes());
        Ok(())
    }

    pub fn put_u64(&mut self, at: u32, value: u64) -> Result {
        self.range_mut(at, 8)?.copy_from_slice(&value.to_le_bytes());
        Ok(())
    }

    /// A path, as text.
    pub fn path(&self, at: u32, length: u32) -> Result<&str> {
        if length > MAX_PATH {
            return Err(Errno::NAMETOOLONG);
        }
        std::str::from_utf8(self.range(at, length)?).map_err(|_| Errno::INVAL)
    }

    /// The buffers of a read or write, each inside the memory. What is beyond `limit` bytes in all is
    /// left out: a call may do less than it was asked for, and the guest asks again.
    pub fn buffers(&self, at: u32, count: u32, limit: u32) -> Result<Vec<Buffer>> {
        if count > MAX_VECTORS {
            return Err(Errno::INVAL);
        }
        let mut left = limit;
        let word =
            |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().expect("a word has four bytes"));
        self.range(at, count * 8)?
            .chunks_exact(8)
            .map(|vector| {
                let (base, length) = (word(&vector[..4]), word(&vector[4..]));
                self.range(base, length)?;
                let length = length.min(left);
                left -= length;
                Ok((base, length))
            })
            .collect()
    }
}
