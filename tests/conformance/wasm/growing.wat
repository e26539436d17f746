;; A memory of its own that grows.
(module
  (memory (export "memory") 1 8)
  (data (i32.const 0) "hello")
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "size") (result i32) (memory.size))
  (func (export "load") (param i32) (result i32) (i32.load8_u (local.get 0)))
)
