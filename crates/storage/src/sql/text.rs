//! What may stand between two statements: white space, semicolons and comments.

/// `text` from its first statement on; empty if there is none.
pub(super) fn skip_blank(mut text: &str) -> &str {
    loop {
        let shorter = text.trim_start_matches([' ', '\t', '\n', '\r', '\x0c', ';']);
        text = if let Some(comment) = shorter.strip_prefix("--") {
            comment.split_once('\n').map_or("", |(_, behind)| behind)
        } else if let Some(comment) = shorter.strip_prefix("/*") {
            // SQLite takes a comment that is not closed to the end.
            comment.split_once("*/").map_or("", |(_, behind)| behind)
        } else {
            return shorter;
        };
    }
}

#[cfg(test)]
mod tests {
    use super::skip_blank;

    #[test]
    fn comments_and_semicolons_are_no_statement() {
        assert_eq!(skip_blank(" ;\n-- SELECT 1\n /* ; */;"), "");
        assert_eq!(skip_blank("/* open"), "");
        assert_eq!(skip_blank("; /**/ SELECT 1; "), "SELECT 1; ");
        assert_eq!(skip_blank("- 1"), "- 1");
    }
}
