//! `setTimeout`, `setInterval` and their opposites: the runtime keeps the times, this the callbacks.

use std::{cell::RefCell, collections::HashMap, rc::Rc, time::Duration};

use dolmen_runtime::{Host, SectionId, TimerId};
use rquickjs::{
    Ctx, Exception, Function, Persistent, Value,
    function::{Args, Opt, Rest},
};

use crate::{
    async_context,
    exception::{Thrown, log_uncaught, throw},
    vm,
};

/// Shortest delay, as in browsers.
const SHORTEST: Duration = Duration::from_millis(1);
/// Longest delay in milliseconds; a longer one fires at once, as the HTML standard's overflow does.
const LONGEST_MS: f64 = i32::MAX as f64;

struct Callback {
    function: Persistent<Function<'static>>,
    args: Vec<Persistent<Value<'static>>>,
    /// The async context it was set in.
    context: Persistent<Value<'static>>,
    repeat: Option<Duration>,
    /// The critical section that it was started in.
    section: SectionId,
    /// What JavaScript calls the timer; stays when an interval starts again.
    handle: TimerId,
}

/// The callbacks of one instance.
#[derive(Default)]
pub(crate) struct Callbacks {
    by_timer: RefCell<HashMap<TimerId, Callback>>,
    /// Intervals get a new timer each time; this is the current one of each handle.
    current: RefCell<HashMap<TimerId, TimerId>>,
}

pub(crate) fn install<'js>(
    ctx: &Ctx<'js>,
    host: &Rc<Host>,
    callbacks: &Rc<Callbacks>,
) -> rquickjs::Result<()> {
    let globals = ctx.globals();
    for (name, repeats) in [("setTimeout", false), ("setInterval", true)] {
        let (host, callbacks) = (host.clone(), callbacks.clone());
        let set = move |ctx: Ctx<'js>,
                        function: Value<'js>,
                        delay: Opt<Value<'js>>,
                        args: Rest<Value<'js>>| {
            callbacks.set(&ctx, &host, function, delay.0, args.0, repeats)
        };
        globals.set(name, Function::new(ctx.clone(), set)?.with_name(name)?)?;
    }
    for name in ["clearTimeout", "clearInterval"] {
        let (host, callbacks) = (host.clone(), callbacks.clone());
        let clear = move |handle: Opt<Value<'js>>| callbacks.clear(&host, handle.0);
        globals.set(name, Function::new(ctx.clone(), clear)?.with_name(name)?)?;
    }
    Ok(())
}

/// While a bundle is loaded there is no object whose timers these could be.
pub(crate) fn install_refusing(ctx: &Ctx<'_>) -> rquickjs::Result<()> {
    for name in ["setTimeout", "setInterval", "clearTimeout", "clearInterval"] {
        let refuse = move |ctx: Ctx<'_>| -> rquickjs::Result<()> {
            Err(Exception::throw_message(
                &ctx,
                &format!(
                    "{name} is not available at the top level of a bundle; use it in a constructor or a method"
                ),
            ))
        };
        ctx.globals()
            .set(name, Function::new(ctx.clone(), refuse)?.with_name(name)?)?;
    }
    Ok(())
}

/// Runs the callback of a timer that is due.
pub(crate) fn fire(ctx: &Ctx<'_>, host: &Rc<Host>, callbacks: &Callbacks, timer: TimerId) {
    let Some(callback) = callbacks.by_timer.borrow_mut().remove(&timer) else {
        return;
    };
    let called = callback.call(ctx);
    if let Err(error) = called {
        match Thrown::take(ctx, dolmen_runtime::ErrorKind::Exception, error) {
            Thrown::Exception(error) => {
                log_uncaught(&host.label(), "uncaught in a timer", &error);
            }
            Thrown::OutOfMemory => {
                let stop = || vm::stop(ctx, host, vm::over_memory(host));
                match callback.context.clone().restore(ctx) {
                    Ok(context) => async_context::run_in(ctx, context, stop),
                    Err(_) => stop(),
                }
            }
        }
    }
    callbacks.again(host, callback);
}

impl Callback {
    fn call<'js>(&self, ctx: &Ctx<'js>) -> rquickjs::Result<()> {
        let function = self.function.clone().restore(ctx)?;
        let mut args = Args::new(ctx.clone(), self.args.len());
        for arg in &self.args {
            args.push_arg(arg.clone().restore(ctx)?)?;
        }
        let context = self.context.clone().restore(ctx)?;
        async_context::run_in(ctx, context, || function.call_arg::<Value<'js>>(args)).map(drop)
    }
}

impl Callbacks {
    fn set<'js>(
        &self,
        ctx: &Ctx<'js>,
        host: &Rc<Host>,
        function: Value<'js>,
        delay: Option<Value<'js>>,
        args: Vec<Value<'js>>,
        repeats: bool,
    ) -> rquickjs::Result<f64> {
        let Some(function) = function.into_function() else {
            return Err(Exception::throw_type(
                ctx,
                "a timer needs a function to call",
            ));
        };
        let ms = match delay {
            Some(delay) => delay.get::<rquickjs::Coerced<f64>>()?.0,
            None => 0.0,
        };
        let delay = if ms.is_nan() || ms > LONGEST_MS {
            SHORTEST
        } else {
            Duration::from_secs_f64(ms.max(0.0) / 1_000.0).max(SHORTEST)
        };
        let section = crate::module::section(ctx)?;
        let timer = host
            .start_timer(delay, section)
            .map_err(|error| throw(ctx, &error))?;
        let callback = Callback {
            function: Persistent::save(ctx, function),
            args: args
                .into_iter()
                .map(|arg| Persistent::save(ctx, arg))
                .collect(),
            context: Persistent::save(ctx, async_context::capture(ctx)),
            repeat: repeats.then_some(delay),
            section,
            handle: timer,
        };
        self.by_timer.borrow_mut().insert(timer, callback);
        if repeats {
            self.current.borrow_mut().insert(timer, timer);
        }
        #[expect(
            clippy::cast_precision_loss,
            reason = "an instance starts far fewer than 2^53 timers"
        )]
        Ok(timer as f64)
    }

    fn clear(&self, host: &Rc<Host>, handle: Option<Value<'_>>) {
        let Some(handle) = handle
            .and_then(|handle| handle.as_number())
            .filter(|handle| *handle >= 1.0)
        else {
            return;
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked: at least 1; saturates"
        )]
        let handle = handle as TimerId;
        let timer = self.current.borrow_mut().remove(&handle).unwrap_or(handle);
        host.cancel_timer(timer);
        self.by_timer.borrow_mut().remove(&timer);
    }

    /// Forgets every callback.
    pub fn clear_all(&self) {
        let callbacks = self.by_timer.take();
        drop(callbacks);
    }

    /// Starts an interval's next round, unless its callback cleared it.
    fn again(&self, host: &Rc<Host>, callback: Callback) {
        let Some(delay) = callback.repeat else { return };
        let handle = callback.handle;
        if !self.current.borrow().contains_key(&handle) {
            return;
        }
        if let Ok(timer) = host.start_timer(delay, callback.section) {
            self.current.borrow_mut().insert(handle, timer);
            self.by_timer.borrow_mut().insert(timer, callback);
        }
    }
}
