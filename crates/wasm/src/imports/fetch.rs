//! `fetch` and `fetch_many`.

use bytes::Bytes;
use wasmtime::{Caller, Linker};

use super::MODULE;
use crate::{
    guest::State,
    outbound::{self, Ask},
    outbox::Found,
    replay::Outcome,
    zerobuf::{Claim, Item, Slots, Value},
};

/// Slots of a request.
const REQUEST_SLOTS: u32 = 4;
/// Most requests of one `fetch_many`.
const MAX_REQUESTS: u32 = 64;

pub(super) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    linker.func_wrap_async(
        MODULE,
        "fetch",
        |mut caller: Caller<'_, State>, (request,): (u32,)| {
            Box::new(async move {
                let (memory, state) = State::split(&mut caller)?;
                let [ask] = asks(memory, request, 1)?.try_into().expect("one was read");
                let (host, writes) = (state.host.clone(), state.writes.clone());
                let errand = state.errand.ask(async move {
                    writes.make_durable().await?;
                    Ok(match outbound::send(&ask, &host).await {
                        Ok(outcome) => Found::Slots(outcome.items()),
                        Err(reason) => {
                            Found::Failed(format!("fetch of {} failed: {reason}", ask.url))
                        }
                    })
                });
                let found = errand.await;
                Ok(caller.data_mut().outbox.put(found))
            })
        },
    )?;
    linker.func_wrap_async(
        MODULE,
        "fetch_many",
        |mut caller: Caller<'_, State>, (requests, count): (u32, u32)| {
            Box::new(async move {
                let (memory, state) = State::split(&mut caller)?;
                let found = if count > MAX_REQUESTS {
                    let message =
                        format!("at most {MAX_REQUESTS} requests are sent at the same time");
                    Found::Failed(message)
                } else {
                    let asks = asks(memory, requests, count)?;
                    let (host, writes) = (state.host.clone(), state.writes.clone());
                    let errand = state.errand.ask(async move {
                        writes.make_durable().await?;
                        let outcomes = outbound::send_all(&asks, &host).await;
                        Ok(Found::Slots(outcomes.into_iter().flat_map(slots).collect()))
                    });
                    errand.await
                };
                Ok(caller.data_mut().outbox.put(found))
            })
        },
    )?;
    Ok(())
}

/// A result; a failure has the status 0 and its reason.
fn slots(outcome: Result<Outcome, String>) -> Vec<Item<'static>> {
    outcome
        .unwrap_or_else(|reason| Outcome::text(0, reason))
        .items()
}

/// `count` requests of 4 slots each.
fn asks(memory: &[u8], at: u32, count: u32) -> Result<Vec<Ask>, Claim> {
    let what = "request of do.fetch";
    let slots = Slots::at(memory, at, count * REQUEST_SLOTS, what)?;
    let mut values = slots.values(what);
    let mut next = |part: &str| match values.next() {
        Some(Ok(Value::Null)) => Ok(Bytes::new()),
        Some(Ok(Value::String(bytes) | Value::Bytes(bytes))) => Ok(Bytes::copy_from_slice(bytes)),
        Some(Err(claim)) => Err(claim),
        _ => Err(Claim(format!("the {part} of a {what} is no string"))),
    };
    let text = |bytes: Bytes, part: &str| {
        String::from_utf8(bytes.to_vec())
            .map_err(|_| Claim(format!("the {part} of a {what} is not UTF-8")))
    };
    (0..count)
        .map(|_| {
            let method = text(next("method")?, "method")?;
            Ok(Ask {
                method: if method.is_empty() {
                    "GET".to_owned()
                } else {
                    method
                },
                url: text(next("URL")?, "URL")?,
                content_type: Bytes::new(),
                body: next("body")?,
                headers: next("headers")?,
            })
        })
        .collect()
}
