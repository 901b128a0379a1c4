;; hole: a guest whose host gives it every system call, as if the engine were broken (test_wasi_confine.c).
;; The last parameter is a set of bits: argument k is an address of the memory.
(module
  (import "hole" "syscall" (func $syscall (param i64 i64 i64 i64 i64 i64 i64 i32) (result i64)))
  (memory (export "memory") 1)
  (func (export "do") (param i64 i64 i64 i64 i64 i64 i64 i32) (result i64)
    (call $syscall (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 5) (local.get 6) (local.get 7))))
