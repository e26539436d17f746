//! `dolmen:object/identity` and `dolmen:object/log`.

use super::{
    bindings::dolmen::object::{identity, log},
    state::State,
};

impl identity::Host for State {
    async fn id(&mut self) -> wasmtime::Result<Option<String>> {
        Ok((!self.host.is_worker()).then(|| self.host.id().to_string()))
    }

    async fn name(&mut self) -> wasmtime::Result<Option<String>> {
        let name = self.host.name().filter(|_| !self.host.is_worker());
        Ok(name.map(|name| name.to_string()))
    }

    async fn namespace(&mut self) -> wasmtime::Result<Option<String>> {
        Ok((!self.host.is_worker()).then(|| self.host.namespace().name.clone()))
    }
}

/// Bytes of a message that are logged.
const MAX_MESSAGE: usize = 16 << 10;

impl log::Host for State {
    async fn write(&mut self, level: log::Level, message: String) -> wasmtime::Result<()> {
        let (object, text) = (self.host.label(), cut(&message));
        match level {
            log::Level::Debug => tracing::debug!(target: "dolmen::console", object, "{text}"),
            log::Level::Info => tracing::info!(target: "dolmen::console", object, "{text}"),
            log::Level::Warn => tracing::warn!(target: "dolmen::console", object, "{text}"),
            log::Level::Error => tracing::error!(target: "dolmen::console", object, "{text}"),
        }
        Ok(())
    }
}

/// As much of it as is logged.
fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_MESSAGE)]
}
