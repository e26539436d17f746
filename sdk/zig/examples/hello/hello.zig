//! The hello handler in Zig: the routes that every SDK's example has, so that one check fits them all.

const std = @import("std");
const dolmen = @import("dolmen");
const Request = dolmen.Request;
const Response = dolmen.Response;

pub const panic = dolmen.panic;
comptime {
    dolmen.serve(@This());
}

pub const routes = [_]dolmen.Route{
    .{ .method = "GET", .path = "/", .handler = fallback },
    .{ .method = "GET", .path = "/json", .handler = json },
    .{ .method = "GET", .path = "/sha256", .handler = sha256 },
    .{ .method = "GET", .path = "/upper", .handler = upper },
    .{ .method = "GET", .path = "/simd", .handler = simd },
    .{ .method = "POST", .path = "/echo", .handler = echo },
    .{ .method = "GET", .path = "/cookies", .handler = cookies },
    .{ .method = "GET", .path = "/status/:code", .handler = status },
    .{ .method = "GET", .path = "/redirect", .handler = redirect },
    .{ .method = "GET", .path = "/auth", .handler = auth },
    .{ .method = "GET", .path = "/fetch", .handler = fetch },
    .{ .method = "GET", .path = "/fetch-both", .handler = fetchBoth },
    .{ .method = "PUT", .path = "/kv/:name", .handler = put },
    .{ .method = "GET", .path = "/kv/:name", .handler = get },
    .{ .method = "DELETE", .path = "/kv/:name", .handler = delete },
    .{ .method = "GET", .path = "/kv", .handler = list },
    .{ .method = "POST", .path = "/count", .handler = countUp },
    .{ .method = "POST", .path = "/alarm", .handler = setAlarm },
    .{ .method = "GET", .path = "/alarm", .handler = alarms },
};

pub fn fallback(_: *Request, response: *Response) !void {
    response.text(200, "hello from zig");
}

fn json(_: *Request, response: *Response) !void {
    try response.json(200, .{ .message = "hello", .language = "zig" });
}

fn sha256(request: *Request, response: *Response) !void {
    const digest = dolmen.crypto.sha256(try request.query("text") orelse "");
    try response.print(200, "{x}", .{&digest});
}

fn upper(request: *Request, response: *Response) !void {
    response.text(200, try std.ascii.allocUpperString(dolmen.arena(), try request.query("text") orelse ""));
}

/// Of 1 to 8, or of eight numbers from `first` on: known only now, so that v128 has something to compute.
fn simd(request: *Request, response: *Response) !void {
    const first = std.fmt.parseFloat(f64, try request.query("first") orelse "1") catch return response.text(400, "first must be a number\n");
    var numbers: [8]f64 = undefined;
    var doubled: [8]f64 = undefined;
    for (&numbers, 0..) |*number, i| number.* = first + @as(f64, @floatFromInt(i));
    dolmen.columns.scale(&doubled, &numbers, 2);
    try response.json(200, .{
        .sum = dolmen.Number.of(dolmen.columns.sum(&numbers)),
        .dot = dolmen.Number.of(dolmen.columns.dot(&numbers, &numbers)),
        .scaled = dolmen.Number.of(dolmen.columns.sum(&doubled)),
    });
}

fn echo(request: *Request, response: *Response) !void {
    response.bytes(200, request.header("content-type") orelse "application/octet-stream", request.body);
}

fn cookies(request: *Request, response: *Response) !void {
    response.text(200, request.header("cookie") orelse "");
    try response.header("set-cookie", "a=1");
    try response.header("set-cookie", "b=2; Path=/; HttpOnly");
}

fn status(request: *Request, response: *Response) !void {
    const wanted = std.fmt.parseInt(u16, try request.param("code"), 10) catch 0;
    if (wanted < 200 or wanted > 599) return response.text(400, "the status must be a number from 200 to 599\n");
    response.text(wanted, "");
}

fn redirect(_: *Request, response: *Response) !void {
    try response.redirect(302, "/");
}

fn auth(request: *Request, response: *Response) !void {
    const who = try request.basicAuth() orelse {
        response.text(401, "who are you?\n");
        return response.header("www-authenticate", "Basic realm=\"hello\"");
    };
    try response.print(200, "{s}:{s}", .{ who.user, who.password });
}

fn fetch(request: *Request, response: *Response) !void {
    const url = try request.query("url") orelse return response.text(400, "url is missing\n");
    const fetched = dolmen.fetch(.{ .url = url }) catch |failure| return badGateway(response, failure);
    response.bytes(200, fetched.content_type, fetched.body);
}

fn fetchBoth(request: *Request, response: *Response) !void {
    const a = try request.query("a") orelse return response.text(400, "a is missing\n");
    const b = try request.query("b") orelse return response.text(400, "b is missing\n");
    const fetched = dolmen.fetchMany(&.{ .{ .url = a }, .{ .url = b } }) catch |failure| return badGateway(response, failure);
    for (fetched) |one| {
        if (one.status == 0) return response.text(502, one.body);
    }
    try response.print(200, "{s}\n{s}\n", .{ fetched[0].body, fetched[1].body });
}

fn badGateway(response: *Response, failure: dolmen.fetching.Error) !void {
    if (failure != error.HostFailed) return failure;
    response.text(502, dolmen.reason());
}

fn put(request: *Request, response: *Response) !void {
    try dolmen.kv.put(try request.param("name"), request.body);
    response.status = 204;
}

fn get(request: *Request, response: *Response) !void {
    const value = try dolmen.kv.get(try request.param("name")) orelse return response.notFound();
    response.bytes(200, "application/octet-stream", value);
}

fn delete(request: *Request, response: *Response) !void {
    _ = try dolmen.kv.delete(try request.param("name"));
    response.status = 204;
}

fn list(request: *Request, response: *Response) !void {
    const entries = try dolmen.kv.list(.{ .prefix = try request.query("prefix") orelse "", .keys_only = true });
    const keys = try dolmen.arena().alloc([]const u8, entries.len);
    for (entries, keys) |entry, *key| key.* = entry.key;
    try response.json(200, keys);
}

/// Adds to the counter of a name, and answers what it is then.
fn count(name: []const u8, step: i64) !i64 {
    _ = try dolmen.sql.exec("CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, number INTEGER NOT NULL)", .{});
    const rows = try dolmen.sql.exec("INSERT INTO counters VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET number = number + ?2 RETURNING number", .{ name, step });
    return rows.cell(0, 0).int() orelse error.NoNumber;
}

fn countUp(_: *Request, response: *Response) !void {
    try response.print(200, "{d}", .{try count("visits", 1)});
}

fn setAlarm(request: *Request, response: *Response) !void {
    const delay_ms = std.fmt.parseInt(u40, try request.query("ms") orelse "", 10) catch return response.text(400, "ms must be a number of milliseconds\n");
    try dolmen.alarm.set(dolmen.nowMs() + delay_ms);
    response.status = 204;
}

fn alarms(_: *Request, response: *Response) !void {
    try response.print(200, "{d}", .{try count("alarms", 0)});
}

pub fn alarm(_: *Request, _: *Response) !void {
    _ = try count("alarms", 1);
}

pub fn socketOpen(request: *Request, response: *Response) !void {
    if (std.mem.eql(u8, request.path, "/private")) response.text(403, "this room is private\n");
}

pub fn socketMessage(request: *Request, response: *Response) !void {
    const kind: dolmen.sockets.Kind = if (request.event == .websocket_binary) .binary else .text;
    if (std.mem.eql(u8, request.path, "/room")) {
        _ = try dolmen.sockets.broadcast(request.body, kind, request.socket);
    } else if (kind == .binary) {
        response.bytes(200, "", request.body);
    } else {
        try response.print(200, "echo: {s}", .{request.body});
    }
}
