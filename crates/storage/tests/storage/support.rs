//! What the tests share: a storage in a folder of its own, and waiting for callbacks.

use std::path::Path;
use std::sync::mpsc::channel;

use dolmen_storage::{Database, Error, Namespace, Options, Result, SqlCursor, SqlValue, Storage};
use tempfile::TempDir;

pub const KEY: &str = "test-Object";

pub struct Place {
    pub storage: Storage,
    pub namespace: Namespace,
    pub folder: TempDir,
}

pub fn place() -> Place {
    place_with(Options::default())
}

pub fn place_with(options: Options) -> Place {
    let folder = tempfile::tempdir().unwrap();
    let (storage, namespace) = open(folder.path(), options);
    Place {
        storage,
        namespace,
        folder,
    }
}

pub fn open(root: &Path, options: Options) -> (Storage, Namespace) {
    let storage = Storage::open(root, options).unwrap();
    let namespace = storage.namespace(KEY).unwrap();
    (storage, namespace)
}

/// A folder in memory where there is one: these tests make and remove thousands, and their disk is a pretended one.
pub fn scratch() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        tempfile::tempdir_in(memory).unwrap()
    } else {
        tempfile::tempdir().unwrap()
    }
}

impl Place {
    pub fn object(&self, name: &str) -> Database {
        self.namespace
            .database(self.namespace.key().id_from_name(name))
    }
}

/// Calls `start` with a callback and waits for what the callback gets.
pub fn wait<T: Send + 'static>(start: impl FnOnce(Box<dyn FnOnce(T) + Send>)) -> T {
    let (done, told) = channel();
    start(Box::new(move |outcome| done.send(outcome).unwrap()));
    told.recv().unwrap()
}

pub fn sync(db: &mut Database) -> Result<u64> {
    let number = wait(|done| db.sync(done))?;
    db.note_durable(number);
    Ok(number)
}

pub fn checkpoint(db: &mut Database) -> Result<()> {
    let done = wait(|done| db.checkpoint(done));
    db.finish_checkpoint(done)
}

pub fn get(db: &mut Database, key: &str) -> Option<Vec<u8>> {
    db.get(key, |value| value.map(<[u8]>::to_vec)).unwrap()
}

/// A seeded source of choices (SplitMix64), so that a failing round can be run again.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number less than `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}

/// Runs user SQL and shows all of its rows: values by `,`, rows by `;`.
pub fn sql_with(db: &mut Database, text: &str, bindings: &[SqlValue<'_>]) -> Result<String> {
    let cursor = db.sql_exec(text, bindings)?;
    let shown = rows(db, cursor)?;
    db.sql_close(cursor);
    Ok(shown)
}

/// The rows that a cursor has left.
pub fn rows(db: &mut Database, cursor: SqlCursor) -> Result<String> {
    let mut rows = Vec::new();
    while db.sql_fetch(cursor)? {
        let row = db.sql_read(cursor, |row| {
            let values: Vec<String> = (0..row.len()).map(|at| show(row.value(at))).collect();
            values.join(",")
        })?;
        rows.extend(row);
    }
    Ok(rows.join(";"))
}

fn show(value: SqlValue<'_>) -> String {
    match value {
        SqlValue::Null => "null".to_owned(),
        SqlValue::Integer(number) => number.to_string(),
        SqlValue::Real(number) => format!("{number:?}"),
        SqlValue::Text(text) => String::from_utf8(text.to_owned()).unwrap(),
        SqlValue::Blob(blob) => format!("x{blob:?}"),
    }
}

pub fn sql(db: &mut Database, text: &str) -> String {
    sql_with(db, text, &[]).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The error of user SQL that must fail.
pub fn sql_error(db: &mut Database, text: &str) -> String {
    match sql_with(db, text, &[]) {
        Ok(rows) => panic!("{text} gave {rows}"),
        Err(error) => Error::message(&error).to_owned(),
    }
}
