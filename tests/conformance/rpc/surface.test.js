// Which members of an object can be called over RPC, and the text of each refusal.
import { DurableObject, RpcTarget } from "cloudflare:workers";
import { test, assert } from "../harness.js";
export { default } from "../harness.js";

class Base extends DurableObject {
  inherited() { return "inherited"; }
  overridden() { return "base"; }
}

export class Room extends DurableObject {
  own = () => "own function";
  data = 5;
  #secret = 1;
  constructor(ctx, env) {
    super(ctx, env);
    this.assigned = () => "assigned";
  }
  sync() { return "sync"; }
  async later() { return "later"; }
  nothing() {}
  args(...args) { return args; }
  thisIs() { return this instanceof Room && this.#secret; }
  get getter() { return { a: 1, list: [1, 2] }; }
  get asyncGetter() { return Promise.resolve("async getter"); }
  get functionGetter() { return (x) => x * 2; }
  get throwing() { throw new RangeError("in the getter"); }
  get number() { return 42; }
  *generator() { yield 1; }
  async *asyncGenerator() { yield 1; }
  #hidden() { return "hidden"; }
  static still() { return "static"; }
  _underscored() { return "underscored"; }
  [Symbol.for("sym")]() { return 1; }
  thenableResult() { return { then: (ok) => ok("from a thenable") }; }
  defaults(a, b = "default") { return [a, b]; }
  count(...args) { return args.length; }
  alarm() { return "alarm"; }
  webSocketMessage() { return 1; }
  get fetchable() { return 1; }
  toString() { return "own toString"; }
  valueOf() { return "own valueOf"; }
  hasOwnProperty() { return "own hasOwnProperty"; }
  then2() { return 1; }
  async connectMe() { return 1; }
}

export class Derived extends DurableObject {
  where() { return "derived"; }
}

Object.setPrototypeOf(Derived.prototype, Base.prototype);

export class Plain {
  constructor() {}
}

test("methods, sync and async; the caller always gets a promise-like", async ({ env, name }) => {
  const stub = env.ROOM.getByName(name);
  const promise = stub.sync();
  assert.equal(typeof promise.then, "function");
  assert.equal(typeof promise.catch, "function");
  assert.equal(typeof promise.finally, "function");
  assert.equal(await promise, "sync");
  assert.equal(await stub.later(), "later");
  assert.equal(await stub.nothing(), undefined);
});

test("a call is no native promise", ({ env, name }) => {
  const promise = env.ROOM.getByName(name).sync();
  assert.equal(promise instanceof Promise, false);
  assert.equal(Object.prototype.toString.call(promise), "[object JsRpcPromise]");
});

test("then, catch and finally give native promises", async ({ env, name }) => {
  const stub = env.ROOM.getByName(name);
  assert.equal(stub.sync().then((value) => value) instanceof Promise, true);
  assert.equal(await stub.sync().then((value) => `${value}!`), "sync!");
  let ran = false;
  assert.equal(await stub.sync().finally(() => { ran = true; }), "sync");
  assert.equal(ran, true);
  assert.equal(await stub.missing().catch((error) => error.name), "TypeError");
  assert.deepEqual(await Promise.all([stub.sync(), stub.later()]), ["sync", "later"]);
});

test("methods of the whole class chain", async ({ env, name }) => {
  const stub = env.DERIVED.getByName(name);
  assert.equal(await stub.where(), "derived");
  assert.equal(await stub.inherited(), "inherited");
  assert.equal(await stub.overridden(), "base");
});

test("`this` is the object", async ({ env, name }) => {
  assert.equal(await env.ROOM.getByName(name).thisIs(), 1);
});

test("arguments arrive as given", async ({ env, name }) => {
  const stub = env.ROOM.getByName(name);
  assert.deepEqual(await stub.args(), []);
  assert.deepEqual(await stub.args(1, "two", null, [3]), [1, "two", null, [3]]);
  assert.equal(await stub.count(undefined, undefined), 2);
  assert.deepEqual(await stub.defaults(1), [1, "default"]);
  assert.deepEqual(await stub.defaults(1, undefined), [1, "default"]);
  assert.equal(await stub.count(...Array(100).fill(0)), 100);
});

test("getters are read by awaiting the property", async ({ env, name }) => {
  const stub = env.ROOM.getByName(name);
  assert.deepEqual(await stub.getter, { a: 1, list: [1, 2] });
  assert.equal(await stub.number, 42);
  assert.equal(await stub.asyncGetter, "async getter");
  assert.equal(await stub.getter.a, 1);
  assert.deepEqual(await stub.getter.list, [1, 2]);
});

test("a getter that gives a function can be called", async ({ env, name }) => {
  assert.equal(await env.ROOM.getByName(name).functionGetter(21), 42);
});

test("a getter that throws", async ({ env, name }) => {
  await assert.rejects(async () => await env.ROOM.getByName(name).throwing, { class: "RangeError", message: "in the getter" });
});

test("a method read as a property is a function stub", async ({ env, name }) => {
  const method = await env.ROOM.getByName(name).args;
  assert.equal(typeof method, "function");
  assert.deepEqual(await method(1, 2), [1, 2]);
});

test("a method taken off the stub still works", async ({ env, name }) => {
  const { sync } = env.ROOM.getByName(name);
  assert.equal(await sync(), "sync");
});

test("a thenable result is awaited", async ({ env, name }) => {
  assert.equal(await env.ROOM.getByName(name).thenableResult(), "from a thenable");
});

test("own properties of the instance are not there", async ({ env, name }) => {
  const stub = env.ROOM.getByName(name);
  for (const key of ["own", "assigned", "data", "ctx", "env"]) {
    await assert.rejects(async () => await stub[key], { class: "TypeError", message: `The RPC receiver does not implement the method "${key}".` }, key);
    await assert.rejects(async () => stub[key](), { class: "TypeError", message: `The RPC receiver does not implement the method "${key}".` }, `${key}()`);
  }
});

test("missing, private, static and symbol members are not there", async ({ env, name }) => {
  const stub = env.ROOM.getByName(name);
  for (const key of ["missing", "hidden", "#hidden", "still", "secret"]) {
    await assert.rejects(async () => stub[key](), { class: "TypeError", message: `The RPC receiver does not implement the method "${key}".` }, key);
  }
  assert.equal(await stub._underscored(), "underscored");
});

test("members of Object.prototype are those of the stub", ({ env, name }) => {
  const stub = env.ROOM.getByName(name);
  assert.equal(stub.toString(), "[object DurableObject]");
  assert.equal(stub.valueOf(), stub);
  assert.equal(stub.hasOwnProperty("id"), true);
});

test("reserved names cannot be called", async ({ env, name }) => {
  const stub = env.ROOM.getByName(name);
  for (const key of ["alarm", "webSocketMessage", "webSocketClose", "webSocketError"]) {
    await assert.rejects(async () => stub[key](), { class: "TypeError", message: `'${key}' is a reserved method and cannot be called over RPC.` }, key);
  }
});

test("dup and constructor of an object's stub", async ({ env, name }) => {
  const stub = env.ROOM.getByName(name);
  assert.equal(typeof stub.constructor, "function");
  await assert.rejects(async () => stub.dup(), { class: "TypeError", message: "'dup' is a reserved method and cannot be called over RPC." });
});

test("calling what is no function", async ({ env, name }) => {
  await assert.rejects(async () => env.ROOM.getByName(name).number(), { class: "TypeError", message: '"number" is not a function.' });
  await assert.rejects(async () => env.ROOM.getByName(name).getter(), { class: "TypeError", message: '"getter" is not a function.' });
});

test("generators are refused as results", async ({ env, name }) => {
  const stub = env.ROOM.getByName(name);
  await assert.rejects(async () => stub.generator(), { name: "DataCloneError", message: "[object Generator] could not be cloned." });
  await assert.rejects(async () => stub.asyncGenerator(), { name: "DataCloneError", message: "[object AsyncGenerator] could not be cloned." });
});

test("a refused call does not harm the stub", async ({ env, name }) => {
  const stub = env.ROOM.getByName(name);
  await assert.rejects(async () => stub.missing());
  await assert.rejects(async () => stub.alarm());
  assert.equal(await stub.sync(), "sync");
});
