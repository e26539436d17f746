//! What goes wrong in WebAssembly, as JavaScript's errors.

use rquickjs::{Ctx, Error, Exception, Value, function::Constructor};
use wasmtime::Trap;

use super::context::Wasm;
use crate::raw;

/// An imported function threw; the value is with the call.
#[derive(Debug, thiserror::Error)]
#[error("an imported function threw")]
pub(super) struct Thrown;

/// The errors that only WebAssembly has.
#[derive(Clone, Copy)]
pub(super) enum Class {
    Compile,
    Link,
    Runtime,
}

/// Throws one of WebAssembly's errors.
pub(super) fn throw<'js>(ctx: &Ctx<'js>, wasm: &Wasm<'js>, class: Class, message: &str) -> Error {
    let name = match class {
        Class::Compile => "CompileError",
        Class::Link => "LinkError",
        Class::Runtime => "RuntimeError",
    };
    let made = wasm.glue.get::<_, Constructor<'js>>(name);
    match made.and_then(|class| class.construct::<_, Value<'js>>((message,))) {
        Ok(error) => ctx.throw(error),
        Err(error) => error,
    }
}

/// Why a call did not end well.
pub(super) enum Ended<'js> {
    /// An import threw this.
    Thrown(Value<'js>),
    /// A trap, or what wasmtime says.
    Failed(wasmtime::Error),
    /// The turn must end.
    Stopped,
}

impl From<wasmtime::Error> for Ended<'_> {
    fn from(error: wasmtime::Error) -> Self {
        Self::Failed(error)
    }
}

impl<'js> Ended<'js> {
    /// Throws it. `otherwise` is the class of what is no trap.
    pub fn throw(self, ctx: &Ctx<'js>, wasm: &Wasm<'js>, otherwise: Class) -> Error {
        match self {
            Self::Thrown(value) => ctx.throw(value),
            Self::Failed(error) => throw_failed(ctx, wasm, &error, otherwise),
            Self::Stopped => raw::throw_uncatchable(ctx),
        }
    }
}

fn throw_failed<'js>(
    ctx: &Ctx<'js>,
    wasm: &Wasm<'js>,
    error: &wasmtime::Error,
    otherwise: Class,
) -> Error {
    if let Some(trap) = error.downcast_ref::<Trap>() {
        return match trap_text(*trap) {
            Some(text) => throw(ctx, wasm, Class::Runtime, text),
            None => Exception::throw_range(ctx, "Maximum call stack size exceeded"),
        };
    }
    let text = format!("{error:#}");
    if wasm.store.shared.refused.take() {
        return over_limit(ctx, wasm, &text);
    }
    if text.starts_with("resource limit exceeded") {
        return Exception::throw_range(ctx, &text);
    }
    throw(ctx, wasm, otherwise, &text)
}

/// Throws that the context's memories and tables would be too large.
pub(super) fn over_limit<'js>(ctx: &Ctx<'js>, wasm: &Wasm<'js>, what: &str) -> Error {
    wasm.store.shared.refused.set(false);
    let limit = wasm.surroundings.memory_limit >> 20;
    let message = format!(
        "{what}: the WebAssembly memories and tables of one object have at most {limit} MiB together"
    );
    Exception::throw_range(ctx, &message)
}

/// What a trap is called, in the words that programs look for; `None`: the stack is full.
fn trap_text(trap: Trap) -> Option<&'static str> {
    Some(match trap {
        Trap::StackOverflow => return None,
        Trap::UnreachableCodeReached => "unreachable",
        Trap::MemoryOutOfBounds => "memory access out of bounds",
        Trap::TableOutOfBounds => "table index is out of bounds",
        Trap::IndirectCallToNull | Trap::BadSignature => {
            "null function or function signature mismatch"
        }
        Trap::IntegerDivisionByZero => "divide by zero",
        Trap::IntegerOverflow => "divide result unrepresentable",
        Trap::BadConversionToInteger => "float unrepresentable in integer range",
        Trap::NullReference => "dereferencing a null pointer",
        _ => "the module trapped",
    })
}
