//! Requests and responses of components: whole, and piece by piece.

use std::time::Duration;

use bytes::Bytes;
use dolmen_runtime::{Body, Options, body_stream};
use http::{HeaderValue, Method};

use super::{component, data};
use crate::handlers::world::{answer, in_world, in_world_with, options, request};

/// `/p` says the path, `/b` echoes the body as it comes, `/a` the authority, `/n` counts, `/s` sleeps first, `/l` and a
/// letter writes as many times 60,000 bytes, `/x` prints and sets a header, `/1` counts and is answered once.
fn handler() -> String {
    component(&format!(
        r#"
    {texts}
    (global $count (mut i32) (i32.const 0))
    (func $answer (param $request i32) (param $out i32) (local $letter i32) (local $body i32) (local $stream i32) (local $input i32) (local $left i32) (local $fields i32) (local $response i32)
      (local.set $letter (call $letter (i32.const 0)))
      (if (i32.eq (local.get $letter) (i32.const 112)) (then
        (return (call $respond (local.get $out) (i32.const 201) (global.get $path) (global.get $path_length)))))
      (if (i32.eq (local.get $letter) (i32.const 97)) (then
        (call $authority (local.get $request) (i32.const 32))
        (return (call $text (local.get $out) (i32.const 36)))))
      (if (i32.eq (local.get $letter) (i32.const 115)) (then (call $sleep (i64.const 1000000))))
      (if (i32.eq (local.get $letter) (i32.const 98)) (then
        (local.set $input (call $input (local.get $request)))
        (local.set $body (call $begin (local.get $out) (i32.const 200)))
        (local.set $stream (call $stream (local.get $body)))
        (block $end (loop $more
          (call $reset)
          (br_if $end (call $read (local.get $input)))
          (br_if $end (call $write (local.get $stream) (i32.load (i32.const 68)) (i32.load (i32.const 72))))
          (br $more)))
        (return (call $finish (local.get $body) (local.get $stream)))))
      (if (i32.eq (local.get $letter) (i32.const 108)) (then
        (local.set $left (i32.sub (call $letter (i32.const 1)) (i32.const 48)))
        (local.set $body (call $begin (local.get $out) (i32.const 200)))
        (local.set $stream (call $stream (local.get $body)))
        (loop $more
          (if (local.get $left) (then
            (local.set $left (i32.sub (local.get $left) (i32.const 1)))
            (drop (call $write (local.get $stream) (i32.const 4096) (i32.const 60000)))
            (br $more))))
        (return (call $finish (local.get $body) (local.get $stream)))))
      (if (i32.eq (local.get $letter) (i32.const 120)) (then
        (drop (call $write (call $get_stdout) (i32.const 1024) (i32.const 6)))
        (local.set $fields (call $new_fields))
        (call $append (local.get $fields) (i32.const 1040) (i32.const 3) (i32.const 1050) (i32.const 2) (i32.const 64))
        (call $append (local.get $fields) (i32.const 1040) (i32.const 3) (i32.const 1052) (i32.const 1) (i32.const 64))
        (local.set $response (call $new_response (local.get $fields)))
        (return (call $set (local.get $out) (i32.const 0) (local.get $response) (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))))
      (global.set $count (i32.add (global.get $count) (i32.const 1)))
      (if (i32.and (i32.eq (local.get $letter) (i32.const 49)) (i32.gt_u (global.get $count) (i32.const 1))) (then (unreachable)))
      (call $digit (local.get $out) (global.get $count)))
"#,
        texts = data(1_024, "hello\n") + &data(1_040, "x-a") + &data(1_050, "b\u{7f}c"),
    ))
}

#[test]
fn a_component_answers_in_the_worker_and_in_objects() {
    in_world(&handler(), async |w| {
        let answer = w.object("a", "/p/x?q=%20").await;
        assert_eq!((answer.status, answer.text()), (201, "/p/x?q=%20"));
        assert_eq!(w.worker("/p/y?z").await.text(), "/p/y?z");
        for count in 1..5 {
            assert_eq!(w.object("a", "/n").await.text(), count.to_string());
        }
        assert_eq!(w.object("b", "/n").await.text(), "1", "names are apart");
        assert_eq!(w.worker("/n").await.text(), "1", "the worker has its own");
        assert_eq!(w.worker("/n").await.text(), "2", "which is kept warm");
    });
}

#[test]
fn a_worker_whose_instances_answer_once_gets_one_for_each_request() {
    in_world(&handler(), async |w| {
        assert_eq!(w.worker("/1").await.text(), "1");
        assert_eq!(w.worker("/1").await.status, 500, "nobody could know");
        for _ in 0..3 {
            assert_eq!(w.worker("/1").await.text(), "1");
            assert_eq!(w.object("a", "/n").await.status, 200);
        }
        assert_eq!(w.object("a", "/n").await.text(), "4", "objects keep theirs");
    });
}

#[test]
fn a_component_sees_the_host_that_was_asked() {
    in_world(&handler(), async |w| {
        assert_eq!(w.object("a", "/a").await.text(), "localhost");
        let mut asked = request(Method::GET, "/a", "");
        asked
            .headers
            .insert("host", HeaderValue::from_static("h.example:81"));
        let seen = answer(w.handle.fetch("HANDLER", "a", asked).await.unwrap());
        assert_eq!(seen.text(), "h.example:81");
    });
}

#[test]
fn bodies_of_any_size_go_through() {
    in_world(&handler(), async |w| {
        for length in [0, 1, 4_095, 65_536, 65_537, 3 << 20] {
            let body: Bytes = (0..length).map(|at| (at * 7 % 251) as u8).collect();
            let asked = request(Method::POST, "/b", body.clone());
            let response = w.handle.fetch("HANDLER", "a", asked).await.unwrap();
            assert!(collect(response.body).await == body, "{length}");
        }
    });
}

async fn collect(body: Body) -> Vec<u8> {
    match body {
        Body::None => Vec::new(),
        Body::Full(bytes) => bytes.to_vec(),
        Body::Stream(mut reader) => {
            let mut all = Vec::new();
            while let Some(piece) = reader.next().await {
                all.extend_from_slice(&piece.unwrap());
            }
            all
        }
    }
}

#[test]
fn a_short_answer_is_whole_and_a_long_one_streams() {
    in_world(&handler(), async |w| {
        assert_eq!(w.object("a", "/l1").await.body.len(), 60_000);
        let asked = request(Method::GET, "/l9", "");
        let response = w.handle.fetch("HANDLER", "a", asked).await.unwrap();
        assert!(matches!(response.body, Body::Stream(_)));
        assert_eq!(collect(response.body).await.len(), 540_000);
    });
}

/// The first piece comes back while the last has not been sent.
#[test]
fn a_body_streams_both_ways_at_the_same_time() {
    in_world(&handler(), async |w| {
        let (writer, reader) = body_stream(None);
        let mut asked = request(Method::POST, "/b", "");
        asked.body = Body::Stream(reader);
        let asked = w.handle.fetch("HANDLER", "a", asked);
        writer.write(Bytes::from_static(b"one")).await.unwrap();
        let Body::Stream(mut back) = asked.await.unwrap().body else {
            panic!("the answer waits for its end");
        };
        assert_eq!(back.next().await.unwrap().unwrap(), "one");
        writer.write(Bytes::from_static(b"two")).await.unwrap();
        assert_eq!(back.next().await.unwrap().unwrap(), "two");
        writer.end().await.unwrap();
        assert!(back.next().await.is_none());
    });
}

/// A guest cannot write for ever into an answer that nobody reads.
#[test]
fn an_answer_that_nobody_takes_ends_its_guest_writes() {
    in_world(&handler(), async |w| {
        let asked = request(Method::GET, "/l9", "");
        let response = w.handle.fetch("HANDLER", "a", asked).await.unwrap();
        drop(response);
        assert_eq!(w.object("a", "/n").await.text(), "1", "the object goes on");
    });
}

#[test]
fn an_object_that_waits_for_the_clock_does_nothing_else_and_others_do() {
    in_world(&handler(), async |w| {
        let (first, second) = tokio::join!(w.object("a", "/s"), w.object("a", "/n"));
        assert_eq!((first.text(), second.text()), ("1", "2"));
    });
}

#[test]
fn an_object_that_waits_does_not_hold_up_the_end_and_is_dropped_in_the_middle() {
    let short = Options {
        shutdown_grace: Duration::from_millis(1),
        ..options()
    };
    let mut kept = None;
    in_world_with(&handler(), short, async |w| {
        let (writer, reader) = body_stream(None);
        let mut asked = request(Method::POST, "/b", "");
        asked.body = Body::Stream(reader);
        let asked = w.handle.fetch("HANDLER", "a", asked);
        writer.write(Bytes::from_static(b"one")).await.unwrap();
        let response = asked.await.unwrap();
        let Body::Stream(mut back) = response.body else {
            panic!("the answer waits for its end");
        };
        assert_eq!(back.next().await.unwrap().unwrap(), "one");
        // The guest waits for more, which never comes: the world ends with it.
        kept = Some(writer);
    });
    drop(kept);
}

#[test]
fn headers_are_repeated_and_standard_output_is_the_log() {
    in_world(&handler(), async |w| {
        let answer = w.object("a", "/x").await;
        assert_eq!((answer.status, answer.body.len()), (200, 0));
        // A value with a control character is refused by `append`, so only the other one is there.
        let values: Vec<_> = answer.headers.get_all("x-a").iter().collect();
        assert_eq!(values, ["c"]);
    });
}
