//! WebSockets from outside: handshakes, messages, closes, limits, the drain.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use dolmen_gateway::GatewayOptions;
use dolmen_runtime::websocket::{Decoder, Encoder, Incoming, Role};

use super::{
    client::{Answer, Client},
    server::Server,
};

const HANDSHAKE: &str = "upgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// A client of the object `name`.
struct Socket {
    client: Client,
    encoder: Encoder,
    decoder: Decoder,
    arrived: VecDeque<Incoming>,
    handshake: Answer,
}

impl Socket {
    fn open(server: &Server, name: &str) -> Self {
        Self::with(server, name, "")
    }

    fn with(server: &Server, name: &str, headers: &str) -> Self {
        let mut client = server.connect();
        client.send(format!(
            "GET /fetch/ECHO/{name}/socket HTTP/1.1\r\nhost: test\r\n{HANDSHAKE}{headers}\r\n"
        ));
        let handshake = client.answer();
        assert_eq!(handshake.status, 101, "{handshake:?}");
        let deflate = handshake.header("sec-websocket-extensions").is_some();
        Self {
            client,
            encoder: Encoder::new(Role::Client, deflate),
            decoder: Decoder::new(Role::Client, deflate, 64 << 20),
            arrived: VecDeque::new(),
            handshake,
        }
    }

    fn text(&mut self, text: &str) {
        let mut bytes = BytesMut::new();
        self.encoder.text(text.as_bytes(), &mut bytes);
        self.client.send(bytes);
    }

    fn close(&mut self, code: u16, reason: &str) {
        let mut bytes = BytesMut::new();
        self.encoder.close(code, reason, &mut bytes);
        self.client.send(bytes);
    }

    fn next(&mut self) -> Incoming {
        loop {
            if let Some(incoming) = self.arrived.pop_front() {
                return incoming;
            }
            let bytes = self.client.some();
            assert!(!bytes.is_empty(), "the connection ended");
            self.decoder
                .read(&bytes, |incoming| self.arrived.push_back(incoming))
                .unwrap();
        }
    }

    fn closed(&mut self) -> (u16, String) {
        loop {
            if let Incoming::Close { code, reason } = self.next() {
                return (code, reason);
            }
        }
    }
}

fn text(text: &str) -> Incoming {
    Incoming::Text(Bytes::copy_from_slice(text.as_bytes()))
}

#[test]
fn a_socket_echoes_text_bytes_and_pings_in_order() {
    let server = Server::start();
    let mut socket = Socket::open(&server, "a");
    assert_eq!(
        socket.handshake.header("sec-websocket-accept"),
        Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    );
    for n in 0..500 {
        socket.text(&format!("message {n}"));
    }
    for n in 0..500 {
        assert_eq!(socket.next(), text(&format!("message {n}")));
    }
    let long = vec![7; 3 << 20];
    let mut bytes = BytesMut::new();
    socket.encoder.binary(&long, &mut bytes);
    socket.client.send(bytes);
    assert_eq!(socket.next(), Incoming::Binary(long.into()));
    // A ping is answered by the connection, with its payload.
    socket.client.send([0x89, 0x82, 0, 0, 0, 0, b'h', b'i']);
    assert_eq!(socket.next(), Incoming::Pong);
}

#[test]
fn messages_right_behind_the_handshake_are_not_lost() {
    let server = Server::start();
    let mut client = server.connect();
    let mut request = BytesMut::from(
        format!("GET /fetch/ECHO/a/socket HTTP/1.1\r\nhost: test\r\n{HANDSHAKE}\r\n").as_bytes(),
    );
    Encoder::new(Role::Client, false).text(b"early", &mut request);
    client.send(request);
    assert_eq!(client.answer().status, 101);
    let mut decoder = Decoder::new(Role::Client, false, 1_000);
    let mut seen = None;
    while seen.is_none() {
        decoder
            .read(&client.some(), |incoming| seen = Some(incoming))
            .unwrap();
    }
    assert_eq!(seen, Some(text("early")));
}

#[test]
fn long_messages_are_compressed_when_that_was_agreed_on() {
    let server = Server::start();
    let offer = "sec-websocket-extensions: permessage-deflate; client_max_window_bits\r\n";
    let mut socket = Socket::with(&server, "a", offer);
    assert_eq!(
        socket.handshake.header("sec-websocket-extensions"),
        Some("permessage-deflate; server_no_context_takeover; client_no_context_takeover")
    );
    let long = "again and again ".repeat(10_000);
    socket.text(&long);
    socket.text("short");
    let mut arrived = 0;
    while socket.arrived.len() < 2 {
        let bytes = socket.client.some();
        arrived += bytes.len();
        socket
            .decoder
            .read(&bytes, |incoming| socket.arrived.push_back(incoming))
            .unwrap();
    }
    assert_eq!(socket.next(), text(&long));
    assert_eq!(socket.next(), text("short"));
    assert!(arrived < long.len() / 10, "{arrived} bytes");
}

#[test]
fn a_close_is_answered_with_its_own_code_and_the_object_hears_of_it() {
    let server = Server::start();
    let mut watcher = Socket::open(&server, "a");
    let mut socket = Socket::open(&server, "a");
    socket.close(4321, "enough");
    assert_eq!(socket.closed(), (4321, "enough".to_owned()));
    assert!(socket.client.rest().is_empty());
    let Incoming::Text(told) = watcher.next() else {
        panic!("no text")
    };
    let told = String::from_utf8_lossy(&told).into_owned();
    assert!(
        told.contains("Close { code: 4321, reason: \"enough\" }"),
        "{told}"
    );
    socket = Socket::open(&server, "a");
    socket.close(1005, "");
    assert_eq!(socket.closed(), (1005, String::new()));
}

#[test]
fn an_object_closes_and_the_connection_ends_with_the_answer() {
    let server = Server::start();
    let mut socket = Socket::open(&server, "a");
    socket.text("close");
    assert_eq!(socket.closed(), (4001, "asked to".to_owned()));
    socket.close(4001, "");
    assert!(socket.client.rest().is_empty());
}

#[test]
fn a_client_that_vanishes_is_a_close_1006() {
    let server = Server::start();
    let mut watcher = Socket::open(&server, "a");
    drop(Socket::open(&server, "a"));
    let Incoming::Text(told) = watcher.next() else {
        panic!("no text")
    };
    let told = String::from_utf8_lossy(&told).into_owned();
    assert!(
        told.contains(
            "code: 1006, reason: \"WebSocket disconnected without sending Close frame.\""
        ),
        "{told}"
    );
}

#[test]
fn what_breaks_the_protocol_is_closed_with_its_code_and_is_an_error_of_the_object() {
    let server = Server::with(|options| options.max_socket_message = 1_000);
    let mut watcher = Socket::open(&server, "a");
    let mut too_large = BytesMut::new();
    Encoder::new(Role::Client, false).text(&[b'x'; 1_001], &mut too_large);
    for (bytes, code, reason) in [
        (too_large.to_vec(), 1009, "Message is too large"),
        (
            vec![0x81, 0x01, b'x'],
            1002,
            "a client's frame is not masked",
        ),
        (
            vec![0x81, 0x81, 0, 0, 0, 0, 0xFF],
            1007,
            "a text message is not UTF-8",
        ),
        (vec![0xC1, 0x80, 0, 0, 0, 0], 1002, "a reserved bit is set"),
    ] {
        let mut socket = Socket::open(&server, "a");
        socket.client.send(&bytes);
        assert_eq!(socket.closed(), (code, reason.to_owned()));
        assert!(socket.client.rest().is_empty());
        let Incoming::Text(told) = watcher.next() else {
            panic!("no text")
        };
        let told = String::from_utf8_lossy(&told).into_owned();
        assert!(
            told.contains("is_error: true") && told.contains(reason),
            "{told}"
        );
    }
}

#[test]
fn a_client_that_reads_too_slowly_is_closed_and_costs_no_more() {
    let server = Server::start();
    let mut watcher = Socket::open(&server, "a");
    let mut socket = Socket::open(&server, "a");
    // More than may wait, all in one turn, so the connection has no chance to take any of it.
    socket.text("flood:20");
    assert_eq!(
        socket.closed(),
        (
            1013,
            "the other side takes its messages too slowly".to_owned()
        )
    );
    let Incoming::Text(told) = watcher.next() else {
        panic!("no text")
    };
    assert!(String::from_utf8_lossy(&told).contains("code: 1013"));
    let mut patient = Socket::open(&server, "a");
    patient.text("flood:10");
    for _ in 0..10 {
        assert!(matches!(patient.next(), Incoming::Binary(bytes) if bytes.len() == 1 << 20));
    }
}

#[test]
fn a_client_that_sends_faster_than_its_object_takes_has_to_wait() {
    const TOO_MUCH: usize = 64 << 20;
    let server = Server::start();
    let mut socket = Socket::open(&server, "a");
    let mut held = server.connect();
    held.send("GET /fetch/ECHO/a/held HTTP/1.1\r\nhost: test\r\n\r\n");
    server.event_is_held();
    let mut message = BytesMut::new();
    socket.encoder.binary(&[7; 1 << 20], &mut message);
    let taken = socket.client.send_until_blocked(&message, TOO_MUCH);
    assert!(
        taken < TOO_MUCH,
        "{taken} bytes were taken for an object that reads nothing"
    );
    server.latch.release();
    assert_eq!(held.answer().body, "released");
    for _ in 0..taken / message.len() {
        assert!(matches!(socket.next(), Incoming::Binary(bytes) if bytes.len() == 1 << 20));
    }
}

#[test]
fn a_request_that_is_no_handshake_is_told_why() {
    let server = Server::start();
    let get = |headers: &str| {
        server.ask(format!(
            "GET /fetch/ECHO/a/socket HTTP/1.1\r\nhost: test\r\n{headers}\r\n"
        ))
    };
    let answer = get("");
    let message = answer.error(426, "upgrade_required");
    assert!(message.contains("Upgrade: websocket"), "{message}");
    assert_eq!(answer.header("sec-websocket-version"), Some("13"));
    get(&HANDSHAKE.replace("13", "8")).error(426, "upgrade_required");
    get(&HANDSHAKE.replace("connection: Upgrade\r\n", "")).error(426, "upgrade_required");
    get(&HANDSHAKE.replace("dGhlIHNhbXBsZSBub25jZQ==", "short")).error(400, "bad_request");
}

#[test]
fn more_sockets_than_may_be_open_are_refused() {
    let server = Server::with(|options| options.max_sockets = 1);
    let socket = Socket::open(&server, "a");
    let refused = || {
        server.ask(format!(
            "GET /fetch/ECHO/a/socket HTTP/1.1\r\nhost: test\r\n{HANDSHAKE}\r\n"
        ))
    };
    let message = refused().error(503, "overloaded");
    assert!(message.contains("--max-sockets"), "{message}");
    // Requests are not affected.
    assert_eq!(server.post("/rpc/ECHO/a/echo", "[1]").status, 200);
    drop(socket);
    let mut watcher = server.connect();
    loop {
        watcher.send(format!(
            "GET /fetch/ECHO/b/socket HTTP/1.1\r\nhost: test\r\n{HANDSHAKE}\r\n"
        ));
        if watcher.answer().status == 101 {
            break;
        }
    }
}

#[test]
fn sockets_do_not_count_as_connections() {
    let server = Server::with(|options: &mut GatewayOptions| options.max_connections = 1);
    let mut first = Socket::open(&server, "a");
    let mut second = Socket::open(&server, "a");
    for socket in [&mut first, &mut second] {
        socket.text("still here");
        assert_eq!(socket.next(), text("still here"));
    }
}

#[test]
fn a_shutdown_closes_sockets_with_1012() {
    let mut server = Server::start();
    let mut socket = Socket::open(&server, "a");
    socket.text("one more");
    assert_eq!(socket.next(), text("one more"));
    server.begin_shutdown();
    assert_eq!(socket.closed(), (1012, "the server restarts".to_owned()));
    socket.close(1012, "");
    server.ended();
}
