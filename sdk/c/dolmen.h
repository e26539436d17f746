// Dolmen's SDK for WASM handlers in C: what a handler includes.
//
// One file of a handler defines DOLMEN_IMPLEMENTATION before it includes this. That file gets the code of
// the folder dolmen/, and the linker keeps what is used: a host call that no one uses is not imported.
// No C library is needed. Texts are views (address and size, in bytes), not closed by a zero byte.
//
//     clang --target=wasm32 -msimd128 -O2 -nostdlib -I sdk/c -Wl,--no-entry handler.c -o handler.wasm

#ifndef DOLMEN_H
#define DOLMEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// ---- Texts and memory ----

// A view of bytes. Texts of a request or of the host live until the event ends.
typedef struct do_text {
  const char *data;
  uint32_t size;
} do_text;

// The text of a string literal.
#define DO_TEXT(literal) ((do_text){"" literal, sizeof(literal) - 1})
// The same where only a constant may stand.
#define DO_TEXT_CONSTANT(literal) {"" literal, sizeof(literal) - 1}

bool do_equal(do_text a, do_text b);
// Compares ASCII letters without their case.
bool do_equal_nocase(do_text a, do_text b);
// Compares in a time that depends on the sizes alone: for passwords and MACs.
bool do_equal_secret(do_text a, do_text b);
bool do_starts_with(do_text text, do_text prefix);
// Where `part` begins in `text`, or -1.
int32_t do_find(do_text text, do_text part);
// The bytes from `from` up to `to`; both may lie beyond the end.
do_text do_slice(do_text text, uint32_t from, uint32_t to);
// Without blanks, tabs and line breaks at both ends.
do_text do_trim(do_text text);
// Takes what is before the next `separator` off `*rest`. False: nothing is left.
bool do_split(do_text *rest, char separator, do_text *part);

// Memory of this event, aligned to 16; all of it is given back when the event ends. Never NULL: without
// memory the handler panics, as it does wherever the SDK needs memory.
void *do_alloc(uint32_t size);
// Memory that stays until do_release. NULL if there is none.
void *do_keep(uint32_t size);
void do_release(void *kept);
// Bytes of the instance's memory. It never shrinks.
uint32_t do_memory_size(void);
// Ends the event: what it wrote is undone, the instance is thrown away, and `why` is in the log.
_Noreturn void do_panic(do_text why);

// A text that grows, in the memory of this event. Begin with {0}.
typedef struct do_buffer {
  char *data;
  uint32_t size, capacity;
} do_buffer;

void do_add(do_buffer *buffer, do_text text);
void do_add_char(do_buffer *buffer, char byte);
void do_add_i64(do_buffer *buffer, int64_t number);
// The shortest decimals that are read as the same number again; `null` for infinities and NaN, as JSON has it.
void do_add_f64(do_buffer *buffer, double number);
// A JSON string, quoted and escaped. Bytes that are not UTF-8 become U+FFFD.
void do_add_json(do_buffer *buffer, do_text text);
void do_add_hex(do_buffer *buffer, do_text bytes);
do_text do_text_of(const do_buffer *buffer);

// Numbers as a whole text has them. False if it has anything else, or more than the type holds.
bool do_parse_i64(do_text text, int64_t *number);
// Decimal digits with a point and an exponent, correctly rounded; no blanks, no infinities, no NaN.
bool do_parse_f64(do_text text, double *number);
// False if the text is not what is decoded. `bytes` is in the memory of this event.
bool do_decode_hex(do_text text, do_text *bytes);
bool do_decode_base64(do_text text, do_text *bytes);
// %XX, and + as a blank if `plus`. A % without two hex digits stays.
do_text do_decode_percent(do_text text, bool plus);

// ---- Requests ----

typedef enum do_event {
  DO_HTTP,
  DO_WEBSOCKET_OPEN,
  DO_WEBSOCKET_TEXT,
  DO_WEBSOCKET_BINARY,
  DO_WEBSOCKET_CLOSE,
  DO_ALARM,
} do_event;

// A slot of the ABI: one value of any kind.
typedef struct __attribute__((packed, aligned(4))) do_value {
  uint8_t tag;
  uint8_t unused[3];
  uint32_t a;
  union {
    double f64;
    int64_t i64;
  } b;
} do_value;

// Parts of a path that one route may name.
#define DO_MAX_PARAMS 8

typedef struct do_request {
  do_event event;
  do_text method;   // the name of the event where it is not DO_HTTP
  do_text target;   // path and query
  do_text path;     // not decoded
  do_text query;    // without the ?
  do_text body;     // of a WebSocket: the message, or the reason of a close
  do_text headers;  // `name: value` lines, names in lower case
  int32_t socket;   // of a WebSocket
  int32_t code;     // DO_WEBSOCKET_CLOSE
  bool clean;       // DO_WEBSOCKET_CLOSE
  int32_t attempts; // DO_ALARM: how many have failed before
  uint32_t fanout;  // results of the fan-out
  const do_value *fanout_slots;
  uint32_t param_count;
  do_text param_names[DO_MAX_PARAMS], param_values[DO_MAX_PARAMS];
} do_request;

// What a route calls NAME in `/:NAME`, decoded. Empty if it does not.
do_text do_param(const do_request *request, do_text name);
// The first header, query parameter, field of a form (application/x-www-form-urlencoded) or cookie of that
// name. False if there is none. Names of headers in any case; what is in queries and forms is decoded.
bool do_header(const do_request *request, do_text name, do_text *value);
bool do_query(const do_request *request, do_text name, do_text *value);
bool do_form(const do_request *request, do_text name, do_text *value);
bool do_cookie(const do_request *request, do_text name, do_text *value);
// Takes one `name=value` off a query or form, decoded. False at the end.
bool do_next_field(do_text *rest, do_text *name, do_text *value);
// Name and password of the header `authorization: Basic`. False if there are none.
bool do_basic_auth(const do_request *request, do_text *user, do_text *password);
// A result of the fan-out: the status 200 and the body, or the status of a failure, 0 for one of the network.
int32_t do_fanout_result(const do_request *request, uint32_t index, do_text *body);

// ---- Responses ----

// The status 200 and no body until it is filled.
typedef struct do_response {
  int32_t status;
  do_text type;
  do_text body;
  do_buffer headers;
  bool is_text;
  bool broken; // a header could not be sent: the answer is 500 and says which
} do_response;

// Each sets status, type and body.
void do_answer(do_response *response, int32_t status, do_text type, do_text body);
void do_answer_text(do_response *response, int32_t status, do_text body);
void do_answer_json(do_response *response, int32_t status, do_text body);
void do_redirect(do_response *response, int32_t status, do_text location);
void do_not_found(do_response *response);
// 405; `allow` as in "GET, POST".
void do_method_not_allowed(do_response *response, do_text allow);
// Adds a header; also one more of the same name, such as set-cookie. A name that is none, or a line break
// in a value, makes the answer a 500. The content type is do_answer's.
void do_add_header(do_response *response, do_text name, do_text value);

// ---- A handler ----

typedef void do_handler(do_request *request, do_response *response);

// `method` 0: every one. GET answers HEAD too. `path` is matched whole; `:NAME` stands for one part that is
// not empty, and a last `*` for all that follows. The first that fits is taken.
typedef struct do_route {
  const char *method;
  const char *path;
  do_handler *handler;
} do_route;

// A handler defines `const do_app dolmen_app = {...}`; all may be 0.
typedef struct do_app {
  const do_route *routes;    // ends with {0}
  do_handler *fallback;      // for paths that no route has; without it 404
  do_handler *alarm;         // a status of 400 or more: the alarm runs again
  do_handler *socket_open;   // a status of 200 to 299 accepts; without it accepts if there is socket_message
  do_handler *socket_message; // a body is sent back
  do_handler *socket_close;
} do_app;

extern const do_app dolmen_app;

// Before a handler runs, Dolmen fetches the URLs that FUNCTION names, all at the same time:
// uint32_t FUNCTION(do_request *request, do_text urls[DO_MAX_FANOUT]), how many.
#define DO_MAX_FANOUT 64
#define DOLMEN_FANOUT(function)                                                                          \
  __attribute__((export_name("fanout_zerobuf"))) do_value *do_fanout_export(do_value *slots) {           \
    return do_fanout_run(slots, function);                                                              \
  }
typedef uint32_t do_fanout_urls(do_request *request, do_text urls[]);
do_value *do_fanout_run(do_value *slots, do_fanout_urls *urls);

// ---- The host ----

// What calls answer that can fail: 0 or more is done.
enum { DO_DONE = 0, DO_NONE = -1, DO_FAILED = -2 };
// Why the last call failed, in words.
do_text do_error(void);
// 500 with do_error().
void do_answer_error(do_response *response);

// Key and value of the object; in the worker of the worker's own KV.
int32_t do_kv_get(do_text key, do_text *value); // or DO_NONE
int32_t do_kv_put(do_text key, do_text value);
int32_t do_kv_delete(do_text key);              // 1, or 0 if it was not there

typedef struct do_kv_entry {
  do_text key, value;
} do_kv_entry;
enum { DO_KV_REVERSE = 1, DO_KV_KEYS_ONLY = 2, DO_KV_AFTER_START = 4 };
// Entries by key; `limit` 1,000 at most. How many there are.
int32_t do_kv_list(do_text prefix, do_text start, int32_t limit, int32_t flags, do_kv_entry **entries);

// Kinds of do_value.
enum { DO_NULL = 0, DO_BOOL = 1, DO_I32 = 2, DO_F64 = 3, DO_STRING = 4, DO_ARRAY = 5, DO_OBJECT = 6, DO_I64 = 7, DO_BYTES = 8 };
do_value do_null(void);
do_value do_bool(bool value);
do_value do_i64(int64_t value);
do_value do_f64(double value);
do_value do_string(do_text text); // copies it
do_value do_bytes(do_text bytes); // copies them
// What a value is as a number or text; 0 and the empty text if it is none.
int64_t do_as_i64(const do_value *value);
double do_as_f64(const do_value *value);
do_text do_as_text(const do_value *value);

typedef struct do_rows {
  uint32_t column_count, row_count;
  const do_value *columns; // their names
  const do_value *rows;
  int64_t rows_read, rows_written;
} do_rows;
// Runs a statement with `?` for each parameter. `rows` may be NULL.
int32_t do_sql(do_text statement, const do_value *parameters, uint32_t count, do_rows *rows);
// Null where there is none.
const do_value *do_cell(const do_rows *rows, uint32_t row, uint32_t column);

int64_t do_alarm_get(void); // milliseconds since 1970, or DO_NONE
int32_t do_alarm_set(int64_t time_ms);
int32_t do_alarm_delete(void);

typedef struct do_fetch_request {
  do_text method; // empty: GET
  do_text url, body;
  do_buffer headers; // fill it with do_fetch_header
} do_fetch_request;
typedef struct do_fetch_response {
  int32_t status; // of do_fetch_many: 0 for a failure, and its reason is the body
  do_text type, body, headers;
} do_fetch_response;
// False, and nothing is added, if a name or value cannot be sent.
bool do_fetch_header(do_fetch_request *request, do_text name, do_text value);
// The value of the first header of that name. False if there is none.
bool do_response_header(const do_fetch_response *response, do_text name, do_text *value);
// Both wait. What was written before is durable when the requests leave.
int32_t do_fetch(const do_fetch_request *request, do_fetch_response *response);
#define DO_MAX_FETCHES 64
int32_t do_fetch_many(const do_fetch_request *requests, uint32_t count, do_fetch_response *responses);

int32_t do_ws_send(int32_t socket, do_text message, bool binary); // or DO_NONE: no such socket
// To all but the socket `except`, or -1. How many.
int32_t do_ws_broadcast(do_text message, bool binary, int32_t except);
int32_t do_ws_close(int32_t socket, int32_t code, do_text reason); // 1000, or 3000 to 4999; 123 bytes
int32_t do_ws_list(const int32_t **sockets); // how many, the newest first
int32_t do_ws_attach(int32_t socket, do_text bytes); // 16,384 bytes at most; they stay with the socket
int32_t do_ws_attachment(int32_t socket, do_text *bytes);

enum { DO_DEBUG = 0, DO_INFO = 1, DO_WARN = 2, DO_ERROR = 3 };
void do_log(int32_t level, do_text text);
int64_t do_now_ms(void);
enum { DO_OBJECT_ID = 0, DO_OBJECT_NAME = 1, DO_OBJECT_NAMESPACE = 2 };
int32_t do_object_id(int32_t which, do_text *text); // DO_NONE in the worker

// ---- Numbers in columns, by v128 ----

// `to` may be `from`, or one of `a` and `b`.
double do_sum_f64(const double *from, uint32_t count);
int64_t do_sum_i32(const int32_t *from, uint32_t count);
double do_dot_f64(const double *a, const double *b, uint32_t count);
void do_scale_f64(double *to, const double *from, uint32_t count, double factor);
// Infinity and -infinity without numbers; NaN if one is.
void do_minmax_f64(const double *from, uint32_t count, double *min, double *max);
void do_add_columns_f64(double *to, const double *a, const double *b, uint32_t count);
void do_sub_columns_f64(double *to, const double *a, const double *b, uint32_t count);
void do_mul_columns_f64(double *to, const double *a, const double *b, uint32_t count);
void do_clamp_f64(double *to, const double *from, uint32_t count, double min, double max);
// from * factor + offset.
void do_map_linear_f64(double *to, const double *from, uint32_t count, double factor, double offset);

typedef struct do_stats {
  uint32_t count;
  double sum, mean, min, max, stddev; // stddev of the population: divided by count
} do_stats;
// All 0 without numbers.
do_stats do_stats_f64(const double *from, uint32_t count);
// To 0 for the least and 1 for the largest; 0 if all are equal.
void do_normalize_f64(double *to, const double *from, uint32_t count);
// Pearson's; NaN if one of the columns is constant.
double do_correlation_f64(const double *x, const double *y, uint32_t count);
double do_weighted_sum_f64(const double *values, const double *weights, uint32_t count);

// ---- Cryptography, in times that do not depend on secrets ----

void do_sha256(do_text bytes, uint8_t digest[32]);
void do_sha512(do_text bytes, uint8_t digest[64]);
void do_hmac_sha256(do_text key, do_text bytes, uint8_t mac[32]);
#define DO_TAG_SIZE 16
// AES-256-GCM. `to` has room for the bytes and the tag of 16, which follows them, and may be `from`.
// A nonce must never be used twice with one key.
void do_aes256gcm_encrypt(uint8_t *to, const uint8_t key[32], const uint8_t nonce[12], do_text extra, do_text from);
// `from` ends with the tag. False, and `to` is not written, if the tag is wrong.
bool do_aes256gcm_decrypt(uint8_t *to, const uint8_t key[32], const uint8_t nonce[12], do_text extra, do_text from);

#ifdef DOLMEN_IMPLEMENTATION
#include "dolmen/memory.h"
#include "dolmen/text.h"
#include "dolmen/number.h"
#include "dolmen/request.h"
#include "dolmen/serve.h"
#include "dolmen/host.h"
#include "dolmen/simd.h"
#include "dolmen/crypto.h"
#endif

#endif
