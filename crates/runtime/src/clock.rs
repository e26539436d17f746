//! Time, owned by whoever starts the runtime, so that a test can hold it.
//!
//! Two readings: a monotonic one for time-outs, and the calendar for alarms. A manual clock
//! moves both only when told.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Waker,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Where the runtime reads the time and waits for it.
#[derive(Clone, Debug, Default)]
pub struct Clock(Source);

#[derive(Clone, Debug, Default)]
enum Source {
    #[default]
    System,
    Manual(Arc<ManualClock>),
}

impl Clock {
    /// The machine's clocks.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still until [`ManualClock::advance`].
    pub fn manual(clock: Arc<ManualClock>) -> Self {
        Self(Source::Manual(clock))
    }

    /// Milliseconds since 1970, as alarms count them.
    pub fn unix_ms(&self) -> i64 {
        match &self.0 {
            Source::System => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX)),
            Source::Manual(clock) => clock.lock().unix_ms,
        }
    }

    /// A monotonic reading.
    pub fn now(&self) -> Instant {
        match &self.0 {
            Source::System => Instant::now(),
            Source::Manual(clock) => {
                let state = clock.lock();
                clock.start + state.elapsed
            }
        }
    }

    /// Returns once [`Clock::now`] has reached `at`.
    pub async fn sleep_until(&self, at: Instant) {
        match &self.0 {
            Source::System => tokio::time::sleep_until(at.into()).await,
            Source::Manual(clock) => clock.sleep_until(at).await,
        }
    }

    /// Returns once `duration` has passed.
    pub async fn sleep(&self, duration: Duration) {
        self.sleep_until(self.now() + duration).await;
    }
}

/// The time of a test.
#[derive(Debug)]
pub struct ManualClock {
    start: Instant,
    state: Mutex<ManualState>,
}

#[derive(Debug)]
struct ManualState {
    elapsed: Duration,
    unix_ms: i64,
    sleepers: BTreeMap<(Instant, u64), Waker>,
    next_sleeper: u64,
}

impl ManualClock {
    /// A clock that shows `unix_ms` until it is moved.
    pub fn new(unix_ms: i64) -> Arc<Self> {
        Arc::new(Self {
            start: Instant::now(),
            state: Mutex::new(ManualState {
                elapsed: Duration::ZERO,
                unix_ms,
                sleepers: BTreeMap::new(),
                next_sleeper: 0,
            }),
        })
    }

    /// Moves both readings forward and wakes every sleeper that is due.
    pub fn advance(&self, by: Duration) {
        let due = {
            let mut state = self.lock();
            state.elapsed += by;
            state.unix_ms = state
                .unix_ms
                .saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX));
            let now = self.start + state.elapsed;
            let later = state.sleepers.split_off(&(now, u64::MAX));
            std::mem::replace(&mut state.sleepers, later)
        };
        due.into_values().for_each(Waker::wake);
    }

    /// How many sleepers wait for a later time; lets a test know that a timer is set.
    pub fn sleepers(&self) -> usize {
        self.lock().sleepers.len()
    }

    /// How long until the first sleeper is due; lets a test know that nobody wakes up before that.
    pub fn next_wake(&self) -> Option<Duration> {
        let state = self.lock();
        let (at, _) = state.sleepers.keys().next()?;
        Some(at.saturating_duration_since(self.start + state.elapsed))
    }

    fn lock(&self) -> MutexGuard<'_, ManualState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn sleep_until(self: &Arc<Self>, at: Instant) {
        let mut entry = SleepEntry {
            clock: self,
            key: None,
        };
        std::future::poll_fn(|cx| {
            let mut state = self.lock();
            if self.start + state.elapsed >= at {
                return std::task::Poll::Ready(());
            }
            let key = *entry.key.get_or_insert_with(|| {
                state.next_sleeper += 1;
                (at, state.next_sleeper)
            });
            state.sleepers.insert(key, cx.waker().clone());
            std::task::Poll::Pending
        })
        .await;
    }
}

struct SleepEntry<'a> {
    clock: &'a ManualClock,
    key: Option<(Instant, u64)>,
}

impl Drop for SleepEntry<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.clock.lock().sleepers.remove(&key);
        }
    }
}
