//! A server for what handlers send.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use dolmen_runtime::Options;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
};

use super::world::{World, event_loop, in_world_beside};

/// Answers each request with its first line, its `x-sent` and its body; `/to?URL` redirects there,
/// and the first `/held` is answered once it is released.
#[derive(Default)]
pub struct Server {
    pub url: String,
    /// The heads of all requests.
    pub seen: RefCell<Vec<String>>,
    pub arrived: Notify,
    pub has_held: Cell<bool>,
    pub release: Notify,
}

impl Server {
    pub async fn start() -> Rc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = Rc::new(Self {
            url,
            ..Self::default()
        });
        let own = server.clone();
        tokio::task::spawn_local(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::task::spawn_local(own.clone().serve(stream));
            }
        });
        server
    }

    async fn serve(self: Rc<Self>, mut stream: TcpStream) {
        let (mut bytes, mut chunk) = (Vec::new(), [0; 4_096]);
        let (head, body) = loop {
            let read = stream.read(&mut chunk).await.unwrap();
            bytes.extend_from_slice(&chunk[..read]);
            let all = String::from_utf8_lossy(&bytes).to_lowercase();
            let Some((head, body)) = all.split_once("\r\n\r\n") else {
                continue;
            };
            let mut lines = head.lines();
            let length = lines.find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                break (head.to_owned(), body.to_owned());
            }
        };
        self.seen.borrow_mut().push(head.clone());
        self.arrived.notify_one();
        if head.contains("/held") && !self.has_held.replace(true) {
            self.release.notified().await;
        }
        let line = head.lines().next().unwrap().trim_end_matches(" http/1.1");
        let sent = head
            .lines()
            .find(|line| line.starts_with("x-sent"))
            .unwrap_or("");
        let answer = match line.split_once("/to?") {
            Some((_, to)) => format!(
                "HTTP/1.1 302 Found\r\nlocation: {}{to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
                self.url
            ),
            None => {
                let text = format!("{line}|{sent}|{body}");
                format!(
                    "HTTP/1.1 201 Created\r\ncontent-type: text/echo\r\nx-back: 1\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}",
                    text.len()
                )
            }
        };
        stream.write_all(answer.as_bytes()).await.unwrap();
    }
}

/// Runs a test beside a server; the module is made of the server's URL.
pub fn in_world_with_server(
    wat: impl FnOnce(&str) -> String,
    options: Options,
    test: impl AsyncFnOnce(&World, &Server),
) {
    let (event_loop, local) = event_loop();
    let server = local.block_on(&event_loop, Server::start());
    let wat = wat(&server.url);
    in_world_beside(&wat, options, (event_loop, local), async |w| {
        test(w, &server).await;
    });
}
