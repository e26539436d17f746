//! Keeps the engine's interrupt checks close together in time.
//!
//! QuickJS calls its interrupt handler after 10,000 jumps and calls, however long each took: a loop
//! around `JSON.parse` of a large text would hold the shard for seconds. The counter is a field of
//! the context that no call of QuickJS sets, so it is found once, by watching which word of a
//! context counts down as a loop runs, and then set by the handler so that the next check comes
//! after about [`AIM`].

use std::{
    cell::Cell,
    ptr::NonNull,
    rc::Rc,
    sync::OnceLock,
    time::{Duration, Instant},
};

use rquickjs::{Context, Ctx, Function, Runtime, qjs};

/// How far apart checks should be. A slice is a few milliseconds.
const AIM: Duration = Duration::from_micros(200);
/// Jumps before the first check of a turn: few, because nothing is known of this code yet.
const FIRST: i32 = 8;
/// Most jumps between two checks: what QuickJS itself uses.
const MOST: i32 = 10_000;
/// How much longer the next distance may be than the last.
const GROWTH: i32 = 4;
/// Words of a context that are looked at for the counter.
const WORDS: usize = 256;

/// Sets the distance of one context's interrupt checks.
pub(crate) struct Pacer {
    counter: Option<NonNull<i32>>,
    distance: Cell<i32>,
    last: Cell<Instant>,
}

impl Pacer {
    /// A pacer that does nothing if the counter cannot be found.
    pub fn new(ctx: &Ctx<'_>) -> Rc<Self> {
        let counter = counter_word().and_then(|word| {
            // SAFETY: `counter_word` found the counter at this word of another context of the
            // same build of QuickJS, inside its allocation.
            NonNull::new(unsafe { ctx.as_raw().as_ptr().cast::<i32>().add(word) })
        });
        Rc::new(Self {
            counter,
            distance: Cell::new(FIRST),
            last: Cell::new(Instant::now()),
        })
    }

    /// A turn starts.
    pub fn start_turn(&self) {
        self.set(FIRST);
    }

    /// The handler was called after some time of running; `now` is before it gave the thread away.
    pub fn checked(&self, now: Instant) {
        let took = now
            .saturating_duration_since(self.last.get())
            .max(Duration::from_nanos(1));
        let wanted = f64::from(self.distance.get()) * AIM.as_secs_f64() / took.as_secs_f64();
        #[expect(clippy::cast_possible_truncation, reason = "saturates, and is clamped")]
        let wanted = wanted as i32;
        self.set(wanted.clamp(1, self.distance.get().saturating_mul(GROWTH).min(MOST)));
    }

    fn set(&self, distance: i32) {
        self.distance.set(distance);
        self.last.set(Instant::now());
        if let Some(counter) = self.counter {
            // SAFETY: the context outlives this pacer's use: it is called on a turn or from the
            // handler, both of which run inside that context. It is the counter, an aligned int.
            unsafe { counter.write(distance) };
        }
    }
}

/// Which 32-bit word of a context is its interrupt counter.
fn counter_word() -> Option<usize> {
    static WORD: OnceLock<Option<usize>> = OnceLock::new();
    *WORD.get_or_init(|| {
        let found = find();
        if found.is_none() {
            tracing::warn!("the engine's interrupt counter was not found: slow built-in functions in a loop may hold a shard");
        }
        found
    })
}

fn find() -> Option<usize> {
    let runtime = Runtime::new().ok()?;
    let context = Context::full(&runtime).ok()?;
    context.with(|ctx| {
        let run: Function<'_> = ctx
            .eval("(function (n) { let i = 0; while (i < n) i++; })")
            .ok()?;
        let before = words(&ctx);
        run.call::<_, ()>((100,)).ok()?;
        let between = words(&ctx);
        run.call::<_, ()>((1_100,)).ok()?;
        let after = words(&ctx);
        let counts = |word: &usize| {
            let (first, second) = (
                before[*word] - between[*word],
                between[*word] - after[*word],
            );
            (1..=i64::from(MOST)).contains(&before[*word])
                && first >= 100
                && second > first
                && (second - first) % 1_000 == 0
        };
        let mut candidates = (0..before.len()).filter(counts);
        let word = candidates.next()?;
        candidates.next().is_none().then_some(word)
    })
}

/// The first words of a context, as numbers.
fn words(ctx: &Ctx<'_>) -> Vec<i64> {
    let start = ctx.as_raw().as_ptr();
    // SAFETY: QuickJS allocated the context with its own allocator; the call only asks for the size.
    let size = unsafe { qjs::js_malloc_usable_size(ctx.as_raw().as_ptr(), start.cast()) } as usize;
    (0..WORDS.min(size / size_of::<i32>()))
        // SAFETY: the words are inside the allocation, aligned, and nobody writes during the read.
        .map(|word| i64::from(unsafe { start.cast::<i32>().add(word).read() }))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counter_is_found_in_this_build_of_the_engine() {
        assert!(find().is_some());
    }

    #[test]
    fn slow_calls_bring_checks_closer_and_fast_ones_spread_them() {
        let runtime = Runtime::new().unwrap();
        let context = Context::full(&runtime).unwrap();
        context.with(|ctx| {
            let pacer = Pacer::new(&ctx);
            pacer.start_turn();
            pacer.checked(pacer.last.get() + AIM * 8);
            assert_eq!(pacer.distance.get(), FIRST / 8);
            pacer.checked(pacer.last.get() + AIM * 1_000);
            assert_eq!(pacer.distance.get(), 1);
            for _ in 0..20 {
                pacer.checked(pacer.last.get() + Duration::from_micros(1));
            }
            assert_eq!(pacer.distance.get(), MOST);
        });
    }
}
