// The class, its constructor, ctx, and how long an instance lives.
import * as workers from "cloudflare:workers";
import { DurableObject, WorkerEntrypoint, RpcTarget, waitUntil, env as importedEnv, exports as importedExports } from "cloudflare:workers";
import { test, assert, sleep, until } from "../harness.js";
export { default } from "../harness.js";

let moduleCounter = 0;

export class Plain extends DurableObject {
  field = "initialised";
  calls = 0;
  instance = crypto.randomUUID();
  about() {
    return {
      ctx: this.ctx !== undefined, env: Object.keys(this.env).sort(), storage: this.ctx.storage !== undefined, id: this.ctx.id.toString(),
      field: this.field, props: this.ctx.props,
    };
  }
  call() { this.calls += 1; return { calls: this.calls, instance: this.instance }; }
  fetch() { return Response.json(this.call()); }
  types(names, of) {
    const owner = of === "storage" ? this.ctx.storage : this.ctx;
    return Object.fromEntries(names.map((name) => [name, typeof owner[name]]));
  }
  names() {
    return [Object.prototype.toString.call(this.ctx), Object.prototype.toString.call(this.ctx.storage), this.constructor.name, this instanceof DurableObject, Object.prototype.toString.call(this.ctx.id)];
  }
  sameEnv() { return importedEnv.PLAIN !== undefined && this.env.PLAIN !== undefined; }
  stable() { return [this.ctx.storage === this.ctx.storage, this.ctx.id.toString() === this.ctx.id.toString()]; }
  background() {
    this.ctx.waitUntil(sleep(10).then(() => this.ctx.storage.put("background", "done")));
    return "answered";
  }
  rejected() {
    this.ctx.waitUntil(Promise.reject(new Error("only logged")));
    return "answered";
  }
  waitUntilGives() { return this.ctx.waitUntil(Promise.resolve()) === undefined; }
  importedWaitUntil() {
    waitUntil(sleep(10).then(() => this.ctx.storage.put("imported", "done")));
    return "answered";
  }
  get(key) { return this.ctx.storage.get(key); }
  timer() {
    setTimeout(() => { this.ctx.storage.put("timer", "fired"); }, 10);
    return "answered";
  }
  floating() {
    sleep(10).then(() => this.ctx.storage.put("floating", "done"));
    return "answered";
  }
  interval() {
    let n = 0;
    const id = setInterval(() => {
      n += 1;
      this.ctx.storage.put("ticks", n);
      if (n === 3) clearInterval(id);
    }, 5);
    return "answered";
  }
  moduleCount() { return ++moduleCounter; }
}

export class Builder extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    this.seen = { name: ctx.id.name, env: env === this.env, ctx: ctx === this.ctx };
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS built (n INTEGER)");
    ctx.storage.sql.exec("INSERT INTO built VALUES (1)");
    ctx.storage.kv.put("born", (ctx.storage.kv.get("born") ?? 0) + 1);
  }
  look() { return { seen: this.seen, built: this.ctx.storage.sql.exec("SELECT count(*) AS n FROM built").one().n, born: this.ctx.storage.kv.get("born") }; }
  abort() { this.ctx.abort("again"); }
}

export class Implicit extends DurableObject {
  where() { return [typeof this.ctx.storage.get, typeof this.env]; }
}

export class Waker extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    ctx.storage.setAlarm(Date.now() + 20);
  }
  alarm() { this.woken = (this.woken ?? 0) + 1; }
  getWoken() { return this.woken; }
}

const functions = (...names) => Object.fromEntries(names.map((name) => [name, "function"]));

test("ctx and env are set by the base class", async ({ env, name }) => {
  assert.deepEqual(await env.PLAIN.getByName(name).about(), {
    ctx: true, env: ["BUILDER", "IMPLICIT", "PLAIN", "WAKER"], storage: true, id: env.PLAIN.idFromName(name).toString(), field: "initialised", props: {},
  });
  assert.deepEqual(await env.IMPLICIT.getByName(name).where(), ["function", "object"]);
});

test("members of ctx", async ({ env, name }) => {
  const expected = { id: "object", storage: "object", props: "object", exports: "object", ...functions("waitUntil", "blockConcurrencyWhile", "abort") };
  assert.deepEqual(await env.PLAIN.getByName(name).types(Object.keys(expected), "ctx"), expected);
});

test("members of ctx for WebSockets", async ({ env, name }) => {
  const expected = functions(
    "acceptWebSocket", "getWebSockets", "getTags", "setWebSocketAutoResponse", "getWebSocketAutoResponse", "getWebSocketAutoResponseTimestamp",
    "setHibernatableWebSocketEventTimeout", "getHibernatableWebSocketEventTimeout",
  );
  assert.deepEqual(await env.PLAIN.getByName(name).types(Object.keys(expected), "ctx"), expected);
});

test("members of ctx.storage", async ({ env, name }) => {
  const expected = {
    sql: "object", kv: "object",
    ...functions("get", "put", "delete", "list", "deleteAll", "transaction", "transactionSync", "sync", "getAlarm", "setAlarm", "deleteAlarm", "getCurrentBookmark"),
  };
  assert.deepEqual(await env.PLAIN.getByName(name).types(Object.keys(expected), "storage"), expected);
});

test("how ctx, storage, class and id show", async ({ env, name }) => {
  assert.deepEqual(await env.PLAIN.getByName(name).names(), ["[object DurableObjectState]", "[object DurableObjectStorage]", "Plain", true, "[object DurableObjectId]"]);
  assert.deepEqual(await env.PLAIN.getByName(name).stable(), [true, true]);
});

test("one instance serves all stubs and kinds of call", async ({ env, name }) => {
  const first = await env.PLAIN.getByName(name).call();
  const second = await (await env.PLAIN.get(env.PLAIN.idFromName(name)).fetch("http://object/")).json();
  const third = await env.PLAIN.get(env.PLAIN.idFromString(env.PLAIN.idFromName(name).toString())).call();
  assert.deepEqual([first.calls, second.calls, third.calls], [1, 2, 3]);
  assert.equal(second.instance, first.instance);
  assert.equal(third.instance, first.instance);
});

test("the first calls at once make one instance", async ({ env, name }) => {
  const answers = await Promise.all(Array.from({ length: 20 }, () => env.PLAIN.getByName(name).call()));
  assert.equal(new Set(answers.map((answer) => answer.instance)).size, 1);
  assert.deepEqual(answers.map((answer) => answer.calls).sort((a, b) => a - b), Array.from({ length: 20 }, (_, i) => i + 1));
});

test("two objects are two instances", async ({ env, name }) => {
  const [a, b] = await Promise.all([env.PLAIN.getByName(`${name}/a`).call(), env.PLAIN.getByName(`${name}/b`).call()]);
  assert.notEqual(a.instance, b.instance);
  assert.deepEqual([a.calls, b.calls], [1, 1]);
});

test("the constructor knows id, env and storage, and runs once", async ({ env, name }) => {
  const stub = env.BUILDER.getByName(name);
  const expected = { seen: { name, env: true, ctx: true }, built: 1, born: 1 };
  assert.deepEqual(await stub.look(), expected);
  assert.deepEqual(await stub.look(), expected);
});

test("after a reset the constructor runs again on the storage that is there", async ({ env, name }) => {
  assert.equal((await env.BUILDER.getByName(name).look()).born, 1);
  await assert.rejects(env.BUILDER.getByName(name).abort(), { message: "again" });
  assert.deepEqual(await env.BUILDER.getByName(name).look(), { seen: { name, env: true, ctx: true }, built: 2, born: 2 });
});

test("the constructor may set an alarm", async ({ env, name }) => {
  const stub = env.WAKER.getByName(name);
  assert.equal(await until(() => stub.getWoken()), 1);
});

test("waitUntil goes on after the answer", async ({ env, name }) => {
  const stub = env.PLAIN.getByName(name);
  assert.equal(await stub.background(), "answered");
  assert.equal(await until(() => stub.get("background")), "done");
  assert.equal(await stub.waitUntilGives(), true);
});

test("waitUntil of a rejection harms nobody", async ({ env, name }) => {
  const stub = env.PLAIN.getByName(name);
  const { instance } = await stub.call();
  assert.equal(await stub.rejected(), "answered");
  await sleep(5);
  assert.equal((await stub.call()).instance, instance);
});

test("waitUntil can be imported", async ({ env, name }) => {
  const stub = env.PLAIN.getByName(name);
  assert.equal(await stub.importedWaitUntil(), "answered");
  assert.equal(await until(() => stub.get("imported")), "done");
});

test("timers, intervals and floating promises go on after the answer", async ({ env, name }) => {
  const stub = env.PLAIN.getByName(name);
  assert.equal(await stub.timer(), "answered");
  assert.equal(await stub.floating(), "answered");
  assert.equal(await stub.interval(), "answered");
  assert.equal(await until(() => stub.get("timer")), "fired");
  assert.equal(await until(() => stub.get("floating")), "done");
  await until(async () => (await stub.get("ticks")) === 3);
  await sleep(20);
  assert.equal(await stub.get("ticks"), 3);
});

test("env and exports can be imported, inside an object too", async ({ env, name }) => {
  assert.equal(await env.PLAIN.getByName(name).sameEnv(), true);
  assert.equal(typeof importedExports.Plain.getByName, "function");
});

test("exports of cloudflare:workers", () => {
  for (const key of ["DurableObject", "WorkerEntrypoint", "RpcTarget", "RpcStub", "waitUntil", "withEnv"]) assert.equal(typeof workers[key], "function", key);
  for (const key of ["env", "exports"]) assert.equal(typeof workers[key], "object", key);
  assert.equal(new RpcTarget() instanceof RpcTarget, true);
  assert.equal(DurableObject.name, "DurableObject");
  assert.equal(WorkerEntrypoint.name, "WorkerEntrypoint");
});

test("module state is kept between calls of one object", async ({ env, name }) => {
  const stub = env.PLAIN.getByName(name);
  const first = await stub.moduleCount();
  assert.equal(await stub.moduleCount(), first + 1);
});
