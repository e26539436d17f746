//! `env`: one member for each namespace, through which objects call each other, and the variables.

use std::rc::Rc;

use dolmen_runtime::{Event, Host, MAX_NAME_BYTES, Payload, Reply, RpcCall};
use rquickjs::{Array, Ctx, Exception, Function, Object, Value, function::Opt, promise::Promised};

use crate::{
    bindings::{self, Bindings},
    exception::throw,
    value_format,
};

/// Makes `{ OTHER: { getByName(name) -> { name, rpc(method, args) } } }`
/// and the bindings.
pub(crate) fn make_env<'js>(
    ctx: &Ctx<'js>,
    host: &Rc<Host>,
    bindings: &Bindings,
) -> rquickjs::Result<Object<'js>> {
    let env = Object::new(ctx.clone())?;
    for (index, namespace) in host.namespaces().enumerate() {
        let object = Object::new(ctx.clone())?;
        let host = host.clone();
        let get_by_name =
            Function::new(ctx.clone(), move |ctx: Ctx<'js>, name: Opt<Value<'js>>| {
                stub(&ctx, &host, index, name.0)
            })?;
        object.set("getByName", get_by_name.with_name("getByName")?)?;
        env.set(namespace.name.as_str(), object)?;
    }
    if bindings.iter().next().is_some() {
        let list = bindings::list(ctx, bindings)?;
        bindings::adder(ctx)?.call::<_, ()>((env.clone(), list))?;
    }
    Ok(env)
}

fn stub<'js>(
    ctx: &Ctx<'js>,
    host: &Rc<Host>,
    namespace: usize,
    name: Option<Value<'js>>,
) -> rquickjs::Result<Object<'js>> {
    let name = string(ctx, name, "getByName() needs a string")?;
    let name: Rc<str> = name.into();
    if name.len() > MAX_NAME_BYTES || name.is_empty() {
        return Err(Exception::throw_type(
            ctx,
            &format!(
                "an object's name has 1 to {MAX_NAME_BYTES} bytes; this one has {}",
                name.len()
            ),
        ));
    }
    let stub = Object::new(ctx.clone())?;
    stub.set("name", &*name)?;
    let host = host.clone();
    let rpc = Function::new(
        ctx.clone(),
        move |ctx: Ctx<'js>, method: Opt<Value<'js>>, args: Opt<Value<'js>>| {
            let call = rpc_call(&ctx, method.0, args.0)?;
            let answer = host.call(namespace, &name, Event::Rpc(call));
            let settled = ctx.clone();
            Ok::<_, rquickjs::Error>(Promised::from(async move {
                match answer.await {
                    Ok(Reply::Rpc(Payload::Cloned(bytes))) => {
                        value_format::deserialize(&settled, &bytes)
                    }
                    Ok(_) => Err(Exception::throw_message(
                        &settled,
                        "the object answered in another encoding",
                    )),
                    Err(error) => Err(throw(&settled, &error)),
                }
            }))
        },
    )?;
    stub.set("rpc", rpc.with_name("rpc")?)?;
    Ok(stub)
}

fn rpc_call<'js>(
    ctx: &Ctx<'js>,
    method: Option<Value<'js>>,
    args: Option<Value<'js>>,
) -> rquickjs::Result<RpcCall> {
    let method = string(ctx, method, "rpc() needs the name of a method")?;
    let args = match args.filter(|args| !args.is_undefined()) {
        None => Array::new(ctx.clone())?.into_value(),
        Some(args) if args.is_array() => args,
        Some(args) => {
            return Err(Exception::throw_type(
                ctx,
                &format!(
                    "rpc() takes the arguments as an array, not {}",
                    args.type_name()
                ),
            ));
        }
    };
    Ok(RpcCall {
        method,
        args: Payload::Cloned(value_format::serialize(ctx, &args)?.into()),
    })
}

fn string(ctx: &Ctx<'_>, value: Option<Value<'_>>, wanted: &str) -> rquickjs::Result<String> {
    match value.as_ref().and_then(|value| value.as_string()) {
        Some(text) => text.to_string(),
        None => {
            let given = value.map_or("undefined", |value| value.type_name());
            Err(Exception::throw_type(
                ctx,
                &format!("{wanted}, not {given}"),
            ))
        }
    }
}
