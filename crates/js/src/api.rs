//! The host calls of an object, one area a file: each converts, calls the runtime, converts back.

use std::{future::Future, pin::Pin, rc::Rc, time::Instant};

use dolmen_runtime::{ANY_SECTION, EgressPolicy, Host, Verdict};

use crate::web::WebHost;

pub(crate) mod alarm;
pub(crate) mod console;
pub(crate) mod module;
pub(crate) mod namespace;
pub(crate) mod state;
pub(crate) mod storage;
pub(crate) mod timers;

/// What the web APIs of one object may ask for.
pub(crate) struct ObjectHost {
    host: Rc<Host>,
    started: Instant,
}

impl ObjectHost {
    pub fn new(host: &Rc<Host>) -> Self {
        Self {
            host: host.clone(),
            started: host.now(),
        }
    }
}

impl WebHost for ObjectHost {
    fn output_gate(&self) -> Pin<Box<dyn Future<Output = Result<(), String>>>> {
        let gate = self.host.output_gate();
        // A request leaves while a section is open; only its answer has to wait.
        let operation = self.host.operation(ANY_SECTION);
        Box::pin(operation.run(async move { gate.await.map_err(|error| error.to_string()) }))
    }

    fn client_gone(&self, event: u64) -> Pin<Box<dyn Future<Output = bool>>> {
        // As an event of its own: no critical section is to see it.
        Box::pin(self.host.operation(0).run(self.host.client_gone(event)))
    }

    fn give_way(&self) -> bool {
        self.host.slice().give_way() == Verdict::Continue
    }

    fn egress(&self) -> &EgressPolicy {
        &self.host.options().egress
    }

    fn object(&self) -> Option<Rc<Host>> {
        Some(self.host.clone())
    }

    fn now(&self) -> f64 {
        self.host
            .now()
            .saturating_duration_since(self.started)
            .as_secs_f64()
            * 1_000.0
    }

    fn unix_ms(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "times are far below 2^53 ms")]
        let now = self.host.unix_ms() as f64;
        now
    }
}

/// The host while a bundle is loaded: there is no object yet, and nothing may go out.
pub(crate) struct LoadingHost;

impl WebHost for LoadingHost {
    fn output_gate(&self) -> Pin<Box<dyn Future<Output = Result<(), String>>>> {
        Box::pin(std::future::ready(Err(
            "fetch is not available at the top level of a bundle".to_owned(),
        )))
    }

    fn now(&self) -> f64 {
        0.0
    }

    fn unix_ms(&self) -> f64 {
        0.0
    }
}
