//! Statistics of the columns of a CSV body. README.md says how to build it.

use dolmen_guest::{
    App, Request, Response,
    columns::{self, Table},
    serve,
};
use serde_json::{Map, Value, json};

serve!(app);

fn app() -> App {
    App::new()
        .post("/stats", |request: &Request| ask(request, stats))
        .post("/correlation", |request: &Request| {
            ask(request, |table| {
                let (x, y) = (column(table, request, "x")?, column(table, request, "y")?);
                Ok(Response::json(
                    &json!({"correlation": columns::correlation(x, y)}),
                ))
            })
        })
        .post("/normalize", |request: &Request| {
            ask(request, |table| {
                let normalized = columns::normalize(column(table, request, "x")?);
                Ok(Response::json(&normalized))
            })
        })
        .post("/weighted", |request: &Request| {
            ask(request, |table| {
                let (x, weights) = (column(table, request, "x")?, column(table, request, "w")?);
                Ok(Response::json(
                    &json!({"weighted_sum": columns::weighted_sum(x, weights)}),
                ))
            })
        })
        .post("/columns", |request: &Request| {
            ask(request, |table| Ok(Response::json(table.names())))
        })
}

/// Asks about the table in a body. What is wrong with either is the client's.
fn ask(
    request: &Request,
    question: impl Fn(&Table) -> Result<Response, String>,
) -> Result<Response, Response> {
    let table = request.text().map_err(|error| error.to_string());
    let table = table.and_then(|text| Table::read(text).map_err(|error| error.to_string()));
    let answer = table.and_then(|table| question(&table));
    answer.map_err(|error| Response::error(400, error))
}

/// The column that a parameter of the query names.
fn column<'a>(table: &'a Table, request: &Request, parameter: &str) -> Result<&'a [f64], String> {
    let missing = || format!("the parameter {parameter}, the name of a column, is missing");
    let name = request.query(parameter).ok_or_else(missing)?;
    table.column(&name).map_err(|error| error.to_string())
}

fn stats(table: &Table) -> Result<Response, String> {
    let mut all = Map::new();
    for name in table.names() {
        let column = table.column(name).map_err(|error| error.to_string())?;
        let stats = columns::stats(column);
        let value: Value = json!({
            "count": stats.count,
            "sum": stats.sum,
            "mean": stats.mean,
            "min": stats.min,
            "max": stats.max,
            "stddev": stats.stddev,
        });
        all.insert(name.clone(), value);
    }
    Ok(Response::json(&all))
}
