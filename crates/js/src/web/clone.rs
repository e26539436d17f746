//! `structuredClone`: a value through the value format and back.

use rquickjs::{
    Array, Ctx, Exception, Function, Object, Result, Value, function::This, prelude::Rest,
};

use crate::value_format;

/// `structuredClone(value, { transfer })`.
pub(super) fn structured_clone<'js>(
    ctx: Ctx<'js>,
    arguments: Rest<Value<'js>>,
) -> Result<Value<'js>> {
    let mut arguments = arguments.0.into_iter();
    let Some(value) = arguments.next() else {
        let message =
            "Failed to execute 'structuredClone': 1 argument required, but only 0 present.";
        return Err(Exception::throw_type(&ctx, message));
    };
    let transfer = match arguments.next().and_then(Value::into_object) {
        Some(options) => transfer_list(&ctx, &options)?,
        None => Vec::new(),
    };
    let mut bytes = Vec::new();
    value_format::serialize_with_transfer(&ctx, &value, &transfer, &mut bytes)?;
    let moved = transfer.iter().map(detach).collect::<Result<Vec<_>>>()?;
    value_format::deserialize_with_transfer(&ctx, &bytes, &moved)
}

fn transfer_list<'js>(ctx: &Ctx<'js>, options: &Object<'js>) -> Result<Vec<Value<'js>>> {
    let list: Value<'js> = options.get("transfer")?;
    if list.is_undefined() {
        return Ok(Vec::new());
    }
    let from: Function<'js> = ctx.globals().get::<_, Object<'js>>("Array")?.get("from")?;
    let list: Array<'js> = from.call((list,))?;
    let mut transfer: Vec<Value<'js>> = Vec::with_capacity(list.len());
    for value in list {
        let value: Value<'js> = value?;
        if !value_format::is_array_buffer(&value) {
            return Err(value_format::throw_clone_error(
                ctx,
                "Only ArrayBuffers can be transferred.",
            ));
        }
        if value
            .as_object()
            .map(|buffer| buffer.get::<_, bool>("detached"))
            .transpose()?
            == Some(true)
        {
            let message = "An ArrayBuffer is detached and could not be cloned.";
            return Err(value_format::throw_clone_error(ctx, message));
        }
        if transfer.contains(&value) {
            let message = format!(
                "ArrayBuffer at index {} is a duplicate of an earlier ArrayBuffer.",
                transfer.len()
            );
            return Err(value_format::throw_clone_error(ctx, &message));
        }
        transfer.push(value);
    }
    Ok(transfer)
}

/// Takes a buffer's memory; the buffer itself is left detached.
fn detach<'js>(buffer: &Value<'js>) -> Result<Value<'js>> {
    let object = buffer
        .as_object()
        .expect("transfer lists hold buffers only");
    let transfer: Function<'js> = object.get("transfer")?;
    transfer.call((This(buffer.clone()),))
}
