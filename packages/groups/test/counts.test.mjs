// Which Replica a request gets, and when its place is free again.

import assert from "node:assert/strict";
import { test } from "./driver.mjs";

const ids = (count) => Array.from({ length: count }, (_, index) => `id${index}`);
const count = (list) => Object.values(list.reduce((all, one) => ({ ...all, [one]: (all[one] ?? 0) + 1 }), {})).sort();

test("a request id that is connected goes to the Replica it has", async ({ room }) => {
  const r = room("limit=3");
  const first = await r.open("a");
  await r.open("b");
  assert.equal((await r.open("a")).replica, first.replica);
});

test("a request id seen before goes to the Replica it had, also if another is less used", async ({ room }) => {
  const r = room("limit=2");
  const [a, b, c] = [await r.open("a"), await r.open("b"), await r.open("c")];
  assert.equal(a.replica, b.replica);
  assert.notEqual(c.replica, a.replica);
  await a.close();
  await r.group("taken", 2);
  await c.close();
  await r.group("taken", 1);
  assert.deepEqual(await r.places(), [1, 0]);
  assert.equal((await r.open("a")).replica, a.replica);
});

test("the last 10,000 request ids are remembered, and no more", async ({ room }) => {
  const r = room();
  await r.json("plain", { id: "a" });
  assert.equal(await r.group("crowd", 12_000), 10_000);
  assert.deepEqual(await r.places(), [0]);
});

test("a request id whose Replica is full goes to the least used one with room", async ({ room }) => {
  const r = room("limit=2");
  const sockets = [];
  for (const id of ["a", "b", "c", "d", "e"]) sockets.push(await r.open(id));
  const [a, , c, , e] = sockets.map(({ replica }) => replica);
  await sockets[0].close();
  await r.group("taken", 4);
  assert.equal((await r.open("f")).replica, a);
  // Now a's Replica is full: [2, 2, 1].
  assert.equal((await r.open("a")).replica, e);
  assert.equal(new Set([a, c, e]).size, 3);
});

test("an unknown request id goes to the least used Replica", async ({ room }) => {
  const r = room("limit=3");
  const sockets = [];
  for (const id of ids(6)) sockets.push(await r.open(id));
  assert.deepEqual(await r.places(), [3, 3]);
  await sockets[4].close();
  await sockets[5].close();
  await sockets[0].close();
  await r.group("taken", 3);
  assert.deepEqual(await r.places(), [2, 1]);
  assert.equal((await r.open("new")).replica, sockets[3].replica);
});

test("a Replica is made only when all are full", async ({ room }) => {
  const r = room("limit=2");
  for (const id of ids(5)) await r.open(id);
  assert.deepEqual(await r.places(), [2, 2, 1]);
  assert.equal((await r.group("state")).made, 3);
});

test("racing requests never share the last place, and make no more Replicas than they need", async ({ room }) => {
  for (const options of ["limit=3", "limit=3,clusterize=slow"]) {
    const r = room(options);
    const got = await r.json("-race", { ids: JSON.stringify(ids(40)) });
    assert.deepEqual(count(got), [1, ...Array(13).fill(3)]);
    assert.equal((await r.group("state")).made, 14);
  }
});

test("racing sockets and requests are counted exactly", async ({ room }) => {
  const r = room("limit=4");
  const sockets = await Promise.all(ids(30).map((id) => r.open(id)));
  assert.deepEqual(count(sockets.map(({ replica }) => replica)), [2, ...Array(7).fill(4)]);
  await Promise.all(ids(40).map((id) => r.json("plain", { id: `http-${id}` })));
  await Promise.all(sockets.slice(10).map((socket) => socket.close()));
  await r.group("taken", 10);
  const open = {};
  for (const { replica } of sockets.slice(0, 10)) open[replica] = (open[replica] ?? 0) + 1;
  const used = Object.fromEntries((await r.group("places")).filter((one) => one.used > 0).map((one) => [one.id, one.used]));
  assert.deepEqual(used, open);
  assert.deepEqual(Object.fromEntries(Object.entries(await r.json("-usage")).filter(([, taken]) => taken > 0)), open);
});

test("an HTTP request has its place until its response is returned", async ({ room }) => {
  const r = room("limit=2");
  const { replica } = await r.json("-identify", { id: "warm" });
  const slow = r.json("slow", { id: "a", gate: "g" });
  await r.replica(replica, "reached", "g");
  assert.deepEqual(await r.places(), [2]);
  await r.replica(replica, "open", "g");
  await slow;
  assert.deepEqual(await r.places(), [1]);
  for (const id of ids(10)) await r.json("plain", { id });
  assert.deepEqual(await r.places(), [1]);
});

test("a request that fails frees its place, and is answered 500 without its stack", async ({ room }) => {
  const r = room("limit=1");
  const { status, body } = await r.request("throw", { query: { id: "a" } });
  assert.deepEqual([status, body], [500, "Internal Server Error"]);
  assert.deepEqual(await r.places(), [0]);
});

test("a WebSocket has its place until it is closed from either side, or breaks", async ({ room }) => {
  const r = room("limit=10");
  const [a, b, c, d] = [await r.open("a"), await r.open("b"), await r.open("c"), await r.open("d")];
  await r.group("taken", 4);
  await a.close(4001, "bye");
  await r.group("taken", 3);
  b.say({ act: "close", code: 4002, reason: "go" });
  await r.group("taken", 2);
  c.ws.terminate();
  await r.group("taken", 1);
  assert.deepEqual(await r.usage(), [1]);
  assert.deepEqual(await d.all(), [{ closed: "a" }, { closed: "b" }, { closed: "c" }]);
});

test("the client sees its close answered with its own code, once the place is free", async ({ room }) => {
  const r = room("limit=1");
  const a = await r.open("a");
  assert.deepEqual(await a.close(4321, "because"), { code: 4321, reason: "because" });
  assert.deepEqual(await r.places(), [0]);
});

test("one request id holds several sockets, each with a place", async ({ room }) => {
  const r = room("limit=2");
  const first = await r.open("a");
  await r.open("a");
  const third = await r.open("a");
  assert.notEqual(third.replica, first.replica);
  assert.deepEqual(await r.places(), [2, 1]);
  await first.close();
  assert.deepEqual(await r.usage(), [1, 1]);
});

test("a reservation that is not used is free again when its time is over", async ({ room }) => {
  const r = room("limit=1,reservationMs=60");
  await r.json("-identify", { id: "a" });
  assert.deepEqual(await r.places(), [1]);
  await r.group("taken", 0);
  assert.deepEqual(await r.places(), [0]);
});

test("a socket keeps its place when the time of its reservation is over", async ({ room }) => {
  const r = room("limit=5,reservationMs=60");
  await r.open("a");
  await r.json("-identify", { id: "b" });
  await r.group("gone", "b");
  assert.deepEqual(await r.places(), [1]);
});

test("a request that takes longer than its reservation keeps its place", async ({ room }) => {
  const r = room("limit=5,reservationMs=60");
  const { replica } = await r.json("-identify", { id: "warm" });
  const slow = r.json("slow", { id: "a", gate: "g" });
  await r.replica(replica, "reached", "g");
  await r.json("-identify", { id: "b" });
  await r.group("gone", "b");
  assert.deepEqual(await r.places(), [1]);
  await r.replica(replica, "open", "g");
  await slow;
  await r.group("taken", 0);
});

test("a request that comes after its reservation gets a place if there is one, and 503 if not", async ({ room }) => {
  const r = room("limit=1,reservationMs=60");
  const early = await r.open("b");
  await early.close();
  for (const expected of [200, 503]) {
    const late = r.request("-late", { query: { id: "a" } });
    await r.group("waiting");
    await r.group("taken", 0);
    if (expected === 503) await r.open("b");
    await r.group("go");
    const { status, headers } = await late;
    assert.deepEqual([status, headers["retry-after"]], [expected, expected === 503 ? "0" : undefined]);
  }
  assert.deepEqual(await r.places(), [1]);
});

test("a stub can be fetched again, and each fetch has a place of its own", async ({ room }) => {
  const r = room("limit=1");
  const [first, second] = await r.json("-twice", { id: "a" });
  assert.deepEqual([first.path, second.path, second.method], [`/${r.name}/first`, `/${r.name}/second`, "PUT"]);
  assert.equal(first.replica, second.replica);
  assert.deepEqual([first.id, second.id], ["a", "a"]);
  assert.ok(!second.ticket.startsWith("mine") && second.ticket !== first.ticket);
  assert.deepEqual(await r.places(), [0]);
});

test("asking again with the same ticket finds the same place", async ({ room }) => {
  const r = room("limit=1");
  const { replica } = await r.group("$reserve", "a", "ticket");
  assert.equal((await r.group("$reserve", "a", "ticket")).replica, replica);
  assert.deepEqual(await r.places(), [1]);
});

test("the stub puts the ids on the request, whatever the client says", async ({ room }) => {
  const r = room();
  const forged = { "x-dog-client-identifier": "admin", "x-dog-group-identifier": "0", "x-dog-replica-identifier": "0", "x-dolmen-ticket": "mine 9999999999999" };
  const headers = new Map(await r.json("headers", { id: "a" }, { headers: forged }));
  assert.equal(headers.get("x-dog-client-identifier"), "a");
  assert.match(headers.get("x-dog-group-identifier"), /^[0-9a-f]{64}$/);
  assert.match(headers.get("x-dog-replica-identifier"), /^[0-9a-f]{64}$/);
  assert.notEqual(headers.get("x-dolmen-ticket").split(" ")[0], "mine");
});

async function refusal(r, id, headers) {
  const { status, body } = await r.request("-direct", { query: { id }, headers });
  return [status, body];
}

test("a Replica refuses a request that does not come from identify", async ({ room }) => {
  const r = room();
  assert.deepEqual(await refusal(r, "", {}), [400, "Missing: Replica ID"]);
  const ids = Object.fromEntries((await r.json("headers", { id: "a" })).filter(([name]) => name.startsWith("x-dog")));
  const replica = ids["x-dog-replica-identifier"];
  assert.deepEqual(await refusal(r, "", ids), [400, "Mismatch: Replica ID"]);
  assert.deepEqual(await refusal(r, replica, { ...ids, "x-dog-group-identifier": "" }), [400, "Missing: Group ID"]);
  assert.deepEqual(await refusal(r, replica, { ...ids, "x-dog-client-identifier": "" }), [400, "Missing: Request ID"]);
  assert.deepEqual(await refusal(r, replica, { ...ids, "x-dog-group-identifier": replica }), [400, "Mismatch: Group ID"]);
});

test("a request id that cannot travel is a TypeError", async ({ room }) => {
  const r = room();
  for (const id of ["", " a", "a\n", "名", "x".repeat(2049)]) {
    const { status, body } = await r.request("-identify", { query: { id } });
    assert.equal(status, 599);
    assert.match(body, /^TypeError: A request id is/);
  }
  await r.json("-identify", { id: "x".repeat(2048) });
});

test("clusterize makes the ids, and may refuse or take its time", async ({ room }) => {
  const one = room("limit=1,clusterize=one");
  await one.open("a");
  assert.match((await one.request("plain", { query: { id: "b" } })).body, /^RangeError: clusterize\(\) returned [0-9a-f]{64}, a Replica of this group without room/);
  const fails = room("limit=1,clusterize=fails");
  assert.match((await fails.request("plain", { query: { id: "a" } })).body, /no Replica today/);
  await fails.open("a");
  await room("clusterize=knows").open("a");
});

test("a limit that is no limit is a RangeError", async ({ room }) => {
  for (const limit of ["0", "x"]) assert.match((await room(`limit=${limit}`).request("plain", { query: { id: "a" } })).body, /^RangeError: The limit of a Group/);
  await room("limit=Infinity").open("a");
});

test("a Group answers its own requests with receive, and with 404 by default", async ({ room }) => {
  const r = room();
  assert.equal((await r.request("-receive")).body, `group got /${r.name}/-receive`);
  assert.equal((await room("default=1").request("-receive")).status, 404);
});
