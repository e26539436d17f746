//! What components keep: their keys, their SQL, and what becomes of it when they fail.

use dolmen_runtime::Body;
use http::Method;

use super::{component, data};
use crate::handlers::world::{in_world, request};

/// Does one thing after the other, as the letters of the path say:
/// `p` puts the path, `s` waits, `t` traps, `r` answers with the value, or `-`, `l` begins a long answer,
/// `d` deletes, `q` runs SQL that counts, `Q` SQL that is wrong, `k` puts by `wasi:keyvalue`, `K` answers with what it
/// has, `o` opens a store that is not there, `n` says how many keys there are, `b` puts a key that is too long.
fn script() -> String {
    component(&format!(
        r#"
    {data}
    (global $bucket (mut i32) (i32.const 0))
    (func $bucket (result i32)
      (call $kv_open (i32.const 1024) (i32.const 7) (i32.const 64))
      (i32.load (i32.const 68)))
    ;; The text of a result, or `ok`.
    (func $told (param $out i32) (param $at i32)
      (if (i32.load8_u (local.get $at))
        (then (call $text (local.get $out) (i32.add (local.get $at) (i32.const 4))))
        (else (call $respond (local.get $out) (i32.const 200) (i32.const 1032) (i32.const 2)))))
    (func $answer (param $request i32) (param $out i32) (local $index i32) (local $letter i32) (local $body i32) (local $stream i32)
      (loop $next
        (if (i32.ge_u (i32.add (local.get $index) (i32.const 1)) (global.get $path_length)) (then
          (return (call $respond (local.get $out) (i32.const 200) (i32.const 1032) (i32.const 2)))))
        (local.set $letter (call $letter (local.get $index)))
        (local.set $index (i32.add (local.get $index) (i32.const 1)))
        (if (i32.eq (local.get $letter) (i32.const 112)) (then (call $put (global.get $path) (global.get $path_length)) (br $next)))
        (if (i32.eq (local.get $letter) (i32.const 115)) (then (call $sleep (i64.const 1000)) (br $next)))
        (if (i32.eq (local.get $letter) (i32.const 116)) (then (unreachable)))
        (if (i32.eq (local.get $letter) (i32.const 114)) (then
          (if (call $get) (then (return (call $text (local.get $out) (i32.const 76)))))
          (return (call $respond (local.get $out) (i32.const 200) (i32.const 1034) (i32.const 1)))))
        (if (i32.eq (local.get $letter) (i32.const 108)) (then
          (local.set $body (call $begin (local.get $out) (i32.const 200)))
          (local.set $stream (call $stream (local.get $body)))
          (drop (call $write (local.get $stream) (i32.const 4096) (i32.const 120000)))
          (drop (call $write (local.get $stream) (i32.const 4096) (i32.const 120000)))
          (br $next)))
        (if (i32.eq (local.get $letter) (i32.const 100)) (then
          (call $storage_delete (i32.const 300) (i32.const 1) (i32.const 64))
          (return (call $digit (local.get $out) (i32.load8_u (i32.const 68))))))
        (if (i32.eq (local.get $letter) (i32.const 113)) (then
          (call $sql (i32.const 1100) (i32.const 91) (i32.const 1200) (i32.const 1) (i32.const 400))
          (if (i32.load8_u (i32.const 400)) (then (return (call $text (local.get $out) (i32.const 408)))))
          ;; The number of rows.
          (return (call $digit (local.get $out) (i32.load (i32.const 420))))))
        (if (i32.eq (local.get $letter) (i32.const 81)) (then
          (call $sql (i32.const 1024) (i32.const 7) (i32.const 0) (i32.const 0) (i32.const 400))
          (return (call $text (local.get $out) (i32.const 408)))))
        (if (i32.eq (local.get $letter) (i32.const 107)) (then
          (call $kv_set (call $bucket) (i32.const 300) (i32.const 1) (global.get $path) (global.get $path_length) (i32.const 64))
          (br $next)))
        (if (i32.eq (local.get $letter) (i32.const 75)) (then
          (call $kv_get (call $bucket) (i32.const 300) (i32.const 1) (i32.const 64))
          (return (call $text (local.get $out) (i32.const 72)))))
        (if (i32.eq (local.get $letter) (i32.const 111)) (then
          (call $kv_open (i32.const 1024) (i32.const 3) (i32.const 64))
          (if (i32.eqz (i32.load8_u (i32.const 64))) (then (unreachable)))
          ;; The error; the text of `other`.
          (if (i32.eq (i32.load8_u (i32.const 68)) (i32.const 2)) (then (return (call $text (local.get $out) (i32.const 72)))))
          (return (call $digit (local.get $out) (i32.load8_u (i32.const 68))))))
        (if (i32.eq (local.get $letter) (i32.const 110)) (then
          (call $list_keys (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 64))
          (if (i32.load8_u (i32.const 64)) (then (return (call $text (local.get $out) (i32.const 68)))))
          (return (call $digit (local.get $out) (i32.load (i32.const 72))))))
        (if (i32.eq (local.get $letter) (i32.const 98)) (then
          (call $storage_put (i32.const 4096) (i32.const 3000) (i32.const 0) (i32.const 0) (i32.const 64))
          (return (call $told (local.get $out) (i32.const 64)))))
        (br $next)))
"#,
        data = data(300, "k")
            + &data(1_024, "default")
            + &data(1_032, "ok-")
            + &data(
                1_100,
                "CREATE TABLE IF NOT EXISTS t (n); INSERT INTO t VALUES (1); SELECT n FROM t WHERE n < ?    "
            )
            // One parameter: an integer, 5.
            + r#"(data (i32.const 1200) "\01\00\00\00\00\00\00\00\05\00\00\00\00\00\00\00")"#,
    ))
}

#[test]
fn what_is_put_is_there_for_the_next_instance_too() {
    in_world(&script(), async |w| {
        assert_eq!(w.object("a", "/r").await.text(), "-");
        assert_eq!(w.object("a", "/p1").await.text(), "ok");
        assert_eq!(w.object("a", "/r").await.text(), "/p1");
        assert_eq!(w.object("a", "/n").await.text(), "1");
        assert_eq!(w.object("b", "/r").await.text(), "-", "objects are apart");
        assert_eq!(w.object("a", "/t").await.status, 500);
        assert_eq!(w.object("a", "/r").await.text(), "/p1");
        assert_eq!(w.object("a", "/d").await.text(), "1");
        assert_eq!(w.object("a", "/d").await.text(), "0");
        assert_eq!(w.object("a", "/r").await.text(), "-");
    });
}

#[test]
fn a_panic_undoes_what_its_event_wrote_also_before_a_wait() {
    in_world(&script(), async |w| {
        w.object("a", "/p1").await;
        for path in ["/pt", "/pst", "/pspst", "/kt"] {
            let answer = w.object("a", path).await;
            assert!(answer.text().starts_with("panic: "), "{path}");
            assert_eq!(w.object("a", "/r").await.text(), "/p1", "{path}");
        }
    });
}

#[test]
fn what_was_written_before_a_response_began_is_kept() {
    in_world(&script(), async |w| {
        let asked = request(Method::GET, "/plt", "");
        let response = w.handle.fetch("HANDLER", "a", asked).await.unwrap();
        let Body::Stream(mut reader) = response.body else {
            panic!("it is whole");
        };
        while reader.next().await.expect("it looks complete").is_ok() {}
        assert_eq!(w.object("a", "/r").await.text(), "/plt");
    });
}

#[test]
fn sql_runs_and_its_errors_are_told() {
    in_world(&script(), async |w| {
        for count in 1..4 {
            assert_eq!(w.object("a", "/q").await.text(), count.to_string());
        }
        let text = w.object("a", "/Q").await;
        assert!(text.text().contains("syntax error"), "{}", text.text());
        assert_eq!(w.object("a", "/q").await.text(), "4");
    });
}

#[test]
fn wasi_keyvalue_and_the_own_storage_are_the_same() {
    in_world(&script(), async |w| {
        assert_eq!(w.object("a", "/k1").await.text(), "ok");
        assert_eq!(w.object("a", "/r").await.text(), "/k1");
        w.object("a", "/p2").await;
        assert_eq!(w.object("a", "/K").await.text(), "/p2");
        assert_eq!(w.object("a", "/o").await.text(), "0", "no such store");
    });
}

#[test]
fn the_worker_has_no_storage_and_too_long_a_key_is_told() {
    in_world(&script(), async |w| {
        for path in ["/n", "/b", "/o", "/Q"] {
            let text = w.worker(path).await;
            assert!(
                text.text().starts_with("storage is there in objects only"),
                "{}",
                text.text()
            );
        }
        let long = w.object("a", "/b").await;
        assert!(long.text().contains("2048"), "{}", long.text());
        assert_eq!(w.object("a", "/n").await.text(), "0");
    });
}
