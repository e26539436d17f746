//! Values on their way between JavaScript and WebAssembly: ToWebAssemblyValue and ToJSValue.
//!
//! JavaScript's conversions may run code, which may call WebAssembly, so no store is borrowed then.
//! A `Plain` is a value in between, that needs neither.

use rquickjs::{BigInt, Coerced, Ctx, Error, Exception, FromJs, Result, Value, qjs};
use wasmtime::{AsContextMut, HeapType, Ref, RefType, StoreContextMut, V128, Val, ValType};

use super::{
    context::Wasm,
    externs,
    store::{Data, Shared},
};

/// The types that JavaScript can meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    I32,
    I64,
    F32,
    F64,
    V128,
    Function,
    Extern,
}

impl Type {
    pub fn of(ty: &ValType) -> Self {
        match ty {
            ValType::I32 => Self::I32,
            ValType::I64 => Self::I64,
            ValType::F32 => Self::F32,
            ValType::F64 => Self::F64,
            ValType::V128 => Self::V128,
            ValType::Ref(ty) => Self::of_ref(ty),
        }
    }

    pub fn of_ref(ty: &RefType) -> Self {
        match ty.heap_type() {
            HeapType::Extern | HeapType::NoExtern => Self::Extern,
            _ => Self::Function,
        }
    }

    /// The type of that name in descriptors.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "i32" => Self::I32,
            "i64" => Self::I64,
            "f32" => Self::F32,
            "f64" => Self::F64,
            "v128" => Self::V128,
            "anyfunc" | "funcref" => Self::Function,
            "externref" => Self::Extern,
            _ => return None,
        })
    }

    /// As descriptors call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::I32 => "i32",
            Self::I64 => "i64",
            Self::F32 => "f32",
            Self::F64 => "f64",
            Self::V128 => "v128",
            Self::Function => "funcref",
            Self::Extern => "externref",
        }
    }

    pub fn wasmtime(self) -> ValType {
        match self {
            Self::I32 => ValType::I32,
            Self::I64 => ValType::I64,
            Self::F32 => ValType::F32,
            Self::F64 => ValType::F64,
            Self::V128 => ValType::V128,
            Self::Function => ValType::FUNCREF,
            Self::Extern => ValType::EXTERNREF,
        }
    }
}

/// A value without a context: references are numbers.
#[derive(Clone, Copy, Debug)]
pub(super) enum Plain {
    I32(i32),
    I64(i64),
    F32(f32),
    F64(f64),
    V128,
    Function(Option<u32>),
    Extern(Option<u32>),
    /// A reference that JavaScript did not make, which it sees as `undefined`.
    Foreign,
}

impl Plain {
    /// What a value of the type is before anybody sets it.
    pub fn default_of(ty: Type) -> Self {
        match ty {
            Type::I32 => Self::I32(0),
            Type::I64 => Self::I64(0),
            Type::F32 => Self::F32(0.0),
            Type::F64 => Self::F64(0.0),
            Type::V128 => Self::V128,
            Type::Function => Self::Function(None),
            Type::Extern => Self::Extern(None),
        }
    }

    /// A value of WebAssembly's.
    pub fn of_val(store: &mut StoreContextMut<'_, Data>, shared: &Shared, value: &Val) -> Self {
        match *value {
            Val::I32(value) => Self::I32(value),
            Val::I64(value) => Self::I64(value),
            Val::F32(bits) => Self::F32(f32::from_bits(bits)),
            Val::F64(bits) => Self::F64(f64::from_bits(bits)),
            Val::V128(_) => Self::V128,
            Val::FuncRef(func) => Self::Function(func.map(|func| {
                let mut functions = shared.functions.borrow_mut();
                functions.number(store, func, None)
            })),
            Val::ExternRef(None) => Self::Extern(None),
            Val::ExternRef(Some(reference)) => match externs::number_of(store, reference) {
                Some(number) => Self::Extern(Some(number)),
                None => Self::Foreign,
            },
            Val::AnyRef(_) | Val::ExnRef(_) | Val::ContRef(_) => Self::Foreign,
        }
    }

    /// The value for WebAssembly.
    ///
    /// # Errors
    /// If there is no room for a reference.
    pub fn to_val(
        self,
        store: &mut StoreContextMut<'_, Data>,
        shared: &Shared,
    ) -> wasmtime::Result<Val> {
        Ok(match self {
            Self::I32(value) => Val::I32(value),
            Self::I64(value) => Val::I64(value),
            Self::F32(value) => Val::F32(value.to_bits()),
            Self::F64(value) => Val::F64(value.to_bits()),
            Self::V128 => Val::V128(V128::from(0)),
            Self::Function(number) => {
                Val::FuncRef(number.map(|number| shared.functions.borrow().get(number).func))
            }
            Self::Extern(Some(number)) => {
                let mut externs = shared.externs.borrow_mut();
                Val::ExternRef(Some(externs.reference(store.as_context_mut(), number)?))
            }
            Self::Extern(None) | Self::Foreign => Val::ExternRef(None),
        })
    }

    /// The entry for a table.
    ///
    /// # Errors
    /// If there is no room for a reference.
    pub fn to_ref(
        self,
        store: &mut StoreContextMut<'_, Data>,
        shared: &Shared,
    ) -> wasmtime::Result<Ref> {
        Ok(match self.to_val(store, shared)? {
            Val::FuncRef(func) => Ref::Func(func),
            Val::ExternRef(reference) => Ref::Extern(reference),
            _ => wasmtime::bail!("a table has references only"),
        })
    }

    /// ToWebAssemblyValue. May run code of the program's.
    pub fn of_js<'js>(
        ctx: &Ctx<'js>,
        wasm: &Wasm<'js>,
        ty: Type,
        value: Value<'js>,
    ) -> Result<Self> {
        Ok(match ty {
            Type::I32 => Self::I32(match value.as_int() {
                Some(value) => value,
                None => Coerced::<i32>::from_js(ctx, value)?.0,
            }),
            Type::I64 => Self::I64(to_bigint64(ctx, &value)?),
            #[expect(
                clippy::cast_possible_truncation,
                reason = "what the standard says: the nearest"
            )]
            Type::F32 => Self::F32(to_number(ctx, value)? as f32),
            Type::F64 => Self::F64(to_number(ctx, value)?),
            Type::V128 => return Err(no_vectors(ctx)),
            Type::Function if value.is_null() => Self::Function(None),
            Type::Function => match wasm.number_of_function(&value) {
                Some(number) => Self::Function(Some(number)),
                None => {
                    let message =
                        "a function reference is null or an exported WebAssembly function";
                    return Err(Exception::throw_type(ctx, message));
                }
            },
            Type::Extern if value.is_null() => Self::Extern(None),
            Type::Extern => Self::Extern(Some(wasm.keep_extern(value))),
        })
    }

    /// ToJSValue.
    pub fn to_js<'js>(self, ctx: &Ctx<'js>, wasm: &Wasm<'js>) -> Result<Value<'js>> {
        Ok(match self {
            Self::I32(value) => Value::new_int(ctx.clone(), value),
            Self::I64(value) => BigInt::from_i64(ctx.clone(), value)?.into_value(),
            Self::F32(value) => number(ctx, value.into()),
            Self::F64(value) => number(ctx, value),
            Self::V128 => return Err(no_vectors(ctx)),
            Self::Function(None) | Self::Extern(None) => Value::new_null(ctx.clone()),
            Self::Function(Some(number)) => wasm.function(ctx, number)?.into_value(),
            Self::Extern(Some(number)) => wasm.extern_value(ctx, number),
            Self::Foreign => Value::new_undefined(ctx.clone()),
        })
    }
}

/// Vectors have no form in JavaScript.
pub(super) fn no_vectors(ctx: &Ctx<'_>) -> Error {
    Exception::throw_type(ctx, "type incompatibility when transforming from/to JS")
}

/// A number as the engine keeps it: small integers apart, and zero has a sign.
fn number<'js>(ctx: &Ctx<'js>, value: f64) -> Value<'js> {
    #[expect(clippy::cast_possible_truncation, reason = "compared afterwards")]
    let integer = value as i32;
    if f64::from(integer).to_bits() == value.to_bits() {
        Value::new_int(ctx.clone(), integer)
    } else {
        Value::new_float(ctx.clone(), value)
    }
}

fn to_number<'js>(ctx: &Ctx<'js>, value: Value<'js>) -> Result<f64> {
    match value.as_number() {
        Some(value) => Ok(value),
        None => Ok(Coerced::<f64>::from_js(ctx, value)?.0),
    }
}

fn to_bigint64<'js>(ctx: &Ctx<'js>, value: &Value<'js>) -> Result<i64> {
    let mut number = 0;
    // SAFETY: context and value are live; the engine writes one number.
    let status = unsafe { qjs::JS_ToBigInt64(ctx.as_raw().as_ptr(), &mut number, value.as_raw()) };
    if status < 0 {
        Err(Error::Exception)
    } else {
        Ok(number)
    }
}
