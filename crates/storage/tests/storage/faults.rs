//! A disk that fails, a folder that is taken, files left by others: what the caller is told, and what is left.

use std::fs;
use std::sync::Arc;

use dolmen_storage::{ErrorKind, Options, Storage};

use crate::support::{KEY, checkpoint, get, open, place, place_with, sync, wait};
use crate::test_disk::TestDisk;

#[test]
fn a_second_storage_on_the_same_folder_is_refused() {
    let place = place();
    let error = Storage::open(place.folder.path(), Options::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Held);
    assert!(
        error.message().contains("in use by another Dolmen"),
        "{error}"
    );
    let folder = place.folder;
    let db = place
        .namespace
        .database(place.namespace.key().id_from_name("a"));
    drop((place.storage, place.namespace));
    assert_eq!(
        Storage::open(folder.path(), Options::default())
            .unwrap_err()
            .kind(),
        ErrorKind::Held,
        "a database keeps it"
    );
    drop(db);
    Storage::open(folder.path(), Options::default()).unwrap();
}

#[test]
fn a_root_that_cannot_be_made_is_an_io_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let error = Storage::open(&folder.path().join("file/root"), Options::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.message().contains("file/root"), "{error}");
    Storage::open(&folder.path().join("deep/deeper/root"), Options::default()).unwrap();
}

#[test]
fn after_a_failed_sync_the_object_is_as_it_was_durable() {
    let disk = Arc::new(TestDisk::default());
    let place = place_with(Options {
        disk: disk.clone(),
        ..Options::default()
    });
    let mut db = place.object("a");
    db.put("k", b"durable").unwrap();
    db.commit().unwrap();
    sync(&mut db).unwrap();
    db.put("k", b"lost").unwrap();
    db.commit().unwrap();
    disk.fail(true);
    let error = wait(|done| db.sync(done)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert_eq!(db.reset_to_durable().unwrap_err().kind(), ErrorKind::Io);
    let error = db.put("k", b"refused").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Broken);
    assert!(error.message().contains(&db.id().to_string()), "{error}");
    disk.fail(false);
    db.reset_to_durable().unwrap();
    assert_eq!((db.committed(), db.durable()), (1, 1));
    assert_eq!(get(&mut db, "k").unwrap(), b"durable");
    db.put("k", b"again").unwrap();
    db.commit().unwrap();
    assert_eq!(sync(&mut db).unwrap(), 2);
    db.close().unwrap();
    assert_eq!(get(&mut db, "k").unwrap(), b"again");
}

#[test]
fn a_new_object_whose_first_sync_failed_does_not_exist() {
    let disk = Arc::new(TestDisk::default());
    let place = place_with(Options {
        disk: disk.clone(),
        ..Options::default()
    });
    let mut db = place.object("a");
    db.put("k", b"lost").unwrap();
    db.set_alarm(Some(1)).unwrap();
    db.commit().unwrap();
    disk.fail(true);
    wait(|done| db.sync(done)).unwrap_err();
    disk.fail(false);
    db.reset_to_durable().unwrap();
    assert_eq!(get(&mut db, "k"), None);
    assert_eq!(db.alarm().unwrap(), None);
    assert_eq!(fs::read_dir(place.namespace.folder()).unwrap().count(), 0);
}

#[test]
fn other_use_during_a_checkpoint_is_refused() {
    let place = place();
    let mut db = place.object("a");
    db.put("k", b"1").unwrap();
    db.commit().unwrap();
    sync(&mut db).unwrap();
    let away = wait(|done| db.checkpoint(done));
    assert_eq!(db.put("k", b"2").unwrap_err().kind(), ErrorKind::Internal);
    assert_eq!(db.get("k", |_| ()).unwrap_err().kind(), ErrorKind::Internal);
    assert_eq!(db.close().unwrap_err().kind(), ErrorKind::Internal);
    assert!(away.error().is_none());
    db.finish_checkpoint(away).unwrap();
    assert_eq!(get(&mut db, "k").unwrap(), b"1");
}

#[test]
#[should_panic(expected = "has a sync in flight already")]
fn a_second_sync_in_flight_is_a_bug_of_the_caller() {
    let place = place();
    let mut db = place.object("a");
    db.sync(Box::new(|_| ()));
    db.sync(Box::new(|_| ()));
}

#[test]
fn a_checkpoint_is_wanted_when_the_log_is_long_and_the_log_keeps_its_size() {
    let place = place_with(Options {
        checkpoint_pages: 100,
        ..Options::default()
    });
    let mut db = place.object("a");
    let mut sizes = Vec::new();
    for round in 0..3 {
        while !db.wants_checkpoint() {
            // A value that stays the same would write nothing.
            db.put("k", format!("{round} {}", db.committed()).as_bytes())
                .unwrap();
            db.commit().unwrap();
            sync(&mut db).unwrap();
        }
        checkpoint(&mut db).unwrap();
        assert!(!db.wants_checkpoint());
        let log = place
            .namespace
            .folder()
            .join(format!("{}.sqlite-wal", db.id()));
        sizes.push(log.metadata().unwrap().len());
    }
    assert!(
        sizes[0] >= 100 * 4096 && sizes.iter().all(|size| *size == sizes[0]),
        "{sizes:?}"
    );
}

#[test]
fn a_dropped_database_leaves_its_commits_and_not_its_transaction() {
    let place = place();
    let mut db = place.object("a");
    db.put("k", b"kept").unwrap();
    db.commit().unwrap();
    db.put("k", b"open").unwrap();
    drop(db);
    assert_eq!(get(&mut place.object("a"), "k").unwrap(), b"kept");
}

#[test]
fn a_file_that_is_no_database_is_a_data_error_and_is_left_alone() {
    let place = place();
    let mut db = place.object("a");
    let path = place.namespace.folder().join(format!("{}.sqlite", db.id()));
    fs::write(&path, "these are notes, not a database").unwrap();
    let error = db.put("k", b"1").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Data, "{error}");
    assert!(error.message().contains(&db.id().to_string()), "{error}");
    assert_eq!(fs::read(&path).unwrap(), b"these are notes, not a database");
}

#[test]
fn a_database_in_another_journal_mode_is_taken_over() {
    let place = place();
    let mut db = place.object("a");
    let path = place.namespace.folder().join(format!("{}.sqlite", db.id()));
    let sql = rusqlite::Connection::open(&path).unwrap();
    sql.execute_batch("CREATE TABLE _cf_KV (key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID; INSERT INTO _cf_KV VALUES ('k', x'01')").unwrap();
    drop(sql);
    assert_eq!(get(&mut db, "k").unwrap(), [1]);
    db.put("k", &[2]).unwrap();
    db.commit().unwrap();
    sync(&mut db).unwrap();
    db.close().unwrap();
    assert_eq!(get(&mut db, "k").unwrap(), [2]);
}

#[test]
fn user_tables_go_with_delete_all_whatever_refers_to_them() {
    let place = place();
    let mut db = place.object("a");
    let path = place.namespace.folder().join(format!("{}.sqlite", db.id()));
    let sql = rusqlite::Connection::open(&path).unwrap();
    sql.execute_batch(
        "PRAGMA journal_mode = WAL;
         CREATE TABLE parent (id INTEGER PRIMARY KEY AUTOINCREMENT);
         CREATE TABLE \"ch\"\"ild\" (id REFERENCES parent (id));
         INSERT INTO parent VALUES (1); INSERT INTO \"ch\"\"ild\" VALUES (1);
         CREATE VIEW v AS SELECT * FROM parent;
         CREATE VIRTUAL TABLE text USING fts5 (words); INSERT INTO text VALUES ('a b');
         CREATE TRIGGER t AFTER DELETE ON parent BEGIN INSERT INTO text VALUES ('gone'); END;",
    )
    .unwrap();
    drop(sql);
    db.delete_all().unwrap();
    db.put("k", b"1").unwrap();
    db.commit().unwrap();
    sync(&mut db).unwrap();
    db.close().unwrap();
    let sql = rusqlite::Connection::open(&path).unwrap();
    let mut names = sql
        .prepare("SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'")
        .unwrap();
    let names: Vec<String> = names
        .query_map((), |row| row.get(0))
        .unwrap()
        .map(|name| name.unwrap())
        .collect();
    assert_eq!(names, ["_cf_KV"]);
}

#[test]
fn a_storage_opened_again_finds_everything() {
    let place = place();
    let mut db = place.object("a");
    db.put("k", b"1").unwrap();
    db.commit().unwrap();
    sync(&mut db).unwrap();
    let folder = place.folder;
    drop((db, place.storage, place.namespace));
    let (_storage, namespace) = open(folder.path(), Options::default());
    assert_eq!(
        get(
            &mut namespace.database(namespace.key().id_from_name("a")),
            "k"
        )
        .unwrap(),
        b"1"
    );
    assert!(folder.path().join(KEY).is_dir());
}
