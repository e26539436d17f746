//! Values of the ABI in one piece, for the host to read: slots, and behind them what they point to.

use crate::{
    sql::Value,
    view::{SLOT, TAG_ARRAY, TAG_BYTES, TAG_F64, TAG_I32, TAG_I64, TAG_STRING},
};

#[derive(Default)]
pub(crate) struct Block {
    bytes: Vec<u8>,
    /// Where pointers are, which count from the block's begin until it is placed.
    pointers: Vec<usize>,
}

impl Block {
    /// Makes it `slots` null slots, in the memory that it has.
    pub fn reset(&mut self, slots: usize) {
        self.bytes.clear();
        self.bytes.resize(slots * SLOT, 0);
        self.pointers.clear();
    }

    pub fn new(slots: usize) -> Self {
        let mut block = Self::default();
        block.reset(slots);
        block
    }

    /// Bytes that it could hold without more memory.
    pub fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    fn tag(&mut self, slot: usize, tag: u8) -> usize {
        self.bytes[slot * SLOT] = tag;
        slot * SLOT
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    }

    fn point(&mut self, at: usize, target: usize) {
        let target = u32::try_from(target).expect("a block is smaller than the memory");
        self.put(at, &target.to_le_bytes());
        self.pointers.push(at);
    }

    pub fn i32(&mut self, slot: usize, value: i32) {
        let at = self.tag(slot, TAG_I32);
        self.put(at + 4, &value.to_le_bytes());
    }

    pub fn string(&mut self, slot: usize, text: &str) {
        self.text(slot, TAG_STRING, text.as_bytes());
    }

    pub fn bytes(&mut self, slot: usize, bytes: &[u8]) {
        self.text(slot, TAG_BYTES, bytes);
    }

    fn text(&mut self, slot: usize, tag: u8, text: &[u8]) {
        let length = u32::try_from(text.len()).expect("it is in memory, which has 32 bits");
        let at = self.tag(slot, tag);
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        self.point(at + 4, self.bytes.len());
        self.bytes.extend_from_slice(&length.to_le_bytes());
        self.bytes.extend_from_slice(text);
    }

    /// A parameter of a statement.
    pub fn value(&mut self, slot: usize, value: &Value) {
        match value {
            Value::Null => {}
            Value::Integer(value) => {
                let at = self.tag(slot, TAG_I64);
                self.put(at + 8, &value.to_le_bytes());
            }
            Value::Real(value) => {
                let at = self.tag(slot, TAG_F64);
                self.put(at + 8, &value.to_le_bytes());
            }
            Value::Text(text) => self.string(slot, text),
            Value::Blob(bytes) => self.bytes(slot, bytes),
        }
    }

    /// A block of one slot: an array of strings.
    pub fn strings(texts: &[String]) -> Self {
        // The slot, its cell, the head of the array, and the slots of the array.
        const CELL: usize = SLOT;
        const HEAD: usize = 2 * SLOT + 8;
        const FIRST: usize = 3;
        let mut block = Self::new(FIRST + texts.len());
        let count = u32::try_from(texts.len()).expect("it is in memory, which has 32 bits");
        let at = block.tag(0, TAG_ARRAY);
        block.point(at + 4, CELL);
        block.point(CELL, HEAD);
        block.put(HEAD, &count.to_le_bytes());
        block.put(HEAD + 4, &count.to_le_bytes());
        for (index, text) in texts.iter().enumerate() {
            block.string(FIRST + index, text);
        }
        block
    }

    /// Turns the pointers into addresses, and gives the block's own. It stays there until the block
    /// is changed or dropped.
    pub fn place(&mut self) -> *const u8 {
        // Addresses have 32 bits in a module.
        let base = self.bytes.as_ptr().addr() as u32;
        self.place_at(base);
        self.bytes.as_ptr()
    }

    fn place_at(&mut self, base: u32) {
        for at in std::mem::take(&mut self.pointers) {
            let offset: [u8; 4] = self.bytes[at..at + 4].try_into().expect("it is 4 bytes");
            let address = u32::from_le_bytes(offset).wrapping_add(base);
            self.put(at, &address.to_le_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::View;

    const BASE: u32 = 0x10_0000;

    fn placed(mut block: Block) -> Vec<u8> {
        block.place_at(BASE);
        block.bytes
    }

    #[test]
    fn what_a_block_holds_is_read_again() {
        let values = [
            Value::Null,
            Value::Integer(i64::MIN),
            Value::Real(-0.5),
            Value::Text("grüße".to_owned()),
            Value::Blob(vec![0, 255, 7]),
            Value::Text(String::new()),
        ];
        let mut block = Block::new(values.len());
        for (slot, value) in values.iter().enumerate() {
            block.value(slot, value);
        }
        let bytes = placed(block);
        let view = View {
            bytes: &bytes,
            base: BASE,
        };
        for (slot, value) in values.iter().enumerate() {
            assert_eq!(view.value(slot * SLOT), *value);
        }
    }

    #[test]
    fn an_array_of_strings_is_read_again() {
        let texts = [
            "http://a/".to_owned(),
            String::new(),
            "http://b/?c=d".to_owned(),
        ];
        let bytes = placed(Block::strings(&texts));
        let view = View {
            bytes: &bytes,
            base: BASE,
        };
        let read: Vec<_> = view.array(0).map(|slot| view.text(slot).to_vec()).collect();
        assert_eq!(read, texts.map(String::into_bytes));
    }

    #[test]
    fn every_header_is_aligned_for_the_host() {
        let mut block = Block::new(3);
        for (slot, text) in ["a", "abc", "abcde"].into_iter().enumerate() {
            block.string(slot, text);
        }
        let bytes = placed(block);
        let view = View {
            bytes: &bytes,
            base: BASE,
        };
        for slot in 0..3 {
            assert_eq!(view.u32(slot * SLOT + 4) % 4, 0);
        }
    }

    #[test]
    #[should_panic(expected = "lead into its value")]
    fn a_pointer_to_before_the_value_is_refused() {
        let mut block = Block::new(1);
        block.string(0, "text");
        let bytes = placed(block);
        View {
            bytes: &bytes,
            base: BASE + 64,
        }
        .text(0);
    }
}
