//! The way in: sends events to objects from any thread.

use std::{future::Future, sync::Arc};

use dolmen_storage::NamespaceKey;
use tokio::sync::{mpsc::UnboundedSender, oneshot};

use crate::{
    Result,
    engine::Concurrency,
    error::{Error, ErrorKind},
    event::{Event, FetchRequest, FetchResponse, Payload, Reply, RpcCall},
    namespace::{MAX_NAME_BYTES, NamespaceSpec},
    object::{Envelope, ObjectKey},
    shard::{Shard, ShardMessage, ShardTask, Shared, owner},
};

/// A cheap, cloneable reference to a running [`crate::Runtime`].
#[derive(Clone)]
pub struct Handle {
    specs: Arc<[NamespaceSpec]>,
    has_worker: bool,
    has_object_paths: bool,
    keys: Arc<[NamespaceKey]>,
    shards: Arc<[UnboundedSender<ShardMessage>]>,
}

impl Handle {
    /// Holds nothing that keeps the storage folder in use once the runtime has stopped.
    pub(crate) fn new(shared: &Shared) -> Self {
        Self {
            specs: shared
                .namespaces
                .iter()
                .map(|namespace| namespace.spec.clone())
                .collect(),
            has_worker: shared.engine.concurrency() == Concurrency::Interleaved,
            has_object_paths: shared.engine.has_object_paths(),
            keys: shared
                .namespaces
                .iter()
                .map(|namespace| namespace.storage.key().clone())
                .collect(),
            shards: shared.shards.clone(),
        }
    }

    /// The namespaces, in the order of the bundle.
    pub fn namespaces(&self) -> &[NamespaceSpec] {
        &self.specs
    }

    /// Whether the bundle is a module worker, whose own `fetch` serves requests.
    pub fn has_worker(&self) -> bool {
        self.has_worker
    }

    /// Whether `/do/` and `/fetch/` lead to the bundle's objects, and not to its worker.
    pub fn has_object_paths(&self) -> bool {
        self.has_object_paths
    }

    /// How many shards there are.
    pub fn shards(&self) -> usize {
        self.shards.len()
    }

    /// Calls a method of the object `object` in `namespace` and returns its encoded result, in
    /// the encoding of the arguments.
    ///
    /// # Errors
    /// Every [`ErrorKind`]; see there.
    pub fn rpc(
        &self,
        namespace: &str,
        object: &str,
        call: RpcCall,
    ) -> impl Future<Output = Result<Payload>> + Send + use<> {
        let answer = self.dispatch(namespace, object, Event::Rpc(call));
        async move {
            match answer?.await {
                Ok(Ok(Reply::Rpc(payload))) => Ok(payload),
                other => Err(failure(other)),
            }
        }
    }

    /// Passes an HTTP request to the object's `fetch`.
    ///
    /// # Errors
    /// Every [`ErrorKind`]; `MethodNotFound` if the object has no `fetch`.
    pub fn fetch(
        &self,
        namespace: &str,
        object: &str,
        request: FetchRequest,
    ) -> impl Future<Output = Result<FetchResponse>> + Send + use<> {
        let answer = self.dispatch(namespace, object, Event::Fetch(request));
        async move {
            match answer?.await {
                Ok(Ok(Reply::Fetch(response))) => Ok(response),
                other => Err(failure(other)),
            }
        }
    }

    /// Passes an HTTP request to the stateless worker of the bundle: that of the calling shard, or
    /// of any one when the caller is not on a shard.
    ///
    /// # Errors
    /// Every [`ErrorKind`]; `StartFailed` if the bundle has no worker.
    pub fn worker(
        &self,
        request: FetchRequest,
    ) -> impl Future<Output = Result<FetchResponse>> + Send + use<> {
        let (reply, answer) = oneshot::channel();
        let envelope = Envelope::plain(Event::Fetch(request), reply);
        match Shard::current(&self.shards) {
            Some(shard) => shard.send_to_worker(envelope),
            // A closed inbox drops the reply, which `failure` reports.
            None => drop(self.shards[0].send(ShardMessage::ToWorker(envelope))),
        }
        async move {
            match answer.await {
                Ok(Ok(Reply::Fetch(response))) => Ok(response),
                other => Err(failure(other)),
            }
        }
    }

    /// Runs a task on the event loop of shard `index` (modulo the number of shards).
    pub fn spawn_on(&self, index: usize, task: ShardTask) {
        // A closed inbox means that the runtime has stopped: the task is dropped.
        let _ = self.shards[index % self.shards()].send(ShardMessage::Spawn(task));
    }

    fn dispatch(
        &self,
        namespace: &str,
        object: &str,
        event: Event,
    ) -> Result<oneshot::Receiver<Result<Reply>>> {
        let Some(index) = self.specs.iter().position(|spec| spec.name == namespace) else {
            let known: Vec<_> = self.specs.iter().map(|spec| spec.name.as_str()).collect();
            return Err(Error::new(
                ErrorKind::UnknownNamespace,
                format!(
                    "no namespace is called {namespace:?}; this bundle has {}",
                    known.join(", ")
                ),
            ));
        };
        if object.len() > MAX_NAME_BYTES {
            return Err(Error::new(
                ErrorKind::BadRequest,
                format!(
                    "an object's name has at most {MAX_NAME_BYTES} bytes; this one has {}",
                    object.len()
                ),
            ));
        }
        let (reply, answer) = oneshot::channel();
        let envelope = Envelope::plain(event, reply);
        match Shard::current(&self.shards) {
            Some(shard) => shard.dispatch(index, &object.into(), envelope),
            None => {
                let id = self.keys[index].id_from_name(object);
                let key = ObjectKey {
                    namespace: index,
                    id,
                };
                // A closed inbox drops the reply, which `failure` reports.
                let _ = self.shards[owner(id, self.shards())].send(ShardMessage::Deliver {
                    key,
                    name: Some(object.into()),
                    envelope,
                });
            }
        }
        Ok(answer)
    }
}

fn failure(answer: Result<Result<Reply>, oneshot::error::RecvError>) -> Error {
    match answer {
        Ok(Err(error)) => error,
        Ok(Ok(_)) => Error::new(
            ErrorKind::Internal,
            "the object answered an event of another kind",
        ),
        Err(_) => Error::new(
            ErrorKind::Unavailable,
            "Dolmen is shutting down; send the request again later",
        ),
    }
}
