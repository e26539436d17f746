//! The analytics handler in Zig: statistics over the columns of a CSV body, computed with v128.

const std = @import("std");
const dolmen = @import("dolmen");
const Number = dolmen.Number;
const Request = dolmen.Request;
const Response = dolmen.Response;

pub const panic = dolmen.panic;
comptime {
    dolmen.serve(@This());
}

pub const routes = [_]dolmen.Route{
    .{ .method = "POST", .path = "/stats", .handler = on(stats) },
    .{ .method = "POST", .path = "/correlation", .handler = on(correlation) },
    .{ .method = "POST", .path = "/normalize", .handler = on(normalize) },
    .{ .method = "POST", .path = "/weighted", .handler = on(weighted) },
    .{ .method = "POST", .path = "/columns", .handler = on(columns) },
};

const max_columns = 256;
const blank = " \t\r";

const Table = struct {
    names: []const []const u8,
    numbers: []const []f64,

    /// The column that a parameter of the query names.
    fn column(table: Table, request: *Request, problem: *Problem, parameter: []const u8) ![]f64 {
        const name = try request.query(parameter) orelse return problem.is("the parameter {s} is missing: it names a column\n", .{parameter});
        for (table.names, table.numbers) |found, numbers| {
            if (std.mem.eql(u8, found, name)) return numbers;
        }
        return problem.is("there is no column {s}\n", .{name});
    }
};

/// Why a request is answered with 400.
const Problem = struct {
    text: []const u8 = "",

    fn is(problem: *Problem, comptime format: []const u8, args: anytype) error{ OutOfMemory, BadRequest } {
        problem.text = try std.fmt.allocPrint(dolmen.arena(), format, args);
        return error.BadRequest;
    }
};

/// A handler of requests whose body is a table.
fn on(comptime work: fn (Table, *Request, *Response, *Problem) anyerror!void) *const dolmen.Handler {
    return struct {
        fn handle(request: *Request, response: *Response) anyerror!void {
            var problem: Problem = .{};
            run(request, response, &problem) catch |failure| {
                if (failure != error.BadRequest) return failure;
                response.text(400, problem.text);
            };
        }

        fn run(request: *Request, response: *Response, problem: *Problem) anyerror!void {
            try work(try read(request.body, problem), request, response, problem);
        }
    }.handle;
}

/// A line of names, then lines of numbers.
fn read(body: []const u8, problem: *Problem) !Table {
    const content = std.mem.cutSuffix(u8, body, "\n") orelse body;
    if (std.mem.trim(u8, content, blank).len == 0) return problem.is("line 1: the names of the columns are missing\n", .{});
    const rows = std.mem.countScalar(u8, content, '\n');
    var lines = std.mem.splitScalar(u8, content, '\n');
    const names = try readNames(lines.first(), problem);
    const numbers = try dolmen.arena().alloc([]f64, names.len);
    for (numbers) |*column| column.* = try dolmen.arena().alloc(f64, rows);
    for (0..rows) |row| {
        var fields = std.mem.splitScalar(u8, std.mem.trim(u8, lines.next().?, blank), ',');
        for (numbers) |column| column[row] = number(fields.next()) orelse return badLine(problem, row);
        if (fields.next() != null) return badLine(problem, row);
    }
    return .{ .names = names, .numbers = numbers };
}

fn badLine(problem: *Problem, row: usize) error{ OutOfMemory, BadRequest } {
    return problem.is("line {d}: every column must have one number\n", .{row + 2});
}

fn readNames(line: []const u8, problem: *Problem) ![]const []const u8 {
    var names: std.ArrayList([]const u8) = .empty;
    var fields = std.mem.splitScalar(u8, line, ',');
    while (fields.next()) |name| {
        if (names.items.len == max_columns) return problem.is("line 1: more than {d} columns\n", .{max_columns});
        try names.append(dolmen.arena(), std.mem.trim(u8, name, blank));
    }
    return names.items;
}

/// Decimals; neither infinities nor NaN, which std.fmt would read too.
fn number(field: ?[]const u8) ?f64 {
    const text = std.mem.trim(u8, field orelse return null, blank);
    if (std.mem.findNone(u8, text, "0123456789+-.eE") != null) return null;
    const value = std.fmt.parseFloat(f64, text) catch return null;
    return if (std.math.isFinite(value)) value else null;
}

fn stats(table: Table, _: *Request, response: *Response, _: *Problem) !void {
    var body: std.Io.Writer.Allocating = .init(dolmen.arena());
    var json: std.json.Stringify = .{ .writer = &body.writer };
    try json.beginObject();
    for (table.names, table.numbers) |name, numbers| {
        const of = dolmen.columns.stats(numbers);
        try json.objectField(name);
        try json.write(.{
            .count = of.count,
            .sum = Number.of(of.sum),
            .mean = Number.of(of.mean),
            .min = Number.of(of.min),
            .max = Number.of(of.max),
            .stddev = Number.of(of.stddev),
        });
    }
    try json.endObject();
    response.jsonText(200, body.written());
}

fn correlation(table: Table, request: *Request, response: *Response, problem: *Problem) !void {
    const x = try table.column(request, problem, "x");
    const y = try table.column(request, problem, "y");
    try response.json(200, .{ .correlation = Number.of(dolmen.columns.correlation(x, y)) });
}

fn weighted(table: Table, request: *Request, response: *Response, problem: *Problem) !void {
    const x = try table.column(request, problem, "x");
    const w = try table.column(request, problem, "w");
    try response.json(200, .{ .weighted_sum = Number.of(dolmen.columns.weightedSum(x, w)) });
}

fn normalize(table: Table, request: *Request, response: *Response, problem: *Problem) !void {
    const x = try table.column(request, problem, "x");
    dolmen.columns.normalize(x, x);
    const numbers = try dolmen.arena().alloc(Number, x.len);
    for (x, numbers) |from, *to| to.* = .of(from);
    try response.json(200, numbers);
}

fn columns(table: Table, _: *Request, response: *Response, _: *Problem) !void {
    try response.json(200, table.names);
}
