//! Which objects were written already, and under which id.
//!
//! Every object is held until the end: a getter may drop the last reference to one that is written,
//! and a new object at its address must not pass for it.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::engine::{Held, Raw};

/// Up to here a scan of the list beats a hash table; most values are smaller.
const SCAN_LIMIT: usize = 12;

#[derive(Default)]
pub(super) struct Seen<'a> {
    /// By id.
    objects: Vec<Held<'a>>,
    /// Address to id, once there are more than `SCAN_LIMIT`.
    index: HashMap<usize, u32, BuildHasherDefault<AddressHasher>>,
}

impl<'a> Seen<'a> {
    /// The id of `object`, if it has one.
    pub(super) fn find(&self, object: Raw) -> Option<u32> {
        let address = object.address();
        if self.index.is_empty() {
            let found = self
                .objects
                .iter()
                .position(|held| held.raw().address() == address);
            return found.map(|id| id as u32);
        }
        self.index.get(&address).copied()
    }

    /// Gives `object` the next id.
    pub(super) fn insert(&mut self, object: Held<'a>) {
        let id = self.objects.len() as u32;
        if self.index.is_empty() {
            if self.objects.len() >= SCAN_LIMIT {
                let addresses = self.objects.iter().map(|held| held.raw().address());
                self.index = addresses.zip(0..).collect();
                self.index.insert(object.raw().address(), id);
            }
        } else {
            self.index.insert(object.raw().address(), id);
        }
        self.objects.push(object);
    }
}

/// Addresses are already spread out; one multiplication moves their high bits to where the table looks.
#[derive(Default)]
struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn write(&mut self, _: &[u8]) {
        unreachable!("only addresses are hashed");
    }

    fn write_usize(&mut self, address: usize) {
        self.0 = ((address as u64) >> 4).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
