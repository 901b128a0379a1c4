;; Forty vectors at once: more than a processor has registers. Each is computed in a block, and read afterwards in another order,
;; as a local and as an operand.
;; spec: core 3.0, exec/instructions#vector-instructions
(module
  (func (export "locals") (param $x i32) (result v128) (local $v0 v128) (local $v1 v128) (local $v2 v128) (local $v3 v128) (local $v4 v128) (local $v5
      v128) (local $v6 v128) (local $v7 v128) (local $v8 v128) (local $v9 v128) (local $v10 v128) (local $v11 v128) (local $v12 v128) (local $v13
      v128) (local $v14 v128) (local $v15 v128) (local $v16 v128) (local $v17 v128) (local $v18 v128) (local $v19 v128) (local $v20 v128) (local $v21
      v128) (local $v22 v128) (local $v23 v128) (local $v24 v128) (local $v25 v128) (local $v26 v128) (local $v27 v128) (local $v28 v128) (local $v29
      v128) (local $v30 v128) (local $v31 v128) (local $v32 v128) (local $v33 v128) (local $v34 v128) (local $v35 v128) (local $v36 v128) (local $v37
      v128) (local $v38 v128) (local $v39 v128)
    (local.set $v0 (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 1 2 3 4))) (local.set $v1 (i32x4.mul (i32x4.splat (local.get $x))
      (v128.const i32x4 2 3 4 5))) (local.set $v2 (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 3 4 5 6))) (local.set $v3 (i32x4.mul
      (i32x4.splat (local.get $x)) (v128.const i32x4 4 5 6 7))) (local.set $v4 (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 5 6 7 8)))
      (local.set $v5 (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 6 7 8 9))) (local.set $v6 (i32x4.mul (i32x4.splat (local.get $x))
      (v128.const i32x4 7 8 9 10))) (local.set $v7 (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 8 9 10 11))) (local.set $v8 (i32x4.mul
      (i32x4.splat (local.get $x)) (v128.const i32x4 9 10 11 12))) (local.set $v9 (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 10 11 12
      13))) (local.set $v10 (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 11 12 13 14))) (local.set $v11 (i32x4.mul (i32x4.splat
      (local.get $x)) (v128.const i32x4 12 13 14 15))) (local.set $v12 (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 13 14 15 16)))
      (local.set $v13 (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 14 15 16 17))) (local.set $v14 (i32x4.mul (i32x4.splat (local.get $x))
      (v128.const i32x4 15 16 17 18))) (local.set $v15 (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 16 17 18 19))) (local.set $v16
      (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 17 18 19 20))) (local.set $v17 (i32x4.mul (i32x4.splat (local.get $x)) (v128.const
      i32x4 18 19 20 21))) (local.set $v18 (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 19 20 21 22))) (local.set $v19 (i32x4.mul
      (i32x4.splat (local.get $x)) (v128.const i32x4 20 21 22 23))) (local.set $v20 (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 21 22 23
      24))) (local.set $v21 (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 22 23 24 25))) (local.set $v22 (i32x4.mul (i32x4.splat
      (local.get $x)) (v128.const i32x4 23 24 25 26))) (local.set $v23 (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 24 25 26 27)))
      (local.set $v24 (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 25 26 27 28))) (local.set $v25 (i32x4.mul (i32x4.splat (local.get $x))
      (v128.const i32x4 26 27 28 29))) (local.set $v26 (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 27 28 29 30))) (local.set $v27
      (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 28 29 30 31))) (local.set $v28 (i32x4.mul (i32x4.splat (local.get $x)) (v128.const
      i32x4 29 30 31 32))) (local.set $v29 (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 30 31 32 33))) (local.set $v30 (i32x4.mul
      (i32x4.splat (local.get $x)) (v128.const i32x4 31 32 33 34))) (local.set $v31 (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 32 33 34
      35))) (local.set $v32 (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 33 34 35 36))) (local.set $v33 (i32x4.mul (i32x4.splat
      (local.get $x)) (v128.const i32x4 34 35 36 37))) (local.set $v34 (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 35 36 37 38)))
      (local.set $v35 (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 36 37 38 39))) (local.set $v36 (i32x4.mul (i32x4.splat (local.get $x))
      (v128.const i32x4 37 38 39 40))) (local.set $v37 (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 38 39 40 41))) (local.set $v38
      (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 39 40 41 42))) (local.set $v39 (i32x4.mul (i32x4.splat (local.get $x)) (v128.const
      i32x4 40 41 42 43)))
    (i32x4.add (i32x4.mul (i32x4.add (i32x4.mul (i32x4.add (i32x4.mul (i32x4.add (i32x4.mul (i32x4.add (i32x4.mul (i32x4.add (i32x4.mul (i32x4.add
      (i32x4.mul (i32x4.add (i32x4.mul (i32x4.add (i32x4.mul (i32x4.add (i32x4.mul (i32x4.add (i32x4.mul (i32x4.add (i32x4.mul (i32x4.add (i32x4.mul
      (i32x4.add (i32x4.mul (i32x4.add (i32x4.mul (i32x4.add (i32x4.mul (i32x4.add (i32x4.mul (i32x4.add (i32x4.mul (i32x4.add (i32x4.mul (i32x4.add
      (i32x4.mul (i32x4.add (i32x4.mul (i32x4.add (i32x4.mul (i32x4.add (i32x4.mul (i32x4.add (i32x4.mul (i32x4.add (i32x4.mul (i32x4.add (i32x4.mul
      (i32x4.add (i32x4.mul (i32x4.add (i32x4.mul (i32x4.add (i32x4.mul (i32x4.add (i32x4.mul (i32x4.add (i32x4.mul (i32x4.add (i32x4.mul (i32x4.add
      (i32x4.mul (i32x4.add (i32x4.mul (i32x4.add (i32x4.mul (i32x4.add (i32x4.mul (i32x4.add (i32x4.mul (i32x4.add (i32x4.mul (i32x4.add (i32x4.mul
      (i32x4.add (i32x4.mul (v128.const i32x4 1 2 3 4) (v128.const i32x4 31 33 37 41)) (local.get $v5)) (v128.const i32x4 31 33 37 41)) (local.get
      $v14)) (v128.const i32x4 31 33 37 41)) (local.get $v18)) (v128.const i32x4 31 33 37 41)) (local.get $v3)) (v128.const i32x4 31 33 37 41))
      (local.get $v26)) (v128.const i32x4 31 33 37 41)) (local.get $v31)) (v128.const i32x4 31 33 37 41)) (local.get $v27)) (v128.const i32x4 31 33 37
      41)) (local.get $v35)) (v128.const i32x4 31 33 37 41)) (local.get $v13)) (v128.const i32x4 31 33 37 41)) (local.get $v9)) (v128.const i32x4 31
      33 37 41)) (local.get $v2)) (v128.const i32x4 31 33 37 41)) (local.get $v1)) (v128.const i32x4 31 33 37 41)) (local.get $v10)) (v128.const i32x4
      31 33 37 41)) (local.get $v32)) (v128.const i32x4 31 33 37 41)) (local.get $v11)) (v128.const i32x4 31 33 37 41)) (local.get $v21)) (v128.const
      i32x4 31 33 37 41)) (local.get $v16)) (v128.const i32x4 31 33 37 41)) (local.get $v19)) (v128.const i32x4 31 33 37 41)) (local.get $v28))
      (v128.const i32x4 31 33 37 41)) (local.get $v33)) (v128.const i32x4 31 33 37 41)) (local.get $v20)) (v128.const i32x4 31 33 37 41)) (local.get
      $v12)) (v128.const i32x4 31 33 37 41)) (local.get $v25)) (v128.const i32x4 31 33 37 41)) (local.get $v24)) (v128.const i32x4 31 33 37 41))
      (local.get $v29)) (v128.const i32x4 31 33 37 41)) (local.get $v39)) (v128.const i32x4 31 33 37 41)) (local.get $v22)) (v128.const i32x4 31 33 37
      41)) (local.get $v6)) (v128.const i32x4 31 33 37 41)) (local.get $v7)) (v128.const i32x4 31 33 37 41)) (local.get $v17)) (v128.const i32x4 31 33
      37 41)) (local.get $v36)) (v128.const i32x4 31 33 37 41)) (local.get $v38)) (v128.const i32x4 31 33 37 41)) (local.get $v0)) (v128.const i32x4
      31 33 37 41)) (local.get $v4)) (v128.const i32x4 31 33 37 41)) (local.get $v30)) (v128.const i32x4 31 33 37 41)) (local.get $v23)) (v128.const
      i32x4 31 33 37 41)) (local.get $v8)) (v128.const i32x4 31 33 37 41)) (local.get $v34)) (v128.const i32x4 31 33 37 41)) (local.get $v37))
      (v128.const i32x4 31 33 37 41)) (local.get $v15)))
  (func (export "operands") (param $x i32) (result v128)
    (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 1 2 3 4))
    (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 2 3 4 5))
    (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 3 4 5 6))
    (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 4 5 6 7))
    (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 5 6 7 8))
    (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 6 7 8 9))
    (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 7 8 9 10))
    (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 8 9 10 11))
    (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 9 10 11 12))
    (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 10 11 12 13))
    (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 11 12 13 14))
    (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 12 13 14 15))
    (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 13 14 15 16))
    (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 14 15 16 17))
    (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 15 16 17 18))
    (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 16 17 18 19))
    (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 17 18 19 20))
    (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 18 19 20 21))
    (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 19 20 21 22))
    (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 20 21 22 23))
    (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 21 22 23 24))
    (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 22 23 24 25))
    (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 23 24 25 26))
    (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 24 25 26 27))
    (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 25 26 27 28))
    (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 26 27 28 29))
    (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 27 28 29 30))
    (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 28 29 30 31))
    (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 29 30 31 32))
    (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 30 31 32 33))
    (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 31 32 33 34))
    (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 32 33 34 35))
    (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 33 34 35 36))
    (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 34 35 36 37))
    (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 35 36 37 38))
    (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 36 37 38 39))
    (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 37 38 39 40))
    (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 38 39 40 41))
    (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 39 40 41 42))
    (i32x4.mul (i32x4.splat (local.get $x)) (v128.const i32x4 40 41 42 43))
    i32x4.sub i32x4.sub i32x4.sub i32x4.sub i32x4.sub i32x4.sub i32x4.sub i32x4.sub i32x4.sub i32x4.sub i32x4.sub i32x4.sub i32x4.sub i32x4.sub
      i32x4.sub i32x4.sub i32x4.sub i32x4.sub i32x4.sub i32x4.sub i32x4.sub i32x4.sub i32x4.sub i32x4.sub i32x4.sub i32x4.sub i32x4.sub i32x4.sub
      i32x4.sub i32x4.sub i32x4.sub i32x4.sub i32x4.sub i32x4.sub i32x4.sub i32x4.sub i32x4.sub i32x4.sub i32x4.sub))
(assert_return (invoke "locals" (i32.const 0)) (v128.const i32x4 2359307009 644901378 3002274595 205882628))
(assert_return (invoke "operands" (i32.const 0)) (v128.const i32x4 0 0 0 0))
(assert_return (invoke "locals" (i32.const 1)) (v128.const i32x4 1926156713 3132227294 1327434775 2427348368))
(assert_return (invoke "operands" (i32.const 1)) (v128.const i32x4 4294967276 4294967276 4294967276 4294967276))
(assert_return (invoke "locals" (i32.const 77)) (v128.const i32x4 3366472585 3190435886 2888627335 3755020064))
(assert_return (invoke "operands" (i32.const 77)) (v128.const i32x4 4294965756 4294965756 4294965756 4294965756))
(assert_return (invoke "locals" (i32.const -5)) (v128.const i32x4 230091193 1093173686 2786539103 1983455816))
(assert_return (invoke "operands" (i32.const -5)) (v128.const i32x4 100 100 100 100))
(assert_return (invoke "locals" (i32.const 123456789)) (v128.const i32x4 2678087369 3258567694 3819299623 2322861184))
(assert_return (invoke "operands" (i32.const 123456789)) (v128.const i32x4 1825831516 1825831516 1825831516 1825831516))
