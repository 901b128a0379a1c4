;; What travels in lists, in many parameters, and as results between two components: elements that are wrong, bits that mean
;; nothing, borrows, and the calls of realloc for strings. spec: CanonicalABI.md#loading, #storing, #flat-lifting, #canon-lift

;; the last char of a list is a surrogate
(component
  (component $C
    (core module $m
      (memory (export "memory") 1)
      (global $heap (mut i32) (i32.const 0x8000))
      (func (export "realloc") (param i32 i32 i32) (param $size i32) (result i32)
        (global.set $heap (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
        (global.set $heap (i32.add (global.get $heap) (local.get $size)))
        (i32.sub (global.get $heap) (local.get $size)))
      (func (export "f") (param $p i32) (param $n i32) (result i32) (i32.load (local.get $p))))
    (core instance $i (instantiate $m))
    (func (export "f") (param "a" (list char)) (result u32)
      (canon lift (core func $i "f") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
  (component $D
    (import "c" (instance $c
      (export "f" (func (param "a" (list char)) (result u32)))))
    (core module $libc (memory (export "memory") 1) (data (i32.const 16) "\41\00\00\00\00\d8\00\00"))
    (core instance $libc (instantiate $libc))
    (core func $f (canon lower (func $c "f") (memory (core memory $libc "memory"))))
    (core module $m
      (import "c" "f" (func $f (param i32 i32) (result i32)))
      (func (export "run") (result i32) (call $f (i32.const 16) (i32.const 2))))
    (core instance $i (instantiate $m (with "c" (instance (export "f" (func $f))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))
  (instance $c (instantiate $C))
  (instance $d (instantiate $D (with "c" (instance $c))))
  (export "run" (func $d "run")))
(assert_trap (invoke "run") "invalid `char`")

;; the first char of a list is beyond the last code point
(component
  (component $C
    (core module $m
      (memory (export "memory") 1)
      (global $heap (mut i32) (i32.const 0x8000))
      (func (export "realloc") (param i32 i32 i32) (param $size i32) (result i32)
        (global.set $heap (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
        (global.set $heap (i32.add (global.get $heap) (local.get $size)))
        (i32.sub (global.get $heap) (local.get $size)))
      (func (export "f") (param $p i32) (param $n i32) (result i32) (i32.load (local.get $p))))
    (core instance $i (instantiate $m))
    (func (export "f") (param "a" (list char)) (result u32)
      (canon lift (core func $i "f") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
  (component $D
    (import "c" (instance $c
      (export "f" (func (param "a" (list char)) (result u32)))))
    (core module $libc (memory (export "memory") 1) (data (i32.const 16) "\00\00\11\00\41\00\00\00"))
    (core instance $libc (instantiate $libc))
    (core func $f (canon lower (func $c "f") (memory (core memory $libc "memory"))))
    (core module $m
      (import "c" "f" (func $f (param i32 i32) (result i32)))
      (func (export "run") (result i32) (call $f (i32.const 16) (i32.const 2))))
    (core instance $i (instantiate $m (with "c" (instance (export "f" (func $f))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))
  (instance $c (instantiate $C))
  (instance $d (instantiate $D (with "c" (instance $c))))
  (export "run" (func $d "run")))
(assert_trap (invoke "run") "invalid `char`")

;; chars at the limits
(component
  (component $C
    (core module $m
      (memory (export "memory") 1)
      (global $heap (mut i32) (i32.const 0x8000))
      (func (export "realloc") (param i32 i32 i32) (param $size i32) (result i32)
        (global.set $heap (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
        (global.set $heap (i32.add (global.get $heap) (local.get $size)))
        (i32.sub (global.get $heap) (local.get $size)))
      (func (export "f") (param $p i32) (param $n i32) (result i32) (i32.load offset=8 (local.get $p))))
    (core instance $i (instantiate $m))
    (func (export "f") (param "a" (list char)) (result u32)
      (canon lift (core func $i "f") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
  (component $D
    (import "c" (instance $c
      (export "f" (func (param "a" (list char)) (result u32)))))
    (core module $libc (memory (export "memory") 1) (data (i32.const 16) "\ff\d7\00\00\00\e0\00\00\ff\ff\10\00"))
    (core instance $libc (instantiate $libc))
    (core func $f (canon lower (func $c "f") (memory (core memory $libc "memory"))))
    (core module $m
      (import "c" "f" (func $f (param i32 i32) (result i32)))
      (func (export "run") (result i32) (call $f (i32.const 16) (i32.const 3))))
    (core instance $i (instantiate $m (with "c" (instance (export "f" (func $f))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))
  (instance $c (instantiate $C))
  (instance $d (instantiate $D (with "c" (instance $c))))
  (export "run" (func $d "run")))
(assert_return (invoke "run") (u32.const 1114111))

;; a char in a tuple of a list
(component
  (component $C
    (core module $m
      (memory (export "memory") 1)
      (global $heap (mut i32) (i32.const 0x8000))
      (func (export "realloc") (param i32 i32 i32) (param $size i32) (result i32)
        (global.set $heap (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
        (global.set $heap (i32.add (global.get $heap) (local.get $size)))
        (i32.sub (global.get $heap) (local.get $size)))
      (func (export "f") (param $p i32) (param $n i32) (result i32) (i32.load (local.get $p))))
    (core instance $i (instantiate $m))
    (func (export "f") (param "a" (list (tuple u8 char))) (result u32)
      (canon lift (core func $i "f") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
  (component $D
    (import "c" (instance $c
      (export "f" (func (param "a" (list (tuple u8 char))) (result u32)))))
    (core module $libc (memory (export "memory") 1) (data (i32.const 16) "\01\00\00\00\41\00\00\00\02\00\00\00\ff\df\00\00"))
    (core instance $libc (instantiate $libc))
    (core func $f (canon lower (func $c "f") (memory (core memory $libc "memory"))))
    (core module $m
      (import "c" "f" (func $f (param i32 i32) (result i32)))
      (func (export "run") (result i32) (call $f (i32.const 16) (i32.const 2))))
    (core instance $i (instantiate $m (with "c" (instance (export "f" (func $f))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))
  (instance $c (instantiate $C))
  (instance $d (instantiate $D (with "c" (instance $c))))
  (export "run" (func $d "run")))
(assert_trap (invoke "run") "invalid `char`")

;; a tuple of a char and what needs no check
(component
  (component $C
    (core module $m
      (memory (export "memory") 1)
      (global $heap (mut i32) (i32.const 0x8000))
      (func (export "realloc") (param i32 i32 i32) (param $size i32) (result i32)
        (global.set $heap (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
        (global.set $heap (i32.add (global.get $heap) (local.get $size)))
        (i32.sub (global.get $heap) (local.get $size)))
      (func (export "f") (param $p i32) (param $n i32) (result i32) (i32.load offset=4 (local.get $p))))
    (core instance $i (instantiate $m))
    (func (export "f") (param "a" (list (tuple char u32))) (result u32)
      (canon lift (core func $i "f") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
  (component $D
    (import "c" (instance $c
      (export "f" (func (param "a" (list (tuple char u32))) (result u32)))))
    (core module $libc (memory (export "memory") 1) (data (i32.const 16) "\41\00\00\00\00\d8\00\00"))
    (core instance $libc (instantiate $libc))
    (core func $f (canon lower (func $c "f") (memory (core memory $libc "memory"))))
    (core module $m
      (import "c" "f" (func $f (param i32 i32) (result i32)))
      (func (export "run") (result i32) (call $f (i32.const 16) (i32.const 1))))
    (core instance $i (instantiate $m (with "c" (instance (export "f" (func $f))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))
  (instance $c (instantiate $C))
  (instance $d (instantiate $D (with "c" (instance $c))))
  (export "run" (func $d "run")))
(assert_return (invoke "run") (u32.const 55296))

;; a bool in a list is 2
(component
  (component $C
    (core module $m
      (memory (export "memory") 1)
      (global $heap (mut i32) (i32.const 0x8000))
      (func (export "realloc") (param i32 i32 i32) (param $size i32) (result i32)
        (global.set $heap (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
        (global.set $heap (i32.add (global.get $heap) (local.get $size)))
        (i32.sub (global.get $heap) (local.get $size)))
      (func (export "f") (param $p i32) (param $n i32) (result i32) (i32.load (local.get $p))))
    (core instance $i (instantiate $m))
    (func (export "f") (param "a" (list bool)) (result u32)
      (canon lift (core func $i "f") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
  (component $D
    (import "c" (instance $c
      (export "f" (func (param "a" (list bool)) (result u32)))))
    (core module $libc (memory (export "memory") 1) (data (i32.const 16) "\02\00\ff\01"))
    (core instance $libc (instantiate $libc))
    (core func $f (canon lower (func $c "f") (memory (core memory $libc "memory"))))
    (core module $m
      (import "c" "f" (func $f (param i32 i32) (result i32)))
      (func (export "run") (result i32) (call $f (i32.const 16) (i32.const 4))))
    (core instance $i (instantiate $m (with "c" (instance (export "f" (func $f))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))
  (instance $c (instantiate $C))
  (instance $d (instantiate $D (with "c" (instance $c))))
  (export "run" (func $d "run")))
(assert_return (invoke "run") (u32.const 16842753))

;; a bool in a tuple of a list is 2, beside a char
(component
  (component $C
    (core module $m
      (memory (export "memory") 1)
      (global $heap (mut i32) (i32.const 0x8000))
      (func (export "realloc") (param i32 i32 i32) (param $size i32) (result i32)
        (global.set $heap (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
        (global.set $heap (i32.add (global.get $heap) (local.get $size)))
        (i32.sub (global.get $heap) (local.get $size)))
      (func (export "f") (param $p i32) (param $n i32) (result i32) (i32.load8_u (local.get $p))))
    (core instance $i (instantiate $m))
    (func (export "f") (param "a" (list (tuple bool char))) (result u32)
      (canon lift (core func $i "f") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
  (component $D
    (import "c" (instance $c
      (export "f" (func (param "a" (list (tuple bool char))) (result u32)))))
    (core module $libc (memory (export "memory") 1) (data (i32.const 16) "\02\00\00\00\41\00\00\00"))
    (core instance $libc (instantiate $libc))
    (core func $f (canon lower (func $c "f") (memory (core memory $libc "memory"))))
    (core module $m
      (import "c" "f" (func $f (param i32 i32) (result i32)))
      (func (export "run") (result i32) (call $f (i32.const 16) (i32.const 1))))
    (core instance $i (instantiate $m (with "c" (instance (export "f" (func $f))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))
  (instance $c (instantiate $C))
  (instance $d (instantiate $D (with "c" (instance $c))))
  (export "run" (func $d "run")))
(assert_return (invoke "run") (u32.const 1))

;; an option in a list has the discriminant 2
(component
  (component $C
    (core module $m
      (memory (export "memory") 1)
      (global $heap (mut i32) (i32.const 0x8000))
      (func (export "realloc") (param i32 i32 i32) (param $size i32) (result i32)
        (global.set $heap (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
        (global.set $heap (i32.add (global.get $heap) (local.get $size)))
        (i32.sub (global.get $heap) (local.get $size)))
      (func (export "f") (param $p i32) (param $n i32) (result i32) (i32.load (local.get $p))))
    (core instance $i (instantiate $m))
    (func (export "f") (param "a" (list (option u8))) (result u32)
      (canon lift (core func $i "f") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
  (component $D
    (import "c" (instance $c
      (export "f" (func (param "a" (list (option u8))) (result u32)))))
    (core module $libc (memory (export "memory") 1) (data (i32.const 16) "\01\07\02\07"))
    (core instance $libc (instantiate $libc))
    (core func $f (canon lower (func $c "f") (memory (core memory $libc "memory"))))
    (core module $m
      (import "c" "f" (func $f (param i32 i32) (result i32)))
      (func (export "run") (result i32) (call $f (i32.const 16) (i32.const 2))))
    (core instance $i (instantiate $m (with "c" (instance (export "f" (func $f))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))
  (instance $c (instantiate $C))
  (instance $d (instantiate $D (with "c" (instance $c))))
  (export "run" (func $d "run")))
(assert_trap (invoke "run") "invalid variant discriminant")

;; an option of a char in a list
(component
  (component $C
    (core module $m
      (memory (export "memory") 1)
      (global $heap (mut i32) (i32.const 0x8000))
      (func (export "realloc") (param i32 i32 i32) (param $size i32) (result i32)
        (global.set $heap (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
        (global.set $heap (i32.add (global.get $heap) (local.get $size)))
        (i32.sub (global.get $heap) (local.get $size)))
      (func (export "f") (param $p i32) (param $n i32) (result i32) (i32.load (local.get $p))))
    (core instance $i (instantiate $m))
    (func (export "f") (param "a" (list (option char))) (result u32)
      (canon lift (core func $i "f") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
  (component $D
    (import "c" (instance $c
      (export "f" (func (param "a" (list (option char))) (result u32)))))
    (core module $libc (memory (export "memory") 1) (data (i32.const 16) "\01\00\00\00\41\00\00\00\01\00\00\00\00\d8\00\00"))
    (core instance $libc (instantiate $libc))
    (core func $f (canon lower (func $c "f") (memory (core memory $libc "memory"))))
    (core module $m
      (import "c" "f" (func $f (param i32 i32) (result i32)))
      (func (export "run") (result i32) (call $f (i32.const 16) (i32.const 2))))
    (core instance $i (instantiate $m (with "c" (instance (export "f" (func $f))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))
  (instance $c (instantiate $C))
  (instance $d (instantiate $D (with "c" (instance $c))))
  (export "run" (func $d "run")))
(assert_trap (invoke "run") "invalid `char`")

;; none in a list holds something that is no char
(component
  (component $C
    (core module $m
      (memory (export "memory") 1)
      (global $heap (mut i32) (i32.const 0x8000))
      (func (export "realloc") (param i32 i32 i32) (param $size i32) (result i32)
        (global.set $heap (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
        (global.set $heap (i32.add (global.get $heap) (local.get $size)))
        (i32.sub (global.get $heap) (local.get $size)))
      (func (export "f") (param $p i32) (param $n i32) (result i32) (i32.load8_u (local.get $p))))
    (core instance $i (instantiate $m))
    (func (export "f") (param "a" (list (option char))) (result u32)
      (canon lift (core func $i "f") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
  (component $D
    (import "c" (instance $c
      (export "f" (func (param "a" (list (option char))) (result u32)))))
    (core module $libc (memory (export "memory") 1) (data (i32.const 16) "\00\00\00\00\00\d8\00\00"))
    (core instance $libc (instantiate $libc))
    (core func $f (canon lower (func $c "f") (memory (core memory $libc "memory"))))
    (core module $m
      (import "c" "f" (func $f (param i32 i32) (result i32)))
      (func (export "run") (result i32) (call $f (i32.const 16) (i32.const 1))))
    (core instance $i (instantiate $m (with "c" (instance (export "f" (func $f))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))
  (instance $c (instantiate $C))
  (instance $d (instantiate $D (with "c" (instance $c))))
  (export "run" (func $d "run")))
(assert_return (invoke "run") (u32.const 0))

;; a result of u32 or char in a list: the payload of ok needs no check
(component
  (component $C
    (core module $m
      (memory (export "memory") 1)
      (global $heap (mut i32) (i32.const 0x8000))
      (func (export "realloc") (param i32 i32 i32) (param $size i32) (result i32)
        (global.set $heap (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
        (global.set $heap (i32.add (global.get $heap) (local.get $size)))
        (i32.sub (global.get $heap) (local.get $size)))
      (func (export "f") (param $p i32) (param $n i32) (result i32) (i32.load offset=4 (local.get $p))))
    (core instance $i (instantiate $m))
    (func (export "f") (param "a" (list (result u32 (error char)))) (result u32)
      (canon lift (core func $i "f") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
  (component $D
    (import "c" (instance $c
      (export "f" (func (param "a" (list (result u32 (error char)))) (result u32)))))
    (core module $libc (memory (export "memory") 1) (data (i32.const 16) "\00\00\00\00\00\d8\00\00"))
    (core instance $libc (instantiate $libc))
    (core func $f (canon lower (func $c "f") (memory (core memory $libc "memory"))))
    (core module $m
      (import "c" "f" (func $f (param i32 i32) (result i32)))
      (func (export "run") (result i32) (call $f (i32.const 16) (i32.const 1))))
    (core instance $i (instantiate $m (with "c" (instance (export "f" (func $f))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))
  (instance $c (instantiate $C))
  (instance $d (instantiate $D (with "c" (instance $c))))
  (export "run" (func $d "run")))
(assert_return (invoke "run") (u32.const 55296))

;; a result of u32 or char in a list: the payload of error does
(component
  (component $C
    (core module $m
      (memory (export "memory") 1)
      (global $heap (mut i32) (i32.const 0x8000))
      (func (export "realloc") (param i32 i32 i32) (param $size i32) (result i32)
        (global.set $heap (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
        (global.set $heap (i32.add (global.get $heap) (local.get $size)))
        (i32.sub (global.get $heap) (local.get $size)))
      (func (export "f") (param $p i32) (param $n i32) (result i32) (i32.load (local.get $p))))
    (core instance $i (instantiate $m))
    (func (export "f") (param "a" (list (result u32 (error char)))) (result u32)
      (canon lift (core func $i "f") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
  (component $D
    (import "c" (instance $c
      (export "f" (func (param "a" (list (result u32 (error char)))) (result u32)))))
    (core module $libc (memory (export "memory") 1) (data (i32.const 16) "\01\00\00\00\00\d8\00\00"))
    (core instance $libc (instantiate $libc))
    (core func $f (canon lower (func $c "f") (memory (core memory $libc "memory"))))
    (core module $m
      (import "c" "f" (func $f (param i32 i32) (result i32)))
      (func (export "run") (result i32) (call $f (i32.const 16) (i32.const 1))))
    (core instance $i (instantiate $m (with "c" (instance (export "f" (func $f))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))
  (instance $c (instantiate $C))
  (instance $d (instantiate $D (with "c" (instance $c))))
  (export "run" (func $d "run")))
(assert_trap (invoke "run") "invalid `char`")

;; a payload of a case of a list is a bool
(component
  (component $C
    (core module $m
      (memory (export "memory") 1)
      (global $heap (mut i32) (i32.const 0x8000))
      (func (export "realloc") (param i32 i32 i32) (param $size i32) (result i32)
        (global.set $heap (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
        (global.set $heap (i32.add (global.get $heap) (local.get $size)))
        (i32.sub (global.get $heap) (local.get $size)))
      (func (export "f") (param $p i32) (param $n i32) (result i32) (i32.load16_u (local.get $p))))
    (core instance $i (instantiate $m))
    (func (export "f") (param "a" (list (option bool))) (result u32)
      (canon lift (core func $i "f") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
  (component $D
    (import "c" (instance $c
      (export "f" (func (param "a" (list (option bool))) (result u32)))))
    (core module $libc (memory (export "memory") 1) (data (i32.const 16) "\01\02"))
    (core instance $libc (instantiate $libc))
    (core func $f (canon lower (func $c "f") (memory (core memory $libc "memory"))))
    (core module $m
      (import "c" "f" (func $f (param i32 i32) (result i32)))
      (func (export "run") (result i32) (call $f (i32.const 16) (i32.const 1))))
    (core instance $i (instantiate $m (with "c" (instance (export "f" (func $f))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))
  (instance $c (instantiate $C))
  (instance $d (instantiate $D (with "c" (instance $c))))
  (export "run" (func $d "run")))
(assert_return (invoke "run") (u32.const 257))

;; an option of four bytes, whose payload has a bool and a u16
(component
  (component $C
    (core module $m
      (memory (export "memory") 1)
      (global $heap (mut i32) (i32.const 0x8000))
      (func (export "realloc") (param i32 i32 i32) (param $size i32) (result i32)
        (global.set $heap (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
        (global.set $heap (i32.add (global.get $heap) (local.get $size)))
        (i32.sub (global.get $heap) (local.get $size)))
      (func (export "f") (param $p i32) (param $n i32) (result i32) (i32.load offset=2 (local.get $p))))
    (core instance $i (instantiate $m))
    (func (export "f") (param "a" (list (option (tuple bool u16)))) (result u32)
      (canon lift (core func $i "f") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
  (component $D
    (import "c" (instance $c
      (export "f" (func (param "a" (list (option (tuple bool u16)))) (result u32)))))
    (core module $libc (memory (export "memory") 1) (data (i32.const 16) "\01\00\02\00\34\12"))
    (core instance $libc (instantiate $libc))
    (core func $f (canon lower (func $c "f") (memory (core memory $libc "memory"))))
    (core module $m
      (import "c" "f" (func $f (param i32 i32) (result i32)))
      (func (export "run") (result i32) (call $f (i32.const 16) (i32.const 1))))
    (core instance $i (instantiate $m (with "c" (instance (export "f" (func $f))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))
  (instance $c (instantiate $C))
  (instance $d (instantiate $D (with "c" (instance $c))))
  (export "run" (func $d "run")))
(assert_return (invoke "run") (u32.const 305397761))

;; an enum of three in a list is 3
(component
  (component $C
    (type $t-def (enum "a" "b" "c")) (export $t "t" (type $t-def))
    (core module $m
      (memory (export "memory") 1)
      (global $heap (mut i32) (i32.const 0x8000))
      (func (export "realloc") (param i32 i32 i32) (param $size i32) (result i32)
        (global.set $heap (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
        (global.set $heap (i32.add (global.get $heap) (local.get $size)))
        (i32.sub (global.get $heap) (local.get $size)))
      (func (export "f") (param $p i32) (param $n i32) (result i32) (i32.const 0)))
    (core instance $i (instantiate $m))
    (func (export "f") (param "a" (list $t)) (result u32)
      (canon lift (core func $i "f") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
  (component $D
    (import "c" (instance $c
      (type $t-def (enum "a" "b" "c")) (export "t" (type $t (eq $t-def)))
      (export "f" (func (param "a" (list $t)) (result u32)))))
    (core module $libc (memory (export "memory") 1) (data (i32.const 16) "\02\03"))
    (core instance $libc (instantiate $libc))
    (core func $f (canon lower (func $c "f") (memory (core memory $libc "memory"))))
    (core module $m
      (import "c" "f" (func $f (param i32 i32) (result i32)))
      (func (export "run") (result i32) (call $f (i32.const 16) (i32.const 2))))
    (core instance $i (instantiate $m (with "c" (instance (export "f" (func $f))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))
  (instance $c (instantiate $C))
  (instance $d (instantiate $D (with "c" (instance $c))))
  (export "run" (func $d "run")))
(assert_trap (invoke "run") "invalid variant discriminant")

;; an enum of three in a list is 2
(component
  (component $C
    (type $t-def (enum "a" "b" "c")) (export $t "t" (type $t-def))
    (core module $m
      (memory (export "memory") 1)
      (global $heap (mut i32) (i32.const 0x8000))
      (func (export "realloc") (param i32 i32 i32) (param $size i32) (result i32)
        (global.set $heap (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
        (global.set $heap (i32.add (global.get $heap) (local.get $size)))
        (i32.sub (global.get $heap) (local.get $size)))
      (func (export "f") (param $p i32) (param $n i32) (result i32) (i32.load16_u (local.get $p))))
    (core instance $i (instantiate $m))
    (func (export "f") (param "a" (list $t)) (result u32)
      (canon lift (core func $i "f") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
  (component $D
    (import "c" (instance $c
      (type $t-def (enum "a" "b" "c")) (export "t" (type $t (eq $t-def)))
      (export "f" (func (param "a" (list $t)) (result u32)))))
    (core module $libc (memory (export "memory") 1) (data (i32.const 16) "\02\01"))
    (core instance $libc (instantiate $libc))
    (core func $f (canon lower (func $c "f") (memory (core memory $libc "memory"))))
    (core module $m
      (import "c" "f" (func $f (param i32 i32) (result i32)))
      (func (export "run") (result i32) (call $f (i32.const 16) (i32.const 2))))
    (core instance $i (instantiate $m (with "c" (instance (export "f" (func $f))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))
  (instance $c (instantiate $C))
  (instance $d (instantiate $D (with "c" (instance $c))))
  (export "run" (func $d "run")))
(assert_return (invoke "run") (u32.const 258))

;; flags in a list have bits without a name
(component
  (component $C
    (type $t-def (flags "a" "b" "c")) (export $t "t" (type $t-def))
    (core module $m
      (memory (export "memory") 1)
      (global $heap (mut i32) (i32.const 0x8000))
      (func (export "realloc") (param i32 i32 i32) (param $size i32) (result i32)
        (global.set $heap (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
        (global.set $heap (i32.add (global.get $heap) (local.get $size)))
        (i32.sub (global.get $heap) (local.get $size)))
      (func (export "f") (param $p i32) (param $n i32) (result i32) (i32.load16_u (local.get $p))))
    (core instance $i (instantiate $m))
    (func (export "f") (param "a" (list $t)) (result u32)
      (canon lift (core func $i "f") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
  (component $D
    (import "c" (instance $c
      (type $t-def (flags "a" "b" "c")) (export "t" (type $t (eq $t-def)))
      (export "f" (func (param "a" (list $t)) (result u32)))))
    (core module $libc (memory (export "memory") 1) (data (i32.const 16) "\ff\08"))
    (core instance $libc (instantiate $libc))
    (core func $f (canon lower (func $c "f") (memory (core memory $libc "memory"))))
    (core module $m
      (import "c" "f" (func $f (param i32 i32) (result i32)))
      (func (export "run") (result i32) (call $f (i32.const 16) (i32.const 2))))
    (core instance $i (instantiate $m (with "c" (instance (export "f" (func $f))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))
  (instance $c (instantiate $C))
  (instance $d (instantiate $D (with "c" (instance $c))))
  (export "run" (func $d "run")))
(assert_return (invoke "run") (u32.const 7))

;; seventeen chars as parameters, in memory
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
      ;; the one call of realloc was for 68 bytes of alignment 4
      (func (export "f") (param $p i32) (result i32)
        (if (result i32)
          (i32.and
            (i32.and (i32.eqz (i32.load (i32.const 0x4000))) (i32.eqz (i32.load (i32.const 0x4004))))
            (i32.and (i32.eq (i32.load (i32.const 0x4008)) (i32.const 4)) (i32.eq (i32.load (i32.const 0x400c)) (i32.const 68))))
          (then (i32.load offset=64 (local.get $p)))
          (else (i32.const 0)))))
    (core instance $i (instantiate $m))
    (func (export "f")
      (param "p0" char) (param "p1" char) (param "p2" char) (param "p3" char) (param "p4" char) (param "p5" char)
      (param "p6" char) (param "p7" char) (param "p8" char) (param "p9" char) (param "p10" char) (param "p11" char)
      (param "p12" char) (param "p13" char) (param "p14" char) (param "p15" char) (param "p16" char)
      (result u32)
      (canon lift (core func $i "f") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
  (component $D
    (import "c" (instance $c (export "f" (func
      (param "p0" char) (param "p1" char) (param "p2" char) (param "p3" char) (param "p4" char) (param "p5" char)
      (param "p6" char) (param "p7" char) (param "p8" char) (param "p9" char) (param "p10" char) (param "p11" char)
      (param "p12" char) (param "p13" char) (param "p14" char) (param "p15" char) (param "p16" char)
      (result u32)))))
    (core module $libc (memory (export "memory") 1)
      (data (i32.const 16) "\41\00\00\00\41\00\00\00\41\00\00\00\41\00\00\00\41\00\00\00\41\00\00\00\41\00\00\00\41\00\00\00"
        "\41\00\00\00\41\00\00\00\41\00\00\00\41\00\00\00\41\00\00\00\41\00\00\00\41\00\00\00\41\00\00\00\ff\ff\10\00"))
    (core instance $libc (instantiate $libc))
    (core func $f (canon lower (func $c "f") (memory (core memory $libc "memory"))))
    (core module $m
      (import "c" "f" (func $f (param i32) (result i32)))
      (func (export "run") (result i32) (call $f (i32.const 16))))
    (core instance $i (instantiate $m (with "c" (instance (export "f" (func $f))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))
  (instance $c (instantiate $C))
  (instance $d (instantiate $D (with "c" (instance $c))))
  (export "run" (func $d "run")))
(assert_return (invoke "run") (u32.const 1114111))

;; the last of seventeen chars is a surrogate
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
      ;; the one call of realloc was for 68 bytes of alignment 4
      (func (export "f") (param $p i32) (result i32)
        (if (result i32)
          (i32.and
            (i32.and (i32.eqz (i32.load (i32.const 0x4000))) (i32.eqz (i32.load (i32.const 0x4004))))
            (i32.and (i32.eq (i32.load (i32.const 0x4008)) (i32.const 4)) (i32.eq (i32.load (i32.const 0x400c)) (i32.const 68))))
          (then (i32.load offset=64 (local.get $p)))
          (else (i32.const 0)))))
    (core instance $i (instantiate $m))
    (func (export "f")
      (param "p0" char) (param "p1" char) (param "p2" char) (param "p3" char) (param "p4" char) (param "p5" char)
      (param "p6" char) (param "p7" char) (param "p8" char) (param "p9" char) (param "p10" char) (param "p11" char)
      (param "p12" char) (param "p13" char) (param "p14" char) (param "p15" char) (param "p16" char)
      (result u32)
      (canon lift (core func $i "f") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
  (component $D
    (import "c" (instance $c (export "f" (func
      (param "p0" char) (param "p1" char) (param "p2" char) (param "p3" char) (param "p4" char) (param "p5" char)
      (param "p6" char) (param "p7" char) (param "p8" char) (param "p9" char) (param "p10" char) (param "p11" char)
      (param "p12" char) (param "p13" char) (param "p14" char) (param "p15" char) (param "p16" char)
      (result u32)))))
    (core module $libc (memory (export "memory") 1)
      (data (i32.const 16) "\41\00\00\00\41\00\00\00\41\00\00\00\41\00\00\00\41\00\00\00\41\00\00\00\41\00\00\00\41\00\00\00"
        "\41\00\00\00\41\00\00\00\41\00\00\00\41\00\00\00\41\00\00\00\41\00\00\00\41\00\00\00\41\00\00\00\00\d8\00\00"))
    (core instance $libc (instantiate $libc))
    (core func $f (canon lower (func $c "f") (memory (core memory $libc "memory"))))
    (core module $m
      (import "c" "f" (func $f (param i32) (result i32)))
      (func (export "run") (result i32) (call $f (i32.const 16))))
    (core instance $i (instantiate $m (with "c" (instance (export "f" (func $f))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))
  (instance $c (instantiate $C))
  (instance $d (instantiate $D (with "c" (instance $c))))
  (export "run" (func $d "run")))
(assert_trap (invoke "run") "invalid `char`")

;; a u8 as the result has high bits
(component
  (component $C
    (core module $m (func (export "f") (param i32) (result i32) (i32.const 0x1234)))
    (core instance $i (instantiate $m))
    (func (export "f") (param "a" u32) (result u8) (canon lift (core func $i "f"))))
  (component $D
    (import "c" (instance $c (export "f" (func (param "a" u32) (result u8)))))
    (core func $f (canon lower (func $c "f")))
    (core module $m
      (import "c" "f" (func $f (param i32) (result i32)))
      (func (export "run") (result i32) (call $f (i32.const 0))))
    (core instance $i (instantiate $m (with "c" (instance (export "f" (func $f))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))
  (instance $c (instantiate $C))
  (instance $d (instantiate $D (with "c" (instance $c))))
  (export "run" (func $d "run")))
(assert_return (invoke "run") (u32.const 52))

;; an s8 as the result is negative
(component
  (component $C
    (core module $m (func (export "f") (param i32) (result i32) (i32.const 0x12ff)))
    (core instance $i (instantiate $m))
    (func (export "f") (param "a" u32) (result s8) (canon lift (core func $i "f"))))
  (component $D
    (import "c" (instance $c (export "f" (func (param "a" u32) (result s8)))))
    (core func $f (canon lower (func $c "f")))
    (core module $m
      (import "c" "f" (func $f (param i32) (result i32)))
      (func (export "run") (result i32) (call $f (i32.const 0))))
    (core instance $i (instantiate $m (with "c" (instance (export "f" (func $f))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))
  (instance $c (instantiate $C))
  (instance $d (instantiate $D (with "c" (instance $c))))
  (export "run" (func $d "run")))
(assert_return (invoke "run") (u32.const 4294967295))

;; a u16 as the result has high bits
(component
  (component $C
    (core module $m (func (export "f") (param i32) (result i32) (i32.const 0x12345678)))
    (core instance $i (instantiate $m))
    (func (export "f") (param "a" u32) (result u16) (canon lift (core func $i "f"))))
  (component $D
    (import "c" (instance $c (export "f" (func (param "a" u32) (result u16)))))
    (core func $f (canon lower (func $c "f")))
    (core module $m
      (import "c" "f" (func $f (param i32) (result i32)))
      (func (export "run") (result i32) (call $f (i32.const 0))))
    (core instance $i (instantiate $m (with "c" (instance (export "f" (func $f))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))
  (instance $c (instantiate $C))
  (instance $d (instantiate $D (with "c" (instance $c))))
  (export "run" (func $d "run")))
(assert_return (invoke "run") (u32.const 22136))

;; an s16 as the result is negative
(component
  (component $C
    (core module $m (func (export "f") (param i32) (result i32) (i32.const 0x12348000)))
    (core instance $i (instantiate $m))
    (func (export "f") (param "a" u32) (result s16) (canon lift (core func $i "f"))))
  (component $D
    (import "c" (instance $c (export "f" (func (param "a" u32) (result s16)))))
    (core func $f (canon lower (func $c "f")))
    (core module $m
      (import "c" "f" (func $f (param i32) (result i32)))
      (func (export "run") (result i32) (call $f (i32.const 0))))
    (core instance $i (instantiate $m (with "c" (instance (export "f" (func $f))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))
  (instance $c (instantiate $C))
  (instance $d (instantiate $D (with "c" (instance $c))))
  (export "run" (func $d "run")))
(assert_return (invoke "run") (u32.const 4294934528))

;; a bool as the result is 256
(component
  (component $C
    (core module $m (func (export "f") (param i32) (result i32) (i32.const 0x100)))
    (core instance $i (instantiate $m))
    (func (export "f") (param "a" u32) (result bool) (canon lift (core func $i "f"))))
  (component $D
    (import "c" (instance $c (export "f" (func (param "a" u32) (result bool)))))
    (core func $f (canon lower (func $c "f")))
    (core module $m
      (import "c" "f" (func $f (param i32) (result i32)))
      (func (export "run") (result i32) (call $f (i32.const 0))))
    (core instance $i (instantiate $m (with "c" (instance (export "f" (func $f))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))
  (instance $c (instantiate $C))
  (instance $d (instantiate $D (with "c" (instance $c))))
  (export "run" (func $d "run")))
(assert_return (invoke "run") (u32.const 1))

;; a char as the result is a surrogate
(component
  (component $C
    (core module $m (func (export "f") (param i32) (result i32) (i32.const 0xdfff)))
    (core instance $i (instantiate $m))
    (func (export "f") (param "a" u32) (result char) (canon lift (core func $i "f"))))
  (component $D
    (import "c" (instance $c (export "f" (func (param "a" u32) (result char)))))
    (core func $f (canon lower (func $c "f")))
    (core module $m
      (import "c" "f" (func $f (param i32) (result i32)))
      (func (export "run") (result i32) (call $f (i32.const 0))))
    (core instance $i (instantiate $m (with "c" (instance (export "f" (func $f))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))
  (instance $c (instantiate $C))
  (instance $d (instantiate $D (with "c" (instance $c))))
  (export "run" (func $d "run")))
(assert_trap (invoke "run") "invalid `char`")

;; a char as the result is the last
(component
  (component $C
    (core module $m (func (export "f") (param i32) (result i32) (i32.const 0x10ffff)))
    (core instance $i (instantiate $m))
    (func (export "f") (param "a" u32) (result char) (canon lift (core func $i "f"))))
  (component $D
    (import "c" (instance $c (export "f" (func (param "a" u32) (result char)))))
    (core func $f (canon lower (func $c "f")))
    (core module $m
      (import "c" "f" (func $f (param i32) (result i32)))
      (func (export "run") (result i32) (call $f (i32.const 0))))
    (core instance $i (instantiate $m (with "c" (instance (export "f" (func $f))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))
  (instance $c (instantiate $C))
  (instance $d (instantiate $D (with "c" (instance $c))))
  (export "run" (func $d "run")))
(assert_return (invoke "run") (u32.const 1114111))

;; two borrows in a list: both are dropped before the end of the call
(component
  (component $R
    (type $r' (resource (rep i32)))
    (export $r "r" (type $r'))
    (core func $new (canon resource.new $r'))
    (core module $m (import "" "new" (func $new (param i32) (result i32))) (func (export "make") (result i32) (call $new (i32.const 7))))
    (core instance $i (instantiate $m (with "" (instance (export "new" (func $new))))))
    (func (export "make") (result (own $r)) (canon lift (core func $i "make"))))
  (component $C
    (import "r" (type $r (sub resource)))
    (core func $drop (canon resource.drop $r))
    (core module $m
      (import "" "drop" (func $drop (param i32)))
      (memory (export "memory") 1)
      (global $heap (mut i32) (i32.const 0x8000))
      (func (export "realloc") (param i32 i32 i32) (param $size i32) (result i32)
        (global.set $heap (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
        (global.set $heap (i32.add (global.get $heap) (local.get $size)))
        (i32.sub (global.get $heap) (local.get $size)))
      (func (export "f") (param $p i32) (param $n i32) (result i32)
        (local $first i32)
        (local.set $first (i32.load (local.get $p)))
        (call $drop (local.get $first))
        (call $drop (i32.load offset=4 (local.get $p)))
        (local.get $first)))
    (core instance $i (instantiate $m (with "" (instance (export "drop" (func $drop))))))
    (func (export "f") (param "a" (list (borrow $r))) (result u32)
      (canon lift (core func $i "f") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
  (component $D
    (import "r" (instance $ri (export "r" (type $r (sub resource))) (export "make" (func (result (own $r))))))
    (alias export $ri "r" (type $r))
    (import "c" (instance $c (alias outer 1 $r (type $o)) (export "f" (func (param "a" (list (borrow $o))) (result u32)))))
    (core module $libc (memory (export "memory") 1))
    (core instance $libc (instantiate $libc))
    (core func $f (canon lower (func $c "f") (memory (core memory $libc "memory"))))
    (core func $make (canon lower (func $ri "make")))
    (core module $m
      (import "" "memory" (memory 1))
      (import "" "f" (func $f (param i32 i32) (result i32)))
      (import "" "make" (func $make (result i32)))
      (func (export "run") (result i32)
        (i32.store (i32.const 16) (call $make))
        (i32.store (i32.const 20) (call $make))
        (call $f (i32.const 16) (i32.const 2))))
    (core instance $i (instantiate $m (with "" (instance
      (export "memory" (memory $libc "memory")) (export "f" (func $f)) (export "make" (func $make))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))
  (instance $r (instantiate $R))
  (instance $c (instantiate $C (with "r" (type $r "r"))))
  (instance $d (instantiate $D (with "r" (instance $r)) (with "c" (instance $c))))
  (export "run" (func $d "run")))
(assert_return (invoke "run") (u32.const 1))

;; a hundred borrows in a list: the call ends when the callee has dropped each, and then the caller can drop what it lent
(component
  (component $R
    (type $r' (resource (rep i32)))
    (export $r "r" (type $r'))
    (core func $new (canon resource.new $r'))
    (core module $m (import "" "new" (func $new (param i32) (result i32))) (func (export "make") (result i32) (call $new (i32.const 7))))
    (core instance $i (instantiate $m (with "" (instance (export "new" (func $new))))))
    (func (export "make") (result (own $r)) (canon lift (core func $i "make"))))
  (component $C
    (import "r" (type $r (sub resource)))
    (core func $drop (canon resource.drop $r))
    (core module $m
      (import "" "drop" (func $drop (param i32)))
      (memory (export "memory") 1)
      (global $heap (mut i32) (i32.const 0x8000))
      (func (export "realloc") (param i32 i32 i32) (param $size i32) (result i32)
        (global.set $heap (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
        (global.set $heap (i32.add (global.get $heap) (local.get $size)))
        (i32.sub (global.get $heap) (local.get $size)))
      (func (export "f") (param $p i32) (param $n i32) (result i32)
        (local $left i32)
        (local.set $left (local.get $n))
        (loop $more
          (call $drop (i32.load (local.get $p)))
          (local.set $p (i32.add (local.get $p) (i32.const 4)))
          (br_if $more (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
        (local.get $n)))
    (core instance $i (instantiate $m (with "" (instance (export "drop" (func $drop))))))
    (func (export "f") (param "a" (list (borrow $r))) (result u32)
      (canon lift (core func $i "f") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
  (component $D
    (import "r" (instance $ri (export "r" (type $r (sub resource))) (export "make" (func (result (own $r))))))
    (alias export $ri "r" (type $r))
    (import "c" (instance $c (alias outer 1 $r (type $o)) (export "f" (func (param "a" (list (borrow $o))) (result u32)))))
    (core module $libc (memory (export "memory") 1))
    (core instance $libc (instantiate $libc))
    (core func $f (canon lower (func $c "f") (memory (core memory $libc "memory"))))
    (core func $make (canon lower (func $ri "make")))
    (core func $drop (canon resource.drop $r))
    (core module $m
      (import "" "memory" (memory 1))
      (import "" "f" (func $f (param i32 i32) (result i32)))
      (import "" "make" (func $make (result i32)))
      (import "" "drop" (func $drop (param i32)))
      (func (export "run") (result i32)
        (local $i i32) (local $n i32)
        (loop $more
          (i32.store (i32.add (i32.const 16) (local.get $i)) (call $make))
          (br_if $more (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 4))) (i32.const 400))))
        (local.set $n (call $f (i32.const 16) (i32.const 100)))
        (loop $more
          (local.set $i (i32.sub (local.get $i) (i32.const 4)))
          (call $drop (i32.load (i32.add (i32.const 16) (local.get $i))))
          (br_if $more (local.get $i)))
        (local.get $n)))
    (core instance $i (instantiate $m (with "" (instance
      (export "memory" (memory $libc "memory")) (export "f" (func $f)) (export "make" (func $make)) (export "drop" (func $drop))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))
  (instance $r (instantiate $R))
  (instance $c (instantiate $C (with "r" (type $r "r"))))
  (instance $d (instantiate $D (with "r" (instance $r)) (with "c" (instance $c))))
  (export "run" (func $d "run")))
(assert_return (invoke "run") (u32.const 100))

;; two owned handles in a list: they get numbers of the callee, which drops both
(component
  (component $R
    (type $r' (resource (rep i32)))
    (export $r "r" (type $r'))
    (core func $new (canon resource.new $r'))
    (core module $m (import "" "new" (func $new (param i32) (result i32))) (func (export "make") (result i32) (call $new (i32.const 7))))
    (core instance $i (instantiate $m (with "" (instance (export "new" (func $new))))))
    (func (export "make") (result (own $r)) (canon lift (core func $i "make"))))
  (component $C
    (import "r" (type $r (sub resource)))
    (core func $drop (canon resource.drop $r))
    (core module $m
      (import "" "drop" (func $drop (param i32)))
      (memory (export "memory") 1)
      (global $heap (mut i32) (i32.const 0x8000))
      (func (export "realloc") (param i32 i32 i32) (param $size i32) (result i32)
        (global.set $heap (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
        (global.set $heap (i32.add (global.get $heap) (local.get $size)))
        (i32.sub (global.get $heap) (local.get $size)))
      (func (export "f") (param $p i32) (param $n i32) (result i32)
        (local $first i32) (local $second i32)
        (local.set $first (i32.load (local.get $p)))
        (local.set $second (i32.load offset=4 (local.get $p)))
        (call $drop (local.get $first))
        (call $drop (local.get $second))
        (i32.add (i32.mul (local.get $first) (i32.const 16)) (local.get $second))))
    (core instance $i (instantiate $m (with "" (instance (export "drop" (func $drop))))))
    (func (export "f") (param "a" (list (own $r))) (result u32)
      (canon lift (core func $i "f") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
  (component $D
    (import "r" (instance $ri (export "r" (type $r (sub resource))) (export "make" (func (result (own $r))))))
    (alias export $ri "r" (type $r))
    (import "c" (instance $c (alias outer 1 $r (type $o)) (export "f" (func (param "a" (list (own $o))) (result u32)))))
    (core module $libc (memory (export "memory") 1))
    (core instance $libc (instantiate $libc))
    (core func $f (canon lower (func $c "f") (memory (core memory $libc "memory"))))
    (core func $make (canon lower (func $ri "make")))
    (core module $m
      (import "" "memory" (memory 1))
      (import "" "f" (func $f (param i32 i32) (result i32)))
      (import "" "make" (func $make (result i32)))
      (func (export "run") (result i32)
        (i32.store (i32.const 16) (call $make))
        (i32.store (i32.const 20) (call $make))
        (call $f (i32.const 16) (i32.const 2))))
    (core instance $i (instantiate $m (with "" (instance
      (export "memory" (memory $libc "memory")) (export "f" (func $f)) (export "make" (func $make))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))
  (instance $r (instantiate $R))
  (instance $c (instantiate $C (with "r" (type $r "r"))))
  (instance $d (instantiate $D (with "r" (instance $r)) (with "c" (instance $c))))
  (export "run" (func $d "run")))
(assert_return (invoke "run") (u32.const 0x12))

;; two borrows in a list: one is left
(component
  (component $R
    (type $r' (resource (rep i32)))
    (export $r "r" (type $r'))
    (core func $new (canon resource.new $r'))
    (core module $m (import "" "new" (func $new (param i32) (result i32))) (func (export "make") (result i32) (call $new (i32.const 7))))
    (core instance $i (instantiate $m (with "" (instance (export "new" (func $new))))))
    (func (export "make") (result (own $r)) (canon lift (core func $i "make"))))
  (component $C
    (import "r" (type $r (sub resource)))
    (core func $drop (canon resource.drop $r))
    (core module $m
      (import "" "drop" (func $drop (param i32)))
      (memory (export "memory") 1)
      (global $heap (mut i32) (i32.const 0x8000))
      (func (export "realloc") (param i32 i32 i32) (param $size i32) (result i32)
        (global.set $heap (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
        (global.set $heap (i32.add (global.get $heap) (local.get $size)))
        (i32.sub (global.get $heap) (local.get $size)))
      (func (export "f") (param $p i32) (param $n i32) (result i32)
        (local $first i32)
        (local.set $first (i32.load (local.get $p)))
        (call $drop (local.get $first))

        (local.get $first)))
    (core instance $i (instantiate $m (with "" (instance (export "drop" (func $drop))))))
    (func (export "f") (param "a" (list (borrow $r))) (result u32)
      (canon lift (core func $i "f") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
  (component $D
    (import "r" (instance $ri (export "r" (type $r (sub resource))) (export "make" (func (result (own $r))))))
    (alias export $ri "r" (type $r))
    (import "c" (instance $c (alias outer 1 $r (type $o)) (export "f" (func (param "a" (list (borrow $o))) (result u32)))))
    (core module $libc (memory (export "memory") 1))
    (core instance $libc (instantiate $libc))
    (core func $f (canon lower (func $c "f") (memory (core memory $libc "memory"))))
    (core func $make (canon lower (func $ri "make")))
    (core module $m
      (import "" "memory" (memory 1))
      (import "" "f" (func $f (param i32 i32) (result i32)))
      (import "" "make" (func $make (result i32)))
      (func (export "run") (result i32)
        (i32.store (i32.const 16) (call $make))
        (i32.store (i32.const 20) (call $make))
        (call $f (i32.const 16) (i32.const 2))))
    (core instance $i (instantiate $m (with "" (instance
      (export "memory" (memory $libc "memory")) (export "f" (func $f)) (export "make" (func $make))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))
  (instance $r (instantiate $R))
  (instance $c (instantiate $C (with "r" (type $r "r"))))
  (instance $d (instantiate $D (with "r" (instance $r)) (with "c" (instance $c))))
  (export "run" (func $d "run")))
(assert_trap (invoke "run") "borrow handles still remain at the end of the call")

;; A child calls its parent, which may be entered again by it, and the parent calls the child once more, which may not.
(component
  (core module $table (table (export "t") 1 funcref))
  (core instance $table (instantiate $table))
  (core module $parent
    (import "" "t" (table 1 funcref))
    (type $f (func (result i32)))
    (func (export "back") (result i32) (call_indirect (type $f) (i32.const 0))))
  (core instance $parent (instantiate $parent (with "" (instance (export "t" (table $table "t"))))))
  (func $back (result u32) (canon lift (core func $parent "back")))
  (component $C
    (import "back" (func $back (result u32)))
    (core func $b (canon lower (func $back)))
    (core module $m
      (import "" "back" (func $back (result i32)))
      (func (export "f") (result i32) (call $back)))
    (core instance $i (instantiate $m (with "" (instance (export "back" (func $b))))))
    (func (export "f") (result u32) (canon lift (core func $i "f"))))
  (instance $c (instantiate $C (with "back" (func $back))))
  (core func $f (canon lower (func $c "f")))
  (core module $fill
    (import "" "t" (table 1 funcref))
    (import "" "f" (func $f (result i32)))
    (elem (i32.const 0) $f)
    (func (export "run") (result i32) (call $f)))
  (core instance $fill (instantiate $fill (with "" (instance (export "t" (table $table "t")) (export "f" (func $f))))))
  (func (export "run") (result u32) (canon lift (core func $fill "run"))))
(assert_trap (invoke "run") "cannot enter component instance")
