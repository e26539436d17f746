// Named entrypoints of the same worker, reached through ctx.exports.
import { DurableObject, WorkerEntrypoint, RpcTarget, exports as importedExports } from "cloudflare:workers";
import { test, assert } from "../harness.js";
export { default } from "../harness.js";

export class Greeter extends WorkerEntrypoint {
  fields = "own";
  constructor(ctx, env) {
    super(ctx, env);
    this.greeting = ctx.props?.greeting ?? "hello";
  }
  greet(name) { return `${this.greeting} ${name}`; }
  getProps() { return this.ctx.props; }
  getEnv() { return Object.keys(this.env).sort(); }
  fail() { throw Object.assign(new RangeError("in the entrypoint"), { code: 4 }); }
  count() { this.calls = (this.calls ?? 0) + 1; return this.calls; }
  target() { return new Tally(); }
  callback(f) { return f("called back"); }
  async fetch(request) { return new Response(`${this.greeting} ${new URL(request.url).pathname} ${request.method}`); }
  async object(name) { return this.env.THING.getByName(name).whoAmI(); }
  exportsHere() { return Object.keys(this.ctx.exports).sort(); }
}

class Tally extends RpcTarget {
  n = 0;
  add() { return ++this.n; }
}

export class NoFetch extends WorkerEntrypoint {
  hello() { return "hello"; }
}

export const handlers = {
  async fetch(request, env, ctx) { return new Response(`handlers ${new URL(request.url).pathname} ${typeof env.THING} ${typeof ctx.waitUntil}`); },
};

export class Thing extends DurableObject {
  whoAmI() { return this.ctx.id.name; }
  async greetFromHere(name) { return this.ctx.exports.Greeter.greet(name); }
  greetWith(greeter) { return greeter.greet("on"); }
  getExports() { return Object.keys(this.ctx.exports).sort(); }
  async sameNamespace(name) { return this.ctx.exports.Thing.getByName(name).whoAmI(); }
  getProps() { return this.ctx.props; }
}

test("ctx.exports lists the worker's exports", async ({ ctx, env, name }) => {
  assert.deepEqual(Object.keys(ctx.exports).sort(), ["Greeter", "NoFetch", "Thing", "default", "handlers"]);
  assert.deepEqual(await env.THING.getByName(name).getExports(), ["Greeter", "NoFetch", "Thing", "default", "handlers"]);
  assert.deepEqual(Object.keys(importedExports).sort(), ["Greeter", "NoFetch", "Thing", "default", "handlers"]);
});

test("methods of an entrypoint", async ({ ctx }) => {
  assert.equal(await ctx.exports.Greeter.greet("you"), "hello you");
  assert.deepEqual(await ctx.exports.Greeter.getEnv(), ["THING"]);
  assert.deepEqual(await ctx.exports.Greeter.exportsHere(), ["Greeter", "NoFetch", "Thing", "default", "handlers"]);
});

test("an entrypoint with props", async ({ ctx }) => {
  const greeter = ctx.exports.Greeter({ props: { greeting: "good evening", nested: { a: 1 } } });
  assert.equal(await greeter.greet("you"), "good evening you");
  assert.deepEqual(await greeter.getProps(), { greeting: "good evening", nested: { a: 1 } });
  assert.deepEqual(await ctx.exports.Greeter.getProps(), {});
});

test("every call is a new instance", async ({ ctx }) => {
  assert.deepEqual([await ctx.exports.Greeter.count(), await ctx.exports.Greeter.count()], [1, 1]);
});

test("fetch of an entrypoint", async ({ ctx }) => {
  assert.equal(await (await ctx.exports.Greeter.fetch("http://x/path", { method: "PUT" })).text(), "hello /path PUT");
  assert.equal(await (await ctx.exports.Greeter({ props: { greeting: "hi" } }).fetch("http://x/p")).text(), "hi /p GET");
});

test("fetch of an export of plain handlers", async ({ ctx }) => {
  assert.equal(await (await ctx.exports.handlers.fetch("http://x/path")).text(), "handlers /path object function");
});

test("the default export is there too", async ({ ctx }) => {
  const names = await (await ctx.exports.default.fetch("http://x/list")).json();
  assert.ok(names.includes("the default export is there too"));
});

test("an entrypoint without fetch", async ({ ctx }) => {
  await assert.rejects(async () => ctx.exports.NoFetch.fetch("http://x/"), { class: "Error", message: "Handler does not export a fetch() function." });
  assert.equal(await ctx.exports.NoFetch.hello(), "hello");
});

test("own properties of an entrypoint are not there", async ({ ctx }) => {
  for (const key of ["fields", "greeting", "ctx", "env"]) {
    await assert.rejects(async () => await ctx.exports.Greeter[key], { class: "TypeError", message: `The RPC receiver does not implement the method "${key}".` }, key);
  }
});

test("errors of an entrypoint", async ({ ctx }) => {
  await assert.rejects(async () => ctx.exports.Greeter.fail(), { class: "RangeError", message: "in the entrypoint", code: 4, remote: true, durableObjectId: undefined });
});

test("targets and callbacks over an entrypoint", async ({ ctx }) => {
  const tally = await ctx.exports.Greeter.target();
  assert.deepEqual([await tally.add(), await tally.add()], [1, 2]);
  assert.equal(await ctx.exports.Greeter.target().add(), 1);
  assert.equal(await ctx.exports.Greeter.callback((text) => `${text}!`), "called back!");
});

test("an object calls an entrypoint, and an entrypoint an object", async ({ ctx, env, name }) => {
  assert.equal(await env.THING.getByName(name).greetFromHere("object"), "hello object");
  assert.equal(await ctx.exports.Greeter.object(name), name);
});

test("ctx.exports of a Durable Object class is its namespace", async ({ ctx, env, name }) => {
  assert.equal(ctx.exports.Thing.idFromName(name).toString(), env.THING.idFromName(name).toString());
  assert.equal(await ctx.exports.Thing.getByName(name).whoAmI(), name);
  assert.equal(await env.THING.getByName(name).sameNamespace(`${name}/b`), `${name}/b`);
});

test("an entrypoint is passed as an argument", async ({ ctx, env, name }) => {
  const greeter = ctx.exports.Greeter({ props: { greeting: "passed" } });
  assert.equal(await env.THING.getByName(name).greetWith(greeter), "passed on");
});

test("ctx.props of an object without any is empty", async ({ env, name }) => {
  assert.deepEqual(await env.THING.getByName(name).getProps(), {});
});
