//! The same with v128. Loads and stores go through arrays of two, which the compiler makes one
//! instruction each, so nothing here is unsafe.

use core::arch::wasm32::{
    f64x2, f64x2_add, f64x2_extract_lane, f64x2_max, f64x2_min, f64x2_mul, f64x2_splat, f64x2_sub,
    i32x4, i64x2_add, i64x2_extend_high_i32x4, i64x2_extend_low_i32x4, i64x2_extract_lane,
    i64x2_splat, v128,
};

#[target_feature(enable = "simd128")]
fn load(pair: &[f64; 2]) -> v128 {
    f64x2(pair[0], pair[1])
}

#[target_feature(enable = "simd128")]
fn store(pair: &mut [f64; 2], value: v128) {
    *pair = [
        f64x2_extract_lane::<0>(value),
        f64x2_extract_lane::<1>(value),
    ];
}

#[target_feature(enable = "simd128")]
fn across(value: v128) -> f64 {
    f64x2_extract_lane::<0>(value) + f64x2_extract_lane::<1>(value)
}

#[target_feature(enable = "simd128")]
pub(super) fn sum(x: &[f64]) -> f64 {
    let (fours, rest) = x.as_chunks::<4>();
    let (mut even, mut odd) = (f64x2_splat(0.0), f64x2_splat(0.0));
    for [a, b, c, d] in fours {
        even = f64x2_add(even, f64x2(*a, *b));
        odd = f64x2_add(odd, f64x2(*c, *d));
    }
    across(f64x2_add(even, odd)) + rest.iter().sum::<f64>()
}

#[target_feature(enable = "simd128")]
pub(super) fn sum_i32(x: &[i32]) -> i64 {
    let (fours, rest) = x.as_chunks::<4>();
    let (mut low, mut high) = (i64x2_splat(0), i64x2_splat(0));
    for &[a, b, c, d] in fours {
        let four = i32x4(a, b, c, d);
        low = i64x2_add(low, i64x2_extend_low_i32x4(four));
        high = i64x2_add(high, i64x2_extend_high_i32x4(four));
    }
    let both = i64x2_add(low, high);
    let whole = i64x2_extract_lane::<0>(both) + i64x2_extract_lane::<1>(both);
    whole + rest.iter().copied().map(i64::from).sum::<i64>()
}

#[target_feature(enable = "simd128")]
pub(super) fn dot(x: &[f64], y: &[f64]) -> f64 {
    let ((xs, x_rest), (ys, y_rest)) = (x.as_chunks::<4>(), y.as_chunks::<4>());
    let (mut even, mut odd) = (f64x2_splat(0.0), f64x2_splat(0.0));
    for (x, y) in xs.iter().zip(ys) {
        even = f64x2_add(even, f64x2_mul(f64x2(x[0], x[1]), f64x2(y[0], y[1])));
        odd = f64x2_add(odd, f64x2_mul(f64x2(x[2], x[3]), f64x2(y[2], y[3])));
    }
    let rest: f64 = x_rest.iter().zip(y_rest).map(|(x, y)| x * y).sum();
    across(f64x2_add(even, odd)) + rest
}

#[target_feature(enable = "simd128")]
pub(super) fn min_max(x: &[f64]) -> (f64, f64) {
    let (pairs, rest) = x.as_chunks::<2>();
    // One number alone takes both places, which changes neither the least nor the largest.
    let (mut low, mut high) = (f64x2_splat(x[0]), f64x2_splat(x[0]));
    for pair in pairs {
        low = f64x2_min(low, load(pair));
        high = f64x2_max(high, load(pair));
    }
    for number in rest {
        low = f64x2_min(low, f64x2_splat(*number));
        high = f64x2_max(high, f64x2_splat(*number));
    }
    // The instructions, unlike f64::min, keep NaN.
    let low = f64x2_min(low, f64x2_splat(f64x2_extract_lane::<1>(low)));
    let high = f64x2_max(high, f64x2_splat(f64x2_extract_lane::<1>(high)));
    (f64x2_extract_lane::<0>(low), f64x2_extract_lane::<0>(high))
}

/// Defines a function that works on two columns.
macro_rules! columns {
    ($($name:ident $instruction:ident $operator:tt),*) => {
        $(#[target_feature(enable = "simd128")]
        pub(super) fn $name(result: &mut [f64], x: &[f64], y: &[f64]) {
            let (pairs, rest) = result.as_chunks_mut::<2>();
            let ((xs, x_rest), (ys, y_rest)) = (x.as_chunks::<2>(), y.as_chunks::<2>());
            for ((pair, x), y) in pairs.iter_mut().zip(xs).zip(ys) {
                store(pair, $instruction(load(x), load(y)));
            }
            for ((result, x), y) in rest.iter_mut().zip(x_rest).zip(y_rest) {
                *result = x $operator y;
            }
        })*
    };
}

columns! {add f64x2_add +, sub f64x2_sub -, mul f64x2_mul *}

#[target_feature(enable = "simd128")]
pub(super) fn map_linear(x: &mut [f64], factor: f64, offset: f64) {
    let (pairs, rest) = x.as_chunks_mut::<2>();
    let (factors, offsets) = (f64x2_splat(factor), f64x2_splat(offset));
    for pair in pairs {
        store(pair, f64x2_add(f64x2_mul(load(pair), factors), offsets));
    }
    rest.iter_mut().for_each(|x| *x = *x * factor + offset);
}

#[target_feature(enable = "simd128")]
pub(super) fn clamp(x: &mut [f64], low: f64, high: f64) {
    let (pairs, rest) = x.as_chunks_mut::<2>();
    let (lows, highs) = (f64x2_splat(low), f64x2_splat(high));
    for pair in pairs {
        store(pair, f64x2_min(f64x2_max(load(pair), lows), highs));
    }
    rest.iter_mut().for_each(|x| *x = x.clamp(low, high));
}
