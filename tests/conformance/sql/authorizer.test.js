// What SQL may and may not do: reserved tables, PRAGMAs, functions, virtual tables.
import { DurableObject } from "cloudflare:workers";
import { inside, runInside, assert } from "../harness.js";
export { default } from "../harness.js";

export class Box extends DurableObject {
  run(name) { return runInside(this, name); }
}

const denied = (sql, query) => assert.throws(() => sql.exec(query).toArray(), { class: "Error", message: "not authorized: SQLITE_AUTH" }, query);

inside("PRAGMAs that are denied", ({ sql }) => {
  for (const pragma of [
    "journal_mode", "journal_mode = DELETE", "synchronous", "synchronous = OFF", "user_version", "user_version = 1", "integrity_check",
    "page_count", "freelist_count", "function_list", "module_list", "pragma_list", "compile_options", "database_list", "collation_list",
    "writable_schema = ON", "writable_schema", "schema_version", "application_id", "auto_vacuum", "incremental_vacuum", "cache_size",
    "cache_size = 10", "encoding", "locking_mode = EXCLUSIVE", "mmap_size", "max_page_count", "max_page_count = 10", "secure_delete",
    "soft_heap_limit", "hard_heap_limit", "temp_store", "threads", "trusted_schema", "wal_checkpoint", "wal_autocheckpoint", "busy_timeout",
    "cell_size_check", "query_only = 1", "read_uncommitted", "shrink_memory", "stats", "automatic_index", "analysis_limit",
  ]) denied(sql, `PRAGMA ${pragma}`);
});

inside("PRAGMAs that read", ({ sql }) => {
  sql.exec("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT NOT NULL DEFAULT 'x'); CREATE INDEX i ON t (b); CREATE TABLE c (p REFERENCES t(a))");
  assert.equal(sql.exec("PRAGMA page_size").one().page_size, 4096);
  assert.equal(typeof sql.exec("PRAGMA data_version").one().data_version, "number");
  assert.deepEqual(sql.exec("PRAGMA table_info(t)").toArray(), [
    { cid: 0, name: "a", type: "INTEGER", notnull: 0, dflt_value: null, pk: 1 },
    { cid: 1, name: "b", type: "TEXT", notnull: 1, dflt_value: "'x'", pk: 0 },
  ]);
  assert.deepEqual(sql.exec("PRAGMA table_xinfo(t)").toArray().map((row) => [row.name, row.hidden]), [["a", 0], ["b", 0]]);
  assert.deepEqual(sql.exec("PRAGMA index_list(t)").toArray(), [{ seq: 0, name: "i", unique: 0, origin: "c", partial: 0 }]);
  assert.deepEqual(sql.exec("PRAGMA index_info(i)").toArray(), [{ seqno: 0, cid: 1, name: "b" }]);
  assert.equal(sql.exec("PRAGMA index_xinfo(i)").toArray().length, 2);
  assert.equal(sql.exec("PRAGMA foreign_key_list(c)").one().table, "t");
  assert.deepEqual(sql.exec("PRAGMA foreign_key_check").toArray(), []);
  assert.deepEqual(sql.exec("PRAGMA quick_check").toArray(), [{ quick_check: "ok" }]);
  const tables = sql.exec("PRAGMA table_list").toArray().map((row) => row.name);
  assert.ok(tables.includes("t") && tables.includes("c"), String(tables));
});

inside("PRAGMAs as table functions", ({ sql }) => {
  sql.exec("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)");
  assert.deepEqual(sql.exec("SELECT name FROM pragma_table_info('t') ORDER BY cid").raw().toArray(), [["a"], ["b"]]);
  assert.deepEqual(sql.exec("SELECT name FROM pragma_table_info(?)", "t").raw().toArray(), [["a"], ["b"]]);
});

inside("PRAGMAs that set", ({ sql }) => {
  for (const pragma of [
    "case_sensitive_like", "foreign_keys", "defer_foreign_keys", "ignore_check_constraints", "legacy_alter_table", "recursive_triggers", "reverse_unordered_selects",
  ]) {
    assert.deepEqual(sql.exec(`PRAGMA ${pragma} = 1`).toArray().length <= 1, true, pragma);
    sql.exec(`PRAGMA ${pragma} = off`);
  }
  sql.exec("PRAGMA optimize");
  assert.deepEqual(sql.exec("PRAGMA recursive_triggers").toArray().length, 1);
});

inside("a boolean PRAGMA takes effect", ({ sql }) => {
  assert.equal(sql.exec("SELECT 'A' LIKE 'a' AS like").one().like, 1);
  sql.exec("PRAGMA case_sensitive_like = true");
  assert.equal(sql.exec("SELECT 'A' LIKE 'a' AS like").one().like, 0);
  sql.exec("PRAGMA case_sensitive_like = false");
});

inside("a boolean PRAGMA takes booleans alone", ({ sql }) => {
  for (const value of ["on", "off", "true", "false", "yes", "no", "1", "0", "ON", "True"]) sql.exec(`PRAGMA recursive_triggers = ${value}`);
  assert.deepEqual(sql.exec("PRAGMA recursive_triggers").one(), { recursive_triggers: 1 });
  for (const value of ["banana", "2", "'x'", "-1"]) denied(sql, `PRAGMA foreign_keys = ${value}`);
  assert.deepEqual(sql.exec("PRAGMA foreign_keys").one(), { foreign_keys: 1 });
});

inside("foreign keys are on", ({ sql }) => {
  sql.exec("CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (p REFERENCES p(id) ON DELETE CASCADE)");
  sql.exec("INSERT INTO p VALUES (1); INSERT INTO c VALUES (1); DELETE FROM p");
  assert.equal(sql.exec("SELECT count(*) AS n FROM c").one().n, 0);
});

inside("ATTACH, DETACH and TEMP are denied", ({ sql }) => {
  sql.exec("CREATE TABLE t (a)");
  for (const query of ["ATTACH 'x.db' AS x", "ATTACH ':memory:' AS x", "DETACH x", "CREATE TEMP TABLE x (a)", "CREATE TEMPORARY VIEW v AS SELECT 1", "CREATE TEMP TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END"]) denied(sql, query);
});

inside("reserved names are denied, in any case", async ({ sql }) => {
  sql.exec("CREATE TABLE t (a)");
  for (const query of ["CREATE TABLE _cf_x (a)", "CREATE TABLE _CF_x (a)", "CREATE INDEX _cf_i ON t (a)", "CREATE VIEW _cf_v AS SELECT 1", "ALTER TABLE t RENAME TO _cf_t", "CREATE TRIGGER _cf_g AFTER INSERT ON t BEGIN SELECT 1; END"]) denied(sql, query);
});

inside("the key-value table is not readable nor writable", async ({ sql, storage }) => {
  await storage.put("k", 1);
  assert.throws(() => sql.exec("SELECT key FROM _cf_KV").toArray(), { class: "Error", message: "access to _cf_KV.key is prohibited: SQLITE_AUTH" });
  assert.throws(() => sql.exec("SELECT * FROM _cf_KV").toArray(), { class: "Error", message: "access to _cf_KV.key is prohibited: SQLITE_AUTH" });
  for (const query of ["INSERT INTO _cf_KV VALUES ('a', 'b')", "DELETE FROM _cf_KV", "UPDATE _cf_KV SET value = 1", "DROP TABLE _cf_KV", "DROP TABLE _CF_kv"]) {
    assert.throws(() => sql.exec(query).toArray(), { class: "Error", message: /(not authorized|is prohibited): SQLITE_AUTH$/ }, query);
  }
  assert.equal(await storage.get("k"), 1);
});

inside("functions that are denied", ({ sql }) => {
  assert.throws(() => sql.exec("SELECT sqlite_version()"), { class: "Error", message: "not authorized to use function: sqlite_version at offset 7: SQLITE_ERROR" });
  for (const [name, call] of [["sqlite_source_id", "sqlite_source_id()"], ["sqlite_compileoption_get", "sqlite_compileoption_get(0)"], ["sqlite_compileoption_used", "sqlite_compileoption_used('x')"]]) {
    assert.throws(() => sql.exec(`SELECT ${call}`), { class: "Error", message: `not authorized to use function: ${name} at offset 7: SQLITE_ERROR` });
  }
  assert.throws(() => sql.exec("SELECT * FROM generate_series(1, 3)"), { class: "Error", message: /no such table: generate_series|not authorized/ });
  assert.throws(() => sql.exec("SELECT load_extension('x')"), { class: "Error", message: "not authorized: SQLITE_ERROR" });
});

inside("virtual tables: fts5 and rtree, and no other", ({ sql }) => {
  sql.exec("CREATE VIRTUAL TABLE f USING fts5(title, body)");
  sql.exec("INSERT INTO f VALUES ('Stones', 'a table of stone'), ('Wood', 'a wooden chair')");
  assert.equal(sql.exec("SELECT title FROM f WHERE f MATCH 'stone'").one().title, "Stones");
  assert.equal(sql.exec("SELECT highlight(f, 1, '<', '>') AS h FROM f WHERE f MATCH 'chair'").one().h, "a wooden <chair>");
  assert.equal(typeof sql.exec("SELECT bm25(f) AS rank FROM f WHERE f MATCH 'stone'").one().rank, "number");
  assert.match(sql.exec("SELECT snippet(f, 1, '[', ']', '…', 4) AS s FROM f WHERE f MATCH 'stone'").one().s, /\[stone\]/);
  sql.exec("CREATE VIRTUAL TABLE v USING fts5vocab(f, row)");
  assert.ok(sql.exec("SELECT count(*) AS n FROM v").one().n >= 5);
  sql.exec("CREATE VIRTUAL TABLE r USING rtree(id, minx, maxx)");
  sql.exec("INSERT INTO r VALUES (1, 0, 10), (2, 20, 30)");
  assert.deepEqual(sql.exec("SELECT id FROM r WHERE minx < 15").toArray(), [{ id: 1 }]);
  sql.exec("CREATE VIRTUAL TABLE ri USING rtree_i32(id, minx, maxx)");
  denied(sql, "CREATE VIRTUAL TABLE x USING fts4(a)");
  denied(sql, "CREATE VIRTUAL TABLE x USING geopoly(a)");
  denied(sql, "CREATE VIRTUAL TABLE x USING dbstat");
});

inside("the schema can be read", ({ sql }) => {
  sql.exec("CREATE TABLE t (a); CREATE VIEW w AS SELECT a FROM t");
  assert.deepEqual(sql.exec("SELECT type, name, sql FROM sqlite_master WHERE name IN ('t', 'w') ORDER BY name").toArray(), [
    { type: "table", name: "t", sql: "CREATE TABLE t (a)" }, { type: "view", name: "w", sql: "CREATE VIEW w AS SELECT a FROM t" },
  ]);
  assert.equal(sql.exec("SELECT count(*) AS n FROM sqlite_schema WHERE name = 't'").one().n, 1);
});

inside("a double-quoted word that names no column is a string", ({ sql }) => {
  assert.equal(sql.exec('SELECT "text" AS x').one().x, "text");
});

inside("PRAGMAs that read take no new value, and unknown ones are denied", ({ sql }) => {
  for (const pragma of ["page_size = 8192", "data_version = 2", "nosuch", "nosuch = 1"]) denied(sql, `PRAGMA ${pragma}`);
  denied(sql, "SELECT * FROM pragma_user_version");
  denied(sql, "SELECT * FROM pragma_function_list");
});

inside("tables of the engine are out of reach", ({ sql }) => {
  for (const table of ["sqlite_dbpage", "sqlite_stmt"]) {
    assert.throws(() => sql.exec(`SELECT * FROM ${table}`), { class: "Error", message: `no such table: ${table}: SQLITE_ERROR` });
  }
});
