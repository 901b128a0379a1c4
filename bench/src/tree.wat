;; Garbage collection: builds and drops binary trees while a long-lived one stays. tree.c is the native limit.
;; feature: gc
(module
  (type $node (struct (field $left (ref null $node)) (field $right (ref null $node)) (field $value (mut i32))))
  (func $make (param $depth i32) (param $value i32) (result (ref $node))
    (if (result (ref $node)) (i32.eqz (local.get $depth))
      (then (struct.new $node (ref.null $node) (ref.null $node) (local.get $value)))
      (else (struct.new $node
        (call $make (i32.sub (local.get $depth) (i32.const 1)) (i32.mul (local.get $value) (i32.const 2)))
        (call $make (i32.sub (local.get $depth) (i32.const 1)) (i32.add (i32.mul (local.get $value) (i32.const 2)) (i32.const 1)))
        (local.get $value)))))
  (func $sum (param $t (ref null $node)) (result i32)
    (if (result i32) (ref.is_null (local.get $t))
      (then (i32.const 1))
      (else
        (struct.set $node $value (local.get $t) (i32.add (struct.get $node $value (local.get $t)) (i32.const 3)))
        (i32.add (struct.get $node $value (local.get $t))
          (i32.sub
            (i32.mul (call $sum (struct.get $node $left (local.get $t))) (i32.const 3))
            (call $sum (struct.get $node $right (local.get $t))))))))
  (func (export "run") (param $n i32) (result i32)
    (local $long (ref null $node)) (local $i i32) (local $total i32)
    (local.set $long (call $make (i32.const 14) (i32.const 1)))
    (block $done
      (loop $again
        (br_if $done (i32.ge_s (local.get $i) (local.get $n)))
        (local.set $total (i32.add (i32.mul (local.get $total) (i32.const 31)) (call $sum (call $make (i32.const 10) (local.get $i)))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $again)))
    (i32.add (local.get $total) (call $sum (local.get $long)))))
