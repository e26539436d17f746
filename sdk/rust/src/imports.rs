//! The functions of the host, module `do`, as docs/reference/wasm-abi.md has them. A module imports
//! those that it calls. This file and the reading of a request (`event.rs`) are all that is unsafe,
//! with the vectors.

/// Declares each function for a handler, and one that panics for the machine that builds it.
macro_rules! imports {
    ($(fn $name:ident($($parameter:ident: $type:ty),*) $(-> $result:ty)?;)*) => {
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "do")]
        unsafe extern "C" {
            $(pub fn $name($($parameter: $type),*) $(-> $result)?;)*
        }
        $(
            #[cfg(not(target_arch = "wasm32"))]
            pub unsafe fn $name($(_: $type),*) $(-> $result)? {
                panic!(concat!("`", stringify!($name), "` of the host is there in a handler only"))
            }
        )*
    };
}

imports! {
    fn take(to: *mut u8, offset: i32, max: i32) -> i32;
    fn last_error() -> i32;
    fn kv_get(key: *const u8, key_length: usize) -> i32;
    fn kv_put(key: *const u8, key_length: usize, value: *const u8, value_length: usize) -> i32;
    fn kv_delete(key: *const u8, key_length: usize) -> i32;
    fn kv_list(prefix: *const u8, prefix_length: usize, start: *const u8, start_length: usize, limit: i32, flags: i32) -> i32;
    fn sql_exec(statement: *const u8, length: usize, parameters: *const u8, count: usize) -> i32;
    fn alarm_get() -> i64;
    fn alarm_set(time: i64) -> i32;
    fn alarm_delete() -> i32;
    fn fetch(request: *const u8) -> i32;
    fn fetch_many(requests: *const u8, count: usize) -> i32;
    fn ws_send(socket: i32, data: *const u8, length: usize, binary: i32) -> i32;
    fn ws_broadcast(data: *const u8, length: usize, binary: i32, except: i32) -> i32;
    fn ws_close(socket: i32, code: i32, reason: *const u8, reason_length: usize) -> i32;
    fn ws_list() -> i32;
    fn ws_attach(socket: i32, data: *const u8, length: usize) -> i32;
    fn ws_attachment(socket: i32) -> i32;
    fn log(level: i32, text: *const u8, length: usize);
    fn object_id(which: i32) -> i32;
}
