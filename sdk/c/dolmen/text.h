// Texts: comparing, cutting, and the encodings that HTTP and JSON have.

bool do_equal(do_text a, do_text b) { return a.size == b.size && memcmp(a.data, b.data, a.size) == 0; }

static char do_lower(char byte) { return byte >= 'A' && byte <= 'Z' ? (char)(byte + 32) : byte; }

bool do_equal_nocase(do_text a, do_text b) {
  if (a.size != b.size) return false;
  for (uint32_t i = 0; i < a.size; i++) {
    if (do_lower(a.data[i]) != do_lower(b.data[i])) return false;
  }
  return true;
}

bool do_equal_secret(do_text a, do_text b) {
  if (a.size != b.size) return false;
  volatile uint8_t differences = 0;
  for (uint32_t i = 0; i < a.size; i++) differences |= (uint8_t)(a.data[i] ^ b.data[i]);
  return differences == 0;
}

bool do_starts_with(do_text text, do_text prefix) {
  return text.size >= prefix.size && memcmp(text.data, prefix.data, prefix.size) == 0;
}

int32_t do_find(do_text text, do_text part) {
  for (uint32_t at = 0; part.size <= text.size && at <= text.size - part.size; at++) {
    if (memcmp(text.data + at, part.data, part.size) == 0) return (int32_t)at;
  }
  return -1;
}

do_text do_slice(do_text text, uint32_t from, uint32_t to) {
  if (to > text.size) to = text.size;
  if (from > to) from = to;
  return (do_text){text.data + from, to - from};
}

static bool do_is_blank(char byte) { return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n'; }

do_text do_trim(do_text text) {
  while (text.size > 0 && do_is_blank(text.data[text.size - 1])) text.size--;
  while (text.size > 0 && do_is_blank(*text.data)) text.data++, text.size--;
  return text;
}

bool do_split(do_text *rest, char separator, do_text *part) {
  if (rest->size == 0) return false;
  uint32_t at = 0;
  while (at < rest->size && rest->data[at] != separator) at++;
  *part = do_slice(*rest, 0, at);
  *rest = do_slice(*rest, at + 1, rest->size);
  return true;
}

// ---- Hex, base64, percent ----

static const char do_hex_digits[] = "0123456789abcdef";

void do_add_hex(do_buffer *buffer, do_text bytes) {
  for (uint32_t i = 0; i < bytes.size; i++) {
    do_add_char(buffer, do_hex_digits[(uint8_t)bytes.data[i] >> 4]);
    do_add_char(buffer, do_hex_digits[bytes.data[i] & 15]);
  }
}

// The value of a hex digit, or -1.
static int do_hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  digit = do_lower(digit);
  return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

bool do_decode_hex(do_text text, do_text *bytes) {
  if (text.size % 2 != 0) return false;
  char *to = do_alloc(text.size / 2);
  for (uint32_t i = 0; i < text.size; i += 2) {
    int high = do_hex_value(text.data[i]), low = do_hex_value(text.data[i + 1]);
    if (high < 0 || low < 0) return false;
    to[i / 2] = (char)(high << 4 | low);
  }
  *bytes = (do_text){to, text.size / 2};
  return true;
}

static int do_base64_value(char digit) {
  if (digit >= 'A' && digit <= 'Z') return digit - 'A';
  if (digit >= 'a' && digit <= 'z') return digit - 'a' + 26;
  if (digit >= '0' && digit <= '9') return digit - '0' + 52;
  return digit == '+' ? 62 : digit == '/' ? 63 : -1;
}

bool do_decode_base64(do_text text, do_text *bytes) {
  if (text.size % 4 == 0 && text.size > 0 && text.data[text.size - 1] == '=') {
    text.size--;
    if (text.data[text.size - 1] == '=') text.size--;
  }
  if (text.size % 4 == 1) return false;
  char *to = do_alloc(text.size / 4 * 3 + 3);
  uint32_t size = 0, bits = 0, held = 0;
  for (uint32_t i = 0; i < text.size; i++) {
    int value = do_base64_value(text.data[i]);
    if (value < 0) return false;
    held = held << 6 | (uint32_t)value;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      to[size++] = (char)(held >> bits);
    }
  }
  *bytes = (do_text){to, size};
  return (held & ((1u << bits) - 1)) == 0;
}

do_text do_decode_percent(do_text text, bool plus) {
  char *to = do_alloc(text.size);
  uint32_t size = 0;
  for (uint32_t i = 0; i < text.size; i++) {
    char byte = text.data[i];
    if (plus && byte == '+') byte = ' ';
    if (byte == '%' && text.size - i > 2) {
      int high = do_hex_value(text.data[i + 1]), low = do_hex_value(text.data[i + 2]);
      if (high >= 0 && low >= 0) {
        byte = (char)(high << 4 | low);
        i += 2;
      }
    }
    to[size++] = byte;
  }
  return (do_text){to, size};
}

// ---- JSON ----

// Bytes of the UTF-8 character that a text begins with; 0 if it is none.
static uint32_t do_character(do_text text) {
  const uint8_t *at = (const uint8_t *)text.data;
  if (at[0] < 0x80) return 1;
  uint32_t size = at[0] >= 0xc2 && at[0] <= 0xdf ? 2 : (at[0] & 0xf0) == 0xe0 ? 3 : at[0] >= 0xf0 && at[0] <= 0xf4 ? 4 : 0;
  if (size == 0 || text.size < size) return 0;
  for (uint32_t i = 1; i < size; i++) {
    if ((at[i] & 0xc0) != 0x80) return 0;
  }
  // Longer than needed, a surrogate, or beyond U+10FFFF.
  if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f)) return 0;
  if ((at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f)) return 0;
  return size;
}

static void do_add_json_control(do_buffer *buffer, char byte) {
  do_add_char(buffer, '\\');
  switch (byte) {
    case '\n': do_add_char(buffer, 'n'); return;
    case '\r': do_add_char(buffer, 'r'); return;
    case '\t': do_add_char(buffer, 't'); return;
    case '"': case '\\': do_add_char(buffer, byte); return;
  }
  do_add(buffer, DO_TEXT("u00"));
  do_add_hex(buffer, (do_text){&byte, 1});
}

void do_add_json(do_buffer *buffer, do_text text) {
  do_add_char(buffer, '"');
  while (text.size > 0) {
    uint32_t size = do_character(text);
    char byte = *text.data;
    if (size == 0) do_add(buffer, DO_TEXT("\xef\xbf\xbd"));
    else if (size == 1 && ((uint8_t)byte < 0x20 || byte == '"' || byte == '\\')) do_add_json_control(buffer, byte);
    else do_add(buffer, do_slice(text, 0, size));
    text = do_slice(text, size ? size : 1, text.size);
  }
  do_add_char(buffer, '"');
}
