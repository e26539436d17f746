//! A running `dolmen`, and one that is expected to end.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};

/// After this long without a byte a test fails instead of hanging.
const PATIENCE: Duration = Duration::from_secs(30);

pub struct Running {
    child: Child,
    stdout: BufReader<ChildStdout>,
    log: BufReader<ChildStderr>,
    /// What it printed until it was ready.
    pub welcome: String,
    /// `127.0.0.1:PORT`
    pub addr: String,
}

impl Running {
    /// Starts `dolmen` on a free port and returns when it is ready.
    pub fn start(storage: &Path, flags: &[&str]) -> Self {
        let mut child = command(flags)
            .args(["--addr", "127.0.0.1:0", "--storage"])
            .arg(storage)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let log = BufReader::new(child.stderr.take().unwrap());
        let mut welcome = String::new();
        while !welcome.contains("Ctrl-C stops it") {
            assert_ne!(
                stdout.read_line(&mut welcome).unwrap(),
                0,
                "it ended: {welcome}"
            );
        }
        let addr = welcome
            .split("http://")
            .nth(1)
            .unwrap()
            .split_whitespace()
            .next()
            .unwrap()
            .to_owned();
        Self {
            child,
            stdout,
            log,
            welcome,
            addr,
        }
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.addr).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// One request on a connection of its own; gives the status and the body.
    pub fn ask(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let mut stream = self.connect();
        send(&mut stream, method, path, body);
        answer(&mut stream)
    }

    pub fn rpc(&self, path: &str, body: &str) -> serde_json::Value {
        serde_json::from_str(&self.ask("POST", path, body).1).unwrap()
    }

    /// Returns the next line of the log with `text`, once it is there.
    pub fn logs(&mut self, text: &str) -> String {
        let mut line = String::new();
        while !line.contains(text) {
            line.clear();
            assert_ne!(
                self.log.read_line(&mut line).unwrap(),
                0,
                "the log ended without {text:?}"
            );
        }
        line
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for its end, which closes its output; gives how it ended.
    pub fn ended(mut self) -> ExitStatus {
        self.stdout.read_to_end(&mut Vec::new()).unwrap();
        self.child.wait().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

pub fn send(stream: &mut TcpStream, method: &str, path: &str, body: &str) {
    let length = body.len();
    write!(stream, "{method} {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}").unwrap();
}

/// Reads an answer up to the end of its connection.
pub fn answer(stream: &mut TcpStream) -> (u16, String) {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text
        .split_once("\r\n\r\n")
        .unwrap_or_else(|| panic!("an answer in {text:?}"));
    (
        head.split(' ').nth(1).unwrap().parse().unwrap(),
        body.to_owned(),
    )
}

/// What a `dolmen` that ended left behind.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// Runs `dolmen` to its end, in a folder of its own.
pub fn run(flags: &[&str]) -> Ended {
    let folder = tempfile::tempdir().unwrap();
    let output = command(flags).current_dir(folder.path()).output().unwrap();
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Ended {
    /// Checks that it failed with `code` and one message that has `parts`; gives the message.
    #[track_caller]
    pub fn failed(&self, code: i32, parts: &[&str]) -> &str {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert_eq!(self.stdout, "");
        assert!(
            self.stderr.starts_with("dolmen: ") && self.stderr.matches("dolmen: ").count() == 1,
            "{self:?}"
        );
        for part in parts {
            assert!(self.stderr.contains(part), "{part:?} is not in {self:?}");
        }
        assert!(!self.stderr.contains("panicked"), "{self:?}");
        &self.stderr
    }
}

fn command(flags: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dolmen"));
    command
        .args(flags)
        .stdin(Stdio::null())
        .env_remove("NO_COLOR");
    command
}
