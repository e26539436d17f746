//! What objects have, with all that `hello` does not use: identity, the types of SQL, the alarm's
//! time, attachments, a fan-out, requests that fail.

use std::time::{Duration, UNIX_EPOCH};

use dolmen_guest::{
    App, Error, FanOut, Request, Response, alarm, fetch, kv, object,
    sql::{self, Value},
    websocket::{self, Closing, Message, Socket, WebSockets},
};

/// A time that no test reaches, in milliseconds since 1970.
const FAR_MS: u64 = 1 << 42;

/// The app with the routes of this file.
pub(crate) fn with(app: App) -> App {
    app.get("/which", |_: &Request| {
        let part = Option::unwrap_or_default;
        format!(
            "{}|{}|{}",
            part(object::id()),
            part(object::name()),
            part(object::namespace())
        )
    })
    .post("/sql", query)
    .post("/alarm/clear", |_: &Request| clear_alarm())
    .get("/sockets", |_: &Request| sockets())
    .get("/planned", planned)
    .get("/fetch-many", fetch_many)
    .get("/list", list)
    .post("/alarm/failing", |_: &Request| alarm::set(UNIX_EPOCH))
    .get("/told", |_: &Request| {
        kv::get("told").map(Option::unwrap_or_default)
    })
    .alarm(|failures| {
        tell(&format!("alarm {failures}")).map_err(|error| error.to_string())?;
        match failures {
            0 => Err("the first time it fails".to_owned()),
            _ => Ok(()),
        }
    })
    .websockets(Attached)
}

fn query(request: &Request) -> Result<String, Error> {
    let parameters: [Value; 7] = [
        Value::Null,
        true.into(),
        (-5).into(),
        2.5.into(),
        "ü".into(),
        vec![0, 255].into(),
        (1_i64 << 60).into(),
    ];
    let rows = sql::query(request.text()?, &parameters)?;
    Ok(format!("{:?} {:?}", rows.columns, rows.rows))
}

fn clear_alarm() -> Result<String, Error> {
    let before = alarm::get()?;
    alarm::set(UNIX_EPOCH + Duration::from_millis(FAR_MS))?;
    let set = alarm::get()?.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    alarm::delete()?;
    let after = alarm::get()?;
    let ms = set.map_or(0, |since| since.as_millis());
    Ok(format!(
        "{} {} {ms} {}",
        before.is_some(),
        set.is_some(),
        after.is_some()
    ))
}

fn sockets() -> Result<String, Error> {
    let open = websocket::list()?;
    let mut attached = Vec::new();
    for socket in &open {
        let bytes = socket.attachment()?.unwrap_or_default();
        attached.push(String::from_utf8_lossy(&bytes).into_owned());
    }
    Ok(format!("{} {}", open.len(), attached.join(",")))
}

fn planned(request: &Request) -> String {
    let line = |result: &FanOut| match result {
        FanOut::Body(body) => format!("{} 0\n", String::from_utf8_lossy(body)),
        FanOut::Status(status) => format!(" {status}\n"),
        FanOut::Failed => " -1\n".to_owned(),
    };
    request.fan_out().iter().map(line).collect()
}

fn fetch_many(request: &Request) -> Result<String, Error> {
    let url = request.query("url").unwrap_or_default();
    let count = request.query("count").and_then(|count| count.parse().ok());
    let one = |index| fetch::Fetch::new("POST", &*url).body("text/plain", format!("{index}"));
    let requests: Vec<_> = (0..count.unwrap_or(0_u32)).map(one).collect();
    let texts = fetch::many(&requests)?
        .into_iter()
        .map(|answer| match answer {
            Ok(answer) => String::from_utf8_lossy(&answer.body).into_owned(),
            Err(error) => error.to_string(),
        });
    Ok(texts.collect::<Vec<_>>().join(","))
}

fn list(_: &Request) -> Result<String, Error> {
    for key in ["a", "b", "c", "d"] {
        kv::put(key, format!("value of {key}"))?;
    }
    let keys = |options: kv::List<'_>| -> Result<String, Error> {
        let entries = kv::list(&options)?;
        let texts = entries
            .iter()
            .map(|(key, value)| format!("{key}={}", value.len()));
        Ok(texts.collect::<Vec<_>>().join(","))
    };
    let all = kv::List::default();
    let lists = [
        keys(kv::List { start: "b", ..all })?,
        keys(kv::List {
            start: "b",
            after: true,
            ..all
        })?,
        keys(kv::List {
            reverse: true,
            limit: 2,
            ..all
        })?,
        keys(kv::List {
            keys_only: true,
            limit: 1,
            ..all
        })?,
    ];
    Ok(lists.join(" "))
}

/// Keeps what an event has said, for `/told`.
fn tell(text: &str) -> Result<(), Error> {
    kv::put("told", text)
}

/// Keeps its path with each socket.
struct Attached;

impl WebSockets for Attached {
    fn open(&self, request: &Request, socket: Socket) -> Response {
        match socket.attach(request.path().as_bytes()) {
            Ok(()) => Response::text("welcome"),
            Err(error) => Response::error(500, error.to_string()),
        }
    }

    fn message(&self, _: &Request, socket: Socket, message: Message<'_>) {
        let done = match message {
            Message::Text("close") => socket.close(3001, "as you wish"),
            Message::Text("panic") => panic!("in a message"),
            Message::Text(text) => socket.send(Message::Binary(text.as_bytes())),
            Message::Binary(bytes) => socket.attach(bytes),
        };
        done.expect("the socket is open");
    }

    fn close(&self, request: &Request, _: Socket, closing: &Closing) {
        let Closing {
            code,
            reason,
            clean,
        } = closing;
        tell(&format!(
            "closed {} {code} {reason} {clean}",
            request.path()
        ))
        .expect("it is kept");
    }
}
