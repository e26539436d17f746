//! Turns the conditions of a list into one half-open range of keys. SQLite compares text by its UTF-8 bytes, which is
//! also the order of the characters' code points, so all bounds can be text.

use rusqlite::types::{ToSqlOutput, Value};
use std::borrow::Cow;

use super::ListOptions;

/// `lower <= key < upper`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Range<'a> {
    lower: Cow<'a, str>,
    upper: Option<Cow<'a, str>>,
    reverse: bool,
    limit: i64,
}

impl<'a> Range<'a> {
    pub fn of(options: &ListOptions<'a>) -> Range<'a> {
        let lower = [
            options.start.map(Cow::Borrowed),
            // Nothing lies between a key and the same key with a zero byte behind it.
            options
                .start_after
                .map(|key| Cow::Owned(format!("{key}\0"))),
            options.prefix.map(Cow::Borrowed),
        ];
        let upper = [
            options.end.map(Cow::Borrowed),
            options.prefix.and_then(after_prefix).map(Cow::Owned),
        ];
        Range {
            lower: lower.into_iter().flatten().max().unwrap_or_default(),
            upper: upper.into_iter().flatten().min(),
            reverse: options.reverse,
            // SQLite takes a negative limit for none.
            limit: options
                .limit
                .and_then(|limit| i64::try_from(limit).ok())
                .unwrap_or(-1),
        }
    }

    pub fn sql(&self) -> &'static str {
        match (self.upper.is_some(), self.reverse) {
            (false, false) => "SELECT key, value FROM _cf_KV WHERE key >= ?1 ORDER BY key LIMIT ?2",
            (false, true) => {
                "SELECT key, value FROM _cf_KV WHERE key >= ?1 ORDER BY key DESC LIMIT ?2"
            }
            (true, false) => {
                "SELECT key, value FROM _cf_KV WHERE key >= ?1 AND key < ?3 ORDER BY key LIMIT ?2"
            }
            (true, true) => {
                "SELECT key, value FROM _cf_KV WHERE key >= ?1 AND key < ?3 ORDER BY key DESC LIMIT ?2"
            }
        }
    }

    pub fn bindings(&self) -> impl rusqlite::Params + '_ {
        let mut bindings = vec![
            ToSqlOutput::from(&*self.lower),
            ToSqlOutput::Owned(Value::Integer(self.limit)),
        ];
        bindings.extend(self.upper.as_deref().map(ToSqlOutput::from));
        rusqlite::params_from_iter(bindings)
    }
}

/// The first string that is greater than everything that begins with `prefix`; `None` if there is none.
fn after_prefix(prefix: &str) -> Option<String> {
    let mut head = prefix.trim_end_matches(char::MAX).to_owned();
    let last = head.pop()?;
    // Surrogates are no characters, so the range skips them.
    head.extend((last..=char::MAX).nth(1));
    Some(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_prefix_is_the_next_code_point() {
        assert_eq!(after_prefix("a").as_deref(), Some("b"));
        assert_eq!(after_prefix("a%").as_deref(), Some("a&"));
        assert_eq!(after_prefix("a\u{d7ff}").as_deref(), Some("a\u{e000}"));
        assert_eq!(after_prefix("a\u{10ffff}\u{10ffff}").as_deref(), Some("b"));
        assert_eq!(after_prefix("\u{10ffff}"), None);
        assert_eq!(after_prefix(""), None);
    }

    #[test]
    fn all_conditions_hold_together() {
        let range = Range::of(&ListOptions {
            start: Some("b"),
            prefix: Some("a"),
            end: Some("az"),
            ..Default::default()
        });
        assert_eq!((&*range.lower, range.upper.as_deref()), ("b", Some("az")));
        let range = Range::of(&ListOptions {
            start_after: Some("ab"),
            prefix: Some("a"),
            ..Default::default()
        });
        assert_eq!((&*range.lower, range.upper.as_deref()), ("ab\0", Some("b")));
    }
}
