//! SQL on the object's database.

use crate::{
    block::Block,
    host::{Error, taken},
    imports,
    view::{SLOT, View},
};

/// A value of a row or a parameter. A `bool` is the integer 0 or 1.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "they are SQLite's")]
pub enum Value {
    Null,
    Integer(i64),
    Real(f64),
    Text(String),
    Blob(Vec<u8>),
}

/// The result of a statement: all of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// As many values in each as there are columns.
    pub rows: Vec<Vec<Value>>,
    /// Rows that SQLite has read for it.
    pub rows_read: i64,
    /// Rows that SQLite has written for it.
    pub rows_written: i64,
}

impl Value {
    /// The integer, if it is one.
    pub fn integer(&self) -> Option<i64> {
        match self {
            Self::Integer(value) => Some(*value),
            _ => None,
        }
    }

    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

macro_rules! from {
    ($($type:ty => $variant:ident),*) => {
        $(impl From<$type> for Value {
            fn from(value: $type) -> Self {
                Self::$variant(value.into())
            }
        })*
    };
}

from! {bool => Integer, i32 => Integer, u32 => Integer, i64 => Integer, f64 => Real, &str => Text, String => Text, &[u8] => Blob, Vec<u8> => Blob}

/// Runs a statement. Its parameters `?` are `parameters` in their order.
///
/// # Errors
/// SQLite's, or if the host refuses the statement.
pub fn query(statement: &str, parameters: &[Value]) -> Result<Rows, Error> {
    let mut block = Block::new(parameters.len());
    for (slot, parameter) in parameters.iter().enumerate() {
        block.value(slot, parameter);
    }
    // SAFETY: the host reads the statement and the slots, which the block keeps in their place.
    let answer = unsafe {
        imports::sql_exec(
            statement.as_ptr(),
            statement.len(),
            block.place(),
            parameters.len(),
        )
    };
    let result = taken(answer, || format!("sql {statement:?}"))?;
    Ok(rows(result.view()))
}

fn rows(view: View<'_>) -> Rows {
    let first = view.array(0).next().expect("a result has 4 parts");
    let cells = |row| view.array(row).map(|cell| view.value(cell)).collect();
    let text = |name| String::from_utf8_lossy(view.text(name)).into_owned();
    Rows {
        columns: view.array(first).map(text).collect(),
        rows: view.array(first + SLOT).map(cells).collect(),
        rows_read: view.value(first + 2 * SLOT).integer().unwrap_or(0),
        rows_written: view.value(first + 3 * SLOT).integer().unwrap_or(0),
    }
}
