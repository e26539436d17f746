//! Components that do wrong: the answer is a panic, nothing of the event is kept, and the next request works.

use std::time::Duration;

use dolmen_runtime::{Body, ErrorKind, Options};
use http::Method;

use super::{component, data};
use crate::handlers::world::{in_world, in_world_with, options, request};

/// A guest that does `wrong` for `/w`, and counts for all other paths.
fn wrong(functions: &str, wrong: &str) -> String {
    component(&format!(
        r#"
    {functions}
    (global $count (mut i32) (i32.const 0))
    (func $answer (param $request i32) (param $out i32) (local $a i32) (local $b i32)
      (if (i32.eq (call $letter (i32.const 0)) (i32.const 119)) (then {wrong} (return)))
      (global.set $count (i32.add (global.get $count) (i32.const 1)))
      (call $digit (local.get $out) (global.get $count)))
"#
    ))
}

/// Asks for what is wrong in an object and in the worker, and sees that both go on with a new instance.
fn panics(guest: &str, what: &str) {
    panics_with(guest, options(), what);
}

fn panics_with(guest: &str, options: Options, what: &str) {
    in_world_with(guest, options, async |w| {
        assert_eq!(w.object("a", "/").await.text(), "1");
        assert_eq!(w.worker("/").await.text(), "1");
        for answer in [w.object("a", "/w").await, w.worker("/w").await] {
            assert_eq!(answer.status, 500);
            let text = answer.text();
            assert!(
                text.starts_with("panic: ") && text.contains(what),
                "{text:?}"
            );
        }
        assert_eq!(w.object("a", "/").await.text(), "1", "a new instance");
        assert_eq!(w.worker("/").await.text(), "1", "a new instance");
    });
}

#[test]
fn a_trap_is_a_panic() {
    panics(&wrong("", "(unreachable)"), "unreachable");
}

#[test]
fn a_handle_that_is_none_or_of_another_kind_is_a_panic() {
    panics(&wrong("", "(call $drop_output (i32.const 999))"), "handle");
    panics(
        &wrong("", "(call $drop_output (local.get $request))"),
        "handle",
    );
    let twice = "(local.set $a (call $get_stdout)) (call $drop_output (local.get $a)) (call $drop_output (local.get $a))";
    panics(&wrong("", twice), "handle");
}

#[test]
fn a_pointer_to_nowhere_is_a_panic() {
    for (at, length) in [(0x7fff_0000_u32, 4), (131_060, 4_000), (0xffff_fff0, 0xff)] {
        let call = format!(
            "(drop (call $write (call $get_stdout) (i32.const {}) (i32.const {length})))",
            at.cast_signed()
        );
        panics(&wrong("", &call), "");
    }
}

#[test]
fn a_handler_that_sets_no_response_panics() {
    panics(&wrong("", ""), "the handler returned without a response");
    let dropped = "(call $drop_outparam (local.get $out))";
    panics(
        &wrong("", dropped),
        "the handler returned without a response",
    );
}

#[test]
fn a_response_that_is_set_twice_is_a_panic() {
    let twice =
        "(call $digit (local.get $out) (i32.const 1)) (call $digit (local.get $out) (i32.const 2))";
    panics(&wrong("", twice), "handle");
}

#[test]
fn a_body_that_is_not_finished_is_a_panic() {
    let begun = "(local.set $a (call $begin (local.get $out) (i32.const 200))) (local.set $b (call $stream (local.get $a)))";
    let unfinished = "the handler returned before the body of its response was finished";
    panics(&wrong("", begun), unfinished);
    let written =
        format!("{begun} (drop (call $write (local.get $b) (i32.const 0) (i32.const 4096)))");
    panics(&wrong("", &written), unfinished);
    let dropped =
        format!("{written} (call $drop_output (local.get $b)) (call $drop_body (local.get $a))");
    panics(
        &wrong("", &dropped),
        "the handler dropped the body of its response",
    );
}

#[test]
fn a_status_that_is_none_is_a_panic() {
    for status in [100, 101, 199, 600, 999] {
        let call = format!(
            "(call $respond (local.get $out) (i32.const {status}) (i32.const 0) (i32.const 9))"
        );
        panics(
            &wrong("", &call),
            &format!("the handler answered with the status {status}"),
        );
    }
}

/// What has left cannot be taken back: the client sees a stream that ends in the middle.
#[test]
fn a_trap_in_the_middle_of_a_body_breaks_it_off() {
    for end in ["(unreachable)", ""] {
        let long = format!(
            "(local.set $a (call $begin (local.get $out) (i32.const 200))) (local.set $b (call $stream (local.get $a)))
             (drop (call $write (local.get $b) (i32.const 0) (i32.const 120000))) (drop (call $write (local.get $b) (i32.const 0) (i32.const 120000))) {end}"
        );
        in_world(&wrong("", &long), async |w| {
            for _ in 0..3 {
                let asked = request(Method::GET, "/w", "");
                let response = w.handle.fetch("HANDLER", "a", asked).await.unwrap();
                assert_eq!(response.status, 200);
                let Body::Stream(mut reader) = response.body else {
                    panic!("it is whole");
                };
                let error = loop {
                    match reader.next().await.expect("it looks complete") {
                        Ok(_) => {}
                        Err(error) => break error,
                    }
                };
                assert_eq!(error.kind(), ErrorKind::Reset);
                assert_eq!(w.object("a", "/").await.text(), "1", "a new instance");
            }
        });
    }
}

#[test]
fn exit_is_a_panic() {
    panics(&wrong("", "(call $exit (i32.const 0))"), "exit code: 0");
    panics(&wrong("", "(call $exit (i32.const 1))"), "exit code: 1");
}

#[test]
fn more_random_numbers_than_allowed_at_once_are_a_panic() {
    panics(
        &wrong("", "(call $random (i64.const 1048577) (i32.const 64))"),
        "",
    );
    let fine = "(call $random (i64.const 1048576) (i32.const 64)) (call $digit (local.get $out) (i32.const 7))";
    in_world(&wrong("", fine), async |w| {
        assert_eq!(w.object("a", "/w").await.text(), "7");
    });
}

#[test]
fn resources_without_end_are_a_panic() {
    panics(
        &wrong("", "(loop $more (drop (call $new_fields)) (br $more))"),
        "table has no free keys",
    );
}

#[test]
fn a_stack_without_end_is_a_panic() {
    let recurse = "(func $recurse (param i32) (result i32) (i32.add (call $recurse (i32.add (local.get 0) (i32.const 1))) (i32.const 1)))";
    panics(
        &wrong(recurse, "(drop (call $recurse (i32.const 0)))"),
        "call stack exhausted",
    );
}

/// The host asks the guest for memory in the middle of a call, and that asks the host for something.
#[test]
fn an_allocator_that_calls_the_host_is_a_panic() {
    let guest = wrong(
        r#"(global $evil (mut i32) (i32.const 0))
           (elem (table 0) (i32.const 0) func $allocates)
           (func $allocates (if (global.get $evil) (then (drop (call $get_stdout)))))"#,
        "(global.set $evil (i32.const 1)) (call $random (i64.const 16) (i32.const 64))",
    );
    let guest = guest
        .replacen(
            "(memory (export \"memory\") 2)",
            "(memory (export \"memory\") 2) (table (export \"table\") 1 funcref) (type $hook (func))",
            1,
        )
        .replacen(
            "(local.set $at (i32.and",
            "(if (i32.eqz (ref.is_null (table.get (i32.const 0)))) (then (call_indirect (type $hook) (i32.const 0)))) (local.set $at (i32.and",
            1,
        )
        .replacen(
            "(import \"m\" \"reset\"",
            "(import \"m\" \"table\" (table 1 funcref)) (import \"m\" \"reset\"",
            1,
        );
    panics(&guest, "cannot leave component instance");
}

#[test]
fn memory_ends_at_the_limit_for_all_memories_together() {
    let pages = "(loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
        (i32.store (i32.const 256) (memory.size)) (call $respond (local.get $out) (i32.const 200) (i32.const 256) (i32.const 4))";
    let small = Options {
        memory_limit: 4 << 20,
        ..options()
    };
    in_world_with(&wrong("", pages), small, async |w| {
        let answer = w.object("a", "/w").await;
        assert_eq!(answer.body, 64_u32.to_le_bytes()[..]);
    });
}

#[test]
fn an_endless_loop_is_a_timeout_and_its_neighbours_are_served_meanwhile() {
    let tight = Options {
        cpu_timeout: Duration::from_millis(300),
        ..options()
    };
    for endless in [
        "(loop $for_ever (br $for_ever))",
        "(loop $for_ever (drop (call $letter (i32.const 0))) (call $drop_output (call $get_stdout)) (br $for_ever))",
        "(call $sleep (i64.const 1)) (loop $for_ever (br $for_ever))",
    ] {
        in_world_with(&wrong("", endless), tight.clone(), async |w| {
            assert_eq!(w.object("b", "/").await.text(), "1");
            let neighbour = async {
                for count in 2..6 {
                    assert_eq!(w.object("b", "/").await.text(), count.to_string());
                }
            };
            let (looped, ()) = tokio::join!(w.try_object("a", "/w"), neighbour);
            assert_eq!(looped.unwrap_err().kind(), ErrorKind::Timeout);
            assert_eq!(w.object("a", "/").await.text(), "1");
            assert_eq!(w.object("b", "/").await.text(), "6", "it was not reset");
        });
    }
}

/// A query runs away from the guest's stack, where the turn can be suspended, and ended.
#[test]
fn an_endless_query_is_a_timeout_and_its_neighbours_are_served_meanwhile() {
    let endless =
        "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r";
    let guest = wrong(
        &data(1_024, endless),
        &format!(
            "(call $sql (i32.const 1024) (i32.const {}) (i32.const 0) (i32.const 0) (i32.const 400))",
            endless.len()
        ),
    );
    let tight = Options {
        cpu_timeout: Duration::from_millis(300),
        ..options()
    };
    in_world_with(&guest, tight, async |w| {
        let neighbour = async {
            for count in 1..6 {
                assert_eq!(w.object("b", "/").await.text(), count.to_string());
            }
        };
        let (ran, ()) = tokio::join!(w.try_object("a", "/w"), neighbour);
        assert_eq!(ran.unwrap_err().kind(), ErrorKind::Timeout);
        assert_eq!(w.object("a", "/").await.text(), "1");
        assert_eq!(w.object("b", "/").await.text(), "6", "it was not reset");
    });
}

#[test]
fn a_trap_at_the_beginning_is_a_panic_of_each_request() {
    let start = wrong("(start $begins) (func $begins (unreachable))", "");
    in_world(&start, async |w| {
        for _ in 0..2 {
            let answer = w.object("a", "/").await;
            assert_eq!(answer.status, 500);
            assert!(answer.text().contains("unreachable"), "{}", answer.text());
        }
    });
}

#[test]
fn variables_are_those_of_the_bundle_and_there_are_no_folders() {
    let count = "(call $environment (i32.const 64)) (call $directories (i32.const 72))
        (call $digit (local.get $out) (i32.add (i32.load (i32.const 68)) (i32.load (i32.const 76))))";
    in_world(&wrong("", count), async |w| {
        // Those that the world of the tests has.
        assert_eq!(w.object("a", "/w").await.text(), "2");
    });
}
