//! One live object: a QuickJS runtime with its heap, its limits and its interrupt handler.
//!
//! Between two turns nothing in here runs. A turn ends when no microtask is left and no host
//! operation is ready; promises that are still pending are looked at again after the next one.

use std::{
    rc::Rc,
    task::{Context, Poll},
    time::Instant,
};

use dolmen_runtime::{
    ENGINE_STACK_BYTES, Error, ErrorKind, Event, EventId, Host, Instance, Reply, Verdict, Work,
};
use rquickjs::{
    AsyncContext, AsyncRuntime, Ctx, Object, Persistent, Promise, Value, function::Constructor,
    promise::PromiseState,
};

use crate::{
    api, bundle, bytecode::Bytecode, exception::Thrown, fetch, pacer::Pacer, poll_now, raw, rpc,
    web,
};

/// How a settled value becomes a reply.
enum Conversion {
    Rpc(rpc::Encoding),
    Fetch,
    Alarm,
}

/// An event whose promise was pending when its last turn ended.
struct Unsettled {
    id: EventId,
    promise: Persistent<Promise<'static>>,
    conversion: Conversion,
}

// The order of the fields is the order in which they are dropped: values before their context,
// the context before its runtime.
pub(crate) struct JsInstance {
    unsettled: Vec<Unsettled>,
    object: Option<Persistent<Object<'static>>>,
    timers: Rc<api::timers::Callbacks>,
    pacer: Rc<Pacer>,
    context: AsyncContext,
    runtime: AsyncRuntime,
    host: Rc<Host>,
}

impl JsInstance {
    pub fn new(code: &Bytecode, class: &str, host: Rc<Host>) -> Result<Self, Error> {
        let full = |error: rquickjs::Error| {
            Error::new(
                ErrorKind::StartFailed,
                format!("no JavaScript runtime: {error}"),
            )
        };
        let runtime = AsyncRuntime::new().map_err(full)?;
        poll_now(runtime.set_memory_limit(host.options().memory_limit));
        poll_now(runtime.set_max_stack_size(ENGINE_STACK_BYTES));
        let context = poll_now(AsyncContext::full(&runtime)).map_err(full)?;
        let pacer = poll_now(context.with(|ctx| {
            raw::enter_stack(&ctx);
            Pacer::new(&ctx)
        }));
        let (slice, paced) = (host.slice().clone(), pacer.clone());
        poll_now(runtime.set_interrupt_handler(Some(Box::new(move || {
            let now = Instant::now();
            let verdict = slice.checkpoint();
            paced.checked(now);
            verdict == Verdict::Stop
        }))));
        pacer.start_turn();
        let mut instance = Self {
            unsettled: Vec::new(),
            object: None,
            timers: Rc::default(),
            pacer,
            context,
            runtime,
            host,
        };
        let made = poll_now(instance.context.with(|ctx| {
            construct(&ctx, code, class, &instance.host, &instance.timers)
                .map(|object| Persistent::save(&ctx, object))
                .map_err(|error| Thrown::take(&ctx, ErrorKind::StartFailed, error))
        }));
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
            Event::Fetch(request) => (Conversion::Fetch, fetch::call(ctx, &object, &request)),
            Event::Alarm(info) => (Conversion::Alarm, api::alarm::call(ctx, &object, info)),
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
    fn settle_promises<'js>(&mut self, ctx: &Ctx<'js>) {
        let mut index = 0;
        while index < self.unsettled.len() {
            let Ok(promise) = self.unsettled[index].promise.clone().restore(ctx) else {
                return;
            };
            if promise.state() == PromiseState::Pending {
                index += 1;
                continue;
            }
            let done = self.unsettled.swap_remove(index);
            if let Some(result) = promise.result::<Value<'js>>() {
                self.settle(ctx, done.id, &done.conversion, result);
            }
        }
    }

    fn stopped(&self) -> bool {
        self.host.slice().checkpoint() == Verdict::Stop
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
        let context = self.context.clone();
        let begun = poll_now(context.with(|ctx| {
            raw::enter_stack(&ctx);
            self.pacer.start_turn();
            let begun = match (work, self.object.clone().map(|object| object.restore(&ctx))) {
                (Work::Begin(id, event), Some(Ok(object))) => self.begin(&ctx, object, id, event),
                (Work::Timer(timer), _) => {
                    api::timers::fire(&ctx, &self.host, &self.timers, timer);
                    None
                }
                _ => None,
            };
            while ctx.execute_pending_job() && !self.stopped() {}
            begun
        }));
        self.unsettled.extend(begun);
        while !self.stopped() {
            let step = std::pin::pin!(self.runtime.execute_pending_job());
            match step.poll(cx) {
                Poll::Ready(Ok(true) | Err(_)) => {}
                Poll::Ready(Ok(false)) | Poll::Pending => break,
            }
        }
        if !self.stopped() {
            poll_now(context.with(|ctx| {
                self.settle_promises(&ctx);
                // Converting a result may run a toJSON, which may leave microtasks.
                while ctx.execute_pending_job() && !self.stopped() {}
            }));
        }
    }

    fn has_operations(&self) -> bool {
        poll_now(self.runtime.is_job_pending())
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
    class: &str,
    host: &Rc<Host>,
    timers: &Rc<api::timers::Callbacks>,
) -> rquickjs::Result<Object<'js>> {
    web::install(ctx, Rc::new(api::ObjectHost::new(host)))?;
    api::console::install(ctx, api::label(host))?;
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
    let env = api::namespace::make_env(ctx, host)?;
    class.construct((state, env))
}

pub(crate) fn over_memory(host: &Host) -> Error {
    Error::new(
        ErrorKind::Reset,
        format!(
            "object {} went over its memory limit of {} MiB and was reset",
            api::label(host),
            host.options().memory_limit >> 20
        ),
    )
}
