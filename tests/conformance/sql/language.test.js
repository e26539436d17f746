// The SQL that objects may use: schema, functions, limits.
import { DurableObject } from "cloudflare:workers";
import { inside, runInside, assert } from "../harness.js";
export { default } from "../harness.js";

export class Box extends DurableObject {
  run(name) { return runInside(this, name); }
}

const value = (sql, expression, ...bindings) => sql.exec(`SELECT ${expression} AS v`, ...bindings).one().v;
const failure = (message) => ({ class: "Error", message });

inside("RETURNING, UPSERT and DELETE … LIMIT", ({ sql }) => {
  sql.exec("CREATE TABLE t (k TEXT PRIMARY KEY, n INTEGER)");
  const upsert = "INSERT INTO t VALUES (?, 1) ON CONFLICT (k) DO UPDATE SET n = n + 1 RETURNING n";
  assert.equal(sql.exec(upsert, "a").one().n, 1);
  assert.equal(sql.exec(upsert, "a").one().n, 2);
  sql.exec("INSERT OR IGNORE INTO t VALUES ('a', 9), ('b', 1), ('c', 1)");
  sql.exec("DELETE FROM t WHERE n = 1 ORDER BY k LIMIT 1");
  sql.exec("UPDATE t SET n = 5 ORDER BY k DESC LIMIT 1");
  assert.deepEqual(sql.exec("SELECT k, n FROM t ORDER BY k").raw().toArray(), [["a", 2], ["c", 5]]);
});

inside("views, triggers, generated columns, WITHOUT ROWID, AUTOINCREMENT", ({ sql }) => {
  sql.exec(`CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a, twice AS (a * 2) STORED);
    CREATE TABLE log (what); CREATE TABLE w (k PRIMARY KEY) WITHOUT ROWID;
    CREATE TRIGGER g AFTER INSERT ON t BEGIN INSERT INTO log VALUES ('added ' || new.a); END;
    CREATE VIEW v AS SELECT twice FROM t;`);
  sql.exec("INSERT INTO t (a) VALUES (?)", 21);
  assert.equal(sql.exec("SELECT twice FROM v").one().twice, 42);
  assert.equal(sql.exec("SELECT what FROM log").one().what, "added 21.0");
  assert.equal(sql.exec("SELECT seq FROM sqlite_sequence WHERE name = 't'").one().seq, 1);
});

inside("common table expressions and window functions", ({ sql }) => {
  assert.equal(sql.exec("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) SELECT sum(i) AS s FROM n").one().s, 5050);
  assert.deepEqual(
    sql.exec("SELECT value, sum(value) OVER (ORDER BY value) AS run, row_number() OVER (ORDER BY value DESC) AS r FROM json_each('[1,2,3]') ORDER BY value").raw().toArray(),
    [[1, 1, 3], [2, 3, 2], [3, 6, 1]],
  );
});

inside("ALTER, DROP, REINDEX, ANALYZE, EXPLAIN", ({ sql }) => {
  sql.exec("CREATE TABLE t (a); CREATE INDEX i ON t (a); INSERT INTO t VALUES (1)");
  sql.exec("ALTER TABLE t ADD COLUMN b DEFAULT 'x'");
  sql.exec("ALTER TABLE t RENAME COLUMN b TO c");
  assert.deepEqual(sql.exec("SELECT * FROM t").one(), { a: 1, c: "x" });
  sql.exec("ALTER TABLE t DROP COLUMN c");
  sql.exec("ALTER TABLE t RENAME TO u");
  sql.exec("REINDEX i");
  assert.match(sql.exec("EXPLAIN QUERY PLAN SELECT * FROM u WHERE a = 1").one().detail, /INDEX i/);
  sql.exec("ANALYZE");
  assert.equal(sql.exec("SELECT idx FROM sqlite_stat1 WHERE tbl = 'u'").one().idx, "i");
  sql.exec("DROP INDEX i; DROP TABLE u");
  assert.throws(() => sql.exec("SELECT * FROM u"), failure("no such table: u: SQLITE_ERROR"));
});

inside("core functions", ({ sql }) => {
  assert.equal(value(sql, "abs(-5)"), 5);
  assert.equal(value(sql, "coalesce(NULL, 2)"), 2);
  assert.equal(value(sql, "concat('a', 1, NULL, 'b')"), "a1b");
  assert.equal(value(sql, "concat_ws('-', 'a', 'b')"), "a-b");
  assert.equal(value(sql, "format('%05d|%s', 42, 'x')"), "00042|x");
  assert.equal(value(sql, "hex(x'ABCD')"), "ABCD");
  assert.deepEqual(value(sql, "unhex('ABCD')"), new Uint8Array([0xab, 0xcd]).buffer);
  assert.equal(value(sql, "iif(1 > 0, 'yes', 'no')"), "yes");
  assert.equal(value(sql, "instr('hello', 'l')"), 3);
  assert.equal(value(sql, "lower('ABC') || upper('def')"), "abcDEF");
  assert.equal(value(sql, "octet_length('é')"), 2);
  assert.equal(value(sql, "length('é')"), 1);
  assert.equal(value(sql, "replace('aXb', 'X', '-')"), "a-b");
  assert.equal(value(sql, "round(2.567, 1)"), 2.6);
  assert.equal(value(sql, "substr('hello', 2, 3)"), "ell");
  assert.equal(value(sql, "trim('  x ')"), "x");
  assert.equal(value(sql, "unicode('A')"), 65);
  assert.equal(value(sql, "length(randomblob(8))"), 8);
  assert.equal(value(sql, "length(zeroblob(9))"), 9);
  assert.equal(value(sql, "'abc' GLOB 'a*'"), 1);
  assert.equal(value(sql, "likely(1)"), 1);
  assert.equal(value(sql, "nullif(1, 1)"), null);
  assert.equal(value(sql, "quote('it''s')"), "'it''s'");
});

inside("changes and last_insert_rowid", ({ sql }) => {
  sql.exec("CREATE TABLE t (id INTEGER PRIMARY KEY)");
  sql.exec("INSERT INTO t VALUES (7), (8)");
  assert.equal(value(sql, "changes()"), 2);
  assert.equal(value(sql, "last_insert_rowid()"), 8);
  assert.equal(typeof value(sql, "total_changes()"), "number");
});

inside("dates and times", ({ sql }) => {
  assert.equal(value(sql, "date('2026-01-31', '+1 day')"), "2026-02-01");
  assert.equal(value(sql, "strftime('%Y-%m', '2026-05-06')"), "2026-05");
  assert.equal(value(sql, "unixepoch('1970-01-02')"), 86400);
  assert.equal(value(sql, "timediff('2026-01-02', '2026-01-01')"), "+0000-00-01 00:00:00.000");
  const now = value(sql, "unixepoch('now')");
  assert.ok(Math.abs(now - Date.now() / 1000) < 5, `${now}`);
  assert.match(value(sql, "datetime('now')"), /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
  assert.match(value(sql, "CURRENT_TIMESTAMP"), /^\d{4}-/);
});

inside("aggregates", ({ sql }) => {
  const of = (call) => sql.exec(`SELECT ${call} AS v FROM json_each('[3,1,2]')`).one().v;
  assert.equal(of("sum(value)"), 6);
  assert.equal(of("avg(value)"), 2);
  assert.equal(of("min(value) || max(value)"), "13");
  assert.equal(of("group_concat(value, ',')"), "3,1,2");
  assert.equal(of("string_agg(value, '-' ORDER BY value)"), "1-2-3");
  assert.equal(of("count(DISTINCT value)"), 3);
  assert.equal(of("total(value)"), 6);
});

inside("mathematics", ({ sql }) => {
  assert.equal(value(sql, "sqrt(16)"), 4);
  assert.equal(value(sql, "pow(2, 10)"), 1024);
  assert.equal(value(sql, "ceil(1.2) + floor(1.8)"), 3);
  assert.equal(value(sql, "round(pi(), 5)"), 3.14159);
  assert.equal(value(sql, "mod(7, 4)"), 3);
  assert.equal(value(sql, "log(1000)"), 3);
  assert.equal(value(sql, "log2(8)"), 3);
  assert.equal(value(sql, "log(2, 8)"), 3);
  assert.equal(value(sql, "exp(0) + ln(1) + trunc(1.9)"), 2);
  assert.equal(value(sql, "round(degrees(pi()) + radians(0))"), 180);
  assert.equal(value(sql, "cos(0) + sin(0) + tan(0) + acos(1) + asin(0) + atan(0) + atan2(0, 1)"), 1);
  assert.equal(value(sql, "cosh(0) + sinh(0) + tanh(0) + acosh(1) + asinh(0) + atanh(0)"), 1);
  assert.equal(value(sql, "sign(-3)"), -1);
});

inside("JSON functions", ({ sql }) => {
  assert.equal(value(sql, "json('{ \"a\" : 1 }')"), '{"a":1}');
  assert.equal(value(sql, "json_extract('{\"a\":[1,2]}', '$.a[1]')"), 2);
  assert.equal(value(sql, "'{\"a\":\"x\"}' -> 'a'"), '"x"');
  assert.equal(value(sql, "'{\"a\":\"x\"}' ->> 'a'"), "x");
  assert.equal(value(sql, "json_array_length('[1,2,3]')"), 3);
  assert.equal(value(sql, "json_set('{}', '$.a', 1)"), '{"a":1}');
  assert.equal(sql.exec("SELECT json_group_array(value) AS v FROM json_each('[1,2]')").one().v, "[1,2]");
  assert.equal(sql.exec("SELECT json_group_object(key, value) AS v FROM json_each('{\"a\":1}')").one().v, '{"a":1}');
  assert.equal(value(sql, "json_patch('{\"a\":1}', '{\"b\":2}')"), '{"a":1,"b":2}');
  assert.equal(value(sql, "json_remove('[1,2,3]', '$[1]')"), "[1,3]");
  assert.equal(value(sql, "json_object('a', json_array(1, 'x'))"), '{"a":[1,"x"]}');
  assert.equal(value(sql, "json_quote('x')"), '"x"');
  assert.equal(value(sql, "json_valid('{')"), 0);
  assert.equal(value(sql, "json_type('[]')"), "array");
  assert.equal(value(sql, "json(jsonb('{\"a\":1}'))"), '{"a":1}');
  assert.equal(sql.exec("SELECT count(*) AS n FROM json_tree('{\"a\":{\"b\":1}}')").one().n, 3);
});

inside("limit: 100 parameters", ({ sql }) => {
  const marks = (n) => Array(n).fill("?").join(", ");
  assert.equal(sql.exec(`SELECT 1 AS x WHERE 1 IN (${marks(100)})`, ...Array(100).fill(1)).toArray().length, 1);
  assert.throws(() => sql.exec(`SELECT 1 WHERE 1 IN (${marks(101)})`, ...Array(101).fill(1)), { class: "Error", message: /^too many SQL variables at offset \d+: SQLITE_ERROR$/ });
});

inside("limit: 100 columns", ({ sql }) => {
  const columns = (n) => Array.from({ length: n }, (_, i) => `c${i}`).join(", ");
  sql.exec(`CREATE TABLE c100 (${columns(100)})`);
  assert.throws(() => sql.exec(`CREATE TABLE c101 (${columns(101)})`), failure("too many columns on c101: SQLITE_ERROR"));
});

inside("limit: 5 terms of a compound SELECT", ({ sql }) => {
  const union = (n) => Array(n).fill("SELECT 1").join(" UNION ALL ");
  assert.equal(sql.exec(union(5)).toArray().length, 5);
  assert.throws(() => sql.exec(union(6)), failure("too many terms in compound SELECT: SQLITE_ERROR"));
});

inside("limit: 50 bytes of a LIKE or GLOB pattern", ({ sql }) => {
  assert.equal(value(sql, "'x' LIKE ?", "x".repeat(50)), 0);
  assert.throws(() => value(sql, "'x' LIKE ?", "x".repeat(51)), failure("LIKE or GLOB pattern too complex: SQLITE_ERROR"));
});

inside("limit: 100,000 bytes of SQL", ({ sql }) => {
  assert.equal(value(sql, `1 ${" ".repeat(90_000)}`), 1);
  assert.throws(() => sql.exec(`SELECT 1${" ".repeat(100_001)}`), failure("statement too long: SQLITE_TOOBIG"));
});

inside("limit: depth of an expression", ({ sql }) => {
  assert.equal(value(sql, `${"1 + ".repeat(90)}1`), 91);
  assert.throws(() => value(sql, `${"1 + ".repeat(120)}1`), { class: "Error", message: /^Expression tree is too large \(maximum depth 100\).*SQLITE_ERROR$/ });
});

inside("limit: depth of triggers", ({ sql }) => {
  sql.exec("PRAGMA recursive_triggers = on");
  sql.exec("CREATE TABLE t (n); CREATE TRIGGER g AFTER INSERT ON t WHEN new.n < 50 BEGIN INSERT INTO t VALUES (new.n + 1); END");
  assert.throws(() => sql.exec("INSERT INTO t VALUES (1)"), failure("triggers nested too deep: SQLITE_ERROR"));
});

inside("limit: size of a value", ({ sql }) => {
  sql.exec("CREATE TABLE t (b)");
  sql.exec("INSERT INTO t VALUES (?)", new Uint8Array(2_000_000 - 1000));
  assert.equal(sql.exec("SELECT length(b) AS n FROM t").one().n, 2_000_000 - 1000);
  assert.throws(() => sql.exec("INSERT INTO t VALUES (?)", new Uint8Array(9 << 20)), failure("string or blob too big: SQLITE_TOOBIG"));
});

inside("limit: the documented 2 MB of a value", ({ sql }) => {
  sql.exec("CREATE TABLE t (b)");
  assert.throws(() => sql.exec("INSERT INTO t VALUES (?)", new Uint8Array(3 << 20)), failure("string or blob too big: SQLITE_TOOBIG"));
});

inside("many statements of a program", ({ sql }) => {
  sql.exec(`CREATE TABLE t (a);${"INSERT INTO t VALUES (1);".repeat(500)}`);
  assert.equal(sql.exec("SELECT count(*) AS n FROM t").one().n, 500);
});

inside("thousands of rows", ({ sql }) => {
  sql.exec("CREATE TABLE t (a INTEGER PRIMARY KEY, b)");
  sql.exec("INSERT INTO t SELECT i.value + 1000 * j.value, 'row' FROM (WITH RECURSIVE n(value) AS (SELECT 0 UNION ALL SELECT value + 1 FROM n WHERE value < 999) SELECT value FROM n) i, (WITH RECURSIVE m(value) AS (SELECT 0 UNION ALL SELECT value + 1 FROM m WHERE value < 4) SELECT value FROM m) j");
  let sum = 0;
  for (const { a } of sql.exec("SELECT a FROM t")) sum += a;
  assert.equal(sum, (4999 * 5000) / 2);
});
