//! One end of a WebSocket as a program has it: the native half of `glue/web/websocket.js`.

use std::{cell::RefCell, rc::Rc, time::Duration};

use dolmen_runtime::{
    AutoResponse, HibernatingSocket, Host, Received, SocketEnd, SocketMessage, socket_pair,
    websocket,
};
use rquickjs::{
    Array, ArrayBuffer, Class, Ctx, Exception, Object, Result, String as JsString, Value,
    function::Opt, prelude::Func, promise::Promised,
};

use super::WebHost;
use crate::{js_class::js_class, module, value_format};

/// Largest attachment, in bytes.
const MAX_ATTACHMENT: usize = 16_384;

enum State {
    /// Nobody listens yet.
    Fresh(SocketEnd),
    /// Its events come here.
    Accepted(Rc<SocketEnd>),
    /// Its events are the object's.
    Hibernating(Rc<HibernatingSocket>),
    /// It is somebody else's now.
    Released,
}

/// The JavaScript object around one end.
pub(crate) struct SocketHandle {
    state: RefCell<State>,
    /// What `serializeAttachment` left before the socket was accepted.
    attachment: RefCell<Option<Box<[u8]>>>,
}

js_class!(SocketHandle, "Socket");

impl SocketHandle {
    pub(crate) fn wrap<'js>(ctx: &Ctx<'js>, end: SocketEnd) -> Result<Value<'js>> {
        Self::of_state(ctx, State::Fresh(end))
    }

    fn of_state<'js>(ctx: &Ctx<'js>, state: State) -> Result<Value<'js>> {
        let handle = Self {
            state: RefCell::new(state),
            attachment: RefCell::default(),
        };
        Class::instance(ctx.clone(), handle).map(Class::into_value)
    }

    /// Takes an end that nobody has accepted out of its handle.
    pub(crate) fn release(handle: &Value<'_>) -> Result<Option<SocketEnd>> {
        let handle = Class::<Self>::from_value(handle)?;
        match handle.borrow().state.replace(State::Released) {
            State::Fresh(end) => Ok(Some(end)),
            _ => Ok(None),
        }
    }

    fn with<R>(handle: &Value<'_>, work: impl FnOnce(&Self, &mut State) -> R) -> Result<R> {
        let handle = Class::<Self>::from_value(handle)?;
        let own = handle.borrow();
        let mut state = own.state.borrow_mut();
        Ok(work(&own, &mut state))
    }

    fn end(handle: &Value<'_>) -> Result<Option<Rc<SocketEnd>>> {
        Self::with(handle, |_, state| match state {
            State::Accepted(end) => Some(end.clone()),
            State::Hibernating(socket) => Some(socket.end().clone()),
            State::Fresh(_) | State::Released => None,
        })
    }
}

/// Adds what the glue asks for. Without an object around it, what needs one is not there.
pub(super) fn native<'js>(native: &Object<'js>, host: &Rc<dyn WebHost>) -> Result<()> {
    let limit = host
        .object()
        .map_or(1 << 20, |object| object.options().socket_buffer);
    native.set(
        "pair",
        Func::from(move |ctx: Ctx<'js>| {
            let (first, second) = socket_pair(limit);
            let pair = Array::new(ctx.clone())?;
            pair.set(0, SocketHandle::wrap(&ctx, first)?)?;
            pair.set(1, SocketHandle::wrap(&ctx, second)?)?;
            Ok::<_, rquickjs::Error>(pair)
        }),
    )?;
    native.set(
        "release",
        Func::from(|handle: Value<'js>| SocketHandle::release(&handle).map(drop)),
    )?;
    native.set(
        "isProtocol",
        Func::from(|text: String| websocket::is_valid_protocol(&text)),
    )?;
    native.set(
        "isCloseCode",
        Func::from(|code: f64| {
            (0.0..65_536.0).contains(&code) && websocket::may_be_sent(code as u16)
        }),
    )?;
    native.set("utf8Length", Func::from(|text: String| text.len()))?;
    let Some(object) = host.object() else {
        return Ok(());
    };
    traffic(native, &object)?;
    attachments(native)?;
    hibernation(native, &object)
}

fn traffic<'js>(native: &Object<'js>, host: &Rc<Host>) -> Result<()> {
    native.set(
        "accept",
        Func::from(|handle: Value<'js>| {
            SocketHandle::with(&handle, |_, state| {
                if let State::Fresh(_) = state
                    && let State::Fresh(end) = std::mem::replace(state, State::Released)
                {
                    *state = State::Accepted(Rc::new(end));
                }
            })
        }),
    )?;
    native.set(
        "keepEvent",
        Func::from(|ctx: Ctx<'js>, until: Value<'js>| module::keep_event(&ctx, until)),
    )?;
    let own = host.clone();
    native.set(
        "receive",
        Func::from(move |ctx: Ctx<'js>, handle: Value<'js>| receive(&ctx, &own, &handle)),
    )?;
    let own = host.clone();
    native.set(
        "transmit",
        Func::from(move |ctx: Ctx<'js>, handle: Value<'js>, data: Value<'js>| {
            send(&ctx, &own, &handle, data)
        }),
    )?;
    let own = host.clone();
    native.set(
        "close",
        Func::from(move |handle: Value<'js>, code: u16, reason: String| {
            SocketHandle::with(&handle, |_, state| {
                if let State::Hibernating(socket) = state {
                    socket.close_here();
                }
            })?;
            if let Some(end) = SocketHandle::end(&handle)? {
                let reason = reason.into();
                own.send_on_socket(&end, SocketMessage::Close { code, reason });
            }
            Ok::<_, rquickjs::Error>(())
        }),
    )?;
    native.set(
        "state",
        Func::from(|handle: Value<'js>| {
            SocketHandle::with(&handle, |_, state| match state {
                State::Hibernating(socket) => {
                    vec![socket.is_closed_here(), socket.is_closed_there()]
                }
                _ => vec![false, false],
            })
        }),
    )
}

/// The next thing on a socket: `[kind, data]` or `[kind, code, reason]`, once the critical sections let it in.
fn receive<'js>(
    ctx: &Ctx<'js>,
    host: &Rc<Host>,
    handle: &Value<'js>,
) -> Result<Promised<impl Future<Output = Result<Array<'js>>> + use<'js>>> {
    let Some(end) = SocketHandle::end(handle)? else {
        return Err(Exception::throw_type(ctx, "the WebSocket is not accepted"));
    };
    let operation = host.operation(module::section(ctx)?);
    let received = operation.run(host.receive(end));
    let ctx = ctx.clone();
    Ok(Promised(async move {
        let array = Array::new(ctx.clone())?;
        let (kind, code, reason) = match received.await {
            Some(received) => described(&ctx, &array, received)?,
            None => ("lost", 1006, "".into()),
        };
        array.set(0, kind)?;
        if array.len() == 1 {
            array.set(1, code)?;
            array.set(2, &*reason)?;
        }
        Ok(array)
    }))
}

fn described<'js>(
    ctx: &Ctx<'js>,
    array: &Array<'js>,
    received: Received,
) -> Result<(&'static str, u16, Box<str>)> {
    Ok(match received {
        Received::Message(SocketMessage::Text(text)) => {
            array.set(1, text_value(ctx, &text)?)?;
            ("text", 0, "".into())
        }
        Received::Message(SocketMessage::Binary(bytes)) => {
            array.set(1, ArrayBuffer::new_copy(ctx.clone(), &bytes)?)?;
            ("binary", 0, "".into())
        }
        Received::Message(SocketMessage::Close { code, reason }) => ("close", code, reason),
        Received::Lost(loss) if loss.is_error => ("error", loss.code, loss.reason),
        Received::Lost(loss) => ("lost", loss.code, loss.reason),
    })
}

fn text_value<'js>(ctx: &Ctx<'js>, text: &[u8]) -> Result<JsString<'js>> {
    // The decoder has checked it, and senders here encode it.
    JsString::from_str(ctx.clone(), std::str::from_utf8(text).unwrap_or_default())
}

/// What an event of a hibernatable socket brings to the glue: its kind and two arguments.
pub(crate) fn event<'js>(
    ctx: &Ctx<'js>,
    received: Received,
) -> Result<(&'static str, Value<'js>, Value<'js>)> {
    let undefined = Value::new_undefined(ctx.clone());
    let array = Array::new(ctx.clone())?;
    let (kind, code, reason) = described(ctx, &array, received)?;
    if matches!(kind, "text" | "binary") {
        return Ok(("message", array.get(1)?, undefined));
    }
    let code = Value::new_int(ctx.clone(), code.into());
    Ok((
        kind,
        code,
        JsString::from_str(ctx.clone(), &reason)?.into_value(),
    ))
}

/// Sends text or bytes; `false` after a close.
fn send<'js>(
    ctx: &Ctx<'js>,
    host: &Rc<Host>,
    handle: &Value<'js>,
    data: Value<'js>,
) -> Result<bool> {
    let message = match crate::fetch::bytes_of(&data) {
        Some(bytes) => SocketMessage::Binary(bytes),
        None => {
            let text = match data.as_string() {
                Some(text) => value_format::utf8(ctx, text)?,
                None => {
                    value_format::utf8(ctx, &data.get::<rquickjs::Coerced<JsString<'js>>>()?.0)?
                }
            };
            SocketMessage::Text(text.into())
        }
    };
    let end = SocketHandle::with(handle, |_, state| match state {
        State::Accepted(end) => Some(end.clone()),
        State::Hibernating(socket) if !socket.is_closed_here() => Some(socket.end().clone()),
        _ => None,
    })?;
    let Some(end) = end else {
        return Ok(false);
    };
    host.send_on_socket(&end, message);
    Ok(true)
}

fn attachments<'js>(native: &Object<'js>) -> Result<()> {
    native.set(
        "attach",
        Func::from(|ctx: Ctx<'js>, handle: Value<'js>, value: Value<'js>| {
            let bytes = value_format::serialize(&ctx, &value)?;
            if bytes.len() > MAX_ATTACHMENT {
                return Err(Exception::throw_message(
                    &ctx,
                    &format!(
                        "A WebSocket 'attachment' cannot be larger than {MAX_ATTACHMENT} bytes.'attachment' was {} bytes.",
                        bytes.len()
                    ),
                ));
            }
            SocketHandle::with(&handle, |own, state| match state {
                State::Hibernating(socket) => socket.attach(bytes.into()),
                _ => drop(own.attachment.replace(Some(bytes.into()))),
            })
        }),
    )?;
    native.set(
        "attachment",
        Func::from(|ctx: Ctx<'js>, handle: Value<'js>| {
            let bytes = SocketHandle::with(&handle, |own, state| match state {
                State::Hibernating(socket) => socket.attachment(),
                _ => own.attachment.borrow().clone(),
            })?;
            match bytes {
                Some(bytes) => value_format::deserialize(&ctx, &bytes),
                None => Ok(Value::new_null(ctx)),
            }
        }),
    )
}

fn hibernation<'js>(native: &Object<'js>, host: &Rc<Host>) -> Result<()> {
    let own = host.clone();
    native.set(
        "hibernate",
        Func::from(
            move |ctx: Ctx<'js>, handle: Value<'js>, tags: Vec<String>| {
                let Some(end) = SocketHandle::release(&handle)? else {
                    return Err(Exception::throw_type(
                        &ctx,
                        "the WebSocket is not here any more",
                    ));
                };
                let socket = own
                    .accept_socket(end, &tags)
                    .map_err(|error| Exception::throw_message(&ctx, error.message()))?;
                let id = socket.id();
                SocketHandle::with(&handle, |own, state| {
                    if let Some(bytes) = own.attachment.take() {
                        socket.attach(bytes);
                    }
                    *state = State::Hibernating(socket);
                })?;
                Ok(module::number(id))
            },
        ),
    )?;
    let own = host.clone();
    native.set(
        "hibernating",
        Func::from(
            move |ctx: Ctx<'js>, id: f64| match own.socket(module::count(id)) {
                Some(socket) => SocketHandle::of_state(&ctx, State::Hibernating(socket)),
                None => Ok(Value::new_undefined(ctx)),
            },
        ),
    )?;
    let own = host.clone();
    native.set(
        "hibernatingIds",
        Func::from(move |tag: Option<String>| {
            let sockets = own.sockets(tag.as_deref());
            sockets
                .iter()
                .map(|socket| module::number(socket.id()))
                .collect::<Vec<f64>>()
        }),
    )?;
    native.set(
        "tags",
        Func::from(|handle: Value<'js>| {
            SocketHandle::with(&handle, |_, state| match state {
                State::Hibernating(socket) => {
                    socket.tags().iter().map(|tag| tag.to_string()).collect()
                }
                _ => Vec::new(),
            })
        }),
    )?;
    let own = host.clone();
    native.set(
        "setAutoResponse",
        Func::from(move |request: Opt<String>, response: Opt<String>| {
            own.set_auto_response(request.0.zip(response.0).map(|(request, response)| {
                AutoResponse {
                    request: request.into(),
                    response: response.into(),
                }
            }));
        }),
    )?;
    let own = host.clone();
    native.set(
        "autoResponse",
        Func::from(move |ctx: Ctx<'js>| match own.auto_response() {
            Some(pair) => {
                let array = Array::new(ctx.clone())?;
                array.set(0, text_value(&ctx, &pair.request)?)?;
                array.set(1, text_value(&ctx, &pair.response)?)?;
                Ok(array.into_value())
            }
            None => Ok::<_, rquickjs::Error>(Value::new_null(ctx)),
        }),
    )?;
    native.set(
        "autoResponded",
        Func::from(|ctx: Ctx<'js>, handle: Value<'js>| {
            let end = SocketHandle::end(&handle)?;
            #[expect(clippy::cast_precision_loss, reason = "times are far below 2^53 ms")]
            Ok::<_, rquickjs::Error>(match end.and_then(|end| end.auto_responded()) {
                Some(time) => Value::new_number(ctx, time as f64),
                None => Value::new_null(ctx),
            })
        }),
    )?;
    let own = host.clone();
    native.set(
        "setEventTimeout",
        Func::from(move |ms: f64| {
            own.set_socket_event_timeout((ms > 0.0).then(|| Duration::from_secs_f64(ms / 1e3)));
        }),
    )?;
    let own = host.clone();
    native.set(
        "eventTimeout",
        Func::from(move |ctx: Ctx<'js>| match own.socket_event_timeout() {
            Some(timeout) => Value::new_number(ctx, timeout.as_secs_f64() * 1e3),
            None => Value::new_null(ctx),
        }),
    )
}
