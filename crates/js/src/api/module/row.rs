//! Rows as JavaScript values. Raw engine calls live here: a row goes from SQLite's memory into the engine's without
//! a copy between, and its keys are atoms that all rows of a shape share.
//!
//! No call here runs user code, so all of them may be made while the database is borrowed.

use std::{ffi::c_int, rc::Rc, sync::Arc};

use dolmen_runtime::storage::{SqlColumns, SqlRow, SqlValue};
use rquickjs::{Ctx, Error, Result, String as JsString, Value, qjs};

/// How a row is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Object,
    Array,
}

/// The column names of a shape as property keys.
pub(super) struct Keys {
    runtime: *mut qjs::JSRuntime,
    atoms: Vec<qjs::JSAtom>,
    pub columns: Arc<SqlColumns>,
}

impl Keys {
    pub fn new(ctx: &Ctx<'_>, columns: Arc<SqlColumns>) -> Result<Rc<Keys>> {
        let raw = ctx.as_raw().as_ptr();
        let mut keys = Keys {
            // SAFETY: the context is live.
            runtime: unsafe { qjs::JS_GetRuntime(raw) },
            atoms: Vec::with_capacity(columns.names.len()),
            columns: Arc::clone(&columns),
        };
        for name in &columns.names {
            let name = JsString::from_str(ctx.clone(), name)?;
            // SAFETY: the string is held; the atom's count is given back by `drop`.
            let atom = unsafe { qjs::JS_ValueToAtom(raw, name.as_raw()) };
            if atom == qjs::JS_ATOM_NULL {
                return Err(Error::Exception);
            }
            keys.atoms.push(atom);
        }
        Ok(Rc::new(keys))
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        for atom in &self.atoms {
            // SAFETY: the atoms are ours, and the runtime is alive: keys are held by its own objects only.
            unsafe { qjs::JS_FreeAtomRT(self.runtime, *atom) };
        }
    }
}

/// Rows that are not in an array yet.
pub(super) struct Rows<'js> {
    ctx: Ctx<'js>,
    values: Vec<qjs::JSValue>,
    /// About how much memory they take.
    pub bytes: usize,
}

/// What a value takes beside its text or bytes.
const VALUE_BYTES: usize = 16;

impl<'js> Rows<'js> {
    pub fn new(ctx: &Ctx<'js>) -> Self {
        Self {
            ctx: ctx.clone(),
            values: Vec::new(),
            bytes: 0,
        }
    }

    pub fn push(&mut self, keys: &Keys, shape: Shape, row: &SqlRow<'_>) -> Result<()> {
        self.values
            .push(make(&self.ctx, keys, shape, row, &mut self.bytes)?);
        Ok(())
    }

    pub fn into_array(mut self) -> Result<Value<'js>> {
        let values = std::mem::take(&mut self.values);
        let count =
            c_int::try_from(values.len()).expect("the heap is full long before 2^31 values");
        // SAFETY: the list is live while it is read; the engine takes the values' counts, also on errors.
        take(&self.ctx, unsafe {
            qjs::JS_NewArrayFrom(self.ctx.as_raw().as_ptr(), count, values.as_ptr())
        })
    }
}

impl Drop for Rows<'_> {
    fn drop(&mut self) {
        for value in &self.values {
            // SAFETY: the counts are ours.
            unsafe { qjs::JS_FreeValue(self.ctx.as_raw().as_ptr(), *value) };
        }
    }
}

/// One row.
pub(super) fn value<'js>(
    ctx: &Ctx<'js>,
    keys: &Keys,
    shape: Shape,
    row: &SqlRow<'_>,
) -> Result<Value<'js>> {
    let made = make(ctx, keys, shape, row, &mut 0)?;
    take(ctx, made)
}

fn take<'js>(ctx: &Ctx<'js>, value: qjs::JSValue) -> Result<Value<'js>> {
    // SAFETY: reads the tag; then the value's count moves to the `Value`.
    unsafe {
        if qjs::JS_IsException(value) {
            return Err(Error::Exception);
        }
        Ok(Value::from_raw(ctx.clone(), value))
    }
}

fn make(
    ctx: &Ctx<'_>,
    keys: &Keys,
    shape: Shape,
    row: &SqlRow<'_>,
    bytes: &mut usize,
) -> Result<qjs::JSValue> {
    let ctx = ctx.as_raw().as_ptr();
    // SAFETY: makes a new value.
    let made = unsafe {
        match shape {
            Shape::Object => qjs::JS_NewObject(ctx),
            Shape::Array => qjs::JS_NewArray(ctx),
        }
    };
    // SAFETY: reads the tag.
    if unsafe { qjs::JS_IsException(made) } {
        return Err(Error::Exception);
    }
    for (column, atom) in keys.atoms.iter().enumerate() {
        let flags = qjs::JS_PROP_C_W_E as c_int;
        // SAFETY: object and atom are held; the engine takes the cell's count, also on errors, and knows an exception
        // for what it is.
        let status = unsafe {
            let cell = cell(ctx, row.value(column), bytes);
            if qjs::JS_IsException(cell) {
                -1
            } else if shape == Shape::Object {
                qjs::JS_DefinePropertyValue(ctx, made, *atom, cell, flags)
            } else {
                qjs::JS_DefinePropertyValueUint32(ctx, made, column as u32, cell, flags)
            }
        };
        if status < 0 {
            // SAFETY: the count is ours.
            unsafe { qjs::JS_FreeValue(ctx, made) };
            return Err(Error::Exception);
        }
    }
    Ok(made)
}

/// SAFETY: `ctx` must be live.
unsafe fn cell(ctx: *mut qjs::JSContext, value: SqlValue<'_>, bytes: &mut usize) -> qjs::JSValue {
    *bytes += VALUE_BYTES;
    match value {
        SqlValue::Null => qjs::JS_NULL,
        SqlValue::Integer(number) => match i32::try_from(number) {
            Ok(small) => qjs::JS_MKVAL(qjs::JS_TAG_INT, small),
            #[expect(clippy::cast_precision_loss, reason = "documented: as in JavaScript")]
            Err(_) => qjs::JS_NewFloat64(number as f64),
        },
        SqlValue::Real(number) => {
            #[expect(clippy::cast_possible_truncation, reason = "compared right after")]
            let small = number as i32;
            // The engine is faster with integers, and has no other zero for -0.
            if f64::from(small).to_bits() == number.to_bits() {
                qjs::JS_MKVAL(qjs::JS_TAG_INT, small)
            } else {
                qjs::JS_NewFloat64(number)
            }
        }
        SqlValue::Text(text) => {
            *bytes += text.len();
            // SAFETY: pointer and length are of one live slice, which the engine copies; it puts U+FFFD for what is not
            // UTF-8.
            unsafe { qjs::JS_NewStringLen(ctx, text.as_ptr().cast(), text.len() as _) }
        }
        SqlValue::Blob(blob) => {
            *bytes += blob.len();
            // SAFETY: pointer and length are of one live slice, which the engine copies.
            unsafe { qjs::JS_NewArrayBufferCopy(ctx, blob.as_ptr(), blob.len() as _) }
        }
    }
}

/// Puts entries into a new `Map`, without looking at what a program made of its methods.
pub(super) struct MapMaker<'js> {
    ctx: Ctx<'js>,
    map: Value<'js>,
    set: Value<'js>,
}

impl<'js> MapMaker<'js> {
    /// `set` is `Map.prototype.set` and `map` an empty `Map`.
    pub fn new(map: Value<'js>, set: Value<'js>) -> Self {
        Self {
            ctx: map.ctx().clone(),
            map,
            set,
        }
    }

    pub fn set(&self, key: &str, value: &Value<'js>) -> Result<()> {
        let ctx = self.ctx.as_raw().as_ptr();
        let key = JsString::from_str(self.ctx.clone(), key)?;
        let mut arguments = [key.as_raw(), value.as_raw()];
        // SAFETY: everything is held for the call, which takes no counts; the result's count is given back.
        unsafe {
            let result = qjs::JS_Call(
                ctx,
                self.set.as_raw(),
                self.map.as_raw(),
                arguments.len() as c_int,
                arguments.as_mut_ptr(),
            );
            if qjs::JS_IsException(result) {
                return Err(Error::Exception);
            }
            qjs::JS_FreeValue(ctx, result);
        }
        Ok(())
    }

    pub fn into_map(self) -> Value<'js> {
        self.map
    }
}
