//! Requests and responses through memory: everything arrives as it was sent.

use bytes::Bytes;
use http::{HeaderValue, Method};

use super::world::{answer, in_world, in_world_with, module, options, request, text};

/// Answers with the slot of the request whose number is the letter of the path.
fn mirror(free: &str) -> String {
    module(
        "",
        &format!(
            r#"
  {free}
  {headers}
  (func $handle (param $request i32) (result i32)
    (call $respond (i32.const 200) (i32.const 0)
      (call $slot (local.get $request) (i32.sub (call $letter (local.get $request)) (i32.const 48))) (i32.const 1024)))
"#,
            headers = text(
                1_024,
                "X-A: 1\nset-cookie: a=1\nSet-Cookie: b=2\nno colon\nContent-Type: no\nConnection: close\n"
            )
        ),
    )
}

#[test]
fn a_guest_sees_method_path_body_and_headers() {
    in_world(&mirror(""), async |w| {
        assert_eq!(w.object("a", "/0/x?q=%20").await.text(), "GET");
        assert_eq!(w.object("a", "/1/x?q=%20").await.text(), "/1/x?q=%20");
        assert_eq!(
            w.worker("/1/x?q=%20").await.text(),
            "/1/x?q=%20",
            "the whole path in the worker"
        );
        assert_eq!(w.post("a", "/2", "body").await.text(), "body");
        let mut asked = request(Method::GET, "/3", "");
        let headers = &mut asked.headers;
        headers.insert("host", HeaderValue::from_static("h:1"));
        headers.append("x-two", HeaderValue::from_static("a"));
        headers.append("x-two", HeaderValue::from_static("b"));
        let seen = answer(w.handle.fetch("HANDLER", "a", asked).await.unwrap());
        assert_eq!(seen.text(), "host: h:1\nx-two: a, b\n");
    });
}

#[test]
fn headers_of_an_answer_are_lower_case_repeated_and_without_a_second_type() {
    in_world(&mirror(""), async |w| {
        let headers = w.object("a", "/0").await.headers;
        assert_eq!(headers["x-a"], "1");
        let cookies: Vec<_> = headers.get_all("set-cookie").iter().collect();
        assert_eq!(cookies, ["a=1", "b=2"]);
        assert!(
            headers.get("content-type").is_none(),
            "the second slot decides"
        );
    });
}

/// The third fault of the original: its scratch had 8 KiB.
#[test]
fn a_request_of_any_size_fits_and_is_not_changed() {
    in_world(&mirror(""), async |w| {
        for length in [0, 1, 8_191, 8_192, 8_193, 65_536, 1 << 20, 20 << 20] {
            let body: Bytes = (0..length).map(|at| (at * 7 % 251) as u8).collect();
            let back = w.post("a", "/2", body.clone()).await;
            assert_eq!(back.status, 200);
            assert!(back.body == body, "{length}");
        }
        let long = format!("/1{}", "x".repeat(60_000));
        assert_eq!(w.object("a", &long).await.text(), long);
    });
}

/// The original encoded bodies as text, which mangled them.
#[test]
fn a_body_that_is_not_text_arrives_as_it_is() {
    in_world(&mirror(""), async |w| {
        let body: Vec<u8> = (0..=255).collect();
        assert_eq!(w.post("a", "/2", body.clone()).await.body, body);
    });
}

#[test]
fn memory_for_requests_is_used_again_or_freed() {
    // Without `free` the host uses the blocks again; with it, a guest can count.
    let counting = mirror(
        r#"(func (export "free") (param $at i32) (if (i32.ne (local.get $at) (i32.const 16384)) (then (unreachable))) (global.set $heap (local.get $at)))"#,
    );
    for guest in [mirror(""), counting] {
        let small = dolmen_runtime::Options {
            memory_limit: 1 << 20,
            ..options()
        };
        in_world_with(&guest, small, async |w| {
            for _ in 0..200 {
                assert_eq!(w.post("a", "/2", vec![1; 500_000]).await.status, 200);
            }
        });
    }
}

#[test]
fn a_status_without_a_body_has_none_and_one_that_is_no_status_is_a_panic() {
    let status = module(
        "",
        r#"(func $handle (param $request i32) (result i32) (local $body i32)
            (local.set $body (call $slot (local.get $request) (i32.const 2)))
            (call $respond (i32.load (i32.add (local.get $body) (i32.const 4))) (i32.const 0) (local.get $body) (i32.const 0)))"#,
    );
    in_world(&status, async |w| {
        let of = async |status: i32| w.post("a", "/", status.to_le_bytes().to_vec()).await;
        for status in [200, 201, 400, 401, 403, 404, 500, 599] {
            let answer = of(status).await;
            assert_eq!((i32::from(answer.status), answer.body.len()), (status, 4));
        }
        for status in [204, 205, 304] {
            let answer = of(status).await;
            assert_eq!((i32::from(answer.status), answer.body.len()), (status, 0));
        }
        for status in [0, 99, 101, 199, 600, 65_736, -2, i32::MIN] {
            let answer = of(status).await;
            assert_eq!(answer.status, 500);
            assert_eq!(
                answer.text(),
                format!("panic: the handler answered with the status {status}")
            );
        }
    });
}

#[test]
fn an_object_is_one_instance_for_its_life_and_names_are_apart() {
    let counter = module(
        "",
        r#"(global $count (mut i32) (i32.const 0))
           (func $handle (param $request i32) (result i32)
             (global.set $count (i32.add (global.get $count) (i32.const 1)))
             (call $respond (i32.const 200) (i32.const 0) (call $digit (global.get $count)) (i32.const 0)))"#,
    );
    in_world(&counter, async |w| {
        for count in 1..5 {
            assert_eq!(w.object("a", "/").await.text(), count.to_string());
        }
        assert_eq!(w.object("b", "/").await.text(), "1");
        assert_eq!(w.worker("/").await.text(), "1", "the worker has its own");
        assert_eq!(w.worker("/").await.text(), "2", "which is kept warm");
    });
}

#[test]
fn initialize_or_start_runs_once_and_may_exit_with_0() {
    let import = r#"(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))"#;
    let guest = |name: &str, work: &str| {
        module(
            import,
            &format!(
                r#"(global $ready (mut i32) (i32.const 0))
                   (func (export "{name}") (global.set $ready (i32.add (global.get $ready) (i32.const 1))) {work})
                   (func $handle (param $request i32) (result i32)
                     (if (i32.eq (call $letter (local.get $request)) (i32.const 120)) (then (call $exit (i32.const 0))))
                     (call $respond (i32.const 200) (i32.const 0) (call $digit (global.get $ready)) (i32.const 0)))"#
            ),
        )
    };
    for (name, work) in [
        ("_initialize", ""),
        ("_start", ""),
        ("_start", "(call $exit (i32.const 0))"),
    ] {
        in_world(&guest(name, work), async |w| {
            assert_eq!(w.object("a", "/").await.text(), "1");
            assert_eq!(w.object("a", "/").await.text(), "1");
            assert_eq!(
                w.object("a", "/x").await.text(),
                "panic: exit code: 0",
                "a handler may not"
            );
        });
    }
    in_world(&guest("_start", "(call $exit (i32.const 3))"), async |w| {
        assert_eq!(w.object("a", "/").await.text(), "panic: exit code: 3");
    });
}
