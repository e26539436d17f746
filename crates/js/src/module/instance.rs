//! One live object of a module worker, or the stateless worker of a shard.

use std::{rc::Rc, sync::Arc, task::Context};

use dolmen_runtime::{Error, ErrorKind, Event, EventId, Host, Instance, Work};
use rquickjs::{Ctx, Function, Module, Object, Value, module::Declared, promise::PromiseState};

use super::{
    bundle::ModuleBundle,
    http,
    loader::{Loaded, Modules},
    native,
};
use crate::{api, exception::Thrown, node, poll_now, vm::Vm, web};

// The order of the fields is the order in which they are dropped.
pub(crate) struct ModuleInstance {
    timers: Rc<api::timers::Callbacks>,
    vm: Vm,
    host: Rc<Host>,
}

impl ModuleInstance {
    /// Evaluates the bundle and makes the object of `class`; without one, the worker.
    ///
    /// # Errors
    /// `StartFailed` with what was thrown.
    pub fn new(bundle: &ModuleBundle, class: Option<&str>, host: Rc<Host>) -> Result<Self, Error> {
        let instance = Self {
            timers: Rc::default(),
            vm: Vm::new(host.clone(), &bundle.wasm)?,
            host,
        };
        let loader = Loaded(bundle.modules.clone());
        poll_now(instance.vm.runtime().set_loader(loader.clone(), loader));
        let made = instance.vm.with(|ctx| {
            instance.start(&ctx, bundle, class).map_err(|error| {
                native::thrown(&ctx, &instance.host, error).with_kind(ErrorKind::StartFailed)
            })
        });
        made.map(|()| instance)
    }

    fn start<'js>(
        &self,
        ctx: &Ctx<'js>,
        bundle: &ModuleBundle,
        class: Option<&str>,
    ) -> rquickjs::Result<()> {
        web::install(ctx, Rc::new(api::ObjectHost::new(&self.host)))?;
        api::console::install(ctx, self.host.label())?;
        api::timers::install(ctx, &self.host, &self.timers)?;
        node::install_globals(ctx)?;
        native::install(ctx, Some(&self.host), &bundle.exports, &bundle.bindings)?;
        let namespace = evaluate(ctx, entry(ctx, &bundle.modules)?, || self.vm.run_jobs(ctx))?;
        let state = native::state(ctx)?;
        let start: Function<'js> = state.workers.get("start")?;
        start.call::<_, ()>((namespace, class.is_some(), class.unwrap_or_default()))?;
        self.vm.run_jobs(ctx);
        Ok(())
    }

    fn begin<'js>(&self, ctx: &Ctx<'js>, id: EventId, event: Event) -> rquickjs::Result<()> {
        let state = native::state(ctx)?;
        let begin = |name: &str| state.workers.get::<_, Function<'js>>(name);
        let number = native::to_js(id);
        match event {
            Event::Call(call) => {
                let (kind, what, props) = native::target(ctx, call.target)?;
                let path: Vec<&str> = call.path.iter().map(|name| &**name).collect();
                let decode = match call.args {
                    Some(message) => native::decoder(ctx, message)?.into_value(),
                    None => Value::new_undefined(ctx.clone()),
                };
                begin("beginCall")?.call((number, kind, what, props, path, decode))
            }
            Event::Fetch(mut request) => {
                let target = std::mem::take(&mut request.target);
                let (kind, what, props) = native::target(ctx, target)?;
                let request = http::request(ctx, id, request)?;
                begin("beginFetch")?.call((number, kind, what, props, request))
            }
            Event::Alarm(info) => {
                let given = Object::new(ctx.clone())?;
                given.set("isRetry", info.retry_count > 0)?;
                given.set("retryCount", info.retry_count)?;
                #[expect(clippy::cast_precision_loss, reason = "times are far below 2^53 ms")]
                given.set("scheduledTime", info.scheduled_ms as f64)?;
                begin("beginAlarm")?.call((number, given))
            }
            Event::Socket(event) => {
                let socket = native::to_js(event.socket);
                let (kind, a, b) = web::socket::event(ctx, event.received)?;
                begin("beginSocket")?.call((number, socket, kind, a, b))
            }
            // The driver takes what the socket has before it gives the event here.
            Event::SocketReady(_) => Ok(()),
            Event::Rpc(call) => {
                let args = native::json_arguments(ctx, &call.args)?;
                begin("beginJson")?.call((number, call.method, args))
            }
        }
    }

    fn release<'js>(&self, ctx: &Ctx<'js>) -> rquickjs::Result<()> {
        let released = self.host.take_released();
        if released.is_empty() {
            return Ok(());
        }
        let ids: Vec<f64> = released.into_iter().map(native::to_js).collect();
        let release: Function<'js> = native::state(ctx)?.sessions.get("release")?;
        release.call((ids,))
    }
}

/// Loads the first of the bundle's modules.
fn entry<'js>(ctx: &Ctx<'js>, modules: &Arc<Modules>) -> rquickjs::Result<Module<'js, Declared>> {
    let Some(code) = modules.code.get(&modules.entry) else {
        return Err(rquickjs::Exception::throw_message(
            ctx,
            "the bundle is empty",
        ));
    };
    // SAFETY: written by `Module::write` of the same engine in this process, and unchanged since.
    unsafe { Module::load(ctx.clone(), code) }
}

/// Runs a module and what it imports; gives its namespace.
pub(super) fn evaluate<'js>(
    ctx: &Ctx<'js>,
    module: Module<'js, Declared>,
    run_jobs: impl FnOnce(),
) -> rquickjs::Result<Object<'js>> {
    let (module, done) = module.eval()?;
    run_jobs();
    match done.state() {
        PromiseState::Pending => Err(rquickjs::Exception::throw_message(
            ctx,
            "a top-level await did not end: nothing outside can be waited for at the top level of a worker",
        )),
        PromiseState::Resolved => module.namespace(),
        PromiseState::Rejected => match done.result::<Value<'js>>() {
            Some(Err(error)) => Err(error),
            _ => Err(rquickjs::Error::Unknown),
        },
    }
}

impl Drop for ModuleInstance {
    fn drop(&mut self) {
        // Callbacks are also reachable from functions inside the runtime; they must not outlive it.
        self.timers.clear_all();
    }
}

impl Instance for ModuleInstance {
    fn turn(&mut self, work: Work, cx: &mut Context<'_>) {
        self.vm.turn(cx, |ctx| {
            match work {
                Work::Begin(id, event) => {
                    if let Err(error) = self.begin(ctx, id, event) {
                        let error = native::thrown(ctx, &self.host, error);
                        self.host.settle(id, Err(error));
                        if self.host.slice().stopped() {
                            self.host.blame(id);
                        }
                    }
                }
                Work::Timer(timer) => {
                    api::timers::fire(ctx, &self.host, &self.timers, timer);
                }
                Work::Operations => {}
            }
            if let Err(error) = self.release(ctx) {
                match Thrown::take(ctx, ErrorKind::Exception, error) {
                    Thrown::Exception(error) => {
                        tracing::error!(object = %self.host.label(), %error, "a disposer failed");
                    }
                    Thrown::OutOfMemory => self.host.slice().stop(self.vm.over_memory()),
                }
            }
        });
    }

    fn has_operations(&self) -> bool {
        self.vm.has_operations()
    }
}
