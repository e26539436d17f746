//! What only objects have: storage, SQL, an alarm, WebSockets.

use std::time::{Duration, SystemTime};

use dolmen_guest::{
    App, Error, IntoResponse, Request, Response, alarm, kv, log, sql,
    websocket::{self, Message, Socket, WebSockets},
};

/// The app with the routes of objects.
pub(crate) fn with(app: App) -> App {
    app.put("/kv/{name}", |request: &Request| {
        kv::put(request.param("name"), request.body())
    })
    .get("/kv/{name}", |request: &Request| {
        let value = kv::get(request.param("name"))?;
        Ok::<_, Error>(value.map_or_else(Response::not_found, Response::bytes))
    })
    .delete("/kv/{name}", |request: &Request| {
        kv::delete(request.param("name")).map(drop)
    })
    .get("/kv", keys)
    .post("/count", |_: &Request| counted("count", 1))
    .get("/alarm", |_: &Request| counted("alarms", 0))
    .post("/alarm", set_alarm)
    .alarm(|_| counted("alarms", 1).map(drop))
    .websockets(Rooms)
}

fn keys(request: &Request) -> Result<Response, Error> {
    let prefix = request.query("prefix").unwrap_or_default();
    let entries = kv::list(&kv::List {
        prefix: &prefix,
        keys_only: true,
        ..kv::List::default()
    })?;
    let keys: Vec<_> = entries.into_iter().map(|(key, _)| key).collect();
    Ok(Response::json(&keys))
}

fn set_alarm(request: &Request) -> Response {
    let delay = request.query("ms").and_then(|ms| ms.parse().ok());
    match delay.and_then(|ms| SystemTime::now().checked_add(Duration::from_millis(ms))) {
        Some(at) => alarm::set(at).into_response(),
        None => Response::error(400, "ms is a number of milliseconds"),
    }
}

/// Adds to a counter of the object's database, and gives what it is then.
fn counted(name: &str, more: i64) -> Result<String, Error> {
    sql::query(
        "CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, n INTEGER NOT NULL)",
        &[],
    )?;
    let add = "INSERT INTO counters VALUES (?1, ?2)
        ON CONFLICT (name) DO UPDATE SET n = n + excluded.n RETURNING n";
    let rows = sql::query(add, &[name.into(), more.into()])?;
    let count = rows.rows.first().and_then(|row| row.first()?.integer());
    Ok(count.unwrap_or(0).to_string())
}

/// `/room` sends to all others, `/private` is closed, every other path echoes.
struct Rooms;

impl WebSockets for Rooms {
    fn open(&self, request: &Request, _socket: Socket) -> Response {
        match request.path() {
            "/private" => Response::error(403, "this is private"),
            _ => Response::status(200),
        }
    }

    fn message(&self, request: &Request, socket: Socket, message: Message<'_>) {
        let sent = match message {
            _ if request.path() == "/room" => websocket::broadcast(message, Some(socket)).map(drop),
            Message::Text(text) => socket.send(Message::Text(&format!("echo: {text}"))),
            Message::Binary(_) => socket.send(message),
        };
        if let Err(error) = sent {
            // The socket is gone; its close comes next.
            log::warn(&error.to_string());
        }
    }
}
