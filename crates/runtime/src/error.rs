//! The runtime's error: what happened, to which object, and what the caller can do about it.
//!
//! Kinds are chosen by what the caller does next. The gateway's table maps them to HTTP.

use std::fmt;

use bytes::Bytes;
use dolmen_storage::ObjectId;

/// What a caller can conclude from an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The request itself is wrong; sending it again will fail again.
    BadRequest,
    /// No namespace has that name.
    UnknownNamespace,
    /// The object has no such method, or no `fetch`.
    MethodNotFound,
    /// A body, argument or result is over its limit.
    TooLarge,
    /// The event ran out of time; the instance was reset.
    Timeout,
    /// The object's queue is full; try again later.
    Overloaded,
    /// User code threw; the instance goes on.
    Exception,
    /// The bundle or the constructor threw; the next event tries again.
    StartFailed,
    /// A read, write or sync failed; nothing unconfirmed was kept.
    Storage,
    /// The instance was thrown away while the event ran (memory limit, storage failure, panic).
    Reset,
    /// The instance was thrown away because of another event that it ran; the same request may
    /// well succeed.
    Interrupted,
    /// The process is shutting down.
    Unavailable,
    /// A defect in Dolmen.
    Internal,
}

impl ErrorKind {
    /// The word for it in error bodies and on errors in user code.
    pub fn code(self) -> &'static str {
        match self {
            Self::BadRequest => "bad_request",
            Self::UnknownNamespace => "unknown_namespace",
            Self::MethodNotFound => "method_not_found",
            Self::TooLarge => "body_too_large",
            Self::Timeout => "timeout",
            Self::Overloaded => "overloaded",
            Self::Exception | Self::Reset => "execution_error",
            Self::StartFailed => "actor_start_failed",
            Self::Storage => "storage_error",
            Self::Interrupted => "interrupted",
            Self::Unavailable => "shutting_down",
            Self::Internal => "internal_error",
        }
    }
}

/// An event that did not succeed.
///
/// Cheap to clone, because one failed sync fails every reply that waited for it.
#[derive(Clone, Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    detail: Option<String>,
    thrown: Option<Bytes>,
    object: Option<ObjectId>,
}

/// Shorthand for results with the runtime's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of `kind` that says `message`.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            detail: None,
            thrown: None,
            object: None,
        }
    }

    /// The same for a caller that has to conclude something else from it.
    pub fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.kind = kind;
        self
    }

    /// Adds the value that user code threw, encoded, for a caller that can revive it.
    pub fn with_thrown(mut self, thrown: Bytes) -> Self {
        self.thrown = Some(thrown);
        self
    }

    /// Adds the object that it happened in, unless that is known.
    pub fn with_object(mut self, object: ObjectId) -> Self {
        self.object.get_or_insert(object);
        self
    }

    /// Adds what only a developer should see, such as a stack.
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// What the caller can conclude.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What happened, to which object, and what to do.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The value that user code threw, encoded.
    pub fn thrown(&self) -> Option<&Bytes> {
        self.thrown.as_ref()
    }

    /// The object that it happened in.
    pub fn object(&self) -> Option<ObjectId> {
        self.object
    }

    /// A stack or similar; shown to clients only with `--dev-errors`.
    pub fn detail(&self) -> Option<&str> {
        self.detail.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<dolmen_storage::Error> for Error {
    fn from(error: dolmen_storage::Error) -> Self {
        let kind = match error.kind() {
            // Not the disk's fault: user code left its tables so.
            dolmen_storage::ErrorKind::Constraint => ErrorKind::Reset,
            _ => ErrorKind::Storage,
        };
        Self::new(kind, error.to_string())
    }
}
