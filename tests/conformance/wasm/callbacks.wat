;; Calls into JavaScript that come back.
(module
  (import "host" "back" (func $back (param i32) (result i32)))
  (func (export "down") (param i32) (result i32) (i32.add (call $back (local.get 0)) (i32.const 1)))
  (func (export "fail") unreachable)
)
