;; Lists of floats between two components: numbers arrive as they are, a NaN as a NaN, and nothing before or behind the list is written.
;; spec: CanonicalABI.md#loading (canonicalize_nan32), #storing (maybe_scramble_nan32, store_list_into_range)

;; a number, a NaN, a number: f32
(component
  (component $C
    (core module $m
      (memory (export "memory") 1)
      ;; behind the list is a NaN with a payload, which nobody may touch
      (data (i32.const 4108) "\45\23\a1\7f")
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0x1000))
      (func (export "f") (param $p i32) (param $n i32) (result i32)
        (if (result i32) (i32.and (i32.eqz (i32.load (i32.const 0xffc)))
            (i32.eq (i32.load (i32.const 0x100c)) (i32.const 0x7fa12345)))
          (then
            (i32.and
              (i32.and (f32.eq (f32.load (local.get $p)) (f32.const 1.5)) (f32.eq (f32.load offset=8 (local.get $p)) (f32.const 2.5)))
              (f32.ne (f32.load offset=4 (local.get $p)) (f32.load offset=4 (local.get $p)))))
          (else (i32.const 0)))))
    (core instance $i (instantiate $m))
    (func (export "f") (param "a" (list f32)) (result u32)
      (canon lift (core func $i "f") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
  (component $D
    (import "c" (instance $c (export "f" (func (param "a" (list f32)) (result u32)))))
    (core module $libc (memory (export "memory") 1) (data (i32.const 16) "\00\00\c0\3f\45\23\a1\7f\00\00\20\40"))
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
(assert_return (invoke "run") (u32.const 1))

;; a number, a NaN, a number: f64
(component
  (component $C
    (core module $m
      (memory (export "memory") 1)
      ;; behind the list is a NaN with a payload, which nobody may touch
      (data (i32.const 4120) "\45\23\01\00\00\00\f4\7f")
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0x1000))
      (func (export "f") (param $p i32) (param $n i32) (result i32)
        (if (result i32) (i32.and (i64.eqz (i64.load (i32.const 0xff8)))
            (i64.eq (i64.load (i32.const 0x1018)) (i64.const 0x7ff4000000012345)))
          (then
            (i32.and
              (i32.and (f64.eq (f64.load (local.get $p)) (f64.const 1.5)) (f64.eq (f64.load offset=16 (local.get $p)) (f64.const 2.5)))
              (f64.ne (f64.load offset=8 (local.get $p)) (f64.load offset=8 (local.get $p)))))
          (else (i32.const 0)))))
    (core instance $i (instantiate $m))
    (func (export "f") (param "a" (list f64)) (result u32)
      (canon lift (core func $i "f") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
  (component $D
    (import "c" (instance $c (export "f" (func (param "a" (list f64)) (result u32)))))
    (core module $libc (memory (export "memory") 1) (data (i32.const 16) "\00\00\00\00\00\00\f8\3f\45\23\01\00\00\00\f4\7f\00\00\00\00\00\00\04\40"))
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
(assert_return (invoke "run") (u32.const 1))
