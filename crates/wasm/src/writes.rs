//! What one event has written since its last outbound request: kept or undone as one.

use std::{cell::Cell, rc::Rc};

use dolmen_runtime::{Error, Host, NestedEnd, storage};

/// The writes of the event that has the object's guest.
pub(crate) struct Writes {
    host: Rc<Host>,
    is_open: Cell<bool>,
}

impl Writes {
    pub fn new(host: Rc<Host>) -> Self {
        Self {
            host,
            is_open: Cell::new(false),
        }
    }

    /// A write comes.
    ///
    /// # Errors
    /// If SQLite refuses.
    pub fn begin(&self) -> Result<(), storage::Error> {
        if !self.is_open.get() {
            self.host.begin_nested()?;
            self.is_open.set(true);
        }
        Ok(())
    }

    /// Keeps or undoes what was written.
    ///
    /// # Errors
    /// If SQLite refuses.
    pub fn end(&self, end: NestedEnd) -> Result<(), Error> {
        if self.is_open.take() {
            self.host.end_nested(end)?;
        }
        Ok(())
    }

    /// Something is to leave the object: keeps what was written, and waits until it is durable.
    ///
    /// # Errors
    /// If it never will be.
    pub async fn make_durable(&self) -> Result<(), Error> {
        self.end(NestedEnd::Commit)?;
        self.host.output_gate().await
    }
}
