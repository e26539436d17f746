//! Keys and values of the object; in the worker of the worker's own KV.

const abi = @import("abi.zig");
const calls = @import("calls.zig");
const memory = @import("memory.zig");

const host = struct {
    extern "do" fn kv_get(key: [*]const u8, size: usize) i32;
    extern "do" fn kv_put(key: [*]const u8, size: usize, value: [*]const u8, value_size: usize) i32;
    extern "do" fn kv_delete(key: [*]const u8, size: usize) i32;
    extern "do" fn kv_list(prefix: [*]const u8, size: usize, start: [*]const u8, start_size: usize, limit: i32, flags: i32) i32;
};

pub const Entry = struct { key: []const u8, value: []const u8 };

pub const Listing = struct {
    prefix: []const u8 = "",
    /// The first key; empty: the first of all.
    start: []const u8 = "",
    after_start: bool = false,
    limit: i32 = 1_000,
    reverse: bool = false,
    keys_only: bool = false,
};

pub fn get(key: []const u8) calls.Error!?[]const u8 {
    return calls.taken(host.kv_get(calls.at(key), key.len));
}

pub fn put(key: []const u8, value: []const u8) calls.Error!void {
    _ = try calls.done(host.kv_put(calls.at(key), key.len, calls.at(value), value.len));
}

/// Whether it was there.
pub fn delete(key: []const u8) calls.Error!bool {
    return try calls.done(host.kv_delete(calls.at(key), key.len)) == 1;
}

/// Entries by key.
pub fn list(how: Listing) calls.Error![]const Entry {
    const flags = @as(i32, @intFromBool(how.reverse)) | @as(i32, @intFromBool(how.keys_only)) << 1 | @as(i32, @intFromBool(how.after_start)) << 2;
    const result = try calls.mustTake(host.kv_list(calls.at(how.prefix), how.prefix.len, calls.at(how.start), how.start.len, how.limit, flags));
    const pairs = @as(*const abi.Slot, @ptrCast(result.ptr)).value().slots();
    const entries = try memory.arena().alloc(Entry, pairs.len);
    for (pairs, entries) |pair, *entry| {
        const parts = pair.value().slots();
        entry.* = .{ .key = parts[0].text(), .value = if (parts.len > 1) parts[1].text() else "" };
    }
    return entries;
}
