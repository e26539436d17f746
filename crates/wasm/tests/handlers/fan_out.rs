//! The fan-out: what a module wants fetched before its handler runs.

use super::{
    server::in_world_with_server,
    world::{in_world, module, options, text},
};

/// A guest that wants `urls`, and answers with the tags of slots 6 to 8, and the texts behind.
fn wanting(urls: &[&str]) -> String {
    let mut data = String::new();
    let mut slots = String::new();
    for (index, url) in urls.iter().enumerate() {
        let at = 8_192 + index as u32 * 256;
        data += &text(at, url);
        slots += &format!(
            "\\04\\00\\00\\00\\{:02x}\\{:02x}\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00",
            at % 256,
            at / 256
        );
    }
    let count = urls.len();
    module(
        "",
        &format!(
            r#"{data}
  ;; A slot, its cell, and the array.
  (data (i32.const 1024) "\05\00\00\00\10\04\00\00\00\00\00\00\00\00\00\00\14\04\00\00\{count:02x}\00\00\00\{count:02x}\00\00\00{slots}")
  (func (export "fanout_zerobuf") (param i32) (result i32)
    (select (i32.const 2048) (i32.const 1024) (i32.eq (call $letter (local.get 0)) (i32.const 110))))
  (func $handle (param $r i32) (result i32) (local $index i32) (local $text i32) (local $at i32)
    (local.set $at (i32.const 4100))
    (loop $next
      (local.set $text (i32.add (local.get $r) (i32.mul (i32.add (local.get $index) (i32.const 6)) (i32.const 16))))
      (i32.store8 (local.get $at) (i32.add (i32.const 48) (i32.load8_u (local.get $text))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (if (i32.eq (i32.load8_u (local.get $text)) (i32.const 4)) (then
        (local.set $text (i32.load offset=4 (local.get $text)))
        (memory.copy (local.get $at) (i32.add (local.get $text) (i32.const 4)) (i32.load (local.get $text)))
        (local.set $at (i32.add (local.get $at) (i32.load (local.get $text))))))
      (br_if $next (i32.lt_u (local.tee $index (i32.add (local.get $index) (i32.const 1))) (i32.const 3))))
    (i32.store (i32.const 4096) (i32.sub (local.get $at) (i32.const 4100)))
    (call $respond (i32.const 200) (i32.const 0) (i32.const 4096) (i32.const 0)))"#
        ),
    )
}

#[test]
fn what_a_module_wants_is_fetched_before_its_handler_runs() {
    let wat = |server: &str| {
        let first = format!("{server}/one");
        wanting(&[&first, "http://127.0.0.1:1/", &first])
    };
    in_world_with_server(wat, options(), async |w, server| {
        let one = "4get /one||";
        assert_eq!(w.worker("/a").await.text(), format!("{one}2{one}"));
        assert_eq!(w.object("a", "/a").await.text(), format!("{one}2{one}"));
        assert_eq!(w.object("a", "/n").await.text(), "000", "nothing is wanted");
        assert_eq!(server.seen.borrow().len(), 4);
    });
}

#[test]
fn a_fan_out_that_is_no_array_of_urls_is_a_panic() {
    let too_many = vec!["http://127.0.0.1:1/"; 65];
    in_world(&wanting(&too_many), async |w| {
        let answer = w.worker("/a").await;
        assert_eq!(answer.status, 500);
        assert!(answer.text().contains("at most 64"), "{}", answer.text());
    });
}
