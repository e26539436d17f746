// A default export with fetch, seen by an HTTP client.
import { DurableObject } from "cloudflare:workers";
import { serve, test, wire, assert, sleep, until } from "../harness.js";

const text = new TextEncoder();

export class Site extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    this.marks = [];
  }
  mark(what) { this.marks.push(what); }
  getMarks() { return this.marks; }
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === "/object/304") return new Response(null, { status: 304, headers: [["etag", "x"], ["set-cookie", "a=1"], ["set-cookie", "b=2"]] });
    if (pathname === "/object/stream") return new Response(parts(["one ", "two ", "three"]));
    return Response.json({ path: pathname, method: request.method, body: await request.text() }, { status: 203 });
  }
}

function parts(list) {
  let i = 0;
  return new ReadableStream({
    async pull(controller) {
      await sleep(2);
      if (i < list.length) controller.enqueue(text.encode(list[i++]));
      else controller.close();
    },
  });
}

async function app(request, env, ctx) {
  const url = new URL(request.url);
  switch (url.pathname) {
    case "/hello": return new Response("hello");
    case "/echo": return Response.json({ method: request.method, path: url.pathname, query: url.searchParams.get("q"), header: request.headers.get("x-test"), body: await request.text() });
    case "/url": return new Response(`${url.protocol}//${url.host === request.headers.get("host") ? "host" : "other"}${url.pathname}${url.search}`);
    case "/json": return Response.json({ a: [1] }, { status: 201, headers: { "x-a": "b" } });
    case "/headers": return new Response(null, { headers: [["x-one", "1"], ["x-two", "a"], ["x-two", "b"]] });
    case "/cookies": {
      const response = new Response("cookies");
      response.headers.append("set-cookie", "a=1; Path=/");
      response.headers.append("Set-Cookie", "b=2; HttpOnly");
      return response;
    }
    case "/204": return new Response(null, { status: 204 });
    case "/205": return new Response(null, { status: 205, headers: { "x-a": "b" } });
    case "/304": return new Response(null, { status: 304, headers: { etag: '"x"' } });
    case "/404": return new Response("nothing here", { status: 404 });
    case "/redirect": return Response.redirect("http://example.com/there", 307);
    case "/stream": return new Response(parts(["a", "b", "c"]), { headers: { "content-type": "text/plain" } });
    case "/up": {
      let bytes = 0;
      for await (const part of request.body) bytes += part.byteLength;
      return new Response(String(bytes));
    }
    case "/through": return new Response(request.body);
    case "/no-body": return new Response(String(request.body));
    case "/throw": throw new Error("thrown by the worker");
    case "/nothing": return undefined;
    case "/bytes": return new Response(new Uint8Array([0x68, 0x69]));
    case "/length": return new Response("12345", { headers: { "content-length": "5" } });
    case "/params": return new Response(new URLSearchParams({ a: "1 2" }));
    case "/blob": return new Response(new Blob(["blob"], { type: "text/x-blob" }));
    case "/wait":
      ctx.waitUntil((async () => {
        await sleep(20);
        await env.SITE.getByName("waits").mark("done");
      })());
      return new Response("answered");
    case "/ctx": return Response.json([typeof ctx.waitUntil, typeof ctx.passThroughOnException, typeof ctx.exports, ctx.props ?? null]);
    case "/form": return Response.json([...(await request.formData())]);
    default:
      if (url.pathname.startsWith("/object/")) return env.SITE.getByName("site").fetch(request);
      return new Response("not found", { status: 404 });
  }
}

export default {
  async fetch(request, env, ctx) {
    return (await serve(request, env, ctx)) ?? app(request, env, ctx);
  },
};

wire("a text response has its type", { path: "/hello" }, { status: 200, headers: { "content-type": "text/plain;charset=UTF-8" }, body: "hello" });
wire("method, query, headers and body arrive", { method: "POST", path: "/echo?q=a%20b", headers: { "X-Test": "yes", "content-type": "text/plain" }, body: "the body" },
  { status: 200, body: '{"method":"POST","path":"/echo","query":"a b","header":"yes","body":"the body"}' });
for (const method of ["PUT", "PATCH", "DELETE", "OPTIONS"]) {
  wire(`the method ${method}`, { method, path: "/echo" }, { status: 200, body: `{"method":"${method}","path":"/echo","query":null,"header":null,"body":""}` });
}
wire("request.url is absolute and of the Host header", { path: "/url?x=1" }, { body: "http://host/url?x=1" });
wire("Response.json", { path: "/json" }, { status: 201, headers: { "content-type": "application/json", "x-a": "b" }, body: '{"a":[1]}' });
wire("a header set twice is joined", { path: "/headers" }, { status: 200, headers: { "x-one": "1", "x-two": "a, b" } });
wire("several cookies stay apart", { path: "/cookies" }, { status: 200, setCookie: ["a=1; Path=/", "b=2; HttpOnly"], body: "cookies" });
wire("204 has no body", { path: "/204" }, { status: 204, headers: { "content-type": null }, body: "" });
wire("304 has no body and keeps its headers", { path: "/304" }, { status: 304, headers: { etag: '"x"' }, body: "" });
wire("205 has no body", { path: "/205" }, { status: 205, headers: { "x-a": "b" }, body: "" });
for (const status of [204, 205, 304]) {
  wire(`HEAD of a ${status}`, { method: "HEAD", path: `/${status}` }, { status, body: "" });
}
wire("304 and cookies of an object", { path: "/object/304" }, { status: 304, headers: { etag: "x" }, setCookie: ["a=1", "b=2"], body: "" });
wire("HEAD of an object's answer", { method: "HEAD", path: "/object/path" }, { status: 203, headers: { "content-type": "application/json" }, body: "" });
wire("HEAD of an object's stream", { method: "HEAD", path: "/object/stream" }, { status: 200, body: "" });
wire("404 by the worker", { path: "/404" }, { status: 404, body: "nothing here" });
wire("Response.redirect", { path: "/redirect" }, { status: 307, headers: { location: "http://example.com/there" }, body: "" });
wire("HEAD of a text response", { method: "HEAD", path: "/hello" }, { status: 200, headers: { "content-length": "5", "content-type": "text/plain;charset=UTF-8" }, body: "" });
wire("HEAD of a stream", { method: "HEAD", path: "/stream" }, { status: 200, headers: { "content-type": "text/plain" }, body: "" });
wire("a stream", { path: "/stream" }, { status: 200, headers: { "content-type": "text/plain" }, body: "abc" });
wire("a streamed request body", { method: "POST", path: "/up", body: "x".repeat(100_000) }, { status: 200, body: "100000" });
wire("a request body passed through", { method: "POST", path: "/through", body: "y".repeat(50_000) }, { status: 200, body: "y".repeat(50_000) });
wire("a GET has no body", { path: "/no-body" }, { body: "null" });
wire("bytes have no type", { path: "/bytes" }, { status: 200, headers: { "content-type": null, "content-length": "2" }, body: "hi" });
wire("content-length", { path: "/length" }, { status: 200, headers: { "content-length": "5" }, body: "12345" });
wire("URLSearchParams as body", { path: "/params" }, { headers: { "content-type": "application/x-www-form-urlencoded;charset=UTF-8" }, body: "a=1+2" });
wire("a Blob as body", { path: "/blob" }, { headers: { "content-type": "text/x-blob" }, body: "blob" });
wire("a worker that throws", { path: "/throw" }, { status: 500 });
wire("a worker that returns nothing", { path: "/nothing" }, { status: 500 });
wire("after a throw the worker answers on", { path: "/hello" }, { status: 200, body: "hello" });
wire("a form", { method: "POST", path: "/form", headers: { "content-type": "application/x-www-form-urlencoded" }, body: "a=1&b=x+y" }, { body: '[["a","1"],["b","x y"]]' });
wire("a request handed to an object", { method: "PUT", path: "/object/path", body: "for the object" }, { status: 203, body: '{"path":"/object/path","method":"PUT","body":"for the object"}' });
wire("a stream of an object", { path: "/object/stream" }, { status: 200, body: "one two three" });
wire("ctx of a handler", { path: "/ctx" }, { body: '["function","function","object",{}]' });
wire("waitUntil after the answer", { path: "/wait" }, { status: 200, body: "answered" });
wire("an encoded path", { path: "/url/%F0%9F%98%80?q=%2F" }, { status: 404 });

test("fetch through ctx.exports is the same handler", async ({ ctx }) => {
  const response = await ctx.exports.default.fetch("http://any.host/cookies");
  assert.deepEqual(response.headers.getSetCookie(), ["a=1; Path=/", "b=2; HttpOnly"]);
  assert.equal(response.headers.get("set-cookie"), "a=1; Path=/, b=2; HttpOnly");
  assert.equal(await response.text(), "cookies");
});

test("null bodies and HEAD through ctx.exports", async ({ ctx }) => {
  const head = await ctx.exports.default.fetch("http://any.host/hello", { method: "HEAD" });
  assert.equal(head.status, 200);
  assert.equal(await head.text(), "");
  const empty = await ctx.exports.default.fetch("http://any.host/204");
  assert.equal(empty.body, null);
  assert.equal(empty.status, 204);
  assert.equal((await ctx.exports.default.fetch("http://any.host/304")).status, 304);
});

test("a throw of the worker rejects a caller within", async ({ ctx }) => {
  await assert.rejects(async () => ctx.exports.default.fetch("http://any.host/throw"), { class: "Error", message: "thrown by the worker", remote: true });
});

test("streams both ways", async ({ ctx }) => {
  const response = await ctx.exports.default.fetch("http://any.host/through", { method: "POST", body: parts(["x", "y", "z"]) });
  assert.equal(await response.text(), "xyz");
});

test("waitUntil of a worker goes on after its answer", async ({ ctx, env }) => {
  const before = (await env.SITE.getByName("waits").getMarks()).length;
  assert.equal(await (await ctx.exports.default.fetch("http://any.host/wait")).text(), "answered");
  const marks = await until(async () => {
    const all = await env.SITE.getByName("waits").getMarks();
    return all.length > before && all;
  });
  assert.equal(marks.at(-1), "done");
});

test("outbound fetch, over the network", async ({ origin }) => {
  const response = await fetch(`${origin}/json`);
  assert.equal(response.status, 201);
  assert.equal(response.headers.get("x-a"), "b");
  assert.deepEqual(await response.json(), { a: [1] });
  const echo = await fetch(`${origin}/echo?q=1`, { method: "POST", headers: { "x-test": "t" }, body: "out" });
  assert.deepEqual(await echo.json(), { method: "POST", path: "/echo", query: "1", header: "t", body: "out" });
  const followed = await fetch(`${origin}/redirect`, { redirect: "manual" });
  assert.equal(followed.status, 307);
});
