//! WebAssembly that takes all the time, memory and depth it can get: it costs its own object what
//! JavaScript would, and nobody else anything.

use std::{cell::Cell, time::Duration};

use dolmen_runtime::{Clock, ErrorKind, Options};
use serde_json::json;

use super::world::{in_world, in_world_with, options};

const GUEST: &str = r#"(module
    (import "host" "back" (func $back (param i32) (result i32)))
    (memory (export "memory") 1)
    (table (export "table") 1 funcref)
    (func (export "down") (param i32) (result i32) (call $back (local.get 0)))
    (func (export "fail") unreachable)
    (func (export "forever") (loop $l (br $l)))
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
    (func (export "growTable") (param i32) (result i32) (table.grow (ref.null func) (local.get 0)))
    (func (export "deep") (param i32) (result i32) (i32.add (i32.const 1) (call $back (local.get 0))))
    (func (export "sum") (param i32) (result i32) (local i32)
        (loop $l
            (local.set 1 (i32.add (local.get 1) (local.get 0)))
            (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
        (local.get 1))
)"#;

const OBJECTS: &str = r#"
const guest = (back) => new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(GUEST)), { host: { back } }).exports;
const failed = (work) => { try { return work(); } catch (error) { return `${error.name}: ${error.message}`; } };
class Bad {
  constructor(state) { this.storage = state.storage; this.calls = 0; }
  calls_() { return ++this.calls; }
  forever() { this.storage.put("forever", 1); guest(() => 0).forever(); }
  foreverCaught() { try { guest(() => 0).forever(); } catch { return "caught"; } finally { return "finally"; } }
  foreverBehind() { const { down } = guest(() => { for (;;) {} }); return down(1); }
  foreverNested() { const inner = guest(() => 0); const { down } = guest(() => { inner.forever(); return 1; }); return down(1); }
  foreverCalls() { const { sum } = guest(() => 0); for (;;) sum(1); }
  async foreverLater() { const { forever } = guest(() => 0); await new Promise((r) => setTimeout(r, 1)); forever(); }
  allocateBehind() { const all = []; return guest(() => { for (;;) all.push(new Array(1000).fill(all.length)); }).down(1); }
  get(k) { return this.storage.get(k); }
  memory() {
    const { grow, memory } = guest(() => 0);
    let pages = 1;
    while (grow(16) !== -1) pages += 16;
    return [pages, memory.buffer.byteLength / 65536, failed(() => memory.grow(16)), failed(() => new WebAssembly.Memory({ initial: 64 })), grow(0)];
  }
  tables() {
    const { growTable, table } = guest(() => 0);
    let entries = 1;
    while (growTable(65536) !== -1) entries += 65536;
    return [entries, table.length, failed(() => table.grow(65536)), failed(() => new WebAssembly.Table({ element: "anyfunc", initial: 10_000_000 }))];
  }
  instances() { let n = 0; return failed(() => { for (; n < 1000; n++) guest(() => 0); }) + ` after ${n}`; }
  memories() { let n = 0; return failed(() => { for (; n < 1000; n++) new WebAssembly.Memory({ initial: 0 }); }) + ` after ${n}`; }
  depth() { let deepest = 0; const { deep } = guest((n) => { deepest = n; return deep(n + 1); }); return failed(() => deep(1)) + ` after ${deepest}`; }
  depthAgain() { let left = 60; const { deep } = guest(() => --left > 0 ? deep(0) : 0); return [deep(0), (left = 60, deep(0))]; }
  code() {
    const section = 1 << 20;
    const bytes = new Uint8Array(8 + 1 + 3 + section);
    bytes.set([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 0, ...[section & 127 | 128, section >> 7 & 127 | 128, section >> 14], 1, 120]);
    let n = 0;
    const sections = [];
    const error = failed(() => { for (; n < 100; n++) sections.push(WebAssembly.Module.customSections(new WebAssembly.Module(bytes), "x")[0].byteLength); });
    return [error, n, sections[0]];
  }
  invalid(list) { return list.map((bytes) => [WebAssembly.validate(new Uint8Array(bytes)), failed(() => new WebAssembly.Module(new Uint8Array(bytes)))]); }
  async compiled() {
    const module = await WebAssembly.compile(new Uint8Array(GUEST));
    const both = await WebAssembly.instantiate(new Uint8Array(GUEST), { host: { back: () => 1 } });
    const answer = new Response(new Uint8Array(GUEST), { headers: { "content-type": "application/wasm" } });
    const streamed = await WebAssembly.instantiateStreaming(Promise.resolve(answer), { host: { back: () => 2 } });
    const wrong = await WebAssembly.compileStreaming(new Response(new Uint8Array(GUEST))).catch((error) => error.name);
    const bad = await WebAssembly.compile(new Uint8Array(3)).catch((error) => error instanceof WebAssembly.CompileError);
    return [module instanceof WebAssembly.Module, both.instance.exports.down(0), streamed.instance.exports.down(0), wrong, bad];
  }
  prepared() {
    const { fail, sum } = guest(() => 0);
    let called;
    Error.prepareStackTrace = () => { called = sum(3); return "own"; };
    return [failed(fail), called];
  }
  misfits(bytes) {
    const module = new WebAssembly.Module(new Uint8Array(bytes));
    const host = { f: () => {}, memory: new WebAssembly.Memory({ initial: 0 }) };
    let n = 0, error;
    do error = failed(() => new WebAssembly.Instance(module, { host })); while (error.startsWith("LinkError") && ++n < 1000);
    return [error, n, guest(() => 7).down(1)];
  }
  sum(n) { return guest(() => 0).sum(n) >>> 0; }
}
class Good { constructor(state) { this.storage = state.storage; } inc() { const n = (this.storage.get("n") ?? 0) + 1; this.storage.put("n", n); return n; } }
exports.objects = { Bad, Good };
"#;

fn objects() -> String {
    OBJECTS.replace("GUEST", &bytes(GUEST))
}

/// A module as a list in JavaScript.
fn bytes(text: &str) -> String {
    format!("{:?}", wat::parse_str(text).unwrap())
}

fn tight() -> Options {
    Options {
        shards: 1,
        cpu_timeout: Duration::from_millis(200),
        memory_limit: 16 << 20,
        ..options()
    }
}

/// Time does not decide, memory does.
fn roomy_in_time() -> Options {
    Options {
        shards: 1,
        memory_limit: 16 << 20,
        ..options()
    }
}

#[test]
fn what_does_not_end_times_out_and_cannot_be_caught() {
    in_world_with(&objects(), tight(), Clock::system(), async |w| {
        for method in [
            "forever",
            "foreverCaught",
            "foreverBehind",
            "foreverNested",
            "foreverCalls",
            "foreverLater",
        ] {
            let name = format!("BAD/{method}");
            assert_eq!(w.ok(&name, "calls_", "").await, json!(1));
            let (kind, message) = w.err(&name, method, "").await;
            assert_eq!(kind, ErrorKind::Timeout, "{method}: {message}");
            assert!(message.contains(&name), "{message}");
            assert_eq!(
                w.ok(&name, "calls_", "").await,
                json!(1),
                "{method}: a fresh instance"
            );
        }
        assert_eq!(
            w.ok("BAD/forever", "get", r#"["forever"]"#).await,
            json!(null),
            "what the turn wrote is dropped"
        );
    });
}

#[test]
fn neighbours_on_the_same_shard_go_on_meanwhile() {
    let slow = Options {
        shards: 1,
        cpu_timeout: Duration::from_secs(5),
        ..options()
    };
    in_world_with(&objects(), slow, Clock::system(), async |w| {
        let ended = Cell::new(0);
        let bad = async |name: &str, method: &str| {
            let (kind, message) = w.err(name, method, "").await;
            assert_eq!(kind, ErrorKind::Timeout, "{message}");
            ended.set(ended.get() + 1);
        };
        let good = async || {
            for n in 1..=20 {
                assert_eq!(w.ok("GOOD/a", "inc", "").await, json!(n));
            }
            assert_eq!(ended.get(), 0, "the neighbours still run");
        };
        tokio::join!(
            bad("BAD/a", "forever"),
            bad("BAD/b", "foreverBehind"),
            bad("BAD/c", "foreverNested"),
            good(),
        );
        assert_eq!(ended.get(), 3);
    });
}

#[test]
fn a_full_heap_behind_webassembly_resets_the_object() {
    in_world_with(&objects(), roomy_in_time(), Clock::system(), async |w| {
        let (kind, message) = w.err("BAD/a", "allocateBehind", "").await;
        assert_eq!(kind, ErrorKind::Reset, "{message}");
        assert!(message.contains("memory limit"), "{message}");
        assert_eq!(w.ok("BAD/a", "calls_", "").await, json!(1));
    });
}

#[test]
fn memories_and_tables_together_stay_within_the_limit() {
    let over = "the WebAssembly memories and tables of one object have at most 16 MiB together";
    in_world_with(&objects(), roomy_in_time(), Clock::system(), async |w| {
        let told = w.ok("BAD/a", "memory", "").await;
        // 256 pages, of which 16 bytes are the table's.
        assert_eq!((&told[0], &told[1]), (&json!(241), &json!(241)));
        assert_eq!(
            told[2],
            json!(format!("RangeError: the memory cannot grow: {over}"))
        );
        assert_eq!(
            told[3],
            json!(format!("RangeError: the memory cannot be made: {over}"))
        );
        assert_eq!(told[4], json!(241));
        let told = w.ok("BAD/b", "tables", "").await;
        assert_eq!(told[0], told[1]);
        let entries = told[0].as_u64().unwrap();
        assert!((1_900_000..2_097_152).contains(&entries), "{entries}");
        assert_eq!(
            told[2],
            json!(format!("RangeError: the table cannot grow: {over}"))
        );
        assert_eq!(
            told[3],
            json!(format!("RangeError: the table cannot be made: {over}"))
        );
        let again = w.ok("BAD/a", "memory", "").await;
        assert_eq!(
            again[0],
            json!(1),
            "what there is stays as long as the object"
        );
    });
}

#[test]
fn instances_memories_and_depth_have_limits() {
    in_world_with(&objects(), roomy_in_time(), Clock::system(), async |w| {
        let told = w.ok("BAD/a", "instances", "").await;
        assert_eq!(
            told,
            json!(
                "RangeError: one object has at most 64 WebAssembly instances, which stay as long as it lives: keep one and use it again after 64"
            )
        );
        let told = w.ok("BAD/b", "memories", "").await;
        assert_eq!(
            told,
            json!("RangeError: one object has at most 64 WebAssembly memories after 64")
        );
        let told = w.ok("BAD/c", "depth", "").await;
        assert_eq!(
            told,
            json!(
                "RangeError: Maximum call stack size exceeded: 64 calls into WebAssembly are under way, one inside the other after 64"
            )
        );
        assert_eq!(w.ok("BAD/c", "depthAgain", "").await, json!([60, 60]));
    });
}

#[test]
fn modules_have_a_limit_and_custom_sections() {
    in_world(&objects(), async |w| {
        let told = w.ok("BAD/a", "code", "").await;
        assert_eq!(
            told,
            json!([
                "RangeError: the WebAssembly modules of one object have more than 16 MiB together",
                15,
                (1 << 20) - 2
            ])
        );
    });
}

#[test]
fn what_is_no_module_is_a_compile_error_that_says_why() {
    in_world(&objects(), async |w| {
        let guest = wat::parse_str(GUEST).unwrap();
        let list = [
            (Vec::new(), "empty"),
            (b"hello wasm".to_vec(), "magic"),
            (guest[..guest.len() - 3].to_vec(), "end"),
            (wat::parse_str("(component)").unwrap(), "component"),
            (
                wat::parse_str("(module (memory i64 1))").unwrap(),
                "memory64",
            ),
            (
                wat::parse_str("(module (memory 1 1 shared))").unwrap(),
                "threads",
            ),
            (wat::parse_str("(module (tag))").unwrap(), "exceptions"),
        ];
        let given: Vec<_> = list.iter().map(|(bytes, _)| bytes).collect();
        let args = serde_json::to_string(&[given]).unwrap();
        let told = w.ok("BAD/a", "invalid", &args).await;
        for ((_, says), told) in list.iter().zip(told.as_array().unwrap()) {
            let error = told[1].as_str().unwrap();
            assert_eq!(told[0], json!(false), "{error}");
            assert!(error.starts_with("CompileError: "), "{error}");
            assert!(error.contains(says), "{says}: {error}");
        }
    });
}

#[test]
fn code_that_runs_when_an_error_is_made_may_call_webassembly() {
    in_world(&objects(), async |w| {
        let told = w.ok("BAD/a", "prepared", "").await;
        assert_eq!(told, json!(["RuntimeError: unreachable", 6]));
    });
}

#[test]
fn imports_that_do_not_fit_take_no_instance_and_not_more_than_their_limit() {
    let functions = "(import \"host\" \"f\" (func))".repeat(1_000);
    let text = format!("(module {functions} (import \"host\" \"memory\" (memory 1)))");
    in_world(&objects(), async |w| {
        let args = format!("[{}]", bytes(&text));
        assert_eq!(
            w.ok("BAD/a", "misfits", &args).await,
            json!([
                "RangeError: one object has at most 65536 WebAssembly imports",
                65,
                7
            ])
        );
    });
}

#[test]
fn programs_compile_and_stream_modules() {
    in_world(&objects(), async |w| {
        assert_eq!(
            w.ok("BAD/a", "compiled", "").await,
            json!([true, 1, 2, "TypeError", true])
        );
        assert_eq!(w.ok("BAD/a", "sum", "[100000]").await, json!(705_082_704));
    });
}
