//! Arguments that were encoded before it is known where the call goes.

use std::cell::RefCell;

use dolmen_runtime::Message;
use rquickjs::{Class, Ctx, Value};

use crate::js_class::js_class;

/// The JavaScript object around a message, until a call takes it.
struct Arguments(RefCell<Option<Message>>);

js_class!(Arguments, "Arguments");

/// The object that stands for `message` until the call is made.
pub(super) fn wrap<'js>(ctx: &Ctx<'js>, message: Message) -> rquickjs::Result<Value<'js>> {
    let arguments = Arguments(RefCell::new(Some(message)));
    Class::instance(ctx.clone(), arguments).map(Class::into_value)
}

/// The message that `value` stands for, which it gives once; `None` of any other value.
pub(super) fn take(value: &Value<'_>) -> Option<Message> {
    let arguments = Class::<Arguments>::from_value(value).ok()?;
    arguments.borrow().0.borrow_mut().take()
}
