//! What one instance of a component may take: memory, tables, and parts.

use wasmtime::ResourceLimiter;

/// Entries that all tables of one instance may have together.
const MAX_TABLE_ELEMENTS: usize = 1 << 20;
/// Core instances of one component. A component of a language with shared libraries has one for each.
const MAX_INSTANCES: usize = 256;
const MAX_MEMORIES: usize = 16;
const MAX_TABLES: usize = 256;

/// What is left of it. Memories and tables only grow.
pub(crate) struct Limits {
    memory_left: usize,
    elements_left: usize,
}

impl Limits {
    /// `memory`: bytes that all memories may have together.
    pub fn new(memory: usize) -> Self {
        Self {
            memory_left: memory,
            elements_left: MAX_TABLE_ELEMENTS,
        }
    }
}

/// Takes what a growth needs; `false` if there is not as much.
fn take(left: &mut usize, current: usize, desired: usize) -> bool {
    let rest = left.checked_sub(desired.saturating_sub(current));
    *left = rest.unwrap_or(*left);
    rest.is_some()
}

impl ResourceLimiter for Limits {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(take(&mut self.memory_left, current, desired))
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(take(&mut self.elements_left, current, desired))
    }

    fn instances(&self) -> usize {
        MAX_INSTANCES
    }

    fn tables(&self) -> usize {
        MAX_TABLES
    }

    fn memories(&self) -> usize {
        MAX_MEMORIES
    }
}
