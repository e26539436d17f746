//! Durations and sizes as people write them.

use std::time::Duration;

/// Reads `2s`, `500ms`, `5m`, `1h 30m` or `0`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    if text.parse::<f64>().is_ok() {
        return Err(format!("{text:?} has no unit; write {text}s or {text}ms"));
    }
    humantime::parse_duration(text)
        .map_err(|_| format!("{text:?} is not a duration; write it like 2s, 500ms, 5m or 1h 30m"))
}

/// The units of a size, in bytes. One letter counts as people mean it: in powers of two.
const UNITS: [(&str, u64); 15] = [
    ("", 1),
    ("b", 1),
    ("k", 1 << 10),
    ("kb", 1_000),
    ("kib", 1 << 10),
    ("m", 1 << 20),
    ("mb", 1_000_000),
    ("mib", 1 << 20),
    ("g", 1 << 30),
    ("gb", 1_000_000_000),
    ("gib", 1 << 30),
    ("t", 1 << 40),
    ("tb", 1_000_000_000_000),
    ("tib", 1 << 40),
    ("bytes", 1),
];

/// Reads `64MiB`, `128MB`, `1.5g` or `4096` as bytes.
pub fn size(text: &str) -> Result<usize, String> {
    let wrong = || format!("{text:?} is not a size; write it like 64MiB, 128MB or 4096");
    let trimmed = text.trim();
    let end = trimmed
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(end);
    let unit = unit.trim_start().to_ascii_lowercase();
    let (_, factor) = UNITS
        .iter()
        .find(|(name, _)| *name == unit)
        .ok_or_else(wrong)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let whole: u64 = whole.parse().map_err(|_| wrong())?;
    let digits = u32::try_from(fraction.len())
        .ok()
        .filter(|digits| (1..=9).contains(digits))
        .ok_or_else(wrong)?;
    let fraction: u64 = fraction.parse().map_err(|_| wrong())?;
    let part = u128::from(fraction) * u128::from(*factor) / u128::from(10u64.pow(digits));
    let bytes = u128::from(whole) * u128::from(*factor) + part;
    usize::try_from(bytes)
        .ok()
        .filter(|bytes| isize::try_from(*bytes).is_ok())
        .ok_or_else(|| format!("{text:?} is more than this machine can address"))
}

/// Reads a whole number from `least` to `most`.
pub fn count(text: &str, least: usize, most: usize) -> Result<usize, String> {
    let number = text.trim().replace('_', "");
    number
        .parse()
        .ok()
        .filter(|number| (least..=most).contains(number))
        .ok_or_else(|| format!("{text:?} is not a whole number from {least} to {most}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_written() {
        for (text, milliseconds) in [
            ("2s", 2_000),
            ("500ms", 500),
            ("5m", 300_000),
            ("0", 0),
            ("0s", 0),
            ("1h 30m", 5_400_000),
            (" 1s ", 1_000),
        ] {
            assert_eq!(
                duration(text),
                Ok(Duration::from_millis(milliseconds)),
                "{text}"
            );
        }
        for text in [
            "",
            "2",
            "1.5",
            "s",
            "-1s",
            "2 parsecs",
            "99999999999999999999s",
            "ms5",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
        assert_eq!(
            duration("30").unwrap_err(),
            "\"30\" has no unit; write 30s or 30ms"
        );
    }

    #[test]
    fn sizes_are_read_as_written() {
        for (text, bytes) in [
            ("4096", 4096),
            ("64MiB", 64 << 20),
            ("64 mib", 64 << 20),
            ("128MB", 128_000_000),
            ("1k", 1024),
            ("1.5g", 3 << 29),
            ("0.5KiB", 512),
            ("0", 0),
            ("7B", 7),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in [
            "",
            "MiB",
            "-1",
            "1.",
            ".5M",
            "1..5M",
            "64XB",
            "64 M B",
            "99999999TiB",
            "1e6",
            "0x10",
        ] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn counts_stay_in_their_range() {
        assert_eq!(count("1_000", 1, 1000), Ok(1000));
        for text in ["0", "1001", "", "x", "-1", "1.0"] {
            assert!(count(text, 1, 1000).is_err(), "{text}");
        }
    }
}
