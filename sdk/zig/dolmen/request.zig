//! A request or an event, and what its path, query, headers and body say.

const std = @import("std");
const abi = @import("abi.zig");
const headers = @import("headers.zig");
const memory = @import("memory.zig");

/// Parts of a path that one route may name.
pub const max_params = 8;

pub const Event = enum { http, websocket_open, websocket, websocket_binary, websocket_close, alarm };
const Param = struct { name: []const u8, value: []const u8 };

pub const Request = struct {
    event: Event,
    /// The name of the event where it is not `.http`.
    method: []const u8,
    /// Path and query.
    target: []const u8,
    /// Not decoded.
    path: []const u8,
    query_text: []const u8,
    /// Of a WebSocket: the message, or the reason of a close.
    body: []const u8,
    /// `name: value` lines, names in lower case.
    header_lines: []const u8,
    /// Of a WebSocket.
    socket: i32 = 0,
    close_code: i32 = 0,
    close_clean: bool = false,
    /// Of an alarm: how many attempts have failed before.
    attempts: i32 = 0,
    /// Of a fan-out, in the order of its URLs: a text, or the status of a failure, 0 for one of the network.
    fanout: []const abi.Slot = &.{},
    params: [max_params]Param = undefined,
    param_count: usize = 0,

    pub fn read(slots: [*]const abi.Slot, fanout_count: usize) Request {
        const method = slots[0].text();
        const target = slots[1].text();
        const path, const query_text = std.mem.cutScalar(u8, target, '?') orelse .{ target, "" };
        var request: Request = .{
            .event = eventOf(method),
            .method = method,
            .target = target,
            .path = if (path.len == 0) "/" else path,
            .query_text = query_text,
            .body = slots[2].text(),
            .header_lines = slots[3].text(),
        };
        switch (request.event) {
            .http => request.fanout = slots[6 .. 6 + fanout_count],
            .alarm => request.attempts = slots[6].number(),
            else => {
                request.socket = slots[6].number();
                request.close_code = slots[7].number();
                request.close_clean = slots[8].number() == 1;
            },
        }
        return request;
    }

    /// What a route calls NAME in `/:NAME`, decoded. Empty if it does not.
    pub fn param(request: *const Request, name: []const u8) ![]const u8 {
        for (request.params[0..request.param_count]) |one| {
            if (std.mem.eql(u8, one.name, name)) return decode(one.value, .percent);
        }
        return "";
    }

    /// The value of a header, whose name may be in any case.
    pub fn header(request: *const Request, name: []const u8) ?[]const u8 {
        return headers.find(request.header_lines, name);
    }

    /// The first parameter of that name, decoded.
    pub fn query(request: *const Request, name: []const u8) !?[]const u8 {
        return request.queryFields().find(name);
    }

    pub fn queryFields(request: *const Request) Fields {
        return .{ .rest = request.query_text };
    }

    /// The first field of that name of a body of the type application/x-www-form-urlencoded, decoded.
    pub fn form(request: *const Request, name: []const u8) !?[]const u8 {
        return request.formFields().find(name);
    }

    pub fn formFields(request: *const Request) Fields {
        const content_type = request.header("content-type") orelse "";
        const kind, _ = std.mem.cutScalar(u8, content_type, ';') orelse .{ content_type, "" };
        const is_form = std.ascii.eqlIgnoreCase(std.mem.trim(u8, kind, " \t"), "application/x-www-form-urlencoded");
        return .{ .rest = if (is_form) request.body else "" };
    }

    pub fn cookie(request: *const Request, name: []const u8) ?[]const u8 {
        var pairs = std.mem.splitScalar(u8, request.header("cookie") orelse return null, ';');
        while (pairs.next()) |pair| {
            const key, const value = std.mem.cutScalar(u8, std.mem.trim(u8, pair, " \t"), '=') orelse continue;
            if (!std.mem.eql(u8, key, name)) continue;
            const quoted = value.len > 1 and value[0] == '"' and value[value.len - 1] == '"';
            return if (quoted) value[1 .. value.len - 1] else value;
        }
        return null;
    }

    /// Name and password of the header `authorization: Basic`.
    pub fn basicAuth(request: *const Request) !?struct { user: []const u8, password: []const u8 } {
        const value = request.header("authorization") orelse return null;
        if (!std.ascii.startsWithIgnoreCase(value, "basic ")) return null;
        const encoded = std.mem.trim(u8, value["basic ".len..], " ");
        const decoder = std.base64.standard.Decoder;
        const both = try memory.arena().alloc(u8, decoder.calcSizeForSlice(encoded) catch return null);
        decoder.decode(both, encoded) catch return null;
        const user, const password = std.mem.cutScalar(u8, both, ':') orelse return null;
        return .{ .user = user, .password = password };
    }

    /// The body as a `T`, by std.json.
    pub fn json(request: *const Request, comptime T: type) !T {
        return std.json.parseFromSliceLeaky(T, memory.arena(), request.body, .{});
    }
};

/// `name=value` fields of a query or a form, one after the other, decoded.
pub const Fields = struct {
    rest: []const u8,

    pub fn next(fields: *Fields) !?Param {
        while (fields.rest.len > 0) {
            const field, fields.rest = std.mem.cutScalar(u8, fields.rest, '&') orelse .{ fields.rest, "" };
            if (field.len == 0) continue;
            const name, const value = std.mem.cutScalar(u8, field, '=') orelse .{ field, "" };
            return .{ .name = try decode(name, .form), .value = try decode(value, .form) };
        }
        return null;
    }

    pub fn find(fields: Fields, name: []const u8) !?[]const u8 {
        var left = fields;
        while (try left.next()) |field| {
            if (std.mem.eql(u8, field.name, name)) return field.value;
        }
        return null;
    }
};

fn eventOf(method: []const u8) Event {
    const names = [_]struct { []const u8, Event }{
        .{ "WEBSOCKET", .websocket },
        .{ "WEBSOCKET_OPEN", .websocket_open },
        .{ "WEBSOCKET_BINARY", .websocket_binary },
        .{ "WEBSOCKET_CLOSE", .websocket_close },
        .{ "ALARM", .alarm },
    };
    for (names) |name| {
        if (std.mem.eql(u8, name[0], method)) return name[1];
    }
    return .http;
}

/// Decodes %XX, and in a form + as a blank. A % without two hex digits stays.
fn decode(text: []const u8, how: enum { percent, form }) ![]const u8 {
    const to = try memory.arena().alloc(u8, text.len);
    var size: usize = 0;
    var i: usize = 0;
    while (i < text.len) : (i += 1) {
        to[size] = if (text[i] == '+' and how == .form) ' ' else text[i];
        if (text[i] == '%' and i + 2 < text.len) {
            const high = std.fmt.charToDigit(text[i + 1], 16) catch 16;
            const low = std.fmt.charToDigit(text[i + 2], 16) catch 16;
            if (high < 16 and low < 16) {
                to[size] = high << 4 | low;
                i += 2;
            }
        }
        size += 1;
    }
    return to[0..size];
}
