//! One instance of a component: its store and its exports.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    rc::Rc,
    sync::Arc,
    task::Poll,
};

use dolmen_runtime::{Host, Verdict};
use wasmtime::{Store, UpdateDeadline};
use wasmtime_wasi_http::{WasiHttpView, p2::bindings::Proxy};

use super::{
    Component,
    arriving::Arrived,
    drive::{Desk, poll_call},
    events::bindings::WithEvents,
    fault::Fault,
    leaving::Leaving,
    state::State,
    writes::Writes,
};

/// Bytes that one call of an import may bring, in all its lists and texts together.
const MAX_CALL_BYTES: usize = 64 << 20;

pub(crate) struct Guest {
    component: Arc<Component>,
    host: Rc<Host>,
    desk: Rc<Desk>,
    store: Store<State>,
    proxy: Proxy,
    events: Option<WithEvents>,
}

impl Guest {
    /// Makes an instance.
    ///
    /// # Errors
    /// What the component did wrong when it began.
    pub async fn new(
        component: &Arc<Component>,
        host: &Rc<Host>,
        writes: &Rc<Writes>,
    ) -> Result<Self, Fault> {
        let state = State::new(host, writes, &component.env);
        let desk = Rc::clone(&state.desk);
        let mut store = Store::new(component.compiler.engine(), state);
        store.limiter(|state| &mut state.limits);
        store.set_hostcall_fuel(MAX_CALL_BYTES);
        store.epoch_deadline_callback(|store| {
            store.data().desk.tick();
            Ok(UpdateDeadline::Yield(1))
        });
        store.set_epoch_deadline(1);
        let made = async {
            let instance = component.pre.instantiate_async(&mut store).await?;
            let proxy = component.proxy.load(&mut store, &instance)?;
            let events = match &component.events {
                Some(events) => Some(events.load(&mut store, &instance)?),
                None => None,
            };
            Ok::<_, wasmtime::Error>((proxy, events))
        };
        let (proxy, events) = run(host, component, &desk, made).await?;
        Ok(Self {
            component: component.clone(),
            host: host.clone(),
            desk,
            store,
            proxy,
            events,
        })
    }

    /// Answers a request. The answer leaves by `leaving`, before and after this is through.
    ///
    /// # Errors
    /// What the guest did wrong.
    pub async fn handle(&mut self, request: Arrived, leaving: &mut Leaving) -> Result<(), Fault> {
        let mut http = self.store.data_mut().http();
        let answer = http.new_response_outparam(leaving.expect())?;
        let request = http.new_incoming_request(request.scheme, request.request)?;
        self.store.set_epoch_deadline(1);
        let handler = self.proxy.wasi_http_incoming_handler();
        let mut call = pin!(handler.call_handle(&mut self.store, request, answer));
        let (host, compiler, desk) = (&self.host, &self.component.compiler, &self.desk);
        let called = poll_fn(|cx| {
            loop {
                let polled = poll_call(host, compiler, desk, call.as_mut(), cx);
                // A guest that waits for room in its own answer has it once a piece was taken.
                if polled.is_ready() || !leaving.take(cx) {
                    return polled;
                }
                if host.slice().checkpoint() == Verdict::Stop {
                    return Poll::Ready(Err(Fault::Stopped));
                }
            }
        });
        Ok(called.await??)
    }

    /// Calls a function of the events; `None` if the component does not export them.
    ///
    /// # Errors
    /// What the guest did wrong.
    pub async fn event<T>(
        &mut self,
        call: impl AsyncFnOnce(&WithEvents, &mut Store<State>) -> wasmtime::Result<T>,
    ) -> Result<Option<T>, Fault> {
        let Some(events) = &self.events else {
            return Ok(None);
        };
        self.store.set_epoch_deadline(1);
        let call = call(events, &mut self.store);
        run(&self.host, &self.component, &self.desk, call)
            .await
            .map(Some)
    }
}

/// Waits for a guest's call.
async fn run<T>(
    host: &Host,
    component: &Component,
    desk: &Desk,
    call: impl Future<Output = wasmtime::Result<T>>,
) -> Result<T, Fault> {
    let mut call = pin!(call);
    let called = poll_fn(|cx| poll_call(host, &component.compiler, desk, call.as_mut(), cx));
    Ok(called.await??)
}
