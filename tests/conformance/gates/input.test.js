// The input gate: which events may run between two steps of a handler, and which may not.
import { DurableObject } from "cloudflare:workers";
import { test, assert, deferred, sleep } from "../harness.js";
export { default } from "../harness.js";

export class Counter extends DurableObject {
  memory = 0;
  log = [];

  async increment() {
    const value = (await this.ctx.storage.get("n")) ?? 0;
    await this.ctx.storage.put("n", value + 1);
    return value + 1;
  }
  incrementSql() {
    this.ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS c (n)");
    const value = this.ctx.storage.sql.exec("SELECT coalesce(max(n), 0) AS n FROM c").one().n;
    this.ctx.storage.sql.exec("INSERT INTO c VALUES (?)", value + 1);
    return value + 1;
  }
  async fetch() {
    return new Response(String(await this.increment()));
  }
  async step(name, what) {
    this.log.push(`${name} begins`);
    if (what === "storage") {
      for (let i = 0; i < 5; i++) {
        await this.ctx.storage.put(`${name}${i}`, i);
        await this.ctx.storage.get(`${name}${i}`);
      }
      await this.ctx.storage.list();
      await this.ctx.storage.delete(`${name}0`);
    }
    if (what === "microtasks") for (let i = 0; i < 50; i++) await null;
    if (what === "sync") for (let i = 0; i < 5; i++) { await this.ctx.storage.put("s", i); await this.ctx.storage.transaction(async (txn) => { await txn.put("t", i); }); }
    if (what === "timer") await sleep(40);
    if (what === "call") await this.env.COUNTER.getByName(`${this.ctx.id.name}/other`).nap(40);
    if (what === "fetch") await this.env.COUNTER.getByName(`${this.ctx.id.name}/other`).fetch("http://object/");
    this.log.push(`${name} ends`);
  }
  async nap(ms) { await sleep(ms); }
  getLog() { return this.log; }
  async both() {
    // Everybody has read before anybody writes.
    const before = this.memory;
    this.allHaveRead ??= deferred();
    this.readers = (this.readers ?? 0) + 1;
    if (this.readers === 3) setTimeout(this.allHaveRead.resolve, 0);
    await this.allHaveRead.promise;
    this.memory = before + 1;
    return this.memory;
  }
  async timerOrder() {
    const order = [];
    let fired = false;
    setTimeout(() => { fired = true; order.push("timer"); }, 0);
    for (let i = 0; i < 20; i++) { await this.ctx.storage.get("k"); if (fired) break; }
    order.push("storage");
    await sleep(20);
    return order;
  }
  async race() {
    const done = [];
    const names = ["a", "b", "c", "d"];
    await Promise.all(names.map(async (name) => {
      const n = (await this.ctx.storage.get("n")) ?? 0;
      await this.ctx.storage.put("n", n + 1);
      done.push(name);
    }));
    return { done, n: await this.ctx.storage.get("n") };
  }
  // Many wait for something outside, and then read, await and write storage.
  async together(what, count) {
    const other = this.env.COUNTER.getByName(`${this.ctx.id.name}/other`);
    const wait = {
      call: () => other.echo(1),
      fetch: async () => (await other.fetch("http://object/")).text(),
      timer: () => sleep(5),
      network: async () => (await fetch(`${this.origin}/nothing`)).text(),
    }[what];
    await Promise.all(Array.from({ length: count }, async () => {
      await wait();
      const value = (await this.ctx.storage.get("together")) ?? 0;
      await this.ctx.storage.put("together", value + 1);
    }));
    return this.ctx.storage.get("together");
  }
  setOrigin(origin) { this.origin = origin; }
  async callSelf() { return this.env.COUNTER.get(this.ctx.id).echo("from myself"); }
  echo(value) { return value; }
}

test("read, await, write over storage is safe from other calls", async ({ env, name }) => {
  const stub = env.COUNTER.getByName(name);
  const counts = await Promise.all(Array.from({ length: 30 }, () => stub.increment()));
  assert.deepEqual(counts.sort((a, b) => a - b), Array.from({ length: 30 }, (_, i) => i + 1));
});

test("the same over many stubs and over fetch", async ({ env, name }) => {
  const counts = await Promise.all(Array.from({ length: 20 }, async (_, i) => {
    const stub = env.COUNTER.getByName(name);
    return i % 2 ? stub.increment() : Number(await (await stub.fetch("http://object/")).text());
  }));
  assert.deepEqual(counts.sort((a, b) => a - b), Array.from({ length: 20 }, (_, i) => i + 1));
});

test("the same with SQL", async ({ env, name }) => {
  const stub = env.COUNTER.getByName(name);
  const counts = await Promise.all(Array.from({ length: 20 }, () => stub.incrementSql()));
  assert.deepEqual(counts, Array.from({ length: 20 }, (_, i) => i + 1));
});

for (const what of ["storage", "microtasks", "sync"]) {
  test(`no other call begins while one awaits ${what === "sync" ? "transactions" : what}`, async ({ env, name }) => {
    const stub = env.COUNTER.getByName(name);
    await Promise.all([stub.step("a", what), stub.step("b", what), stub.step("c", what)]);
    assert.deepEqual(await stub.getLog(), ["a begins", "a ends", "b begins", "b ends", "c begins", "c ends"]);
  });
}

for (const what of ["timer", "call", "fetch"]) {
  test(`other calls begin while one awaits a ${what === "call" ? "call of another object" : what}`, async ({ env, name }) => {
    const stub = env.COUNTER.getByName(name);
    await Promise.all([stub.step("a", what), stub.step("b", what)]);
    const log = await stub.getLog();
    assert.deepEqual(log.slice(0, 2), ["a begins", "b begins"]);
    assert.deepEqual(log.slice(2).sort(), ["a ends", "b ends"]);
  });
}

test("memory read before a timer may be stale after it", async ({ env, name }) => {
  const stub = env.COUNTER.getByName(name);
  assert.deepEqual(await Promise.all([stub.both(), stub.both(), stub.both()]), [1, 1, 1]);
});

test("a timer does not fire while storage is awaited", async ({ env, name }) => {
  assert.deepEqual(await env.COUNTER.getByName(name).timerOrder(), ["storage", "timer"]);
});

test("parts of one event may interleave at their own awaits", async ({ env, name }) => {
  const { done, n } = await env.COUNTER.getByName(name).race();
  assert.deepEqual(done, ["a", "b", "c", "d"]);
  assert.equal(n, 1);
});

for (const [what, described] of [["call", "results of calls"], ["fetch", "answers of objects"], ["timer", "timers"], ["network", "answers of the network"]]) {
  test(`${described} that come together do not interleave while storage is awaited`, async ({ env, name, origin }) => {
    const stub = env.COUNTER.getByName(name);
    await stub.setOrigin(origin);
    assert.equal(await stub.together(what, 10), 10);
  });
}

test("an object may call itself", async ({ env, name }) => {
  assert.equal(await env.COUNTER.getByName(name).callSelf(), "from myself");
});
