//! What a handler answers.

use crate::Error;

const TEXT: &str = "text/plain; charset=utf-8";

/// A response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// An empty response with a status, 200 to 599. Another is a panic of the handler.
    pub fn status(status: u16) -> Self {
        Self {
            status,
            content_type: String::new(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// 200 with text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::status(200).with_body(TEXT, text.into())
    }

    /// 200 with bytes.
    pub fn bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self::status(200).with_body("application/octet-stream", bytes)
    }

    /// 200 with a value as JSON. One that JSON cannot express, such as a map whose keys are no
    /// strings, is answered with 500.
    #[cfg(feature = "json")]
    pub fn json(value: &(impl serde::Serialize + ?Sized)) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => Self::status(200).with_body("application/json", body),
            Err(error) => Self::error(500, format!("the answer as JSON: {error}")),
        }
    }

    /// A status with a text that says what is wrong.
    pub fn error(status: u16, text: impl Into<String>) -> Self {
        Self::status(status).with_body(TEXT, text.into())
    }

    /// 302 to another place.
    pub fn redirect(location: &str) -> Self {
        Self::status(302).with_header("location", location)
    }

    /// 404.
    pub fn not_found() -> Self {
        Self::error(404, "not found")
    }

    /// 405, with the methods that are allowed.
    pub fn method_not_allowed(allow: &[&str]) -> Self {
        Self::error(405, "method not allowed").with_header("allow", &allow.join(", "))
    }

    /// With another body and its type.
    #[must_use]
    pub fn with_body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        content_type.clone_into(&mut self.content_type);
        self.body = body.into();
        self
    }

    /// With another status, 200 to 599.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// With one more header, which may be repeated. `content-type` replaces the type of the body. A
    /// name that is none, or a value with control characters, makes the answer a 500 that says so.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        if name.eq_ignore_ascii_case("content-type") {
            value.clone_into(&mut self.content_type);
        } else {
            self.headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// With one more cookie. `attributes` are such as `Path=/; HttpOnly`, or "".
    #[must_use]
    pub fn with_cookie(self, name: &str, value: &str, attributes: &str) -> Self {
        let separator = if attributes.is_empty() { "" } else { "; " };
        self.with_header(
            "set-cookie",
            &format!("{name}={value}{separator}{attributes}"),
        )
    }
}

/// What a handler may return: a [`Response`], text, bytes, nothing, or a result of these. An
/// [`Error`] is 500 with its text.
pub trait IntoResponse {
    /// The response that it stands for.
    fn into_response(self) -> Response;
}

impl IntoResponse for Response {
    fn into_response(self) -> Response {
        self
    }
}

impl IntoResponse for &str {
    fn into_response(self) -> Response {
        Response::text(self)
    }
}

impl IntoResponse for String {
    fn into_response(self) -> Response {
        Response::text(self)
    }
}

impl IntoResponse for Vec<u8> {
    fn into_response(self) -> Response {
        Response::bytes(self)
    }
}

impl IntoResponse for () {
    fn into_response(self) -> Response {
        Response::status(200)
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        Response::error(500, self.to_string())
    }
}

impl<T: IntoResponse, E: IntoResponse> IntoResponse for Result<T, E> {
    fn into_response(self) -> Response {
        match self {
            Ok(answer) => answer.into_response(),
            Err(error) => error.into_response(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_repeat() {
        let response = Response::text("")
            .with_cookie("a", "1", "")
            .with_cookie("b", "2", "Path=/");
        let cookie = |value: &str| ("set-cookie".to_owned(), value.to_owned());
        assert_eq!(response.headers, [cookie("a=1"), cookie("b=2; Path=/")]);
    }
}
