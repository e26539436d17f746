//! Compiled statements that nobody runs now, by their text; the least recently used go first.

use std::sync::Arc;

use hashlink::LinkedHashMap;

use super::statement::Statement;

/// All texts together, in bytes. Cloudflare: 1 MiB.
const MAX_TEXT_BYTES: usize = 1 << 20;
/// A compiled statement takes some kilobytes, so short texts are limited by their number.
const MAX_STATEMENTS: usize = 256;

#[derive(Default)]
pub(super) struct Cache {
    /// The one used last is at the back.
    idle: LinkedHashMap<Arc<str>, Statement>,
    text_bytes: usize,
}

impl Cache {
    pub fn take(&mut self, text: &str) -> Option<Statement> {
        let statement = self.idle.remove(text)?;
        self.text_bytes -= text.len();
        Some(statement)
    }

    /// Keeps the statement, unless another one of the same text is here.
    pub fn give(&mut self, mut statement: Statement) {
        let Some(text) = statement.text.clone() else {
            return;
        };
        if self.idle.contains_key(&text) {
            return;
        }
        statement.rest();
        self.text_bytes += text.len();
        self.idle.insert(text, statement);
        while self.text_bytes > MAX_TEXT_BYTES || self.idle.len() > MAX_STATEMENTS {
            let Some((text, _)) = self.idle.pop_front() else {
                break;
            };
            self.text_bytes -= text.len();
        }
    }
}
