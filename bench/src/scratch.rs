//! A server's folder: its storage and what it prints. Removed when dropped, and the disk settled, so that no server
//! pays for the writes of the one before it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result};

/// A folder of one server.
#[derive(Debug)]
pub struct Scratch {
    folder: PathBuf,
}

impl Scratch {
    /// Makes a new folder under `root`, with an empty storage folder in it.
    pub fn create(root: &Path) -> Result<Self> {
        static SERIAL: AtomicU64 = AtomicU64::new(0);
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        let scratch = Scratch {
            folder: root.join(format!("bench-{}-{serial}", std::process::id())),
        };
        let storage = scratch.storage();
        fs::create_dir_all(&storage)
            .with_context(|| format!("cannot make {}", storage.display()))?;
        Ok(scratch)
    }

    /// The folder itself, for what the benchmark generates for the server.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the server keeps its objects.
    pub fn storage(&self) -> PathBuf {
        self.folder.join("storage")
    }

    /// Where its output goes.
    pub fn log(&self) -> PathBuf {
        self.folder.join("output.log")
    }

    /// The end of its output; empty when it printed nothing.
    pub fn last_lines(&self) -> String {
        const LINES: usize = 6;
        let output = fs::read(self.log()).unwrap_or_default();
        let output = String::from_utf8_lossy(&output);
        let lines: Vec<&str> = output.lines().collect();
        lines[lines.len().saturating_sub(LINES)..].join("\n")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            eprintln!("warning: cannot remove {}: {error}", self.folder.display());
        }
        // When this fails the next server starts on a busier disk, as it would without it.
        if let Some(root) = self.folder.parent().and_then(|root| File::open(root).ok()) {
            let _ = rustix::fs::syncfs(root);
        }
    }
}
