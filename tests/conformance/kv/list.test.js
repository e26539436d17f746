// list: order, bounds and limits.
import { DurableObject } from "cloudflare:workers";
import { inside, runInside, assert } from "../harness.js";
export { default } from "../harness.js";

export class Box extends DurableObject {
  run(name) { return runInside(this, name); }
}

const letters = { a: 1, b: 2, c: 3, d: 4, e: 5 };
const keys = async (storage, options) => [...(await storage.list(options)).keys()].join(" ");

inside("list gives a Map of everything in key order", async ({ storage }) => {
  await storage.put({ c: 3, a: 1, b: 2 });
  const all = await storage.list();
  assert.equal(all instanceof Map, true);
  assert.deepEqual([...all], [["a", 1], ["b", 2], ["c", 3]]);
});

inside("list of an empty storage", async ({ storage }) => {
  assert.equal((await storage.list()).size, 0);
});

inside("order is that of UTF-8 bytes, not of UTF-16", async ({ storage }) => {
  await storage.put({ "\uFFFD": 1, "😀": 1, a: 1, Z: 1, "10": 1, "9": 1, "é": 1, "": 1, "a\u0000": 1, "a!": 1 });
  assert.deepEqual([...(await storage.list()).keys()], ["", "10", "9", "Z", "a", "a\u0000", "a!", "é", "\uFFFD", "😀"]);
});

inside("start is inclusive, end exclusive", async ({ storage }) => {
  await storage.put(letters);
  assert.equal(await keys(storage, { start: "b" }), "b c d e");
  assert.equal(await keys(storage, { end: "d" }), "a b c");
  assert.equal(await keys(storage, { start: "b", end: "d" }), "b c");
  assert.equal(await keys(storage, { start: "bb", end: "dd" }), "c d");
  assert.equal(await keys(storage, { start: "d", end: "b" }), "");
  assert.equal(await keys(storage, { start: "b", end: "b" }), "");
});

inside("startAfter is exclusive", async ({ storage }) => {
  await storage.put(letters);
  assert.equal(await keys(storage, { startAfter: "b" }), "c d e");
  assert.equal(await keys(storage, { startAfter: "bb" }), "c d e");
  assert.equal(await keys(storage, { startAfter: "b", end: "d" }), "c");
  assert.equal(await keys(storage, { startAfter: "e" }), "");
});

inside("startAfter skips the key alone, not those it is a prefix of", async ({ storage }) => {
  await storage.put({ a: 1, "a\u0000": 2, aa: 3 });
  assert.deepEqual([...(await storage.list({ startAfter: "a" })).keys()], ["a\u0000", "aa"]);
});

inside("start and startAfter together are refused", async ({ storage }) => {
  await assert.rejects(async () => storage.list({ start: "a", startAfter: "b" }), {
    class: "TypeError", message: "list() cannot be called with both start and startAfter values.",
  });
});

inside("prefix", async ({ storage }) => {
  await storage.put({ user: 0, "user:1": 1, "user:2": 2, "user;": 3, use: 4, v: 5 });
  assert.equal(await keys(storage, { prefix: "user:" }), "user:1 user:2");
  assert.equal(await keys(storage, { prefix: "" }), "use user user:1 user:2 user; v");
  assert.equal(await keys(storage, { prefix: "nobody" }), "");
});

inside("prefix of special characters is taken literally", async ({ storage }) => {
  await storage.put({ "a%": 1, ab: 2, "a_c": 3, "\uFFFFx": 4, "😀1": 5, "😁": 6 });
  assert.equal(await keys(storage, { prefix: "a%" }), "a%");
  assert.equal(await keys(storage, { prefix: "a_" }), "a_c");
  assert.equal(await keys(storage, { prefix: "😀" }), "😀1");
  assert.equal(await keys(storage, { prefix: "\uFFFF" }), "\uFFFFx");
});

inside("prefix intersects start, startAfter and end", async ({ storage }) => {
  await storage.put({ a1: 1, b1: 1, b2: 1, b3: 1, c1: 1 });
  assert.equal(await keys(storage, { prefix: "b", start: "b2" }), "b2 b3");
  assert.equal(await keys(storage, { prefix: "b", start: "a" }), "b1 b2 b3");
  assert.equal(await keys(storage, { prefix: "b", start: "c" }), "");
  assert.equal(await keys(storage, { prefix: "b", end: "b3" }), "b1 b2");
  assert.equal(await keys(storage, { prefix: "b", end: "z" }), "b1 b2 b3");
  assert.equal(await keys(storage, { prefix: "b", startAfter: "b1", end: "b3" }), "b2");
});

inside("reverse flips the order, not the meaning of the bounds", async ({ storage }) => {
  await storage.put(letters);
  assert.equal(await keys(storage, { reverse: true }), "e d c b a");
  assert.equal(await keys(storage, { reverse: true, start: "b", end: "e" }), "d c b");
  assert.equal(await keys(storage, { reverse: true, startAfter: "b" }), "e d c");
  assert.equal(await keys(storage, { reverse: false }), "a b c d e");
});

inside("limit takes the first of the order asked for", async ({ storage }) => {
  await storage.put(letters);
  assert.equal(await keys(storage, { limit: 2 }), "a b");
  assert.equal(await keys(storage, { limit: 2, reverse: true }), "e d");
  assert.equal(await keys(storage, { limit: 100 }), "a b c d e");
  assert.equal(await keys(storage, { start: "b", limit: 1 }), "b");
  assert.equal(await keys(storage, { prefix: "c", limit: 5 }), "c");
});

inside("a limit that is not positive is refused", async ({ storage }) => {
  const refused = { class: "TypeError", message: "List limit must be positive." };
  await assert.rejects(async () => storage.list({ limit: 0 }), refused);
  await assert.rejects(async () => storage.list({ limit: -1 }), refused);
});

inside("undefined members of the options are as none", async ({ storage }) => {
  await storage.put(letters);
  const none = { start: undefined, startAfter: undefined, end: undefined, prefix: undefined, reverse: undefined, limit: undefined };
  assert.equal(await keys(storage, none), "a b c d e");
  assert.equal(await keys(storage, { allowConcurrency: true, noCache: true }), "a b c d e");
});

inside("an empty end lists nothing", async ({ storage }) => {
  await storage.put(letters);
  assert.equal(await keys(storage, { end: "" }), "");
  assert.equal(await keys(storage, { start: "" }), "a b c d e");
});

inside("list sees writes that were not awaited", async ({ storage }) => {
  await storage.put(letters);
  storage.put("f", 6);
  storage.delete("a");
  assert.equal(await keys(storage), "b c d e f");
});

inside("list of a thousand keys", async ({ storage }) => {
  for (let i = 0; i < 10; i++) {
    await storage.put(Object.fromEntries(Array.from({ length: 100 }, (_, j) => [`k${String(i * 100 + j).padStart(4, "0")}`, i * 100 + j])));
  }
  const all = await storage.list({ prefix: "k" });
  assert.equal(all.size, 1000);
  assert.deepEqual([...all.values()], Array.from({ length: 1000 }, (_, i) => i));
});
