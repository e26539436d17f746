// Outbound WebSockets: new WebSocket(url), fetch() with an upgrade, over the wire to this worker itself.
import { DurableObject } from "cloudflare:workers";
import { test, assert, deferred, serve } from "../harness.js";

export class Echo extends DurableObject {
  async fetch(request) {
    const [client, server] = Object.values(new WebSocketPair());
    this.ctx.acceptWebSocket(server);
    const headers = {};
    const asked = request.headers.get("sec-websocket-protocol");
    if (asked !== null) headers["sec-websocket-protocol"] = asked.split(",")[0].trim();
    return new Response(null, { status: 101, webSocket: client, headers });
  }
  webSocketMessage(ws, data) {
    if (data === "close") return ws.close(4000, "as asked");
    ws.send(data);
  }
  webSocketClose(ws, code, reason) { ws.close(code, reason); }
}

export default {
  async fetch(request, env, ctx) {
    const { pathname } = new URL(request.url);
    if (pathname === "/socket") return env.ECHO.getByName("client").fetch(request);
    if (pathname === "/refused") return new Response("no", { status: 403 });
    return (await serve(request, env, ctx)) ?? new Response("not found", { status: 404 });
  },
};

const address = (origin, path) => `${origin.replace("http", "ws")}${path}`;
const next = (target, type) => {
  const { promise, resolve } = deferred();
  target.addEventListener(type, resolve, { once: true });
  return promise;
};

test("new WebSocket opens, carries messages and closes", async ({ origin }) => {
  const socket = new WebSocket(address(origin, "/socket"));
  assert.equal(socket.readyState, 0);
  assert.equal(socket.url, address(origin, "/socket"));
  socket.binaryType = "arraybuffer";
  await next(socket, "open");
  assert.equal(socket.readyState, 1);
  for (const sent of ["hello", "x".repeat(200_000)]) {
    socket.send(sent);
    assert.ok((await next(socket, "message")).data === sent);
  }
  socket.send(new Uint8Array([1, 2, 3]));
  assert.deepEqual([...new Uint8Array((await next(socket, "message")).data)], [1, 2, 3]);
  socket.send("close");
  const { code, reason, wasClean } = await next(socket, "close");
  assert.deepEqual([code, reason, wasClean, socket.readyState], [4000, "as asked", true, 3]);
});

test("a sub-protocol is negotiated", async ({ origin }) => {
  const socket = new WebSocket(address(origin, "/socket"), ["one", "two"]);
  await next(socket, "open");
  assert.equal(socket.protocol, "one");
  socket.close(1000);
});

test("a server that refuses is an error and a close 1006", async ({ origin }) => {
  const socket = new WebSocket(address(origin, "/refused"));
  const error = next(socket, "error");
  const close = next(socket, "close");
  assert.ok(await error instanceof ErrorEvent);
  const { code, reason, wasClean } = await close;
  assert.deepEqual([code, reason, wasClean, socket.readyState], [1006, "Failed to establish websocket connection", false, 3]);
});

test("send before it is open is refused", ({ origin }) => {
  const socket = new WebSocket(address(origin, "/socket"));
  assert.throws(() => socket.send("early"), { class: "TypeError" });
  assert.throws(() => socket.accept(), { class: "TypeError" });
  socket.close();
});

test("a close before it is open is an error and a close 1006", async ({ origin }) => {
  const socket = new WebSocket(address(origin, "/socket"));
  const seen = [];
  socket.addEventListener("open", () => seen.push("open"));
  const error = next(socket, "error");
  const close = next(socket, "close");
  socket.close(1000, "changed my mind");
  assert.ok(await error instanceof ErrorEvent);
  const { code, wasClean } = await close;
  assert.deepEqual([code, wasClean, socket.readyState, seen], [1006, false, 3, []]);
});

test("open sockets are no unread responses", async ({ origin }) => {
  const sockets = [];
  for (let i = 0; i < 101; i++) {
    const socket = new WebSocket(address(origin, "/socket"));
    await next(socket, "open");
    sockets.push(socket);
  }
  const response = await fetch(`${origin}/refused`);
  assert.deepEqual([response.status, await response.text()], [403, "no"]);
  for (const socket of sockets) socket.close(1000);
});

test("fetch with an upgrade gives a socket", async ({ origin }) => {
  const response = await fetch(`${origin}/socket`, { headers: { Upgrade: "websocket" } });
  assert.equal(response.status, 101);
  const socket = response.webSocket;
  assert.ok(socket instanceof WebSocket);
  socket.accept();
  socket.send("through fetch");
  assert.equal((await next(socket, "message")).data, "through fetch");
  socket.close(1000, "done");
  assert.equal((await next(socket, "close")).code, 1000);
});

test("fetch with an upgrade that is refused gives the response", async ({ origin }) => {
  const response = await fetch(`${origin}/refused`, { headers: { Upgrade: "websocket" } });
  assert.deepEqual([response.status, response.webSocket, await response.text()], [403, null, "no"]);
});
