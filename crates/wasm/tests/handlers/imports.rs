//! The imports of the module `do`, used by a guest.

use super::{
    doing::{Value, doing, slots},
    server::{Server, in_world_with_server},
    world::{Answer, World, in_world, options},
};

fn array(values: impl IntoIterator<Item = Value>) -> Value {
    Value::Array(values.into_iter().collect())
}

fn pair(key: &str, value: &[u8]) -> Value {
    array([key.into(), Value::Bytes(value.to_vec())])
}

fn listed(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text_lossy());
    slots(&answer.body, 1).remove(0)
}

async fn keys_and_values(
    put: impl AsyncFn(&str, &[u8]) -> Answer,
    get: impl AsyncFn(&str) -> Answer,
) {
    assert_eq!(get("/g/a").await.status, 404);
    for (key, value) in [
        ("a", &b"1"[..]),
        ("ab", b"\xff\0"),
        ("b", b""),
        ("/ %2f&", b"odd"),
    ] {
        assert_eq!(put(&format!("/p/{key}"), value).await.text(), "0");
        assert_eq!(get(&format!("/g/{key}")).await.body, value);
    }
    put("/p/a", b"2").await;
    let all = [
        pair("/ %2f&", b"odd"),
        pair("a", b"2"),
        pair("ab", b"\xff\0"),
        pair("b", b""),
    ];
    assert_eq!(listed(&get("/l/00").await), array(all.clone()));
    assert_eq!(
        listed(&get("/l/09a").await),
        array(all[1..3].to_vec()),
        "a prefix"
    );
    assert_eq!(
        listed(&put("/l/02", b"a").await),
        array(all[1..3].to_vec()),
        "start, limit"
    );
    assert_eq!(
        listed(&put("/l/40", b"a").await),
        array(all[2..].to_vec()),
        "after start"
    );
    let backwards: Vec<_> = all.iter().rev().cloned().collect();
    assert_eq!(
        listed(&get("/l/10").await),
        array(backwards.clone()),
        "reverse"
    );
    let from = array(backwards[1..].to_vec());
    assert_eq!(
        listed(&put("/l/10", b"ab").await),
        from,
        "reverse, at start"
    );
    let after = array(backwards[2..].to_vec());
    assert_eq!(
        listed(&put("/l/50", b"ab").await),
        after,
        "reverse, after start"
    );
    assert_eq!(
        listed(&get("/l/21a").await),
        array([pair("a", b"")]),
        "keys alone"
    );
    assert_eq!(get("/d/ab").await.text(), "1");
    assert_eq!(get("/d/ab").await.text(), "0");
    assert_eq!(get("/g/ab").await.status, 404);
    let long = "k".repeat(3_000);
    let refused = put(&format!("/p/{long}"), b"").await;
    assert_eq!(refused.status, 422);
    assert!(refused.text().contains("2048"), "{}", refused.text());
}

#[test]
fn an_object_has_keys_and_values() {
    in_world(&doing(), async |w| {
        keys_and_values(
            async |path, body| w.post("a", path, body.to_vec()).await,
            async |path| w.object("a", path).await,
        )
        .await;
        assert_eq!(w.object("b", "/g/a").await.status, 404, "its own");
    });
}

#[test]
fn the_worker_has_keys_and_values_which_are_an_object() {
    in_world(&doing(), async |w| {
        keys_and_values(
            async |path, body| w.post_worker(path, body.to_vec()).await,
            async |path| w.worker(path).await,
        )
        .await;
        assert_eq!(
            w.object("b", "/g/a").await.status,
            404,
            "not those of objects"
        );
        assert_eq!(w.worker("/g/").await.status, 422, "no empty key");
        // The object answers requests too.
        let kv = async |path: &str| w.fetch_from("KV", "default", path).await;
        assert_eq!(kv("/a").await.text(), "2");
        assert_eq!(kv("/x").await.status, 404);
        assert_eq!(kv("/?prefix=b").await.text(), r#"["b"]"#);
        assert_eq!(kv("/?limit=0").await.status, 400);
        assert_eq!(kv("/?what=0").await.status, 400);
        assert_eq!(kv("/%ff").await.status, 400);
    });
}

#[test]
fn a_list_that_is_longer_than_a_page_is_whole_in_both_directions() {
    in_world(&doing(), async |w| {
        for n in 0..30 {
            w.post("a", &format!("/p/k{n:02}"), vec![n]).await;
        }
        let all: Vec<_> = (0..30).map(|n| pair(&format!("k{n:02}"), &[n])).collect();
        assert_eq!(listed(&w.object("a", "/l/00").await), array(all.clone()));
        let backwards = all.into_iter().rev();
        assert_eq!(listed(&w.object("a", "/l/10").await), array(backwards));
    });
}

#[test]
fn a_trap_undoes_what_the_event_wrote() {
    in_world(&doing(), async |w| {
        w.post("a", "/p/a", "kept").await;
        assert_eq!(w.post("a", "/z/a", "undone").await.status, 500);
        assert_eq!(w.object("a", "/g/a").await.text(), "kept");
    });
}

#[test]
fn sql_takes_parameters_and_gives_columns_rows_and_counts() {
    in_world(&doing(), async |w| {
        let sql = async |params: u32, text: &str| {
            w.post("a", &format!("/q/{params}"), text.to_owned()).await
        };
        let create = "CREATE TABLE t (a, b, c, d, e, f); INSERT INTO t VALUES (1, 2, 3, 4, 5, 6)";
        let made = listed(&sql(0, create).await);
        let none = || array([]);
        let Value::Array(made) = made else {
            panic!("{made:?}")
        };
        assert_eq!(made[..2], [none(), none()]);
        listed(&sql(6, "INSERT INTO t VALUES (?, ?, ?, ?, ?, ?)").await);
        let Value::Array(found) = listed(&sql(0, "SELECT *, b + 1 AS g FROM t ORDER BY a").await)
        else {
            panic!("no array")
        };
        let names = ["a", "b", "c", "d", "e", "f", "g"].map(Value::from);
        let first = [1, 2, 3, 4, 5, 6, 3].map(Value::I64);
        let second = [
            Value::I64(7),
            Value::F64(0.5),
            "text".into(),
            Value::Bytes(vec![0xff]),
            Value::Null,
            Value::I64(1 << 40),
            Value::F64(1.5),
        ];
        assert_eq!(found[0], array(names));
        assert_eq!(found[1], array([array(first), array(second)]));
        assert!(
            matches!(found[2..], [Value::I64(2..), Value::I64(0)]),
            "{found:?}"
        );

        for (params, wrong) in [
            (0, "SELEC"),
            (1, "SELECT 1"),
            (0, "SELECT ?"),
            (0, "BEGIN"),
            (0, "SELECT * FROM _cf_KV"),
            (0, ""),
        ] {
            let refused = sql(params, wrong).await;
            assert_eq!(refused.status, 422, "{wrong}");
            assert!(!refused.text().is_empty(), "{wrong}");
        }
        let too_large = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT zeroblob(1000000) FROM n LIMIT 100";
        let refused = sql(0, too_large).await;
        assert!(refused.text().contains("LIMIT"), "{}", refused.text());
        assert_eq!(
            w.post_worker("/q/0", "SELECT 1").await.status,
            422,
            "not in the worker"
        );
    });
}

#[test]
fn an_endless_statement_is_a_timeout_and_costs_a_neighbour_slices() {
    let options = dolmen_runtime::Options {
        cpu_timeout: std::time::Duration::from_millis(300),
        ..options()
    };
    super::world::in_world_with(&doing(), options, async |w| {
        let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
        let asked = super::world::request(http::Method::POST, "/q/0", endless);
        let looping = w.handle.fetch("HANDLER", "a", asked);
        tokio::pin!(looping);
        let mut answered = 0;
        let error = loop {
            tokio::select! {
                ended = &mut looping => break ended.unwrap_err(),
                answer = w.object("b", "/i/1") => {
                    assert_eq!(answer.text(), "b");
                    answered += 1;
                }
            }
        };
        assert_eq!(error.kind(), dolmen_runtime::ErrorKind::Timeout);
        assert!(answered > 10, "the neighbour was answered {answered} times");
        assert_eq!(w.object("a", "/i/1").await.text(), "a");
    });
}

#[test]
fn an_object_knows_who_and_when_it_is_and_its_variables() {
    in_world(&doing(), async |w| {
        assert_eq!(w.object("my name", "/i/1").await.text(), "my name");
        assert_eq!(w.object("my name", "/i/2").await.text(), "HANDLER");
        let id = w.object("my name", "/i/0").await;
        assert!(id.text().len() == 64 && id.text().bytes().all(|digit| digit.is_ascii_hexdigit()));
        assert_eq!(w.object("a", "/i/3").await.status, 404);
        assert_eq!(w.worker("/i/0").await.status, 404);
        let now = w.object("a", "/N/").await;
        let now = i64::from_le_bytes(now.body[..].try_into().unwrap());
        assert!(now > 1_700_000_000_000);
        assert_eq!(w.worker("/E/").await.body, b"NAME=value\0EMPTY=\0"[..]);
    });
}

#[test]
fn what_is_not_in_the_memory_is_a_panic_and_slots_are_taken_whole() {
    in_world(&doing(), async |w| {
        for which in 0..8 {
            let answer = w.object("a", &format!("/W/{which}")).await;
            assert_eq!(answer.status, 500, "{which}");
            assert!(answer.text().starts_with("panic: "), "{}", answer.text());
            assert!(
                answer.text().contains("not inside the memory"),
                "{}",
                answer.text()
            );
        }
        let part = w.object("a", "/B/").await;
        assert_eq!(part.status, 422);
        assert!(part.text().contains("take all"), "{}", part.text());
    });
}

fn with_server(options: dolmen_runtime::Options, test: impl AsyncFnOnce(&World, &Server)) {
    in_world_with_server(|_| doing(), options, test);
}

#[test]
fn fetch_suspends_the_handler_and_others_go_on() {
    with_server(options(), async |w, server| {
        let url = format!("{}/held", server.url);
        let waiting = w.post("a", "/f/", url.clone());
        tokio::pin!(waiting);
        tokio::select! {
            _ = &mut waiting => panic!("it is held"),
            () = server.arrived.notified() => {}
        }
        assert_eq!(w.object("b", "/i/1").await.text(), "b", "another object");
        assert_eq!(w.worker("/i/0").await.status, 404, "and the worker");
        server.release.notify_one();
        let answer = waiting.await;
        assert_eq!(answer.status, 200, "{}", answer.text_lossy());
        let found = slots(&answer.body, 4);
        let Value::String(headers) = &found[3] else {
            panic!("{found:?}")
        };
        assert!(headers.contains("x-back: 1\n"), "{headers}");
        let expected = [
            Value::I32(201),
            "text/echo".into(),
            "post /held|x-sent: |sent".into(),
        ];
        assert_eq!(found[..3], expected);
    });
}

#[test]
fn many_requests_are_out_at_the_same_time_and_their_results_are_in_order() {
    with_server(options(), async |w, server| {
        // The first is answered when the others are.
        let waiting = w.post("a", "/F/3", format!("{}/held", server.url));
        tokio::pin!(waiting);
        while server.seen.borrow().len() < 3 {
            tokio::select! {
                _ = &mut waiting => panic!("it is held"),
                () = server.arrived.notified() => {}
            }
        }
        server.release.notify_one();
        let found = slots(&waiting.await.body, 12);
        for result in found.chunks(4) {
            assert_eq!(result[0], Value::I32(201));
        }
        let refused = w.post("a", "/F/2", "http://127.0.0.1:1/").await;
        let found = slots(&refused.body, 8);
        assert_eq!((&found[0], &found[4]), (&Value::I32(0), &Value::I32(0)));
        assert!(matches!(&found[2], Value::String(reason) if !reason.is_empty()));
        assert!(w.object("a", "/T/").await.text().contains("64"));
    });
}

#[test]
fn what_is_asked_for_at_once_has_a_limit_before_it_is_copied() {
    in_world(&doing(), async |w| {
        // The same 4 MiB nine times.
        let refused = w.post("a", "/F/9", vec![b'x'; 4 << 20]).await;
        assert_eq!(refused.status, 422);
        assert!(refused.text().contains("more than"), "{}", refused.text());
    });
}

#[test]
fn a_fetch_that_fails_says_why_and_what_was_written_before_it_stays() {
    let options = dolmen_runtime::Options {
        egress: dolmen_runtime::EgressPolicy::default(),
        ..options()
    };
    with_server(options, async |w, server| {
        let refused = w.post("a", "/f/", server.url.clone()).await;
        assert_eq!(refused.status, 422);
        assert!(refused.text().contains("127.0.0.1"), "{}", refused.text());
        assert!(server.seen.borrow().is_empty());
        let none = w.post("a", "/f/", "no url").await;
        assert_eq!(none.status, 422, "{}", none.text_lossy());
    });
}

#[test]
fn a_panic_is_answered_with_what_the_guest_said_of_it() {
    let guest = super::world::module(
        r#"(import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
           (import "do" "log" (func $log (param i32 i32 i32)))"#,
        r#"(data (i32.const 16) "\20\00\00\00\10\00\00\00") (data (i32.const 32) "panic: printed\n")
           (data (i32.const 48) "panic: logged")
           (func $handle (param $r i32) (result i32)
             (if (i32.eq (call $letter (local.get $r)) (i32.const 112)) (then
               (drop (call $fd_write (i32.const 2) (i32.const 16) (i32.const 1) (i32.const 8)))))
             (if (i32.eq (call $letter (local.get $r)) (i32.const 108)) (then
               (call $log (i32.const 3) (i32.const 48) (i32.const 13))))
             (if (i32.eq (call $letter (local.get $r)) (i32.const 111)) (then
               (return (call $respond (i32.const 200) (i32.const 0) (i32.const 0) (i32.const 0)))))
             (unreachable))"#,
    );
    in_world(&guest, async |w| {
        assert_eq!(w.object("a", "/p").await.text(), "panic: printed");
        assert_eq!(w.object("a", "/l").await.text(), "panic: logged");
        let plain = w.object("a", "/x").await;
        assert!(plain.text().contains("unreachable"), "{}", plain.text());
    });
}
