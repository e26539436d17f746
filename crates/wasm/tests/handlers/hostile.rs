//! Guests that lie: whatever they point at, the answer is a panic and the next request works.

use dolmen_runtime::{EgressPolicy, Options};

use super::world::{in_world, in_world_with, module, options, text};

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

/// The imports of `do`, with their parameters.
const IMPORTS: &str = "take iii last_error - kv_get ii kv_put iiii kv_delete ii kv_list iiiiii sql_exec iiii
alarm_get - alarm_set l alarm_delete - fetch i fetch_many ii ws_send iiii ws_broadcast iiii ws_close iiii ws_list -
ws_attach iii ws_attachment i log iii now_ms - object_id i";

/// Copies the body behind its first 32 bytes to 512, and calls the import whose number its first
/// word is with the words that follow.
fn caller() -> String {
    let words: Vec<_> = IMPORTS.split_whitespace().collect();
    let (mut imports, mut calls) = (String::new(), String::new());
    for (index, import) in words.chunks(2).enumerate() {
        let (name, params) = (import[0], import[1].trim_matches('-'));
        let kinds: Vec<_> = params
            .chars()
            .map(|kind| if kind == 'l' { "i64" } else { "i32" })
            .collect();
        let result = match name {
            "log" => "",
            "alarm_get" | "now_ms" => "(result i64)",
            _ => "(result i32)",
        };
        imports += &format!(
            "(import \"do\" \"{name}\" (func ${name} (param {}) {result}))",
            kinds.join(" ")
        );
        let args: String = kinds
            .iter()
            .enumerate()
            .map(|(index, kind)| {
                let word = format!("(i32.load offset={} (local.get $body))", 8 + index * 4);
                if *kind == "i64" {
                    format!("(i64.extend_i32_s {word})")
                } else {
                    word
                }
            })
            .collect();
        let call = format!("(call ${name} {args})");
        let call = if result.is_empty() {
            call
        } else {
            format!("(drop {call})")
        };
        calls += &format!(
            "(if (i32.eq (i32.load offset=4 (local.get $body)) (i32.const {index})) (then {call}))"
        );
    }
    module(
        &imports,
        &format!(
            "(func (export \"do_abi\") (result i32) (i32.const 1))
             (func $handle (param $r i32) (result i32) (local $body i32)
               (local.set $body (call $slot (local.get $r) (i32.const 2)))
               (memory.copy (i32.const 512) (i32.add (local.get $body) (i32.const 36)) (i32.const 256))
               {calls}
               (call $respond (i32.const 200) (i32.const 0) (i32.const 0) (i32.const 0)))"
        ),
    )
}

#[test]
fn no_import_believes_what_it_is_given() {
    let options = Options {
        egress: EgressPolicy::default(),
        ..options()
    };
    in_world_with(&caller(), options, async |w| {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut random = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u32
        };
        let near = [
            0,
            1,
            2,
            4,
            16,
            512,
            516,
            528,
            600,
            131_056,
            131_071,
            131_072,
            u32::MAX,
            1 << 31,
        ];
        let imports = IMPORTS.split_whitespace().count() as u32 / 2;
        let (mut panics, mut answers) = (0, 0);
        for round in 0..4_000_u32 {
            let mut word = || match random() % 10 {
                0 => random(),
                _ => near[random() as usize % near.len()],
            };
            let mut body = vec![round % imports];
            body.extend((0..7).map(|_| word()));
            // Slots with tags that mean something, and pointers that may.
            for _ in 0..16 {
                body.extend([word() % 10, word(), word(), word()]);
            }
            let object = format!("o{}", round % 4);
            let answer = w.post(&object, "/", words(body)).await;
            match answer.status {
                500 => panics += 1,
                200 => answers += 1,
                other => panic!("{other}: {}", answer.text_lossy()),
            }
        }
        assert!(
            panics > 500 && answers > 500,
            "{panics} panics, {answers} answers"
        );
    });
}

#[test]
fn malloc_may_call_its_host() {
    let guest = r#"(module
  (import "do" "kv_put" (func $kv_put (param i32 i32 i32 i32) (result i32)))
  (import "do" "sql_exec" (func $sql_exec (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "SELECT 1")
  (func (export "malloc") (param i32) (result i32)
    (drop (call $kv_put (i32.const 16) (i32.const 1) (i32.const 16) (i32.const 1)))
    (drop (call $sql_exec (i32.const 16) (i32.const 8) (i32.const 0) (i32.const 0)))
    (i32.const 1024))
  (func (export "free") (param i32) (drop (call $sql_exec (i32.const 16) (i32.const 8) (i32.const 0) (i32.const 0))))
  (func (export "handle_zerobuf") (param i32) (result i32)
    (i32.store (i32.const 64) (i32.const 2)) (i32.store (i32.const 68) (i32.const 200)) (i32.const 64)))"#;
    in_world(guest, async |w| {
        for _ in 0..3 {
            assert_eq!(w.object("a", "/").await.status, 200);
        }
    });
}
