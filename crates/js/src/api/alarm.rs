//! The alarm handler: `alarm({ isRetry, retryCount, scheduledTime })`.

use dolmen_runtime::{AlarmInfo, Error, ErrorKind};
use rquickjs::{Ctx, Object, Value, function::This};

use crate::rpc::Called;

/// Calls the object's `alarm`.
pub(crate) fn call<'js>(
    ctx: &Ctx<'js>,
    object: &Object<'js>,
    info: AlarmInfo,
) -> rquickjs::Result<Called<'js>> {
    let Some(alarm) = object.get::<_, Value<'js>>("alarm")?.into_function() else {
        return Ok(Called::Refused(Error::new(
            ErrorKind::MethodNotFound,
            "the object has no alarm method any more",
        )));
    };
    let argument = Object::new(ctx.clone())?;
    argument.set("isRetry", info.retry_count > 0)?;
    argument.set("retryCount", info.retry_count)?;
    #[expect(clippy::cast_precision_loss, reason = "times are far below 2^53 ms")]
    argument.set("scheduledTime", info.scheduled_ms as f64)?;
    alarm
        .call((This(object.clone()), argument))
        .map(Called::Value)
}
