//! Events of objects: alarms and WebSockets.

use std::time::Duration;

use dolmen_runtime::{Clock, ErrorKind, ManualClock, Options, Received, SocketEnd, SocketMessage};
use http::{HeaderValue, Method, StatusCode};

use super::{
    doing::{Value, doing, slots},
    world::{World, in_world, in_world_at, module, options, request},
};

const START_MS: i64 = 1_000_000;

fn alarm_world(test: impl AsyncFnOnce(&World, &ManualClock)) {
    let clock = ManualClock::new(START_MS);
    let options = Options {
        idle_timeout: None,
        ..options()
    };
    in_world_at(&doing(), options, Clock::manual(clock.clone()), async |w| {
        test(w, &clock).await
    });
}

/// How many attempts came before the one that ran last; waits until one has run.
async fn attempts(w: &World) -> i32 {
    loop {
        let answer = w.object("a", "/g/alarm").await;
        if answer.status == 200 {
            return i32::from_le_bytes(answer.body[..].try_into().unwrap());
        }
        tokio::task::yield_now().await;
    }
}

/// Waits until somebody waits for the clock.
async fn until_a_sleeper(clock: &ManualClock) {
    while clock.sleepers() == 0 {
        tokio::task::yield_now().await;
    }
}

#[test]
fn an_alarm_is_set_read_deleted_and_runs_when_it_is_due() {
    alarm_world(async |w, clock| {
        assert_eq!(w.object("a", "/A/").await.status, 404);
        assert_eq!(w.object("a", "/a/5").await.text(), "0");
        let set = w.object("a", "/A/").await;
        assert_eq!(
            i64::from_le_bytes(set.body[..].try_into().unwrap()),
            START_MS + 5_000
        );
        assert_eq!(w.object("a", "/x/").await.text(), "0");
        assert_eq!(w.object("a", "/A/").await.status, 404, "deleted");
        w.object("a", "/a/5").await;
        until_a_sleeper(clock).await;
        clock.advance(Duration::from_millis(4_999));
        assert_eq!(w.object("a", "/g/alarm").await.status, 404);
        clock.advance(Duration::from_millis(1));
        assert_eq!(attempts(w).await, 0);
        assert_eq!(w.object("a", "/A/").await.status, 404, "it is over");
        assert_eq!(w.object("a", "/n/").await.status, 422, "before 1970");
        for path in ["/a/5", "/A/", "/x/"] {
            assert_eq!(w.worker(path).await.status, 422, "not in the worker");
        }
    });
}

#[test]
fn an_alarm_that_fails_is_undone_and_runs_again() {
    alarm_world(async |w, clock| {
        w.post("a", "/p/bad", "yes").await;
        w.object("a", "/a/1").await;
        until_a_sleeper(clock).await;
        clock.advance(Duration::from_secs(1));
        // It runs, fails, and waits for its retry.
        while clock
            .next_wake()
            .is_none_or(|wait| wait > Duration::from_secs(3))
        {
            tokio::task::yield_now().await;
        }
        assert_eq!(w.object("a", "/g/alarm").await.status, 404, "undone");
        w.object("a", "/d/bad").await;
        clock.advance(Duration::from_secs(3));
        assert_eq!(attempts(w).await, 1);
    });
}

#[test]
fn a_module_that_knows_no_events_has_no_alarms() {
    let wat = module(
        r#"(import "do" "alarm_set" (func $alarm_set (param i64) (result i32)))"#,
        "(func $handle (param i32) (result i32)
           (call $respond (select (i32.const 422) (i32.const 200) (i32.eq (call $alarm_set (i64.const 1)) (i32.const -2))) (i32.const 0) (i32.const 0) (i32.const 0)))",
    );
    in_world(&wat, async |w| {
        assert_eq!(w.object("a", "/").await.status, 422);
    });
}

#[test]
fn no_request_can_pretend_to_be_an_event() {
    in_world(&doing(), async |w| {
        for event in [
            "ALARM",
            "WEBSOCKET",
            "WEBSOCKET_OPEN",
            "WEBSOCKET_BINARY",
            "WEBSOCKET_CLOSE",
        ] {
            let asked = request(Method::from_bytes(event.as_bytes()).unwrap(), "/", "");
            let error = w.handle.fetch("HANDLER", "a", asked).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::BadRequest, "{event}");
        }
    });
}

async fn upgrade(
    w: &World,
    path: &str,
) -> Result<dolmen_runtime::FetchResponse, dolmen_runtime::Error> {
    let mut asked = request(Method::GET, path, "");
    let websocket = HeaderValue::from_static("websocket");
    asked.headers.insert("upgrade", websocket);
    asked
        .headers
        .insert("x-mine", HeaderValue::from_static("kept"));
    w.handle.fetch("HANDLER", "a", asked).await
}

async fn connect(w: &World, path: &str) -> SocketEnd {
    let response = upgrade(w, path).await.unwrap();
    assert_eq!(response.status, StatusCode::SWITCHING_PROTOCOLS);
    response.web_socket.unwrap()
}

fn say(end: &SocketEnd, text: &str) {
    end.send(SocketMessage::Text(text.to_owned().into()));
}

fn text(text: &str) -> Option<Received> {
    Some(Received::Message(SocketMessage::Text(
        text.to_owned().into(),
    )))
}

fn closed(code: u16, reason: &str) -> Option<Received> {
    let reason = reason.into();
    Some(Received::Message(SocketMessage::Close { code, reason }))
}

/// The numbers of the open sockets.
async fn list(w: &World) -> Vec<i32> {
    let all = slots(&w.object("a", "/w/").await.body, 1).remove(0);
    let Value::Array(all) = all else {
        panic!("{all:?}")
    };
    all.into_iter()
        .map(|number| match number {
            Value::I32(number) => number,
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn a_handler_is_asked_for_a_socket_and_may_refuse() {
    in_world(&doing(), async |w| {
        let refused = upgrade(w, "/n").await.unwrap();
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        assert_eq!(refused.body.bytes().unwrap()[..], *b"hello");
        assert!(refused.web_socket.is_none());
        let panicked = upgrade(w, "/z").await.unwrap();
        assert_eq!(panicked.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(list(w).await.is_empty(), "neither is kept");
        let end = connect(w, "/x").await;
        assert_eq!(end.receive().await, text("hello"));
        assert_eq!(list(w).await.len(), 1);
        let mut asked = request(Method::GET, "/x", "");
        asked
            .headers
            .insert("upgrade", HeaderValue::from_static("websocket"));
        let error = w.handle.worker(asked).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadRequest);
    });
}

#[test]
fn messages_are_answered_sent_broadcast_and_closed() {
    in_world(&doing(), async |w| {
        let (first, second) = (connect(w, "/x").await, connect(w, "/x").await);
        for end in [&first, &second] {
            assert_eq!(end.receive().await, text("hello"));
        }
        let [newer, older] = list(w).await.try_into().unwrap();
        assert!(newer > older);
        say(&first, "to and fro");
        assert_eq!(first.receive().await, text("to and fro"));
        let bytes = SocketMessage::Binary(b"\xff\0".to_vec().into());
        first.send(bytes.clone());
        assert_eq!(
            first.receive().await,
            Some(Received::Message(bytes.clone()))
        );

        let ask = async |path: &str, body: &[u8]| w.post("a", path, body.to_vec()).await;
        assert_eq!(ask(&format!("/s/{newer}"), b"one").await.text(), "0");
        assert_eq!(second.receive().await, text("one"));
        assert_eq!(ask(&format!("/S/{newer}"), b"\xff\0").await.text(), "0");
        assert_eq!(second.receive().await, Some(Received::Message(bytes)));
        assert_eq!(
            ask(&format!("/s/{newer}"), b"\xff").await.status,
            422,
            "no text"
        );
        assert_eq!(ask("/s/9", b"one").await.status, 404, "no such socket");
        assert_eq!(
            ask(&format!("/b/{older}"), b"all but one").await.text(),
            "1"
        );
        assert_eq!(second.receive().await, text("all but one"));
        assert_eq!(ask("/b/0", b"all").await.text(), "2");
        assert_eq!(first.receive().await, text("all"));
        assert_eq!(second.receive().await, text("all"));

        assert_eq!(ask(&format!("/t/{newer}"), b"mine").await.text(), "0");
        assert_eq!(ask(&format!("/u/{newer}"), b"").await.text(), "mine");
        assert_eq!(ask(&format!("/u/{older}"), b"").await.status, 404);
        assert_eq!(ask(&format!("/t/{newer}"), &[0; 16_385]).await.status, 422);

        assert_eq!(
            ask(&format!("/c/{newer}2"), b"bye").await.status,
            422,
            "2000"
        );
        assert_eq!(ask(&format!("/c/{newer}3"), &[b'x'; 124]).await.status, 422);
        assert_eq!(ask("/c/93", b"bye").await.status, 404);
        assert_eq!(ask(&format!("/c/{newer}3"), b"bye").await.text(), "0");
        assert_eq!(second.receive().await, closed(3_000, "bye"));
        assert_eq!(
            ask(&format!("/s/{newer}"), b"one").await.status,
            422,
            "closed"
        );
        assert_eq!(list(w).await, [older]);
        say(&first, "?");
        let answer = SocketMessage::Binary(b"?".to_vec().into());
        assert_eq!(first.receive().await, Some(Received::Message(answer)));
        assert_eq!(first.receive().await, closed(1_000, "closed by handler"));
    });
}

#[test]
fn a_close_reaches_the_handler_with_its_code_and_reason() {
    in_world(&doing(), async |w| {
        let end = connect(w, "/x").await;
        let reason = "enough".into();
        end.send(SocketMessage::Close {
            code: 4_001,
            reason,
        });
        assert_eq!(end.receive().await, text("hello"));
        assert_eq!(end.receive().await, closed(4_001, "enough"), "answered");
        let kept = async |key: &str| w.object("a", &format!("/g/{key}")).await.body;
        assert_eq!(kept("closed").await, b"enough"[..]);
        assert_eq!(kept("clos").await[..], 4_001_i32.to_le_bytes());
        assert_eq!(kept("close").await[..], 1_i32.to_le_bytes());
        let gone = connect(w, "/x").await;
        drop(gone);
        while kept("clos").await[..] != 1_006_i32.to_le_bytes() {
            tokio::task::yield_now().await;
        }
        assert_eq!(kept("close").await[..], 0_i32.to_le_bytes());
    });
}

#[test]
fn a_handler_that_panics_on_a_message_loses_the_socket_and_all_that_it_did() {
    in_world(&doing(), async |w| {
        let end = connect(w, "/x").await;
        assert_eq!(end.receive().await, text("hello"));
        let other = connect(w, "/x").await;
        assert_eq!(other.receive().await, text("hello"));
        assert_eq!(list(w).await, [2, 1]);
        w.post("a", "/t/2", "mine").await;
        say(&end, "!");
        let Some(Received::Message(SocketMessage::Text(told))) = end.receive().await else {
            panic!("no text")
        };
        assert!(told.starts_with(b"error: "), "{told:?}");
        assert_eq!(end.receive().await, closed(1_011, "handler panic"));
        assert_eq!(w.object("a", "/g/closed").await.status, 404, "undone");
        // It had sent to both, closed the other one and left something with it.
        say(&other, "still here");
        assert_eq!(other.receive().await, text("still here"));
        assert_eq!(list(w).await, [2]);
        assert_eq!(w.object("a", "/u/2").await.text(), "mine");
    });
}

#[test]
fn sockets_hibernate_with_their_request_and_attachment() {
    let clock = ManualClock::new(START_MS);
    in_world_at(
        &doing(),
        options(),
        Clock::manual(clock.clone()),
        async |w| {
            let end = connect(w, "/x").await;
            assert_eq!(end.receive().await, text("hello"));
            let [number] = list(w).await.try_into().unwrap();
            w.post("a", &format!("/t/{number}"), "mine").await;
            for _ in 0..8 {
                clock.advance(Duration::from_millis(2_500));
                // Lets the sweeper run before the next step.
                w.object("other", "/i/1").await;
            }
            say(&end, "again");
            assert_eq!(end.receive().await, text("again"));
            assert_eq!(w.object("a", &format!("/u/{number}")).await.text(), "mine");
        },
    );
}

/// A version 0 guest: answers every message with its path and headers.
#[test]
fn a_module_that_knows_no_opens_takes_every_socket_and_sees_its_request() {
    let wat = module(
        "",
        "(func $handle (param $r i32) (result i32)
           (call $respond (i32.const 200) (i32.const 0) (call $slot (local.get $r) (select (i32.const 3) (i32.const 1) (i32.eq (i32.load8_u offset=4 (call $slot (local.get $r) (i32.const 2))) (i32.const 104)))) (i32.const 0)))",
    );
    in_world(&wat, async |w| {
        let end = connect(w, "/any?where").await;
        say(&end, "path");
        assert_eq!(end.receive().await, text("/any?where"));
        say(&end, "headers");
        assert_eq!(
            end.receive().await,
            text("upgrade: websocket\nx-mine: kept\n")
        );
    });
}
