//! Headers on their way out: `name: value` lines that nobody can smuggle another line into.

/// What is wrong with a header.
fn fault(name: &str, value: &str) -> Option<String> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_token) {
        return Some(format!("{name:?} is not the name of a header"));
    }
    let is_hidden = |byte: u8| byte.is_ascii_control() && byte != b'\t';
    let has_hidden = value.bytes().any(is_hidden);
    has_hidden.then(|| format!("the header {name} has a control character in its value"))
}

/// The lines of headers, or what is wrong with one of them.
pub(crate) fn lines(headers: &[(String, String)]) -> Result<String, String> {
    let mut lines = String::new();
    for (name, value) in headers {
        if let Some(fault) = fault(name, value) {
            return Err(fault);
        }
        for part in [name, ": ", value, "\n"] {
            lines.push_str(part);
        }
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(name: &str, value: &str) -> Result<String, String> {
        lines(&[(name.to_owned(), value.to_owned())])
    }

    #[test]
    fn a_header_that_is_two_is_refused() {
        for value in ["a\nset-cookie: b", "a\r", "a\0", "\x7f"] {
            let fault = one("x-odd", value).unwrap_err();
            assert_eq!(
                fault,
                "the header x-odd has a control character in its value"
            );
        }
        for name in ["", "x odd", "x:", "x\n", "ü"] {
            assert!(
                one(name, "a")
                    .unwrap_err()
                    .ends_with("is not the name of a header"),
                "{name:?}"
            );
        }
        assert_eq!(one("x-odd", "a\tü: b").unwrap(), "x-odd: a\tü: b\n");
    }
}
