//! What an import has found, waiting until the guest takes it.

use bytes::Bytes;

use crate::zerobuf::{Claim, Message, range};

/// What the guest is told when there is nothing, and when something failed.
const NONE: i32 = -1;
const FAILED: i32 = -2;

/// What an import has found.
pub(crate) enum Found {
    /// Nothing but this number.
    Code(i32),
    /// There is none.
    None,
    /// It failed.
    Failed(String),
    /// Bytes.
    Plain(Bytes),
    /// Slots.
    Slots(Vec<crate::zerobuf::Item<'static>>),
}

impl Found {
    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Plain(Bytes::from(text.into()))
    }
}

#[derive(Default)]
enum Waiting {
    #[default]
    Nothing,
    Plain(Bytes),
    Slots(Message<'static>),
}

/// What waits for one guest.
#[derive(Default)]
pub(crate) struct Outbox {
    waiting: Waiting,
    error: String,
}

impl Outbox {
    /// Keeps what was found, and gives what the import answers.
    pub fn put(&mut self, found: Found) -> i32 {
        let (waiting, length) = match found {
            Found::Code(code) => return code,
            Found::None => return NONE,
            Found::Failed(reason) => {
                self.error = reason;
                return FAILED;
            }
            Found::Plain(bytes) => {
                let length = bytes.len();
                (Waiting::Plain(bytes), length)
            }
            Found::Slots(items) => match Message::slots(items) {
                Some(message) => {
                    let length = message.size() as usize;
                    (Waiting::Slots(message), length)
                }
                None => return self.put(too_large()),
            },
        };
        match i32::try_from(length) {
            Ok(length) => {
                self.waiting = waiting;
                length
            }
            Err(_) => self.put(too_large()),
        }
    }

    /// Lets the reason of the last failure wait.
    pub fn put_error(&mut self) -> i32 {
        let error = Found::text(std::mem::take(&mut self.error));
        self.put(error)
    }

    /// Copies what waits to `to`.
    ///
    /// # Errors
    /// If it is not there that the guest has room.
    pub fn take(
        &mut self,
        memory: &mut [u8],
        to: u32,
        offset: u32,
        max: u32,
    ) -> Result<i32, Claim> {
        match &self.waiting {
            Waiting::Nothing => Ok(0),
            Waiting::Plain(bytes) => {
                let rest = bytes.get(offset as usize..).unwrap_or_default();
                let part = &rest[..rest.len().min(max as usize)];
                if part.is_empty() {
                    return Ok(0);
                }
                let range = range(memory.len(), to, part.len()).ok_or_else(|| {
                    Claim(format!(
                        "do.take to {to:#x} of {} bytes is not inside the memory of {} bytes",
                        part.len(),
                        memory.len()
                    ))
                })?;
                memory[range].copy_from_slice(part);
                Ok(part.len() as i32)
            }
            Waiting::Slots(message) => {
                let size = message.size();
                if offset != 0 || max < size || !to.is_multiple_of(8) {
                    return Ok(self.put(Found::Failed(format!(
                        "what waits consists of slots: take all {size} bytes at once, to an address divisible by 8"
                    ))));
                }
                message.write(memory, to)?;
                self.waiting = Waiting::Nothing;
                Ok(size as i32)
            }
        }
    }
}

fn too_large() -> Found {
    Found::Failed("the result has more than 2 GiB".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zerobuf::Item;

    #[test]
    fn bytes_are_taken_in_parts_and_slots_whole_and_once() {
        let mut outbox = Outbox::default();
        let mut memory = vec![0; 256];
        assert_eq!(outbox.take(&mut memory, 0, 0, 9).unwrap(), 0);
        assert_eq!(outbox.put(Found::Plain(Bytes::from_static(b"abcdef"))), 6);
        assert_eq!(outbox.take(&mut memory, 250, 4, 9).unwrap(), 2);
        assert_eq!(&memory[250..], b"ef\0\0\0\0");
        assert_eq!(outbox.take(&mut memory, 0, 7, 9).unwrap(), 0);
        assert_eq!(outbox.take(&mut memory, 0, u32::MAX, 9).unwrap(), 0);
        assert!(outbox.take(&mut memory, 251, 0, 9).is_err());
        assert!(outbox.take(&mut memory, u32::MAX, 0, 9).is_err());

        let items = || Found::Slots(vec![Item::Array(vec![Item::I32(7)])]);
        let size = outbox.put(items()).cast_unsigned();
        assert_eq!(size, 16 + 12 + 16);
        for (to, offset, max) in [(8, 0, size - 1), (8, 1, size), (4, 0, size)] {
            assert_eq!(outbox.take(&mut memory, to, offset, max).unwrap(), FAILED);
            assert!(outbox.put_error() > 0, "it has a reason");
            assert_eq!(outbox.put(items()).cast_unsigned(), size);
        }
        assert!(outbox.take(&mut memory, 248, 0, size).is_err());
        assert_eq!(outbox.take(&mut memory, 8, 0, size).unwrap() as u32, size);
        assert_eq!(outbox.take(&mut memory, 8, 0, size).unwrap(), 0, "once");
        assert_eq!(outbox.put(Found::None), NONE);
        assert_eq!(outbox.put(Found::Code(3)), 3);
    }
}
