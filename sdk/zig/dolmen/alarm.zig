//! The object's alarm: one time at which the handler `alarm` runs.

const calls = @import("calls.zig");

const host = struct {
    extern "do" fn alarm_get() i64;
    extern "do" fn alarm_set(time: i64) i32;
    extern "do" fn alarm_delete() i32;
};

/// Milliseconds since 1970.
pub fn get() calls.Error!?i64 {
    const time = host.alarm_get();
    if (time >= 0) return time;
    if (time == -1) return null;
    try calls.fail();
    return error.HostFailed;
}

pub fn set(time_ms: i64) calls.Error!void {
    _ = try calls.done(host.alarm_set(time_ms));
}

pub fn delete() calls.Error!void {
    _ = try calls.done(host.alarm_delete());
}
