//! The key-value storage: the object's own, and in the worker the worker's.

use crate::{
    host::{Error, done, found, taken},
    imports,
    view::SLOT,
};

const REVERSE: i32 = 1;
const KEYS_ONLY: i32 = 2;
const AFTER: i32 = 4;

/// Which keys [`list`] gives. The default is the first 1,000, with their values.
#[derive(Debug, Clone, Copy)]
pub struct List<'a> {
    /// What the keys begin with.
    pub prefix: &'a str,
    /// Where the list begins: with this key, or what comes next.
    pub start: &'a str,
    /// Whether it begins behind `start`.
    pub after: bool,
    /// The most entries.
    pub limit: u32,
    /// From the last key to the first.
    pub reverse: bool,
    /// Without the values.
    pub keys_only: bool,
}

impl Default for List<'_> {
    fn default() -> Self {
        Self {
            prefix: "",
            start: "",
            after: false,
            limit: 1_000,
            reverse: false,
            keys_only: false,
        }
    }
}

/// The value of a key, if it has one.
///
/// # Errors
/// If the host refuses the key or cannot read.
pub fn get(key: &str) -> Result<Option<Vec<u8>>, Error> {
    // SAFETY: the host reads the key.
    let answer = unsafe { imports::kv_get(key.as_ptr(), key.len()) };
    let value = found(answer, || format!("kv get {key:?}"))?;
    Ok(value.map(|value| value.bytes().to_vec()))
}

/// Sets the value of a key.
///
/// # Errors
/// If the host refuses the key or value, or cannot write.
pub fn put(key: &str, value: impl AsRef<[u8]>) -> Result<(), Error> {
    let value = value.as_ref();
    // SAFETY: the host reads the key and the value.
    let answer = unsafe { imports::kv_put(key.as_ptr(), key.len(), value.as_ptr(), value.len()) };
    done(answer, || format!("kv put {key:?}")).map(drop)
}

/// Removes a key, and says whether it was there.
///
/// # Errors
/// If the host cannot write.
pub fn delete(key: &str) -> Result<bool, Error> {
    // SAFETY: the host reads the key.
    let answer = unsafe { imports::kv_delete(key.as_ptr(), key.len()) };
    done(answer, || format!("kv delete {key:?}")).map(|deleted| deleted == 1)
}

/// Keys and their values, in order. The values are empty if only keys were asked for.
///
/// # Errors
/// If the host cannot read.
pub fn list(options: &List<'_>) -> Result<Vec<(String, Vec<u8>)>, Error> {
    let List { prefix, start, .. } = options;
    let flag = |is_set: bool, flag: i32| if is_set { flag } else { 0 };
    let flags = flag(options.reverse, REVERSE)
        | flag(options.keys_only, KEYS_ONLY)
        | flag(options.after, AFTER);
    let limit = i32::try_from(options.limit).unwrap_or(i32::MAX);
    // SAFETY: the host reads the two texts.
    let answer = unsafe {
        imports::kv_list(
            prefix.as_ptr(),
            prefix.len(),
            start.as_ptr(),
            start.len(),
            limit,
            flags,
        )
    };
    let list = taken(answer, || format!("kv list of {prefix:?}"))?;
    let view = list.view();
    let entries = view.array(0).map(|entry| {
        let key = view
            .array(entry)
            .next()
            .expect("an entry has a key and a value");
        (
            String::from_utf8_lossy(view.text(key)).into_owned(),
            view.text(key + SLOT).to_vec(),
        )
    });
    Ok(entries.collect())
}
