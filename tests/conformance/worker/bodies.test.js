// Request, Response, Headers and their bodies, as objects.
import { test, assert, sleep } from "../harness.js";
export { default } from "../harness.js";

const text = new TextEncoder();

test("a Response from every kind of body", async () => {
  assert.equal(await new Response("text").text(), "text");
  assert.equal(await new Response(text.encode("bytes")).text(), "bytes");
  assert.equal(await new Response(text.encode("buffer").buffer).text(), "buffer");
  assert.equal(await new Response(new Blob(["blob"])).text(), "blob");
  assert.equal(await new Response(new URLSearchParams("a=1")).text(), "a=1");
  assert.equal(await new Response(null).text(), "");
  assert.equal(await new Response().text(), "");
  assert.equal(await new Response(new ReadableStream({ start(c) { c.enqueue(text.encode("stream")); c.close(); } })).text(), "stream");
});

test("reading a body in every form", async () => {
  assert.deepEqual(await new Response('{"a":1}').json(), { a: 1 });
  assert.deepEqual(new Uint8Array(await new Response("ab").arrayBuffer()), new Uint8Array([97, 98]));
  assert.equal((await new Response("ab").blob()).size, 2);
  assert.deepEqual(await new Response("ab").bytes(), new Uint8Array([97, 98]));
  const form = await new Response("a=1&a=2", { headers: { "content-type": "application/x-www-form-urlencoded" } }).formData();
  assert.deepEqual(form.getAll("a"), ["1", "2"]);
});

test("multipart forms, there and back", async () => {
  const form = new FormData();
  form.append("field", "value");
  form.append("file", new File(["content"], "name.txt", { type: "text/plain" }));
  const response = new Response(form);
  assert.match(response.headers.get("content-type"), /^multipart\/form-data; ?boundary=/);
  const back = await response.formData();
  assert.equal(back.get("field"), "value");
  assert.equal(back.get("file").name, "name.txt");
  assert.equal(await back.get("file").text(), "content");
});

test("a body is read once", async () => {
  const response = new Response("once");
  assert.equal(response.bodyUsed, false);
  await response.text();
  assert.equal(response.bodyUsed, true);
  await assert.rejects(response.text(), { class: "TypeError", message: /Body has already been used\. It can only be used once\./ });
});

test("clone gives a second body", async () => {
  const response = new Response("twice", { status: 201, headers: { "x-a": "1" } });
  const copy = response.clone();
  assert.equal(await response.text(), "twice");
  assert.equal(await copy.text(), "twice");
  assert.equal(copy.status, 201);
  assert.equal(copy.headers.get("x-a"), "1");
});

test("status and its bounds", () => {
  assert.equal(new Response(null, { status: 599 }).status, 599);
  assert.equal(new Response(null, { status: 200, statusText: "Fine" }).statusText, "Fine");
  assert.equal(new Response(null, { status: 404 }).ok, false);
  assert.throws(() => new Response(null, { status: 99 }), { class: "RangeError" });
  assert.throws(() => new Response(null, { status: 600 }), { class: "RangeError" });
});

test("a body with a status that has none is refused", () => {
  for (const status of [204, 205, 304]) assert.throws(() => new Response("body", { status }), { class: "TypeError" }, String(status));
});

test("Response.json, redirect and error", async () => {
  const json = Response.json([1], { status: 202 });
  assert.equal(json.headers.get("content-type"), "application/json");
  assert.equal(json.status, 202);
  assert.equal(await json.text(), "[1]");
  assert.equal(Response.redirect("http://x/y").status, 302);
  assert.equal(Response.redirect("http://x/y", 301).headers.get("location"), "http://x/y");
  assert.throws(() => Response.redirect("http://x/y", 200), { class: "RangeError" });
  assert.equal(Response.error().type, "error");
});

test("Headers", () => {
  const headers = new Headers({ "X-B": "2", "x-a": "1" });
  headers.append("x-a", "3");
  assert.equal(headers.get("X-A"), "1, 3");
  assert.equal(headers.has("x-b"), true);
  headers.set("x-b", " trimmed ");
  assert.equal(headers.get("x-b"), "trimmed");
  headers.delete("x-b");
  assert.equal(headers.get("x-b"), null);
  headers.append("set-cookie", "a=1");
  headers.append("set-cookie", "b=2");
  assert.deepEqual(headers.getSetCookie(), ["a=1", "b=2"]);
  assert.deepEqual([...headers], [["set-cookie", "a=1"], ["set-cookie", "b=2"], ["x-a", "1, 3"]]);
  assert.deepEqual([...new Headers([["b", "1"], ["a", "2"]]).keys()], ["a", "b"]);
  assert.throws(() => headers.set("bad name", "x"), { class: "TypeError" });
  assert.throws(() => headers.set("x", "bad\nvalue"), { class: "TypeError" });
});

test("Headers.getAll is for cookies alone", () => {
  const headers = new Headers([["set-cookie", "a=1"], ["x", "1"], ["Set-Cookie", "b=2"]]);
  assert.deepEqual(headers.getAll("Set-Cookie"), ["a=1", "b=2"]);
  assert.deepEqual(new Headers().getAll("set-cookie"), []);
  assert.throws(() => headers.getAll("x"), { class: "TypeError", message: 'getAll() can only be used with the header name "Set-Cookie".' });
  assert.throws(() => headers.getAll(), { class: "TypeError" });
});

test("Request", async () => {
  const request = new Request("http://x/p?q#h", { method: "post", headers: { a: "b" }, body: "body" });
  assert.equal(request.method, "POST");
  assert.equal(request.url, "http://x/p?q#h");
  assert.equal(request.headers.get("content-type"), "text/plain;charset=UTF-8");
  const changed = new Request(request, { method: "PUT" });
  assert.equal(changed.method, "PUT");
  assert.equal(await changed.text(), "body");
  assert.equal(request.bodyUsed, true);
  assert.throws(() => new Request("/relative"), { class: "TypeError", message: "Invalid URL: /relative" });
  assert.equal(new Request("http://x/").redirect, "follow");
  assert.equal(new Request("http://x/").body, null);
  assert.equal(new Request("http://x/").signal instanceof AbortSignal, true);
});

test("request.cf is absent or an object", ({ request }) => {
  assert.ok(request.cf === undefined || typeof request.cf === "object");
});

test("the URL of the running request", ({ request, origin }) => {
  assert.match(origin, /^http:\/\/127\.0\.0\.1:\d+$/);
  assert.equal(request.method, "GET");
  assert.equal(new URL(request.url).pathname, "/run");
});

test("TransformStream through a Response", async () => {
  const upper = new TransformStream({ transform(part, controller) { controller.enqueue(text.encode(new TextDecoder().decode(part).toUpperCase())); } });
  const response = new Response(new Response("shout").body.pipeThrough(upper));
  assert.equal(await response.text(), "SHOUT");
});

test("ReadableStream: tee, async iteration, cancel, pipeTo", async () => {
  const [a, b] = new Response("tee").body.tee();
  assert.deepEqual([await new Response(a).text(), await new Response(b).text()], ["tee", "tee"]);
  let seen = "";
  for await (const part of new Response("iterate").body) seen += new TextDecoder().decode(part);
  assert.equal(seen, "iterate");
  let reason;
  const stream = new ReadableStream({ cancel(why) { reason = why; } });
  await stream.cancel("enough");
  assert.equal(reason, "enough");
  const parts = [];
  await new ReadableStream({ start(c) { c.enqueue(1); c.enqueue(2); c.close(); } }).pipeTo(new WritableStream({ write(part) { parts.push(part); } }));
  assert.deepEqual(parts, [1, 2]);
});

test("a BYOB reader", async () => {
  const reader = new Response("bring your own").body.getReader({ mode: "byob" });
  const { value, done } = await reader.read(new Uint8Array(5));
  assert.equal(done, false);
  assert.equal(new TextDecoder().decode(value), "bring");
});

test("FixedLengthStream and IdentityTransformStream", async () => {
  const { readable, writable } = new FixedLengthStream(4);
  const writer = writable.getWriter();
  writer.write(text.encode("four"));
  writer.close();
  assert.equal(await new Response(readable).text(), "four");
  const identity = new IdentityTransformStream();
  const other = identity.writable.getWriter();
  other.write(text.encode("as is"));
  other.close();
  assert.equal(await new Response(identity.readable).text(), "as is");
});

test("timers", async () => {
  const order = [];
  setTimeout((a, b) => order.push(a + b), 5, "with ", "arguments");
  const cancelled = setTimeout(() => order.push("cancelled"), 1);
  clearTimeout(cancelled);
  queueMicrotask(() => order.push("microtask"));
  await sleep(20);
  assert.deepEqual(order, ["microtask", "with arguments"]);
});
