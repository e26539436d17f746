//! One live object of a CommonJS bundle. Promises that are pending when a turn ends are looked at
//! again after the next one.

use std::{cell::RefCell, rc::Rc, sync::Arc, task::Context};

use dolmen_runtime::{
    Error, ErrorKind, Event, EventId, Host, Instance, Reply, SocketEnd, Work, websocket,
};
use rquickjs::{
    Ctx, Object, Persistent, Promise, Value, function::Constructor, promise::PromiseState,
};

use crate::{
    api,
    bindings::Bindings,
    bundle,
    bytecode::Bytecode,
    exception::Thrown,
    fetch, rpc, sockets,
    vm::{Vm, over_memory},
    wasm::Code,
    web,
};

/// How a settled value becomes a reply.
enum Conversion {
    Rpc(rpc::Encoding),
    Fetch,
    Alarm,
    /// Of `webSocketOpen`: the client's end, until it is given to the client.
    Open(RefCell<Option<SocketEnd>>),
    Socket,
}

/// An event whose promise was pending when its last turn ended.
struct Unsettled {
    id: EventId,
    promise: Persistent<Promise<'static>>,
    conversion: Conversion,
}

// The order of the fields is the order in which they are dropped: values before their runtime.
pub(crate) struct JsInstance {
    unsettled: Vec<Unsettled>,
    object: Option<Persistent<Object<'static>>>,
    timers: Rc<api::timers::Callbacks>,
    vm: Vm,
    host: Rc<Host>,
}

impl JsInstance {
    pub fn new(
        code: &Bytecode,
        bindings: &Bindings,
        class: &str,
        host: Rc<Host>,
        wasm: &Arc<Code>,
    ) -> Result<Self, Error> {
        let mut instance = Self {
            unsettled: Vec::new(),
            object: None,
            timers: Rc::default(),
            vm: Vm::new(host.clone(), wasm)?,
            host,
        };
        let made = instance.vm.with(|ctx| {
            construct(
                &ctx,
                code,
                bindings,
                class,
                &instance.host,
                &instance.timers,
            )
            .map(|object| Persistent::save(&ctx, object))
            .map_err(|error| Thrown::take(&ctx, ErrorKind::StartFailed, error))
        });
        match made {
            Ok(object) => {
                instance.object = Some(object);
                Ok(instance)
            }
            Err(Thrown::Exception(error)) => Err(error),
            Err(Thrown::OutOfMemory) => Err(Error::new(
                ErrorKind::StartFailed,
                over_memory(&instance.host).message(),
            )),
        }
    }

    fn begin<'js>(
        &self,
        ctx: &Ctx<'js>,
        object: Object<'js>,
        id: EventId,
        event: Event,
    ) -> Option<Unsettled> {
        let (conversion, called) = match event {
            Event::Rpc(call) => {
                let encoding = rpc::Encoding::of(&call.args);
                (Conversion::Rpc(encoding), rpc::call(ctx, &object, &call))
            }
            Event::Fetch(request) if websocket::is_upgrade(&request.headers) => {
                match sockets::open(ctx, &self.host, &object, &request) {
                    Ok(sockets::Opened::Called(called, end)) => {
                        (Conversion::Open(RefCell::new(Some(end))), Ok(called))
                    }
                    Ok(sockets::Opened::Refused(response)) => {
                        self.host.settle(id, Ok(Reply::Fetch(response)));
                        return None;
                    }
                    Err(error) => (Conversion::Fetch, Err(error)),
                }
            }
            Event::Socket(event) => (Conversion::Socket, sockets::event(ctx, &object, event)),
            // The driver takes what the socket has before it gives the event here.
            Event::SocketReady(_) => return None,
            Event::Fetch(request) => (Conversion::Fetch, fetch::call(ctx, &object, &request)),
            Event::Alarm(info) => (Conversion::Alarm, api::alarm::call(ctx, &object, info)),
            Event::Call(_) => {
                let refused = Error::new(
                    ErrorKind::BadRequest,
                    "an object of a CommonJS bundle is called by rpc(), not through a stub's methods",
                );
                self.host.settle(id, Err(refused));
                return None;
            }
        };
        let called = called.and_then(|value| match value {
            rpc::Called::Value(value) => as_promise(ctx, value).map(Ok),
            rpc::Called::Refused(error) => Ok(Err(error)),
        });
        match called {
            Ok(Err(refused)) => {
                self.host.settle(id, Err(refused));
                None
            }
            Ok(Ok(Outcome::Promise(promise))) => Some(Unsettled {
                id,
                promise: Persistent::save(ctx, promise),
                conversion,
            }),
            Ok(Ok(Outcome::Value(value))) => {
                self.settle(ctx, id, &conversion, Ok(value));
                None
            }
            Err(error) => {
                self.settle(ctx, id, &conversion, Err(error));
                None
            }
        }
    }

    /// Converts a result and reports it.
    fn settle<'js>(
        &self,
        ctx: &Ctx<'js>,
        id: EventId,
        conversion: &Conversion,
        result: rquickjs::Result<Value<'js>>,
    ) {
        let converted = result.and_then(|value| match conversion {
            Conversion::Rpc(encoding) => {
                rpc::encode(ctx, *encoding, value, self.host.options().max_value_bytes)
                    .map(Reply::Rpc)
            }
            Conversion::Fetch => {
                fetch::response(ctx, value, self.host.options().max_value_bytes).map(Reply::Fetch)
            }
            Conversion::Alarm => Ok(Reply::Alarm),
            Conversion::Socket => Ok(Reply::Socket),
            Conversion::Open(end) => match end.take() {
                Some(end) => Ok(Reply::Fetch(sockets::switching(end))),
                None => Err(rquickjs::Error::Unknown),
            },
        });
        let result =
            converted.map_err(
                |error| match Thrown::take(ctx, ErrorKind::Exception, error) {
                    Thrown::Exception(error) => error,
                    Thrown::OutOfMemory => {
                        let error = over_memory(&self.host);
                        self.host.slice().stop(error.clone());
                        error
                    }
                },
            );
        self.host.settle(id, result);
    }

    /// Reports the events whose promises are settled by now.
    fn settle_promises<'js>(&self, ctx: &Ctx<'js>, unsettled: &mut Vec<Unsettled>) {
        let mut index = 0;
        while index < unsettled.len() {
            let Ok(promise) = unsettled[index].promise.clone().restore(ctx) else {
                return;
            };
            if promise.state() == PromiseState::Pending {
                index += 1;
                continue;
            }
            let done = unsettled.swap_remove(index);
            if let Some(result) = promise.result::<Value<'js>>() {
                self.settle(ctx, done.id, &done.conversion, result);
            }
        }
    }
}

impl Drop for JsInstance {
    fn drop(&mut self) {
        // Callbacks are also reachable from functions inside the runtime; they must not outlive it.
        self.timers.clear_all();
    }
}

impl Instance for JsInstance {
    fn turn(&mut self, work: Work, cx: &mut Context<'_>) {
        let mut begun = None;
        self.vm.turn(cx, |ctx| {
            match (work, self.object.clone().map(|object| object.restore(ctx))) {
                (Work::Begin(id, event), Some(Ok(object))) => {
                    begun = self.begin(ctx, object, id, event);
                }
                (Work::Timer(timer), _) => {
                    api::timers::fire(ctx, &self.host, &self.timers, timer);
                }
                _ => {}
            }
        });
        self.unsettled.extend(begun);
        if !self.vm.stopped() {
            let mut unsettled = std::mem::take(&mut self.unsettled);
            self.vm.with(|ctx| {
                self.settle_promises(&ctx, &mut unsettled);
                // Converting a result may run a toJSON, which may leave microtasks.
                self.vm.run_jobs(&ctx);
            });
            self.unsettled = unsettled;
        }
    }

    fn has_operations(&self) -> bool {
        self.vm.has_operations()
    }
}

enum Outcome<'js> {
    Value(Value<'js>),
    Promise(Promise<'js>),
}

/// What `await` would make of a value: promises are awaited, and so is anything with a `then`.
fn as_promise<'js>(ctx: &Ctx<'js>, value: Value<'js>) -> rquickjs::Result<Outcome<'js>> {
    if let Some(promise) = value.as_promise() {
        return Ok(Outcome::Promise(promise.clone()));
    }
    let Some(object) = value.as_object() else {
        return Ok(Outcome::Value(value));
    };
    if !object.get::<_, Value<'js>>("then")?.is_function() {
        return Ok(Outcome::Value(value));
    }
    let (promise, resolve, _) = Promise::new(ctx)?;
    resolve.call::<_, ()>((value,))?;
    Ok(Outcome::Promise(promise))
}

fn construct<'js>(
    ctx: &Ctx<'js>,
    code: &Bytecode,
    bindings: &Bindings,
    class: &str,
    host: &Rc<Host>,
    timers: &Rc<api::timers::Callbacks>,
) -> rquickjs::Result<Object<'js>> {
    web::install(ctx, Rc::new(api::ObjectHost::new(host)))?;
    api::console::install(ctx, host.label())?;
    api::timers::install(ctx, host, timers)?;
    let objects = bundle::run(ctx, code)?;
    let class: Value<'js> = match objects {
        Some(objects) => objects.get(class)?,
        None => Value::new_undefined(ctx.clone()),
    };
    let Some(class) = class
        .as_constructor()
        .cloned()
        .or_else(|| Constructor::from_value(class.clone()).ok())
    else {
        return Err(rquickjs::Exception::throw_message(
            ctx,
            "the bundle did not export this class when it ran again",
        ));
    };
    let handler = match class
        .get::<_, Object<'js>>("prototype")?
        .get::<_, Value<'js>>("alarm")?
        .is_function()
    {
        true => api::state::AlarmHandler::Present,
        false => api::state::AlarmHandler::Absent,
    };
    let state = api::state::make(ctx, host, handler)?;
    let env = api::namespace::make_env(ctx, host, bindings)?;
    class.construct((state, env))
}
