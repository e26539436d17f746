//! Request bodies: wrong ones, large ones, chunked ones, and those that come slowly.

use std::time::Duration;

use super::server::Server;

#[test]
fn arguments_that_are_not_json_are_refused_with_their_place() {
    let server = Server::start();
    for (body, place) in [
        ("[1", "line 1 column 2"),
        ("{\"args\":[1}", "line 1 column 11"),
        ("[1]]", "line 1 column 4"),
        ("nope", "line 1 column 2"),
        ("[\n\n,]", "line 3 column 1"),
    ] {
        let message = server
            .post("/rpc/ECHO/a/echo", body)
            .error(400, "bad_request");
        assert!(message.contains(place), "{body}: {message}");
    }
    for body in [
        "1",
        "null",
        "\"x\"",
        "true",
        "{}",
        "{\"args\":{}}",
        "{\"args\":null}",
        "{\"arg\":[]}",
    ] {
        server
            .post("/rpc/ECHO/a/echo", body)
            .error(400, "bad_request");
    }
    server
        .post("/rpc/ECHO/a/echo", b"[\"\xC3\x28\"]")
        .error(400, "bad_request");
    server
        .post("/rpc/ECHO/a/echo", "[".repeat(1 << 20))
        .error(400, "bad_request");
}

#[test]
fn any_content_type_will_do_for_json() {
    let server = Server::start();
    for kind in [
        "application/json",
        "application/x-www-form-urlencoded",
        "text/plain",
        "nonsense",
    ] {
        let answer = server.ask(format!(
            "POST /rpc/ECHO/a/echo HTTP/1.1\r\nhost: test\r\ncontent-type: {kind}\r\ncontent-length: 3\r\n\r\n[1]"
        ));
        assert_eq!(answer.body, "{\"ok\":true,\"result\":[1]}");
    }
}

#[test]
fn a_chunked_body_arrives_whole() {
    let server = Server::start();
    let head = "POST /fetch/ECHO/a HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\n\r\n";
    let answer = server.ask(format!(
        "{head}3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nx-trailer: 1\r\n\r\n"
    ));
    assert_eq!(answer.json()["body"], "abcdefg");
    let mut client = server.connect();
    client.send(head);
    for _ in 0..300 {
        client.send(format!("3e8\r\n{}\r\n", "x".repeat(1000)));
    }
    client.send("0\r\n\r\n");
    assert_eq!(client.answer().json()["bytes"], 300_000);
}

#[test]
fn a_broken_body_is_a_bad_request() {
    let server = Server::start();
    let chunked = "POST /fetch/ECHO/a HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\n\r\n";
    server
        .ask(format!("{chunked}zz\r\nabc\r\n0\r\n\r\n"))
        .error(400, "bad_request");
    for (head, body) in [
        (chunked, "5\r\nab"),
        (
            "POST /rpc/ECHO/a/echo HTTP/1.1\r\nhost: test\r\ncontent-length: 9\r\n\r\n",
            "[1",
        ),
    ] {
        let mut client = server.connect();
        client.send(format!("{head}{body}"));
        client.end();
        client.rest();
    }
    for head in [
        "POST /fetch/ECHO/a HTTP/1.1\r\nhost: test\r\ncontent-length: -1\r\n\r\n",
        "POST /fetch/ECHO/a HTTP/1.1\r\nhost: test\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        "POST /fetch/ECHO/a HTTP/1.1\r\nhost: test\r\ntransfer-encoding: gzip\r\n\r\nab",
    ] {
        let mut client = server.connect();
        client.send(head);
        let text = String::from_utf8(client.rest()).unwrap();
        assert!(text.starts_with("HTTP/1.1 400"), "{text}");
    }
}

#[test]
fn a_large_body_is_whole_up_to_the_limit() {
    let server = Server::with(|options| options.max_body_bytes = 8 << 20);
    let body = "x".repeat(8 << 20);
    assert_eq!(
        server.post("/fetch/ECHO/a", &body).json()["bytes"],
        body.len()
    );
    let json = format!("[\"{}\"]", "x".repeat(1 << 20));
    assert_eq!(
        server.post("/rpc/ECHO/a/echo", &json).body,
        format!("{{\"ok\":true,\"result\":{json}}}")
    );
}

#[test]
fn a_body_over_the_limit_is_refused_and_the_connection_ends() {
    let server = Server::with(|options| options.max_body_bytes = 1000);
    let stated = |length: u64| {
        format!("POST /rpc/ECHO/a/echo HTTP/1.1\r\nhost: test\r\ncontent-length: {length}\r\n\r\n")
    };
    let chunked = "POST /fetch/ECHO/a HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\n\r\n";
    for (head, body) in [
        (stated(1001), "x".repeat(1001)),
        (stated(1001), String::new()),
        (stated(u64::MAX - 2), "x".repeat(100_000)),
        (
            chunked.to_owned(),
            format!("3e9\r\n{}\r\n0\r\n\r\n", "x".repeat(1001)),
        ),
        (
            chunked.to_owned(),
            format!("1f4\r\n{}\r\n", "x".repeat(500)).repeat(4000),
        ),
    ] {
        let mut client = server.connect();
        client.send(&head);
        client.try_send(body.as_bytes());
        let answer = client.answer();
        assert!(answer.error(413, "body_too_large").contains("1000 bytes"));
        assert_eq!(answer.header("connection"), Some("close"));
        client.end();
        assert!(client.rest().is_empty());
    }
    let within = server.post("/fetch/ECHO/a", "x".repeat(1000));
    assert_eq!(within.json()["bytes"], 1000);
}

#[test]
fn a_client_that_asks_first_is_told_to_go_on() {
    let server = Server::with(|options| options.max_body_bytes = 10);
    let head = |length: usize| {
        format!(
            "POST /rpc/ECHO/a/echo HTTP/1.1\r\nhost: test\r\nexpect: 100-continue\r\ncontent-length: {length}\r\n\r\n"
        )
    };
    let mut client = server.connect();
    client.send(head(3));
    assert_eq!(client.answer().status, 100);
    client.send("[1]");
    assert_eq!(client.answer().body, "{\"ok\":true,\"result\":[1]}");

    let mut client = server.connect();
    client.send(head(11));
    client.answer().error(413, "body_too_large");
}

#[test]
fn a_body_that_stalls_is_given_up() {
    let server = Server::with(|options| options.body_timeout = Duration::from_millis(50));
    let mut client = server.connect();
    client.send("POST /rpc/ECHO/a/echo HTTP/1.1\r\nhost: test\r\ncontent-length: 100\r\n\r\n[1");
    let answer = client.answer();
    answer.error(408, "request_timeout");
    assert_eq!(answer.header("connection"), Some("close"));
    client.end();
    client.rest();
}
