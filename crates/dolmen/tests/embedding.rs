//! Dolmen inside another program: start, call, serve, stop, start again.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as expected"
)]

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
};

use dolmen::{
    Bundle, Dolmen, ErrorKind, Gateway, GatewayOptions, Handle, Manifest, Payload, RpcCall,
};

async fn call(handle: &Handle, object: &str, method: &str, args: &'static str) -> String {
    let call = RpcCall {
        method: method.into(),
        args: Payload::Json(args.into()),
    };
    let result = handle.rpc("COUNTER", object, call).await.unwrap();
    String::from_utf8(result.bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn the_counter_counts_and_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let start = || {
        Dolmen::builder()
            .storage(folder.path())
            .bundle(Bundle::counter().unwrap())
            .start()
            .unwrap()
    };
    let dolmen = start();
    let handle = dolmen.handle();
    assert_eq!(call(&handle, "a", "increment", "").await, "1");
    assert_eq!(call(&handle, "a", "increment", "[41]").await, "42");
    assert_eq!(call(&handle, "a", "decrement", "[2]").await, "40");
    assert_eq!(call(&handle, "b", "get", "[]").await, "0");
    assert_eq!(call(&handle, "b", "increment", "[7]").await, "7");
    assert_eq!(call(&handle, "b", "reset", "[]").await, "0");
    dolmen.shutdown().await.unwrap();

    let dolmen = start();
    assert_eq!(call(&dolmen.handle(), "a", "get", "").await, "40");
    dolmen.shutdown().await.unwrap();
}

#[tokio::test]
async fn the_counter_answers_over_http() {
    let folder = tempfile::tempdir().unwrap();
    let dolmen = Dolmen::builder()
        .storage(folder.path())
        .bundle(Bundle::counter().unwrap())
        .start()
        .unwrap();
    let gateway = Gateway::bind("127.0.0.1:0", GatewayOptions::default()).unwrap();
    let addr = gateway.local_addr();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let client = tokio::task::spawn_blocking(move || {
        let answers = [
            ask(addr, "POST /rpc/COUNTER/global/increment"),
            ask(addr, "GET /fetch/COUNTER/global/count"),
            ask(addr, "POST /fetch/COUNTER/global/increment"),
            ask(addr, "GET /fetch/COUNTER/global/nope"),
        ];
        drop(stop);
        answers
    });
    dolmen
        .serve(gateway, async { drop(stopped.await) })
        .await
        .unwrap();
    let [incremented, count, again, nope] = client.await.unwrap();
    assert!(
        incremented.ends_with("{\"ok\":true,\"result\":1}"),
        "{incremented}"
    );
    assert!(
        count.contains("content-type: text/plain") && count.ends_with("\r\n\r\n1"),
        "{count}"
    );
    assert!(again.ends_with("\r\n\r\n2"), "{again}");
    assert!(nope.starts_with("HTTP/1.1 404"), "{nope}");
}

fn ask(addr: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(addr).unwrap();
    write!(
        stream,
        "{request} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[tokio::test]
async fn a_manifest_names_the_namespaces() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = Manifest::parse("m.yaml", "objects: {A: Counter, B: Counter}").unwrap();
    let builder = Dolmen::builder()
        .storage(folder.path())
        .bundle(Bundle::counter().unwrap())
        .manifest(manifest);
    let names: Vec<_> = builder
        .namespaces()
        .unwrap()
        .into_iter()
        .map(|spec| spec.name)
        .collect();
    assert_eq!(names, ["A", "B"]);
    let dolmen = builder.start().unwrap();
    let call = || RpcCall {
        method: "increment".into(),
        args: Payload::Json("".into()),
    };
    for namespace in ["A", "B"] {
        let result = dolmen.handle().rpc(namespace, "x", call()).await.unwrap();
        assert_eq!(result, Payload::Json("1".into()));
    }
    dolmen.shutdown().await.unwrap();
}

#[tokio::test]
async fn what_cannot_start_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let kind = |builder: dolmen::Builder| builder.start().unwrap_err().kind();
    assert_eq!(
        kind(Dolmen::builder().storage(folder.path())),
        ErrorKind::Bundle
    );

    let counter = || Dolmen::builder().bundle(Bundle::counter().unwrap());
    let first = counter().storage(folder.path()).start().unwrap();
    assert_eq!(
        kind(counter().storage(folder.path())),
        ErrorKind::StorageHeld
    );
    first.shutdown().await.unwrap();

    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    assert_eq!(kind(counter().storage(file.join("x"))), ErrorKind::Storage);
    counter()
        .storage(folder.path())
        .start()
        .unwrap()
        .shutdown()
        .await
        .unwrap();
}

#[test]
fn a_bundle_that_cannot_be_loaded_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let load = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        Bundle::from_file(&path).map(|bundle| bundle.classes().to_vec())
    };
    assert_eq!(
        load(
            "ok.js",
            "\u{feff}exports.objects = { A: class {} };".as_bytes()
        )
        .unwrap(),
        ["A"]
    );
    for (name, content, part) in [
        ("syntax.js", &b"let a = 1;\nlet b = ;\n"[..], "syntax.js:2:"),
        ("throws.js", b"\n\nthrow new Error('no')", "throws.js:3"),
        (
            "none.js",
            b"exports.other = 1",
            "none.js: the bundle exports no objects",
        ),
        ("bytes.js", b"ab\xff", "bytes.js is not UTF-8 at byte 2"),
    ] {
        let error = load(name, content).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Bundle);
        assert!(error.message().contains(part), "{error}");
    }
    let error = Bundle::from_file(folder.path().join("missing.js")).unwrap_err();
    assert!(
        error.message().contains("missing.js cannot be read"),
        "{error}"
    );
}

#[test]
fn a_bundle_is_loaded_with_the_bindings_of_its_manifest() {
    let manifest = Manifest::parse("m.yaml", "vars: {A: text}").unwrap();
    let source = "exports.objects = { Echo: class {} };";
    let start = |bundle| Dolmen::builder().bundle(bundle).manifest(manifest.clone());

    let without = start(Bundle::from_source("b.js", source).unwrap());
    let error = without.namespaces().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Manifest);
    assert!(error.message().contains("the member A"), "{error}");

    let bindings = manifest.bindings().clone();
    let with = start(Bundle::from_source_with("b.js", source, bindings).unwrap());
    assert_eq!(with.namespaces().unwrap()[0].name, "ECHO");
}

#[test]
fn a_manifest_gives_a_namespace_its_unique_key() {
    let manifest = Manifest::parse(
        "m.yaml",
        "objects: {A: {class: Counter, uniqueKey: chat-Counter}, B: Counter}",
    )
    .unwrap();
    let namespaces = Dolmen::builder()
        .bundle(Bundle::counter().unwrap())
        .manifest(manifest)
        .namespaces()
        .unwrap();
    let keys: Vec<_> = namespaces.iter().map(|it| it.unique_key.as_str()).collect();
    assert_eq!(keys, ["chat-Counter", "B"]);
}
