// Calls on one stub start in the order in which they were made, whatever their kind and size.
import { DurableObject } from "cloudflare:workers";
import { test, assert, sleep } from "../harness.js";
export { default } from "../harness.js";

export class Log extends DurableObject {
  log = [];
  note(n) { this.log.push(n); return n; }
  slow(n) { this.log.push(n); return sleep(20); }
  fetch(request) {
    this.log.push(Number(new URL(request.url).searchParams.get("n")));
    return new Response("ok");
  }
  get getter() { this.log.push("getter"); return 1; }
  withStorage(n) { this.log.push(n); return this.ctx.storage.put("n", n); }
  async getLog() { return this.log; }
  async relay(name, n) {
    const stub = this.env.LOG.getByName(name);
    await Promise.all(Array.from({ length: n }, (_, i) => stub.note(i)));
  }
  big(n) { this.log.push(n); return "x".repeat(500_000); }
}

const upTo = (n) => Array.from({ length: n }, (_, i) => i);

test("a hundred calls", async ({ env, name }) => {
  const stub = env.LOG.getByName(name);
  assert.deepEqual(await Promise.all(upTo(100).map((i) => stub.note(i))), upTo(100));
  assert.deepEqual(await stub.getLog(), upTo(100));
});

test("calls of very different sizes", async ({ env, name }) => {
  const stub = env.LOG.getByName(name);
  await Promise.all(upTo(20).map((i) => stub.note(i, i % 3 ? "small" : "x".repeat(700_000))));
  assert.deepEqual(await stub.getLog(), upTo(20));
});

test("calls with results of very different sizes", async ({ env, name }) => {
  const stub = env.LOG.getByName(name);
  const order = [];
  await Promise.all(upTo(20).map(async (i) => {
    await (i % 3 ? stub.note(i) : stub.big(i));
    order.push(i);
  }));
  assert.deepEqual(await stub.getLog(), upTo(20));
  assert.deepEqual(order, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
});

test("fetches, with bodies and without", async ({ env, name }) => {
  const stub = env.LOG.getByName(name);
  await Promise.all(upTo(20).map((i) => stub.fetch(`http://object/?n=${i}`, i % 3 ? {} : { method: "POST", body: "x".repeat(100_000) })));
  assert.deepEqual(await stub.getLog(), upTo(20));
});

test("calls and fetches on one stub", async ({ env, name }) => {
  const stub = env.LOG.getByName(name);
  await Promise.all(upTo(20).map((i) => (i % 2 ? stub.note(i) : stub.fetch(`http://object/?n=${i}`, i % 4 ? {} : { method: "POST", body: "x".repeat(100_000) }))));
  assert.deepEqual(await stub.getLog(), upTo(20));
});

test("calls keep their order whether they are awaited, chained or left alone", async ({ env, name }) => {
  const stub = env.LOG.getByName(name);
  const order = [];
  const first = stub.note(0, "x".repeat(2_000_000)).then((n) => { order.push(n); });
  stub.note(1);
  const third = (async () => { order.push(await stub.note(2, new Uint8Array(1_000_000))); })();
  const fourth = stub.note(3).finally(() => order.push(3));
  void stub.note(4, new Map([["x", "y".repeat(500_000)]]));
  await Promise.all([first, third, fourth]);
  assert.deepEqual(await stub.getLog(), upTo(5));
  assert.deepEqual(order, [0, 2, 3]);
});

test("a slow call does not hold up the ones after it", async ({ env, name }) => {
  const stub = env.LOG.getByName(name);
  const order = [];
  await Promise.all([stub.slow(0).then(() => order.push("slow")), stub.note(1).then(() => order.push("quick"))]);
  assert.deepEqual(await stub.getLog(), [0, 1]);
  assert.deepEqual(order, ["quick", "slow"]);
});

test("the first call of a new object is the first", async ({ env, name }) => {
  const stub = env.LOG.getByName(name);
  stub.withStorage(0);
  stub.slow(1);
  stub.note(2);
  assert.deepEqual(await stub.getLog(), [0, 1, 2]);
});

test("calls from one object to another keep their order", async ({ env, name }) => {
  await env.LOG.getByName(name).relay(`${name}/other`, 50);
  assert.deepEqual(await env.LOG.getByName(`${name}/other`).getLog(), upTo(50));
});

test("property reads keep their place", async ({ env, name }) => {
  const stub = env.LOG.getByName(name);
  await Promise.all([stub.note(0), stub.getter.then((x) => x), stub.note(2)]);
  assert.deepEqual(await stub.getLog(), [0, "getter", 2]);
});

test("a call that nobody awaits is made", async ({ env, name }) => {
  const stub = env.LOG.getByName(name);
  stub.note("fire and forget");
  assert.deepEqual(await stub.getLog(), ["fire and forget"]);
});
