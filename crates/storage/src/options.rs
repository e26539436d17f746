//! What can be chosen when a storage is opened. Every default has its reason beside it.

use std::fmt;
use std::sync::Arc;

use crate::disk::{Disk, RealDisk};

/// Settings of a [`Storage`](crate::Storage).
#[derive(Clone)]
pub struct Options {
    /// Threads that wait in `fdatasync`. 16 is a guess in the middle: on a busy 2-core machine, whose disk changed its
    /// rate tenfold meanwhile, 4 to 32 could not be told apart. Measure yours with `examples/sync_rate.rs`.
    pub sync_threads: usize,
    /// Where syncs go.
    pub disk: Arc<dyn Disk>,
    /// Largest key and value together, in bytes. Cloudflare: 2 MB.
    pub max_value_bytes: usize,
    /// Largest key in bytes. Cloudflare: 2 KiB.
    pub max_key_bytes: usize,
    /// Pages in a write-ahead log from which on the object wants a checkpoint. 1000 is SQLite's own default (4 MB).
    pub checkpoint_pages: u32,
    /// Commands that may wait for the alarm index; more are refused as `Overloaded`.
    pub alarm_queue: usize,
    /// Pages of 4 KiB that one open database may keep in memory. 3 hold a small object whole; each costs 4.4 KB.
    pub cache_pages: u32,
    /// The same once user SQL was run on it. 64 keep the upper pages of an index; a query takes them as it reads them.
    pub sql_cache_pages: u32,
    /// Largest text, blob or row of user SQL, in bytes. Cloudflare: 2 MB.
    pub max_sql_value_bytes: i32,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            sync_threads: 16,
            disk: Arc::new(RealDisk),
            max_value_bytes: 2 * 1024 * 1024,
            max_key_bytes: 2048,
            checkpoint_pages: 1000,
            alarm_queue: 16_384,
            cache_pages: 3,
            sql_cache_pages: 64,
            max_sql_value_bytes: 2 * 1024 * 1024,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("sync_threads", &self.sync_threads)
            .field("max_value_bytes", &self.max_value_bytes)
            .field("max_key_bytes", &self.max_key_bytes)
            .field("checkpoint_pages", &self.checkpoint_pages)
            .field("alarm_queue", &self.alarm_queue)
            .field("cache_pages", &self.cache_pages)
            .field("sql_cache_pages", &self.sql_cache_pages)
            .field("max_sql_value_bytes", &self.max_sql_value_bytes)
            .finish_non_exhaustive()
    }
}
