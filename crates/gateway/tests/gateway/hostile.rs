//! Ten thousand requests that are not: the gateway answers or closes, and goes on.

use super::server::Server;

/// A small, seeded generator (xorshift64*), so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    fn byte(&mut self) -> u8 {
        self.next().to_be_bytes()[0]
    }

    fn pick<'a>(&mut self, from: &[&'a [u8]]) -> &'a [u8] {
        from[self.below(from.len())]
    }
}

const VALID: [&[u8]; 4] = [
    b"POST /rpc/ECHO/a/echo HTTP/1.1\r\nhost: test\r\ncontent-length: 9\r\n\r\n[1,\"two\"]",
    b"GET /fetch/ECHO/a%2Fb/c?d=e HTTP/1.1\r\nhost: test\r\naccept: */*\r\n\r\n",
    b"PUT /fetch/ECHO/a HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    b"POST /rpc/ECHO/a/echo HTTP/1.1\r\nhost: test\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n[]",
];

const TOKENS: [&[u8]; 36] = [
    b"GET ",
    b"POST ",
    b"HEAD ",
    b"CONNECT ",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"/",
    b"/rpc/ECHO/a/echo",
    b"/fetch/ECHO/a",
    b"/fetch/",
    b"/rpc/",
    b"%",
    b"%00",
    b"%FF",
    b"%F0%9F",
    b"?",
    b"#",
    b" HTTP/1.1\r\n",
    b" HTTP/1.0\r\n",
    b" HTTP/9.9\r\n",
    b"\r\n",
    b"\n",
    b"\r",
    b"host: test\r\n",
    b"content-length: 5\r\n",
    b"content-length: 99999999999999999999\r\n",
    b"content-length: 0x5\r\n",
    b"transfer-encoding: chunked\r\n",
    b"transfer-encoding: , chunked\r\n",
    b"connection: close\r\n",
    b"connection: upgrade\r\n",
    b"upgrade: websocket\r\n",
    b": \r\n",
    b"\0",
    b"[1]",
    b"fffffffffffffffff\r\n",
    b"{\"args\":[",
];

fn request(random: &mut Random) -> Vec<u8> {
    let mut bytes = Vec::new();
    match random.below(4) {
        0 => bytes.resize_with(random.below(300), || random.byte()),
        1 => {
            bytes.extend_from_slice(random.pick(&VALID));
            for _ in 0..=random.below(6) {
                let at = random.below(bytes.len());
                bytes[at] = random.byte();
            }
        }
        2 => {
            let whole = random.pick(&VALID);
            bytes.extend_from_slice(&whole[..random.below(whole.len())]);
        }
        _ => (0..random.below(14)).for_each(|_| bytes.extend_from_slice(random.pick(&TOKENS))),
    }
    bytes
}

#[test]
fn ten_thousand_random_requests_neither_kill_nor_hang() {
    const THREADS: u64 = 4;
    const EACH: usize = 2_500;
    let server = Server::start();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let server = &server;
            scope.spawn(move || {
                let mut random = Random(0xD01_3EA5 + thread);
                for round in 0..EACH {
                    let mut client = server.connect();
                    client.try_send(&request(&mut random));
                    client.end();
                    client.rest();
                    if round % 100 == 0 {
                        assert_eq!(server.post("/rpc/ECHO/a/echo", "[1]").status, 200);
                    }
                }
            });
        }
    });
    assert_eq!(server.post("/rpc/ECHO/a/echo", "[1]").status, 200);
}
