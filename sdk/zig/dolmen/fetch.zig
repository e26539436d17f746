//! Requests to elsewhere. The handler waits; what it wrote before is durable when they leave.

const std = @import("std");
const abi = @import("abi.zig");
const calls = @import("calls.zig");
const headers = @import("headers.zig");
const memory = @import("memory.zig");

const host = struct {
    extern "do" fn fetch(request: [*]const abi.Slot) i32;
    extern "do" fn fetch_many(requests: [*]const abi.Slot, count: usize) i32;
};

pub const Header = headers.Header;
pub const max_at_once = 64;
const slots_each = 4;

pub const Wanted = struct {
    method: []const u8 = "GET",
    url: []const u8,
    body: []const u8 = "",
    headers: []const Header = &.{},
};

pub const Fetched = struct {
    /// Of `fetchMany`: 0 for a failure, and its reason is the body.
    status: i32,
    content_type: []const u8,
    body: []const u8,
    header_lines: []const u8,

    pub fn header(fetched: Fetched, name: []const u8) ?[]const u8 {
        return headers.find(fetched.header_lines, name);
    }

    fn read(slots: []const abi.Slot) Fetched {
        return .{ .status = slots[0].number(), .content_type = slots[1].text(), .body = slots[2].text(), .header_lines = slots[3].text() };
    }
};

pub const Error = calls.Error || error{BadHeader};

pub fn fetch(wanted: Wanted) Error!Fetched {
    var slots: [slots_each]abi.Slot = undefined;
    try write(&slots, wanted);
    const result = try calls.mustTake(host.fetch(&slots));
    return .read(@as([*]const abi.Slot, @ptrCast(result.ptr))[0..slots_each]);
}

/// The answers in the order of the requests, of which there are `max_at_once` at most.
pub fn fetchMany(wanted: []const Wanted) Error![]const Fetched {
    if (wanted.len == 0) return &.{};
    const slots = try memory.arena().alloc(abi.Slot, wanted.len * slots_each);
    for (wanted, 0..) |one, i| try write(slots[i * slots_each ..][0..slots_each], one);
    const result = try calls.mustTake(host.fetch_many(slots.ptr, wanted.len));
    const all = @as([*]const abi.Slot, @ptrCast(result.ptr))[0..slots.len];
    const fetched = try memory.arena().alloc(Fetched, wanted.len);
    for (fetched, 0..) |*one, i| one.* = .read(all[i * slots_each ..][0..slots_each]);
    return fetched;
}

fn write(slots: *[slots_each]abi.Slot, wanted: Wanted) Error!void {
    var lines: std.ArrayList(u8) = .empty;
    for (wanted.headers) |header| try headers.add(&lines, header.name, header.value);
    slots.* = .{
        try .of(.{ .string = wanted.method }),
        try .of(.{ .string = wanted.url }),
        try .of(.{ .bytes = wanted.body }),
        try .of(.{ .string = lines.items }),
    };
}
