//! Starts the shards and the alarm scheduler, and stops them without losing anything.

use std::{collections::HashSet, sync::Arc, thread::JoinHandle, time::Duration};

use dolmen_storage::Storage;
use tokio::sync::{mpsc, oneshot};

use crate::{
    Result, alarms,
    clock::Clock,
    engine::Engine,
    error::{Error, ErrorKind},
    handle::Handle,
    namespace::NamespaceSpec,
    options::Options,
    shard::{OpenNamespace, Shard, ShardMessage, Shared},
};

/// How long threads get to end after running events were cut off.
const ABORT_GRACE: Duration = Duration::from_secs(5);

/// The shards of one storage folder and one bundle. Dropping it without
/// [`Runtime::shutdown`] leaves the threads running.
pub struct Runtime {
    handle: Handle,
    shared: Shared,
    threads: Vec<JoinHandle<()>>,
}

impl Runtime {
    /// Opens the namespaces' folders and starts the threads.
    ///
    /// # Errors
    /// `Storage` if a namespace's folder cannot be used, `BadRequest` if two namespaces share a
    /// name, `Internal` if a thread cannot be started.
    pub fn start(
        engine: Arc<dyn Engine>,
        namespaces: Vec<NamespaceSpec>,
        storage: Storage,
        options: Options,
        clock: Clock,
    ) -> Result<Self> {
        let mut names = HashSet::new();
        let mut open = Vec::new();
        for spec in namespaces {
            if !names.insert(spec.name.clone()) {
                return Err(Error::new(
                    ErrorKind::BadRequest,
                    format!("two namespaces are called {}", spec.name),
                ));
            }
            let folder = storage.namespace(&spec.unique_key)?;
            open.push(OpenNamespace {
                spec,
                storage: folder,
            });
        }
        let count = options.shards.max(1);
        let (senders, inboxes): (Vec<_>, Vec<_>) =
            (0..count).map(|_| mpsc::unbounded_channel()).unzip();
        let (notes, note_inbox) = mpsc::unbounded_channel();
        let with_alarms = options.alarms;
        let worker = OpenNamespace {
            spec: NamespaceSpec {
                name: "worker".to_owned(),
                class: String::new(),
                unique_key: "worker".to_owned(),
            },
            storage: storage.without_files()?,
        };
        let shared = Shared {
            namespaces: open.into(),
            worker: Arc::new(worker),
            storage,
            engine,
            options: Arc::new(options),
            clock,
            shards: senders.into(),
            alarms: notes,
        };
        let mut threads = Vec::new();
        for (index, inbox) in inboxes.into_iter().enumerate() {
            threads.push(start_shard(index, shared.clone(), inbox)?);
        }
        let handle = Handle::new(&shared);
        if with_alarms {
            let scheduler = shared.clone();
            handle.spawn_on(
                0,
                Box::new(move || Box::pin(alarms::schedule(scheduler, note_inbox))),
            );
        }
        Ok(Self {
            handle,
            shared,
            threads,
        })
    }

    /// The way in.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Refuses new events, lets running and waiting ones finish within the grace period, syncs
    /// everything that was committed, and ends the threads.
    ///
    /// # Errors
    /// `Internal` if a shard did not end; what was acknowledged is durable all the same.
    pub async fn shutdown(self) -> Result<()> {
        let grace = self.shared.options.shutdown_grace;
        let drains: Vec<_> = self
            .shared
            .shards
            .iter()
            .map(|shard| {
                let (done, drained) = oneshot::channel();
                // A closed inbox drops the sender, which counts as drained.
                let _ = shard.send(ShardMessage::Drain(done));
                // An empty shard notices at its next message that it has nothing to wait for.
                drained
            })
            .collect();
        let all = async {
            for drained in drains {
                let _ = drained.await;
            }
        };
        tokio::pin!(all);
        if tokio::time::timeout(grace, &mut all).await.is_err() {
            tracing::warn!("events still ran after {grace:?}; they are cut off");
            for shard in self.shared.shards.iter() {
                let _ = shard.send(ShardMessage::Abort);
            }
            if tokio::time::timeout(ABORT_GRACE, &mut all).await.is_err() {
                return Err(Error::new(
                    ErrorKind::Internal,
                    "a shard did not end in time",
                ));
            }
        }
        for thread in self.threads {
            if tokio::task::spawn_blocking(move || thread.join())
                .await
                .is_err()
            {
                return Err(Error::new(ErrorKind::Internal, "a shard's thread panicked"));
            }
        }
        Ok(())
    }
}

fn start_shard(
    index: usize,
    shared: Shared,
    inbox: mpsc::UnboundedReceiver<ShardMessage>,
) -> Result<JoinHandle<()>> {
    std::thread::Builder::new()
        .name(format!("shard-{index}"))
        .spawn(move || {
            let event_loop = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            match event_loop {
                Ok(event_loop) => {
                    let tasks = tokio::task::LocalSet::new();
                    tasks.block_on(&event_loop, Shard::run(index, shared, inbox));
                }
                Err(error) => tracing::error!(%error, "shard {index} has no event loop"),
            }
        })
        .map_err(|error| {
            Error::new(
                ErrorKind::Internal,
                format!("shard {index} could not be started: {error}"),
            )
        })
}
