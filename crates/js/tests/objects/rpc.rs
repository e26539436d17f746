use dolmen_runtime::ErrorKind;
use serde_json::json;

use super::world::in_world;

const METHODS: &str = r#"
class Base { inherited() { return "inherited"; } }
class Room extends Base {
  constructor(state, env) { super(); this.state = state; this.own = () => "own"; this.data = 5; }
  echo(...args) { return args; }
  id() { return { namespace: this.state.id.namespace, name: this.state.id.name, hex: this.state.id.hex, text: String(this.state.id) }; }
  nothing() {}
  async later(x) { await null; await new Promise((r) => setTimeout(r, 2)); return x + 1; }
  thenable() { return { then(ok) { ok("thenable"); } }; }
  run(code) { return (0, eval)(code); }
  cyclic() { const a = {}; a.a = a; return a; }
  date() { return new Date(0); }
  boom() { throw new TypeError("boom"); }
  async reject() { throw new Error("late boom"); }
  throwString() { throw "just a string"; }
  throwNull() { throw undefined; }
  throwObject() { throw { code: 1 }; }
  get getter() { return () => "from a getter"; }
  static stat() { return 1; }
  fetch() { return "x"; }
  alarm() {}
}
exports.objects = { Room };
"#;

#[test]
fn methods_of_the_class_chain_and_own_functions_can_be_called() {
    in_world(METHODS, async |w| {
        assert_eq!(
            w.ok("ROOM/a", "echo", r#"[1,"two",{"three":[3]},null]"#)
                .await,
            json!([1, "two", { "three": [3] }, null])
        );
        assert_eq!(w.ok("ROOM/a", "inherited", "").await, json!("inherited"));
        assert_eq!(w.ok("ROOM/a", "own", "[]").await, json!("own"));
        assert_eq!(w.ok("ROOM/a", "getter", "[]").await, json!("from a getter"));
        assert_eq!(w.ok("ROOM/a", "nothing", "[]").await, json!(null));
        assert_eq!(w.ok("ROOM/a", "later", "[41]").await, json!(42));
        assert_eq!(w.ok("ROOM/a", "thenable", "[]").await, json!("thenable"));
        assert_eq!(
            w.ok("ROOM/a", "date", "[]").await,
            json!("1970-01-01T00:00:00.000Z")
        );
    });
}

#[test]
fn what_is_no_method_of_the_object_is_not_found() {
    in_world(METHODS, async |w| {
        for method in [
            "missing",
            "constructor",
            "fetch",
            "alarm",
            "toString",
            "hasOwnProperty",
            "valueOf",
            "__proto__",
            "__defineGetter__",
            "data",
            "stat",
            "prototype",
            "",
            "isPrototypeOf",
            "state",
            "echo ",
        ] {
            let (kind, message) = w.err("ROOM/a", method, "[]").await;
            assert_eq!(kind, ErrorKind::MethodNotFound, "{method}: {message}");
            assert!(message.contains(&format!("{method:?}")), "{message}");
        }
    });
}

/// Each is refused as a result, as a property, inside an array, deep down, and as what a `toJSON` gives.
const NO_JSON: [(&str, &str); 12] = [
    ("10n", "BigInt"),
    ("NaN", "NaN"),
    ("-Infinity", "infinite"),
    ("new Map([[1, 2]])", "Map"),
    ("new Set([1])", "Set"),
    ("new ArrayBuffer(2)", "binary data"),
    ("new Uint8Array(2)", "binary data"),
    ("new DataView(new ArrayBuffer(1))", "binary data"),
    ("Symbol('s')", "symbol"),
    ("() => 1", "function"),
    ("new Promise(() => {})", "Promise"),
    ("new Error('e')", "Error"),
];

#[test]
fn values_that_json_cannot_carry_are_refused_with_the_reason() {
    in_world(METHODS, async |w| {
        for (value, part) in NO_JSON {
            for (place, subject) in [
                ("VALUE", "it is "),
                ("{ a: VALUE }", "its \"a\" is "),
                ("[1, VALUE]", "its \"1\" is "),
                ("{ get a() { return VALUE; } }", "its \"a\" is "),
                ("{ a: { toJSON() { return VALUE; } } }", "its \"a\" is "),
                ("{ toJSON() { return { b: VALUE }; } }", "its \"b\" is "),
                (
                    "JSON.parse('['.repeat(200) + '{}' + ']'.repeat(200), (k, v) => Array.isArray(v) ? v : { c: VALUE })",
                    "its \"c\" is ",
                ),
            ] {
                // A result that is a promise is awaited.
                if place == "VALUE" && value.contains("Promise") {
                    continue;
                }
                let code = format!("({})", place.replace("VALUE", &format!("({value})")));
                let (kind, message) = w.err("ROOM/a", "run", &json!([code]).to_string()).await;
                assert_eq!(kind, ErrorKind::Exception, "{code}: {message}");
                assert!(message.contains(subject), "{code}: {message}");
                assert!(message.contains(part), "{code}: {message}");
            }
        }
        let (kind, message) = w.err("ROOM/a", "cyclic", "[]").await;
        assert_eq!(kind, ErrorKind::Exception);
        assert!(message.contains("circular"), "{message}");
        assert_eq!(
            w.ok("ROOM/a", "echo", "[1]").await,
            json!([1]),
            "the object goes on"
        );
    });
}

#[test]
fn what_json_can_carry_arrives_as_json_stringify_writes_it() {
    in_world(METHODS, async |w| {
        for (code, result) in [
            (
                "({ a: undefined, b: [undefined], c: null })",
                json!({ "b": [null], "c": null }),
            ),
            ("[, 1]", json!([null, 1])),
            (
                "new (class { #hidden = 1; x = 1.5; get y() { return 2; } })()",
                json!({ "x": 1.5 }),
            ),
            ("({ get n() { return 1; } })", json!({ "n": 1 })),
            (
                "({ d: new Date(0) })",
                json!({ "d": "1970-01-01T00:00:00.000Z" }),
            ),
            (
                "({ m: Object.assign(new Map(), { toJSON() { return 'map'; } }) })",
                json!({ "m": "map" }),
            ),
            ("new Proxy([1, { a: 2 }], {})", json!([1, { "a": 2 }])),
            (
                "[new Number(1), new String('s'), new Boolean(false), true]",
                json!([1, "s", false, true]),
            ),
            (
                "Object.assign(Object.create(null), { '\\u2028': '\\ud83d\\ude00' })",
                json!({ "\u{2028}": "😀" }),
            ),
            (
                "(() => { const o = { n: 0, get next() { return ++this.n; } }; return o; })()",
                json!({ "n": 0, "next": 1 }),
            ),
        ] {
            assert_eq!(
                w.ok("ROOM/a", "run", &json!([code]).to_string()).await,
                result,
                "{code}"
            );
        }
        let many = w
            .ok("ROOM/a", "run", r#"["Array(150000).fill({ a: 1 })"]"#)
            .await;
        assert_eq!(many.as_array().unwrap().len(), 150_000);
        // Shared parts are written once each time they occur, and looking at them must end before that.
        let shared = "let a = []; for (let i = 0; i < 16; i++) a = [a, a]; a";
        w.ok("ROOM/a", "run", &json!([shared]).to_string()).await;
    });
}

#[test]
fn exceptions_keep_their_name_and_message_and_carry_a_stack() {
    in_world(METHODS, async |w| {
        let error = w.call("ROOM/a", "boom", "[]").await.unwrap_err();
        assert_eq!(
            (error.kind(), error.message()),
            (ErrorKind::Exception, "TypeError: boom")
        );
        assert!(
            error
                .detail()
                .is_some_and(|stack| stack.contains("bundle.js")),
            "{:?}",
            error.detail()
        );
        assert_eq!(
            w.err("ROOM/a", "reject", "[]").await,
            (ErrorKind::Exception, "late boom".to_owned())
        );
        assert_eq!(
            w.err("ROOM/a", "throwString", "[]").await,
            (
                ErrorKind::Exception,
                "a value that is not an Error was thrown: \"just a string\"".to_owned()
            )
        );
        assert_eq!(
            w.err("ROOM/a", "throwNull", "[]").await,
            (
                ErrorKind::Exception,
                "a value that is not an Error was thrown: undefined".to_owned()
            )
        );
        assert_eq!(
            w.err("ROOM/a", "throwObject", "[]").await.0,
            ErrorKind::Exception
        );
    });
}

#[test]
fn the_id_has_namespace_name_and_hex() {
    in_world(METHODS, async |w| {
        let id = w.ok("ROOM/ü %/☃", "id", "[]").await;
        assert_eq!(id["namespace"], "ROOM");
        assert_eq!(id["name"], "ü %/☃");
        assert_eq!(id["hex"].as_str().unwrap().len(), 64);
        assert_eq!(id["hex"], id["text"]);
    });
}

#[test]
fn unknown_namespaces_and_overlong_names_are_refused() {
    in_world(METHODS, async |w| {
        let (kind, message) = w.err("NOPE/a", "echo", "[]").await;
        assert_eq!(kind, ErrorKind::UnknownNamespace);
        assert!(message.contains("ROOM"), "{message}");
        let (kind, _) = w
            .err(&format!("ROOM/{}", "x".repeat(1_025)), "echo", "[]")
            .await;
        assert_eq!(kind, ErrorKind::BadRequest);
        w.ok(&format!("ROOM/{}", "x".repeat(1_024)), "echo", "[]")
            .await;
    });
}

#[test]
fn a_thousand_concurrent_async_increments_lose_none() {
    let source = r#"
class Counter {
  constructor(state) { this.storage = state.storage; }
  async increment() {
    const n = this.storage.get("n") ?? 0;
    await null;
    if (n % 100 === 0) await new Promise((r) => setTimeout(r, 1));
    this.storage.put("n", n + 1);
    return n + 1;
  }
}
exports.objects = { Counter };
"#;
    in_world(source, async |w| {
        let mut calls = Vec::new();
        for _ in 0..1_000 {
            let handle = w.handle.clone();
            calls.push(tokio::spawn(async move {
                super::world::call(&handle, "COUNTER/a", "increment", "[]").await
            }));
        }
        let mut results = Vec::new();
        for call in calls {
            results.push(call.await.unwrap().unwrap().as_u64().unwrap());
        }
        results.sort_unstable();
        assert_eq!(results, (1..=1_000).collect::<Vec<_>>());
    });
}
