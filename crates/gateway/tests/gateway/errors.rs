//! Every code and status, and who sees which details.

use dolmen_gateway::{ErrorDetails, code_and_status};

use super::{objects::KINDS, server::Server};

#[test]
fn every_kind_of_error_has_its_code_and_status() {
    let server = Server::start();
    let expected = [
        (400, "bad_request"),
        (404, "unknown_namespace"),
        (404, "method_not_found"),
        (413, "body_too_large"),
        (504, "timeout"),
        (503, "overloaded"),
        (500, "execution_error"),
        (500, "actor_start_failed"),
        (500, "storage_error"),
        (500, "execution_error"),
        (503, "interrupted"),
        (503, "shutting_down"),
        (500, "internal_error"),
    ];
    for ((name, kind), (status, code)) in KINDS.into_iter().zip(expected) {
        let answer = server.post(&format!("/rpc/ECHO/a/fail:{name}"), "[]");
        answer.error(status, code);
        assert_eq!(code_and_status(kind), (code, status.try_into().unwrap()));
        assert_eq!(answer.header("retry-after"), (status == 503).then_some("1"));
    }
}

#[test]
fn stacks_and_paths_are_for_developers_only() {
    let server = Server::start();
    for (name, _) in KINDS {
        let answer = server.post(&format!("/rpc/ECHO/a/fail:{name}"), "[]");
        assert!(answer.json()["error"]["detail"].is_null(), "{answer:?}");
        let hidden = matches!(name, "Storage" | "Internal");
        assert_eq!(answer.body.contains("/secret"), !hidden, "{answer:?}");
        assert!(!answer.body.contains("echo.js"), "{answer:?}");
    }
    let server = Server::with(|options| options.error_details = ErrorDetails::Shown);
    for (name, _) in KINDS {
        let answer = server.post(&format!("/rpc/ECHO/a/fail:{name}"), "[]");
        let detail = answer.json()["error"]["detail"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(
            detail.contains("at Echo (echo.js:1:2)") && answer.body.contains("/secret"),
            "{answer:?}"
        );
    }
}

#[test]
fn an_unknown_namespace_names_the_known_ones() {
    let server = Server::start();
    for answer in [
        server.post("/rpc/NOPE/a/echo", "[]"),
        server.get("/fetch/NOPE/a"),
    ] {
        let message = answer.error(404, "unknown_namespace");
        assert!(
            message.contains("NOPE") && message.contains("ECHO"),
            "{message}"
        );
    }
    server.get("/fetch/echo/a").error(404, "unknown_namespace");
}

#[test]
fn an_unknown_method_is_not_found() {
    Server::start()
        .post("/rpc/ECHO/a/nope", "")
        .error(404, "method_not_found");
}

#[test]
fn an_unknown_path_says_where_objects_are() {
    let server = Server::start();
    for path in [
        "/x",
        "/rpc/ECHO/a",
        "/rpc/ECHO/a/m/n",
        "/fetch/ECHO",
        "//",
        "/favicon.ico",
    ] {
        let message = server.get(path).error(404, "not_found");
        assert!(
            message.contains("/rpc/:namespace/:name/:method"),
            "{message}"
        );
    }
    server
        .ask("OPTIONS * HTTP/1.1\r\nhost: test\r\n\r\n")
        .error(404, "not_found");
    server
        .ask("CONNECT test:1 HTTP/1.1\r\nhost: test\r\n\r\n")
        .error(404, "not_found");
}

#[test]
fn a_call_is_a_post() {
    let server = Server::start();
    for method in ["GET", "PUT", "DELETE", "OPTIONS", "BREW"] {
        let answer = server.ask(format!(
            "{method} /rpc/ECHO/a/echo HTTP/1.1\r\nhost: test\r\n\r\n"
        ));
        answer.error(405, "method_not_allowed");
        assert_eq!(answer.header("allow"), Some("POST"));
    }
}
