// By reference: functions, RpcTarget, RpcStub, stubs as values; disposal and ownership.
import { DurableObject, RpcTarget, RpcStub } from "cloudflare:workers";
import { test, assert, sleep, until } from "../harness.js";
export { default } from "../harness.js";

class Cell extends RpcTarget {
  #value;
  own = "own";
  disposed = 0;
  constructor(value) { super(); this.#value = value; }
  get() { return this.#value; }
  set(value) { this.#value = value; return value; }
  add(n) { this.#value += n; return this.#value; }
  child() { return new Cell(this.#value * 2); }
  fail() { throw new RangeError("in the cell"); }
  get value() { return this.#value; }
  self() { return this; }
}

class Watched extends RpcTarget {
  constructor(onDispose) { super(); this.onDispose = onDispose; }
  ping() { return "pong"; }
  [Symbol.dispose]() { this.onDispose(); }
}

export class Host extends DurableObject {
  disposals = 0;
  cell = new Cell(10);

  hello(name) { return `hello ${name}`; }
  newCell(value) { return new Cell(value); }
  sharedCell() { return this.cell; }
  cellValue() { return this.cell.get(); }
  watched() { return new Watched(() => { this.disposals += 1; }); }
  watchedPair() { return { a: new Watched(() => { this.disposals += 1; }), b: new Watched(() => { this.disposals += 1; }), plain: 1 }; }
  getDisposals() { return this.disposals; }
  adder(n) { return (m) => n + m; }
  object() { return { plain: 1, double: (n) => n * 2, nested: { triple: (n) => n * 3 }, list: [(n) => n + 1] }; }
  async call(f, ...args) { return f(...args); }
  async callTwice(f) { return [await f(1), await f(2)]; }
  async callMember(object, ...args) { return object.method(...args); }
  typeOf(value) { return typeof value; }
  async keep(f) { this.kept = f.dup ? f.dup() : f; }
  async keepWithoutDup(f) { this.kept = f; }
  async callKept(...args) { return this.kept(...args); }
  dropKept() { this.kept[Symbol.dispose](); }
  async useCell(cell) { await cell.add(5); return cell.get(); }
  async readCell(cell) { return cell.value; }
  async passOn(f) { return this.env.HOST.getByName(`${this.ctx.id.name}/other`).call(f, "passed on"); }
  async callStub(stub) { return stub.hello("through a stub"); }
  stubOf(name) { return this.env.HOST.getByName(name); }
  async describe(stub) { return { keys: Object.keys(stub), name: typeof stub.name, text: String(stub), fetch: typeof stub.fetch }; }
  async callAndCatch(f) {
    try {
      return await f();
    } catch (error) {
      return { class: error.constructor.name, name: error.name, message: error.message, remote: error.remote };
    }
  }
  fetch() { return new Response("fetched"); }
}

test("a function result is a callable stub", async ({ env, name }) => {
  const add = await env.HOST.getByName(name).adder(5);
  assert.equal(typeof add, "function");
  assert.equal(await add(3), 8);
  assert.equal(await add(4), 9);
});

test("a function argument can be called back", async ({ env, name }) => {
  let calls = 0;
  const stub = env.HOST.getByName(name);
  assert.equal(await stub.call((a, b) => { calls += 1; return a + b; }, 1, 2), 3);
  assert.deepEqual(await stub.callTwice(async (n) => n * 10), [10, 20]);
  assert.equal(calls, 1);
  assert.equal(await stub.typeOf(() => 1), "function");
});

test("an error in a callback reaches the callee, and the caller", async ({ env, name }) => {
  const stub = env.HOST.getByName(name);
  assert.deepEqual(await stub.callAndCatch(() => { throw new RangeError("in the callback"); }), { class: "RangeError", name: "RangeError", message: "in the callback", remote: true });
  await assert.rejects(stub.call(() => { throw new RangeError("in the callback"); }), { class: "RangeError", message: "in the callback" });
});

test("functions within plain objects and arrays", async ({ env, name }) => {
  const object = await env.HOST.getByName(name).object();
  assert.equal(object.plain, 1);
  assert.equal(await object.double(4), 8);
  assert.equal(await object.nested.triple(4), 12);
  assert.equal(await object.list[0](4), 5);
  assert.equal(await env.HOST.getByName(name).callMember({ method: (x) => `got ${x}` }, 7), "got 7");
});

test("an RpcTarget is passed by reference", async ({ env, name }) => {
  const stub = env.HOST.getByName(name);
  const cell = await stub.sharedCell();
  assert.equal(await cell.get(), 10);
  await cell.add(5);
  assert.equal(await stub.cellValue(), 15);
  assert.equal(await cell.value, 15);
  assert.equal(typeof cell, "function");
});

test("an RpcTarget as argument", async ({ env, name }) => {
  const cell = new Cell(1);
  assert.equal(await env.HOST.getByName(name).useCell(cell), 6);
  assert.equal(cell.get(), 6);
  assert.equal(await env.HOST.getByName(name).readCell(cell), 6);
});

test("an RpcTarget shows its prototype alone", async ({ env, name }) => {
  const cell = await env.HOST.getByName(name).newCell(1);
  await assert.rejects(async () => await cell.own, { class: "TypeError", message: 'The RPC receiver does not implement the method "own".' });
  await assert.rejects(async () => cell.missing(), { class: "TypeError", message: 'The RPC receiver does not implement the method "missing".' });
  await assert.rejects(async () => cell.fail(), { class: "RangeError", message: "in the cell" });
});

test("an RpcTarget gives further RpcTargets", async ({ env, name }) => {
  const cell = await env.HOST.getByName(name).newCell(3);
  const child = await (await cell.child()).child();
  assert.equal(await child.get(), 12);
  assert.equal(await (await cell.self()).get(), 3);
});

test("pipelining: calls on results that are not there yet", async ({ env, name }) => {
  const stub = env.HOST.getByName(name);
  assert.equal(await stub.newCell(3).add(4), 7);
  assert.equal(await stub.newCell(3).child().child().get(), 12);
  assert.equal(await stub.newCell(3).value, 3);
  assert.equal(await stub.object().double(21), 42);
  assert.equal(await stub.object().nested.triple(2), 6);
  assert.equal(await stub.object().plain, 1);
  assert.equal(await stub.adder(1)(2), 3);
});

test("pipelining takes the arguments when the call is made", async ({ env, name }) => {
  const stub = env.HOST.getByName(name);
  const given = { n: 1 };
  const first = stub.newCell(0);
  const answers = [first.set(given), stub.newCell(0).child().set(given), stub.adder(1)(given)];
  given.n = 2;
  assert.deepEqual(await Promise.all(answers), [{ n: 1 }, { n: 1 }, "1[object Object]"]);
  assert.deepEqual(await first.get(), { n: 1 });
  const bytes = new Uint8Array([1, 2]);
  const later = stub.newCell(0).set(bytes);
  bytes[0] = 9;
  assert.deepEqual([...(await later)], [1, 2]);
});

test("pipelining refuses arguments that cannot be copied when the call is made", async ({ env, name }) => {
  const stub = env.HOST.getByName(name);
  class Point {}
  const promise = stub.newCell(0);
  const probe = (call) => { try { call().then(() => {}, () => {}); return "a promise"; } catch (error) { return error.name; } };
  assert.equal(probe(() => stub.hello(new Point())), "a promise");
  assert.equal(probe(() => promise.set(new Point())), "a promise");
  assert.equal(probe(() => stub.newCell(0).child().set(new Point())), "a promise");
  const cell = new RpcStub(new Cell(1));
  cell[Symbol.dispose]();
  assert.equal(probe(() => cell.get()), "a promise");
  const refused = { class: "DOMException", name: "DataCloneError" };
  await assert.rejects(async () => stub.hello(new Point()), refused);
  await assert.rejects(async () => promise.set(new Point()), refused);
  await assert.rejects(async () => stub.newCell(0).child().set(new Point()), refused);
  // The call comes before what it is called on is known.
  await assert.rejects(async () => stub.missing().set(new Point()), refused);
  assert.equal(await promise.get(), 0);
});

test("functions and stubs as arguments of a pipelined call", async ({ env, name }) => {
  const stub = env.HOST.getByName(name);
  const other = `${name}/other`;
  assert.equal(await stub.stubOf(other).call((text) => `${text} and back`, "there"), "there and back");
  assert.equal(await stub.stubOf(other).callStub(env.HOST.getByName(`${name}/third`)), "hello through a stub");
  let disposals = 0;
  await assert.rejects(async () => stub.missing().call(new Watched(() => { disposals += 1; })), { message: 'The RPC receiver does not implement the method "missing".' });
  await until(() => disposals === 1);
});

test("pipelining on a call that fails", async ({ env, name }) => {
  const stub = env.HOST.getByName(name);
  await assert.rejects(async () => stub.missing().more().still(), { class: "TypeError", message: 'The RPC receiver does not implement the method "missing".' });
  await assert.rejects(async () => stub.newCell(1).missing(), { class: "TypeError", message: 'The RPC receiver does not implement the method "missing".' });
  await assert.rejects(async () => stub.hello("x").more(), { class: "TypeError", message: "The RPC receiver does not implement the method \"more\"." });
});

test("a promise of a call as argument of another", async ({ env, name }) => {
  const stub = env.HOST.getByName(name);
  assert.equal(await stub.useCell(stub.newCell(4)), 9);
  assert.equal(await stub.hello(stub.hello("you")), "hello hello you");
});

test("an awaited result as argument of another call", async ({ env, name }) => {
  const stub = env.HOST.getByName(name);
  assert.equal(await stub.useCell(await stub.newCell(4)), 9);
});

test("a stub as argument arrives without id and name", async ({ env, name }) => {
  const stub = env.HOST.getByName(name);
  const other = env.HOST.getByName(`${name}/other`);
  assert.equal(await stub.callStub(other), "hello through a stub");
  assert.deepEqual(await stub.describe(other), {keys: [], name: "function", text: "[object Fetcher]", fetch: "function"});
});

test("a stub as result works as one", async ({ env, name }) => {
  const other = await env.HOST.getByName(name).stubOf(`${name}/other`);
  assert.equal(await other.hello("x"), "hello x");
  assert.equal(await (await other.fetch("http://object/")).text(), "fetched");
});

test("a callback can be passed on to a third", async ({ env, name }) => {
  assert.equal(await env.HOST.getByName(name).passOn((text) => `${text} and back`), "passed on and back");
});

test("RpcStub of a target, a function and an object, in one place", async () => {
  const cell = new RpcStub(new Cell(1));
  assert.equal(await cell.add(1), 2);
  assert.equal(await cell.value, 2);
  const f = new RpcStub((n) => n + 1);
  assert.equal(await f(1), 2);
  const object = new RpcStub({ double: (n) => n * 2, constant: 7 });
  assert.equal(await object.double(2), 4);
  assert.equal(await object.constant, 7);
});

test("RpcStub refuses what cannot be one", () => {
  assert.throws(() => new RpcStub(5), { class: "TypeError" });
  assert.throws(() => new RpcStub(), { class: "TypeError" });
});

test("a disposed stub refuses calls", async () => {
  const cell = new RpcStub(new Cell(1));
  cell[Symbol.dispose]();
  await assert.rejects(async () => cell.get(), { class: "Error", message: "RPC stub used after being disposed." });
  cell[Symbol.dispose]();
});

test("dup gives a stub of its own life", async () => {
  const cell = new RpcStub(new Cell(1));
  const twin = cell.dup();
  cell[Symbol.dispose]();
  assert.equal(await twin.add(1), 2);
  await assert.rejects(async () => cell.get(), { message: "RPC stub used after being disposed." });
});

test("a disposed promise refuses use", async ({ env, name }) => {
  const promise = env.HOST.getByName(name).newCell(1);
  promise[Symbol.dispose]();
  await assert.rejects(async () => promise.get(), { class: "Error", message: "RPC promise used after being disposed." });
});

test("the target's disposer runs once, after its last stub", async ({ env, name }) => {
  const host = env.HOST.getByName(name);
  const stub = await host.watched();
  const twin = stub.dup();
  assert.equal(await stub.ping(), "pong");
  stub[Symbol.dispose]();
  assert.equal(await twin.ping(), "pong");
  assert.equal(await host.getDisposals(), 0);
  twin[Symbol.dispose]();
  await until(async () => (await host.getDisposals()) === 1);
  await sleep(20);
  assert.equal(await host.getDisposals(), 1);
});

test("disposing of an object result disposes of every stub in it", async ({ env, name }) => {
  const host = env.HOST.getByName(name);
  const pair = await host.watchedPair();
  assert.equal(typeof pair[Symbol.dispose], "function");
  assert.equal(await pair.a.ping(), "pong");
  pair[Symbol.dispose]();
  await until(async () => (await host.getDisposals()) === 2);
  assert.equal(await host.getDisposals(), 2);
  await assert.rejects(async () => pair.b.ping(), { message: "RPC stub used after being disposed." });
});

test("the disposer of a plain result is there, and does not show", async ({ env, name }) => {
  const result = await env.HOST.getByName(name).object();
  assert.deepEqual(Object.keys(result), ["plain", "double", "nested", "list"]);
  assert.equal(typeof result[Symbol.dispose], "function");
});

test("an argument is disposed of when the call returns", async ({ env, name }) => {
  let disposals = 0;
  await env.HOST.getByName(name).typeOf(new Watched(() => { disposals += 1; }));
  await until(() => disposals === 1);
  assert.equal(disposals, 1);
});

test("the callee keeps an argument by dup", async ({ env, name }) => {
  const host = env.HOST.getByName(name);
  await host.keep((n) => n + 1);
  assert.equal(await host.callKept(1), 2);
  await host.dropKept();
  await assert.rejects(async () => host.callKept(1), { class: "Error", message: "RPC stub used after being disposed." });
});

test("an argument kept without dup is dead after the call", async ({ env, name }) => {
  const host = env.HOST.getByName(name);
  await host.keepWithoutDup((n) => n + 1);
  await assert.rejects(async () => host.callKept(1), { class: "Error", message: "RPC stub used after being disposed." });
});

test("the caller keeps its own stub after passing it", async ({ env, name }) => {
  const cell = new RpcStub(new Cell(1));
  const host = env.HOST.getByName(name);
  assert.equal(await host.useCell(cell), 6);
  assert.equal(await cell.add(1), 7);
  assert.equal(await host.useCell(cell), 12);
});

test("a using-style block", async ({ env, name }) => {
  const host = env.HOST.getByName(name);
  {
    const stub = await host.watched();
    try {
      await stub.ping();
    } finally {
      stub[Symbol.dispose]();
    }
  }
  await until(async () => (await host.getDisposals()) === 1);
  assert.equal(await host.getDisposals(), 1);
});

test("RpcTarget needs no stub of its own to be called locally", async () => {
  const cell = new Cell(1);
  assert.equal(cell.get(), 1);
  assert.equal(cell instanceof RpcTarget, true);
  assert.equal(typeof RpcStub, "function");
});

test("a path deeper than 64 is refused when it is written", async ({ env, name }) => {
  let path = env.HOST.getByName(name).object();
  assert.throws(() => {
    for (let i = 0; i < 70; i++) path = path.a;
  }, { class: "TypeError", message: "RPC pipelined property path is too deep (max 64)." });
});
