//! `alarm_get`, `alarm_set` and `alarm_delete`.

use dolmen_runtime::storage;
use wasmtime::{Caller, Linker};

use super::{MODULE, NONE, in_objects_only};
use crate::{guest::State, outbox::Found};

pub(super) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    linker.func_wrap(MODULE, "alarm_get", |mut caller: Caller<'_, State>| {
        let state = caller.data_mut();
        if state.host.is_worker() {
            let failed = state.outbox.put(in_objects_only("the alarm"));
            return Ok(i64::from(failed));
        }
        let time = state.host.alarm()?;
        Ok::<_, wasmtime::Error>(time.unwrap_or(i64::from(NONE)))
    })?;
    linker.func_wrap(
        MODULE,
        "alarm_set",
        |mut caller: Caller<'_, State>, time: i64| {
            if caller.data().abi < 1 {
                let message = "the module knows no alarms: it does not export `do_abi`";
                return Ok(caller
                    .data_mut()
                    .outbox
                    .put(Found::Failed(message.to_owned())));
            }
            set(&mut caller, Some(time))
        },
    )?;
    linker.func_wrap(MODULE, "alarm_delete", |mut caller: Caller<'_, State>| {
        set(&mut caller, None)
    })?;
    Ok(())
}

fn set(caller: &mut Caller<'_, State>, time: Option<i64>) -> wasmtime::Result<i32> {
    let state = caller.data_mut();
    let found = if state.host.is_worker() {
        in_objects_only("the alarm")
    } else if time.is_some_and(i64::is_negative) {
        Found::Failed("an alarm is not before 1970".to_owned())
    } else {
        state.writes.begin()?;
        match state.host.set_alarm(time) {
            Ok(()) => Found::Code(0),
            Err(error) if error.kind() == storage::ErrorKind::Invalid => {
                Found::Failed(error.to_string())
            }
            Err(error) => return Err(error.into()),
        }
    };
    Ok(state.outbox.put(found))
}
