// WebSocketPair, accept() and listeners, within the worker and through a stub.
import { DurableObject } from "cloudflare:workers";
import { test, assert, deferred, outcome, outcomeSync } from "../harness.js";
export { default } from "../harness.js";

/// The events of a socket, one after the other.
function events(socket) {
  const queue = [];
  const waiting = [];
  const push = (event) => { const next = waiting.shift(); if (next) next(event); else queue.push(event); };
  socket.addEventListener("message", (event) => push({ type: "message", data: event.data }));
  socket.addEventListener("close", (event) => push({ type: "close", code: event.code, reason: event.reason, wasClean: event.wasClean, readyState: socket.readyState }));
  socket.addEventListener("error", (event) => push({ type: "error", message: event.message }));
  return { next: () => (queue.length > 0 ? Promise.resolve(queue.shift()) : new Promise((resolve) => waiting.push(resolve))) };
}

export class Echo extends DurableObject {
  async fetch(request) {
    if (request.headers.get("upgrade") !== "websocket") return new Response("no upgrade", { status: 426 });
    const [client, server] = Object.values(new WebSocketPair());
    server.accept();
    server.binaryType = "arraybuffer";
    server.addEventListener("message", (event) => {
      if (event.data === "close") return server.close(4000, "as asked");
      server.send(event.data);
    });
    return new Response(null, { status: 101, webSocket: client, headers: { "sec-websocket-protocol": "p" } });
  }
}

/// Holds a socket to another object.
export class Relay extends DurableObject {
  async ask(name, text) {
    const response = await this.env.ECHO.getByName(name).fetch("https://object/", upgrade);
    const socket = response.webSocket;
    const seen = events(socket);
    socket.accept();
    socket.send(text);
    const { data } = await seen.next();
    socket.send("close");
    const { code } = await seen.next();
    return [data, code];
  }
  // Passes a socket of another object on to whoever asks.
  fetch(request) {
    return this.env.ECHO.getByName(new URL(request.url).pathname).fetch(request);
  }
}

const pair = () => {
  const { 0: a, 1: b } = new WebSocketPair();
  return [a, b];
};
const upgrade = { headers: { upgrade: "websocket" } };

test("a pair: shape", () => {
  const created = new WebSocketPair();
  assert.deepEqual(Object.keys(created), ["0", "1"]);
  assert.ok(created[0] instanceof WebSocket && created[1] instanceof WebSocket && created[0] !== created[1]);
  assert.equal(created[0].readyState, 1);
  assert.equal(created[0].url, null);
  assert.equal(created[0].protocol, "");
  assert.equal(created[0].extensions, "");
  assert.equal(created[0].binaryType, "blob");
  assert.deepEqual([WebSocket.CONNECTING, WebSocket.OPEN, WebSocket.CLOSING, WebSocket.CLOSED], [0, 1, 2, 3]);
  assert.deepEqual([WebSocket.READY_STATE_CONNECTING, WebSocket.READY_STATE_CLOSED, created[0].OPEN], [0, 3, 1]);
  const [first, second] = created;
  assert.ok(first === created[0] && second === created[1]);
});

test("messages cross a pair in order, text and bytes", async () => {
  const [a, b] = pair();
  b.binaryType = "arraybuffer";
  const seen = events(b);
  a.accept();
  b.accept();
  a.send("one");
  a.send("grüße 🎉");
  a.send(new Uint8Array([1, 2, 3]));
  a.send(new Uint8Array([9, 8, 7, 6]).subarray(1, 3));
  a.send(new Uint8Array([5]).buffer);
  a.send(new DataView(new Uint8Array([1, 2]).buffer, 1));
  assert.deepEqual((await seen.next()).data, "one");
  assert.deepEqual((await seen.next()).data, "grüße 🎉");
  const bytes = async () => {
    const { data } = await seen.next();
    assert.ok(data instanceof ArrayBuffer);
    return [...new Uint8Array(data)];
  };
  assert.deepEqual(await bytes(), [1, 2, 3]);
  assert.deepEqual(await bytes(), [8, 7]);
  assert.deepEqual(await bytes(), [5]);
  assert.deepEqual(await bytes(), [2]);
});

test("bytes are a Blob unless binaryType says otherwise", async () => {
  const [a, b] = pair();
  const seen = events(b);
  a.accept();
  b.accept();
  a.send(new Uint8Array([1, 2]));
  const { data } = await seen.next();
  assert.ok(data instanceof Blob);
  assert.deepEqual([...new Uint8Array(await data.arrayBuffer())], [1, 2]);
});

test("messages wait for accept()", async () => {
  const [a, b] = pair();
  a.accept();
  a.send("early");
  const seen = events(b);
  b.accept();
  assert.equal((await seen.next()).data, "early");
});

test("a close is answered by itself", async () => {
  const [a, b] = pair();
  const [onA, onB] = [events(a), events(b)];
  a.accept();
  b.accept();
  a.close(4001, "bye");
  assert.equal(a.readyState, 2);
  assert.deepEqual(await onB.next(), { type: "close", code: 4001, reason: "bye", wasClean: true, readyState: 3 });
  assert.equal((await onA.next()).code, 4001);
  assert.equal(a.readyState, 3);
});

test("allowHalfOpen leaves the answer to the program", async () => {
  const [a, b] = pair();
  const [onA, onB] = [events(a), events(b)];
  a.accept();
  b.accept({ allowHalfOpen: true });
  a.close(4001, "bye");
  assert.deepEqual(await onB.next(), { type: "close", code: 4001, reason: "bye", wasClean: true, readyState: 2 });
  b.send("last words");
  b.close(4002, "mine");
  assert.equal((await onA.next()).data, "last words");
  const { code, reason } = await onA.next();
  assert.deepEqual([code, reason], [4002, "mine"]);
});

test("a reason is made well-formed", async () => {
  const [a, b] = Object.values(new WebSocketPair());
  a.accept();
  b.accept();
  const { promise, resolve } = Promise.withResolvers();
  b.addEventListener("close", resolve);
  a.close(4000, "half \ud800");
  const { code, reason } = await promise;
  assert.deepEqual([code, reason], [4000, "half \ufffd"]);
});

test("a close without a code is 1005", async () => {
  const [a, b] = pair();
  const onB = events(b);
  a.accept();
  b.accept();
  a.close();
  const { code, reason, wasClean } = await onB.next();
  assert.deepEqual([code, reason, wasClean], [1005, "", true]);
});

test("misuse of accept, send and close", () => {
  const [a, b] = pair();
  assert.deepEqual(outcomeSync(() => a.send("x")), { class: "TypeError", name: "TypeError", message: "You must call one of accept() or state.acceptWebSocket() on this WebSocket before sending messages." });
  assert.deepEqual(outcomeSync(() => a.close()), { class: "TypeError", name: "TypeError", message: "You must call one of accept() or state.acceptWebSocket() on this WebSocket before sending messages." });
  a.accept();
  a.accept();
  b.accept();
  assert.throws(() => a.send(), { class: "TypeError" });
  for (const code of [999, 1004, 1005, 1006, 1015, 5000, 0]) {
    assert.deepEqual(outcomeSync(() => a.close(code)), { class: "DOMException", name: "InvalidAccessError", message: `Invalid WebSocket close code: ${code}.` });
  }
  assert.deepEqual(outcomeSync(() => a.close(undefined, "why")), { class: "DOMException", name: "InvalidAccessError", message: "If you specify a WebSocket close reason, you must also specify a code." });
  assert.deepEqual(outcomeSync(() => a.close(1000, "x".repeat(124))), { class: "DOMException", name: "SyntaxError", message: "WebSocket close reason must not be longer than 123 bytes when UTF-8 encoded." });
  a.close(1000, "x".repeat(123));
  assert.deepEqual(outcomeSync(() => a.send("x")), { class: "TypeError", name: "TypeError", message: "Can't call WebSocket send() after close()." });
  a.close(1000);
});

test("a Response carries a socket, with status 101 only", () => {
  const [a] = pair();
  assert.deepEqual(outcomeSync(() => new Response(null, { status: 101 })), { class: "RangeError", name: "RangeError", message: "Responses may only be constructed with status codes in the range 200 to 599, inclusive." });
  assert.deepEqual(outcomeSync(() => new Response(null, { status: 200, webSocket: a })), { class: "RangeError", name: "RangeError", message: "Responses with a WebSocket must have status code 101." });
  const response = new Response(null, { status: 101, webSocket: a });
  assert.equal(response.webSocket, a);
  assert.equal(new Response("x").webSocket, null);
  assert.throws(() => response.clone(), { class: "TypeError" });
});

test("through a stub: an object's socket", async ({ env, name }) => {
  const response = await env.ECHO.getByName(name).fetch("https://object/", upgrade);
  assert.equal(response.status, 101);
  assert.equal(response.headers.get("sec-websocket-protocol"), "p");
  const socket = response.webSocket;
  assert.ok(socket instanceof WebSocket);
  const seen = events(socket);
  socket.accept();
  socket.send("hello");
  assert.equal((await seen.next()).data, "hello");
  socket.send("x".repeat(1_000_000));
  assert.equal((await seen.next()).data.length, 1_000_000);
  socket.send("close");
  const { code, reason, wasClean } = await seen.next();
  assert.deepEqual([code, reason, wasClean], [4000, "as asked", true]);
});

test("between objects", async ({ env, name }) => {
  assert.deepEqual(await env.RELAY.getByName(name).ask(name, "from object to object"), ["from object to object", 4000]);
});

test("a socket is passed on by an object between", async ({ env, name }) => {
  const response = await env.RELAY.getByName(name).fetch("https://object/other", upgrade);
  const seen = events(response.webSocket);
  response.webSocket.accept();
  response.webSocket.send("through two objects");
  assert.equal((await seen.next()).data, "through two objects");
});

test("through a stub: the object may refuse", async ({ env, name }) => {
  const response = await env.ECHO.getByName(name).fetch("https://object/");
  assert.deepEqual([response.status, response.webSocket], [426, null]);
});

test("events have their classes", async () => {
  const [a, b] = pair();
  const message = deferred();
  const close = deferred();
  b.addEventListener("message", message.resolve);
  b.addEventListener("close", close.resolve);
  a.accept();
  b.accept();
  a.send("x");
  a.close(1000, "done");
  const got = await message.promise;
  assert.ok(got instanceof MessageEvent && got instanceof Event && got.target === b);
  assert.equal(got.type, "message");
  assert.ok(await close.promise instanceof CloseEvent);
  const made = new CloseEvent("close", { code: 1001, reason: "r", wasClean: true });
  assert.deepEqual([made.code, made.reason, made.wasClean], [1001, "r", true]);
  assert.equal(new MessageEvent("message", { data: 5 }).data, 5);
  const error = new ErrorEvent("error", { message: "m", error: 7 });
  assert.deepEqual([error.message, error.error, error.lineno], ["m", 7, 0]);
});

test("a listener that throws does not stop the next", async () => {
  const [a, b] = pair();
  b.addEventListener("message", () => { throw new Error("in a listener"); });
  const seen = events(b);
  a.accept();
  b.accept();
  a.send("1");
  a.send("2");
  assert.equal((await seen.next()).data, "1");
  assert.equal((await seen.next()).data, "2");
});

test("new WebSocket: what the constructor refuses", () => {
  for (const [args, message] of [
    [["not a url"], "WebSocket Constructor: The url is invalid."],
    [["https://example.com/"], "WebSocket Constructor: The url scheme must be ws or wss."],
    [["ws://example.com/#x"], "WebSocket Constructor: The url fragment must be empty."],
    [["ws://example.com/", "a b"], "WebSocket Constructor: The protocol header token is invalid."],
    [["ws://example.com/", ["a", "a"]], "WebSocket Constructor: The protocols header cannot have repeating values."],
    [["ws://example.com/", ["a", "b c"]], "WebSocket Constructor: One of the protocol header tokens is invalid."],
  ]) {
    assert.deepEqual(outcomeSync(() => new WebSocket(...args)), { class: "DOMException", name: "SyntaxError", message });
  }
});

test("a socket cannot be used twice", async ({ env, name }) => {
  const [a] = pair();
  a.accept();
  const stub = env.ECHO.getByName(name);
  const response = await stub.fetch("https://object/", upgrade);
  response.webSocket.accept();
  assert.ok(new Response(null, { status: 101, webSocket: a }).webSocket === a);
  assert.deepEqual(await outcome(() => a.accept()), { returned: true });
});

test("an attachment stays with its socket", () => {
  const [a] = pair();
  assert.equal(a.deserializeAttachment(), null);
  a.serializeAttachment({ user: "x", seen: new Map([[1, 2]]) });
  const first = a.deserializeAttachment();
  assert.deepEqual(first, { user: "x", seen: new Map([[1, 2]]) });
  assert.ok(first !== a.deserializeAttachment());
  const message = "A WebSocket 'attachment' cannot be larger than 16384 bytes.'attachment' was 20006 bytes.";
  assert.deepEqual(outcomeSync(() => a.serializeAttachment("x".repeat(20_000))), { class: "Error", name: "Error", message });
  assert.deepEqual(a.deserializeAttachment().user, "x");
});
