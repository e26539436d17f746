// The hello handler in C: the routes that every SDK's example has, so that one check fits them all.

#define DOLMEN_IMPLEMENTATION
#include "dolmen.h"

// ---- Plain answers ----

static void home(do_request *request, do_response *response) {
  (void)request;
  do_answer_text(response, 200, DO_TEXT("hello from c"));
}

static void json(do_request *request, do_response *response) {
  (void)request;
  do_answer_json(response, 200, DO_TEXT("{\"message\":\"hello\",\"language\":\"c\"}"));
}

static void sha256(do_request *request, do_response *response) {
  do_text text;
  uint8_t digest[32];
  do_buffer hex = {0};
  do_query(request, DO_TEXT("text"), &text);
  do_sha256(text, digest);
  do_add_hex(&hex, (do_text){(char *)digest, sizeof digest});
  do_answer_text(response, 200, do_text_of(&hex));
}

static void upper(do_request *request, do_response *response) {
  do_text text;
  do_buffer result = {0};
  do_query(request, DO_TEXT("text"), &text);
  for (uint32_t i = 0; i < text.size; i++) {
    char byte = text.data[i];
    do_add_char(&result, byte >= 'a' && byte <= 'z' ? (char)(byte - 32) : byte);
  }
  do_answer_text(response, 200, do_text_of(&result));
}

// Of 1 to 8, or of eight numbers from `first` on: known only now, so that v128 has something to compute.
static void simd(do_request *request, do_response *response) {
  double numbers[8], doubled[8], first = 1;
  do_text text;
  do_buffer answer = {0};
  if (do_query(request, DO_TEXT("first"), &text) && !do_parse_f64(text, &first)) {
    do_answer_text(response, 400, DO_TEXT("first must be a number\n"));
    return;
  }
  for (int i = 0; i < 8; i++) numbers[i] = first + i;
  do_scale_f64(doubled, numbers, 8, 2);
  do_add(&answer, DO_TEXT("{\"sum\":"));
  do_add_f64(&answer, do_sum_f64(numbers, 8));
  do_add(&answer, DO_TEXT(",\"dot\":"));
  do_add_f64(&answer, do_dot_f64(numbers, numbers, 8));
  do_add(&answer, DO_TEXT(",\"scaled\":"));
  do_add_f64(&answer, do_sum_f64(doubled, 8));
  do_add_char(&answer, '}');
  do_answer_json(response, 200, do_text_of(&answer));
}

static void echo(do_request *request, do_response *response) {
  do_text type;
  if (!do_header(request, DO_TEXT("content-type"), &type)) type = DO_TEXT("application/octet-stream");
  do_answer(response, 200, type, request->body);
}

static void cookies(do_request *request, do_response *response) {
  do_text header;
  do_header(request, DO_TEXT("cookie"), &header);
  do_answer_text(response, 200, header);
  do_add_header(response, DO_TEXT("set-cookie"), DO_TEXT("a=1"));
  do_add_header(response, DO_TEXT("set-cookie"), DO_TEXT("b=2; Path=/; HttpOnly"));
}

static void status(do_request *request, do_response *response) {
  int64_t wanted;
  if (!do_parse_i64(do_param(request, DO_TEXT("code")), &wanted) || wanted < 200 || wanted > 599) {
    do_answer_text(response, 400, DO_TEXT("the status must be a number from 200 to 599\n"));
    return;
  }
  do_answer_text(response, (int32_t)wanted, DO_TEXT(""));
}

static void redirect(do_request *request, do_response *response) {
  (void)request;
  do_redirect(response, 302, DO_TEXT("/"));
}

static void auth(do_request *request, do_response *response) {
  do_text user, password;
  do_buffer answer = {0};
  if (!do_basic_auth(request, &user, &password)) {
    do_answer_text(response, 401, DO_TEXT("who are you?\n"));
    do_add_header(response, DO_TEXT("www-authenticate"), DO_TEXT("Basic realm=\"hello\""));
    return;
  }
  do_add(&answer, user);
  do_add_char(&answer, ':');
  do_add(&answer, password);
  do_answer_text(response, 200, do_text_of(&answer));
}

// ---- Fetching ----

static void fetch(do_request *request, do_response *response) {
  do_fetch_request wanted = {0};
  do_fetch_response fetched;
  if (!do_query(request, DO_TEXT("url"), &wanted.url)) {
    do_answer_text(response, 400, DO_TEXT("url is missing\n"));
    return;
  }
  if (do_fetch(&wanted, &fetched) < 0) do_answer_text(response, 502, do_error());
  else do_answer(response, 200, fetched.type, fetched.body);
}

static void fetch_both(do_request *request, do_response *response) {
  do_fetch_request wanted[2] = {0};
  do_fetch_response fetched[2];
  do_buffer answer = {0};
  if (!do_query(request, DO_TEXT("a"), &wanted[0].url) || !do_query(request, DO_TEXT("b"), &wanted[1].url)) {
    do_answer_text(response, 400, DO_TEXT("a or b is missing\n"));
    return;
  }
  if (do_fetch_many(wanted, 2, fetched) < 0) {
    do_answer_text(response, 502, do_error());
    return;
  }
  for (int i = 0; i < 2; i++) {
    if (fetched[i].status == 0) {
      do_answer_text(response, 502, fetched[i].body);
      return;
    }
    do_add(&answer, fetched[i].body);
    do_add_char(&answer, '\n');
  }
  do_answer_text(response, 200, do_text_of(&answer));
}

// ---- What objects keep ----

static void put(do_request *request, do_response *response) {
  if (do_kv_put(do_param(request, DO_TEXT("name")), request->body) < 0) do_answer_error(response);
  else response->status = 204;
}

static void get(do_request *request, do_response *response) {
  do_text value;
  int32_t found = do_kv_get(do_param(request, DO_TEXT("name")), &value);
  if (found == DO_FAILED) do_answer_error(response);
  else if (found == DO_NONE) do_not_found(response);
  else do_answer(response, 200, DO_TEXT("application/octet-stream"), value);
}

static void delete(do_request *request, do_response *response) {
  if (do_kv_delete(do_param(request, DO_TEXT("name"))) < 0) do_answer_error(response);
  else response->status = 204;
}

static void list(do_request *request, do_response *response) {
  do_text prefix;
  do_kv_entry *entries;
  do_buffer answer = {0};
  do_query(request, DO_TEXT("prefix"), &prefix);
  int32_t count = do_kv_list(prefix, DO_TEXT(""), 1000, DO_KV_KEYS_ONLY, &entries);
  if (count < 0) {
    do_answer_error(response);
    return;
  }
  do_add_char(&answer, '[');
  for (int32_t i = 0; i < count; i++) {
    if (i > 0) do_add_char(&answer, ',');
    do_add_json(&answer, entries[i].key);
  }
  do_add_char(&answer, ']');
  do_answer_json(response, 200, do_text_of(&answer));
}

// Adds 1 to the counter of a name, and answers what it is then.
static bool count(do_text name, int64_t step, int64_t *number) {
  do_rows rows;
  do_value parameters[] = {do_string(name), do_i64(step)};
  if (do_sql(DO_TEXT("CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, number INTEGER NOT NULL)"), 0, 0, 0) < 0) return false;
  if (do_sql(DO_TEXT("INSERT INTO counters VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET number = number + ?2 RETURNING number"), parameters, 2, &rows) < 0) return false;
  *number = do_as_i64(do_cell(&rows, 0, 0));
  return true;
}

static void answer_count(do_response *response, do_text name, int64_t step) {
  int64_t number;
  do_buffer answer = {0};
  if (!count(name, step, &number)) {
    do_answer_error(response);
    return;
  }
  do_add_i64(&answer, number);
  do_answer_text(response, 200, do_text_of(&answer));
}

static void count_up(do_request *request, do_response *response) {
  (void)request;
  answer_count(response, DO_TEXT("visits"), 1);
}

static void set_alarm(do_request *request, do_response *response) {
  do_text text;
  int64_t delay_ms;
  do_query(request, DO_TEXT("ms"), &text);
  if (!do_parse_i64(text, &delay_ms) || delay_ms < 0 || delay_ms > 1000000000000) {
    do_answer_text(response, 400, DO_TEXT("ms must be a number of milliseconds\n"));
    return;
  }
  if (do_alarm_set(do_now_ms() + delay_ms) < 0) do_answer_error(response);
  else response->status = 204;
}

static void alarms(do_request *request, do_response *response) {
  (void)request;
  answer_count(response, DO_TEXT("alarms"), 0);
}

static void alarm(do_request *request, do_response *response) {
  (void)request;
  answer_count(response, DO_TEXT("alarms"), 1);
}

// ---- WebSockets ----

static void opened(do_request *request, do_response *response) {
  if (do_equal(request->path, DO_TEXT("/private"))) do_answer_text(response, 403, DO_TEXT("this room is private\n"));
}

static void message(do_request *request, do_response *response) {
  bool binary = request->event == DO_WEBSOCKET_BINARY;
  if (do_equal(request->path, DO_TEXT("/room"))) {
    do_ws_broadcast(request->body, binary, request->socket);
    return;
  }
  if (binary) {
    do_answer(response, 200, DO_TEXT(""), request->body);
    return;
  }
  do_buffer answer = {0};
  do_add(&answer, DO_TEXT("echo: "));
  do_add(&answer, request->body);
  do_answer_text(response, 200, do_text_of(&answer));
}

static const do_route routes[] = {
    {"GET", "/", home},
    {"GET", "/json", json},
    {"GET", "/sha256", sha256},
    {"GET", "/upper", upper},
    {"GET", "/simd", simd},
    {"POST", "/echo", echo},
    {"GET", "/cookies", cookies},
    {"GET", "/status/:code", status},
    {"GET", "/redirect", redirect},
    {"GET", "/auth", auth},
    {"GET", "/fetch", fetch},
    {"GET", "/fetch-both", fetch_both},
    {"PUT", "/kv/:name", put},
    {"GET", "/kv/:name", get},
    {"DELETE", "/kv/:name", delete},
    {"GET", "/kv", list},
    {"POST", "/count", count_up},
    {"POST", "/alarm", set_alarm},
    {"GET", "/alarm", alarms},
    {0},
};

const do_app dolmen_app = {
    .routes = routes,
    .fallback = home,
    .alarm = alarm,
    .socket_open = opened,
    .socket_message = message,
};
