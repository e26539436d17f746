//! The object's WebSockets, which stay when its instance goes.

const abi = @import("abi.zig");
const calls = @import("calls.zig");
const memory = @import("memory.zig");

const host = struct {
    extern "do" fn ws_send(socket: i32, data: [*]const u8, size: usize, binary: i32) i32;
    extern "do" fn ws_broadcast(data: [*]const u8, size: usize, binary: i32, except: i32) i32;
    extern "do" fn ws_close(socket: i32, code: i32, reason: [*]const u8, size: usize) i32;
    extern "do" fn ws_list() i32;
    extern "do" fn ws_attach(socket: i32, data: [*]const u8, size: usize) i32;
    extern "do" fn ws_attachment(socket: i32) i32;
};

pub const Kind = enum(i32) { text = 0, binary = 1 };

/// False: there is no such socket.
pub fn send(socket: i32, message: []const u8, kind: Kind) calls.Error!bool {
    return calls.found(host.ws_send(socket, calls.at(message), message.len, @intFromEnum(kind)));
}

/// To all sockets but `except`. On how many it was sent.
pub fn broadcast(message: []const u8, kind: Kind, except: ?i32) calls.Error!u32 {
    return calls.done(host.ws_broadcast(calls.at(message), message.len, @intFromEnum(kind), except orelse -1));
}

/// With the code 1000, or 3000 to 4999, and a reason of 123 bytes at most. False: there is no such socket.
pub fn close(socket: i32, code: i32, why: []const u8) calls.Error!bool {
    return calls.found(host.ws_close(socket, code, calls.at(why), why.len));
}

/// The newest first.
pub fn list() calls.Error![]const i32 {
    const result = try calls.mustTake(host.ws_list());
    const slots = @as(*const abi.Slot, @ptrCast(result.ptr)).value().slots();
    const all = try memory.arena().alloc(i32, slots.len);
    for (slots, all) |slot, *one| one.* = slot.number();
    return all;
}

/// Bytes that stay with the socket, 16,384 at most. False: there is no such socket.
pub fn attach(socket: i32, bytes: []const u8) calls.Error!bool {
    return calls.found(host.ws_attach(socket, calls.at(bytes), bytes.len));
}

pub fn attachment(socket: i32) calls.Error!?[]const u8 {
    return calls.taken(host.ws_attachment(socket));
}
