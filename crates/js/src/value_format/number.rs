//! Varints and zigzag, as V8 writes them.

/// Appends `value`, seven bits at a time from the lowest, each byte but the last with its top bit set.
pub(super) fn push_varint(out: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// How many bytes `value` takes as a varint.
pub(super) fn varint_len(value: u32) -> usize {
    let bits = 32 - (value | 1).leading_zeros() as usize;
    bits.div_ceil(7)
}

pub(super) fn zigzag(value: i32) -> u32 {
    ((value << 1) ^ (value >> 31)) as u32
}

pub(super) fn unzigzag(value: u32) -> i32 {
    (value >> 1) as i32 ^ -((value & 1) as i32)
}

/// `value` as V8's small integer, which workerd (built with pointer compression) keeps in 31 bits.
pub(super) fn small_integer(value: f64) -> Option<i32> {
    const LIMIT: f64 = (1 << 30) as f64;
    if !(-LIMIT..LIMIT).contains(&value) {
        return None;
    }
    let integer = value as i32;
    // Bits, not values: minus zero is not an integer.
    (f64::from(integer).to_bits() == value.to_bits()).then_some(integer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varint_len_is_what_push_writes() {
        for shift in 0..32 {
            for value in [1u32 << shift, (1u32 << shift) - 1, (1u32 << shift) | 1] {
                let mut out = Vec::new();
                push_varint(&mut out, value);
                assert_eq!(out.len(), varint_len(value), "{value}");
            }
        }
    }

    #[test]
    fn only_exact_31_bit_integers_are_small() {
        assert_eq!(small_integer(1_073_741_823.0), Some(1_073_741_823));
        assert_eq!(small_integer(-1_073_741_824.0), Some(-1_073_741_824));
        assert_eq!(small_integer(0.0), Some(0));
        for value in [1_073_741_824.0, -0.0, 0.5, f64::NAN, f64::INFINITY] {
            assert_eq!(small_integer(value), None, "{value}");
        }
        for value in [0, 1, -1, i32::MAX, i32::MIN] {
            assert_eq!(unzigzag(zigzag(value)), value);
        }
    }
}
