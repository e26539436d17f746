use dolmen_runtime::ErrorKind;
use serde_json::json;

use super::world::in_world;

const STORE: &str = r#"
class Store {
  constructor(state) { this.storage = state.storage; }
  put(k, v) { return this.storage.put(k, v); }
  get(k) { return this.storage.get(k); }
  delete(k) { return this.storage.delete(k); }
  list(o) { return Object.entries(this.storage.list(o)); }
  deleteAll() { return this.storage.deleteAll(); }
  fill(keys) { for (const k of keys) this.storage.put(k, k); }
  putUndefined() { this.storage.put("k", undefined); }
  putFunction() { this.storage.put("k", () => 1); }
  missing() { return this.storage.get("missing") === undefined; }
  rich() {
    const buffer = new Uint8Array([1, 2, 3]);
    const value = { date: new Date(5), map: new Map([["a", new Set([1])]]), big: 2n ** 70n, buffer, view: new DataView(buffer.buffer), re: /x/gi, err: new RangeError("r") };
    value.self = value;
    this.storage.put("rich", value);
    const back = this.storage.get("rich");
    return [
      back !== value, back.self === back, back.date instanceof Date && back.date.getTime() === 5,
      back.map.get("a").has(1), back.big === 2n ** 70n, back.buffer instanceof Uint8Array && back.buffer[2] === 3,
      back.view.buffer === back.buffer.buffer, back.re.flags === "gi", back.err instanceof RangeError && back.err.message === "r",
    ];
  }
  copies() { const a = { n: 1 }; this.storage.put("a", a); a.n = 2; const b = this.storage.get("a"); b.n = 3; return this.storage.get("a").n; }
  throwsAfterWrite() { this.storage.put("kept", 1); throw new Error("after"); }
  rollsBack() {
    this.storage.put("x", "before");
    try {
      this.storage.transaction(() => { this.storage.put("x", "inside"); this.storage.put("y", 1); throw new Error("no"); });
    } catch (e) { return [e.message, this.storage.get("x"), this.storage.get("y") === undefined]; }
  }
  nests() {
    return this.storage.transaction(() => {
      this.storage.put("outer", 1);
      try { this.storage.transaction(() => { this.storage.put("outer", 2); this.storage.put("inner", 1); throw new Error("inner"); }); } catch {}
      this.storage.transaction(() => this.storage.put("second", 1));
      return [this.storage.get("outer"), this.storage.get("inner") === undefined, this.storage.get("second")];
    });
  }
  pending() {
    try { this.storage.transaction(async () => { this.storage.put("p", 1); await null; }); }
    catch (e) { return [e instanceof TypeError, e.message.includes("pending promise"), this.storage.get("p") === undefined]; }
  }
  settledPromise() { return this.storage.transaction(async () => { this.storage.put("q", 1); return 7; }); }
  rejectedPromise() {
    try { this.storage.transaction(async () => { this.storage.put("r", 1); throw new Error("rejected"); }); }
    catch (e) { return [e.message, this.storage.get("r") === undefined]; }
  }
  notAFunction() { this.storage.transaction(5); }
  getterWrites() {
    this.storage.put("outer", { get a() { return 1; }, b: 2 });
    const self = this;
    this.storage.put("o", { get inner() { self.storage.put("i", "written by a getter"); return 1; } });
    return [this.storage.get("i"), this.storage.get("o").inner];
  }
  proto() { this.storage.put("__proto__", 1); return Object.getOwnPropertyNames(this.storage.list()); }
}
exports.objects = { Store };
"#;

#[test]
fn values_of_every_kind_come_back_equal_and_apart() {
    in_world(STORE, async |w| {
        assert_eq!(
            w.ok("STORE/a", "rich", "").await,
            json!([true, true, true, true, true, true, true, true, true])
        );
        assert_eq!(w.ok("STORE/a", "copies", "").await, json!(1));
        assert_eq!(w.ok("STORE/a", "missing", "").await, json!(true));
        assert_eq!(
            w.ok("STORE/a", "getterWrites", "").await,
            json!(["written by a getter", 1])
        );
    });
}

#[test]
fn wrong_keys_and_values_are_refused() {
    in_world(STORE, async |w| {
        for (method, args, part) in [
            ("putUndefined", "[]", "put() called with undefined value."),
            ("putFunction", "[]", "could not be cloned"),
            ("put", "[5, 1]", "key must be a string"),
            ("get", "[null]", "key must be a string"),
            ("delete", "[{}]", "key must be a string"),
            ("list", r#"[{"limit": 0}]"#, "List limit must be positive."),
            (
                "list",
                r#"[{"limit": 1.5}]"#,
                "List limit must be positive.",
            ),
            ("list", r#"[{"prefix": 5}]"#, "prefix"),
            ("list", "[5]", "object of options"),
            ("notAFunction", "[]", "function"),
        ] {
            let (kind, message) = w.err("STORE/a", method, args).await;
            assert_eq!(kind, ErrorKind::Exception, "{method}{args}: {message}");
            assert!(message.contains(part), "{method}{args}: {message}");
        }
        let long = "k".repeat(3_000);
        let (_, message) = w.err("STORE/a", "put", &format!("[{long:?}, 1]")).await;
        assert!(message.contains("2048"), "{message}");
        let big = "v".repeat(3 << 20);
        w.err("STORE/a", "put", &format!("[\"big\", {big:?}]"))
            .await;
        assert_eq!(w.ok("STORE/a", "get", "[\"big\"]").await, json!(null));
    });
}

#[test]
fn delete_says_whether_the_key_existed() {
    in_world(STORE, async |w| {
        w.ok("STORE/a", "put", r#"["k", 1]"#).await;
        assert_eq!(w.ok("STORE/a", "delete", r#"["k"]"#).await, json!(true));
        assert_eq!(w.ok("STORE/a", "delete", r#"["k"]"#).await, json!(false));
        assert_eq!(w.ok("STORE/a", "get", r#"["k"]"#).await, json!(null));
    });
}

#[test]
fn list_is_in_byte_order_within_literal_bounds() {
    in_world(STORE, async |w| {
        w.ok(
            "STORE/a",
            "fill",
            r#"[["b", "a", "a%", "a_", "a%b", "ab", "é", "\ud83d\ude00", "\uffee", "c"]]"#,
        )
        .await;
        let keys = async |options: &str| {
            let entries = w.ok("STORE/a", "list", &format!("[{options}]")).await;
            entries
                .as_array()
                .unwrap()
                .iter()
                .map(|entry| entry[0].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            keys("").await,
            [
                "a", "a%", "a%b", "a_", "ab", "b", "c", "é", "\u{ffee}", "😀"
            ]
        );
        assert_eq!(keys(r#"{"prefix":"a%"}"#).await, ["a%", "a%b"]);
        assert_eq!(keys(r#"{"prefix":"a_"}"#).await, ["a_"]);
        assert_eq!(keys(r#"{"start":"a_","end":"c"}"#).await, ["a_", "ab", "b"]);
        assert_eq!(
            keys(r#"{"prefix":"a","start":"a%b","limit":2}"#).await,
            ["a%b", "a_"]
        );
        assert_eq!(
            keys(r#"{"reverse":true,"limit":2}"#).await,
            ["😀", "\u{ffee}"]
        );
        assert_eq!(keys(r#"{"start":"x","end":"a"}"#).await, [""; 0]);
        assert_eq!(w.ok("STORE/b", "proto", "").await, json!(["__proto__"]));
    });
}

#[test]
fn keys_that_look_like_integers_are_read_in_byte_order_and_shown_in_javascripts_order() {
    in_world(STORE, async |w| {
        w.ok("STORE/a", "fill", r#"[["b", "10", "2"]]"#).await;
        for (options, entries) in [
            ("{}", json!([["2", "2"], ["10", "10"], ["b", "b"]])),
            (r#"{"limit": 1}"#, json!([["10", "10"]])),
            (r#"{"limit": 2}"#, json!([["2", "2"], ["10", "10"]])),
            (r#"{"start": "2", "limit": 1}"#, json!([["2", "2"]])),
            (r#"{"reverse": true, "limit": 1}"#, json!([["b", "b"]])),
        ] {
            let found = w.ok("STORE/a", "list", &format!("[{options}]")).await;
            assert_eq!(found, entries, "{options}");
        }
    });
}

#[test]
fn transactions_roll_back_nest_and_refuse_pending_promises() {
    in_world(STORE, async |w| {
        assert_eq!(
            w.ok("STORE/a", "rollsBack", "").await,
            json!(["no", "before", true])
        );
        assert_eq!(w.ok("STORE/a", "nests", "").await, json!([1, true, 1]));
        assert_eq!(
            w.ok("STORE/a", "pending", "").await,
            json!([true, true, true])
        );
        assert_eq!(w.ok("STORE/a", "settledPromise", "").await, json!(7));
        assert_eq!(w.ok("STORE/a", "get", r#"["q"]"#).await, json!(1));
        assert_eq!(
            w.ok("STORE/a", "rejectedPromise", "").await,
            json!(["rejected", true])
        );
    });
}

#[test]
fn what_was_written_survives_a_restart() {
    in_world(STORE, async |w| {
        w.ok("STORE/a", "put", r#"["k", {"deep": [1, 2]}]"#).await;
        w.err("STORE/a", "throwsAfterWrite", "").await;
        w.restart().await;
        assert_eq!(
            w.ok("STORE/a", "get", r#"["k"]"#).await,
            json!({ "deep": [1, 2] })
        );
        assert_eq!(
            w.ok("STORE/a", "get", r#"["kept"]"#).await,
            json!(1),
            "an ordinary throw keeps earlier writes"
        );
        w.ok("STORE/a", "deleteAll", "").await;
        assert_eq!(w.ok("STORE/a", "list", "").await, json!([]));
        w.restart().await;
        assert_eq!(w.ok("STORE/a", "list", "").await, json!([]));
    });
}

#[test]
fn an_object_that_never_wrote_leaves_no_file() {
    in_world(STORE, async |w| {
        w.ok("STORE/reader", "get", r#"["k"]"#).await;
        let files: Vec<_> = std::fs::read_dir(w.folder().join("STORE"))
            .unwrap()
            .map(|file| file.unwrap().file_name())
            .collect();
        assert!(
            files
                .iter()
                .all(|file| !file.to_string_lossy().contains(".sqlite")
                    || file == "metadata.sqlite"
                    || file.to_string_lossy().starts_with("metadata")),
            "{files:?}"
        );
    });
}
