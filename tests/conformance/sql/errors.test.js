// SQL errors: their class and their exact text.
import { DurableObject } from "cloudflare:workers";
import { inside, runInside, assert } from "../harness.js";
export { default } from "../harness.js";

export class Box extends DurableObject {
  run(name) { return runInside(this, name); }
}

const fails = (sql, message, query, ...bindings) => assert.throws(() => sql.exec(query, ...bindings), { class: "Error", name: "Error", message }, query);

inside("syntax errors", ({ sql }) => {
  fails(sql, 'near "selec": syntax error at offset 0: SQLITE_ERROR', "selec 1");
  fails(sql, 'near "FORM": syntax error at offset 9: SQLITE_ERROR', "SELECT * FORM t");
  fails(sql, "incomplete input: SQLITE_ERROR", "SELECT");
  fails(sql, 'unrecognized token: "\'abc" at offset 7: SQLITE_ERROR', "SELECT 'abc");
});

inside("missing tables, columns and functions", ({ sql }) => {
  sql.exec("CREATE TABLE t (a)");
  fails(sql, "no such table: missing: SQLITE_ERROR", "SELECT * FROM missing");
  fails(sql, "no such column: b at offset 7: SQLITE_ERROR", "SELECT b FROM t");
  fails(sql, "no such function: nofunction at offset 7: SQLITE_ERROR", "SELECT nofunction(1)");
  fails(sql, "table t already exists at offset 13: SQLITE_ERROR", "CREATE TABLE t (a)");
  fails(sql, "table t has 1 columns but 2 values were supplied: SQLITE_ERROR", "INSERT INTO t VALUES (1, 2)");
});

inside("constraints", ({ sql }) => {
  sql.exec("CREATE TABLE u (a UNIQUE, b NOT NULL, c CHECK (c > 0)); CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (p REFERENCES p(id))");
  sql.exec("INSERT INTO u VALUES (1, 1, 1); INSERT INTO p VALUES (1)");
  fails(sql, "UNIQUE constraint failed: u.a: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_UNIQUE)", "INSERT INTO u VALUES (1, 1, 1)");
  fails(sql, "NOT NULL constraint failed: u.b: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_NOTNULL)", "INSERT INTO u VALUES (2, NULL, 1)");
  fails(sql, "CHECK constraint failed: c > 0: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_CHECK)", "INSERT INTO u VALUES (2, 1, 0)");
  fails(sql, "UNIQUE constraint failed: p.id: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_PRIMARYKEY)", "INSERT INTO p VALUES (1)");
  fails(sql, "FOREIGN KEY constraint failed: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_FOREIGNKEY)", "INSERT INTO c VALUES (9)");
});

inside("a failed insert of many rows writes none of them", ({ sql }) => {
  sql.exec("CREATE TABLE u (a UNIQUE)");
  assert.throws(() => sql.exec("INSERT INTO u VALUES (1), (2), (1)"), { class: "Error" });
  assert.equal(sql.exec("SELECT count(*) AS n FROM u").one().n, 0);
});

inside("a failed statement does not undo earlier ones of the event", ({ sql }) => {
  sql.exec("CREATE TABLE u (a UNIQUE)");
  sql.exec("INSERT INTO u VALUES (1)");
  assert.throws(() => sql.exec("INSERT INTO u VALUES (1)"), { class: "Error" });
  sql.exec("INSERT INTO u VALUES (2)");
  assert.deepEqual(sql.exec("SELECT a FROM u").raw().toArray(), [[1], [2]]);
});

inside("strict tables and RAISE", ({ sql }) => {
  sql.exec("CREATE TABLE s (a INTEGER) STRICT");
  fails(sql, "cannot store TEXT value in INTEGER column s.a: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_DATATYPE)", "INSERT INTO s VALUES ('x')");
  sql.exec("CREATE TRIGGER g BEFORE INSERT ON s BEGIN SELECT RAISE(ABORT, 'not today'); END");
  fails(sql, "not today: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_TRIGGER)", "INSERT INTO s VALUES (1)");
});

inside("an error in the middle of reading", ({ sql }) => {
  sql.exec("CREATE TABLE t (a); INSERT INTO t VALUES ('[1]'), ('[2]'), ('broken')");
  const cursor = sql.exec("SELECT json_extract(a, '$[0]') AS v FROM t ORDER BY rowid");
  assert.equal(cursor.next().value.v, 1);
  assert.throws(() => cursor.toArray(), { class: "Error", message: "malformed JSON: SQLITE_ERROR" });
});

inside("datatype mismatch", ({ sql }) => {
  sql.exec("CREATE TABLE p (id INTEGER PRIMARY KEY)");
  fails(sql, "datatype mismatch: SQLITE_MISMATCH", "INSERT INTO p VALUES ('x')");
});

inside("VACUUM", ({ sql }) => {
  fails(sql, "cannot VACUUM from within a transaction: SQLITE_ERROR", "VACUUM");
});

inside("transactions by SQL are refused", ({ sql }) => {
  sql.exec("CREATE TABLE t (a)");
  const message = /^To execute a transaction, please use the state\.storage\.transaction\(\) or state\.storage\.transactionSync\(\) APIs instead of the SQL BEGIN TRANSACTION or SAVEPOINT statements\./;
  for (const query of ["BEGIN", "BEGIN TRANSACTION", "BEGIN IMMEDIATE", "COMMIT", "END", "ROLLBACK", "SAVEPOINT s", "RELEASE s", "ROLLBACK TO s"]) {
    assert.throws(() => sql.exec(query), { class: "Error", message }, query);
  }
});

inside("the whole text of the refusal of a transaction", ({ sql }) => {
  assert.throws(() => sql.exec("BEGIN"), {
    message: "To execute a transaction, please use the state.storage.transaction() or state.storage.transactionSync() APIs instead of the SQL BEGIN TRANSACTION or SAVEPOINT statements. The JavaScript API is safer because it will automatically roll back on exceptions, and because it interacts correctly with Durable Objects' automatic atomic write coalescing.",
  });
});

inside("the schema table is not to be written", ({ sql }) => {
  fails(sql, "table sqlite_master may not be modified: SQLITE_ERROR", "DELETE FROM sqlite_master");
  fails(sql, "table sqlite_master may not be modified: SQLITE_ERROR", "UPDATE sqlite_schema SET name = 'x'");
  fails(sql, "object name reserved for internal use: sqlite_x: SQLITE_ERROR", "CREATE TABLE sqlite_x (a)");
});

inside("an error does not break the cursor API afterwards", ({ sql }) => {
  assert.throws(() => sql.exec("nonsense"));
  assert.equal(sql.exec("SELECT 1 AS one").one().one, 1);
});
