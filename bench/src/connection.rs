//! One keep-alive connection of the load generator, with at most one request under way.
//!
//! The socket is watched edge-triggered: every call here goes on until the socket would block or has given less than
//! was asked for, which on Linux means that nothing more is there.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

use crate::answer::Answer;

/// Room for an answer. Those of this benchmark take some 150 bytes.
const INPUT_BYTES: usize = 16 * 1024;

/// A connection and the request under way on it.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    output: Vec<u8>,
    written: usize,
    input: Box<[u8]>,
    filled: usize,
    sent_at: Option<Instant>,
}

impl Connection {
    /// Connects, waiting for it, and has the socket watched under `token`.
    pub fn open(addr: SocketAddr, registry: &Registry, token: Token) -> Result<Self> {
        let stream = std::net::TcpStream::connect(addr)
            .with_context(|| format!("cannot connect to {addr}"))?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
        Ok(Connection {
            stream,
            output: Vec::new(),
            written: 0,
            input: vec![0; INPUT_BYTES].into_boxed_slice(),
            filled: 0,
            sent_at: None,
        })
    }

    /// When the request under way was sent; `None` when there is none.
    pub fn sent_at(&self) -> Option<Instant> {
        self.sent_at
    }

    /// Sends the request that `write` appends to a buffer.
    pub fn send(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Result<()> {
        debug_assert!(self.sent_at.is_none(), "one request at a time");
        self.output.clear();
        self.written = 0;
        write(&mut self.output);
        self.sent_at = Some(Instant::now());
        self.flush()
    }

    /// Writes what is still to be written. Called again when the socket has room.
    pub fn flush(&mut self) -> Result<()> {
        while self.written < self.output.len() {
            match self.stream.write(&self.output[self.written..]) {
                Ok(count) => self.written += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error).context("cannot send a request"),
            }
        }
        Ok(())
    }

    /// Reads what has come. When that completes the answer, gives it to `take` with the time its request was sent.
    /// `closed` tells that the server has ended its side.
    pub fn receive(
        &mut self,
        closed: bool,
        take: impl FnOnce(&Answer<'_>, Instant) -> Result<()>,
    ) -> Result<()> {
        loop {
            let room = &mut self.input[self.filled..];
            let asked = room.len();
            match self.stream.read(room) {
                Ok(0) if asked == 0 => bail!("an answer is longer than {INPUT_BYTES} bytes"),
                Ok(0) => bail!("the server closed a connection in use"),
                Ok(count) => {
                    self.filled += count;
                    if count < asked && !closed {
                        break;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error).context("cannot receive an answer"),
            }
        }
        let Some(answer) = Answer::parse(&self.input[..self.filled])? else {
            return Ok(());
        };
        let Some(sent_at) = self.sent_at.take() else {
            bail!("an answer came to no request")
        };
        if answer.length != self.filled {
            bail!("{} bytes came after an answer", self.filled - answer.length);
        }
        self.filled = 0;
        take(&answer, sent_at)
    }
}
