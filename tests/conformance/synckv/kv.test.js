// The synchronous key-value storage: storage.kv.
import { DurableObject } from "cloudflare:workers";
import { test, inside, runInside, assert } from "../harness.js";
export { default } from "../harness.js";

export class Box extends DurableObject {
  run(name) { return runInside(this, name); }
  put(key, value) { return this.ctx.storage.kv.put(key, value); }
  get(key) { return this.ctx.storage.kv.get(key); }
  abortAfterPut() {
    this.ctx.storage.kv.put("lost", 1);
    this.ctx.abort("after the put");
  }
}

const letters = (kv) => { for (const key of ["a", "b", "c", "d", "e"]) kv.put(key, key.toUpperCase()); };
const keys = (kv, options) => [...kv.list(options)].map(([key]) => key).join(" ");

class Point { x = 1; }

test("what was put is there in a later event, and lost by an abort", async ({ env, name }) => {
  const box = env.BOX.getByName(name);
  assert.equal(await box.put("k", { a: 1 }), undefined);
  assert.deepEqual(await box.get("k"), { a: 1 });
  await assert.rejects(box.abortAfterPut(), { message: "after the put" });
  assert.equal(await env.BOX.getByName(name).get("lost"), undefined);
});

inside("get, put and delete are synchronous", ({ kv }) => {
  assert.equal(kv.get("k"), undefined);
  assert.equal(kv.put("k", 1), undefined);
  assert.equal(kv.get("k"), 1);
  assert.equal(kv.delete("k"), true);
  assert.equal(kv.delete("k"), false);
  assert.equal(kv.get("k"), undefined);
});

inside("kv is one object, of its own class", ({ kv, storage }) => {
  assert.equal(storage.kv, kv);
  assert.equal(kv.constructor.name, "SyncKvStorage");
});

inside("values come back as structured clones", ({ kv }) => {
  const value = { map: new Map([[1, new Set(["x"])]]), date: new Date(5), big: 5n, bytes: new Uint8Array([1, 2]), nothing: undefined };
  kv.put("k", value);
  assert.deepEqual(kv.get("k"), value);
  assert.notEqual(kv.get("k"), kv.get("k"));
  kv.put("k", new Point());
  assert.equal(Object.getPrototypeOf(kv.get("k")), Object.prototype);
});

inside("undefined is a value", ({ kv }) => {
  kv.put("k", undefined);
  assert.equal(kv.get("k"), undefined);
  assert.equal(keys(kv), "k");
  assert.equal(kv.delete("k"), true);
});

inside("values that do not clone are refused", ({ kv }) => {
  kv.put("k", "old");
  assert.throws(() => kv.put("k", () => 1), { class: "DOMException", name: "DataCloneError", message: "() => 1 could not be cloned." });
  assert.throws(() => kv.put("k", Symbol("s")), { name: "DataCloneError", message: "Symbol(s) could not be cloned." });
  assert.equal(kv.get("k"), "old");
});

inside("there are no forms for many keys", ({ kv }) => {
  kv.put("a,b", "joined");
  assert.equal(kv.get(["a", "b"]), "joined");
  assert.throws(() => kv.put({ a: 1 }), { class: "TypeError" });
});

inside("wrong arguments", ({ kv }) => {
  assert.throws(() => kv.get(), { class: "TypeError" });
  assert.throws(() => kv.put(), { class: "TypeError" });
  assert.throws(() => kv.delete(), { class: "TypeError" });
});

inside("list gives pairs in key order", ({ kv }) => {
  letters(kv);
  assert.deepEqual([...kv.list()], [["a", "A"], ["b", "B"], ["c", "C"], ["d", "D"], ["e", "E"]]);
  const seen = [];
  for (const [key, value] of kv.list()) seen.push(key + value);
  assert.deepEqual(seen, ["aA", "bB", "cC", "dD", "eE"]);
});

inside("list of nothing", ({ kv }) => {
  assert.deepEqual([...kv.list()], []);
});

inside("order is that of UTF-8 bytes", ({ kv }) => {
  for (const key of ["\uFFFD", "😀", "a", "Z", "é", ""]) kv.put(key, 1);
  assert.deepEqual([...kv.list()].map(([key]) => key), ["", "Z", "a", "é", "\uFFFD", "😀"]);
});

inside("bounds, prefix, reverse and limit", ({ kv }) => {
  letters(kv);
  kv.put("bb", 1);
  assert.equal(keys(kv, { start: "b", end: "d" }), "b bb c");
  assert.equal(keys(kv, { startAfter: "b" }), "bb c d e");
  assert.equal(keys(kv, { prefix: "b" }), "b bb");
  assert.equal(keys(kv, { prefix: "b", startAfter: "b" }), "bb");
  assert.equal(keys(kv, { reverse: true, limit: 2 }), "e d");
  assert.equal(keys(kv, { reverse: true, start: "b", end: "d" }), "c bb b");
  assert.equal(keys(kv, { limit: 2 }), "a b");
});

inside("options that are refused", ({ kv }) => {
  assert.throws(() => kv.list({ start: "a", startAfter: "b" }), { class: "TypeError", message: "list() cannot be called with both start and startAfter values." });
  assert.throws(() => kv.list({ limit: 0 }), { class: "TypeError", message: "List limit must be positive." });
  assert.throws(() => kv.list({ limit: -1 }), { class: "TypeError", message: "List limit must be positive." });
});

inside("list is read by hand", ({ kv }) => {
  letters(kv);
  const iterator = kv.list({ limit: 1 })[Symbol.iterator]();
  assert.deepEqual(iterator.next(), { done: false, value: ["a", "A"] });
  assert.equal(iterator.next().done, true);
});

inside("a second list ends the first", ({ kv }) => {
  letters(kv);
  const first = kv.list()[Symbol.iterator]();
  assert.deepEqual(first.next().value, ["a", "A"]);
  const second = kv.list()[Symbol.iterator]();
  assert.deepEqual(second.next().value, ["a", "A"]);
  assert.throws(() => first.next(), {
    class: "Error",
    message: "kv.list() iterator was invalidated because a new call to kv.list() was started. Only one kv.list() iterator can exist at a time.",
  });
  assert.deepEqual(second.next().value, ["b", "B"]);
});

inside("the iterator has the helpers of iterators", ({ kv }) => {
  letters(kv);
  assert.deepEqual(kv.list().map(([key]) => key).toArray(), ["a", "b", "c", "d", "e"]);
  assert.deepEqual(kv.list().take(1).toArray(), [["a", "A"]]);
});

inside("gets and puts while a list is read", ({ kv }) => {
  letters(kv);
  const seen = [];
  for (const [key] of kv.list()) {
    seen.push(key);
    assert.equal(kv.get(key), key.toUpperCase());
    if (key === "b") kv.put("z", "Z");
  }
  assert.equal(seen.slice(0, 5).join(" "), "a b c d e");
});

inside("it is the same storage as the asynchronous one", async ({ kv, storage }) => {
  kv.put("sync", 1);
  assert.equal(await storage.get("sync"), 1);
  await storage.put("async", 2);
  assert.equal(kv.get("async"), 2);
  assert.deepEqual([...(await storage.list()).keys()], ["async", "sync"]);
  await storage.delete("sync");
  assert.equal(kv.get("sync"), undefined);
});

inside("a throw in transactionSync undoes it", ({ kv, storage }) => {
  kv.put("k", "before");
  assert.throws(() => storage.transactionSync(() => {
    kv.put("k", "within");
    kv.delete("other");
    throw new Error("undo");
  }), { message: "undo" });
  assert.equal(kv.get("k"), "before");
});
