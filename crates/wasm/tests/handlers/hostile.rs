//! Guests that lie: whatever they point at, the answer is a panic and the next request works.

use super::world::{in_world, module, text};

/// Answers what the body says: the address of the response, then words that are stored at addresses.
/// The path `/m` makes `malloc` return what the body of the request before said.
const PUPPET: &str = r#"(module
  (memory (export "memory") 1 64)
  (global $next (mut i32) (i32.const 0))
  (func (export "malloc") (param $size i32) (result i32)
    (if (result i32) (global.get $next) (then (global.get $next)) (else (i32.const 1024))))
  (func (export "handle_zerobuf") (param $request i32) (result i32) (local $at i32) (local $end i32) (local $body i32)
    (local.set $body (i32.load offset=36 (local.get $request)))
    (local.set $end (i32.add (i32.add (local.get $body) (i32.const 4)) (i32.load (local.get $body))))
    (local.set $at (i32.add (local.get $body) (i32.const 16)))
    (global.set $next (i32.load offset=8 (local.get $body)))
    (drop (memory.grow (i32.load offset=12 (local.get $body))))
    (block $done (loop $each
      (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
      (i32.store (i32.load (local.get $at)) (i32.load offset=4 (local.get $at)))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (br $each)))
    (i32.load offset=4 (local.get $body))))"#;

fn words(words: impl IntoIterator<Item = u32>) -> Vec<u8> {
    words.into_iter().flat_map(u32::to_le_bytes).collect()
}

/// Numbers that are close to an edge of a memory of some pages.
const EDGES: [u32; 16] = [
    0,
    1,
    4,
    64,
    1_024,
    65_472,
    65_473,
    65_520,
    65_532,
    65_535,
    65_536,
    131_072,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_fff0,
    0xffff_ffff,
];

/// The seventh fault of the original: a wild pointer crashed its host.
#[test]
fn wild_pointers_and_lying_lengths_are_panics_and_the_next_request_works() {
    in_world(PUPPET, async |w| {
        // A small generator with a fixed seed, so that a failure can be seen again.
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut random = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u32
        };
        let (mut panics, mut answers) = (0, 0);
        for round in 0..4_000 {
            let mut edge = || match random() % 8 {
                0 => random(),
                _ => EDGES[random() as usize % EDGES.len()],
            };
            let response = match round % 3 {
                0 => edge(),
                _ => 256,
            };
            let malloc = if round % 5 == 0 { edge() } else { 0 };
            let grow = if round % 7 == 0 { edge() % 3 } else { 0 };
            let mut script = vec![response, malloc, grow];
            // The status, then the tags and pointers of three slots, and a length where one may point.
            script.extend([response.wrapping_add(4), 200]);
            for slot in 1..4 {
                let (at, pointer) = (response.wrapping_add(slot * 16), edge());
                script.extend([at, 4, at.wrapping_add(4), pointer]);
                if round % 2 == 0 {
                    script.extend([pointer, edge()]);
                }
            }
            let object = format!("o{}", round % 4);
            let answer = w.post(&object, "/", words(script)).await;
            // A script may write over its own status, and over what is left of it.
            match answer.text_lossy().starts_with("panic: ") {
                true => panics += 1,
                false => answers += 1,
            }
        }
        assert!(
            panics > 500 && answers > 50,
            "{panics} panics, {answers} answers"
        );
        let good = words([256, 0, 0, 260, 200, 276, 0, 292, 0, 304, 0]);
        w.post("o0", "/", good.clone()).await;
        assert_eq!(w.post("o0", "/", good).await.status, 200);
    });
}

#[test]
fn a_response_in_memory_that_has_just_grown_is_read() {
    let grows = module(
        "",
        r#"(func $handle (param $request i32) (result i32) (local $at i32)
            (local.set $at (i32.mul (memory.grow (i32.const 3)) (i32.const 65536)))
            (i32.store (local.get $at) (i32.const 2)) (i32.store offset=4 (local.get $at) (i32.const 200))
            (i32.store offset=36 (local.get $at) (i32.add (local.get $at) (i32.const 64)))
            (i32.store offset=64 (local.get $at) (i32.const 70000))
            (i32.store8 offset=70067 (local.get $at) (i32.const 7))
            (local.get $at))"#,
    );
    in_world(&grows, async |w| {
        let body = w.object("a", "/").await.body;
        assert_eq!((body.len(), body[69_999]), (70_000, 7));
    });
}

#[test]
fn a_guest_without_memory_for_a_request_panics_alone() {
    let none = r#"(module (memory (export "memory") 1)
        (func (export "malloc") (param i32) (result i32) (i32.const 0))
        (func (export "handle_zerobuf") (param i32) (result i32) (i32.const 0)))"#;
    in_world(none, async |w| {
        let answer = w.object("a", "/").await;
        assert!(
            answer
                .text()
                .starts_with("panic: malloc has no memory for "),
            "{}",
            answer.text()
        );
    });
}

#[test]
fn headers_that_cannot_be_sent_are_panics() {
    for (headers, what) in [
        ("a b: c\n", "panic: \"a b\" is not the name of a header"),
        (
            "a: \u{1}\n",
            "panic: the header a has a value that cannot be sent",
        ),
    ] {
        let guest = module(
            "",
            &format!(
                "{} (func $handle (param $request i32) (result i32) (call $respond (i32.const 200) (i32.const 0) (i32.const 0) (i32.const 1024)))",
                text(1_024, headers)
            ),
        );
        in_world(&guest, async |w| {
            assert_eq!(w.object("a", "/").await.text(), what)
        });
    }
}
