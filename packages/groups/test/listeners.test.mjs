// What a Replica's sockets, listeners and peers hear.

import assert from "node:assert/strict";
import { connect as connectTcp } from "node:net";
import { Client, test, within } from "./driver.mjs";

const HANDSHAKE = { connection: "Upgrade", upgrade: "websocket", "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==", "sec-websocket-version": "13" };

// Three Replicas with two sockets each: a b, c d, e f.
async function three(r) {
  const sockets = {};
  for (const id of ["a", "b", "c", "d", "e", "f"]) sockets[id] = await r.open(id);
  assert.equal(new Set(Object.values(sockets).map(({ replica }) => replica)).size, 3);
  return sockets;
}

// Who has got `msg`, once everything is said that was to be said.
async function hearers(sockets, msg) {
  const got = {};
  for (const [id, socket] of Object.entries(sockets)) got[id] = (await socket.all()).filter((one) => JSON.stringify(one) === JSON.stringify(msg)).length;
  return Object.keys(got).filter((id) => got[id] === 1).join("");
}

test("emit reaches the sockets of the Replica, and its own with self", async ({ room }) => {
  const sockets = await three(room("limit=2"));
  sockets.a.say({ act: "emit", msg: { x: 1 } });
  assert.equal(await hearers(sockets, { x: 1 }), "b");
  sockets.a.say({ act: "emit", msg: { x: 2 }, self: true });
  assert.equal(await hearers(sockets, { x: 2 }), "ab");
});

test("broadcast reaches the sockets of all Replicas, and its own with self", async ({ room }) => {
  const sockets = await three(room("limit=2"));
  sockets.a.say({ act: "broadcast", msg: { x: 1 } });
  for (const id of ["c", "d", "e", "f"]) await sockets[id].next(({ x }) => x === 1);
  assert.equal(await hearers(sockets, { x: 1 }), "b");
  sockets.e.say({ act: "broadcast", msg: "text", self: true });
  for (const socket of Object.values(sockets)) await socket.next((text) => text === "text");
  assert.equal(await hearers(sockets, "text"), "");
});

test("whisper reaches one request id, wherever its sockets are, and nobody else", async ({ room }) => {
  const r = room("limit=2");
  const sockets = await three(r);
  const again = await r.open("a");
  assert.notEqual(again.replica, sockets.a.replica);
  sockets.d.say({ act: "whisper", to: "a", msg: { x: 1 } });
  await Promise.all([sockets.a, again].map((socket) => socket.next(({ x }) => x === 1)));
  sockets.b.say({ act: "whisper", to: "a", msg: { x: 2 } });
  await Promise.all([sockets.a, again].map((socket) => socket.next(({ x }) => x === 2)));
  sockets.b.say({ act: "whisper", to: "nobody", msg: { x: 3 } });
  sockets.b.say({ act: "whisper", to: "b", msg: { x: 4 } });
  await sockets.b.all();
  for (const x of [1, 2, 3, 4]) assert.equal(await hearers({ ...sockets, again }, { x }), "");
});

test("sockets of one request id do not hear its own emit and broadcast, also in another Replica, but with self", async ({ room }) => {
  const r = room("limit=2");
  const [first, second, third, other] = [await r.open("a"), await r.open("a"), await r.open("a"), await r.open("o")];
  assert.equal(third.replica, other.replica);
  first.say({ act: "broadcast", msg: { x: 1 } });
  await other.next(({ x }) => x === 1);
  first.say({ act: "broadcast", msg: { x: 2 }, self: true });
  for (const socket of [first, second, third, other]) assert.deepEqual(await socket.next(({ x }) => x !== undefined), { x: 2 });
  other.say({ act: "whisper", to: "a", msg: { x: 3 } });
  for (const socket of [first, second, third]) assert.deepEqual(await socket.next(({ x }) => x !== undefined), { x: 3 });
});

test("a Replica emits, broadcasts and whispers on its own", async ({ room }) => {
  const r = room("limit=3");
  const sockets = {};
  for (const id of ["a", "b", "c", "d"]) sockets[id] = await r.open(id);
  assert.equal((await r.post("broadcast", { id: "d" }, { x: 1 })).status, 200);
  assert.equal(await hearers(sockets, { x: 1 }), "abcd");
  await r.post("emit", { id: "d" }, { x: 2 });
  assert.equal(await hearers(sockets, { x: 2 }), "d");
  await r.post("whisper", { id: "d", to: "a" }, { x: 3 });
  assert.equal(await hearers(sockets, { x: 3 }), "a");
});

test("objects are sent as JSON, text and bytes as they are", async ({ room }) => {
  const a = await room().open("a");
  a.say({ act: "emit", msg: ["x", { y: null }], self: true });
  assert.deepEqual(await a.next(Array.isArray), ["x", { y: null }]);
  a.say({ act: "emit", msg: "plain words", self: true });
  assert.equal(await a.next((one) => typeof one === "string"), "plain words");
  a.ws.send(Buffer.from([0, 1, 255]));
  assert.deepEqual([...(await a.next(Buffer.isBuffer))], [0, 1, 255]);
});

test("messages to a peer arrive in the order they were sent", async ({ room }) => {
  const sockets = await three(room("limit=2"));
  for (let x = 0; x < 50; x += 1) sockets.a.say({ act: "broadcast", msg: { x } });
  for (let x = 0; x < 50; x += 1) assert.deepEqual(await sockets.f.next((one) => one.x !== undefined), { x });
});

test("Replicas are introduced to each other in both directions", async ({ room }) => {
  const r = room("limit=2");
  const sockets = await three(r);
  const replicas = new Set(Object.values(sockets).map(({ replica }) => replica));
  for (const id of ["a", "c", "e"]) {
    sockets[id].say({ act: "gossip", msg: { ask: id } });
    const { gossip } = await sockets[id].next((one) => one.gossip);
    assert.deepEqual(new Set(gossip.map(({ from }) => from)), new Set([...replicas].filter((one) => one !== sockets[id].replica)));
    for (const { msg, date } of gossip) assert.deepEqual([msg, date], [{ ask: id }, "1970-01-01T00:00:00.000Z"]);
  }
});

test("gossip without peers is empty, and an answer of nothing is null", async ({ room }) => {
  const r = room("limit=2");
  assert.deepEqual(JSON.parse((await r.post("gossip", { id: "a" }, {})).body), []);
  const sockets = await three(r);
  sockets.a.say({ act: "gossip", msg: { nothing: true } });
  assert.deepEqual((await sockets.a.next((one) => one.gossip)).gossip, [null, null]);
});

test("a peer that fails is reported and does not stop the others", async ({ room }) => {
  const r = room("limit=2");
  const sockets = await three(r);
  await r.replica(sockets.c.replica, "becomeDeaf");
  sockets.a.say({ act: "broadcast", msg: { x: 1 } });
  for (const id of ["b", "e", "f"]) await sockets[id].next(({ x }) => x === 1);
  await sockets.a.all();
  sockets.a.say({ act: "gossip", msg: { fails: sockets.e.replica } });
  const { gossip } = await sockets.a.next((one) => one.gossip);
  assert.deepEqual(gossip.map(({ from }) => from), [sockets.c.replica]);
  const { peerErrors } = await r.replica(sockets.a.replica, "inside");
  assert.deepEqual(peerErrors, [
    { peer: sockets.c.replica, message: "this peer is deaf" },
    { peer: sockets.e.replica, message: "ongossip throws" },
  ]);
});

test("a Replica lists its sockets, and those of one request id", async ({ room }) => {
  const r = room("limit=5");
  const [a, b] = [await r.open("a"), await r.open("b"), await r.open("a")];
  b.say({ act: "sockets" });
  const { all, own, same } = await b.next((one) => one.all);
  assert.deepEqual([all.sort(), own, same], [["a", "a", "b"], 1, true]);
  await a.close();
  b.say({ act: "sockets" });
  assert.deepEqual((await b.next((one) => one.all)).all.sort(), ["a", "b"]);
});

test("a socket that is gone does not stop a message to the others", async ({ room }) => {
  const r = room("limit=5");
  const [a, b, c] = [await r.open("a"), await r.open("b"), await r.open("c")];
  b.ws.terminate();
  a.say({ act: "emit", msg: { x: 1 } });
  await c.next(({ x }) => x === 1);
});

test("connect answers 405, 426 and 400 to what is no WebSocket handshake", async ({ room }) => {
  const r = room();
  const attempt = async (method, change) => {
    const headers = { ...HANDSHAKE, ...change };
    for (const name of Object.keys(headers)) if (headers[name] === undefined) delete headers[name];
    return handshake(r, method, headers);
  };
  assert.deepEqual(await attempt("POST", { upgrade: undefined, connection: "close", "content-length": "2" }), [405, "GET"]);
  assert.deepEqual(await attempt("GET", { upgrade: undefined, connection: "close" }), [426, undefined]);
  assert.deepEqual((await attempt("GET", { "sec-websocket-key": "short" }))[0], 400);
  assert.deepEqual((await attempt("GET", { "sec-websocket-version": "8" }))[0], 400);
  assert.deepEqual((await attempt("GET", {}))[0], 101);
  await r.group("taken", 0);
});

test("connect answers 400 to a request without ids, and to a second call for one request", async ({ room }) => {
  const r = room();
  for (const what of ["stripped", "twice"]) {
    const client = new Client(`ws://127.0.0.1:${r.host.server.port}${r.path(what, { id: "a" })}`);
    assert.match((await within(client.failed, "refusal")).message, /: 400$/);
  }
  await r.group("taken", 0);
});

test("a socket that receive does not return is closed, and its place is free", async ({ room }) => {
  const r = room();
  assert.equal((await r.request("lost", { query: { id: "a" }, headers: HANDSHAKE })).body, "not a socket");
  await r.group("taken", 0);
  assert.equal((await r.replica((await r.json("plain", { id: "a" })).replica, "inside")).sockets, 0);
});

test("a socket that receive made on its own has no place", async ({ room }) => {
  const r = room();
  const client = new Client(`ws://127.0.0.1:${r.host.server.port}${r.path("own", { id: "a" })}`);
  r.sockets.push(client);
  assert.equal(await client.next(), "own");
  assert.deepEqual(await r.places(), [0]);
});

test("a socket whose onopen fails is refused, and its place is free", async ({ room }) => {
  const r = room("limit=1");
  const client = new Client(`ws://127.0.0.1:${r.host.server.port}${r.path("ws", { id: "unwelcome" })}`);
  assert.match((await within(client.failed, "refusal")).message, /: 500$/);
  await r.group("taken", 0);
  assert.equal((await r.replica((await r.json("plain", { id: "a" })).replica, "inside")).sockets, 0);
});

test("onopen can already send to everybody", async ({ room }) => {
  const r = room();
  const a = await r.open("a");
  const loud = await r.open("loud");
  for (const socket of [a, loud]) assert.deepEqual(await socket.next((one) => one.open), { open: "loud" });
});

test("a listener that throws leaves the socket and its place alone", async ({ room }) => {
  const r = room();
  const a = await r.open("a");
  a.say({ act: "throw" });
  await a.all();
  assert.deepEqual(await r.usage(), [1]);
});

for (const [kind, options] of [["hibernatable", "limit=5"], ["standard", "limit=5,standard"]]) {
  test(`onclose is called once for each socket that ends: ${kind}`, async ({ room }) => {
    const r = room(options);
    const [a, b, c, d] = [await r.open("a"), await r.open("b"), await r.open("c"), await r.open("d")];
    await a.close();
    assert.deepEqual(await d.next((one) => one.closed), { closed: "a" });
    b.say({ act: "close", code: 4000, reason: "out" });
    assert.deepEqual(await d.next((one) => one.closed), { closed: "b" });
    c.ws.terminate();
    const { closed, failed } = await d.next((one) => one.closed || one.failed);
    assert.equal(closed ?? failed, "c");
    await r.group("taken", 1);
    assert.equal((await r.replica(d.replica, "inside")).heard.length, 3);
  });
}

test("onclose is called after an error where there is no onerror, and onerror where there is", async ({ room }) => {
  for (const [options, expected] of [["limit=5", { closed: "a" }], ["limit=5,standard", { failed: "a" }]]) {
    const r = room(options);
    const [a, b] = [await r.open("a"), await r.open("b")];
    // A frame with a reserved bit breaks the protocol.
    a.ws._socket.write(Buffer.from([0xf1, 0x80, 0, 0, 0, 0]));
    assert.deepEqual(await b.next((one) => one.closed || one.failed), expected);
    await r.group("taken", 1);
  }
});

// The status of an upgrade's answer and the methods it allows, over a plain connection: http clients hide either.
function handshake(r, method, headers) {
  const tcp = connectTcp(r.host.server.port, "127.0.0.1");
  const lines = [`${method} ${r.path("ws", { id: "a" })} HTTP/1.1`, "host: test", ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)];
  tcp.write(`${lines.join("\r\n")}\r\n\r\n${method === "POST" ? "{}" : ""}`);
  return within(new Promise((resolve, reject) => {
    let text = "";
    tcp.on("error", reject);
    tcp.on("data", (data) => {
      text += data;
      const [head, rest] = text.split("\r\n\r\n");
      if (rest === undefined) return;
      tcp.destroy();
      resolve([Number(head.split(" ")[1]), head.match(/^allow: (.*)$/im)?.[1]]);
    });
  }), "handshake");
}
