//! Paths with parameters: `/kv/{name}` takes one part of a path, `/files/{path...}` all that is left.

use percent_encoding::percent_decode_str;

#[derive(Debug)]
pub(crate) struct Pattern {
    parts: Vec<Part>,
}

#[derive(Debug, PartialEq)]
enum Part {
    Text(String),
    One(String),
    Rest(String),
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Panics
    /// If it does not begin with `/`, or if something follows on a `{name...}`.
    pub fn new(pattern: &str) -> Self {
        let below = pattern.strip_prefix('/');
        let below = below.unwrap_or_else(|| panic!("the route {pattern:?} does not begin with /"));
        let parts: Vec<_> = below.split('/').map(part).collect();
        let rest = parts.iter().position(|part| matches!(part, Part::Rest(_)));
        assert!(
            rest.is_none_or(|at| at + 1 == parts.len()),
            "the route {pattern:?} has something behind all that is left"
        );
        Self { parts }
    }

    /// The parameters of a path, decoded, if it fits. A parameter is never empty, but for all that is left.
    pub fn params(&self, path: &str) -> Option<Vec<(String, String)>> {
        let mut left = Some(path.strip_prefix('/')?);
        let mut params = Vec::new();
        for part in &self.parts {
            let here = left?;
            if let Part::Rest(name) = part {
                params.push((name.clone(), decoded(here)));
                return Some(params);
            }
            let (piece, next) = match here.split_once('/') {
                Some((piece, next)) => (piece, Some(next)),
                None => (here, None),
            };
            match part {
                Part::Text(text) if decoded(piece) == *text => {}
                Part::One(name) if !piece.is_empty() => params.push((name.clone(), decoded(piece))),
                _ => return None,
            }
            left = next;
        }
        left.is_none().then_some(params)
    }
}

fn part(text: &str) -> Part {
    match text
        .strip_prefix('{')
        .and_then(|text| text.strip_suffix('}'))
    {
        None => Part::Text(text.to_owned()),
        Some(name) => match name.strip_suffix("...") {
            Some(name) => Part::Rest(name.to_owned()),
            None => Part::One(name.to_owned()),
        },
    }
}

fn decoded(piece: &str) -> String {
    percent_decode_str(piece).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(pattern: &str, path: &str) -> Option<Vec<String>> {
        let params = Pattern::new(pattern).params(path)?;
        Some(params.into_iter().map(|(_, value)| value).collect())
    }

    #[test]
    fn what_does_not_fit_has_no_parameters() {
        for (pattern, path) in [
            ("/", "/a"),
            ("/a", "/"),
            ("/a", "/a/"),
            ("/a", "a"),
            ("/{x}", "/"),
            ("/{x}", "/a/b"),
            ("/a/{x}", "/b/c"),
            ("/files/{path...}", "/files"),
        ] {
            assert_eq!(params(pattern, path), None, "{pattern} {path}");
        }
    }

    #[test]
    fn parameters_are_decoded() {
        let fits = |pattern, path, expected: &[&str]| {
            assert_eq!(
                params(pattern, path).as_deref(),
                Some(
                    &expected
                        .iter()
                        .map(|&text| text.to_owned())
                        .collect::<Vec<_>>()[..]
                )
            );
        };
        fits("/", "/", &[]);
        fits("/kv/{name}", "/kv/a%20b%2Fc+d", &["a b/c+d"]);
        fits("/{a}/x/{b}", "/1/x/2", &["1", "2"]);
        fits("/files/{path...}", "/files/a/b", &["a/b"]);
        fits("/files/{path...}", "/files/", &[""]);
    }

    #[test]
    #[should_panic(expected = "behind all that is left")]
    fn nothing_follows_on_all_that_is_left() {
        Pattern::new("/{all...}/more");
    }
}
