//! Lays a Markdown page out for a terminal: headings, paragraphs, lists, tables and code, which is
//! all that the pages of the manual use.

/// Whether the terminal can show more than text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Headings and code stand out.
    Styled,
    /// Text only.
    Plain,
}

const BOLD_UNDERLINED: &str = "\u{1b}[1;4m";
const BOLD: &str = "\u{1b}[1m";
const CODE: &str = "\u{1b}[36m";
const END: &str = "\u{1b}[0m";
const CODE_INDENT: &str = "    ";
const COLUMN_GAP: &str = "  ";
/// Columns of a table are not made narrower than this.
const LEAST_CELL: usize = 8;

/// Lays out `page` for lines of `columns` characters.
pub fn render(page: &str, look: Look, columns: usize) -> String {
    let mut out = Writer {
        text: String::new(),
        look,
        columns,
    };
    let mut lines = page.lines().peekable();
    while let Some(line) = lines.next() {
        if line.starts_with("```") {
            for code in lines.by_ref().take_while(|line| !line.starts_with("```")) {
                out.line(&format!("{CODE_INDENT}{code}"));
            }
        } else if line.starts_with('|') {
            let mut rows = vec![line];
            while let Some(row) = lines.next_if(|line| line.starts_with('|')) {
                rows.push(row);
            }
            out.table(&rows);
        } else if let Some((marks, title)) = heading(line) {
            out.heading(marks, title);
        } else if line.trim().is_empty() {
            out.line("");
        } else {
            // A paragraph or an item of a list goes on until something else begins.
            let mut text = line.trim_end().to_owned();
            while let Some(more) = lines.next_if(|next| continues(next)) {
                text.push(' ');
                text.push_str(more.trim());
            }
            out.paragraph(&text);
        }
    }
    out.text
}

fn heading(line: &str) -> Option<(usize, &str)> {
    let title = line.trim_start_matches('#');
    let marks = line.len() - title.len();
    (marks > 0 && title.starts_with(' ')).then(|| (marks, title.trim()))
}

fn continues(line: &str) -> bool {
    let text = line.trim_start();
    !text.is_empty()
        && !text.starts_with("```")
        && !text.starts_with('|')
        && heading(text).is_none()
        && bullet(text).is_none()
}

/// The mark of a list's item, with its space.
fn bullet(text: &str) -> Option<&str> {
    if text.starts_with("- ") || text.starts_with("* ") {
        return Some(&text[..2]);
    }
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .filter(|digits| *digits > 0)?;
    text[digits..]
        .starts_with(". ")
        .then(|| &text[..digits + 2])
}

struct Writer {
    text: String,
    look: Look,
    columns: usize,
}

impl Writer {
    fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    fn heading(&mut self, marks: usize, title: &str) {
        let title: String = words(title, Look::Styled)
            .iter()
            .map(|word| word.text.as_str())
            .collect::<Vec<_>>()
            .join(" ");
        match (self.look, marks) {
            (Look::Styled, 1) => self.line(&format!("{BOLD_UNDERLINED}{title}{END}")),
            (Look::Styled, _) => self.line(&format!("{BOLD}{title}{END}")),
            (Look::Plain, 1) => {
                self.line(&title);
                self.line(&"=".repeat(title.chars().count()));
            }
            (Look::Plain, _) => {
                self.line(&title);
                self.line(&"-".repeat(title.chars().count()));
            }
        }
    }

    fn paragraph(&mut self, text: &str) {
        let indent = text.len() - text.trim_start().len();
        let text = text.trim_start();
        let mark = bullet(text).unwrap_or_default();
        let hanging = " ".repeat(indent + mark.len());
        let width = self.columns.saturating_sub(hanging.len());
        for (index, line) in self
            .wrap(&text[mark.len()..], width)
            .into_iter()
            .enumerate()
        {
            match index {
                0 => self.line(&format!("{}{mark}{}", " ".repeat(indent), line.text)),
                _ => self.line(&format!("{hanging}{}", line.text)),
            }
        }
    }

    /// A table. Its widest columns give way until it fits, and their cells are wrapped.
    fn table(&mut self, rows: &[&str]) {
        let rows: Vec<Vec<&str>> = rows
            .iter()
            .map(|row| {
                row.trim()
                    .trim_matches('|')
                    .split('|')
                    .map(str::trim)
                    .collect()
            })
            .collect();
        let is_rule = |row: &[&str]| {
            row.iter()
                .all(|cell| !cell.is_empty() && cell.chars().all(|c| matches!(c, '-' | ':')))
        };
        let count = rows.iter().map(Vec::len).max().unwrap_or_default();
        let mut widths: Vec<usize> = (0..count)
            .map(|column| {
                let cells = rows
                    .iter()
                    .filter(|row| !is_rule(row))
                    .filter_map(|row| row.get(column));
                cells
                    .map(|cell| width(cell, self.look))
                    .max()
                    .unwrap_or_default()
            })
            .collect();
        let room = self
            .columns
            .saturating_sub(COLUMN_GAP.len() * count.saturating_sub(1));
        while widths.iter().sum::<usize>() > room
            && let Some(widest) = widths.iter_mut().max().filter(|width| **width > LEAST_CELL)
        {
            *widest -= 1;
        }
        for row in &rows {
            if is_rule(row) {
                let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
                self.line(&rule.join(COLUMN_GAP));
                continue;
            }
            let cells: Vec<Vec<Line>> = row
                .iter()
                .zip(&widths)
                .map(|(cell, width)| self.wrap(cell, *width))
                .collect();
            let height = cells.iter().map(Vec::len).max().unwrap_or_default();
            for index in 0..height {
                let mut text = String::new();
                for (cell, width) in cells.iter().zip(&widths) {
                    let (shown, used) = cell
                        .get(index)
                        .map_or(("", 0), |line| (&*line.text, line.width));
                    text.push_str(shown);
                    text.push_str(&" ".repeat(width.saturating_sub(used)));
                    text.push_str(COLUMN_GAP);
                }
                self.line(&text);
            }
        }
    }

    /// Breaks a text into lines of at most `width` characters, where its words allow.
    fn wrap(&self, text: &str, width: usize) -> Vec<Line> {
        let mut lines = Vec::new();
        let mut line = Line::default();
        for word in words(text, self.look) {
            let length = word.text.chars().count();
            if line.width > 0 && line.width + 1 + length > width {
                lines.push(std::mem::take(&mut line));
            }
            if line.width > 0 {
                line.text.push(' ');
                line.width += 1;
            }
            line.width += length;
            match (self.look, word.face) {
                (Look::Styled, Face::Code) => {
                    line.text.push_str(&format!("{CODE}{}{END}", word.text))
                }
                (Look::Styled, Face::Bold) => {
                    line.text.push_str(&format!("{BOLD}{}{END}", word.text))
                }
                _ => line.text.push_str(&word.text),
            }
        }
        lines.push(line);
        lines
    }
}

/// A line and how many characters of it are seen.
#[derive(Default)]
struct Line {
    text: String,
    width: usize,
}

/// How many characters of a text are seen when it is one line.
fn width(text: &str, look: Look) -> usize {
    let words = words(text, look);
    words
        .iter()
        .map(|word| word.text.chars().count())
        .sum::<usize>()
        + words.len().saturating_sub(1)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Face {
    Text,
    Code,
    Bold,
}

#[derive(Debug)]
struct Word {
    text: String,
    face: Face,
}

/// The words of a text without its marks, except that code keeps its own where nothing else shows
/// it. A word has one face: that of its first marked letter.
fn words(text: &str, look: Look) -> Vec<Word> {
    let mut words = Vec::new();
    let mut word = Word {
        text: String::new(),
        face: Face::Text,
    };
    let mut face = Face::Text;
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        if face != Face::Code && rest.starts_with("**") {
            face = if face == Face::Bold {
                Face::Text
            } else {
                Face::Bold
            };
            rest = &rest[2..];
            continue;
        }
        if face != Face::Code
            && let Some((shown, after)) = link(rest)
        {
            word.text.push_str(shown);
            rest = after;
            continue;
        }
        rest = &rest[letter.len_utf8()..];
        match letter {
            '`' => {
                face = if face == Face::Code {
                    Face::Text
                } else {
                    Face::Code
                };
                if look == Look::Plain {
                    word.text.push(letter);
                }
            }
            ' ' => {
                if !word.text.is_empty() {
                    words.push(std::mem::replace(
                        &mut word,
                        Word {
                            text: String::new(),
                            face: Face::Text,
                        },
                    ));
                }
            }
            letter => {
                word.text.push(letter);
                if word.face == Face::Text {
                    word.face = face;
                }
            }
        }
    }
    if !word.text.is_empty() {
        words.push(word);
    }
    words
}

/// `[text](target)` at the start: its text, and what follows. Targets are files of the repository.
fn link(text: &str) -> Option<(&str, &str)> {
    let (shown, rest) = text.strip_prefix('[')?.split_once("](")?;
    let (_, after) = rest.split_once(')')?;
    (!shown.contains(['[', ']'])).then_some((shown, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# A `title`\n\nSome **bold words** and `code here`, see\n[the page](page.md).\n\n- one item that is long\n  and goes on\n- two\n\n```js\nlet a  = `1`; // kept as it is, however long the line may be\n```\n\n| a | b |\n|---|---|\n| `x` | some words in a cell |\n";

    #[test]
    fn a_plain_page_has_no_marks() {
        let expected = "A title\n=======\n\nSome bold words and `code\nhere`, see the page.\n\n- one item that is long\n  and goes on\n- two\n\n    let a  = `1`; // kept as it is, however long the line may be\n\na    b\n---  --------------------\n`x`  some words in a cell\n";
        assert_eq!(render(PAGE, Look::Plain, 25), expected);
    }

    #[test]
    fn a_styled_page_marks_headings_and_code() {
        let text = render(PAGE, Look::Styled, 80);
        assert!(
            text.starts_with("\u{1b}[1;4mA title\u{1b}[0m\n"),
            "{text:?}"
        );
        assert!(
            text.contains("\u{1b}[36mcode\u{1b}[0m \u{1b}[36mhere,\u{1b}[0m"),
            "{text:?}"
        );
        assert!(text.contains("\u{1b}[1mbold\u{1b}[0m"), "{text:?}");
    }

    #[test]
    fn a_cell_that_is_too_wide_is_wrapped_below_itself() {
        let text = render(
            "| a | b |\n|---|---|\n| x | one two three four five |\n",
            Look::Plain,
            16,
        );
        assert_eq!(
            text,
            "a  b\n-  -------------\nx  one two three\n   four five\n"
        );
    }
}
