;; constant addresses of a 64-bit memory whose sum with the offset wraps
(module $memory64
  (memory (export "m") i64 1 2)
  (data (i64.const 3744) "\2a")
  (func (export "load") (result i32) (i32.load8_u offset=3740 (i64.const 4)))
  (func (export "load_wraps") (result i32) (i32.load8_u offset=4000 (i64.const -256)))
  (func (export "load_far") (result i32) (i32.load8_u (i64.const 0x100000ea0)))
  (func (export "store_wraps") (param i32) (i32.store8 offset=4000 (i64.const -256) (local.get 0)))
  (func (export "store_const_wraps") (i32.store offset=4000 (i64.const -256) (i32.const 7)))
  (func (export "store_float_wraps") (f64.store offset=4000 (i64.const -256) (f64.add (f64.const 1) (f64.const 2))))
  (func (export "store_local_wraps") (param i64) (i64.store offset=0xfffffff0 (i64.const -4026531840) (i64.add (local.get 0) (local.get 0))))
  (func (export "at") (param i64) (result i32) (i32.load8_u offset=8 (local.get 0)))
)
