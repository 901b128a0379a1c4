;; What the type of an exported (or imported) instance type may name: types that are imported or exported, and those that the
;; instance type exports itself before. spec: Explainer.md#external-visibility-of-types; each verdict is wasm-tools' too.

;; a resource type of its own
(component definition
  (type $t (instance (export "h" (type $h (sub resource))) (export "o" (func (result (own $h)))))) (export "t" (type $t)))

;; the same, imported
(component definition
  (type $t (instance (export "h" (type $h (sub resource))) (export "o" (func (result (own $h)))))) (import "t" (type (eq $t))))

;; … by borrow
(component definition
  (type $t (instance (export "h" (type $h (sub resource))) (export "o" (func (param "x" (borrow $h)))))) (export "t" (type $t)))

;; nested export type in comp type
(component definition
  (type (component (type $t (instance (export "h" (type $h (sub resource))) (export "o" (func (result (own $h)))))) (export "t" (type (eq $t))))))

;; nested import type in comp type
(component definition
  (type (component (type $t (instance (export "h" (type $h (sub resource))) (export "o" (func (result (own $h)))))) (import "t" (type (eq $t))))))

;; in instance type
(component definition
  (type (instance (type $t (instance (export "h" (type $h (sub resource))) (export "o" (func (result (own $h)))))) (export "t" (type (eq $t))))))

;; in instance type imported
(component definition
  (import "i" (instance (type $t (instance (export "h" (type $h (sub resource))) (export "o" (func (result (own $h)))))) (export "t" (type (eq $t))))))

;; in instance type exported type
(component definition
  (type $x (instance (type $t (instance (export "h" (type $h (sub resource))) (export "o" (func (result (own $h)))))) (export "t" (type (eq $t))))) (export "x" (type $x)))

;; outer own res
(assert_invalid
  (component (type $r (resource (rep i32))) (type $t (instance (alias outer 1 $r (type $r)) (export "o" (func (result (own $r)))))) (export "t" (type $t)))
  "type not valid to be used as export")

;; outer own res exported
(component definition
  (type $r (resource (rep i32))) (export $r2 "r" (type $r)) (type $t (instance (alias outer 1 $r2 (type $r)) (export "o" (func (result (own $r)))))) (export "t" (type $t)))

;; the type index from before the export has no name
(assert_invalid
  (component (type $r (resource (rep i32))) (export $r2 "r" (type $r)) (type $t (instance (alias outer 1 $r (type $r)) (export "o" (func (result (own $r)))))) (export "t" (type $t)))
  "type not valid to be used as export")

;; outer imported res
(component definition
  (import "r" (type $r (sub resource))) (type $t (instance (alias outer 1 $r (type $r)) (export "o" (func (result (own $r)))))) (export "t" (type $t)))

;; eq alias own
(component definition
  (type $t (instance (export "h" (type $h (sub resource))) (export "h2" (type $h2 (eq $h))) (export "o" (func (result (own $h2)))))) (export "t" (type $t)))

;; eq outer
(assert_invalid
  (component (type $r (resource (rep i32))) (type $t (instance (alias outer 1 $r (type $r)) (export "h" (type $h (eq $r))) (export "o" (func (result (own $h)))))) (export "t" (type $t)))
  "")

;; eq outer uses outer
(assert_invalid
  (component (type $r (resource (rep i32))) (type $t (instance (alias outer 1 $r (type $r)) (export "h" (type $h (eq $r))) (export "o" (func (result (own $r)))))) (export "t" (type $t)))
  "type not valid to be used as export")

;; record own named
(component definition
  (type $t (instance (type $q (record (field "a" u8))) (export "q" (type $q2 (eq $q))) (export "o" (func (result $q2))))) (export "t" (type $t)))

;; record own unnamed
(assert_invalid
  (component (type $t (instance (type $q (record (field "a" u8))) (export "o" (func (result $q))))) (export "t" (type $t)))
  "type not valid to be used as export")

;; record named, used unnamed
(assert_invalid
  (component (type $t (instance (type $q (record (field "a" u8))) (export "q" (type $q2 (eq $q))) (export "o" (func (result $q))))) (export "t" (type $t)))
  "type not valid to be used as export")

;; the name comes too late
(assert_invalid
  (component (type $t (instance (type $q (record (field "a" u8))) (export "o" (func (result $q))) (export "q" (type $q2 (eq $q))))) (export "t" (type $t)))
  "type not valid to be used as export")

;; record outer
(assert_invalid
  (component (type $q (record (field "a" u8))) (type $t (instance (alias outer 1 $q (type $q)) (export "o" (func (result $q))))) (export "t" (type $t)))
  "type not valid to be used as export")

;; record outer exported
(component definition
  (type $q (record (field "a" u8))) (export $q2 "q" (type $q)) (type $t (instance (alias outer 1 $q2 (type $q)) (export "o" (func (result $q))))) (export "t" (type $t)))

;; record with own handle
(component definition
  (type $t (instance (export "h" (type $h (sub resource))) (type $q (record (field "a" (own $h)))) (export "q" (type $q2 (eq $q))) (export "o" (func (result $q2))))) (export "t" (type $t)))

;; record with own handle unnamed rec
(assert_invalid
  (component (type $t (instance (export "h" (type $h (sub resource))) (type $q (record (field "a" (own $h)))) (export "o" (func (result $q))))) (export "t" (type $t)))
  "type not valid to be used as export")

;; nested instance
(component definition
  (type $t (instance (type $t (instance (export "h" (type $h (sub resource))) (export "o" (func (result (own $h)))))) (export "i" (instance (type $t))))) (export "t" (type $t)))

;; an alias of what an instance within it exports is no name of its own
(assert_invalid
  (component (type $t (instance (export "i" (instance $i (export "h" (type (sub resource))))) (alias export $i "h" (type $h)) (export "o" (func (result (own $h)))))) (export "t" (type $t)))
  "type not valid to be used as export")

;; nested instance, inner uses outer
(component definition
  (type $t (instance (export "h" (type $h (sub resource))) (type $n (instance (alias outer 1 $h (type $h)) (export "o" (func (result (own $h)))))) (export "i" (instance (type $n))))) (export "t" (type $t)))

;; nested type, inner uses outer
(component definition
  (type $t (instance (export "h" (type $h (sub resource))) (type $n (instance (alias outer 1 $h (type $h)) (export "o" (func (result (own $h)))))) (export "i" (type (eq $n))))) (export "t" (type $t)))

;; func type own
(assert_invalid
  (component (type $r (resource (rep i32))) (type $f (func (result (own $r)))) (export "f" (type $f)))
  "type not valid to be used as export")

;; func type own exported
(component definition
  (type $r (resource (rep i32))) (export $r2 "r" (type $r)) (type $f (func (result (own $r2)))) (export "f" (type $f)))

;; list of own
(component definition
  (type $t (instance (export "h" (type $h (sub resource))) (type $l (list (own $h))) (export "l" (type (eq $l))) (export "o" (func (result $l))))) (export "t" (type $t)))

;; component type own
(component definition
  (type $t (component (export "h" (type $h (sub resource))) (export "o" (func (result (own $h)))))) (export "t" (type $t)))

;; component type unnamed rec
(assert_invalid
  (component (type $t (component (type $q (record (field "a" u8))) (export "o" (func (result $q))))) (export "t" (type $t)))
  "func not valid to be used as export")

;; component type outer rec
(assert_invalid
  (component (type $q (record (field "a" u8))) (type $t (component (alias outer 1 $q (type $q)) (export "o" (func (result $q))))) (export "t" (type $t)))
  "func not valid to be used as export")

;; component type outer res
(assert_invalid
  (component (import "r" (type $q (sub resource))) (type $t (component (alias outer 1 $q (type $q)) (export "o" (func (result (own $q)))))) (export "t" (type $t)))
  "func not valid to be used as export")

;; inst import unnamed rec
(assert_invalid
  (component (import "i" (instance (type $q (record (field "a" u8))) (export "o" (func (result $q))))))
  "instance not valid to be used as import")

;; inst import outer rec
(assert_invalid
  (component (type $q (record (field "a" u8))) (import "i" (instance (alias outer 1 $q (type $q)) (export "o" (func (result $q))))))
  "instance not valid to be used as import")

;; inst export of import
(component definition
  (type $t (instance (export "h" (type $h (sub resource))) (export "o" (func (result (own $h)))))) (import "i" (instance $i (type $t))) (export "i2" (instance $i)))

;; two exports
(component definition
  (type $t (instance (export "h" (type $h (sub resource))) (export "o" (func (result (own $h)))))) (export "t" (type $t)) (export "t2" (type $t)))

;; export then import it
(component definition
  (type $t (instance (export "h" (type $h (sub resource))) (export "o" (func (result (own $h)))))) (export $u "t" (type $t)) (import "i" (instance (type $u))))

;; export then import t
(component definition
  (type $t (instance (export "h" (type $h (sub resource))) (export "o" (func (result (own $h)))))) (export $u "t" (type $t)) (import "i" (instance (type $t))))

;; import eq then import inst
(component definition
  (type $t (instance (export "h" (type $h (sub resource))) (export "o" (func (result (own $h)))))) (import "t" (type $u (eq $t))) (import "i" (instance (type $u))))

;; inst type whose inst has unnamed rec, nested
(assert_invalid
  (component (type $t (instance (type $n (instance (type $q (record (field "a" u8))) (export "o" (func (result $q))))) (export "i" (instance (type $n))))) (export "t" (type $t)))
  "type not valid to be used as export")

;; value in instance
(component definition
  (type $t (instance (type $q (record (field "a" u8))) (export "q" (type $q2 (eq $q))))) (export "t" (type $t)))

;; types in export bag
(component definition
  (type $t (instance (export "h" (type $h (sub resource))) (export "o" (func (result (own $h)))))) (instance $i (export "t" (type $t))) (export "i" (instance $i)))

;; … until it is exported again
(component definition
  (type $t (instance (export "i" (instance $i (export "h" (type (sub resource))))) (alias export $i "h" (type $h)) (export "g" (type $g (eq $h))) (export "o" (func (result (own $g)))))) (export "t" (type $t)))

;; resource in record in export type
(assert_invalid
  (component (type $r (resource (rep i32))) (type $q (record (field "a" (own $r)))) (export "q" (type $q)))
  "type not valid to be used as export")

;; … by its methods
(component definition
  (type $t (instance (export "h" (type $h (sub resource))) (export "[method]h.o" (func (param "self" (borrow $h)))) (export "[constructor]h" (func (result (own $h)))))) (export "t" (type $t)))

;; wit package
(component definition
  (type $t (component (type $types (instance (export "r" (type $r (sub resource))) (export "[method]r.foo" (func (param "self" (borrow $r)))))) (export "local:demo/types" (type (eq $types))))) (export "types" (type $t)))

;; wit package inst
(component definition
  (type $t (component (type $types (instance (export "r" (type $r (sub resource))) (export "[method]r.foo" (func (param "self" (borrow $r)))))) (export "local:demo/types" (instance (type $types))))) (export "types" (type $t)))
