//! Strings: the engine gives UTF-8 with lone surrogates kept (WTF-8); V8 wants Latin-1 or UTF-16.

/// A string that is not plain ASCII, in the narrowest form V8 has for it.
pub(super) enum Wide {
    Latin1(Vec<u8>),
    Utf16(Vec<u16>),
}

/// Splits WTF-8 into V8's two forms. The bytes come from the engine, so they are well formed; if they
/// were not, the result would be wrong text and nothing worse.
pub(super) fn from_wtf8(bytes: &[u8]) -> Wide {
    // A code point up to U+00FF starts with a byte up to 0xC3, and no continuation byte is above 0xBF.
    if bytes.iter().all(|byte| *byte <= 0xC3) {
        return Wide::Latin1(code_points(bytes).map(|point| point as u8).collect());
    }
    let mut units = Vec::with_capacity(bytes.len());
    for point in code_points(bytes) {
        if point < 0x1_0000 {
            units.push(point as u16);
        } else {
            let rest = point - 0x1_0000;
            units.push(0xD800 | (rest >> 10) as u16);
            units.push(0xDC00 | (rest & 0x3FF) as u16);
        }
    }
    Wide::Utf16(units)
}

fn code_points(bytes: &[u8]) -> impl Iterator<Item = u32> + '_ {
    let mut rest = bytes.iter();
    std::iter::from_fn(move || {
        let first = *rest.next()?;
        let (extra, mut point) = match first {
            0..0x80 => return Some(u32::from(first)),
            0x80..0xE0 => (1, u32::from(first & 0x1F)),
            0xE0..0xF0 => (2, u32::from(first & 0x0F)),
            _ => (3, u32::from(first & 0x07)),
        };
        for _ in 0..extra {
            point = point << 6 | u32::from(rest.next()? & 0x3F);
        }
        Some(point)
    })
}

/// UTF-16 from little-endian bytes; the caller has checked that their number is even.
pub(super) fn utf16(bytes: &[u8]) -> Vec<u16> {
    let pairs = bytes.chunks_exact(2);
    pairs
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
        .collect()
}

/// Latin-1 as UTF-8.
pub(super) fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// WTF-8 as UTF-8: a lone surrogate becomes U+FFFD, which is as long.
pub(super) fn without_surrogates(bytes: &[u8]) -> Vec<u8> {
    const REPLACEMENT: [u8; 3] = [0xEF, 0xBF, 0xBD];
    let mut utf8 = bytes.to_vec();
    if !bytes.is_ascii() {
        for at in 0..utf8.len().saturating_sub(2) {
            // Surrogates are the code points that start with ED A0 to ED BF.
            if utf8[at] == 0xED && utf8[at + 1] >= 0xA0 {
                utf8[at..at + 3].copy_from_slice(&REPLACEMENT);
            }
        }
    }
    utf8
}
