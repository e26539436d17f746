//! Memories, tables and globals: each function takes the number of one. The glue has checked what
//! it gives; numbers of pages and entries are 32-bit.

use rquickjs::{Ctx, Error, Exception, Object, Result, Value, prelude::Func};
use wasmtime::{
    Global, GlobalType, Memory, MemoryType, Mutability, Ref, RefType, Table, TableType, Val,
};

use super::{
    buffer,
    context::Wasm,
    errors,
    limits::{MAX_MEMORIES, MAX_TABLES},
    values::{Plain, Type, no_vectors},
};

/// Globals that JavaScript has.
pub(super) const MAX_GLOBALS: usize = 10_000;

/// Adds the functions to `native`.
pub(super) fn native(native: &Object<'_>) -> Result<()> {
    native.set("newMemory", Func::from(new_memory))?;
    native.set("memoryBuffer", Func::from(memory_buffer))?;
    native.set("memoryGrow", Func::from(memory_grow))?;
    native.set("newTable", Func::from(new_table))?;
    native.set("tableLength", Func::from(table_length))?;
    native.set("tableGet", Func::from(table_get))?;
    native.set("tableSet", Func::from(table_set))?;
    native.set("tableGrow", Func::from(table_grow))?;
    native.set("newGlobal", Func::from(new_global))?;
    native.set("globalGet", Func::from(global_get))?;
    native.set("globalSet", Func::from(global_set))
}

/// Throws that a member cannot be made or grow.
fn refused<'js>(ctx: &Ctx<'js>, wasm: &Wasm<'js>, what: &str, error: &wasmtime::Error) -> Error {
    if wasm.store.shared.refused.take() {
        return errors::over_limit(ctx, wasm, what);
    }
    Exception::throw_range(ctx, &format!("{what}: {error:#}"))
}

/// Throws if there are more of a kind than there may be. They stay as long as the context.
pub(super) fn check_count(ctx: &Ctx<'_>, count: usize, most: usize, what: &str) -> Result<()> {
    if count <= most {
        return Ok(());
    }
    let message = format!("one object has at most {most} WebAssembly {what}");
    Err(Exception::throw_range(ctx, &message))
}

/// Adds a member to its list, and gives its number.
pub(super) fn push<T>(list: &mut Vec<T>, member: T) -> u32 {
    list.push(member);
    u32::try_from(list.len() - 1).expect("members are bounded")
}

fn new_memory(ctx: Ctx<'_>, initial: u32, maximum: Option<u32>) -> Result<u32> {
    let wasm = Wasm::of(&ctx)?;
    let count = wasm.store.memories.borrow().len();
    check_count(&ctx, count + 1, MAX_MEMORIES, "memories")?;
    let ty = MemoryType::new(initial, maximum);
    wasm.store.shared.refused.set(false);
    let memory = wasm.store.with(|store| Memory::new(store, ty));
    let memory =
        memory.map_err(|error| refused(&ctx, &wasm, "the memory cannot be made", &error))?;
    Ok(push(&mut wasm.store.memories.borrow_mut(), memory))
}

fn memory_buffer<'js>(ctx: Ctx<'js>, number: u32) -> Result<Object<'js>> {
    let wasm = Wasm::of(&ctx)?;
    buffer::of_memory(&ctx, &wasm, number)
}

fn memory_grow(ctx: Ctx<'_>, number: u32, delta: u32) -> Result<f64> {
    let wasm = Wasm::of(&ctx)?;
    let memory = wasm.store.memories.borrow()[number as usize];
    wasm.store.shared.refused.set(false);
    let grown = wasm.store.with(|store| memory.grow(store, delta.into()));
    let before = grown.map_err(|error| refused(&ctx, &wasm, "the memory cannot grow", &error))?;
    // Also when nothing was added.
    buffer::detach(&ctx, &wasm, number as usize);
    #[expect(
        clippy::cast_precision_loss,
        reason = "a memory has at most 65536 pages"
    )]
    Ok(before as f64)
}

fn ref_type(ty: Type) -> RefType {
    match ty {
        Type::Extern => RefType::EXTERNREF,
        _ => RefType::FUNCREF,
    }
}

/// What an entry of a table is to be; `undefined` in a table of functions is no function.
fn entry<'js>(
    ctx: &Ctx<'js>,
    wasm: &Wasm<'js>,
    ty: Type,
    value: Option<Value<'js>>,
) -> Result<Plain> {
    match value {
        Some(value) => Plain::of_js(ctx, wasm, ty, value),
        None if ty == Type::Extern => {
            Plain::of_js(ctx, wasm, ty, Value::new_undefined(ctx.clone()))
        }
        None => Ok(Plain::default_of(ty)),
    }
}

/// A value that the glue gives in a list, or no list for none.
fn given<'js>(list: Vec<Value<'js>>) -> Option<Value<'js>> {
    list.into_iter().next()
}

fn new_table<'js>(
    ctx: Ctx<'js>,
    ty: String,
    initial: u32,
    maximum: Option<u32>,
    value: Vec<Value<'js>>,
) -> Result<u32> {
    let wasm = Wasm::of(&ctx)?;
    let count = wasm.store.tables.borrow().len();
    check_count(&ctx, count + 1, MAX_TABLES, "tables")?;
    let ty = Type::named(&ty).ok_or(Error::Unknown)?;
    let plain = entry(&ctx, &wasm, ty, given(value))?;
    wasm.store.shared.refused.set(false);
    let table = wasm.store.with(|mut store| {
        let value = plain.to_ref(&mut store, &wasm.store.shared)?;
        Table::new(store, TableType::new(ref_type(ty), initial, maximum), value)
    });
    let table = table.map_err(|error| refused(&ctx, &wasm, "the table cannot be made", &error))?;
    Ok(push(&mut wasm.store.tables.borrow_mut(), table))
}

fn table_length(ctx: Ctx<'_>, number: u32) -> Result<f64> {
    let wasm = Wasm::of(&ctx)?;
    let table = wasm.store.tables.borrow()[number as usize];
    #[expect(
        clippy::cast_precision_loss,
        reason = "a table has at most 2^32 entries"
    )]
    Ok(wasm.store.with(|store| table.size(&store)) as f64)
}

fn table_get<'js>(ctx: Ctx<'js>, number: u32, index: u32) -> Result<Value<'js>> {
    let wasm = Wasm::of(&ctx)?;
    let table = wasm.store.tables.borrow()[number as usize];
    let found = wasm.store.with(|mut store| {
        let value = match table.get(&mut store, index.into())? {
            Ref::Func(func) => Val::FuncRef(func),
            Ref::Extern(reference) => Val::ExternRef(reference),
            other => other.into(),
        };
        Some(Plain::of_val(&mut store, &wasm.store.shared, &value))
    });
    match found {
        Some(plain) => plain.to_js(&ctx, &wasm),
        None => Err(outside(&ctx, index)),
    }
}

fn outside(ctx: &Ctx<'_>, index: u32) -> Error {
    Exception::throw_range(ctx, &format!("the table has no entry {index}"))
}

fn type_of(wasm: &Wasm<'_>, table: Table) -> Type {
    Type::of_ref(wasm.store.with(|store| table.ty(&store)).element())
}

fn table_set<'js>(ctx: Ctx<'js>, number: u32, index: u32, value: Vec<Value<'js>>) -> Result<()> {
    let wasm = Wasm::of(&ctx)?;
    let table = wasm.store.tables.borrow()[number as usize];
    let plain = entry(&ctx, &wasm, type_of(&wasm, table), given(value))?;
    let set = wasm.store.with(|mut store| {
        let value = plain.to_ref(&mut store, &wasm.store.shared)?;
        table.set(store, index.into(), value)
    });
    set.map_err(|_| outside(&ctx, index))
}

fn table_grow<'js>(ctx: Ctx<'js>, number: u32, delta: u32, value: Vec<Value<'js>>) -> Result<f64> {
    let wasm = Wasm::of(&ctx)?;
    let table = wasm.store.tables.borrow()[number as usize];
    let plain = entry(&ctx, &wasm, type_of(&wasm, table), given(value))?;
    wasm.store.shared.refused.set(false);
    let grown = wasm.store.with(|mut store| {
        let value = plain.to_ref(&mut store, &wasm.store.shared)?;
        table.grow(store, delta.into(), value)
    });
    let before = grown.map_err(|error| refused(&ctx, &wasm, "the table cannot grow", &error))?;
    #[expect(
        clippy::cast_precision_loss,
        reason = "a table has at most 2^32 entries"
    )]
    Ok(before as f64)
}

fn new_global<'js>(
    ctx: Ctx<'js>,
    ty: String,
    mutable: bool,
    value: Vec<Value<'js>>,
) -> Result<u32> {
    let wasm = Wasm::of(&ctx)?;
    let count = wasm.store.globals.borrow().len();
    check_count(&ctx, count + 1, MAX_GLOBALS, "globals")?;
    let ty = Type::named(&ty).ok_or(Error::Unknown)?;
    let plain = match given(value) {
        Some(value) => Plain::of_js(&ctx, &wasm, ty, value)?,
        None => entry(&ctx, &wasm, ty, None)?,
    };
    let mutability = if mutable {
        Mutability::Var
    } else {
        Mutability::Const
    };
    let global = wasm.store.with(|mut store| {
        let value = plain.to_val(&mut store, &wasm.store.shared)?;
        Global::new(store, GlobalType::new(ty.wasmtime(), mutability), value)
    });
    let global =
        global.map_err(|error| refused(&ctx, &wasm, "the global cannot be made", &error))?;
    Ok(push(&mut wasm.store.globals.borrow_mut(), global))
}

fn global_get<'js>(ctx: Ctx<'js>, number: u32) -> Result<Value<'js>> {
    let wasm = Wasm::of(&ctx)?;
    let global = wasm.store.globals.borrow()[number as usize];
    let plain = wasm.store.with(|mut store| {
        let value = global.get(&mut store);
        Plain::of_val(&mut store, &wasm.store.shared, &value)
    });
    plain.to_js(&ctx, &wasm)
}

fn global_set<'js>(ctx: Ctx<'js>, number: u32, value: Value<'js>) -> Result<()> {
    let wasm = Wasm::of(&ctx)?;
    let global = wasm.store.globals.borrow()[number as usize];
    let ty = wasm.store.with(|store| global.ty(&store));
    if ty.mutability() == Mutability::Const {
        return Err(Exception::throw_type(&ctx, "the global cannot be changed"));
    }
    let ty = Type::of(ty.content());
    if ty == Type::V128 {
        return Err(no_vectors(&ctx));
    }
    let plain = Plain::of_js(&ctx, &wasm, ty, value)?;
    let set = wasm.store.with(|mut store| {
        let value = plain.to_val(&mut store, &wasm.store.shared)?;
        global.set(store, value)
    });
    set.map_err(|error| refused(&ctx, &wasm, "the global cannot be set", &error))
}
