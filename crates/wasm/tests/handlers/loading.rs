//! What is refused, and in which words.

use dolmen_wasm::WasmEngine;

fn refused(bytes: &[u8]) -> String {
    match WasmEngine::load("x.wasm", bytes, None, &[]) {
        Ok(_) => panic!("it is served"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_module_is_refused_with_all_missing_exports_and_unknown_imports_by_name() {
    let module = wat::parse_str(
        r#"(module
            (import "env" "abort" (func))
            (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "path_teleport" (func))
            (func (export "malloc") (param i64) (result i32) (i32.const 0))
            (func (export "memory")))"#,
    )
    .unwrap();
    let message = refused(&module);
    for part in [
        "x.wasm cannot be served",
        "its export `memory` is not a memory",
        "its export `malloc` is (type (func (param i64) (result i32))), not a function from i32 to i32",
        "it does not export `handle_zerobuf`",
        "its import `env.abort` is unknown",
        "its import `wasi_snapshot_preview1.path_teleport` is unknown",
    ] {
        assert!(message.contains(part), "{part:?} is not in {message:?}");
    }
    assert!(!message.contains("fd_write"), "{message}");
}

#[test]
fn an_import_of_another_type_is_refused() {
    let module = wat::parse_str(
        r#"(module
            (import "wasi_snapshot_preview1" "fd_close" (func (param i64) (result i32)))
            (memory (export "memory") 1)
            (func (export "malloc") (param i32) (result i32) (i32.const 0))
            (func (export "handle_zerobuf") (param i32) (result i32) (i32.const 0)))"#,
    )
    .unwrap();
    let message = refused(&module);
    assert!(
        message.contains("wasi_snapshot_preview1::fd_close"),
        "{message}"
    );
}

#[test]
fn what_is_no_module_is_refused() {
    for bytes in [
        &b""[..],
        b"\0asm",
        b"\0asm\x02\0\0\0",
        b"\0asm\x01\0\0\0\xff",
        b"exports = 1",
    ] {
        assert!(
            refused(bytes).contains("is not a WebAssembly module"),
            "{bytes:?}"
        );
    }
}
