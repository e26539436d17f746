//! A guest that does one thing with the imports of `do` for each letter of a path, and what it
//! answers, read by the layout of `docs/reference/wasm-abi.md`.

use super::world::module;

/// Where the guest takes results to.
pub const TAKEN_AT: u32 = 32_768;

/// `/X/REST` does X with REST and the body: see the letters below. 200: what waits, or a digit; 404:
/// there is none; 422: it failed, with the reason. Parameters of SQL and requests are at 512 and 768.
pub fn doing() -> String {
    let imports = r#"
  (import "do" "take" (func $take (param i32 i32 i32) (result i32)))
  (import "do" "last_error" (func $last_error (result i32)))
  (import "do" "kv_get" (func $kv_get (param i32 i32) (result i32)))
  (import "do" "kv_put" (func $kv_put (param i32 i32 i32 i32) (result i32)))
  (import "do" "kv_delete" (func $kv_delete (param i32 i32) (result i32)))
  (import "do" "kv_list" (func $kv_list (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "do" "sql_exec" (func $sql_exec (param i32 i32 i32 i32) (result i32)))
  (import "do" "alarm_get" (func $alarm_get (result i64)))
  (import "do" "alarm_set" (func $alarm_set (param i64) (result i32)))
  (import "do" "alarm_delete" (func $alarm_delete (result i32)))
  (import "do" "fetch" (func $fetch (param i32) (result i32)))
  (import "do" "fetch_many" (func $fetch_many (param i32 i32) (result i32)))
  (import "do" "ws_send" (func $ws_send (param i32 i32 i32 i32) (result i32)))
  (import "do" "ws_broadcast" (func $ws_broadcast (param i32 i32 i32 i32) (result i32)))
  (import "do" "ws_close" (func $ws_close (param i32 i32 i32 i32) (result i32)))
  (import "do" "ws_list" (func $ws_list (result i32)))
  (import "do" "ws_attach" (func $ws_attach (param i32 i32 i32) (result i32)))
  (import "do" "ws_attachment" (func $ws_attachment (param i32) (result i32)))
  (import "do" "log" (func $log (param i32 i32 i32)))
  (import "do" "now_ms" (func $now_ms (result i64)))
  (import "do" "object_id" (func $object_id (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get" (func $environ_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $environ_get (param i32 i32) (result i32)))
"#;
    let letters: String = LETTERS
        .iter()
        .map(|(letter, work)| {
            let letter = u32::from(*letter);
            format!("(if (i32.eq (local.get $l) (i32.const {letter})) (then (return {work})))\n")
        })
        .collect();
    module(
        imports,
        &format!(
            "{PARTS}\n{HANDLE} {letters} (call $respond (i32.const 404) (i32.const 0) (i32.const 0) (i32.const 0)))"
        ),
    )
}

/// What each letter does. `$k`, `$kn`: REST; `$b`, `$bn`: the body; `$d`: the first digit of REST.
const LETTERS: [(char, &str); 25] = [
    (
        'p',
        "(call $code (call $kv_put (local.get $k) (local.get $kn) (local.get $b) (local.get $bn)))",
    ),
    (
        'g',
        "(call $found (call $kv_get (local.get $k) (local.get $kn)))",
    ),
    (
        'd',
        "(call $code (call $kv_delete (local.get $k) (local.get $kn)))",
    ),
    // REST: a digit of flags and one of the limit, then the prefix; the body: the start.
    (
        'l',
        "(call $found (call $kv_list (i32.add (local.get $k) (i32.const 2)) (i32.sub (local.get $kn) (i32.const 2)) (local.get $b) (local.get $bn) (i32.sub (i32.load8_u offset=1 (local.get $k)) (i32.const 48)) (local.get $d)))",
    ),
    (
        'q',
        "(call $found (call $sql_exec (local.get $b) (local.get $bn) (i32.const 512) (local.get $d)))",
    ),
    (
        'a',
        "(call $code (call $alarm_set (i64.add (call $now_ms) (i64.mul (i64.extend_i32_s (local.get $d)) (i64.const 1000)))))",
    ),
    ('n', "(call $code (call $alarm_set (i64.const -1)))"),
    ('A', "(call $wide (call $alarm_get))"),
    ('x', "(call $code (call $alarm_delete))"),
    (
        'f',
        "(call $found (call $fetch (call $requests (local.get $r) (i32.const 1))))",
    ),
    (
        'F',
        "(call $found (call $fetch_many (call $requests (local.get $r) (local.get $d)) (local.get $d)))",
    ),
    (
        'T',
        "(call $found (call $fetch_many (i32.const 768) (i32.const 65)))",
    ),
    (
        's',
        "(call $code (call $ws_send (local.get $d) (local.get $b) (local.get $bn) (i32.const 0)))",
    ),
    (
        'S',
        "(call $code (call $ws_send (local.get $d) (local.get $b) (local.get $bn) (i32.const 1)))",
    ),
    (
        'b',
        "(call $code (call $ws_broadcast (local.get $b) (local.get $bn) (i32.const 0) (local.get $d)))",
    ),
    // Closes with the code that has as many thousands as the second digit of REST says.
    (
        'c',
        "(call $code (call $ws_close (local.get $d) (i32.mul (i32.const 1000) (i32.sub (i32.load8_u offset=1 (local.get $k)) (i32.const 48))) (local.get $b) (local.get $bn)))",
    ),
    ('w', "(call $found (call $ws_list))"),
    (
        't',
        "(call $code (call $ws_attach (local.get $d) (local.get $b) (local.get $bn)))",
    ),
    ('u', "(call $found (call $ws_attachment (local.get $d)))"),
    ('i', "(call $found (call $object_id (local.get $d)))"),
    ('N', "(call $wide (call $now_ms))"),
    // Writes, and traps.
    (
        'z',
        "(block (result i32) (drop (call $kv_put (local.get $k) (local.get $kn) (local.get $b) (local.get $bn))) (unreachable))",
    ),
    ('E', "(call $env)"),
    // Takes what waits badly: a part of slots.
    (
        'B',
        "(block (result i32) (drop (call $ws_list)) (call $code (call $take (i32.const 32768) (i32.const 4) (i32.const 8))))",
    ),
    // Pointers to nowhere.
    ('W', "(call $wild (local.get $d))"),
];

const PARTS: &str = r#"
  (func (export "do_abi") (result i32) (i32.const 1))
  ;; What waits, as a string.
  (func $taken (result i32)
    (i32.store (i32.const 32764) (call $take (i32.const 32768) (i32.const 0) (i32.const 65536)))
    (i32.const 32764))
  (func $failed (param $code i32) (result i32)
    (if (i32.eq (local.get $code) (i32.const -1)) (then (return (call $respond (i32.const 404) (i32.const 0) (i32.const 0) (i32.const 0)))))
    (drop (call $last_error))
    (call $respond (i32.const 422) (i32.const 0) (call $taken) (i32.const 0)))
  (func $found (param $code i32) (result i32)
    (if (i32.lt_s (local.get $code) (i32.const 0)) (then (return (call $failed (local.get $code)))))
    (call $respond (i32.const 200) (i32.const 0) (call $taken) (i32.const 0)))
  (func $code (param $code i32) (result i32)
    (if (i32.lt_s (local.get $code) (i32.const 0)) (then (return (call $failed (local.get $code)))))
    (call $respond (i32.const 200) (i32.const 0) (call $digit (local.get $code)) (i32.const 0)))
  (func $wide (param $value i64) (result i32)
    (if (i64.lt_s (local.get $value) (i64.const 0)) (then (return (call $failed (i32.wrap_i64 (local.get $value))))))
    (i32.store (i32.const 32764) (i32.const 8))
    (i64.store (i32.const 32768) (local.get $value))
    (call $respond (i32.const 200) (i32.const 0) (i32.const 32764) (i32.const 0)))
  ;; So many requests at 768: a POST of the body "sent" with a header to the URL of the request's body.
  (func $requests (param $request i32) (param $count i32) (result i32) (local $at i32)
    (local.set $at (i32.const 768))
    (loop $next
      (i32.store (local.get $at) (i32.const 4)) (i32.store offset=4 (local.get $at) (i32.const 400))
      (i32.store offset=16 (local.get $at) (i32.const 4)) (i32.store offset=20 (local.get $at) (call $slot (local.get $request) (i32.const 2)))
      (i32.store offset=32 (local.get $at) (i32.const 8)) (i32.store offset=36 (local.get $at) (i32.const 408))
      (i32.store offset=48 (local.get $at) (i32.const 4)) (i32.store offset=52 (local.get $at) (i32.const 416))
      (local.set $at (i32.add (local.get $at) (i32.const 64)))
      (br_if $next (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))
    (i32.const 768))
  (func $env (result i32) (local $count i32)
    (drop (call $environ_sizes_get (i32.const 300) (i32.const 304)))
    (drop (call $environ_get (i32.const 308) (i32.const 32768)))
    (i32.store (i32.const 32764) (i32.load (i32.const 304)))
    (call $respond (i32.const 200) (i32.const 0) (i32.const 32764) (i32.const 0)))
  (func $wild (param $which i32) (result i32)
    (block $7 (block $6 (block $5 (block $4 (block $3 (block $2 (block $1 (block $0
      (br_table $0 $1 $2 $3 $4 $5 $6 $7 (local.get $which)))
      (return (call $code (call $kv_get (i32.const -4) (i32.const 8)))))
      (return (call $code (call $kv_put (i32.const 512) (i32.const 1) (i32.const 131072) (i32.const 1)))))
      (return (call $code (call $sql_exec (i32.const 512) (i32.const -1) (i32.const 0) (i32.const 0)))))
      (return (call $code (call $sql_exec (i32.const 404) (i32.const 4) (i32.const 131064) (i32.const 1)))))
      (return (call $code (call $fetch (i32.const 131064)))))
      (return (call $code (call $ws_broadcast (i32.const 1) (i32.const -1) (i32.const 0) (i32.const 0)))))
      (drop (call $object_id (i32.const 0))) (return (call $code (call $take (i32.const 131071) (i32.const 0) (i32.const 64)))))
    (call $log (i32.const 1) (i32.const -1) (i32.const 1)) (i32.const 0))
  (data (i32.const 400) "\04\00\00\00POST\04\00\00\00sent\08\00\00\00x-sent: ")
  (data (i32.const 440) "\04\00\00\00text\01\00\00\00\ff\00\00\00")
  ;; Parameters: i32 7, f64 0.5, "text", the byte ff, null, i64 2^40.
  (data (i32.const 512)
    "\02\00\00\00\07\00\00\00\00\00\00\00\00\00\00\00"
    "\03\00\00\00\00\00\00\00\00\00\00\00\00\00\e0\3f"
    "\04\00\00\00\b8\01\00\00\00\00\00\00\00\00\00\00"
    "\08\00\00\00\c0\01\00\00\00\00\00\00\00\00\00\00"
    "\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00"
    "\07\00\00\00\00\00\00\00\00\00\00\00\00\01\00\00")
  ;; An event of a WebSocket or the alarm; its kind by the length of its name.
  (func $event (param $r i32) (param $length i32) (param $b i32) (param $bn i32) (result i32)
    (if (i32.eq (local.get $length) (i32.const 5)) (then
      ;; The attempts so far; a failure as long as there is something under "bad".
      (drop (call $kv_put (i32.const 480) (i32.const 5) (i32.add (local.get $r) (i32.const 100)) (i32.const 4)))
      (return (call $respond (select (i32.const 500) (i32.const 200) (i32.ge_s (call $kv_get (i32.const 485) (i32.const 3)) (i32.const 0))) (i32.const 0) (i32.const 0) (i32.const 0)))))
    (if (i32.eq (local.get $length) (i32.const 14)) (then
      ;; /n is refused, /z traps.
      (if (i32.eq (call $letter (local.get $r)) (i32.const 122)) (then (unreachable)))
      (return (call $respond (select (i32.const 403) (i32.const 200) (i32.eq (call $letter (local.get $r)) (i32.const 110))) (i32.const 0) (i32.const 496) (i32.const 0)))))
    (if (i32.eq (local.get $length) (i32.const 15)) (then
      ;; The reason, the code and whether it was clean.
      (drop (call $kv_put (i32.const 488) (i32.const 6) (local.get $b) (local.get $bn)))
      (drop (call $kv_put (i32.const 488) (i32.const 4) (i32.add (local.get $r) (i32.const 116)) (i32.const 4)))
      (drop (call $kv_put (i32.const 488) (i32.const 5) (i32.add (local.get $r) (i32.const 132)) (i32.const 4)))
      (return (call $respond (i32.const 200) (i32.const 0) (i32.const 496) (i32.const 0)))))
    ;; A message: `!` traps, `?` answers bytes and closes, others come back.
    (if (i32.eq (i32.load8_u (local.get $b)) (i32.const 33)) (then
      (drop (call $kv_put (i32.const 488) (i32.const 6) (local.get $b) (local.get $bn)))
      (drop (call $ws_broadcast (local.get $b) (local.get $bn) (i32.const 0) (i32.const -1)))
      (drop (call $ws_attach (i32.const 2) (local.get $b) (local.get $bn)))
      (drop (call $ws_close (i32.const 2) (i32.const 3000) (local.get $b) (local.get $bn)))
      (unreachable)))
    (call $respond (i32.const 200) (i32.const 0) (call $slot (local.get $r) (i32.const 2))
      (select (i32.const 700) (i32.const 0) (i32.eq (i32.load8_u (local.get $b)) (i32.const 63)))))
  (data (i32.const 480) "alarmbadclosed\00\00\05\00\00\00hello")
  (data (i32.const 700) "\23\00\00\00X-Ws-Binary: true\0ax-ws-close: true\0a")
"#;

const HANDLE: &str = r#"
  (func $handle (param $r i32) (result i32)
    (local $l i32) (local $k i32) (local $kn i32) (local $b i32) (local $bn i32) (local $d i32)
    (local.set $b (i32.add (call $slot (local.get $r) (i32.const 2)) (i32.const 4)))
    (local.set $bn (i32.load (i32.sub (local.get $b) (i32.const 4))))
    ;; The names of events begin with A or W; no method does.
    (if (i32.or (i32.eq (i32.load8_u offset=4 (call $slot (local.get $r) (i32.const 0))) (i32.const 65))
                (i32.eq (i32.load8_u offset=4 (call $slot (local.get $r) (i32.const 0))) (i32.const 87)))
      (then (return (call $event (local.get $r) (i32.load (call $slot (local.get $r) (i32.const 0))) (local.get $b) (local.get $bn)))))
    (local.set $l (call $letter (local.get $r)))
    (local.set $k (i32.add (call $slot (local.get $r) (i32.const 1)) (i32.const 7)))
    (local.set $kn (i32.sub (i32.load (i32.sub (local.get $k) (i32.const 7))) (i32.const 3)))
    (local.set $d (i32.sub (i32.load8_u (local.get $k)) (i32.const 48)))
"#;

/// A value as the guest's memory has it.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    I32(i32),
    I64(i64),
    F64(f64),
    String(String),
    Bytes(Vec<u8>),
    Array(Vec<Value>),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

/// The `count` slots at the beginning of what was taken to [`TAKEN_AT`].
pub fn slots(taken: &[u8], count: usize) -> Vec<Value> {
    (0..count).map(|index| value(taken, index * 16)).collect()
}

fn value(taken: &[u8], at: usize) -> Value {
    let word = |at: usize| u32::from_le_bytes(taken[at..at + 4].try_into().unwrap());
    let place = |at: usize| (word(at) - TAKEN_AT) as usize;
    let wide = || i64::from_le_bytes(taken[at + 8..at + 16].try_into().unwrap());
    let bytes = || {
        let at = place(at + 4);
        taken[at + 4..at + 4 + word(at) as usize].to_vec()
    };
    match taken[at] {
        0 => Value::Null,
        2 => Value::I32(word(at + 4) as i32),
        3 => Value::F64(f64::from_bits(wide() as u64)),
        4 => Value::String(String::from_utf8(bytes()).unwrap()),
        5 => {
            let array = place(place(at + 4));
            let (capacity, length) = (word(array), word(array + 4));
            assert!(capacity >= length);
            let slots = (0..length as usize).map(|index| array + 8 + index * 16);
            Value::Array(slots.map(|at| value(taken, at)).collect())
        }
        7 => Value::I64(wide()),
        8 => Value::Bytes(bytes()),
        tag => panic!("the tag {tag}"),
    }
}
