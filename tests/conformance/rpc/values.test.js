// What may be passed and returned by value, in both directions, and what is refused.
import { DurableObject } from "cloudflare:workers";
import { test, assert } from "../harness.js";
export { default } from "../harness.js";

const noSupport = (type) => `Could not serialize object of type "${type}". This type does not support serialization.`;

class Point {
  x = 1;
}

export class Echo extends DurableObject {
  kept = { list: [1] };
  echo(value) { return value; }
  type(value) { return value?.constructor?.name ?? String(value); }
  keep(value) { this.value = value; }
  kept_() { return this.value; }
  shared() { return this.kept; }
  mutate() { this.kept.list.push(2); return this.kept; }
  make(what) {
    switch (what) {
      case "instance": return new Point();
      case "symbol": return Symbol("s");
      case "namespace": return this.env.ECHO;
      case "id": return this.ctx.id;
      case "url": return new URL("http://x/");
      case "formData": return new FormData();
      case "null prototype": return Object.assign(Object.create(null), { a: 1 });
      case "weakmap": return new WeakMap();
      case "ctx": return this.ctx;
      case "storage": return this.ctx.storage;
      case "self": return this;
      case "env": return this.env;
      case "big": return new Uint8Array(33 << 20);
      case "searchParams": return new URLSearchParams("a=1");
      case "abortSignal": return new AbortController().signal;
      default: throw new Error(`no ${what}`);
    }
  }
  length(value) { return value.length ?? value.byteLength; }
  identity(a, b) { return a === b; }
}

const echo = (env, name, value) => env.ECHO.getByName(name).echo(value);

test("primitives", async ({ env, name }) => {
  for (const value of [0, -0, 1.5, NaN, Infinity, 2 ** 53, "", "text 😀", true, false, null, undefined, 0n, -(2n ** 70n)]) {
    assert.equal(await echo(env, name, value), value);
  }
});

test("objects and arrays", async ({ env, name }) => {
  const value = { a: [1, { b: null, c: undefined }], "": { 7: [] } };
  assert.deepEqual(await echo(env, name, value), value);
  const sparse = await echo(env, name, [1, , 3]);
  assert.equal(1 in sparse, false);
  assert.equal(sparse.length, 3);
});

test("Map, Set, Date, RegExp", async ({ env, name }) => {
  const value = { map: new Map([["k", new Set([1])]]), date: new Date(5), pattern: /x/giu };
  const back = await echo(env, name, value);
  assert.deepEqual(back, value);
  assert.equal(back.map instanceof Map, true);
  assert.equal(back.map.get("k") instanceof Set, true);
  assert.equal(back.pattern.flags, "giu");
});

test("buffers and views", async ({ env, name }) => {
  const bytes = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]);
  for (const Kind of [Uint8Array, Int8Array, Uint8ClampedArray, Uint16Array, Int16Array, Uint32Array, Int32Array, Float32Array, Float64Array, BigInt64Array, BigUint64Array]) {
    const back = await echo(env, name, new Kind(bytes.buffer));
    assert.equal(back.constructor.name, Kind.name);
    assert.deepEqual(back, new Kind(bytes.buffer));
  }
  assert.deepEqual(await echo(env, name, bytes.buffer), bytes.buffer);
  assert.equal((await echo(env, name, new DataView(bytes.buffer))).byteLength, 8);
  assert.equal(bytes.byteLength, 8, "the sender keeps its buffer");
});

test("cycles and shared references", async ({ env, name }) => {
  const value = { twice: {} };
  value.self = value;
  value.again = value.twice;
  const back = await echo(env, name, value);
  assert.equal(back.self, back);
  assert.equal(back.again, back.twice);
});

test("references are shared between the arguments of one call", async ({ env, name }) => {
  const value = {};
  assert.equal(await env.ECHO.getByName(name).identity(value, value), true);
});

test("errors as values keep class, name, message and own properties", async ({ env, name }) => {
  const back = await echo(env, name, Object.assign(new TypeError("wrong"), { code: 7 }));
  assert.equal(back instanceof TypeError, true);
  assert.equal(back.message, "wrong");
  assert.equal(back.name, "TypeError");
  assert.equal(back.code, 7);
  assert.equal((await echo(env, name, new Error("m", { cause: "c" }))).cause, "c");
});

test("values are always copied", async ({ env, name }) => {
  const stub = env.ECHO.getByName(name);
  const value = { list: [1] };
  const call = stub.keep(value);
  value.list.push("after the call");
  await call;
  value.list.push("later");
  assert.deepEqual(await stub.kept_(), { list: [1] });
  const shared = await stub.shared();
  shared.list.push("mine");
  assert.deepEqual(await stub.mutate(), { list: [1, 2] });
});

test("a class instance is refused, as argument and as result", async ({ env, name }) => {
  const refused = { class: "DOMException", name: "DataCloneError", message: 'Could not serialize object of type "Point". This type does not support serialization.' };
  await assert.rejects(async () => echo(env, name, new Point()), refused);
  await assert.rejects(async () => echo(env, name, { deep: [new Point()] }), refused);
  await assert.rejects(async () => env.ECHO.getByName(name).make("instance"), { name: "DataCloneError", message: refused.message });
});

const refusedArguments = {
  "a symbol": [() => Symbol("s"), "Symbol(s) could not be cloned."],
  "a promise": [() => Promise.resolve(1), "#<Promise> could not be cloned."],
  "a weak map": [() => new WeakMap(), "#<WeakMap> could not be cloned."],
  "an object without a prototype": [() => Object.create(null), noSupport("Object")],
  "a URL": [() => new URL("http://x/"), noSupport("URL")],
  "URLSearchParams": [() => new URLSearchParams("a=1"), noSupport("URLSearchParams")],
  "FormData": [() => new FormData(), noSupport("FormData")],
  "a namespace": [(env) => env.ECHO, noSupport("DurableObjectNamespace")],
  "an id": [(env) => env.ECHO.newUniqueId(), noSupport("DurableObjectId")],
  "an AbortSignal": [() => new AbortController().signal, "AbortSignal serialization is not enabled."],
  "a File": [() => new File(["content"], "name.txt"), noSupport("File")],
  "a generator": [() => (function* () {})(), "[object Generator] could not be cloned."],
};

for (const [what, [make, message]] of Object.entries(refusedArguments)) {
  test(`${what} is refused as argument`, async ({ env, name }) => {
    await assert.rejects(async () => echo(env, name, make(env)), { class: "DOMException", name: "DataCloneError", message });
  });
}

const refusedResults = {
  symbol: "Symbol(s) could not be cloned.",
  namespace: noSupport("DurableObjectNamespace"),
  id: noSupport("DurableObjectId"),
  url: noSupport("URL"),
  formData: noSupport("FormData"),
  "null prototype": noSupport("Object"),
  weakmap: "#<WeakMap> could not be cloned.",
  ctx: noSupport("DurableObjectState"),
  storage: noSupport("DurableObjectStorage"),
  self: noSupport("Echo"),
  env: noSupport("DurableObjectNamespace"),
  searchParams: noSupport("URLSearchParams"),
  abortSignal: "AbortSignal serialization is not enabled.",
};

for (const [what, message] of Object.entries(refusedResults)) {
  test(`a result is refused: ${what}`, async ({ env, name }) => {
    await assert.rejects(async () => env.ECHO.getByName(name).make(what), { name: "DataCloneError", message, remote: true });
  });
}

test("a refused result does not harm the object", async ({ env, name }) => {
  const stub = env.ECHO.getByName(name);
  await stub.keep(1);
  await assert.rejects(async () => stub.make("symbol"));
  assert.equal(await stub.kept_(), 1);
});

test("megabytes pass", async ({ env, name }) => {
  const bytes = new Uint8Array(4 << 20).fill(3);
  const back = await echo(env, name, bytes);
  assert.equal(back.length, bytes.length);
  assert.equal(back[bytes.length - 1], 3);
  assert.equal(await env.ECHO.getByName(name).length("x".repeat(5_000_000)), 5_000_000);
});

test("an argument above 32 MiB is refused", async ({ env, name }) => {
  const stub = env.ECHO.getByName(name);
  await assert.rejects(async () => stub.length(new Uint8Array(33 << 20)), {
    class: "Error", message: /^Serialized RPC arguments or return values are limited to 32MiB, but the size of this value was: 346\d+ bytes\.$/,
  });
  assert.equal(await stub.length("abc"), 3);
});

test("a result above 32 MiB is refused", async ({ env, name }) => {
  await assert.rejects(async () => env.ECHO.getByName(name).make("big"), {
    class: "Error", message: /^Serialized RPC arguments or return values are limited to 32MiB, but the size of this value was: 346\d+ bytes\.$/,
  });
});

test("an argument just below 32 MiB passes", async ({ env, name }) => {
  assert.equal(await env.ECHO.getByName(name).length(new Uint8Array((32 << 20) - 4096)), (32 << 20) - 4096);
});
