;; Reads a directory with a buffer of 100 bytes, and prints the name of each entry that is whole, one a line.
;; An entry that the buffer cuts off is read again, from its cookie. It is preopened as 3.
(module
  (import "wasi_snapshot_preview1" "fd_readdir" (func $readdir (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "\n")
  (func (export "_start") (local $cookie i64) (local $at i32) (local $end i32) (local $len i32)
    (loop $again
      (if (call $readdir (i32.const 3) (i32.const 1024) (i32.const 100) (local.get $cookie) (i32.const 32)) (then unreachable))
      (local.set $at (i32.const 1024))
      (local.set $end (i32.add (i32.const 1024) (i32.load (i32.const 32))))
      (block $piece
        (loop $entries
          (br_if $piece (i32.gt_u (i32.add (local.get $at) (i32.const 24)) (local.get $end)))
          (local.set $len (i32.load offset=16 (local.get $at)))
          (br_if $piece (i32.gt_u (i32.add (i32.add (local.get $at) (i32.const 24)) (local.get $len)) (local.get $end)))
          (local.set $cookie (i64.load (local.get $at)))
          (i32.store (i32.const 64) (i32.add (local.get $at) (i32.const 24)))
          (i32.store (i32.const 68) (local.get $len))
          (i32.store (i32.const 72) (i32.const 16))
          (i32.store (i32.const 76) (i32.const 1))
          (if (call $write (i32.const 1) (i32.const 64) (i32.const 2) (i32.const 96)) (then unreachable))
          (local.set $at (i32.add (i32.add (local.get $at) (i32.const 24)) (local.get $len)))
          (br $entries)))
      (br_if $again (i32.eq (i32.load (i32.const 32)) (i32.const 100))))))
