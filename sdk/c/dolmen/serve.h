// From the host's call to the handler of a route or an event, and back with its response.

#define DO_RESPONSE_SLOTS 4

void do_answer(do_response *response, int32_t status, do_text type, do_text body) {
  response->status = status;
  response->type = type;
  response->body = body;
  response->is_text = false;
}

void do_answer_text(do_response *response, int32_t status, do_text body) {
  do_answer(response, status, DO_TEXT("text/plain; charset=utf-8"), body);
  response->is_text = true;
}

void do_answer_json(do_response *response, int32_t status, do_text body) {
  do_answer(response, status, DO_TEXT("application/json"), body);
  response->is_text = true;
}

void do_redirect(do_response *response, int32_t status, do_text location) {
  do_answer_text(response, status, DO_TEXT(""));
  do_add_header(response, DO_TEXT("location"), location);
}

void do_not_found(do_response *response) { do_answer_text(response, 404, DO_TEXT("not found\n")); }

void do_method_not_allowed(do_response *response, do_text allow) {
  do_answer_text(response, 405, DO_TEXT("method not allowed\n"));
  do_add_header(response, DO_TEXT("allow"), allow);
}

static bool do_is_token(do_text name) {
  for (uint32_t i = 0; i < name.size; i++) {
    char byte = do_lower(name.data[i]);
    bool letter = (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9');
    if (!letter && (byte <= ' ' || do_find(DO_TEXT("!#$%&'*+-.^_`|~"), (do_text){&byte, 1}) < 0)) return false;
  }
  return name.size > 0;
}

static bool do_is_header_value(do_text value) {
  for (uint32_t i = 0; i < value.size; i++) {
    uint8_t byte = (uint8_t)value.data[i];
    if ((byte < 0x20 && byte != '\t') || byte == 0x7f) return false;
  }
  return true;
}

static bool do_add_header_line(do_buffer *lines, do_text name, do_text value) {
  if (!do_is_token(name) || !do_is_header_value(value)) return false;
  do_add(lines, name);
  do_add(lines, DO_TEXT(": "));
  do_add(lines, value);
  do_add_char(lines, '\n');
  return true;
}

void do_add_header(do_response *response, do_text name, do_text value) {
  if (response->broken || do_add_header_line(&response->headers, name, value)) return;
  do_buffer why = {0};
  do_add(&why, DO_TEXT("the response header "));
  do_add_json(&why, name);
  do_add(&why, DO_TEXT(" cannot be sent: its name is none, or its value has a control character\n"));
  response->broken = true;
  response->headers = why;
}

// ---- Routes ----

static do_text do_of_literal(const char *literal) {
  uint32_t size = 0;
  while (literal[size]) size++;
  return (do_text){literal, size};
}

// Whether a path is what a pattern says; its parts are in `request` then.
static bool do_fits(do_request *request, do_text pattern) {
  do_text path = request->path;
  request->param_count = 0;
  for (;;) {
    if (pattern.size == 1 && *pattern.data == '*') return true;
    if (pattern.size == 0 || path.size == 0) return pattern.size == path.size;
    if (*pattern.data != ':') {
      if (*pattern.data != *path.data) return false;
      pattern = do_slice(pattern, 1, pattern.size);
      path = do_slice(path, 1, path.size);
      continue;
    }
    uint32_t name_end = 1, value_end = 0;
    while (name_end < pattern.size && pattern.data[name_end] != '/') name_end++;
    while (value_end < path.size && path.data[value_end] != '/') value_end++;
    if (value_end == 0) return false;
    if (request->param_count == DO_MAX_PARAMS) do_panic(DO_TEXT("a route has more than 8 named parts"));
    request->param_names[request->param_count] = do_slice(pattern, 1, name_end);
    request->param_values[request->param_count++] = do_slice(path, 0, value_end);
    pattern = do_slice(pattern, name_end, pattern.size);
    path = do_slice(path, value_end, path.size);
  }
}

static void do_route_request(do_request *request, do_response *response) {
  do_text wanted = request->method;
  do_buffer allow = {0};
  if (do_equal(wanted, DO_TEXT("HEAD"))) wanted = DO_TEXT("GET");
  for (const do_route *route = dolmen_app.routes; route && route->path; route++) {
    if (!do_fits(request, do_of_literal(route->path))) continue;
    do_text method = do_of_literal(route->method ? route->method : "");
    if (!route->method || do_equal(method, request->method) || do_equal(method, wanted)) {
      route->handler(request, response);
      return;
    }
    if (allow.size > 0) do_add(&allow, DO_TEXT(", "));
    do_add(&allow, method);
  }
  request->param_count = 0;
  if (allow.size > 0) do_method_not_allowed(response, do_text_of(&allow));
  else if (dolmen_app.fallback) dolmen_app.fallback(request, response);
  else do_not_found(response);
}

static void do_open_socket(do_request *request, do_response *response) {
  if (dolmen_app.socket_open) dolmen_app.socket_open(request, response);
  else if (!dolmen_app.socket_message) do_answer_text(response, 404, DO_TEXT("there are no WebSockets here\n"));
}

static void do_dispatch(do_request *request, do_response *response) {
  switch (request->event) {
    case DO_HTTP: do_route_request(request, response); return;
    case DO_WEBSOCKET_OPEN: do_open_socket(request, response); return;
    case DO_WEBSOCKET_TEXT:
    case DO_WEBSOCKET_BINARY:
      if (dolmen_app.socket_message) dolmen_app.socket_message(request, response);
      return;
    case DO_WEBSOCKET_CLOSE:
      if (dolmen_app.socket_close) dolmen_app.socket_close(request, response);
      return;
    case DO_ALARM:
      if (dolmen_app.alarm) dolmen_app.alarm(request, response);
      else do_answer_text(response, 500, DO_TEXT("there is no handler of alarms"));
      return;
  }
}

// ---- Exports ----

static do_value do_block_of(uint8_t tag, do_text text) {
  if (text.size > 0xffff0000u) do_panic(DO_TEXT("a text is larger than 4 GiB"));
  uint32_t *block = do_alloc(text.size + 4);
  *block = text.size;
  memcpy(block + 1, text.data, text.size);
  return (do_value){.tag = tag, .a = (uint32_t)(uintptr_t)block};
}

// Of the request that comes next: each is asked for its fan-out first.
static uint32_t do_fanout_count;

__attribute__((export_name("handle_zerobuf"))) do_value *do_handle_export(const do_value *slots) {
  do_request request = do_read_request(slots);
  if (request.event == DO_HTTP) {
    request.fanout = do_fanout_count;
    request.fanout_slots = slots + 6;
  }
  do_response response = {.status = 200, .is_text = true};
  do_dispatch(&request, &response);
  if (response.broken) {
    do_answer_text(&response, 500, do_text_of(&response.headers));
    response.headers = (do_buffer){0};
  }
  do_value *answer = do_alloc(DO_RESPONSE_SLOTS * sizeof(do_value));
  answer[0] = (do_value){.tag = DO_I32, .a = (uint32_t)response.status};
  answer[1] = do_block_of(DO_STRING, response.type);
  answer[2] = do_block_of(response.is_text ? DO_STRING : DO_BYTES, response.body);
  answer[3] = do_block_of(DO_STRING, do_text_of(&response.headers));
  return answer;
}

__attribute__((export_name("do_abi"))) int32_t do_abi_export(void) { return 1; }

do_value *do_fanout_run(do_value *slots, do_fanout_urls *urls) {
  do_request request = do_read_request(slots);
  do_text wanted[DO_MAX_FANOUT];
  uint32_t count = urls(&request, wanted);
  if (count > DO_MAX_FANOUT) do_panic(DO_TEXT("a fan-out has more than 64 URLs"));
  // A slot, its cell, and an array of `count` slots.
  do_value *answer = do_alloc(sizeof(do_value));
  *answer = (do_value){0};
  do_fanout_count = count;
  if (count == 0) return answer;
  uint32_t *array = do_alloc(12 + count * (uint32_t)sizeof(do_value));
  array[0] = (uint32_t)(uintptr_t)(array + 1);
  array[1] = array[2] = count;
  do_value *items = (do_value *)(array + 3);
  for (uint32_t i = 0; i < count; i++) items[i] = do_block_of(DO_STRING, wanted[i]);
  *answer = (do_value){.tag = DO_ARRAY, .a = (uint32_t)(uintptr_t)array};
  return answer;
}
