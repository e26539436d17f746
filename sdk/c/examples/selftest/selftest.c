// Lets sdk/check.mjs try parts of the SDK one by one: cryptography, columns, numbers, decoding, memory.

#define DOLMEN_IMPLEMENTATION
#include "host.h"

static void answer_hex(do_response *response, const void *bytes, uint32_t size) {
  do_buffer hex = {0};
  do_add_hex(&hex, (do_text){bytes, size});
  do_answer_text(response, 200, do_text_of(&hex));
}

// ---- Cryptography: parameters are hex, bodies bytes, answers hex ----

static void sha256(do_request *request, do_response *response) {
  uint8_t digest[32];
  do_sha256(request->body, digest);
  answer_hex(response, digest, sizeof digest);
}

static void sha512(do_request *request, do_response *response) {
  uint8_t digest[64];
  do_sha512(request->body, digest);
  answer_hex(response, digest, sizeof digest);
}

static do_text hex_of(do_request *request, do_text name) {
  do_text value, bytes;
  do_query(request, name, &value);
  if (!do_decode_hex(value, &bytes)) do_panic(DO_TEXT("a parameter is not hex"));
  return bytes;
}

static void hmac(do_request *request, do_response *response) {
  uint8_t mac[32];
  do_hmac_sha256(hex_of(request, DO_TEXT("key")), request->body, mac);
  answer_hex(response, mac, sizeof mac);
}

static void encrypt(do_request *request, do_response *response) {
  uint8_t *to = do_alloc(request->body.size + DO_TAG_SIZE);
  do_text key = hex_of(request, DO_TEXT("key")), nonce = hex_of(request, DO_TEXT("nonce"));
  do_aes256gcm_encrypt(to, (const uint8_t *)key.data, (const uint8_t *)nonce.data, hex_of(request, DO_TEXT("extra")), request->body);
  answer_hex(response, to, request->body.size + DO_TAG_SIZE);
}

static void decrypt(do_request *request, do_response *response) {
  uint8_t *to = do_alloc(request->body.size);
  do_text key = hex_of(request, DO_TEXT("key")), nonce = hex_of(request, DO_TEXT("nonce"));
  if (do_aes256gcm_decrypt(to, (const uint8_t *)key.data, (const uint8_t *)nonce.data, hex_of(request, DO_TEXT("extra")), request->body)) {
    answer_hex(response, to, request->body.size - DO_TAG_SIZE);
  } else {
    do_answer_text(response, 403, DO_TEXT("refused"));
  }
}

// ---- Numbers: bodies are lines of numbers, answers JSON ----

// The numbers of the next line. A text that is none is NaN.
static double *line(do_text *rest, uint32_t *count) {
  do_text line, field;
  *count = 0;
  if (!do_split(rest, '\n', &line)) return 0;
  double *numbers = do_alloc((line.size + 1) * (uint32_t)sizeof(double));
  while (do_split(&line, ',', &field)) {
    double number = __builtin_nan("");
    do_parse_f64(field, &number);
    numbers[(*count)++] = number;
  }
  return numbers;
}

static void answer_numbers(do_response *response, const double *numbers, uint32_t count) {
  do_buffer json = {0};
  for (uint32_t i = 0; i < count; i++) {
    do_add_char(&json, i > 0 ? ',' : '[');
    do_add_f64(&json, numbers[i]);
  }
  do_add(&json, count > 0 ? DO_TEXT("]") : DO_TEXT("[]"));
  do_answer_json(response, 200, do_text_of(&json));
}

// Reads and writes numbers.
static void numbers(do_request *request, do_response *response) {
  uint32_t count;
  do_text rest = request->body;
  double *all = line(&rest, &count);
  answer_numbers(response, all, count);
}

// The first line holds two parameters, the others one column each.
static void column(do_request *request, do_response *response) {
  do_text rest = request->body, what = do_param(request, DO_TEXT("what"));
  uint32_t count, ignored;
  const double *parameters = line(&rest, &ignored);
  const double *a = line(&rest, &count), *b = line(&rest, &ignored);
  double *to = do_alloc((count + 2) * (uint32_t)sizeof(double));
  uint32_t answers = 1;
  if (do_equal(what, DO_TEXT("sum"))) {
    to[0] = do_sum_f64(a, count);
  } else if (do_equal(what, DO_TEXT("sum_i32"))) {
    int32_t *whole = do_alloc(count * (uint32_t)sizeof(int32_t));
    for (uint32_t i = 0; i < count; i++) whole[i] = (int32_t)a[i];
    to[0] = (double)do_sum_i32(whole, count);
  } else if (do_equal(what, DO_TEXT("dot"))) {
    to[0] = do_dot_f64(a, b, count);
  } else if (do_equal(what, DO_TEXT("minmax"))) {
    do_minmax_f64(a, count, &to[0], &to[1]);
    answers = 2;
  } else if (do_equal(what, DO_TEXT("correlation"))) {
    to[0] = do_correlation_f64(a, b, count);
  } else if (do_equal(what, DO_TEXT("stddev"))) {
    to[0] = do_stats_f64(a, count).stddev;
  } else {
    answers = count;
    if (do_equal(what, DO_TEXT("add"))) do_add_columns_f64(to, a, b, count);
    if (do_equal(what, DO_TEXT("sub"))) do_sub_columns_f64(to, a, b, count);
    if (do_equal(what, DO_TEXT("mul"))) do_mul_columns_f64(to, a, b, count);
    if (do_equal(what, DO_TEXT("scale"))) do_scale_f64(to, a, count, parameters[0]);
    if (do_equal(what, DO_TEXT("clamp"))) do_clamp_f64(to, a, count, parameters[0], parameters[1]);
    if (do_equal(what, DO_TEXT("map_linear"))) do_map_linear_f64(to, a, count, parameters[0], parameters[1]);
    if (do_equal(what, DO_TEXT("normalize"))) do_normalize_f64(to, a, count);
  }
  answer_numbers(response, to, answers);
}

// ---- Decoding ----

static void add_pair(do_buffer *json, do_text name, do_text value) {
  do_add(json, json->size > 0 ? DO_TEXT(",[") : DO_TEXT("[["));
  do_add_json(json, name);
  do_add_char(json, ',');
  do_add_json(json, value);
  do_add_char(json, ']');
}

static void answer_pairs(do_response *response, do_buffer *json) {
  do_add(json, json->size > 0 ? DO_TEXT("]") : DO_TEXT("[]"));
  do_answer_json(response, 200, do_text_of(json));
}

static void query(do_request *request, do_response *response) {
  do_text rest = request->query, name, value;
  do_buffer json = {0};
  while (do_next_field(&rest, &name, &value)) add_pair(&json, name, value);
  answer_pairs(response, &json);
}

// Where `name` of the query is found: the form, the cookies, the headers.
static void named(do_request *request, do_response *response) {
  do_text name, value;
  do_buffer json = {0};
  do_query(request, DO_TEXT("name"), &name);
  if (do_form(request, name, &value)) add_pair(&json, DO_TEXT("form"), value);
  if (do_cookie(request, name, &value)) add_pair(&json, DO_TEXT("cookie"), value);
  if (do_header(request, name, &value)) add_pair(&json, DO_TEXT("header"), value);
  answer_pairs(response, &json);
}

static void parts(do_request *request, do_response *response) {
  do_buffer json = {0};
  add_pair(&json, do_param(request, DO_TEXT("one")), do_param(request, DO_TEXT("two")));
  answer_pairs(response, &json);
}

static void json(do_request *request, do_response *response) {
  do_buffer json = {0};
  do_add_json(&json, request->body);
  do_answer_json(response, 200, do_text_of(&json));
}

static void header(do_request *request, do_response *response) {
  do_text name, value;
  do_query(request, DO_TEXT("name"), &name);
  do_query(request, DO_TEXT("value"), &value);
  do_answer_text(response, 200, DO_TEXT("sent"));
  do_add_header(response, name, value);
}

// ---- Memory ----

static void memory(do_request *request, do_response *response) {
  (void)request;
  do_buffer size = {0};
  do_add_i64(&size, do_memory_size());
  do_answer_text(response, 200, do_text_of(&size));
}

#define KEPT 512

// Keeps and releases blocks of many sizes in a random order, and looks whether one wrote into another.
static void heap(do_request *request, do_response *response) {
  uint8_t *kept[KEPT] = {0};
  uint32_t sizes[KEPT], random = 1;
  for (uint32_t round = 0; round < 20000; round++) {
    random = random * 1664525 + 1013904223;
    uint32_t at = random >> 8 & (KEPT - 1);
    for (uint32_t i = 0; kept[at] && i < sizes[at]; i++) {
      if (kept[at][i] != (uint8_t)at) do_panic(DO_TEXT("a block was overwritten"));
    }
    do_release(kept[at]);
    sizes[at] = random >> 17 >> (random & 7);
    kept[at] = do_keep(sizes[at]);
    if (!kept[at]) do_panic(DO_TEXT("no memory for a block"));
    for (uint32_t i = 0; i < sizes[at]; i++) kept[at][i] = (uint8_t)at;
  }
  for (uint32_t at = 0; at < KEPT; at++) do_release(kept[at]);
  memory(request, response);
}

static void panic(do_request *request, do_response *response) {
  (void)request;
  (void)response;
  do_panic(DO_TEXT("as it was asked to"));
}

static const do_route routes[] = {
    {"POST", "/sha256", sha256},
    {"POST", "/sha512", sha512},
    {"POST", "/hmac", hmac},
    {"POST", "/encrypt", encrypt},
    {"POST", "/decrypt", decrypt},
    {"POST", "/numbers", numbers},
    {"POST", "/column/:what", column},
    {"GET", "/query", query},
    {"POST", "/named", named},
    {"GET", "/parts/:one/and/:two", parts},
    {"POST", "/json", json},
    {"GET", "/header", header},
    {"GET", "/memory", memory},
    {"POST", "/heap", heap},
    {"GET", "/panic", panic},
    {"POST", "/sql", host_sql},
    {"POST", "/keep", host_keep},
    {"GET", "/list", host_list},
    {"POST", "/alarm", host_alarm},
    {"GET", "/object", host_object},
    {"POST", "/log", host_log},
    {"POST", "/fetch", host_fetch},
    {"POST", "/fetch-many", host_fetch_many},
    {"GET", "/fanout", host_fanout},
    {0},
};

const do_app dolmen_app = {
    .routes = routes,
    .socket_open = host_opened,
    .socket_message = host_message,
    .socket_close = host_closed,
};

DOLMEN_FANOUT(host_urls)
