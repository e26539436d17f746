//! The index of alarms: order, durability, and the layout of workerd's file.

use std::sync::Arc;
use std::sync::mpsc::channel;

use dolmen_storage::{DueAlarm, ErrorKind, Namespace, ObjectId, Options, Result};

use crate::support::{KEY, Place, open, place, place_with, wait};
use crate::test_disk::TestDisk;

fn set(place: &Place, name: &str, unix_ms: Option<i64>) -> Result<()> {
    let id = place.namespace.key().id_from_name(name);
    wait(|done| {
        place
            .storage
            .alarms()
            .set(&place.namespace, id, Some(name), unix_ms, done)
    })
}

fn due(place: &Place, until_ms: i64, limit: usize) -> Vec<String> {
    let due = wait(|done| {
        place
            .storage
            .alarms()
            .due(&place.namespace, until_ms, limit, done)
    })
    .unwrap();
    due.into_iter().map(|alarm| alarm.name.unwrap()).collect()
}

fn next(place: &Place) -> Option<i64> {
    wait(|done| place.storage.alarms().next(&place.namespace, done)).unwrap()
}

fn id(namespace: &Namespace, name: &str) -> ObjectId {
    namespace.key().id_from_name(name)
}

#[test]
fn alarms_come_in_order_of_time() {
    let place = place();
    assert_eq!(next(&place), None);
    set(&place, "nobody", None).unwrap();
    assert!(!place.namespace.folder().join("metadata.sqlite").exists());
    for (name, time) in [("c", 30), ("a", 10), ("b", 20), ("d", 40)] {
        set(&place, name, Some(time)).unwrap();
    }
    assert_eq!(next(&place), Some(10));
    assert_eq!(due(&place, 30, 10), ["a", "b", "c"]);
    assert_eq!(due(&place, 30, 2), ["a", "b"]);
    assert_eq!(due(&place, i64::MAX, 10), ["a", "b", "c", "d"]);
    set(&place, "a", Some(50)).unwrap();
    set(&place, "b", None).unwrap();
    assert_eq!(due(&place, 60, 10), ["c", "d", "a"]);
    assert_eq!(
        set(&place, "a", Some(i64::MAX)).unwrap_err().kind(),
        ErrorKind::Invalid
    );
    assert_eq!(next(&place), Some(30));
}

#[test]
fn alarms_survive_and_the_file_is_that_of_workerd() {
    let place = place();
    set(&place, "a", Some(1_900_000_000_123)).unwrap();
    let unnamed = id(&place.namespace, "unnamed");
    wait(|done| {
        place
            .storage
            .alarms()
            .set(&place.namespace, unnamed, None, Some(7), done)
    })
    .unwrap();
    let folder = place.folder;
    drop((place.storage, place.namespace));
    let sql = rusqlite::Connection::open(folder.path().join(KEY).join("metadata.sqlite")).unwrap();
    let schema: String = sql
        .query_row(
            "SELECT sql FROM sqlite_schema WHERE name = '_cf_ALARM'",
            (),
            |row| row.get(0),
        )
        .unwrap();
    // Read from what the npm `workerd` 1.20261117.1 makes.
    assert_eq!(
        schema,
        "CREATE TABLE _cf_ALARM (\n      actor_id TEXT PRIMARY KEY,\n      scheduled_time INTEGER,\n      actor_name TEXT\n    ) WITHOUT ROWID"
    );
    let nanos: i64 = sql
        .query_row(
            "SELECT scheduled_time FROM _cf_ALARM WHERE actor_name = 'a'",
            (),
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(nanos, 1_900_000_000_123_000_000);
    drop(sql);
    let (storage, namespace) = open(folder.path(), Options::default());
    let due = wait(|done| storage.alarms().due(&namespace, i64::MAX, 9, done)).unwrap();
    let expected = [
        DueAlarm {
            id: unnamed,
            name: None,
            unix_ms: 7,
        },
        DueAlarm {
            id: id(&namespace, "a"),
            name: Some("a".to_owned()),
            unix_ms: 1_900_000_000_123,
        },
    ];
    assert_eq!(due, expected);
}

#[test]
fn a_burst_of_alarms_shares_syncs() {
    let disk = Arc::new(TestDisk::default());
    let place = place_with(Options {
        disk: disk.clone(),
        checkpoint_pages: 50,
        ..Options::default()
    });
    let (done, told) = channel();
    disk.hold();
    let before = disk.syncs();
    for number in 0..1000 {
        let id = id(&place.namespace, &number.to_string());
        let done = done.clone();
        place.storage.alarms().set(
            &place.namespace,
            id,
            None,
            Some(number),
            Box::new(move |outcome| done.send(outcome).unwrap()),
        );
    }
    disk.release();
    for _ in 0..1000 {
        told.recv().unwrap().unwrap();
    }
    assert!(
        disk.syncs() - before < 20,
        "{} syncs",
        disk.syncs() - before
    );
    let due = wait(|done| {
        place
            .storage
            .alarms()
            .due(&place.namespace, 1000, 2000, done)
    })
    .unwrap();
    assert_eq!(due.len(), 1000);
}

#[test]
fn a_full_queue_is_an_error_and_not_a_wait() {
    let disk = Arc::new(TestDisk::default());
    let place = place_with(Options {
        disk: disk.clone(),
        alarm_queue: 2,
        ..Options::default()
    });
    disk.hold();
    let (done, told) = channel();
    for number in 0..2000 {
        let id = id(&place.namespace, &number.to_string());
        let done = done.clone();
        place.storage.alarms().set(
            &place.namespace,
            id,
            None,
            Some(number),
            Box::new(move |outcome| done.send(outcome).unwrap()),
        );
    }
    disk.release();
    let outcomes: Vec<Result<()>> = (0..2000).map(|_| told.recv().unwrap()).collect();
    let refused = outcomes
        .iter()
        .filter_map(|outcome| outcome.as_ref().err())
        .inspect(|e| assert_eq!(e.kind(), ErrorKind::Overloaded))
        .count();
    assert!((1..2000).contains(&refused));
    let due = wait(|done| {
        place
            .storage
            .alarms()
            .due(&place.namespace, 2000, 2000, done)
    })
    .unwrap();
    assert_eq!(due.len(), 2000 - refused);
}

#[test]
fn a_batch_whose_sync_fails_is_told_and_undone() {
    let disk = Arc::new(TestDisk::default());
    let place = place_with(Options {
        disk: disk.clone(),
        ..Options::default()
    });
    set(&place, "a", Some(10)).unwrap();
    disk.fail(true);
    assert_eq!(set(&place, "b", Some(5)).unwrap_err().kind(), ErrorKind::Io);
    disk.fail(false);
    assert_eq!(due(&place, 100, 10), ["a"]);
    set(&place, "c", Some(7)).unwrap();
    assert_eq!(due(&place, 100, 10), ["c", "a"]);
}
