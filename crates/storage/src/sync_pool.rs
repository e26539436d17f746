//! The threads that wait for the disk so that shards do not. Each job blocks in `fdatasync`, so there are
//! many more threads than cores. The queue is bounded by its users: an object has at most one job in it.
//! Dropping the pool finishes the queued jobs first.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use crate::error::{Error, ErrorKind, Result};

pub(crate) type Job = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Queue {
    jobs: Mutex<Jobs>,
    ready: Condvar,
}

#[derive(Default)]
struct Jobs {
    waiting: VecDeque<Job>,
    closed: bool,
}

pub(crate) struct SyncPool {
    queue: Arc<Queue>,
    threads: Vec<JoinHandle<()>>,
}

impl SyncPool {
    pub fn start(threads: usize) -> Result<SyncPool> {
        let mut pool = SyncPool {
            queue: Arc::default(),
            threads: Vec::with_capacity(threads),
        };
        for number in 0..threads.max(1) {
            let queue = Arc::clone(&pool.queue);
            let thread = thread::Builder::new()
                .name(format!("dolmen-sync-{number}"))
                .spawn(move || queue.work())
                .map_err(|e| {
                    Error::new(ErrorKind::Io, format!("could not start a sync thread: {e}"))
                })?;
            pool.threads.push(thread);
        }
        Ok(pool)
    }

    pub fn run(&self, job: Job) {
        self.queue.lock().waiting.push_back(job);
        self.queue.ready.notify_one();
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        while let Some(job) = self.next() {
            // A callback that panics must not take the thread away from every other object.
            if catch_unwind(AssertUnwindSafe(job)).is_err() {
                tracing::error!("a completion callback of the storage panicked");
            }
        }
    }

    fn next(&self) -> Option<Job> {
        let mut jobs = self.lock();
        loop {
            if let Some(job) = jobs.waiting.pop_front() {
                return Some(job);
            }
            if jobs.closed {
                return None;
            }
            jobs = self
                .ready
                .wait(jobs)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for SyncPool {
    fn drop(&mut self) {
        self.queue.lock().closed = true;
        self.queue.ready.notify_all();
        let this = thread::current().id();
        for thread in self.threads.drain(..) {
            // The last handle may be dropped by a callback, on one of these threads.
            if thread.thread().id() != this {
                // A thread of the pool catches every panic, so there is none to report here.
                let _ = thread.join();
            }
        }
    }
}
