// Classes that are bound without extending DurableObject: events reach their handlers, and calls are refused.
import { DurableObject } from "cloudflare:workers";
import { test, assert, until } from "../harness.js";
export { default } from "../harness.js";

const REFUSED = {
  class: "TypeError",
  message: /^The receiving Durable Object does not support RPC, because its class was not declared with `extends DurableObject`\. /,
};

export class Box extends DurableObject {
  plain() { return "mine"; }
  // What another object may do of a plain one.
  async call(name) {
    try {
      return await this.env.PLAIN.getByName(name).method();
    } catch (error) {
      return error.message;
    }
  }
}

class Base {
  method() { return "not to be called"; }
}

export class Plain extends Base {
  alarms = [];
  constructor(state, env) {
    super();
    this.state = state;
    this.environment = env;
    state.blockConcurrencyWhile(async () => { this.count = (await state.storage.get("count")) ?? 0; });
  }
  get getter() { return "not to be read"; }
  async fetch(request) {
    const { pathname } = new URL(request.url);
    switch (pathname) {
      case "/count": await this.state.storage.put("count", ++this.count); return new Response(String(this.count));
      case "/sql": return Response.json(this.state.storage.sql.exec("SELECT 1 AS one").one());
      case "/about": return Response.json({
        ctx: this.ctx === undefined, state: Object.prototype.toString.call(this.state), name: this.state.id.name, env: Object.keys(this.environment).sort(),
        exported: typeof this.state.exports.Plain.getByName,
      });
      case "/alarm": await this.state.storage.setAlarm(Date.now()); return new Response("set");
      case "/alarms": return Response.json(this.alarms);
      case "/box": return new Response(await this.environment.BOX.getByName(this.state.id.name).plain());
      case "/abort": return this.state.abort("by a plain class");
      default: throw new Error(`${request.method} ${pathname}`);
    }
  }
  alarm(info) { this.alarms.push([info.isRetry, info.retryCount]); }
}

export class FetchOnly {
  constructor(state) { this.state = state; }
  fetch() { return this.state.storage.setAlarm(Date.now()); }
}

export class Silent {}

const text = async (stub, path) => (await stub.fetch(`http://object${path}`)).text();
const json = async (stub, path) => (await stub.fetch(`http://object${path}`)).json();

test("fetch reaches it, and its storage is that of any object", async ({ env, name }) => {
  const stub = env.PLAIN.getByName(name);
  assert.equal(await text(stub, "/count"), "1");
  assert.equal(await text(env.PLAIN.getByName(name), "/count"), "2");
  assert.deepEqual(await json(stub, "/sql"), { one: 1 });
});

test("its constructor gets the state and env, and nobody sets them for it", async ({ env, name }) => {
  assert.deepEqual(await json(env.PLAIN.getByName(name), "/about"), {
    ctx: true, state: "[object DurableObjectState]", name, env: ["BOX", "FETCH_ONLY", "PLAIN", "SILENT"], exported: "function",
  });
});

test("its alarm fires", async ({ env, name }) => {
  const stub = env.PLAIN.getByName(name);
  assert.equal(await text(stub, "/alarm"), "set");
  assert.deepEqual(await until(async () => {
    const alarms = await json(stub, "/alarms");
    return alarms.length > 0 && alarms;
  }), [[false, 0]]);
});

test("a class without alarm() cannot set one", async ({ env, name }) => {
  await assert.rejects(env.FETCH_ONLY.getByName(name).fetch("http://object/"), {
    class: "TypeError", message: "Your Durable Object class must have an alarm() handler in order to call setAlarm()",
  });
});

test("a class without fetch()", async ({ env, name }) => {
  await assert.rejects(env.SILENT.getByName(name).fetch("http://object/"), { class: "Error", message: "Handler does not export a fetch() function." });
});

test("its methods cannot be called", async ({ env, name }) => {
  const stub = env.PLAIN.getByName(name);
  await assert.rejects(async () => stub.method(), REFUSED);
  await assert.rejects(async () => stub.missing(), REFUSED);
  await assert.rejects(async () => stub.alarm(), REFUSED);
  assert.equal(await text(stub, "/count"), "1", "the stub is as before");
});

test("its properties cannot be read", async ({ env, name }) => {
  const stub = env.PLAIN.getByName(name);
  await assert.rejects(async () => stub.getter, REFUSED);
  await assert.rejects(async () => stub.count, REFUSED);
});

test("it calls others, which cannot call it", async ({ env, name }) => {
  assert.equal(await text(env.PLAIN.getByName(name), "/box"), "mine");
  assert.match(await env.BOX.getByName(name).call(name), REFUSED.message);
});

test("an exception and a reset are as with any object", async ({ env, name }) => {
  const stub = env.PLAIN.getByName(name);
  await assert.rejects(stub.fetch("http://object/thrown"), { class: "Error", message: "GET /thrown", remote: true });
  assert.equal(await text(stub, "/count"), "1");
  await assert.rejects(stub.fetch("http://object/abort"), { message: "by a plain class", durableObjectReset: true });
  await assert.rejects(stub.fetch("http://object/count"), { message: "by a plain class" });
  assert.equal(await text(env.PLAIN.getByName(name), "/count"), "2");
});
