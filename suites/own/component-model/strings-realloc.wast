;; The calls of realloc for strings between two components, in number and arguments, and the length that arrives.
;; spec: CanonicalABI.md#storing (store_string and below)

;; utf8 to utf16, ASCII: one call
(component
  (component $C
    (core module $m
      (memory (export "memory") 1)
      ;; the calls of realloc: old pointer, old size, alignment, size, from 0x4000 on; their number is at 0x3ff0
      (global $heap (mut i32) (i32.const 0x8000))
      (func (export "realloc") (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
        (local $at i32)
        (local.set $at (i32.add (i32.const 0x4000) (i32.mul (i32.load (i32.const 0x3ff0)) (i32.const 16))))
        (i32.store (i32.const 0x3ff0) (i32.add (i32.load (i32.const 0x3ff0)) (i32.const 1)))
        (i32.store (local.get $at) (local.get $old))
        (i32.store offset=4 (local.get $at) (local.get $old-size))
        (i32.store offset=8 (local.get $at) (local.get $align))
        (i32.store offset=12 (local.get $at) (local.get $size))
        (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
        (global.set $heap (i32.add (local.get $at) (local.get $size)))
        (memory.copy (local.get $at) (local.get $old) (local.get $size))
        (local.get $at))
      (func (export "f") (param $p i32) (param $n i32) (result i32)
        (i32.and
          (i32.eq (i32.load (i32.const 0x3ff0)) (i32.const 1))
          (i32.and
          (i32.eq (i32.ne (i32.load (i32.const 0x4000)) (i32.const 0)) (i32.const 0))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4004)) (i32.const 0))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4008)) (i32.const 2))
          (i32.and
          (i32.eq (i32.load (i32.const 0x400c)) (i32.const 6))
          (i32.eq (local.get $n) (i32.const 0x3)))))))))
    (core instance $i (instantiate $m))
    (func (export "f") (param "a" string) (result u32)
      (canon lift (core func $i "f") string-encoding=utf16 (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
  (component $D
    (import "c" (instance $c
      (export "f" (func (param "a" string) (result u32)))))
    (core module $libc (memory (export "memory") 1) (data (i32.const 16) "\61\62\63"))
    (core instance $libc (instantiate $libc))
    (core func $f (canon lower (func $c "f") string-encoding=utf8 (memory (core memory $libc "memory"))))
    (core module $m
      (import "c" "f" (func $f (param i32 i32) (result i32)))
      (func (export "run") (result i32) (call $f (i32.const 16) (i32.const 0x3))))
    (core instance $i (instantiate $m (with "c" (instance (export "f" (func $f))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))
  (instance $c (instantiate $C))
  (instance $d (instantiate $D (with "c" (instance $c))))
  (export "run" (func $d "run")))
(assert_return (invoke "run") (u32.const 1))

;; utf8 to utf16: the rest is given back
(component
  (component $C
    (core module $m
      (memory (export "memory") 1)
      ;; the calls of realloc: old pointer, old size, alignment, size, from 0x4000 on; their number is at 0x3ff0
      (global $heap (mut i32) (i32.const 0x8000))
      (func (export "realloc") (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
        (local $at i32)
        (local.set $at (i32.add (i32.const 0x4000) (i32.mul (i32.load (i32.const 0x3ff0)) (i32.const 16))))
        (i32.store (i32.const 0x3ff0) (i32.add (i32.load (i32.const 0x3ff0)) (i32.const 1)))
        (i32.store (local.get $at) (local.get $old))
        (i32.store offset=4 (local.get $at) (local.get $old-size))
        (i32.store offset=8 (local.get $at) (local.get $align))
        (i32.store offset=12 (local.get $at) (local.get $size))
        (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
        (global.set $heap (i32.add (local.get $at) (local.get $size)))
        (memory.copy (local.get $at) (local.get $old) (local.get $size))
        (local.get $at))
      (func (export "f") (param $p i32) (param $n i32) (result i32)
        (i32.and
          (i32.eq (i32.load (i32.const 0x3ff0)) (i32.const 2))
          (i32.and
          (i32.eq (i32.ne (i32.load (i32.const 0x4000)) (i32.const 0)) (i32.const 0))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4004)) (i32.const 0))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4008)) (i32.const 2))
          (i32.and
          (i32.eq (i32.load (i32.const 0x400c)) (i32.const 4))
          (i32.and
          (i32.eq (i32.ne (i32.load (i32.const 0x4010)) (i32.const 0)) (i32.const 1))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4014)) (i32.const 4))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4018)) (i32.const 2))
          (i32.and
          (i32.eq (i32.load (i32.const 0x401c)) (i32.const 2))
          (i32.eq (local.get $n) (i32.const 0x1)))))))))))))
    (core instance $i (instantiate $m))
    (func (export "f") (param "a" string) (result u32)
      (canon lift (core func $i "f") string-encoding=utf16 (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
  (component $D
    (import "c" (instance $c
      (export "f" (func (param "a" string) (result u32)))))
    (core module $libc (memory (export "memory") 1) (data (i32.const 16) "\c3\a9"))
    (core instance $libc (instantiate $libc))
    (core func $f (canon lower (func $c "f") string-encoding=utf8 (memory (core memory $libc "memory"))))
    (core module $m
      (import "c" "f" (func $f (param i32 i32) (result i32)))
      (func (export "run") (result i32) (call $f (i32.const 16) (i32.const 0x2))))
    (core instance $i (instantiate $m (with "c" (instance (export "f" (func $f))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))
  (instance $c (instantiate $C))
  (instance $d (instantiate $D (with "c" (instance $c))))
  (export "run" (func $d "run")))
(assert_return (invoke "run") (u32.const 1))

;; utf8 to utf16, outside the basic plane
(component
  (component $C
    (core module $m
      (memory (export "memory") 1)
      ;; the calls of realloc: old pointer, old size, alignment, size, from 0x4000 on; their number is at 0x3ff0
      (global $heap (mut i32) (i32.const 0x8000))
      (func (export "realloc") (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
        (local $at i32)
        (local.set $at (i32.add (i32.const 0x4000) (i32.mul (i32.load (i32.const 0x3ff0)) (i32.const 16))))
        (i32.store (i32.const 0x3ff0) (i32.add (i32.load (i32.const 0x3ff0)) (i32.const 1)))
        (i32.store (local.get $at) (local.get $old))
        (i32.store offset=4 (local.get $at) (local.get $old-size))
        (i32.store offset=8 (local.get $at) (local.get $align))
        (i32.store offset=12 (local.get $at) (local.get $size))
        (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
        (global.set $heap (i32.add (local.get $at) (local.get $size)))
        (memory.copy (local.get $at) (local.get $old) (local.get $size))
        (local.get $at))
      (func (export "f") (param $p i32) (param $n i32) (result i32)
        (i32.and
          (i32.eq (i32.load (i32.const 0x3ff0)) (i32.const 2))
          (i32.and
          (i32.eq (i32.ne (i32.load (i32.const 0x4000)) (i32.const 0)) (i32.const 0))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4004)) (i32.const 0))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4008)) (i32.const 2))
          (i32.and
          (i32.eq (i32.load (i32.const 0x400c)) (i32.const 8))
          (i32.and
          (i32.eq (i32.ne (i32.load (i32.const 0x4010)) (i32.const 0)) (i32.const 1))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4014)) (i32.const 8))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4018)) (i32.const 2))
          (i32.and
          (i32.eq (i32.load (i32.const 0x401c)) (i32.const 4))
          (i32.eq (local.get $n) (i32.const 0x2)))))))))))))
    (core instance $i (instantiate $m))
    (func (export "f") (param "a" string) (result u32)
      (canon lift (core func $i "f") string-encoding=utf16 (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
  (component $D
    (import "c" (instance $c
      (export "f" (func (param "a" string) (result u32)))))
    (core module $libc (memory (export "memory") 1) (data (i32.const 16) "\f0\9d\84\9e"))
    (core instance $libc (instantiate $libc))
    (core func $f (canon lower (func $c "f") string-encoding=utf8 (memory (core memory $libc "memory"))))
    (core module $m
      (import "c" "f" (func $f (param i32 i32) (result i32)))
      (func (export "run") (result i32) (call $f (i32.const 16) (i32.const 0x4))))
    (core instance $i (instantiate $m (with "c" (instance (export "f" (func $f))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))
  (instance $c (instantiate $C))
  (instance $d (instantiate $D (with "c" (instance $c))))
  (export "run" (func $d "run")))
(assert_return (invoke "run") (u32.const 1))

;; utf16 to utf8, ASCII: one call
(component
  (component $C
    (core module $m
      (memory (export "memory") 1)
      ;; the calls of realloc: old pointer, old size, alignment, size, from 0x4000 on; their number is at 0x3ff0
      (global $heap (mut i32) (i32.const 0x8000))
      (func (export "realloc") (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
        (local $at i32)
        (local.set $at (i32.add (i32.const 0x4000) (i32.mul (i32.load (i32.const 0x3ff0)) (i32.const 16))))
        (i32.store (i32.const 0x3ff0) (i32.add (i32.load (i32.const 0x3ff0)) (i32.const 1)))
        (i32.store (local.get $at) (local.get $old))
        (i32.store offset=4 (local.get $at) (local.get $old-size))
        (i32.store offset=8 (local.get $at) (local.get $align))
        (i32.store offset=12 (local.get $at) (local.get $size))
        (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
        (global.set $heap (i32.add (local.get $at) (local.get $size)))
        (memory.copy (local.get $at) (local.get $old) (local.get $size))
        (local.get $at))
      (func (export "f") (param $p i32) (param $n i32) (result i32)
        (i32.and
          (i32.eq (i32.load (i32.const 0x3ff0)) (i32.const 1))
          (i32.and
          (i32.eq (i32.ne (i32.load (i32.const 0x4000)) (i32.const 0)) (i32.const 0))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4004)) (i32.const 0))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4008)) (i32.const 1))
          (i32.and
          (i32.eq (i32.load (i32.const 0x400c)) (i32.const 3))
          (i32.eq (local.get $n) (i32.const 0x3)))))))))
    (core instance $i (instantiate $m))
    (func (export "f") (param "a" string) (result u32)
      (canon lift (core func $i "f") string-encoding=utf8 (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
  (component $D
    (import "c" (instance $c
      (export "f" (func (param "a" string) (result u32)))))
    (core module $libc (memory (export "memory") 1) (data (i32.const 16) "\61\00\62\00\63\00"))
    (core instance $libc (instantiate $libc))
    (core func $f (canon lower (func $c "f") string-encoding=utf16 (memory (core memory $libc "memory"))))
    (core module $m
      (import "c" "f" (func $f (param i32 i32) (result i32)))
      (func (export "run") (result i32) (call $f (i32.const 16) (i32.const 0x3))))
    (core instance $i (instantiate $m (with "c" (instance (export "f" (func $f))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))
  (instance $c (instantiate $C))
  (instance $d (instantiate $D (with "c" (instance $c))))
  (export "run" (func $d "run")))
(assert_return (invoke "run") (u32.const 1))

;; utf16 to utf8: the worst case, then the rest is given back
(component
  (component $C
    (core module $m
      (memory (export "memory") 1)
      ;; the calls of realloc: old pointer, old size, alignment, size, from 0x4000 on; their number is at 0x3ff0
      (global $heap (mut i32) (i32.const 0x8000))
      (func (export "realloc") (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
        (local $at i32)
        (local.set $at (i32.add (i32.const 0x4000) (i32.mul (i32.load (i32.const 0x3ff0)) (i32.const 16))))
        (i32.store (i32.const 0x3ff0) (i32.add (i32.load (i32.const 0x3ff0)) (i32.const 1)))
        (i32.store (local.get $at) (local.get $old))
        (i32.store offset=4 (local.get $at) (local.get $old-size))
        (i32.store offset=8 (local.get $at) (local.get $align))
        (i32.store offset=12 (local.get $at) (local.get $size))
        (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
        (global.set $heap (i32.add (local.get $at) (local.get $size)))
        (memory.copy (local.get $at) (local.get $old) (local.get $size))
        (local.get $at))
      (func (export "f") (param $p i32) (param $n i32) (result i32)
        (i32.and
          (i32.eq (i32.load (i32.const 0x3ff0)) (i32.const 3))
          (i32.and
          (i32.eq (i32.ne (i32.load (i32.const 0x4000)) (i32.const 0)) (i32.const 0))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4004)) (i32.const 0))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4008)) (i32.const 1))
          (i32.and
          (i32.eq (i32.load (i32.const 0x400c)) (i32.const 2))
          (i32.and
          (i32.eq (i32.ne (i32.load (i32.const 0x4010)) (i32.const 0)) (i32.const 1))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4014)) (i32.const 2))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4018)) (i32.const 1))
          (i32.and
          (i32.eq (i32.load (i32.const 0x401c)) (i32.const 6))
          (i32.and
          (i32.eq (i32.ne (i32.load (i32.const 0x4020)) (i32.const 0)) (i32.const 1))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4024)) (i32.const 6))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4028)) (i32.const 1))
          (i32.and
          (i32.eq (i32.load (i32.const 0x402c)) (i32.const 3))
          (i32.eq (local.get $n) (i32.const 0x3)))))))))))))))))
    (core instance $i (instantiate $m))
    (func (export "f") (param "a" string) (result u32)
      (canon lift (core func $i "f") string-encoding=utf8 (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
  (component $D
    (import "c" (instance $c
      (export "f" (func (param "a" string) (result u32)))))
    (core module $libc (memory (export "memory") 1) (data (i32.const 16) "\61\00\e9\00"))
    (core instance $libc (instantiate $libc))
    (core func $f (canon lower (func $c "f") string-encoding=utf16 (memory (core memory $libc "memory"))))
    (core module $m
      (import "c" "f" (func $f (param i32 i32) (result i32)))
      (func (export "run") (result i32) (call $f (i32.const 16) (i32.const 0x2))))
    (core instance $i (instantiate $m (with "c" (instance (export "f" (func $f))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))
  (instance $c (instantiate $C))
  (instance $d (instantiate $D (with "c" (instance $c))))
  (export "run" (func $d "run")))
(assert_return (invoke "run") (u32.const 1))

;; utf16 to utf8: the worst case comes true
(component
  (component $C
    (core module $m
      (memory (export "memory") 1)
      ;; the calls of realloc: old pointer, old size, alignment, size, from 0x4000 on; their number is at 0x3ff0
      (global $heap (mut i32) (i32.const 0x8000))
      (func (export "realloc") (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
        (local $at i32)
        (local.set $at (i32.add (i32.const 0x4000) (i32.mul (i32.load (i32.const 0x3ff0)) (i32.const 16))))
        (i32.store (i32.const 0x3ff0) (i32.add (i32.load (i32.const 0x3ff0)) (i32.const 1)))
        (i32.store (local.get $at) (local.get $old))
        (i32.store offset=4 (local.get $at) (local.get $old-size))
        (i32.store offset=8 (local.get $at) (local.get $align))
        (i32.store offset=12 (local.get $at) (local.get $size))
        (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
        (global.set $heap (i32.add (local.get $at) (local.get $size)))
        (memory.copy (local.get $at) (local.get $old) (local.get $size))
        (local.get $at))
      (func (export "f") (param $p i32) (param $n i32) (result i32)
        (i32.and
          (i32.eq (i32.load (i32.const 0x3ff0)) (i32.const 2))
          (i32.and
          (i32.eq (i32.ne (i32.load (i32.const 0x4000)) (i32.const 0)) (i32.const 0))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4004)) (i32.const 0))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4008)) (i32.const 1))
          (i32.and
          (i32.eq (i32.load (i32.const 0x400c)) (i32.const 2))
          (i32.and
          (i32.eq (i32.ne (i32.load (i32.const 0x4010)) (i32.const 0)) (i32.const 1))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4014)) (i32.const 2))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4018)) (i32.const 1))
          (i32.and
          (i32.eq (i32.load (i32.const 0x401c)) (i32.const 6))
          (i32.eq (local.get $n) (i32.const 0x6)))))))))))))
    (core instance $i (instantiate $m))
    (func (export "f") (param "a" string) (result u32)
      (canon lift (core func $i "f") string-encoding=utf8 (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
  (component $D
    (import "c" (instance $c
      (export "f" (func (param "a" string) (result u32)))))
    (core module $libc (memory (export "memory") 1) (data (i32.const 16) "\ac\20\ac\20"))
    (core instance $libc (instantiate $libc))
    (core func $f (canon lower (func $c "f") string-encoding=utf16 (memory (core memory $libc "memory"))))
    (core module $m
      (import "c" "f" (func $f (param i32 i32) (result i32)))
      (func (export "run") (result i32) (call $f (i32.const 16) (i32.const 0x2))))
    (core instance $i (instantiate $m (with "c" (instance (export "f" (func $f))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))
  (instance $c (instantiate $C))
  (instance $d (instantiate $D (with "c" (instance $c))))
  (export "run" (func $d "run")))
(assert_return (invoke "run") (u32.const 1))

;; latin1 to utf8: the worst case is twice as long
(component
  (component $C
    (core module $m
      (memory (export "memory") 1)
      ;; the calls of realloc: old pointer, old size, alignment, size, from 0x4000 on; their number is at 0x3ff0
      (global $heap (mut i32) (i32.const 0x8000))
      (func (export "realloc") (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
        (local $at i32)
        (local.set $at (i32.add (i32.const 0x4000) (i32.mul (i32.load (i32.const 0x3ff0)) (i32.const 16))))
        (i32.store (i32.const 0x3ff0) (i32.add (i32.load (i32.const 0x3ff0)) (i32.const 1)))
        (i32.store (local.get $at) (local.get $old))
        (i32.store offset=4 (local.get $at) (local.get $old-size))
        (i32.store offset=8 (local.get $at) (local.get $align))
        (i32.store offset=12 (local.get $at) (local.get $size))
        (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
        (global.set $heap (i32.add (local.get $at) (local.get $size)))
        (memory.copy (local.get $at) (local.get $old) (local.get $size))
        (local.get $at))
      (func (export "f") (param $p i32) (param $n i32) (result i32)
        (i32.and
          (i32.eq (i32.load (i32.const 0x3ff0)) (i32.const 3))
          (i32.and
          (i32.eq (i32.ne (i32.load (i32.const 0x4000)) (i32.const 0)) (i32.const 0))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4004)) (i32.const 0))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4008)) (i32.const 1))
          (i32.and
          (i32.eq (i32.load (i32.const 0x400c)) (i32.const 2))
          (i32.and
          (i32.eq (i32.ne (i32.load (i32.const 0x4010)) (i32.const 0)) (i32.const 1))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4014)) (i32.const 2))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4018)) (i32.const 1))
          (i32.and
          (i32.eq (i32.load (i32.const 0x401c)) (i32.const 4))
          (i32.and
          (i32.eq (i32.ne (i32.load (i32.const 0x4020)) (i32.const 0)) (i32.const 1))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4024)) (i32.const 4))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4028)) (i32.const 1))
          (i32.and
          (i32.eq (i32.load (i32.const 0x402c)) (i32.const 3))
          (i32.eq (local.get $n) (i32.const 0x3)))))))))))))))))
    (core instance $i (instantiate $m))
    (func (export "f") (param "a" string) (result u32)
      (canon lift (core func $i "f") string-encoding=utf8 (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
  (component $D
    (import "c" (instance $c
      (export "f" (func (param "a" string) (result u32)))))
    (core module $libc (memory (export "memory") 1) (data (i32.const 16) "\61\e9"))
    (core instance $libc (instantiate $libc))
    (core func $f (canon lower (func $c "f") string-encoding=latin1+utf16 (memory (core memory $libc "memory"))))
    (core module $m
      (import "c" "f" (func $f (param i32 i32) (result i32)))
      (func (export "run") (result i32) (call $f (i32.const 16) (i32.const 0x2))))
    (core instance $i (instantiate $m (with "c" (instance (export "f" (func $f))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))
  (instance $c (instantiate $C))
  (instance $d (instantiate $D (with "c" (instance $c))))
  (export "run" (func $d "run")))
(assert_return (invoke "run") (u32.const 1))

;; utf8 to latin1+utf16, ASCII: one call
(component
  (component $C
    (core module $m
      (memory (export "memory") 1)
      ;; the calls of realloc: old pointer, old size, alignment, size, from 0x4000 on; their number is at 0x3ff0
      (global $heap (mut i32) (i32.const 0x8000))
      (func (export "realloc") (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
        (local $at i32)
        (local.set $at (i32.add (i32.const 0x4000) (i32.mul (i32.load (i32.const 0x3ff0)) (i32.const 16))))
        (i32.store (i32.const 0x3ff0) (i32.add (i32.load (i32.const 0x3ff0)) (i32.const 1)))
        (i32.store (local.get $at) (local.get $old))
        (i32.store offset=4 (local.get $at) (local.get $old-size))
        (i32.store offset=8 (local.get $at) (local.get $align))
        (i32.store offset=12 (local.get $at) (local.get $size))
        (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
        (global.set $heap (i32.add (local.get $at) (local.get $size)))
        (memory.copy (local.get $at) (local.get $old) (local.get $size))
        (local.get $at))
      (func (export "f") (param $p i32) (param $n i32) (result i32)
        (i32.and
          (i32.eq (i32.load (i32.const 0x3ff0)) (i32.const 1))
          (i32.and
          (i32.eq (i32.ne (i32.load (i32.const 0x4000)) (i32.const 0)) (i32.const 0))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4004)) (i32.const 0))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4008)) (i32.const 2))
          (i32.and
          (i32.eq (i32.load (i32.const 0x400c)) (i32.const 3))
          (i32.eq (local.get $n) (i32.const 0x3)))))))))
    (core instance $i (instantiate $m))
    (func (export "f") (param "a" string) (result u32)
      (canon lift (core func $i "f") string-encoding=latin1+utf16 (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
  (component $D
    (import "c" (instance $c
      (export "f" (func (param "a" string) (result u32)))))
    (core module $libc (memory (export "memory") 1) (data (i32.const 16) "\61\62\63"))
    (core instance $libc (instantiate $libc))
    (core func $f (canon lower (func $c "f") string-encoding=utf8 (memory (core memory $libc "memory"))))
    (core module $m
      (import "c" "f" (func $f (param i32 i32) (result i32)))
      (func (export "run") (result i32) (call $f (i32.const 16) (i32.const 0x3))))
    (core instance $i (instantiate $m (with "c" (instance (export "f" (func $f))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))
  (instance $c (instantiate $C))
  (instance $d (instantiate $D (with "c" (instance $c))))
  (export "run" (func $d "run")))
(assert_return (invoke "run") (u32.const 1))

;; utf8 to latin1+utf16, latin1: the rest is given back
(component
  (component $C
    (core module $m
      (memory (export "memory") 1)
      ;; the calls of realloc: old pointer, old size, alignment, size, from 0x4000 on; their number is at 0x3ff0
      (global $heap (mut i32) (i32.const 0x8000))
      (func (export "realloc") (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
        (local $at i32)
        (local.set $at (i32.add (i32.const 0x4000) (i32.mul (i32.load (i32.const 0x3ff0)) (i32.const 16))))
        (i32.store (i32.const 0x3ff0) (i32.add (i32.load (i32.const 0x3ff0)) (i32.const 1)))
        (i32.store (local.get $at) (local.get $old))
        (i32.store offset=4 (local.get $at) (local.get $old-size))
        (i32.store offset=8 (local.get $at) (local.get $align))
        (i32.store offset=12 (local.get $at) (local.get $size))
        (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
        (global.set $heap (i32.add (local.get $at) (local.get $size)))
        (memory.copy (local.get $at) (local.get $old) (local.get $size))
        (local.get $at))
      (func (export "f") (param $p i32) (param $n i32) (result i32)
        (i32.and
          (i32.eq (i32.load (i32.const 0x3ff0)) (i32.const 2))
          (i32.and
          (i32.eq (i32.ne (i32.load (i32.const 0x4000)) (i32.const 0)) (i32.const 0))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4004)) (i32.const 0))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4008)) (i32.const 2))
          (i32.and
          (i32.eq (i32.load (i32.const 0x400c)) (i32.const 3))
          (i32.and
          (i32.eq (i32.ne (i32.load (i32.const 0x4010)) (i32.const 0)) (i32.const 1))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4014)) (i32.const 3))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4018)) (i32.const 2))
          (i32.and
          (i32.eq (i32.load (i32.const 0x401c)) (i32.const 2))
          (i32.eq (local.get $n) (i32.const 0x2)))))))))))))
    (core instance $i (instantiate $m))
    (func (export "f") (param "a" string) (result u32)
      (canon lift (core func $i "f") string-encoding=latin1+utf16 (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
  (component $D
    (import "c" (instance $c
      (export "f" (func (param "a" string) (result u32)))))
    (core module $libc (memory (export "memory") 1) (data (i32.const 16) "\61\c3\a9"))
    (core instance $libc (instantiate $libc))
    (core func $f (canon lower (func $c "f") string-encoding=utf8 (memory (core memory $libc "memory"))))
    (core module $m
      (import "c" "f" (func $f (param i32 i32) (result i32)))
      (func (export "run") (result i32) (call $f (i32.const 16) (i32.const 0x3))))
    (core instance $i (instantiate $m (with "c" (instance (export "f" (func $f))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))
  (instance $c (instantiate $C))
  (instance $d (instantiate $D (with "c" (instance $c))))
  (export "run" (func $d "run")))
(assert_return (invoke "run") (u32.const 1))

;; utf8 to latin1+utf16, beyond latin1
(component
  (component $C
    (core module $m
      (memory (export "memory") 1)
      ;; the calls of realloc: old pointer, old size, alignment, size, from 0x4000 on; their number is at 0x3ff0
      (global $heap (mut i32) (i32.const 0x8000))
      (func (export "realloc") (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
        (local $at i32)
        (local.set $at (i32.add (i32.const 0x4000) (i32.mul (i32.load (i32.const 0x3ff0)) (i32.const 16))))
        (i32.store (i32.const 0x3ff0) (i32.add (i32.load (i32.const 0x3ff0)) (i32.const 1)))
        (i32.store (local.get $at) (local.get $old))
        (i32.store offset=4 (local.get $at) (local.get $old-size))
        (i32.store offset=8 (local.get $at) (local.get $align))
        (i32.store offset=12 (local.get $at) (local.get $size))
        (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
        (global.set $heap (i32.add (local.get $at) (local.get $size)))
        (memory.copy (local.get $at) (local.get $old) (local.get $size))
        (local.get $at))
      (func (export "f") (param $p i32) (param $n i32) (result i32)
        (i32.and
          (i32.eq (i32.load (i32.const 0x3ff0)) (i32.const 3))
          (i32.and
          (i32.eq (i32.ne (i32.load (i32.const 0x4000)) (i32.const 0)) (i32.const 0))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4004)) (i32.const 0))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4008)) (i32.const 2))
          (i32.and
          (i32.eq (i32.load (i32.const 0x400c)) (i32.const 4))
          (i32.and
          (i32.eq (i32.ne (i32.load (i32.const 0x4010)) (i32.const 0)) (i32.const 1))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4014)) (i32.const 4))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4018)) (i32.const 2))
          (i32.and
          (i32.eq (i32.load (i32.const 0x401c)) (i32.const 8))
          (i32.and
          (i32.eq (i32.ne (i32.load (i32.const 0x4020)) (i32.const 0)) (i32.const 1))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4024)) (i32.const 8))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4028)) (i32.const 2))
          (i32.and
          (i32.eq (i32.load (i32.const 0x402c)) (i32.const 4))
          (i32.eq (local.get $n) (i32.const 0x80000002)))))))))))))))))
    (core instance $i (instantiate $m))
    (func (export "f") (param "a" string) (result u32)
      (canon lift (core func $i "f") string-encoding=latin1+utf16 (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
  (component $D
    (import "c" (instance $c
      (export "f" (func (param "a" string) (result u32)))))
    (core module $libc (memory (export "memory") 1) (data (i32.const 16) "\61\e2\82\ac"))
    (core instance $libc (instantiate $libc))
    (core func $f (canon lower (func $c "f") string-encoding=utf8 (memory (core memory $libc "memory"))))
    (core module $m
      (import "c" "f" (func $f (param i32 i32) (result i32)))
      (func (export "run") (result i32) (call $f (i32.const 16) (i32.const 0x4))))
    (core instance $i (instantiate $m (with "c" (instance (export "f" (func $f))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))
  (instance $c (instantiate $C))
  (instance $d (instantiate $D (with "c" (instance $c))))
  (export "run" (func $d "run")))
(assert_return (invoke "run") (u32.const 1))

;; utf16 to latin1+utf16, beyond latin1: the worst case comes true
(component
  (component $C
    (core module $m
      (memory (export "memory") 1)
      ;; the calls of realloc: old pointer, old size, alignment, size, from 0x4000 on; their number is at 0x3ff0
      (global $heap (mut i32) (i32.const 0x8000))
      (func (export "realloc") (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
        (local $at i32)
        (local.set $at (i32.add (i32.const 0x4000) (i32.mul (i32.load (i32.const 0x3ff0)) (i32.const 16))))
        (i32.store (i32.const 0x3ff0) (i32.add (i32.load (i32.const 0x3ff0)) (i32.const 1)))
        (i32.store (local.get $at) (local.get $old))
        (i32.store offset=4 (local.get $at) (local.get $old-size))
        (i32.store offset=8 (local.get $at) (local.get $align))
        (i32.store offset=12 (local.get $at) (local.get $size))
        (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
        (global.set $heap (i32.add (local.get $at) (local.get $size)))
        (memory.copy (local.get $at) (local.get $old) (local.get $size))
        (local.get $at))
      (func (export "f") (param $p i32) (param $n i32) (result i32)
        (i32.and
          (i32.eq (i32.load (i32.const 0x3ff0)) (i32.const 2))
          (i32.and
          (i32.eq (i32.ne (i32.load (i32.const 0x4000)) (i32.const 0)) (i32.const 0))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4004)) (i32.const 0))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4008)) (i32.const 2))
          (i32.and
          (i32.eq (i32.load (i32.const 0x400c)) (i32.const 2))
          (i32.and
          (i32.eq (i32.ne (i32.load (i32.const 0x4010)) (i32.const 0)) (i32.const 1))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4014)) (i32.const 2))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4018)) (i32.const 2))
          (i32.and
          (i32.eq (i32.load (i32.const 0x401c)) (i32.const 4))
          (i32.eq (local.get $n) (i32.const 0x80000002)))))))))))))
    (core instance $i (instantiate $m))
    (func (export "f") (param "a" string) (result u32)
      (canon lift (core func $i "f") string-encoding=latin1+utf16 (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
  (component $D
    (import "c" (instance $c
      (export "f" (func (param "a" string) (result u32)))))
    (core module $libc (memory (export "memory") 1) (data (i32.const 16) "\61\00\ac\20"))
    (core instance $libc (instantiate $libc))
    (core func $f (canon lower (func $c "f") string-encoding=utf16 (memory (core memory $libc "memory"))))
    (core module $m
      (import "c" "f" (func $f (param i32 i32) (result i32)))
      (func (export "run") (result i32) (call $f (i32.const 16) (i32.const 0x2))))
    (core instance $i (instantiate $m (with "c" (instance (export "f" (func $f))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))
  (instance $c (instantiate $C))
  (instance $d (instantiate $D (with "c" (instance $c))))
  (export "run" (func $d "run")))
(assert_return (invoke "run") (u32.const 1))

;; latin1 to latin1+utf16: one call
(component
  (component $C
    (core module $m
      (memory (export "memory") 1)
      ;; the calls of realloc: old pointer, old size, alignment, size, from 0x4000 on; their number is at 0x3ff0
      (global $heap (mut i32) (i32.const 0x8000))
      (func (export "realloc") (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
        (local $at i32)
        (local.set $at (i32.add (i32.const 0x4000) (i32.mul (i32.load (i32.const 0x3ff0)) (i32.const 16))))
        (i32.store (i32.const 0x3ff0) (i32.add (i32.load (i32.const 0x3ff0)) (i32.const 1)))
        (i32.store (local.get $at) (local.get $old))
        (i32.store offset=4 (local.get $at) (local.get $old-size))
        (i32.store offset=8 (local.get $at) (local.get $align))
        (i32.store offset=12 (local.get $at) (local.get $size))
        (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
        (global.set $heap (i32.add (local.get $at) (local.get $size)))
        (memory.copy (local.get $at) (local.get $old) (local.get $size))
        (local.get $at))
      (func (export "f") (param $p i32) (param $n i32) (result i32)
        (i32.and
          (i32.eq (i32.load (i32.const 0x3ff0)) (i32.const 1))
          (i32.and
          (i32.eq (i32.ne (i32.load (i32.const 0x4000)) (i32.const 0)) (i32.const 0))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4004)) (i32.const 0))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4008)) (i32.const 2))
          (i32.and
          (i32.eq (i32.load (i32.const 0x400c)) (i32.const 2))
          (i32.eq (local.get $n) (i32.const 0x2)))))))))
    (core instance $i (instantiate $m))
    (func (export "f") (param "a" string) (result u32)
      (canon lift (core func $i "f") string-encoding=latin1+utf16 (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
  (component $D
    (import "c" (instance $c
      (export "f" (func (param "a" string) (result u32)))))
    (core module $libc (memory (export "memory") 1) (data (i32.const 16) "\61\e9"))
    (core instance $libc (instantiate $libc))
    (core func $f (canon lower (func $c "f") string-encoding=latin1+utf16 (memory (core memory $libc "memory"))))
    (core module $m
      (import "c" "f" (func $f (param i32 i32) (result i32)))
      (func (export "run") (result i32) (call $f (i32.const 16) (i32.const 0x2))))
    (core instance $i (instantiate $m (with "c" (instance (export "f" (func $f))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))
  (instance $c (instantiate $C))
  (instance $d (instantiate $D (with "c" (instance $c))))
  (export "run" (func $d "run")))
(assert_return (invoke "run") (u32.const 1))

;; tagged utf16 to latin1+utf16, which fits latin1
(component
  (component $C
    (core module $m
      (memory (export "memory") 1)
      ;; the calls of realloc: old pointer, old size, alignment, size, from 0x4000 on; their number is at 0x3ff0
      (global $heap (mut i32) (i32.const 0x8000))
      (func (export "realloc") (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
        (local $at i32)
        (local.set $at (i32.add (i32.const 0x4000) (i32.mul (i32.load (i32.const 0x3ff0)) (i32.const 16))))
        (i32.store (i32.const 0x3ff0) (i32.add (i32.load (i32.const 0x3ff0)) (i32.const 1)))
        (i32.store (local.get $at) (local.get $old))
        (i32.store offset=4 (local.get $at) (local.get $old-size))
        (i32.store offset=8 (local.get $at) (local.get $align))
        (i32.store offset=12 (local.get $at) (local.get $size))
        (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
        (global.set $heap (i32.add (local.get $at) (local.get $size)))
        (memory.copy (local.get $at) (local.get $old) (local.get $size))
        (local.get $at))
      (func (export "f") (param $p i32) (param $n i32) (result i32)
        (i32.and
          (i32.eq (i32.load (i32.const 0x3ff0)) (i32.const 2))
          (i32.and
          (i32.eq (i32.ne (i32.load (i32.const 0x4000)) (i32.const 0)) (i32.const 0))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4004)) (i32.const 0))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4008)) (i32.const 2))
          (i32.and
          (i32.eq (i32.load (i32.const 0x400c)) (i32.const 4))
          (i32.and
          (i32.eq (i32.ne (i32.load (i32.const 0x4010)) (i32.const 0)) (i32.const 1))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4014)) (i32.const 4))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4018)) (i32.const 1))
          (i32.and
          (i32.eq (i32.load (i32.const 0x401c)) (i32.const 2))
          (i32.eq (local.get $n) (i32.const 0x2)))))))))))))
    (core instance $i (instantiate $m))
    (func (export "f") (param "a" string) (result u32)
      (canon lift (core func $i "f") string-encoding=latin1+utf16 (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
  (component $D
    (import "c" (instance $c
      (export "f" (func (param "a" string) (result u32)))))
    (core module $libc (memory (export "memory") 1) (data (i32.const 16) "\61\00\e9\00"))
    (core instance $libc (instantiate $libc))
    (core func $f (canon lower (func $c "f") string-encoding=latin1+utf16 (memory (core memory $libc "memory"))))
    (core module $m
      (import "c" "f" (func $f (param i32 i32) (result i32)))
      (func (export "run") (result i32) (call $f (i32.const 16) (i32.const 0x80000002))))
    (core instance $i (instantiate $m (with "c" (instance (export "f" (func $f))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))
  (instance $c (instantiate $C))
  (instance $d (instantiate $D (with "c" (instance $c))))
  (export "run" (func $d "run")))
(assert_return (invoke "run") (u32.const 1))

;; tagged utf16 to latin1+utf16, beyond latin1: one call
(component
  (component $C
    (core module $m
      (memory (export "memory") 1)
      ;; the calls of realloc: old pointer, old size, alignment, size, from 0x4000 on; their number is at 0x3ff0
      (global $heap (mut i32) (i32.const 0x8000))
      (func (export "realloc") (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
        (local $at i32)
        (local.set $at (i32.add (i32.const 0x4000) (i32.mul (i32.load (i32.const 0x3ff0)) (i32.const 16))))
        (i32.store (i32.const 0x3ff0) (i32.add (i32.load (i32.const 0x3ff0)) (i32.const 1)))
        (i32.store (local.get $at) (local.get $old))
        (i32.store offset=4 (local.get $at) (local.get $old-size))
        (i32.store offset=8 (local.get $at) (local.get $align))
        (i32.store offset=12 (local.get $at) (local.get $size))
        (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
        (global.set $heap (i32.add (local.get $at) (local.get $size)))
        (memory.copy (local.get $at) (local.get $old) (local.get $size))
        (local.get $at))
      (func (export "f") (param $p i32) (param $n i32) (result i32)
        (i32.and
          (i32.eq (i32.load (i32.const 0x3ff0)) (i32.const 1))
          (i32.and
          (i32.eq (i32.ne (i32.load (i32.const 0x4000)) (i32.const 0)) (i32.const 0))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4004)) (i32.const 0))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4008)) (i32.const 2))
          (i32.and
          (i32.eq (i32.load (i32.const 0x400c)) (i32.const 4))
          (i32.eq (local.get $n) (i32.const 0x80000002)))))))))
    (core instance $i (instantiate $m))
    (func (export "f") (param "a" string) (result u32)
      (canon lift (core func $i "f") string-encoding=latin1+utf16 (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
  (component $D
    (import "c" (instance $c
      (export "f" (func (param "a" string) (result u32)))))
    (core module $libc (memory (export "memory") 1) (data (i32.const 16) "\61\00\ac\20"))
    (core instance $libc (instantiate $libc))
    (core func $f (canon lower (func $c "f") string-encoding=latin1+utf16 (memory (core memory $libc "memory"))))
    (core module $m
      (import "c" "f" (func $f (param i32 i32) (result i32)))
      (func (export "run") (result i32) (call $f (i32.const 16) (i32.const 0x80000002))))
    (core instance $i (instantiate $m (with "c" (instance (export "f" (func $f))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))
  (instance $c (instantiate $C))
  (instance $d (instantiate $D (with "c" (instance $c))))
  (export "run" (func $d "run")))
(assert_return (invoke "run") (u32.const 1))

;; latin1 to utf16: one call
(component
  (component $C
    (core module $m
      (memory (export "memory") 1)
      ;; the calls of realloc: old pointer, old size, alignment, size, from 0x4000 on; their number is at 0x3ff0
      (global $heap (mut i32) (i32.const 0x8000))
      (func (export "realloc") (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
        (local $at i32)
        (local.set $at (i32.add (i32.const 0x4000) (i32.mul (i32.load (i32.const 0x3ff0)) (i32.const 16))))
        (i32.store (i32.const 0x3ff0) (i32.add (i32.load (i32.const 0x3ff0)) (i32.const 1)))
        (i32.store (local.get $at) (local.get $old))
        (i32.store offset=4 (local.get $at) (local.get $old-size))
        (i32.store offset=8 (local.get $at) (local.get $align))
        (i32.store offset=12 (local.get $at) (local.get $size))
        (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
        (global.set $heap (i32.add (local.get $at) (local.get $size)))
        (memory.copy (local.get $at) (local.get $old) (local.get $size))
        (local.get $at))
      (func (export "f") (param $p i32) (param $n i32) (result i32)
        (i32.and
          (i32.eq (i32.load (i32.const 0x3ff0)) (i32.const 1))
          (i32.and
          (i32.eq (i32.ne (i32.load (i32.const 0x4000)) (i32.const 0)) (i32.const 0))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4004)) (i32.const 0))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4008)) (i32.const 2))
          (i32.and
          (i32.eq (i32.load (i32.const 0x400c)) (i32.const 4))
          (i32.eq (local.get $n) (i32.const 0x2)))))))))
    (core instance $i (instantiate $m))
    (func (export "f") (param "a" string) (result u32)
      (canon lift (core func $i "f") string-encoding=utf16 (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
  (component $D
    (import "c" (instance $c
      (export "f" (func (param "a" string) (result u32)))))
    (core module $libc (memory (export "memory") 1) (data (i32.const 16) "\61\e9"))
    (core instance $libc (instantiate $libc))
    (core func $f (canon lower (func $c "f") string-encoding=latin1+utf16 (memory (core memory $libc "memory"))))
    (core module $m
      (import "c" "f" (func $f (param i32 i32) (result i32)))
      (func (export "run") (result i32) (call $f (i32.const 16) (i32.const 0x2))))
    (core instance $i (instantiate $m (with "c" (instance (export "f" (func $f))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))
  (instance $c (instantiate $C))
  (instance $d (instantiate $D (with "c" (instance $c))))
  (export "run" (func $d "run")))
(assert_return (invoke "run") (u32.const 1))

;; utf8 to utf8: one call, also for nothing
(component
  (component $C
    (core module $m
      (memory (export "memory") 1)
      ;; the calls of realloc: old pointer, old size, alignment, size, from 0x4000 on; their number is at 0x3ff0
      (global $heap (mut i32) (i32.const 0x8000))
      (func (export "realloc") (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
        (local $at i32)
        (local.set $at (i32.add (i32.const 0x4000) (i32.mul (i32.load (i32.const 0x3ff0)) (i32.const 16))))
        (i32.store (i32.const 0x3ff0) (i32.add (i32.load (i32.const 0x3ff0)) (i32.const 1)))
        (i32.store (local.get $at) (local.get $old))
        (i32.store offset=4 (local.get $at) (local.get $old-size))
        (i32.store offset=8 (local.get $at) (local.get $align))
        (i32.store offset=12 (local.get $at) (local.get $size))
        (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
        (global.set $heap (i32.add (local.get $at) (local.get $size)))
        (memory.copy (local.get $at) (local.get $old) (local.get $size))
        (local.get $at))
      (func (export "f") (param $p i32) (param $n i32) (result i32)
        (i32.and
          (i32.eq (i32.load (i32.const 0x3ff0)) (i32.const 1))
          (i32.and
          (i32.eq (i32.ne (i32.load (i32.const 0x4000)) (i32.const 0)) (i32.const 0))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4004)) (i32.const 0))
          (i32.and
          (i32.eq (i32.load (i32.const 0x4008)) (i32.const 1))
          (i32.and
          (i32.eq (i32.load (i32.const 0x400c)) (i32.const 0))
          (i32.eq (local.get $n) (i32.const 0x0)))))))))
    (core instance $i (instantiate $m))
    (func (export "f") (param "a" string) (result u32)
      (canon lift (core func $i "f") string-encoding=utf8 (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
  (component $D
    (import "c" (instance $c
      (export "f" (func (param "a" string) (result u32)))))
    (core module $libc (memory (export "memory") 1) (data (i32.const 16) ""))
    (core instance $libc (instantiate $libc))
    (core func $f (canon lower (func $c "f") string-encoding=utf8 (memory (core memory $libc "memory"))))
    (core module $m
      (import "c" "f" (func $f (param i32 i32) (result i32)))
      (func (export "run") (result i32) (call $f (i32.const 16) (i32.const 0x0))))
    (core instance $i (instantiate $m (with "c" (instance (export "f" (func $f))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))
  (instance $c (instantiate $C))
  (instance $d (instantiate $D (with "c" (instance $c))))
  (export "run" (func $d "run")))
(assert_return (invoke "run") (u32.const 1))
