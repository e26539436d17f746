// acceptWebSocket, tags, attachments, handlers, automatic responses. The worker holds the other ends.
import { DurableObject } from "cloudflare:workers";
import { test, assert, outcome, until } from "../harness.js";
export { default } from "../harness.js";

export class Room extends DurableObject {
  log = [];
  async fetch(request) {
    const url = new URL(request.url);
    const tags = url.searchParams.getAll("tag");
    const [client, server] = Object.values(new WebSocketPair());
    if (url.searchParams.has("attach")) server.serializeAttachment(url.searchParams.get("attach"));
    this.ctx.acceptWebSocket(server, tags);
    return new Response(null, { status: 101, webSocket: client });
  }
  async webSocketMessage(ws, data) {
    this.log.push(["message", typeof data === "string" ? data : [...new Uint8Array(data)], data instanceof ArrayBuffer]);
    if (data === "close") return ws.close(4100, "closed here");
    if (data === "tags") return ws.send(JSON.stringify(this.ctx.getTags(ws)));
    if (data === "attachment") return ws.send(JSON.stringify(ws.deserializeAttachment()));
    if (data === "throw") throw new Error("in webSocketMessage");
    if (data === "abort") this.ctx.abort("reset");
    if (data === "slow") await new Promise((done) => { this.release = done; });
    if (data === "release") this.release();
    if (data === "same") return ws.send(String(this.ctx.getWebSockets()[0] === ws && this.last === ws));
    this.last = ws;
    if (data === "count") return ws.send(String(this.ctx.getWebSockets().length));
    if (data === "store") {
      this.ctx.storage.put("stored", true);
      return ws.send("stored");
    }
    ws.send(data);
  }
  webSocketClose(ws, code, reason, clean) {
    this.log.push(["close", code, reason, clean, ws.readyState, this.ctx.getWebSockets().includes(ws)]);
    if (reason === "answer") ws.close(4200, "answered");
  }
  webSocketError(ws, error) { this.log.push(["error", error instanceof Error]); }
  entries() { return this.log; }
  count(tag) { return this.ctx.getWebSockets(tag).length; }
  order() { return this.ctx.getWebSockets().map((ws) => ws.deserializeAttachment()); }
  states() { return this.ctx.getWebSockets().map((ws) => ws.readyState); }
  broadcast(text) { for (const ws of this.ctx.getWebSockets()) ws.send(text); }
  closeAll(code, reason) { for (const ws of this.ctx.getWebSockets()) ws.close(code, reason); }
  auto(request, response) {
    this.ctx.setWebSocketAutoResponse(request === undefined ? undefined : new WebSocketRequestResponsePair(request, response));
    const pair = this.ctx.getWebSocketAutoResponse();
    return pair === null ? null : [pair.request, pair.response];
  }
  autoTimes() { return this.ctx.getWebSockets().map((ws) => this.ctx.getWebSocketAutoResponseTimestamp(ws)?.constructor.name ?? null); }
  async refusals() {
    const [a, peer] = Object.values(new WebSocketPair());
    const { 0: b, 1: other } = new WebSocketPair();
    a.accept();
    const results = [];
    const attempt = async (action) => results.push(await outcome(action));
    await attempt(() => this.ctx.acceptWebSocket(a));
    await attempt(() => this.ctx.acceptWebSocket(peer));
    await attempt(() => this.ctx.getTags(a));
    await attempt(() => this.ctx.getTags(b));
    await attempt(() => this.ctx.acceptWebSocket(b, Array.from({ length: 11 }, (_, i) => `t${i}`)));
    await attempt(() => this.ctx.acceptWebSocket(b, ["x".repeat(257)]));
    await attempt(() => this.ctx.acceptWebSocket(b, [..."aaabbb", ...Array.from({ length: 8 }, (_, i) => `t${i}`)]));
    await attempt(() => this.ctx.acceptWebSocket(b));
    await attempt(() => b.accept());
    await attempt(() => other.accept());
    await attempt(() => this.ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("x".repeat(2049), "y")));
    await attempt(() => this.ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("x", "y".repeat(2049))));
    await attempt(() => this.ctx.setHibernatableWebSocketEventTimeout(604800001));
    return results;
  }
  timeouts() {
    const seen = [this.ctx.getHibernatableWebSocketEventTimeout()];
    for (const ms of [1000, 0, 604800000, undefined]) {
      this.ctx.setHibernatableWebSocketEventTimeout(ms);
      seen.push(this.ctx.getHibernatableWebSocketEventTimeout());
    }
    return seen;
  }
}

async function connect(env, name, query = "") {
  const response = await env.ROOM.getByName(name).fetch(`https://room/?${query}`, { headers: { upgrade: "websocket" } });
  const socket = response.webSocket;
  const queue = [];
  const waiting = [];
  const push = (event) => { const next = waiting.shift(); if (next) next(event); else queue.push(event); };
  socket.addEventListener("message", (event) => push(event.data));
  socket.addEventListener("close", (event) => push({ code: event.code, reason: event.reason, wasClean: event.wasClean }));
  socket.binaryType = "arraybuffer";
  socket.accept();
  const next = () => (queue.length > 0 ? Promise.resolve(queue.shift()) : new Promise((resolve) => waiting.push(resolve)));
  return { socket, next, ask(data) { socket.send(data); return next(); } };
}

test("messages reach the handler, text as text and bytes as ArrayBuffer", async ({ env, name }) => {
  const { ask } = await connect(env, name);
  assert.equal(await ask("hello"), "hello");
  assert.deepEqual([...new Uint8Array(await ask(new Uint8Array([1, 2])))], [1, 2]);
  assert.deepEqual(await env.ROOM.getByName(name).entries(), [["message", "hello", false], ["message", [1, 2], true]]);
});

test("messages of one socket begin in order", async ({ env, name }) => {
  const { socket, next } = await connect(env, name);
  for (let i = 0; i < 50; i++) socket.send(`${i}`);
  for (let i = 0; i < 50; i++) assert.equal(await next(), `${i}`);
});

test("the next message begins without waiting for the handler before it", async ({ env, name }) => {
  const { ask, next, socket } = await connect(env, name);
  socket.send("slow");
  assert.equal(await ask("between"), "between");
  socket.send("release");
  assert.deepEqual([await next(), await next()].sort(), ["release", "slow"]);
});

test("getWebSockets: the newest first, by tag, the same objects", async ({ env, name }) => {
  const room = env.ROOM.getByName(name);
  const first = await connect(env, name, "attach=1&tag=a&tag=b");
  await connect(env, name, "attach=2&tag=b");
  await connect(env, name, "attach=3");
  assert.deepEqual(await room.order(), ["3", "2", "1"]);
  assert.deepEqual([await room.count(), await room.count("a"), await room.count("b"), await room.count("c"), await room.count("")], [3, 1, 2, 0, 0]);
  assert.deepEqual(JSON.parse(await first.ask("tags")), ["a", "b"]);
  const last = await connect(env, name);
  await last.ask("x");
  assert.equal(await last.ask("same"), "true");
});

test("an attachment is there in the handler", async ({ env, name }) => {
  const { ask } = await connect(env, name, "attach=mine");
  assert.equal(await ask("attachment"), '"mine"');
});

test("a close by the client reaches webSocketClose and is answered", async ({ env, name }) => {
  const room = env.ROOM.getByName(name);
  const { socket, next } = await connect(env, name);
  socket.close(4000, "bye");
  assert.deepEqual(await next(), { code: 4000, reason: "bye", wasClean: true });
  assert.deepEqual((await room.entries()).at(-1).slice(0, 4), ["close", 4000, "bye", true]);
  assert.equal(await until(async () => (await room.count()) === 0), true);
});

test("a close may be answered with a code of one's own", async ({ env, name }) => {
  const { socket, next } = await connect(env, name);
  socket.close(4000, "answer");
  assert.deepEqual(await next(), { code: 4200, reason: "answered", wasClean: true });
});

test("readyState is CLOSING in webSocketClose, and the socket is still listed", async ({ env, name }) => {
  const room = env.ROOM.getByName(name);
  const { socket } = await connect(env, name);
  socket.close(4000, "answer");
  const log = await until(async () => { const log = await room.entries(); return log.length > 0 && log; });
  assert.deepEqual(log, [["close", 4000, "answer", true, 2, true]]);
});

test("a close by the object", async ({ env, name }) => {
  const room = env.ROOM.getByName(name);
  const { next, ask } = await connect(env, name);
  assert.deepEqual(await ask("close"), { code: 4100, reason: "closed here", wasClean: true });
  const log = await until(async () => { const log = await room.entries(); return log.length > 1 && log; });
  assert.deepEqual(log[1].slice(0, 4), ["close", 4100, "closed here", true]);
  assert.equal(next instanceof Function, true);
});

test("a closed socket is listed until the peer answers", async ({ env, name }) => {
  const room = env.ROOM.getByName(name);
  const response = await room.fetch("https://room/", { headers: { upgrade: "websocket" } });
  await room.closeAll(4000, "x");
  assert.deepEqual(await room.states(), [2]);
  response.webSocket.accept();
  assert.equal(await until(async () => (await room.count()) === 0), true);
});

test("an exception in a handler leaves the socket as it is", async ({ env, name }) => {
  const { ask, socket } = await connect(env, name);
  socket.send("throw");
  assert.equal(await ask("after"), "after");
});

test("broadcast", async ({ env, name }) => {
  const all = await Promise.all(Array.from({ length: 20 }, () => connect(env, name)));
  await env.ROOM.getByName(name).broadcast("to all");
  for (const { next } of all) assert.equal(await next(), "to all");
});

test("what a handler writes is stored", async ({ env, name }) => {
  const { ask } = await connect(env, name);
  assert.equal(await ask("store"), "stored");
});

test("a reset ends the sockets of the object", async ({ env, name }) => {
  const { socket, next } = await connect(env, name);
  socket.send("abort");
  const { code, wasClean } = await next();
  assert.deepEqual([code, wasClean], [1006, false]);
  assert.equal(await env.ROOM.getByName(name).count(), 0);
});

test("automatic responses are answered without the object", async ({ env, name }) => {
  const room = env.ROOM.getByName(name);
  const { ask } = await connect(env, name);
  assert.deepEqual(await room.autoTimes(), [null]);
  assert.deepEqual(await room.auto("ping", "pong"), ["ping", "pong"]);
  assert.equal(await ask("ping"), "pong");
  assert.equal(await ask("ping!"), "ping!");
  assert.deepEqual((await room.entries()).map((entry) => entry[1]), ["ping!"]);
  assert.deepEqual(await room.autoTimes(), ["Date"]);
  assert.equal(await room.auto(), null);
  assert.equal(await ask("ping"), "ping");
});

test("what is refused", async ({ env, name }) => {
  const [accepted, peer, tagsOfAccepted, tagsOfNone, tooMany, tooLong, doubled, twice, acceptAfter, otherAccept, request, response, timeout] = await env.ROOM.getByName(name).refusals();
  const error = (message) => ({ class: "Error", name: "Error", message });
  assert.deepEqual(accepted, error("Cannot call `acceptWebSocket()` if the WebSocket was already accepted via `accept()`"));
  assert.deepEqual(peer, error("Cannot call `acceptWebSocket()` on this WebSocket because its pair has already been accepted or used in a Response."));
  assert.deepEqual(tagsOfAccepted, error("only hibernatable websockets can have tags."));
  assert.deepEqual(tagsOfNone, error("you must call 'acceptWebSocket()' before attempting to access the tags of a WebSocket."));
  assert.deepEqual(tooMany, error("a Hibernatable WebSocket cannot have more than 10 tags"));
  assert.deepEqual(tooLong, error(`"${"x".repeat(257)}" is longer than the max tag length (256 characters).`));
  assert.deepEqual(doubled, { returned: true });
  assert.deepEqual(twice, error("Cannot call `acceptWebSocket()` if the WebSocket was already accepted via `accept()`"));
  assert.deepEqual(acceptAfter, { class: "TypeError", name: "TypeError", message: "Can't accept() WebSocket after enabling hibernation." });
  assert.deepEqual(otherAccept, { returned: true });
  assert.deepEqual(request, { class: "RangeError", name: "RangeError", message: "Request cannot be larger than 2048 bytes. A request of size 2049 was provided." });
  assert.deepEqual(response, { class: "RangeError", name: "RangeError", message: "Response cannot be larger than 2048 bytes. A response of size 2049 was provided." });
  assert.deepEqual(timeout, error("Event timeout should not exceed 604800000 ms."));
});

test("the event timeout", async ({ env, name }) => {
  assert.deepEqual(await env.ROOM.getByName(name).timeouts(), [null, 1000, null, 604800000, null]);
});
