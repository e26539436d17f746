//! Modules as JavaScript has them: compiled by another thread, and asked what is in them.

use std::{
    path::Path,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use rquickjs::{
    Array, ArrayBuffer, Class, Ctx, Exception, Function, Object, Result, TypedArray, Value,
    module::Declared,
    prelude::{Func, List},
};
use tokio::sync::Semaphore;
use wasmtime::{ExternType, Mutability};

use super::{
    Code, Compiled,
    code::About,
    context::{Wasm, surroundings},
    errors::{self, Class as ErrorClass},
    values::Type,
};
use crate::{js_class::js_class, raw, web::group};

/// How long the turn sleeps before it looks again whether the other thread is done.
const NAP: Duration = Duration::from_micros(100);
/// Modules of programs that are compiled at the same time in one process.
static SLOTS: Semaphore = Semaphore::const_new(2);
/// Largest module that is looked at, in bytes.
const MAX_MODULE_BYTES: usize = 16 << 20;
/// Compiling is recursive in places.
const STACK_BYTES: usize = 8 << 20;

/// A compiled module in JavaScript, inside of a `WebAssembly.Module`.
pub(crate) struct ModuleHandle(pub(super) Arc<Compiled>);

js_class!(ModuleHandle, "CompiledModule");

/// Adds `compile`, `validate`, `imports`, `exports` and `customSections` to `native`.
pub(super) fn native(native: &Object<'_>) -> Result<()> {
    native.set("compile", Func::from(compile))?;
    native.set("validate", Func::from(validate))?;
    native.set("imports", Func::from(imports))?;
    native.set("exports", Func::from(exports))?;
    native.set("customSections", Func::from(custom_sections))
}

/// Declares the module whose default export is the `WebAssembly.Module` of a file.
pub(crate) fn import_module<'js>(
    ctx: &Ctx<'js>,
    name: &str,
    compiled: Arc<Compiled>,
) -> Result<rquickjs::Module<'js, Declared>> {
    let make: Function<'js> = group::use_name(ctx.clone(), "moduleOfCode".into())?
        .into_function()
        .ok_or(rquickjs::Error::Unknown)?;
    Wasm::of(ctx)?.count_code(ctx, compiled.about.size)?;
    let handle = Class::instance(ctx.clone(), ModuleHandle(compiled))?;
    let module: Value<'js> = make.call((handle,))?;
    let source =
        "const { module } = import.meta; delete import.meta.module; export default module;";
    let declared = rquickjs::Module::declare(ctx.clone(), name, source)?;
    declared.meta()?.set("module", module)?;
    Ok(declared)
}

impl Code {
    /// A file of a bundle, compiled.
    ///
    /// # Errors
    /// What is wrong with it, in a sentence with its name.
    pub(crate) fn file(&self, name: &str) -> std::result::Result<Arc<Compiled>, String> {
        let size = std::fs::metadata(Path::new(name)).map_err(|error| error.to_string());
        let bytes = size.and_then(|found| {
            if found.len() > MAX_MODULE_BYTES as u64 {
                let most = MAX_MODULE_BYTES >> 20;
                return Err(format!(
                    "it has {} bytes; at most {most} MiB are loaded",
                    found.len()
                ));
            }
            std::fs::read(name).map_err(|error| error.to_string())
        });
        let bytes = bytes.map_err(|why| format!("No such module {name:?}: {why}"))?;
        let compiled = self.imported(&bytes);
        compiled
            .map(Arc::new)
            .map_err(|why| format!("{name} is not a WebAssembly module that runs here: {why}"))
    }
}

/// The bytes of a buffer or a view, copied: the program may change them meanwhile.
fn bytes_of<'js>(ctx: &Ctx<'js>, view: &TypedArray<'js, u8>) -> Result<Vec<u8>> {
    let bytes = view
        .as_bytes()
        .ok_or_else(|| Exception::throw_type(ctx, "the buffer is detached"))?;
    if bytes.len() > MAX_MODULE_BYTES {
        let most = MAX_MODULE_BYTES >> 20;
        let message = format!("a WebAssembly module has at most {most} MiB");
        return Err(Exception::throw_range(ctx, &message));
    }
    Ok(bytes.to_vec())
}

/// Lets another thread do `work`, while this one serves other objects.
fn elsewhere<'js, T: Send + 'static>(
    ctx: &Ctx<'js>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    let surroundings = surroundings(ctx)?;
    let stopped = || Err(raw::throw_uncatchable(ctx));
    let slot = loop {
        match SLOTS.try_acquire() {
            Ok(slot) => break slot,
            Err(_) if !(surroundings.give_way)() => return stopped(),
            Err(_) => thread::sleep(NAP),
        }
    };
    let (done, result) = mpsc::channel();
    let started = thread::Builder::new()
        .name("dolmen-wasm".to_owned())
        .stack_size(STACK_BYTES)
        .spawn(move || {
            // Whoever waited may have been stopped.
            let _ = done.send(work());
            drop(slot);
        });
    if let Err(error) = started {
        let message = format!("there is no thread to compile WebAssembly: {error}");
        return Err(Exception::throw_message(ctx, &message));
    }
    loop {
        match result.recv_timeout(NAP) {
            Ok(outcome) => return Ok(outcome),
            Err(mpsc::RecvTimeoutError::Timeout) if !(surroundings.give_way)() => return stopped(),
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                let message = "the WebAssembly compiler panicked";
                return Err(Exception::throw_internal(ctx, message));
            }
        }
    }
}

fn compile<'js>(ctx: Ctx<'js>, view: TypedArray<'js, u8>) -> Result<Class<'js, ModuleHandle>> {
    let bytes = bytes_of(&ctx, &view)?;
    let wasm = Wasm::of(&ctx)?;
    wasm.count_code(&ctx, bytes.len())?;
    let size = bytes.len();
    let compiler = wasm.store.compiler.clone();
    match elsewhere(&ctx, move || Compiled::new(&compiler, &bytes))? {
        Ok(compiled) => Class::instance(ctx, ModuleHandle(Arc::new(compiled))),
        Err(error) => {
            wasm.uncount_code(size);
            Err(errors::throw(&ctx, &wasm, ErrorClass::Compile, &error))
        }
    }
}

fn validate<'js>(ctx: Ctx<'js>, view: TypedArray<'js, u8>) -> Result<bool> {
    let bytes = bytes_of(&ctx, &view)?;
    elsewhere(&ctx, move || Compiled::inspect(&bytes).is_ok())
}

/// Module, name, kind, and of a global the type of its value and whether it may change, of each import.
fn imports<'js>(ctx: Ctx<'js>, handle: Class<'js, ModuleHandle>) -> Result<Array<'js>> {
    let Compiled { module, about } = &*handle.borrow().0;
    let list = Array::new(ctx.clone())?;
    for (index, ((from, name, kind), import)) in
        about.imports.iter().zip(module.imports()).enumerate()
    {
        let (value, mutable) = match import.ty() {
            ExternType::Global(ty) => {
                let mutable = ty.mutability() == Mutability::Var;
                (Some(Type::of(ty.content()).name()), mutable)
            }
            _ => (None, false),
        };
        let (from, name) = (from.as_str(), name.as_str());
        list.set(index, List((from, name, kind.name(), value, mutable)))?;
    }
    Ok(list)
}

/// Name and kind of each export.
fn exports<'js>(ctx: Ctx<'js>, handle: Class<'js, ModuleHandle>) -> Result<Array<'js>> {
    let About { exports, .. } = &handle.borrow().0.about;
    let list = Array::new(ctx.clone())?;
    for (index, export) in exports.iter().enumerate() {
        list.set(index, List((export.name.as_str(), export.kind.name())))?;
    }
    Ok(list)
}

fn custom_sections<'js>(
    ctx: Ctx<'js>,
    handle: Class<'js, ModuleHandle>,
    name: String,
) -> Result<Vec<ArrayBuffer<'js>>> {
    let About {
        custom_sections, ..
    } = &handle.borrow().0.about;
    let of_name = custom_sections.iter().filter(|(own, _)| *own == name);
    of_name
        .map(|(_, data)| ArrayBuffer::new_copy(ctx.clone(), data))
        .collect()
}
