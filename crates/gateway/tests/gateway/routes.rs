//! Which request reaches which object, and how objects see it.

use super::server::Server;

#[test]
fn the_root_lists_routes_and_namespaces() {
    let answer = Server::start().get("/");
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, Some("text/plain; charset=utf-8"))
    );
    assert!(
        answer.body.contains("ECHO") && answer.body.contains("/rpc/"),
        "{}",
        answer.body
    );
}

#[test]
fn a_call_reaches_its_method_with_its_arguments() {
    let server = Server::start();
    let answer = server.post("/rpc/ECHO/a/echo", "[1, {\"x\": [\"é\"]}]");
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, Some("application/json"))
    );
    assert_eq!(
        answer.body,
        "{\"ok\":true,\"result\":[1, {\"x\": [\"é\"]}]}"
    );
    assert_eq!(
        server.post("/rpc/ECHO/a/echo", "{\"args\":[2]}").body,
        "{\"ok\":true,\"result\":[2]}"
    );
    assert_eq!(
        server.post("/rpc/ECHO/a/echo", "").json()["result"],
        "no arguments"
    );
    assert_eq!(server.post("/rpc/CAF%C3%89/a/ec%68o", "[]").status, 200);
}

#[test]
fn names_arrive_decoded() {
    let server = Server::start();
    for (encoded, name) in [
        ("a%2Fb", "a/b"),
        ("%F0%9F%97%BF%20x", "🗿 x"),
        ("100%", "100%"),
        ("%25", "%"),
        ("..", ".."),
        ("a+b", "a+b"),
    ] {
        assert_eq!(
            server.post(&format!("/rpc/ECHO/{encoded}/name"), "").json()["result"],
            name
        );
    }
    let raw = server.ask("POST /rpc/ECHO/é/name HTTP/1.1\r\nhost: test\r\n\r\n");
    assert_eq!(raw.json()["result"], "é");
}

#[test]
fn a_bad_name_is_a_bad_request() {
    let server = Server::start();
    for path in [
        "/fetch/ECHO//x",
        "/fetch/ECHO/%FF/x",
        "/rpc/ECHO/%00/echo",
        "/rpc/ECHO/a/%FF",
    ] {
        server.post(path, "").error(400, "bad_request");
    }
    let longest = "%C3%A9".repeat(512);
    assert_eq!(server.get(&format!("/fetch/ECHO/{longest}/")).status, 200);
    let message = server
        .get(&format!("/fetch/ECHO/{longest}x/"))
        .error(400, "bad_request");
    assert!(
        message.contains("1024 bytes; this one has 1025"),
        "{message}"
    );
}

#[test]
fn a_fetch_shows_the_object_the_whole_request() {
    let server = Server::start();
    let seen = server
        .ask("PATCH /fetch/ECHO/r%20m/a%2Fb//c?x=1&y=%20 HTTP/1.1\r\nHost: Example.com:81\r\nX-Two: 1\r\nx-two: 2\r\ncontent-length: 3\r\n\r\nabc")
        .json();
    assert_eq!(seen["method"], "PATCH");
    assert_eq!(
        seen["url"],
        "http://Example.com:81/fetch/ECHO/r%20m/a%2Fb//c?x=1&y=%20"
    );
    assert_eq!(seen["path"], "/a%2Fb//c");
    assert_eq!(seen["query"], "x=1&y=%20");
    assert_eq!(seen["body"], "abc");
    let headers = seen["headers"].to_string();
    assert!(
        headers.contains("[\"x-two\",\"1\"],[\"x-two\",\"2\"]"),
        "{headers}"
    );
    for path in ["/fetch/ECHO/a", "/fetch/ECHO/a/", "/fetch/ECHO/a?q"] {
        assert_eq!(server.get(path).json()["path"], "/");
    }
}

#[test]
fn the_host_comes_from_the_request_and_must_be_one() {
    let server = Server::start();
    let fetch = |head: &str| server.ask(format!("{head}\r\n\r\n"));
    for head in [
        "GET /fetch/ECHO/a HTTP/1.1",
        "GET /fetch/ECHO/a HTTP/1.1\r\nhost:",
        "GET /fetch/ECHO/a HTTP/1.1\r\nhost: a\r\nhost: b",
        "GET /fetch/ECHO/a HTTP/1.1\r\nhost: a/b",
        "GET /fetch/ECHO/a HTTP/1.1\r\nhost: user@b",
        "GET /fetch/ECHO/a HTTP/1.1\r\nhost: a\u{e9}",
        "GET / HTTP/1.1",
    ] {
        fetch(head).error(400, "bad_request");
    }
    assert_eq!(
        fetch("GET /fetch/ECHO/a HTTP/1.0").json()["url"],
        "http://localhost/fetch/ECHO/a"
    );
    assert_eq!(
        fetch("GET /fetch/ECHO/a HTTP/1.1\r\nhost: [::1]:8787").json()["url"],
        "http://[::1]:8787/fetch/ECHO/a"
    );
    assert_eq!(
        fetch("GET http://proxied:1/fetch/ECHO/a?b HTTP/1.1\r\nhost: x").json()["url"],
        "http://proxied:1/fetch/ECHO/a?b"
    );
}

#[test]
fn head_is_passed_on_and_answered_without_a_body() {
    let server = Server::start();
    let mut client = server.connect();
    client.send("HEAD /fetch/ECHO/a HTTP/1.1\r\nhost: test\r\n\r\nHEAD /fetch/ECHO/a/status/404 HTTP/1.1\r\nhost: test\r\n\r\n");
    let answer = client.answer_to("HEAD");
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, Some("application/json"))
    );
    assert_eq!(client.answer_to("HEAD").status, 404);
}

#[test]
fn an_answer_to_head_may_say_the_length_that_a_body_would_have() {
    let server = Server::start();
    let mut client = server.connect();
    for (method, said, length) in [
        ("HEAD", "13", Some("13")),
        ("HEAD", "x", None),
        ("HEAD", "99999999999999999999", None),
        ("GET", "13", Some("0")),
    ] {
        client.send(format!(
            "{method} /fetch/ECHO/a/length/{said} HTTP/1.1\r\nhost: test\r\n\r\n"
        ));
        let answer = client.answer_to(method);
        assert_eq!(
            (answer.status, answer.header("content-length")),
            (200, length)
        );
    }
}

#[test]
fn a_status_without_a_body_gets_none() {
    let server = Server::start();
    let mut client = server.connect();
    for status in [204, 205, 304] {
        client.send(format!(
            "GET /fetch/ECHO/a/status/{status} HTTP/1.1\r\nhost: test\r\n\r\n"
        ));
        let answer = client.answer();
        assert_eq!((answer.status, answer.body.as_str()), (status, ""));
    }
    client.send("GET /fetch/ECHO/a/status/599 HTTP/1.1\r\nhost: test\r\n\r\n");
    assert_eq!(client.answer().body, "a body");
}

#[test]
fn an_object_cannot_set_what_concerns_the_connection() {
    let server = Server::start();
    let answer = server.get("/fetch/ECHO/a/hop");
    assert_eq!(answer.body, "hop");
    assert_eq!(answer.header("content-length"), Some("3"));
    for name in [
        "connection",
        "transfer-encoding",
        "keep-alive",
        "upgrade",
        "te",
        "trailer",
    ] {
        assert_eq!(answer.header(name), None, "{answer:?}");
    }
    let cookies: Vec<_> = answer
        .headers
        .iter()
        .filter(|(name, _)| name == "set-cookie")
        .map(|(_, value)| value.as_str())
        .collect();
    assert_eq!(cookies, ["a=1", "b=2"]);
}
