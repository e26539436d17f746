// The calls of the host, module `do`. Each is imported only by a handler that uses it.

#define DO_IMPORT(name) __attribute__((import_module("do"), import_name(name))) extern

DO_IMPORT("take") int32_t do_host_take(void *to, uint32_t offset, uint32_t max);
DO_IMPORT("last_error") int32_t do_host_last_error(void);
DO_IMPORT("kv_get") int32_t do_host_kv_get(const char *key, uint32_t size);
DO_IMPORT("kv_put") int32_t do_host_kv_put(const char *key, uint32_t size, const char *value, uint32_t value_size);
DO_IMPORT("kv_delete") int32_t do_host_kv_delete(const char *key, uint32_t size);
DO_IMPORT("kv_list") int32_t do_host_kv_list(const char *prefix, uint32_t size, const char *start, uint32_t start_size, int32_t limit, int32_t flags);
DO_IMPORT("sql_exec") int32_t do_host_sql_exec(const char *statement, uint32_t size, const do_value *parameters, uint32_t count);
DO_IMPORT("alarm_get") int64_t do_host_alarm_get(void);
DO_IMPORT("alarm_set") int32_t do_host_alarm_set(int64_t time);
DO_IMPORT("alarm_delete") int32_t do_host_alarm_delete(void);
DO_IMPORT("fetch") int32_t do_host_fetch(const do_value *request);
DO_IMPORT("fetch_many") int32_t do_host_fetch_many(const do_value *requests, uint32_t count);
DO_IMPORT("ws_send") int32_t do_host_ws_send(int32_t socket, const char *data, uint32_t size, int32_t binary);
DO_IMPORT("ws_broadcast") int32_t do_host_ws_broadcast(const char *data, uint32_t size, int32_t binary, int32_t except);
DO_IMPORT("ws_close") int32_t do_host_ws_close(int32_t socket, int32_t code, const char *reason, uint32_t size);
DO_IMPORT("ws_list") int32_t do_host_ws_list(void);
DO_IMPORT("ws_attach") int32_t do_host_ws_attach(int32_t socket, const char *data, uint32_t size);
DO_IMPORT("ws_attachment") int32_t do_host_ws_attachment(int32_t socket);
DO_IMPORT("log") void do_host_log(int32_t level, const char *data, uint32_t size);
DO_IMPORT("now_ms") int64_t do_host_now_ms(void);
DO_IMPORT("object_id") int32_t do_host_object_id(int32_t which);

// ---- Taking what waits ----

// Takes all `size` bytes that wait, to an address divisible by 16.
static void *do_take(int32_t size) {
  void *to = do_alloc((uint32_t)size);
  if (size > 0 && do_host_take(to, 0, (uint32_t)size) != size) do_panic(DO_TEXT("the host has not given what it said"));
  return to;
}

static int32_t do_take_text(int32_t size, do_text *text) {
  *text = (do_text){"", 0};
  if (size < 0) return size;
  *text = (do_text){do_take(size), (uint32_t)size};
  return DO_DONE;
}

do_text do_error(void) {
  do_text why;
  do_take_text(do_host_last_error(), &why);
  return why;
}

void do_answer_error(do_response *response) { do_answer_text(response, 500, do_error()); }

// ---- Values ----

do_value do_null(void) { return (do_value){0}; }
do_value do_bool(bool value) { return (do_value){.tag = DO_BOOL, .a = value}; }
do_value do_i64(int64_t value) { return (do_value){.tag = DO_I64, .b = {.i64 = value}}; }
do_value do_f64(double value) { return (do_value){.tag = DO_F64, .b = {.f64 = value}}; }
do_value do_string(do_text text) { return do_block_of(DO_STRING, text); }
do_value do_bytes(do_text bytes) { return do_block_of(DO_BYTES, bytes); }

int64_t do_as_i64(const do_value *value) {
  switch (value->tag) {
    case DO_BOOL:
    case DO_I32: return (int32_t)value->a;
    case DO_I64: return value->b.i64;
    case DO_F64: break;
    default: return 0;
  }
  // A conversion of what i64 cannot hold would trap: such a number becomes the nearest end, NaN 0.
  double number = value->b.f64;
  if (number >= 9223372036854775808.0) return INT64_MAX;
  if (number < -9223372036854775808.0) return INT64_MIN;
  return number == number ? (int64_t)number : 0;
}

double do_as_f64(const do_value *value) {
  return value->tag == DO_F64 ? value->b.f64 : (double)do_as_i64(value);
}

// The slots of an array; none if it is not one.
static const do_value *do_items(const do_value *value, uint32_t *count) {
  *count = 0;
  if (value->tag != DO_ARRAY) return 0;
  const uint32_t *cell = do_pointer(value->a);
  const uint32_t *array = do_pointer(*cell);
  *count = array[1];
  return (const do_value *)(array + 2);
}

// ---- Storage ----

int32_t do_kv_get(do_text key, do_text *value) { return do_take_text(do_host_kv_get(key.data, key.size), value); }
int32_t do_kv_put(do_text key, do_text value) { return do_host_kv_put(key.data, key.size, value.data, value.size); }
int32_t do_kv_delete(do_text key) { return do_host_kv_delete(key.data, key.size); }

int32_t do_kv_list(do_text prefix, do_text start, int32_t limit, int32_t flags, do_kv_entry **entries) {
  *entries = 0;
  int32_t size = do_host_kv_list(prefix.data, prefix.size, start.data, start.size, limit, flags);
  if (size < 0) return size;
  uint32_t count, parts;
  const do_value *items = do_items(do_take(size), &count);
  *entries = do_alloc(count * (uint32_t)sizeof(do_kv_entry));
  for (uint32_t i = 0; i < count; i++) {
    const do_value *pair = do_items(&items[i], &parts);
    (*entries)[i] = (do_kv_entry){0};
    if (parts > 0) (*entries)[i].key = do_as_text(&pair[0]);
    if (parts > 1) (*entries)[i].value = do_as_text(&pair[1]);
  }
  return (int32_t)count;
}

int32_t do_sql(do_text statement, const do_value *parameters, uint32_t count, do_rows *rows) {
  int32_t size = do_host_sql_exec(statement.data, statement.size, parameters, count);
  if (rows) *rows = (do_rows){0};
  if (size < 0 || !rows) return size < 0 ? size : DO_DONE;
  uint32_t parts;
  const do_value *result = do_items(do_take(size), &parts);
  if (parts < 4) do_panic(DO_TEXT("the host's result of a statement has less than 4 parts"));
  rows->columns = do_items(&result[0], &rows->column_count);
  rows->rows = do_items(&result[1], &rows->row_count);
  rows->rows_read = do_as_i64(&result[2]);
  rows->rows_written = do_as_i64(&result[3]);
  return DO_DONE;
}

const do_value *do_cell(const do_rows *rows, uint32_t row, uint32_t column) {
  static const do_value null;
  uint32_t count;
  if (row >= rows->row_count) return &null;
  const do_value *cells = do_items(&rows->rows[row], &count);
  return column < count ? &cells[column] : &null;
}

int64_t do_alarm_get(void) { return do_host_alarm_get(); }
int32_t do_alarm_set(int64_t time_ms) { return do_host_alarm_set(time_ms); }
int32_t do_alarm_delete(void) { return do_host_alarm_delete(); }

// ---- Fetching ----

#define DO_FETCH_SLOTS 4

bool do_fetch_header(do_fetch_request *request, do_text name, do_text value) {
  return do_add_header_line(&request->headers, name, value);
}

bool do_response_header(const do_fetch_response *response, do_text name, do_text *value) {
  return do_find_header(response->headers, name, value);
}

static void do_write_fetch(do_value *slots, const do_fetch_request *request) {
  slots[0] = do_string(request->method.size > 0 ? request->method : DO_TEXT("GET"));
  slots[1] = do_string(request->url);
  slots[2] = do_bytes(request->body);
  slots[3] = do_string(do_text_of(&request->headers));
}

static void do_read_fetch(const do_value *slots, do_fetch_response *response) {
  response->status = do_number_of(&slots[0]);
  response->type = do_as_text(&slots[1]);
  response->body = do_as_text(&slots[2]);
  response->headers = do_as_text(&slots[3]);
}

int32_t do_fetch(const do_fetch_request *request, do_fetch_response *response) {
  do_value *slots = do_alloc(DO_FETCH_SLOTS * sizeof(do_value));
  do_write_fetch(slots, request);
  int32_t size = do_host_fetch(slots);
  *response = (do_fetch_response){0};
  if (size < 0) return size;
  do_read_fetch(do_take(size), response);
  return DO_DONE;
}

int32_t do_fetch_many(const do_fetch_request *requests, uint32_t count, do_fetch_response *responses) {
  if (count > DO_MAX_FETCHES) do_panic(DO_TEXT("more than 64 requests at the same time"));
  do_value *slots = do_alloc(count * DO_FETCH_SLOTS * (uint32_t)sizeof(do_value));
  for (uint32_t i = 0; i < count; i++) do_write_fetch(slots + i * DO_FETCH_SLOTS, &requests[i]);
  int32_t size = do_host_fetch_many(slots, count);
  if (size < 0) return size;
  slots = do_take(size);
  for (uint32_t i = 0; i < count; i++) do_read_fetch(slots + i * DO_FETCH_SLOTS, &responses[i]);
  return DO_DONE;
}

// ---- WebSockets ----

int32_t do_ws_send(int32_t socket, do_text message, bool binary) {
  return do_host_ws_send(socket, message.data, message.size, binary);
}

int32_t do_ws_broadcast(do_text message, bool binary, int32_t except) {
  return do_host_ws_broadcast(message.data, message.size, binary, except);
}

int32_t do_ws_close(int32_t socket, int32_t code, do_text reason) {
  return do_host_ws_close(socket, code, reason.data, reason.size);
}

int32_t do_ws_list(const int32_t **sockets) {
  *sockets = 0;
  int32_t size = do_host_ws_list();
  if (size < 0) return size;
  uint32_t count;
  const do_value *items = do_items(do_take(size), &count);
  int32_t *list = do_alloc(count * (uint32_t)sizeof(int32_t));
  for (uint32_t i = 0; i < count; i++) list[i] = do_number_of(&items[i]);
  *sockets = list;
  return (int32_t)count;
}

int32_t do_ws_attach(int32_t socket, do_text bytes) { return do_host_ws_attach(socket, bytes.data, bytes.size); }
int32_t do_ws_attachment(int32_t socket, do_text *bytes) { return do_take_text(do_host_ws_attachment(socket), bytes); }

// ---- The rest ----

void do_log(int32_t level, do_text text) { do_host_log(level, text.data, text.size); }
int64_t do_now_ms(void) { return do_host_now_ms(); }
int32_t do_object_id(int32_t which, do_text *text) { return do_take_text(do_host_object_id(which), text); }
