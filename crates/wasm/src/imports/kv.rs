//! `kv_get`, `kv_put`, `kv_delete` and `kv_list`.

use bytes::Bytes;
use wasmtime::{Caller, Linker};

use super::{MODULE, Named, bytes, text};
use crate::{
    guest::State,
    kv::{self, Answer, Listing, MAX_LISTED, Operation},
    outbox::Found,
    zerobuf::Item,
};

/// The flags of a list.
const REVERSE: i32 = 1;
const KEYS_ONLY: i32 = 2;
const AFTER_START: i32 = 4;

pub(super) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    linker.func_wrap_async(
        MODULE,
        "kv_get",
        |mut caller: Caller<'_, State>, key: Named| {
            Box::new(async move {
                let key = key_of(&mut caller, key, "do.kv_get")?;
                run(&mut caller, Operation::Get(key), |answer| match answer {
                    Answer::Value(value) => Found::Plain(value),
                    _ => Found::None,
                })
                .await
            })
        },
    )?;
    linker.func_wrap_async(
        MODULE,
        "kv_put",
        |mut caller: Caller<'_, State>, (key, length, value, size): (u32, u32, u32, u32)| {
            Box::new(async move {
                let key = key_of(&mut caller, (key, length), "do.kv_put")?;
                let (memory, state) = State::split(&mut caller)?;
                let value = bytes(memory, (value, size), "do.kv_put", "value")?;
                let limit = state.host.options().max_value_bytes;
                if value.len() > limit {
                    let found = Found::Failed(format!("a value has at most {limit} bytes"));
                    return Ok(state.outbox.put(found));
                }
                let value = Bytes::copy_from_slice(value);
                run(&mut caller, Operation::Put(key, value), |_| Found::Code(0)).await
            })
        },
    )?;
    linker.func_wrap_async(
        MODULE,
        "kv_delete",
        |mut caller: Caller<'_, State>, key: Named| {
            Box::new(async move {
                let key = key_of(&mut caller, key, "do.kv_delete")?;
                run(&mut caller, Operation::Delete(key), |answer| {
                    Found::Code(i32::from(answer == Answer::Done))
                })
                .await
            })
        },
    )?;
    linker.func_wrap_async(
        MODULE,
        "kv_list",
        |mut caller: Caller<'_, State>,
         (prefix, prefix_length, start, start_length, limit, flags): (
            u32,
            u32,
            u32,
            u32,
            i32,
            i32,
        )| {
            Box::new(async move {
                let (memory, _) = State::split(&mut caller)?;
                let what = "do.kv_list";
                let listing = Listing {
                    prefix: text(memory, (prefix, prefix_length), what, "prefix")?.to_owned(),
                    start: text(memory, (start, start_length), what, "start")?.to_owned(),
                    after: flags & AFTER_START != 0,
                    reverse: flags & REVERSE != 0,
                    values: flags & KEYS_ONLY == 0,
                    limit: usize::try_from(limit)
                        .ok()
                        .filter(|limit| (1..=MAX_LISTED).contains(limit))
                        .unwrap_or(MAX_LISTED),
                };
                run(&mut caller, Operation::List(listing), listed).await
            })
        },
    )?;
    Ok(())
}

fn key_of(caller: &mut Caller<'_, State>, key: Named, import: &str) -> wasmtime::Result<String> {
    let (memory, _) = State::split(caller)?;
    text(memory, key, import, "key").map(str::to_owned)
}

/// An array of `[key, value]`.
fn listed(answer: Answer) -> Found {
    let Answer::Listed(found) = answer else {
        return Found::None;
    };
    let pairs = found
        .into_iter()
        .map(|(key, value)| Item::Array(vec![Item::Owned(key.into()), Item::Blob(value)]));
    Found::Slots(vec![Item::Array(pairs.collect())])
}

/// Does an operation; `show` says what the guest sees of an answer that is no failure.
async fn run(
    caller: &mut Caller<'_, State>,
    operation: Operation,
    show: impl FnOnce(Answer) -> Found + Send + 'static,
) -> wasmtime::Result<i32> {
    let state = caller.data_mut();
    let show = |answer| match answer {
        Answer::Failed(reason) => Found::Failed(reason),
        answer => show(answer),
    };
    // One key is a matter of microseconds, and the rest must not be done here.
    let is_short = !state.host.is_worker() && !matches!(operation, Operation::List(_));
    let found = if is_short {
        show(kv::own(operation, &state.host, &state.writes)?)
    } else {
        let (host, writes) = (state.host.clone(), state.writes.clone());
        let errand = state
            .errand
            .ask(async move { Ok(show(kv::ask(operation, &host, &writes).await?)) });
        errand.await
    };
    Ok(caller.data_mut().outbox.put(found))
}
