// What may be bound to a parameter, and what a column gives back.
import { DurableObject } from "cloudflare:workers";
import { inside, runInside, assert } from "../harness.js";
export { default } from "../harness.js";

export class Box extends DurableObject {
  run(name) { return runInside(this, name); }
}

const bound = (sql, value) => sql.exec("SELECT typeof(?1) AS type, ?1 AS value", value).one();

inside("numbers bind as REAL", ({ sql }) => {
  for (const value of [0, 1, -1, 1.5, 2 ** 53, -(2 ** 53), 1e300]) assert.deepEqual(bound(sql, value), { type: "real", value });
});

inside("NaN and infinities", ({ sql }) => {
  assert.deepEqual(bound(sql, NaN), { type: "null", value: null });
  assert.deepEqual(bound(sql, Infinity), { type: "real", value: Infinity });
  assert.deepEqual(bound(sql, -Infinity), { type: "real", value: -Infinity });
});

inside("an INTEGER column makes integers of whole numbers", ({ sql }) => {
  sql.exec("CREATE TABLE t (i INTEGER, n NUMERIC, r REAL, x TEXT, b BLOB, none)");
  sql.exec("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?)", 7, 7, 7, 7, 7, 7);
  assert.deepEqual(sql.exec("SELECT typeof(i), typeof(n), typeof(r), typeof(x), typeof(b), typeof(none) FROM t").raw().toArray(), [
    ["integer", "integer", "real", "text", "real", "real"],
  ]);
  assert.deepEqual(sql.exec("SELECT * FROM t").raw().toArray(), [[7, 7, 7, "7.0", 7, 7]]);
  sql.exec("UPDATE t SET i = ?", 7.5);
  assert.deepEqual(sql.exec("SELECT typeof(i) AS type, i FROM t").one(), { type: "real", i: 7.5 });
});

inside("a number bound to LIMIT and to a rowid", ({ sql }) => {
  sql.exec("CREATE TABLE t (a INTEGER PRIMARY KEY); INSERT INTO t VALUES (1), (2), (3)");
  assert.equal(sql.exec("SELECT a FROM t LIMIT ?", 2).toArray().length, 2);
  assert.equal(sql.exec("SELECT a FROM t WHERE rowid = ?", 3).one().a, 3);
});

inside("strings bind as TEXT", ({ sql }) => {
  for (const value of ["", "text", "名前 😀", "1", "it's"]) assert.deepEqual(bound(sql, value), { type: "text", value });
});

inside("a string with a NUL", ({ sql }) => {
  assert.deepEqual(bound(sql, "a\u0000b"), { type: "text", value: "a\u0000b" });
});

inside("booleans bind as the text of them", ({ sql }) => {
  assert.deepEqual(bound(sql, true), { type: "text", value: "true" });
  assert.deepEqual(bound(sql, false), { type: "text", value: "false" });
});

inside("null and undefined bind as NULL", ({ sql }) => {
  assert.deepEqual(bound(sql, null), { type: "null", value: null });
  assert.deepEqual(bound(sql, undefined), { type: "null", value: null });
});

inside("buffers and views bind as BLOB", ({ sql }) => {
  const bytes = new Uint8Array([1, 2, 3, 4]);
  for (const value of [bytes, bytes.buffer, new Uint16Array(bytes.buffer), new DataView(bytes.buffer)]) {
    const back = bound(sql, value);
    assert.equal(back.type, "blob");
    assert.deepEqual(back.value, bytes.buffer);
  }
  assert.deepEqual(bound(sql, bytes.subarray(1, 3)).value, new Uint8Array([2, 3]).buffer);
  assert.deepEqual(bound(sql, new Uint8Array(0)), { type: "blob", value: new ArrayBuffer(0) });
});

inside("other objects bind as their string", ({ sql }) => {
  const date = new Date(0);
  assert.deepEqual(bound(sql, date), { type: "text", value: String(date) });
  assert.deepEqual(bound(sql, { a: 1 }), { type: "text", value: "[object Object]" });
  assert.deepEqual(bound(sql, [1, 2]), { type: "text", value: "1,2" });
  assert.deepEqual(bound(sql, { toString: () => "own" }), { type: "text", value: "own" });
});

inside("bigint is refused", ({ sql }) => {
  assert.throws(() => bound(sql, 1n), { class: "TypeError", message: "Cannot convert a BigInt value to a number" });
});

inside("symbols are refused", ({ sql }) => {
  assert.throws(() => bound(sql, Symbol("s")), { class: "TypeError", message: "Cannot convert a Symbol value to a string" });
});

inside("the count of bindings must fit", ({ sql }) => {
  const refused = { class: "Error", message: "Wrong number of parameter bindings for SQL query." };
  assert.throws(() => sql.exec("SELECT ?"), refused);
  assert.throws(() => sql.exec("SELECT ?", 1, 2), refused);
  assert.throws(() => sql.exec("SELECT 1", 1), refused);
});

inside("markers are filled by position", ({ sql }) => {
  assert.deepEqual(sql.exec("SELECT ?, ?, ?", "a", "b", "c").raw().toArray(), [["a", "b", "c"]]);
  assert.deepEqual(sql.exec("SELECT ?2 AS x, ?1 AS y", "first", "second").toArray(), [{ x: "second", y: "first" }]);
  assert.deepEqual(sql.exec("SELECT :a AS x, @b AS y, $c AS z, :a AS again", 1, 2, 3).toArray(), [{ x: 1, y: 2, z: 3, again: 1 }]);
});

inside("integers come back as numbers, with the loss of precision that has", ({ sql }) => {
  assert.equal(sql.exec("SELECT 9007199254740991 AS n").one().n, 9007199254740991);
  assert.equal(sql.exec("SELECT 9007199254740993 AS n").one().n, 9007199254740992);
  assert.equal(sql.exec("SELECT -9223372036854775807 - 1 AS n").one().n, -9223372036854775808);
  assert.equal(typeof sql.exec("SELECT 9223372036854775807 AS n").one().n, "number");
});

inside("results of every storage class", ({ sql }) => {
  const row = sql.exec("SELECT 1 AS i, 1.5 AS r, 'x' AS t, x'0102' AS b, NULL AS n, 1 = 1 AS yes").one();
  assert.equal(row.i, 1);
  assert.equal(row.r, 1.5);
  assert.equal(row.t, "x");
  assert.equal(row.b instanceof ArrayBuffer, true);
  assert.deepEqual(row.b, new Uint8Array([1, 2]).buffer);
  assert.equal(row.n, null);
  assert.equal(row.yes, 1);
});

inside("a blob is a fresh buffer each time", ({ sql }) => {
  sql.exec("CREATE TABLE t (b); INSERT INTO t VALUES (x'0102')");
  new Uint8Array(sql.exec("SELECT b FROM t").one().b).fill(9);
  assert.deepEqual(sql.exec("SELECT b FROM t").one().b, new Uint8Array([1, 2]).buffer);
});

inside("text that is no UTF-8 comes back with replacement characters", ({ sql }) => {
  assert.equal(sql.exec("SELECT CAST(x'61FF62' AS TEXT) AS t").one().t, "a\uFFFDb");
});

inside("a column named __proto__", ({ sql }) => {
  const row = sql.exec('SELECT 1 AS "__proto__", 2 AS b').one();
  assert.equal(row.b, 2);
  assert.deepEqual(sql.exec('SELECT 1 AS "__proto__"').columnNames, ["__proto__"]);
});

inside("JSON through text", ({ sql }) => {
  const value = { a: [1, { b: "c" }] };
  assert.equal(sql.exec("SELECT ? ->> '$.a[1].b' AS v", JSON.stringify(value)).one().v, "c");
  assert.deepEqual(sql.exec("SELECT value FROM json_each(?)", "[1,2,3]").raw().toArray(), [[1], [2], [3]]);
});
