// What cloudflare:workers exports, ctx.exports and ctx.facets.
import * as workers from "cloudflare:workers";
import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";
import { test, inside, runInside, assert } from "../harness.js";
export { default } from "../harness.js";

export class Box extends DurableObject {
  run(name) { return runInside(this, name); }
}
export class Entry extends WorkerEntrypoint {
  hello() { return "hello"; }
}
export class Plain {
  hello() { return "hello"; }
}
export const handlers = { fetch() { return new Response("handlers"); } };
export const arrow = () => 1;

test("the names of cloudflare:workers", () => {
  assert.deepEqual(Object.keys(workers).sort(), [
    "DurableObject", "RpcPromise", "RpcProperty", "RpcStub", "RpcTarget", "ServiceStub", "WorkerEntrypoint", "WorkflowEntrypoint", "abortIsolate",
    "cache", "env", "exports", "restore", "tracing", "waitUntil", "withEnv", "withEnvAndExports", "withExports",
  ]);
});

test("ctx.exports has every class and handler", async ({ ctx }) => {
  assert.deepEqual(Object.keys(ctx.exports).sort(), ["Box", "Entry", "Plain", "arrow", "default", "handlers"]);
  assert.equal(await ctx.exports.Entry.hello(), "hello");
  assert.equal(await (await ctx.exports.handlers.fetch("http://x")).text(), "handlers");
  assert.equal(ctx.exports.Nothing, undefined);
});

test("a class that is no binding is a function of props, without methods", ({ ctx }) => {
  assert.equal(typeof ctx.exports.Plain, "function");
  assert.equal(ctx.exports.Plain.hello, undefined);
  assert.equal(Object.prototype.toString.call(ctx.exports.Plain({ props: { a: 1 } })), "[object DurableObjectClass]");
  assert.throws(() => ctx.exports.Plain({ props: 1 }), { class: "TypeError", message: "Incorrect type for the 'props' field on 'Options': the provided value is not of type 'Object'." });
});

inside("ctx.facets is there, and harms nobody who looks at it", ({ ctx }) => {
  assert.equal(Object.prototype.toString.call(ctx.facets), "[object DurableObjectFacets]");
  for (const name of ["get", "abort", "delete", "clone"]) assert.equal(typeof ctx.facets[name], "function", name);
});

inside("a facet", async ({ ctx }) => {
  const facet = ctx.facets.get("one", () => ({ class: ctx.exports.Plain({}) }));
  assert.equal(typeof facet.fetch, "function");
});
