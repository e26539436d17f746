// The analytics handler in C: statistics over the columns of a CSV body, computed with v128.

#define DOLMEN_IMPLEMENTATION
#include "dolmen.h"

#define MAX_COLUMNS 256

typedef struct table {
  uint32_t columns, rows;
  do_text names[MAX_COLUMNS];
  double *numbers[MAX_COLUMNS];
} table;

static void refuse(do_response *response, do_text before, do_text name, do_text after) {
  do_buffer why = {0};
  do_add(&why, before);
  do_add(&why, name);
  do_add(&why, after);
  do_answer_text(response, 400, do_text_of(&why));
}

static bool refuse_line(do_response *response, uint32_t line, do_text why) {
  do_buffer number = {0};
  do_add_i64(&number, line);
  refuse(response, DO_TEXT("line "), do_text_of(&number), why);
  return false;
}

// A line without its line break. A last one that is empty is none.
static bool next_line(do_text *rest, do_text *line) {
  if (!do_split(rest, '\n', line)) return false;
  *line = do_trim(*line);
  return line->size > 0 || rest->size > 0;
}

// Reads a line of numbers as the row `row`.
static bool read_row(do_response *response, table *table, uint32_t row, do_text line) {
  uint32_t columns = 0;
  do_text field;
  bool open_end = line.size > 0 && line.data[line.size - 1] == ',';
  while (do_split(&line, ',', &field)) {
    if (columns == table->columns || !do_parse_f64(do_trim(field), &table->numbers[columns][row])) {
      return refuse_line(response, row + 2, DO_TEXT(": every column must have one number\n"));
    }
    columns++;
  }
  if (open_end || columns < table->columns) return refuse_line(response, row + 2, DO_TEXT(": every column must have one number\n"));
  return true;
}

static bool read_names(do_response *response, table *table, do_text line) {
  do_text name;
  table->columns = 0;
  while (do_split(&line, ',', &name)) {
    if (table->columns == MAX_COLUMNS) return refuse_line(response, 1, DO_TEXT(": more than 256 columns\n"));
    table->names[table->columns++] = do_trim(name);
  }
  return true;
}

// A line of names, then lines of numbers. False: it has answered.
static bool read_table(do_request *request, do_response *response, table *table) {
  do_text rest = request->body, line;
  if (!next_line(&rest, &line)) return refuse_line(response, 1, DO_TEXT(": the names of the columns are missing\n"));
  if (!read_names(response, table, line)) return false;
  uint32_t lines = 0;
  for (do_text count = rest; next_line(&count, &line);) lines++;
  for (uint32_t i = 0; i < table->columns; i++) {
    if (lines > UINT32_MAX / sizeof(double)) do_panic(DO_TEXT("too many lines"));
    table->numbers[i] = do_alloc(lines * (uint32_t)sizeof(double));
  }
  for (table->rows = 0; next_line(&rest, &line); table->rows++) {
    if (!read_row(response, table, table->rows, line)) return false;
  }
  return true;
}

// The column that a parameter of the query names. 0: it has answered.
static double *column(do_request *request, do_response *response, const table *table, do_text parameter) {
  do_text name;
  if (!do_query(request, parameter, &name)) {
    refuse(response, DO_TEXT("the parameter "), parameter, DO_TEXT(" is missing: it names a column\n"));
    return 0;
  }
  for (uint32_t i = 0; i < table->columns; i++) {
    if (do_equal(table->names[i], name)) return table->numbers[i];
  }
  refuse(response, DO_TEXT("there is no column "), name, DO_TEXT("\n"));
  return 0;
}

static void add_field(do_buffer *json, do_text before, double number) {
  do_add(json, before);
  do_add_f64(json, number);
}

static void stats(do_request *request, do_response *response) {
  table table;
  do_buffer json = {0};
  if (!read_table(request, response, &table)) return;
  do_add_char(&json, '{');
  for (uint32_t i = 0; i < table.columns; i++) {
    do_stats of = do_stats_f64(table.numbers[i], table.rows);
    if (i > 0) do_add_char(&json, ',');
    do_add_json(&json, table.names[i]);
    add_field(&json, DO_TEXT(":{\"count\":"), of.count);
    add_field(&json, DO_TEXT(",\"sum\":"), of.sum);
    add_field(&json, DO_TEXT(",\"mean\":"), of.mean);
    add_field(&json, DO_TEXT(",\"min\":"), of.min);
    add_field(&json, DO_TEXT(",\"max\":"), of.max);
    add_field(&json, DO_TEXT(",\"stddev\":"), of.stddev);
    do_add_char(&json, '}');
  }
  do_add_char(&json, '}');
  do_answer_json(response, 200, do_text_of(&json));
}

static void answer_number(do_response *response, do_text before, double number) {
  do_buffer json = {0};
  add_field(&json, before, number);
  do_add_char(&json, '}');
  do_answer_json(response, 200, do_text_of(&json));
}

static void correlation(do_request *request, do_response *response) {
  table table;
  if (!read_table(request, response, &table)) return;
  const double *x = column(request, response, &table, DO_TEXT("x"));
  const double *y = x ? column(request, response, &table, DO_TEXT("y")) : 0;
  if (y) answer_number(response, DO_TEXT("{\"correlation\":"), do_correlation_f64(x, y, table.rows));
}

static void weighted(do_request *request, do_response *response) {
  table table;
  if (!read_table(request, response, &table)) return;
  const double *x = column(request, response, &table, DO_TEXT("x"));
  const double *w = x ? column(request, response, &table, DO_TEXT("w")) : 0;
  if (w) answer_number(response, DO_TEXT("{\"weighted_sum\":"), do_weighted_sum_f64(x, w, table.rows));
}

static void normalize(do_request *request, do_response *response) {
  table table;
  do_buffer json = {0};
  if (!read_table(request, response, &table)) return;
  double *x = column(request, response, &table, DO_TEXT("x"));
  if (!x) return;
  do_normalize_f64(x, x, table.rows);
  do_add_char(&json, '[');
  for (uint32_t i = 0; i < table.rows; i++) add_field(&json, i > 0 ? DO_TEXT(",") : DO_TEXT(""), x[i]);
  do_add_char(&json, ']');
  do_answer_json(response, 200, do_text_of(&json));
}

static void columns(do_request *request, do_response *response) {
  table table;
  do_buffer json = {0};
  if (!read_table(request, response, &table)) return;
  do_add_char(&json, '[');
  for (uint32_t i = 0; i < table.columns; i++) {
    if (i > 0) do_add_char(&json, ',');
    do_add_json(&json, table.names[i]);
  }
  do_add_char(&json, ']');
  do_answer_json(response, 200, do_text_of(&json));
}

static const do_route routes[] = {
    {"POST", "/stats", stats},
    {"POST", "/correlation", correlation},
    {"POST", "/normalize", normalize},
    {"POST", "/weighted", weighted},
    {"POST", "/columns", columns},
    {0},
};

const do_app dolmen_app = {.routes = routes};
