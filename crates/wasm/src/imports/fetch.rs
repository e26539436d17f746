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
                let limit = state.host.options().max_value_bytes;
                let Some(mut asks) = asks(memory, request, 1, limit)? else {
                    return Ok(state.outbox.put(too_much(limit)));
                };
                let ask = asks.pop().expect("one was read");
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
                let limit = state.host.options().max_value_bytes;
                let found = if count > MAX_REQUESTS {
                    let message =
                        format!("at most {MAX_REQUESTS} requests are sent at the same time");
                    Found::Failed(message)
                } else if let Some(asks) = asks(memory, requests, count, limit)? {
                    let (host, writes) = (state.host.clone(), state.writes.clone());
                    let errand = state.errand.ask(async move {
                        writes.make_durable().await?;
                        let outcomes = outbound::send_all(&asks, &host).await;
                        Ok(Found::Slots(outcomes.into_iter().flat_map(slots).collect()))
                    });
                    errand.await
                } else {
                    too_much(limit)
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

fn too_much(limit: usize) -> Found {
    Found::Failed(format!(
        "what is sent at the same time has more than {limit} bytes"
    ))
}

/// `count` requests of 4 slots each; `None` if they have more than `limit` bytes, which are not
/// copied then.
fn asks(memory: &[u8], at: u32, count: u32, limit: usize) -> Result<Option<Vec<Ask>>, Claim> {
    let what = "request of do.fetch";
    let slots = Slots::at(memory, at, count * REQUEST_SLOTS, what)?;
    if slots.bytes(what)? > limit {
        return Ok(None);
    }
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
    let asks: Result<_, Claim> = (0..count)
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
        .collect();
    asks.map(Some)
}
