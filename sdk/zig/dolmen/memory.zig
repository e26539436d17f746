//! The memory of an event: an arena that begins with the host's first block and ends when the host has given all back.

const std = @import("std");

/// Bytes that stay with the arena between two events.
const kept_bytes = 64 << 10;

var events: std.heap.ArenaAllocator = .init(std.heap.wasm_allocator);
var host_blocks: usize = 0;

pub fn arena() std.mem.Allocator {
    return events.allocator();
}

/// A block for the host, of which 0 says that there is no memory.
pub fn hostMalloc(size: usize) callconv(.c) usize {
    const block = arena().alignedAlloc(u8, .@"16", @max(size, 1)) catch return 0;
    host_blocks += 1;
    return @intFromPtr(block.ptr);
}

/// The last block ends the event. The address does not matter.
pub fn hostFree(_: usize) callconv(.c) void {
    if (host_blocks == 0) return;
    host_blocks -= 1;
    if (host_blocks == 0) _ = events.reset(.{ .retain_with_limit = kept_bytes });
}

const Part = extern struct { data: [*]const u8, size: usize };
extern "wasi_snapshot_preview1" fn fd_write(file: i32, parts: [*]const Part, count: usize, written: *usize) i32;

pub const panic = std.debug.FullPanic(panicWith);

fn panicWith(message: []const u8, _: ?usize) noreturn {
    @branchHint(.cold);
    const texts = [_][]const u8{ "panic: ", message, "\n" };
    var parts: [texts.len]Part = undefined;
    for (texts, &parts) |text, *part| part.* = .{ .data = text.ptr, .size = text.len };
    var written: usize = 0;
    // There is nothing left to do if the log cannot be written.
    _ = fd_write(2, &parts, parts.len, &written);
    @trap();
}
