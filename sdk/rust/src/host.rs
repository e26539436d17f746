//! What all calls of the host have in common: results are taken, failures have a reason.

use std::fmt;

use crate::{imports, view::View};

const NONE: i32 = -1;

/// A call that the host has refused or that has failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    what: String,
    reason: String,
}

impl Error {
    pub(crate) fn new(what: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            reason: reason.into(),
        }
    }

    /// The host's reason, without what was tried.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.reason)
    }
}

impl std::error::Error for Error {}

/// A result that waits in the host, or was copied from it: whole 64-bit words, as pointers in it
/// want it.
pub(crate) struct Taken {
    words: Vec<u64>,
    length: usize,
}

impl Taken {
    /// Copies `length` bytes that wait.
    pub fn new(length: i32) -> Self {
        let length = usize::try_from(length).unwrap_or(0);
        let mut words = vec![0_u64; length.div_ceil(8)];
        if length > 0 {
            let max = i32::try_from(length).expect("it was an i32");
            // SAFETY: `words` has room for `length` bytes.
            let copied = unsafe { imports::take(words.as_mut_ptr().cast(), 0, max) };
            assert_eq!(copied, max, "the host gave only a part of a result");
        }
        Self { words, length }
    }

    pub fn bytes(&self) -> &[u8] {
        // SAFETY: the words have at least `length` bytes, and every byte is a value.
        unsafe { std::slice::from_raw_parts(self.words.as_ptr().cast(), self.length) }
    }

    pub fn view(&self) -> View<'_> {
        View {
            bytes: self.bytes(),
            // Addresses have 32 bits in a module.
            base: self.words.as_ptr().addr() as u32,
        }
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(self.bytes()).into_owned()
    }
}

/// The bytes that a call of the host has left, if there are any.
///
/// # Errors
/// If the call has failed.
pub(crate) fn found(answer: i32, what: impl FnOnce() -> String) -> Result<Option<Taken>, Error> {
    match answer {
        NONE => Ok(None),
        length if length < 0 => Err(failure(what())),
        length => Ok(Some(Taken::new(length))),
    }
}

/// As [`found`], of a call that always leaves something.
pub(crate) fn taken(answer: i32, what: impl FnOnce() -> String) -> Result<Taken, Error> {
    match answer {
        length if length < 0 => Err(failure(what())),
        length => Ok(Taken::new(length)),
    }
}

/// The answer of a call that leaves nothing.
pub(crate) fn done(answer: i32, what: impl FnOnce() -> String) -> Result<i32, Error> {
    match answer {
        answer if answer < 0 => Err(failure(what())),
        answer => Ok(answer),
    }
}

/// The error of a call that has just failed.
pub(crate) fn failure(what: String) -> Error {
    // SAFETY: the function has no conditions.
    let reason = Taken::new(unsafe { imports::last_error() }).text();
    match reason.is_empty() {
        true => Error::new(what, "the host gave no reason"),
        false => Error::new(what, reason),
    }
}
