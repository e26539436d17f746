//! A worker that is served by this process, and the requests that a conformance test is.

use std::{
    collections::HashMap,
    fmt::{Debug, Display, Write},
    net::SocketAddr,
    path::Path,
    time::Duration,
};

use dolmen::{Bindings, Bundle, Dolmen, EgressPolicy, Gateway, GatewayOptions, Manifest, Options};
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Bytes, body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, de::DeserializeOwned};
use tokio::{net::TcpStream, sync::oneshot};

/// A test that takes longer has failed.
const TEST_LIMIT: Duration = Duration::from_secs(20);
/// What hangs is cut off after that.
const GRACE: Duration = Duration::from_millis(200);
const SHARDS: usize = 2;

/// Where the worker listens.
pub struct Server {
    addr: SocketAddr,
}

/// An exchange over HTTP, and what of the answer must be as it says.
#[derive(Deserialize)]
pub struct Wire {
    pub name: String,
    request: WireRequest,
    expect: WireAnswer,
}

#[derive(Deserialize)]
struct WireRequest {
    method: Option<String>,
    path: String,
    #[serde(default)]
    headers: HashMap<String, String>,
    body: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireAnswer {
    status: Option<u16>,
    /// `None`: the header must not be there.
    #[serde(default)]
    headers: HashMap<String, Option<String>>,
    set_cookie: Option<Vec<String>>,
    body: Option<String>,
}

#[derive(Deserialize)]
struct TestResult {
    ok: bool,
    error: Option<String>,
}

struct Answer {
    status: u16,
    headers: hyper::HeaderMap,
    body: String,
}

impl Server {
    /// Serves the worker in `path` from an empty storage while `client` runs.
    ///
    /// # Errors
    /// What kept it from starting or ending, or what `client` gives.
    pub fn run<T>(
        path: &Path,
        client: impl AsyncFnOnce(&Server) -> Result<T, String>,
    ) -> Result<T, String> {
        let event_loop = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(shown)?;
        event_loop.block_on(async {
            let folder = tempfile::tempdir().map_err(shown)?;
            let beside = path.to_string_lossy().replace(".test.js", ".manifest.json");
            let mut builder = Dolmen::builder();
            let mut bindings = Bindings::default();
            if Path::new(&beside).exists() {
                let manifest = Manifest::from_file(beside).map_err(shown)?;
                bindings = manifest.bindings().clone();
                builder = builder.manifest(manifest);
            }
            let dolmen = builder
                .storage(folder.path())
                .bundle(Bundle::from_file_with(path, bindings).map_err(shown)?)
                .options(Options {
                    shards: SHARDS,
                    shutdown_grace: GRACE,
                    egress: EgressPolicy {
                        allow_private: true,
                        ..EgressPolicy::default()
                    },
                    ..Options::default()
                })
                .start()
                .map_err(shown)?;
            let edge = GatewayOptions {
                shutdown_grace: GRACE,
                ..GatewayOptions::default()
            };
            let gateway = Gateway::bind("127.0.0.1:0", edge).map_err(shown)?;
            let server = Server {
                addr: gateway.local_addr(),
            };
            let (stop, stopped) = oneshot::channel::<()>();
            let (served, result) = tokio::join!(
                dolmen.serve(gateway, async { drop(stopped.await) }),
                async {
                    let result = client(&server).await;
                    drop(stop);
                    result
                }
            );
            served.map_err(shown)?;
            result
        })
    }

    /// Runs one test: `Ok` with what was wrong, `Err` if there was no answer.
    pub async fn test(&self, name: &str) -> Result<Option<String>, String> {
        let name = utf8_percent_encode(name, NON_ALPHANUMERIC);
        let result: TestResult = self.json(&format!("/run?test={name}")).await?;
        Ok((!result.ok).then(|| result.error.unwrap_or_default()))
    }

    /// The JSON at `path`.
    pub async fn json<T: DeserializeOwned>(&self, path: &str) -> Result<T, String> {
        let answer = self
            .request(&WireRequest {
                method: None,
                path: path.to_owned(),
                headers: HashMap::new(),
                body: None,
            })
            .await?;
        if answer.status != 200 {
            return Err(format!(
                "{path} answered {}: {}",
                answer.status, answer.body
            ));
        }
        serde_json::from_str(&answer.body).map_err(shown)
    }

    /// Makes an exchange: `Err` with what of it was not as expected.
    pub async fn exchange(&self, wire: &Wire) -> Result<(), String> {
        let answer = self.request(&wire.request).await?;
        let expect = &wire.expect;
        let mut wrong = String::new();
        if let Some(status) = &expect.status {
            compare(&mut wrong, "status", status, &answer.status);
        }
        for (name, value) in &expect.headers {
            let got = Some(answer.values(name).join(", ")).filter(|got| !got.is_empty());
            compare(&mut wrong, name, value, &got);
        }
        if let Some(cookies) = &expect.set_cookie {
            compare(
                &mut wrong,
                "set-cookie",
                cookies,
                &answer.values("set-cookie"),
            );
        }
        if let Some(body) = &expect.body {
            compare(&mut wrong, "body", body, &answer.body);
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }

    /// One request on a connection of its own.
    async fn request(&self, request: &WireRequest) -> Result<Answer, String> {
        tokio::time::timeout(TEST_LIMIT, self.send(request))
            .await
            .map_err(|_| format!("no answer within {TEST_LIMIT:?}"))?
    }

    async fn send(&self, wire: &WireRequest) -> Result<Answer, String> {
        let stream = TcpStream::connect(self.addr).await.map_err(shown)?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(shown)?;
        let mut request = Request::builder()
            .method(wire.method.as_deref().unwrap_or("GET"))
            .uri(&wire.path)
            .header("connection", "close");
        if !wire
            .headers
            .keys()
            .any(|name| name.eq_ignore_ascii_case("host"))
        {
            request = request.header("host", self.addr.to_string());
        }
        for (name, value) in &wire.headers {
            request = request.header(name, value);
        }
        let body = Full::new(Bytes::from(wire.body.clone().unwrap_or_default()));
        let request = request.body(body).map_err(shown)?;
        let (answer, ended) = tokio::join!(
            async { read(sender.send_request(request).await.map_err(shown)?).await },
            connection
        );
        ended.map_err(shown).and(answer)
    }
}

async fn read(response: Response<Incoming>) -> Result<Answer, String> {
    let (head, body) = response.into_parts();
    let body = body.collect().await.map_err(shown)?.to_bytes();
    Ok(Answer {
        status: head.status.as_u16(),
        headers: head.headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}

impl Answer {
    fn values(&self, name: &str) -> Vec<String> {
        let values = self.headers.get_all(name).iter();
        values
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .collect()
    }
}

/// Notes in `wrong` what is not as expected.
fn compare<T: PartialEq + Debug>(wrong: &mut String, what: &str, expected: &T, got: &T) {
    if expected != got {
        writeln!(wrong, "{what}: expected {expected:?}, got {got:?}")
            .expect("a String takes every text");
    }
}

fn shown(error: impl Display) -> String {
    error.to_string()
}
