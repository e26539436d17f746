//! A file that workerd made (`workerd/object.js` says how) has the same values here.

use serde_json::json;

use super::world::in_world;

const FOREIGN: &str = r#"
class Foreign {
  constructor(state) { this.storage = state.storage; }
  count() { return Object.keys(this.storage.list()).length; }
  wrong() {
    const get = (key) => this.storage.get(key);
    const is = {
      null: (v) => v === null,
      true: (v) => v === true,
      int: (v) => v === -7,
      double: (v) => v === 0.1,
      "minus zero": (v) => Object.is(v, -0),
      latin: (v) => v === "caf\u00e9",
      wide: (v) => v === "\u65e5\u672c \ud83d\ude00",
      lone: (v) => v === "\ud800",
      big: (v) => v === -(2n ** 70n),
      date: (v) => v instanceof Date && v.getTime() === 5,
      regexp: (v) => v instanceof RegExp && v.source === "a+" && v.flags === "gi",
      array: (v) => v.length === 4 && v[0] === 1 && !(1 in v) && v[2] === "x" && 3 in v && v[3] === undefined,
      nested: (v) => JSON.stringify(v) === '{"5":"five","a":[{"b":null}]}',
      map: (v) => v instanceof Map && v.size === 1 && v.get("k") instanceof Set && [...v.get("k")].join() === "1,2",
      bytes: (v) => v instanceof Uint8Array && v.join() === "1,2,255",
      buffer: (v) => v instanceof ArrayBuffer && new Uint8Array(v).join() === "9,8",
      view: (v) => v instanceof DataView && v.byteLength === 2,
      error: (v) => v instanceof RangeError && v.message === "out",
      boxed: (v) => typeof v === "object" && v instanceof String && String(v) === "s",
      cycle: (v) => v.self === v && v.n === 1,
      shared: (v) => v[0] === v[1] && v[0][0] === 1,
      "Uppercase/\u00e9": (v) => v === "key",
      ["__proto__"]: (v) => v === "plain",
    };
    const keys = Object.keys(is);
    return [keys.length, keys.filter((key) => !is[key](get(key)))];
  }
  change() { this.storage.put("int", 8); this.storage.delete("null"); }
  int() { return [this.storage.get("int"), this.storage.get("null") ?? "gone"]; }
}
exports.objects = { Foreign };
"#;

/// The id that workerd gave the object: it must be ours as well.
const ID: &str = "9de1b7ac8b6d637e49a58a0084eacec214d5f6a8cce9fd01f10b65ad1bbc36f1";

#[test]
fn an_object_of_workerd_has_the_same_id_and_equal_values() {
    in_world(FOREIGN, async |w| {
        w.stop().await;
        let file = w.folder().join(format!("FOREIGN/{ID}.sqlite"));
        std::fs::write(file, include_bytes!("workerd/object.sqlite")).unwrap();
        w.start();
        let object = "FOREIGN/from workerd";
        assert_eq!(w.ok(object, "count", "").await, json!(23));
        assert_eq!(w.ok(object, "wrong", "").await, json!([23, []]));
        w.ok(object, "change", "").await;
        w.restart().await;
        assert_eq!(w.ok(object, "int", "").await, json!([8, "gone"]));
    });
}
