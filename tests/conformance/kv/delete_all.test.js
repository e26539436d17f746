// deleteAll: what it takes away, and when it is refused.
import { DurableObject } from "cloudflare:workers";
import { test, inside, runInside, outcome, assert } from "../harness.js";
export { default } from "../harness.js";

export class Box extends DurableObject {
  run(name) { return runInside(this, name); }
  memory = 0;
  async fill() {
    this.memory = 1;
    await this.ctx.storage.put("k", 1);
    this.ctx.storage.sql.exec("CREATE TABLE t (a)");
    this.ctx.storage.sql.exec("INSERT INTO t VALUES (1)");
  }
  clear() { return this.ctx.storage.deleteAll(); }
  async look() {
    return {
      keys: (await this.ctx.storage.list()).size,
      tables: this.ctx.storage.sql.exec("SELECT name FROM sqlite_master WHERE name NOT LIKE '\\_cf\\_%' ESCAPE '\\'").toArray().length,
      memory: this.memory,
    };
  }
  alarm() {}
}

test("deleteAll leaves nothing to later events, and memory alone", async ({ env, name }) => {
  const box = env.BOX.getByName(name);
  await box.fill();
  assert.deepEqual(await box.look(), { keys: 1, tables: 1, memory: 1 });
  await box.clear();
  assert.deepEqual(await box.look(), { keys: 0, tables: 0, memory: 1 });
});

inside("deleteAll removes keys", async ({ storage, kv }) => {
  await storage.put({ a: 1, b: 2 });
  kv.put("c", 3);
  await storage.deleteAll();
  assert.equal((await storage.list()).size, 0);
  assert.equal(kv.get("c"), undefined);
});

inside("deleteAll removes SQL tables", async ({ storage, sql }) => {
  sql.exec("CREATE TABLE t (a); INSERT INTO t VALUES (1)");
  await storage.deleteAll();
  assert.throws(() => sql.exec("SELECT * FROM t"), { class: "Error", message: "no such table: t: SQLITE_ERROR" });
  sql.exec("CREATE TABLE t (a)");
  assert.equal(sql.exec("SELECT count(*) AS n FROM t").one().n, 0);
});

inside("deleteAll removes the alarm", async ({ storage }) => {
  await storage.setAlarm(Date.now() + 3600_000);
  assert.notEqual(await storage.getAlarm(), null);
  await storage.deleteAll();
  assert.equal(await storage.getAlarm(), null);
});

inside("the storage works after deleteAll", async ({ storage }) => {
  await storage.put("a", 1);
  await storage.deleteAll();
  await storage.put("a", 2);
  assert.equal(await storage.get("a"), 2);
  await storage.deleteAll();
  await storage.deleteAll();
  assert.equal(await storage.get("a"), undefined);
});

inside("a put after deleteAll that was not awaited is kept", async ({ storage }) => {
  await storage.put("old", 1);
  const gone = storage.deleteAll();
  storage.put("new", 2);
  await gone;
  assert.deepEqual([...(await storage.list())], [["new", 2]]);
});

inside("deleteAll takes options", async ({ storage }) => {
  await storage.put("a", 1);
  await storage.deleteAll({ allowUnconfirmed: true, allowConcurrency: true, noCache: true });
  assert.equal(await storage.get("a"), undefined);
});

inside("deleteAll in transactionSync is refused", async ({ storage }) => {
  await storage.put("a", 1);
  let call;
  storage.transactionSync(() => {
    call = outcome(() => storage.deleteAll());
  });
  assert.deepEqual(await call, { class: "Error", name: "Error", message: "Cannot call deleteAll() within a transaction" });
  assert.equal(await storage.get("a"), 1);
});

inside("deleteAll in transaction is refused", async ({ storage }) => {
  await storage.put("a", 1);
  await storage.transaction(async () => {
    await assert.rejects(async () => storage.deleteAll(), { class: "Error", message: "Cannot call deleteAll() within a transaction" });
  });
  assert.equal(await storage.get("a"), 1);
});
