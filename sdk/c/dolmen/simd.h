// Columns of numbers, two or four at a time in a v128; the last odd ones alone.

#include <wasm_simd128.h>

static double do_lanes_sum(v128_t pair) { return wasm_f64x2_extract_lane(pair, 0) + wasm_f64x2_extract_lane(pair, 1); }

// Four sums run beside each other, so that an addition need not wait for the one before it.
double do_sum_f64(const double *from, uint32_t count) {
  v128_t sums[4] = {0};
  uint32_t i = 0;
  for (; i + 8 <= count; i += 8) {
    for (int lane = 0; lane < 4; lane++) sums[lane] = wasm_f64x2_add(sums[lane], wasm_v128_load(from + i + 2 * lane));
  }
  for (; i + 2 <= count; i += 2) sums[0] = wasm_f64x2_add(sums[0], wasm_v128_load(from + i));
  double rest = i < count ? from[i] : 0;
  return do_lanes_sum(wasm_f64x2_add(wasm_f64x2_add(sums[0], sums[1]), wasm_f64x2_add(sums[2], sums[3]))) + rest;
}

int64_t do_sum_i32(const int32_t *from, uint32_t count) {
  v128_t sum = wasm_i64x2_splat(0);
  uint32_t i = 0;
  for (; i + 4 <= count; i += 4) {
    v128_t four = wasm_v128_load(from + i);
    sum = wasm_i64x2_add(sum, wasm_i64x2_add(wasm_i64x2_extend_low_i32x4(four), wasm_i64x2_extend_high_i32x4(four)));
  }
  int64_t total = wasm_i64x2_extract_lane(sum, 0) + wasm_i64x2_extract_lane(sum, 1);
  for (; i < count; i++) total += from[i];
  return total;
}

// The sum of (a - from_a) * (b - from_b).
static double do_dot_around(const double *a, const double *b, uint32_t count, double from_a, double from_b) {
  v128_t sums[2] = {0}, less_a = wasm_f64x2_splat(from_a), less_b = wasm_f64x2_splat(from_b);
  uint32_t i = 0;
  for (; i + 4 <= count; i += 4) {
    for (int lane = 0; lane < 2; lane++) {
      v128_t x = wasm_f64x2_sub(wasm_v128_load(a + i + 2 * lane), less_a);
      v128_t y = wasm_f64x2_sub(wasm_v128_load(b + i + 2 * lane), less_b);
      sums[lane] = wasm_f64x2_add(sums[lane], wasm_f64x2_mul(x, y));
    }
  }
  double total = do_lanes_sum(wasm_f64x2_add(sums[0], sums[1]));
  for (; i < count; i++) total += (a[i] - from_a) * (b[i] - from_b);
  return total;
}

double do_dot_f64(const double *a, const double *b, uint32_t count) { return do_dot_around(a, b, count, 0, 0); }

void do_scale_f64(double *to, const double *from, uint32_t count, double factor) {
  v128_t by = wasm_f64x2_splat(factor);
  uint32_t i = 0;
  for (; i + 2 <= count; i += 2) wasm_v128_store(to + i, wasm_f64x2_mul(wasm_v128_load(from + i), by));
  if (i < count) to[i] = from[i] * factor;
}

void do_minmax_f64(const double *from, uint32_t count, double *min, double *max) {
  v128_t least = wasm_f64x2_splat(__builtin_inf()), most = wasm_f64x2_splat(-__builtin_inf());
  uint32_t i = 0;
  for (; i < count; i += 2) {
    v128_t pair = i + 2 <= count ? wasm_v128_load(from + i) : wasm_f64x2_splat(from[i]);
    least = wasm_f64x2_min(least, pair);
    most = wasm_f64x2_max(most, pair);
  }
  v128_t swapped = wasm_i64x2_shuffle(least, least, 1, 0);
  *min = wasm_f64x2_extract_lane(wasm_f64x2_min(least, swapped), 0);
  swapped = wasm_i64x2_shuffle(most, most, 1, 0);
  *max = wasm_f64x2_extract_lane(wasm_f64x2_max(most, swapped), 0);
}

#define DO_BY_PAIRS(name, operation, operator)                                                           \
  void name(double *to, const double *a, const double *b, uint32_t count) {                              \
    uint32_t i = 0;                                                                                      \
    for (; i + 2 <= count; i += 2) {                                                                     \
      wasm_v128_store(to + i, operation(wasm_v128_load(a + i), wasm_v128_load(b + i)));                  \
    }                                                                                                    \
    if (i < count) to[i] = a[i] operator b[i];                                                           \
  }
DO_BY_PAIRS(do_add_columns_f64, wasm_f64x2_add, +)
DO_BY_PAIRS(do_sub_columns_f64, wasm_f64x2_sub, -)
DO_BY_PAIRS(do_mul_columns_f64, wasm_f64x2_mul, *)

void do_clamp_f64(double *to, const double *from, uint32_t count, double min, double max) {
  v128_t least = wasm_f64x2_splat(min), most = wasm_f64x2_splat(max);
  uint32_t i = 0;
  for (; i + 2 <= count; i += 2) {
    wasm_v128_store(to + i, wasm_f64x2_min(wasm_f64x2_max(wasm_v128_load(from + i), least), most));
  }
  if (i < count) to[i] = wasm_f64x2_extract_lane(wasm_f64x2_min(wasm_f64x2_max(wasm_f64x2_splat(from[i]), least), most), 0);
}

void do_map_linear_f64(double *to, const double *from, uint32_t count, double factor, double offset) {
  v128_t by = wasm_f64x2_splat(factor), more = wasm_f64x2_splat(offset);
  uint32_t i = 0;
  for (; i + 2 <= count; i += 2) {
    wasm_v128_store(to + i, wasm_f64x2_add(wasm_f64x2_mul(wasm_v128_load(from + i), by), more));
  }
  if (i < count) to[i] = from[i] * factor + offset;
}

// ---- Columns ----

static double do_root(double number) { return wasm_f64x2_extract_lane(wasm_f64x2_sqrt(wasm_f64x2_splat(number)), 0); }

do_stats do_stats_f64(const double *from, uint32_t count) {
  do_stats stats = {.count = count};
  if (count == 0) return stats;
  do_minmax_f64(from, count, &stats.min, &stats.max);
  stats.sum = do_sum_f64(from, count);
  stats.mean = stats.sum / count;
  // Around the mean, in a second pass: the difference of two large sums would lose its digits.
  stats.stddev = do_root(do_dot_around(from, from, count, stats.mean, stats.mean) / count);
  return stats;
}

void do_normalize_f64(double *to, const double *from, uint32_t count) {
  double min, max;
  do_minmax_f64(from, count, &min, &max);
  // Subtracts first, so that the least is 0 exactly.
  do_map_linear_f64(to, from, count, 1, -min);
  v128_t range = wasm_f64x2_splat(max > min ? max - min : 1);
  uint32_t i = 0;
  for (; i + 2 <= count; i += 2) wasm_v128_store(to + i, wasm_f64x2_div(wasm_v128_load(to + i), range));
  if (i < count) to[i] /= max > min ? max - min : 1;
}

double do_correlation_f64(const double *x, const double *y, uint32_t count) {
  if (count == 0) return __builtin_nan("");
  double mean_x = do_sum_f64(x, count) / count, mean_y = do_sum_f64(y, count) / count;
  double together = do_dot_around(x, y, count, mean_x, mean_y);
  double alone_x = do_dot_around(x, x, count, mean_x, mean_x), alone_y = do_dot_around(y, y, count, mean_y, mean_y);
  return together / (do_root(alone_x) * do_root(alone_y));
}

double do_weighted_sum_f64(const double *values, const double *weights, uint32_t count) {
  return do_dot_f64(values, weights, count);
}
