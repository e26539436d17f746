//! Time, stack and memory: who takes too much fails itself, and nobody else.

use std::time::{Duration, Instant};

use dolmen_runtime::{ErrorKind, Options};

use super::world::{in_world_with, module, options, text};

/// `/l` loops, `/r` recurses, `/g` grows and says how far, `/t` traps, anything else counts.
fn greedy() -> String {
    module(
        "",
        &format!(
            r#"
  {type_text}
  (global $count (mut i32) (i32.const 0))
  (func $recurse (param $n i32) (result i32) (i32.add (call $recurse (i32.add (local.get $n) (i32.const 1))) (i32.const 1)))
  (func $handle (param $request i32) (result i32) (local $letter i32)
    (local.set $letter (call $letter (local.get $request)))
    (if (i32.eq (local.get $letter) (i32.const 108)) (then (loop $for_ever (br $for_ever))))
    (if (i32.eq (local.get $letter) (i32.const 114)) (then (drop (call $recurse (i32.const 0)))))
    (if (i32.eq (local.get $letter) (i32.const 116)) (then (unreachable)))
    (if (i32.eq (local.get $letter) (i32.const 103)) (then
      (loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
      (i32.store (i32.const 168) (i32.const 4))
      (i32.store (i32.const 172) (memory.size))
      (return (call $respond (i32.const 200) (i32.const 0) (i32.const 168) (i32.const 0)))))
    (global.set $count (i32.add (global.get $count) (i32.const 1)))
    (call $respond (i32.const 200) (i32.const 1024) (call $digit (global.get $count)) (i32.const 0)))
"#,
            type_text = text(1_024, "text/plain"),
        ),
    )
}

fn tight() -> Options {
    Options {
        cpu_timeout: Duration::from_millis(200),
        memory_limit: 4 << 20,
        ..options()
    }
}

#[test]
fn endless_loops_on_one_thread_cost_each_other_and_a_neighbour_slices_alone() {
    in_world_with(&greedy(), tight(), async |w| {
        let began = Instant::now();
        let loops = async {
            // Suspended in the middle of their calls, all on the same thread.
            tokio::join!(
                w.try_object("a", "/l"),
                w.try_object("b", "/l"),
                w.try_object("c", "/l")
            )
        };
        let neighbour = async {
            let mut slowest = Duration::ZERO;
            for count in 1..=9 {
                let asked = Instant::now();
                assert_eq!(w.object("good", "/").await.text(), count.to_string());
                slowest = slowest.max(asked.elapsed());
            }
            (slowest, began.elapsed())
        };
        let ((a, b, c), (slowest, all)) = tokio::join!(loops, neighbour);
        for ended in [a, b, c] {
            assert_eq!(ended.unwrap_err().kind(), ErrorKind::Timeout);
        }
        assert!(slowest < Duration::from_millis(150), "{slowest:?}");
        assert!(all < Duration::from_millis(500), "{all:?}");
        assert_eq!(w.object("a", "/").await.text(), "1", "a fresh instance");
    });
}

#[test]
fn an_endless_loop_in_the_worker_is_a_timeout_and_the_next_request_works() {
    in_world_with(&greedy(), tight(), async |w| {
        let request = super::world::request(http::Method::GET, "/l", "");
        let error = w.handle.worker(request).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
        assert_eq!(w.worker("/").await.text(), "1");
    });
}

#[test]
fn endless_recursion_is_a_panic_and_the_next_request_gets_a_fresh_instance() {
    in_world_with(&greedy(), tight(), async |w| {
        for path in ["/r", "/t"] {
            assert_eq!(w.object("a", "/").await.text(), "1");
            assert_eq!(w.object("a", "/").await.text(), "2", "globals stay");
            let panic = w.object("a", path).await;
            assert_eq!(panic.status, 500);
            assert_eq!(panic.headers["content-type"], "text/plain; charset=utf-8");
            assert!(panic.text().starts_with("panic: "), "{}", panic.text());
            assert_eq!(w.object("a", "/").await.text(), "1");
            assert_eq!(w.worker(path).await.status, 500);
            w.object("a", path).await;
        }
        assert!(
            w.object("a", "/r").await.text().contains("stack"),
            "it says why"
        );
    });
}

#[test]
fn memory_grows_to_its_limit_and_no_further() {
    in_world_with(&greedy(), tight(), async |w| {
        let pages = w.object("a", "/g").await.body;
        assert_eq!(pages[..], (4_u32 << 20 >> 16).to_le_bytes());
        assert_eq!(w.object("b", "/").await.text(), "1");
    });
}
