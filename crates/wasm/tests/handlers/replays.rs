//! What handlers want of the host by the replay protocol: KV and outbound requests.

use dolmen_runtime::{EgressPolicy, Options};

use super::{
    server::{Server, in_world_with_server},
    world::{World, in_world, module, options, text},
};

/// A handler that wants each of `calls` (the type slot, then the body slot), and then answers with
/// the body of the result whose number is the letter of the path; `h` and a number, its headers;
/// `s`, its status (in hundreds); `t` traps instead, `m` wants the first call for ever.
fn wanting(calls: &[(&str, &str)]) -> String {
    let mut data = String::new();
    let mut wants = String::new();
    for (index, (kind, body)) in calls.iter().enumerate() {
        let at = 20_480 + index as u32 * 1_024;
        data += &text(at, kind);
        data += &text(at + 256, body);
        data += &text(at + 768, &format!("{index}\nX-Sent: {index}\n"));
        wants += &format!(
            "(if (i32.eq (global.get $got) (i32.const {index})) (then (return (call $respond (i32.const -1) (i32.const {at}) (i32.const {}) (i32.const {})))))",
            at + 256,
            at + 768
        );
    }
    // The data is above the first heap, so the heap begins above the data.
    let heap = 20_480 + calls.len() as u32 * 1_024;
    module(
        "",
        &format!(
            r#"{data}
  (func (export "_initialize") (global.set $heap (i32.const {heap})))
  (global $got (mut i32) (i32.const 0))
  (func $handle (param $request i32) (result i32) (local $letter i32) (local $result i32)
    (local.set $letter (call $letter (local.get $request)))
    (if (i32.load8_u offset=64 (local.get $request))
      (then
        ;; The call index is that of the result that was wanted.
        (if (i32.ne (call $slot (local.get $request) (i32.const 5)) (global.get $got)) (then (unreachable)))
        (i32.store (i32.add (i32.const 200) (i32.mul (global.get $got) (i32.const 4))) (call $slot (local.get $request) (i32.const 4)))
        (global.set $got (i32.add (global.get $got) (i32.const 1))))
      (else (global.set $got (i32.const 0))))
    (if (i32.eq (local.get $letter) (i32.const 109)) (then (global.set $got (i32.const 0))))
    {wants}
    (if (i32.eq (local.get $letter) (i32.const 116)) (then (unreachable)))
    (if (i32.eq (local.get $letter) (i32.const 104)) (then
      (local.set $result (i32.load (i32.add (i32.const 200) (i32.mul (i32.sub (i32.load8_u offset=6 (call $slot (local.get $request) (i32.const 1))) (i32.const 48)) (i32.const 4)))))
      (return (call $respond (i32.const 200) (i32.const 0) (call $slot (local.get $result) (i32.const 3)) (i32.const 0)))))
    (if (i32.eq (local.get $letter) (i32.const 115)) (then
      (local.set $result (i32.load (i32.add (i32.const 200) (i32.mul (i32.sub (i32.load8_u offset=6 (call $slot (local.get $request) (i32.const 1))) (i32.const 48)) (i32.const 4)))))
      (return (call $respond (i32.const 200) (i32.const 0) (call $digit (i32.div_u (call $slot (local.get $result) (i32.const 0)) (i32.const 100))) (i32.const 0)))))
    (local.set $result (i32.load (i32.add (i32.const 200) (i32.mul (i32.sub (local.get $letter) (i32.const 48)) (i32.const 4)))))
    (call $respond (i32.const 200) (call $slot (local.get $result) (i32.const 1)) (call $slot (local.get $result) (i32.const 2)) (i32.const 0)))
"#
        ),
    )
}

/// Runs a test with a server whose URL the calls may have.
fn with_server(
    options: Options,
    calls: impl Fn(&str) -> Vec<(String, String)>,
    test: impl AsyncFnOnce(&World, &Server),
) {
    let wat = |url: &str| {
        let calls = calls(url);
        let borrowed: Vec<_> = calls
            .iter()
            .map(|(kind, body)| (kind.as_str(), body.as_str()))
            .collect();
        wanting(&borrowed)
    };
    in_world_with_server(wat, options, test);
}

#[test]
fn kv_is_put_got_listed_and_deleted_in_the_object() {
    let calls = [
        ("__KV_PUT\n", "key/a\nfirst\nline"),
        ("__KV_GET\n", "key/a"),
        ("__KV_PUT\n", "key/\"b\"\n"),
        ("__KV_LIST\n", "key/"),
        ("__KV_DELETE\n", "key/a"),
        ("__KV_GET\n", "key/a"),
        ("__KV_JUMP\n", "key/a"),
    ];
    in_world(&wanting(&calls), async |w| {
        assert_eq!(w.object("a", "/1").await.text(), "first\nline");
        let listed = w.object("a", "/3").await;
        assert_eq!(listed.text(), r#"["key/\"b\"","key/a"]"#);
        assert_eq!(listed.headers["content-type"], "application/json");
        let mut statuses = Vec::new();
        for call in 0..calls.len() {
            statuses.push(w.object("a", &format!("/s{call}")).await.text().to_owned());
        }
        assert_eq!(statuses, ["2", "2", "2", "2", "2", "4", "4"]);
        assert_eq!(w.worker("/1").await.text(), "first\nline", "of the worker");
    });
}

#[test]
fn a_list_has_all_keys_of_its_prefix_in_order() {
    let puts: Vec<_> = (10..30).map(|n| format!("p{n}\nx")).collect();
    let mut calls = vec![("__KV_PUT\n", "o\nx"), ("__KV_LIST\n", "p")];
    calls.extend(puts.iter().map(|put| ("__KV_PUT\n", put.as_str())));
    in_world(&wanting(&calls), async |w| {
        assert_eq!(w.object("a", "/1").await.text(), "[]");
        let all: Vec<_> = (10..30).map(|n| format!("\"p{n}\"")).collect();
        assert_eq!(
            w.object("a", "/1").await.text(),
            format!("[{}]", all.join(","))
        );
    });
}

/// The second fault of the original: cached results survived a trap. And its writes did.
#[test]
fn a_trap_undoes_the_writes_of_the_event_and_forgets_its_results() {
    let calls = [("__KV_GET\n", "n"), ("__KV_PUT\n", "n\nwritten")];
    in_world(&wanting(&calls), async |w| {
        assert_eq!(w.object("a", "/t").await.status, 500);
        assert_eq!(w.object("a", "/s0").await.text(), "4", "it was not kept");
        assert_eq!(w.object("a", "/s0").await.text(), "2", "this one was");
        assert_eq!(w.object("a", "/t").await.status, 500);
        assert_eq!(
            w.object("a", "/0").await.text(),
            "written",
            "what was there before stays"
        );
    });
}

#[test]
fn a_handler_may_run_again_64_times_and_no_more() {
    in_world(&wanting(&[("__KV_GET\n", "n")]), async |w| {
        let endless = w.object("a", "/m").await;
        assert_eq!(
            endless.text(),
            "panic: the handler wanted more than 64 results for one request"
        );
        assert_eq!(
            w.object("a", "/s0").await.text(),
            "4",
            "the next request works"
        );
    });
}

/// The first fault of the original: only the newest result had a body.
#[test]
fn the_bodies_and_headers_of_all_results_stay() {
    let calls = |url: &str| {
        vec![
            ("GET\n".to_owned(), format!("{url}/one")),
            (
                "POST\ntext/own".to_owned(),
                format!(" {url}/two \nthe\nbody"),
            ),
            (String::new(), format!("{url}/to?/three")),
        ]
    };
    with_server(options(), calls, async |w, server| {
        for from in ["worker", "object"] {
            let ask = async |path: &str| match from {
                "worker" => w.worker(path).await,
                _ => w.object("a", path).await,
            };
            let first = ask("/0").await;
            assert_eq!(first.text(), "get /one|x-sent: 0|");
            assert_eq!(first.headers["content-type"], "text/echo");
            assert_eq!(ask("/1").await.text(), "post /two|x-sent: 1|the\nbody");
            assert_eq!(ask("/2").await.text(), "get /three|x-sent: 2|");
            assert!(ask("/h0").await.text().contains("x-back: 1\n"));
            assert_eq!(ask("/s1").await.text(), "2");
        }
        let seen = server.seen.borrow();
        let second = seen
            .iter()
            .find(|head| head.starts_with("post /two"))
            .unwrap()
            .to_lowercase();
        assert!(second.contains("content-type: text/own"), "{second}");
    });
}

/// The rest of the second fault: requests that interleave on one instance saw each other's results.
#[test]
fn an_object_keeps_its_instance_while_it_waits_and_the_worker_takes_another() {
    let calls = |url: &str| vec![(String::new(), format!("{url}/held"))];
    with_server(options(), calls, async |w, server| {
        let first = w.object("a", "/0");
        let second = w.object("a", "/0");
        let held = async {
            server.arrived.notified().await;
            assert_eq!(w.worker("/0").await.status, 200);
            // The worker has been served after the second request had arrived.
            assert_eq!(
                server.seen.borrow().len(),
                2,
                "the second one has not begun"
            );
            server.release.notify_one();
        };
        let (first, second, ()) = tokio::join!(first, second, held);
        assert_eq!((first.status, second.status), (200, 200));
        assert_eq!(server.seen.borrow().len(), 3);
    });
}

#[test]
fn a_failure_of_the_network_is_502_and_the_egress_rules_hold() {
    let strict = Options {
        egress: EgressPolicy::default(),
        ..options()
    };
    let calls = |url: &str| {
        vec![
            (String::new(), format!("{url}/one")),
            (String::new(), "nonsense".to_owned()),
            (String::new(), "file:///etc/passwd".to_owned()),
        ]
    };
    with_server(strict, calls, async |w, server| {
        let refused = w.object("a", "/0").await;
        assert!(
            refused.text().starts_with("fetch of http://127.0.0.1:"),
            "{}",
            refused.text()
        );
        for call in 0..3 {
            assert_eq!(w.object("a", &format!("/s{call}")).await.text(), "5");
        }
        assert!(server.seen.borrow().is_empty(), "nothing was sent");
    });
}
