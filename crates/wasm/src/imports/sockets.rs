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
                |host, message| {
                    let Some(socket) = find(host, socket) else {
                        return Found::None;
                    };
                    if socket.is_closed_here() {
                        return Found::Failed("the socket is closed".to_owned());
                    }
                    host.send_on_socket(socket.end(), message);
                    Found::Code(0)
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
                |host, message| {
                    let all = host.sockets(None).into_iter();
                    let open =
                        all.filter(|socket| !socket.is_closed_here() && number(socket) != except);
                    let sent =
                        open.map(|socket| host.send_on_socket(socket.end(), message.clone()));
                    Found::Code(sent.count() as i32)
                },
            )
        },
    )?;
    linker.func_wrap(MODULE, "ws_close", close)?;
    linker.func_wrap(MODULE, "ws_list", |mut caller: Caller<'_, State>| {
        let state = caller.data_mut();
        let all = state.host.sockets(None).into_iter();
        let open = all.filter(|socket| !socket.is_closed_here());
        let numbers = open.map(|socket| Item::I32(number(&socket))).collect();
        state.outbox.put(Found::Slots(vec![Item::Array(numbers)]))
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
                    Attachment::of(&socket).with_own(bytes).keep(&socket);
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
        (Some(socket), Some(code)) => {
            sockets::close(&state.host, &socket, code, reason);
            Found::Code(0)
        }
    };
    Ok(state.outbox.put(found))
}

fn with_message(
    mut caller: Caller<'_, State>,
    named: Named,
    binary: i32,
    import: &str,
    send: impl FnOnce(&Host, SocketMessage) -> Found,
) -> wasmtime::Result<i32> {
    let (memory, state) = State::split(&mut caller)?;
    let bytes = Bytes::copy_from_slice(bytes(memory, named, import, "message")?);
    let found = match binary {
        0 if std::str::from_utf8(&bytes).is_err() => {
            Found::Failed("a text message is UTF-8; send it as bytes".to_owned())
        }
        0 => send(&state.host, SocketMessage::Text(bytes)),
        _ => send(&state.host, SocketMessage::Binary(bytes)),
    };
    Ok(state.outbox.put(found))
}

/// A socket that the guest names by its number.
fn find(host: &Host, number: i32) -> Option<Rc<HibernatingSocket>> {
    host.socket(u64::try_from(number).ok()?)
}

fn number(socket: &HibernatingSocket) -> i32 {
    sockets::number(socket.id())
}
