//! WebAssembly modules that a worker imports: checked and compiled when the bundle is loaded.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use dolmen::{Bindings, Bundle};

const GUEST: &str = r#"(module
    (func (export "one") (result i32) (i32.const 1))
    (func (export "forever") (loop $l (br $l))))"#;

/// A folder with a worker that imports `guest.wasm` and does `more` at its top level.
fn worker(folder: &Path, guest: &[u8], more: &str) -> PathBuf {
    fs::write(folder.join("guest.wasm"), guest).unwrap();
    let source = format!(
        "import guest from './guest.wasm';\nconst {{ exports }} = new WebAssembly.Instance(guest);\n{more}\nexport default {{ fetch() {{ return new Response(String(exports.one())) }} }};"
    );
    let file = folder.join("worker.mjs");
    fs::write(&file, source).unwrap();
    file
}

fn load(file: &Path, compiled: &Path) -> Result<Bundle, String> {
    let loaded = Bundle::from_file_cached(file, Bindings::default(), Some(compiled));
    loaded.map_err(|error| error.to_string())
}

fn inodes(folder: &Path) -> Vec<u64> {
    let entries = fs::read_dir(folder).unwrap();
    let mut all: Vec<_> = entries
        .map(|entry| entry.unwrap().metadata().unwrap().ino())
        .collect();
    all.sort_unstable();
    all
}

#[test]
fn an_import_that_is_no_module_is_refused_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let compiled = folder.path().join("compiled");
    let component = wat::parse_str("(component)").unwrap();
    let threads = wat::parse_str("(module (memory 1 1 shared))").unwrap();
    for (guest, says) in [
        (&b"hello"[..], "magic"),
        (b"", "empty"),
        (&component, "component"),
        (&threads, "threads"),
    ] {
        let error = load(&worker(folder.path(), guest, ""), &compiled).unwrap_err();
        assert!(error.contains("guest.wasm"), "{error}");
        assert!(error.contains(says), "{says}: {error}");
    }
    let file = worker(folder.path(), b"", "");
    fs::remove_file(folder.path().join("guest.wasm")).unwrap();
    let error = load(&file, &compiled).unwrap_err();
    assert!(error.contains("guest.wasm"), "{error}");
}

#[test]
fn compiled_code_is_kept_and_taken_from_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let compiled = folder.path().join("compiled");
    let guest = wat::parse_str(GUEST).unwrap();
    let check = "if (exports.one() !== 1) throw new Error('not one');";
    let file = worker(folder.path(), &guest, check);
    load(&file, &compiled).unwrap();
    let kept = inodes(&compiled);
    assert_eq!(kept.len(), 2, "the key and the module");
    load(&file, &compiled).unwrap();
    assert_eq!(inodes(&compiled), kept, "nothing is written again");
    fs::set_permissions(&compiled, fs::Permissions::from_mode(0o755)).unwrap();
    let error = load(&file, &compiled).unwrap_err();
    assert!(error.contains("the folder of compiled code"), "{error}");
    let source = "export default { fetch() {} };";
    fs::write(&file, source).unwrap();
    load(&file, &compiled).expect("who imports no module needs no folder");
}

#[test]
fn a_top_level_that_does_not_end_in_webassembly_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let guest = wat::parse_str(GUEST).unwrap();
    let file = worker(folder.path(), &guest, "exports.forever();");
    let error = load(&file, &folder.path().join("compiled")).unwrap_err();
    assert!(error.contains("did not end within"), "{error}");
}
