// One database behind sql, kv and the asynchronous storage, over events.
import { DurableObject } from "cloudflare:workers";
import { test, inside, runInside, assert } from "../harness.js";
export { default } from "../harness.js";

export class Box extends DurableObject {
  run(name) { return runInside(this, name); }
}

export class Notes extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    this.sql = ctx.storage.sql;
    this.sql.exec("CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, text TEXT)");
  }
  add(text) { return this.sql.exec("INSERT INTO notes (text) VALUES (?) RETURNING id", text).one().id; }
  all() { return this.sql.exec("SELECT id, text FROM notes ORDER BY id").toArray(); }
  raw() { return this.sql.exec("SELECT text FROM notes").raw().toArray(); }
  leak() { this.cursor = this.sql.exec("SELECT id FROM notes ORDER BY id"); return this.cursor.next().value; }
  more() { return this.cursor.next().value; }
  cursorItself() { return this.sql.exec("SELECT 1"); }
  fail() {
    this.add("before the throw");
    throw new Error("after the write");
  }
}

test("tables live on over events; the constructor may create them", async ({ env, name }) => {
  const notes = env.NOTES.getByName(name);
  assert.equal(await notes.add("first"), 1);
  assert.equal(await notes.add("second"), 2);
  assert.deepEqual(await env.NOTES.getByName(name).all(), [{ id: 1, text: "first" }, { id: 2, text: "second" }]);
  assert.deepEqual(await notes.raw(), [["first"], ["second"]]);
});

test("a write before an exception stays", async ({ env, name }) => {
  const notes = env.NOTES.getByName(name);
  await assert.rejects(notes.fail(), { message: "after the write" });
  assert.deepEqual(await notes.all(), [{ id: 1, text: "before the throw" }]);
});

test("a cursor may be read on in a later event", async ({ env, name }) => {
  const notes = env.NOTES.getByName(name);
  await notes.add("a");
  await notes.add("b");
  assert.deepEqual(await notes.leak(), { id: 1 });
  assert.deepEqual(await notes.more(), { id: 2 });
  assert.equal(await notes.more(), undefined);
});

test("a cursor does not cross RPC", async ({ env, name }) => {
  await assert.rejects(async () => env.NOTES.getByName(name).cursorItself(), { name: "DataCloneError", message: "Could not serialize object of type \"Cursor\". This type does not support serialization." });
});

inside("one event sees what all three wrote", async ({ storage, sql, kv }) => {
  sql.exec("CREATE TABLE t (a); INSERT INTO t VALUES (1)");
  kv.put("sync", 2);
  storage.put("async", 3);
  assert.equal(sql.exec("SELECT a FROM t").one().a, 1);
  assert.equal(kv.get("async"), 3);
  assert.equal(await storage.get("sync"), 2);
});

inside("transactionSync rolls back all three", async ({ storage, sql, kv }) => {
  sql.exec("CREATE TABLE t (a)");
  assert.throws(() => storage.transactionSync(() => {
    sql.exec("INSERT INTO t VALUES (1)");
    kv.put("sync", 2);
    storage.put("async", 3);
    throw new Error("undo");
  }), { message: "undo" });
  assert.equal(sql.exec("SELECT count(*) AS n FROM t").one().n, 0);
  assert.equal(kv.get("sync"), undefined);
  assert.equal(await storage.get("async"), undefined);
});

inside("the key-value table is made when it is first written", async ({ sql, kv }) => {
  const tables = () => sql.exec("SELECT name FROM sqlite_master WHERE name LIKE '\\_cf\\_KV' ESCAPE '\\'").raw().toArray();
  assert.deepEqual(tables(), []);
  kv.put("k", 1);
  assert.deepEqual(tables(), [["_cf_KV"]]);
});
