;; Imports that need nothing are satisfied by nothing: types that are known, and instances of them at any depth. What has to exist is refused.
;; spec: Explainer.md#import-and-export-definitions; wasmtime links the same.

;; an instance within an instance
(component (import "x" (instance (export "y" (instance)))))
(component (import "x" (instance)))
;; at any depth
(component (import "x" (instance (export "y" (instance (export "z" (instance)))))))
;; types, in instances
(component (import "x" (instance (type $t (record (field "a" u8))) (export "y" (type (eq $t))))))
(component (import "x" (instance (export "i" (instance (type $t (record (field "a" u8))) (export "y" (type (eq $t))))))))
;; a type
(component (type u8) (import "x" (type (eq 0))))
(component (import "a:b/c@1.0.0" (instance)))
(component (import "wasi:foo/bar@0.2.0" (instance)))
(component (import "wasi:io/streams@0.2.0" (instance (export "y" (instance)))))
;; it is there when it is asked for
(component (import "x" (instance $x (export "y" (instance (export "z" (instance)))))) (alias export $x "y" (instance $y)) (alias export $y "z" (instance $z)) (export "z" (instance $z)))
;; and can be handed on
(component (import "x" (instance $x (export "y" (instance)))) (component $c (import "x" (instance (export "y" (instance))))) (instance (instantiate $c (with "x" (instance $x)))))
;; a type is no instance: nothing has to have the function
(component (import "x" (instance (type $t (instance (export "f" (func)))) (export "t" (type (eq $t))))))

;; functions, fresh resource types, modules and components must be there, though the type is empty
(assert_unlinkable
  (component (import "x" (instance (export "r" (type (sub resource))))))
  "")
(assert_unlinkable
  (component (import "x" (component)))
  "")
(assert_unlinkable
  (component (import "x" (core module)))
  "")
(assert_unlinkable
  (component (import "x" (instance (export "c" (component)))))
  "")
(assert_unlinkable
  (component (import "x" (instance (export "c" (core module)))))
  "")
(assert_unlinkable
  (component (import "x" (func)))
  "")
(assert_unlinkable
  (component (import "x" (instance (export "f" (func)))))
  "")
(assert_unlinkable
  (component (import "x" (instance (export "y" (instance (export "f" (func)))))))
  "")
(assert_unlinkable
  (component (import "x" (type (sub resource))))
  "")

;; the same of an instance that is given and lacks them
(component $given (component $c (type $t u8) (export "t" (type $t))) (instance $i (instantiate $c)) (export "i" (instance $i)))
(register "given" $given)
(component (import "given" (instance (export "i" (instance)) (export "other" (instance (export "z" (instance)))))))
(component
  (import "given" (instance $g (export "i" (instance (type $u u8) (export "t" (type (eq $u))) (export "z" (instance))))))
  (alias export $g "i" (instance $i)) (alias export $i "z" (instance $z)) (export "z" (instance $z)))
(assert_unlinkable
  (component (import "given" (instance (export "i" (instance (export "f" (func)))))))
  "")
(assert_unlinkable
  (component (import "given" (instance (export "other" (instance (export "f" (func)))))))
  "")
