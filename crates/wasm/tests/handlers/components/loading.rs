//! Which components are served.

use dolmen_wasm::{LoadError, WasmEngine};

use super::component;

fn refused(wat: &str) -> String {
    let bytes = wat::parse_str(wat).unwrap();
    match WasmEngine::load("x.wasm", &bytes, None, &[]) {
        Err(error @ LoadError::Unfit { .. }) => error.to_string(),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it is served"),
    }
}

#[test]
fn a_component_is_refused_with_its_missing_export_and_all_unknown_imports_by_name() {
    let message = refused(
        r#"(component
            (import "wasi:cli/stdin@0.2.3" (instance))
            (import "wasi:cli/stdin@0.3.0" (instance))
            (import "wasi:blobstore/blobstore@0.2.0-draft" (instance))
            (import "dolmen:object/storage@0.2.0" (instance))
            (import "print" (func)))"#,
    );
    for part in [
        "x.wasm cannot be served",
        "it does not export `wasi:http/incoming-handler@0.2.x`",
        "its import `wasi:cli/stdin@0.3.0` is unknown",
        "its import `wasi:blobstore/blobstore@0.2.0-draft` is unknown",
        "its import `dolmen:object/storage@0.2.0` is unknown",
        "its import `print` is unknown",
    ] {
        assert!(message.contains(part), "{part:?} is not in {message:?}");
    }
    assert!(!message.contains("stdin@0.2.3"), "{message}");
}

#[test]
fn a_function_of_another_type_or_that_is_not_there_is_refused() {
    for (function, what) in [
        ("(export \"get-stdin\" (func))", "get-stdin"),
        ("(export \"get-nothing\" (func))", "get-nothing"),
    ] {
        let good = component("(func $answer (param i32 i32))");
        let import = format!(
            "(component $component (import \"wasi:cli/stdin@0.2.0\" (instance {function}))"
        );
        let message = refused(&good.replacen("(component $component", &import, 1));
        assert!(message.contains(what), "{message}");
    }
}

#[test]
fn a_handler_of_another_type_is_refused() {
    let message = refused(
        r#"(component
            (core module $m (func (export "handle")))
            (core instance $i (instantiate $m))
            (func $handle (canon lift (core func $i "handle")))
            (instance $handler (export "handle" (func $handle)))
            (export "wasi:http/incoming-handler@0.2.0" (instance $handler)))"#,
    );
    assert!(message.contains("handle"), "{message}");
}

#[test]
fn what_is_no_component_is_refused() {
    let bytes = wat::parse_str("(component)").unwrap();
    let cut = &bytes[..bytes.len().min(8)];
    let broken = [cut, b"\xff"].concat();
    let Err(error) = WasmEngine::load("x.wasm", &broken, None, &[]) else {
        panic!("it is served");
    };
    assert!(matches!(error, LoadError::Invalid { .. }), "{error}");
}
