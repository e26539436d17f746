//! Slots of 16 bytes, in which host and handler exchange values, and the values that they hold.

const std = @import("std");
const memory = @import("memory.zig");

const Tag = enum(u8) { null = 0, bool = 1, i32 = 2, f64 = 3, string = 4, array = 5, object = 6, i64 = 7, bytes = 8, _ };

/// Addresses are divisible by 4 only.
pub const Slot = extern struct {
    tag: Tag = .null,
    unused: [3]u8 = .{ 0, 0, 0 },
    a: u32 = 0,
    b: u64 align(4) = 0,

    pub fn value(slot: *const Slot) Value {
        return switch (slot.tag) {
            .bool => .{ .bool = slot.a != 0 },
            .i32 => .{ .i32 = @bitCast(slot.a) },
            .f64 => .{ .f64 = @bitCast(slot.b) },
            .i64 => .{ .i64 = @bitCast(slot.b) },
            .string => .{ .string = block(slot.a) },
            .bytes => .{ .bytes = block(slot.a) },
            .array => .{ .array = items(slot.a) },
            else => .null,
        };
    }

    /// A string or bytes; empty for others.
    pub fn text(slot: *const Slot) []const u8 {
        return slot.value().text();
    }

    /// An i32; 0 for others.
    pub fn number(slot: *const Slot) i32 {
        return if (slot.tag == .i32) @bitCast(slot.a) else 0;
    }

    pub fn of(wanted: Value) !Slot {
        return switch (wanted) {
            .null => .{},
            .bool => |is| .{ .tag = .bool, .a = @intFromBool(is) },
            .i32 => |whole| .{ .tag = .i32, .a = @bitCast(whole) },
            .f64 => |float| .{ .tag = .f64, .b = @bitCast(float) },
            .i64 => |whole| .{ .tag = .i64, .b = @bitCast(whole) },
            .string => |content| .{ .tag = .string, .a = try newBlock(content) },
            .bytes => |content| .{ .tag = .bytes, .a = try newBlock(content) },
            .array => |slots| .{ .tag = .array, .a = try newArray(slots) },
        };
    }
};

/// One value of the host: a cell of SQL, a parameter.
pub const Value = union(enum) {
    null,
    bool: bool,
    i32: i32,
    f64: f64,
    i64: i64,
    string: []const u8,
    bytes: []const u8,
    array: []const Slot,

    /// A string or bytes; empty for others.
    pub fn text(value: Value) []const u8 {
        return switch (value) {
            .string, .bytes => |content| content,
            else => "",
        };
    }

    /// A number as i64: fractions are cut off, what is out of range is the nearest end. Null for what is no number.
    pub fn int(value: Value) ?i64 {
        return switch (value) {
            .i32 => |number| number,
            .i64 => |number| number,
            .bool => |is| @intFromBool(is),
            .f64 => |number| std.math.lossyCast(i64, number),
            else => null,
        };
    }

    /// A number as f64. Null for what is no number.
    pub fn float(value: Value) ?f64 {
        return switch (value) {
            .f64 => |number| number,
            else => @floatFromInt(value.int() orelse return null),
        };
    }

    /// The values of an array; none for others.
    pub fn slots(value: Value) []const Slot {
        return switch (value) {
            .array => |all| all,
            else => &.{},
        };
    }
};

fn at(comptime T: type, address: u32) T {
    return @ptrFromInt(address);
}

fn block(address: u32) []const u8 {
    const size = at(*const u32, address).*;
    return if (size == 0) "" else at([*]const u8, address + 4)[0..size];
}

fn items(address: u32) []const Slot {
    const array = at(*const u32, address).*;
    const count = at(*const u32, array + 4).*;
    return if (count == 0) &.{} else at([*]const Slot, array + 8)[0..count];
}

fn newBlock(content: []const u8) !u32 {
    const made = try memory.arena().alignedAlloc(u8, .@"4", 4 + content.len);
    std.mem.writeInt(u32, made[0..4], @intCast(content.len), .little);
    @memcpy(made[4..], content);
    return @intFromPtr(made.ptr);
}

/// The cell, the capacity, the count, and the slots.
fn newArray(content: []const Slot) !u32 {
    const made = try memory.arena().alignedAlloc(u8, .@"4", 12 + content.len * @sizeOf(Slot));
    const count: u32 = @intCast(content.len);
    std.mem.writeInt(u32, made[0..4], @intCast(@intFromPtr(made.ptr) + 4), .little);
    std.mem.writeInt(u32, made[4..8], count, .little);
    std.mem.writeInt(u32, made[8..12], count, .little);
    @memcpy(made[12..], std.mem.sliceAsBytes(content));
    return @intFromPtr(made.ptr);
}
