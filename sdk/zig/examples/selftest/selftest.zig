//! Lets sdk/check.mjs try parts of the SDK one by one: cryptography, columns, numbers, decoding, memory.

const std = @import("std");
const dolmen = @import("dolmen");
const host = @import("host.zig");
const Request = dolmen.Request;
const Response = dolmen.Response;

pub const panic = dolmen.panic;
comptime {
    dolmen.serve(@This());
}

pub const routes = [_]dolmen.Route{
    .{ .method = "POST", .path = "/sha256", .handler = sha256 },
    .{ .method = "POST", .path = "/sha512", .handler = sha512 },
    .{ .method = "POST", .path = "/hmac", .handler = hmac },
    .{ .method = "POST", .path = "/encrypt", .handler = encrypt },
    .{ .method = "POST", .path = "/decrypt", .handler = decrypt },
    .{ .method = "POST", .path = "/numbers", .handler = numbers },
    .{ .method = "POST", .path = "/column/:what", .handler = column },
    .{ .method = "GET", .path = "/query", .handler = query },
    .{ .method = "POST", .path = "/named", .handler = named },
    .{ .method = "GET", .path = "/parts/:one/and/:two", .handler = parts },
    .{ .method = "POST", .path = "/json", .handler = json },
    .{ .method = "GET", .path = "/header", .handler = header },
    .{ .method = "GET", .path = "/memory", .handler = memory },
    .{ .method = "POST", .path = "/heap", .handler = heap },
    .{ .method = "GET", .path = "/panic", .handler = panics },
} ++ host.routes;

pub const fanout = host.fanout;
pub const socketOpen = host.socketOpen;
pub const socketMessage = host.socketMessage;
pub const socketClose = host.socketClose;

// ---- Cryptography: parameters are hex, bodies bytes, answers hex ----

fn sha256(request: *Request, response: *Response) !void {
    const digest = dolmen.crypto.sha256(request.body);
    try response.print(200, "{x}", .{&digest});
}

fn sha512(request: *Request, response: *Response) !void {
    const digest = dolmen.crypto.sha512(request.body);
    try response.print(200, "{x}", .{&digest});
}

fn hex(request: *Request, name: []const u8) ![]u8 {
    const text = try request.query(name) orelse "";
    return std.fmt.hexToBytes(try dolmen.arena().alloc(u8, text.len / 2), text);
}

fn hmac(request: *Request, response: *Response) !void {
    const mac = dolmen.crypto.hmacSha256(try hex(request, "key"), request.body);
    try response.print(200, "{x}", .{&mac});
}

fn encrypt(request: *Request, response: *Response) !void {
    const to = try dolmen.arena().alloc(u8, request.body.len + dolmen.crypto.tag_size);
    const key = try hex(request, "key");
    const nonce = try hex(request, "nonce");
    dolmen.crypto.encrypt(to, request.body, try hex(request, "extra"), nonce[0..12].*, key[0..32].*);
    try response.print(200, "{x}", .{to});
}

fn decrypt(request: *Request, response: *Response) !void {
    const to = try dolmen.arena().alloc(u8, request.body.len -| dolmen.crypto.tag_size);
    const key = try hex(request, "key");
    const nonce = try hex(request, "nonce");
    dolmen.crypto.decrypt(to, request.body, try hex(request, "extra"), nonce[0..12].*, key[0..32].*) catch return response.text(403, "refused");
    try response.print(200, "{x}", .{to});
}

// ---- Numbers: bodies are lines of numbers, answers JSON ----

/// A text that is no number is NaN.
fn line(text: []const u8) ![]f64 {
    var all: std.ArrayList(f64) = .empty;
    var fields = std.mem.tokenizeScalar(u8, text, ',');
    while (fields.next()) |field| {
        const number = std.fmt.parseFloat(f64, field) catch std.math.nan(f64);
        // std.fmt reads more than decimals.
        const decimals = std.mem.findNone(u8, field, "0123456789+-.eE") == null;
        try all.append(dolmen.arena(), if (decimals) number else std.math.nan(f64));
    }
    return all.items;
}

fn answer(response: *Response, all: []const f64) !void {
    const shown = try dolmen.arena().alloc(dolmen.Number, all.len);
    for (all, shown) |from, *to| to.* = .of(from);
    try response.json(200, shown);
}

/// Reads and writes numbers.
fn numbers(request: *Request, response: *Response) !void {
    try answer(response, try line(request.body));
}

/// The first line holds two parameters, the others one column each.
fn column(request: *Request, response: *Response) !void {
    const columns = dolmen.columns;
    const Operation = enum { sum, sum_i32, dot, minmax, correlation, stddev, add, sub, mul, scale, clamp, map_linear, normalize };
    var lines = std.mem.splitScalar(u8, request.body, '\n');
    const parameters = try line(lines.next() orelse "");
    const a = try line(lines.next() orelse "");
    const b = try line(lines.next() orelse "");
    const to = try dolmen.arena().alloc(f64, a.len);
    const whole = try dolmen.arena().alloc(i32, a.len);
    switch (std.meta.stringToEnum(Operation, try request.param("what")) orelse return response.notFound()) {
        .sum => return answer(response, &.{columns.sum(a)}),
        .sum_i32 => {
            for (a, whole) |number, *one| one.* = @intFromFloat(number);
            return answer(response, &.{@floatFromInt(columns.sumI32(whole))});
        },
        .dot => return answer(response, &.{columns.dot(a, b)}),
        .minmax => {
            const ends = columns.minmax(a);
            return answer(response, &.{ ends.min, ends.max });
        },
        .correlation => return answer(response, &.{columns.correlation(a, b)}),
        .stddev => return answer(response, &.{columns.stats(a).stddev}),
        .add => columns.add(to, a, b),
        .sub => columns.sub(to, a, b),
        .mul => columns.mul(to, a, b),
        .scale => columns.scale(to, a, parameters[0]),
        .clamp => columns.clamp(to, a, parameters[0], parameters[1]),
        .map_linear => columns.mapLinear(to, a, parameters[0], parameters[1]),
        .normalize => columns.normalize(to, a),
    }
    try answer(response, to);
}

// ---- Decoding ----

const Pair = [2][]const u8;

fn query(request: *Request, response: *Response) !void {
    var fields = request.queryFields();
    var pairs: std.ArrayList(Pair) = .empty;
    while (try fields.next()) |field| try pairs.append(dolmen.arena(), .{ field.name, field.value });
    try response.json(200, pairs.items);
}

/// Where `name` of the query is found: the form, the cookies, the headers.
fn named(request: *Request, response: *Response) !void {
    const name = try request.query("name") orelse "";
    var pairs: std.ArrayList(Pair) = .empty;
    if (try request.form(name)) |value| try pairs.append(dolmen.arena(), .{ "form", value });
    if (request.cookie(name)) |value| try pairs.append(dolmen.arena(), .{ "cookie", value });
    if (request.header(name)) |value| try pairs.append(dolmen.arena(), .{ "header", value });
    try response.json(200, pairs.items);
}

fn parts(request: *Request, response: *Response) !void {
    try response.json(200, [_]Pair{.{ try request.param("one"), try request.param("two") }});
}

/// std.json writes bytes that are not UTF-8 as an array, so they are replaced.
fn json(request: *Request, response: *Response) !void {
    try response.print(200, "{f}", .{std.json.fmt(try std.fmt.allocPrint(dolmen.arena(), "{f}", .{std.unicode.fmtUtf8(request.body)}), .{})});
}

fn header(request: *Request, response: *Response) !void {
    response.text(200, "sent");
    const name = try request.query("name") orelse "";
    response.header(name, try request.query("value") orelse "") catch |failure| {
        if (failure != error.BadHeader) return failure;
        try response.print(500, "the header {s} cannot be sent", .{name});
    };
}

// ---- Memory ----

fn memory(_: *Request, response: *Response) !void {
    try response.print(200, "{d}", .{@wasmMemorySize(0) * 65536});
}

/// Keeps and releases blocks of many sizes in a random order, and looks whether one wrote into another.
fn heap(request: *Request, response: *Response) !void {
    const lasting = std.heap.wasm_allocator;
    var kept: [512][]u8 = @splat(&.{});
    var random: u32 = 1;
    for (0..20_000) |_| {
        random = random *% 1664525 +% 1013904223;
        const at = random >> 8 & (kept.len - 1);
        const mark: u8 = @truncate(at);
        if (std.mem.findNone(u8, kept[at], &.{mark}) != null) @panic("a block was overwritten");
        lasting.free(kept[at]);
        kept[at] = try lasting.alloc(u8, random >> 17 >> @intCast(random & 7));
        @memset(kept[at], mark);
    }
    for (kept) |block| lasting.free(block);
    try memory(request, response);
}

fn panics(_: *Request, _: *Response) !void {
    @panic("as it was asked to");
}
