//! `ctx.storage.sql`: `exec`, and the cursor that it gives.

use std::{cell::RefCell, collections::HashMap, rc::Rc, sync::Arc};

use dolmen_runtime::{
    Host,
    storage::{SqlColumns, SqlCursor, SqlSummary, SqlValue},
};
use rquickjs::{
    Class, Coerced, Ctx, Exception, Function, Object, Value,
    function::{Rest, This},
    object::Accessor,
};

use super::{
    binding::Binding,
    function,
    row::{self, Keys, Rows, Shape},
    storage, throw,
};
use crate::{js_class::js_class, value_format};

/// Shapes whose keys are kept.
const MAX_SHAPES: usize = 256;

/// What the cursors of one object share.
struct Sql {
    host: Rc<Host>,
    /// Cursors that were dropped while the database was in use.
    dropped: RefCell<Vec<SqlCursor>>,
    keys: RefCell<HashMap<u64, Rc<Keys>>>,
}

/// One cursor, and all iterators over it.
struct Run {
    sql: Rc<Sql>,
    cursor: SqlCursor,
    keys: Rc<Keys>,
    /// Set at its end.
    summary: RefCell<Option<SqlSummary>>,
}

/// The JavaScript object `Cursor`.
pub(super) struct CursorHandle(Rc<Run>);

/// An iterator over a cursor; all of them share its position.
pub(super) struct RowsHandle(Rc<Run>, Shape);

js_class!(CursorHandle, "Cursor", cursor_prototype);
js_class!(RowsHandle, "RowIterator", rows_prototype);

fn cursor_prototype<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let prototype = Object::new(ctx.clone())?;
    type Cursor<'js> = This<Class<'js, CursorHandle>>;
    macro_rules! method {
        ($name:literal, |$run:ident, $ctx:ident| $body:expr) => {
            let function = Function::new(ctx.clone(), |$ctx: Ctx<'js>, this: Cursor<'js>| {
                let handle = this.0.borrow();
                let $run = &handle.0;
                $body
            })?;
            prototype.set($name, function.with_name($name)?)?;
        };
    }
    macro_rules! getter {
        ($name:literal, |$run:ident, $ctx:ident| $body:expr) => {
            prototype.prop(
                $name,
                Accessor::new_get(|$ctx: Ctx<'js>, this: Cursor<'js>| {
                    let handle = this.0.borrow();
                    let $run = &handle.0;
                    $body
                })
                .configurable()
                .enumerable(),
            )?;
        };
    }
    method!("next", |run, ctx| run.step(&ctx, Shape::Object));
    method!("toArray", |run, ctx| run.rest(&ctx, Shape::Object));
    method!("one", |run, ctx| run.one(&ctx));
    method!("raw", |run, ctx| Class::instance(
        ctx,
        RowsHandle(run.clone(), Shape::Array)
    ));
    method!("rows", |run, ctx| Class::instance(
        ctx,
        RowsHandle(run.clone(), Shape::Object)
    ));
    getter!("columnNames", |run, _ctx| Ok::<_, rquickjs::Error>(
        run.keys.columns.names.clone()
    ));
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    {
        getter!("rowsRead", |run, ctx| run
            .summary(&ctx)
            .map(|summary| summary.rows_read as f64));
        getter!("rowsWritten", |run, ctx| run
            .rows_written(&ctx)
            .map(|rows| rows as f64));
    }
    value_format::mark_platform(ctx, &prototype)?;
    Ok(prototype)
}

fn rows_prototype<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let prototype = Object::new(ctx.clone())?;
    type Iterator<'js> = This<Class<'js, RowsHandle>>;
    let next = |ctx: Ctx<'js>, this: Iterator<'js>| {
        let handle = this.0.borrow();
        handle.0.step(&ctx, handle.1)
    };
    prototype.set("next", Function::new(ctx.clone(), next)?.with_name("next")?)?;
    // As the iterators' own `toArray`, but in one go.
    let rest = |ctx: Ctx<'js>, this: Iterator<'js>| {
        let handle = this.0.borrow();
        handle.0.rest(&ctx, handle.1)
    };
    prototype.set(
        "toArray",
        Function::new(ctx.clone(), rest)?.with_name("toArray")?,
    )?;
    value_format::mark_platform(ctx, &prototype)?;
    Ok(prototype)
}

pub(super) fn native<'js>(
    ctx: &Ctx<'js>,
    native: &Object<'js>,
    host: &Rc<Host>,
) -> rquickjs::Result<()> {
    let sql = Rc::new(Sql {
        host: host.clone(),
        dropped: RefCell::default(),
        keys: RefCell::default(),
    });
    let own = sql.clone();
    function(
        ctx,
        native,
        "exec",
        move |ctx: Ctx<'js>, arguments: Rest<Value<'js>>| own.exec(&ctx, &arguments.0),
    )?;
    function(ctx, native, "size", move |ctx: Ctx<'js>| {
        #[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^53")]
        sql.host
            .storage(|db| db.sql_size())
            .map(|bytes| bytes as f64)
            .map_err(|error| throw(&ctx, &error))
    })?;
    native.set("cursorPrototype", Class::<CursorHandle>::prototype(ctx)?)?;
    native.set("rowsPrototype", Class::<RowsHandle>::prototype(ctx)?)
}

impl Sql {
    fn exec<'js>(
        self: &Rc<Self>,
        ctx: &Ctx<'js>,
        arguments: &[Value<'js>],
    ) -> rquickjs::Result<Class<'js, CursorHandle>> {
        let Some((text, values)) = arguments.split_first() else {
            return Err(Exception::throw_type(
                ctx,
                "Failed to execute 'exec' on 'SqlStorage': parameter 1 is not of type 'String'.",
            ));
        };
        let text = match text.as_string() {
            Some(text) => storage::text(ctx, text)?,
            None => storage::text(ctx, &text.get::<Coerced<rquickjs::String<'js>>>()?.0)?,
        };
        let bindings = values
            .iter()
            .map(|value| Binding::of(ctx, value))
            .collect::<rquickjs::Result<Vec<_>>>()?;
        let bindings: Vec<SqlValue<'_>> = bindings.iter().map(Binding::borrow).collect();
        let fail = |error| throw(ctx, &error);
        for cursor in self.dropped.take() {
            self.host
                .storage(|db| Ok(db.sql_close(cursor)))
                .map_err(fail)?;
        }
        let cursor = self.host.sql_exec(&text, &bindings).map_err(fail)?;
        let (columns, has_row) = self
            .host
            .storage(|db| Ok((db.sql_columns(cursor)?, db.sql_has_row(cursor)?)))
            .map_err(fail)?;
        let run = Run {
            sql: self.clone(),
            cursor,
            keys: self.keys(ctx, columns)?,
            summary: RefCell::default(),
        };
        if !has_row {
            run.end(ctx)?;
        }
        Class::instance(ctx.clone(), CursorHandle(Rc::new(run)))
    }

    fn keys(&self, ctx: &Ctx<'_>, columns: Arc<SqlColumns>) -> rquickjs::Result<Rc<Keys>> {
        let mut known = self.keys.borrow_mut();
        if let Some(keys) = known.get(&columns.id) {
            return Ok(keys.clone());
        }
        let id = columns.id;
        let keys = Keys::new(ctx, columns)?;
        if known.len() >= MAX_SHAPES {
            known.clear();
        }
        known.insert(id, keys.clone());
        Ok(keys)
    }
}

impl Run {
    /// Whether there is a row to read; at the end the cursor is closed.
    fn fetch(&self, ctx: &Ctx<'_>) -> rquickjs::Result<bool> {
        if self.summary.borrow().is_some() {
            return Ok(false);
        }
        match self.sql.host.sql_fetch(self.cursor) {
            Ok(true) => Ok(true),
            Ok(false) => {
                self.end(ctx)?;
                Ok(false)
            }
            Err(error) => {
                self.end(ctx)?;
                Err(throw(ctx, &error))
            }
        }
    }

    fn end(&self, ctx: &Ctx<'_>) -> rquickjs::Result<()> {
        let summary = self
            .sql
            .host
            .storage(|db| Ok(db.sql_close(self.cursor)))
            .map_err(|error| throw(ctx, &error))?;
        *self.summary.borrow_mut() = Some(summary.unwrap_or_default());
        Ok(())
    }

    fn read<'js>(&self, ctx: &Ctx<'js>, shape: Shape) -> rquickjs::Result<Option<Value<'js>>> {
        if !self.fetch(ctx)? {
            return Ok(None);
        }
        self.sql
            .host
            .storage(|db| db.sql_read(self.cursor, |row| row::value(ctx, &self.keys, shape, &row)))
            .map_err(|error| throw(ctx, &error))?
            .transpose()
    }

    /// `next()` of an iterator.
    fn step<'js>(&self, ctx: &Ctx<'js>, shape: Shape) -> rquickjs::Result<Object<'js>> {
        let row = self.read(ctx, shape)?;
        let result = Object::new(ctx.clone())?;
        result.set("done", row.is_none())?;
        result.set(
            "value",
            row.unwrap_or_else(|| Value::new_undefined(ctx.clone())),
        )?;
        Ok(result)
    }

    /// All rows that are left.
    fn rest<'js>(&self, ctx: &Ctx<'js>, shape: Shape) -> rquickjs::Result<Value<'js>> {
        let mut rows = Rows::new(ctx);
        // The heap holds more than these rows, and a full one resets the object.
        let limit = self.sql.host.options().memory_limit / 2;
        while self.fetch(ctx)? {
            self.sql
                .host
                .storage(|db| db.sql_read(self.cursor, |row| rows.push(&self.keys, shape, &row)))
                .map_err(|error| throw(ctx, &error))?
                .transpose()?;
            if rows.bytes > limit {
                return Err(Exception::throw_message(
                    ctx,
                    "SQL query result set is too large to fit in memory. Use a streaming iterator instead.",
                ));
            }
        }
        rows.into_array()
    }

    fn one<'js>(&self, ctx: &Ctx<'js>) -> rquickjs::Result<Value<'js>> {
        let Some(row) = self.read(ctx, Shape::Object)? else {
            return Err(Exception::throw_message(
                ctx,
                "Expected exactly one result from SQL query, but got no results.",
            ));
        };
        if self.fetch(ctx)? {
            self.end(ctx)?;
            return Err(Exception::throw_message(
                ctx,
                "Expected exactly one result from SQL query, but got multiple results.",
            ));
        }
        Ok(row)
    }

    fn summary(&self, ctx: &Ctx<'_>) -> rquickjs::Result<SqlSummary> {
        if let Some(summary) = &*self.summary.borrow() {
            return Ok(summary.clone());
        }
        self.sql
            .host
            .storage(|db| db.sql_summary(self.cursor))
            .map_err(|error| throw(ctx, &error))
    }

    fn rows_written(&self, ctx: &Ctx<'_>) -> rquickjs::Result<u64> {
        let summary = self.summary(ctx)?;
        self.sql
            .host
            .storage(|db| db.sql_rows_written(&summary))
            .map_err(|error| throw(ctx, &error))
    }
}

impl Drop for Run {
    /// The engine may drop a cursor in the middle of anything, also of work on the database.
    fn drop(&mut self) {
        if self.summary.get_mut().is_some() {
            return;
        }
        let closed = self.sql.host.try_storage(|db| db.sql_close(self.cursor));
        if closed.is_none() {
            self.sql.dropped.borrow_mut().push(self.cursor);
        }
    }
}
