// storage.transaction: a critical section that commits or rolls back as one.
import { DurableObject } from "cloudflare:workers";
import { test, inside, runInside, assert, sleep } from "../harness.js";
export { default } from "../harness.js";

export class Box extends DurableObject {
  log = [];
  instance = crypto.randomUUID();
  run(name) { return runInside(this, name); }
  which() { return this.instance; }
  note(what) { this.log.push(what); return this.log; }
  async long() {
    await this.ctx.storage.transaction(async (txn) => {
      this.log.push("begins");
      await txn.put("a", 1);
      await sleep(20);
      await txn.put("b", 2);
      this.log.push("ends");
    });
  }
  failing() {
    return this.ctx.storage.transaction(async (txn) => {
      await txn.put("k", 1);
      throw new RangeError("no commit");
    });
  }
  async abortWithin() {
    await this.ctx.storage.transaction(async (txn) => {
      await txn.put("k", 1);
      await sleep(5);
      this.ctx.abort("within");
    });
  }
  async keys() { return [...(await this.ctx.storage.list()).keys()]; }
  alarm() {}
}

const keys = async (storage) => [...(await storage.list()).keys()].join(" ");

inside("a transaction commits and gives its value", async ({ storage }) => {
  const value = await storage.transaction(async (txn) => {
    assert.equal(await txn.put("a", 1), undefined);
    assert.equal(await txn.get("a"), 1);
    return "value";
  });
  assert.equal(value, "value");
  assert.equal(await storage.get("a"), 1);
});

inside("a throw rolls back and is thrown on", async ({ storage }) => {
  await storage.put("a", "before");
  await assert.rejects(storage.transaction(async (txn) => {
    await txn.put("a", "changed");
    await txn.put("b", 1);
    throw new RangeError("undo");
  }), { class: "RangeError", message: "undo" });
  assert.equal(await storage.get("a"), "before");
  assert.equal(await storage.get("b"), undefined);
});

inside("the very error is thrown on", async ({ storage }) => {
  const error = Object.assign(new Error("mine"), { code: 5 });
  const caught = await storage.transaction(async () => { throw error; }).catch((e) => e);
  assert.equal(caught, error);
});

inside("txn has the operations of the storage", async ({ storage }) => {
  await storage.put({ x: 0, y: 0 });
  await storage.transaction(async (txn) => {
    await txn.put({ a: 1, b: 2 });
    assert.deepEqual(await txn.get(["a", "b", "c"]), new Map([["a", 1], ["b", 2]]));
    assert.deepEqual([...(await txn.list()).keys()], ["a", "b", "x", "y"]);
    assert.deepEqual([...(await txn.list({ prefix: "a" })).keys()], ["a"]);
    assert.equal(await txn.delete("a"), true);
    assert.equal(await txn.delete(["x", "missing"]), 1);
  });
  assert.equal(await keys(storage), "b y");
});

inside("txn has no deleteAll that works, no sql and no kv", async ({ storage }) => {
  await storage.transaction(async (txn) => {
    for (const key of ["get", "list", "put", "delete", "rollback", "getAlarm", "setAlarm", "deleteAlarm"]) assert.equal(typeof txn[key], "function", key);
    assert.equal(txn.sql, undefined);
    assert.equal(txn.kv, undefined);
    await assert.rejects(async () => txn.deleteAll(), { class: "Error", message: "Cannot call deleteAll() within a transaction" });
  });
});

inside("storage, sql and kv inside belong to it", async ({ storage, sql, kv }) => {
  sql.exec("CREATE TABLE t (a)");
  await assert.rejects(storage.transaction(async () => {
    storage.put("async", 1);
    kv.put("sync", 2);
    sql.exec("INSERT INTO t VALUES (1)");
    await storage.setAlarm(Date.now() + 100_000);
    throw new Error("undo");
  }), { message: "undo" });
  assert.equal(await keys(storage), "");
  assert.equal(sql.exec("SELECT count(*) AS n FROM t").one().n, 0);
  assert.equal(await storage.getAlarm(), null);
});

inside("rollback undoes everything, and the closure goes on", async ({ storage }) => {
  await storage.put("a", "before");
  const value = await storage.transaction(async (txn) => {
    await txn.put("a", "changed");
    await storage.put("direct", 1);
    txn.rollback();
    return "returned";
  });
  assert.equal(value, "returned");
  assert.equal(await storage.get("a"), "before");
  assert.equal(await storage.get("direct"), undefined);
});

inside("txn after rollback", async ({ storage }) => {
  await storage.transaction(async (txn) => {
    txn.rollback();
    await assert.rejects(async () => txn.get("a"), { class: "Error", message: "Cannot get() on rolled back transaction" });
    await assert.rejects(async () => txn.put("a", 1), { class: "Error", message: "Cannot put() on rolled back transaction" });
    await assert.rejects(async () => txn.list(), { class: "Error", message: "Cannot list() on rolled back transaction" });
    await assert.rejects(async () => txn.delete("a"), { class: "Error", message: "Cannot delete() on rolled back transaction" });
    txn.rollback();
  });
});

inside("txn after its end", async ({ storage }) => {
  let kept;
  await storage.transaction(async (txn) => { kept = txn; });
  const message = (what) => `Cannot call ${what}() on transaction that has already committed: did you move \`txn\` outside of the closure?`;
  await assert.rejects(async () => kept.get("a"), { class: "Error", message: message("get") });
  await assert.rejects(async () => kept.put("a", 1), { class: "Error", message: message("put") });
  await assert.rejects(async () => kept.list(), { class: "Error", message: message("list") });
  await assert.rejects(async () => kept.delete("a"), { class: "Error", message: message("delete") });
  await assert.rejects(async () => kept.rollback(), { class: "Error", message: "Cannot call rollback() on transaction that has already committed: did you move `txn` outside of the closure?" });
  assert.equal(await keys(storage), "");
});

inside("an inner throw undoes the inner level alone", async ({ storage }) => {
  await storage.transaction(async (outer) => {
    await outer.put("outer", 1);
    await assert.rejects(storage.transaction(async (inner) => {
      await inner.put("inner", 1);
      throw new Error("inner");
    }), { message: "inner" });
    await outer.put("after", 1);
  });
  assert.equal(await keys(storage), "after outer");
});

inside("an outer throw undoes a committed inner level", async ({ storage }) => {
  await assert.rejects(storage.transaction(async (outer) => {
    await storage.transaction(async (inner) => { await inner.put("inner", 1); });
    await outer.put("outer", 1);
    throw new Error("outer");
  }), { message: "outer" });
  assert.equal(await keys(storage), "");
});

inside("transactionSync within transaction", async ({ storage, kv }) => {
  await storage.transaction(async () => {
    storage.transactionSync(() => kv.put("kept", 1));
    assert.throws(() => storage.transactionSync(() => { kv.put("undone", 1); throw new Error("x"); }), { message: "x" });
  });
  assert.equal(await keys(storage), "kept");
});

inside("transactions one after the other", async ({ storage }) => {
  for (let i = 0; i < 10; i++) await storage.transaction(async (txn) => txn.put("n", ((await txn.get("n")) ?? 0) + 1));
  assert.equal(await storage.get("n"), 10);
});

inside("transactions at once run one by one", async ({ storage }) => {
  await Promise.all(Array.from({ length: 10 }, () => storage.transaction(async (txn) => {
    const n = (await txn.get("n")) ?? 0;
    await sleep(1);
    await txn.put("n", n + 1);
  })));
  assert.equal(await storage.get("n"), 10);
});

inside("a closure that is not async", async ({ storage }) => {
  assert.equal(await storage.transaction(() => "plain"), "plain");
  await assert.rejects(async () => storage.transaction(() => { throw new Error("sync throw"); }), { message: "sync throw" });
});

inside("the closure starts after the microtasks that are due", async ({ storage }) => {
  const log = [];
  const chain = (async () => { for (let i = 0; i < 5; i++) { await null; log.push(i); } })();
  await storage.transaction(async () => { log.push("closure"); });
  await chain;
  assert.deepEqual(log, [0, 1, 2, 3, 4, "closure"]);
});

inside("what was written before a rolled back transaction stays", async ({ storage }) => {
  storage.put("before", 1);
  await storage.transaction(async (txn) => {
    await txn.put("within", 1);
    txn.rollback();
  });
  assert.equal(await keys(storage), "before");
});

test("a throw reaches the caller and does not reset the object", async ({ env, name }) => {
  const box = env.BOX.getByName(name);
  const instance = await box.which();
  await assert.rejects(box.failing(), { class: "RangeError", message: "no commit", remote: true, durableObjectReset: undefined });
  assert.equal(await box.which(), instance);
  assert.deepEqual(await box.keys(), []);
});

test("other events wait for the transaction", async ({ env, name }) => {
  const box = env.BOX.getByName(name);
  await Promise.all([box.long(), box.note("other")]);
  assert.deepEqual(await box.note("last"), ["begins", "ends", "other", "last"]);
});

test("an abort within loses all of it", async ({ env, name }) => {
  await assert.rejects(env.BOX.getByName(name).abortWithin(), { message: "within", durableObjectReset: true });
  assert.deepEqual(await env.BOX.getByName(name).keys(), []);
});
