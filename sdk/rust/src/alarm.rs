//! The object's alarm. [`crate::App::alarm`] says what runs when it is due.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::{
    host::{Error, done, failure},
    imports,
};

const NONE: i64 = -1;

/// Sets the alarm, instead of the one that there is.
///
/// # Errors
/// If the host refuses the time or cannot write, and in the worker.
pub fn set(at: SystemTime) -> Result<(), Error> {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    let ms = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
    // SAFETY: the function has no conditions.
    done(unsafe { imports::alarm_set(ms) }, || "alarm set".to_owned()).map(drop)
}

/// When the alarm is due, if there is one.
///
/// # Errors
/// If the host cannot read.
pub fn get() -> Result<Option<SystemTime>, Error> {
    // SAFETY: the function has no conditions.
    match unsafe { imports::alarm_get() } {
        NONE => Ok(None),
        at => match u64::try_from(at) {
            Ok(ms) => Ok(Some(UNIX_EPOCH + Duration::from_millis(ms))),
            Err(_) => Err(failure("alarm get".to_owned())),
        },
    }
}

/// Removes the alarm, if there is one.
///
/// # Errors
/// If the host cannot write, and in the worker.
pub fn delete() -> Result<(), Error> {
    // SAFETY: the function has no conditions.
    done(unsafe { imports::alarm_delete() }, || {
        "alarm delete".to_owned()
    })
    .map(drop)
}
