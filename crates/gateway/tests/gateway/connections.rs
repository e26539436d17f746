//! Connections: reuse, limits, time-outs and the drain at the end.

use std::{net::TcpStream, time::Duration};

use dolmen_gateway::{Gateway, GatewayError, GatewayOptions};

use super::{client::Client, server::Server};

const HELD: &str = "GET /fetch/ECHO/a/held HTTP/1.1\r\nhost: test\r\n\r\n";

#[test]
fn pipelined_requests_are_answered_in_order() {
    let server = Server::start();
    let mut client = server.connect();
    let requests: String = (0..500)
        .map(|n| {
            let body = format!("[{n}]");
            format!(
                "POST /rpc/ECHO/{}/echo HTTP/1.1\r\nhost: test\r\ncontent-length: {}\r\n\r\n{body}",
                n % 7,
                body.len()
            )
        })
        .collect();
    client.send(requests);
    for n in 0..500 {
        assert_eq!(
            client.answer().body,
            format!("{{\"ok\":true,\"result\":[{n}]}}")
        );
    }
}

#[test]
fn a_refused_request_leaves_the_connection_usable() {
    let server = Server::start();
    let mut client = server.connect();
    client.send("POST /rpc/ECHO/a/nope HTTP/1.1\r\nhost: test\r\ncontent-length: 2\r\n\r\n[]");
    client.answer().error(404, "method_not_found");
    client.send("PUT /rpc/ECHO/a/echo HTTP/1.1\r\nhost: test\r\ncontent-length: 2\r\n\r\n[]");
    client.answer().error(405, "method_not_allowed");
    client.send("POST /rpc/ECHO/a/echo HTTP/1.1\r\nhost: test\r\ncontent-length: 2\r\n\r\n{}");
    client.answer().error(400, "bad_request");
    client.send("POST /rpc/ECHO/a/echo HTTP/1.1\r\nhost: test\r\ncontent-length: 2\r\n\r\n[]");
    assert_eq!(client.answer().status, 200);
}

#[test]
fn a_head_that_stalls_is_given_up() {
    let server = Server::with(|options| options.head_timeout = Duration::from_millis(50));
    for start in [
        "",
        "GET",
        "GET / HTTP/1.1\r\nhost: te",
        "GET / HTTP/1.1\r\nhost: test\r\n",
    ] {
        let mut client = server.connect();
        client.send(start);
        client.rest();
    }
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\nhost: test\r\n\r\n");
    assert_eq!(client.answer().status, 200);
    assert!(
        client.rest().is_empty(),
        "an idle connection is closed in the end"
    );
}

#[test]
fn an_event_may_take_longer_than_a_head() {
    let server = Server::with(|options| options.head_timeout = Duration::from_millis(20));
    let mut client = server.connect();
    client.send(HELD);
    server.event_is_held();
    // Another connection's time-out shows that this one's has passed too.
    server.connect().rest();
    server.latch.release();
    assert_eq!(client.answer().body, "released");
}

#[test]
fn a_head_over_the_limit_is_431() {
    let server = Server::with(|options| options.max_head_bytes = 16 << 10);
    let fits = format!(
        "GET /fetch/ECHO/a HTTP/1.1\r\nhost: test\r\nx: {}\r\n\r\n",
        "y".repeat(12 << 10)
    );
    assert_eq!(server.ask(fits).status, 200);
    let many: String = (0..101).map(|n| format!("x-{n}: 1\r\n")).collect();
    for head in [
        format!(
            "GET / HTTP/1.1\r\nhost: test\r\nx: {}\r\n\r\n",
            "y".repeat(40 << 10)
        ),
        format!(
            "GET / HTTP/1.1\r\nhost: test\r\n{}: 1\r\n\r\n",
            "y".repeat(40 << 10)
        ),
        format!("GET / HTTP/1.1\r\nhost: test\r\n{many}\r\n"),
    ] {
        let mut client = server.connect();
        client.try_send(head.as_bytes());
        assert_eq!(client.answer().status, 431, "{}", &head[..60]);
        client.end();
        client.rest();
    }
    let mut client = server.connect();
    client.try_send(
        format!(
            "GET /{} HTTP/1.1\r\nhost: test\r\n\r\n",
            "y".repeat(40 << 10)
        )
        .as_bytes(),
    );
    let status = client.answer().status;
    assert!(matches!(status, 414 | 431), "{status}");
}

#[test]
fn a_connection_beyond_the_limit_is_told_to_come_back() {
    let server = Server::with(|options| options.max_connections = 2);
    let mut first = server.connect();
    first.send(HELD);
    server.event_is_held();
    let mut second = server.connect();
    second.send("GET / HTTP/1.1\r\nhost: test\r\n\r\n");
    assert_eq!(second.answer().status, 200);
    let answer = server.get("/");
    answer.error(503, "overloaded");
    assert_eq!(
        (answer.header("retry-after"), answer.header("connection")),
        (Some("1"), Some("close"))
    );
    second.end();
    second.rest();
    server.latch.release();
    assert_eq!(first.answer().body, "released");
    // The second's place is free again once the server has seen it go.
    let served = (0..1000).any(|_| server.get("/").status == 200);
    assert!(served);
}

#[test]
fn a_drain_finishes_open_requests_and_closes_idle_connections() {
    let mut server = Server::start();
    let mut open = server.connect();
    open.send(HELD);
    server.event_is_held();
    let mut idle = server.connect();
    idle.send("GET / HTTP/1.1\r\nhost: test\r\n\r\n");
    assert_eq!(idle.answer().status, 200);
    let mut fresh = server.connect();
    server.begin_shutdown();
    assert!(idle.rest().is_empty() && fresh.rest().is_empty());
    assert!(
        TcpStream::connect(server.addr).is_err(),
        "no connection is accepted any more"
    );
    server.latch.release();
    let answer = open.answer();
    assert_eq!((answer.status, answer.body.as_str()), (200, "released"));
    assert!(open.rest().is_empty());
    server.ended();
}

#[test]
fn a_drain_ends_with_the_grace_period() {
    let mut server = Server::with(|options| options.shutdown_grace = Duration::from_millis(50));
    let mut open: Client = server.connect();
    open.send(HELD);
    server.event_is_held();
    server.begin_shutdown();
    assert!(open.rest().is_empty());
    server.latch.release();
    server.ended();
}

#[test]
fn an_address_in_use_is_a_plain_error() {
    let server = Server::start();
    let error = Gateway::bind(&server.addr.to_string(), GatewayOptions::default()).unwrap_err();
    assert!(matches!(error, GatewayError::InUse { .. }), "{error}");
    assert!(error.to_string().contains("in use"), "{error}");
    for nonsense in ["", "8787", "localhost", "127.0.0.1:99999", "256.0.0.1:1"] {
        let error = Gateway::bind(nonsense, GatewayOptions::default()).unwrap_err();
        assert!(
            matches!(error, GatewayError::Address { .. }),
            "{nonsense}: {error}"
        );
    }
    let error = Gateway::bind("192.0.2.1:1", GatewayOptions::default()).unwrap_err();
    assert!(matches!(error, GatewayError::Listen { .. }), "{error}");
}
