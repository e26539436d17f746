//! WASM modules as bundles: how they are reached, and what is kept of them.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use super::process::{Running, run};

/// Counts; `/l` loops, `/t` traps.
const COUNTER: &str = r#"(module
  (memory (export "memory") 1)
  (global $count (mut i32) (i32.const 0))
  (data (i32.const 64) "\02")
  (data (i32.const 68) "\c8")
  (data (i32.const 100) "\80\00\00\00")
  (data (i32.const 128) "\01\00\00\00")
  (func (export "malloc") (param i32) (result i32) (i32.const 1024))
  (func (export "handle_zerobuf") (param $request i32) (result i32) (local $letter i32)
    (local.set $letter (i32.load8_u offset=5 (i32.load offset=20 (local.get $request))))
    (if (i32.eq (local.get $letter) (i32.const 108)) (then (loop $for_ever (br $for_ever))))
    (if (i32.eq (local.get $letter) (i32.const 116)) (then (unreachable)))
    (global.set $count (i32.add (global.get $count) (i32.const 1)))
    (i32.store8 (i32.const 132) (i32.add (i32.const 48) (global.get $count)))
    (i32.const 64)))"#;

fn handler(folder: &Path, wat: &str) -> String {
    let path = folder.join("handler.wasm");
    fs::write(&path, wat::parse_str(wat).unwrap()).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_module_serves_every_path_and_its_objects_have_theirs() {
    let folder = tempfile::tempdir().unwrap();
    let (storage, file) = (
        folder.path().join("objects"),
        handler(folder.path(), COUNTER),
    );
    let flags = ["--bundle", &file, "--shards", "1", "--cpu-timeout", "300ms"];
    let dolmen = Running::start(&storage, &flags);
    assert!(
        dolmen.welcome.contains("HANDLER (class Handler)"),
        "{}",
        dolmen.welcome
    );
    assert!(
        dolmen.welcome.contains("/do/some-name/"),
        "{}",
        dolmen.welcome
    );
    let get = |path: &str| dolmen.ask("GET", path, "");
    let count = |count: &str| (200, count.to_owned());
    for (path, expected) in [
        ("/", "1"),
        ("/rpc/HANDLER/a/m", "2"),
        ("/done", "3"),
        ("/do/a/", "1"),
        ("/do/a/x", "2"),
        ("/fetch/HANDLER/a/x", "3"),
        ("/do/b", "1"),
        ("/do", "1"),
        ("/do/singleton/x", "2"),
    ] {
        assert_eq!(get(path), count(expected), "{path}");
    }
    let (status, body) = get("/do/a/loop");
    assert_eq!(status, 504, "{body}");
    assert_eq!(get("/do/a/"), count("1"), "a fresh instance");
    let (status, body) = get("/do/b/trap");
    assert_eq!(status, 500);
    assert!(body.starts_with("panic: "), "{body}");
    assert_eq!(get("/do/b/"), count("1"));
    assert_eq!(get("/loop").0, 504);
    assert_eq!(get("/"), count("1"), "the worker, too");
    assert_eq!(get("/fetch/NOBODY/a/").0, 404);
}

#[test]
fn compiled_code_is_kept_in_a_private_folder_beside_the_objects() {
    let folder = tempfile::tempdir().unwrap();
    let (storage, file) = (
        folder.path().join("objects"),
        handler(folder.path(), COUNTER),
    );
    let compiled = folder.path().join("objects.compiled");
    let files = || fs::read_dir(&compiled).unwrap().count();
    for _ in 0..2 {
        let dolmen = Running::start(&storage, &["--bundle", &file]);
        assert_eq!(dolmen.ask("GET", "/", "").0, 200);
        let mode = fs::metadata(&compiled).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        assert_eq!(files(), 2, "the key and one module");
    }
    fs::set_permissions(&compiled, fs::Permissions::from_mode(0o755)).unwrap();
    let storage = storage.to_str().unwrap();
    let ended = run(&["--bundle", &file, "--storage", storage]);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.stderr.contains("is open to other users"), "{ended:?}");
}

#[test]
fn a_module_that_cannot_be_served_is_refused_with_the_reasons() {
    let folder = tempfile::tempdir().unwrap();
    for (wat, reason) in [
        ("(module)", "it does not export `handle_zerobuf`"),
        (
            "(component)",
            "it does not export `wasi:http/incoming-handler@0.2.x`",
        ),
        (
            r#"(module (import "env" "f" (func)))"#,
            "its import `env.f` is unknown",
        ),
    ] {
        let file = handler(folder.path(), wat);
        let storage = folder.path().join("objects");
        let ended = run(&["--bundle", &file, "--storage", storage.to_str().unwrap()]);
        assert_eq!(ended.code, Some(3), "{ended:?}");
        assert!(ended.stderr.contains(reason), "{ended:?}");
    }
    let file = handler(folder.path(), COUNTER);
    let manifest = folder.path().join("wrangler.json");
    let bound = r#"{"name": "x", "kv_namespaces": [{"binding": "A", "id": "0"}]}"#;
    fs::write(&manifest, bound).unwrap();
    let manifest = manifest.to_str().unwrap();
    let ended = run(&["--bundle", &file, "--manifest", manifest]);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(
        ended.stderr.contains("environment cannot have A"),
        "{ended:?}"
    );
}
