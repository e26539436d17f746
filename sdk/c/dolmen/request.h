// A request as the ABI lays it out, and what its path, query, headers and body say.

static const void *do_pointer(uint32_t address) { return (const void *)(uintptr_t)address; }

do_text do_as_text(const do_value *value) {
  if (value->tag != DO_STRING && value->tag != DO_BYTES) return (do_text){"", 0};
  const uint32_t *size = do_pointer(value->a);
  return (do_text){(const char *)(size + 1), *size};
}

static do_event do_event_of(do_text method) {
  if (!do_starts_with(method, DO_TEXT("WEBSOCKET"))) return do_equal(method, DO_TEXT("ALARM")) ? DO_ALARM : DO_HTTP;
  if (method.size == 9) return DO_WEBSOCKET_TEXT;
  if (do_equal(method, DO_TEXT("WEBSOCKET_OPEN"))) return DO_WEBSOCKET_OPEN;
  if (do_equal(method, DO_TEXT("WEBSOCKET_BINARY"))) return DO_WEBSOCKET_BINARY;
  return do_equal(method, DO_TEXT("WEBSOCKET_CLOSE")) ? DO_WEBSOCKET_CLOSE : DO_HTTP;
}

static int32_t do_number_of(const do_value *slot) { return slot->tag == DO_I32 ? (int32_t)slot->a : 0; }

// Slots 6 and on are of the event: a socket, the attempts of an alarm, or the results of a fan-out.
static do_request do_read_request(const do_value *slots) {
  do_request request = {.method = do_as_text(&slots[0]),
                        .target = do_as_text(&slots[1]),
                        .body = do_as_text(&slots[2]),
                        .headers = do_as_text(&slots[3])};
  request.event = do_event_of(request.method);
  do_text rest = request.target;
  if (!do_split(&rest, '?', &request.path)) request.path = DO_TEXT("/");
  request.query = rest;
  if (request.event == DO_ALARM) {
    request.attempts = do_number_of(&slots[6]);
  } else if (request.event != DO_HTTP) {
    request.socket = do_number_of(&slots[6]);
    request.code = do_number_of(&slots[7]);
    request.clean = do_number_of(&slots[8]) == 1;
  }
  return request;
}

// Takes a `name: value` line off `*rest`.
static bool do_next_header(do_text *rest, do_text *name, do_text *value) {
  do_text line;
  while (do_split(rest, '\n', &line)) {
    int32_t colon = do_find(line, DO_TEXT(": "));
    if (colon < 0) continue;
    *name = do_slice(line, 0, (uint32_t)colon);
    *value = do_slice(line, (uint32_t)colon + 2, line.size);
    return true;
  }
  return false;
}

static bool do_find_header(do_text lines, do_text wanted, do_text *value) {
  do_text name;
  while (do_next_header(&lines, &name, value)) {
    if (do_equal_nocase(name, wanted)) return true;
  }
  *value = (do_text){"", 0};
  return false;
}

bool do_header(const do_request *request, do_text name, do_text *value) {
  return do_find_header(request->headers, name, value);
}

bool do_next_field(do_text *rest, do_text *name, do_text *value) {
  do_text field;
  while (do_split(rest, '&', &field)) {
    if (field.size == 0) continue;
    do_text encoded;
    if (!do_split(&field, '=', &encoded)) continue;
    *name = do_decode_percent(encoded, true);
    *value = do_decode_percent(field, true);
    return true;
  }
  return false;
}

static bool do_find_field(do_text fields, do_text wanted, do_text *value) {
  do_text name;
  while (do_next_field(&fields, &name, value)) {
    if (do_equal(name, wanted)) return true;
  }
  *value = (do_text){"", 0};
  return false;
}

bool do_query(const do_request *request, do_text name, do_text *value) {
  return do_find_field(request->query, name, value);
}

bool do_form(const do_request *request, do_text name, do_text *value) {
  do_text type, kind;
  do_header(request, DO_TEXT("content-type"), &type);
  bool is_form = do_split(&type, ';', &kind) && do_equal_nocase(do_trim(kind), DO_TEXT("application/x-www-form-urlencoded"));
  return do_find_field(is_form ? request->body : (do_text){"", 0}, name, value);
}

bool do_cookie(const do_request *request, do_text wanted, do_text *value) {
  do_text cookies, pair, name;
  do_header(request, DO_TEXT("cookie"), &cookies);
  while (do_split(&cookies, ';', &pair)) {
    pair = do_trim(pair);
    if (!do_split(&pair, '=', &name) || !do_equal(name, wanted)) continue;
    bool quoted = pair.size > 1 && pair.data[0] == '"' && pair.data[pair.size - 1] == '"';
    *value = quoted ? do_slice(pair, 1, pair.size - 1) : pair;
    return true;
  }
  *value = (do_text){"", 0};
  return false;
}

bool do_basic_auth(const do_request *request, do_text *user, do_text *password) {
  do_text value, both;
  do_header(request, DO_TEXT("authorization"), &value);
  if (!do_equal_nocase(do_slice(value, 0, 6), DO_TEXT("Basic "))) return false;
  if (!do_decode_base64(do_trim(do_slice(value, 6, value.size)), &both)) return false;
  int32_t colon = do_find(both, DO_TEXT(":"));
  if (colon < 0) return false;
  *user = do_slice(both, 0, (uint32_t)colon);
  *password = do_slice(both, (uint32_t)colon + 1, both.size);
  return true;
}

do_text do_param(const do_request *request, do_text name) {
  for (uint32_t i = 0; i < request->param_count; i++) {
    if (do_equal(request->param_names[i], name)) return do_decode_percent(request->param_values[i], false);
  }
  return (do_text){"", 0};
}

int32_t do_fanout_result(const do_request *request, uint32_t index, do_text *body) {
  *body = (do_text){"", 0};
  if (index >= request->fanout) return 0;
  const do_value *result = &request->fanout_slots[index];
  if (result->tag == DO_I32) return (int32_t)result->a;
  *body = do_as_text(result);
  return 200;
}
