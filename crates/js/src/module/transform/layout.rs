//! Puts printed code back on the lines of its source.
//!
//! The printer's own line ends become spaces, and line ends go before each token whose source is
//! further down. Tokens stay as they are and in order, so only places where a line end means
//! something matter: after `return` and its like, and before `=>`, `++` and `--`, none is put.

use oxc_allocator::Allocator;
use oxc_parser::{Kind, Parser, config::TokensParserConfig};
use oxc_sourcemap::SourceMap;
use oxc_span::SourceType;

/// `code`, which the printer wrote along with `map`, laid out anew. It has no comments.
pub(super) fn on_source_lines(code: &str, map: &SourceMap<'_>) -> String {
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, code, SourceType::mjs())
        .with_config(TokensParserConfig)
        .parse();
    let places = places(code, map);
    let place_of = |at: u32| {
        let found = places.partition_point(|place| place.at < at as usize);
        places.get(found).filter(|place| place.at == at as usize)
    };
    let mut out = Output::default();
    let mut end = 0;
    let mut before = None;
    let mut tokens = parsed.tokens.iter().peekable();
    while let Some(token) = tokens.next() {
        if token.kind() == Kind::Eof {
            break;
        }
        let own = place_of(token.start());
        let next = tokens.peek().and_then(|next| place_of(next.start()));
        let place = match token.kind() {
            Kind::Arrow | Kind::Plus2 | Kind::Minus2 => None,
            // The map has names, and not the dot that they stand on a line with.
            Kind::Dot | Kind::QuestionDot => next,
            // What cannot go to its own line takes the word before it along.
            kind if binds_its_line(kind) => own.max(next),
            _ => own,
        };
        if let Some(place) = place
            && !before.is_some_and(binds_its_line)
        {
            out.advance(place.line, place.column);
        }
        let (start, after) = (token.start() as usize, token.end() as usize);
        out.separate(&code[end..start]);
        out.push(&code[start..after]);
        end = after;
        before = Some(token.kind());
    }
    out.text.push('\n');
    out.text
}

/// Whether a line end after this word would end a statement.
fn binds_its_line(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Return | Kind::Throw | Kind::Break | Kind::Continue | Kind::Yield | Kind::Async
    )
}

/// Where in the source a byte of the code comes from; lines and columns from 0. Ordered as the source.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    line: usize,
    column: usize,
    at: usize,
}

/// The places of a map, with bytes instead of lines and UTF-16 columns of the code.
fn places(code: &str, map: &SourceMap<'_>) -> Vec<Place> {
    let mut lines = code.split_inclusive('\n');
    let (mut text, mut line, mut line_at) = (lines.next().unwrap_or_default(), 0, 0);
    let mut places = Vec::with_capacity(map.get_tokens().len());
    for token in map.get_tokens() {
        while line < token.get_dst_line() {
            line_at += text.len();
            text = lines.next().unwrap_or_default();
            line += 1;
        }
        places.push(Place {
            at: line_at + byte_of(text, token.get_dst_col() as usize),
            line: token.get_src_line() as usize,
            column: token.get_src_col() as usize,
        });
    }
    places
}

fn byte_of(line: &str, utf16: usize) -> usize {
    if line.is_ascii() {
        return utf16.min(line.len());
    }
    let mut units = 0;
    line.char_indices()
        .find(|(_, c)| {
            let found = units >= utf16;
            units += c.len_utf16();
            found
        })
        .map_or(line.len(), |(at, _)| at)
}

#[derive(Default)]
struct Output {
    text: String,
    line: usize,
    column: usize,
}

impl Output {
    /// Goes to a place, unless that is behind.
    fn advance(&mut self, line: usize, column: usize) {
        if line > self.line {
            self.text
                .extend(std::iter::repeat_n('\n', line - self.line));
            (self.line, self.column) = (line, 0);
        }
        if line == self.line && column > self.column {
            self.text
                .extend(std::iter::repeat_n(' ', column - self.column));
            self.column = column;
        }
    }

    /// Keeps tokens apart that were.
    fn separate(&mut self, gap: &str) {
        if !gap.is_empty() && !self.text.is_empty() && !self.text.ends_with([' ', '\n']) {
            self.text.push(' ');
            self.column += 1;
        }
    }

    fn push(&mut self, token: &str) {
        self.text.push_str(token);
        match token.rsplit_once('\n') {
            Some((lines, last)) => {
                self.line += lines.matches('\n').count() + 1;
                self.column = last.chars().count();
            }
            None => self.column += token.chars().count(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Language, transform};

    /// The lines of a source on which a word stands, and those of what comes of it.
    fn lines(source: &str, word: &str) -> (Vec<usize>, Vec<usize>) {
        let code = transform("a.ts", source, Language::TypeScript).unwrap();
        let find = |text: &str| {
            let lines = text.lines().enumerate();
            lines
                .filter(|(_, line)| line.contains(word))
                .map(|(number, _)| number + 1)
                .collect()
        };
        (find(source), find(&code))
    }

    #[test]
    fn every_token_stays_on_its_line() {
        for (source, word) in [
            ("interface A {\n  b: 1;\n}\n\nmark();\n", "mark"),
            (
                "const a = `one\ntwo ${1}\nthree`;\n/* a\n b */ mark();",
                "mark",
            ),
            ("a(\n  1 as number,\n  mark,\n);", "mark"),
            ("a\n  .b<\n  string>()\n  .mark();", ".mark"),
            (
                "function f(\n  a: {\n    b: 1;\n  },\n): {\n  c: 2;\n} {\n  mark();\n}",
                "mark",
            ),
            ("{\n  using a = b();\n  mark(a);\n}\nafter();", "mark"),
            ("{\n  using a = b();\n  c(a);\n}\nmark();", "mark"),
            (
                "class A {\n  private b?: string;\n\n  mark(): void {}\n}\nnew A();",
                "mark",
            ),
            ("enum A {\n  B,\n  C,\n}\nmark(A);", "mark"),
            ("const a = \"ä😀\"; b(a\n  , mark);", "mark"),
            (
                "export default {\n  a: 1,\n  mark: 2,\n} satisfies B;",
                "mark",
            ),
        ] {
            let (wanted, got) = lines(source, word);
            assert_eq!(wanted, got, "{source}");
        }
    }

    #[test]
    fn no_line_ends_where_it_would_end_a_statement() {
        let source = "function f() {\n  return (\n    // why\n    a\n      .b()\n  );\n}\nconst g = async (\n  a: number,\n): Promise<\n  void\n> => mark();\nf(g);";
        let code = transform("a.ts", source, Language::TypeScript).unwrap();
        assert!(code.contains("return a"), "{code}");
        for line in code.lines() {
            let line = line.trim();
            assert!(
                !line.ends_with("return") && !line.ends_with("async"),
                "{code}"
            );
            assert!(!line.starts_with("=>"), "{code}");
        }
    }

    #[test]
    fn columns_are_those_of_the_source_until_something_is_inserted() {
        let code = transform(
            "a.ts",
            "const a: string = f(1 as any, mark);",
            Language::TypeScript,
        );
        assert_eq!(code.unwrap(), "const a =         f(1,        mark);\n");
    }
}
