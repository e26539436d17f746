//! Keys and values, the implicit transaction, and the life of a file.

use std::ops::ControlFlow;

use dolmen_storage::{AlarmChange, Database, ErrorKind, ListOptions};

use crate::support::{checkpoint, get, place, sync};

fn keys(db: &mut Database, options: ListOptions<'_>) -> Vec<String> {
    let mut keys = Vec::new();
    db.list(&options, &mut |key, _| {
        keys.push(key.to_owned());
        ControlFlow::Continue(())
    })
    .unwrap();
    keys
}

#[test]
fn reading_an_object_that_never_wrote_makes_no_file() {
    let place = place();
    let mut db = place.object("a");
    assert_eq!(get(&mut db, "k"), None);
    assert!(!db.delete("k").unwrap());
    assert_eq!(db.alarm().unwrap(), None);
    assert!(keys(&mut db, ListOptions::default()).is_empty());
    db.delete_all().unwrap();
    db.set_alarm(None).unwrap();
    db.begin_nested().unwrap();
    db.commit_nested().unwrap();
    assert_eq!(db.commit().unwrap(), 0);
    assert_eq!(
        std::fs::read_dir(place.namespace.folder()).unwrap().count(),
        0
    );
}

#[test]
fn the_table_is_that_of_workerd() {
    let place = place();
    let mut db = place.object("a");
    db.put("k", b"1").unwrap();
    db.commit().unwrap();
    sync(&mut db).unwrap();
    db.close().unwrap();
    let path = place.namespace.folder().join(format!("{}.sqlite", db.id()));
    let sql = rusqlite::Connection::open(path).unwrap();
    let schema: Vec<String> = sql
        .prepare("SELECT sql FROM sqlite_schema")
        .unwrap()
        .query_map((), |row| row.get(0))
        .unwrap()
        .map(|sql| sql.unwrap())
        .collect();
    // Read from what the npm `workerd` 1.20261117.1 makes.
    assert_eq!(
        schema,
        [
            "CREATE TABLE _cf_KV (\n        key TEXT PRIMARY KEY,\n        value BLOB\n      ) WITHOUT ROWID"
        ]
    );
}

#[test]
fn a_committed_value_is_found_after_close_and_after_checkpoint() {
    let place = place();
    let mut db = place.object("a");
    db.put("k", b"one").unwrap();
    assert!(db.in_transaction());
    assert_eq!(db.commit().unwrap(), 1);
    assert_eq!((db.committed(), db.durable()), (1, 0));
    assert_eq!(db.close().unwrap_err().kind(), ErrorKind::Internal);
    sync(&mut db).unwrap();
    db.close().unwrap();
    assert!(!db.is_open());
    assert_eq!(get(&mut db, "k").unwrap(), b"one");
    checkpoint(&mut db).unwrap();
    assert_eq!(get(&mut db, "k").unwrap(), b"one");
    for round in 0..5 {
        db.put("k", &[round; 9000]).unwrap();
        db.commit().unwrap();
        sync(&mut db).unwrap();
        checkpoint(&mut db).unwrap();
        assert_eq!(get(&mut db, "k").unwrap(), [round; 9000]);
        if round % 2 == 0 {
            db.close().unwrap();
        }
    }
    assert_eq!(get(&mut db, "k").unwrap(), [4; 9000]);
}

#[test]
fn a_rollback_leaves_nothing() {
    let place = place();
    let mut db = place.object("a");
    db.put("k", b"one").unwrap();
    db.rollback().unwrap();
    assert!(!db.in_transaction());
    assert_eq!(get(&mut db, "k"), None);
    db.put("k", b"two").unwrap();
    assert_eq!(db.commit().unwrap(), 1);
    db.delete("k").unwrap();
    db.rollback().unwrap();
    assert_eq!(get(&mut db, "k").unwrap(), b"two");
    assert_eq!(db.commit().unwrap(), 1);
    assert!(!db.delete("other").unwrap());
    assert_eq!(
        db.commit().unwrap(),
        1,
        "a transaction that changed nothing is no commit"
    );
}

#[test]
fn nested_transactions_undo_their_own_writes_and_alarms() {
    let place = place();
    let mut db = place.object("a");
    db.begin_nested().unwrap();
    db.put("outer", b"1").unwrap();
    db.set_alarm(Some(1000)).unwrap();
    db.begin_nested().unwrap();
    db.begin_nested().unwrap();
    assert_eq!(db.nesting(), 3);
    db.put("inner", b"1").unwrap();
    db.set_alarm(Some(2000)).unwrap();
    db.commit_nested().unwrap();
    assert_eq!(db.alarm().unwrap(), Some(2000));
    db.rollback_nested().unwrap();
    assert_eq!(db.alarm().unwrap(), Some(1000));
    assert_eq!(get(&mut db, "inner"), None);
    assert_eq!(db.commit().unwrap_err().kind(), ErrorKind::Internal);
    db.commit_nested().unwrap();
    assert_eq!(
        db.alarm_change(),
        Some(AlarmChange {
            before: None,
            after: Some(1000)
        })
    );
    db.commit().unwrap();
    assert_eq!(db.alarm_change(), None);
    assert_eq!(get(&mut db, "outer").unwrap(), b"1");
    assert_eq!(db.alarm().unwrap(), Some(1000));
    assert_eq!(
        db.rollback_nested().unwrap_err().kind(),
        ErrorKind::Internal
    );
}

#[test]
fn alarm_changes_are_those_against_the_committed_alarm() {
    let place = place();
    let mut db = place.object("a");
    db.set_alarm(Some(1_900_000_000_123)).unwrap();
    db.commit().unwrap();
    db.set_alarm(Some(5)).unwrap();
    assert_eq!(
        db.alarm_change(),
        Some(AlarmChange {
            before: Some(1_900_000_000_123),
            after: Some(5)
        })
    );
    db.set_alarm(Some(1_900_000_000_123)).unwrap();
    assert_eq!(db.alarm_change(), None);
    db.set_alarm(None).unwrap();
    db.rollback().unwrap();
    assert_eq!(db.alarm().unwrap(), Some(1_900_000_000_123));
    sync(&mut db).unwrap();
    db.close().unwrap();
    let mut db = place.object("b");
    assert_eq!(
        db.set_alarm(Some(i64::MAX)).unwrap_err().kind(),
        ErrorKind::Invalid
    );
}

#[test]
fn keys_are_listed_in_byte_order_within_all_bounds() {
    let place = place();
    let mut db = place.object("a");
    for key in [
        "b",
        "a%1",
        "a_1",
        "a",
        "ab",
        "",
        "\u{fffd}",
        "😀",
        "a\0",
        "\u{10ffff}x",
    ] {
        db.put(key, key.as_bytes()).unwrap();
    }
    let all = [
        "",
        "a",
        "a\0",
        "a%1",
        "a_1",
        "ab",
        "b",
        "\u{fffd}",
        "😀",
        "\u{10ffff}x",
    ];
    assert_eq!(keys(&mut db, ListOptions::default()), all);
    let reversed: Vec<&str> = all.iter().rev().copied().collect();
    assert_eq!(
        keys(
            &mut db,
            ListOptions {
                reverse: true,
                ..Default::default()
            }
        ),
        reversed
    );
    assert_eq!(
        keys(
            &mut db,
            ListOptions {
                prefix: Some("a%"),
                ..Default::default()
            }
        ),
        ["a%1"]
    );
    assert_eq!(
        keys(
            &mut db,
            ListOptions {
                prefix: Some("a_"),
                ..Default::default()
            }
        ),
        ["a_1"]
    );
    assert_eq!(
        keys(
            &mut db,
            ListOptions {
                prefix: Some("\u{10ffff}"),
                ..Default::default()
            }
        ),
        ["\u{10ffff}x"]
    );
    assert_eq!(
        keys(
            &mut db,
            ListOptions {
                start: Some("a%1"),
                end: Some("b"),
                ..Default::default()
            }
        ),
        ["a%1", "a_1", "ab"]
    );
    assert_eq!(
        keys(
            &mut db,
            ListOptions {
                start_after: Some("a"),
                limit: Some(1),
                ..Default::default()
            }
        ),
        ["a\0"]
    );
    assert_eq!(
        keys(
            &mut db,
            ListOptions {
                prefix: Some("a"),
                start: Some("a_"),
                reverse: true,
                ..Default::default()
            }
        ),
        ["ab", "a_1"]
    );
    assert!(
        keys(
            &mut db,
            ListOptions {
                start: Some("z"),
                end: Some("a"),
                ..Default::default()
            }
        )
        .is_empty()
    );
    assert_eq!(db.count().unwrap(), 10);
}

#[test]
fn keys_and_values_over_the_limit_are_refused_and_change_nothing() {
    let place = place();
    let mut db = place.object("a");
    let long = "k".repeat(2049);
    assert_eq!(
        db.put(&long, b"").unwrap_err().message(),
        "Keys cannot be larger than 2048 bytes. A key of size 2049 was provided."
    );
    assert_eq!(db.get(&long, |_| ()).unwrap_err().kind(), ErrorKind::Limit);
    let value = vec![7; 2 * 1024 * 1024];
    assert_eq!(db.put("k", &value).unwrap_err().kind(), ErrorKind::Limit);
    assert!(!db.in_transaction());
    db.put("k", &value[1..]).unwrap();
    db.put(&long[1..], b"").unwrap();
    db.commit().unwrap();
    assert_eq!(get(&mut db, "k").unwrap(), value[1..]);
}

#[test]
fn delete_all_leaves_nothing_once_committed() {
    let place = place();
    let mut db = place.object("a");
    db.put("k", b"1").unwrap();
    db.set_alarm(Some(7)).unwrap();
    db.commit().unwrap();
    db.delete_all().unwrap();
    assert_eq!(get(&mut db, "k"), None);
    assert_eq!(
        db.alarm_change(),
        Some(AlarmChange {
            before: Some(7),
            after: None
        })
    );
    db.rollback().unwrap();
    assert_eq!(get(&mut db, "k").unwrap(), b"1");
    assert_eq!(db.alarm().unwrap(), Some(7));
    db.delete_all().unwrap();
    db.put("after", b"2").unwrap();
    db.commit().unwrap();
    assert_eq!(keys(&mut db, ListOptions::default()), ["after"]);
    assert_eq!(db.alarm().unwrap(), None);
    db.begin_nested().unwrap();
    assert_eq!(db.delete_all().unwrap_err().kind(), ErrorKind::Invalid);
}
