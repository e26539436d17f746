//! The web APIs, asserted from inside JavaScript (`web/*.js`), and what installing them costs.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

use std::{
    cell::{Cell, RefCell},
    convert::Infallible,
    future::{self, Future},
    pin::Pin,
    rc::Rc,
    time::Duration,
};

use dolmen_js::{
    node,
    web::{
        self, WebHost,
        message::{self, NewBody, PullSource, TakenBody},
    },
};
use dolmen_runtime::EgressPolicy;
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::{Request, Response, service::service_fn};
use rquickjs::prelude::Func;
use rquickjs::{
    AsyncContext, AsyncRuntime, CatchResultExt, Context, Ctx, Function, Object, Runtime, Value,
};

/// A host whose output gate opens when the test says so.
#[derive(Default)]
struct Host {
    closed: Cell<bool>,
    gates: Cell<u32>,
    ways: Cell<u32>,
    opened: tokio::sync::Notify,
    egress: EgressPolicy,
}

struct Shared(Rc<Host>);

impl WebHost for Shared {
    fn output_gate(&self) -> Pin<Box<dyn Future<Output = Result<(), String>>>> {
        self.0.gates.set(self.0.gates.get() + 1);
        let host = self.0.clone();
        Box::pin(async move {
            while host.closed.get() {
                host.opened.notified().await;
            }
            Ok(())
        })
    }

    fn give_way(&self) -> bool {
        self.0.ways.set(self.0.ways.get() + 1);
        true
    }

    fn egress(&self) -> &EgressPolicy {
        &self.0.egress
    }

    fn fetch_idle_timeout(&self) -> Duration {
        Duration::from_millis(300)
    }

    fn now(&self) -> f64 {
        12.5
    }

    fn unix_ms(&self) -> f64 {
        1_700_000_000_012.5
    }
}

/// The tests' own server is reached, and nothing else that is not public.
static LOCAL: std::sync::LazyLock<EgressPolicy> = std::sync::LazyLock::new(|| EgressPolicy {
    allow: vec!["127.0.0.1".parse().unwrap(), "*".parse().unwrap()],
    deny: vec!["denied.example".parse().unwrap()],
    ..EgressPolicy::default()
});

const PRELUDE: &str = r"
    globalThis.tests = [];
    globalThis.test = (name, body) => tests.push([name, body]);
    const show = (value) => typeof value === 'string' ? JSON.stringify(value) : value instanceof Error ? `${value}` :
        ArrayBuffer.isView(value) ? `[${Array.from(value)}]` : typeof value === 'object' ? JSON.stringify(value) : String(value);
    globalThis.equal = (actual, expected, what = '') => {
        if (!Object.is(actual, expected) && show(actual) !== show(expected)) {
            throw new Error(`${what} expected ${show(expected)}, got ${show(actual)}`);
        }
    };
    globalThis.ok = (value, what = '') => { if (!value) throw new Error(`${what} is ${show(value)}`) };
    globalThis.throws = (body, name, text = '') => {
        try { body() } catch (error) { return expectError(error, name, text) }
        throw new Error(`expected ${name}, nothing was thrown`);
    };
    globalThis.rejects = async (promise, name, text = '') => {
        try { await promise } catch (error) { return expectError(error, name, text) }
        throw new Error(`expected ${name}, nothing was thrown`);
    };
    const expectError = (error, name, text) => {
        if (error?.name !== name || !String(error.message).includes(text)) {
            throw new Error(`expected ${name} with ${JSON.stringify(text)}, got ${error?.name}: ${error?.message}`);
        }
        return error;
    };
    globalThis.sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
";

const RUN: &str = r"
    (async () => {
        const failed = [];
        for (const [name, body] of tests) {
            try { await Promise.race([body(), sleep(30000).then(() => { throw new Error('it took too long') })]) }
            catch (error) { failed.push(`${name}: ${error?.message ?? error}\n${error?.stack ?? ''}`) }
        }
        done(failed.join('\n'));
    })()";

/// Runs the tests of one file; `origin` is a server for `fetch`.
fn run_file(file: &'static str, source: &'static str, egress: EgressPolicy) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async move {
        let origin = serve().await;
        let runtime = AsyncRuntime::new().unwrap();
        let context = AsyncContext::full(&runtime).await.unwrap();
        let host = Rc::new(Host {
            egress,
            ..Host::default()
        });
        let outcome = Rc::new(RefCell::new(None));
        let finished = Rc::new(tokio::sync::Notify::new());
        let (slot, bell) = (outcome.clone(), finished.clone());
        context
            .with(|ctx| {
                web::install(&ctx, Rc::new(Shared(host.clone())))
                    .catch(&ctx)
                    .unwrap();
                let globals = ctx.globals();
                globals.set("setTimeout", Func::from(set_timeout)).unwrap();
                globals.set("origin", origin).unwrap();
                let gate = host.clone();
                globals
                    .set("closeGate", Func::from(move || gate.closed.set(true)))
                    .unwrap();
                let gate = host.clone();
                let open = move || {
                    gate.closed.set(false);
                    gate.opened.notify_waiters();
                };
                globals.set("openGate", Func::from(open)).unwrap();
                let gate = host.clone();
                globals
                    .set("gates", Func::from(move || gate.gates.get()))
                    .unwrap();
                let ways = host.clone();
                globals
                    .set("ways", Func::from(move || ways.ways.get()))
                    .unwrap();
                let done = move |failed: String| {
                    *slot.borrow_mut() = Some(failed);
                    bell.notify_one();
                };
                globals.set("done", Func::from(done)).unwrap();
                globals.set("node", Func::from(node_module)).unwrap();
                ctx.eval::<(), _>(PRELUDE).catch(&ctx).unwrap();
                if let Err(error) = ctx.eval::<(), _>(source).catch(&ctx) {
                    panic!("{file}: {error}");
                }
                let count: usize = ctx.eval("tests.length").unwrap();
                assert!(count > 0, "{file} has no tests");
                ctx.eval::<(), _>(RUN).catch(&ctx).unwrap();
            })
            .await;
        tokio::select! {
            () = runtime.drive() => {}
            () = finished.notified() => {}
        }
        let failed = outcome.borrow_mut().take().expect("the tests end");
        assert!(failed.is_empty(), "{file}:\n{failed}");
    });
}

/// `node(name)`: what a module exports; `node('globals')` installs the globals.
fn node_module<'js>(ctx: Ctx<'js>, name: String) -> rquickjs::Result<Option<Object<'js>>> {
    match name.as_str() {
        "globals" => node::install_globals(&ctx).map(|()| None),
        name => node::exports(&ctx, name),
    }
}

fn set_timeout<'js>(ctx: Ctx<'js>, callback: Function<'js>, ms: rquickjs::prelude::Opt<f64>) {
    let delay = Duration::from_secs_f64(ms.0.unwrap_or_default().max(0.0) / 1_000.0);
    ctx.spawn(async move {
        tokio::time::sleep(delay).await;
        callback.call::<_, ()>(()).unwrap();
    });
}

macro_rules! files {
    ($($name:ident,)*) => {
        $(#[test]
        fn $name() {
            run_file(stringify!($name), include_str!(concat!("web/", stringify!($name), ".js")), LOCAL.clone());
        })*
    };
}

files! {
    url,
    encoding,
    events,
    abort,
    blob,
    headers,
    form_data,
    body,
    fetch,
    streams,
    transform,
    compression,
    url_pattern,
    crypto,
    platform,
    clone,
    lazy,
    node_async_hooks,
    node_events,
    node_path,
    node_util,
    node_assert,
    node_buffer,
    node_crypto,
    node_stream,
    node_process,
    node_url,
    node_others,
}

// ---- messages between the host and a program ---------------------------------------------------

/// Runs `work` in a context with the web APIs, on an event loop.
fn with_context(work: impl AsyncFnOnce(&AsyncContext)) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async move {
        let runtime = AsyncRuntime::new().unwrap();
        let context = AsyncContext::full(&runtime).await.unwrap();
        context
            .with(|ctx| web::install(&ctx, Rc::new(Shared(Rc::default()))).unwrap())
            .await;
        tokio::select! {
            () = runtime.drive() => {}
            () = work(&context) => {}
        }
    });
}

/// Counts what is asked of it.
#[derive(Default)]
struct Parts {
    left: RefCell<Vec<&'static str>>,
    pulls: Cell<u32>,
    cancelled: Cell<bool>,
}

impl PullSource for Parts {
    fn pull(self: Rc<Self>) -> Pin<Box<dyn Future<Output = Result<Option<Bytes>, String>>>> {
        self.pulls.set(self.pulls.get() + 1);
        Box::pin(async move {
            let part = self.left.borrow_mut().pop();
            match part {
                Some("broken") => Err("the client went away".to_owned()),
                part => Ok(part.map(|part| Bytes::from_static(part.as_bytes()))),
            }
        })
    }

    fn cancel(&self) {
        self.cancelled.set(true);
    }
}

#[test]
fn what_is_no_message_has_no_parts() {
    with_context(async |context| {
        context
            .with(|ctx| {
                for source in [
                    "1",
                    "null",
                    "({})",
                    "'x'",
                    "new Headers()",
                    "Object.create(null)",
                ] {
                    let value: Value<'_> = ctx.eval(source).unwrap();
                    assert!(message::request_parts(&ctx, &value).unwrap().is_none());
                    assert!(message::response_parts(&ctx, &value).unwrap().is_none());
                }
                let request: Value<'_> = ctx.eval("new Request('http://a/')").unwrap();
                assert!(message::response_parts(&ctx, &request).unwrap().is_none());
                let forged: Value<'_> = ctx.eval("Object.create(Response.prototype)").unwrap();
                assert!(message::response_parts(&ctx, &forged).is_err());
                ctx.catch();
                let error: Value<'_> = ctx.eval("Response.error()").unwrap();
                assert!(message::response_parts(&ctx, &error).is_err());
                ctx.catch();
                let used: Value<'_> = ctx
                    .eval("{ const used = new Response('x'); used.text(); used }")
                    .unwrap();
                assert!(message::take_body(&ctx, &used).is_err());
                let caught = ctx.catch();
                let message: String = caught.as_object().unwrap().get("message").unwrap();
                assert!(message.contains("already been used"), "{message}");
            })
            .await;
    });
}

#[test]
fn a_request_goes_in_and_a_response_comes_out() {
    with_context(async |context| {
        let source = Rc::new(Parts::default());
        *source.left.borrow_mut() = vec!["three", "two", "one"];
        let seen = source.clone();
        let (head, text) = rquickjs::async_with!(context => |ctx| {
            let mut headers = http::HeaderMap::new();
            for (name, value) in [("x-a", "1"), ("cookie", "a=1"), ("x-a", "2"), ("cookie", "b=2")] {
                headers.append(name, value.parse().unwrap());
            }
            let body = NewBody::Source(source.clone());
            let request = message::new_request(&ctx, &http::Method::POST, "http://h/p?q", &headers, body, None).unwrap();
            // Nothing is pulled before the program reads.
            assert_eq!(source.pulls.get(), 0);
            ctx.globals().set("request", request).unwrap();
            let handler: rquickjs::Promise<'_> = ctx.eval(r"(async () => {
                const { method, url, headers } = request;
                const stream = new ReadableStream({
                    start(c) { c.enqueue(new TextEncoder().encode(`${method} ${url} ${headers.get('x-a')} ${headers.get('cookie')}|`)) },
                    async pull(c) { c.enqueue(await request.bytes()); c.close() },
                });
                const response = new Response(stream, { status: 201, statusText: 'Made', headers: [['set-cookie', 'a'], ['set-cookie', 'b'], ['X-l', 'é']] });
                response.headers.append('later', 'yes');
                return response;
            })()").catch(&ctx).unwrap();
            let response: Value<'_> = handler.into_future().await.catch(&ctx).unwrap();
            let parts = message::response_parts(&ctx, &response).unwrap().unwrap();
            let mut text = Vec::new();
            match message::take_body(&ctx, &response).unwrap() {
                TakenBody::Source(reader) => {
                    while let Some(chunk) = reader.next().await.catch(&ctx).unwrap() {
                        text.extend_from_slice(&chunk);
                    }
                }
                _ => panic!("it is a stream"),
            }
            ((parts.status, parts.status_text, parts.headers), String::from_utf8(text).unwrap())
        })
        .await;
        assert_eq!(text, "POST http://h/p?q 1, 2 a=1; b=2|onetwothree");
        assert_eq!((head.0.as_u16(), head.1.as_str()), (201, "Made"));
        assert_eq!(head.2.get_all("set-cookie").iter().count(), 2);
        assert_eq!(head.2["x-l"].as_bytes(), [0xE9]);
        assert_eq!(head.2["later"], "yes");
        assert_eq!((seen.pulls.get(), seen.cancelled.get()), (4, false));
    });
}

#[test]
fn a_body_passed_on_moves_without_a_stream() {
    with_context(async |context| {
        let source = Rc::new(Parts::default());
        *source.left.borrow_mut() = vec!["broken", "one"];
        let failure = rquickjs::async_with!(context => |ctx| {
            let headers = http::HeaderMap::new();
            let body = NewBody::Source(source.clone());
            let response = message::new_response(&ctx, http::StatusCode::OK, &headers, body, "http://h/", None).unwrap();
            let TakenBody::Source(reader) = message::take_body(&ctx, &response).unwrap() else {
                panic!("it is not here yet");
            };
            assert_eq!(reader.next().await.unwrap().unwrap(), "one");
            let failure = reader.next().await.catch(&ctx).unwrap_err().to_string();
            reader.cancel("enough").await;
            let body = NewBody::Bytes(Bytes::from_static(b"all"));
            let response = message::new_response(&ctx, http::StatusCode::OK, &headers, body, "", None).unwrap();
            assert!(matches!(message::take_body(&ctx, &response).unwrap(), TakenBody::Bytes(bytes) if bytes == "all"));
            assert!(message::take_body(&ctx, &response).is_err());
            ctx.catch();
            let empty = message::new_response(&ctx, http::StatusCode::OK, &headers, NewBody::Empty, "", None).unwrap();
            assert!(matches!(message::take_body(&ctx, &empty).unwrap(), TakenBody::Empty));
            failure
        })
        .await;
        assert!(failure.contains("the client went away"), "{failure}");
    });
}

// ---- what it costs ---------------------------------------------------------------------------------

#[test]
fn an_untouched_context_costs_little() {
    const MOST_BYTES: i64 = 15_000;
    let runtime = Runtime::new().unwrap();
    let context = Context::full(&runtime).unwrap();
    let before = runtime.memory_usage().malloc_size;
    context.with(|ctx| web::install(&ctx, Rc::new(Shared(Rc::default()))).unwrap());
    let cost = runtime.memory_usage().malloc_size - before;
    println!("install: {cost} bytes");
    assert!(cost < MOST_BYTES, "{cost} bytes");
}

/// `cargo test --release -p dolmen-js --test web -- --ignored --nocapture measure`
#[test]
#[ignore = "a measurement"]
fn measure() {
    const ROUNDS: u32 = 500;
    let mut installing = Duration::ZERO;
    for _ in 0..ROUNDS {
        let runtime = Runtime::new().unwrap();
        let context = Context::full(&runtime).unwrap();
        context.with(|ctx| {
            let start = std::time::Instant::now();
            web::install(&ctx, Rc::new(Shared(Rc::default()))).unwrap();
            installing += start.elapsed();
        });
    }
    println!("install: {:?}", installing / ROUNDS);
    for name in [
        "URL",
        "TextEncoder",
        "Event",
        "AbortController",
        "Blob",
        "FormData",
        "Headers",
        "ReadableStream",
        "TransformStream",
        "Response",
        "crypto",
        "performance",
        "structuredClone",
    ] {
        let (mut time, mut bytes) = (Duration::ZERO, 0);
        for round in 0..50 {
            let runtime = Runtime::new().unwrap();
            let context = Context::full(&runtime).unwrap();
            context.with(|ctx| web::install(&ctx, Rc::new(Shared(Rc::default()))).unwrap());
            let before = runtime.memory_usage().malloc_size;
            context.with(|ctx| {
                let start = std::time::Instant::now();
                ctx.globals().get::<_, Value<'_>>(name).catch(&ctx).unwrap();
                if round > 0 {
                    time += start.elapsed();
                }
            });
            bytes = runtime.memory_usage().malloc_size - before;
        }
        println!(
            "first use of {name:<16} {:>9.1?} {bytes:>7} bytes",
            time / 49
        );
    }
    for name in node::names() {
        let (mut time, mut bytes) = (Duration::ZERO, 0);
        for round in 0..20 {
            let runtime = Runtime::new().unwrap();
            let context = Context::full(&runtime).unwrap();
            context.with(|ctx| web::install(&ctx, Rc::new(Shared(Rc::default()))).unwrap());
            let before = runtime.memory_usage().malloc_size;
            context.with(|ctx| {
                let start = std::time::Instant::now();
                node::exports(&ctx, name).catch(&ctx).unwrap();
                if round > 0 {
                    time += start.elapsed();
                }
            });
            bytes = runtime.memory_usage().malloc_size - before;
        }
        println!(
            "first use of node:{name:<20} {:>9.1?} {bytes:>7} bytes",
            time / 19
        );
    }
    let runtime = Runtime::new().unwrap();
    let context = Context::full(&runtime).unwrap();
    context.with(|ctx| {
        web::install(&ctx, Rc::new(Shared(Rc::default()))).unwrap();
        for source in [
            "new Headers({'content-type': 'a', 'x-b': 'c'})",
            "new Request('https://example.com/a', {method: 'POST', body: 'x', headers: {a: 'b'}})",
            "new Response('hello', {headers: {a: 'b'}})",
            "new URL('https://example.com/a?b=c')",
            "new TextEncoder().encode('hello')",
            "structuredClone({a: 1, b: [1, 2]})",
            "crypto.randomUUID()",
            "new Event('x')",
        ] {
            let run: Function<'_> = ctx
                .eval(format!(
                    "() => {{ for (let i = 0; i < 10000; i++) {source} }}"
                ))
                .unwrap();
            let start = std::time::Instant::now();
            run.call::<_, ()>(()).catch(&ctx).unwrap();
            println!("{:>9.2?} {source}", start.elapsed() / 10_000);
        }
    });
}

// ---- a server for fetch ----------------------------------------------------------------------------

type Body = BoxBody<Bytes, Infallible>;

fn full_response(text: &str) -> Response<Body> {
    Response::new(Full::new(Bytes::copy_from_slice(text.as_bytes())).boxed())
}

/// What the server has seen.
#[derive(Default)]
struct Seen {
    connections: Cell<usize>,
    chunks: Cell<usize>,
    left: Cell<usize>,
}

async fn serve() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let seen = Rc::new(Seen::default());
    tokio::task::spawn_local(async move {
        while let Ok((stream, _)) = listener.accept().await {
            seen.connections.set(seen.connections.get() + 1);
            let seen = seen.clone();
            tokio::task::spawn_local(async move {
                let io = hyper_util::rt::TokioIo::new(stream);
                let _ = hyper::server::conn::http1::Builder::new()
                    .serve_connection(io, service_fn(|request| answer(request, seen.clone())))
                    .await;
            });
        }
    });
    origin
}

/// Sends chunks until nobody takes them.
fn flood(seen: &Rc<Seen>, chunks: impl Iterator<Item = Bytes> + 'static, pause: Duration) -> Body {
    let (sender, receiver) = tokio::sync::mpsc::channel::<Bytes>(1);
    let seen = seen.clone();
    tokio::task::spawn_local(async move {
        for chunk in chunks {
            if sender.send(chunk).await.is_err() {
                seen.left.set(seen.left.get() + 1);
                return;
            }
            seen.chunks.set(seen.chunks.get() + 1);
            tokio::time::sleep(pause).await;
        }
    });
    BodyExt::boxed(StreamBody::new(parts(receiver)))
}

async fn answer(request: Request<Incoming>, seen: Rc<Seen>) -> Result<Response<Body>, Infallible> {
    let (head, body) = request.into_parts();
    let full = |text: &str| Full::new(Bytes::copy_from_slice(text.as_bytes())).boxed();
    let redirect = |status: u16, to: &str| {
        Response::builder()
            .status(status)
            .header("location", to)
            .body(full("moved"))
            .unwrap()
    };
    Ok(match head.uri.path() {
        "/echo" => {
            let body = body.collect().await.unwrap().to_bytes();
            let mut text = format!("{} {}\n", head.method, head.uri);
            for (name, value) in &head.headers {
                text += &format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes()));
            }
            text += &format!("\n{}", String::from_utf8_lossy(&body));
            Response::builder()
                .header("content-type", "text/plain")
                .header("set-cookie", "a=1")
                .header("set-cookie", "b=2")
                .body(full(&text))
                .unwrap()
        }
        "/302" => redirect(302, "/echo?moved"),
        "/303" => redirect(303, "echo"),
        "/307" => redirect(307, "/echo"),
        "/loop" => redirect(302, "/loop"),
        "/elsewhere" => redirect(
            302,
            &format!(
                "http://localhost:{}/echo",
                head.headers["host"]
                    .to_str()
                    .unwrap()
                    .split(':')
                    .nth(1)
                    .unwrap()
            ),
        ),
        "/to-private" => redirect(302, "http://169.254.169.254/latest/meta-data"),
        "/to-denied" => redirect(302, "http://denied.example/"),
        "/to-file" => redirect(302, "file:///etc/passwd"),
        "/gzip" | "/gzip-cut" => {
            use std::io::Write;
            let mut encoder =
                flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            encoder
                .write_all("zipped ".repeat(100_000).as_bytes())
                .unwrap();
            let mut bytes = encoder.finish().unwrap();
            if head.uri.path() == "/gzip-cut" {
                bytes.truncate(bytes.len() / 2);
            }
            let chunks = bytes.into_iter().map(|byte| Bytes::from(vec![byte]));
            Response::builder()
                .header("content-encoding", "gzip")
                .body(flood(&seen, chunks, Duration::ZERO))
                .unwrap()
        }
        "/br" => Response::builder()
            .header("content-encoding", "br")
            .body(Full::new(Bytes::from_static(b"\x0b\x02\x80hello\x03")).boxed())
            .unwrap(),
        "/garbled" => Response::builder()
            .header("content-encoding", "br")
            .body(full("this is no brotli"))
            .unwrap(),
        "/stream" => {
            let chunks = ["one", "two", "three"].map(|part| Bytes::from_static(part.as_bytes()));
            Response::new(flood(&seen, chunks.into_iter(), Duration::from_millis(20)))
        }
        "/flood" => {
            let chunks = std::iter::repeat_with(|| Bytes::from(vec![7; 64 << 10]));
            Response::new(flood(&seen, chunks, Duration::ZERO))
        }
        "/silent" => Response::new(flood(
            &seen,
            [b"a", b"b"]
                .map(|part| Bytes::from_static(part))
                .into_iter(),
            Duration::from_secs(60),
        )),
        "/seen" => {
            let Seen {
                connections,
                chunks,
                left,
            } = &*seen;
            full_response(&format!(
                "[{}, {}, {}]",
                connections.get(),
                chunks.get(),
                left.get()
            ))
        }
        "/never" => {
            future::pending::<()>().await;
            unreachable!()
        }
        "/empty" => Response::builder().status(204).body(full("")).unwrap(),
        _ => Response::builder()
            .status(404)
            .body(full("not here"))
            .unwrap(),
    })
}

fn parts(
    receiver: tokio::sync::mpsc::Receiver<Bytes>,
) -> impl futures_core::Stream<Item = Result<Frame<Bytes>, Infallible>> + Send + Sync {
    struct Parts(tokio::sync::mpsc::Receiver<Bytes>);
    impl futures_core::Stream for Parts {
        type Item = Result<Frame<Bytes>, Infallible>;
        fn poll_next(
            mut self: Pin<&mut Self>,
            cx: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Self::Item>> {
            self.0
                .poll_recv(cx)
                .map(|part| part.map(|part| Ok(Frame::data(part))))
        }
    }
    Parts(receiver)
}
