// Namespaces: get, getByName, their options and their refusals.
import { DurableObject, env as importedEnv } from "cloudflare:workers";
import { test, assert } from "../harness.js";
export { default } from "../harness.js";

export class Room extends DurableObject {
  count = 0;
  add() {
    return ++this.count;
  }
  whoAmI() {
    return this.ctx.id.toString();
  }
}

export class ChatRoom extends DurableObject {
  whoAmI() {
    return this.ctx.id.toString();
  }
}

test("a namespace shows as DurableObjectNamespace", ({ env }) => {
  assert.equal(Object.prototype.toString.call(env.ROOM), "[object DurableObjectNamespace]");
  assert.equal(env.ROOM.constructor.name, "DurableObjectNamespace");
  assert.equal(typeof env.CHAT_ROOM.get, "function");
});

test("get gives a stub of the id without contacting the object", ({ env, name }) => {
  const id = env.ROOM.idFromName(name);
  const stub = env.ROOM.get(id);
  assert.equal(stub.id.toString(), id.toString());
  assert.equal(stub.name, name);
});

test("getByName is get(idFromName(name))", async ({ env, name }) => {
  const stub = env.ROOM.getByName(name);
  assert.equal(stub.id.toString(), env.ROOM.idFromName(name).toString());
  assert.equal(stub.name, name);
  assert.equal(await stub.add(), 1);
  assert.equal(await env.ROOM.get(env.ROOM.idFromName(name)).add(), 2);
  assert.throws(() => env.ROOM.getByName(), { class: "TypeError", message: "Failed to execute 'getByName' on 'DurableObjectNamespace': parameter 1 is not of type 'string'." });
});

test("all stubs of one id reach one object; other names reach others", async ({ env, name }) => {
  const counts = [];
  for (let i = 0; i < 3; i++) counts.push(await env.ROOM.getByName(name).add());
  assert.deepEqual(counts, [1, 2, 3]);
  assert.equal(await env.ROOM.getByName(`${name}/other`).add(), 1);
});

test("one name in two namespaces is two objects", async ({ env, name }) => {
  assert.equal(await env.ROOM.getByName(name).whoAmI(), env.ROOM.idFromName(name).toString());
  assert.equal(await env.CHAT_ROOM.getByName(name).whoAmI(), env.CHAT_ROOM.idFromName(name).toString());
  assert.notEqual(env.ROOM.idFromName(name).toString(), env.CHAT_ROOM.idFromName(name).toString());
});

test("names are exact: case, space and Unicode form matter", ({ env }) => {
  const names = ["a", "A", " a", "a ", "é", "e\u0301", "😀", "\u0000", "a/b", "a\\b"];
  assert.equal(new Set(names.map((name) => env.ROOM.idFromName(name).toString())).size, names.length);
});

test("get refuses what is not an id", ({ env, name }) => {
  const refused = {
    class: "TypeError",
    message: "Failed to execute 'get' on 'DurableObjectNamespace': parameter 1 is not of type 'DurableObjectId'.",
  };
  for (const bad of ["text", 1, {}, null, undefined, env.ROOM.idFromName(name).toString()]) {
    assert.throws(() => env.ROOM.get(bad), refused);
  }
});

test("get takes a location hint", async ({ env, name }) => {
  for (const locationHint of ["wnam", "enam", "sam", "weur", "eeur", "apac", "apac-ne", "apac-se", "oc", "afr", "me"]) {
    assert.equal(await env.ROOM.get(env.ROOM.idFromName(name + locationHint), { locationHint }).add(), 1);
  }
  assert.equal(await env.ROOM.getByName(name, { locationHint: "weur" }).add(), 1);
});

test("get takes routingMode primary-only and no other", async ({ env, name }) => {
  const id = env.ROOM.idFromName(name);
  assert.equal(await env.ROOM.get(id, { routingMode: "primary-only" }).add(), 1);
  assert.throws(() => env.ROOM.get(id, { routingMode: "x" }), { class: "RangeError", message: "unknown routingMode: x" });
  assert.throws(() => env.ROOM.getByName(name, { routingMode: "y" }), { class: "RangeError", message: "unknown routingMode: y" });
});

test("get takes a retry option", async ({ env, name }) => {
  assert.equal(await env.ROOM.get(env.ROOM.idFromName(name), { retry: { maxRetries: 0, timeoutMs: 500 } }).add(), 1);
  assert.equal(await env.ROOM.get(env.ROOM.idFromName(name), { retry: {} }).add(), 2);
});

test("get checks the retry option", ({ env, name }) => {
  const get = (retry) => () => env.ROOM.getByName(name, { retry });
  assert.throws(get({ timeoutMs: 499 }), { class: "RangeError", message: "retry.timeoutMs must be an integer between 500 and 60000" });
  assert.throws(get({ timeoutMs: 60001 }), { class: "RangeError", message: "retry.timeoutMs must be an integer between 500 and 60000" });
  assert.throws(get({ maxRetries: -1 }), { class: "RangeError", message: "retry.maxRetries must be an integer between 0 and 10" });
  assert.throws(get({ maxRetries: 1000 }), { class: "RangeError", message: "retry.maxRetries must be an integer between 0 and 10" });
  assert.throws(get({ maxRetries: 1.5 }), { class: "RangeError", message: "retry.maxRetries must be an integer between 0 and 10" });
});

test("jurisdiction of null or undefined is the namespace itself", async ({ env, name }) => {
  assert.equal(env.ROOM.jurisdiction(undefined).idFromName(name).toString(), env.ROOM.idFromName(name).toString());
  assert.equal(env.ROOM.jurisdiction(null).idFromName(name).toString(), env.ROOM.idFromName(name).toString());
});

test("env can be imported", async ({ env, name }) => {
  assert.equal(importedEnv.ROOM.idFromName(name).toString(), env.ROOM.idFromName(name).toString());
  assert.equal(await importedEnv.ROOM.getByName(name).add(), 1);
});

test("env holds the bindings as own enumerable properties", ({ env }) => {
  assert.deepEqual(Object.keys(env).sort(), ["CHAT_ROOM", "ROOM"]);
  assert.equal(env.MISSING, undefined);
});

test("a namespace does not clone", ({ env }) => {
  assert.throws(() => structuredClone(env.ROOM), { class: "DOMException", name: "DataCloneError",
    message: 'Could not serialize object of type "DurableObjectNamespace". This type does not support serialization.' });
});
