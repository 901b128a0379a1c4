;; embed_core: the module that embed_core.c runs. It counts, keeps state, calls the host, and fails in the ways that a
;; host has to handle.
(module
  (import "host" "next" (func $next (param i32) (result i32)))
  (memory (export "memory") 1 4)
  (global (export "calls") (mut i32) (i32.const 0))
  (func (export "sum") (param $n i32) (result i64) (local $i i32) (local $s i64)
    (global.set 0 (i32.add (global.get 0) (i32.const 1)))
    (block $done
      (loop $l
        (br_if $done (i32.ge_u (local.get $i) (local.get $n)))
        (local.set $s (i64.add (local.get $s) (i64.extend_i32_u (call $next (local.get $i)))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $l)))
    (i64.store (i32.const 8) (local.get $s))
    (local.get $s))
  (func (export "length") (result i32) (local $i i32)
    (block $done (loop $l
      (br_if $done (i32.eqz (i32.load8_u offset=16 (local.get $i))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $l)))
    (local.get $i))
  (func (export "divide") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
  (func (export "forever") (loop $l (br $l))))
