;; A call that crosses 21 component instances: each copies the string into a memory of its own, while the calls before are not over.
;; Each function between is the lowered one of the next instance, lifted again: that takes little of the thread's stack.
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
    (func (export "f") (param "s" string) (result u32)
      (canon lift (core func $lowered) (memory (core memory $memory "memory")) (realloc (core func $memory "realloc")))))

  (component $Ten
    (import "f" (func $f (param "s" string) (result u32)))
    (instance $i1 (instantiate $Between (with "f" (func $f))))
    (instance $i2 (instantiate $Between (with "f" (func $i1 "f"))))
    (instance $i3 (instantiate $Between (with "f" (func $i2 "f"))))
    (instance $i4 (instantiate $Between (with "f" (func $i3 "f"))))
    (instance $i5 (instantiate $Between (with "f" (func $i4 "f"))))
    (instance $i6 (instantiate $Between (with "f" (func $i5 "f"))))
    (instance $i7 (instantiate $Between (with "f" (func $i6 "f"))))
    (instance $i8 (instantiate $Between (with "f" (func $i7 "f"))))
    (instance $i9 (instantiate $Between (with "f" (func $i8 "f"))))
    (instance $i10 (instantiate $Between (with "f" (func $i9 "f"))))
    (export "f" (func $i10 "f")))
  (component $Hundred
    (import "f" (func $f (param "s" string) (result u32)))
    (instance $i1 (instantiate $Ten (with "f" (func $f))))
    (instance $i2 (instantiate $Ten (with "f" (func $i1 "f"))))
    (instance $i3 (instantiate $Ten (with "f" (func $i2 "f"))))
    (instance $i4 (instantiate $Ten (with "f" (func $i3 "f"))))
    (instance $i5 (instantiate $Ten (with "f" (func $i4 "f"))))
    (instance $i6 (instantiate $Ten (with "f" (func $i5 "f"))))
    (instance $i7 (instantiate $Ten (with "f" (func $i6 "f"))))
    (instance $i8 (instantiate $Ten (with "f" (func $i7 "f"))))
    (instance $i9 (instantiate $Ten (with "f" (func $i8 "f"))))
    (instance $i10 (instantiate $Ten (with "f" (func $i9 "f"))))
    (export "f" (func $i10 "f")))

  (instance $i0 (instantiate $Last))
  (instance $i10 (instantiate $Ten (with "f" (func $i0 "f"))))
  (instance $i20 (instantiate $Ten (with "f" (func $i10 "f"))))
  (export "f" (func $i20 "f"))

  ;; more calls than touchstone nests: 513 below the first
  (instance $i100 (instantiate $Hundred (with "f" (func $i0 "f"))))
  (instance $i200 (instantiate $Hundred (with "f" (func $i100 "f"))))
  (instance $i300 (instantiate $Hundred (with "f" (func $i200 "f"))))
  (instance $i400 (instantiate $Hundred (with "f" (func $i300 "f"))))
  (instance $i500 (instantiate $Hundred (with "f" (func $i400 "f"))))
  (instance $i510 (instantiate $Ten (with "f" (func $i500 "f"))))
  (instance $i511 (instantiate $Between (with "f" (func $i510 "f"))))
  (instance $i512 (instantiate $Between (with "f" (func $i511 "f"))))
  (instance $i513 (instantiate $Between (with "f" (func $i512 "f"))))
  (export "too-deep" (func $i513 "f")))

(assert_return (invoke "f" (str.const "az")) (u32.const 219))
(assert_return (invoke "f" (str.const "")) (u32.const 0))
(assert_return (invoke "f" (str.const "az")) (u32.const 219))
(assert_exhaustion (invoke "too-deep" (str.const "az")) "call stack exhausted")
