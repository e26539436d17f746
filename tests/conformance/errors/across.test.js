// What of an error crosses a call, and which marks it gets.
import { DurableObject } from "cloudflare:workers";
import { test, assert } from "../harness.js";
export { default } from "../harness.js";

class MyError extends Error {
  name = "MyError";
  constructor(message, code) {
    super(message);
    this.code = code;
  }
}

export class Thrower extends DurableObject {
  make(what) {
    switch (what) {
      case "Error": return new Error("plain");
      case "TypeError": return new TypeError("type");
      case "RangeError": return new RangeError("range");
      case "SyntaxError": return new SyntaxError("syntax");
      case "ReferenceError": return new ReferenceError("reference");
      case "EvalError": return new EvalError("eval");
      case "URIError": return new URIError("uri");
      case "MyError": return new MyError("mine", 42);
      case "props": return Object.assign(new Error("with props"), { code: "E", list: [1, { a: 1 }], date: new Date(1) });
      case "cause": return new Error("outer", { cause: new RangeError("inner") });
      case "aggregate": return new AggregateError([new Error("one")], "many");
      case "dom": return new DOMException("dom message", "AbortError");
      case "empty": return new Error();
      case "renamed": return Object.assign(new Error("renamed"), { name: "Custom" });
      case "function prop": return Object.assign(new Error("with function"), { f: () => 1 });
      case "string": return "a string";
      case "object": return { message: "an object", code: 1 };
      case "undefined": return undefined;
      case "null": return null;
      case "number": return 7;
      case "marks": return Object.assign(new Error("marked by hand"), { retryable: true, overloaded: true });
      case "long": return new Error("x".repeat(100_000));
      default: throw new Error(`no ${what}`);
    }
  }
  throw(what) { throw this.make(what); }
  async reject(what) { throw this.make(what); }
  fetch(request) { throw this.make(new URL(request.url).pathname.slice(1)); }
  async relay(what) { return this.env.THROWER.getByName(`${this.ctx.id.name}/deep`).throw(what); }
  id() { return this.ctx.id.toString(); }
  sqlError() { this.ctx.storage.sql.exec("nonsense"); }
}

for (const [what, expected] of Object.entries({
  Error: { class: "Error", name: "Error", message: "plain" },
  TypeError: { class: "TypeError", name: "TypeError", message: "type" },
  RangeError: { class: "RangeError", name: "RangeError", message: "range" },
  SyntaxError: { class: "SyntaxError", name: "SyntaxError", message: "syntax" },
  ReferenceError: { class: "ReferenceError", name: "ReferenceError", message: "reference" },
  EvalError: { class: "EvalError", name: "EvalError", message: "eval" },
  URIError: { class: "URIError", name: "URIError", message: "uri" },
  MyError: { class: "Error", name: "MyError", message: "mine", code: 42 },
  props: { class: "Error", message: "with props", code: "E", list: [1, { a: 1 }], date: new Date(1) },
  empty: { class: "Error", name: "Error", message: "" },
  renamed: { class: "Error", name: "Custom", message: "renamed" },
  dom: { class: "DOMException", name: "AbortError", message: "dom message", code: 20 },
})) {
  test(`thrown over RPC and fetch: ${what}`, async ({ env, name }) => {
    const stub = env.THROWER.getByName(name);
    const calls = { rpc: () => stub.throw(what), rejected: () => stub.reject(what), fetch: () => stub.fetch(`http://object/${what}`) };
    for (const [how, call] of Object.entries(calls)) {
      const error = await assert.rejects(call, { ...expected, remote: true });
      if (how !== "fetch" && what !== "dom") assert.equal(error.durableObjectId, env.THROWER.idFromName(name).toString());
      assert.equal(error.durableObjectReset, undefined);
      assert.equal(error.retryable, undefined);
      assert.equal(error.overloaded, undefined);
    }
  });
}

test("the constructor of a class of one's own is Error", async ({ env, name }) => {
  const error = await assert.rejects(env.THROWER.getByName(name).throw("MyError"));
  assert.equal(error instanceof MyError, false);
  assert.equal(error.constructor, Error);
  assert.equal(String(error), "MyError: mine");
});

test("the cause crosses", async ({ env, name }) => {
  const error = await assert.rejects(env.THROWER.getByName(name).throw("cause"), { message: "outer" });
  assert.equal(error.cause instanceof RangeError, true);
  assert.equal(error.cause.message, "inner");
});

test("an AggregateError", async ({ env, name }) => {
  const error = await assert.rejects(env.THROWER.getByName(name).throw("aggregate"), { message: "many", name: "AggregateError" });
  assert.equal(error.errors?.length, 1);
});

test("an own property that does not clone", async ({ env, name }) => {
  const error = await assert.rejects(env.THROWER.getByName(name).throw("function prop"), { message: "with function", remote: true });
  assert.equal(typeof error.f, "undefined");
});

for (const [what, message] of Object.entries({ string: "a string", undefined: "undefined", null: "null", number: "7" })) {
  test(`what is thrown and no object arrives as an Error: ${what}`, async ({ env, name }) => {
    await assert.rejects(env.THROWER.getByName(name).throw(what), { class: "Error", name: "Error", message, remote: true });
  });
}

test("an object that is thrown and no error arrives as an object", async ({ env, name }) => {
  const thrown = await env.THROWER.getByName(name).throw("object").then(() => "returned", (error) => error);
  assert.equal(thrown instanceof Error, false);
  assert.deepEqual(thrown, { message: "an object", code: 1, durableObjectId: env.THROWER.idFromName(name).toString(), remote: true });
});

test("no stack of the other side crosses", async ({ env, name }) => {
  const error = await assert.rejects(env.THROWER.getByName(name).throw("Error"));
  assert.equal(String(error.stack).includes("at Thrower"), false);
});

test("marks set by user code", async ({ env, name }) => {
  const error = await assert.rejects(env.THROWER.getByName(name).throw("marks"), { message: "marked by hand", remote: true });
  assert.equal(error.retryable, true);
  assert.equal(error.overloaded, true);
});

test("an error through two objects", async ({ env, name }) => {
  const error = await assert.rejects(env.THROWER.getByName(name).relay("MyError"), { name: "MyError", message: "mine", code: 42, remote: true });
  assert.equal(error.durableObjectId, env.THROWER.idFromName(name).toString());
});

test("the id of the object is on the error of a unique object too", async ({ env }) => {
  const id = env.THROWER.newUniqueId();
  await assert.rejects(env.THROWER.get(id).throw("Error"), { durableObjectId: id.toString() });
});

test("errors of the storage cross as any other", async ({ env, name }) => {
  await assert.rejects(env.THROWER.getByName(name).sqlError(), { class: "Error", message: 'near "nonsense": syntax error at offset 0: SQLITE_ERROR', remote: true, durableObjectReset: undefined });
});

test("a long message is whole", async ({ env, name }) => {
  const error = await assert.rejects(env.THROWER.getByName(name).throw("long"));
  assert.equal(error.message.length, 100_000);
});

test("a refusal of RPC is a remote error, without the id", async ({ env, name }) => {
  const error = await assert.rejects(async () => env.THROWER.getByName(name).missing(), { class: "TypeError" });
  assert.equal(error.remote, true);
  assert.equal(error.durableObjectId, undefined);
});

test("a refusal on the caller's side has no marks", async ({ env, name }) => {
  const error = await assert.rejects(async () => env.THROWER.getByName(name).throw(Symbol("s")), { name: "DataCloneError" });
  assert.equal(error.remote, undefined);
  assert.equal(error.durableObjectId, undefined);
});

test("own enumerable properties of a received error", async ({ env, name }) => {
  const error = await assert.rejects(env.THROWER.getByName(name).throw("props"));
  assert.deepEqual(Object.keys(error).sort(), ["code", "date", "durableObjectId", "list", "remote"]);
});
