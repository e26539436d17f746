// blockConcurrencyWhile: what waits, what does not, and what a throw does.
import { DurableObject } from "cloudflare:workers";
import { test, assert, sleep } from "../harness.js";
export { default } from "../harness.js";

export class Slow extends DurableObject {
  log = [];
  constructor(ctx, env) {
    super(ctx, env);
    ctx.blockConcurrencyWhile(async () => {
      this.log.push("start-up begins");
      await sleep(30);
      this.value = (await ctx.storage.get("value")) ?? "fresh";
      this.log.push("start-up ends");
    });
    this.log.push("constructor ends");
  }
  async call(name) {
    this.log.push(name);
    return this.value;
  }
  fetch() {
    return new Response(this.value);
  }
  getLog() { return this.log; }
}

export class Section extends DurableObject {
  instance = crypto.randomUUID();
  log = [];
  settled = 0;
  which() { return this.instance; }
  note(name) { this.log.push(name); return name; }
  getLog() { return this.log; }
  async keys() { return [...(await this.ctx.storage.list()).keys()]; }

  async value() { return this.ctx.blockConcurrencyWhile(async () => ({ a: 1 })); }
  async notAPromise() { return this.ctx.blockConcurrencyWhile(() => "plain"); }
  async order() {
    const log = ["before"];
    const promise = this.ctx.blockConcurrencyWhile(async () => { log.push("inside"); await null; log.push("inside later"); });
    log.push("after");
    await promise;
    log.push("settled");
    return log;
  }
  async afterMicrotasks() {
    const log = [];
    const chain = (async () => { for (let i = 0; i < 5; i++) { await null; log.push(i); } })();
    await this.ctx.blockConcurrencyWhile(async () => { log.push("inside"); });
    await chain;
    return log;
  }
  async long(name, ms) {
    await this.ctx.blockConcurrencyWhile(async () => {
      this.log.push(`${name} enters`);
      await sleep(ms);
      this.log.push(`${name} leaves`);
    });
  }
  async unawaited(ms) {
    this.ctx.blockConcurrencyWhile(async () => { await sleep(ms); this.log.push("section ends"); });
    this.log.push("handler goes on");
    await sleep(1);
    this.log.push("timer of the handler");
  }
  async nested(depth) {
    if (depth === 0) return "bottom";
    return this.ctx.blockConcurrencyWhile(() => this.nested(depth - 1));
  }
  async callsOut() {
    return this.ctx.blockConcurrencyWhile(async () => {
      const answer = await this.env.SECTION.getByName(`${this.ctx.id.name}/other`).note("called");
      await sleep(5);
      await this.ctx.storage.put("k", answer);
      return answer;
    });
  }
  async callsItself() {
    return this.ctx.blockConcurrencyWhile(() => this.env.SECTION.get(this.ctx.id).which());
  }
  async throws(how) {
    await this.ctx.storage.put("before", 1);
    await sleep(5);
    try {
      await this.ctx.blockConcurrencyWhile(async () => {
        await this.ctx.storage.put("inside", 1);
        if (how === "timer") await sleep(5);
        throw new RangeError("out of the section");
      });
    } catch (error) {
      this.env.SECTION.getByName(`${this.ctx.id.name}/witness`).note("caught");
      return "caught";
    } finally {
      this.env.SECTION.getByName(`${this.ctx.id.name}/witness`).note("finally");
    }
    return "went on";
  }
  throwsSync() {
    return this.ctx.blockConcurrencyWhile(() => { throw new Error("at once"); });
  }
}

export class Refuses extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    ctx.storage.kv.put("constructed", (ctx.storage.kv.get("constructed") ?? 0) + 1);
    ctx.blockConcurrencyWhile(async () => {
      if ((await env.SECTION.getByName(`${ctx.id.name}/switch`).getLog()).length === 0) {
        await ctx.storage.put("written", 1);
        throw new Error("no start today");
      }
    });
  }
  async keys() { return [...(await this.ctx.storage.list())]; }
}

test("calls wait for the section of the constructor", async ({ env, name }) => {
  const stub = env.SLOW.getByName(name);
  assert.deepEqual(await Promise.all([stub.call("a"), stub.call("b"), (await stub.fetch("http://object/")).text()]), ["fresh", "fresh", "fresh"]);
  assert.deepEqual((await stub.getLog()).slice(0, 3), ["constructor ends", "start-up begins", "start-up ends"]);
});

test("the section starts after the synchronous part of its caller, and gives its value", async ({ env, name }) => {
  const stub = env.SECTION.getByName(name);
  assert.deepEqual(await stub.order(), ["before", "after", "inside", "inside later", "settled"]);
  assert.deepEqual(await stub.value(), { a: 1 });
});

test("the section starts after the microtasks that are due", async ({ env, name }) => {
  assert.deepEqual(await env.SECTION.getByName(name).afterMicrotasks(), [0, 1, 2, 3, 4, "inside"]);
});

test("a callback that gives no promise", async ({ env, name }) => {
  assert.equal(await env.SECTION.getByName(name).notAPromise(), "plain");
});

test("other calls wait until the section ends", async ({ env, name }) => {
  const stub = env.SECTION.getByName(name);
  await Promise.all([stub.long("a", 30), stub.note("b"), stub.note("c")]);
  assert.deepEqual(await stub.getLog(), ["a enters", "a leaves", "b", "c"]);
});

test("two sections do not overlap", async ({ env, name }) => {
  const stub = env.SECTION.getByName(name);
  await Promise.all([stub.long("a", 20), stub.long("b", 5)]);
  assert.deepEqual(await stub.getLog(), ["a enters", "a leaves", "b enters", "b leaves"]);
});

test("timers set outside the section wait for it as well", async ({ env, name }) => {
  const stub = env.SECTION.getByName(name);
  await stub.unawaited(30);
  assert.deepEqual(await stub.getLog(), ["handler goes on", "section ends", "timer of the handler"]);
});

test("calls and timers started inside the section get in", async ({ env, name }) => {
  const stub = env.SECTION.getByName(name);
  assert.equal(await stub.callsOut(), "called");
  assert.deepEqual(await stub.keys(), ["k"]);
});

test("sections nest", async ({ env, name }) => {
  assert.equal(await env.SECTION.getByName(name).nested(10), "bottom");
  assert.equal(await env.SECTION.getByName(name).nested(64), "bottom");
});

test("sections nested too deep", async ({ env, name }) => {
  await assert.rejects(env.SECTION.getByName(name).nested(65), { class: "Error", message: "blockConcurrencyWhile() calls are nested too deeply." });
});

test("a throw resets the object with that error", async ({ env, name }) => {
  const stub = env.SECTION.getByName(name);
  const instance = await stub.which();
  const error = await assert.rejects(stub.throws(), { class: "RangeError", message: "out of the section" });
  assert.equal(error.durableObjectReset, true);
  assert.equal(error.remote, undefined);
  const again = env.SECTION.getByName(name);
  assert.notEqual(await again.which(), instance);
  assert.deepEqual(await again.keys(), ["before"]);
});

test("after a throw the old instance does not run on", async ({ env, name }) => {
  const stub = env.SECTION.getByName(name);
  await assert.rejects(stub.throws("timer"), { class: "RangeError", message: "out of the section" });
  await sleep(30);
  assert.deepEqual(await env.SECTION.getByName(`${name}/witness`).getLog(), []);
});

test("a throw breaks the stub, a new one works", async ({ env, name }) => {
  const stub = env.SECTION.getByName(name);
  await assert.rejects(stub.throws(), { message: "out of the section" });
  await assert.rejects(stub.which(), { class: "RangeError", message: "out of the section" });
  await assert.rejects(stub.which(), { message: "out of the section" });
  assert.equal(typeof (await env.SECTION.getByName(name).which()), "string");
});

test("calls that waited fail with the error of the section", async ({ env, name }) => {
  const stub = env.SECTION.getByName(name);
  const other = env.SECTION.getByName(name);
  const results = await Promise.allSettled([stub.throws("timer"), sleep(8).then(() => other.note("x"))]);
  assert.equal(results[0].status, "rejected");
  assert.equal(results[0].reason.message, "out of the section");
});

test("a callback that throws at once resets as well", async ({ env, name }) => {
  const stub = env.SECTION.getByName(name);
  const instance = await stub.which();
  await assert.rejects(stub.throwsSync(), { class: "Error", message: "at once" });
  assert.notEqual(await env.SECTION.getByName(name).which(), instance);
});

test("a section that throws in the constructor fails every event until it does not", async ({ env, name }) => {
  const stub = env.REFUSES.getByName(name);
  await assert.rejects(stub.keys(), { class: "Error", message: "no start today" });
  await assert.rejects(env.REFUSES.getByName(name).keys(), { class: "Error", message: "no start today" });
  await env.SECTION.getByName(`${name}/switch`).note("start");
  // What the constructor itself wrote was committed before the section began; what the section wrote was not.
  assert.deepEqual(await env.REFUSES.getByName(name).keys(), [["constructed", 3]]);
});
