//! Dolmen's log, which has the time and the object by itself.

use crate::imports;

/// For who looks for a fault.
pub fn debug(text: &str) {
    write(0, text);
}

/// What is good to know.
pub fn info(text: &str) {
    write(1, text);
}

/// What somebody should look at.
pub fn warn(text: &str) {
    write(2, text);
}

/// What has failed.
pub fn error(text: &str) {
    write(3, text);
}

fn write(level: i32, text: &str) {
    // SAFETY: the host reads the text.
    unsafe { imports::log(level, text.as_ptr(), text.len()) }
}
