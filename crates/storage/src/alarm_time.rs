//! Times of alarms: milliseconds since 1970 in the interface, nanoseconds in the files, as in workerd.

use crate::error::{Error, ErrorKind, Result};

const NANOS_PER_MILLI: i64 = 1_000_000;

/// # Errors
/// `Invalid` if the time does not fit in 64 bits of nanoseconds.
pub(crate) fn to_nanos(unix_ms: i64) -> Result<i64> {
    unix_ms.checked_mul(NANOS_PER_MILLI).ok_or_else(|| {
        Error::new(ErrorKind::Invalid, format!("an alarm at {unix_ms} ms since 1970 is too far away: the last time is in the year 2262"))
    })
}

pub(crate) fn to_millis(nanos: i64) -> i64 {
    nanos.div_euclid(NANOS_PER_MILLI)
}
