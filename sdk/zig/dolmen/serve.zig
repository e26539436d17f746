//! From the host's call to the handler of a route or an event, and back with its response.

const std = @import("std");
const abi = @import("abi.zig");
const calls = @import("calls.zig");
const memory = @import("memory.zig");
const Request = @import("request.zig").Request;
const max_params = @import("request.zig").max_params;
const Response = @import("response.zig").Response;

const response_slots = 4;
const max_fanout = 64;

/// An error that it returns is answered with 500 and the error's name, or the host's reason for `error.HostFailed`.
/// What it has written stays; a panic undoes it.
pub const Handler = fn (request: *Request, response: *Response) anyerror!void;

/// `path` is matched whole; `:NAME` stands for one part that is not empty, and a last `*` for all that follows. The first
/// route that fits is taken. GET answers HEAD too, and a method of null every one.
pub const Route = struct {
    method: ?[]const u8,
    path: []const u8,
    handler: *const Handler,
};

pub fn serve(comptime App: type) void {
    const exports = Exports(App);
    @export(&memory.hostMalloc, .{ .name = "malloc" });
    @export(&memory.hostFree, .{ .name = "free" });
    @export(&exports.handle, .{ .name = "handle_zerobuf" });
    @export(&version, .{ .name = "do_abi" });
    if (@hasDecl(App, "fanout")) @export(&exports.fanout, .{ .name = "fanout_zerobuf" });
}

fn version() callconv(.c) i32 {
    return 1;
}

/// Of the request that comes next: each is asked for its fan-out first.
var fanout_count: usize = 0;

fn Exports(comptime App: type) type {
    return struct {
        fn handle(slots: [*]const abi.Slot) callconv(.c) [*]const abi.Slot {
            var request: Request = .read(slots, fanout_count);
            var response: Response = .{};
            dispatch(&request, &response) catch |failure| {
                response = .{};
                response.text(500, if (failure == error.HostFailed) calls.reason() else @errorName(failure));
            };
            return write(&response) catch @panic("no memory is left for the response");
        }

        fn dispatch(request: *Request, response: *Response) anyerror!void {
            switch (request.event) {
                .http => return route(request, response),
                .websocket_open => {
                    if (@hasDecl(App, "socketOpen")) return App.socketOpen(request, response);
                    if (!@hasDecl(App, "socketMessage")) response.text(404, "there are no WebSockets here\n");
                },
                .websocket, .websocket_binary => if (@hasDecl(App, "socketMessage")) return App.socketMessage(request, response),
                .websocket_close => if (@hasDecl(App, "socketClose")) return App.socketClose(request, response),
                .alarm => {
                    if (@hasDecl(App, "alarm")) return App.alarm(request, response);
                    response.text(500, "there is no handler of alarms");
                },
            }
        }

        fn route(request: *Request, response: *Response) anyerror!void {
            const routes: []const Route = if (@hasDecl(App, "routes")) &App.routes else &.{};
            const wanted = if (std.mem.eql(u8, request.method, "HEAD")) "GET" else request.method;
            var allow: std.ArrayList(u8) = .empty;
            for (routes) |one| {
                if (!fits(request, one.path)) continue;
                const method = one.method orelse return one.handler(request, response);
                if (std.mem.eql(u8, method, request.method) or std.mem.eql(u8, method, wanted)) return one.handler(request, response);
                if (allow.items.len > 0) try allow.appendSlice(memory.arena(), ", ");
                try allow.appendSlice(memory.arena(), method);
            }
            request.param_count = 0;
            if (allow.items.len > 0) return response.methodNotAllowed(allow.items);
            if (@hasDecl(App, "fallback")) return App.fallback(request, response);
            response.notFound();
        }

        fn fanout(slots: [*]const abi.Slot) callconv(.c) *const abi.Slot {
            var request: Request = .read(slots, 0);
            const urls: []const []const u8 = App.fanout(&request) catch |failure| @panic(@errorName(failure));
            if (urls.len > max_fanout) @panic("a fan-out has more than 64 URLs");
            fanout_count = urls.len;
            return writeUrls(urls) catch @panic("no memory is left for the fan-out");
        }
    };
}

/// Whether a path is what a pattern says; its parts are in `request` then.
fn fits(request: *Request, whole: []const u8) bool {
    var pattern = whole;
    var path = request.path;
    request.param_count = 0;
    while (true) {
        if (std.mem.eql(u8, pattern, "*")) return true;
        if (pattern.len == 0 or path.len == 0) return pattern.len == path.len;
        if (pattern[0] != ':') {
            if (pattern[0] != path[0]) return false;
            pattern = pattern[1..];
            path = path[1..];
            continue;
        }
        const name_end = std.mem.findScalar(u8, pattern, '/') orelse pattern.len;
        const value_end = std.mem.findScalar(u8, path, '/') orelse path.len;
        if (value_end == 0) return false;
        if (request.param_count == max_params) @panic("a route has more than 8 named parts");
        request.params[request.param_count] = .{ .name = pattern[1..name_end], .value = path[0..value_end] };
        request.param_count += 1;
        pattern = pattern[name_end..];
        path = path[value_end..];
    }
}

fn write(response: *const Response) ![*]const abi.Slot {
    const slots = try memory.arena().alloc(abi.Slot, response_slots);
    slots[0] = try .of(.{ .i32 = response.status });
    slots[1] = try .of(.{ .string = response.content_type });
    slots[2] = try .of(response.body);
    slots[3] = try .of(.{ .string = response.header_lines.items });
    return slots.ptr;
}

fn writeUrls(urls: []const []const u8) !*const abi.Slot {
    const slots = try memory.arena().alloc(abi.Slot, urls.len);
    for (urls, slots) |url, *slot| slot.* = try .of(.{ .string = url });
    const answer = try memory.arena().create(abi.Slot);
    answer.* = if (urls.len == 0) .{} else try .of(.{ .array = slots });
    return answer;
}
