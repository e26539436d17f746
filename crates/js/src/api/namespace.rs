//! `env`: one member for each namespace, through which objects call each other.

use std::rc::Rc;

use dolmen_runtime::{Event, Host, MAX_NAME_BYTES, Payload, Reply, RpcCall};
use rquickjs::{Array, Ctx, Exception, Function, Object, Value, function::Opt, promise::Promised};

use crate::{exception::throw, value_format};

/// Makes `{ OTHER: { getByName(name) -> { name, rpc(method, args) } } }`.
pub(crate) fn make_env<'js>(ctx: &Ctx<'js>, host: &Rc<Host>) -> rquickjs::Result<Object<'js>> {
    let env = Object::new(ctx.clone())?;
    for (index, namespace) in host.namespaces().enumerate() {
        let object = Object::new(ctx.clone())?;
        let host = host.clone();
        let get_by_name = Function::new(ctx.clone(), move |ctx: Ctx<'js>, name: Value<'js>| stub(&ctx, &host, index, &name))?;
        object.set("getByName", get_by_name.with_name("getByName")?)?;
        env.set(namespace.name.as_str(), object)?;
    }
    Ok(env)
}

fn stub<'js>(ctx: &Ctx<'js>, host: &Rc<Host>, namespace: usize, name: &Value<'js>) -> rquickjs::Result<Object<'js>> {
    let Some(name) = name.as_string() else {
        return Err(Exception::throw_type(ctx, &format!("getByName() needs a string, not {}", name.type_name())));
    };
    let name: Rc<str> = name.to_string()?.into();
    if name.len() > MAX_NAME_BYTES || name.is_empty() {
        return Err(Exception::throw_type(ctx, &format!("an object's name has 1 to {MAX_NAME_BYTES} bytes; this one has {}", name.len())));
    }
    let stub = Object::new(ctx.clone())?;
    stub.set("name", &*name)?;
    let host = host.clone();
    let rpc = Function::new(ctx.clone(), move |ctx: Ctx<'js>, method: Value<'js>, args: Opt<Value<'js>>| {
        let call = rpc_call(&ctx, &method, args.0)?;
        let answer = host.call(namespace, &name, Event::Rpc(call));
        let settled = ctx.clone();
        Ok::<_, rquickjs::Error>(Promised::from(async move {
            match answer.await {
                Ok(Reply::Rpc(Payload::Cloned(bytes))) => value_format::deserialize(&settled, &bytes),
                Ok(_) => Err(Exception::throw_message(&settled, "the object answered in another encoding")),
                Err(error) => Err(throw(&settled, &error)),
            }
        }))
    })?;
    stub.set("rpc", rpc.with_name("rpc")?)?;
    Ok(stub)
}

fn rpc_call<'js>(ctx: &Ctx<'js>, method: &Value<'js>, args: Option<Value<'js>>) -> rquickjs::Result<RpcCall> {
    let Some(method) = method.as_string() else {
        return Err(Exception::throw_type(ctx, &format!("rpc() needs the name of a method, not {}", method.type_name())));
    };
    let args = match args.filter(|args| !args.is_undefined()) {
        None => Array::new(ctx.clone())?.into_value(),
        Some(args) if args.is_array() => args,
        Some(args) => {
            return Err(Exception::throw_type(ctx, &format!("rpc() takes the arguments as an array, not {}", args.type_name())));
        }
    };
    Ok(RpcCall { method: method.to_string()?, args: Payload::Cloned(value_format::serialize(ctx, &args)?.into()) })
}
