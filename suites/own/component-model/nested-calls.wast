;; A call that crosses 25 component instances: each copies the string into a memory of its own, while the calls before are not over.
;; The calls are nested deeper than those that touchstone keeps scratch memory for from the start.
;; spec: CanonicalABI.md, canon lift and canon lower

(component
  (component $Last
    (core module $M
      (memory (export "memory") 1)
      (global $next (mut i32) (i32.const 64))
      (func (export "realloc") (param i32 i32 i32 i32) (result i32)
        (global.get $next)
        (global.set $next (i32.add (global.get $next) (local.get 3))))
      ;; the sum of the bytes
      (func (export "f") (param $at i32) (param $len i32) (result i32) (local $sum i32)
        (block $done (loop $more
          (br_if $done (i32.eqz (local.get $len)))
          (local.set $sum (i32.add (local.get $sum) (i32.load8_u (local.get $at))))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (local.set $len (i32.sub (local.get $len) (i32.const 1)))
          (br $more)))
        (local.get $sum)))
    (core instance $m (instantiate $M))
    (func (export "f") (param "s" string) (result u32)
      (canon lift (core func $m "f") (memory (core memory $m "memory")) (realloc (core func $m "realloc")))))

  (component $Between
    (import "f" (func $f (param "s" string) (result u32)))
    (core module $Memory
      (memory (export "memory") 1)
      (global $next (mut i32) (i32.const 64))
      (func (export "realloc") (param i32 i32 i32 i32) (result i32)
        (global.get $next)
        (global.set $next (i32.add (global.get $next) (local.get 3)))))
    (core instance $memory (instantiate $Memory))
    (core func $lowered (canon lower (func $f) (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
    (core module $M
      (import "" "f" (func $f (param i32 i32) (result i32)))
      (func (export "f") (param i32 i32) (result i32)
        (i32.add (call $f (local.get 0) (local.get 1)) (i32.const 1000))))
    (core instance $m (instantiate $M (with "" (instance (export "f" (func $lowered))))))
    (func (export "f") (param "s" string) (result u32)
      (canon lift (core func $m "f") (memory (core memory $memory "memory")) (realloc (core func $memory "realloc")))))

  (instance $i0 (instantiate $Last))
  (instance $i1 (instantiate $Between (with "f" (func $i0 "f"))))
  (instance $i2 (instantiate $Between (with "f" (func $i1 "f"))))
  (instance $i3 (instantiate $Between (with "f" (func $i2 "f"))))
  (instance $i4 (instantiate $Between (with "f" (func $i3 "f"))))
  (instance $i5 (instantiate $Between (with "f" (func $i4 "f"))))
  (instance $i6 (instantiate $Between (with "f" (func $i5 "f"))))
  (instance $i7 (instantiate $Between (with "f" (func $i6 "f"))))
  (instance $i8 (instantiate $Between (with "f" (func $i7 "f"))))
  (instance $i9 (instantiate $Between (with "f" (func $i8 "f"))))
  (instance $i10 (instantiate $Between (with "f" (func $i9 "f"))))
  (instance $i11 (instantiate $Between (with "f" (func $i10 "f"))))
  (instance $i12 (instantiate $Between (with "f" (func $i11 "f"))))
  (instance $i13 (instantiate $Between (with "f" (func $i12 "f"))))
  (instance $i14 (instantiate $Between (with "f" (func $i13 "f"))))
  (instance $i15 (instantiate $Between (with "f" (func $i14 "f"))))
  (instance $i16 (instantiate $Between (with "f" (func $i15 "f"))))
  (instance $i17 (instantiate $Between (with "f" (func $i16 "f"))))
  (instance $i18 (instantiate $Between (with "f" (func $i17 "f"))))
  (instance $i19 (instantiate $Between (with "f" (func $i18 "f"))))
  (instance $i20 (instantiate $Between (with "f" (func $i19 "f"))))
  (instance $i21 (instantiate $Between (with "f" (func $i20 "f"))))
  (instance $i22 (instantiate $Between (with "f" (func $i21 "f"))))
  (instance $i23 (instantiate $Between (with "f" (func $i22 "f"))))
  (instance $i24 (instantiate $Between (with "f" (func $i23 "f"))))
  (export "f" (func $i24 "f")))

(assert_return (invoke "f" (str.const "az")) (u32.const 24219))
(assert_return (invoke "f" (str.const "")) (u32.const 24000))
(assert_return (invoke "f" (str.const "az")) (u32.const 24219))
