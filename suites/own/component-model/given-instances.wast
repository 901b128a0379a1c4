;; An instance that is given for an import is compared with the import's type at any depth: its types, its resource types, its
;; functions. A type that nothing had to give is still the type that it was imported as.
;; spec: Explainer.md#import-and-export-definitions, Subtyping.md. wasmtime 49 gives no resource type of a guest to another component.

(component $given
  (component $R
    (type $r' (resource (rep i32)))
    (export $r "r" (type $r'))
    (core func $new (canon resource.new $r'))
    (core func $rep (canon resource.rep $r'))
    (core module $m
      (import "" "new" (func $new (param i32) (result i32)))
      (func (export "make") (result i32) (call $new (i32.const 42)))
      (func (export "read") (param i32) (result i32) (local.get 0)))
    (core instance $i (instantiate $m (with "" (instance (export "new" (func $new))))))
    (func (export "make") (result (own $r)) (canon lift (core func $i "make")))
    (func (export "read") (param "x" (borrow $r)) (result u32) (canon lift (core func $i "read")))
    (type $t (record (field "a" u8)))
    (export "t" (type $t)))
  (instance $one (instantiate $R))
  (instance $two (instantiate $R))
  (export "one" (instance $one))
  (export "two" (instance $two))
  (export "same" (instance $one)))
(register "given" $given)

;; a resource type within an instance, with the functions of the instance
(component
  (import "given" (instance $g
    (export "one" (instance
      (export "r" (type $r (sub resource)))
      (export "make" (func (result (own $r))))
      (export "read" (func (param "x" (borrow $r)) (result u32)))))))
  (alias export $g "one" (instance $one))
  (alias export $one "make" (func $make))
  (alias export $one "read" (func $read))
  (core func $make' (canon lower (func $make)))
  (core func $read' (canon lower (func $read)))
  (core module $m
    (import "" "make" (func $make (result i32)))
    (import "" "read" (func $read (param i32) (result i32)))
    (func (export "run") (result i32) (call $read (call $make))))
  (core instance $i (instantiate $m (with "" (instance (export "make" (func $make')) (export "read" (func $read'))))))
  (func (export "run") (result u32) (canon lift (core func $i "run"))))
(assert_return (invoke "run") (u32.const 42))

;; the resource type of another export: that of the same instance is the same, that of another instance is not
(component
  (import "given" (instance
    (export "one" (instance $one (export "r" (type (sub resource)))))
    (alias export $one "r" (type $r))
    (export "same" (instance (alias outer 1 $r (type $o)) (export "r" (type (eq $o))))))))
(assert_unlinkable
  (component
    (import "given" (instance
      (export "one" (instance $one (export "r" (type (sub resource)))))
      (alias export $one "r" (type $r))
      (export "two" (instance (alias outer 1 $r (type $o)) (export "r" (type (eq $o))))))))
  "")
(assert_unlinkable
  (component
    (import "given" (instance
      (export "one" (instance $one (export "r" (type (sub resource)))))
      (alias export $one "r" (type $r))
      (export "two" (instance (alias outer 1 $r (type $o)) (export "make" (func (result (own $o)))))))))
  "")

;; a type and functions, two instances deep
(component
  (import "given" (instance (export "one" (instance (type $t (record (field "a" u8))) (export "t" (type (eq $t))))))))
(assert_unlinkable
  (component
    (import "given" (instance (export "one" (instance (type $t (record (field "a" u16))) (export "t" (type (eq $t))))))))
  "")
(assert_unlinkable
  (component
    (import "given" (instance (export "one" (instance (export "r" (type $r (sub resource)))
      (export "read" (func (param "x" (borrow $r)) (result u64))))))))
  "")
(assert_unlinkable
  (component
    (import "given" (instance (export "one" (instance (export "r" (type $r (sub resource)))
      (export "absent" (func (param "x" (borrow $r)) (result u32))))))))
  "")
;; what has the name is something else
(assert_unlinkable
  (component (import "given" (instance (export "one" (instance (export "make" (type (sub resource))))))))
  "")
(assert_unlinkable
  (component (import "given" (instance (export "one" (func)))))
  "")
(assert_unlinkable
  (component (import "given" (instance (export "one" (instance (export "t" (type (sub resource))))))))
  "")

;; a type that nothing gave: whoever is handed the instance sees the type that it was imported as
(component $nothing
  (import "absent" (instance $x (type $t (record (field "a" u8))) (export "y" (type (eq $t)))))
  (export "x" (instance $x)))
(register "nothing" $nothing)
(component
  (import "nothing" (instance (export "x" (instance (type $t (record (field "a" u8))) (export "y" (type (eq $t))))))))
(assert_unlinkable
  (component
    (import "nothing" (instance (export "x" (instance (type $t (record (field "a" u16))) (export "y" (type (eq $t))))))))
  "")

;; the last instance of a name is given
(component $first
  (core module $m (func (export "f") (result i32) (i32.const 1)))
  (core instance $i (instantiate $m))
  (func (export "f") (result u32) (canon lift (core func $i "f"))))
(component $second
  (core module $m (func (export "f") (result i32) (i32.const 2)))
  (core instance $i (instantiate $m))
  (func (export "f") (result u32) (canon lift (core func $i "f"))))
(register "one-name" $first)
(register "one-name" $second)
(component
  (import "one-name" (instance $x (export "f" (func (result u32)))))
  (alias export $x "f" (func $f))
  (export "f" (func $f)))
(assert_return (invoke "f") (u32.const 2))
