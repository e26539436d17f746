//! An HTTP client that sends exactly the bytes it is given, and never waits for ever.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    time::Duration,
};

/// After this long without a byte a test fails instead of hanging.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub struct Client {
    stream: BufReader<TcpStream>,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// Lower-case names, in order.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Client {
    pub fn connect(addr: SocketAddr) -> Self {
        let stream = TcpStream::connect(addr).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Self {
            stream: BufReader::new(stream),
        }
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.get_mut().write_all(bytes.as_ref()).unwrap();
    }

    /// Sends what the server still takes.
    pub fn try_send(&mut self, bytes: &[u8]) {
        drop(self.stream.get_mut().write_all(bytes));
    }

    /// Sends `bytes` again and again until the server takes no more, or `limit` bytes are sent; gives
    /// how many were.
    pub fn send_until_blocked(&mut self, bytes: &[u8], limit: usize) -> usize {
        let stream = self.stream.get_mut();
        stream.set_nonblocking(true).unwrap();
        let mut sent = 0;
        let mut refused = 0;
        // Full buffers stay full while nobody reads; a server that is only slow empties them in between.
        while sent < limit && refused < 200 {
            match stream.write(&bytes[sent % bytes.len()..]) {
                Ok(count) => (sent, refused) = (sent + count, 0),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    refused += 1;
                    std::thread::yield_now();
                    std::thread::park_timeout(Duration::from_millis(1));
                }
                Err(error) => panic!("{error}"),
            }
        }
        stream.set_nonblocking(false).unwrap();
        sent
    }

    /// Nothing more will be sent.
    pub fn end(&mut self) {
        drop(self.stream.get_mut().shutdown(Shutdown::Write));
    }

    pub fn answer(&mut self) -> Answer {
        self.answer_to("GET")
    }

    /// Reads one answer; to `HEAD` it has no body.
    pub fn answer_to(&mut self, method: &str) -> Answer {
        let status_line = self.line();
        let status = status_line
            .split(' ')
            .nth(1)
            .unwrap_or_else(|| panic!("a status in {status_line:?}"))
            .parse()
            .unwrap();
        let mut headers = Vec::new();
        loop {
            let line = self.line();
            let Some((name, value)) = line.split_once(": ") else {
                assert_eq!(line, "");
                break;
            };
            headers.push((name.to_owned(), value.to_owned()));
        }
        let mut answer = Answer {
            status,
            headers,
            body: String::new(),
        };
        let length = answer
            .header("content-length")
            .map_or(0, |length| length.parse().unwrap());
        if method != "HEAD" && !matches!(status, 100..200 | 204 | 304) {
            let mut body = vec![0; length];
            self.stream.read_exact(&mut body).unwrap();
            answer.body = String::from_utf8(body).unwrap();
        }
        answer
    }

    /// Waits until the server closes, and gives what it sent before.
    pub fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        match self.stream.read_to_end(&mut rest) {
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                panic!("the server neither answers nor closes")
            }
            // A reset is a close, too.
            _ => rest,
        }
    }

    /// Waits until something comes, and gives it; empty: the server has closed.
    pub fn some(&mut self) -> Vec<u8> {
        let bytes = self.stream.fill_buf().unwrap().to_vec();
        self.stream.consume(bytes.len());
        bytes
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        line.trim_end_matches("\r\n").to_owned()
    }
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(known, _)| known == name);
        let value = values.next();
        assert!(
            values.next().is_none() || name == "set-cookie",
            "{name} twice in {self:?}"
        );
        value.map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// Checks that this is the error `code`, and gives its message.
    #[track_caller]
    pub fn error(&self, status: u16, code: &str) -> String {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/json"));
        let json = self.json();
        assert_eq!(json["ok"], false);
        assert_eq!(json["error"]["code"], code);
        json["error"]["message"].as_str().unwrap().to_owned()
    }
}
