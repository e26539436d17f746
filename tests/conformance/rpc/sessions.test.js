// How long a stub for a target or a function lives: as long as the execution context that hosts it.
import { DurableObject, RpcTarget, WorkerEntrypoint } from "cloudflare:workers";
import { test, assert, sleep, until } from "../harness.js";
export { default } from "../harness.js";

class Ball extends RpcTarget {
  ping() { return "pong"; }
}

class Watched extends RpcTarget {
  constructor(onDispose) { super(); this.onDispose = onDispose; }
  ping() { return "pong"; }
  [Symbol.dispose]() { this.onDispose(); }
}

// Workers keep their globals from event to event.
const disposedHere = new Set();
const held = [];

export class Host extends DurableObject {
  ball() { return new Ball(); }
  answer() { return () => "answer"; }
  keep(f) { this.kept = f.dup(); }
  callKept() { return this.kept(); }
  watched() { return new Watched(() => { this.disposals = (this.disposals ?? 0) + 1; }); }
  getDisposals() { return this.disposals ?? 0; }
  abort() { this.ctx.abort("host is gone"); }
  wait(ms) { return sleep(ms); }
}

export class Visitor extends WorkerEntrypoint {
  async leave(name) {
    await this.env.HOST.getByName(name).keep(() => "from the visitor");
    return "left";
  }
  async linger(name, ms) {
    await this.env.HOST.getByName(name).keep(() => "from the visitor");
    this.ctx.waitUntil(sleep(ms));
    return "lingers";
  }
  ball() { return new Ball(); }
  kept(name) {
    // What a result refers to keeps the event, and with it what else the event has passed on.
    return this.env.HOST.getByName(name).keep(() => "from the visitor").then(() => new Ball());
  }
  async leaveTarget(name) {
    await this.env.HOST.getByName(name).keep(new Watched(() => disposedHere.add(name)));
  }
  async take(name) {
    this.ctx.waitUntil(sleep(LONG));
    const watched = await this.env.HOST.getByName(name).watched();
    held.push(watched);
    return watched.ping();
  }
  async late(name) {
    setTimeout(() => {}, 1);
    await this.env.HOST.getByName(name).keep(() => () => "a function of a function");
    this.ctx.waitUntil(sleep(LONG));
  }
  async fetch(request) {
    const name = new URL(request.url).searchParams.get("name");
    await this.env.HOST.getByName(name).keep(() => "from a request");
    if (request.headers.get("upgrade") === "websocket") {
      const [client, server] = Object.values(new WebSocketPair());
      server.accept();
      server.addEventListener("message", ({ data }) => server.send(`heard ${data}`));
      return new Response(null, { status: 101, webSocket: client });
    }
    if (request.method === "GET") return new Response("no stream");
    const { readable, writable } = new TransformStream();
    const writer = writable.getWriter();
    const bytes = new TextEncoder();
    this.ctx.waitUntil(writer.write(bytes.encode("first")));
    finish.set(name, async () => { await writer.write(bytes.encode("last")); await writer.close(); });
    return new Response(readable);
  }
}
const finish = new Map();

/// Longer than a few calls take on a busy machine.
const LONG = 600;
/// What a call ends with, once it does.
const ended = (call) => until(() => call().then(() => undefined, (error) => error));
const ends = async (call, expected = over) => assert.rejects(Promise.reject(await ended(call)), expected);
const over = { class: "Error", message: "The execution context which hosts this callback is no longer running." };

test("targets and functions of an object live while it does", async ({ env, name }) => {
  const ball = await env.HOST.getByName(name).ball();
  await sleep(20);
  assert.equal(await ball.ping(), "pong");
  assert.equal(await env.HOST.getByName(name).wait(1), undefined);
  assert.equal(await ball.ping(), "pong");
});

test("they end when the object is reset", async ({ env, name }) => {
  const host = env.HOST.getByName(name);
  const ball = await host.ball();
  const answer = await host.answer();
  await assert.rejects(env.HOST.getByName(name).abort(), { message: "host is gone" });
  await assert.rejects(async () => ball.ping(), over);
  await assert.rejects(async () => answer(), over);
  assert.equal(await (await env.HOST.getByName(name).ball()).ping(), "pong");
});

test("a function of a worker's event ends with the event", async ({ ctx, env, name }) => {
  assert.equal(await ctx.exports.Visitor.leave(name), "left");
  await ends(() => env.HOST.getByName(name).callKept(), { ...over, remote: true });
});

test("waitUntil keeps the event, and its functions with it", async ({ ctx, env, name }) => {
  assert.equal(await ctx.exports.Visitor.linger(name, LONG), "lingers");
  assert.equal(await env.HOST.getByName(name).callKept(), "from the visitor");
  await ends(() => env.HOST.getByName(name).callKept());
});

test("a target in the result of a worker's event keeps it", async ({ ctx }) => {
  const ball = await ctx.exports.Visitor.ball();
  await sleep(20);
  assert.equal(await ball.ping(), "pong");
});

test("as long as it is not disposed", async ({ ctx, env, name }) => {
  const ball = await ctx.exports.Visitor.kept(name);
  await sleep(20);
  assert.equal(await env.HOST.getByName(name).callKept(), "from the visitor");
  ball[Symbol.dispose]();
  await ends(() => env.HOST.getByName(name).callKept());
});

test("a target of an event that is over is not disposed any more", async ({ ctx, env, name }) => {
  await ctx.exports.Visitor.leaveTarget(name);
  await ends(() => env.HOST.getByName(name).callKept(), { class: "Error" });
  assert.equal(disposedHere.has(name), false);
});

test("what an event received is disposed at its end", async ({ ctx, env, name }) => {
  const host = env.HOST.getByName(name);
  assert.equal(await ctx.exports.Visitor.take(name), "pong");
  assert.equal(await host.getDisposals(), 0);
  assert.ok(await until(async () => (await host.getDisposals()) === 1));
});

test("what a function returns belongs to the function's event", async ({ ctx, env, name }) => {
  const host = env.HOST.getByName(name);
  await ctx.exports.Visitor.late(name);
  const inner = await host.callKept();
  assert.equal(await inner(), "a function of a function");
  await ends(async () => inner());
});

test("a function of a request ends with the response", async ({ ctx, env, name }) => {
  const host = env.HOST.getByName(name);
  const response = await ctx.exports.Visitor.fetch(`http://visitor/?name=${encodeURIComponent(name)}`);
  assert.equal(await response.text(), "no stream");
  await ends(() => host.callKept());
});

test("with the end of its body", async ({ ctx, env, name }) => {
  const host = env.HOST.getByName(name);
  const response = await ctx.exports.Visitor.fetch(`http://visitor/?name=${encodeURIComponent(name)}`, { method: "POST" });
  const reader = response.body.getReader();
  assert.equal(new TextDecoder().decode((await reader.read()).value), "first");
  await sleep(20);
  assert.equal(await host.callKept(), "from a request");
  await finish.get(name)();
  assert.equal(new TextDecoder().decode((await reader.read()).value), "last");
  assert.equal((await reader.read()).done, true);
  await ends(() => host.callKept());
});

test("with the end of its WebSocket", async ({ ctx, env, name }) => {
  const host = env.HOST.getByName(name);
  const { webSocket } = await ctx.exports.Visitor.fetch(`http://visitor/?name=${encodeURIComponent(name)}`, { headers: { upgrade: "websocket" } });
  webSocket.accept();
  const heard = new Promise((done) => webSocket.addEventListener("message", ({ data }) => done(data)));
  webSocket.send("hello");
  assert.equal(await heard, "heard hello");
  await sleep(20);
  assert.equal(await host.callKept(), "from a request");
  const closed = new Promise((done) => webSocket.addEventListener("close", done));
  webSocket.close(1000, "enough");
  await closed;
  await ends(() => host.callKept());
});

test("the name of a stub's every property is taken, save symbols and then", ({ env, name }) => {
  const stub = env.HOST.getByName(name);
  assert.deepEqual(["anything" in stub, "fetch" in stub, "id" in stub], [true, true, true]);
  assert.deepEqual([stub.then, stub[Symbol.iterator], stub[Symbol.asyncIterator], stub[Symbol.dispose]].map((value) => typeof value), ["undefined", "undefined", "undefined", "undefined"]);
  assert.equal(JSON.parse(JSON.stringify(stub)).name, name);
});
