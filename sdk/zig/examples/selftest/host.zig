//! Tries the calls of the host one by one.

const std = @import("std");
const dolmen = @import("dolmen");
const Request = dolmen.Request;
const Response = dolmen.Response;

pub const routes = [_]dolmen.Route{
    .{ .method = "POST", .path = "/sql", .handler = sql },
    .{ .method = "POST", .path = "/keep", .handler = keep },
    .{ .method = "GET", .path = "/list", .handler = list },
    .{ .method = "POST", .path = "/alarm", .handler = alarm },
    .{ .method = "GET", .path = "/object", .handler = object },
    .{ .method = "POST", .path = "/log", .handler = log },
    .{ .method = "POST", .path = "/fetch", .handler = fetch },
    .{ .method = "POST", .path = "/fetch-many", .handler = fetchMany },
    .{ .method = "GET", .path = "/fanout", .handler = fannedOut },
};

fn number(text: ?[]const u8) i64 {
    return std.fmt.parseInt(i64, text orelse "", 10) catch 0;
}

// ---- SQL: the body is the statement, `p` a parameter such as i:5, f:1.5, s:text, b:HEX, t:1 and n: ----

fn parameter(text: []const u8) !dolmen.Value {
    const value = text[@min(2, text.len)..];
    return switch (if (text.len > 0) text[0] else 0) {
        'i' => .{ .i64 = number(value) },
        'f' => .{ .f64 = try std.fmt.parseFloat(f64, value) },
        's' => .{ .string = value },
        'b' => .{ .bytes = try std.fmt.hexToBytes(try dolmen.arena().alloc(u8, value.len / 2), value) },
        't' => .{ .bool = number(value) != 0 },
        else => .null,
    };
}

/// A cell as JSON shows it.
const Shown = struct {
    value: dolmen.Value,

    pub fn jsonStringify(shown: Shown, json: anytype) !void {
        switch (shown.value) {
            .null, .array => try json.write(null),
            .f64 => |float| try json.write(dolmen.Number.of(float)),
            .string => |text| try json.write(text),
            .bytes => |bytes| try json.print("\"hex:{x}\"", .{bytes}),
            else => try json.write(shown.value.int()),
        }
    }
};

fn sql(request: *Request, response: *Response) !void {
    // As many parameters as a statement of the checks has at most; those that are not given are null.
    var parameters: [6]dolmen.Value = @splat(.null);
    var given: usize = 0;
    var fields = request.queryFields();
    while (try fields.next()) |field| : (given += 1) parameters[given] = try parameter(field.value);
    const result = switch (given) {
        0 => try dolmen.sql.exec(request.body, .{}),
        1 => try dolmen.sql.exec(request.body, .{parameters[0]}),
        else => try dolmen.sql.exec(request.body, parameters),
    };
    const names = try dolmen.arena().alloc([]const u8, result.columns.len);
    for (names, 0..) |*name, i| name.* = result.column(i);
    const rows = try dolmen.arena().alloc([]Shown, result.rows.len);
    for (rows, 0..) |*row, at| {
        row.* = try dolmen.arena().alloc(Shown, names.len);
        for (row.*, 0..) |*cell, i| cell.* = .{ .value = result.cell(at, i) };
    }
    try response.json(200, .{ .columns = names, .rows = rows, .written = result.written });
}

// ---- KV, alarms, the object ----

/// Puts the body under the key of the query.
fn keep(request: *Request, response: *Response) !void {
    try dolmen.kv.put(try request.query("key") orelse "", request.body);
    response.text(200, "kept");
}

fn list(request: *Request, response: *Response) !void {
    const flags = number(try request.query("flags"));
    const entries = try dolmen.kv.list(.{
        .prefix = try request.query("prefix") orelse "",
        .start = try request.query("start") orelse "",
        .limit = @intCast(number(try request.query("limit"))),
        .reverse = flags & 1 != 0,
        .keys_only = flags & 2 != 0,
        .after_start = flags & 4 != 0,
    });
    const pairs = try dolmen.arena().alloc([2][]const u8, entries.len);
    for (entries, pairs) |entry, *pair| pair.* = .{ entry.key, entry.value };
    try response.json(200, pairs);
}

/// Sets the alarm to `at`, or deletes it without; answers when it is due.
fn alarm(request: *Request, response: *Response) !void {
    if (try request.query("at")) |at| try dolmen.alarm.set(number(at)) else try dolmen.alarm.delete();
    const due = try dolmen.alarm.get() orelse return response.text(200, "none");
    try response.print(200, "{d}", .{due});
}

fn object(_: *Request, response: *Response) !void {
    try response.json(200, .{ try dolmen.object.id(), try dolmen.object.name(), try dolmen.object.namespace() });
}

fn log(request: *Request, response: *Response) !void {
    try dolmen.log(.warn, "{s}", .{request.body});
    response.text(200, "logged");
}

// ---- Fetching ----

const Result = struct { i32, []const u8 };

/// Sends the body with a header to `url`; answers status and body, and the header x-origin.
fn fetch(request: *Request, response: *Response) !void {
    const url = try request.query("url") orelse "";
    const bad = dolmen.fetch(.{ .url = url, .headers = &.{.{ .name = "x-bad", .value = "a\nb" }} });
    if (bad != error.BadHeader) @panic("a bad header was taken");
    const fetched = try dolmen.fetch(.{
        .method = "PATCH",
        .url = url,
        .body = request.body,
        .headers = &.{.{ .name = "x-asked", .value = "by a handler" }},
    });
    try response.json(200, [_]Result{ .{ fetched.status, fetched.body }, .{ 0, fetched.header("X-Origin") orelse "" } });
}

/// Lines of URLs.
fn fetchMany(request: *Request, response: *Response) !void {
    var wanted: std.ArrayList(dolmen.fetching.Wanted) = .empty;
    var urls = std.mem.tokenizeScalar(u8, request.body, '\n');
    while (urls.next()) |url| try wanted.append(dolmen.arena(), .{ .url = url });
    const fetched = try dolmen.fetchMany(wanted.items);
    const results = try dolmen.arena().alloc(Result, fetched.len);
    for (fetched, results) |from, *to| to.* = .{ from.status, from.body };
    try response.json(200, results);
}

pub fn fanout(request: *Request) ![]const []const u8 {
    var urls: std.ArrayList([]const u8) = .empty;
    if (!std.mem.eql(u8, request.path, "/fanout")) return &.{};
    var fields = request.queryFields();
    while (try fields.next()) |field| try urls.append(dolmen.arena(), field.value);
    return urls.items;
}

fn fannedOut(request: *Request, response: *Response) !void {
    const results = try dolmen.arena().alloc(Result, request.fanout.len);
    for (request.fanout, results) |slot, *to| {
        to.* = switch (slot.value()) {
            .i32 => |status| .{ status, "" },
            else => |value| .{ 200, value.text() },
        };
    }
    try response.json(200, results);
}

// ---- WebSockets: a text is a command ----

pub fn socketOpen(request: *Request, response: *Response) !void {
    if (std.mem.eql(u8, request.path, "/refused")) response.text(418, "refused") else response.text(200, "welcome");
}

pub fn socketMessage(request: *Request, response: *Response) !void {
    if (request.event == .websocket_binary) return response.bytes(200, "", request.body);
    const Command = enum { attach, attachment, list, send, close };
    const word, const rest = std.mem.cutScalar(u8, request.body, ' ') orelse .{ request.body, "" };
    const socket = request.socket;
    switch (std.meta.stringToEnum(Command, word) orelse return) {
        .attach => if (try dolmen.sockets.attach(socket, rest)) response.text(200, "attached"),
        .attachment => response.text(200, try dolmen.sockets.attachment(socket) orelse "none"),
        .list => {
            // How many there are, and whether the newest is this one.
            const all = try dolmen.sockets.list();
            try response.print(200, "{d} {s}", .{ all.len, if (all.len > 0 and all[0] == socket) "newest" else "older" });
        },
        .send => {
            _ = try dolmen.sockets.send(socket, rest, .text);
            _ = try dolmen.sockets.send(socket, rest, .binary);
            if (try dolmen.sockets.send(1 << 30, rest, .text)) @panic("a socket that is not there was sent on");
        },
        .close => _ = try dolmen.sockets.close(socket, @intCast(number(rest)), "as asked"),
    }
}

/// Sends to the others how a socket was closed.
pub fn socketClose(request: *Request, _: *Response) !void {
    const how = if (request.close_clean) "clean" else "lost";
    const text = try std.fmt.allocPrint(dolmen.arena(), "{d} {s} {s}", .{ request.close_code, how, request.body });
    _ = try dolmen.sockets.broadcast(text, .text, request.socket);
}
