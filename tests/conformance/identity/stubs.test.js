// Stubs: what one is, fetch through it, and what it is not.
import { DurableObject } from "cloudflare:workers";
import { test, assert } from "../harness.js";
export { default } from "../harness.js";

export class Room extends DurableObject {
  async fetch(request) {
    const url = new URL(request.url);
    if (url.pathname === "/echo") {
      return Response.json({
        url: request.url, method: request.method, headers: Object.fromEntries(request.headers), body: await request.text(),
      }, { status: 201, headers: { "x-from": "object" } });
    }
    if (url.pathname === "/throw") throw new RangeError("out of it");
    if (url.pathname === "/undefined") return undefined;
    if (url.pathname === "/text") return "text";
    if (url.pathname === "/redirect") return new Response(null, { status: 302, headers: { location: "http://object/landed" } });
    if (url.pathname === "/slow") {
      await new Promise((done) => setTimeout(done, 3000));
      return new Response("slow");
    }
    if (url.pathname === "/upper") {
      const { readable, writable } = new TransformStream({
        transform(part, controller) { controller.enqueue(new TextEncoder().encode(new TextDecoder().decode(part).toUpperCase())); },
      });
      request.body.pipeTo(writable);
      return new Response(readable);
    }
    if (url.pathname === "/landed") return new Response("landed");
    return new Response(`at ${url.pathname}`);
  }
  id() { return "method id"; }
  hello() { return "hello"; }
}

export class Bare extends DurableObject {
  hello() { return "hello"; }
}

test("a stub has id and name as its only own properties", ({ env, name }) => {
  const stub = env.ROOM.getByName(name);
  assert.deepEqual(Object.keys(stub).sort(), ["id", "name"]);
  assert.equal(stub.id.equals(env.ROOM.idFromName(name)), true);
  assert.equal(stub.name, name);
});

test("a stub of a unique id has no name", ({ env }) => {
  const stub = env.ROOM.get(env.ROOM.newUniqueId());
  assert.equal(stub.name, undefined);
  assert.deepEqual(Object.keys(stub).sort(), ["id", "name"]);
});

test("a stub shows as DurableObject", ({ env, name }) => {
  const stub = env.ROOM.getByName(name);
  assert.equal(String(stub), "[object DurableObject]");
  assert.equal(stub.constructor.name, "DurableObject");
});

test("every other property of a stub is there, and callable", ({ env, name }) => {
  const stub = env.ROOM.getByName(name);
  assert.equal(typeof stub.whatever, "function");
  assert.equal(typeof stub.fetch, "function");
  assert.equal(typeof stub.hello, "function");
});

test("a property assigned to a stub shadows the method", async ({ env, name }) => {
  const stub = env.ROOM.getByName(name);
  stub.hello = () => "mine";
  assert.equal(stub.hello(), "mine");
  assert.equal(await env.ROOM.getByName(name).hello(), "hello");
});

test("a stub is not a thenable", async ({ env, name }) => {
  const stub = env.ROOM.getByName(name);
  assert.equal(await stub, stub);
});

test("a stub does not clone", ({ env, name }) => {
  assert.throws(() => structuredClone(env.ROOM.getByName(name)), {
    name: "DataCloneError", message: "ServiceStub cannot be serialized in this context.",
  });
});

test("fetch delivers url, method, headers and body", async ({ env, name }) => {
  const response = await env.ROOM.getByName(name).fetch("https://example.com:8443/echo?a=1#frag", {
    method: "POST", headers: { "X-Test": "yes", "content-type": "text/plain" }, body: "the body",
  });
  assert.equal(response.status, 201);
  assert.equal(response.headers.get("x-from"), "object");
  const seen = await response.json();
  assert.equal(seen.url, "https://example.com:8443/echo?a=1");
  assert.equal(seen.method, "POST");
  assert.equal(seen.headers["x-test"], "yes");
  assert.equal(seen.headers["content-type"], "text/plain");
  assert.equal(seen.body, "the body");
});

test("fetch takes a Request, a URL, and a Request with an init", async ({ env, name }) => {
  const stub = env.ROOM.getByName(name);
  const asRequest = await (await stub.fetch(new Request("http://object/echo", { method: "PUT", body: "b" }))).json();
  assert.equal(asRequest.method, "PUT");
  assert.equal(asRequest.body, "b");
  assert.equal(await (await stub.fetch(new URL("http://object/a b"))).text(), "at /a%20b");
  const both = await (await stub.fetch(new Request("http://object/echo", { headers: { "x-a": "1" } }), { method: "DELETE" })).json();
  assert.equal(both.method, "DELETE");
  assert.equal(both.headers["x-a"], "1");
});

test("the response of fetch is a full Response", async ({ env, name }) => {
  const response = await env.ROOM.getByName(name).fetch("http://object/x");
  assert.ok(response instanceof Response);
  assert.equal(response.status, 200);
  assert.equal(response.ok, true);
  assert.equal(response.redirected, false);
  assert.equal(response.bodyUsed, false);
  assert.equal(await response.text(), "at /x");
  assert.equal(response.bodyUsed, true);
});

test("fetch needs an absolute URL", async ({ env, name }) => {
  await assert.rejects(() => env.ROOM.getByName(name).fetch("/foo"), { class: "TypeError", message: "Invalid URL: /foo" });
  await assert.rejects(() => env.ROOM.getByName(name).fetch(""), { class: "TypeError", message: "Invalid URL: " });
});

test("a throw in the fetch handler rejects the caller", async ({ env, name }) => {
  const stub = env.ROOM.getByName(name);
  await assert.rejects(stub.fetch("http://object/throw"), { class: "RangeError", message: "out of it", remote: true });
  assert.equal(await (await stub.fetch("http://object/again")).text(), "at /again");
});

test("a fetch handler that returns no Response", async ({ env, name }) => {
  const message = "Incorrect type for Promise: the Promise did not resolve to 'Response'.";
  await assert.rejects(env.ROOM.getByName(name).fetch("http://object/undefined"), { class: "TypeError", message });
  await assert.rejects(env.ROOM.getByName(name).fetch("http://object/text"), { class: "TypeError", message });
});

test("a class without a fetch handler", async ({ env, name }) => {
  const stub = env.BARE.getByName(name);
  await assert.rejects(stub.fetch("http://object/"), { class: "Error", message: "Handler does not export a fetch() function." });
  assert.equal(await stub.hello(), "hello");
});

test("fetch follows a redirect back to the object unless told not to", async ({ env, name }) => {
  const stub = env.ROOM.getByName(name);
  const manual = await stub.fetch("http://object/redirect", { redirect: "manual" });
  assert.equal(manual.status, 302);
  assert.equal(manual.headers.get("location"), "http://object/landed");
  const followed = await stub.fetch("http://object/redirect", { redirect: "follow" });
  assert.equal(await followed.text(), "landed");
  assert.equal(followed.redirected, true);
  assert.equal(followed.url, "http://object/landed");
});

test("a stub made from a string id reaches the object of the name", async ({ env, name }) => {
  const hex = env.ROOM.idFromName(name).toString();
  assert.equal(await env.ROOM.get(env.ROOM.idFromString(hex)).hello(), "hello");
});

test("an aborted fetch rejects at once", async ({ env, name }) => {
  const stub = env.ROOM.getByName(name);
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 10);
  await assert.rejects(stub.fetch("http://object/slow", { signal: controller.signal }), { name: "AbortError", message: "The operation was aborted" });
  await assert.rejects(async () => stub.fetch("http://object/slow", { signal: AbortSignal.abort(new RangeError("my reason")) }), { class: "RangeError", message: "my reason" });
  assert.equal(await stub.hello(), "hello");
});

test("request and response stream at the same time", async ({ env, name }) => {
  const { readable, writable } = new IdentityTransformStream();
  const writer = writable.getWriter();
  const text = new TextEncoder();
  const pending = env.ROOM.getByName(name).fetch("http://object/upper", { method: "POST", body: readable });
  writer.write(text.encode("one "));
  const reader = (await pending).body.getReader();
  assert.equal(new TextDecoder().decode((await reader.read()).value), "ONE ");
  writer.write(text.encode("two"));
  assert.equal(new TextDecoder().decode((await reader.read()).value), "TWO");
  writer.close();
  assert.equal((await reader.read()).done, true);
});

test("a body may be any body type", async ({ env, name }) => {
  const stub = env.ROOM.getByName(name);
  const bodyOf = async (body) => (await (await stub.fetch("http://object/echo", { method: "POST", body })).json()).body;
  assert.equal(await bodyOf("text"), "text");
  assert.equal(await bodyOf(new TextEncoder().encode("bytes")), "bytes");
  assert.equal(await bodyOf(new TextEncoder().encode("buffer").buffer), "buffer");
  assert.equal(await bodyOf(new URLSearchParams({ a: "1 2" })), "a=1+2");
  assert.equal(await bodyOf(new Blob(["blob"])), "blob");
});

test("a GET with a body is refused", async ({ env, name }) => {
  await assert.rejects(async () => env.ROOM.getByName(name).fetch("http://object/echo", { body: "x" }), {
    class: "TypeError", message: "Request with a GET or HEAD method cannot have a body.",
  });
});
