//! Why Dolmen did not start, or did not end as it should.

use std::fmt;

/// What whoever starts Dolmen can do about an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The bundle cannot be read, compiled or run: mend it.
    Bundle,
    /// The manifest cannot be read, or does not fit the bundle: mend it.
    Manifest,
    /// The address cannot be listened on: choose another.
    Address,
    /// The storage folder cannot be used: choose another, or see what the system says.
    Storage,
    /// Another Dolmen has the storage folder: stop it, or choose another.
    StorageHeld,
    /// A defect in Dolmen.
    Internal,
}

/// An error of starting or stopping Dolmen.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// Shorthand for results with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
        }
    }

    pub(crate) fn because(
        kind: ErrorKind,
        message: impl Into<String>,
        source: impl std::error::Error + Send + Sync + 'static,
    ) -> Self {
        Self {
            kind,
            message: message.into(),
            source: Some(Box::new(source)),
        }
    }

    /// What can be done about it.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What happened, to what, and what to do. The cause is part of it.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

impl From<dolmen_storage::Error> for Error {
    fn from(error: dolmen_storage::Error) -> Self {
        let kind = match error.kind() {
            dolmen_storage::ErrorKind::Held => ErrorKind::StorageHeld,
            dolmen_storage::ErrorKind::Internal => ErrorKind::Internal,
            _ => ErrorKind::Storage,
        };
        Self::because(kind, error.to_string(), error)
    }
}

impl From<dolmen_runtime::Error> for Error {
    fn from(error: dolmen_runtime::Error) -> Self {
        let kind = match error.kind() {
            dolmen_runtime::ErrorKind::Storage => ErrorKind::Storage,
            dolmen_runtime::ErrorKind::BadRequest => ErrorKind::Manifest,
            _ => ErrorKind::Internal,
        };
        Self::because(kind, error.to_string(), error)
    }
}

impl From<dolmen_js::BundleError> for Error {
    fn from(error: dolmen_js::BundleError) -> Self {
        Self::because(ErrorKind::Bundle, error.to_string(), error)
    }
}

impl From<dolmen_gateway::GatewayError> for Error {
    fn from(error: dolmen_gateway::GatewayError) -> Self {
        Self::because(ErrorKind::Address, error.to_string(), error)
    }
}
