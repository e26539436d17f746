//! Arguments that were encoded before it is known where the call goes.

use std::cell::RefCell;

use dolmen_runtime::Message;
use rquickjs::{
    Class, Ctx, JsLifetime, Value,
    class::{JsClass, Readable, Trace, Tracer},
    function::Constructor,
};

/// The JavaScript object around a message, until a call takes it.
struct Arguments(RefCell<Option<Message>>);

impl<'js> Trace<'js> for Arguments {
    fn trace<'a>(&self, _tracer: Tracer<'a, 'js>) {}
}

// SAFETY: nothing in it has the lifetime.
unsafe impl<'js> JsLifetime<'js> for Arguments {
    type Changed<'to> = Arguments;
}

impl<'js> JsClass<'js> for Arguments {
    const NAME: &'static str = "Arguments";
    type Mutable = Readable;

    fn constructor(_ctx: &Ctx<'js>) -> rquickjs::Result<Option<Constructor<'js>>> {
        Ok(None)
    }
}

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
