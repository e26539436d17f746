// Request, Response, Headers, Blob and streams over RPC.
import { DurableObject } from "cloudflare:workers";
import { test, assert, deferred, sleep, until } from "../harness.js";
export { default } from "../harness.js";

const text = new TextEncoder();

function counting(n, step = 0) {
  let i = 0;
  return new ReadableStream({
    type: "bytes",
    async pull(controller) {
      if (step) await sleep(step);
      if (i === n) {
        controller.close();
        controller.byobRequest?.respond(0);
        return;
      }
      controller.enqueue(text.encode(`${i++},`));
    },
  });
}

const PIECE = 65536;
/// More pieces than all buffers between a source and its reader may hold.
const MOST_AHEAD = 128;

/// A source without end, and how far it is: {pulls, cancelled}.
function endless() {
  const progress = { pulls: 0, cancelled: false };
  progress.stream = new ReadableStream({
    type: "bytes",
    pull(controller) {
      progress.pulls += 1;
      controller.enqueue(new Uint8Array(PIECE));
    },
    cancel() { progress.cancelled = true; },
  }, { highWaterMark: 0 });
  return progress;
}

export class Host extends DurableObject {
  async request(request) {
    return { url: request.url, method: request.method, header: request.headers.get("x-a"), body: await request.text(), is: request instanceof Request };
  }
  response() {
    return new Response("the body", { status: 202, statusText: "Fine", headers: { "x-a": "1", "set-cookie": "a=1" } });
  }
  async readResponse(response) { return [response.status, response.headers.get("x-a"), await response.text()]; }
  headers(headers) {
    headers.append("x-b", "2");
    return headers;
  }
  makeRequest() { return new Request("http://made/", { method: "POST", body: "made body", headers: { "x-a": "1" } }); }
  async blob(blob) { return { size: blob.size, type: blob.type, text: await blob.text() }; }
  makeBlob() { return new Blob(["blob ", "body"], { type: "text/x-test" }); }
  stream(n) { return counting(n); }
  slowStream(n) { return counting(n, 5); }
  async readStream(stream) { return new Response(stream).text(); }
  async countStream(stream) {
    let bytes = 0;
    for await (const part of stream) bytes += part.byteLength;
    return bytes;
  }
  failing() {
    return new ReadableStream({
      type: "bytes",
      start(controller) { controller.enqueue(text.encode("first")); },
      async pull(controller) { await sleep(5); controller.error(new Error("broke off")); },
    });
  }
  endless() {
    this.source = endless();
    return this.source.stream;
  }
  fetch() { return new Response(this.endless()); }
  progress() { return [this.source.pulls, this.source.cancelled]; }
  ping() {}
  async readSlowly(stream) {
    const reader = stream.getReader();
    await reader.read();
    this.goOn = deferred();
    await this.goOn.promise;
    await reader.cancel();
  }
  waits() { return this.goOn !== undefined; }
  readOn() { this.goOn.resolve(); }
  valueStream() { return new ReadableStream({ start(controller) { controller.enqueue({ a: 1 }); controller.close(); } }); }
  async writeTo(writable) {
    const writer = writable.getWriter();
    await writer.write(text.encode("written "));
    await writer.write(text.encode("by the object"));
    await writer.close();
    return "done";
  }
  sink() {
    const { readable, writable } = new TransformStream();
    this.collected = new Response(readable).text();
    return writable;
  }
  async getCollected() { return this.collected; }
  identity() { return new IdentityTransformStream().readable.constructor.name; }
  inObject() { return { meta: 1, body: counting(3), response: new Response("inner") }; }
}

test("a Request as argument", async ({ env, name }) => {
  const request = new Request("http://example.com/p?q=1", { method: "POST", headers: { "x-a": "1" }, body: "request body" });
  assert.deepEqual(await env.HOST.getByName(name).request(request), { url: "http://example.com/p?q=1", method: "POST", header: "1", body: "request body", is: true });
});

test("a Request as result", async ({ env, name }) => {
  const request = await env.HOST.getByName(name).makeRequest();
  assert.equal(request instanceof Request, true);
  assert.equal(request.method, "POST");
  assert.equal(request.url, "http://made/");
  assert.equal(await request.text(), "made body");
});

test("a Response as result", async ({ env, name }) => {
  const response = await env.HOST.getByName(name).response();
  assert.equal(response instanceof Response, true);
  assert.equal(response.status, 202);
  assert.equal(response.statusText, "Fine");
  assert.equal(response.headers.get("x-a"), "1");
  assert.deepEqual(response.headers.getSetCookie(), ["a=1"]);
  assert.equal(await response.text(), "the body");
});

test("a Response as argument", async ({ env, name }) => {
  const response = new Response("up", { status: 404, headers: { "x-a": "9" } });
  assert.deepEqual(await env.HOST.getByName(name).readResponse(response), [404, "9", "up"]);
});

test("Headers are copied", async ({ env, name }) => {
  const headers = new Headers([["x-a", "1"], ["set-cookie", "a=1"], ["set-cookie", "b=2"]]);
  const back = await env.HOST.getByName(name).headers(headers);
  assert.equal(back instanceof Headers, true);
  assert.equal(back.get("x-a"), "1");
  assert.equal(back.get("x-b"), "2");
  assert.equal(headers.get("x-b"), null);
  assert.deepEqual(back.getSetCookie(), ["a=1", "b=2"]);
});

test("a Blob both ways", async ({ env, name }) => {
  const host = env.HOST.getByName(name);
  assert.deepEqual(await host.blob(new Blob(["some text"], { type: "text/plain" })), { size: 9, type: "text/plain", text: "some text" });
  const blob = await host.makeBlob();
  assert.equal(blob instanceof Blob, true);
  assert.equal(blob.type, "text/x-test");
  assert.equal(await blob.text(), "blob body");
});

test("a ReadableStream as result", async ({ env, name }) => {
  const stream = await env.HOST.getByName(name).stream(5);
  assert.equal(stream instanceof ReadableStream, true);
  assert.equal(await new Response(stream).text(), "0,1,2,3,4,");
});

test("a stream is read as it comes", async ({ env, name }) => {
  const stream = await env.HOST.getByName(name).slowStream(4);
  let all = "";
  let parts = 0;
  for await (const part of stream) {
    assert.equal(part instanceof Uint8Array, true);
    all += new TextDecoder().decode(part);
    parts += 1;
  }
  assert.equal(all, "0,1,2,3,");
  assert.ok(parts >= 2, `${parts} parts`);
});

test("a ReadableStream as argument", async ({ env, name }) => {
  assert.equal(await env.HOST.getByName(name).readStream(counting(4)), "0,1,2,3,");
  assert.equal(await env.HOST.getByName(name).readStream(new Response("from a body").body), "from a body");
});

test("a passed stream is locked for the sender", async ({ env, name }) => {
  const stream = counting(2);
  const done = env.HOST.getByName(name).readStream(stream);
  assert.equal(stream.locked, true);
  assert.equal(await done, "0,1,");
});

test("a megabyte through a stream", async ({ env, name }) => {
  let left = 64;
  const stream = new ReadableStream({
    type: "bytes",
    pull(controller) {
      if (left-- === 0) {
        controller.close();
        controller.byobRequest?.respond(0);
      } else {
        controller.enqueue(new Uint8Array(16384));
      }
    },
  });
  assert.equal(await env.HOST.getByName(name).countStream(stream), 1 << 20);
});

// Two hundred events are time enough for a source that nobody holds up.
const settle = async (host) => { for (let i = 0; i < 200; i++) await host.ping(); };

for (const [what, open] of [
  ["a stream as result", (host) => host.endless()],
  ["a response to a fetch", async (host) => (await host.fetch("http://object/")).body],
]) {
  test(`${what} is made as it is read, and cancelled`, async ({ env, name }) => {
    const host = env.HOST.getByName(name);
    const reader = (await open(host)).getReader();
    assert.ok((await reader.read()).value.length > 0);
    await settle(host);
    const [pulls, cancelled] = await host.progress();
    assert.ok(pulls >= 1 && pulls < MOST_AHEAD, `${pulls} pieces were made ahead`);
    assert.equal(cancelled, false);
    let bytes = 0;
    while (bytes < 2 * MOST_AHEAD * PIECE) bytes += (await reader.read()).value.length;
    await settle(host);
    const [more] = await host.progress();
    assert.ok(more >= 2 * MOST_AHEAD && more < 3 * MOST_AHEAD, `${more} pieces were made`);
    await reader.cancel();
    assert.ok(await until(async () => (await host.progress())[1]));
  });
}

test("a stream as argument is made as it is read, and cancelled", async ({ env, name }) => {
  const host = env.HOST.getByName(name);
  const source = endless();
  const done = host.readSlowly(source.stream);
  await until(() => host.waits());
  await settle(host);
  assert.ok(source.pulls >= 1 && source.pulls < MOST_AHEAD, `${source.pulls} pieces were made ahead`);
  await host.readOn();
  await done;
  assert.ok(await until(() => source.cancelled));
});

test("a stream that errors", async ({ env, name }) => {
  const stream = await env.HOST.getByName(name).failing();
  const reader = stream.getReader();
  await assert.rejects(async () => {
    for (let i = 0; i < 5; i++) await reader.read();
  }, { class: "Error", message: "ReadableStream received over RPC disconnected prematurely." });
});

test("a stream of values that are not bytes", async ({ env, name }) => {
  await assert.rejects(async () => {
    const stream = await env.HOST.getByName(name).valueStream();
    for await (const part of stream) assert.equal(part, "nothing comes");
  }, { class: "Error", message: "ReadableStream received over RPC disconnected prematurely." });
});

test("a WritableStream as argument", async ({ env, name }) => {
  const { readable, writable } = new IdentityTransformStream();
  const read = new Response(readable).text();
  assert.equal(await env.HOST.getByName(name).writeTo(writable), "done");
  assert.equal(await read, "written by the object");
});

test("a WritableStream as result", async ({ env, name }) => {
  const host = env.HOST.getByName(name);
  const writable = await host.sink();
  const writer = writable.getWriter();
  await writer.write(text.encode("from "));
  await writer.write(text.encode("outside"));
  await writer.close();
  assert.equal(await host.getCollected(), "from outside");
});

test("streams and responses within an object", async ({ env, name }) => {
  const result = await env.HOST.getByName(name).inObject();
  assert.equal(result.meta, 1);
  assert.equal(await new Response(result.body).text(), "0,1,2,");
  assert.equal(await result.response.text(), "inner");
});
