//! Plain loops, for the machine that builds a handler.

pub(super) fn sum(x: &[f64]) -> f64 {
    x.iter().sum()
}

pub(super) fn sum_i32(x: &[i32]) -> i64 {
    x.iter().copied().map(i64::from).sum()
}

pub(super) fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}

pub(super) fn min_max(x: &[f64]) -> (f64, f64) {
    let first = (x[0], x[0]);
    x.iter().fold(first, |(low, high), &number| {
        if low.is_nan() || number.is_nan() {
            (f64::NAN, f64::NAN)
        } else {
            (low.min(number), high.max(number))
        }
    })
}

fn each(result: &mut [f64], x: &[f64], y: &[f64], f: impl Fn(f64, f64) -> f64) {
    for ((result, x), y) in result.iter_mut().zip(x).zip(y) {
        *result = f(*x, *y);
    }
}

pub(super) fn add(result: &mut [f64], x: &[f64], y: &[f64]) {
    each(result, x, y, |x, y| x + y);
}

pub(super) fn sub(result: &mut [f64], x: &[f64], y: &[f64]) {
    each(result, x, y, |x, y| x - y);
}

pub(super) fn mul(result: &mut [f64], x: &[f64], y: &[f64]) {
    each(result, x, y, |x, y| x * y);
}

pub(super) fn map_linear(x: &mut [f64], factor: f64, offset: f64) {
    x.iter_mut().for_each(|x| *x = *x * factor + offset);
}

pub(super) fn clamp(x: &mut [f64], low: f64, high: f64) {
    x.iter_mut().for_each(|x| *x = x.clamp(low, high));
}
