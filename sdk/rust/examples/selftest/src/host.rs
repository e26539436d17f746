//! Tries the calls of the host one by one.

use std::{
    fmt::Write as _,
    time::{Duration, UNIX_EPOCH},
};

use dolmen_guest::{
    App, Error, FanOut, Request, Response, alarm, fetch, kv, log, object,
    sql::{self, Value},
    websocket::{self, Closing, Message, Socket, WebSockets},
};
use serde_json::{Value as Json, json};

/// The app with the routes of this file.
pub(crate) fn with(app: App) -> App {
    app.post("/sql", query)
        .post("/keep", |request: &Request| {
            kv::put(&parameter(request, "key"), request.body()).map(|()| "kept")
        })
        .get("/list", list)
        .post("/alarm", set_alarm)
        .post("/alarm/failing", |_: &Request| alarm::set(UNIX_EPOCH))
        .get("/alarm/failures", |_: &Request| {
            kv::get("failures").map(Option::unwrap_or_default)
        })
        .get("/object", |_: &Request| {
            Response::json(&[object::id(), object::name(), object::namespace()])
        })
        .post("/log", |request: &Request| {
            request.text().map(log::warn).map(|()| "logged")
        })
        .post("/fetch", fetch_one)
        .post("/fetch-many", fetch_many)
        .get("/fanout", fanned_out)
        .alarm(failing)
        .websockets(Commands)
}

/// The plan of a request to `/fanout`: the values of its query.
pub(crate) fn plan(request: &Request) -> Vec<String> {
    match request.path() {
        "/fanout" => request.queries().map(|(_, url)| url.into_owned()).collect(),
        _ => Vec::new(),
    }
}

fn parameter(request: &Request, name: &str) -> String {
    request.query(name).unwrap_or_default()
}

fn number(text: &str) -> i64 {
    text.parse().unwrap_or(0)
}

/// The body is the statement, `p` a parameter such as i:5, f:1.5, s:text, b:HEX, t:1 and n:
fn query(request: &Request) -> Result<Response, Error> {
    let parameters: Vec<_> = request.queries().map(|(_, text)| value(&text)).collect();
    let result = sql::query(request.text()?, &parameters)?;
    let row = |row: &Vec<Value>| row.iter().map(shown).collect::<Vec<_>>();
    let rows: Vec<_> = result.rows.iter().map(row).collect();
    Ok(Response::json(
        &json!({"columns": result.columns, "rows": rows, "written": result.rows_written}),
    ))
}

fn value(text: &str) -> Value {
    let (kind, text) = text.split_once(':').unwrap_or_default();
    match kind {
        "i" => number(text).into(),
        "f" => text.parse::<f64>().expect("it is a number").into(),
        "s" => text.into(),
        "b" => crate::from_hex(text).into(),
        "t" => (text == "1").into(),
        _ => Value::Null,
    }
}

fn shown(cell: &Value) -> Json {
    match cell {
        Value::Null => Json::Null,
        Value::Integer(value) => json!(value),
        Value::Real(value) => json!(value),
        Value::Text(text) => json!(text),
        Value::Blob(bytes) => json!(format!("hex:{}", crate::hex(bytes))),
    }
}

fn list(request: &Request) -> Result<Response, Error> {
    let flags = number(&parameter(request, "flags"));
    let entries = kv::list(&kv::List {
        prefix: &parameter(request, "prefix"),
        start: &parameter(request, "start"),
        limit: u32::try_from(number(&parameter(request, "limit"))).expect("it is not negative"),
        reverse: flags & 1 != 0,
        keys_only: flags & 2 != 0,
        after: flags & 4 != 0,
    })?;
    let pair = |(key, value): &(String, Vec<u8>)| {
        [key.clone(), String::from_utf8_lossy(value).into_owned()]
    };
    Ok(Response::json(
        &entries.iter().map(pair).collect::<Vec<_>>(),
    ))
}

/// Sets the alarm to `at`, or deletes it without; answers when it is due.
fn set_alarm(request: &Request) -> Result<String, Error> {
    match request.query("at").and_then(|at| at.parse().ok()) {
        Some(ms) => alarm::set(UNIX_EPOCH + Duration::from_millis(ms))?,
        None => alarm::delete()?,
    }
    let due = alarm::get()?.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    Ok(due.map_or("none".to_owned(), |since| since.as_millis().to_string()))
}

fn failing(failures: u32) -> Result<(), String> {
    kv::put("failures", failures.to_string()).map_err(|error| error.to_string())?;
    match failures {
        0 => Err("the first time it fails".to_owned()),
        _ => Ok(()),
    }
}

/// Sends the body with a header to `url`; answers status and body, and the header x-origin.
fn fetch_one(request: &Request) -> Result<Response, Error> {
    let url = parameter(request, "url");
    let bad = fetch::get(&*url).header("x-bad", "a\nb").send();
    assert!(
        bad.is_err_and(|error| error.reason().contains("x-bad")),
        "a bad header was taken"
    );
    let mut patch = fetch::Fetch::new("PATCH", url).header("x-asked", "by a handler");
    if !request.body().is_empty() {
        patch = patch.body("text/plain", request.body());
    }
    let answer = patch.send()?;
    let header = answer.header("X-Origin").unwrap_or_default();
    Ok(Response::json(&json!([
        [answer.status, text(&answer.body)],
        [0, header]
    ])))
}

/// Lines of URLs.
fn fetch_many(request: &Request) -> Result<Response, Error> {
    let requests: Vec<_> = request.text()?.lines().map(fetch::get).collect();
    let results = fetch::many(&requests)?
        .into_iter()
        .map(|answer| match answer {
            Ok(answer) => json!([answer.status, text(&answer.body)]),
            Err(error) => json!([0, error.reason()]),
        });
    Ok(Response::json(&results.collect::<Vec<_>>()))
}

fn fanned_out(request: &Request) -> Response {
    let results = request.fan_out().iter().map(|result| match result {
        FanOut::Body(body) => json!([200, text(body)]),
        FanOut::Status(status) => json!([status, ""]),
        FanOut::Failed => json!([0, ""]),
    });
    Response::json(&results.collect::<Vec<_>>())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A text is a command, a binary message comes back.
struct Commands;

impl WebSockets for Commands {
    fn open(&self, request: &Request, _: Socket) -> Response {
        match request.path() {
            "/refused" => Response::error(418, "refused"),
            _ => Response::text("welcome"),
        }
    }

    fn message(&self, _: &Request, socket: Socket, message: Message<'_>) {
        let done = match message {
            Message::Text(text) => command(socket, text),
            Message::Binary(_) => socket.send(message),
        };
        done.expect("the socket is open");
    }

    /// Tells the others how a socket was closed.
    fn close(&self, _: &Request, socket: Socket, closing: &Closing) {
        let how = if closing.clean { "clean" } else { "lost" };
        let text = format!("{} {how} {}", closing.code, closing.reason);
        websocket::broadcast(Message::Text(&text), Some(socket)).expect("it is sent");
    }
}

fn command(socket: Socket, text: &str) -> Result<(), Error> {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    let mut answer = String::new();
    match word {
        "attach" => {
            socket.attach(rest.as_bytes())?;
            answer.push_str("attached");
        }
        "attachment" => {
            let kept = socket.attachment()?.unwrap_or_else(|| b"none".to_vec());
            answer.push_str(&String::from_utf8_lossy(&kept));
        }
        "list" => {
            let all = websocket::list()?;
            let place = if all.first() == Some(&socket) {
                "newest"
            } else {
                "older"
            };
            write!(answer, "{} {place}", all.len()).expect("a string takes all");
        }
        "send" => {
            socket.send(Message::Text(rest))?;
            return socket.send(Message::Binary(rest.as_bytes()));
        }
        "close" => {
            let code = u16::try_from(number(rest)).expect("it is a code");
            socket.close(code, "as asked")?;
            return match socket.send(Message::Text("late")) {
                Ok(()) => panic!("a socket that is closed was sent on"),
                Err(_) => Ok(()),
            };
        }
        _ => panic!("{text:?} is no command"),
    }
    socket.send(Message::Text(&answer))
}
