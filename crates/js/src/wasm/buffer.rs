//! The `ArrayBuffer` of a memory: the very bytes, until the memory grows. Raw QuickJS calls live here.

use rquickjs::{Ctx, Error, Object, Result, Value, qjs};

use super::context::Wasm;

/// The buffer of a memory, the same one until it grows.
pub(super) fn of_memory<'js>(ctx: &Ctx<'js>, wasm: &Wasm<'js>, number: u32) -> Result<Object<'js>> {
    let at = number as usize;
    if let Some(Some(buffer)) = wasm.buffers.borrow().get(at) {
        return Ok(buffer.clone());
    }
    let memory = wasm.store.memories.borrow()[at];
    let (data, size) = wasm
        .store
        .with(|store| (memory.data_ptr(&store), memory.data_size(&store)));
    // SAFETY: a memory keeps its address for as long as its store lives (`memory_may_move` is off),
    // and never gets smaller, so the bytes are there as long as the context is; `Kept` lets the
    // store outlive the runtime. Without a function to free them the engine neither frees nor
    // transfers them. Other accesses are those of compiled code, which runs while JavaScript does
    // not, and copies of ours, through pointers alike.
    let buffer = unsafe {
        let context = ctx.as_raw().as_ptr();
        let buffer =
            qjs::JS_NewArrayBuffer(context, data, size as _, None, std::ptr::null_mut(), false);
        Value::from_raw(ctx.clone(), buffer)
    };
    let buffer = buffer.into_object().ok_or(Error::Exception)?;
    let mut buffers = wasm.buffers.borrow_mut();
    if buffers.len() <= at {
        buffers.resize(at + 1, None);
    }
    buffers[at] = Some(buffer.clone());
    Ok(buffer)
}

/// Detaches the buffer of a memory, if it has one: the next one has its new size.
pub(super) fn detach<'js>(ctx: &Ctx<'js>, wasm: &Wasm<'js>, number: usize) {
    let buffer = wasm
        .buffers
        .borrow_mut()
        .get_mut(number)
        .and_then(Option::take);
    if let Some(buffer) = buffer {
        // SAFETY: context and buffer are live; nothing is freed, because it has no function for it.
        unsafe { qjs::JS_DetachArrayBuffer(ctx.as_raw().as_ptr(), buffer.as_value().as_raw()) };
    }
}

/// Detaches the buffers of the memories that have grown since JavaScript ran last.
pub(super) fn detach_grown<'js>(ctx: &Ctx<'js>, wasm: &Wasm<'js>) {
    if !wasm.store.shared.grown.take() {
        return;
    }
    let with_buffer = wasm.buffers.borrow().len();
    for number in 0..with_buffer {
        let memory = wasm.store.memories.borrow()[number];
        let size = wasm.store.with(|store| memory.data_size(&store));
        let is_older = match wasm.buffers.borrow()[number].as_ref() {
            Some(buffer) => length(ctx, buffer) != size,
            None => false,
        };
        if is_older {
            detach(ctx, wasm, number);
        }
    }
}

fn length(ctx: &Ctx<'_>, buffer: &Object<'_>) -> usize {
    let mut size = 0;
    // SAFETY: both are live, and the buffer is attached: it is detached here alone.
    unsafe { qjs::JS_GetArrayBuffer(ctx.as_raw().as_ptr(), &mut size, buffer.as_value().as_raw()) };
    size as usize
}
