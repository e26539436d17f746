//! `ws_send`, `ws_broadcast`, `ws_close`, `ws_list`, `ws_attach` and `ws_attachment`.

use std::rc::Rc;

use bytes::Bytes;
use dolmen_runtime::{HibernatingSocket, Host, SocketMessage};
use wasmtime::{Caller, Linker};

use super::{MODULE, Named, bytes, text};
use crate::{
    guest::State,
    outbox::Found,
    sockets::{self, Attachment, MAX_ATTACHMENT},
    zerobuf::Item,
};

/// Longest reason of a close in bytes: RFC 6455, section 5.5.
const MAX_REASON: usize = 123;

pub(super) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    linker.func_wrap(
        MODULE,
        "ws_send",
        |caller: Caller<'_, State>, socket: i32, at: u32, length: u32, binary: i32| {
            with_message(
                caller,
                (at, length),
                binary,
                "do.ws_send",
                |state, message| match find(&state.host, socket) {
                    None => Found::None,
                    Some(socket) if state.writes.closes(&socket) => {
                        Found::Failed("the socket is closed".to_owned())
                    }
                    Some(socket) => match state.writes.send([socket], message) {
                        Some(_) => Found::Code(0),
                        None => too_much(&state.host),
                    },
                },
            )
        },
    )?;
    linker.func_wrap(
        MODULE,
        "ws_broadcast",
        |caller: Caller<'_, State>, at: u32, length: u32, binary: i32, except: i32| {
            with_message(
                caller,
                (at, length),
                binary,
                "do.ws_broadcast",
                |state, message| {
                    let all = open(state).filter(|socket| number(socket) != except);
                    let sent = state.writes.send(all.collect::<Vec<_>>(), message);
                    sent.map_or_else(|| too_much(&state.host), |sent| Found::Code(sent as i32))
                },
            )
        },
    )?;
    linker.func_wrap(MODULE, "ws_close", close)?;
    linker.func_wrap(MODULE, "ws_list", |mut caller: Caller<'_, State>| {
        let state = caller.data_mut();
        let numbers = open(state).map(|socket| Item::I32(number(&socket)));
        let numbers = Item::Array(numbers.collect());
        state.outbox.put(Found::Slots(vec![numbers]))
    })?;
    linker.func_wrap(
        MODULE,
        "ws_attach",
        |mut caller: Caller<'_, State>, socket: i32, at: u32, length: u32| {
            let (memory, state) = State::split(&mut caller)?;
            let bytes = bytes(memory, (at, length), "do.ws_attach", "attachment")?;
            let found = match find(&state.host, socket) {
                None => Found::None,
                Some(_) if bytes.len() > MAX_ATTACHMENT => Found::Failed(format!(
                    "an attachment of {} bytes; at most {MAX_ATTACHMENT} stay with a socket",
                    bytes.len()
                )),
                Some(socket) => {
                    let attachment = Attachment::of(&socket).with_own(bytes);
                    state.writes.attach(&socket, attachment.encoded());
                    Found::Code(0)
                }
            };
            Ok::<_, wasmtime::Error>(state.outbox.put(found))
        },
    )?;
    linker.func_wrap(
        MODULE,
        "ws_attachment",
        |mut caller: Caller<'_, State>, socket: i32| {
            let state = caller.data_mut();
            let own = find(&state.host, socket).and_then(|socket| Attachment::of(&socket).own);
            let found = own.map_or(Found::None, |own| Found::Plain(own.into()));
            state.outbox.put(found)
        },
    )?;
    Ok(())
}

fn close(
    mut caller: Caller<'_, State>,
    socket: i32,
    code: i32,
    at: u32,
    length: u32,
) -> wasmtime::Result<i32> {
    let (memory, state) = State::split(&mut caller)?;
    let reason = text(memory, (at, length), "do.ws_close", "reason")?;
    let code = u16::try_from(code)
        .ok()
        .filter(|code| *code == 1000 || (3000..5000).contains(code));
    let found = match (find(&state.host, socket), code) {
        (None, _) => Found::None,
        (_, None) => Found::Failed("a close has the code 1000, or 3000 to 4999".to_owned()),
        _ if reason.len() > MAX_REASON => Found::Failed(format!(
            "the reason of a close has at most {MAX_REASON} bytes"
        )),
        (Some(socket), Some(_)) if state.writes.closes(&socket) => Found::Code(0),
        (Some(socket), Some(code)) => {
            let reason = reason.into();
            let close = SocketMessage::Close { code, reason };
            match state.writes.send([socket], &close) {
                Some(_) => Found::Code(0),
                None => too_much(&state.host),
            }
        }
    };
    Ok(state.outbox.put(found))
}

fn with_message(
    mut caller: Caller<'_, State>,
    named: Named,
    binary: i32,
    import: &str,
    send: impl FnOnce(&State, &SocketMessage) -> Found,
) -> wasmtime::Result<i32> {
    let (memory, state) = State::split(&mut caller)?;
    let bytes = bytes(memory, named, import, "message")?;
    if bytes.len() > state.host.options().socket_buffer {
        let found = too_much(&state.host);
        return Ok(state.outbox.put(found));
    }
    let bytes = Bytes::copy_from_slice(bytes);
    let found = match binary {
        0 if std::str::from_utf8(&bytes).is_err() => {
            Found::Failed("a text message is UTF-8; send it as bytes".to_owned())
        }
        0 => send(state, &SocketMessage::Text(bytes)),
        _ => send(state, &SocketMessage::Binary(bytes)),
    };
    Ok(state.outbox.put(found))
}

/// The sockets that the object has not closed, the newest first.
fn open(state: &State) -> impl Iterator<Item = Rc<HibernatingSocket>> {
    let all = state.host.sockets(None).into_iter();
    all.filter(|socket| !state.writes.closes(socket))
}

fn too_much(host: &Host) -> Found {
    Found::Failed(format!(
        "one event sends at most {} bytes on its sockets",
        host.options().socket_buffer
    ))
}

/// A socket that the guest names by its number.
fn find(host: &Host, number: i32) -> Option<Rc<HibernatingSocket>> {
    host.socket(u64::try_from(number).ok()?)
}

fn number(socket: &HibernatingSocket) -> i32 {
    sockets::number(socket.id())
}
