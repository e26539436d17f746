//! What user SQL may do, and in which words it is refused.

use crate::support::{place, sql, sql_error, sql_with};
use dolmen_storage::SqlValue;

#[test]
fn errors_say_what_sqlite_says_and_its_codes() {
    let place = place();
    let mut db = place.object("a");
    sql(
        &mut db,
        "CREATE TABLE u (a UNIQUE, b NOT NULL DEFAULT 1, CHECK (b > 0)); INSERT INTO u (a) VALUES (1)",
    );
    for (text, message) in [
        (
            "selec 1",
            "near \"selec\": syntax error at offset 0: SQLITE_ERROR",
        ),
        (
            "INSERT INTO u (a) VALUES (1)",
            "UNIQUE constraint failed: u.a: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_UNIQUE)",
        ),
        (
            "INSERT INTO u (a, b) VALUES (2, NULL)",
            "NOT NULL constraint failed: u.b: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_NOTNULL)",
        ),
        (
            "INSERT INTO u (a, b) VALUES (2, 0)",
            "CHECK constraint failed: b > 0: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_CHECK)",
        ),
        (
            "VACUUM",
            "cannot VACUUM from within a transaction: SQLITE_ERROR",
        ),
        (
            "UPDATE sqlite_master SET sql = ''",
            "table sqlite_master may not be modified: SQLITE_ERROR",
        ),
    ] {
        assert_eq!(sql_error(&mut db, text), message, "{text}");
    }
}

#[test]
fn limits_are_those_of_cloudflare() {
    let place = place();
    let mut db = place.object("a");
    let columns = |count: usize| {
        let names: Vec<String> = (0..count).map(|index| format!("c{index}")).collect();
        format!("CREATE TABLE c{count} ({})", names.join(", "))
    };
    sql(&mut db, &columns(100));
    assert_eq!(
        sql_error(&mut db, &columns(101)),
        "too many columns on c101: SQLITE_ERROR"
    );
    let marks = |count| format!("SELECT {}", vec!["?"; count].join("+"));
    let nulls = [SqlValue::Null; 100];
    assert_eq!(sql_with(&mut db, &marks(99), &nulls[..99]).unwrap(), "null");
    let error = sql_error(
        &mut db,
        &format!("SELECT coalesce({})", vec!["?"; 101].join(",")),
    );
    assert_eq!(error, "too many SQL variables at offset 216: SQLITE_ERROR");
    let long = format!("SELECT '{}'", "x".repeat(100_000));
    assert_eq!(
        sql_error(&mut db, &long),
        "statement too long: SQLITE_TOOBIG"
    );
    let compound = |count| vec!["SELECT 1"; count].join(" UNION ALL ");
    sql(&mut db, &compound(5));
    assert_eq!(
        sql_error(&mut db, &compound(6)),
        "too many terms in compound SELECT: SQLITE_ERROR"
    );
    sql(&mut db, &format!("SELECT 'a' LIKE '{}'", "a".repeat(50)));
    assert_eq!(
        sql_error(&mut db, &format!("SELECT 'a' LIKE '{}'", "a".repeat(51))),
        "LIKE or GLOB pattern too complex: SQLITE_ERROR"
    );
    let big = vec![b'x'; 2 * 1024 * 1024 + 1];
    for value in [SqlValue::Text(&big), SqlValue::Blob(&big)] {
        let error = sql_with(&mut db, "SELECT length(?)", &[value]).unwrap_err();
        assert_eq!(error.message(), "string or blob too big: SQLITE_TOOBIG");
    }
    let most = SqlValue::Blob(&big[1..]);
    assert_eq!(
        sql_with(&mut db, "SELECT length(?)", &[most]).unwrap(),
        "2097152"
    );
    assert_eq!(
        sql_error(&mut db, "SELECT length(zeroblob(2097153))"),
        "string or blob too big: SQLITE_TOOBIG"
    );
    // Stored values are under their own limit.
    db.put("k", &big[2..]).unwrap();
    db.commit().unwrap();
}

#[test]
fn the_runtimes_tables_are_out_of_reach() {
    let place = place();
    let mut db = place.object("a");
    db.put("k", b"1").unwrap();
    sql(
        &mut db,
        "CREATE TABLE t (a); CREATE VIEW v AS SELECT * FROM _cf_KV",
    );
    for text in [
        "SELECT * FROM _cf_KV",
        "SELECT * FROM _CF_kv",
        "SELECT key FROM main.\"_cf_KV\"",
        "SELECT * FROM t WHERE a IN (SELECT key FROM _cf_KV)",
    ] {
        assert_eq!(
            sql_error(&mut db, text),
            "access to _cf_KV.key is prohibited: SQLITE_AUTH",
            "{text}"
        );
    }
    assert!(sql_error(&mut db, "SELECT * FROM v").ends_with("SQLITE_AUTH"));
    for text in [
        "SELECT count(*) FROM _cf_KV",
        "INSERT INTO _cf_KV VALUES ('a', 'b')",
        "UPDATE _cf_KV SET value = 1",
        "DELETE FROM _cf_KV",
        "DROP TABLE _cf_KV",
        "CREATE TABLE _cf_mine (a)",
        "CREATE TABLE IF NOT EXISTS \"_CF_mine\" (a)",
        "CREATE INDEX _cf_i ON t (a)",
        "CREATE INDEX i ON _cf_KV (value)",
        "CREATE VIEW _cf_v AS SELECT 1",
        "CREATE TRIGGER _cf_x AFTER INSERT ON t BEGIN SELECT 1; END",
        "CREATE TRIGGER x AFTER INSERT ON _cf_KV BEGIN SELECT 1; END",
        "ALTER TABLE t RENAME TO _cf_t",
        "ALTER TABLE t RENAME TO \"_Cf_t\"",
        "ALTER TABLE _cf_KV RENAME TO mine",
        "ALTER TABLE _cf_KV ADD COLUMN c",
        "PRAGMA table_info(_cf_KV)",
        "SELECT * FROM pragma_table_info('_cf_KV')",
        "CREATE VIRTUAL TABLE _cf_f USING fts5(a)",
    ] {
        let error = sql_error(&mut db, text);
        assert!(
            error.contains("SQLITE_AUTH") || error.contains("not authorized"),
            "{text}: {error}"
        );
    }
    assert!(!sql_error(&mut db, "CREATE VIRTUAL TABLE f USING fts5(key, content='_cf_KV'); INSERT INTO f(f) VALUES ('rebuild')").is_empty());
    assert_eq!(
        sql(&mut db, "SELECT name FROM sqlite_master ORDER BY 1"),
        "_cf_KV;f;f_config;f_data;f_docsize;f_idx;t;v"
    );
}

#[test]
fn transactions_are_left_to_the_runtime() {
    let place = place();
    let mut db = place.object("a");
    for text in [
        "BEGIN",
        "BEGIN IMMEDIATE",
        "COMMIT",
        "END",
        "ROLLBACK",
        "SAVEPOINT a",
        "RELEASE a",
        "ROLLBACK TO a",
    ] {
        let error = sql_error(&mut db, text);
        assert!(
            error.starts_with("To execute a transaction, please use the state.storage.transaction() or state.storage.transactionSync() APIs instead of the SQL BEGIN TRANSACTION or SAVEPOINT statements."),
            "{text}: {error}"
        );
    }
    assert!(!db.in_transaction());
}

#[test]
fn what_is_not_listed_is_refused() {
    let place = place();
    let mut db = place.object("a");
    sql(&mut db, "CREATE TABLE t (a)");
    for text in [
        "PRAGMA journal_mode",
        "PRAGMA journal_mode = DELETE",
        "PRAGMA synchronous = FULL",
        "PRAGMA user_version",
        "PRAGMA integrity_check",
        "PRAGMA page_count",
        "PRAGMA function_list",
        "PRAGMA writable_schema = ON",
        "PRAGMA locking_mode = NORMAL",
        "PRAGMA wal_checkpoint",
        "PRAGMA cache_size = 1000000",
        "PRAGMA temp_store_directory = '/'",
        "PRAGMA foreign_keys = maybe",
        "PRAGMA page_size = 512",
        "ATTACH ':memory:' AS x",
        "DETACH main",
        "CREATE TEMP TABLE x (a)",
        "CREATE TEMPORARY VIEW x AS SELECT 1",
        "CREATE TABLE temp.x (a)",
        "CREATE VIRTUAL TABLE x USING fts3(a)",
        "CREATE VIRTUAL TABLE x USING dbstat",
    ] {
        assert_eq!(
            sql_error(&mut db, text),
            "not authorized: SQLITE_AUTH",
            "{text}"
        );
    }
    assert_eq!(
        sql_error(&mut db, "SELECT sqlite_version()"),
        "not authorized to use function: sqlite_version at offset 7: SQLITE_ERROR"
    );
    for text in [
        "SELECT sqlite_source_id()",
        "SELECT sqlite_compileoption_get(0)",
        "SELECT load_extension('x')",
        "SELECT * FROM dbstat",
        "SELECT * FROM pragma_function_list",
        "SELECT * FROM pragma_optimize",
        "SELECT * FROM pragma_foreign_keys(0)",
        "SELECT * FROM generate_series(1, 2)",
    ] {
        sql_error(&mut db, text);
    }
}

#[test]
fn what_is_listed_works() {
    let place = place();
    let mut db = place.object("a");
    sql(
        &mut db,
        "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT); CREATE INDEX i ON t (b)",
    );
    for text in [
        "PRAGMA table_list",
        "PRAGMA table_info(t)",
        "PRAGMA TABLE_XINFO('t')",
        "PRAGMA index_list(t)",
        "PRAGMA index_info(i)",
        "PRAGMA index_xinfo(i)",
        "PRAGMA foreign_key_list(t)",
        "PRAGMA foreign_key_check",
        "PRAGMA foreign_key_check(t)",
        "PRAGMA quick_check",
        "PRAGMA data_version",
        "PRAGMA page_size",
        "PRAGMA case_sensitive_like = true",
        "PRAGMA case_sensitive_like = 0",
        "PRAGMA defer_foreign_keys = on",
        "PRAGMA legacy_alter_table = off",
        "PRAGMA recursive_triggers = yes",
        "PRAGMA optimize",
        "SELECT name FROM pragma_table_info('t')",
        "SELECT sin(1), pow(2, 3), log2(8), mod(7, 4), pi()",
        "SELECT json('{\"a\":1}') -> 'a', json_group_array(1), jsonb('[1]')",
        "SELECT value FROM json_each('[1,2]')",
        "SELECT concat('a', 1), concat_ws('-', 1, 2), format('%d', 1), iif(1, 2, 3), unhex('00'), octet_length('é')",
        "SELECT timediff('now', 'now'), unixepoch(), CURRENT_TIMESTAMP, strftime('%Y', 'now')",
        "SELECT string_agg(b, ','), total(a) FROM t",
        "SELECT row_number() OVER (ORDER BY a), lag(a) OVER (ORDER BY a) FROM t",
        "INSERT INTO t VALUES (1, 'x') ON CONFLICT (a) DO UPDATE SET b = excluded.b",
        "SELECT changes(), last_insert_rowid(), total_changes()",
        "CREATE TABLE s (a INTEGER, b INTEGER AS (a * 2) STORED) STRICT",
        "CREATE TABLE w (a PRIMARY KEY) WITHOUT ROWID",
        "CREATE TRIGGER g AFTER INSERT ON t BEGIN INSERT INTO w VALUES (new.a); END",
        "EXPLAIN QUERY PLAN SELECT * FROM t",
        "ALTER TABLE t ADD COLUMN c DEFAULT 1",
        "ALTER TABLE t RENAME COLUMN c TO d",
        "ALTER TABLE t DROP COLUMN d",
        "ALTER TABLE t RENAME TO t2",
        "REINDEX",
        "ANALYZE",
        "SELECT * FROM sqlite_stat1",
        "CREATE TABLE q (a INTEGER PRIMARY KEY AUTOINCREMENT)",
        "SELECT * FROM sqlite_sequence",
        "CREATE VIRTUAL TABLE f USING fts5(body, tokenize = 'porter')",
        "INSERT INTO f VALUES ('running stones'), ('a room')",
        "SELECT highlight(f, 0, '[', ']'), snippet(f, 0, '', '', '', 5), bm25(f) FROM f WHERE f MATCH 'run' ORDER BY rank",
        "CREATE VIRTUAL TABLE fv USING fts5vocab(f, 'row')",
        "SELECT term FROM fv",
        "INSERT INTO f(f) VALUES ('optimize')",
        "DROP TABLE f",
        "CREATE VIRTUAL TABLE r USING rtree(id, x1, x2)",
        "INSERT INTO r VALUES (1, 0, 1)",
        "SELECT id FROM r WHERE x1 >= 0 AND x2 <= 2",
        "SELECT rtreecheck('r')",
        "CREATE VIRTUAL TABLE ri USING rtree_i32(id, x1, x2)",
        "DROP TABLE r",
    ] {
        sql(&mut db, text);
    }
    assert_eq!(sql(&mut db, "PRAGMA foreign_keys"), "1");
    db.commit().unwrap();
}
