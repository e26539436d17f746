//! Questions to QuickJS that rquickjs has no safe call for.

use rquickjs::{Ctx, Object, Value, qjs};

/// A property's key for one call.
struct Key<'a, 'js> {
    ctx: &'a Ctx<'js>,
    atom: qjs::JSAtom,
}

impl<'a, 'js> Key<'a, 'js> {
    fn new(ctx: &'a Ctx<'js>, name: &str) -> rquickjs::Result<Self> {
        // SAFETY: the context is live and locked; the pointer and the length are those of `name`.
        let atom = unsafe {
            qjs::JS_NewAtomLen(ctx.as_raw().as_ptr(), name.as_ptr().cast(), name.len() as _)
        };
        if atom == qjs::JS_ATOM_NULL {
            Err(rquickjs::Error::Exception)
        } else {
            Ok(Self { ctx, atom })
        }
    }
}

impl Drop for Key<'_, '_> {
    fn drop(&mut self) {
        // SAFETY: the atom was made by `new` and is freed once.
        unsafe { qjs::JS_FreeAtom(self.ctx.as_raw().as_ptr(), self.atom) }
    }
}

/// Whether `object` itself has the property; runs no getter, but may run a proxy's trap.
pub(crate) fn has_own_property<'js>(
    ctx: &Ctx<'js>,
    object: &Object<'js>,
    name: &str,
) -> rquickjs::Result<bool> {
    let key = Key::new(ctx, name)?;
    // SAFETY: context, object and key are live for the call; a null descriptor asks for existence.
    let found = unsafe {
        qjs::JS_GetOwnProperty(
            ctx.as_raw().as_ptr(),
            std::ptr::null_mut(),
            object.as_value().as_raw(),
            key.atom,
        )
    };
    match found {
        0 => Ok(false),
        1.. => Ok(true),
        _ => Err(rquickjs::Error::Exception),
    }
}

/// Defines an own, enumerable property, whatever setters a prototype may have.
pub(crate) fn define<'js>(
    ctx: &Ctx<'js>,
    object: &Object<'js>,
    name: &str,
    value: &Value<'js>,
) -> rquickjs::Result<()> {
    let key = Key::new(ctx, name)?;
    // SAFETY: all are live; `JS_DefinePropertyValue` takes over the reference that is made for it.
    let defined = unsafe {
        qjs::JS_DefinePropertyValue(
            ctx.as_raw().as_ptr(),
            object.as_value().as_raw(),
            key.atom,
            qjs::JS_DupValue(ctx.as_raw().as_ptr(), value.as_raw()),
            qjs::JS_PROP_C_W_E as i32,
        )
    };
    if defined < 0 {
        Err(rquickjs::Error::Exception)
    } else {
        Ok(())
    }
}

/// Shows the value of each own enumerable property with a string key to `look`, until that says no; runs no user code
/// on an object that is no proxy. Says whether `look` agreed to all; an accessor counts as a no.
pub(crate) fn all_own_data<'js>(
    ctx: &Ctx<'js>,
    object: &Object<'js>,
    mut look: impl FnMut(Value<'js>) -> bool,
) -> rquickjs::Result<bool> {
    let raw = ctx.as_raw().as_ptr();
    let mut names = std::ptr::null_mut();
    let mut count = 0;
    // SAFETY: all are live; on success `names` and `count` describe a table that is freed below.
    let listed = unsafe {
        qjs::JS_GetOwnPropertyNames(
            raw,
            &mut names,
            &mut count,
            object.as_value().as_raw(),
            (qjs::JS_GPN_STRING_MASK | qjs::JS_GPN_ENUM_ONLY) as i32,
        )
    };
    if listed < 0 {
        return Err(rquickjs::Error::Exception);
    }
    let mut all = true;
    for index in 0..count {
        let mut found = std::mem::MaybeUninit::<qjs::JSPropertyDescriptor>::uninit();
        // SAFETY: the table has `count` entries; the atom and the object are live.
        let has = unsafe {
            let atom = (*names.add(index as usize)).atom;
            qjs::JS_GetOwnProperty(raw, found.as_mut_ptr(), object.as_value().as_raw(), atom)
        };
        if has <= 0 {
            all = false;
            break;
        }
        // SAFETY: the call filled the descriptor in and gave its three values to us.
        let (data, value) = unsafe {
            let found = found.assume_init();
            qjs::JS_FreeValue(raw, found.getter);
            qjs::JS_FreeValue(raw, found.setter);
            let data = found.flags & qjs::JS_PROP_GETSET as i32 == 0;
            (data, Value::from_raw(ctx.clone(), found.value))
        };
        if !data || !look(value) {
            all = false;
            break;
        }
    }
    // SAFETY: the table came from the same context and is freed once.
    unsafe { qjs::JS_FreePropertyEnum(raw, names, count) };
    Ok(all)
}

/// Whether the value is an object of no special class: a literal, or an instance of a class of the user's.
pub(crate) fn is_ordinary(value: &Value<'_>) -> bool {
    /// `JS_CLASS_OBJECT`, which the engine keeps first.
    const OBJECT: qjs::JSClassID = 1;
    // SAFETY: reads the class of a live value.
    unsafe { qjs::JS_GetClassID(value.as_raw()) == OBJECT }
}

/// Whether the value is a typed array or a `DataView`.
pub(crate) fn is_view(value: &Value<'_>) -> bool {
    // SAFETY: reads the class of a live value.
    unsafe { qjs::JS_GetTypedArrayType(value.as_raw()) >= 0 || qjs::JS_IsDataView(value.as_raw()) }
}

/// Whether the value is a `Map`.
pub(crate) fn is_map(value: &Value<'_>) -> bool {
    // SAFETY: reads the class of a live value.
    unsafe { qjs::JS_IsMap(value.as_raw()) }
}

/// Whether the value is a `Set`.
pub(crate) fn is_set(value: &Value<'_>) -> bool {
    // SAFETY: reads the class of a live value.
    unsafe { qjs::JS_IsSet(value.as_raw()) }
}

/// Whether the value is a `Date`.
pub(crate) fn is_date(value: &Value<'_>) -> bool {
    // SAFETY: reads the class of a live value.
    unsafe { qjs::JS_IsDate(value.as_raw()) }
}

/// Whether the value is an `ArrayBuffer` or a shared one.
pub(crate) fn is_array_buffer(value: &Value<'_>) -> bool {
    // SAFETY: reads the class of a live value.
    unsafe { qjs::JS_IsArrayBuffer(value.as_raw()) }
}

/// Tells QuickJS on which stack it runs now: each turn may be on another one. rquickjs does this
/// by itself only with its `parallel` feature.
pub(crate) fn enter_stack(ctx: &Ctx<'_>) {
    // SAFETY: the context and so its runtime are live; the call only notes the stack pointer.
    unsafe { qjs::JS_UpdateStackTop(qjs::JS_GetRuntime(ctx.as_raw().as_ptr())) }
}

/// Throws an error that no `catch` sees.
pub(crate) fn throw_uncatchable(ctx: &Ctx<'_>) -> rquickjs::Error {
    let Ok(exception) = rquickjs::Exception::from_message(ctx.clone(), "the object is reset")
    else {
        return rquickjs::Error::Exception;
    };
    // SAFETY: the context and the exception are live.
    unsafe { qjs::JS_SetUncatchableError(ctx.as_raw().as_ptr(), exception.as_value().as_raw()) };
    exception.throw()
}
