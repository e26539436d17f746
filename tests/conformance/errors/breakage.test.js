// What resets an object, what its callers see, and what becomes of their stubs.
import { DurableObject } from "cloudflare:workers";
import { test, assert, sleep } from "../harness.js";
export { default } from "../harness.js";

export class Fragile extends DurableObject {
  instance = crypto.randomUUID();
  memory = 0;
  which() { return this.instance; }
  remember(n) { this.memory = n; return n; }
  recall() { return this.memory; }
  abort(...reason) { this.ctx.abort(...reason); }
  async abortAfterAwait(reason) { await sleep(1); this.ctx.abort(reason); }
  abortAndCatch() {
    try {
      this.ctx.abort("not to be caught");
    } catch {
      this.env.FRAGILE.getByName(`${this.ctx.id.name}/witness`).remember(1);
    } finally {
      this.env.FRAGILE.getByName(`${this.ctx.id.name}/witness`).remember(2);
    }
    this.env.FRAGILE.getByName(`${this.ctx.id.name}/witness`).remember(3);
    return "went on";
  }
  abortSoon(ms, reason) { setTimeout(() => this.ctx.abort(reason), ms); }
  async wait(ms) { await sleep(ms); return "waited"; }
  throw() { throw new Error("ordinary"); }
  fetch(request) {
    if (request.url.endsWith("/abort")) this.ctx.abort("in fetch");
    if (request.url.endsWith("/throw")) throw new Error("in fetch");
    return new Response(this.instance);
  }
  violate() {
    const { sql } = this.ctx.storage;
    sql.exec("CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (p REFERENCES p(id) DEFERRABLE INITIALLY DEFERRED)");
    sql.exec("INSERT INTO c VALUES (9)");
    return "violated";
  }
  tables() { return this.ctx.storage.sql.exec("SELECT count(*) AS n FROM sqlite_master").one().n; }
  async put(key, value) { await this.ctx.storage.put(key, value); }
  get(key) { return this.ctx.storage.get(key); }
  stream() {
    return new ReadableStream({ type: "bytes", start: (controller) => { controller.enqueue(new Uint8Array([1])); } });
  }
}

export class Unborn extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    ctx.storage.kv.put("tried", (ctx.storage.kv.get("tried") ?? 0) + 1);
    if (ctx.id.name.endsWith("throws")) throw new TypeError(`not born, try ${ctx.storage.kv.get("tried")}`);
    if (ctx.id.name.endsWith("aborts")) ctx.abort("aborted at birth");
  }
  hello() { return "hello"; }
}

const reset = "Application called abort() to reset Durable Object.";

test("abort with a reason", async ({ env, name }) => {
  const stub = env.FRAGILE.getByName(name);
  const instance = await stub.which();
  await assert.rejects(stub.abort("enough"), { class: "Error", name: "Error", message: "enough", durableObjectReset: true, remote: undefined });
  assert.notEqual(await env.FRAGILE.getByName(name).which(), instance);
});

test("abort without a reason", async ({ env, name }) => {
  await assert.rejects(env.FRAGILE.getByName(name).abort(), { class: "Error", message: reset, durableObjectReset: true, remote: undefined });
});

test("abort with an empty reason, and with one that is no string", async ({ env, name }) => {
  await assert.rejects(env.FRAGILE.getByName(name).abort(""), { class: "Error", message: "" });
  await assert.rejects(env.FRAGILE.getByName(name).abort(42), { class: "Error", message: "42" });
});

test("abort takes options", async ({ env, name }) => {
  await assert.rejects(env.FRAGILE.getByName(name).abort("with options", { retryAlarm: false }), { message: "with options", durableObjectReset: true });
});

test("abort after an await, in fetch and in a timer", async ({ env, name }) => {
  await assert.rejects(env.FRAGILE.getByName(name).abortAfterAwait("later"), { message: "later", durableObjectReset: true });
  await assert.rejects(env.FRAGILE.getByName(name).fetch("http://object/abort"), { message: "in fetch", durableObjectReset: true });
  const stub = env.FRAGILE.getByName(name);
  await stub.abortSoon(5, "by timer");
  await assert.rejects(stub.wait(2000), { message: "by timer", durableObjectReset: true });
});

test("abort cannot be caught; nothing runs after it", async ({ env, name }) => {
  await assert.rejects(env.FRAGILE.getByName(name).abortAndCatch(), { message: "not to be caught" });
  await sleep(20);
  assert.equal(await env.FRAGILE.getByName(`${name}/witness`).recall(), 0);
});

test("abort fails every call that is under way", async ({ env, name }) => {
  const stub = env.FRAGILE.getByName(name);
  const other = env.FRAGILE.getByName(name);
  const waiting = [stub.wait(3000), stub.wait(3000), other.wait(3000)];
  await sleep(5);
  await assert.rejects(env.FRAGILE.getByName(name).abort("all of you"), { message: "all of you" });
  for (const call of waiting) await assert.rejects(call, { class: "Error", message: "all of you", durableObjectReset: true });
});

test("a stub that saw a reset fails for ever with the same error", async ({ env, name }) => {
  const stub = env.FRAGILE.getByName(name);
  await assert.rejects(stub.abort("for ever"), { message: "for ever" });
  const broken = { class: "Error", message: "for ever", durableObjectReset: true };
  await assert.rejects(async () => stub.which(), broken);
  await assert.rejects(async () => stub.fetch("http://object/"), broken);
  await sleep(20);
  await assert.rejects(async () => stub.which(), broken);
});

test("a new stub of the same id works", async ({ env, name }) => {
  const stub = env.FRAGILE.getByName(name);
  await stub.remember(7);
  await stub.put("k", "kept");
  await assert.rejects(stub.abort("gone"));
  assert.equal(await env.FRAGILE.get(stub.id).recall(), 0);
  assert.equal(await env.FRAGILE.getByName(name).get("k"), "kept");
});

test("calls queued on the stub behind an abort fail too", async ({ env, name }) => {
  const stub = env.FRAGILE.getByName(name);
  const results = await Promise.allSettled([stub.remember(1), stub.abort("queue ends here"), stub.which(), stub.which()]);
  assert.deepEqual(results.map((result) => result.status), ["fulfilled", "rejected", "rejected", "rejected"]);
  assert.equal(results[2].reason.message, "queue ends here");
});

test("an ordinary exception breaks neither object nor stub", async ({ env, name }) => {
  const stub = env.FRAGILE.getByName(name);
  const instance = await stub.which();
  await stub.remember(7);
  await assert.rejects(stub.throw(), { message: "ordinary", remote: true, durableObjectReset: undefined });
  await assert.rejects(stub.fetch("http://object/throw"), { message: "in fetch", remote: true });
  assert.equal(await stub.recall(), 7);
  assert.equal(await stub.which(), instance);
});

test("a constructor that throws fails the call; its writes are undone", async ({ env, name }) => {
  const stub = env.UNBORN.getByName(`${name} throws`);
  const error = await assert.rejects(stub.hello(), { class: "TypeError", message: "not born, try 1" });
  assert.equal(error.remote, undefined);
  assert.equal(error.durableObjectReset, true);
  await assert.rejects(async () => stub.hello(), { class: "TypeError", message: "not born, try 1" });
  await assert.rejects(env.UNBORN.getByName(`${name} throws`).hello(), { class: "TypeError", message: "not born, try 1" });
});

test("an abort in the constructor", async ({ env, name }) => {
  await assert.rejects(env.UNBORN.getByName(`${name} aborts`).hello(), { class: "Error", message: "aborted at birth", durableObjectReset: true });
  assert.equal(await env.UNBORN.getByName(name).hello(), "hello");
});

test("a deferred constraint left violated resets the object", async ({ env, name }) => {
  const stub = env.FRAGILE.getByName(name);
  const instance = await stub.which();
  await assert.rejects(stub.violate(), {
    class: "Error",
    message: /^Durable Object was reset and rolled back to its last known good state because the application left the database in a state where constraints were violated: /,
  });
  await assert.rejects(async () => stub.which(), { class: "Error", message: /^Durable Object was reset and rolled back to its last known good state/ });
  const again = env.FRAGILE.getByName(name);
  assert.notEqual(await again.which(), instance);
  assert.equal(await again.tables(), 0);
});

test("a stream of an object that aborts breaks off", async ({ env, name }) => {
  const stub = env.FRAGILE.getByName(name);
  const stream = await stub.stream();
  const reader = stream.getReader();
  assert.deepEqual((await reader.read()).value, new Uint8Array([1]));
  await stub.abortSoon(5, "stream ends");
  await assert.rejects(async () => { for (let i = 0; i < 3; i++) if ((await reader.read()).done) return; }, { class: "Error" });
});
