//! The index of alarms by time, one per namespace: `<root>/<unique key>/metadata.sqlite`, as workerd has it, with an
//! index on the time. One thread owns these files. It takes all waiting commands at once, so that a burst of alarms costs
//! one commit and one sync. The index only says when to wake which object; what is true is in the object's own database.

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};

use crate::error::{Error, ErrorKind, Result};
use crate::folder::Folder;
use crate::id::ObjectId;
use crate::namespace::Namespace;
use crate::options::Options;

mod table;
mod worker;

use worker::Worker;

/// An alarm whose time has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueAlarm {
    /// Whose it is.
    pub id: ObjectId,
    /// The object's name, if it is known.
    pub name: Option<String>,
    /// When it was due, in milliseconds since 1970.
    pub unix_ms: i64,
}

/// Called with the outcome, on the thread of the index, or at once on the caller's if the queue is full.
pub type Done<T> = Box<dyn FnOnce(Result<T>) + Send>;

/// The handle to the alarm thread.
pub struct AlarmIndex {
    commands: Option<SyncSender<Command>>,
    thread: Option<JoinHandle<()>>,
    queue: usize,
}

struct Command {
    folder: Arc<Folder>,
    what: What,
}

enum What {
    Set {
        id: ObjectId,
        name: Option<String>,
        unix_ms: Option<i64>,
        done: Done<()>,
    },
    Due {
        until_ms: i64,
        limit: usize,
        done: Done<Vec<DueAlarm>>,
    },
    Next {
        done: Done<Option<i64>>,
    },
}

impl AlarmIndex {
    pub(crate) fn start(options: &Options) -> Result<AlarmIndex> {
        let (commands, waiting) = sync_channel(options.alarm_queue);
        let worker = Worker::new(options.checkpoint_pages);
        let thread = thread::Builder::new()
            .name("dolmen-alarms".to_owned())
            .spawn(move || worker.run(&waiting))
            .map_err(|e| {
                Error::new(
                    ErrorKind::Io,
                    format!("could not start the alarm thread: {e}"),
                )
            })?;
        Ok(AlarmIndex {
            commands: Some(commands),
            thread: Some(thread),
            queue: options.alarm_queue,
        })
    }

    /// Sets or clears the time of one object, in milliseconds since 1970. `done` is called when that is durable.
    ///
    /// # Errors
    /// `done` gets `Overloaded` if the queue is full, `Invalid` for a time too far away, `Io` if the disk fails; then the
    /// index is as before.
    pub fn set(
        &self,
        namespace: &Namespace,
        id: ObjectId,
        name: Option<&str>,
        unix_ms: Option<i64>,
        done: Done<()>,
    ) {
        self.send(
            namespace,
            What::Set {
                id,
                name: name.map(str::to_owned),
                unix_ms,
                done,
            },
        );
    }

    /// The earliest alarms at or before `until_ms` (milliseconds since 1970), in order of time, at most `limit`.
    pub fn due(
        &self,
        namespace: &Namespace,
        until_ms: i64,
        limit: usize,
        done: Done<Vec<DueAlarm>>,
    ) {
        self.send(
            namespace,
            What::Due {
                until_ms,
                limit,
                done,
            },
        );
    }

    /// The time of the earliest alarm, in milliseconds since 1970.
    pub fn next(&self, namespace: &Namespace, done: Done<Option<i64>>) {
        self.send(namespace, What::Next { done });
    }

    fn send(&self, namespace: &Namespace, what: What) {
        let command = Command {
            folder: Arc::clone(namespace.folder_handle()),
            what,
        };
        let Some(commands) = &self.commands else {
            return;
        };
        match commands.try_send(command) {
            Ok(()) => {}
            Err(TrySendError::Full(command)) => command.what.fail(Error::new(
                ErrorKind::Overloaded,
                format!("the alarm index has {} commands waiting: the disk is too slow, try again later", self.queue),
            )),
            Err(TrySendError::Disconnected(command)) => {
                command.what.fail(Error::internal("the alarm thread has ended".to_owned()));
            }
        }
    }
}

impl What {
    fn fail(self, error: Error) {
        match self {
            What::Set { done, .. } => done(Err(error)),
            What::Due { done, .. } => done(Err(error)),
            What::Next { done } => done(Err(error)),
        }
    }
}

impl Drop for AlarmIndex {
    /// Waits until every command has been done.
    fn drop(&mut self) {
        self.commands = None;
        if let Some(thread) = self.thread.take()
            // A callback may drop the last handle, on that very thread.
            && thread.thread().id() != thread::current().id()
            && thread.join().is_err()
        {
            tracing::error!("the alarm thread had panicked");
        }
    }
}

impl fmt::Debug for AlarmIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AlarmIndex")
    }
}
