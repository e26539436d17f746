// The asynchronous storage: get, put and delete of one key and of many.
import { DurableObject } from "cloudflare:workers";
import { test, inside, runInside, assert } from "../harness.js";
export { default } from "../harness.js";

export class Box extends DurableObject {
  run(name) { return runInside(this, name); }
  put(key, value) { return this.ctx.storage.put(key, value); }
  get(key) { return this.ctx.storage.get(key); }
  delete(key) { return this.ctx.storage.delete(key); }
}

test("what was put is there in a later event", async ({ env, name }) => {
  const box = env.BOX.getByName(name);
  assert.equal(await box.get("k"), undefined);
  assert.equal(await box.put("k", { a: [1, 2, 3] }), undefined);
  assert.deepEqual(await env.BOX.getByName(name).get("k"), { a: [1, 2, 3] });
  assert.equal(await box.delete("k"), true);
  assert.equal(await box.get("k"), undefined);
});

test("objects do not see each other's storage", async ({ env, name }) => {
  await env.BOX.getByName(name).put("k", 1);
  assert.equal(await env.BOX.getByName(`${name}/b`).get("k"), undefined);
});

inside("every operation gives a promise", async ({ storage }) => {
  for (const promise of [storage.get("a"), storage.put("a", 1), storage.delete("a"), storage.list(), storage.put({ b: 1 }), storage.get(["a"]), storage.delete(["a"]), storage.sync(), storage.deleteAll()]) {
    assert.equal(promise instanceof Promise, true);
    await promise;
  }
});

inside("put and sync resolve with undefined", async ({ storage }) => {
  assert.equal(await storage.put("a", 1), undefined);
  assert.equal(await storage.put({ a: 1 }), undefined);
  assert.equal(await storage.sync(), undefined);
  assert.equal(await storage.deleteAll(), undefined);
});

inside("get of a missing key is undefined", async ({ storage }) => {
  assert.equal(await storage.get("missing"), undefined);
});

inside("put replaces", async ({ storage }) => {
  await storage.put("k", 1);
  await storage.put("k", "two");
  assert.equal(await storage.get("k"), "two");
});

inside("a get after a put that was not awaited sees it", async ({ storage }) => {
  storage.put("k", 1);
  assert.equal(await storage.get("k"), 1);
  storage.delete("k");
  assert.equal(await storage.get("k"), undefined);
});

inside("operations take effect in call order", async ({ storage }) => {
  const first = storage.get("k");
  storage.put("k", 1);
  const second = storage.get("k");
  storage.put("k", 2);
  const third = storage.get("k");
  assert.deepEqual(await Promise.all([first, second, third]), [undefined, 1, 2]);
});

inside("the value is copied when put is called", async ({ storage }) => {
  const value = { list: [1] };
  const done = storage.put("k", value);
  value.list.push(2);
  await done;
  assert.deepEqual(await storage.get("k"), { list: [1] });
});

inside("each get gives a copy", async ({ storage }) => {
  await storage.put("k", { list: [1] });
  const first = await storage.get("k");
  first.list.push(2);
  assert.deepEqual(await storage.get("k"), { list: [1] });
  assert.notEqual(await storage.get("k"), await storage.get("k"));
});

inside("null, false, 0 and the empty string are values", async ({ storage }) => {
  for (const value of [null, false, true, 0, -0, "", NaN, Infinity, 1.5, 2 ** 53]) {
    await storage.put("k", value);
    assert.equal(await storage.get("k"), value);
  }
});

inside("put of undefined is refused", async ({ storage }) => {
  const refused = { class: "TypeError", message: "put() called with undefined value." };
  await assert.rejects(async () => storage.put("k", undefined), refused);
  await assert.rejects(async () => storage.put("k"), refused);
  assert.equal(await storage.get("k"), undefined);
});

inside("misuse rejects the promise and does not throw", async ({ storage }) => {
  for (const call of [() => storage.put("k", undefined), () => storage.put({}, 5), () => storage.get(), () => storage.list({ limit: 0 }), () => storage.put("k", () => 1)]) {
    const promise = call();
    assert.equal(promise instanceof Promise, true);
    await assert.rejects(promise);
  }
});

inside("put of entries", async ({ storage }) => {
  await storage.put({ a: 1, b: "two", c: [3] });
  assert.deepEqual(await storage.get(["c", "a", "b"]), new Map([["a", 1], ["b", "two"], ["c", [3]]]));
});

inside("put of entries skips undefined members", async ({ storage }) => {
  await storage.put("b", "old");
  await storage.put({ a: 1, b: undefined, c: 3 });
  assert.deepEqual(await storage.list(), new Map([["a", 1], ["b", "old"], ["c", 3]]));
});

inside("put of an empty object does nothing", async ({ storage }) => {
  assert.equal(await storage.put({}), undefined);
  assert.equal((await storage.list()).size, 0);
});

inside("put of entries with options", async ({ storage }) => {
  await storage.put({ a: 1 }, { allowUnconfirmed: true, noCache: true, allowConcurrency: true });
  assert.equal(await storage.get("a"), 1);
});

inside("put of entries and a value that is no object is refused", async ({ storage }) => {
  await assert.rejects(async () => storage.put({ a: 1 }, 5), {
    class: "TypeError",
    message: "put() may only be called with a single key-value pair and optional options as put(key, value, options) or with multiple key-value pairs and optional options as put(entries, options)",
  });
});

inside("a key is turned into a string", async ({ storage }) => {
  await storage.put(42, "number");
  assert.equal(await storage.get("42"), "number");
  await storage.put("null", "null");
  assert.equal(await storage.get(null), "null");
});

inside("put without arguments", async ({ storage }) => {
  await assert.rejects(async () => storage.put(), { class: "TypeError" });
});

inside("get without arguments", async ({ storage }) => {
  await assert.rejects(async () => storage.get(), { class: "TypeError" });
});

inside("the empty string is a key", async ({ storage }) => {
  await storage.put("", "empty");
  assert.equal(await storage.get(""), "empty");
  assert.deepEqual([...(await storage.list()).keys()], [""]);
});

inside("keys keep every character", async ({ storage }) => {
  const keys = ["a b", "ä", "名前", "😀", "a\u0000b", "'; DROP TABLE x; --", "%", "_", "a\nb"];
  for (const key of keys) await storage.put(key, key);
  for (const key of keys) assert.equal(await storage.get(key), key);
  assert.equal((await storage.list()).size, keys.length);
});

inside("get of many gives a Map of what was found, in key order", async ({ storage }) => {
  await storage.put({ b: 2, a: 1, d: 4 });
  const found = await storage.get(["d", "missing", "a", "b"]);
  assert.equal(found instanceof Map, true);
  assert.deepEqual([...found], [["a", 1], ["b", 2], ["d", 4]]);
});

inside("get of many: order is that of UTF-8 bytes", async ({ storage }) => {
  await storage.put({ "\uFFFD": 1, "😀": 2, z: 3, é: 4 });
  assert.deepEqual([...(await storage.get(["😀", "\uFFFD", "é", "z"])).keys()], ["z", "é", "\uFFFD", "😀"]);
});

inside("get of many: a key given twice is there once", async ({ storage }) => {
  await storage.put("a", 1);
  assert.deepEqual([...(await storage.get(["a", "a"]))], [["a", 1]]);
});

inside("get of no keys is an empty Map", async ({ storage }) => {
  const found = await storage.get([]);
  assert.equal(found instanceof Map, true);
  assert.equal(found.size, 0);
});

inside("get of 128 keys", async ({ storage }) => {
  const entries = Object.fromEntries(Array.from({ length: 128 }, (_, i) => [`k${i}`, i]));
  await storage.put(entries);
  const found = await storage.get(Object.keys(entries));
  assert.equal(found.size, 128);
  assert.equal(found.get("k127"), 127);
  assert.equal(await storage.delete(Object.keys(entries)), 128);
});

inside("more than the documented 128 keys in one call are refused", async ({ storage }) => {
  const entries = Object.fromEntries(Array.from({ length: 129 }, (_, i) => [`k${i}`, i]));
  await assert.rejects(async () => storage.get(Object.keys(entries)), { class: /Error$/ });
  await assert.rejects(async () => storage.put(entries), { class: /Error$/ });
  await assert.rejects(async () => storage.delete(Object.keys(entries)), { class: /Error$/ });
  assert.equal((await storage.list()).size, 0);
});

inside("delete tells whether the key was there", async ({ storage }) => {
  await storage.put("k", 1);
  assert.equal(await storage.delete("k"), true);
  assert.equal(await storage.delete("k"), false);
  assert.equal(await storage.get("k"), undefined);
});

inside("delete of many tells how many were there", async ({ storage }) => {
  await storage.put({ a: 1, b: 2, c: 3 });
  assert.equal(await storage.delete(["a", "b", "missing"]), 2);
  assert.equal(await storage.delete([]), 0);
  assert.deepEqual([...(await storage.list()).keys()], ["c"]);
});

inside("options of get, put and delete are accepted", async ({ storage }) => {
  await storage.put("k", 1, { allowUnconfirmed: true });
  await storage.put("k", 2, { noCache: true, allowConcurrency: true });
  assert.equal(await storage.get("k", { allowConcurrency: true, noCache: true }), 2);
  assert.equal((await storage.get(["k"], { allowConcurrency: true, noCache: true })).get("k"), 2);
  assert.equal(await storage.delete("k", { allowUnconfirmed: true, allowConcurrency: true, noCache: true }), true);
  assert.equal(await storage.get("k", undefined), undefined);
  assert.equal(await storage.get("k", {}), undefined);
});

inside("sync resolves after the writes before it", async ({ storage }) => {
  let put = false;
  storage.put("k", 1).then(() => { put = true; });
  await storage.sync();
  assert.equal(put, true);
  assert.equal(await storage.get("k"), 1);
});
