//! What a stub holds: the object that glue passes back to say where a call goes.

use std::{cell::RefCell, sync::Arc};

use dolmen_runtime::{Cap, Client, Connection, Entrypoint, Export, ObjectRef, Target};
use rquickjs::{Class, Ctx, Exception, Value};

use crate::js_class::js_class;

/// Where calls go.
#[derive(Clone, Debug)]
pub(crate) enum Remote {
    Object(ObjectRef, Arc<Connection>),
    Export(Arc<Export>),
    Entrypoint(Entrypoint),
}

impl Remote {
    /// An object, by a stub of its own.
    pub fn object(object: ObjectRef) -> Self {
        Self::Object(object, Arc::default())
    }

    pub fn client(&self) -> Client {
        match self {
            Self::Object(object, connection) => Client::Object(object.clone(), connection.clone()),
            Self::Export(export) => Client::Export(export.clone()),
            Self::Entrypoint(_) => Client::Worker,
        }
    }

    /// What the callee is to do with it.
    pub fn target(&self) -> Target {
        match self {
            Self::Object(..) => Target::Root,
            Self::Export(export) => Target::Export(export.id()),
            Self::Entrypoint(entrypoint) => Target::Entrypoint(entrypoint.clone()),
        }
    }

    pub fn cap(&self) -> Cap {
        match self {
            Self::Object(object, _) => Cap::Object(object.clone()),
            Self::Export(export) => Cap::Export(export.clone()),
            Self::Entrypoint(entrypoint) => Cap::Entrypoint(entrypoint.clone()),
        }
    }
}

/// The JavaScript object around a [`Remote`]; dropping it gives the reference back.
pub(crate) struct RemoteHandle {
    remote: RefCell<Option<Remote>>,
    /// Whether what is exported is a promise, so that its stub can be awaited.
    is_promise: bool,
}

js_class!(RemoteHandle, "Remote");

impl RemoteHandle {
    pub fn wrap<'js>(
        ctx: &Ctx<'js>,
        remote: Remote,
        is_promise: bool,
    ) -> rquickjs::Result<Value<'js>> {
        let handle = Self {
            remote: RefCell::new(Some(remote)),
            is_promise,
        };
        Class::instance(ctx.clone(), handle).map(Class::into_value)
    }

    /// Whether `value` is a handle of a promise.
    pub fn is_promise(value: &Value<'_>) -> rquickjs::Result<bool> {
        let handle = Class::<Self>::from_value(value)?;
        let is_promise = handle.borrow().is_promise;
        Ok(is_promise)
    }

    /// What `value` is a handle of.
    pub fn get<'js>(ctx: &Ctx<'js>, value: &Value<'js>) -> rquickjs::Result<Remote> {
        let handle = Class::<Self>::from_value(value)?;
        let remote = handle.borrow().remote.borrow().clone();
        remote.ok_or_else(|| Exception::throw_message(ctx, "RPC stub used after being disposed."))
    }

    /// Gives the reference back now.
    pub fn dispose(value: &Value<'_>) -> rquickjs::Result<()> {
        let handle = Class::<Self>::from_value(value)?;
        handle.borrow().remote.borrow_mut().take();
        Ok(())
    }
}
