//! Why the binary ends, in one line on stderr, and the table of exit codes.

use std::process::ExitCode;

/// What went wrong; each has its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Something else, or a defect.
    Other,
    /// The command line is wrong.
    Usage,
    /// The bundle or the manifest is wrong.
    Bundle,
    /// The address cannot be taken.
    Address,
    /// The storage folder cannot be used.
    Storage,
}

/// An end that is not a success.
#[derive(Debug)]
pub struct Failure {
    cause: Cause,
    message: String,
}

impl Failure {
    pub fn new(cause: Cause, message: impl Into<String>) -> Self {
        Self {
            cause,
            message: message.into(),
        }
    }

    /// Tells stderr, and gives the code to exit with. The codes are part of the interface:
    /// `dolmen help troubleshooting` lists them.
    pub fn report(self) -> ExitCode {
        eprintln!("dolmen: {}", self.message);
        ExitCode::from(match self.cause {
            Cause::Other => 1,
            Cause::Usage => 2,
            Cause::Bundle => 3,
            Cause::Address => 4,
            Cause::Storage => 5,
        })
    }
}

impl From<dolmen::Error> for Failure {
    fn from(error: dolmen::Error) -> Self {
        let cause = match error.kind() {
            dolmen::ErrorKind::Bundle | dolmen::ErrorKind::Manifest => Cause::Bundle,
            dolmen::ErrorKind::Address => Cause::Address,
            dolmen::ErrorKind::Storage | dolmen::ErrorKind::StorageHeld => Cause::Storage,
            _ => Cause::Other,
        };
        Self::new(cause, error.message())
    }
}
