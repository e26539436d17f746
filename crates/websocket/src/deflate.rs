//! permessage-deflate without context takeover: RFC 7692.
//!
//! Both sides forget what came before with each message, so a thread's one compressor and one
//! decompressor serve all its connections. A pair for each would take 300 KB of an idle connection.

use std::cell::RefCell;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

/// What a sync flush ends with, and a message is sent without.
const TAIL: [u8; 4] = [0, 0, 0xFF, 0xFF];
/// How much room for output is made at a time.
const STEP: usize = 16 << 10;
/// How often a message may end and go on: each time costs a cleared window of 32 KiB.
const MAX_ENDS: usize = 1_024;

thread_local! {
    static COMPRESS: RefCell<Compress> = RefCell::new(Compress::new(Compression::fast(), false));
    static DECOMPRESS: RefCell<Decompress> = RefCell::new(Decompress::new(false));
}

/// Why a message cannot be decompressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InflateError {
    Corrupt,
    TooLarge,
}

/// The compressed form of a message.
pub(crate) fn deflate(message: &[u8]) -> Vec<u8> {
    COMPRESS.with_borrow_mut(|state| {
        state.reset();
        let mut out = Vec::with_capacity(message.len() / 2 + 64);
        let mut rest = message;
        loop {
            let before = state.total_in();
            // Into memory that grows this does not fail.
            let _ = state.compress_vec(rest, &mut out, FlushCompress::Sync);
            rest = &rest[consumed(before, state.total_in())..];
            if rest.is_empty() && out.len() < out.capacity() {
                break;
            }
            out.reserve(STEP);
        }
        if out.ends_with(&TAIL) {
            out.truncate(out.len() - TAIL.len());
        }
        out
    })
}

/// The message of a compressed form, of at most `limit` bytes.
pub(crate) fn inflate(compressed: &[u8], limit: usize) -> Result<Vec<u8>, InflateError> {
    DECOMPRESS.with_borrow_mut(|state| {
        state.reset(false);
        let mut out = Vec::with_capacity(compressed.len().saturating_mul(3).clamp(64, STEP));
        let mut ends = 0;
        for part in [compressed, &TAIL] {
            let mut rest = part;
            loop {
                let before = state.total_in();
                let status = state
                    .decompress_vec(rest, &mut out, FlushDecompress::Sync)
                    .map_err(|_| InflateError::Corrupt)?;
                rest = &rest[consumed(before, state.total_in())..];
                if out.len() > limit {
                    return Err(InflateError::TooLarge);
                }
                if status == Status::StreamEnd {
                    // A final block; what follows it is as another stream: RFC 7692, 7.2.3.4.
                    ends += 1;
                    if ends > MAX_ENDS {
                        return Err(InflateError::Corrupt);
                    }
                    state.reset(false);
                    continue;
                }
                if out.len() == out.capacity() {
                    out.reserve(STEP);
                } else if rest.is_empty() {
                    break;
                } else if status == Status::BufError {
                    return Err(InflateError::Corrupt);
                }
            }
        }
        Ok(out)
    })
}

fn consumed(before: u64, after: u64) -> usize {
    usize::try_from(after - before).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_back_whatever_was_sent_before() {
        let long: Vec<u8> = (0..300_000u32).flat_map(u32::to_le_bytes).collect();
        let same = vec![b'a'; 100_000];
        for message in [&b""[..], b"a", b"hello hello hello", &long, &same, b"end"] {
            let compressed = deflate(message);
            assert_eq!(inflate(&compressed, 2_000_000).unwrap(), message);
        }
        assert!(deflate(&same).len() < 1_000);
    }

    #[test]
    fn a_bomb_ends_at_the_limit_and_garbage_is_corrupt() {
        let bomb = deflate(&vec![0; 10_000_000]);
        assert_eq!(inflate(&bomb, 1 << 20), Err(InflateError::TooLarge));
        assert_eq!(inflate(&[0xFF; 40], 1 << 20), Err(InflateError::Corrupt));
        // The state is usable again.
        assert_eq!(inflate(&deflate(b"x"), 10).unwrap(), b"x");
    }

    #[test]
    fn a_message_of_nothing_but_ends_is_corrupt() {
        let end = [0x03, 0x00];
        assert_eq!(inflate(&end.repeat(3), 10), Ok(Vec::new()));
        assert_eq!(
            inflate(&end.repeat(100_000), 10),
            Err(InflateError::Corrupt),
            "each costs as much as a large window"
        );
    }

    #[test]
    fn the_example_of_the_rfc_is_read() {
        // RFC 7692, 7.2.3.1.
        let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
        assert_eq!(inflate(&hello, 100).unwrap(), b"Hello");
        // 7.2.3.3: a block without compression; 7.2.3.4: with BFINAL.
        let stored = [
            0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00,
        ];
        assert_eq!(inflate(&stored, 100).unwrap(), b"Hello");
        let last = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00];
        assert_eq!(inflate(&last, 100).unwrap(), b"Hello");
    }
}
