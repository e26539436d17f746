//! Many WebSockets to one server, watched by one thread.
//!
//! They are opened one after the other, each with a whole handshake, and kept small: what is read and written goes
//! through memory that all of them share. Sockets are watched edge-triggered, as in `connection.rs`.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use bytes::{Bytes, BytesMut};
use dolmen_websocket::{Decoder, Encoder, Incoming, Role};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use socket2::{Domain, Socket, Type};

use crate::interrupt;
use crate::load::{ANSWER_TIMEOUT, LONGEST_WAIT};

/// Sockets from one source address: fewer than the ports that Linux gives out for it, 28,232.
const PER_ADDRESS: usize = 20_000;
/// Room for what one read brings.
const INPUT_BYTES: usize = 64 << 10;
/// No message of this benchmark is longer.
const MOST_BYTES: usize = 64;
const MOST_EVENTS: usize = 1_024;
/// Any 16 bytes in base64 will do: it only protects against caches.
const KEY: &str = "ZG9sbWVuLWJlbmNoISEhIQ==";
const ACCEPTED: &str = "sQASey1t6a2g7Tp82aYVgWStvN8=";

/// Open connections, known by their numbers from 0 on.
pub struct Sockets {
    poll: Poll,
    events: Events,
    sockets: Vec<OneSocket>,
    encoder: Encoder,
    input: Box<[u8]>,
    output: BytesMut,
}

struct OneSocket {
    stream: TcpStream,
    decoder: Decoder,
}

/// A text message and the number of the socket that it came on.
pub type Received = (usize, Bytes);

impl Sockets {
    /// None yet.
    pub fn new() -> Result<Self> {
        Ok(Sockets {
            poll: Poll::new()?,
            events: Events::with_capacity(MOST_EVENTS),
            sockets: Vec::new(),
            encoder: Encoder::new(Role::Client, false),
            input: vec![0; INPUT_BYTES].into_boxed_slice(),
            output: BytesMut::new(),
        })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.sockets.len()
    }

    /// Opens one more, to the object `name`.
    pub fn open(&mut self, addr: SocketAddr, name: &str) -> Result<()> {
        interrupt::check()?;
        let number = self.sockets.len();
        let stream = connect(addr, number / PER_ADDRESS)
            .and_then(|stream| shake_hands(stream, name))
            .with_context(|| format!("cannot open socket {number}"))?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        self.poll
            .registry()
            .register(&mut stream, Token(number), Interest::READABLE)?;
        self.sockets.push(OneSocket {
            stream,
            decoder: Decoder::new(Role::Client, false, MOST_BYTES),
        });
        Ok(())
    }

    /// Sends a text.
    pub fn send(&mut self, number: usize, text: &str) -> Result<()> {
        self.output.clear();
        self.encoder.text(text.as_bytes(), &mut self.output);
        // So few bytes are under way on a socket that there is room for all of them.
        self.sockets[number]
            .stream
            .write_all(&self.output)
            .with_context(|| format!("cannot send on socket {number}"))
    }

    /// Waits until something has come, and puts it into `into`, which it empties first.
    pub fn receive(&mut self, into: &mut Vec<Received>) -> Result<()> {
        into.clear();
        let from = Instant::now();
        while into.is_empty() {
            if let Err(error) = self.poll.poll(&mut self.events, Some(LONGEST_WAIT))
                && error.kind() != ErrorKind::Interrupted
            {
                return Err(error).context("cannot wait for messages");
            }
            interrupt::check()?;
            for event in &self.events {
                let number = event.token().0;
                self.sockets[number]
                    .read(&mut self.input, |text| into.push((number, text)))
                    .with_context(|| format!("socket {number} failed"))?;
            }
            ensure!(
                from.elapsed() < ANSWER_TIMEOUT,
                "no message within {} s",
                ANSWER_TIMEOUT.as_secs()
            );
        }
        Ok(())
    }

    /// Sends a text on a socket of its own and waits for the answer, while nothing else is under way.
    pub fn ask(&mut self, number: usize, text: &str) -> Result<(Bytes, Duration)> {
        let mut received = Vec::new();
        let sent_at = Instant::now();
        self.send(number, text)?;
        self.receive(&mut received)?;
        let took = sent_at.elapsed();
        match (received.pop(), received.is_empty()) {
            (Some((from, answer)), true) if from == number => Ok((answer, took)),
            (last, _) => bail!("socket {number} asked {text:?}, but {last:?} came"),
        }
    }
}

impl OneSocket {
    fn read(&mut self, input: &mut [u8], mut on_text: impl FnMut(Bytes)) -> Result<()> {
        loop {
            let count = match self.stream.read(input) {
                Ok(0) => bail!("the server closed it"),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
            let mut other = None;
            self.decoder
                .read(&input[..count], |incoming| match incoming {
                    Incoming::Text(text) => on_text(text),
                    incoming => other = Some(incoming),
                })?;
            if let Some(other) = other {
                bail!("{other:?} came");
            }
            if count < input.len() {
                return Ok(());
            }
        }
    }
}

/// Connects from the loopback address of that index: one address has too few ports for all.
fn connect(addr: SocketAddr, address: usize) -> Result<std::net::TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    if address > 0 {
        let address = u8::try_from(address + 1).context("too many sockets for 127.0.0.x")?;
        let from = SocketAddr::from((Ipv4Addr::new(127, 0, 0, address), 0));
        socket.bind(&from.into())?;
    }
    socket
        .connect(&addr.into())
        .with_context(|| format!("cannot connect to {addr}"))?;
    socket.set_tcp_nodelay(true)?;
    Ok(socket.into())
}

/// Makes a connection that still blocks a WebSocket of the object `name`.
fn shake_hands(mut stream: std::net::TcpStream, name: &str) -> Result<std::net::TcpStream> {
    stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
    let request = format!(
        "GET /socket/{name} HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: {KEY}\r\n\r\n"
    );
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    let mut part = [0; 1_024];
    while !answer.ends_with(b"\r\n\r\n") {
        match stream.read(&mut part).context("no answer")? {
            0 => break,
            count => answer.extend_from_slice(&part[..count]),
        }
    }
    let answer = String::from_utf8_lossy(&answer);
    let mut headers = answer.lines().filter_map(|line| line.split_once(": "));
    let is_accepted = answer.starts_with("HTTP/1.1 101 ")
        && headers.any(|(name, value)| {
            name.eq_ignore_ascii_case("sec-websocket-accept") && value == ACCEPTED
        });
    ensure!(is_accepted, "the server did not accept it: {answer}");
    Ok(stream)
}
