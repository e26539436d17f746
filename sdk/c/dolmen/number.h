// Numbers as decimals and back, exactly: a double is its shortest decimals, decimals are the nearest double.
//
// Both compare large whole numbers, so nothing is lost on the way; numbers of up to 19 digits with a small
// exponent, which most are, are read without.

// Words of the largest number: 800 digits and an exponent of 2 to the 1,130.
#define DO_WIDE_WORDS 132
// Significant digits that decide how a number is rounded: 767, and one for all that follow.
#define DO_MAX_DIGITS 770
// Exponents of 10 beyond which a number is infinite or 0.
#define DO_MAX_EXPONENT 5000

typedef struct do_wide {
  uint32_t size;
  uint32_t words[DO_WIDE_WORDS];
} do_wide;

static void do_wide_set(do_wide *wide, uint64_t value) {
  wide->size = value >> 32 ? 2 : value ? 1 : 0;
  wide->words[0] = (uint32_t)value;
  wide->words[1] = (uint32_t)(value >> 32);
}

static void do_wide_multiply(do_wide *wide, uint32_t factor, uint32_t more) {
  uint64_t carry = more;
  for (uint32_t i = 0; i < wide->size; i++) {
    carry += (uint64_t)wide->words[i] * factor;
    wide->words[i] = (uint32_t)carry;
    carry >>= 32;
  }
  if (carry) {
    if (wide->size == DO_WIDE_WORDS) do_panic(DO_TEXT("a number is wider than it can be"));
    wide->words[wide->size++] = (uint32_t)carry;
  }
}

static void do_wide_power10(do_wide *wide, int32_t exponent) {
  for (; exponent >= 9; exponent -= 9) do_wide_multiply(wide, 1000000000u, 0);
  for (; exponent > 0; exponent--) do_wide_multiply(wide, 10, 0);
}

static void do_wide_power2(do_wide *wide, int32_t exponent) {
  for (; exponent >= 31; exponent -= 31) do_wide_multiply(wide, 1u << 31, 0);
  do_wide_multiply(wide, 1u << exponent, 0);
}

static int do_wide_compare(const do_wide *a, const do_wide *b) {
  if (a->size != b->size) return a->size < b->size ? -1 : 1;
  for (uint32_t i = a->size; i-- > 0;) {
    if (a->words[i] != b->words[i]) return a->words[i] < b->words[i] ? -1 : 1;
  }
  return 0;
}

static void do_wide_add(do_wide *to, const do_wide *more) {
  uint64_t carry = 0;
  for (uint32_t i = 0; i < more->size || carry; i++) {
    if (i == to->size) {
      if (to->size == DO_WIDE_WORDS) do_panic(DO_TEXT("a number is wider than it can be"));
      to->words[to->size++] = 0;
    }
    carry += (uint64_t)to->words[i] + (i < more->size ? more->words[i] : 0);
    to->words[i] = (uint32_t)carry;
    carry >>= 32;
  }
}

// `less` must not be larger.
static void do_wide_subtract(do_wide *from, const do_wide *less) {
  int64_t carry = 0;
  for (uint32_t i = 0; i < from->size; i++) {
    carry += (int64_t)from->words[i] - (i < less->size ? less->words[i] : 0);
    from->words[i] = (uint32_t)carry;
    carry >>= 32;
  }
  while (from->size > 0 && from->words[from->size - 1] == 0) from->size--;
}

static uint64_t do_bits(double number) {
  union { double number; uint64_t bits; } both = {number};
  return both.bits;
}

static double do_from_bits(uint64_t bits) {
  union { uint64_t bits; double number; } both = {bits};
  return both.number;
}

// A finite double that is not negative, as mantissa * 2^exponent.
static uint64_t do_mantissa(double number, int32_t *exponent) {
  uint64_t bits = do_bits(number), mantissa = bits & ((1ull << 52) - 1);
  int32_t raw = (int32_t)(bits >> 52 & 0x7ff);
  *exponent = (raw ? raw : 1) - 1075;
  return raw ? mantissa | 1ull << 52 : mantissa;
}

// ---- Writing ----

void do_add_i64(do_buffer *buffer, int64_t number) {
  char digits[20];
  uint32_t at = sizeof digits;
  uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
  do {
    digits[--at] = (char)('0' + rest % 10);
    rest /= 10;
  } while (rest);
  if (number < 0) do_add_char(buffer, '-');
  do_add(buffer, (do_text){digits + at, (uint32_t)sizeof digits - at});
}

// The shortest digits between the middles to both neighbours (Steele and White). Answers how many; the
// number is 0.DIGITS * 10^point.
static uint32_t do_shortest(double number, char digits[20], int32_t *point) {
  int32_t exponent;
  uint64_t mantissa = do_mantissa(number, &exponent);
  bool even = mantissa % 2 == 0;
  // Below a power of two the neighbour is half as far away.
  bool uneven = mantissa == 1ull << 52 && exponent > -1074;
  do_wide value, unit, below, above;
  do_wide_set(&value, mantissa);
  do_wide_set(&unit, 1);
  do_wide_set(&below, 1);
  do_wide_power2(&value, 1 + uneven + (exponent > 0 ? exponent : 0));
  do_wide_power2(&unit, 1 + uneven + (exponent < 0 ? -exponent : 0));
  if (exponent > 0) do_wide_power2(&below, exponent);
  above = below;
  if (uneven) do_wide_multiply(&above, 2, 0);
  // An estimate of the decimal exponent that is right or too small.
  int32_t top = exponent + 63 - __builtin_clzll(mantissa);
  double estimate = top * 0.30102999566398114;
  *point = (int32_t)(estimate < 0 ? estimate - 1 : estimate);
  if (*point > 0) do_wide_power10(&unit, *point);
  if (*point < 0) {
    do_wide_power10(&value, -*point);
    do_wide_power10(&below, -*point);
    do_wide_power10(&above, -*point);
  }
  for (;;) {
    do_wide sum = value;
    do_wide_add(&sum, &above);
    int order = do_wide_compare(&sum, &unit);
    if (order < 0 || (order == 0 && !even)) break;
    do_wide_multiply(&unit, 10, 0);
    ++*point;
  }
  for (uint32_t count = 0;;) {
    do_wide_multiply(&value, 10, 0);
    do_wide_multiply(&below, 10, 0);
    do_wide_multiply(&above, 10, 0);
    char digit = '0';
    for (; do_wide_compare(&value, &unit) >= 0; digit++) do_wide_subtract(&value, &unit);
    int to_below = do_wide_compare(&value, &below);
    do_wide sum = value;
    do_wide_add(&sum, &above);
    int to_above = do_wide_compare(&sum, &unit);
    bool low = to_below < 0 || (to_below == 0 && even), high = to_above > 0 || (to_above == 0 && even);
    if (low && high) {
      do_wide twice = value;
      do_wide_multiply(&twice, 2, 0);
      int order = do_wide_compare(&twice, &unit);
      high = order > 0 || (order == 0 && digit % 2 == 1);
    }
    digits[count++] = (char)(digit + (high ? 1 : 0));
    if (low || high) return count;
  }
}

// Laid out as JavaScript does it.
void do_add_f64(do_buffer *buffer, double number) {
  if (number != number || number - number != 0) {
    do_add(buffer, DO_TEXT("null"));
    return;
  }
  if (number == 0) {
    do_add_char(buffer, '0');
    return;
  }
  if (number < 0) {
    do_add_char(buffer, '-');
    number = -number;
  }
  char digits[20];
  int32_t point;
  uint32_t count = do_shortest(number, digits, &point);
  do_text all = {digits, count};
  if (point > 0 && point <= 21) {
    do_add(buffer, do_slice(all, 0, (uint32_t)point));
    for (int32_t i = (int32_t)count; i < point; i++) do_add_char(buffer, '0');
    if ((int32_t)count > point) do_add_char(buffer, '.');
    do_add(buffer, do_slice(all, (uint32_t)point, count));
  } else if (point <= 0 && point > -6) {
    do_add(buffer, DO_TEXT("0."));
    for (int32_t i = point; i < 0; i++) do_add_char(buffer, '0');
    do_add(buffer, all);
  } else {
    do_add_char(buffer, digits[0]);
    if (count > 1) do_add_char(buffer, '.');
    do_add(buffer, do_slice(all, 1, count));
    do_add(buffer, point > 0 ? DO_TEXT("e+") : DO_TEXT("e"));
    do_add_i64(buffer, point - 1);
  }
}

// ---- Reading ----

bool do_parse_i64(do_text text, int64_t *number) {
  bool negative = text.size > 0 && *text.data == '-';
  if (negative) text = do_slice(text, 1, text.size);
  if (text.size == 0) return false;
  uint64_t value = 0, limit = (uint64_t)INT64_MAX + negative;
  for (uint32_t i = 0; i < text.size; i++) {
    if (text.data[i] < '0' || text.data[i] > '9') return false;
    uint64_t digit = (uint64_t)(text.data[i] - '0');
    if (value > (limit - digit) / 10) return false;
    value = value * 10 + digit;
  }
  *number = (int64_t)(negative ? 0 - value : value);
  return true;
}

// How decimals compare with mantissa * 2^exponent.
static int do_compare_decimals(const do_wide *decimals, int32_t exponent10, uint64_t mantissa, int32_t exponent2) {
  do_wide a = *decimals, b;
  do_wide_set(&b, mantissa);
  if (exponent10 > 0) do_wide_power10(&a, exponent10);
  else do_wide_power10(&b, -exponent10);
  if (exponent2 > 0) do_wide_power2(&b, exponent2);
  else do_wide_power2(&a, -exponent2);
  return do_wide_compare(&a, &b);
}

// From a guess that is at most a few steps away to the nearest double, of two equally near ones the even.
static double do_nearest(const do_wide *decimals, int32_t exponent10, double guess) {
  for (;;) {
    int32_t exponent;
    uint64_t mantissa = do_mantissa(guess, &exponent);
    int above = do_compare_decimals(decimals, exponent10, 2 * mantissa + 1, exponent - 1);
    if (above > 0 || (above == 0 && mantissa % 2 == 1)) {
      guess = do_from_bits(do_bits(guess) + 1);
      if (guess - guess != 0) return guess;
      continue;
    }
    if (mantissa == 0) return guess;
    bool uneven = mantissa == 1ull << 52 && exponent > -1074;
    int below = do_compare_decimals(decimals, exponent10, (uneven ? 4 : 2) * mantissa - 1, exponent - 1 - uneven);
    if (below > 0 || (below == 0 && mantissa % 2 == 0)) return guess;
    guess = do_from_bits(do_bits(guess) - 1);
  }
}

static double do_times_power10(double number, int32_t exponent) {
  for (; exponent >= 22 && number - number == 0; exponent -= 22) number *= 1e22;
  for (; exponent <= -22 && number != 0; exponent += 22) number /= 1e22;
  for (; exponent > 0; exponent--) number *= 10;
  for (; exponent < 0; exponent++) number /= 10;
  return number;
}

// The decimals of a text: up to DO_MAX_DIGITS digits that count, and 1 in place of more that are not 0.
typedef struct do_decimals {
  char digits[DO_MAX_DIGITS + 1];
  uint32_t count;
  int32_t exponent;
} do_decimals;

static bool do_read_decimals(do_text text, do_decimals *to) {
  bool point = false, any = false, more = false;
  uint32_t i = 0;
  int64_t exponent = 0, given = 0;
  for (; i < text.size; i++) {
    char byte = text.data[i];
    if (byte == '.' && !point) {
      point = true;
      continue;
    }
    if (byte < '0' || byte > '9') break;
    any = true;
    if (point) exponent--;
    if (to->count == 0 && byte == '0') continue;
    if (to->count < DO_MAX_DIGITS) {
      to->digits[to->count++] = byte;
      continue;
    }
    exponent++;
    more |= byte != '0';
  }
  if (!any) return false;
  if (i < text.size) {
    if (do_lower(text.data[i]) != 'e') return false;
    do_text rest = do_slice(text, i + 1, text.size);
    if (rest.size > 1 && rest.data[0] == '+' && rest.data[1] != '-') rest = do_slice(rest, 1, rest.size);
    if (rest.size > 12 || !do_parse_i64(rest, &given)) return false;
  }
  if (more) {
    to->digits[to->count++] = '1';
    exponent--;
  }
  exponent += given;
  to->exponent = (int32_t)(exponent > DO_MAX_EXPONENT ? DO_MAX_EXPONENT : exponent < -DO_MAX_EXPONENT ? -DO_MAX_EXPONENT : exponent);
  return true;
}

bool do_parse_f64(do_text text, double *number) {
  bool negative = text.size > 0 && *text.data == '-';
  if (text.size > 0 && (negative || *text.data == '+')) text = do_slice(text, 1, text.size);
  do_decimals decimals;
  decimals.count = 0;
  if (!do_read_decimals(text, &decimals)) return false;
  while (decimals.count > 0 && decimals.digits[decimals.count - 1] == '0') decimals.count--, decimals.exponent++;
  int32_t size = decimals.exponent + (int32_t)decimals.count;
  double value = 0;
  uint64_t first = 0;
  uint32_t used = decimals.count < 19 ? decimals.count : 19;
  for (uint32_t i = 0; i < used; i++) first = first * 10 + (uint64_t)(decimals.digits[i] - '0');
  if (decimals.count == 0 || size < -330) {
    value = 0;
  } else if (size > 310) {
    value = do_from_bits(0x7ffull << 52);
  } else if (decimals.count <= 19 && first < 1ull << 53 && decimals.exponent >= -22 && decimals.exponent <= 22) {
    // Both are exact as doubles, so one operation rounds once.
    double power = do_times_power10(1, decimals.exponent < 0 ? -decimals.exponent : decimals.exponent);
    value = decimals.exponent < 0 ? (double)first / power : (double)first * power;
  } else {
    do_wide wide;
    do_wide_set(&wide, 0);
    for (uint32_t i = 0; i < decimals.count; i++) {
      if (wide.size == 0) do_wide_set(&wide, (uint64_t)(decimals.digits[i] - '0'));
      else do_wide_multiply(&wide, 10, (uint32_t)(decimals.digits[i] - '0'));
    }
    double guess = do_times_power10((double)first, decimals.exponent + (int32_t)(decimals.count - used));
    if (guess - guess != 0) guess = do_from_bits((0x7ffull << 52) - 1);
    value = do_nearest(&wide, decimals.exponent, guess);
  }
  if (value - value != 0) return false;
  *number = negative ? -value : value;
  return true;
}
