//! Alarms and WebSockets of components.

use bytes::Bytes;
use dolmen_runtime::{Error, FetchResponse, Received, SocketEnd, SocketMessage};
use http::{HeaderValue, Method};

use super::{component, data, framed};
use crate::handlers::world::{World, in_world, request};

/// The export, from functions of the core module.
const EVENTS: &str = include_str!("events.wat");

/// A socket is refused at `/r` and a trap at `/t`; else it gets `hello`. A message `t` is broadcast, deletes the key and traps,
/// `c` closes, `b` is broadcast to the others, `a` sets the alarm, `n` attaches itself, `N` is answered with the attachment,
/// everything else is echoed, text as text and bytes as bytes. The alarm broadcasts `ring`.
fn eventful() -> String {
    framed(
        &format!(
            r#"
    {data}
    (func $answer (param $request i32) (param $out i32)
      (call $digit (local.get $out) (call $get)))
    (func (export "alarm") (param $failures i32) (result i32)
      (drop (call $broadcast (i32.const 0) (i32.const 1024) (i32.const 4) (i32.const 0) (i64.const 0)))
      (i32.store8 (i32.const 64) (i32.const 0))
      (i32.const 64))
    (func (export "open") (param $socket i64) (param $path i32) (param $path_length i32) (param $headers i32) (param $headers_length i32) (result i32) (local $letter i32)
      (local.set $letter (i32.load8_u offset=1 (local.get $path)))
      (call $put (i32.const 0) (i32.const 1))
      (if (i32.eq (local.get $letter) (i32.const 116)) (then (unreachable)))
      (drop (call $send (local.get $socket) (i32.const 0) (i32.const 1030) (i32.const 5)))
      (i32.store (i32.const 64) (i32.const 0))
      (i32.store (i32.const 68) (i32.const 0))
      (i32.store (i32.const 72) (i32.const 0))
      (if (i32.eq (local.get $letter) (i32.const 114)) (then
        (i32.store (i32.const 64) (i32.const 1))
        (i32.store (i32.const 68) (i32.const 403))
        (i32.store (i32.const 76) (i32.const 0))
        (i32.store (i32.const 80) (local.get $path))
        (i32.store (i32.const 84) (local.get $path_length))))
      (i32.const 64))
    (func (export "message") (param $socket i64) (param $path i32) (param $path_length i32) (param $headers i32) (param $headers_length i32) (param $kind i32) (param $at i32) (param $length i32) (local $letter i32)
      (local.set $letter (i32.load8_u (local.get $at)))
      (if (i32.eq (local.get $letter) (i32.const 97)) (then (return (call $alarm_set (i64.const 1) (i32.const 64)))))
      (if (i32.eq (local.get $letter) (i32.const 98)) (then
        (drop (call $broadcast (local.get $kind) (local.get $at) (local.get $length) (i32.const 1) (local.get $socket)))
        (return)))
      (if (i32.eq (local.get $letter) (i32.const 110)) (then
        (call $attach (local.get $socket) (local.get $at) (local.get $length) (i32.const 64))
        (return)))
      (if (i32.eq (local.get $letter) (i32.const 78)) (then
        (call $attachment (local.get $socket) (i32.const 64))
        (local.set $at (i32.load (i32.const 68)))
        (local.set $length (i32.load (i32.const 72)))))
      (if (i32.eq (local.get $letter) (i32.const 116)) (then
        (drop (call $broadcast (local.get $kind) (local.get $at) (local.get $length) (i32.const 0) (i64.const 0)))
        (i32.store8 (i32.const 300) (i32.const 107))
        (call $storage_delete (i32.const 300) (i32.const 1) (i32.const 64))
        (unreachable)))
      (drop (call $send (local.get $socket) (local.get $kind) (local.get $at) (local.get $length)))
      (if (i32.eq (local.get $letter) (i32.const 99)) (then
        (call $close (local.get $socket) (i32.const 3001) (local.get $path) (local.get $path_length) (i32.const 64))
        (if (call $send (local.get $socket) (i32.const 0) (i32.const 1030) (i32.const 5)) (then (unreachable))))))
    (func (export "close") (param $socket i64) (param $path i32) (param $path_length i32) (param $headers i32) (param $headers_length i32) (param $code i32) (param $reason i32) (param $reason_length i32) (param $clean i32)
      (drop (call $broadcast (i32.const 0) (local.get $reason) (local.get $reason_length) (i32.const 0) (i64.const 0))))
"#,
            data = data(1_024, "ring") + &data(1_030, "hello"),
        ),
        EVENTS,
    )
}

async fn ask(w: &World, name: &str, path: &str) -> Result<FetchResponse, Error> {
    let mut asked = request(Method::GET, path, "");
    for (name, value) in [
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "AAAAAAAAAAAAAAAAAAAAAA=="),
    ] {
        asked.headers.insert(name, HeaderValue::from_static(value));
    }
    w.handle.fetch("HANDLER", name, asked).await
}

/// A socket that has been greeted.
async fn connect(w: &World, name: &str) -> SocketEnd {
    let response = ask(w, name, "/ok").await.unwrap();
    let end = response.web_socket.expect("it is refused");
    assert_eq!(next(&end).await, text("hello"));
    end
}

fn text(text: &str) -> Received {
    Received::Message(SocketMessage::Text(Bytes::copy_from_slice(text.as_bytes())))
}

fn send(end: &SocketEnd, text: &'static str) {
    end.send(SocketMessage::Text(Bytes::from_static(text.as_bytes())));
}

async fn next(end: &SocketEnd) -> Received {
    end.receive().await.expect("it has ended")
}

#[test]
fn messages_are_echoed_broadcast_and_closed_by_a_component() {
    in_world(&eventful(), async |w| {
        let (one, two) = (connect(w, "a").await, connect(w, "a").await);
        send(&one, "x");
        assert_eq!(next(&one).await, text("x"));
        one.send(SocketMessage::Binary(Bytes::from_static(&[0xff])));
        let binary = SocketMessage::Binary(Bytes::from_static(&[0xff]));
        assert_eq!(next(&one).await, Received::Message(binary));
        send(&one, "b!");
        assert_eq!(next(&two).await, text("b!"));
        send(&one, "n1");
        send(&one, "N");
        assert_eq!(next(&one).await, text("n1"));
        send(&two, "c");
        assert_eq!(next(&two).await, text("c"));
        let close = SocketMessage::Close {
            code: 3001,
            reason: "/ok".into(),
        };
        assert_eq!(next(&two).await, Received::Message(close));
        two.send(SocketMessage::Close {
            code: 3001,
            reason: "bye".into(),
        });
        assert_eq!(
            next(&one).await,
            text("bye"),
            "the others are told of the close"
        );
    });
}

#[test]
fn a_refused_socket_is_answered_and_never_heard_of_again() {
    in_world(&eventful(), async |w| {
        let other = connect(w, "a").await;
        let response = ask(w, "a", "/r").await.unwrap();
        assert_eq!(response.status, 403);
        assert_eq!(response.body.bytes().unwrap(), b"/r");
        assert!(response.web_socket.is_none());
        let panicked = ask(w, "b", "/t").await.unwrap();
        assert_eq!(panicked.status, 500);
        assert_eq!(w.object("b", "/").await.text(), "0", "its write is undone");
        // Had its end been told, that would have come first.
        send(&other, "y");
        assert_eq!(next(&other).await, text("y"));
    });
}

#[test]
fn a_panic_in_a_message_sends_nothing_of_it_closes_the_socket_and_undoes_the_write() {
    in_world(&eventful(), async |w| {
        let (one, two) = (connect(w, "a").await, connect(w, "a").await);
        send(&one, "t");
        assert_eq!(
            next(&one).await,
            text("error: wasm trap: wasm `unreachable` instruction executed")
        );
        let close = SocketMessage::Close {
            code: 1011,
            reason: "handler panic".into(),
        };
        assert_eq!(next(&one).await, Received::Message(close));
        send(&two, "z");
        assert_eq!(
            next(&two).await,
            text("z"),
            "the others stay, and heard nothing"
        );
        assert_eq!(w.object("a", "/").await.text(), "1", "the key is there");
    });
}

#[test]
fn an_alarm_rings() {
    in_world(&eventful(), async |w| {
        let one = connect(w, "a").await;
        send(&one, "a");
        assert_eq!(next(&one).await, text("ring"));
    });
}

#[test]
fn without_the_export_a_websocket_fails_and_requests_do_not() {
    let plain = component(
        "(func $answer (param $request i32) (param $out i32) (call $digit (local.get $out) (i32.const 1)))",
    );
    in_world(&plain, async |w| {
        let error = ask(w, "a", "/").await.unwrap_err();
        assert!(
            error
                .message()
                .contains("does not export `dolmen:object/events@0.1.0`"),
            "{error}"
        );
        assert_eq!(w.object("a", "/").await.text(), "1");
    });
}
