//! Calls between module workers' objects: what is called, what travels with it, and the two kinds
//! of reference that a caller can hold.
//!
//! A [`Connection`] is what one stub has to one object. It breaks when the instance that it reached
//! is reset, and then fails every later call with the same error, so that calls made in order are
//! never delivered with a hole. An [`Export`] refers to a value inside one instance, such as a function.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::Bytes;
use dolmen_storage::ObjectId;
use tokio::sync::mpsc::UnboundedSender;

use crate::{
    body::{BodyReader, BodyWriter},
    error::Error,
    object::ObjectKey,
    shard::ShardMessage,
};

/// A call of a method or the read of a property.
#[derive(Debug)]
pub struct Call {
    /// What it starts from.
    pub target: Target,
    /// The names to follow from there; the last one is the method. Empty: the target itself.
    pub path: Vec<Box<str>>,
    /// The arguments, an array; `None` to read the property instead of calling it.
    pub args: Option<Message>,
}

/// What a call or a request inside an instance is for.
#[derive(Debug, Default)]
pub enum Target {
    /// The object, or the worker's default export.
    #[default]
    Root,
    /// A named export of the worker, with the props of its binding.
    Entrypoint(Entrypoint),
    /// A value that the instance has exported.
    Export(u64),
}

/// A `WorkerEntrypoint` of the worker.
#[derive(Clone, Debug)]
pub struct Entrypoint {
    /// The export's name; `default` for the default one.
    pub name: Arc<str>,
    /// `ctx.props`, encoded; `None`: an empty object.
    pub props: Option<Bytes>,
}

/// An encoded value and what it refers to.
#[derive(Debug)]
pub struct Message {
    /// V8's structured-clone format, with references by index into `caps`.
    pub bytes: Bytes,
    /// What cannot be copied.
    pub caps: Vec<Cap>,
}

/// Something that travels by reference.
#[derive(Debug)]
pub enum Cap {
    /// A function, an `RpcTarget` or a promise of some instance.
    Export(Arc<Export>),
    /// Another object.
    Object(ObjectRef),
    /// An entrypoint of the worker.
    Entrypoint(Entrypoint),
    /// A stream to read.
    Reader(BodyReader),
    /// A stream to write.
    Writer(BodyWriter),
}

/// Which object a stub is for.
#[derive(Clone, Debug)]
pub struct ObjectRef {
    /// The index of its namespace.
    pub namespace: usize,
    /// Its id.
    pub id: ObjectId,
    /// The name that the id was made from, if it is known.
    pub name: Option<Arc<str>>,
}

/// What a stub sends its calls to.
#[derive(Clone, Debug)]
pub enum Client {
    /// An object, and the connection to its current instance.
    Object(ObjectRef, Arc<Connection>),
    /// An exported value.
    Export(Arc<Export>),
    /// The worker on the caller's shard.
    Worker,
}

/// Whether one instance of an object is still the one that its callers reached.
#[derive(Debug, Default)]
pub(crate) struct Life {
    broken: OnceLock<Error>,
}

impl Life {
    /// The instance was reset; the first reason stays.
    pub fn end(&self, reason: &Error) {
        // A second reset of the same life changes nothing.
        let _ = self.broken.set(reason.clone());
    }
}

/// What one stub has to its object, from its first delivered call on.
#[derive(Debug, Default)]
pub struct Connection {
    life: Mutex<Option<Arc<Life>>>,
}

impl Connection {
    /// A call arrives at the object whose current instance is `life`.
    ///
    /// # Errors
    /// Why the connection is broken, which it then stays.
    pub(crate) fn arrive(&self, life: &Arc<Life>) -> Result<(), Error> {
        let mut known = self.life.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reason) = known.as_ref().and_then(|life| life.broken.get()) {
            return Err(reason.clone());
        }
        if !known.as_ref().is_some_and(|known| Arc::ptr_eq(known, life)) {
            *known = Some(life.clone());
        }
        Ok(())
    }
}

/// A value that an instance has exported. The instance keeps it until this is dropped.
pub struct Export {
    pub(crate) shard: UnboundedSender<ShardMessage>,
    pub(crate) key: ObjectKey,
    pub(crate) instance: u64,
    pub(crate) id: u64,
}

impl Export {
    /// Its number in the instance that exported it.
    pub fn id(&self) -> u64 {
        self.id
    }
}

impl std::fmt::Debug for Export {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "export {} of instance {}", self.id, self.instance)
    }
}

impl Drop for Export {
    fn drop(&mut self) {
        // A closed inbox means that the instance is gone.
        let _ = self.shard.send(ShardMessage::Release {
            key: self.key,
            instance: self.instance,
            export: self.id,
        });
    }
}
