//! `state`: the first argument of a CommonJS object's constructor.

use std::rc::Rc;

use dolmen_runtime::Host;
use rquickjs::{Ctx, Function, Object};

use super::storage;
use crate::sockets;

/// Whether a class has an `alarm` method, without which `setAlarm` is refused.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum AlarmHandler {
    Present,
    Absent,
}

/// Makes `{ id: { namespace, name, hex, toString() }, storage, getWebSockets(tag), … }`.
pub(crate) fn make<'js>(
    ctx: &Ctx<'js>,
    host: &Rc<Host>,
    handler: AlarmHandler,
) -> rquickjs::Result<Object<'js>> {
    let id = Object::new(ctx.clone())?;
    let hex = host.id().to_string();
    id.set("namespace", host.namespace().name.as_str())?;
    if let Some(name) = host.name() {
        id.set("name", &*name)?;
    }
    id.set("hex", hex.as_str())?;
    let to_string = Function::new(ctx.clone(), move || hex.clone())?;
    id.prop("toString", rquickjs::object::Property::from(to_string))?;
    let state = Object::new(ctx.clone())?;
    state.set("id", id)?;
    state.set("storage", storage::make(ctx, host, handler)?)?;
    sockets::install_state(ctx, &state)?;
    Ok(state)
}
