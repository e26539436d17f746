//! Headers as `name: value` lines.

const std = @import("std");
const memory = @import("memory.zig");

pub const Header = struct { name: []const u8, value: []const u8 };

/// The value of the first header of that name, in any case.
pub fn find(lines: []const u8, name: []const u8) ?[]const u8 {
    var each = std.mem.splitScalar(u8, lines, '\n');
    while (each.next()) |line| {
        const found, const value = std.mem.cut(u8, line, ": ") orelse continue;
        if (std.ascii.eqlIgnoreCase(found, name)) return value;
    }
    return null;
}

/// Adds a line. `error.BadHeader`: the name is none, or the value has a control character such as a line break.
pub fn add(lines: *std.ArrayList(u8), name: []const u8, value: []const u8) !void {
    if (name.len == 0) return error.BadHeader;
    for (name) |byte| {
        if (!std.ascii.isAlphanumeric(byte) and std.mem.findScalar(u8, "!#$%&'*+-.^_`|~", byte) == null) return error.BadHeader;
    }
    for (value) |byte| {
        if ((byte < ' ' and byte != '\t') or byte == 0x7f) return error.BadHeader;
    }
    for ([_][]const u8{ name, ": ", value, "\n" }) |part| try lines.appendSlice(memory.arena(), part);
}
