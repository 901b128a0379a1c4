;; Lists of a fixed length between two components, which are flattened as tuples are, and lie in memory as those do.
;; spec: CanonicalABI.md#flattening (flatten_list), #flat-lifting (lift_flat_list), #flat-lowering (lower_flat_list), #element-size

;; three u8 as flat parameters: bits above the eighth are ignored
(component
  (component $C
    (core module $m
      (func (export "f") (param $a i32) (param $b i32) (param $c i32) (result i32)
        (i32.add (i32.mul (local.get $a) (i32.const 10000)) (i32.add (i32.mul (local.get $b) (i32.const 100)) (local.get $c)))))
    (core instance $i (instantiate $m))
    (func (export "f") (param "a" (list u8 3)) (result u32) (canon lift (core func $i "f"))))
  (component $D
    (import "c" (instance $c (export "f" (func (param "a" (list u8 3)) (result u32)))))
    (core func $f (canon lower (func $c "f")))
    (core module $m
      (import "c" "f" (func $f (param i32 i32 i32) (result i32)))
      (func (export "run") (result i32) (call $f (i32.const 1) (i32.const 0x102) (i32.const 0xffffff03))))
    (core instance $i (instantiate $m (with "c" (instance (export "f" (func $f))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))
  (instance $c (instantiate $C))
  (instance $d (instantiate $D (with "c" (instance $c))))
  (export "run" (func $d "run")))
(assert_return (invoke "run") (u32.const 10203))

;; two chars as flat parameters, of which the second is a surrogate
(component
  (component $C
    (core module $m (func (export "f") (param $a i32) (param $b i32) (result i32) (local.get $b)))
    (core instance $i (instantiate $m))
    (func (export "f") (param "a" (list char 2)) (result u32) (canon lift (core func $i "f"))))
  (component $D
    (import "c" (instance $c (export "f" (func (param "a" (list char 2)) (result u32)))))
    (core func $f (canon lower (func $c "f")))
    (core module $m
      (import "c" "f" (func $f (param i32 i32) (result i32)))
      (func (export "run") (result i32) (call $f (i32.const 0x41) (i32.const 0xd800)))
      (func (export "good") (result i32) (call $f (i32.const 0x41) (i32.const 0x10ffff))))
    (core instance $i (instantiate $m (with "c" (instance (export "f" (func $f))))))
    (func (export "run") (result u32) (canon lift (core func $i "run")))
    (func (export "good") (result u32) (canon lift (core func $i "good"))))
  (instance $c (instantiate $C))
  (instance $d (instantiate $D (with "c" (instance $c))))
  (export "run" (func $d "run"))
  (export "good" (func $d "good")))
(assert_return (invoke "good") (u32.const 0x10ffff))
(assert_trap (invoke "run") "invalid `char`")

;; two tuples as flat parameters, and a list of lists of a fixed length in memory
(component
  (component $C
    (core module $m
      (memory (export "memory") 1)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 64))
      (func (export "f") (param $a i32) (param $b i64) (param $c i32) (param $d i64) (result i32)
        (i32.add (local.get $a) (i32.add (i32.wrap_i64 (local.get $b)) (i32.add (local.get $c) (i32.wrap_i64 (local.get $d))))))
      (func (export "g") (param $p i32) (param $n i32) (result i32)
        (i32.add (i32.load16_u offset=6 (local.get $p)) (i32.mul (i32.const 1000) (local.get $n)))))
    (core instance $i (instantiate $m))
    (func (export "f") (param "a" (list (tuple u8 u64) 2)) (result u32) (canon lift (core func $i "f")))
    (func (export "g") (param "a" (list (list u16 3))) (result u32)
      (canon lift (core func $i "g") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
  (component $D
    (import "c" (instance $c
      (export "f" (func (param "a" (list (tuple u8 u64) 2)) (result u32)))
      (export "g" (func (param "a" (list (list u16 3))) (result u32)))))
    (core module $libc (memory (export "memory") 1) (data (i32.const 16) "\01\00\02\00\03\00\04\00\05\00\06\00"))
    (core instance $libc (instantiate $libc))
    (core func $f (canon lower (func $c "f")))
    (core func $g (canon lower (func $c "g") (memory (core memory $libc "memory"))))
    (core module $m
      (import "c" "f" (func $f (param i32 i64 i32 i64) (result i32)))
      (import "c" "g" (func $g (param i32 i32) (result i32)))
      (func (export "f") (result i32) (call $f (i32.const 1) (i64.const 20) (i32.const 300) (i64.const 4000)))
      (func (export "g") (result i32) (call $g (i32.const 16) (i32.const 2))))
    (core instance $i (instantiate $m (with "c" (instance (export "f" (func $f)) (export "g" (func $g))))))
    (func (export "f") (result u32) (canon lift (core func $i "f")))
    (func (export "g") (result u32) (canon lift (core func $i "g"))))
  (instance $c (instantiate $C))
  (instance $d (instantiate $D (with "c" (instance $c))))
  (export "f" (func $d "f"))
  (export "g" (func $d "g")))
(assert_return (invoke "f") (u32.const 4065)) ;; 300 is 44 as a u8
(assert_return (invoke "g") (u32.const 2004))
