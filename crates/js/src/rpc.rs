//! Method calls: which properties of an object can be called, and how arguments and results are
//! encoded.

use dolmen_runtime::{Error, ErrorKind, Payload, RpcCall};
use rquickjs::{Array, Ctx, Exception, Function, Object, Value, function::Args};

pub(crate) use crate::json::json;
use crate::{raw, value_format};

/// In which encoding a call came, and so its result goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Json,
    Cloned,
}

impl Encoding {
    pub fn of(payload: &Payload) -> Self {
        match payload {
            Payload::Json(_) => Self::Json,
            Payload::Cloned(_) => Self::Cloned,
        }
    }
}

/// What became of a call before anything was awaited.
pub(crate) enum Called<'js> {
    Value(Value<'js>),
    Refused(Error),
}

/// Methods that have another way in, or none.
const RESERVED: [&str; 3] = ["constructor", "fetch", "alarm"];

/// Calls a method with its decoded arguments.
pub(crate) fn call<'js>(
    ctx: &Ctx<'js>,
    object: &Object<'js>,
    call: &RpcCall,
) -> rquickjs::Result<Called<'js>> {
    let Some(method) = method(object, &call.method)? else {
        let why = match call.method.as_str() {
            "fetch" => "`fetch` is reached at /fetch/:namespace/:name/*, not as a method",
            "alarm" => "`alarm` runs when the alarm is due; it cannot be called",
            _ => "the object has no such method",
        };
        return Ok(Called::Refused(Error::new(
            ErrorKind::MethodNotFound,
            format!("method {:?} cannot be called: {why}", call.method),
        )));
    };
    let arguments = match decode(ctx, &call.args)? {
        None => None,
        Some(value) => match value.into_array() {
            Some(array) => Some(array),
            None => {
                return Ok(Called::Refused(Error::new(
                    ErrorKind::BadRequest,
                    "the arguments must be an array",
                )));
            }
        },
    };
    let count = arguments.as_ref().map_or(0, Array::len);
    let mut args = Args::new(ctx.clone(), count);
    args.this(object.clone())?;
    for argument in arguments.iter().flat_map(Array::iter::<Value<'js>>) {
        args.push_arg(argument?)?;
    }
    method.call_arg(args).map(Called::Value)
}

/// A callable property of the object or its classes; nothing that every object has.
pub(crate) fn method<'js>(
    object: &Object<'js>,
    name: &str,
) -> rquickjs::Result<Option<Function<'js>>> {
    if RESERVED.contains(&name) {
        return Ok(None);
    }
    let mut holder = object.clone();
    // `Object.prototype` is the one whose own prototype is null; what it has does not count.
    while let Some(parent) = holder.get_prototype() {
        if raw::has_own_property(object.ctx(), &holder, name)? {
            return Ok(object.get::<_, Value<'js>>(name)?.into_function());
        }
        holder = parent;
    }
    Ok(None)
}

fn decode<'js>(ctx: &Ctx<'js>, payload: &Payload) -> rquickjs::Result<Option<Value<'js>>> {
    match payload {
        Payload::Json(json) if json.is_empty() => Ok(None),
        Payload::Json(json) => ctx.json_parse(json.as_ref()).map(Some),
        Payload::Cloned(bytes) => value_format::deserialize(ctx, bytes).map(Some),
    }
}

/// Encodes a result. A value that the encoding cannot carry is an exception.
pub(crate) fn encode<'js>(
    ctx: &Ctx<'js>,
    encoding: Encoding,
    value: Value<'js>,
    limit: usize,
) -> rquickjs::Result<Payload> {
    let payload = match encoding {
        Encoding::Json => Payload::Json(json(ctx, value, "result")?),
        Encoding::Cloned => Payload::Cloned(value_format::serialize(ctx, &value)?.into()),
    };
    let size = payload.bytes().len();
    if size > limit {
        return Err(Exception::throw_range(
            ctx,
            &format!("the result has {size} bytes; at most {limit} can be returned"),
        ));
    }
    Ok(payload)
}
