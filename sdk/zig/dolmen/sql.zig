//! Statements on the object's SQLite database.

const abi = @import("abi.zig");
const calls = @import("calls.zig");
const memory = @import("memory.zig");

const host = struct {
    extern "do" fn sql_exec(statement: [*]const u8, size: usize, parameters: ?[*]const abi.Slot, count: usize) i32;
};

pub const Rows = struct {
    columns: []const abi.Slot,
    rows: []const abi.Slot,
    read: i64,
    written: i64,

    pub fn column(rows: Rows, index: usize) []const u8 {
        return rows.columns[index].text();
    }

    /// Null where there is none.
    pub fn cell(rows: Rows, row: usize, index: usize) abi.Value {
        if (row >= rows.rows.len) return .null;
        const cells = rows.rows[row].value().slots();
        return if (index < cells.len) cells[index].value() else .null;
    }
};

/// Runs a statement. `parameters` is a tuple: texts, numbers, bools, optionals, null, or a `dolmen.Value`.
pub fn exec(statement: []const u8, parameters: anytype) calls.Error!Rows {
    var slots: [parameters.len]abi.Slot = undefined;
    inline for (parameters, &slots) |parameter, *slot| slot.* = try abi.Slot.of(valueOf(parameter));
    const result = try calls.mustTake(host.sql_exec(calls.at(statement), statement.len, if (slots.len == 0) null else &slots, slots.len));
    const parts = @as(*const abi.Slot, @ptrCast(result.ptr)).value().slots();
    return .{
        .columns = parts[0].value().slots(),
        .rows = parts[1].value().slots(),
        .read = parts[2].value().int() orelse 0,
        .written = parts[3].value().int() orelse 0,
    };
}

fn valueOf(parameter: anytype) abi.Value {
    const T = @TypeOf(parameter);
    if (T == abi.Value) return parameter;
    return switch (@typeInfo(T)) {
        .null => .null,
        .optional => if (parameter) |inner| valueOf(inner) else .null,
        .bool => .{ .bool = parameter },
        .int, .comptime_int => .{ .i64 = parameter },
        .float, .comptime_float => .{ .f64 = parameter },
        else => .{ .string = parameter },
    };
}
