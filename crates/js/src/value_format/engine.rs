//! The engine's C interface, as far as the format needs it. All `unsafe` of the format is here.
//!
//! Going through `rquickjs` values would cost a context reference count per value and a descriptor per
//! property; this file wraps the raw calls once. What it keeps true: a [`Held`] owns exactly one
//! reference count, a [`Raw`] owns none and is used only while something holds its value, and every
//! exception that the engine reports becomes `Err(Error::Exception)` with the exception pending.

use std::ffi::{CString, c_int};
use std::marker::PhantomData;
use std::ptr;

use rquickjs::{Ctx, Error, Result, Value, qjs};

use super::tags::View;

/// Data properties that a literal would make.
const PLAIN_PROPERTY: c_int = qjs::JS_PROP_C_W_E as c_int;

/// Class numbers of the engine (`quickjs.c`, the enum that starts with `JS_CLASS_OBJECT`), which has no
/// public names for them. The engine's version is pinned, and `tests::class_numbers` checks each.
pub(super) mod class {
    pub(in super::super) const OBJECT: u32 = 1;
    pub(in super::super) const ARRAY: u32 = 2;
    pub(in super::super) const ERROR: u32 = 3;
    pub(in super::super) const NUMBER: u32 = 4;
    pub(in super::super) const STRING: u32 = 5;
    pub(in super::super) const BOOLEAN: u32 = 6;
    pub(in super::super) const DATE: u32 = 10;
    pub(in super::super) const REG_EXP: u32 = 19;
    pub(in super::super) const ARRAY_BUFFER: u32 = 20;
    pub(in super::super) const FIRST_TYPED_ARRAY: u32 = 22;
    pub(in super::super) const LAST_TYPED_ARRAY: u32 = 33;
    pub(in super::super) const DATA_VIEW: u32 = 34;
    pub(in super::super) const BIG_INT: u32 = 35;
    pub(in super::super) const MAP: u32 = 36;
    pub(in super::super) const SET: u32 = 37;
    pub(in super::super) const PROXY: u32 = 50;
    pub(in super::super) const DOM_EXCEPTION: u32 = 62;
    /// Classes from here on are not the engine's own.
    pub(in super::super) const FIRST_FOREIGN: u32 = 64;
}

/// A context, for the length of one call.
#[derive(Clone, Copy)]
pub(super) struct Engine<'a> {
    ctx: *mut qjs::JSContext,
    call: PhantomData<&'a ()>,
}

/// A value that somebody else holds.
#[derive(Clone, Copy)]
pub(super) struct Raw(qjs::JSValue);

/// A value with one reference count of our own.
pub(super) struct Held<'a> {
    value: qjs::JSValue,
    engine: Engine<'a>,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        // SAFETY: `Held` owns one count of `value` (see its constructors), given back here once.
        unsafe { qjs::JS_FreeValue(self.engine.ctx, self.value) }
    }
}

/// What a value is, as far as the format distinguishes.
pub(super) enum Kind {
    Undefined,
    Null,
    Bool(bool),
    Int(i32),
    Double(f64),
    String,
    BigInt,
    Symbol,
    /// With its class number.
    Object(u32),
    /// Engine internals, which no program can hold.
    Internal,
}

impl Raw {
    pub(super) const UNDEFINED: Raw = Raw(qjs::JS_UNDEFINED);

    pub(super) fn kind(self) -> Kind {
        let value = self.0;
        // SAFETY: reads the tag, and then the union member that the tag names.
        unsafe {
            match qjs::JS_VALUE_GET_NORM_TAG(value) {
                qjs::JS_TAG_INT => Kind::Int(qjs::JS_VALUE_GET_INT(value)),
                qjs::JS_TAG_FLOAT64 => Kind::Double(qjs::JS_VALUE_GET_FLOAT64(value)),
                qjs::JS_TAG_STRING => Kind::String,
                qjs::JS_TAG_OBJECT => Kind::Object(qjs::JS_GetClassID(value)),
                qjs::JS_TAG_BOOL => Kind::Bool(qjs::JS_VALUE_GET_BOOL(value)),
                qjs::JS_TAG_UNDEFINED => Kind::Undefined,
                qjs::JS_TAG_NULL => Kind::Null,
                qjs::JS_TAG_BIG_INT | qjs::JS_TAG_SHORT_BIG_INT => Kind::BigInt,
                qjs::JS_TAG_SYMBOL => Kind::Symbol,
                _ => Kind::Internal,
            }
        }
    }

    /// Tells objects apart while they are held.
    pub(super) fn address(self) -> usize {
        // SAFETY: called on objects only, whose union member is a pointer; it is not followed.
        unsafe { qjs::JS_VALUE_GET_PTR(self.0) as usize }
    }

    pub(super) fn is_undefined(self) -> bool {
        matches!(self.kind(), Kind::Undefined)
    }

    pub(super) fn is_array_buffer(self) -> bool {
        matches!(self.kind(), Kind::Object(class::ARRAY_BUFFER))
    }
}

impl<'a> Held<'a> {
    pub(super) fn raw(&self) -> Raw {
        Raw(self.value)
    }

    /// Hands the reference count to the engine.
    fn into_js(self) -> qjs::JSValue {
        let value = self.value;
        std::mem::forget(self);
        value
    }

    /// Hands the reference count to `rquickjs`.
    pub(super) fn into_value<'js>(self, ctx: &Ctx<'js>) -> Value<'js> {
        debug_assert_eq!(self.engine.ctx, ctx.as_raw().as_ptr());
        let value = self.into_js();
        // SAFETY: the value is of this context, and its count moves to the `Value`.
        unsafe { Value::from_raw(ctx.clone(), value) }
    }
}

impl<'a> Engine<'a> {
    pub(super) fn of(ctx: &'a Ctx<'_>) -> Engine<'a> {
        Engine {
            ctx: ctx.as_raw().as_ptr(),
            call: PhantomData,
        }
    }

    /// Takes over a value that the engine returned, unless it is the mark of an exception.
    fn take(self, value: qjs::JSValue) -> Result<Held<'a>> {
        // SAFETY: looks at the tag only.
        if unsafe { qjs::JS_IsException(value) } {
            return Err(Error::Exception);
        }
        Ok(Held {
            value,
            engine: self,
        })
    }

    pub(super) fn hold(self, value: Raw) -> Held<'a> {
        // SAFETY: `value` is held by someone (`Raw`'s promise), so its count may be raised.
        let value = unsafe { qjs::JS_DupValue(self.ctx, value.0) };
        Held {
            value,
            engine: self,
        }
    }

    // ---- making primitives -------------------------------------------------------------------

    fn immediate(self, value: qjs::JSValue) -> Held<'a> {
        Held {
            value,
            engine: self,
        }
    }

    pub(super) fn undefined(self) -> Held<'a> {
        self.immediate(qjs::JS_UNDEFINED)
    }

    pub(super) fn null(self) -> Held<'a> {
        self.immediate(qjs::JS_NULL)
    }

    pub(super) fn bool(self, value: bool) -> Held<'a> {
        self.immediate(if value { qjs::JS_TRUE } else { qjs::JS_FALSE })
    }

    pub(super) fn int(self, value: i32) -> Held<'a> {
        self.immediate(qjs::JS_MKVAL(qjs::JS_TAG_INT, value))
    }

    pub(super) fn double(self, value: f64) -> Held<'a> {
        self.immediate(qjs::JS_NewFloat64(value))
    }

    pub(super) fn string(self, text: &str) -> Result<Held<'a>> {
        // SAFETY: pointer and length are of one live slice, which the engine copies.
        self.take(unsafe { qjs::JS_NewStringLen(self.ctx, text.as_ptr().cast(), text.len() as _) })
    }

    pub(super) fn string_from_utf16(self, units: &[u16]) -> Result<Held<'a>> {
        // SAFETY: pointer and length are of one live slice, which the engine copies.
        self.take(unsafe { qjs::JS_NewTwoByteString(self.ctx, units.as_ptr(), units.len() as _) })
    }

    pub(super) fn small_big_int(self, value: i64) -> Result<Held<'a>> {
        // SAFETY: makes a new value.
        self.take(unsafe { qjs::JS_NewBigInt64(self.ctx, value) })
    }

    // ---- strings, atoms ----------------------------------------------------------------------

    /// Calls `use_text` with the string's WTF-8 bytes; a copy is made only if it is not ASCII.
    pub(super) fn with_text<R>(self, string: Raw, use_text: impl FnOnce(&[u8]) -> R) -> Result<R> {
        let mut length = 0;
        // SAFETY: the value is held; the engine writes the length through the pointer.
        let text = unsafe { qjs::JS_ToCStringLen(self.ctx, &mut length, string.0) };
        if text.is_null() {
            return Err(Error::Exception);
        }
        let text = CText { text, engine: self };
        // SAFETY: the engine promises `length` bytes at `text` until `JS_FreeCString`, and nothing
        // changes a string in place.
        let bytes = unsafe { std::slice::from_raw_parts(text.text.cast::<u8>(), length) };
        Ok(use_text(bytes))
    }

    /// The string itself, or what `String(value)` gives; may run the program's `toString`.
    pub(super) fn to_string(self, value: Raw) -> Result<Held<'a>> {
        // SAFETY: the value is held.
        self.take(unsafe { qjs::JS_ToString(self.ctx, value.0) })
    }

    pub(super) fn atom(self, key: Raw) -> Result<Atom<'a>> {
        // SAFETY: the value is held.
        self.take_atom(unsafe { qjs::JS_ValueToAtom(self.ctx, key.0) })
    }

    pub(super) fn atom_from_index(self, index: u32) -> Result<Atom<'a>> {
        // SAFETY: makes a new atom.
        self.take_atom(unsafe { qjs::JS_NewAtomUInt32(self.ctx, index) })
    }

    /// `text` must be ASCII: the engine looks for an atom by raw bytes and would mistake others.
    pub(super) fn atom_from_ascii(self, text: &[u8]) -> Result<Atom<'a>> {
        debug_assert!(text.is_ascii());
        // SAFETY: pointer and length are of one live slice, which the engine copies.
        self.take_atom(unsafe {
            qjs::JS_NewAtomLen(self.ctx, text.as_ptr().cast(), text.len() as _)
        })
    }

    fn take_atom(self, atom: qjs::JSAtom) -> Result<Atom<'a>> {
        if atom == qjs::JS_ATOM_NULL {
            return Err(Error::Exception);
        }
        Ok(Atom { atom, engine: self })
    }

    // ---- reading objects ---------------------------------------------------------------------

    /// The own enumerable string keys: indices first, in numeric order, then names as they were added.
    pub(super) fn keys(self, object: Raw) -> Result<Keys<'a>> {
        let mut entries = ptr::null_mut();
        let mut length = 0;
        let flags = (qjs::JS_GPN_STRING_MASK | qjs::JS_GPN_ENUM_ONLY) as c_int;
        // SAFETY: the object is held; the engine writes list and length through the pointers.
        let status = unsafe {
            qjs::JS_GetOwnPropertyNames(self.ctx, &mut entries, &mut length, object.0, flags)
        };
        if status < 0 {
            return Err(Error::Exception);
        }
        Ok(Keys {
            entries,
            length,
            engine: self,
        })
    }

    /// The value of an own property, or `None` if there is none; a getter runs once.
    pub(super) fn own(self, object: Raw, key: Key) -> Result<Option<Held<'a>>> {
        let mut found = qjs::JSPropertyDescriptor {
            flags: 0,
            value: qjs::JS_UNDEFINED,
            getter: qjs::JS_UNDEFINED,
            setter: qjs::JS_UNDEFINED,
        };
        // SAFETY: the object is held, the atom too (`Key`'s promise); the engine fills the descriptor.
        match unsafe { qjs::JS_GetOwnProperty(self.ctx, &mut found, object.0, key.0) } {
            0 => Ok(None),
            1 if found.flags & qjs::JS_PROP_GETSET as c_int == 0 => {
                self.take(found.value).map(Some)
            }
            1 => {
                let getter = self.take(found.getter)?;
                let _setter = self.take(found.setter)?;
                if getter.raw().is_undefined() {
                    return Ok(Some(self.undefined()));
                }
                self.call(getter.raw(), object, &[]).map(Some)
            }
            _ => Err(Error::Exception),
        }
    }

    /// The value of an own data property.
    pub(super) fn own_data(self, object: Raw, key: Key) -> Result<Option<Held<'a>>> {
        let mut found = qjs::JSPropertyDescriptor {
            flags: 0,
            value: qjs::JS_UNDEFINED,
            getter: qjs::JS_UNDEFINED,
            setter: qjs::JS_UNDEFINED,
        };
        // SAFETY: as in `own`.
        match unsafe { qjs::JS_GetOwnProperty(self.ctx, &mut found, object.0, key.0) } {
            0 => Ok(None),
            1 => {
                let (value, _getter, _setter) = (
                    self.take(found.value)?,
                    self.take(found.getter)?,
                    self.take(found.setter)?,
                );
                let is_accessor = found.flags & qjs::JS_PROP_GETSET as c_int != 0;
                Ok((!is_accessor).then_some(value))
            }
            _ => Err(Error::Exception),
        }
    }

    pub(super) fn element(self, array: Raw, index: u32) -> Result<Held<'a>> {
        // SAFETY: the array is held.
        self.take(unsafe { qjs::JS_GetPropertyUint32(self.ctx, array.0, index) })
    }

    pub(super) fn get(self, object: Raw, key: Key) -> Result<Held<'a>> {
        // SAFETY: object and atom are held.
        self.take(unsafe { qjs::JS_GetProperty(self.ctx, object.0, key.0) })
    }

    pub(super) fn get_named(self, object: Raw, name: &str) -> Result<Held<'a>> {
        let name = self.atom_from_ascii(name.as_bytes())?;
        self.get(object, name.key())
    }

    pub(super) fn length(self, array: Raw) -> Result<u32> {
        let mut length = 0;
        // SAFETY: the array is held; the engine writes the length through the pointer.
        let status = unsafe { qjs::JS_GetLength(self.ctx, array.0, &mut length) };
        if status < 0 {
            return Err(Error::Exception);
        }
        Ok(u32::try_from(length).unwrap_or(u32::MAX))
    }

    /// The bytes of a buffer, or `None` if it is detached. Copied by the caller before anything runs.
    pub(super) fn buffer_bytes(self, buffer: Raw) -> Option<&'a [u8]> {
        let mut length = 0;
        // SAFETY: the buffer is held; the engine writes the length through the pointer.
        let bytes = unsafe { qjs::JS_GetArrayBuffer(self.ctx, &mut length, buffer.0) };
        if bytes.is_null() {
            drop(self.exception());
            return None;
        }
        // SAFETY: the engine keeps `length` bytes there until the buffer is resized, detached or freed,
        // which only running code can do; callers use the slice before they call the engine again.
        Some(unsafe { std::slice::from_raw_parts(bytes, length as usize) })
    }

    /// Copies `bytes` to the start of a buffer that has room for them.
    pub(super) fn fill_buffer(self, buffer: Raw, bytes: &[u8]) -> Result<()> {
        let mut length = 0;
        // SAFETY: the buffer is held; the engine writes the length through the pointer.
        let target = unsafe { qjs::JS_GetArrayBuffer(self.ctx, &mut length, buffer.0) };
        if target.is_null() {
            return Err(Error::Exception);
        }
        assert!(
            bytes.len() <= length as usize,
            "the buffer was made for these bytes"
        );
        // SAFETY: `length` bytes are there, and `bytes` is not engine memory.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), target, bytes.len()) };
        Ok(())
    }

    /// The buffer of a typed array with the view's offset and length in bytes; throws if the view is
    /// out of bounds.
    pub(super) fn typed_array(self, view: Raw) -> Result<(Held<'a>, usize, usize)> {
        let (mut offset, mut length) = (0, 0);
        // SAFETY: the view is held; the engine writes the numbers through the pointers.
        let buffer = self.take(unsafe {
            let element_size = ptr::null_mut();
            qjs::JS_GetTypedArrayBuffer(self.ctx, view.0, &mut offset, &mut length, element_size)
        })?;
        Ok((buffer, offset as usize, length as usize))
    }

    pub(super) fn to_double(self, value: Raw) -> Result<f64> {
        let mut double = 0.0;
        // SAFETY: the value is held; the engine writes the number through the pointer.
        let status = unsafe { qjs::JS_ToFloat64(self.ctx, &mut double, value.0) };
        if status < 0 {
            Err(Error::Exception)
        } else {
            Ok(double)
        }
    }

    /// The keys and values of a map, or the values of a set, as one flat array.
    pub(super) fn entries(self, collection: Raw, class: u32) -> Result<Held<'a>> {
        let list = self.array()?;
        let mut data = [list.value];
        let is_map = c_int::from(class == class::MAP);
        // SAFETY: `collect` has the signature asked for; the engine raises the count of `data` itself.
        let collector = self.take(unsafe {
            qjs::JS_NewCFunctionData(self.ctx, Some(collect), 2, is_map, 1, data.as_mut_ptr())
        })?;
        let for_each = self.get_named(self.prototype(class)?.raw(), "forEach")?;
        self.call(for_each.raw(), collection, &[collector.raw()])?;
        Ok(list)
    }

    // ---- making objects ----------------------------------------------------------------------

    pub(super) fn object(self) -> Result<Held<'a>> {
        // SAFETY: makes a new value.
        self.take(unsafe { qjs::JS_NewObject(self.ctx) })
    }

    pub(super) fn array(self) -> Result<Held<'a>> {
        // SAFETY: makes a new value.
        self.take(unsafe { qjs::JS_NewArray(self.ctx) })
    }

    /// An array of `elements`, whose reference counts it takes.
    pub(super) fn array_from(self, elements: Vec<Held<'a>>) -> Result<Held<'a>> {
        let values: Vec<qjs::JSValue> = elements.into_iter().map(Held::into_js).collect();
        // SAFETY: pointer and length are of one live list; the engine takes its counts, also on errors.
        self.take(unsafe { qjs::JS_NewArrayFrom(self.ctx, values.len() as c_int, values.as_ptr()) })
    }

    pub(super) fn set_length(self, array: Raw, length: u32) -> Result<()> {
        // SAFETY: the array is held.
        let status = unsafe { qjs::JS_SetLength(self.ctx, array.0, i64::from(length)) };
        if status < 0 {
            Err(Error::Exception)
        } else {
            Ok(())
        }
    }

    pub(super) fn date(self, unix_ms: f64) -> Result<Held<'a>> {
        // SAFETY: makes a new value.
        self.take(unsafe { qjs::JS_NewDate(self.ctx, unix_ms) })
    }

    /// An `Error` without message or stack.
    pub(super) fn error(self) -> Result<Held<'a>> {
        // SAFETY: makes a new value.
        let error = self.take(unsafe { qjs::JS_NewError(self.ctx) })?;
        // SAFETY: the object is held, and the atom is one of the engine's own.
        let status = unsafe { qjs::JS_DeleteProperty(self.ctx, error.value, Key::STACK.0, 0) };
        if status < 0 {
            Err(Error::Exception)
        } else {
            Ok(error)
        }
    }

    pub(super) fn set_prototype(self, object: Raw, prototype: Raw) -> Result<()> {
        // SAFETY: both are held; the engine raises the prototype's count itself.
        let status = unsafe { qjs::JS_SetPrototype(self.ctx, object.0, prototype.0) };
        if status < 0 {
            Err(Error::Exception)
        } else {
            Ok(())
        }
    }

    /// `Object(value)`: the boxed form of a primitive.
    pub(super) fn boxed(self, value: Raw) -> Result<Held<'a>> {
        // SAFETY: the value is held.
        self.take(unsafe { qjs::JS_ToObject(self.ctx, value.0) })
    }

    pub(super) fn buffer(self, bytes: &[u8]) -> Result<Held<'a>> {
        // SAFETY: pointer and length are of one live slice, which the engine copies.
        self.take(unsafe { qjs::JS_NewArrayBufferCopy(self.ctx, bytes.as_ptr(), bytes.len() as _) })
    }

    /// A view of a buffer; offset in bytes, length in elements, or one that follows the buffer's length.
    pub(super) fn view(
        self,
        view: View,
        buffer: Raw,
        offset: Raw,
        length: Option<Raw>,
    ) -> Result<Held<'a>> {
        let length = length.unwrap_or(Raw::UNDEFINED);
        let View::Typed(kind) = view else {
            return self.construct(class::DATA_VIEW, &[buffer, offset, length]);
        };
        let mut arguments = [buffer.0, offset.0, length.0];
        let count = arguments.len() as c_int;
        // SAFETY: the list is live, its values are held and it has the three that the engine looks at
        // whatever `count` says; their counts are not taken, and `kind` is checked.
        self.take(unsafe {
            qjs::JS_NewTypedArray(self.ctx, count, arguments.as_mut_ptr(), kind as _)
        })
    }

    /// Defines a property as a literal would, whatever the prototype says.
    pub(super) fn define(self, object: Raw, key: Key, value: Held<'a>) -> Result<()> {
        self.define_with(object, key, value, PLAIN_PROPERTY)
    }

    /// Defines a property that `for in` does not show, as errors have them.
    pub(super) fn define_hidden(self, object: Raw, key: Key, value: Held<'a>) -> Result<()> {
        let flags = (qjs::JS_PROP_CONFIGURABLE | qjs::JS_PROP_WRITABLE) as c_int;
        self.define_with(object, key, value, flags)
    }

    fn define_with(self, object: Raw, key: Key, value: Held<'a>, flags: c_int) -> Result<()> {
        // SAFETY: object and atom are held; the engine takes the value's count, also on errors.
        let status = unsafe {
            qjs::JS_DefinePropertyValue(self.ctx, object.0, key.0, value.into_js(), flags)
        };
        if status < 0 {
            Err(Error::Exception)
        } else {
            Ok(())
        }
    }

    pub(super) fn define_element(self, array: Raw, index: u32, value: Held<'a>) -> Result<()> {
        // SAFETY: the array is held; the engine takes the value's count, also on errors.
        let status = unsafe {
            let value = value.into_js();
            qjs::JS_DefinePropertyValueUint32(self.ctx, array.0, index, value, PLAIN_PROPERTY)
        };
        if status < 0 {
            Err(Error::Exception)
        } else {
            Ok(())
        }
    }

    // ---- calling -----------------------------------------------------------------------------

    pub(super) fn call(self, function: Raw, this: Raw, arguments: &[Raw]) -> Result<Held<'a>> {
        let mut values: Vec<qjs::JSValue> = arguments.iter().map(|argument| argument.0).collect();
        // SAFETY: everything is held; the engine takes no counts.
        self.take(unsafe {
            let (count, list) = (values.len() as c_int, values.as_mut_ptr());
            qjs::JS_Call(self.ctx, function.0, this.0, count, list)
        })
    }

    /// The prototype that the engine gives to objects of a class, whatever the global name holds now.
    pub(super) fn prototype(self, class: u32) -> Result<Held<'a>> {
        // SAFETY: `class` is one of our constants; the engine returns a counted reference.
        self.take(unsafe { qjs::JS_GetClassProto(self.ctx, class) })
    }

    /// The prototype of an object, or `null`.
    pub(super) fn prototype_of(self, object: Raw) -> Result<Held<'a>> {
        // SAFETY: the object is held; the engine returns a counted reference.
        self.take(unsafe { qjs::JS_GetPrototype(self.ctx, object.0) })
    }

    /// The symbol that marks the prototypes of platform classes, which have no serialized form.
    pub(super) fn platform_mark(self) -> Result<Atom<'a>> {
        // SAFETY: the text is a C string; the engine returns the one symbol registered under it.
        let symbol =
            self.take(unsafe { qjs::JS_NewSymbol(self.ctx, c"dolmen.platform".as_ptr(), true) })?;
        self.atom(symbol.raw())
    }

    pub(super) fn has(self, object: Raw, key: Key) -> Result<bool> {
        // SAFETY: object and atom are held.
        match unsafe { qjs::JS_HasProperty(self.ctx, object.0, key.0) } {
            0 => Ok(false),
            1.. => Ok(true),
            _ => Err(Error::Exception),
        }
    }

    pub(super) fn function_prototype(self) -> Result<Held<'a>> {
        // SAFETY: the engine returns a counted reference.
        self.take(unsafe { qjs::JS_GetFunctionProto(self.ctx) })
    }

    pub(super) fn global(self) -> Result<Held<'a>> {
        // SAFETY: the engine returns a counted reference.
        self.take(unsafe { qjs::JS_GetGlobalObject(self.ctx) })
    }

    /// Calls the method `name` of a class on `this`.
    pub(super) fn method(
        self,
        class: u32,
        name: &str,
        this: Raw,
        arguments: &[Raw],
    ) -> Result<Held<'a>> {
        let method = self.get_named(self.prototype(class)?.raw(), name)?;
        self.call(method.raw(), this, arguments)
    }

    /// The constructor of a class.
    pub(super) fn constructor(self, class: u32) -> Result<Held<'a>> {
        self.get(self.prototype(class)?.raw(), Key::CONSTRUCTOR)
    }

    /// `new` on the constructor of a class.
    pub(super) fn construct(self, class: u32, arguments: &[Raw]) -> Result<Held<'a>> {
        let constructor = self.constructor(class)?;
        let mut values: Vec<qjs::JSValue> = arguments.iter().map(|argument| argument.0).collect();
        // SAFETY: everything is held; the engine takes no counts.
        self.take(unsafe {
            let (count, list) = (values.len() as c_int, values.as_mut_ptr());
            qjs::JS_CallConstructor(self.ctx, constructor.raw().0, count, list)
        })
    }

    pub(super) fn is_function(self, value: Raw) -> bool {
        // SAFETY: the value is held.
        unsafe { qjs::JS_IsFunction(self.ctx, value.0) }
    }

    // ---- exceptions --------------------------------------------------------------------------

    /// Throws `value`.
    pub(super) fn throw(self, value: Held<'a>) -> Error {
        // SAFETY: the engine takes the value's count.
        unsafe { qjs::JS_Throw(self.ctx, value.into_js()) };
        Error::Exception
    }

    /// Throws a plain `Error`.
    pub(super) fn throw_error(self, message: &str) -> Error {
        let message = CString::new(message.replace('\0', " ")).expect("no zero byte is left");
        // SAFETY: both are live C strings, and the format names one string.
        unsafe { qjs::JS_ThrowPlainError(self.ctx, c"%s".as_ptr(), message.as_ptr()) };
        Error::Exception
    }

    /// Takes the pending exception away.
    pub(super) fn exception(self) -> Held<'a> {
        // SAFETY: the engine hands out its count of the exception.
        let value = unsafe { qjs::JS_GetException(self.ctx) };
        Held {
            value,
            engine: self,
        }
    }
}

/// Text that the engine lends until it is dropped.
struct CText<'a> {
    text: *const std::ffi::c_char,
    engine: Engine<'a>,
}

impl Drop for CText<'_> {
    fn drop(&mut self) {
        // SAFETY: `text` came from `JS_ToCStringLen` and is given back once.
        unsafe { qjs::JS_FreeCString(self.engine.ctx, self.text) }
    }
}

/// A property key with one reference count of our own.
pub(super) struct Atom<'a> {
    atom: qjs::JSAtom,
    engine: Engine<'a>,
}

impl Atom<'_> {
    pub(super) fn key(&self) -> Key {
        Key(self.atom)
    }
}

impl Drop for Atom<'_> {
    fn drop(&mut self) {
        // SAFETY: `Atom` owns one count, given back here once.
        unsafe { qjs::JS_FreeAtom(self.engine.ctx, self.atom) }
    }
}

/// A property key that somebody else holds.
#[derive(Clone, Copy)]
pub(super) struct Key(qjs::JSAtom);

/// Keys up to 2^31 - 1 are numbers marked by the top bit (`quickjs.c`, `JS_ATOM_TAG_INT`).
const INDEX_MARK: u32 = 1 << 31;

impl Key {
    pub(super) const CAUSE: Key = Key(qjs::JS_ATOM_cause as qjs::JSAtom);
    pub(super) const CONSTRUCTOR: Key = Key(qjs::JS_ATOM_constructor as qjs::JSAtom);
    pub(super) const MESSAGE: Key = Key(qjs::JS_ATOM_message as qjs::JSAtom);
    pub(super) const NAME: Key = Key(qjs::JS_ATOM_name as qjs::JSAtom);
    pub(super) const STACK: Key = Key(qjs::JS_ATOM_stack as qjs::JSAtom);
    pub(super) const TO_STRING_TAG: Key = Key(qjs::JS_ATOM_Symbol_toStringTag as qjs::JSAtom);

    /// The key as a number, if it is one below 2^31.
    pub(super) fn index(self) -> Option<u32> {
        (self.0 & INDEX_MARK != 0).then_some(self.0 & !INDEX_MARK)
    }

    pub(super) fn to_string<'a>(self, engine: Engine<'a>) -> Result<Held<'a>> {
        // SAFETY: the atom is held.
        engine.take(unsafe { qjs::JS_AtomToString(engine.ctx, self.0) })
    }
}

/// A list of keys that the engine made.
pub(super) struct Keys<'a> {
    entries: *mut qjs::JSPropertyEnum,
    length: u32,
    engine: Engine<'a>,
}

impl Keys<'_> {
    pub(super) fn get(&self, position: usize) -> Option<Key> {
        // SAFETY: the engine promises `length` entries at `entries` until they are freed.
        let entries = unsafe { std::slice::from_raw_parts(self.entries, self.length as usize) };
        entries.get(position).map(|entry| Key(entry.atom))
    }
}

impl Drop for Keys<'_> {
    fn drop(&mut self) {
        // SAFETY: list and length are what the engine returned, given back once.
        unsafe { qjs::JS_FreePropertyEnum(self.engine.ctx, self.entries, self.length) }
    }
}

/// Appends what `forEach` passes to the array in `data`. Holds no pointer, so a program that gets hold of
/// this function by replacing `forEach` can at worst fill an array.
unsafe extern "C" fn collect(
    ctx: *mut qjs::JSContext,
    _this: qjs::JSValue,
    count: c_int,
    arguments: *mut qjs::JSValue,
    is_map: c_int,
    data: *mut qjs::JSValue,
) -> qjs::JSValue {
    if count < 2 {
        return qjs::JS_UNDEFINED;
    }
    // SAFETY: the engine passes `count` live arguments and the one data value that it was given.
    unsafe {
        let (value, key, list) = (*arguments, *arguments.add(1), *data);
        let mut length = 0;
        if qjs::JS_GetLength(ctx, list, &mut length) < 0 {
            return qjs::JS_EXCEPTION;
        }
        let append = |at: i64, value: qjs::JSValue| {
            let value = qjs::JS_DupValue(ctx, value);
            qjs::JS_DefinePropertyValueUint32(ctx, list, at as u32, value, PLAIN_PROPERTY)
        };
        if is_map != 0 && append(length, key) < 0 {
            return qjs::JS_EXCEPTION;
        }
        if append(length + i64::from(is_map), value) < 0 {
            return qjs::JS_EXCEPTION;
        }
    }
    qjs::JS_UNDEFINED
}

impl From<qjs::JSValue> for Raw {
    /// For values that a caller's `rquickjs::Value` holds.
    fn from(value: qjs::JSValue) -> Raw {
        Raw(value)
    }
}
