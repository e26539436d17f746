//! What all calls of the host have in common: taking what waits, and the reason of a failure.

const std = @import("std");
const memory = @import("memory.zig");

extern "do" fn take(to: ?[*]u8, offset: usize, max: usize) i32;
extern "do" fn last_error() i32;

pub const Error = error{ HostFailed, OutOfMemory };

const none = -1;

/// Of the arena, so it is for the event that it failed in.
var why: []const u8 = "";

pub fn reason() []const u8 {
    return why;
}

/// Where a text is, for the host. Zig gives an empty one any address, also one outside the memory.
pub fn at(text: []const u8) [*]const u8 {
    return if (text.len == 0) "" else text.ptr;
}

/// All that waits, as a length said, at an address divisible by 16. Null: there is none.
pub fn taken(length: i32) Error!?[]align(16) u8 {
    if (length == none) return null;
    const size = try done(length);
    const to = try memory.arena().alignedAlloc(u8, .@"16", size);
    if (size > 0 and take(to.ptr, 0, size) != length) @panic("the host has not given what it said");
    return to;
}

/// Where there must be something.
pub fn mustTake(length: i32) Error![]align(16) u8 {
    return try taken(length) orelse @panic("the host has no result where it must have one");
}

/// The answer of a call as a number that is not negative.
pub fn done(answer: anytype) Error!u32 {
    if (answer >= 0) return @intCast(answer);
    try fail();
    return error.HostFailed;
}

/// True, or false if there is no such thing.
pub fn found(answer: i32) Error!bool {
    if (answer == none) return false;
    _ = try done(answer);
    return true;
}

pub fn fail() Error!void {
    const size = last_error();
    why = "the host gave no reason";
    if (size <= 0) return;
    const to = try memory.arena().alloc(u8, @intCast(size));
    if (take(to.ptr, 0, to.len) != size) @panic("the host has not given what it said");
    why = to;
}
