// Tries the calls of the host one by one. A file of its own, so the SDK is tried with more than one file too.

#include "host.h"

static bool failed(int64_t result, do_response *response) {
  if (result != DO_FAILED) return false;
  do_answer_error(response);
  return true;
}

static do_text field(const do_request *request, const char *name) {
  do_text value;
  do_query(request, (do_text){name, (uint32_t)__builtin_strlen(name)}, &value);
  return value;
}

static int64_t number(do_text text) {
  int64_t value = 0;
  do_parse_i64(text, &value);
  return value;
}

// ---- SQL: the body is the statement, `p` a parameter such as i:5, f:1.5, s:text, b:HEX, t:1 and n: ----

static do_value parameter(do_text text) {
  do_text value = do_slice(text, 2, text.size), bytes = {0};
  double real = 0;
  switch (text.size > 0 ? *text.data : 0) {
    case 'i': return do_i64(number(value));
    case 'f': do_parse_f64(value, &real); return do_f64(real);
    case 's': return do_string(value);
    case 'b': do_decode_hex(value, &bytes); return do_bytes(bytes);
    case 't': return do_bool(number(value) != 0);
  }
  return do_null();
}

static void add_value(do_buffer *json, const do_value *value) {
  do_buffer hex = {0};
  switch (value->tag) {
    case DO_NULL: do_add(json, DO_TEXT("null")); return;
    case DO_F64: do_add_f64(json, do_as_f64(value)); return;
    case DO_STRING: do_add_json(json, do_as_text(value)); return;
    case DO_BYTES:
      do_add(&hex, DO_TEXT("hex:"));
      do_add_hex(&hex, do_as_text(value));
      do_add_json(json, do_text_of(&hex));
      return;
  }
  do_add_i64(json, do_as_i64(value));
}

void host_sql(do_request *request, do_response *response) {
  do_value parameters[16];
  do_rows rows;
  do_buffer json = {0};
  uint32_t count = 0;
  do_text rest = request->query, name, value;
  while (count < 16 && do_next_field(&rest, &name, &value)) parameters[count++] = parameter(value);
  if (failed(do_sql(request->body, parameters, count, &rows), response)) return;
  do_add(&json, DO_TEXT("{\"columns\":["));
  for (uint32_t i = 0; i < rows.column_count; i++) {
    if (i > 0) do_add_char(&json, ',');
    do_add_json(&json, do_as_text(&rows.columns[i]));
  }
  do_add(&json, DO_TEXT("],\"rows\":["));
  for (uint32_t row = 0; row < rows.row_count; row++) {
    do_add(&json, row > 0 ? DO_TEXT(",[") : DO_TEXT("["));
    for (uint32_t i = 0; i < rows.column_count; i++) {
      if (i > 0) do_add_char(&json, ',');
      add_value(&json, do_cell(&rows, row, i));
    }
    do_add_char(&json, ']');
  }
  do_add(&json, DO_TEXT("],\"written\":"));
  do_add_i64(&json, rows.rows_written);
  do_add_char(&json, '}');
  do_answer_json(response, 200, do_text_of(&json));
}

// ---- KV, alarms, the object ----

// Puts the body under the key of the query.
void host_keep(do_request *request, do_response *response) {
  if (!failed(do_kv_put(field(request, "key"), request->body), response)) do_answer_text(response, 200, DO_TEXT("kept"));
}

void host_list(do_request *request, do_response *response) {
  do_kv_entry *entries;
  do_buffer json = {0};
  int32_t count = do_kv_list(field(request, "prefix"), field(request, "start"), (int32_t)number(field(request, "limit")),
                             (int32_t)number(field(request, "flags")), &entries);
  if (failed(count, response)) return;
  do_add_char(&json, '[');
  for (int32_t i = 0; i < count; i++) {
    do_add(&json, i > 0 ? DO_TEXT(",[") : DO_TEXT("["));
    do_add_json(&json, entries[i].key);
    do_add_char(&json, ',');
    do_add_json(&json, entries[i].value);
    do_add_char(&json, ']');
  }
  do_add_char(&json, ']');
  do_answer_json(response, 200, do_text_of(&json));
}

// Sets the alarm to `at`, or deletes it without; answers when it is due.
void host_alarm(do_request *request, do_response *response) {
  do_text at;
  do_buffer due = {0};
  bool set = do_query(request, DO_TEXT("at"), &at);
  if (failed(set ? do_alarm_set(number(at)) : do_alarm_delete(), response)) return;
  int64_t time = do_alarm_get();
  if (failed(time, response)) return;
  if (time == DO_NONE) do_add(&due, DO_TEXT("none"));
  else do_add_i64(&due, time);
  do_answer_text(response, 200, do_text_of(&due));
}

void host_object(do_request *request, do_response *response) {
  (void)request;
  do_buffer json = {0};
  for (int32_t which = DO_OBJECT_ID; which <= DO_OBJECT_NAMESPACE; which++) {
    do_text text;
    do_add_char(&json, which == DO_OBJECT_ID ? '[' : ',');
    if (do_object_id(which, &text) == DO_NONE) do_add(&json, DO_TEXT("null"));
    else do_add_json(&json, text);
  }
  do_add_char(&json, ']');
  do_answer_json(response, 200, do_text_of(&json));
}

void host_log(do_request *request, do_response *response) {
  do_log(DO_WARN, request->body);
  do_answer_text(response, 200, DO_TEXT("logged"));
}

// ---- Fetching ----

static void add_result(do_buffer *json, int32_t status, do_text body) {
  do_add(json, json->size > 0 ? DO_TEXT(",[") : DO_TEXT("[["));
  do_add_i64(json, status);
  do_add_char(json, ',');
  do_add_json(json, body);
  do_add_char(json, ']');
}

static void answer_results(do_response *response, do_buffer *json) {
  do_add(json, json->size > 0 ? DO_TEXT("]") : DO_TEXT("[]"));
  do_answer_json(response, 200, do_text_of(json));
}

// Sends the body with a header to `url`; answers status and body, and the header x-origin.
void host_fetch(do_request *request, do_response *response) {
  do_fetch_request wanted = {.method = DO_TEXT("PATCH"), .url = field(request, "url"), .body = request->body};
  do_fetch_response fetched;
  do_text origin;
  do_buffer json = {0};
  if (do_fetch_header(&wanted, DO_TEXT("x-bad"), DO_TEXT("a\nb"))) do_panic(DO_TEXT("a bad header was taken"));
  do_fetch_header(&wanted, DO_TEXT("x-asked"), DO_TEXT("by a handler"));
  if (failed(do_fetch(&wanted, &fetched), response)) return;
  do_response_header(&fetched, DO_TEXT("X-Origin"), &origin);
  add_result(&json, fetched.status, fetched.body);
  add_result(&json, 0, origin);
  answer_results(response, &json);
}

// Lines of URLs.
void host_fetch_many(do_request *request, do_response *response) {
  do_fetch_request wanted[DO_MAX_FETCHES] = {0};
  do_fetch_response fetched[DO_MAX_FETCHES];
  do_text rest = request->body;
  do_buffer json = {0};
  uint32_t count = 0;
  while (count < DO_MAX_FETCHES && do_split(&rest, '\n', &wanted[count].url)) count++;
  if (failed(do_fetch_many(wanted, count, fetched), response)) return;
  for (uint32_t i = 0; i < count; i++) add_result(&json, fetched[i].status, fetched[i].body);
  answer_results(response, &json);
}

uint32_t host_urls(do_request *request, do_text urls[]) {
  uint32_t count = 0;
  do_text rest = request->query, name;
  if (!do_equal(request->path, DO_TEXT("/fanout"))) return 0;
  while (count < DO_MAX_FANOUT && do_next_field(&rest, &name, &urls[count])) count++;
  return count;
}

void host_fanout(do_request *request, do_response *response) {
  do_buffer json = {0};
  for (uint32_t i = 0; i < request->fanout; i++) {
    do_text body;
    int32_t status = do_fanout_result(request, i, &body);
    add_result(&json, status, body);
  }
  answer_results(response, &json);
}

// ---- WebSockets: a text is a command ----

void host_opened(do_request *request, do_response *response) {
  if (do_equal(request->path, DO_TEXT("/refused"))) do_answer_text(response, 418, DO_TEXT("refused"));
  else do_answer_text(response, 200, DO_TEXT("welcome"));
}

static void command(do_request *request, do_response *response, do_text word, do_text rest) {
  do_text text = DO_TEXT("none");
  const int32_t *sockets;
  do_buffer json = {0};
  if (do_equal(word, DO_TEXT("attach"))) {
    if (!failed(do_ws_attach(request->socket, rest), response)) do_answer_text(response, 200, DO_TEXT("attached"));
  } else if (do_equal(word, DO_TEXT("attachment"))) {
    if (do_ws_attachment(request->socket, &text) == DO_NONE) text = DO_TEXT("none");
    do_answer_text(response, 200, text);
  } else if (do_equal(word, DO_TEXT("list"))) {
    // How many there are, and whether the newest is this one.
    int32_t count = do_ws_list(&sockets);
    do_add_i64(&json, count);
    do_add(&json, count > 0 && sockets[0] == request->socket ? DO_TEXT(" newest") : DO_TEXT(" older"));
    do_answer_text(response, 200, do_text_of(&json));
  } else if (do_equal(word, DO_TEXT("send"))) {
    do_ws_send(request->socket, rest, false);
    do_ws_send(request->socket, rest, true);
    if (do_ws_send(1 << 30, rest, false) != DO_NONE) do_panic(DO_TEXT("a socket that is not there was sent on"));
  } else if (do_equal(word, DO_TEXT("close"))) {
    failed(do_ws_close(request->socket, (int32_t)number(rest), DO_TEXT("as asked")), response);
  }
}

void host_message(do_request *request, do_response *response) {
  do_text rest = request->body, word;
  if (request->event == DO_WEBSOCKET_BINARY) do_answer(response, 200, DO_TEXT(""), request->body);
  else if (do_split(&rest, ' ', &word)) command(request, response, word, rest);
}

// Sends to the others how a socket was closed.
void host_closed(do_request *request, do_response *response) {
  (void)response;
  do_buffer text = {0};
  do_add_i64(&text, request->code);
  do_add(&text, request->clean ? DO_TEXT(" clean ") : DO_TEXT(" lost "));
  do_add(&text, request->body);
  do_ws_broadcast(do_text_of(&text), false, request->socket);
}
