//! Values of the ABI in memory that the host has filled: slots of 16 bytes, and what they point to.
//! What the host gives is checked; a value that does not fit is a panic, since the two sides then
//! do not speak the same ABI.

use crate::sql::Value;

pub(crate) const SLOT: usize = 16;

pub(crate) const TAG_NULL: u8 = 0;
pub(crate) const TAG_BOOL: u8 = 1;
pub(crate) const TAG_I32: u8 = 2;
pub(crate) const TAG_F64: u8 = 3;
pub(crate) const TAG_STRING: u8 = 4;
pub(crate) const TAG_ARRAY: u8 = 5;
pub(crate) const TAG_I64: u8 = 7;
pub(crate) const TAG_BYTES: u8 = 8;

/// Bytes that begin at the address `base`; their pointers lead into them.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub bytes: &'a [u8],
    pub base: u32,
}

impl<'a> View<'a> {
    pub fn u32(self, at: usize) -> u32 {
        u32::from_le_bytes(self.eight_or_four(at))
    }

    pub fn i32(self, slot: usize) -> i32 {
        self.u32(slot + 4).cast_signed()
    }

    fn eight_or_four<const N: usize>(self, at: usize) -> [u8; N] {
        self.bytes[at..at + N].try_into().expect("it is N bytes")
    }

    fn target(self, at: usize) -> usize {
        let address = self.u32(at);
        let offset = address.checked_sub(self.base);
        offset.expect("the host's pointers lead into its value") as usize
    }

    /// What a string or bytes slot holds; nothing for another tag.
    pub fn text(self, slot: usize) -> &'a [u8] {
        if !matches!(self.bytes[slot], TAG_STRING | TAG_BYTES) {
            return &[];
        }
        let header = self.target(slot + 4);
        &self.bytes[header + 4..][..self.u32(header) as usize]
    }

    /// The offsets of the slots of an array.
    pub fn array(self, slot: usize) -> impl ExactSizeIterator<Item = usize> {
        assert_eq!(self.bytes[slot], TAG_ARRAY, "the host gave no array");
        let head = self.target(self.target(slot + 4));
        (0..self.u32(head + 4) as usize).map(move |index| head + 8 + index * SLOT)
    }

    /// A slot as a value of SQL.
    pub fn value(self, slot: usize) -> Value {
        match self.bytes[slot] {
            TAG_NULL => Value::Null,
            TAG_BOOL | TAG_I32 => Value::Integer(self.i32(slot).into()),
            TAG_F64 => Value::Real(f64::from_le_bytes(self.eight_or_four(slot + 8))),
            TAG_I64 => Value::Integer(i64::from_le_bytes(self.eight_or_four(slot + 8))),
            TAG_STRING => Value::Text(String::from_utf8_lossy(self.text(slot)).into_owned()),
            TAG_BYTES => Value::Blob(self.text(slot).to_vec()),
            tag => panic!("the host gave a value of the unknown tag {tag}"),
        }
    }
}
