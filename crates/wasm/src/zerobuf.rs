//! The memory layout that host and guest exchange, version 0: slots of 16 bytes, strings and bytes.
//!
//! Everything here works on plain slices of a linear memory. Whatever a guest wrote is only a claim:
//! each pointer and each length is checked against the memory before it is followed.

use std::ops::Range;

use bytes::Bytes;

/// Bytes of one slot.
pub(crate) const SLOT: usize = 16;
/// Slots of a request: the six of version 0, and null ones for the fan-out that begins at the seventh.
const REQUEST_SLOTS: usize = 10;
/// Slots of a response.
const RESPONSE_SLOTS: usize = 4;
/// Where a slot has its 32-bit payload.
const PAYLOAD: usize = 4;
/// Where a slot has its 64-bit payload.
const WIDE_PAYLOAD: usize = 8;
/// Bytes before a string: its length.
const LENGTH: usize = 4;

/// Bytes of the cell that an array's slot points to.
const CELL: usize = 4;
/// Bytes before the slots of an array: its capacity and its length.
const ARRAY_HEAD: usize = 8;

/// The kinds of slot that are exchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Tag {
    I32 = 2,
    F64 = 3,
    String = 4,
    Array = 5,
    I64 = 7,
    Bytes = 8,
}

/// A claim of the guest that is not true, in words.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Claim(pub String);

/// One value to write.
#[derive(Debug)]
pub(crate) enum Item<'a> {
    Null,
    I32(i32),
    I64(i64),
    F64(f64),
    /// A string, or bytes if it is not UTF-8.
    Text(&'a [u8]),
    /// The same, kept.
    Owned(Bytes),
    /// Bytes, whatever they are.
    Blob(Bytes),
    /// A pointer that is not to a string, under a string's tag: how the result of a fetch is given.
    Pointer(u32),
    Array(Vec<Item<'a>>),
}

impl Item<'_> {
    /// Bytes that it takes beside its slot; `None` above what a `usize` holds.
    fn extra(&self) -> Option<usize> {
        let text = |length: usize| (LENGTH + length).checked_next_multiple_of(4);
        match self {
            Self::Text(bytes) => text(bytes.len()),
            Self::Owned(bytes) | Self::Blob(bytes) => text(bytes.len()),
            Self::Array(items) => items_size(items.len(), items)?.checked_add(CELL + ARRAY_HEAD),
            Self::Null | Self::I32(_) | Self::I64(_) | Self::F64(_) | Self::Pointer(_) => Some(0),
        }
    }
}

/// The bytes that `items` take in `slots` slots and in data behind them.
fn items_size(slots: usize, items: &[Item<'_>]) -> Option<usize> {
    items
        .iter()
        .try_fold(slots * SLOT, |size, item| size.checked_add(item.extra()?))
}

/// A request or a result, laid out to be copied into a block of exactly [`Message::size`] bytes.
#[derive(Debug)]
pub(crate) struct Message<'a> {
    slots: usize,
    items: Vec<Item<'a>>,
    size: u32,
}

impl<'a> Message<'a> {
    /// A request: method, path, body, headers, at a replay the newest result with its index, and what
    /// is there from the seventh slot on.
    pub fn request(
        [method, path, body, headers]: [&'a [u8]; 4],
        replay: Option<(u32, i32)>,
        more: impl Iterator<Item = Item<'a>>,
    ) -> Option<Self> {
        let (result, index) = match replay {
            Some((result, index)) => (Item::Pointer(result), Item::I32(index)),
            None => (Item::Null, Item::Null),
        };
        let mut items = vec![
            Item::Text(method),
            Item::Text(path),
            Item::Text(body),
            Item::Text(headers),
            result,
            index,
        ];
        items.extend(more);
        Self::of(items.len().max(REQUEST_SLOTS), items)
    }

    /// Slots that follow each other, and what they point to.
    pub fn slots(items: Vec<Item<'a>>) -> Option<Self> {
        Self::of(items.len(), items)
    }

    fn of(slots: usize, items: Vec<Item<'a>>) -> Option<Self> {
        let size = u32::try_from(items_size(slots, &items)?).ok()?;
        Some(Self { slots, items, size })
    }

    /// Bytes that it takes.
    pub fn size(&self) -> u32 {
        self.size
    }

    /// Writes it to `base`, where the guest said that there is room.
    ///
    /// # Errors
    /// If the memory does not have these bytes.
    pub fn write(&self, memory: &mut [u8], base: u32) -> Result<(), Claim> {
        let range = range(memory.len(), base, self.size as usize).ok_or_else(|| {
            Claim(format!(
                "{base:#x} was given for {} bytes, which is not inside the memory of {} bytes",
                self.size,
                memory.len()
            ))
        })?;
        let mut block = Block {
            bytes: &mut memory[range],
            base,
            at: self.slots * SLOT,
        };
        block.bytes[..self.slots * SLOT].fill(0);
        block.items(0, &self.items);
        Ok(())
    }
}

/// A block that a message is written to. Its size was computed from the message, so all of it fits,
/// and every address in it fits a u32.
struct Block<'m> {
    bytes: &'m mut [u8],
    base: u32,
    /// Where the next data goes.
    at: usize,
}

impl Block<'_> {
    /// Fills the slots at `slots`, which are null.
    fn items(&mut self, slots: usize, items: &[Item<'_>]) {
        for (index, item) in items.iter().enumerate() {
            let slot = slots + index * SLOT;
            let (tag, payload) = match item {
                Item::Null => continue,
                Item::I32(value) => (Tag::I32, value.to_le_bytes()),
                Item::Pointer(pointer) => (Tag::String, pointer.to_le_bytes()),
                Item::I64(value) => {
                    self.put(slot + WIDE_PAYLOAD, &value.to_le_bytes());
                    (Tag::I64, [0; 4])
                }
                Item::F64(value) => {
                    self.put(slot + WIDE_PAYLOAD, &value.to_le_bytes());
                    (Tag::F64, [0; 4])
                }
                Item::Text(text) => self.text(text),
                Item::Owned(text) => self.text(text),
                Item::Blob(bytes) => (Tag::Bytes, self.string(bytes)),
                Item::Array(items) => (Tag::Array, self.array(items)),
            };
            self.bytes[slot] = tag as u8;
            self.put(slot + PAYLOAD, &payload);
        }
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    }

    fn text(&mut self, text: &[u8]) -> (Tag, [u8; 4]) {
        let tag = match std::str::from_utf8(text) {
            Ok(_) => Tag::String,
            Err(_) => Tag::Bytes,
        };
        (tag, self.string(text))
    }

    /// Adds a length and bytes; gives their address.
    fn string(&mut self, text: &[u8]) -> [u8; 4] {
        let start = self.at;
        self.put(start, &(text.len() as u32).to_le_bytes());
        self.put(start + LENGTH, text);
        copies::count(text.len());
        let end = start + LENGTH + text.len();
        self.at = end.next_multiple_of(4);
        self.bytes[end..self.at].fill(0);
        self.address(start)
    }

    /// Adds a cell, and an array behind it; gives the address of the cell.
    fn array(&mut self, items: &[Item<'_>]) -> [u8; 4] {
        let cell = self.at;
        let array = self.address(cell + CELL);
        let length = (items.len() as u32).to_le_bytes();
        self.put(cell, &array);
        self.put(cell + CELL, &length);
        self.put(cell + CELL + 4, &length);
        let slots = cell + CELL + ARRAY_HEAD;
        self.at = slots + items.len() * SLOT;
        self.bytes[slots..self.at].fill(0);
        self.items(slots, items);
        self.address(cell)
    }

    fn address(&self, at: usize) -> [u8; 4] {
        (self.base + at as u32).to_le_bytes()
    }
}

/// A value that a guest has written, still in its memory.
#[derive(Debug, PartialEq)]
pub(crate) enum Value<'m> {
    Null,
    Bool(bool),
    I32(i32),
    I64(i64),
    F64(f64),
    String(&'m [u8]),
    Bytes(&'m [u8]),
    Array(Slots<'m>),
}

/// Slots that follow each other in a guest's memory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Slots<'m> {
    memory: &'m [u8],
    slots: &'m [u8],
}

impl<'m> Slots<'m> {
    /// The `count` slots at `base`. `what` is how an error calls them.
    ///
    /// # Errors
    /// If they are not inside the memory.
    pub fn at(memory: &'m [u8], base: u32, count: u32, what: &str) -> Result<Self, Claim> {
        let length = count as usize * SLOT;
        // Languages give any address for what is empty.
        let base = if count == 0 { 0 } else { base };
        let slots = range(memory.len(), base, length).ok_or_else(|| {
            Claim(format!(
                "the {what} at {base:#x} with {count} slots is not inside the memory of {} bytes",
                memory.len()
            ))
        })?;
        Ok(Self {
            memory,
            slots: &memory[slots],
        })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.slots.len() / SLOT
    }

    /// The bytes of the strings among them, each as often as it is named. Nothing is copied.
    ///
    /// # Errors
    /// As [`Slots::values`].
    pub fn bytes(&self, what: &str) -> Result<usize, Claim> {
        self.values(what).try_fold(0_usize, |sum, value| {
            Ok(match value? {
                Value::String(bytes) | Value::Bytes(bytes) => sum.saturating_add(bytes.len()),
                _ => sum,
            })
        })
    }

    /// Reads each.
    pub fn values(&self, what: &str) -> impl Iterator<Item = Result<Value<'m>, Claim>> {
        let memory = self.memory;
        self.slots
            .chunks_exact(SLOT)
            .map(move |slot| value(memory, slot, what))
    }
}

fn value<'m>(memory: &'m [u8], slot: &'m [u8], what: &str) -> Result<Value<'m>, Claim> {
    let narrow = payload(slot);
    let wide = || {
        let wide = slot[WIDE_PAYLOAD..WIDE_PAYLOAD + 8].try_into();
        i64::from_le_bytes(wide.expect("the range has eight bytes"))
    };
    Ok(match slot[0] {
        0 => Value::Null,
        1 => Value::Bool(narrow != 0),
        2 => Value::I32(narrow.cast_signed()),
        3 => Value::F64(f64::from_bits(wide().cast_unsigned())),
        4 => Value::String(string(memory, narrow, what)?),
        5 => Value::Array(array(memory, narrow, what)?),
        7 => Value::I64(wide()),
        8 => Value::Bytes(string(memory, narrow, what)?),
        tag => {
            return Err(Claim(format!(
                "the {what} has a slot with the tag {tag}, which cannot be there"
            )));
        }
    })
}

/// The array whose cell is at `cell`.
fn array<'m>(memory: &'m [u8], cell: u32, what: &str) -> Result<Slots<'m>, Claim> {
    let word = |at: u32| {
        let word = range(memory.len(), at, 4).ok_or_else(|| {
            Claim(format!(
                "the {what} has an array at {at:#x}, which is not inside the memory of {} bytes",
                memory.len()
            ))
        })?;
        let word = memory[word].try_into();
        Ok(u32::from_le_bytes(word.expect("the range has four bytes")))
    };
    let head = word(cell)?;
    let length = word(head.saturating_add(4))?;
    Slots::at(memory, head.saturating_add(ARRAY_HEAD as u32), length, what)
}

/// A guest's answer, still in its memory.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer<'m> {
    pub status: i32,
    pub content_type: &'m [u8],
    pub body: &'m [u8],
    pub headers: &'m [u8],
}

impl<'m> Answer<'m> {
    /// Reads the answer that the guest says is at `base`.
    ///
    /// # Errors
    /// If any part of it is not inside the memory.
    pub fn read(memory: &'m [u8], base: u32) -> Result<Self, Claim> {
        let slots = range(memory.len(), base, RESPONSE_SLOTS * SLOT).ok_or_else(|| {
            Claim(format!(
                "handle_zerobuf returned {base:#x}, where the memory of {} bytes has no response",
                memory.len()
            ))
        })?;
        let slots = &memory[slots];
        let slot = |index: usize| &slots[index * SLOT..(index + 1) * SLOT];
        let headers = match slot(3)[0] == Tag::String as u8 {
            true => string(memory, payload(slot(3)), "headers of the response")?,
            false => &[],
        };
        Ok(Self {
            status: payload(slot(0)).cast_signed(),
            content_type: string(memory, payload(slot(1)), "content type of the response")?,
            body: string(memory, payload(slot(2)), "body of the response")?,
            headers,
        })
    }
}

fn payload(slot: &[u8]) -> u32 {
    u32::from_le_bytes(
        slot[PAYLOAD..PAYLOAD + 4]
            .try_into()
            .expect("the range has four bytes"),
    )
}

/// The string whose header is at `pointer`; a null pointer is an empty one.
fn string<'m>(memory: &'m [u8], pointer: u32, what: &str) -> Result<&'m [u8], Claim> {
    if pointer == 0 {
        return Ok(&[]);
    }
    let outside = |size: &str| {
        Claim(format!(
            "the {what} at {pointer:#x}{size} is not inside the memory of {} bytes",
            memory.len()
        ))
    };
    let header = range(memory.len(), pointer, LENGTH).ok_or_else(|| outside(""))?;
    let start = header.end;
    let length = u32::from_le_bytes(memory[header].try_into().expect("the range has four bytes"));
    let end = start
        .checked_add(length as usize)
        .filter(|end| *end <= memory.len())
        .ok_or_else(|| outside(&format!(" with {length} bytes")))?;
    Ok(&memory[start..end])
}

/// Where `length` bytes at `base` are, if a memory of `size` bytes has them.
pub(crate) fn range(size: usize, base: u32, length: usize) -> Option<Range<usize>> {
    let start = base as usize;
    let end = start.checked_add(length)?;
    (end <= size).then_some(start..end)
}

/// Copies a part of an answer out of the guest's memory.
pub(crate) fn copy_out(part: &[u8]) -> Bytes {
    copies::count(part.len());
    Bytes::copy_from_slice(part)
}

/// How often something large was copied between host and guest: only the tests ask.
pub(crate) mod copies {
    #[cfg(test)]
    pub static LARGE: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    /// Bytes from which on a copy is large.
    #[cfg(test)]
    pub const FROM: usize = 1 << 20;

    #[cfg(test)]
    pub fn count(bytes: usize) {
        if bytes >= FROM {
            LARGE.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        }
    }

    #[cfg(not(test))]
    pub fn count(_: usize) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message<'a>(parts: [&'a [u8]; 4], replay: Option<(u32, i32)>) -> Message<'a> {
        Message::request(parts, replay, std::iter::empty()).unwrap()
    }

    fn slot(memory: &[u8], base: usize, index: usize) -> (u8, u32) {
        let at = base + index * SLOT;
        (memory[at], payload(&memory[at..at + SLOT]))
    }

    #[test]
    fn a_request_has_six_slots_and_its_strings_behind_them() {
        let request = message([b"POST", b"/a?b", b"\xff\x00", b"host: x\n"], None);
        assert_eq!(request.size(), 160 + 8 + 8 + 8 + 12);
        let mut memory = vec![0xaa; 1_024];
        request.write(&mut memory, 64).unwrap();
        let text = |index| {
            let (tag, pointer) = slot(&memory, 64, index);
            (tag, string(&memory, pointer, "").unwrap().to_vec())
        };
        assert_eq!(text(0), (4, b"POST".to_vec()));
        assert_eq!(text(1), (4, b"/a?b".to_vec()));
        assert_eq!(text(2), (8, b"\xff\x00".to_vec()), "not UTF-8: bytes");
        assert_eq!(text(3), (4, b"host: x\n".to_vec()));
        for index in 4..10 {
            assert_eq!(slot(&memory, 64, index), (0, 0));
        }
        let end = 64 + request.size() as usize;
        assert!(
            memory[end..].iter().all(|byte| *byte == 0xaa),
            "not one byte more"
        );

        let replay = message([b"GET", b"/", b"", b""], Some((7, 1)));
        replay.write(&mut memory, 0).unwrap();
        assert_eq!(slot(&memory, 0, 4), (4, 7));
        assert_eq!(slot(&memory, 0, 5), (2, 1));
    }

    #[test]
    fn what_does_not_fit_is_not_written() {
        let request = message([b"GET", b"/", b"", b""], None);
        let mut memory = vec![0xaa; 256];
        for base in [256 - request.size() + 1, 256, u32::MAX] {
            assert!(request.write(&mut memory, base).is_err());
            assert!(memory.iter().all(|byte| *byte == 0xaa));
        }
        assert!(request.write(&mut memory, 256 - request.size()).is_ok());
    }

    #[test]
    fn no_answer_reads_outside_the_memory() {
        // Every word of the slots in turn is one of the numbers that are close to an edge.
        let size = 256;
        let edges = [
            0,
            1,
            3,
            63,
            64,
            191,
            192,
            193,
            251,
            252,
            253,
            256,
            1 << 31,
            u32::MAX - 3,
            u32::MAX,
        ];
        for base in edges {
            for at in 0..RESPONSE_SLOTS {
                for pointer in edges {
                    for length in edges {
                        let mut memory = vec![4_u8; size];
                        let word = |memory: &mut Vec<u8>, at: usize, value: u32| {
                            if at + 4 <= size {
                                memory[at..at + 4].copy_from_slice(&value.to_le_bytes());
                            }
                        };
                        word(&mut memory, (base as usize) + at * SLOT + PAYLOAD, pointer);
                        word(&mut memory, pointer as usize, length);
                        if let Ok(answer) = Answer::read(&memory, base) {
                            let inside = memory.as_ptr_range();
                            for part in [answer.content_type, answer.body, answer.headers] {
                                let part = part.as_ptr_range();
                                assert!(
                                    part.start == part.end
                                        || inside.start <= part.start && part.end <= inside.end
                                );
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let row = |n| {
            Item::Array(vec![
                Item::I64(n),
                Item::F64(-0.5),
                Item::Owned(Bytes::from_static(b"text")),
                Item::Blob(Bytes::from_static(b"blob")),
                Item::Null,
            ])
        };
        let items = vec![Item::I32(-1), Item::Array(vec![row(1), row(i64::MIN)])];
        let message = Message::slots(items).unwrap();
        let mut memory = vec![0xaa; 1_024];
        message.write(&mut memory, 96).unwrap();
        let end = 96 + message.size() as usize;
        assert!(memory[end..].iter().all(|byte| *byte == 0xaa));
        let slots = Slots::at(&memory, 96, 2, "message").unwrap();
        let values: Vec<_> = slots.values("message").map(Result::unwrap).collect();
        assert_eq!(values[0], Value::I32(-1));
        let Value::Array(rows) = &values[1] else {
            panic!("{values:?}")
        };
        for (row, first) in rows.values("rows").zip([1, i64::MIN]) {
            let Value::Array(row) = row.unwrap() else {
                panic!("no row")
            };
            let row: Vec<_> = row.values("row").map(Result::unwrap).collect();
            let expected = [
                Value::I64(first),
                Value::F64(-0.5),
                Value::String(b"text"),
                Value::Bytes(b"blob"),
                Value::Null,
            ];
            assert_eq!(row, expected);
        }
    }

    #[test]
    fn no_value_reads_outside_the_memory() {
        let edges = [
            0,
            1,
            15,
            16,
            60,
            61,
            63,
            64,
            65,
            1 << 31,
            u32::MAX - 7,
            u32::MAX,
        ];
        for tag in 0..10 {
            for pointer in edges {
                for inner in edges {
                    let mut memory = vec![0_u8; 64];
                    memory[0] = tag;
                    memory[4..8].copy_from_slice(&pointer.to_le_bytes());
                    for at in [16, 20, 24, 28] {
                        memory[at..at + 4].copy_from_slice(&inner.to_le_bytes());
                    }
                    let slots = Slots::at(&memory, 0, 1, "x").unwrap();
                    for value in slots.values("x").flatten() {
                        if let Value::Array(slots) = value {
                            slots.values("x").for_each(drop);
                        }
                    }
                }
            }
        }
        assert!(Slots::at(&[0; 64], 0, 5, "x").is_err());
        assert!(Slots::at(&[0; 64], 64, 1, "x").is_err());
        assert!(Slots::at(&[0; 64], u32::MAX, u32::MAX, "x").is_err());
    }
}
