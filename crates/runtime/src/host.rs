//! What an engine instance may ask of the runtime: the host calls of one object.
//!
//! Methods are called on a turn of the object. None blocks; those that take time return futures
//! that the engine polls from [`crate::Instance::poll`].

use std::{
    future::Future,
    rc::Rc,
    time::{Duration, Instant},
};

use dolmen_storage::{Database, ObjectId, Prepared, SqlCursor, SqlValue};
use tokio::sync::oneshot;

use crate::{
    Result,
    error::{Error, ErrorKind},
    event::{Event, Reply},
    namespace::NamespaceSpec,
    object::{Object, Settled},
    options::Options,
    turn::{Slice, Verdict},
};

/// Names one event of one object, from its start to its result.
pub type EventId = u64;
/// Names one timer of one instance.
pub type TimerId = u64;

/// The runtime as one object's instance sees it.
pub struct Host {
    pub(crate) object: Rc<Object>,
}

impl Host {
    /// The object's id.
    pub fn id(&self) -> ObjectId {
        self.object.key.id
    }

    /// The object's name, if it was reached by name.
    pub fn name(&self) -> Option<Rc<str>> {
        self.object.name.borrow().clone()
    }

    /// The object's namespace.
    pub fn namespace(&self) -> &NamespaceSpec {
        &self.object.shard.namespaces[self.object.key.namespace].spec
    }

    /// All namespaces of the process, in the order of the bundle.
    pub fn namespaces(&self) -> impl Iterator<Item = &NamespaceSpec> {
        self.object
            .shard
            .namespaces
            .iter()
            .map(|namespace| &namespace.spec)
    }

    /// The runtime's limits.
    pub fn options(&self) -> &Options {
        &self.object.shard.options
    }

    /// The slice that the interrupt handler must consult.
    pub fn slice(&self) -> &Rc<Slice> {
        &self.object.slice
    }

    /// A monotonic reading of the runtime's clock.
    pub fn now(&self) -> Instant {
        self.object.shard.clock.now()
    }

    /// The calendar, milliseconds since 1970.
    pub fn unix_ms(&self) -> i64 {
        self.object.shard.clock.unix_ms()
    }

    /// Works on the object's database inside the turn's implicit transaction. `work` must not run
    /// user code.
    ///
    /// # Errors
    /// Whatever `work` returns.
    pub fn storage<R>(
        &self,
        work: impl FnOnce(&mut Database) -> Result<R, dolmen_storage::Error>,
    ) -> Result<R, dolmen_storage::Error> {
        work(&mut self.object.db.borrow_mut())
    }

    /// Runs user SQL inside the turn's implicit transaction: each statement but the last to its end, the last to its
    /// first row. A long one suspends the turn, as other user code does.
    ///
    /// # Errors
    /// `Sql` for what is wrong with the statements.
    pub fn sql_exec(
        &self,
        text: &str,
        bindings: &[SqlValue<'_>],
    ) -> Result<SqlCursor, dolmen_storage::Error> {
        let mut text = text;
        loop {
            let Prepared { cursor, rest } = self.storage(|db| db.sql_prepare(text, bindings))?;
            let mut ran = self.sql_fetch(cursor);
            while matches!(ran, Ok(true)) && !rest.is_empty() {
                self.storage(|db| db.sql_read(cursor, |_| ()))?;
                ran = self.sql_fetch(cursor);
            }
            if ran.is_ok() && rest.is_empty() {
                return Ok(cursor);
            }
            self.storage(|db| {
                db.sql_close(cursor);
                Ok(())
            })?;
            ran?;
            text = rest;
        }
    }

    /// Whether a cursor has a row to read; runs it as far as that needs.
    ///
    /// # Errors
    /// `Sql`: what SQLite says. The cursor is at its end then.
    pub fn sql_fetch(&self, cursor: SqlCursor) -> Result<bool, dolmen_storage::Error> {
        // The database is not borrowed while a step runs, because the turn may be suspended there.
        while let Some(mut step) = self.storage(|db| db.sql_begin_step(cursor))? {
            step.run(&mut || self.object.slice.checkpoint() == Verdict::Stop);
            self.storage(|db| db.sql_end_step(cursor, step))?;
        }
        self.storage(|db| db.sql_has_row(cursor))
    }

    /// As [`storage`](Self::storage), for finalizers, which may run while the database is in use; `None` then.
    pub fn try_storage<R>(&self, work: impl FnOnce(&mut Database) -> R) -> Option<R> {
        let mut db = self.object.db.try_borrow_mut().ok()?;
        Some(work(&mut db))
    }

    /// Opens a nested transaction.
    ///
    /// # Errors
    /// If SQLite refuses.
    pub fn begin_nested(&self) -> Result<(), dolmen_storage::Error> {
        self.storage(Database::begin_nested)?;
        self.object.alarm.begin_nested();
        Ok(())
    }

    /// Keeps or undoes the innermost nested transaction.
    ///
    /// # Errors
    /// If SQLite refuses.
    pub fn end_nested(&self, end: NestedEnd) -> Result<(), dolmen_storage::Error> {
        self.object.alarm.end_nested(end);
        match end {
            NestedEnd::Commit => self.storage(Database::commit_nested),
            NestedEnd::Rollback => self.storage(Database::rollback_nested),
        }
    }

    /// When the object's alarm is due, milliseconds since 1970; `None` while its handler runs.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn alarm(&self) -> Result<Option<i64>, dolmen_storage::Error> {
        if self.object.alarm.hidden() {
            return Ok(None);
        }
        self.storage(Database::alarm)
    }

    /// Sets or deletes the alarm, within the turn's transaction.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub fn set_alarm(&self, unix_ms: Option<i64>) -> Result<(), dolmen_storage::Error> {
        self.storage(|db| db.set_alarm(unix_ms))?;
        self.object.alarm.touch();
        Ok(())
    }

    /// Starts a timer that fires once.
    ///
    /// # Errors
    /// `BadRequest` when the object has too many.
    pub fn start_timer(&self, delay: Duration) -> Result<TimerId> {
        let mut timers = self.object.timers.borrow_mut();
        let limit = self.options().max_timers;
        if timers.len() >= limit {
            return Err(Error::new(
                ErrorKind::BadRequest,
                format!("too many timers: an object may have {limit} pending"),
            ));
        }
        Ok(timers.start(self.now(), delay))
    }

    /// Forgets a timer; unknown ones are ignored.
    pub fn cancel_timer(&self, timer: TimerId) {
        self.object.timers.borrow_mut().cancel(timer);
    }

    /// Calls another object, once the writes made until now are durable.
    ///
    /// # Errors
    /// The future gives the other object's error, or why the call could not be made.
    pub fn call(
        &self,
        namespace: usize,
        object: &str,
        event: Event,
    ) -> impl Future<Output = Result<Reply>> + use<> {
        let (reply, answer) = oneshot::channel();
        let shard = self.object.shard.clone();
        let chain = self.object.chain_for_call();
        let name: Rc<str> = object.into();
        self.hold(Box::new(move |opened| match (opened, chain) {
            (Ok(()), Ok(chain)) => shard.dispatch(namespace, &name, event, chain, reply),
            (Err(error), _) | (_, Err(error)) => drop(reply.send(Err(error))),
        }));
        async move {
            answer.await.unwrap_or_else(|_| {
                Err(Error::new(
                    ErrorKind::Unavailable,
                    "the called object went away: Dolmen is shutting down",
                ))
            })
        }
    }

    /// Resolves once every write made until now is durable.
    ///
    /// # Errors
    /// `Storage` if they never will be.
    pub fn output_gate(&self) -> impl Future<Output = Result<()>> + use<> {
        let (opened, wait) = oneshot::channel();
        self.hold(Box::new(move |result| drop(opened.send(result))));
        async move {
            wait.await.unwrap_or_else(|_| {
                Err(Error::new(
                    ErrorKind::Reset,
                    "the object was reset before its writes were durable",
                ))
            })
        }
    }

    /// Reports the result of the event `id`.
    pub fn settle(&self, id: EventId, result: Result<Reply>) {
        self.object
            .settled
            .borrow_mut()
            .push(Settled { id, result });
    }

    fn hold(&self, output: crate::gate::Output) {
        self.object.gate.borrow_mut().push(output);
    }
}

/// How a nested transaction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NestedEnd {
    /// Its writes join the transaction around it.
    Commit,
    /// Its writes are undone.
    Rollback,
}
