//! A runtime with one bundle and a temporary storage folder.

use std::{path::Path, sync::Arc, time::Duration};

use bytes::Bytes;
use dolmen_js::JsEngine;
use dolmen_runtime::{
    Clock, EgressPolicy, Error, ErrorKind, FetchRequest, FetchResponse, Handle, NamespaceSpec,
    Options, Payload, RpcCall, Runtime, storage,
};
use serde_json::Value;
use tempfile::TempDir;

pub struct World {
    pub handle: Handle,
    runtime: Option<Runtime>,
    folder: TempDir,
    source: String,
    options: Options,
    disk: storage::Options,
    clock: Clock,
}

const LONGEST_TEST: Duration = Duration::from_secs(60);

/// Options whose time-out never decides a test that is not about it.
pub fn options() -> Options {
    Options {
        shards: 2,
        cpu_timeout: Duration::from_secs(20),
        // Servers of tests listen on loopback.
        egress: EgressPolicy {
            allow_private: true,
            ..EgressPolicy::default()
        },
        ..Options::default()
    }
}

fn start(
    source: &str,
    folder: &Path,
    options: &Options,
    disk: &storage::Options,
    clock: &Clock,
) -> Runtime {
    let engine = JsEngine::load("bundle.js", source).unwrap();
    let namespaces = engine
        .classes()
        .iter()
        .map(|class| NamespaceSpec {
            name: class.to_uppercase(),
            class: class.clone(),
            unique_key: class.to_uppercase(),
        })
        .collect();
    let storage = storage::Storage::open(folder, disk.clone()).unwrap();
    Runtime::start(
        Arc::new(engine),
        namespaces,
        storage,
        options.clone(),
        clock.clone(),
    )
    .unwrap()
}

impl World {
    pub async fn call(&self, object: &str, method: &str, args: &str) -> Result<Value, Error> {
        call(&self.handle, object, method, args).await
    }

    /// Calls a method that must succeed.
    pub async fn ok(&self, object: &str, method: &str, args: &str) -> Value {
        self.call(object, method, args)
            .await
            .unwrap_or_else(|error| panic!("{object}.{method}{args}: {error} {:?}", error.detail()))
    }

    /// Calls a method that must fail.
    pub async fn err(&self, object: &str, method: &str, args: &str) -> (ErrorKind, String) {
        match self.call(object, method, args).await {
            Ok(value) => panic!("{object}.{method}{args} gave {value}"),
            Err(error) => (error.kind(), error.message().to_owned()),
        }
    }

    pub async fn fetch(&self, object: &str, request: FetchRequest) -> Result<FetchResponse, Error> {
        let (namespace, name) = object.split_once('/').unwrap();
        self.handle.fetch(namespace, name, request).await
    }

    pub async fn stop(&mut self) {
        self.runtime.take().unwrap().shutdown().await.unwrap();
    }

    /// From the next start on, storage is on another disk.
    pub fn use_disk(&mut self, disk: storage::Options) {
        self.disk = disk;
    }

    pub async fn restart(&mut self) {
        self.stop().await;
        self.start();
    }

    /// Starts again after a [`stop`](Self::stop).
    pub fn start(&mut self) {
        let runtime = start(
            &self.source,
            self.folder.path(),
            &self.options,
            &self.disk,
            &self.clock,
        );
        self.handle = runtime.handle();
        self.runtime = Some(runtime);
    }

    /// Stops, lets `time` pass, and starts again.
    pub async fn stop_for(&mut self, clock: Arc<dolmen_runtime::ManualClock>, time: Duration) {
        self.stop().await;
        clock.advance(time);
        self.start();
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

pub async fn call(handle: &Handle, object: &str, method: &str, args: &str) -> Result<Value, Error> {
    let (namespace, name) = object.split_once('/').unwrap();
    let args = Payload::Json(Bytes::copy_from_slice(args.as_bytes()));
    let payload = handle
        .rpc(
            namespace,
            name,
            RpcCall {
                method: method.to_owned(),
                args,
            },
        )
        .await?;
    Ok(serde_json::from_slice(payload.bytes()).unwrap())
}

/// Runs a test in a world made of `source`, and shuts it down.
pub fn in_world(source: &str, test: impl AsyncFnOnce(&mut World)) {
    in_world_with(source, options(), Clock::system(), test);
}

pub fn in_world_with(
    source: &str,
    options: Options,
    clock: Clock,
    test: impl AsyncFnOnce(&mut World),
) {
    in_world_on(source, options, storage::Options::default(), clock, test);
}

/// As [`in_world`], with storage on a disk of the test's own.
pub fn in_world_on(
    source: &str,
    options: Options,
    disk: storage::Options,
    clock: Clock,
    test: impl AsyncFnOnce(&mut World),
) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let runtime = start(source, folder.path(), &options, &disk, &clock);
        let handle = runtime.handle();
        let source = source.to_owned();
        let mut world = World {
            handle,
            runtime: Some(runtime),
            folder,
            source,
            options,
            disk,
            clock,
        };
        // A test that waits for ever must not hold up all the others.
        tokio::time::timeout(LONGEST_TEST, test(&mut world))
            .await
            .expect("the test did not end");
        if world.runtime.is_some() {
            world.stop().await;
        }
    });
}
