// exec and its cursor: rows, shapes, counters.
import { DurableObject } from "cloudflare:workers";
import { inside, runInside, assert } from "../harness.js";
export { default } from "../harness.js";

export class Box extends DurableObject {
  run(name) { return runInside(this, name); }
}

const fill = (sql) => sql.exec("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT); INSERT INTO t VALUES (1, 'one'), (2, 'two'), (3, 'three')");
const all = "SELECT a, b FROM t ORDER BY a";
const rows = [{ a: 1, b: "one" }, { a: 2, b: "two" }, { a: 3, b: "three" }];

inside("exec gives a cursor at once", ({ sql }) => {
  const cursor = sql.exec("SELECT 1 AS one");
  assert.equal(typeof cursor.next, "function");
  assert.equal(cursor instanceof Promise, false);
  assert.equal(cursor[Symbol.iterator]() === undefined, false);
  assert.equal(cursor.constructor.name, "Cursor");
});

inside("toArray gives row objects", ({ sql }) => {
  fill(sql);
  assert.deepEqual(sql.exec(all).toArray(), rows);
  assert.equal(Object.getPrototypeOf(sql.exec(all).toArray()[0]), Object.prototype);
  assert.deepEqual(sql.exec("SELECT * FROM t WHERE a > 9").toArray(), []);
});

inside("a cursor is iterable", ({ sql }) => {
  fill(sql);
  const seen = [];
  for (const row of sql.exec(all)) seen.push(row);
  assert.deepEqual(seen, rows);
  assert.deepEqual([...sql.exec(all)], rows);
});

inside("next", ({ sql }) => {
  fill(sql);
  const cursor = sql.exec(`${all} LIMIT 2`);
  assert.deepEqual(cursor.next(), { done: false, value: rows[0] });
  assert.deepEqual(cursor.next(), { done: false, value: rows[1] });
  assert.equal(cursor.next().done, true);
  assert.equal(cursor.next().value, undefined);
  assert.equal(cursor.next().done, true);
});

inside("all ways of reading share one position", ({ sql }) => {
  fill(sql);
  const cursor = sql.exec(all);
  cursor.next();
  assert.deepEqual(cursor.raw().next().value, [2, "two"]);
  assert.deepEqual(cursor.toArray(), [rows[2]]);
  assert.deepEqual(cursor.toArray(), []);
});

inside("a loop that ends early leaves the rest", ({ sql }) => {
  fill(sql);
  const cursor = sql.exec(all);
  for (const row of cursor) {
    assert.equal(row.a, 1);
    break;
  }
  assert.equal(cursor.toArray().length, 2);
});

inside("one", ({ sql }) => {
  fill(sql);
  assert.deepEqual(sql.exec("SELECT b FROM t WHERE a = 2").one(), { b: "two" });
});

inside("one refuses no rows and many rows", ({ sql }) => {
  fill(sql);
  assert.throws(() => sql.exec("SELECT * FROM t WHERE a = 9").one(), {
    class: "Error", message: "Expected exactly one result from SQL query, but got no results.",
  });
  assert.throws(() => sql.exec("SELECT * FROM t").one(), {
    class: "Error", message: "Expected exactly one result from SQL query, but got multiple results.",
  });
});

inside("raw gives arrays", ({ sql }) => {
  fill(sql);
  assert.deepEqual([...sql.exec(all).raw()], [[1, "one"], [2, "two"], [3, "three"]]);
  assert.deepEqual(sql.exec(all).raw().toArray(), [[1, "one"], [2, "two"], [3, "three"]]);
  assert.deepEqual(sql.exec(all).raw().next(), { done: false, value: [1, "one"] });
});

inside("raw has the iterator helpers", ({ sql }) => {
  fill(sql);
  assert.deepEqual(sql.exec(all).raw().map(([a]) => a * 10).toArray(), [10, 20, 30]);
  assert.deepEqual(sql.exec(all).raw().take(1).toArray(), [[1, "one"]]);
  assert.deepEqual(sql.exec(all).raw().filter(([a]) => a > 2).toArray(), [[3, "three"]]);
});

inside("columnNames", ({ sql }) => {
  fill(sql);
  assert.deepEqual(sql.exec("SELECT a, b AS bee, a + 1, count(*) OVER () AS n FROM t").columnNames, ["a", "bee", "a + 1", "n"]);
  assert.deepEqual(sql.exec("SELECT * FROM t WHERE 0").columnNames, ["a", "b"]);
  assert.deepEqual(sql.exec("CREATE TABLE u (x)").columnNames, []);
  const cursor = sql.exec(all);
  cursor.toArray();
  assert.deepEqual(cursor.columnNames, ["a", "b"]);
});

inside("of two columns of one name the last wins, raw keeps both", ({ sql }) => {
  assert.deepEqual(sql.exec("SELECT 1 AS x, 2 AS x, 3 AS y").toArray(), [{ x: 2, y: 3 }]);
  const cursor = sql.exec("SELECT 1 AS x, 2 AS x, 3 AS y");
  assert.deepEqual(cursor.columnNames, ["x", "x", "y"]);
  assert.deepEqual(cursor.raw().toArray(), [[1, 2, 3]]);
});

inside("columns keep their order", ({ sql }) => {
  assert.deepEqual(Object.keys(sql.exec("SELECT 1 AS z, 2 AS a, 3 AS m").one()), ["z", "a", "m"]);
});

inside("rowsRead and rowsWritten of a select", ({ sql }) => {
  fill(sql);
  const cursor = sql.exec(all);
  cursor.toArray();
  assert.equal(cursor.rowsRead, 3);
  assert.equal(cursor.rowsWritten, 0);
});

inside("rowsRead grows as the cursor is read", ({ sql }) => {
  fill(sql);
  const cursor = sql.exec(all);
  cursor.next();
  const early = cursor.rowsRead;
  cursor.toArray();
  assert.ok(early >= 1 && early <= 2, `early is ${early}`);
  assert.equal(cursor.rowsRead, 3);
});

inside("rowsWritten of insert, update and delete", ({ sql }) => {
  sql.exec("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)");
  assert.equal(sql.exec("INSERT INTO t VALUES (1, 'x'), (2, 'y'), (3, 'z')").rowsWritten, 3);
  assert.equal(sql.exec("UPDATE t SET b = 'q' WHERE a <= 2").rowsWritten, 2);
  assert.equal(sql.exec("DELETE FROM t WHERE a = 3").rowsWritten, 1);
  assert.equal(sql.exec("DELETE FROM t WHERE a = 99").rowsWritten, 0);
});

inside("an index counts as rows written", ({ sql }) => {
  sql.exec("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT); CREATE INDEX i ON t (b)");
  assert.equal(sql.exec("INSERT INTO t VALUES (1, 'x')").rowsWritten, 2);
});

inside("a scan counts every row it passed", ({ sql }) => {
  fill(sql);
  const cursor = sql.exec("SELECT count(*) AS n FROM t WHERE b LIKE 't%'");
  assert.equal(cursor.one().n, 2);
  assert.equal(cursor.rowsRead, 3);
});

inside("writes take effect without reading the cursor", ({ sql }) => {
  sql.exec("CREATE TABLE t (a)");
  sql.exec("INSERT INTO t VALUES (1)");
  assert.equal(sql.exec("SELECT count(*) AS n FROM t").one().n, 1);
});

inside("an insert with RETURNING takes effect whole, whatever is read", ({ sql }) => {
  sql.exec("CREATE TABLE t (a)");
  const cursor = sql.exec("INSERT INTO t VALUES (1), (2), (3) RETURNING a");
  assert.equal(sql.exec("SELECT count(*) AS n FROM t").one().n, 3);
  assert.deepEqual(cursor.toArray(), [{ a: 1 }, { a: 2 }, { a: 3 }]);
});

inside("two open cursors on one query are apart", ({ sql }) => {
  fill(sql);
  const first = sql.exec(all);
  const second = sql.exec(all);
  assert.equal(first.next().value.a, 1);
  assert.equal(second.next().value.a, 1);
  assert.equal(first.next().value.a, 2);
  assert.equal(second.next().value.a, 2);
});

inside("one query again and again", ({ sql }) => {
  fill(sql);
  for (let i = 0; i < 50; i++) assert.equal(sql.exec("SELECT b FROM t WHERE a = ?", 2).one().b, "two");
});

inside("several statements in one string", ({ sql }) => {
  const cursor = sql.exec("CREATE TABLE t (a); INSERT INTO t VALUES (1); INSERT INTO t VALUES (2); SELECT sum(a) AS s FROM t;");
  assert.deepEqual(cursor.toArray(), [{ s: 3 }]);
});

inside("of several statements the last alone may bind", ({ sql }) => {
  sql.exec("CREATE TABLE t (a)");
  sql.exec("INSERT INTO t VALUES (1); INSERT INTO t VALUES (?)", 2);
  assert.deepEqual(sql.exec("SELECT a FROM t").raw().toArray(), [[1], [2]]);
  assert.throws(() => sql.exec("INSERT INTO t VALUES (?); SELECT ?", 1, 2), {
    class: "Error", message: "When executing multiple SQL statements in a single call, only the last statement can have parameters.",
  });
});

inside("a statement that fails keeps the ones before it", ({ sql }) => {
  assert.throws(() => sql.exec("CREATE TABLE t (a); INSERT INTO t VALUES (1); SELECT * FROM missing"), {
    class: "Error", message: "no such table: missing: SQLITE_ERROR",
  });
  assert.equal(sql.exec("SELECT count(*) AS n FROM t").one().n, 1);
});

inside("nothing to execute", ({ sql }) => {
  const refused = { class: "Error", message: "SQL code did not contain a statement." };
  for (const text of ["", "   ", "-- comment", "/* comment */", "\n\n"]) assert.throws(() => sql.exec(text), refused, JSON.stringify(text));
});

inside("comments and empty statements around a statement", ({ sql }) => {
  assert.equal(sql.exec("-- first\n SELECT 1 AS one -- last").one().one, 1);
  assert.equal(sql.exec("/* a */ ; SELECT 1 AS one; \n").one().one, 1);
});

inside("a comment after the last semicolon is a statement that is none", ({ sql }) => {
  for (const text of ["SELECT 1; -- last", "SELECT 1; /* last */", "SELECT 1; ;"]) {
    assert.throws(() => sql.exec(text), { class: "Error", message: "SQL code did not contain a statement." }, text);
  }
});

inside("exec without arguments", ({ sql }) => {
  assert.throws(() => sql.exec(), { class: "TypeError" });
});

inside("databaseSize", ({ sql }) => {
  sql.exec("CREATE TABLE t (a)");
  const before = sql.databaseSize;
  assert.equal(before % 4096, 0);
  assert.ok(before >= 4096);
  for (let i = 0; i < 10; i++) sql.exec("INSERT INTO t VALUES (randomblob(10000))");
  const full = sql.databaseSize;
  assert.ok(full >= before + 100_000, `${full}`);
  sql.exec("DELETE FROM t");
  assert.ok(sql.databaseSize < full - 90_000, `${sql.databaseSize}`);
});

inside("sql is the same object each time", ({ storage, sql }) => {
  assert.equal(storage.sql, sql);
  assert.equal(sql.constructor.name, "SqlStorage");
});

inside("a cursor outlives an await", async ({ sql, storage }) => {
  fill(sql);
  const cursor = sql.exec(all);
  assert.equal(cursor.next().value.a, 1);
  await storage.put("k", 1);
  assert.equal(cursor.next().value.a, 2);
});
