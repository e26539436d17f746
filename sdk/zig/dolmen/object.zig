//! Who the object is, what time it is, and the log.

const std = @import("std");
const calls = @import("calls.zig");
const memory = @import("memory.zig");

const host = struct {
    extern "do" fn object_id(which: i32) i32;
    extern "do" fn now_ms() i64;
    extern "do" fn log(level: i32, data: [*]const u8, size: usize) void;
};

pub const Level = enum(i32) { debug = 0, info = 1, warn = 2, err = 3 };

/// 64 hex digits; null in the worker, as are the others.
pub fn id() calls.Error!?[]const u8 {
    return calls.taken(host.object_id(0));
}

pub fn name() calls.Error!?[]const u8 {
    return calls.taken(host.object_id(1));
}

pub fn namespace() calls.Error!?[]const u8 {
    return calls.taken(host.object_id(2));
}

pub fn nowMs() i64 {
    return host.now_ms();
}

pub fn log(level: Level, comptime format: []const u8, args: anytype) !void {
    const text = try std.fmt.allocPrint(memory.arena(), format, args);
    host.log(@intFromEnum(level), calls.at(text), text.len);
}
