//! What the memories and tables of one context may use together.

use std::rc::Rc;

use wasmtime::{Error, ResourceLimiter, Result};

use super::{on_turn::OnTurn, store::Shared};

/// Largest memory that JavaScript can look at: an `ArrayBuffer` of QuickJS has a signed 32-bit length.
const LARGEST_MEMORY: usize = (1 << 31) - (64 << 10);
/// Bytes of an entry of a table.
const TABLE_ENTRY: usize = 8;
/// Memories that the instances of one context have by themselves, and as many that JavaScript has.
/// Each takes 4 GiB of addresses.
pub(super) const MAX_MEMORIES: usize = 64;
/// The same of tables.
pub(super) const MAX_TABLES: usize = 1024;

pub(super) struct Limits {
    shared: OnTurn<Rc<Shared>>,
    used: usize,
    most: usize,
    /// What the growth before added, in case it fails.
    last: usize,
}

impl Limits {
    pub fn new(shared: Rc<Shared>, most: usize) -> Self {
        Self {
            shared: OnTurn(shared),
            used: 0,
            most,
            last: 0,
        }
    }

    fn grow(&mut self, by: usize) -> bool {
        let fits = by <= self.most - self.used;
        if fits {
            self.used += by;
            self.last = by;
        } else {
            self.shared.refused.set(true);
        }
        fits
    }
}

impl ResourceLimiter for Limits {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool> {
        if desired > LARGEST_MEMORY || maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        self.shared.grown.set(true);
        Ok(self.grow(desired.saturating_sub(current)))
    }

    fn memory_grow_failed(&mut self, _error: Error) -> Result<()> {
        self.used -= std::mem::take(&mut self.last);
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        Ok(self.grow(desired.saturating_sub(current).saturating_mul(TABLE_ENTRY)))
    }

    fn table_grow_failed(&mut self, _error: Error) -> Result<()> {
        self.used -= std::mem::take(&mut self.last);
        Ok(())
    }

    fn memories(&self) -> usize {
        MAX_MEMORIES
    }

    fn tables(&self) -> usize {
        MAX_TABLES
    }
}
