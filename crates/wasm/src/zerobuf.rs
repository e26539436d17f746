//! The memory layout that host and guest exchange, version 0: slots of 16 bytes, strings and bytes.
//!
//! Everything here works on plain slices of a linear memory. Whatever a guest wrote is only a claim:
//! each pointer and each length is checked against the memory before it is followed.

use std::ops::Range;

/// Bytes of one slot.
pub(crate) const SLOT: usize = 16;
/// Slots of a request: the six of version 0, and null ones for the fan-out that begins at the seventh.
const REQUEST_SLOTS: usize = 10;
/// Slots of a response.
const RESPONSE_SLOTS: usize = 4;
/// Slots of the result of a fetch: status, type and body, then headers, which old guests do not read.
const RESULT_SLOTS: usize = 4;
/// Where a slot has its 32-bit payload.
const PAYLOAD: usize = 4;
/// Bytes before a string: its length.
const LENGTH: usize = 4;

/// The kinds of slot that are exchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Tag {
    I32 = 2,
    String = 4,
    Bytes = 8,
}

/// A claim of the guest that is not true, in words.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Claim(pub String);

/// One value to write.
pub(crate) enum Item<'a> {
    Null,
    I32(i32),
    /// A string, or bytes if it is not UTF-8.
    Text(&'a [u8]),
    /// A pointer that is not to a string, under a string's tag: how the result of a fetch is given.
    Pointer(u32),
}

/// The bytes that `items` take in slots and data together; `None` above 4 GiB.
fn size(slots: usize, items: &[Item<'_>]) -> Option<u32> {
    let mut size = slots * SLOT;
    for item in items {
        if let Item::Text(text) = item {
            size = size
                .checked_add(LENGTH + text.len())?
                .checked_next_multiple_of(4)?;
        }
    }
    u32::try_from(size).ok()
}

/// A request or a result, laid out to be copied into a block of exactly [`Message::size`] bytes.
pub(crate) struct Message<'a> {
    slots: usize,
    items: Vec<Item<'a>>,
    size: u32,
}

impl<'a> Message<'a> {
    /// A request: method, path, body, headers, and at a replay the newest result with its index.
    pub fn request(
        method: &'a str,
        path: &'a str,
        body: &'a [u8],
        headers: &'a [u8],
        replay: Option<(u32, i32)>,
    ) -> Option<Self> {
        let (result, index) = match replay {
            Some((result, index)) => (Item::Pointer(result), Item::I32(index)),
            None => (Item::Null, Item::Null),
        };
        let items = vec![
            Item::Text(method.as_bytes()),
            Item::Text(path.as_bytes()),
            Item::Text(body),
            Item::Text(headers),
            result,
            index,
        ];
        Self::of(REQUEST_SLOTS, items)
    }

    /// The result of a fetch.
    pub fn result(
        status: i32,
        content_type: &'a [u8],
        body: &'a [u8],
        headers: &'a [u8],
    ) -> Option<Self> {
        let items = vec![
            Item::I32(status),
            Item::Text(content_type),
            Item::Text(body),
            Item::Text(headers),
        ];
        Self::of(RESULT_SLOTS, items)
    }

    fn of(slots: usize, items: Vec<Item<'a>>) -> Option<Self> {
        let size = size(slots, &items)?;
        Some(Self { slots, items, size })
    }

    /// Bytes that it takes.
    pub fn size(&self) -> u32 {
        self.size
    }

    /// Writes it to `base`, where the guest's allocator said that there is room.
    ///
    /// # Errors
    /// If the memory does not have these bytes.
    pub fn write(&self, memory: &mut [u8], base: u32) -> Result<(), Claim> {
        let range = range(memory.len(), base, self.size as usize).ok_or_else(|| {
            Claim(format!(
                "malloc returned {base:#x} for {} bytes, which is not inside the memory of {} bytes",
                self.size,
                memory.len()
            ))
        })?;
        let block = &mut memory[range];
        let (slots, data) = block.split_at_mut(self.slots * SLOT);
        slots.fill(0);
        let mut at = 0;
        for (slot, item) in slots.chunks_exact_mut(SLOT).zip(&self.items) {
            let (tag, payload) = match item {
                Item::Null => continue,
                Item::I32(value) => (Tag::I32, value.to_le_bytes()),
                Item::Pointer(pointer) => (Tag::String, pointer.to_le_bytes()),
                Item::Text(text) => {
                    // It fits a u32 with the rest of the block, whose size does.
                    let pointer = base + (self.slots * SLOT + at) as u32;
                    data[at..at + LENGTH].copy_from_slice(&(text.len() as u32).to_le_bytes());
                    let end = at + LENGTH + text.len();
                    data[at + LENGTH..end].copy_from_slice(text);
                    at = end.next_multiple_of(4);
                    data[end..at].fill(0);
                    let tag = match std::str::from_utf8(text) {
                        Ok(_) => Tag::String,
                        Err(_) => Tag::Bytes,
                    };
                    (tag, pointer.to_le_bytes())
                }
            };
            slot[0] = tag as u8;
            slot[PAYLOAD..PAYLOAD + 4].copy_from_slice(&payload);
        }
        Ok(())
    }
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
            true => string(memory, payload(slot(3)), "headers")?,
            false => &[],
        };
        Ok(Self {
            status: payload(slot(0)).cast_signed(),
            content_type: string(memory, payload(slot(1)), "content type")?,
            body: string(memory, payload(slot(2)), "body")?,
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
            "the {what} of the response at {pointer:#x}{size} is not inside the memory of {} bytes",
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

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(memory: &[u8], base: usize, index: usize) -> (u8, u32) {
        let at = base + index * SLOT;
        (memory[at], payload(&memory[at..at + SLOT]))
    }

    #[test]
    fn a_request_has_six_slots_and_its_strings_behind_them() {
        let request = Message::request("POST", "/a?b", b"\xff\x00", b"host: x\n", None).unwrap();
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

        let replay = Message::request("GET", "/", b"", b"", Some((7, 1))).unwrap();
        replay.write(&mut memory, 0).unwrap();
        assert_eq!(slot(&memory, 0, 4), (4, 7));
        assert_eq!(slot(&memory, 0, 5), (2, 1));
    }

    #[test]
    fn what_does_not_fit_is_not_written() {
        let request = Message::request("GET", "/", b"", b"", None).unwrap();
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
}
