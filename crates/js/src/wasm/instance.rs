//! Instances: what the glue found for the imports becomes the store's, and the exports numbers.

use std::{collections::HashMap, rc::Rc};

use rquickjs::{
    Array, Class, Ctx, Exception, Function, Object, Result, Value,
    prelude::{Func, List},
};
use wasmtime::{AsContextMut, Extern, ExternType, Global, Instance, StoreContextMut, Trap};

use super::{
    ModuleHandle,
    call::{self, Entered},
    code::{Export, Kind},
    context::Wasm,
    errors::{Class as ErrorClass, Ended},
    functions::Signature,
    members::{self, MAX_GLOBALS, push},
    store::Data,
    values::{Plain, Type},
};

/// Instances of one context. They stay until it ends.
const MAX_INSTANCES: u32 = 64;
/// Functions of JavaScript that the instances of one context import, and were to import.
const MAX_IMPORTS: usize = 65_536;

/// What is linked to an import.
enum Link<'js> {
    /// A member of the context's store.
    Known(u32),
    Function(Function<'js>),
    /// The value of a constant.
    Value(Plain),
}

/// Adds `instantiate(module, links)` to `native`; it gives name, kind, and number or function of
/// each export.
pub(super) fn native(native: &Object<'_>) -> Result<()> {
    native.set("instantiate", Func::from(instantiate))
}

fn instantiate<'js>(
    ctx: Ctx<'js>,
    handle: Class<'js, ModuleHandle>,
    links: Vec<Value<'js>>,
) -> Result<Array<'js>> {
    let wasm = Wasm::of(&ctx)?;
    let made = make(&ctx, &wasm, &handle, links);
    wasm.settle_after(&ctx, made)
}

fn make<'js>(
    ctx: &Ctx<'js>,
    wasm: &Wasm<'js>,
    handle: &Class<'js, ModuleHandle>,
    links: Vec<Value<'js>>,
) -> Result<Array<'js>> {
    let _entered = Entered::new(ctx, wasm)?;
    if wasm.instances.get() >= MAX_INSTANCES {
        let message = format!(
            "one object has at most {MAX_INSTANCES} WebAssembly instances, which stay as long as it lives: keep one and use it again"
        );
        return Err(Exception::throw_range(ctx, &message));
    }
    let compiled = handle.borrow().0.clone();
    let links = links.into_iter().zip(compiled.module.imports());
    let links: Vec<Link<'js>> = links
        .map(|(value, import)| Link::read(ctx, wasm, value, &import.ty()))
        .collect::<Result<_>>()?;
    // What JavaScript gave stays, also when it does not fit.
    check_links(ctx, wasm, &links)?;
    wasm.store.shared.refused.set(false);
    let numbers = wasm.store.with(|mut store| {
        let linked = links.into_iter().zip(compiled.module.imports());
        let linked: Vec<(Extern, Option<u32>)> = linked
            .map(|(link, import)| link.make(wasm, &mut store, import.ty()))
            .collect::<wasmtime::Result<_>>()?;
        let externs: Vec<Extern> = linked.iter().map(|(found, _)| found.clone()).collect();
        store.set_epoch_deadline(1);
        let work = Instance::new_async(store.as_context_mut(), &compiled.module, &externs);
        let made = call::drive(ctx, wasm, work);
        // Nothing is made of imports that do not fit.
        if !matches!(&made, Err(Ended::Failed(error)) if !error.is::<Trap>()) {
            wasm.instances.set(wasm.instances.get() + 1);
        }
        let instance = made?;
        let mut known = Known::default();
        for (found, number) in &linked {
            known.imported(Kind::of(found), *number);
        }
        let mut numbers = Vec::with_capacity(compiled.about.exports.len());
        for export in &compiled.about.exports {
            let found = instance
                .get_export(&mut store, &export.name)
                .ok_or_else(|| wasmtime::format_err!("the export {:?} is gone", export.name))?;
            numbers.push(known.export(wasm, &mut store, export, found));
        }
        Ok(numbers)
    });
    let numbers = numbers.map_err(|ended: Ended<'js>| ended.throw(ctx, wasm, ErrorClass::Link))?;
    let list = Array::new(ctx.clone())?;
    for (index, (export, number)) in compiled.about.exports.iter().zip(numbers).enumerate() {
        let value = match export.kind {
            Kind::Function => wasm.function(ctx, number)?.into_value(),
            _ => Value::new_number(ctx.clone(), number.into()),
        };
        list.set(
            index,
            List((export.name.as_str(), export.kind.name(), value)),
        )?;
    }
    Ok(list)
}

/// Whether the context has room for what is linked.
fn check_links<'js>(ctx: &Ctx<'js>, wasm: &Wasm<'js>, links: &[Link<'js>]) -> Result<()> {
    let count = |kind: fn(&Link<'js>) -> bool| links.iter().filter(|link| kind(link)).count();
    let imports = wasm.imports.borrow().len() + count(|link| matches!(link, Link::Function(_)));
    members::check_count(ctx, imports, MAX_IMPORTS, "imports")?;
    let globals = wasm.store.globals.borrow().len() + count(|link| matches!(link, Link::Value(_)));
    members::check_count(ctx, globals, MAX_GLOBALS, "globals")
}

impl Kind {
    fn of(found: &Extern) -> Self {
        match found {
            Extern::Table(_) => Self::Table,
            Extern::Memory(_) => Self::Memory,
            Extern::Global(_) => Self::Global,
            _ => Self::Function,
        }
    }
}

impl<'js> Link<'js> {
    /// What the glue gives: a number, a function, or a list with the value of a constant.
    fn read(ctx: &Ctx<'js>, wasm: &Wasm<'js>, value: Value<'js>, ty: &ExternType) -> Result<Self> {
        if let Some(function) = value.as_function() {
            return Ok(match wasm.number_of_function(&value) {
                Some(number) => Self::Known(number),
                None => Self::Function(function.clone()),
            });
        }
        match (value.as_array(), ty) {
            (Some(list), ExternType::Global(ty)) => {
                let ty = Type::of(ty.content());
                Plain::of_js(ctx, wasm, ty, list.get(0)?).map(Self::Value)
            }
            _ => Ok(Self::Known(value.get()?)),
        }
    }

    /// The member of the store, and its number if it has one.
    fn make(
        self,
        wasm: &Wasm<'js>,
        store: &mut StoreContextMut<'_, Data>,
        ty: ExternType,
    ) -> wasmtime::Result<(Extern, Option<u32>)> {
        let shared = &wasm.store.shared;
        Ok(match (self, ty) {
            (Self::Known(number), ty) => {
                let at = number as usize;
                let found = match ty {
                    ExternType::Func(_) => shared.functions.borrow().get(number).func.into(),
                    ExternType::Table(_) => wasm.store.tables.borrow()[at].into(),
                    ExternType::Memory(_) => wasm.store.memories.borrow()[at].into(),
                    ExternType::Global(_) => wasm.store.globals.borrow()[at].into(),
                    ExternType::Tag(_) => wasmtime::bail!("there are no tags"),
                };
                (found, Some(number))
            }
            (Self::Function(function), ExternType::Func(ty)) => {
                let mut imports = wasm.imports.borrow_mut();
                let number = u32::try_from(imports.len())?;
                imports.push((function, Rc::new(Signature::new(&ty))));
                (call::import(store, shared, ty, number).into(), None)
            }
            (Self::Value(plain), ExternType::Global(ty)) => {
                let value = plain.to_val(store, shared)?;
                let global = Global::new(&mut *store, ty, value)?;
                let number = push(&mut wasm.store.globals.borrow_mut(), global);
                (global.into(), Some(number))
            }
            _ => wasmtime::bail!("an import is of another kind"),
        })
    }
}

/// The numbers of an instance's members, by their kind and index; the imported ones come first.
#[derive(Default)]
struct Known {
    imported: [u32; 4],
    numbers: HashMap<(u8, u32), u32>,
}

impl Known {
    fn imported(&mut self, kind: Kind, number: Option<u32>) {
        let next = &mut self.imported[kind as usize];
        if let Some(number) = number {
            self.numbers.insert((kind as u8, *next), number);
        }
        *next += 1;
    }

    /// The number of an export.
    fn export(
        &mut self,
        wasm: &Wasm<'_>,
        store: &mut StoreContextMut<'_, Data>,
        export: &Export,
        found: Extern,
    ) -> u32 {
        let key = (export.kind as u8, export.index);
        if export.kind != Kind::Function
            && let Some(number) = self.numbers.get(&key)
        {
            return *number;
        }
        let number = match found {
            Extern::Func(func) => {
                let mut functions = wasm.store.shared.functions.borrow_mut();
                return functions.number(store, func, Some(export.index));
            }
            Extern::Table(table) => push(&mut wasm.store.tables.borrow_mut(), table),
            Extern::Memory(memory) => push(&mut wasm.store.memories.borrow_mut(), memory),
            Extern::Global(global) => push(&mut wasm.store.globals.borrow_mut(), global),
            Extern::SharedMemory(_) | Extern::Tag(_) => 0,
        };
        self.numbers.insert(key, number);
        number
    }
}
