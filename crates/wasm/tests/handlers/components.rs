//! Components written in WAT: the frame that they share, and their tests.

mod events;
mod exchange;
mod hostile;
mod loading;
mod outgoing;
mod storage;

use std::fmt::Write;

/// Imported functions: the instance, the name there, the name here and its type.
const FUNCTIONS: &[(&str, &str, &str, &str)] = &[
    ("poll", "[method]pollable.block", "block", "(param i32)"),
    (
        "streams",
        "[method]output-stream.blocking-write-and-flush",
        "write_some",
        "(param i32 i32 i32 i32)",
    ),
    (
        "streams",
        "[method]input-stream.blocking-read",
        "read_some",
        "(param i32 i64 i32)",
    ),
    (
        "clock",
        "subscribe-duration",
        "subscribe",
        "(param i64) (result i32)",
    ),
    ("random", "get-random-bytes", "random", "(param i64 i32)"),
    ("stdout", "get-stdout", "get_stdout", "(result i32)"),
    ("exit", "exit", "exit", "(param i32)"),
    (
        "environment",
        "get-environment",
        "environment",
        "(param i32)",
    ),
    ("preopens", "get-directories", "directories", "(param i32)"),
    ("types", "[constructor]fields", "new_fields", "(result i32)"),
    (
        "types",
        "[method]fields.append",
        "append",
        "(param i32 i32 i32 i32 i32 i32)",
    ),
    (
        "types",
        "[method]incoming-request.path-with-query",
        "path_of",
        "(param i32 i32)",
    ),
    (
        "types",
        "[method]incoming-request.authority",
        "authority",
        "(param i32 i32)",
    ),
    (
        "types",
        "[method]incoming-request.consume",
        "consume",
        "(param i32 i32)",
    ),
    (
        "types",
        "[method]incoming-body.stream",
        "body_stream",
        "(param i32 i32)",
    ),
    (
        "types",
        "[constructor]outgoing-response",
        "new_response",
        "(param i32) (result i32)",
    ),
    (
        "types",
        "[method]outgoing-response.set-status-code",
        "set_status",
        "(param i32 i32) (result i32)",
    ),
    (
        "types",
        "[method]outgoing-response.body",
        "response_body",
        "(param i32 i32)",
    ),
    (
        "types",
        "[method]outgoing-body.write",
        "body_write",
        "(param i32 i32)",
    ),
    (
        "types",
        "[static]outgoing-body.finish",
        "body_finish",
        "(param i32 i32 i32 i32)",
    ),
    (
        "types",
        "[static]response-outparam.set",
        "set",
        "(param i32 i32 i32 i32 i64 i32 i32 i32 i32)",
    ),
    (
        "types",
        "[constructor]outgoing-request",
        "new_request",
        "(param i32) (result i32)",
    ),
    (
        "types",
        "[method]outgoing-request.set-method",
        "set_method",
        "(param i32 i32 i32 i32) (result i32)",
    ),
    (
        "types",
        "[method]outgoing-request.set-path-with-query",
        "set_path",
        "(param i32 i32 i32 i32) (result i32)",
    ),
    (
        "types",
        "[method]outgoing-request.set-scheme",
        "set_scheme",
        "(param i32 i32 i32 i32 i32) (result i32)",
    ),
    (
        "types",
        "[method]outgoing-request.set-authority",
        "set_authority",
        "(param i32 i32 i32 i32) (result i32)",
    ),
    (
        "types",
        "[method]outgoing-request.body",
        "request_body",
        "(param i32 i32)",
    ),
    (
        "types",
        "[method]future-incoming-response.subscribe",
        "future_subscribe",
        "(param i32) (result i32)",
    ),
    (
        "types",
        "[method]future-incoming-response.get",
        "future_get",
        "(param i32 i32)",
    ),
    (
        "types",
        "[method]incoming-response.status",
        "status",
        "(param i32) (result i32)",
    ),
    (
        "types",
        "[method]incoming-response.consume",
        "response_consume",
        "(param i32 i32)",
    ),
    ("outgoing", "handle", "fetch", "(param i32 i32 i32 i32)"),
    ("storage", "get", "storage_get", "(param i32 i32 i32)"),
    (
        "storage",
        "put",
        "storage_put",
        "(param i32 i32 i32 i32 i32)",
    ),
    ("storage", "delete", "storage_delete", "(param i32 i32 i32)"),
    (
        "storage",
        "list-keys",
        "list_keys",
        "(param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)",
    ),
    ("storage", "sql", "sql", "(param i32 i32 i32 i32 i32)"),
    ("alarm", "get", "alarm_get", "(param i32)"),
    ("alarm", "set", "alarm_set", "(param i64 i32)"),
    (
        "sockets",
        "send",
        "send",
        "(param i64 i32 i32 i32) (result i32)",
    ),
    (
        "sockets",
        "broadcast",
        "broadcast",
        "(param i32 i32 i32 i32 i64) (result i32)",
    ),
    ("sockets", "close", "close", "(param i64 i32 i32 i32 i32)"),
    ("sockets", "attach", "attach", "(param i64 i32 i32 i32)"),
    ("sockets", "attachment", "attachment", "(param i64 i32)"),
    ("identity", "name", "name", "(param i32)"),
    ("keyvalue", "open", "kv_open", "(param i32 i32 i32)"),
    (
        "keyvalue",
        "[method]bucket.get",
        "kv_get",
        "(param i32 i32 i32 i32)",
    ),
    (
        "keyvalue",
        "[method]bucket.set",
        "kv_set",
        "(param i32 i32 i32 i32 i32 i32)",
    ),
];
/// Resources that are dropped: the type, and the function that drops one.
const DROPS: &[(&str, &str)] = &[
    ("pollable_t", "drop_pollable"),
    ("output_t", "drop_output"),
    ("input_t", "drop_input"),
    ("outgoing_body_t", "drop_body"),
    ("outparam_t", "drop_outparam"),
    ("future_t", "drop_future"),
];

/// Memory and its allocator, in a module of their own, because what is imported needs them.
const MEMORY: &str = r#"
  (core module $memory_module
    (memory (export "memory") 2)
    (global $heap (mut i32) (i32.const 65536))
    (func (export "reset") (global.set $heap (i32.const 65536)))
    (func (export "realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32) (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 7)) (i32.const -8)))
      (global.set $heap (i32.add (local.get $at) (local.get $size)))
      (loop $more
        (if (i32.gt_u (global.get $heap) (i32.mul (memory.size) (i32.const 65536))) (then
          (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then (unreachable)))
          (br $more))))
      (local.get $at)))
  (core instance $memory (instantiate $memory_module))
  (alias core export $memory "memory" (core memory $mem))
  (alias core export $memory "realloc" (core func $realloc))
"#;

/// A component whose core module has `parts`, among them `$answer`, which takes the request and where the response is
/// set.
pub fn component(parts: &str) -> String {
    framed(parts, "")
}

/// As [`component`], with more at its end.
pub fn framed(parts: &str, end: &str) -> String {
    let mut lowered = String::new();
    let mut given = String::new();
    let mut wanted = String::new();
    for (instance, name, here, kind) in FUNCTIONS {
        writeln!(
            lowered,
            "(core func ${here} (canon lower (func ${instance} \"{name}\") (memory $mem) (realloc $realloc)))"
        )
        .unwrap();
        writeln!(given, "(export \"{here}\" (func ${here}))").unwrap();
        writeln!(wanted, "(import \"h\" \"{here}\" (func ${here} {kind}))").unwrap();
    }
    for (kind, here) in DROPS {
        writeln!(lowered, "(core func ${here} (canon resource.drop ${kind}))").unwrap();
        writeln!(given, "(export \"{here}\" (func ${here}))").unwrap();
        writeln!(
            wanted,
            "(import \"h\" \"{here}\" (func ${here} (param i32)))"
        )
        .unwrap();
    }
    let (imports, guest) = (
        include_str!("components/imports.wat"),
        include_str!("components/guest.wat"),
    );
    format!(
        r#"(component $component
{imports}
{MEMORY}
{lowered}
  (core instance $given {given})
  (core module $main_module
{wanted}
    (import "m" "memory" (memory 2))
    (import "m" "reset" (func $reset))
{guest}
{parts}
  )
  (core instance $main (instantiate $main_module (with "h" (instance $given)) (with "m" (instance $memory))))
  (func $handle (param "request" (own $incoming_request_t)) (param "response-out" (own $outparam_t))
    (canon lift (core func $main "handle") (memory $mem) (realloc $realloc)))
  (instance $handler (export "handle" (func $handle)))
  (export "wasi:http/incoming-handler@0.2.0" (instance $handler))
{end}
)"#
    )
}

/// A text in memory, for [`component`].
pub fn data(at: u32, text: &str) -> String {
    let bytes: String = text.bytes().map(|byte| format!("\\{byte:02x}")).collect();
    format!("(data (i32.const {at}) \"{bytes}\")")
}
