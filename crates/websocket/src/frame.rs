//! Frames: RFC 6455, section 5.2.

use bytes::{BufMut, BytesMut};

pub(crate) const CONTINUATION: u8 = 0;
pub(crate) const TEXT: u8 = 1;
pub(crate) const BINARY: u8 = 2;
pub(crate) const CLOSE: u8 = 8;
pub(crate) const PING: u8 = 9;
pub(crate) const PONG: u8 = 10;

/// Longest payload of a control frame.
pub(crate) const MAX_CONTROL_BYTES: usize = 125;

const FIN: u8 = 0x80;
const COMPRESSED: u8 = 0x40;
const RESERVED: u8 = 0x30;
const MASKED: u8 = 0x80;

/// What stands before a frame's payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub is_last: bool,
    pub is_compressed: bool,
    pub opcode: u8,
    pub mask: Option<[u8; 4]>,
    pub length: u64,
}

/// Why a header cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadHeader {
    Reserved,
    Opcode,
    /// A length in more bytes than it needs, or of 2^63 or more.
    Length,
}

impl Header {
    /// The header at the start of `bytes` and its size; `None` if it is not all there.
    pub fn read(bytes: &[u8]) -> Result<Option<(Self, usize)>, BadHeader> {
        let [first, second, rest @ ..] = bytes else {
            return Ok(None);
        };
        if first & RESERVED != 0 {
            return Err(BadHeader::Reserved);
        }
        let opcode = first & 0x0F;
        if !matches!(opcode, CONTINUATION | TEXT | BINARY | CLOSE | PING | PONG) {
            return Err(BadHeader::Opcode);
        }
        let (length, length_bytes) = match second & !MASKED {
            126 => match rest.first_chunk() {
                Some(length) => (u64::from(u16::from_be_bytes(*length)), 2),
                None => return Ok(None),
            },
            127 => match rest.first_chunk() {
                Some(length) => (u64::from_be_bytes(*length), 8),
                None => return Ok(None),
            },
            short => (u64::from(short), 0),
        };
        let shortest = match length_bytes {
            2 => 126,
            8 => 1 << 16,
            _ => 0,
        };
        if length < shortest || length >> 63 != 0 {
            return Err(BadHeader::Length);
        }
        let rest = &rest[length_bytes..];
        let (mask, mask_bytes) = if second & MASKED == 0 {
            (None, 0)
        } else {
            match rest.first_chunk() {
                Some(mask) => (Some(*mask), 4),
                None => return Ok(None),
            }
        };
        let header = Self {
            is_last: first & FIN != 0,
            is_compressed: first & COMPRESSED != 0,
            opcode,
            mask,
            length,
        };
        Ok(Some((header, 2 + length_bytes + mask_bytes)))
    }

    /// Appends the header.
    pub fn write(&self, to: &mut BytesMut) {
        let mut first = self.opcode;
        if self.is_last {
            first |= FIN;
        }
        if self.is_compressed {
            first |= COMPRESSED;
        }
        to.put_u8(first);
        let masked = if self.mask.is_some() { MASKED } else { 0 };
        match self.length {
            length @ 0..126 => to.put_u8(masked | length as u8),
            length @ 126..=0xFFFF => {
                to.put_u8(masked | 126);
                to.put_u16(length as u16);
            }
            length => {
                to.put_u8(masked | 127);
                to.put_u64(length);
            }
        }
        if let Some(mask) = self.mask {
            to.put_slice(&mask);
        }
    }

    pub fn is_control(&self) -> bool {
        self.opcode >= CLOSE
    }
}

/// Applies a mask, or takes it off, from byte `offset` of the payload on.
pub(crate) fn apply_mask(bytes: &mut [u8], mask: [u8; 4], offset: usize) {
    let mut turned = mask;
    turned.rotate_left(offset % 4);
    let wide = u64::from_ne_bytes([
        turned[0], turned[1], turned[2], turned[3], turned[0], turned[1], turned[2], turned[3],
    ]);
    let mut chunks = bytes.chunks_exact_mut(8);
    for chunk in &mut chunks {
        if let Ok(eight) = <[u8; 8]>::try_from(&*chunk) {
            chunk.copy_from_slice(&(u64::from_ne_bytes(eight) ^ wide).to_ne_bytes());
        }
    }
    for (byte, mask) in chunks
        .into_remainder()
        .iter_mut()
        .zip(turned.iter().cycle())
    {
        *byte ^= mask;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(length: u64, mask: Option<[u8; 4]>) -> Header {
        Header {
            is_last: true,
            is_compressed: false,
            opcode: BINARY,
            mask,
            length,
        }
    }

    #[test]
    fn headers_of_every_size_are_read_as_they_were_written() {
        for length in [0, 1, 125, 126, 65_535, 65_536, 1 << 40] {
            for mask in [None, Some([1, 2, 3, 4])] {
                let written = header(length, mask);
                let mut bytes = BytesMut::new();
                written.write(&mut bytes);
                for cut in 0..bytes.len() {
                    assert_eq!(
                        Header::read(&bytes[..cut]),
                        Ok(None),
                        "{length} cut at {cut}"
                    );
                }
                assert_eq!(Header::read(&bytes), Ok(Some((written, bytes.len()))));
            }
        }
    }

    #[test]
    fn what_the_protocol_does_not_allow_is_refused() {
        assert_eq!(Header::read(&[0xA2, 0]), Err(BadHeader::Reserved));
        assert_eq!(Header::read(&[0x83, 0]), Err(BadHeader::Opcode));
        assert_eq!(Header::read(&[0x82, 126, 0, 125]), Err(BadHeader::Length));
        assert_eq!(
            Header::read(&[0x82, 127, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]),
            Err(BadHeader::Length)
        );
        assert_eq!(
            Header::read(&[0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0]),
            Err(BadHeader::Length)
        );
    }

    #[test]
    fn a_mask_goes_on_where_it_left_off() {
        let mask = [7, 99, 3, 250];
        let plain: Vec<u8> = (0..100).collect();
        let mut whole = plain.clone();
        apply_mask(&mut whole, mask, 0);
        for cut in 0..20 {
            let mut parts = plain.clone();
            let (head, tail) = parts.split_at_mut(cut);
            apply_mask(head, mask, 0);
            apply_mask(tail, mask, cut);
            assert_eq!(parts, whole, "cut at {cut}");
        }
    }
}
