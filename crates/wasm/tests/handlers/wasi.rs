//! WASI preview 1 as guests see it.

use super::world::{in_world, module, text};

/// All calls, with their parameters.
const CALLS: &str = "args_get ii args_sizes_get ii environ_get ii environ_sizes_get ii clock_res_get ii clock_time_get ili
fd_advise illi fd_allocate ill fd_close i fd_datasync i fd_fdstat_get ii fd_fdstat_set_flags ii fd_fdstat_set_rights ill
fd_filestat_get ii fd_filestat_set_size il fd_filestat_set_times illi fd_pread iiili fd_prestat_get ii fd_prestat_dir_name iii
fd_pwrite iiili fd_read iiii fd_readdir iiili fd_renumber ii fd_seek ilii fd_sync i fd_tell ii fd_write iiii
path_create_directory iii path_filestat_get iiiii path_filestat_set_times iiiilli path_link iiiiiii path_open iiiiillii
path_readlink iiiiii path_remove_directory iii path_rename iiiiii path_symlink iiiii path_unlink_file iii poll_oneoff iiii
proc_exit i proc_raise i random_get ii sched_yield - sock_accept iii sock_recv iiiiii sock_send iiiii sock_shutdown ii";

/// Their names, and the types of their parameters.
fn calls() -> Vec<(&'static str, Vec<&'static str>)> {
    let words: Vec<_> = CALLS.split_whitespace().collect();
    let type_of = |letter| if letter == 'l' { "i64" } else { "i32" };
    words
        .chunks(2)
        .map(|call| {
            (
                call[0],
                call[1]
                    .chars()
                    .filter(|letter| *letter != '-')
                    .map(type_of)
                    .collect(),
            )
        })
        .collect()
}

fn imports() -> String {
    calls()
        .iter()
        .map(|(name, params)| {
            let result = if *name == "proc_exit" {
                ""
            } else {
                "(result i32)"
            };
            format!(
                "(import \"wasi_snapshot_preview1\" \"{name}\" (func ${name} (param {}) {result}))",
                params.join(" ")
            )
        })
        .collect()
}

#[test]
fn all_46_calls_are_there_and_none_believes_a_wild_pointer() {
    assert_eq!(calls().len(), 46);
    // Each call but `proc_exit` gets the body's word in each parameter, on several descriptors.
    let work: String = calls()
        .iter()
        .filter(|(name, _)| *name != "proc_exit")
        .flat_map(|(name, params)| {
            (0..5).map(move |fd| {
                let rest = params.iter().skip(1).map(|kind| match *kind {
                    "i64" => "(i64.extend_i32_s (local.get $word))".to_owned(),
                    _ => "(local.get $word)".to_owned(),
                });
                let first = params.first().map(|_| {
                    if fd == 4 {
                        "(local.get $word)".to_owned()
                    } else {
                        format!("(i32.const {fd})")
                    }
                });
                format!(
                    "(drop (call ${name} {}))",
                    first.into_iter().chain(rest).collect::<Vec<_>>().join(" ")
                )
            })
        })
        .collect();
    let guest = module(
        &imports(),
        &format!(
            "(func $handle (param $request i32) (result i32) (local $word i32)
               (local.set $word (i32.load offset=4 (call $slot (local.get $request) (i32.const 2))))
               {work}
               (call $respond (i32.const 200) (i32.const 0) (call $digit (i32.const 7)) (i32.const 0)))"
        ),
    );
    in_world(&guest, async |w| {
        for word in [
            0,
            1,
            65_528,
            65_535,
            65_536,
            131_072,
            0x7fff_ffff,
            0x8000_0000,
            0xffff_fff8,
            u32::MAX,
        ] {
            for object in ["a", "b"] {
                let answer = w.post(object, "/", word.to_le_bytes().to_vec()).await;
                assert_eq!(answer.text(), "7", "{word:#x}");
            }
        }
    });
}

/// `/w` writes the body to `d/f` in the directory `fd`, `/z` does and traps, `/r` reads it, `/u`
/// unlinks it, `/m` moves `d/f` to `f`, `/l` lists `d`.
fn files(fd: u32) -> String {
    module(
        &imports(),
        &format!(
            r#"{directory} {file}
  (global $fd (mut i32) (i32.const 0))
  (func $open (param $path i32) (param $flags i32) (result i32) (local $errno i32)
    (local.set $errno (call $path_open (i32.const {fd}) (i32.const 0) (i32.add (local.get $path) (i32.const 4)) (i32.load (local.get $path))
      (local.get $flags) (i64.const 66) (i64.const 0) (i32.const 0) (i32.const 300)))
    (global.set $fd (i32.load (i32.const 300)))
    (local.get $errno))
  ;; The body is the string at 2048.
  (func $ok (param $errno i32) (result i32)
    (if (local.get $errno) (then (return (call $respond (i32.add (i32.const 400) (local.get $errno)) (i32.const 0) (i32.const 0) (i32.const 0)))))
    (call $respond (i32.const 200) (i32.const 0) (i32.const 2048) (i32.const 0)))
  (func $handle (param $request i32) (result i32) (local $letter i32) (local $body i32) (local $errno i32)
    (local.set $letter (call $letter (local.get $request)))
    (local.set $body (call $slot (local.get $request) (i32.const 2)))
    (i32.store (i32.const 2048) (i32.const 0))
    (if (i32.or (i32.eq (local.get $letter) (i32.const 119)) (i32.eq (local.get $letter) (i32.const 122))) (then
      (drop (call $path_create_directory (i32.const {fd}) (i32.const 1028) (i32.const 1)))
      (local.set $errno (call $open (i32.const 1100) (i32.const 9)))
      (if (local.get $errno) (then (return (call $ok (local.get $errno)))))
      (i32.store (i32.const 304) (i32.add (local.get $body) (i32.const 4))) (i32.store (i32.const 308) (i32.load (local.get $body)))
      (local.set $errno (call $fd_write (global.get $fd) (i32.const 304) (i32.const 1) (i32.const 2048)))
      (drop (call $fd_close (global.get $fd)))
      (if (i32.eq (local.get $letter) (i32.const 122)) (then (unreachable)))
      (i32.store (i32.const 2048) (i32.const 0))
      (return (call $ok (local.get $errno)))))
    (if (i32.eq (local.get $letter) (i32.const 114)) (then
      (local.set $errno (call $open (i32.const 1100) (i32.const 0)))
      (if (local.get $errno) (then (return (call $ok (local.get $errno)))))
      (i32.store (i32.const 304) (i32.const 2052)) (i32.store (i32.const 308) (i32.const 4096))
      (local.set $errno (call $fd_read (global.get $fd) (i32.const 304) (i32.const 1) (i32.const 2048)))
      (drop (call $fd_close (global.get $fd)))
      (return (call $ok (local.get $errno)))))
    (if (i32.eq (local.get $letter) (i32.const 109)) (then
      ;; To `f` in the same directory, or in the first one.
      (return (call $ok (call $path_rename (i32.const {fd}) (i32.const 1104) (i32.const 3)
        (i32.add (i32.const 3) (i32.eqz (i32.load (local.get $body)))) (i32.const 1106) (i32.const 1))))))
    (if (i32.eq (local.get $letter) (i32.const 117)) (then
      (return (call $ok (call $path_unlink_file (i32.const {fd}) (i32.const 1104) (i32.load (i32.const 1100)))))))
    (local.set $errno (call $open (i32.const 1024) (i32.const 2)))
    (if (local.get $errno) (then (return (call $ok (local.get $errno)))))
    (local.set $errno (call $fd_readdir (global.get $fd) (i32.const 2052) (i32.const 4096) (i64.const 0) (i32.const 2048)))
    (drop (call $fd_close (global.get $fd)))
    (call $ok (local.get $errno)))
"#,
            directory = text(1_024, "d"),
            file = text(1_100, "d/f")
        ),
    )
}

#[test]
fn tmp_is_one_for_all_instances_of_a_deployment_and_stays_between_requests() {
    in_world(&files(3), async |w| {
        assert_eq!(w.object("a", "/r").await.status, 444, "ENOENT");
        assert_eq!(w.post("a", "/w", "some text").await.status, 200);
        assert_eq!(w.object("a", "/r").await.text(), "some text");
        assert_eq!(
            w.object("b", "/r").await.text(),
            "some text",
            "another object"
        );
        assert_eq!(w.worker("/r").await.text(), "some text", "the worker");
        assert_eq!(w.post("b", "/w", "short").await.status, 200);
        assert_eq!(
            w.object("a", "/r").await.text(),
            "short",
            "it was truncated"
        );
        let listed = w.object("a", "/l").await.body;
        assert_eq!(
            (listed.len(), &listed[24..]),
            (25, &b"f"[..]),
            "no . and .."
        );
        assert_eq!(listed[20], 4, "a regular file");
        assert_eq!(w.object("a", "/u").await.status, 200);
        assert_eq!(w.object("b", "/r").await.status, 444);
        assert!(w.object("a", "/l").await.body.is_empty());
    });
}

#[test]
fn data_is_each_objects_own_in_its_database_and_written_in_the_event() {
    in_world(&files(4), async |w| {
        assert_eq!(w.object("a", "/r").await.status, 444, "ENOENT");
        assert_eq!(w.post("a", "/w", "some text").await.status, 200);
        assert_eq!(w.object("a", "/r").await.text(), "some text");
        assert_eq!(w.object("b", "/r").await.status, 444, "another object");
        assert_eq!(w.post("a", "/z", "undone").await.status, 500);
        assert_eq!(w.object("a", "/r").await.text(), "some text");
        let listed = w.object("a", "/l").await.body;
        assert_eq!((listed.len(), &listed[24..]), (25, &b"f"[..]));
        assert_eq!(w.post("a", "/m", "x").await.status, 475, "EXDEV");
        assert_eq!(w.object("a", "/m").await.status, 200);
        assert_eq!(w.object("a", "/r").await.status, 444);
        assert_eq!(w.post("a", "/w", "short").await.status, 200);
        assert_eq!(w.object("a", "/u").await.status, 200);
        assert_eq!(w.object("a", "/r").await.status, 444);
        assert!(w.object("a", "/l").await.body.is_empty());
        assert_eq!(
            w.worker("/r").await.status,
            408,
            "EBADF: the worker has none"
        );
    });
}

#[test]
fn clocks_run_and_random_numbers_differ() {
    let guest = module(
        &imports(),
        r#"(func $handle (param $request i32) (result i32)
             (i32.store (i32.const 2048) (i32.const 32))
             (drop (call $clock_time_get (i32.const 0) (i64.const 0) (i32.const 2052)))
             (drop (call $clock_time_get (i32.const 1) (i64.const 0) (i32.const 2060)))
             (drop (call $random_get (i32.const 2068) (i32.const 16)))
             (call $respond (i32.const 200) (i32.const 0) (i32.const 2048) (i32.const 0)))"#,
    );
    in_world(&guest, async |w| {
        let (first, second) = (w.object("a", "/").await.body, w.object("a", "/").await.body);
        let word =
            |body: &[u8], at: usize| u64::from_le_bytes(body[at..at + 8].try_into().unwrap());
        let since_1970 = std::time::SystemTime::UNIX_EPOCH
            .elapsed()
            .unwrap()
            .as_nanos() as u64;
        assert!(since_1970.abs_diff(word(&first, 0)) < 60_000_000_000);
        assert!(word(&first, 8) < word(&second, 8), "the monotonic clock");
        assert_ne!(first[16..], second[16..], "random numbers");
    });
}

#[test]
fn one_call_does_not_do_too_much_and_says_how_much() {
    let guest = module(
        &imports(),
        r#"(func $handle (param $request i32) (result i32)
             (drop (memory.grow (i32.const 40)))
             (i32.store (i32.const 304) (i32.const 65536)) (i32.store (i32.const 308) (i32.const 2097152))
             (i32.store (i32.const 2048) (i32.const 8))
             (drop (call $fd_write (i32.const 2) (i32.const 304) (i32.const 1) (i32.const 2052)))
             (i32.store (i32.const 2056) (call $random_get (i32.const 65536) (i32.const 2097152)))
             (call $respond (i32.const 200) (i32.const 0) (i32.const 2048) (i32.const 0)))"#,
    );
    in_world(&guest, async |w| {
        let body = w.object("a", "/").await.body;
        assert_eq!(
            body[..4],
            4_096_u32.to_le_bytes(),
            "bytes that were printed"
        );
        assert_eq!(body[4..], 28_u32.to_le_bytes(), "EINVAL");
    });
}
