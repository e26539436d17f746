//! One QuickJS runtime with its heap, its limits and its interrupt handler, whatever runs in it.
//!
//! Between two turns nothing in here runs. A turn ends when no microtask is left and no host
//! operation is ready.

use std::{
    cell::Cell,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use dolmen_runtime::{ENGINE_STACK_BYTES, Error, ErrorKind, Host, Verdict};
use rquickjs::{AsyncContext, AsyncRuntime, Ctx};

use crate::{
    async_context::{self, LastSeen},
    module,
    pacer::Pacer,
    poll_now, raw,
    wasm::{self, Code, Kept, Surroundings},
};

/// Finds the events that a turn was ended for, of an instance that many events share.
struct Culprit {
    seen: LastSeen,
    /// While it is looked for, the engine is not to be stopped again.
    asking: Cell<bool>,
}

// The order of the fields is the order in which they are dropped: the context before its runtime.
pub(crate) struct Vm {
    pacer: Rc<Pacer>,
    culprit: Option<Rc<Culprit>>,
    context: AsyncContext,
    runtime: AsyncRuntime,
    /// After the runtime, because JavaScript has the bytes of WebAssembly's memories.
    _kept: Kept,
    host: Rc<Host>,
}

impl Vm {
    /// Makes a runtime and begins the turn that it is made in. `code` compiles WebAssembly.
    pub fn new(host: Rc<Host>, code: &Arc<Code>) -> Result<Self, Error> {
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
        let (pacer, culprit) = poll_now(context.with(|ctx| {
            raw::enter_stack(&ctx);
            let culprit = host.is_worker().then(|| Culprit {
                seen: LastSeen::new(&ctx),
                asking: Cell::new(false),
            });
            (Pacer::new(&ctx), culprit.map(Rc::new))
        }));
        let (slice, paced, noted) = (host.slice().clone(), pacer.clone(), culprit.clone());
        let may_go_on: Rc<dyn Fn() -> bool> = Rc::new(move || {
            if let Some(culprit) = &noted {
                if culprit.asking.get() {
                    return true;
                }
                culprit.seen.note();
            }
            let now = Instant::now();
            let verdict = slice.checkpoint();
            paced.checked(now);
            verdict == Verdict::Continue
        });
        let kept = Kept::default();
        let slice = host.slice().clone();
        let surroundings = Surroundings {
            may_go_on: may_go_on.clone(),
            give_way: Box::new(move || slice.give_way() == Verdict::Continue),
            code: code.clone(),
            memory_limit: host.options().memory_limit,
            kept: kept.clone(),
        };
        poll_now(context.with(|ctx| wasm::surround(&ctx, surroundings))).map_err(full)?;
        let interrupt = Box::new(move || !may_go_on());
        poll_now(runtime.set_interrupt_handler(Some(interrupt)));
        pacer.start_turn();
        Ok(Self {
            pacer,
            culprit,
            context,
            runtime,
            _kept: kept,
            host,
        })
    }

    /// The engine's runtime, for what only it can set.
    pub fn runtime(&self) -> &AsyncRuntime {
        &self.runtime
    }

    /// Works on the context, inside a turn.
    pub fn with<R>(&self, work: impl FnOnce(Ctx<'_>) -> R) -> R {
        poll_now(self.context.with(work))
    }

    /// Gives the runtime a turn: `begin`, then everything that is ready.
    pub fn turn(&self, cx: &mut Context<'_>, begin: impl FnOnce(&Ctx<'_>)) {
        self.with(|ctx| {
            raw::enter_stack(&ctx);
            self.pacer.start_turn();
            async_context::clear(&ctx);
            begin(&ctx);
            async_context::clear(&ctx);
            self.run_jobs(&ctx);
        });
        while !self.stopped() {
            self.host.next_delivery();
            // No microtask is left, so this looks at host operations alone: rquickjs gives back a
            // context count that it does not own when a job fails there (0.11.0).
            let step = std::pin::pin!(self.runtime.execute_pending_job());
            match step.poll(cx) {
                Poll::Ready(Ok(true)) => self.with(|ctx| self.run_jobs(&ctx)),
                Poll::Ready(Ok(false) | Err(_)) | Poll::Pending => break,
            }
        }
        self.find_culprit();
    }

    /// Tells the host whose code ran last, if that is why the turn was ended.
    fn find_culprit(&self) {
        let Some(culprit) = &self.culprit else { return };
        self.with(|ctx| {
            if let Some(context) = culprit.seen.take(&ctx)
                && self.host.slice().stopped()
            {
                culprit.asking.set(true);
                module::blame(&ctx, &self.host, context);
                culprit.asking.set(false);
            }
        });
    }

    /// Runs microtasks until none is left.
    pub fn run_jobs(&self, ctx: &Ctx<'_>) {
        while ctx.execute_pending_job() && !self.stopped() {}
    }

    /// Whether the turn was told to end.
    pub fn stopped(&self) -> bool {
        self.host.slice().checkpoint() == Verdict::Stop
    }

    /// Whether host operations are under way.
    pub fn has_operations(&self) -> bool {
        poll_now(self.runtime.is_job_pending())
    }

    /// The error of an instance whose heap is full.
    pub fn over_memory(&self) -> Error {
        over_memory(&self.host)
    }
}

impl Drop for Vm {
    fn drop(&mut self) {
        if let Some(culprit) = &self.culprit {
            self.with(|ctx| drop(culprit.seen.take(&ctx)));
        }
    }
}

/// Ends the turn and the instance; the events whose code runs are the reason.
pub(crate) fn stop(ctx: &Ctx<'_>, host: &Host, error: Error) {
    if host.is_worker() {
        module::blame(ctx, host, async_context::capture(ctx));
    }
    host.slice().stop(error);
}

/// The error of an instance whose heap is full.
pub(crate) fn over_memory(host: &Host) -> Error {
    Error::new(
        ErrorKind::Reset,
        format!(
            "object {} went over its memory limit of {} MiB and was reset",
            host.label(),
            host.options().memory_limit >> 20
        ),
    )
}
