// Groups and Replicas that are reset, evicted, hibernated and killed: counts stay exact, and listeners keep working.

import assert from "node:assert/strict";
import { idle, test, within } from "./driver.mjs";

test("a Replica that was reset is not taken for full", async ({ room }) => {
  const r = room("limit=2");
  const [a, b] = [await r.open("a"), await r.open("b")];
  await r.reset("-replica", { id: a.replica });
  await Promise.all([a.closed, b.closed]);
  assert.equal((await r.open("c")).replica, a.replica);
  assert.equal((await r.open("d")).replica, a.replica);
  assert.deepEqual(await r.places(), [2]);
});

test("the sockets of a Replica that was reset come back to it", async ({ room }) => {
  const r = room("limit=3");
  const sockets = [];
  for (const id of ["a", "b", "c", "d"]) sockets.push(await r.open(id));
  const { replica } = sockets[0];
  await r.reset("-replica", { id: replica });
  for (const id of ["a", "b", "c"]) assert.equal((await r.open(id)).replica, replica);
  assert.deepEqual(await r.usage(), [3, 1]);
});

test("a Replica that was reset frees its places as soon as anything reaches it", async ({ room }) => {
  const r = room("limit=2");
  const sockets = [];
  for (const id of ["a", "b", "c"]) sockets.push(await r.open(id));
  await r.reset("-replica", { id: sockets[0].replica });
  sockets[2].say({ act: "broadcast", msg: { x: 1 } });
  await r.group("taken", 1);
  assert.deepEqual(await r.places(), [0, 1]);
});

test("usage asks the Replicas, so it is exact after a reset", async ({ room }) => {
  const r = room("limit=2");
  const sockets = [];
  for (const id of ["a", "b", "c"]) sockets.push(await r.open(id));
  await r.reset("-replica", { id: sockets[0].replica });
  assert.deepEqual(await r.usage(), [0, 1]);
});

test("a Replica that does not start any more has no places", async ({ room }) => {
  const r = room("limit=2");
  const sockets = [];
  for (const id of ["a", "b", "c"]) sockets.push(await r.open(id));
  await r.reset("-replica", { id: sockets[0].replica }, "breakForGood");
  assert.deepEqual(await r.usage(), [0, 1]);
});

test("a request under which its Replica is reset frees its place", async ({ room }) => {
  const r = room("limit=5");
  const { replica } = await r.json("-identify", { id: "warm" });
  const slow = r.request("slow", { query: { id: "a", gate: "g" } });
  await r.replica(replica, "reached", "g");
  await r.reset("-replica", { id: replica });
  assert.equal((await slow).status, 599);
  await r.group("taken", 1);
});

test("a Group that was reset knows its Replicas, their places and who was where", async ({ room }) => {
  const r = room("limit=2");
  const sockets = [];
  for (const id of ["a", "b", "c"]) sockets.push(await r.open(id));
  await sockets[1].close();
  await r.group("taken", 2);
  const { born } = await r.group("state");
  await r.reset("-group");
  assert.deepEqual(await r.places(), [1, 1]);
  assert.equal((await r.open("b")).replica, sockets[0].replica);
  assert.notEqual((await r.group("state")).born, born);
  assert.equal((await r.open("d")).replica, sockets[2].replica);
  assert.equal((await r.group("state")).made, 0);
  await sockets[0].close();
  await r.group("taken", 3);
  assert.deepEqual(await r.usage(), [1, 2]);
});

test("a reservation outlives its Group, and is over in time all the same", async ({ room }) => {
  const r = room("limit=1,reservationMs=200");
  await r.json("-identify", { id: "a" });
  await r.reset("-group");
  assert.deepEqual(await r.places(), [1]);
  await r.group("taken", 0);
});

test("sockets that close while their Group is out of reach are reported when it is back", async ({ room }) => {
  const r = room("limit=3");
  const [a, b] = [await r.open("a"), await r.open("b")];
  await r.group("taken", 2);
  await r.group("refuseReports", 3);
  await a.close();
  await r.group("taken", 1);
  await r.reset("-group");
  await b.close();
  await r.group("taken", 0);
});

test("a Group that was reset with a Replica starts from what is there, also where there was room", async ({ room }) => {
  const r = room("limit=3");
  const sockets = [];
  for (const id of ["a", "b", "c", "d"]) sockets.push(await r.open(id));
  await sockets[2].close();
  await r.group("taken", 3);
  await r.reset("-replica", { id: sockets[0].replica });
  await r.reset("-group");
  assert.equal((await r.open("new")).replica, sockets[0].replica);
  assert.deepEqual(await r.places(), [1, 1]);
  assert.equal((await r.group("state")).made, 0);
});

test("a Group whose storage was deleted learns of its Replicas from their reports", async ({ room }) => {
  const r = room("limit=2");
  const sockets = [];
  for (const id of ["a", "b", "c"]) sockets.push(await r.open(id));
  await r.group("taken", 3);
  await r.group("forget");
  await sockets[1].close();
  await r.group("taken", 1);
  assert.deepEqual(await r.usage(), [1]);
  await sockets[2].close();
  await r.group("taken", 1);
  assert.deepEqual(await r.usage(), [1, 0]);
});

test("a Replica whose storage was deleted still reports, and is introduced again", async ({ room }) => {
  const r = room("limit=2");
  const sockets = [];
  for (const id of ["a", "b", "c"]) sockets.push(await r.open(id));
  const { replica } = sockets[0];
  await r.replica(replica, "forget");
  await r.reset("-replica", { id: replica });
  const a = await r.open("a");
  assert.equal(a.replica, replica);
  await r.group("taken", 2);
  a.say({ act: "gossip", msg: {} });
  assert.deepEqual((await a.next((one) => one.gossip)).gossip.map(({ from }) => from), [sockets[2].replica]);
  await a.close();
  await r.group("taken", 1);
});

test("a Replica that has forgotten its peers learns of them with its next report", async ({ room }) => {
  const r = room("limit=2");
  const [a, b, c] = [await r.open("a"), await r.open("b"), await r.open("c")];
  await b.close();
  await r.group("taken", 2);
  await r.replica(a.replica, "forget");
  await r.reset("-replica", { id: a.replica });
  // Its place is not released before its Group has answered a report.
  assert.equal((await r.json("plain", { id: "a" })).replica, a.replica);
  const answers = JSON.parse((await r.post("gossip", { id: "a" }, {})).body);
  assert.deepEqual(answers.map(({ from }) => from), [c.replica]);
});

test("a Replica that has forgotten its peers is told of all when there is a new one", async ({ room }) => {
  const r = room("limit=1");
  const [a, b] = [await r.open("a"), await r.open("b")];
  await a.close();
  await r.group("taken", 1);
  await r.replica(a.replica, "forget");
  await r.reset("-replica", { id: a.replica });
  const late = r.request("-late", { query: { id: "a", then: "gossip" } });
  await r.group("waiting");
  const c = await r.open("c");
  await r.group("go");
  assert.deepEqual(JSON.parse((await late).body).map(({ from }) => from).sort(), [b.replica, c.replica].sort());
});

test("a Replica does not take an introduction with a gap, or one that is old", async ({ room }) => {
  const r = room("limit=1");
  const [a] = [await r.open("a"), await r.open("b")];
  const group = (await r.json("headers", { id: "x" })).find(([name]) => name === "x-dog-group-identifier")[1];
  assert.equal(await r.replica(a.replica, "$introduce", group, r.name, { after: 7, known: 8, ids: [a.replica] }), 3);
  assert.equal(await r.replica(a.replica, "$introduce", group, r.name, { after: 0, known: 1, ids: [a.replica] }), 3);
  a.say({ act: "gossip", msg: {} });
  assert.ok((await a.next((one) => one.gossip)).gossip.every(({ from }) => from !== a.replica));
});

test("a Replica whose storage was deleted and whose places are few is still believed", async ({ room }) => {
  const r = room("limit=5");
  const [a, b] = [await r.open("a"), await r.open("b")];
  await b.close();
  await r.group("taken", 1);
  await r.replica(a.replica, "forget");
  await r.reset("-replica", { id: a.replica });
  await r.open("c");
  await r.group("taken", 1);
  await r.group("gone", "a");
});

test("a Replica whose clock went back is still believed", async ({ room }) => {
  const r = room("limit=5");
  const [a, b] = [await r.open("a"), await r.open("b")];
  await r.group("taken", 2);
  await r.group("ahead");
  await a.close();
  await r.group("taken", 1);
  await b.close();
  await r.group("taken", 0);
});

test("peers reach a Replica that was reset, and it reaches them", async ({ room }) => {
  const r = room("limit=1");
  const [a, b] = [await r.open("a"), await r.open("b")];
  a.say({ act: "gossip", msg: {} });
  assert.equal((await a.next((one) => one.gossip)).gossip.length, 1);
  await r.reset("-replica", { id: b.replica });
  a.say({ act: "gossip", msg: {} });
  assert.deepEqual((await a.next((one) => one.gossip)).gossip.map(({ from }) => from), [b.replica]);
  const again = await r.open("b");
  assert.equal(again.replica, b.replica);
  again.say({ act: "broadcast", msg: { x: 1 } });
  await a.next(({ x }) => x === 1);
  a.say({ act: "whisper", to: "b", msg: { x: 2 } });
  await again.next(({ x }) => x === 2);
});

test("after kill -9 no place is kept by a connection that is gone, and no Replica is made in its stead", async ({ room, host }) => {
  const r = room("limit=2");
  const sockets = [];
  for (const id of ["a", "b", "c", "d"]) sockets.push(await r.open(id));
  await host.restart("SIGKILL");
  await Promise.all(sockets.map(({ closed }) => within(closed, "close")));
  const first = await r.open("new");
  assert.equal((await r.places()).reduce((all, used) => all + used), 1);
  const rest = [];
  for (const id of ["b", "c", "d"]) rest.push(await r.open(id));
  assert.deepEqual(await r.usage(), [2, 2]);
  assert.equal((await r.group("state")).made, 0);
  assert.ok([first, ...rest].every(({ replica }) => sockets.some((old) => old.replica === replica)));
  rest[0].say({ act: "broadcast", msg: { x: 1 } });
  for (const socket of [first, rest[1], rest[2]]) await socket.next(({ x }) => x === 1);
});

test("counts are exact after any mix of sockets, requests, closes and resets", async ({ room }) => {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
  const random = generator(seed);
  const pick = (list) => list[Math.floor(random() * list.length)];
  const r = room("limit=4,clusterize=slow");
  let open = [];
  let serial = 0;
  try {
    for (let round = 0; round < 15; round += 1) {
      const work = [];
      for (let count = Math.floor(random() * 8); count > 0; count -= 1) work.push(r.open(`id${Math.floor(random() * 20)}`).then((socket) => open.push(socket), () => {}));
      for (let count = Math.floor(random() * 5); count > 0; count -= 1) work.push(r.request("plain", { query: { id: `http${(serial += 1)}` } }));
      for (let count = Math.min(open.length, Math.floor(random() * 5)); count > 0; count -= 1) {
        const [socket] = open.splice(Math.floor(random() * open.length), 1);
        if (random() < 0.5) socket.ws.terminate();
        else work.push(socket.close());
      }
      if (random() < 0.3 && open.length > 0) work.push(r.reset("-replica", { id: pick(open).replica }));
      if (random() < 0.3) work.push(r.reset("-group"));
      await Promise.all(work);
      const { used: most } = (await r.group("places")).reduce((top, one) => (one.used > top.used ? one : top), { used: 0 });
      assert.ok(most <= 4, `${most} places are taken of one Replica`);
    }
    // Sockets of Replicas that were reset are gone: those that still answer are open.
    await r.json("plain", { id: "last" });
    open = (await Promise.all(open.map((socket) => socket.all().then(() => [socket], () => [])))).flat();
    await r.json("-usage");
    await r.group("taken", open.length);
    const there = {};
    for (const { replica } of open) there[replica] = (there[replica] ?? 0) + 1;
    const taken = Object.fromEntries(Object.entries(await r.json("-usage")).filter(([, used]) => used > 0));
    assert.deepEqual(taken, there);
    await Promise.all(open.map((socket) => socket.close()));
    await r.group("taken", 0);
  } catch (error) {
    error.stack = `SEED=${seed}: ${error.stack}`;
    throw error;
  }
});

test("an idle Replica hibernates: sockets, listeners, attachments and places stay", { slow: true }, async ({ room, on }) => {
  const r = room("limit=2");
  const sockets = {};
  for (const id of ["a", "b", "c"]) sockets[id] = await r.open(id);
  const { a, b, c } = sockets;
  await idle(on);
  a.say({ act: "state" });
  const { born, attachment } = await a.next((one) => one.attachment);
  assert.notEqual(born, a.born, "it did not hibernate");
  assert.deepEqual(attachment, { since: a.born });
  a.say({ act: "broadcast", msg: { x: 1 } });
  await Promise.all([b, c].map((socket) => socket.next(({ x }) => x === 1)));
  c.say({ act: "whisper", to: "b", msg: { x: 2 } });
  await b.next(({ x }) => x === 2);
  a.say({ act: "sockets" });
  assert.deepEqual((await a.next((one) => one.all)).all.sort(), ["a", "b"]);
  assert.deepEqual(await r.places(), [2, 1]);
  await a.close();
  assert.deepEqual(await b.next((one) => one.closed), { closed: "a" });
  await r.group("taken", 2);
  assert.deepEqual(await r.usage(), [1, 1]);
});

test("a Replica with hibernation off keeps its fields as long as a socket is open", { slow: true }, async ({ room, on }) => {
  const r = room("limit=2,standard");
  const a = await r.open("a");
  await idle(on);
  a.say({ act: "state" });
  assert.equal((await a.next((one) => one.attachment)).born, a.born);
});

// mulberry32: the same numbers for the same seed.
function generator(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
