//! What a context has of WebAssembly: its store, and JavaScript's side of what is in there.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
    sync::Arc,
};

use rquickjs::{
    Ctx, Exception, Function, JsLifetime, Object, Result, Value,
    prelude::{Func, Rest},
    qjs,
};

use super::{
    Code, buffer, call,
    functions::{Known, Signature},
    store::Store,
};

/// Memory limit of a context that nobody gave one, in bytes.
const DEFAULT_MEMORY: usize = 128 << 20;
/// Bytes of the modules of one context.
const MAX_CODE_BYTES: usize = 16 << 20;

/// The place of a context's store, outside of its runtime: it must outlive what JavaScript has of
/// its memories, so its owner drops it after the runtime. There are more than one if making the
/// first one failed midway.
pub(crate) type Kept = Rc<RefCell<Vec<Rc<Store>>>>;

/// What surrounds a context: set by whoever makes it.
pub(crate) struct Surroundings {
    /// Gives others a chance to run when it is time; `false`: the turn must end.
    pub may_go_on: Rc<dyn Fn() -> bool>,
    /// As `may_go_on`, however much time is left: another thread is waited for.
    pub give_way: Box<dyn Fn() -> bool>,
    pub code: Arc<Code>,
    /// Bytes of all memories and tables of the context.
    pub memory_limit: usize,
    pub kept: Kept,
}

/// Those of a bare context, such as the ones of this crate's tests: nobody keeps its store longer
/// than the runtime keeps user data, after which no code runs and nothing reads a buffer.
impl Default for Surroundings {
    fn default() -> Self {
        Self {
            may_go_on: Rc::new(|| true),
            give_way: Box::new(|| true),
            code: Arc::default(),
            memory_limit: DEFAULT_MEMORY,
            kept: Kept::default(),
        }
    }
}

struct StoredSurroundings(Rc<Surroundings>);

// SAFETY: nothing in it has the lifetime.
unsafe impl<'js> JsLifetime<'js> for StoredSurroundings {
    type Changed<'to> = StoredSurroundings;
}

/// Tells a context what surrounds it.
///
/// # Errors
/// If user data is in use, which it is not when a context is made.
pub(crate) fn surround(ctx: &Ctx<'_>, surroundings: Surroundings) -> Result<()> {
    store_userdata(ctx, StoredSurroundings(Rc::new(surroundings)))
}

fn store_userdata<'js, U>(ctx: &Ctx<'js>, data: U) -> Result<()>
where
    U: JsLifetime<'js>,
    U::Changed<'static>: std::any::Any,
{
    match ctx.store_userdata(data) {
        Ok(_) => Ok(()),
        Err(error) => Err(Exception::throw_message(ctx, &error.to_string())),
    }
}

/// What surrounds a context.
pub(super) fn surroundings(ctx: &Ctx<'_>) -> Result<Rc<Surroundings>> {
    if let Some(stored) = ctx.userdata::<StoredSurroundings>() {
        return Ok(stored.0.clone());
    }
    let default = Rc::new(Surroundings::default());
    store_userdata(ctx, StoredSurroundings(default.clone()))?;
    Ok(default)
}

/// A context's WebAssembly.
pub(super) struct Wasm<'js> {
    pub store: Rc<Store>,
    pub surroundings: Rc<Surroundings>,
    /// How many calls are under way, one inside the other.
    pub depth: Cell<u32>,
    pub instances: Cell<u32>,
    code_bytes: Cell<usize>,
    /// `CompileError`, `LinkError`, `RuntimeError`, and `listOf`.
    pub glue: Object<'js>,
    /// The functions that instances import, by number.
    pub imports: RefCell<Vec<(Function<'js>, Rc<Signature>)>>,
    /// The buffers that JavaScript has of memories, by number.
    pub buffers: RefCell<Vec<Option<Object<'js>>>>,
    functions: RefCell<Vec<Option<Function<'js>>>>,
    /// The numbers of functions, by the address of the object, which `functions` keeps.
    numbers: RefCell<HashMap<usize, u32>>,
    externs: RefCell<Vec<Option<Value<'js>>>>,
}

struct Stored<'js>(Rc<Wasm<'js>>);

// SAFETY: `Changed` is the same type with the other lifetime, and nothing else of `'js` is inside.
unsafe impl<'js> JsLifetime<'js> for Stored<'js> {
    type Changed<'to> = Stored<'to>;
}

/// Makes the context's store, and adds `glue`, in which the glue puts what is used here, and
/// `numberOfFunction(value)`.
pub(super) fn native<'js>(ctx: &Ctx<'js>, native: &Object<'js>) -> Result<()> {
    let surroundings = surroundings(ctx)?;
    let compiler = surroundings
        .code
        .compiler()
        .map_err(|error| Exception::throw_message(ctx, &format!("WebAssembly: {error}")))?;
    let store = Rc::new(Store::new(compiler, surroundings.memory_limit));
    surroundings.kept.borrow_mut().push(store.clone());
    let glue = Object::new(ctx.clone())?;
    native.set("glue", glue.clone())?;
    let wasm = Wasm {
        store,
        surroundings,
        depth: Cell::new(0),
        instances: Cell::new(0),
        code_bytes: Cell::new(0),
        glue,
        imports: RefCell::default(),
        buffers: RefCell::default(),
        functions: RefCell::default(),
        numbers: RefCell::default(),
        externs: RefCell::default(),
    };
    store_userdata(ctx, Stored(Rc::new(wasm)))?;
    native.set(
        "numberOfFunction",
        Func::from(|ctx: Ctx<'js>, value: Value<'js>| -> Result<Option<u32>> {
            Ok(Wasm::of(&ctx)?.number_of_function(&value))
        }),
    )
}

impl<'js> Wasm<'js> {
    /// That of a context which has used it.
    pub fn of(ctx: &Ctx<'js>) -> Result<Rc<Self>> {
        match ctx.userdata::<Stored<'js>>() {
            Some(stored) => Ok(stored.0.clone()),
            None => Err(Exception::throw_message(
                ctx,
                "there is no WebAssembly here",
            )),
        }
    }

    /// Counts a module's bytes.
    ///
    /// # Errors
    /// `RangeError` if the context has too many.
    pub fn count_code(&self, ctx: &Ctx<'js>, bytes: usize) -> Result<()> {
        let all = self.code_bytes.get().saturating_add(bytes);
        if all > MAX_CODE_BYTES {
            return Err(Exception::throw_range(
                ctx,
                &format!(
                    "the WebAssembly modules of one object have more than {} MiB together",
                    MAX_CODE_BYTES >> 20
                ),
            ));
        }
        self.code_bytes.set(all);
        Ok(())
    }

    /// Of a module that did not come about.
    pub fn uncount_code(&self, bytes: usize) {
        self.code_bytes.set(self.code_bytes.get() - bytes);
    }

    /// The number of an exported function; `None`: it is none.
    pub fn number_of_function(&self, value: &Value<'js>) -> Option<u32> {
        value.as_function()?;
        self.numbers.borrow().get(&address(value)).copied()
    }

    /// The object of a function, made when it is first needed.
    pub fn function(&self, ctx: &Ctx<'js>, number: u32) -> Result<Function<'js>> {
        let at = number as usize;
        if let Some(Some(function)) = self.functions.borrow().get(at) {
            return Ok(function.clone());
        }
        let Known {
            signature, index, ..
        } = self.store.shared.functions.borrow().get(number);
        let run = move |ctx: Ctx<'js>, arguments: Rest<Value<'js>>| {
            call::exported(&ctx, number, arguments.0)
        };
        let function = Function::new(ctx.clone(), run)?
            .with_name(index.unwrap_or(number).to_string())?
            .with_length(signature.params.len())?;
        let mut functions = self.functions.borrow_mut();
        if functions.len() <= at {
            functions.resize(at + 1, None);
        }
        functions[at] = Some(function.clone());
        self.numbers
            .borrow_mut()
            .insert(address(function.as_value()), number);
        Ok(function)
    }

    /// Keeps a value for WebAssembly, and gives its number.
    pub fn keep_extern(&self, value: Value<'js>) -> u32 {
        let number = self.store.shared.externs.borrow_mut().take_number();
        let mut externs = self.externs.borrow_mut();
        if externs.len() <= number as usize {
            externs.resize(number as usize + 1, None);
        }
        externs[number as usize] = Some(value);
        number
    }

    /// The value with a number.
    pub fn extern_value(&self, ctx: &Ctx<'js>, number: u32) -> Value<'js> {
        let externs = self.externs.borrow();
        let value = externs.get(number as usize).cloned().flatten();
        value.unwrap_or_else(|| Value::new_undefined(ctx.clone()))
    }

    /// After a call: buffers of memories that have grown are detached, and values that nobody needs
    /// are given up if there are many.
    pub fn settle(&self, ctx: &Ctx<'js>) -> Result<()> {
        buffer::detach_grown(ctx, self);
        let is_full = || self.store.shared.externs.borrow().is_full();
        if self.depth.get() > 0 || !self.store.is_idle() || !is_full() {
            return Ok(());
        }
        let shared = &self.store.shared;
        let gone = self
            .store
            .with(|mut store| shared.externs.borrow_mut().collect(&mut store));
        let gone = gone.map_err(|error| Exception::throw_message(ctx, &format!("{error:#}")))?;
        // Freed after the list is not borrowed any more: a finalizer may do anything.
        let mut freed = Vec::with_capacity(gone.len());
        for number in gone {
            freed.push(self.externs.borrow_mut()[number as usize].take());
        }
        drop(freed);
        Ok(())
    }
}

/// Where an object is: its identity while it lives.
fn address(object: &Value<'_>) -> usize {
    // SAFETY: called with functions only, whose union member is a pointer; it is not followed.
    unsafe { qjs::JS_VALUE_GET_PTR(object.as_raw()) as usize }
}

#[cfg(test)]
mod tests {
    use rquickjs::{Context, Runtime};

    use super::*;
    use crate::{api, web};

    #[test]
    fn a_store_outlives_its_runtime_and_nothing_else_keeps_it() {
        let kept = Kept::default();
        let guest = wat::parse_str(
            r#"(module (import "a" "f" (func (param externref))) (memory (export "m") 1)
                (table (export "t") 2 externref) (func (export "g") (param externref) (call 0 (local.get 0))))"#,
        );
        let source = format!(
            "globalThis.all = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array({:?})), {{ a: {{ f: (x) => all.t.set(0, x) }} }}).exports;
            all.g({{ cycle: all }}); globalThis.view = new Uint8Array(all.m.buffer); view[0] = 7; all.t.get(0).cycle === all",
            guest.unwrap()
        );
        {
            let runtime = Runtime::new().unwrap();
            let context = Context::full(&runtime).unwrap();
            context.with(|ctx| {
                let surroundings = Surroundings {
                    kept: kept.clone(),
                    ..Surroundings::default()
                };
                surround(&ctx, surroundings).unwrap();
                web::install(&ctx, Rc::new(api::LoadingHost)).unwrap();
                assert!(ctx.eval::<bool, _>(source).unwrap());
            });
            assert!(
                Rc::strong_count(&kept.borrow()[0]) > 1,
                "the context has it"
            );
        }
        assert_eq!(kept.borrow().len(), 1);
        assert_eq!(Rc::strong_count(&kept.borrow()[0]), 1);
    }
}
