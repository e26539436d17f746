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
    web::{self, WebHost},
};
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
    opened: tokio::sync::Notify,
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

    fn now(&self) -> f64 {
        12.5
    }

    fn unix_ms(&self) -> f64 {
        1_700_000_000_012.5
    }
}

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
            try { await Promise.race([body(), sleep(5000).then(() => { throw new Error('it took too long') })]) }
            catch (error) { failed.push(`${name}: ${error?.message ?? error}\n${error?.stack ?? ''}`) }
        }
        done(failed.join('\n'));
    })()";

/// Runs the tests of one file; `origin` is a server for `fetch`.
fn run_file(file: &'static str, source: &'static str) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async move {
        let origin = serve().await;
        let runtime = AsyncRuntime::new().unwrap();
        let context = AsyncContext::full(&runtime).await.unwrap();
        let host = Rc::new(Host::default());
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
            run_file(stringify!($name), include_str!(concat!("web/", stringify!($name), ".js")));
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

async fn serve() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    tokio::task::spawn_local(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::task::spawn_local(async move {
                let io = hyper_util::rt::TokioIo::new(stream);
                let _ = hyper::server::conn::http1::Builder::new()
                    .serve_connection(io, service_fn(answer))
                    .await;
            });
        }
    });
    origin
}

async fn answer(request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
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
        "/gzip" => {
            use std::io::Write;
            let mut encoder =
                flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            encoder
                .write_all("zipped ".repeat(100_000).as_bytes())
                .unwrap();
            let body = Full::new(Bytes::from(encoder.finish().unwrap())).boxed();
            Response::builder()
                .header("content-encoding", "gzip")
                .body(body)
                .unwrap()
        }
        "/stream" => {
            let (sender, receiver) = tokio::sync::mpsc::channel::<Bytes>(1);
            tokio::task::spawn_local(async move {
                for part in ["one", "two", "three"] {
                    if sender
                        .send(Bytes::from_static(part.as_bytes()))
                        .await
                        .is_err()
                    {
                        return;
                    }
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            });
            let stream = parts(receiver);
            Response::new(BodyExt::boxed(StreamBody::new(stream)))
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
