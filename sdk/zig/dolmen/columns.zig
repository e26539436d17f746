//! Columns of numbers, two or four at a time in a v128; the last odd ones alone. Columns that belong together are of the
//! same length, and a result may be one of the columns it is made of.

const std = @import("std");
const assert = std.debug.assert;

const Pair = @Vector(2, f64);

fn both(number: f64) Pair {
    return @splat(number);
}

fn pair(from: []const f64, at: usize) Pair {
    return from[at..][0..2].*;
}

/// Four sums run beside each other, so that an addition need not wait for the one before it.
pub fn sum(from: []const f64) f64 {
    var sums: [4]Pair = @splat(both(0));
    var i: usize = 0;
    while (i + 8 <= from.len) : (i += 8) {
        inline for (&sums, 0..) |*one, lane| one.* += pair(from, i + 2 * lane);
    }
    while (i + 2 <= from.len) : (i += 2) sums[0] += pair(from, i);
    const rest = if (i < from.len) from[i] else 0;
    return @reduce(.Add, (sums[0] + sums[1]) + (sums[2] + sums[3])) + rest;
}

pub fn sumI32(from: []const i32) i64 {
    var sums: @Vector(4, i64) = @splat(0);
    var i: usize = 0;
    while (i + 4 <= from.len) : (i += 4) sums += @as(@Vector(4, i32), from[i..][0..4].*);
    var total = @reduce(.Add, sums);
    for (from[i..]) |number| total += number;
    return total;
}

/// The sum of (a - from_a) * (b - from_b).
fn dotAround(a: []const f64, b: []const f64, from_a: f64, from_b: f64) f64 {
    assert(a.len == b.len);
    var sums: [2]Pair = @splat(both(0));
    var i: usize = 0;
    while (i + 4 <= a.len) : (i += 4) {
        inline for (&sums, 0..) |*one, lane| {
            one.* += (pair(a, i + 2 * lane) - both(from_a)) * (pair(b, i + 2 * lane) - both(from_b));
        }
    }
    var total = @reduce(.Add, sums[0] + sums[1]);
    for (a[i..], b[i..]) |x, y| total += (x - from_a) * (y - from_b);
    return total;
}

pub fn dot(a: []const f64, b: []const f64) f64 {
    return dotAround(a, b, 0, 0);
}

/// Infinity and -infinity without numbers.
pub fn minmax(from: []const f64) struct { min: f64, max: f64 } {
    var least = both(std.math.inf(f64));
    var most = -least;
    var i: usize = 0;
    while (i < from.len) : (i += 2) {
        const next = if (i + 2 <= from.len) pair(from, i) else both(from[i]);
        least = @min(least, next);
        most = @max(most, next);
    }
    return .{ .min = @reduce(.Min, least), .max = @reduce(.Max, most) };
}

/// `operation` on pairs, with a constant pair each for `p` and `q`.
fn map(to: []f64, a: []const f64, b: []const f64, p: f64, q: f64, comptime operation: fn (Pair, Pair, Pair, Pair) callconv(.@"inline") Pair) void {
    assert(to.len == a.len and a.len == b.len);
    var i: usize = 0;
    while (i + 2 <= a.len) : (i += 2) to[i..][0..2].* = operation(pair(a, i), pair(b, i), both(p), both(q));
    if (i < a.len) to[i] = operation(both(a[i]), both(b[i]), both(p), both(q))[0];
}

const operations = struct {
    inline fn add(a: Pair, b: Pair, _: Pair, _: Pair) Pair {
        return a + b;
    }
    inline fn sub(a: Pair, b: Pair, _: Pair, _: Pair) Pair {
        return a - b;
    }
    inline fn mul(a: Pair, b: Pair, _: Pair, _: Pair) Pair {
        return a * b;
    }
    inline fn scale(a: Pair, _: Pair, p: Pair, _: Pair) Pair {
        return a * p;
    }
    inline fn clamp(a: Pair, _: Pair, p: Pair, q: Pair) Pair {
        return @min(@max(a, p), q);
    }
    inline fn mapLinear(a: Pair, _: Pair, p: Pair, q: Pair) Pair {
        return a * p + q;
    }
    inline fn ratio(a: Pair, _: Pair, p: Pair, q: Pair) Pair {
        return (a - p) / q;
    }
};

pub fn add(to: []f64, a: []const f64, b: []const f64) void {
    map(to, a, b, 0, 0, operations.add);
}

pub fn sub(to: []f64, a: []const f64, b: []const f64) void {
    map(to, a, b, 0, 0, operations.sub);
}

pub fn mul(to: []f64, a: []const f64, b: []const f64) void {
    map(to, a, b, 0, 0, operations.mul);
}

pub fn scale(to: []f64, from: []const f64, factor: f64) void {
    map(to, from, from, factor, 0, operations.scale);
}

pub fn clamp(to: []f64, from: []const f64, min: f64, max: f64) void {
    map(to, from, from, min, max, operations.clamp);
}

/// from * factor + offset.
pub fn mapLinear(to: []f64, from: []const f64, factor: f64, offset: f64) void {
    map(to, from, from, factor, offset, operations.mapLinear);
}

/// The standard deviation is that of a population: divided by the count.
pub const Stats = struct { count: usize = 0, sum: f64 = 0, mean: f64 = 0, min: f64 = 0, max: f64 = 0, stddev: f64 = 0 };

/// All 0 without numbers.
pub fn stats(from: []const f64) Stats {
    if (from.len == 0) return .{};
    const count: f64 = @floatFromInt(from.len);
    const ends = minmax(from);
    const total = sum(from);
    const mean = total / count;
    // Around the mean, in a second pass: the difference of two large sums would lose its digits.
    const stddev = @sqrt(dotAround(from, from, mean, mean) / count);
    return .{ .count = from.len, .sum = total, .mean = mean, .min = ends.min, .max = ends.max, .stddev = stddev };
}

/// To 0 for the least and 1 for the largest; 0 if all are equal.
pub fn normalize(to: []f64, from: []const f64) void {
    const ends = minmax(from);
    map(to, from, from, ends.min, if (ends.max > ends.min) ends.max - ends.min else 1, operations.ratio);
}

/// Pearson's; NaN if one of the columns is constant.
pub fn correlation(x: []const f64, y: []const f64) f64 {
    const count: f64 = @floatFromInt(x.len);
    const mean_x = sum(x) / count;
    const mean_y = sum(y) / count;
    return dotAround(x, y, mean_x, mean_y) / (@sqrt(dotAround(x, x, mean_x, mean_x)) * @sqrt(dotAround(y, y, mean_y, mean_y)));
}

pub fn weightedSum(values: []const f64, weights: []const f64) f64 {
    return dot(values, weights);
}
