//! What user SQL may do, as Cloudflare allows it: no names that begin with `_cf_`, no other database than the main one,
//! and only the functions, pragmas and virtual tables that are listed here.

use rusqlite::hooks::{AuthAction, AuthContext};

/// Names that begin so, in any case, belong to the runtime.
pub(super) const RESERVED: &str = "_cf_";

pub(super) fn allows(context: &AuthContext<'_>) -> bool {
    // Where other actions name their database, dropping a column names the column.
    if let AuthAction::AlterTable {
        database_name,
        table_name,
    } = context.action
    {
        return database_name == "main" && free(table_name);
    }
    match context.database_name {
        None | Some("main") => {}
        // Changing the name of a table makes SQLite look through the schema of temporary tables.
        Some("temp") => {
            return match context.action {
                AuthAction::Read { table_name, .. } | AuthAction::Update { table_name, .. } => {
                    free(table_name)
                }
                _ => false,
            };
        }
        Some(_) => return false,
    }
    match context.action {
        AuthAction::Select | AuthAction::Recursive => true,
        AuthAction::Read { table_name, .. } => free(table_name) && readable(table_name),
        AuthAction::CreateTable { table_name }
        | AuthAction::DropTable { table_name }
        | AuthAction::Insert { table_name }
        | AuthAction::Update { table_name, .. }
        | AuthAction::Delete { table_name }
        | AuthAction::Analyze { table_name } => free(table_name),
        AuthAction::CreateView { view_name } | AuthAction::DropView { view_name } => {
            free(view_name)
        }
        AuthAction::Reindex { index_name } => free(index_name),
        AuthAction::CreateIndex {
            index_name: name,
            table_name,
        }
        | AuthAction::DropIndex {
            index_name: name,
            table_name,
        }
        | AuthAction::CreateTrigger {
            trigger_name: name,
            table_name,
        }
        | AuthAction::DropTrigger {
            trigger_name: name,
            table_name,
        } => free(name) && free(table_name),
        AuthAction::CreateVtable {
            table_name,
            module_name,
        }
        | AuthAction::DropVtable {
            table_name,
            module_name,
        } => free(table_name) && listed(&MODULES, module_name),
        AuthAction::Pragma {
            pragma_name,
            pragma_value,
        } => pragma_allowed(pragma_name, pragma_value),
        AuthAction::Function { function_name } => {
            listed(&FUNCTIONS, function_name)
                || INTERNAL
                    .iter()
                    .any(|internal| function_name.starts_with(internal))
        }
        _ => false,
    }
}

/// Whether a pragma of that name switches something on and off for the connection.
pub(super) fn is_switch(pragma: &str) -> bool {
    listed(&SWITCHES, pragma)
}

fn free(name: &str) -> bool {
    !name
        .get(..RESERVED.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(RESERVED))
}

/// Pragmas can also be read as tables, and so can SQLite's own statistics.
fn readable(table: &str) -> bool {
    if listed(&["dbstat", "fts3tokenize"], table) {
        return false;
    }
    match table.get(.."pragma_".len()) {
        Some(start) if start.eq_ignore_ascii_case("pragma_") => {
            let pragma = &table["pragma_".len()..];
            // A table of the user may have such a name. It is no pragma unless SQLite has one of that name, and those
            // that only read are harmless; the others are refused.
            !listed(&SWITCHES, pragma) && !listed(&["optimize"], pragma)
        }
        _ => true,
    }
}

fn pragma_allowed(name: &str, value: Option<&str>) -> bool {
    if listed(&["data_version", "page_size"], name) {
        return value.is_none();
    }
    if listed(&OF_TABLES, name) {
        return value.is_some_and(free);
    }
    if listed(&["table_list", "foreign_key_check", "quick_check"], name) {
        return value.is_none_or(free);
    }
    if listed(&SWITCHES, name) {
        return value.is_none_or(|value| listed(&BOOLEANS, value));
    }
    name.eq_ignore_ascii_case("optimize")
}

fn listed(list: &[&str], name: &str) -> bool {
    list.iter().any(|entry| entry.eq_ignore_ascii_case(name))
}

const MODULES: [&str; 4] = ["fts5", "fts5vocab", "rtree", "rtree_i32"];

const OF_TABLES: [&str; 6] = [
    "table_info",
    "table_xinfo",
    "index_list",
    "index_info",
    "index_xinfo",
    "foreign_key_list",
];

const SWITCHES: [&str; 7] = [
    "case_sensitive_like",
    "foreign_keys",
    "defer_foreign_keys",
    "ignore_check_constraints",
    "legacy_alter_table",
    "recursive_triggers",
    "reverse_unordered_selects",
];

const BOOLEANS: [&str; 8] = ["true", "false", "on", "off", "yes", "no", "1", "0"];

/// SQLite calls these itself when a table is altered, and lets nobody else call them.
const INTERNAL: [&str; 5] = [
    "sqlite_rename_",
    "sqlite_drop_",
    "sqlite_add_",
    "sqlite_find_",
    "sqlite_fail",
];

#[rustfmt::skip]
const FUNCTIONS: [&str; 142] = [
    // Core.
    "abs", "changes", "char", "coalesce", "concat", "concat_ws", "format", "glob", "hex", "if", "ifnull", "iif",
    "instr", "last_insert_rowid", "length", "like", "likelihood", "likely", "load_extension", "lower", "ltrim",
    "max", "min", "nullif", "octet_length", "printf", "quote", "random", "randomblob", "replace", "round", "rtrim",
    "sign", "soundex", "substr", "substring", "subtype", "total_changes", "trim", "typeof", "unhex", "unicode",
    "unistr", "unistr_quote", "unlikely", "upper", "zeroblob",
    // Date and time.
    "date", "time", "datetime", "julianday", "unixepoch", "strftime", "timediff",
    "current_date", "current_time", "current_timestamp",
    // Aggregates and window functions.
    "avg", "count", "group_concat", "string_agg", "sum", "total",
    "row_number", "rank", "dense_rank", "percent_rank", "cume_dist", "ntile", "lag", "lead",
    "first_value", "last_value", "nth_value",
    // Mathematics.
    "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "ceil", "ceiling", "cos", "cosh", "degrees", "exp",
    "floor", "ln", "log", "log10", "log2", "mod", "pi", "pow", "power", "radians", "sin", "sinh", "sqrt", "tan",
    "tanh", "trunc",
    // JSON.
    "->", "->>", "json", "jsonb", "json_array", "jsonb_array", "json_array_insert", "jsonb_array_insert",
    "json_array_length", "json_each", "json_error_position", "json_extract", "jsonb_extract", "json_group_array",
    "jsonb_group_array", "json_group_object", "jsonb_group_object", "json_insert", "jsonb_insert", "json_object",
    "jsonb_object", "json_patch", "jsonb_patch", "json_pretty", "json_quote", "json_remove", "jsonb_remove",
    "json_replace", "jsonb_replace", "json_set", "jsonb_set", "json_tree", "json_type", "json_valid",
    // Full-text search and R*Trees.
    "match", "bm25", "highlight", "snippet", "rtreecheck",
];
