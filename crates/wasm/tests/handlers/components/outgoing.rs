//! Requests that components send.

use std::{cell::RefCell, rc::Rc};

use dolmen_runtime::{EgressPolicy, Options};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::{component, data};
use crate::handlers::world::{in_world, in_world_with, options};

/// `/g` and an authority: fetches from it, and answers with the status and the body. `/p`: sends its path by POST. `/k`:
/// puts, fetches, and traps. `/d`: puts, sends and traps at once. `/r`: answers with the value, or `-`. An error is its
/// number as a letter behind `A`.
fn fetching() -> String {
    component(&format!(
        r#"
    {data}
    (func $ask (result i32) (local $ask i32) (local $body i32) (local $stream i32)
      (local.set $ask (call $new_request (call $new_fields)))
      (drop (call $set_scheme (local.get $ask) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0)))
      (drop (call $set_authority (local.get $ask) (i32.const 1) (i32.add (global.get $path) (i32.const 2)) (i32.sub (global.get $path_length) (i32.const 2))))
      (drop (call $set_path (local.get $ask) (i32.const 1) (i32.const 1030) (i32.const 5)))
      (if (i32.eq (call $letter (i32.const 0)) (i32.const 112)) (then
        (drop (call $set_method (local.get $ask) (i32.const 2) (i32.const 0) (i32.const 0)))
        (call $request_body (local.get $ask) (i32.const 16))
        (local.set $body (i32.load (i32.const 20)))
        (local.set $stream (call $stream (local.get $body)))))
      (call $fetch (local.get $ask) (i32.const 0) (i32.const 0) (i32.const 400))
      (if (i32.load8_u (i32.const 400)) (then (unreachable)))
      (if (local.get $body) (then
        (drop (call $write (local.get $stream) (global.get $path) (global.get $path_length)))
        (call $finish (local.get $body) (local.get $stream))))
      (i32.load (i32.const 408)))
    ;; Waits for an answer, and stores the status at 440; 0: it failed, with the code at 441.
    (func $wait (param $future i32) (result i32) (local $pollable i32) (local $response i32)
      (local.set $pollable (call $future_subscribe (local.get $future)))
      (call $block (local.get $pollable))
      (call $drop_pollable (local.get $pollable))
      (call $future_get (local.get $future) (i32.const 400))
      (if (i32.load8_u (i32.const 416)) (then
        (i32.store8 (i32.const 441) (i32.add (i32.const 65) (i32.load8_u (i32.const 424))))
        (return (i32.const 0))))
      (local.set $response (i32.load (i32.const 424)))
      (i32.store8 (i32.const 440) (i32.div_u (call $status (local.get $response)) (i32.const 100)))
      (call $response_consume (local.get $response) (i32.const 16))
      (call $body_stream (i32.load (i32.const 20)) (i32.const 16))
      (i32.load (i32.const 20)))
    (func $answer (param $request i32) (param $out i32) (local $letter i32) (local $future i32) (local $input i32) (local $body i32) (local $stream i32)
      (local.set $letter (call $letter (i32.const 0)))
      (if (i32.eq (local.get $letter) (i32.const 114)) (then
        (if (call $get) (then (return (call $text (local.get $out) (i32.const 76)))))
        (return (call $respond (local.get $out) (i32.const 200) (i32.const 1024) (i32.const 1)))))
      (if (i32.or (i32.eq (local.get $letter) (i32.const 107)) (i32.eq (local.get $letter) (i32.const 100)))
        (then (call $put (global.get $path) (global.get $path_length))))
      (local.set $future (call $ask))
      (if (i32.eq (local.get $letter) (i32.const 100)) (then (unreachable)))
      (local.set $input (call $wait (local.get $future)))
      (if (i32.eq (local.get $letter) (i32.const 107)) (then (unreachable)))
      (if (i32.eqz (local.get $input)) (then
        (return (call $respond (local.get $out) (i32.const 502) (i32.const 441) (i32.const 1)))))
      (local.set $body (call $begin (local.get $out) (i32.mul (i32.load8_u (i32.const 440)) (i32.const 100))))
      (local.set $stream (call $stream (local.get $body)))
      (block $end (loop $more
        (br_if $end (call $read (local.get $input)))
        (br_if $end (call $write (local.get $stream) (i32.load (i32.const 68)) (i32.load (i32.const 72))))
        (br $more)))
      (call $finish (local.get $body) (local.get $stream)))
"#,
        data = data(1_024, "-") + &data(1_030, "/to?x"),
    ))
}

/// Answers each request with `status`, a `location` and what it was sent.
async fn server(status: &'static str) -> (String, Rc<RefCell<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let authority = listener.local_addr().unwrap().to_string();
    let seen: Rc<RefCell<Vec<String>>> = Rc::default();
    let own = seen.clone();
    tokio::task::spawn_local(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let own = own.clone();
            tokio::task::spawn_local(async move {
                let (mut bytes, mut chunk) = (Vec::new(), [0; 4_096]);
                // A body without a length ends with an empty chunk.
                loop {
                    let read = stream.read(&mut chunk).await.unwrap();
                    bytes.extend_from_slice(&chunk[..read]);
                    let text = String::from_utf8_lossy(&bytes);
                    let is_chunked = text.contains("transfer-encoding");
                    if text.contains("\r\n\r\n") && (!is_chunked || text.ends_with("0\r\n\r\n")) {
                        break;
                    }
                }
                let text = String::from_utf8(bytes).unwrap();
                own.borrow_mut().push(text.clone());
                let answer = format!(
                    "HTTP/1.1 {status}\r\nlocation: /elsewhere\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}",
                    text.len()
                );
                stream.write_all(answer.as_bytes()).await.unwrap();
            });
        }
    });
    (authority, seen)
}

#[test]
fn a_request_is_sent_and_its_answer_comes_back_without_redirects_followed() {
    in_world(&fetching(), async |w| {
        let (authority, seen) = server("200 OK").await;
        let answer = w.object("a", &format!("/g{authority}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert!(
            answer.text().starts_with("GET /to?x HTTP/1.1\r\n"),
            "{}",
            answer.text()
        );
        assert!(
            answer.text().contains(&format!("host: {authority}")),
            "{}",
            answer.text()
        );
        assert_eq!(w.worker(&format!("/g{authority}")).await.status, 200);
        let (redirects, _) = server("302 Found").await;
        assert_eq!(w.object("a", &format!("/g{redirects}")).await.status, 300);
        assert_eq!(seen.borrow().len(), 2);
    });
}

#[test]
fn the_body_of_a_request_is_sent_as_it_is_written() {
    in_world(&fetching(), async |w| {
        let (authority, _) = server("200 OK").await;
        let answer = w.object("a", &format!("/p{authority}")).await;
        assert!(answer.text().starts_with("POST /to?x"), "{}", answer.text());
        assert!(
            answer.text().contains(&format!("\r\n/p{authority}\r\n")),
            "{}",
            answer.text()
        );
    });
}

#[test]
fn a_refused_or_failed_request_is_a_code() {
    let (listener, closed) = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        (listener, address)
    };
    drop(listener);
    in_world(&fetching(), async |w| {
        let answer = w.object("a", &format!("/g{closed}")).await;
        assert_eq!(
            (answer.status, answer.text()),
            (502, "G"),
            "connection-refused"
        );
    });
    let strict = Options {
        egress: EgressPolicy::default(),
        ..options()
    };
    in_world_with(&fetching(), strict, async |w| {
        let answer = w.object("a", "/g127.0.0.1:80").await;
        assert_eq!(
            (answer.status, answer.text()),
            (502, "P"),
            "HTTP-request-denied"
        );
    });
}

/// The request was not to leave before the write was durable, so a later panic does not undo it.
#[test]
fn what_was_written_before_a_request_is_kept_if_it_left_and_undone_if_not() {
    in_world(&fetching(), async |w| {
        let (authority, seen) = server("200 OK").await;
        assert_eq!(w.object("b", &format!("/d{authority}")).await.status, 500);
        assert_eq!(w.object("b", "/r").await.text(), "-");
        let path = format!("/k{authority}");
        assert_eq!(w.object("a", &path).await.status, 500);
        assert_eq!(w.object("a", "/r").await.text(), path);
        assert_eq!(seen.borrow().len(), 1, "the first one never left");
    });
}
