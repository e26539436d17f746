// AsyncLocalStorage: what a context follows.
import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";
import { DurableObject } from "cloudflare:workers";
import { test, inside, runInside, assert, sleep } from "../harness.js";
export { default } from "../harness.js";

const als = new AsyncLocalStorage();

export class Box extends DurableObject {
  run(name) { return runInside(this, name); }
  seen() { return als.getStore(); }
  async withStore(value) {
    return als.run(value, async () => {
      await sleep(5);
      return als.getStore();
    });
  }
}

test("run, and nothing outside", () => {
  assert.equal(als.getStore(), undefined);
  assert.equal(als.run("a", () => als.getStore()), "a");
  assert.equal(als.run("a", (x, y) => x + y, 1, 2), 3);
  assert.equal(als.getStore(), undefined);
  assert.equal(als.run("a", () => als.run("b", () => als.getStore()) + als.getStore()), "ba");
  assert.equal(als.run("a", () => als.exit(() => als.getStore())), undefined);
});

test("a throw leaves the context", () => {
  assert.throws(() => als.run("a", () => { throw new Error("x"); }), { message: "x" });
  assert.equal(als.getStore(), undefined);
});

test("over await, then, microtasks and timers", async () => {
  await als.run("ctx", async () => {
    await null;
    assert.equal(als.getStore(), "ctx");
    await sleep(2);
    assert.equal(als.getStore(), "ctx");
    assert.equal(await Promise.resolve().then(() => als.getStore()), "ctx");
    assert.equal(await new Promise((done) => setTimeout(() => done(als.getStore()), 1)), "ctx");
    assert.equal(await new Promise((done) => queueMicrotask(() => done(als.getStore()))), "ctx");
    assert.equal(await new Promise((done) => process.nextTick(() => done(als.getStore()))), "ctx");
    assert.equal(await new Promise((done) => setImmediate(() => done(als.getStore()))), "ctx");
  });
  assert.equal(als.getStore(), undefined);
});

test("contexts at once do not mix", async () => {
  const seen = await Promise.all([1, 2, 3].map((n) => als.run(n, async () => {
    for (let i = 0; i < 3; i++) await sleep(n);
    return als.getStore();
  })));
  assert.deepEqual(seen, [1, 2, 3]);
});

test("a callback of then has the context in which it was given", async () => {
  let go;
  const promise = new Promise((done) => { go = done; });
  const seen = als.run("inner", () => promise.then(() => als.getStore()));
  als.run("resolver", () => go());
  assert.equal(await seen, "inner");
});

test("generators and async iteration", async () => {
  async function* numbers() {
    yield als.getStore();
    await sleep(1);
    yield als.getStore();
  }
  const seen = await als.run("gen", async () => {
    const all = [];
    for await (const value of numbers()) all.push(value);
    return all;
  });
  assert.deepEqual(seen, ["gen", "gen"]);
});

test("snapshot, bind and AsyncResource", () => {
  const snapshot = als.run("snap", () => AsyncLocalStorage.snapshot());
  assert.equal(snapshot(() => als.getStore()), "snap");
  const bound = als.run("bound", () => AsyncLocalStorage.bind(() => als.getStore()));
  assert.equal(als.run("other", bound), "bound");
  const resource = als.run("resource", () => new AsyncResource("test"));
  assert.equal(resource.runInAsyncScope(() => als.getStore()), "resource");
});

test("two storages are apart", () => {
  const other = new AsyncLocalStorage();
  assert.deepEqual(als.run(1, () => other.run(2, () => [als.getStore(), other.getStore()])), [1, 2]);
});

test("a context does not cross a call to an object", async ({ env, name }) => {
  await als.run("outside", async () => {
    assert.equal(await env.BOX.getByName(name).seen(), undefined);
    assert.equal(await env.BOX.getByName(name).withStore("inside"), "inside");
    assert.equal(als.getStore(), "outside");
  });
});

test("two calls in one object have contexts of their own", async ({ env, name }) => {
  const box = env.BOX.getByName(name);
  assert.deepEqual(await Promise.all([box.withStore("a"), box.withStore("b")]), ["a", "b"]);
});

inside("over storage and its sections", async ({ storage, ctx }) => {
  await als.run("kept", async () => {
    await storage.put("k", 1);
    assert.equal(als.getStore(), "kept");
    await storage.get("k");
    assert.equal(als.getStore(), "kept");
    await storage.transaction(async () => assert.equal(als.getStore(), "kept"));
    await ctx.blockConcurrencyWhile(async () => assert.equal(als.getStore(), "kept"));
    storage.transactionSync(() => assert.equal(als.getStore(), "kept"));
    await storage.sync();
    assert.equal(als.getStore(), "kept");
  });
});

inside("over a call and a fetch of another object", async ({ env, name }) => {
  await als.run("caller", async () => {
    assert.equal(await env.BOX.getByName(`${name}/other`).seen(), undefined);
    assert.equal(als.getStore(), "caller");
  });
});
