;; A start function that calls its import, and segments that may not fit.
(module
  (import "host" "begin" (func $begin))
  (import "host" "memory" (memory 0))
  (start $begin)
  (data (i32.const 65530) "0123456789")
)
