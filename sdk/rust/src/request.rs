//! A request as a handler sees it.

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{Error, FanOut};

const FORM: &str = "application/x-www-form-urlencoded";

/// A request. Of an object, the path is the one below the object.
#[derive(Debug, Clone, Default)]
pub struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) body: Vec<u8>,
    pub(crate) headers: String,
    pub(crate) params: Vec<(String, String)>,
    pub(crate) fan_out: Vec<FanOut>,
}

impl Request {
    /// The method, in capitals; `GET` in the events of a WebSocket.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The path as it was sent, without the query.
    pub fn path(&self) -> &str {
        self.target
            .split_once('?')
            .map_or(&*self.target, |(path, _)| path)
    }

    /// The query as it was sent, without the question mark; "" if there is none.
    pub fn query_string(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }

    /// A parameter of the route that the request has taken, decoded; "" if the route has none of
    /// that name.
    pub fn param(&self, name: &str) -> &str {
        let mut params = self.params.iter();
        params
            .find(|(known, _)| known == name)
            .map_or("", |(_, value)| value)
    }

    /// The first value of that name in the query, with `+` and `%XX` decoded.
    pub fn query(&self, name: &str) -> Option<String> {
        first(self.queries(), name)
    }

    /// All names and values of the query, decoded, in their order.
    pub fn queries(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        form_urlencoded::parse(self.query_string().as_bytes())
    }

    /// The first value of that name in a body of the type `application/x-www-form-urlencoded`.
    pub fn form(&self, name: &str) -> Option<String> {
        first(self.forms(), name)
    }

    /// All names and values of such a body, decoded, in their order; none if its type is another.
    pub fn forms(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        let content_type = self.header("content-type").unwrap_or("");
        let kind = content_type.split(';').next().unwrap_or("").trim();
        let body = if kind.eq_ignore_ascii_case(FORM) {
            &self.body[..]
        } else {
            &[]
        };
        form_urlencoded::parse(body)
    }

    /// The value of a header, whatever the case of its name. One that was repeated has all its
    /// values, joined by `, `.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers();
        headers
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// All headers, their names in lower case.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers
            .lines()
            .filter_map(|line| line.split_once(": "))
    }

    /// The value of a cookie.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }

    /// All cookies. Quotes around a value are left out.
    pub fn cookies(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.header("cookie").unwrap_or("").split(';');
        pairs.filter_map(|pair| {
            let (name, value) = pair.trim().split_once('=')?;
            let unquoted = value
                .strip_prefix('"')
                .and_then(|rest| rest.strip_suffix('"'));
            Some((name, unquoted.unwrap_or(value)))
        })
    }

    /// User and password of `authorization: Basic`.
    pub fn basic_auth(&self) -> Option<(String, String)> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let text = String::from_utf8(STANDARD.decode(token.trim()).ok()?).ok()?;
        let (user, password) = text.split_once(':')?;
        Some((user.to_owned(), password.to_owned()))
    }

    /// The body.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The body as text.
    ///
    /// # Errors
    /// If it is not UTF-8.
    pub fn text(&self) -> Result<&str, Error> {
        std::str::from_utf8(&self.body)
            .map_err(|error| Error::new("the body as text", error.to_string()))
    }

    /// The body as a value of JSON.
    ///
    /// # Errors
    /// If it is none, or not of that type: with line and column.
    #[cfg(feature = "json")]
    pub fn json<'a, T: serde::Deserialize<'a>>(&'a self) -> Result<T, Error> {
        serde_json::from_slice(&self.body)
            .map_err(|error| Error::new("the body as JSON", error.to_string()))
    }

    /// What the URLs of the plan gave, in their order.
    pub fn fan_out(&self) -> &[FanOut] {
        &self.fan_out
    }
}

fn first<'a>(
    mut pairs: impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)>,
    name: &str,
) -> Option<String> {
    pairs
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(target: &str, headers: &str, body: &str) -> Request {
        Request {
            target: target.to_owned(),
            headers: headers.to_owned(),
            body: body.into(),
            ..Request::default()
        }
    }

    #[test]
    fn a_query_is_decoded() {
        let request = request("/a%20b?x=1+2%20%C3%BC&y&x=2&z=a=b&bad=%zz%", "", "");
        assert_eq!(request.path(), "/a%20b");
        assert_eq!(request.query("x").as_deref(), Some("1 2 ü"));
        assert_eq!(request.query("y").as_deref(), Some(""));
        assert_eq!(request.query("z").as_deref(), Some("a=b"));
        assert_eq!(request.query("bad").as_deref(), Some("%zz%"));
        assert_eq!(request.query("w"), None);
    }

    #[test]
    fn cookies_are_read_one_by_one() {
        let request = request("/", "cookie: a=1; b=\"two\";c; =;d=e=f\n", "");
        assert_eq!(request.cookie("a"), Some("1"));
        assert_eq!(request.cookie("b"), Some("two"));
        assert_eq!(request.cookie("c"), None);
        assert_eq!(request.cookie("d"), Some("e=f"));
    }

    #[test]
    fn a_form_counts_only_with_its_type() {
        let body = "name=J%C3%B6rg+M&x=1";
        let form = request(
            "/",
            "content-type: application/x-www-form-urlencoded; charset=utf-8\n",
            body,
        );
        assert_eq!(form.form("name").as_deref(), Some("Jörg M"));
        assert_eq!(
            request("/", "content-type: text/plain\n", body).form("name"),
            None
        );
        assert_eq!(request("/", "", body).form("name"), None);
    }

    #[test]
    fn basic_auth_that_is_none_is_nobody() {
        let auth =
            |value: &str| request("/", &format!("authorization: {value}\n"), "").basic_auth();
        assert_eq!(
            auth("Basic dXNlcjpwYXNzOndvcmQ="),
            Some(("user".to_owned(), "pass:word".to_owned()))
        );
        assert_eq!(
            auth("basic dXNlcjo="),
            Some(("user".to_owned(), String::new()))
        );
        for bad in [
            "Basic",
            "Basic !!!",
            "Bearer dXNlcjpw",
            "Basic dXNlcg==",
            "Basic /w==",
        ] {
            assert_eq!(auth(bad), None, "{bad}");
        }
        assert_eq!(request("/", "", "").basic_auth(), None);
    }
}
