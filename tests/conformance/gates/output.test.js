// The output gate and coalescing: what leaves an object, and what an abort takes with it.
import { DurableObject } from "cloudflare:workers";
import { test, assert, sleep } from "../harness.js";
export { default } from "../harness.js";

export class Ledger extends DurableObject {
  instance = crypto.randomUUID();
  async which() { return this.instance; }
  get(key) { return this.ctx.storage.get(key); }
  async keys() { return [...(await this.ctx.storage.list()).keys()]; }
  put(key, value) { this.ctx.storage.put(key, value); }
  rows() { return this.ctx.storage.sql.exec("SELECT count(*) AS n FROM sqlite_master WHERE name = 't'").one().n; }

  async putAwaitAbort() {
    await this.ctx.storage.put("k", 1);
    this.ctx.abort("stopped");
  }
  async putGetAbort() {
    await this.ctx.storage.put("k", 1);
    await this.ctx.storage.get("k");
    await null;
    await this.ctx.storage.put("l", 2);
    this.ctx.abort("stopped");
  }
  async putTimerAbort() {
    this.ctx.storage.put("k", 1);
    await sleep(5);
    this.ctx.storage.put("l", 2);
    this.ctx.abort("stopped");
  }
  async putSyncAbort() {
    this.ctx.storage.put("k", 1);
    await this.ctx.storage.sync();
    this.ctx.abort("stopped");
  }
  async putCallAbort() {
    this.ctx.storage.put("k", 1);
    await this.env.LEDGER.getByName(`${this.ctx.id.name}/other`).which();
    this.ctx.abort("stopped");
  }
  sqlAbort() {
    this.ctx.storage.sql.exec("CREATE TABLE t (a)");
    this.ctx.storage.kv.put("k", 1);
    this.ctx.abort("stopped");
  }
  async callThenAbort() {
    this.ctx.storage.put("k", 1);
    this.env.LEDGER.getByName(`${this.ctx.id.name}/other`).put("told", true);
    this.ctx.abort("stopped");
  }
  async putThenThrow() {
    this.ctx.storage.put("k", 1);
    throw new Error("after the put");
  }
  async putThenReject() {
    await this.ctx.storage.put("k", 1);
    await this.ctx.storage.put("l", 2);
    return Promise.reject(new TypeError("rejected"));
  }
  async answerEarly() {
    this.ctx.storage.put("k", 1);
    return "answered";
  }
  async unconfirmed() {
    await this.ctx.storage.put("k", 1, { allowUnconfirmed: true });
    return "answered";
  }
  async abortLater(ms) {
    setTimeout(() => this.ctx.abort("later"), ms);
  }
  async fetch(request) {
    const n = ((await this.ctx.storage.get("n")) ?? 0) + 1;
    this.ctx.storage.put("n", n);
    return new Response(String(n));
  }
}

const stopped = { class: "Error", message: "stopped", durableObjectReset: true };

for (const [title, method, kept] of [
  ["put, await, abort: the put is lost", "putAwaitAbort", []],
  ["put, get, put, abort: both are lost", "putGetAbort", []],
  ["put, timer, put, abort: the first is kept", "putTimerAbort", ["k"]],
  ["put, call of another object, abort: the put is kept", "putCallAbort", ["k"]],
  ["sql and kv, abort: both are lost", "sqlAbort", []],
]) {
  test(title, async ({ env, name }) => {
    await assert.rejects(env.LEDGER.getByName(name)[method](), stopped);
    const again = env.LEDGER.getByName(name);
    assert.deepEqual(await again.keys(), kept);
    assert.equal(await again.rows(), 0);
  });
}

test("put, sync, abort", async ({ env, name }) => {
  await assert.rejects(env.LEDGER.getByName(name).putSyncAbort(), stopped);
  assert.deepEqual(await env.LEDGER.getByName(name).keys(), ["k"]);
});

test("a call held by the gate is dropped when the object aborts", async ({ env, name }) => {
  await assert.rejects(env.LEDGER.getByName(name).callThenAbort(), stopped);
  await sleep(30);
  assert.equal(await env.LEDGER.getByName(`${name}/other`).get("told"), undefined);
  assert.equal(await env.LEDGER.getByName(name).get("k"), undefined);
});

test("writes before an exception are kept, and the instance too", async ({ env, name }) => {
  const stub = env.LEDGER.getByName(name);
  const instance = await stub.which();
  await assert.rejects(stub.putThenThrow(), { class: "Error", message: "after the put", remote: true });
  assert.equal(await stub.get("k"), 1);
  await assert.rejects(stub.putThenReject(), { class: "TypeError", message: "rejected", remote: true });
  assert.equal(await stub.get("l"), 2);
  assert.equal(await stub.which(), instance);
});

test("a write that was not awaited is there once the call was answered", async ({ env, name }) => {
  const stub = env.LEDGER.getByName(name);
  assert.equal(await stub.answerEarly(), "answered");
  await stub.abortLater(0);
  await sleep(30);
  assert.equal(await env.LEDGER.getByName(name).get("k"), 1);
});

test("allowUnconfirmed writes are there afterwards", async ({ env, name }) => {
  assert.equal(await env.LEDGER.getByName(name).unconfirmed(), "answered");
  assert.equal(await env.LEDGER.getByName(name).get("k"), 1);
});

test("answers leave in the order of the calls", async ({ env, name }) => {
  const stub = env.LEDGER.getByName(name);
  const order = [];
  await Promise.all(Array.from({ length: 10 }, async (_, i) => {
    if (i % 2) await stub.answerEarly();
    else await stub.which();
    order.push(i);
  }));
  assert.deepEqual(order, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test("every answered increment counts", async ({ env, name }) => {
  const stub = env.LEDGER.getByName(name);
  const answers = await Promise.all(Array.from({ length: 25 }, async () => Number(await (await stub.fetch("http://object/")).text())));
  assert.equal(Math.max(...answers), 25);
  assert.equal(await stub.get("n"), 25);
});
