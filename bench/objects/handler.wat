;; The handler of the rows `wasm-…`, as core WebAssembly with the ABI of docs/reference/wasm-abi.md:
;;   /       hello
;;   /json   {"message":"hello","ok":true}
;;   /simd   sum, dot product and scaled sum of 1 to 8, computed with v128
;;   /dot    the dot product of 1,000,000 f64, 500000
;;   /live   1 if this instance has answered one of the others before
(module
  (memory (export "memory") 2)
  ;; The request's block is at 4096, and one is enough: it is used again.
  (func (export "malloc") (param $size i32) (result i32)
    (if (result i32) (i32.le_u (local.get $size) (i32.const 61440)) (then (i32.const 4096)) (else (i32.const 0))))

  (data (i32.const 16) "\0a\00\00\00text/plain\00\00\10\00\00\00application/json")
  (data (i32.const 64) "\05\00\00\00hello")
  (data (i32.const 80) "\1d\00\00\00{\"message\":\"hello\",\"ok\":true}")
  (data (i32.const 128)
    "\00\00\00\00\00\00\f0\3f\00\00\00\00\00\00\00\40\00\00\00\00\00\00\08\40\00\00\00\00\00\00\10\40"
    "\00\00\00\00\00\00\14\40\00\00\00\00\00\00\18\40\00\00\00\00\00\00\1c\40\00\00\00\00\00\00\20\40")
  (data (i32.const 200) "{\"sum\":,\"dot\":,\"scaled\":}")

  (global $touched (mut i32) (i32.const 0))
  (global $vectors (mut i32) (i32.const 0))
  ;; Where the next byte of a text goes; texts begin at 1024 behind their length.
  (global $at (mut i32) (i32.const 0))

  (func $copy (param $from i32) (param $length i32)
    (memory.copy (global.get $at) (local.get $from) (local.get $length))
    (global.set $at (i32.add (global.get $at) (local.get $length))))
  (func $number (param $value i32)
    (if (i32.ge_u (local.get $value) (i32.const 10)) (then (call $number (i32.div_u (local.get $value) (i32.const 10)))))
    (i32.store8 (global.get $at) (i32.add (i32.const 48) (i32.rem_u (local.get $value) (i32.const 10))))
    (global.set $at (i32.add (global.get $at) (i32.const 1))))
  (func $text (result i32)
    (i32.store (i32.const 1020) (i32.sub (global.get $at) (i32.const 1024)))
    (i32.const 1020))

  (func $lanes (param $v v128) (result f64)
    (f64.add (f64x2.extract_lane 0 (local.get $v)) (f64x2.extract_lane 1 (local.get $v))))
  ;; The dot product of `count` pairs, a multiple of 8.
  (func $dot (param $a i32) (param $b i32) (param $count i32) (result f64)
    (local $0 v128) (local $1 v128) (local $2 v128) (local $3 v128)
    (loop $next
      (local.set $0 (f64x2.add (local.get $0) (f64x2.mul (v128.load (local.get $a)) (v128.load (local.get $b)))))
      (local.set $1 (f64x2.add (local.get $1) (f64x2.mul (v128.load offset=16 (local.get $a)) (v128.load offset=16 (local.get $b)))))
      (local.set $2 (f64x2.add (local.get $2) (f64x2.mul (v128.load offset=32 (local.get $a)) (v128.load offset=32 (local.get $b)))))
      (local.set $3 (f64x2.add (local.get $3) (f64x2.mul (v128.load offset=48 (local.get $a)) (v128.load offset=48 (local.get $b)))))
      (local.set $a (i32.add (local.get $a) (i32.const 64)))
      (local.set $b (i32.add (local.get $b) (i32.const 64)))
      (br_if $next (local.tee $count (i32.sub (local.get $count) (i32.const 8)))))
    (call $lanes (f64x2.add (f64x2.add (local.get $0) (local.get $1)) (f64x2.add (local.get $2) (local.get $3)))))
  (func $sum (param $a i32) (param $by f64) (result f64)
    (local $by2 v128)
    (local.set $by2 (f64x2.splat (local.get $by)))
    (call $lanes (f64x2.add
      (f64x2.add (f64x2.mul (local.get $by2) (v128.load (local.get $a))) (f64x2.mul (local.get $by2) (v128.load offset=16 (local.get $a))))
      (f64x2.add (f64x2.mul (local.get $by2) (v128.load offset=32 (local.get $a))) (f64x2.mul (local.get $by2) (v128.load offset=48 (local.get $a)))))))
  (func $simd (result i32)
    (global.set $at (i32.const 1024))
    (call $copy (i32.const 200) (i32.const 7))
    (call $number (i32.trunc_f64_u (call $sum (i32.const 128) (f64.const 1))))
    (call $copy (i32.const 207) (i32.const 7))
    (call $number (i32.trunc_f64_u (call $dot (i32.const 128) (i32.const 128) (i32.const 8))))
    (call $copy (i32.const 214) (i32.const 10))
    (call $number (i32.trunc_f64_u (call $sum (i32.const 128) (f64.const 2))))
    (call $copy (i32.const 224) (i32.const 1))
    (call $text))
  ;; Two vectors of 8,000,000 bytes, of ones and of halves, made at the first use.
  (func $make (local $at i32) (local $end i32)
    (global.set $vectors (i32.mul (memory.grow (i32.const 245)) (i32.const 65536)))
    (local.set $at (global.get $vectors))
    (local.set $end (i32.add (local.get $at) (i32.const 8000000)))
    (loop $next
      (f64.store (local.get $at) (f64.const 1))
      (f64.store offset=8000000 (local.get $at) (f64.const 0.5))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 8))) (local.get $end)))))
  (func $long (result i32)
    (if (i32.eqz (global.get $vectors)) (then (call $make)))
    (global.set $at (i32.const 1024))
    (call $number (i32.trunc_f64_u (call $dot (global.get $vectors) (i32.add (global.get $vectors) (i32.const 8000000)) (i32.const 1000000))))
    (call $text))

  (func $respond (param $type i32) (param $body i32) (result i32)
    (global.set $touched (i32.const 1))
    (i32.store (i32.const 512) (i32.const 2)) (i32.store (i32.const 516) (i32.const 200))
    (i32.store (i32.const 528) (i32.const 4)) (i32.store (i32.const 532) (local.get $type))
    (i32.store (i32.const 544) (i32.const 4)) (i32.store (i32.const 548) (local.get $body))
    (i32.const 512))
  (func (export "handle_zerobuf") (param $request i32) (result i32) (local $path i32) (local $letter i32)
    (local.set $path (i32.load offset=20 (local.get $request)))
    (if (i32.le_u (i32.load (local.get $path)) (i32.const 1)) (then (return (call $respond (i32.const 16) (i32.const 64)))))
    (local.set $letter (i32.load8_u offset=5 (local.get $path)))
    (if (i32.eq (local.get $letter) (i32.const 0x6a)) (then (return (call $respond (i32.const 32) (i32.const 80)))))
    (if (i32.eq (local.get $letter) (i32.const 0x73)) (then (return (call $respond (i32.const 32) (call $simd)))))
    (if (i32.eq (local.get $letter) (i32.const 0x64)) (then (return (call $respond (i32.const 16) (call $long)))))
    (global.set $at (i32.const 1024))
    (call $number (global.get $touched))
    (call $respond (i32.const 16) (call $text))))
