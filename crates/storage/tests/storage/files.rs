//! Files of WASM objects in their databases.

use dolmen_storage::{Database, ROOT_DIRECTORY};

use crate::support::place;

/// Numbers that are the same in every run: <https://en.wikipedia.org/wiki/Xorshift>.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

fn whole(db: &mut Database, id: i64) -> Vec<u8> {
    let size = db.file(id).unwrap().unwrap().size;
    let mut all = vec![0xaa; size as usize + 1];
    let read = db.read_file(id, 0, &mut all).unwrap();
    all.truncate(read);
    all
}

#[test]
fn an_object_that_has_no_files_makes_none_by_looking() {
    let place = place();
    let mut db = place.object("a");
    assert_eq!(db.find_file(ROOT_DIRECTORY, "x").unwrap(), None);
    assert_eq!(db.file(7).unwrap(), None);
    assert_eq!(db.read_file(7, 0, &mut [0; 4]).unwrap(), 0);
    assert_eq!(db.files_usage().unwrap(), (0, 0));
    assert!(db.list_files(ROOT_DIRECTORY, 0, 9).unwrap().is_empty());
    assert_eq!(db.commit().unwrap(), 0);
    assert_eq!(
        std::fs::read_dir(place.namespace.folder()).unwrap().count(),
        0
    );
}

#[test]
fn a_file_is_what_a_list_of_bytes_would_be() {
    let place = place();
    let mut db = place.object("a");
    let file = db.make_file(ROOT_DIRECTORY, "f", false, 1).unwrap().id;
    let mut model: Vec<u8> = Vec::new();
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    for round in 0..300 {
        let at = numbers.below(70_000) as usize;
        match numbers.below(4) {
            0 | 1 => {
                let length = [1, 7, 16_384, 40_000][numbers.below(4) as usize];
                let bytes = vec![round as u8 | 1; length];
                db.write_file(file, at as u64, &bytes, round).unwrap();
                model.resize(model.len().max(at + length), 0);
                model[at..at + length].copy_from_slice(&bytes);
            }
            2 => {
                db.resize_file(file, at as u64, round).unwrap();
                model.resize(at, 0);
            }
            _ => {
                let mut part = vec![0xaa; 20_000];
                let read = db.read_file(file, at as u64, &mut part).unwrap();
                let expected = model.get(at..).unwrap_or_default();
                assert_eq!(part[..read], expected[..expected.len().min(20_000)]);
            }
        }
        assert_eq!(db.file(file).unwrap().unwrap().size, model.len() as u64);
        assert!(whole(&mut db, file) == model, "round {round}");
    }
    assert_eq!(db.files_usage().unwrap(), (1, model.len() as u64));
    db.remove_file(file).unwrap();
    assert_eq!(db.file(file).unwrap(), None);
}

#[test]
fn files_are_named_listed_moved_and_undone_with_their_transaction() {
    let place = place();
    let mut db = place.object("a");
    let folder = db.make_file(ROOT_DIRECTORY, "d", true, 5).unwrap();
    assert!(folder.is_directory);
    for name in ["b", "a", "c"] {
        db.make_file(folder.id, name, false, 6).unwrap();
    }
    db.make_file(folder.id, "a", false, 6)
        .expect_err("there is one of that name");
    let names = |db: &mut Database, skip, limit| {
        let all = db.list_files(folder.id, skip, limit).unwrap();
        all.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
    };
    assert_eq!(names(&mut db, 0, 9), ["a", "b", "c"]);
    assert_eq!(names(&mut db, 1, 1), ["b"]);
    let after = db.list_files_after(folder.id, "a", 1).unwrap();
    assert_eq!(after[0].0, "b");
    assert_eq!(db.parent_of_file(folder.id).unwrap(), Some(ROOT_DIRECTORY));
    assert_eq!(db.parent_of_file(ROOT_DIRECTORY).unwrap(), None);
    db.commit().unwrap();
    let a = db.find_file(folder.id, "a").unwrap().unwrap();
    assert_eq!((a.size, a.modified_ms), (0, 6));

    db.begin_nested().unwrap();
    db.write_file(a.id, 0, b"text", 7).unwrap();
    db.move_file(a.id, ROOT_DIRECTORY, "z").unwrap();
    assert_eq!(db.find_file(ROOT_DIRECTORY, "z").unwrap().unwrap().size, 4);
    db.rollback_nested().unwrap();
    assert_eq!(db.find_file(ROOT_DIRECTORY, "z").unwrap(), None);
    assert_eq!(db.find_file(folder.id, "a").unwrap(), Some(a));
    db.delete_all().unwrap();
    assert_eq!(db.find_file(ROOT_DIRECTORY, "d").unwrap(), None);
    db.sql_exec("SELECT * FROM _cf_DOLMEN_FILES", &[])
        .expect_err("not for user SQL");
}
