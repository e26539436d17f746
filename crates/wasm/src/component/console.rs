//! Standard output and error: lines of the log, with the name of the object.

use std::{
    io,
    pin::Pin,
    rc::Rc,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use bytes::Bytes;
use dolmen_runtime::Host;
use tokio::io::AsyncWrite;
use wasmtime_wasi::{
    async_trait,
    cli::{IsTerminal, StdoutStream},
    p2::{OutputStream, Pollable, StreamError, StreamResult},
};

use crate::on_shard::OnShard;

/// Longest line that is logged, in bytes; longer ones are cut in pieces.
const MAX_LINE: usize = 16 << 10;
/// What one write may have, in bytes, because nothing interrupts it.
const MAX_WRITE: usize = 4 << 10;

/// Which of the two.
#[derive(Clone, Copy)]
pub(crate) enum Output {
    Out,
    Error,
}

struct Lines {
    host: OnShard<Rc<Host>>,
    output: Output,
    /// The unfinished one.
    line: Vec<u8>,
}

/// Standard output or error; clones are the same.
#[derive(Clone)]
pub(crate) struct Console(Arc<Mutex<Lines>>);

impl Console {
    pub fn new(host: Rc<Host>, output: Output) -> Self {
        Self(Arc::new(Mutex::new(Lines {
            host: OnShard::new(host),
            output,
            line: Vec::new(),
        })))
    }

    fn print(&self, bytes: &[u8]) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            for piece in piece.chunks(MAX_LINE) {
                lines.line.extend_from_slice(piece);
                let ends = lines.line.last() == Some(&b'\n');
                if ends || lines.line.len() >= MAX_LINE {
                    lines.log(usize::from(ends));
                }
            }
        }
    }
}

impl Lines {
    fn log(&mut self, line_feed: usize) {
        let text = String::from_utf8_lossy(&self.line[..self.line.len() - line_feed]);
        let object = self.host.label();
        match self.output {
            Output::Out => tracing::info!(target: "dolmen::console", object, "{text}"),
            Output::Error => tracing::warn!(target: "dolmen::console", object, "{text}"),
        }
        self.line.clear();
    }
}

impl IsTerminal for Console {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Console {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait]
impl Pollable for Console {
    async fn ready(&mut self) {}
}

#[async_trait]
impl OutputStream for Console {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        // Each byte may be a line of the log, and nothing interrupts this.
        if bytes.len() > MAX_WRITE {
            return Err(StreamError::trap("more was written than was permitted"));
        }
        self.print(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(MAX_WRITE)
    }
}

impl AsyncWrite for Console {
    fn poll_write(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let bytes = &bytes[..bytes.len().min(MAX_WRITE)];
        self.print(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
