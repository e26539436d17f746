//! Arithmetic on slices of numbers, on v128: two numbers at a time, and two sums side by side. Sums
//! of `f64` therefore add in another order than a loop, and their last digits may differ.
//!
//! On the machine that builds a handler the same functions are plain loops.
//!
//! # Panics
//! All panic if slices of one call are not equally long.

#[cfg(target_arch = "wasm32")]
mod v128;
#[cfg(target_arch = "wasm32")]
use v128 as lanes;

#[cfg(not(target_arch = "wasm32"))]
mod plain;
#[cfg(not(target_arch = "wasm32"))]
use plain as lanes;

/// The sum, 0 of no numbers.
pub fn sum(x: &[f64]) -> f64 {
    lanes::sum(x)
}

/// The sum of whole numbers, which cannot overflow.
pub fn sum_i32(x: &[i32]) -> i64 {
    lanes::sum_i32(x)
}

/// The sum of the products.
pub fn dot(x: &[f64], y: &[f64]) -> f64 {
    equal(x.len(), y.len());
    lanes::dot(x, y)
}

/// The smallest and the largest, or `None` of no numbers. Both are NaN if one is.
pub fn min_max(x: &[f64]) -> Option<(f64, f64)> {
    (!x.is_empty()).then(|| lanes::min_max(x))
}

/// Writes `x + y`.
pub fn add(result: &mut [f64], x: &[f64], y: &[f64]) {
    equal(result.len(), x.len());
    equal(x.len(), y.len());
    lanes::add(result, x, y);
}

/// Writes `x - y`.
pub fn sub(result: &mut [f64], x: &[f64], y: &[f64]) {
    equal(result.len(), x.len());
    equal(x.len(), y.len());
    lanes::sub(result, x, y);
}

/// Writes `x * y`.
pub fn mul(result: &mut [f64], x: &[f64], y: &[f64]) {
    equal(result.len(), x.len());
    equal(x.len(), y.len());
    lanes::mul(result, x, y);
}

/// Multiplies each number.
pub fn scale(x: &mut [f64], factor: f64) {
    lanes::map_linear(x, factor, 0.0);
}

/// Makes each number `x * factor + offset`.
pub fn map_linear(x: &mut [f64], factor: f64, offset: f64) {
    lanes::map_linear(x, factor, offset);
}

/// Makes what is below `low` `low`, and what is above `high` `high`. NaN stays NaN.
///
/// # Panics
/// If `low` is above `high`, or one of them is NaN.
pub fn clamp(x: &mut [f64], low: f64, high: f64) {
    assert!(low <= high, "a clamp from {low} to {high}");
    lanes::clamp(x, low, high);
}

fn equal(a: usize, b: usize) {
    assert_eq!(a, b, "slices of different lengths");
}
