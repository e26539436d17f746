//! A gateway on a free port of this machine, in threads of the test.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, mpsc},
    thread::JoinHandle,
    time::Duration,
};

use dolmen_gateway::{Gateway, GatewayOptions};
use dolmen_runtime::{Clock, NamespaceSpec, Options, Runtime};
use dolmen_storage::Storage;
use tokio::sync::oneshot;

use super::{
    client::{Answer, Client},
    objects::{Echo, Latch},
};

pub struct Server {
    pub addr: SocketAddr,
    pub latch: Arc<Latch>,
    held: Mutex<mpsc::Receiver<()>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub fn start() -> Self {
        Self::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut GatewayOptions)) -> Self {
        let mut options = GatewayOptions {
            shutdown_grace: Duration::from_secs(20),
            ..GatewayOptions::default()
        };
        change(&mut options);
        let gateway = Gateway::bind("127.0.0.1:0", options).unwrap();
        let addr = gateway.local_addr();
        let latch = Arc::new(Latch::default());
        let (held, hears) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let engine = Arc::new(Echo {
            latch: latch.clone(),
            held,
        });
        let thread = std::thread::spawn(move || {
            let folder = tempfile::tempdir().unwrap();
            let storage = Storage::open(folder.path(), dolmen_storage::Options::default()).unwrap();
            let namespaces =
                [("ECHO", "echo"), ("CAFÉ", "cafe")].map(|(name, key)| NamespaceSpec {
                    name: name.into(),
                    class: "Echo".into(),
                    unique_key: key.into(),
                });
            let options = Options {
                shards: 2,
                ..Options::default()
            };
            let runtime =
                Runtime::start(engine, namespaces.into(), storage, options, Clock::system())
                    .unwrap();
            let event_loop = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            event_loop.block_on(async {
                gateway
                    .serve(runtime.handle(), async { drop(stopped.await) })
                    .await
                    .unwrap();
                runtime.shutdown().await.unwrap();
            });
        });
        Self {
            addr,
            latch,
            held: Mutex::new(hears),
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    pub fn connect(&self) -> Client {
        Client::connect(self.addr)
    }

    /// One request on a connection of its own.
    pub fn ask(&self, request: impl AsRef<[u8]>) -> Answer {
        let mut client = self.connect();
        client.send(request);
        client.answer()
    }

    pub fn get(&self, path: &str) -> Answer {
        self.ask(format!("GET {path} HTTP/1.1\r\nhost: test\r\n\r\n"))
    }

    pub fn post(&self, path: &str, body: impl AsRef<[u8]>) -> Answer {
        let body = body.as_ref();
        let mut request = format!(
            "POST {path} HTTP/1.1\r\nhost: test\r\ncontent-length: {}\r\n\r\n",
            body.len()
        )
        .into_bytes();
        request.extend_from_slice(body);
        self.ask(request)
    }

    /// Returns once an event waits for the latch.
    pub fn event_is_held(&self) {
        self.held
            .lock()
            .unwrap()
            .recv_timeout(super::client::PATIENCE)
            .unwrap();
    }

    pub fn begin_shutdown(&mut self) {
        drop(self.stop.take());
    }

    /// Waits until the gateway and the runtime have ended.
    pub fn ended(&mut self) {
        self.begin_shutdown();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.latch.release();
        if !std::thread::panicking() {
            self.ended();
        }
    }
}
