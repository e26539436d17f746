//! `dolmen:object/alarm`.

use dolmen_runtime::Host as Object;

use super::{
    bindings::dolmen::object::alarm,
    state::State,
    storage::{Failure, told},
    writes::Writes,
};

impl alarm::Host for State {
    async fn get(&mut self) -> wasmtime::Result<Result<Option<i64>, String>> {
        told(
            self.errand(|host, _| in_object(host).and_then(|()| Ok(host.alarm()?)))
                .await,
        )
    }

    async fn set(&mut self, time: i64) -> wasmtime::Result<Result<(), String>> {
        told(
            self.errand(move |host, writes| change(host, writes, Some(time)))
                .await,
        )
    }

    async fn delete(&mut self) -> wasmtime::Result<Result<(), String>> {
        told(self.errand(|host, writes| change(host, writes, None)).await)
    }
}

fn in_object(host: &Object) -> Result<(), Failure> {
    match host.is_worker() {
        true => Err(Failure::Told(
            "alarms are there in objects only, not in the worker".to_owned(),
        )),
        false => Ok(()),
    }
}

fn change(host: &Object, writes: &Writes, time: Option<i64>) -> Result<(), Failure> {
    in_object(host)?;
    if time.is_some_and(|time| time < 0) {
        return Err(Failure::Told(
            "the time of an alarm is before 1970".to_owned(),
        ));
    }
    writes.begin()?;
    Ok(host.set_alarm(time)?)
}
