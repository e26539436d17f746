//! The accessors on the global object. Raw engine calls live here, because `rquickjs` has no function
//! with a magic number, which makes an accessor cost one small object and no closure.
//!
//! What it keeps true: only an accessor of ours is ever replaced by a value of ours. A name that the
//! program has assigned, defined or deleted is left as the program left it.

use std::ffi::{CStr, c_int};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;

use rquickjs::{Ctx, Error, Exception, Object, Result, Value, qjs};

use super::group;
use super::names::{self, NAMES};
use super::state::State;

/// Where each name's accessor is, by the name's number, to know it again.
pub(super) type Accessors = [usize; NAMES.len()];

const HIDDEN: c_int = (qjs::JS_PROP_CONFIGURABLE | qjs::JS_PROP_WRITABLE) as c_int;

/// Defines one accessor for each name, and `self`.
pub(super) fn define_accessors(ctx: &Ctx<'_>) -> Result<Accessors> {
    let raw = ctx.as_raw().as_ptr();
    let global = ctx.globals();
    let mut accessors = [0; NAMES.len()];
    for (number, (name, _)) in NAMES.iter().enumerate() {
        // SAFETY: the engine calls a function with a magic number by the signature of `access`;
        // the type it is passed by is that of the plain form, as in the engine's own `JS_NewCFunctionMagic`.
        let function = unsafe {
            type Magic = unsafe extern "C" fn(
                *mut qjs::JSContext,
                qjs::JSValue,
                c_int,
                *mut qjs::JSValue,
                c_int,
            ) -> qjs::JSValue;
            type Plain = unsafe extern "C" fn(
                *mut qjs::JSContext,
                qjs::JSValue,
                c_int,
                *mut qjs::JSValue,
            ) -> qjs::JSValue;
            let function = std::mem::transmute::<Magic, Plain>(access);
            let kind = qjs::JSCFunctionEnum_JS_CFUNC_generic_magic;
            qjs::JS_NewCFunction2(raw, Some(function), c"".as_ptr(), 0, kind, number as c_int)
        };
        // SAFETY: the value was just returned to us; `from_raw` takes it over.
        let function = unsafe { Value::from_raw(ctx.clone(), function) };
        if function.is_exception() {
            return Err(Error::Exception);
        }
        accessors[number] = address(function.as_raw());
        let atom = Atom::new(ctx, name)?;
        // SAFETY: all are live; the engine takes over one count of the getter and one of the setter.
        let status = unsafe {
            let getter = qjs::JS_DupValue(raw, function.as_raw());
            let setter = qjs::JS_DupValue(raw, function.as_raw());
            let flags = qjs::JS_PROP_CONFIGURABLE as c_int;
            qjs::JS_DefinePropertyGetSet(raw, global.as_raw(), atom.atom, getter, setter, flags)
        };
        if status < 0 {
            return Err(Error::Exception);
        }
    }
    define(ctx, &global, c"self", global.clone().into_value())?;
    Ok(accessors)
}

/// Both getter (no argument) and setter (one argument) of the name with number `magic`.
unsafe extern "C" fn access(
    ctx: *mut qjs::JSContext,
    _this: qjs::JSValue,
    count: c_int,
    arguments: *mut qjs::JSValue,
    magic: c_int,
) -> qjs::JSValue {
    let number = magic as usize;
    let run = || {
        // SAFETY: the engine calls with a live context, which its runtime's owner has locked.
        let ctx = unsafe { Ctx::from_raw(NonNull::new(ctx).expect("the engine passes a context")) };
        let result = if count == 0 {
            get(&ctx, number)
        } else {
            // SAFETY: the engine passes `count` live arguments, and keeps its own counts of them.
            let value = unsafe {
                let value = qjs::JS_DupValue(ctx.as_raw().as_ptr(), *arguments);
                Value::from_raw(ctx.clone(), value)
            };
            define(&ctx, &ctx.globals(), NAMES[number].0, value)
                .map(|()| Value::new_undefined(ctx.clone()))
        };
        match result {
            Ok(value) => {
                let value = std::mem::ManuallyDrop::new(value);
                // The context count is given back; the value's own goes to the engine.
                let raw = value.as_raw();
                // SAFETY: one count for the engine, and then `value` is dropped whole.
                let raw = unsafe { qjs::JS_DupValue(ctx.as_raw().as_ptr(), raw) };
                drop(std::mem::ManuallyDrop::into_inner(value));
                raw
            }
            Err(Error::Exception) => qjs::JS_EXCEPTION,
            Err(error) => {
                Exception::throw_message(&ctx, &error.to_string());
                qjs::JS_EXCEPTION
            }
        }
    };
    // A panic may not unwind through the engine's C frames.
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
        // SAFETY: the context is live, the text is a C string without format directives.
        unsafe { qjs::JS_ThrowInternalError(ctx, c"a web API could not be set up".as_ptr()) }
    })
}

/// Builds the group of a name and returns the name's value.
fn get<'js>(ctx: &Ctx<'js>, number: usize) -> Result<Value<'js>> {
    let (name, group) = NAMES[number];
    let state = State::of(ctx)?;
    let exports = group::exports(ctx, &state, group)?;
    let global = ctx.globals();
    for (other, (name, _)) in NAMES
        .iter()
        .enumerate()
        .filter(|(_, (_, own))| *own == group)
    {
        if getter(ctx, &global, name)? == Some(state.accessors[other]) {
            define(ctx, &global, name, exports.get(names::text(name))?)?;
        }
    }
    exports.get(names::text(name))
}

/// The address of an own property's getter.
fn getter(ctx: &Ctx<'_>, object: &Object<'_>, name: &CStr) -> Result<Option<usize>> {
    let raw = ctx.as_raw().as_ptr();
    let atom = Atom::new(ctx, name)?;
    let mut found = qjs::JSPropertyDescriptor {
        flags: 0,
        value: qjs::JS_UNDEFINED,
        getter: qjs::JS_UNDEFINED,
        setter: qjs::JS_UNDEFINED,
    };
    // SAFETY: all are live; the engine fills the descriptor with counted values, given back here.
    unsafe {
        match qjs::JS_GetOwnProperty(raw, &mut found, object.as_raw(), atom.atom) {
            0 => return Ok(None),
            1.. => {}
            _ => return Err(Error::Exception),
        }
        let getter = qjs::JS_IsObject(found.getter).then(|| address(found.getter));
        qjs::JS_FreeValue(raw, found.value);
        qjs::JS_FreeValue(raw, found.getter);
        qjs::JS_FreeValue(raw, found.setter);
        Ok(getter)
    }
}

/// Defines a property as the web's interfaces are on the global object: not shown by `for in`.
pub(super) fn define<'js>(
    ctx: &Ctx<'js>,
    object: &Object<'js>,
    name: &CStr,
    value: Value<'js>,
) -> Result<()> {
    let raw = ctx.as_raw().as_ptr();
    let atom = Atom::new(ctx, name)?;
    // SAFETY: all are live; the engine takes over the count that is made for it.
    let status = unsafe {
        let value = qjs::JS_DupValue(raw, value.as_raw());
        qjs::JS_DefinePropertyValue(raw, object.as_raw(), atom.atom, value, HIDDEN)
    };
    if status < 0 {
        Err(Error::Exception)
    } else {
        Ok(())
    }
}

fn address(object: qjs::JSValue) -> usize {
    // SAFETY: called with objects only, whose union member is a pointer; it is not followed.
    unsafe { qjs::JS_VALUE_GET_PTR(object) as usize }
}

struct Atom<'a, 'js> {
    ctx: &'a Ctx<'js>,
    atom: qjs::JSAtom,
}

impl<'a, 'js> Atom<'a, 'js> {
    fn new(ctx: &'a Ctx<'js>, name: &CStr) -> Result<Self> {
        // SAFETY: the context is live, the name a C string.
        let atom = unsafe { qjs::JS_NewAtom(ctx.as_raw().as_ptr(), name.as_ptr()) };
        if atom == qjs::JS_ATOM_NULL {
            Err(Error::Exception)
        } else {
            Ok(Self { ctx, atom })
        }
    }
}

impl Drop for Atom<'_, '_> {
    fn drop(&mut self) {
        // SAFETY: the atom was made by `new` and is given back once.
        unsafe { qjs::JS_FreeAtom(self.ctx.as_raw().as_ptr(), self.atom) }
    }
}
