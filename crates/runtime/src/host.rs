//! What an engine instance may ask of the runtime: the host calls of one object.
//!
//! Methods are called on a turn of the object. None blocks; those that take time return futures
//! that the engine polls from [`crate::Instance::poll`].

use std::{
    cell::RefCell,
    future::{Future, poll_fn},
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use dolmen_storage::{Database, NamespaceKey, ObjectId, Prepared, SqlCursor, SqlValue};
use tokio::sync::oneshot;

use crate::{
    Result,
    call::{Client, Export},
    deliveries::{Deliveries, DeliveryNumber},
    error::{Error, ErrorKind},
    event::{Event, Reply},
    hibernation::{HibernatingSocket, MAX_SOCKETS},
    interleaved::{LONGEST_SECTION, MAX_SECTIONS},
    namespace::NamespaceSpec,
    object::{Envelope, Object, ObjectKey, Route, Settled},
    options::Options,
    sections::SectionId,
    shard::CallChain,
    socket::{AutoResponse, Received, SocketEnd, SocketId, SocketLoss, SocketMessage},
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
        &self.object.shard.namespace(self.object.key.namespace).spec
    }

    /// The index of the object's namespace in [`Host::namespaces`].
    pub fn namespace_index(&self) -> usize {
        self.object.key.namespace
    }

    /// The id of the object called `name`; those used last are remembered.
    pub fn id_from_name(&self, namespace: usize, name: &str) -> ObjectId {
        self.object.shard.id_of(namespace, &name.into())
    }

    /// Whether this is the stateless worker, which has no storage.
    pub fn is_worker(&self) -> bool {
        self.object.is_worker()
    }

    /// How errors and logs call the object.
    pub fn label(&self) -> String {
        self.object.label()
    }

    /// What derives and checks the ids of a namespace.
    pub fn namespace_key(&self, namespace: usize) -> &NamespaceKey {
        self.object.shard.namespace(namespace).storage.key()
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
            self.storage(|db| Ok(db.sql_close(cursor)))?;
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

    /// Starts a timer that fires once. `section` is the critical section that starts it, or 0.
    ///
    /// # Errors
    /// `BadRequest` when the object has too many.
    pub fn start_timer(&self, delay: Duration, section: SectionId) -> Result<TimerId> {
        let mut timers = self.object.timers.borrow_mut();
        let limit = self.options().max_timers;
        if timers.len() >= limit {
            return Err(Error::new(
                ErrorKind::BadRequest,
                format!("too many timers: an object may have {limit} pending"),
            ));
        }
        Ok(timers.start(self.now(), delay, section))
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
            (Ok(()), Ok(chain)) => shard.dispatch(
                namespace,
                &name,
                Envelope {
                    event,
                    chain,
                    route: Route::Plain,
                    reply,
                },
            ),
            (Err(error), _) | (_, Err(error)) => drop(reply.send(Err(error))),
        }));
        answered(answer)
    }

    /// Sends an event where `client` says, once the writes made until now are durable. Events sent
    /// to one client arrive in the order in which they were sent.
    ///
    /// # Errors
    /// The future gives the callee's error, or why it could not be reached.
    pub fn send(
        &self,
        client: &Client,
        event: Event,
    ) -> impl Future<Output = Result<Reply>> + use<> {
        let (reply, answer) = oneshot::channel();
        let shard = self.object.shard.clone();
        let client = client.clone();
        self.hold(Box::new(move |opened| {
            if let Err(error) = opened {
                return drop(reply.send(Err(error)));
            }
            let envelope = |route| Envelope {
                event,
                chain: CallChain::default(),
                route,
                reply,
            };
            match client {
                Client::Object(object, connection) => shard.send(
                    ObjectKey {
                        namespace: object.namespace,
                        id: object.id,
                    },
                    object.name.as_deref(),
                    envelope(Route::Stub(connection)),
                ),
                Client::Export(export) => {
                    let route = Route::Export(export.clone());
                    shard.send_to_export(&export, envelope(route));
                }
                Client::Worker => shard.send_to_worker(envelope(Route::Plain)),
            }
        }));
        answered(answer)
    }

    /// A reference to the value that this instance keeps under the number `id`. Its number is
    /// among [`Host::take_released`] once nobody has the reference any more.
    pub fn export(&self, id: u64) -> Arc<Export> {
        let object = &*self.object;
        object.exported.set(object.exported.get() + 1);
        Arc::new(Export {
            shard: object.shard.inbox.clone(),
            key: object.key,
            instance: object.instance.get(),
            id,
        })
    }

    /// Exports that nobody refers to any more.
    pub fn take_released(&self) -> Vec<u64> {
        self.object.released.take()
    }

    /// Runs `output` once everything written until now is durable, in order with all other outputs.
    pub fn after_gate(&self, output: impl FnOnce(Result<()>) + 'static) {
        self.hold(Box::new(output));
    }

    /// If the instance is reset now and an alarm's handler runs, the alarm is not tried again.
    pub fn drop_running_alarm(&self) {
        self.object.alarm.drop_at_reset();
    }

    /// Begins a critical section inside `parent`, or outside all (0): until it ends no event
    /// begins, and of what is under way only what it started goes on.
    ///
    /// # Errors
    /// `BadRequest` when sections are nested too deep.
    pub fn begin_section(&self, parent: SectionId) -> Result<SectionId> {
        let object = &*self.object;
        let mut sections = object.sections.borrow_mut();
        if sections.len() >= MAX_SECTIONS {
            return Err(Error::new(
                ErrorKind::BadRequest,
                "blockConcurrencyWhile() calls are nested too deeply.",
            ));
        }
        let id = object.shard.next_life();
        sections.begin(id, parent, self.now() + LONGEST_SECTION);
        Ok(id)
    }

    /// Ends a critical section.
    pub fn end_section(&self, id: SectionId) {
        self.object.sections.borrow_mut().end(id);
        self.object.wakeup.wake_driver();
    }

    /// Something begins that the instance will wait for, in the critical section `section` (0:
    /// outside all).
    pub fn operation(&self, section: SectionId) -> Operation {
        let object = self.object.clone();
        object.sections.borrow_mut().begin_operation(section);
        Operation { object, section }
    }

    /// No microtask is left: the end of the next operation may be seen.
    pub fn next_delivery(&self) {
        self.object.deliveries.borrow_mut().next();
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

    /// Waits until the client of the event `id`, which is under way, goes away before its answer is
    /// complete: `true`. `false` once the client has the whole answer, or the event has ended in another way.
    pub fn client_gone(&self, id: EventId) -> impl Future<Output = bool> + use<> {
        enum Until {
            Gone,
            Answered(Option<oneshot::Receiver<()>>),
        }
        let object = self.object.clone();
        let (watcher, mut answered) = oneshot::channel();
        // Of an event that is over the watcher is dropped, which is an answer.
        if let Some(event) = object.in_flight.borrow_mut().get_mut(&id) {
            event.watcher = Some(watcher);
        }
        async move {
            let until = poll_fn(|cx| {
                if let Poll::Ready(stream) = Pin::new(&mut answered).poll(cx) {
                    return Poll::Ready(Until::Answered(stream.ok().flatten()));
                }
                match object.in_flight.borrow_mut().get_mut(&id) {
                    Some(event) => event.reply.poll_closed(cx).map(|()| Until::Gone),
                    None => Poll::Ready(Until::Answered(None)),
                }
            });
            match until.await {
                Until::Gone => true,
                Until::Answered(None) => false,
                Until::Answered(Some(read)) => read.await.is_err(),
            }
        }
    }

    /// The instance is going to be reset because of what the event `id` does.
    pub fn blame(&self, id: EventId) {
        self.object.culprits.borrow_mut().push(id);
    }

    /// Sends a message on a socket once everything written until now is durable, in order with all
    /// other outputs. If the other side has left too much unread, the socket ends instead.
    pub fn send_on_socket(&self, end: &Rc<SocketEnd>, message: SocketMessage) {
        self.object.send_on_socket(end, message);
    }

    /// The next thing that arrives on a socket whose events the instance takes itself; `None` after
    /// the end. When the runtime shuts down, the socket is lost.
    pub fn receive(&self, end: Rc<SocketEnd>) -> impl Future<Output = Option<Received>> + use<> {
        let shard = self.object.shard.clone();
        async move {
            let drains = shard.drain.notified();
            if shard.draining.get() {
                return Some(Received::Lost(SocketLoss::restart()));
            }
            tokio::select! {
                biased;
                received = end.receive() => received,
                () = drains => Some(Received::Lost(SocketLoss::restart())),
            }
        }
    }

    /// Gives a socket to the object, to be kept when its instance goes. `tags` are distinct.
    ///
    /// # Errors
    /// `BadRequest` when the object has [`MAX_SOCKETS`].
    pub fn accept_socket(&self, end: SocketEnd, tags: &[String]) -> Result<Rc<HibernatingSocket>> {
        if self.object.sockets().len() >= MAX_SOCKETS {
            return Err(Error::new(
                ErrorKind::BadRequest,
                format!(
                    "only {MAX_SOCKETS} websockets can be accepted on a single Durable Object instance"
                ),
            ));
        }
        Ok(self.object.accept_socket(end, tags))
    }

    /// Takes back that a socket was accepted, before its client has it. Nothing is told to it.
    pub fn forget_socket(&self, id: SocketId) {
        self.object.forget_socket(id);
    }

    /// The object's hibernatable sockets with `tag`, or all of them, the newest first.
    pub fn sockets(&self, tag: Option<&str>) -> Vec<Rc<HibernatingSocket>> {
        let sockets = self.object.sockets.get();
        sockets.map_or_else(Vec::new, |sockets| sockets.list(tag))
    }

    /// One of the object's hibernatable sockets.
    pub fn socket(&self, id: SocketId) -> Option<Rc<HibernatingSocket>> {
        self.object.sockets.get()?.get(id)
    }

    /// What the object's hibernatable sockets answer without waking it.
    pub fn auto_response(&self) -> Option<Arc<AutoResponse>> {
        self.object.sockets.get()?.auto_response()
    }

    /// Sets or clears what they answer so.
    pub fn set_auto_response(&self, pair: Option<AutoResponse>) {
        self.object.sockets().set_auto_response(pair);
    }

    /// How long a handler of a hibernatable socket may take.
    pub fn socket_event_timeout(&self) -> Option<Duration> {
        self.object.sockets.get()?.event_timeout()
    }

    /// Sets or clears how long it may take.
    pub fn set_socket_event_timeout(&self, timeout: Option<Duration>) {
        self.object.sockets().set_event_timeout(timeout);
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

/// A host operation, from its beginning until the instance has seen its end.
pub struct Operation {
    object: Rc<Object>,
    section: SectionId,
}

impl Operation {
    /// Waits for `work`, and then until the critical sections let it in and user code has seen the end of every
    /// operation before it.
    pub async fn run<T>(self, work: impl Future<Output = T>) -> T {
        let result = work.await;
        self.admitted().await;
        result
    }

    /// Resolves once the critical sections let in what was begun in its section, and user code is through with what
    /// was let in before it.
    pub async fn admitted(&self) {
        let sections = &self.object.sections;
        loop {
            poll_fn(|cx| sections.borrow_mut().poll_admits(self.section, cx)).await;
            Delivery::of(&self.object).await;
            // What was let in before it may have begun a section.
            if sections.borrow().admits(self.section) {
                return;
            }
        }
    }
}

impl std::fmt::Debug for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "an operation of section {}", self.section)
    }
}

impl Drop for Operation {
    fn drop(&mut self) {
        self.object
            .sections
            .borrow_mut()
            .end_operation(self.section);
    }
}

/// Waits until the end of an operation may be seen.
struct Delivery<'a> {
    deliveries: &'a RefCell<Deliveries>,
    number: Option<DeliveryNumber>,
}

impl<'a> Delivery<'a> {
    fn of(object: &'a Object) -> Self {
        Self {
            deliveries: &object.deliveries,
            number: None,
        }
    }
}

impl Future for Delivery<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let deliveries = self.deliveries;
        deliveries.borrow_mut().poll(&mut self.number, cx)
    }
}

impl Drop for Delivery<'_> {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            self.deliveries.borrow_mut().give_up(number);
        }
    }
}

/// The answer to a call; one that never comes means that the process ends.
async fn answered(answer: oneshot::Receiver<Result<Reply>>) -> Result<Reply> {
    answer.await.unwrap_or_else(|_| {
        Err(Error::new(
            ErrorKind::Unavailable,
            "the called object went away: Dolmen is shutting down",
        ))
    })
}

/// How a nested transaction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NestedEnd {
    /// Its writes join the transaction around it.
    Commit,
    /// Its writes are undone.
    Rollback,
}
