//! The one error of this crate. Its kind says what the caller does next; its message says what
//! happened, to which object or file, and what to do about it.

use std::error::Error as StdError;
use std::fmt;
use std::path::Path;

/// What the caller does about an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An argument is wrong. Tell the user code; nothing changed.
    Invalid,
    /// A named limit was exceeded. Tell the user code; nothing changed.
    Limit,
    /// SQLite refused a statement of user code. Tell the user code, in these words; the statement changed nothing.
    Sql,
    /// The commit would break a constraint of the user's tables. The transaction was rolled back; reset the object.
    Constraint,
    /// A file is not what it should be. Nothing can be done without a person looking at it.
    Data,
    /// The operating system refused. After a failed sync or checkpoint call `reset_to_durable`.
    Io,
    /// Another process holds the folder or the file.
    Held,
    /// A queue is full. Try again later.
    Overloaded,
    /// The object is unusable until `reset_to_durable` succeeds.
    Broken,
    /// The caller broke a rule of this crate: a bug.
    Internal,
}

/// Why an operation of this crate failed.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// The result of every fallible operation of this crate.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error without an underlying cause.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error {
            kind,
            message: message.into(),
            source: None,
        }
    }

    /// What the caller does next.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The whole message, including that of the cause.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The same error for somebody else, without its cause.
    pub(crate) fn again(&self) -> Error {
        Error::new(self.kind, self.message.clone())
    }

    pub(crate) fn internal(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Internal, message)
    }

    /// `action` continues "could not ...".
    pub(crate) fn io(action: &str, path: &Path, source: std::io::Error) -> Error {
        Error {
            kind: ErrorKind::Io,
            message: format!("could not {action} `{}`: {source}", path.display()),
            source: Some(Box::new(source)),
        }
    }

    /// `action` continues "could not ...".
    pub(crate) fn sqlite(action: &str, path: &Path, source: rusqlite::Error) -> Error {
        use rusqlite::ErrorCode as Code;
        let kind = match source.sqlite_error_code() {
            Some(Code::ConstraintViolation) => ErrorKind::Constraint,
            Some(Code::DatabaseCorrupt | Code::NotADatabase) => ErrorKind::Data,
            Some(Code::TooBig) => ErrorKind::Limit,
            Some(Code::DatabaseBusy | Code::DatabaseLocked | Code::FileLockingProtocolFailed) => {
                ErrorKind::Held
            }
            Some(
                Code::DiskFull
                | Code::SystemIoFailure
                | Code::CannotOpen
                | Code::PermissionDenied
                | Code::ReadOnly,
            ) => ErrorKind::Io,
            _ => ErrorKind::Internal,
        };
        let hint = if kind == ErrorKind::Held {
            "; close the other program that has it open"
        } else {
            ""
        };
        Error {
            kind,
            message: format!("could not {action} in `{}`: {source}{hint}", path.display()),
            source: Some(Box::new(source)),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}
