//! WebSockets of CommonJS objects: `webSocketOpen(ws, req)`, `webSocketMessage(ws, data)`,
//! `webSocketClose(ws, code, reason, clean)` and `webSocketError(ws, error)`. All of them hibernate.

use bytes::Bytes;
use dolmen_runtime::{
    Body, FetchRequest, FetchResponse, Host, SocketEnd, SocketEvent, socket_pair,
};
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{CONTENT_TYPE, UPGRADE},
};
use rquickjs::{Array, Ctx, Function, Object, Value, function::This};

use crate::{
    fetch, module,
    rpc::Called,
    web::{
        group,
        socket::{self, SocketHandle},
    },
};

/// What became of a request for a WebSocket.
pub(crate) enum Opened<'js> {
    /// The object has no handler for any.
    Refused(FetchResponse),
    /// What `webSocketOpen` gave, and the client's end.
    Called(Called<'js>, SocketEnd),
}

/// Accepts a WebSocket for the object and calls its `webSocketOpen`.
pub(crate) fn open<'js>(
    ctx: &Ctx<'js>,
    host: &Host,
    object: &Object<'js>,
    request: &FetchRequest,
) -> rquickjs::Result<Opened<'js>> {
    let on_open = object
        .get::<_, Value<'js>>("webSocketOpen")?
        .into_function();
    let on_message = object.get::<_, Value<'js>>("webSocketMessage")?;
    if on_open.is_none() && !on_message.is_function() {
        return Ok(Opened::Refused(refusal(host)));
    }
    let (ours, theirs) = socket_pair(host.options().socket_buffer);
    let web_socket: Function<'js> =
        group::use_name(ctx.clone(), "socketOfHandle".to_owned())?.get()?;
    let web_socket: Value<'js> = web_socket.call((SocketHandle::wrap(ctx, ours)?,))?;
    let accept: Function<'js> = hibernation(ctx)?.get("accept")?;
    accept.call::<_, ()>((web_socket.clone(), Array::new(ctx.clone())?))?;
    let called = match on_open {
        Some(on_open) => {
            let request = fetch::request_object(ctx, request)?;
            on_open.call((This(object.clone()), web_socket, request))?
        }
        None => Value::new_undefined(ctx.clone()),
    };
    Ok(Opened::Called(Called::Value(called), theirs))
}

/// Calls the handler of what happened on a socket.
pub(crate) fn event<'js>(
    ctx: &Ctx<'js>,
    object: &Object<'js>,
    event: SocketEvent,
) -> rquickjs::Result<Called<'js>> {
    let (kind, a, b) = socket::event(ctx, event.received)?;
    let dispatch: Function<'js> = hibernation(ctx)?.get("dispatch")?;
    dispatch
        .call((object.clone(), module::number(event.socket), kind, a, b))
        .map(Called::Value)
}

/// The answer that makes the connection a WebSocket.
pub(crate) fn switching(end: SocketEnd) -> FetchResponse {
    FetchResponse {
        status: StatusCode::SWITCHING_PROTOCOLS,
        headers: HeaderMap::new(),
        body: Body::None,
        web_socket: Some(end),
    }
}

/// What `state` has for them: `getWebSockets` and the automatic response.
pub(crate) fn install_state<'js>(ctx: &Ctx<'js>, state: &Object<'js>) -> rquickjs::Result<()> {
    for (name, own) in [
        ("getWebSockets", "list"),
        ("setWebSocketAutoResponse", "setAutoResponse"),
        ("getWebSocketAutoResponse", "autoResponse"),
        ("getWebSocketAutoResponseTimestamp", "autoResponseTime"),
    ] {
        let method = Function::new(
            ctx.clone(),
            move |ctx: Ctx<'js>, given: rquickjs::function::Opt<Value<'js>>| {
                let method: Function<'js> = hibernation(&ctx)?.get(own)?;
                method.call::<_, Value<'js>>((given.0,))
            },
        )?;
        state.set(name, method.with_name(name)?)?;
    }
    Ok(())
}

fn hibernation<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    group::use_name(ctx.clone(), "hibernation".to_owned())?.get()
}

fn refusal(host: &Host) -> FetchResponse {
    let text = format!(
        r#"{{"ok":false,"error":{{"code":"no_web_sockets","message":"objects of {} take no WebSockets: they have no webSocketOpen and no webSocketMessage"}}}}"#,
        host.namespace().name
    );
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    FetchResponse {
        status: StatusCode::UPGRADE_REQUIRED,
        headers,
        body: Body::Full(Bytes::from(text)),
        web_socket: None,
    }
}
