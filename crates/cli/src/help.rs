//! The manual: the pages of `docs/guide`, built into the binary.

mod page;

use std::io::{IsTerminal, Write};

use self::page::{Look, render};
use crate::failure::{Cause, Failure};

/// The pages, in the order in which they are best read.
const TOPICS: [(&str, &str, &str); 7] = [
    (
        "overview",
        "what Dolmen is, and your first object",
        include_str!("../../../docs/guide/overview.md"),
    ),
    (
        "workers",
        "module workers: Cloudflare Durable Objects code, unchanged",
        include_str!("../../../docs/guide/workers.md"),
    ),
    (
        "js-api",
        "what objects can do: methods, fetch, storage, alarms, other objects",
        include_str!("../../../docs/guide/js-api.md"),
    ),
    (
        "wasm",
        "compiled HTTP handlers as workers and as objects",
        include_str!("../../../docs/guide/wasm.md"),
    ),
    (
        "gateway",
        "the HTTP routes, bodies, answers and errors",
        include_str!("../../../docs/guide/gateway.md"),
    ),
    (
        "storage",
        "what is durable when, and the files on disk",
        include_str!("../../../docs/guide/storage.md"),
    ),
    (
        "troubleshooting",
        "what an error means and what to do, by its code",
        include_str!("../../../docs/guide/troubleshooting.md"),
    ),
];

/// Widest text that still reads well.
const MOST_COLUMNS: usize = 100;
/// When nobody says how wide the terminal is.
const USUAL_COLUMNS: usize = 80;
/// Narrower terminals get lines that they break themselves.
const LEAST_COLUMNS: usize = 40;

/// Prints the page of a topic, or the list of topics.
pub fn print(topic: Option<&str>) -> Result<(), Failure> {
    let text = match topic {
        None => list(),
        Some(wanted) => {
            let (_, _, page) = TOPICS
                .iter()
                .find(|(name, _, _)| *name == wanted)
                .ok_or_else(|| {
                    let names: Vec<_> = TOPICS.iter().map(|(name, _, _)| *name).collect();
                    Failure::new(
                        Cause::Usage,
                        format!(
                            "there is no page {wanted:?}; there are {}",
                            names.join(", ")
                        ),
                    )
                })?;
            let stdout = std::io::stdout();
            let look = if stdout.is_terminal() && std::env::var_os("NO_COLOR").is_none() {
                Look::Styled
            } else {
                Look::Plain
            };
            render(page, look, columns())
        }
    };
    // A pager that was closed early is no error.
    drop(std::io::stdout().write_all(text.as_bytes()));
    Ok(())
}

fn list() -> String {
    let mut text = "Pages of the manual:\n\n".to_owned();
    for (name, about, _) in TOPICS {
        text.push_str(&format!("  dolmen help {name:<16}  {about}\n"));
    }
    text.push_str("\n  dolmen --help                 the flags of the server\n");
    text
}

fn columns() -> usize {
    let stdout = std::io::stdout();
    let width = rustix::termios::tcgetwinsize(&stdout).map_or(0, |size| usize::from(size.ws_col));
    if width == 0 {
        USUAL_COLUMNS
    } else {
        width.clamp(LEAST_COLUMNS, MOST_COLUMNS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All words in alphabetical order: wrapped cells of a table stand beside each other.
    fn words(text: &str) -> Vec<&str> {
        let mut words: Vec<_> = text
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .collect();
        words.sort_unstable();
        words
    }

    /// A page without the addresses of its links and the languages of its code.
    fn without_marks(page: &str) -> String {
        let mut rest = page;
        let mut kept = String::new();
        while let Some((before, link)) = rest.split_once("](") {
            kept.push_str(before);
            rest = link.split_once(')').map_or("", |(_, after)| after);
        }
        kept.push_str(rest);
        let lines = kept.lines().filter(|line| !line.starts_with("```"));
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn every_page_fits_its_width_and_loses_no_word() {
        for (name, _, page) in TOPICS {
            for columns in [LEAST_COLUMNS, USUAL_COLUMNS, MOST_COLUMNS] {
                let text = render(page, Look::Plain, columns);
                assert!(!text.contains('\u{1b}') && !text.contains("```"), "{name}");
                assert_eq!(words(&text), words(&without_marks(page)), "{name}");
                let prose = text.lines().filter(|line| !line.starts_with("    "));
                for line in
                    prose.filter(|line| line.split(' ').filter(|word| !word.is_empty()).count() > 6)
                {
                    let width = line.chars().count();
                    assert!(
                        columns < USUAL_COLUMNS || width <= columns,
                        "{name}: {width} in {line:?}"
                    );
                }
            }
        }
    }
}
