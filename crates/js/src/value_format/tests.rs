//! Against V8 by golden vectors (`fixtures/generate.js`), against itself by random graphs, and against
//! hostile bytes.

use rquickjs::{CatchResultExt, Context, Ctx, Runtime, Value};

use super::engine::{Kind, Raw, class};
use super::*;

/// As small as an object's coroutine might be, so that a recursion on the native stack would show.
const SMALL_STACK: usize = 256 << 10;

fn run(test: impl FnOnce(&Ctx<'_>) + Send + 'static) {
    let thread = std::thread::Builder::new()
        .stack_size(SMALL_STACK * 2)
        .spawn(move || {
            let runtime = Runtime::new().unwrap();
            runtime.set_max_stack_size(SMALL_STACK / 2);
            runtime.set_memory_limit(256 << 20);
            Context::full(&runtime).unwrap().with(|ctx| test(&ctx));
        });
    if let Err(panic) = thread.unwrap().join() {
        std::panic::resume_unwind(panic);
    }
}

#[track_caller]
fn eval<'js>(ctx: &Ctx<'js>, source: &str) -> Value<'js> {
    ctx.eval(format!("({source})")).catch(ctx).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

#[track_caller]
fn error_of<T>(ctx: &Ctx<'_>, result: Result<T>) -> String {
    match result {
        Ok(_) => panic!("it did not throw"),
        Err(_) => {
            let error = ctx.catch();
            let text: rquickjs::Coerced<String> = error.get().unwrap();
            text.0
        }
    }
}

fn golden() -> Vec<[String; 3]> {
    serde_json::from_str(include_str!("fixtures/golden.json")).unwrap()
}

#[test]
fn class_numbers_are_those_of_the_engine() {
    run(|ctx| {
        for (source, expected) in [
            ("{}", class::OBJECT),
            ("[]", class::ARRAY),
            ("new Error", class::ERROR),
            ("Object(1)", class::NUMBER),
            ("Object('')", class::STRING),
            ("Object(true)", class::BOOLEAN),
            ("new Date", class::DATE),
            ("/a/", class::REG_EXP),
            ("new ArrayBuffer(1)", class::ARRAY_BUFFER),
            ("new Uint8ClampedArray(1)", class::FIRST_TYPED_ARRAY),
            ("new Float64Array(1)", class::LAST_TYPED_ARRAY),
            ("new DataView(new ArrayBuffer(1))", class::DATA_VIEW),
            ("Object(1n)", class::BIG_INT),
            ("new Map", class::MAP),
            ("new Set", class::SET),
            ("new Proxy({}, {})", class::PROXY),
            ("new DOMException", class::DOM_EXCEPTION),
        ] {
            let value = eval(ctx, source);
            match Raw::from(value.as_raw()).kind() {
                Kind::Object(class) => assert_eq!(class, expected, "{source}"),
                _ => panic!("{source} is no object"),
            }
        }
    });
}

#[test]
fn writes_the_bytes_that_v8_writes() {
    run(|ctx| {
        for [name, source, expected] in golden() {
            if !name.starts_with("V8 only") {
                let bytes = serialize(ctx, &eval(ctx, &source)).catch(ctx).unwrap();
                assert_eq!(hex(&bytes), expected, "{source}");
            }
        }
    });
}

#[test]
fn reads_the_bytes_that_v8_writes() {
    run(|ctx| {
        for [name, source, written] in golden() {
            let value = deserialize(ctx, &unhex(&written)).catch(ctx).expect(&name);
            let again = serialize(ctx, &value).catch(ctx).unwrap();
            // The bytes are the witness of equality: they hold everything the format carries.
            let expected = serialize(ctx, &eval(ctx, &source)).catch(ctx).unwrap();
            assert_eq!(hex(&again), hex(&expected), "{source}");
        }
    });
}

#[test]
fn reads_rows_without_a_header_as_version_13() {
    run(|ctx| {
        let value = deserialize(
            ctx,
            &unhex("6f220161490222016222026869 7b02".replace(' ', "").as_str()),
        );
        let value = value.catch(ctx).unwrap();
        assert_eq!(
            ctx.json_stringify(value)
                .unwrap()
                .unwrap()
                .to_string()
                .unwrap(),
            r#"{"a":1,"b":"hi"}"#
        );
        // Version 13 has no flags after a view.
        let view = deserialize(ctx, &unhex("4202010256420101"))
            .catch(ctx)
            .unwrap();
        assert_eq!(view.as_object().unwrap().get::<_, u32>(0).unwrap(), 2);
        // UTF-8 text, as the first versions wrote it.
        let text = deserialize(ctx, &unhex("5303e282ac")).catch(ctx).unwrap();
        assert_eq!(text.as_string().unwrap().to_string().unwrap(), "\u{20ac}");
    });
}

#[test]
fn reads_the_errors_that_workerd_writes() {
    run(|ctx| {
        ctx.globals()
            .set(
                "read",
                rquickjs::Function::new(ctx.clone(), |ctx: Ctx<'_>, text: String| {
                    deserialize(&ctx, &unhex(&text))
                        .map(|value| rquickjs::Persistent::save(&ctx, value))
                })
                .unwrap(),
            )
            .unwrap();
        for (bytes, check) in [
            (
                "5c0a0122016d6f2205737461636b2201737b01",
                "e.name === 'Error' && e.message === 'm' && e.stack === 's'",
            ),
            (
                "5c0a0222016d6f2205737461636b2201737b01",
                "e instanceof TypeError && !Object.keys(e).length",
            ),
            (
                "5c0a0a22016d6f2205737461636b2201737b01",
                "e instanceof EvalError",
            ),
            (
                "5c0a0b22016d6f2205737461636b2201737b01",
                "e instanceof URIError",
            ),
            (
                "5c0a0c22016d6f2205737461636b22017322066572726f7273410249026f22016149027b012400027b02",
                "e instanceof AggregateError && e.errors[1].a === 1",
            ),
            (
                "5c0a002206437573746f6d22016d6f2205737461636b22017322056578747261490a7b02",
                "`${e}` === 'Custom: m' && e.extra === 5",
            ),
            (
                "41045c0a0122016d6f2205737461636b220173220563617573655e017b025e016f7b005e01240004",
                "e[0] === e[1] && e[0].cause === e[0] && e[3] === e[0] && e[2] !== e[0]",
            ),
            (
                "5c080a41626f72744572726f72016d0173",
                "e instanceof DOMException && e.name === 'AbortError' && e.message === 'm' && e.stack === 's'",
            ),
        ] {
            let checked: bool = ctx
                .eval(format!("{{ const e = read('ff0f{bytes}'); {check} }}"))
                .catch(ctx)
                .unwrap();
            assert!(checked, "{bytes} is not {check}");
        }
    });
}

#[test]
fn says_what_could_not_be_cloned_in_v8s_words() {
    run(|ctx| {
        for (source, expected) in [
            ("()=>1", "()=>1 could not be cloned."),
            (
                "{a: [function foo(a){return a}]}",
                "function foo(a){return a} could not be cloned.",
            ),
            ("class A{}", "class A{} could not be cloned."),
            ("Symbol('x')", "Symbol(x) could not be cloned."),
            ("Symbol()", "Symbol() could not be cloned."),
            ("Object(Symbol('x'))", "#<Symbol> could not be cloned."),
            ("Promise.resolve()", "#<Promise> could not be cloned."),
            ("new WeakMap", "#<WeakMap> could not be cloned."),
            ("new WeakRef({})", "#<WeakRef> could not be cloned."),
            ("new Proxy({}, {})", "#<Object> could not be cloned."),
            (
                "(function(){return arguments})(1)",
                "#<Object> could not be cloned.",
            ),
            (
                "(function*(){})()",
                "[object Generator] could not be cloned.",
            ),
            ("new Map().entries()", "#<Iterator> could not be cloned."),
            (
                "new SharedArrayBuffer(1)",
                "#<SharedArrayBuffer> could not be cloned.",
            ),
            (
                "(() => { class Foo { f = () => 1 } return new Foo })()",
                "() => 1 could not be cloned.",
            ),
            (
                "(() => { const b = new ArrayBuffer(2); b.transfer(); return b })()",
                "An ArrayBuffer is detached and could not be cloned.",
            ),
            (
                "(() => { const u = new Uint8Array(2); u.buffer.transfer(); return u })()",
                "An ArrayBuffer is detached and could not be cloned.",
            ),
        ] {
            let mut out = vec![1, 2, 3];
            let result = serialize_into(ctx, &eval(ctx, source), &mut out);
            assert_eq!(
                error_of(ctx, result),
                format!("DataCloneError: {expected}"),
                "{source}"
            );
            assert_eq!(out, [1, 2, 3], "{source} left bytes behind");
        }
    });
}

#[test]
fn a_clone_error_is_a_dom_exception() {
    run(|ctx| {
        let _ = serialize(ctx, &eval(ctx, "()=>1")).unwrap_err();
        ctx.globals().set("thrown", ctx.catch()).unwrap();
        let checked: bool = ctx
            .eval("thrown instanceof DOMException && thrown.code === 25 && thrown instanceof Error")
            .unwrap();
        assert!(checked);
    });
}

#[test]
fn a_getter_runs_once_and_its_error_comes_through() {
    run(|ctx| {
        let value = eval(
            ctx,
            "globalThis.o = {n: 0, get x() { return ++this.n }, y: 1}",
        );
        serialize(ctx, &value).catch(ctx).unwrap();
        assert_eq!(ctx.eval::<u32, _>("o.n").unwrap(), 1);
        let value = eval(ctx, "{get x() { throw new RangeError('mine') }}");
        let result = serialize(ctx, &value);
        assert_eq!(error_of(ctx, result), "RangeError: mine");
    });
}

#[test]
fn an_object_freed_by_a_getter_does_not_lend_its_address() {
    run(|ctx| {
        let value = eval(
            ctx,
            "{a: {gone: {}}, get b() { this.a.gone = null; return {} }, get c() { this.a = null; return {} },
              get d() { return [{}, {}, {}] }}",
        );
        let bytes = serialize(ctx, &value).catch(ctx).unwrap();
        assert!(
            !hex(&bytes).contains("5e0"),
            "nothing is shared: {}",
            hex(&bytes)
        );
    });
}

#[test]
fn nesting_has_a_limit_and_costs_no_native_stack() {
    run(|ctx| {
        let nest = |depth: usize| {
            eval(
                ctx,
                &format!(
                    "(() => {{ let o = {{}}; for (let i = 0; i < {depth}; i++) o = [o]; return o }})()"
                ),
            )
        };
        let bytes = serialize(ctx, &nest(MAX_WRITE_DEPTH)).catch(ctx).unwrap();
        deserialize(ctx, &bytes).catch(ctx).unwrap();
        let result = serialize(ctx, &nest(MAX_WRITE_DEPTH + 1));
        assert_eq!(
            error_of(ctx, result),
            "DataCloneError: Data cannot be cloned: it nests more than 2000 levels deep."
        );
        for open in ["6f220161", "4101", ";4900", "7249", "72634900", "27"] {
            let result = deserialize(
                ctx,
                &unhex(&format!("ff0f{}", open.replace(';', "3b").repeat(100_000))),
            );
            assert!(
                error_of(ctx, result).contains("Unable to deserialize cloned data"),
                "{open}"
            );
        }
    });
}

#[test]
fn a_small_graph_with_a_large_value_has_a_limit() {
    run(|ctx| {
        let value = eval(
            ctx,
            "(() => { const s = 'x'.repeat(1 << 20); return Array(70).fill(s) })()",
        );
        let result = serialize(ctx, &value);
        assert_eq!(
            error_of(ctx, result),
            "DataCloneError: Data cannot be cloned: it takes more than 64 MiB."
        );
    });
}

#[test]
fn lengths_are_checked_against_the_bytes() {
    run(|ctx| {
        for (bytes, what) in [
            ("ff0f", "it ends too early"),
            ("ff10", "it ends too early"),
            ("ff11", "it is of version 17, and 13 to 16 can be read"),
            ("ff0c", "it is of version 12, and 13 to 16 can be read"),
            ("ff0f22ffffffff0f", "a length goes beyond its end"),
            ("ff0f42ffffffff0f", "a length goes beyond its end"),
            ("ff0f41ffffffff0f", "a length goes beyond its end"),
            ("ff0f5afeffffff0f", "a length goes beyond its end"),
            (
                "ff0f7e00ffffffff0f",
                "a resizable buffer may not grow to what it says",
            ),
            ("ff0f420101564200ff01", "it ends too early"),
            ("ff0f4201015642000200", "a view does not fit its buffer"),
            ("ff0f5e00", "it refers to an object that is not there"),
            (
                "ff0f7400",
                "it names a transferred buffer that is not there",
            ),
            ("ff0f7500", "it holds a SharedArrayBuffer"),
            ("ff0f5c04", "it holds an object of workerd's own, of kind 4"),
            ("ff0f5c0a0122004900", "an error lacks its properties"),
            ("ff0f21", "there is no tag 0x21"),
            ("ff0f630161", "half a UTF-16 unit"),
            ("ff0f49ffffffffff", "a number does not end"),
            ("ff0f6f5f", "a property key is neither text nor number"),
            (
                "ff0f6f490049007b07",
                "a number of properties or elements is wrong",
            ),
            ("ff0f3b3a01", "a number of entries is wrong"),
        ] {
            let result = deserialize(ctx, &unhex(bytes));
            let text = error_of(ctx, result);
            assert!(
                text.starts_with("Error: Unable to deserialize cloned data: "),
                "{text}"
            );
            assert!(text.contains(what), "{bytes}: {text}");
        }
    });
}

#[test]
fn stays_itself_when_the_program_replaces_globals() {
    run(|ctx| {
        let value = eval(
            ctx,
            "[new Map([[1, 2]]), new Set([1]), 5n ** 90n, new Date(1), Object(1n), /a/g]",
        );
        let bytes = serialize(ctx, &value).catch(ctx).unwrap();
        ctx.eval::<(), _>("Map = Set = BigInt = Date = Object = RegExp = Error = undefined")
            .unwrap();
        let copy = deserialize(ctx, &bytes).catch(ctx).unwrap();
        assert_eq!(serialize(ctx, &copy).catch(ctx).unwrap(), bytes);
    });
}

/// A small seeded generator, so that a failure can be seen again.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

const RANDOM_GRAPH: &str = r"
    (random) => {
        const pool = [];
        const keep = (value) => (pool.push(value), value);
        const text = () => Array.from({length: random(6)}, () =>
            String.fromCharCode([97, 233, 0x20ac, 0xd83d, 0xde00, 0][random(6)] + random(3))).join('');
        const make = (depth) => {
            const leaf = depth > 4;
            switch (random(leaf ? 12 : 20)) {
                case 0: return random(2000) - 1000;
                case 1: return (random(2000000000) - 1e9) * 1.5;
                case 2: return text();
                case 3: return [null, undefined, true, false][random(4)];
                case 4: return BigInt(random(1000000)) ** BigInt(random(40)) * (random(2) ? 1n : -1n);
                case 5: return keep(new Date(random(2) ? random(1e9) : NaN));
                case 6: return keep(/x[a-z]/dg);
                case 7: return keep(Object([1, 'x', true, 7n][random(4)]));
                case 8: return pool.length ? pool[random(pool.length)] : 0;
                case 9: return keep(new ArrayBuffer(random(9)));
                case 10: return keep(new (random(2) ? Uint8Array : DataView)(new ArrayBuffer(8), random(8)));
                case 11: return keep(new Float32Array([1, 2, random(9)]));
                case 12: { const a = keep([]); for (let i = random(6); i > 0; i--) a.push(make(depth + 1)); return a }
                case 13: { const a = keep([]); for (let i = random(6); i > 0; i--) a[random(9)] = make(depth + 1);
                           if (random(2)) a[text()] = make(depth + 1); return a }
                case 14: { const m = keep(new Map()); for (let i = random(5); i > 0; i--) m.set(make(depth + 1), make(depth + 1)); return m }
                case 15: { const s = keep(new Set()); for (let i = random(5); i > 0; i--) s.add(make(depth + 1)); return s }
                case 16: { const e = keep(new TypeError(text(), random(2) ? {cause: make(depth + 1)} : undefined)); return e }
                default: { const o = keep({}); for (let i = random(7); i > 0; i--) o[random(4) ? text() : random(5000000000)] = make(depth + 1); return o }
            }
        };
        return make(0);
    }";

#[test]
fn random_graphs_come_back_as_they_were() {
    run(|ctx| {
        let make: rquickjs::Function<'_> = eval(ctx, RANDOM_GRAPH).into_function().unwrap();
        for seed in 1..=1_500_u64 {
            let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
            let next =
                rquickjs::prelude::MutFn::new(move |limit: f64| random.below(limit as u64) as f64);
            let next = rquickjs::Function::new(ctx.clone(), next).unwrap();
            let value: Value<'_> = make.call((next,)).catch(ctx).unwrap();
            let bytes = serialize(ctx, &value).catch(ctx).unwrap();
            let copy = deserialize(ctx, &bytes)
                .catch(ctx)
                .expect("what was written can be read");
            let again = serialize(ctx, &copy).catch(ctx).unwrap();
            assert_eq!(hex(&again), hex(&bytes), "seed {seed}");
        }
    });
}

#[test]
fn hostile_bytes_never_panic() {
    run(|ctx| {
        let seeds: Vec<Vec<u8>> = golden()
            .iter()
            .map(|[_, _, written]| unhex(written))
            .collect();
        let mut random = Random(0x0D01_3E4D);
        for round in 0..12_000 {
            let mut bytes: Vec<u8> = if round % 4 == 0 {
                let length = random.below(60);
                let body = (0..length).map(|_| random.below(256) as u8);
                [0xFF, 0x0F].into_iter().chain(body).collect()
            } else {
                seeds[random.below(seeds.len() as u64) as usize].clone()
            };
            for _ in 0..random.below(5) {
                let at = random.below(bytes.len() as u64) as usize;
                match random.below(4) {
                    0 => bytes[at] = random.below(256) as u8,
                    1 => bytes.truncate(at.max(2)),
                    2 => bytes.insert(at, b"\"IcoAa;':r^VB~RNZ"[random.below(17) as usize]),
                    _ => bytes[at] ^= 1 << random.below(8),
                }
            }
            match deserialize(ctx, &bytes) {
                Ok(value) => {
                    // What can be read can be written, and is then stable.
                    if let Ok(first) = serialize(ctx, &value) {
                        let copy = deserialize(ctx, &first).catch(ctx).unwrap();
                        assert_eq!(
                            serialize(ctx, &copy).catch(ctx).unwrap(),
                            first,
                            "{}",
                            hex(&bytes)
                        );
                    } else {
                        ctx.catch();
                    }
                }
                Err(_) => drop(ctx.catch()),
            }
        }
    });
}

/// Not a check but a measurement: `cargo test --release -p dolmen-js --lib -- --ignored --nocapture costs`.
#[test]
#[ignore = "a measurement"]
fn costs() {
    run(|ctx| {
        for source in [
            "7",
            "'hello'",
            "'h\u{e9}llo'",
            "{a: 1, b: 'two', c: true}",
            "[1, 2, 3, 4, 5, 6, 7, 8]",
            "{user: {name: 'x', tags: ['a', 'b']}, at: 1.5, list: [1, 2, {z: 1}]}",
            "new Map([[1, 'a'], [2, 'b']])",
            "new Uint8Array(100)",
            "Array.from({length: 1000}, (_, i) => ({id: i, name: 'n' + i}))",
        ] {
            let value = eval(ctx, source);
            let mut bytes = Vec::new();
            let rounds = if source.contains("1000") {
                300
            } else {
                100_000
            };
            let start = std::time::Instant::now();
            for _ in 0..rounds {
                bytes.clear();
                serialize_into(ctx, &value, &mut bytes).unwrap();
            }
            let write = start.elapsed() / rounds;
            let start = std::time::Instant::now();
            for _ in 0..rounds {
                deserialize(ctx, &bytes).unwrap();
            }
            let read = start.elapsed() / rounds;
            println!(
                "write {write:>9.2?}  read {read:>9.2?}  {:>6} bytes  {source}",
                bytes.len()
            );
        }
    });
}
