//! A handler that shows a little of everything. README.md says how to build it.

mod object;

use dolmen_guest::{App, Error, IntoResponse, Request, Response, crypto, fetch, serve, vector};
use serde::Serialize;

serve!(app);

fn app() -> App {
    let app = App::new()
        .get("/json", |_: &Request| {
            let message = Message {
                message: "hello",
                language: "rust",
            };
            Response::json(&message)
        })
        .get("/sha256", |request: &Request| {
            hex(&crypto::sha256(text(request).as_bytes()))
        })
        .get("/upper", |request: &Request| text(request).to_uppercase())
        .get("/simd", |_: &Request| simd())
        .post("/echo", |request: &Request| {
            let content_type = request.header("content-type").unwrap_or_default();
            Response::status(200).with_body(content_type, request.body())
        })
        .get("/cookies", |request: &Request| {
            let cookies = request.header("cookie").unwrap_or_default();
            let response = Response::text(cookies).with_cookie("a", "1", "");
            response.with_cookie("b", "2", "Path=/; HttpOnly")
        })
        .get("/status/{code}", status)
        .get("/redirect", |_: &Request| Response::redirect("/"))
        .get("/auth", auth)
        .get("/fetch", |request: &Request| {
            let answer = fetch::get(request.query("url").unwrap_or_default()).send();
            answer.map(|answer| answer.body).map_err(bad_gateway)
        })
        .get("/fetch-both", fetch_both)
        .fallback(|_: &Request| "hello from rust");
    object::with(app)
}

#[derive(Serialize)]
struct Message {
    message: &'static str,
    language: &'static str,
}

#[derive(Serialize)]
struct Simd {
    sum: i64,
    dot: i64,
    scaled: i64,
}

fn text(request: &Request) -> String {
    request.query("text").unwrap_or_default()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn simd() -> Response {
    let numbers = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
    let mut doubled = numbers;
    vector::scale(&mut doubled, 2.0);
    Response::json(&Simd {
        sum: vector::sum(&numbers) as i64,
        dot: vector::dot(&numbers, &numbers) as i64,
        scaled: vector::sum(&doubled) as i64,
    })
}

fn status(request: &Request) -> Response {
    match request.param("code").parse() {
        Ok(code) if (200..=599).contains(&code) => Response::status(code),
        _ => Response::error(400, "a status is a number from 200 to 599"),
    }
}

fn auth(request: &Request) -> Response {
    match request.basic_auth() {
        Some((user, password)) => Response::text(format!("{user}:{password}")),
        None => Response::error(401, "who are you?")
            .with_header("www-authenticate", "Basic realm=\"hello\""),
    }
}

fn fetch_both(request: &Request) -> Response {
    let url = |name| fetch::get(request.query(name).unwrap_or_default());
    let bodies = fetch::many(&[url("a"), url("b")]).and_then(|answers| {
        answers
            .into_iter()
            .map(|answer| answer.map(|answer| answer.body))
            .collect::<Result<Vec<_>, _>>()
    });
    match bodies {
        Ok(bodies) => {
            let lines: Vec<_> = bodies
                .iter()
                .map(|body| String::from_utf8_lossy(body) + "\n")
                .collect();
            Response::text(lines.concat())
        }
        Err(error) => bad_gateway(error),
    }
}

fn bad_gateway(error: Error) -> Response {
    error.into_response().with_status(502)
}
