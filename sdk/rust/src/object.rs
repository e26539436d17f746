//! Which object this is.

use crate::{host::Taken, imports};

const ID: i32 = 0;
const NAME: i32 = 1;
const NAMESPACE: i32 = 2;

/// The object's id, 64 hex digits; `None` in the worker.
pub fn id() -> Option<String> {
    ask(ID)
}

/// The object's name; `None` in the worker, or if it has none.
pub fn name() -> Option<String> {
    ask(NAME)
}

/// The object's namespace; `None` in the worker.
pub fn namespace() -> Option<String> {
    ask(NAMESPACE)
}

fn ask(which: i32) -> Option<String> {
    // SAFETY: the function has no conditions.
    let length = unsafe { imports::object_id(which) };
    (length >= 0).then(|| Taken::new(length).text())
}
