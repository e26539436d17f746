use bytes::Bytes;
use dolmen_runtime::{Body, ErrorKind, FetchRequest, Target};
use http::{HeaderMap, Method, StatusCode};
use serde_json::json;

use super::world::in_world;

const PAGES: &str = r#"
const answers = {
  text: () => ({ body: "hällo" }),
  json: () => ({ status: 201, body: { a: [1] } }),
  bytes: () => ({ body: new Uint8Array([0, 255]) }),
  buffer: () => ({ body: new Uint8Array([1, 2, 3]).buffer }),
  view: () => ({ body: new Uint8Array([1, 2, 3, 4]).subarray(1, 3) }),
  nothing: () => undefined,
  empty: () => ({}),
  status: () => ({ status: 404 }),
  html: () => ({ headers: { "Content-Type": "text/html", "x-n": 5 }, body: "<p>" }),
  cookies: () => ({ headers: { "set-cookie": ["a=1", "b=2"] }, body: "" }),
  bare: () => "bare",
  badStatus: () => ({ status: 99 }),
  floatStatus: () => ({ status: 200.5 }),
  badHeader: () => ({ headers: { "x y": "1" } }),
  badValue: () => ({ headers: { x: "a\r\nb" } }),
  objectValue: () => ({ headers: { x: {} } }),
  number: () => 5,
  stray: () => ({ count: 1 }),
  response: () => new Response("x"),
  boom: () => { throw new Error("boom"); },
};
class Page { async fetch(req) { return answers[req.path.slice(1)](); } }
class Echo { fetch(req) { return { body: { ...req, rawBody: Array.from(req.rawBody), isBytes: req.rawBody instanceof Uint8Array } }; } }
class Mute { hello() {} }
exports.objects = { Page, Echo, Mute };
"#;

fn get(path: &str) -> FetchRequest {
    FetchRequest {
        method: Method::GET,
        url: format!("http://localhost/fetch/PAGE/a{path}"),
        path: path.to_owned(),
        query: String::new(),
        headers: HeaderMap::new(),
        body: Body::None,
        target: Target::Root,
    }
}

#[test]
fn every_kind_of_answer_becomes_a_response() {
    in_world(PAGES, async |w| {
        for (path, status, content_type, body) in [
            (
                "/text",
                200,
                Some("text/plain; charset=utf-8"),
                "hällo".as_bytes(),
            ),
            ("/json", 201, Some("application/json"), br#"{"a":[1]}"#),
            ("/bytes", 200, Some("application/octet-stream"), &[0, 255]),
            ("/buffer", 200, Some("application/octet-stream"), &[1, 2, 3]),
            ("/view", 200, Some("application/octet-stream"), &[2, 3]),
            ("/nothing", 204, None, b""),
            ("/empty", 204, None, b""),
            ("/status", 404, None, b""),
            ("/html", 200, Some("text/html"), b"<p>"),
            ("/bare", 200, Some("text/plain; charset=utf-8"), b"bare"),
        ] {
            let response = w.fetch("PAGE/a", get(path)).await.unwrap();
            assert_eq!(
                response.status,
                StatusCode::from_u16(status).unwrap(),
                "{path}"
            );
            let found = response
                .headers
                .get("content-type")
                .map(|value| value.to_str().unwrap());
            assert_eq!(found, content_type, "{path}");
            assert_eq!(response.body.bytes().unwrap(), body, "{path}");
        }
        let cookies = w.fetch("PAGE/a", get("/cookies")).await.unwrap();
        let cookies: Vec<_> = cookies.headers.get_all("set-cookie").iter().collect();
        assert_eq!(cookies, ["a=1", "b=2"]);
    });
}

#[test]
fn answers_that_are_no_responses_are_clear_errors() {
    in_world(PAGES, async |w| {
        for (path, part) in [
            ("/badStatus", "200 to 599"),
            ("/floatStatus", "200 to 599"),
            ("/badHeader", "x y"),
            ("/badValue", "header x"),
            ("/objectValue", "header x"),
            ("/number", "{status, headers, body}"),
            ("/stray", "{body: object}"),
            ("/response", "plain {status, headers, body}"),
            ("/boom", "boom"),
        ] {
            let error = w.fetch("PAGE/a", get(path)).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Exception, "{path}");
            assert!(error.message().contains(part), "{path}: {error}");
        }
        let error = w.fetch("MUTE/a", get("/")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MethodNotFound);
    });
}

#[test]
fn the_request_arrives_whole() {
    in_world(PAGES, async |w| {
        let mut headers = HeaderMap::new();
        headers.insert("X-One", "1".parse().unwrap());
        headers.append("x-many", "a".parse().unwrap());
        headers.append("x-many", "b".parse().unwrap());
        let request = |body| FetchRequest {
            target: Target::Root,
            method: Method::from_bytes(b"PATCH").unwrap(),
            url: "http://h:1/fetch/ECHO/a/p%20q?x=1&x=2".to_owned(),
            path: "/p%20q".to_owned(),
            query: "x=1&x=2".to_owned(),
            headers: headers.clone(),
            body: Body::Full(Bytes::from_static(body)),
        };
        let text = request("grüß".as_bytes());
        let url = text.url.clone();
        let response = w.fetch("ECHO/a", text).await.unwrap();
        let seen: serde_json::Value =
            serde_json::from_slice(response.body.bytes().unwrap()).unwrap();
        assert_eq!(
            seen,
            json!({
                "method": "PATCH", "url": url, "path": "/p%20q", "query": "x=1&x=2",
                "headers": { "x-one": "1", "x-many": "a, b" },
                "body": "grüß", "rawBody": "grüß".as_bytes(), "isBytes": true,
            })
        );
        let response = w.fetch("ECHO/a", request(&[0xff, 0])).await.unwrap();
        let seen: serde_json::Value =
            serde_json::from_slice(response.body.bytes().unwrap()).unwrap();
        assert_eq!(
            (&seen["body"], &seen["rawBody"]),
            (&json!(null), &json!([255, 0]))
        );
    });
}
