// storage.transactionSync: savepoints around synchronous code.
import { DurableObject } from "cloudflare:workers";
import { inside, runInside, assert } from "../harness.js";
export { default } from "../harness.js";

export class Box extends DurableObject {
  run(name) { return runInside(this, name); }
  alarm() {}
}

const count = (sql) => sql.exec("SELECT count(*) AS n FROM t").one().n;

inside("it commits and gives its value", ({ storage, sql, kv }) => {
  sql.exec("CREATE TABLE t (a)");
  const value = storage.transactionSync(() => {
    sql.exec("INSERT INTO t VALUES (1)");
    kv.put("k", "v");
    return { any: "value" };
  });
  assert.deepEqual(value, { any: "value" });
  assert.equal(count(sql), 1);
  assert.equal(kv.get("k"), "v");
});

inside("a throw rolls back, and the very error is thrown on", ({ storage, sql, kv }) => {
  sql.exec("CREATE TABLE t (a)");
  const error = new RangeError("undo");
  let caught;
  try {
    storage.transactionSync(() => {
      sql.exec("INSERT INTO t VALUES (1)");
      sql.exec("CREATE TABLE u (a)");
      kv.put("k", "v");
      throw error;
    });
  } catch (e) {
    caught = e;
  }
  assert.equal(caught, error);
  assert.equal(count(sql), 0);
  assert.equal(kv.get("k"), undefined);
  assert.throws(() => sql.exec("SELECT * FROM u"), { message: "no such table: u: SQLITE_ERROR" });
});

inside("anything may be thrown", ({ storage }) => {
  let caught;
  try {
    storage.transactionSync(() => { throw "a string"; });
  } catch (e) {
    caught = e;
  }
  assert.equal(caught, "a string");
});

inside("it nests", ({ storage, sql }) => {
  sql.exec("CREATE TABLE t (a)");
  storage.transactionSync(() => {
    sql.exec("INSERT INTO t VALUES (1)");
    assert.throws(() => storage.transactionSync(() => {
      sql.exec("INSERT INTO t VALUES (2)");
      storage.transactionSync(() => sql.exec("INSERT INTO t VALUES (3)"));
      throw new Error("middle");
    }), { message: "middle" });
    sql.exec("INSERT INTO t VALUES (4)");
  });
  assert.deepEqual(sql.exec("SELECT a FROM t").raw().toArray(), [[1], [4]]);
});

inside("it nests deep", ({ storage, sql }) => {
  sql.exec("CREATE TABLE t (a)");
  const nest = (depth) => {
    sql.exec("INSERT INTO t VALUES (?)", depth);
    if (depth > 1) storage.transactionSync(() => nest(depth - 1));
  };
  storage.transactionSync(() => nest(50));
  assert.equal(count(sql), 50);
});

inside("a promise as value is given back, and all is committed", async ({ storage, sql }) => {
  sql.exec("CREATE TABLE t (a)");
  const promise = storage.transactionSync(async () => {
    sql.exec("INSERT INTO t VALUES (1)");
    await null;
    throw new Error("too late");
  });
  assert.equal(promise instanceof Promise, true);
  await assert.rejects(promise, { message: "too late" });
  assert.equal(count(sql), 1);
});

inside("an alarm set inside rolls back", async ({ storage }) => {
  const time = Date.now() + 100_000;
  await storage.setAlarm(time);
  assert.throws(() => storage.transactionSync(() => {
    storage.setAlarm(time + 5);
    throw new Error("undo");
  }), { message: "undo" });
  assert.equal(await storage.getAlarm(), time);
});

inside("a cursor read in it and after", ({ storage, sql }) => {
  sql.exec("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2), (3)");
  const cursor = storage.transactionSync(() => {
    const open = sql.exec("SELECT a FROM t ORDER BY a");
    assert.equal(open.next().value.a, 1);
    return open;
  });
  assert.deepEqual(cursor.toArray(), [{ a: 2 }, { a: 3 }]);
});

inside("a failed statement inside that is caught undoes itself alone", ({ storage, sql }) => {
  sql.exec("CREATE TABLE t (a UNIQUE)");
  storage.transactionSync(() => {
    sql.exec("INSERT INTO t VALUES (1)");
    assert.throws(() => sql.exec("INSERT INTO t VALUES (1)"));
    sql.exec("INSERT INTO t VALUES (2)");
  });
  assert.equal(count(sql), 2);
});

inside("without a function", ({ storage }) => {
  assert.throws(() => storage.transactionSync(), { class: "TypeError" });
});
