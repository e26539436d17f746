//! A response that a handler fills.

const std = @import("std");
const abi = @import("abi.zig");
const headers = @import("headers.zig");
const memory = @import("memory.zig");

/// The status 200 and no body until it is filled.
pub const Response = struct {
    status: u16 = 200,
    content_type: []const u8 = "",
    body: abi.Value = .{ .string = "" },
    header_lines: std.ArrayList(u8) = .empty,

    pub fn text(response: *Response, status: u16, body: []const u8) void {
        response.* = .{ .status = status, .content_type = "text/plain; charset=utf-8", .body = .{ .string = body }, .header_lines = response.header_lines };
    }

    pub fn print(response: *Response, status: u16, comptime format: []const u8, args: anytype) !void {
        response.text(status, try std.fmt.allocPrint(memory.arena(), format, args));
    }

    /// Any value that std.json writes.
    pub fn json(response: *Response, status: u16, value: anytype) !void {
        response.jsonText(status, try std.json.Stringify.valueAlloc(memory.arena(), value, .{}));
    }

    /// What is JSON already.
    pub fn jsonText(response: *Response, status: u16, body: []const u8) void {
        response.text(status, body);
        response.content_type = "application/json";
    }

    pub fn bytes(response: *Response, status: u16, content_type: []const u8, body: []const u8) void {
        response.text(status, "");
        response.content_type = content_type;
        response.body = .{ .bytes = body };
    }

    pub fn redirect(response: *Response, status: u16, location: []const u8) !void {
        response.text(status, "");
        try response.header("location", location);
    }

    pub fn notFound(response: *Response) void {
        response.text(404, "not found\n");
    }

    /// 405; `allow` as in "GET, POST".
    pub fn methodNotAllowed(response: *Response, allow: []const u8) !void {
        response.text(405, "method not allowed\n");
        try response.header("allow", allow);
    }

    /// Adds a header; also one more of the same name, such as set-cookie. The content type is that of the body.
    /// `error.BadHeader`: the name is none, or the value has a control character such as a line break.
    pub fn header(response: *Response, name: []const u8, value: []const u8) !void {
        try headers.add(&response.header_lines, name, value);
    }
};

pub const Number = struct {
    value: f64,

    pub fn of(value: f64) Number {
        return .{ .value = value };
    }

    pub fn jsonStringify(number: Number, json: anytype) !void {
        const size = @abs(number.value);
        if (!std.math.isFinite(size)) {
            try json.write(null);
        } else if (size != 0 and (size < 1e-6 or size >= 1e21)) {
            try json.print("{e}", .{number.value});
        } else {
            try json.print("{d}", .{number.value});
        }
    }
};
