//! User SQL: cursors, bindings, and how they live with the implicit transaction and the file.

use dolmen_storage::{ErrorKind, Options, SqlValue};

use crate::support::{checkpoint, get, place, place_with, rows, sql, sql_error, sql_with, sync};

#[test]
fn reading_before_the_first_write_makes_no_file() {
    let place = place();
    let mut db = place.object("a");
    assert_eq!(sql(&mut db, "SELECT 1 + 1"), "2");
    assert_eq!(sql(&mut db, "SELECT name FROM sqlite_master"), "");
    assert_eq!(
        sql_error(&mut db, "SELECT * FROM t"),
        "no such table: t: SQLITE_ERROR"
    );
    assert_eq!(db.sql_size().unwrap(), 0);
    assert_eq!(db.commit().unwrap(), 0);
    let left = std::fs::read_dir(place.namespace.folder()).unwrap().count();
    assert_eq!(left, 0);
    let cursor = db.sql_exec("SELECT 1 UNION ALL SELECT 2", &[]).unwrap();
    sql(&mut db, "CREATE TABLE t (a)");
    assert_eq!(rows(&mut db, cursor).unwrap(), "1;2");
    assert_eq!(db.commit().unwrap(), 1);
}

#[test]
fn a_setting_made_before_the_first_write_holds_for_it() {
    let place = place();
    let mut db = place.object("a");
    sql(&mut db, "PRAGMA recursive_triggers = on");
    assert_eq!(sql(&mut db, "PRAGMA recursive_triggers"), "1");
    db.commit().unwrap();
    db.close().unwrap();
    let left = std::fs::read_dir(place.namespace.folder()).unwrap().count();
    assert_eq!(left, 0);
    sql(&mut db, "PRAGMA foreign_keys = off");
    sql(
        &mut db,
        "CREATE TABLE p (a PRIMARY KEY); CREATE TABLE c (a REFERENCES p); INSERT INTO c VALUES (1)",
    );
    db.commit().unwrap();
    sync(&mut db).unwrap();
    db.close().unwrap();
    assert_eq!(sql(&mut db, "SELECT a FROM c"), "1");
}

#[test]
fn sql_and_keys_share_one_transaction() {
    let place = place();
    let mut db = place.object("a");
    sql(&mut db, "CREATE TABLE t (a); INSERT INTO t VALUES (1)");
    db.put("k", b"1").unwrap();
    assert!(db.in_transaction());
    db.rollback().unwrap();
    assert_eq!(get(&mut db, "k"), None);
    assert_eq!(
        sql_error(&mut db, "SELECT * FROM t"),
        "no such table: t: SQLITE_ERROR"
    );
    sql(&mut db, "CREATE TABLE t (a)");
    db.put("k", b"1").unwrap();
    db.begin_nested().unwrap();
    sql(&mut db, "INSERT INTO t VALUES (2)");
    db.put("k", b"2").unwrap();
    db.rollback_nested().unwrap();
    assert_eq!(db.commit().unwrap(), 1);
    sync(&mut db).unwrap();
    db.close().unwrap();
    assert_eq!(get(&mut db, "k").unwrap(), b"1");
    assert_eq!(sql(&mut db, "SELECT count(*) FROM t"), "0");
}

#[test]
fn several_statements_run_in_order_and_only_the_last_binds() {
    let place = place();
    let mut db = place.object("a");
    let text = "CREATE TABLE t (a); -- first\nINSERT INTO t VALUES (1), (2); SELECT 7;\nSELECT a + ? FROM t; \n";
    let ten = [SqlValue::Integer(10)];
    assert_eq!(sql_with(&mut db, text, &ten).unwrap(), "11;12");
    let message = |db: &mut _, text, values: &[SqlValue<'_>]| {
        sql_with(db, text, values).unwrap_err().message().to_owned()
    };
    assert_eq!(
        message(&mut db, "SELECT ?; SELECT ?", &ten),
        "When executing multiple SQL statements in a single call, only the last statement can have parameters."
    );
    for (text, values) in [
        ("SELECT ?", &[][..]),
        ("SELECT 1", &ten),
        ("SELECT ?2", &ten),
    ] {
        assert_eq!(
            message(&mut db, text, values),
            "Wrong number of parameter bindings for SQL query."
        );
    }
    for text in [
        "",
        " ;",
        "-- nothing",
        "/* nothing */",
        "SELECT 1; -- nothing",
        "SELECT 1; ;",
    ] {
        assert_eq!(
            sql_error(&mut db, text),
            "SQL code did not contain a statement."
        );
    }
    // What ran before the error stays.
    assert!(sql_error(&mut db, "INSERT INTO t VALUES (3); nonsense").contains("nonsense"));
    assert_eq!(sql(&mut db, "SELECT count(*) FROM t"), "3");
}

#[test]
fn values_come_back_as_they_were_bound() {
    let place = place();
    let mut db = place.object("a");
    let values = [
        SqlValue::Null,
        SqlValue::Real(1.5),
        SqlValue::Integer(1 << 60),
        SqlValue::Text("é\0".as_bytes()),
        SqlValue::Text(b""),
        SqlValue::Blob(&[1, 0]),
        SqlValue::Blob(&[]),
    ];
    assert_eq!(
        sql_with(&mut db, "SELECT ?, ?, ?, ?, ?, ?, ?", &values).unwrap(),
        format!("null,1.5,{},é\0,,x[1, 0],x[]", 1i64 << 60)
    );
    assert_eq!(
        sql_with(
            &mut db,
            "SELECT typeof(?), typeof(?)",
            &[SqlValue::Blob(&[]), SqlValue::Text(b"")]
        )
        .unwrap(),
        "blob,text"
    );
}

#[test]
fn a_cursor_goes_a_row_at_a_time_and_over_commits() {
    let place = place();
    let mut db = place.object("a");
    sql(
        &mut db,
        "CREATE TABLE t (a INTEGER PRIMARY KEY); \
         INSERT INTO t WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 500) SELECT x FROM c",
    );
    let one = db.sql_exec("SELECT a FROM t", &[]).unwrap();
    let two = db.sql_exec("SELECT a FROM t", &[]).unwrap();
    assert!(db.sql_fetch(one).unwrap());
    assert_eq!(db.sql_columns(one).unwrap().names, ["a"]);
    let first = db
        .sql_read(one, |row| row.value(0) == SqlValue::Integer(1))
        .unwrap();
    assert_eq!(first, Some(true));
    assert_eq!(db.commit().unwrap(), 1);
    db.put("k", b"1").unwrap();
    assert_eq!(db.commit().unwrap(), 2);
    sync(&mut db).unwrap();
    assert_eq!(db.close().unwrap_err().kind(), ErrorKind::Internal);
    let left = rows(&mut db, one).unwrap();
    assert_eq!(left.split(';').count(), 499);
    assert_eq!(rows(&mut db, two).unwrap().split(';').count(), 500);
    assert_eq!(db.sql_summary(one).unwrap().rows_read, 500);
    db.close().unwrap();
    assert_eq!(sql(&mut db, "SELECT max(a) FROM t"), "500");
    assert_eq!(get(&mut db, "k").unwrap(), b"1");
}

#[test]
fn a_checkpoint_a_reset_and_delete_all_end_cursors() {
    let place = place();
    let mut db = place.object("a");
    sql(&mut db, "CREATE TABLE t (a); INSERT INTO t VALUES (1), (2)");
    db.commit().unwrap();
    sync(&mut db).unwrap();
    let ended = |db: &mut dolmen_storage::Database, cursor| {
        let error = db.sql_fetch(cursor).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Sql);
        db.sql_close(cursor);
    };
    let cursor = db.sql_exec("SELECT a FROM t", &[]).unwrap();
    checkpoint(&mut db).unwrap();
    ended(&mut db, cursor);
    let cursor = db.sql_exec("SELECT a FROM t", &[]).unwrap();
    db.reset_to_durable().unwrap();
    ended(&mut db, cursor);
    let cursor = db.sql_exec("SELECT a FROM t", &[]).unwrap();
    db.delete_all().unwrap();
    ended(&mut db, cursor);
    assert_eq!(sql(&mut db, "SELECT count(*) FROM sqlite_master"), "0");
    db.commit().unwrap();
    sync(&mut db).unwrap();
    db.close().unwrap();
}

#[test]
fn a_checkpoint_waits_for_cursors_but_not_for_ever() {
    let place = place_with(Options {
        checkpoint_pages: 4,
        ..Options::default()
    });
    let mut db = place.object("a");
    sql(&mut db, "CREATE TABLE t (a); INSERT INTO t VALUES (1), (2)");
    db.commit().unwrap();
    let cursor = db.sql_exec("SELECT a FROM t", &[]).unwrap();
    let mut commits = 0;
    while !db.wants_checkpoint() {
        db.put("k", &[commits]).unwrap();
        db.commit().unwrap();
        commits += 1;
        assert!(commits < 100, "{db:?}");
    }
    assert!(commits > 10, "it did not wait: {commits}");
    db.sql_close(cursor);
    sync(&mut db).unwrap();
    checkpoint(&mut db).unwrap();
    db.put("k", b"2").unwrap();
    db.commit().unwrap();
    sync(&mut db).unwrap();
}

#[test]
fn rows_of_a_statement_that_writes_are_there_after_the_commit() {
    let place = place();
    let mut db = place.object("a");
    sql(&mut db, "CREATE TABLE t (a, b)");
    let text = "INSERT INTO t VALUES (1, 'x'), (2, 'y') RETURNING a, b";
    let cursor = db.sql_exec(text, &[]).unwrap();
    let summary = db.sql_summary(cursor).unwrap();
    assert_eq!(db.sql_rows_written(&summary).unwrap(), 2);
    assert_eq!(db.commit().unwrap(), 1);
    sql(&mut db, "DELETE FROM t");
    assert_eq!(db.sql_columns(cursor).unwrap().names, ["a", "b"]);
    assert_eq!(rows(&mut db, cursor).unwrap(), "1,x;2,y");
}

#[test]
fn rows_written_count_indexes() {
    let place = place();
    let mut db = place.object("a");
    sql(
        &mut db,
        "CREATE TABLE t (a TEXT PRIMARY KEY, b); CREATE INDEX i ON t (b); CREATE TABLE plain (a INTEGER PRIMARY KEY)",
    );
    let written = |db: &mut dolmen_storage::Database, text| {
        let cursor = db.sql_exec(text, &[]).unwrap();
        let summary = db.sql_close(cursor).unwrap();
        db.sql_rows_written(&summary).unwrap()
    };
    assert_eq!(written(&mut db, "INSERT INTO t VALUES ('a', 1)"), 3);
    assert_eq!(written(&mut db, "INSERT INTO plain VALUES (1), (2)"), 2);
    assert_eq!(written(&mut db, "SELECT * FROM plain"), 0);
    assert_eq!(written(&mut db, "UPDATE plain SET a = 9 WHERE a = 7"), 0);
}

#[test]
fn the_same_text_can_run_while_a_cursor_on_it_is_open() {
    let place = place();
    let mut db = place.object("a");
    sql(&mut db, "CREATE TABLE t (a); INSERT INTO t VALUES (1), (2)");
    let one = db.sql_exec("SELECT a FROM t", &[]).unwrap();
    db.sql_read(one, |_| ()).unwrap();
    assert_eq!(sql(&mut db, "SELECT a FROM t"), "1;2");
    assert_eq!(rows(&mut db, one).unwrap(), "2");
    db.sql_close(one);
    // A cached statement sees a new schema.
    sql(&mut db, "SELECT * FROM t");
    sql(&mut db, "ALTER TABLE t ADD COLUMN b DEFAULT 7");
    let cursor = db.sql_exec("SELECT * FROM t", &[]).unwrap();
    assert_eq!(db.sql_columns(cursor).unwrap().names, ["a", "b"]);
    assert_eq!(rows(&mut db, cursor).unwrap(), "1,7;2,7");
}

#[test]
fn a_large_sort_is_right() {
    let place = place();
    let mut db = place.object("a");
    let text = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 200000) \
                SELECT x FROM c ORDER BY x % 1000 DESC, printf('%0100d', x) LIMIT 3";
    assert_eq!(sql(&mut db, text), "999;1999;2999");
}

#[test]
fn cursors_are_limited_in_number() {
    let place = place();
    let mut db = place.object("a");
    let mut open = Vec::new();
    let error = loop {
        match db.sql_exec("SELECT 1", &[]) {
            Ok(cursor) => open.push(cursor),
            Err(error) => break error,
        }
        assert!(open.len() < 10_000);
    };
    assert!(error.message().contains("too many SQL cursors"));
    for cursor in open {
        db.sql_close(cursor);
    }
    assert_eq!(sql(&mut db, "SELECT 1"), "1");
}

#[test]
fn a_step_can_be_stopped() {
    let place = place();
    let mut db = place.object("a");
    let endless =
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c";
    let cursor = db.sql_prepare(endless, &[]).unwrap().cursor;
    let mut step = db.sql_begin_step(cursor).unwrap().unwrap();
    assert!(db.close().is_err());
    let mut asked = 0;
    step.run(&mut || {
        asked += 1;
        asked == 10
    });
    let error = db.sql_end_step(cursor, step).unwrap_err();
    assert_eq!(error.message(), "interrupted: SQLITE_INTERRUPT");
    assert!(db.sql_begin_step(cursor).unwrap().is_none());
}

#[test]
fn a_constraint_violated_at_the_commit_undoes_all_of_it() {
    let place = place();
    let mut db = place.object("a");
    sql(
        &mut db,
        "CREATE TABLE p (a PRIMARY KEY); \
         CREATE TABLE c (a REFERENCES p (a) DEFERRABLE INITIALLY DEFERRED)",
    );
    db.commit().unwrap();
    sql(&mut db, "INSERT INTO c VALUES (1)");
    db.put("k", b"1").unwrap();
    let error = db.commit().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Constraint);
    assert_eq!(
        error.message(),
        "Durable Object was reset and rolled back to its last known good state because the application left the \
         database in a state where constraints were violated: FOREIGN KEY constraint failed: SQLITE_CONSTRAINT \
         (extended: SQLITE_CONSTRAINT_FOREIGNKEY)"
    );
    assert_eq!(get(&mut db, "k"), None);
    assert_eq!(sql(&mut db, "SELECT count(*) FROM c"), "0");
    sql(
        &mut db,
        "PRAGMA defer_foreign_keys = ON; INSERT INTO c VALUES (1); INSERT INTO p VALUES (1)",
    );
    db.commit().unwrap();
    assert_eq!(sql(&mut db, "SELECT count(*) FROM c"), "1");
}

#[test]
fn a_statement_that_rolls_the_transaction_back_fails_the_commit() {
    let place = place();
    let mut db = place.object("a");
    sql(
        &mut db,
        "CREATE TABLE t (a PRIMARY KEY); INSERT INTO t VALUES (1)",
    );
    db.commit().unwrap();
    sql(&mut db, "INSERT INTO t VALUES (2)");
    assert!(sql_error(&mut db, "INSERT OR ROLLBACK INTO t VALUES (1)").starts_with("UNIQUE"));
    let error = db.commit().unwrap_err();
    assert!(
        error
            .message()
            .ends_with("Cannot commit transaction due to an earlier SQL critical error")
    );
    assert_eq!(sql(&mut db, "SELECT a FROM t"), "1");
}

#[test]
fn the_size_leaves_out_free_pages() {
    let place = place();
    let mut db = place.object("a");
    sql(
        &mut db,
        "CREATE TABLE t (a); INSERT INTO t VALUES (zeroblob(100000))",
    );
    let full = db.sql_size().unwrap();
    assert!(full > 100_000, "{full}");
    assert_eq!(full % 4096, 0);
    sql(&mut db, "DELETE FROM t");
    assert!(db.sql_size().unwrap() < 20_000);
    db.commit().unwrap();
}

#[test]
fn delete_all_drops_whatever_user_sql_made() {
    let place = place();
    let mut db = place.object("a");
    sql(
        &mut db,
        "CREATE TABLE p (a INTEGER PRIMARY KEY AUTOINCREMENT, b UNIQUE); CREATE TABLE c (a REFERENCES p); \
         INSERT INTO p (b) VALUES ('x'); INSERT INTO c VALUES (1); \
         CREATE VIEW v AS SELECT * FROM p; CREATE INDEX i ON p (b); \
         CREATE TRIGGER t AFTER DELETE ON p BEGIN INSERT INTO c VALUES (1); END; \
         CREATE VIRTUAL TABLE f USING fts5(a); INSERT INTO f VALUES ('word'); \
         CREATE VIRTUAL TABLE r USING rtree(id, x1, x2); INSERT INTO r VALUES (1, 0, 1); \
         CREATE TABLE \"quo\"\"ted\" (a); ANALYZE",
    );
    db.put("k", b"1").unwrap();
    db.set_alarm(Some(5)).unwrap();
    db.commit().unwrap();
    sql(&mut db, "INSERT INTO p (b) VALUES ('dropped')");
    db.delete_all().unwrap();
    db.commit().unwrap();
    assert_eq!(
        sql(
            &mut db,
            "SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite!_%' ESCAPE '!'"
        ),
        ""
    );
    assert_eq!(db.count().unwrap(), 0);
    assert_eq!(db.alarm().unwrap(), None);
    sql(
        &mut db,
        "CREATE TABLE p (a INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO p DEFAULT VALUES",
    );
    assert_eq!(sql(&mut db, "SELECT a FROM p"), "1");
    db.commit().unwrap();
    sync(&mut db).unwrap();
    db.close().unwrap();
    assert_eq!(sql(&mut db, "SELECT a FROM p"), "1");
}
