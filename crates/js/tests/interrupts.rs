//! Long built-in functions ask the interrupt handler, so that one call cannot hold a shard.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

use std::time::{Duration, Instant};

use rquickjs::{Context, Runtime};

/// Runs `source` with a handler that stops it once `budget` is over; how long that took.
fn stopped_after(budget: Duration, source: &str) -> Duration {
    let runtime = Runtime::new().unwrap();
    runtime.set_memory_limit(256 << 20);
    let context = Context::full(&runtime).unwrap();
    let start = Instant::now();
    runtime.set_interrupt_handler(Some(Box::new(move || start.elapsed() > budget)));
    context.with(|ctx| {
        let ran = ctx.eval::<(), _>(source);
        assert!(ran.is_err(), "{source} was not stopped");
        let error = format!("{:?}", ctx.catch());
        assert!(error.contains("interrupted"), "{source}: {error}");
    });
    start.elapsed()
}

#[test]
fn long_built_ins_are_interrupted() {
    const BUDGET: Duration = Duration::from_millis(300);
    const AT_MOST: Duration = Duration::from_secs(5);
    for source in [
        "[].indexOf.call({ length: 2 ** 53 - 1 }, 1)",
        "[].includes.call({ length: 2 ** 53 - 1 }, 1)",
        "[].lastIndexOf.call({ length: 2 ** 53 - 1 }, 1)",
        "[].every.call({ length: 2 ** 53 - 1 }, () => true)",
        "[].reverse.call({ length: 2 ** 53 - 1 })",
        "[].join.call({ length: 2 ** 32 - 1 }, '')",
        "[].copyWithin.call({ length: 2 ** 53 - 1 }, 1, 0)",
        "'a'.repeat(4e6).indexOf('a'.repeat(2e6) + 'b')",
        "('b' + 'a'.repeat(4e6)).lastIndexOf('a'.repeat(2e6) + 'b')",
        "'a'.repeat(4e6).includes('a'.repeat(2e6) + 'b')",
        "'a'.repeat(4e6).split('a'.repeat(2e6) + 'b')",
        "'a'.repeat(4e6).replaceAll('a'.repeat(2e6) + 'b', '')",
        "const text = '[' + '1,'.repeat(1e6) + '1]'; for (let i = 0; i < 100; i++) JSON.parse(text)",
    ] {
        let took = stopped_after(BUDGET, source);
        assert!(took < AT_MOST, "{source} took {took:?}");
    }
}

#[test]
fn one_call_of_json_parse_is_interrupted() {
    let runtime = Runtime::new().unwrap();
    let context = Context::full(&runtime).unwrap();
    context.with(|ctx| {
        ctx.eval::<(), _>("globalThis.text = '[' + '1,'.repeat(1e5) + '1]'")
            .unwrap();
    });
    runtime.set_interrupt_handler(Some(Box::new(|| true)));
    context.with(|ctx| assert!(ctx.eval::<(), _>("JSON.parse(text)").is_err()));
}

#[test]
fn searches_find_what_they_did() {
    let runtime = Runtime::new().unwrap();
    let context = Context::full(&runtime).unwrap();
    context.with(|ctx| {
        let found: String = ctx
            .eval(
                r"JSON.stringify([
                    'abcabc'.indexOf('cab'), 'abcabc'.indexOf(''), 'abc'.indexOf('', 5), 'abc'.indexOf('abcd'), 'aab'.indexOf('ab'),
                    'abcabc'.lastIndexOf('abc'), 'abcabc'.lastIndexOf(''), 'abc'.lastIndexOf('x'), 'a€b€'.lastIndexOf('€'),
                    'a€b'.includes('€b'), 'abc'.startsWith('ab'), 'abc'.endsWith('bc'), 'abc'.startsWith(''), 'abc'.includes('d'),
                    'a,b,,c'.split(','), 'a--b'.replaceAll('-', '+'), 'x'.repeat(9000).indexOf('x'.repeat(8999) + 'x'), ('x'.repeat(9000) + 'y').indexOf('x'.repeat(8000) + 'y'),
                    [1, NaN, '2'].includes(NaN), [1, NaN].indexOf(NaN), [1, 2, 1].lastIndexOf(1), [,1].includes(undefined), [].indexOf.call({ length: 3, 2: 5 }, 5),
                ])",
            )
            .unwrap();
        assert_eq!(
            found,
            r#"[2,0,3,-1,1,3,6,-1,3,true,true,true,true,false,["a","b","","c"],"a++b",0,1000,true,-1,2,true,2]"#
        );
    });
}
