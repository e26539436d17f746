//! Gives the memory of ended instances back to the system.
//!
//! Engines and SQLite allocate with the C library. That of GNU keeps what is freed between pieces that are still in
//! use, so after a thousand objects have hibernated the process would be as large as before.

use crate::shard::Shard;

/// Instances that must have ended since the last time: fewer are not worth a walk through the heap.
const FEWEST_ENDED: usize = 32;

impl Shard {
    /// Gives memory back if most of the instances that were live since the last time have ended. Called now and then.
    pub fn give_memory_back(&self) {
        if self.ended.get() < FEWEST_ENDED.max(self.live()) {
            return;
        }
        self.ended.set(0);
        // The walk takes milliseconds, for which this shard need not wait unless it allocates in the same heap.
        tokio::task::spawn_blocking(trim);
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn trim() {
    // SAFETY: this is how the C library declares it, and any thread may call it at any time.
    unsafe extern "C" {
        safe fn malloc_trim(keep_bytes: usize) -> std::ffi::c_int;
    }
    let from = std::time::Instant::now();
    malloc_trim(0);
    tracing::debug!(took = ?from.elapsed(), "gave free memory back to the system");
}

/// Other C libraries have nothing to call, or need no call.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn trim() {}

#[cfg(test)]
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod tests {
    use super::*;

    fn resident_pages() -> usize {
        let sizes = std::fs::read_to_string("/proc/self/statm").unwrap();
        sizes.split(' ').nth(1).unwrap().parse().unwrap()
    }

    #[test]
    fn freed_memory_between_used_pieces_goes_back_to_the_system() {
        const PIECE_BYTES: usize = 100_000;
        const PIECES: usize = 1_000;
        let mut pieces: Vec<Vec<u8>> = (0..PIECES).map(|_| vec![1; PIECE_BYTES]).collect();
        let mut number = 0;
        pieces.retain(|_| {
            number += 1;
            number % 10 == 0
        });
        let before = resident_pages();
        trim();
        let given_back = before.saturating_sub(resident_pages());
        // Of 100 MB, 90 are free; other tests of this process come and go meanwhile.
        assert!(given_back > 10_000, "only {given_back} pages went back");
    }
}
