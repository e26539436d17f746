//! One object's alarm: what its running handler changed, and what the alarm index knows.
//!
//! Kept true at every crash point: the index knows a time no later than the one in the object's
//! database. So an earlier time is written to the index before the commit, and a later one, or
//! none, after the commit is durable.

use std::{
    cell::{Cell, RefCell},
    time::Instant,
};

use dolmen_storage::AlarmChange;
use tokio::sync::oneshot;

use crate::{host::NestedEnd, object::Object, shard::ShardMessage};

#[derive(Default)]
pub(crate) struct AlarmState {
    /// When the handler that runs must be over.
    handler_ends: Cell<Option<Instant>>,
    /// A reset ends the alarm whose handler runs.
    ends_at_reset: Cell<bool>,
    /// Whether the alarm was set or deleted since the handler started.
    touched: Cell<bool>,
    /// `touched` at the start of each open nested transaction.
    before_nested: RefCell<Vec<bool>>,
    /// The time in the index, as far as this instance of the object knows; never later than
    /// any time the database might show after a crash.
    indexed: Cell<Option<i64>>,
    /// What the index is to hold once the commit with that number is durable.
    owed: Cell<Option<(u64, Option<i64>)>>,
    index_writes: Cell<u32>,
}

impl AlarmState {
    pub fn begin_nested(&self) {
        self.before_nested.borrow_mut().push(self.touched.get());
    }

    pub fn end_nested(&self, end: NestedEnd) {
        let before = self.before_nested.borrow_mut().pop();
        if let (NestedEnd::Rollback, Some(before)) = (end, before) {
            self.touched.set(before);
        }
    }

    pub fn touch(&self) {
        self.touched.set(true);
    }

    /// Whether `getAlarm` shows nothing, because the handler of the stored alarm runs.
    pub fn hidden(&self) -> bool {
        self.handler_runs() && !self.touched.get()
    }

    fn handler_runs(&self) -> bool {
        self.handler_ends.get().is_some()
    }

    /// When the handler that runs must be over.
    pub fn deadline(&self) -> Option<Instant> {
        self.handler_ends.get()
    }

    pub fn handler_started(&self, ends: Instant) {
        self.handler_ends.set(Some(ends));
        self.touched.set(false);
    }

    /// The handler ended; says whether it set or deleted the alarm itself.
    pub fn handler_ended(&self) -> bool {
        self.handler_ends.set(None);
        self.touched.get()
    }

    /// The alarm whose handler runs ends with the next reset.
    pub fn drop_at_reset(&self) {
        self.ends_at_reset.set(self.handler_runs());
    }

    /// Whether the reset that happens now ends the alarm.
    pub fn take_drop_at_reset(&self) -> bool {
        self.ends_at_reset.take()
    }

    /// Forgets the running turn.
    pub fn reset(&self) {
        self.handler_ends.set(None);
        self.before_nested.borrow_mut().clear();
    }

    /// Commits after number `durable` are lost, and what they owed to the index with them. The index may
    /// know a time that is too early; then it fires, and the object puts it right.
    pub fn forget_after(&self, durable: u64) {
        if self.owed.get().is_some_and(|(commit, _)| commit > durable) {
            self.owed.set(None);
        }
    }

    /// Tells the index what must be there before a commit that makes `change`.
    ///
    /// # Errors
    /// If the index could not be written: the commit must not happen.
    pub async fn before_commit(
        &self,
        object: &Object,
        change: AlarmChange,
    ) -> Result<(), dolmen_storage::Error> {
        let known = self.indexed.get().or(change.before);
        if let Some(after) = change.after
            && known.is_none_or(|known| after < known)
        {
            let (done, indexed) = oneshot::channel();
            self.write_index(
                object,
                Some(after),
                Box::new(move |result| drop(done.send(result))),
            );
            if let Ok(result) = indexed.await {
                result?;
            }
            self.index_writes.set(self.index_writes.get() - 1);
            object.shard.alarm_changed(object.key.namespace, after);
        }
        Ok(())
    }

    /// Notes what the index must hold once commit number `commit` is durable.
    pub fn committed(&self, change: AlarmChange, commit: u64) {
        self.owed.set(Some((commit, change.after)));
    }

    /// Pays what is owed to the index, now that `durable` is.
    pub fn advance(&self, object: &Object, durable: u64) {
        let Some((commit, after)) = self.owed.get() else {
            return;
        };
        if commit > durable {
            return;
        }
        self.owed.set(None);
        if self.indexed.get() == after && after.is_some() {
            return;
        }
        let inbox = object.shard.inbox.clone();
        let (key, life) = (object.key, object.life);
        self.write_index(
            object,
            after,
            Box::new(move |result| {
                let _ = inbox.send(ShardMessage::AlarmIndexed {
                    key,
                    life,
                    after,
                    result,
                });
            }),
        );
    }

    /// An index write that `advance` began is through.
    pub fn index_written(&self) {
        self.index_writes.set(self.index_writes.get() - 1);
    }

    /// Writes the time in the database to the index again, because the index fired too early.
    pub fn rearm(&self, commit: u64, time: Option<i64>) {
        self.indexed.set(None);
        self.owed.set(Some((commit, time)));
    }

    pub fn is_settled(&self) -> bool {
        self.owed.get().is_none() && self.index_writes.get() == 0
    }

    fn write_index(
        &self,
        object: &Object,
        time: Option<i64>,
        done: Box<dyn FnOnce(Result<(), dolmen_storage::Error>) + Send>,
    ) {
        self.index_writes.set(self.index_writes.get() + 1);
        self.indexed.set(time);
        let name = object.name.borrow();
        object.shard.storage.alarms().set(
            &object.shard.namespace(object.key.namespace).storage,
            object.key.id,
            name.as_deref(),
            time,
            done,
        );
    }
}
