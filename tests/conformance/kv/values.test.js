// Which values the storage keeps, and how they come back.
import { DurableObject } from "cloudflare:workers";
import { inside, runInside, assert } from "../harness.js";
export { default } from "../harness.js";

export class Box extends DurableObject {
  run(name) { return runInside(this, name); }
}

class Point {
  constructor() { this.x = 1; }
  length() { return this.x; }
}

const roundTrip = async (storage, value) => {
  await storage.put("k", value);
  return storage.get("k");
};

inside("strings of every kind", async ({ storage }) => {
  for (const text of ["", "ascii", "é", "名前 😀", "\u0000", "x".repeat(100_000), "\uD800 alone"]) {
    assert.equal(await roundTrip(storage, text), text);
  }
});

inside("objects and arrays", async ({ storage }) => {
  const value = { a: [1, [2, { b: null }]], u: undefined, "": 0, 7: "seven" };
  assert.deepEqual(await roundTrip(storage, value), value);
  assert.equal("u" in (await storage.get("k")), true);
});

inside("sparse arrays keep their holes", async ({ storage }) => {
  const back = await roundTrip(storage, [1, , 3]);
  assert.equal(back.length, 3);
  assert.equal(1 in back, false);
});

inside("Date, RegExp, Map and Set", async ({ storage }) => {
  const value = { date: new Date(1234), pattern: /a+b/gi, map: new Map([[{ k: 1 }, "v"]]), set: new Set([1, "2"]) };
  const back = await roundTrip(storage, value);
  assert.deepEqual(back, value);
  assert.equal(back.date instanceof Date, true);
  assert.equal(back.map instanceof Map, true);
  assert.equal(back.pattern.flags, "gi");
});

inside("BigInt", async ({ storage }) => {
  for (const value of [0n, -1n, 2n ** 64n, -(10n ** 40n)]) assert.equal(await roundTrip(storage, value), value);
});

inside("ArrayBuffer and every typed array", async ({ storage }) => {
  const buffer = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]).buffer;
  assert.deepEqual(await roundTrip(storage, buffer), buffer);
  for (const Kind of [Uint8Array, Uint8ClampedArray, Int8Array, Uint16Array, Int16Array, Uint32Array, Int32Array, Float32Array, Float64Array, BigInt64Array, BigUint64Array]) {
    const back = await roundTrip(storage, new Kind(buffer));
    assert.equal(back.constructor.name, Kind.name);
    assert.deepEqual(back, new Kind(buffer));
  }
  const view = await roundTrip(storage, new DataView(buffer, 2, 3));
  assert.equal(view instanceof DataView, true);
  assert.equal(view.byteLength, 3);
  assert.equal(view.getUint8(0), 3);
});

inside("errors keep class, name, message and stack", async ({ storage }) => {
  const back = await roundTrip(storage, new RangeError("too far"));
  assert.equal(back instanceof RangeError, true);
  assert.equal(back.name, "RangeError");
  assert.equal(back.message, "too far");
  assert.equal(typeof back.stack, "string");
});

inside("an error keeps its cause", async ({ storage }) => {
  const back = await roundTrip(storage, new Error("outer", { cause: "why" }));
  assert.equal(back.cause, "why");
});

inside("boxed primitives", async ({ storage }) => {
  const back = await roundTrip(storage, [new Number(1), new String("s"), new Boolean(false)]);
  assert.deepEqual(back.map((value) => typeof value), ["object", "object", "object"]);
  assert.deepEqual(back.map((value) => value.valueOf()), [1, "s", false]);
});

inside("cycles and shared references", async ({ storage }) => {
  const value = { name: "self" };
  value.self = value;
  value.twice = [value, value];
  const back = await roundTrip(storage, value);
  assert.equal(back.self, back);
  assert.equal(back.twice[0], back.twice[1]);
  assert.equal(back.name, "self");
});

inside("class instances lose their class", async ({ storage }) => {
  const back = await roundTrip(storage, new Point());
  assert.deepEqual(Object.entries(back), [["x", 1]]);
  assert.equal(Object.getPrototypeOf(back), Object.prototype);
  assert.equal(back.length, undefined);
});

inside("an object without a prototype comes back with one", async ({ storage }) => {
  const value = Object.assign(Object.create(null), { a: 1 });
  const back = await roundTrip(storage, value);
  assert.equal(back.a, 1);
  assert.equal(Object.getPrototypeOf(back), Object.prototype);
});

inside("getters are read and kept as values", async ({ storage }) => {
  assert.deepEqual(await roundTrip(storage, { get a() { return 5; } }), { a: 5 });
});

inside("symbol keys and inherited members are left out", async ({ storage }) => {
  const value = Object.create({ inherited: 1 });
  value.own = 2;
  value[Symbol("s")] = 3;
  const back = await roundTrip(storage, value);
  assert.deepEqual(back, { own: 2 });
  assert.equal(Object.getOwnPropertySymbols(back).length, 0);
});

inside("functions are refused", async ({ storage }) => {
  await assert.rejects(async () => storage.put("k", () => 1), { class: "DOMException", name: "DataCloneError", message: "()=>1 could not be cloned.".replace("()=>1", "() => 1") });
  await assert.rejects(async () => storage.put("k", { nested: function named() {} }), { name: "DataCloneError", message: "function named() {} could not be cloned." });
  assert.equal(await storage.get("k"), undefined);
});

inside("symbols are refused", async ({ storage }) => {
  await assert.rejects(async () => storage.put("k", Symbol("s")), { class: "DOMException", name: "DataCloneError", message: "Symbol(s) could not be cloned." });
});

inside("promises, weak maps and streams are refused", async ({ storage }) => {
  for (const [value, message] of [
    [Promise.resolve(), "#<Promise> could not be cloned."],
    [new WeakMap(), "#<WeakMap> could not be cloned."],
  ]) {
    await assert.rejects(async () => storage.put("k", value), { name: "DataCloneError", message });
  }
  await assert.rejects(async () => storage.put("k", new ReadableStream()), { name: "DataCloneError", message: "ReadableStream can only be serialized for RPC." });
});

inside("stubs, ids and platform objects are refused", async ({ storage, env, ctx }) => {
  await assert.rejects(async () => storage.put("k", env.BOX.getByName("x")), { name: "DataCloneError", message: "ServiceStub cannot be serialized in this context." });
  await assert.rejects(async () => storage.put("k", ctx.id), { name: "DataCloneError", message: "Could not serialize object of type \"DurableObjectId\". This type does not support serialization." });
  await assert.rejects(async () => storage.put("k", env.BOX), { name: "DataCloneError", message: "Could not serialize object of type \"DurableObjectNamespace\". This type does not support serialization." });
  await assert.rejects(async () => storage.put("k", new Response("x")), { name: "DataCloneError", message: "ReadableStream can only be serialized for RPC." });
  await assert.rejects(async () => storage.put("k", new URL("http://x")), { name: "DataCloneError", message: "Could not serialize object of type \"URL\". This type does not support serialization." });
});

inside("a refused value leaves the old one", async ({ storage }) => {
  await storage.put("k", "old");
  await assert.rejects(async () => storage.put("k", () => 1), { name: "DataCloneError" });
  assert.equal(await storage.get("k"), "old");
  await assert.rejects(async () => storage.put({ k: "new", l: () => 1 }), { name: "DataCloneError" });
  assert.deepEqual([...(await storage.list())], [["k", "old"]]);
});

inside("a value of one megabyte", async ({ storage }) => {
  const value = new Uint8Array(1 << 20).fill(7);
  const back = await roundTrip(storage, value);
  assert.equal(back.length, 1 << 20);
  assert.equal(back.every((byte) => byte === 7), true);
});

inside("a value far above every limit is refused", async ({ storage }) => {
  await assert.rejects(async () => storage.put("k", new Uint8Array(15 << 20)), { message: /SQLITE_TOOBIG|too (big|large)|limit|larger/i });
  assert.equal(await storage.get("k"), undefined);
});

inside("a key with its value at the documented limit of 2 MB", async ({ storage }) => {
  const value = new Uint8Array(2_000_000 - 100);
  await storage.put("k", value);
  assert.equal((await storage.get("k")).length, value.length);
});

inside("a value above the documented limit of 2 MB is refused", async ({ storage, kv }) => {
  await assert.rejects(async () => storage.put("k", new Uint8Array(3 << 20)), { class: /Error$/ });
  assert.throws(() => kv.put("k", new Uint8Array(3 << 20)), { class: /Error$/ });
  assert.equal(await storage.get("k"), undefined);
});

inside("keys of 2048 bytes", async ({ storage }) => {
  const key = "k".repeat(2048);
  await storage.put(key, 1);
  assert.equal(await storage.get(key), 1);
  assert.deepEqual([...(await storage.list()).keys()], [key]);
});

inside("transferring a buffer after put does not change what was put", async ({ storage }) => {
  const bytes = new Uint8Array([1, 2, 3]);
  const done = storage.put("k", bytes);
  bytes.fill(0);
  await done;
  assert.deepEqual(await storage.get("k"), new Uint8Array([1, 2, 3]));
});
