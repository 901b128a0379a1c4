"""The core modules that every component of an exchange has, in WebAssembly text.

`LIBC`: a memory and its `realloc`. Each block has eight bytes behind it that nobody may write; `intact` says whether they
are untouched. `KIT`: writes the value of a type that is described in memory (`describe`), one line for each exchange.
"""

PAGES = 8
END = PAGES << 16
"""The size of the memory."""
SLOTS, BLOCKS, BLOCKS_END, LINE, LINE_END = 0x40, 0x400, 0x1400, 0x2000, 0x7F00
DATA, HEAP = 0x8000, 0x60000
"""Where the data of a component begin, and where they end."""
UINT, F32, F64, STRING, LIST, RECORD, VARIANT, OWN, BORROW = range(9)
"""The kinds of described types."""

LIBC = f"""
  (core module $libc
    (memory (export "memory") {PAGES} {PAGES})
    (global $top (mut i32) (i32.const {HEAP}))
    (global $blocks (mut i32) (i32.const {BLOCKS}))
    (func $fill (memory.fill (i32.const {HEAP}) (i32.const 0xEE) (i32.const {END - HEAP})))
    (start $fill)
    (func (export "reset")
      (memory.fill (i32.const {HEAP}) (i32.const 0xEE) (i32.sub (global.get $top) (i32.const {HEAP})))
      (global.set $top (i32.const {HEAP}))
      (global.set $blocks (i32.const {BLOCKS})))
    (func (export "realloc") (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $top) (i32.sub (local.get $align) (i32.const 1)))
        (i32.sub (i32.const 0) (local.get $align))))
      (if (i32.gt_u (local.get $size) (i32.const {END - HEAP})) (then unreachable))
      (if (i32.gt_u (i32.add (local.get $at) (local.get $size)) (i32.const {END - 8})) (then unreachable))
      (memory.copy (local.get $at) (local.get $old)
        (select (local.get $size) (local.get $old-size) (i32.lt_u (local.get $size) (local.get $old-size))))
      (global.set $top (i32.add (i32.add (local.get $at) (local.get $size)) (i32.const 8)))
      (if (i32.lt_u (global.get $blocks) (i32.const {BLOCKS_END})) (then
        (i32.store (global.get $blocks) (i32.add (local.get $at) (local.get $size)))
        (global.set $blocks (i32.add (global.get $blocks) (i32.const 4)))))
      (local.get $at))
    (func (export "intact") (result i32) (local $i i32)
      (local.set $i (i32.const {BLOCKS}))
      (block $out
        (loop $next
          (br_if $out (i32.ge_u (local.get $i) (global.get $blocks)))
          (if (i64.ne (i64.load align=1 (i32.load (local.get $i))) (i64.const 0xEEEEEEEEEEEEEEEE))
            (then (return (i32.const 0))))
          (local.set $i (i32.add (local.get $i) (i32.const 4)))
          (br $next)))
      (i32.const 1)))"""

KIT = f"""
  (core module $kit
    (import "libc" "memory" (memory {PAGES} {PAGES}))
    (import "libc" "reset" (func $reset))
    (import "libc" "intact" (func $intact (result i32)))
    (import "host" "print" (func $print (param i32 i32)))
    (import "host" "rep" (func $rep (param i32) (result i32)))
    (import "host" "drop" (func $drop (param i32)))
    (global $at (mut i32) (i32.const {LINE}))
    (global $keep (export "keep") (mut i32) (i32.const 0))
    (func $put (param $c i32)
      (if (i32.lt_u (global.get $at) (i32.const {LINE_END})) (then
        (i32.store8 (global.get $at) (local.get $c))
        (global.set $at (i32.add (global.get $at) (i32.const 1))))))
    (func $digit (param $d i32)
      (local.set $d (i32.and (local.get $d) (i32.const 15)))
      (call $put (i32.add (i32.add (local.get $d) (i32.const 48))
        (i32.mul (i32.gt_u (local.get $d) (i32.const 9)) (i32.const 39)))))
    (func $hex (param $x i64)
      (if (i64.gt_u (local.get $x) (i64.const 15)) (then (call $hex (i64.shr_u (local.get $x) (i64.const 4)))))
      (call $digit (i32.wrap_i64 (local.get $x))))
    (func $begin (export "begin") (param $number i32)
      (global.set $at (i32.const {LINE}))
      (call $hex (i64.extend_i32_u (local.get $number)))
      (call $put (i32.const 32)))
    (func $end (export "end")
      (if (i32.eqz (call $intact)) (then (call $put (i32.const 33))))  ;; !
      (call $put (i32.const 10))
      (call $print (i32.const {LINE}) (i32.sub (global.get $at) (i32.const {LINE})))
      (call $reset))
    (func (export "done") (param $number i32)
      (call $begin (local.get $number))
      (call $put (i32.const 46))  ;; .
      (call $end))
    (func $bytes (param $p i32) (param $n i32)
      (call $put (i32.const 39))  ;; '
      (block $out
        (loop $next
          (br_if $out (i32.eqz (local.get $n)))
          (call $digit (i32.shr_u (i32.load8_u (local.get $p)) (i32.const 4)))
          (call $digit (i32.load8_u (local.get $p)))
          (local.set $p (i32.add (local.get $p) (i32.const 1)))
          (local.set $n (i32.sub (local.get $n) (i32.const 1)))
          (br $next)))
      (call $put (i32.const 39)))
    ;; Whether a range lies in memory and is aligned; writes ? where it does not, ! where it is not.
    (func $range (param $p i32) (param $bytes i64) (param $align i32) (result i32)
      (if (i32.and (local.get $p) (i32.sub (local.get $align) (i32.const 1))) (then (call $put (i32.const 33))))
      (if (i64.gt_u (i64.add (i64.extend_i32_u (local.get $p)) (local.get $bytes)) (i64.const {END}))
        (then (call $put (i32.const 63)) (return (i32.const 0))))
      (i32.const 1))
    (func $number (param $at i32) (param $size i32) (param $flat i32) (result i64)
      (if (local.get $flat) (then (return (i64.load (local.get $at)))))
      (if (i32.eq (local.get $size) (i32.const 1)) (then (return (i64.load8_u (local.get $at)))))
      (if (i32.eq (local.get $size) (i32.const 2)) (then (return (i64.load16_u (local.get $at)))))
      (if (i32.eq (local.get $size) (i32.const 4)) (then (return (i64.load32_u (local.get $at)))))
      (i64.load (local.get $at)))
    (func $nan (call $put (i32.const 110)) (call $put (i32.const 97)) (call $put (i32.const 110)))
    (func $string (param $node i32) (param $p i32) (param $n i32) (local $size i64)
      (local.set $size (i64.extend_i32_u (local.get $n)))
      (if (i32.eq (i32.load offset=16 (local.get $node)) (i32.const 1))
        (then (local.set $size (i64.shl (local.get $size) (i64.const 1)))))
      (if (i32.eq (i32.load offset=16 (local.get $node)) (i32.const 2))
        (then
          (if (i32.lt_s (local.get $n) (i32.const 0))
            (then
              (local.set $size (i64.shl (i64.and (local.get $size) (i64.const 0x7fffffff)) (i64.const 1)))
              (call $put (i32.const 119)))  ;; w
            (else (call $put (i32.const 108))))))  ;; l
      (if (call $range (local.get $p) (local.get $size) (i32.load offset=20 (local.get $node)))
        (then (call $bytes (local.get $p) (i32.wrap_i64 (local.get $size))))))
    (func $list (param $node i32) (param $p i32) (param $n i32) (local $i i32) (local $size i32)
      (local.set $node (i32.load offset=20 (local.get $node)))
      (local.set $size (i32.load offset=4 (local.get $node)))
      (if (i32.eqz (call $range (local.get $p) (i64.mul (i64.extend_i32_u (local.get $n)) (i64.extend_i32_u (local.get $size)))
          (i32.load offset=8 (local.get $node))))
        (then (return)))
      (call $put (i32.const 91))
      (block $out
        (loop $next
          (br_if $out (i32.ge_u (local.get $i) (local.get $n)))
          (if (local.get $i) (then (call $put (i32.const 44))))
          (call $show (local.get $node) (i32.add (local.get $p) (i32.mul (local.get $i) (local.get $size))) (i32.const 0))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br $next)))
      (call $put (i32.const 93)))
    (func $record (param $node i32) (param $at i32) (param $flat i32) (local $i i32) (local $field i32)
      (call $put (i32.const 40))
      (block $out
        (loop $next
          (br_if $out (i32.ge_u (local.get $i) (i32.load offset=16 (local.get $node))))
          (if (local.get $i) (then (call $put (i32.const 44))))
          (local.set $field (i32.add (local.get $node) (i32.mul (local.get $i) (i32.const 12))))
          (call $show
            (i32.load offset=28 (local.get $field))
            (i32.add (local.get $at)
              (select (i32.load offset=24 (local.get $field)) (i32.load offset=20 (local.get $field)) (local.get $flat)))
            (local.get $flat))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br $next)))
      (call $put (i32.const 41)))
    (func $variant (param $node i32) (param $at i32) (param $flat i32) (local $case i32) (local $child i32) (local $used i32)
      (local.set $case (i32.wrap_i64 (call $number (local.get $at) (i32.load offset=20 (local.get $node)) (local.get $flat))))
      (call $put (i32.const 35))
      (call $hex (i64.extend_i32_u (local.get $case)))
      (if (i32.ge_u (local.get $case) (i32.load offset=16 (local.get $node))) (then (call $put (i32.const 63)) (return)))
      (local.set $used (i32.const 1))
      (local.set $child (i32.load offset=28 (i32.add (local.get $node) (i32.mul (local.get $case) (i32.const 4)))))
      (if (local.get $child) (then
        (local.set $used (i32.add (local.get $used) (i32.load offset=12 (local.get $child))))
        (call $put (i32.const 40))
        (call $show (local.get $child)
          (i32.add (local.get $at) (select (i32.const 8) (i32.load offset=24 (local.get $node)) (local.get $flat)))
          (local.get $flat))
        (call $put (i32.const 41))))
      ;; What no case uses is zero where the value is flat.
      (if (local.get $flat) (then
        (block $out
          (loop $next
            (br_if $out (i32.ge_u (local.get $used) (i32.load offset=12 (local.get $node))))
            (if (i64.ne (i64.load (i32.add (local.get $at) (i32.shl (local.get $used) (i32.const 3)))) (i64.const 0))
              (then (call $put (i32.const 43))))
            (local.set $used (i32.add (local.get $used) (i32.const 1)))
            (br $next))))))
    (func $handle (param $kind i32) (param $handle i32)
      (call $put (i32.const 104))
      (call $hex (i64.extend_i32_u (call $rep (local.get $handle))))
      (if (i32.or (i32.eq (local.get $kind) (i32.const {OWN})) (i32.eqz (global.get $keep)))
        (then (call $drop (local.get $handle)))))
    (func $show (export "show") (param $node i32) (param $at i32) (param $flat i32) (local $kind i32) (local $x i64)
      (if (i32.and (local.get $at) (i32.sub (i32.load offset=8 (local.get $node)) (i32.const 1))) (then (call $put (i32.const 33))))
      (local.set $kind (i32.load (local.get $node)))
      (if (i32.eq (local.get $kind) (i32.const {RECORD}))
        (then (call $record (local.get $node) (local.get $at) (local.get $flat)) (return)))
      (if (i32.eq (local.get $kind) (i32.const {VARIANT}))
        (then (call $variant (local.get $node) (local.get $at) (local.get $flat)) (return)))
      (if (i32.eq (local.get $kind) (i32.const {STRING}))
        (then (call $string (local.get $node) (i32.load (local.get $at))
          (i32.load (i32.add (local.get $at) (select (i32.const 8) (i32.const 4) (local.get $flat))))) (return)))
      (if (i32.eq (local.get $kind) (i32.const {LIST}))
        (then (call $list (local.get $node) (i32.load (local.get $at))
          (i32.load (i32.add (local.get $at) (select (i32.const 8) (i32.const 4) (local.get $flat))))) (return)))
      (local.set $x (call $number (local.get $at) (i32.load offset=4 (local.get $node)) (local.get $flat)))
      (if (i32.ge_u (local.get $kind) (i32.const {OWN}))
        (then (call $handle (local.get $kind) (i32.wrap_i64 (local.get $x))) (return)))
      (if (i32.and (i32.eq (local.get $kind) (i32.const {F32}))
          (i64.gt_u (i64.and (local.get $x) (i64.const 0x7fffffff)) (i64.const 0x7f800000)))
        (then (call $nan) (return)))
      (if (i32.and (i32.eq (local.get $kind) (i32.const {F64}))
          (i64.gt_u (i64.and (local.get $x) (i64.const 0x7fffffffffffffff)) (i64.const 0x7ff0000000000000)))
        (then (call $nan) (return)))
      (call $hex (local.get $x))))"""

OWNER = """
  (component $owner
    (type $r' (resource (rep i32)))
    (export $r "r" (type $r'))
    (type $s' (resource (rep i32)))
    (export $s "s" (type $s'))
    (core func $new-r (canon resource.new $r))
    (core func $new-s (canon resource.new $s))
    (core module $m
      (import "" "new-r" (func $new-r (param i32) (result i32)))
      (import "" "new-s" (func $new-s (param i32) (result i32)))
      (func (export "new-r") (param i32) (result i32) (call $new-r (local.get 0)))
      (func (export "new-s") (param i32) (result i32) (call $new-s (local.get 0)))
      (func (export "rep") (param i32) (result i32) (local.get 0)))
    (core instance $m (instantiate $m (with "" (instance (export "new-r" (func $new-r)) (export "new-s" (func $new-s))))))
    (func (export "new-r") (param "rep" u32) (result (own $r)) (canon lift (core func $m "new-r")))
    (func (export "new-s") (param "rep" u32) (result (own $s)) (canon lift (core func $m "new-s")))
    (func (export "rep") (param "handle" (borrow $r)) (result u32) (canon lift (core func $m "rep"))))
  (instance $owner (instantiate $owner))"""

PRINTER = """
  (import "wasi:io/error@0.2.0" (instance $io-error (export "error" (type (sub resource)))))
  (alias export $io-error "error" (type $error))
  (import "wasi:io/streams@0.2.0" (instance $streams
    (export "output-stream" (type $output-stream (sub resource)))
    (alias outer 1 $error (type $outer-error))
    (export "error" (type $e (eq $outer-error)))
    (type $stream-error-def (variant (case "last-operation-failed" (own $e)) (case "closed")))
    (export "stream-error" (type $stream-error (eq $stream-error-def)))
    (export "[method]output-stream.blocking-write-and-flush"
      (func (param "self" (borrow $output-stream)) (param "contents" (list u8)) (result (result (error $stream-error)))))))
  (alias export $streams "output-stream" (type $output-stream))
  (import "wasi:cli/stdout@0.2.0" (instance $stdout
    (alias outer 1 $output-stream (type $outer-stream))
    (export "output-stream" (type $s (eq $outer-stream)))
    (export "get-stdout" (func (result (own $s))))))
  (component $printer
    (import "error" (type $error (sub resource)))
    (import "stream" (type $stream (sub resource)))
    (type $stream-error' (variant (case "last-operation-failed" (own $error)) (case "closed")))
    (import "stream-error" (type $stream-error (eq $stream-error')))
    (import "get-stdout" (func $get-stdout (result (own $stream))))
    (import "write" (func $write (param "self" (borrow $stream)) (param "contents" (list u8))
      (result (result (error $stream-error)))))
    (alias outer 1 $libc (core module $libc))
    (core instance $libc (instantiate $libc))
    (core func $get-stdout (canon lower (func $get-stdout)))
    (core func $write (canon lower (func $write) (memory (core memory $libc "memory"))))
    (core module $m
      (import "libc" "reset" (func $reset))
      (import "host" "get-stdout" (func $get-stdout (result i32)))
      (import "host" "write" (func $write (param i32 i32 i32 i32)))
      (global $out (mut i32) (i32.const 0))
      (func (export "print") (param $p i32) (param $n i32) (local $part i32)
        (if (i32.eqz (global.get $out)) (then (global.set $out (call $get-stdout))))
        (block $done
          (loop $next
            (br_if $done (i32.eqz (local.get $n)))
            (local.set $part (select (i32.const 4096) (local.get $n) (i32.gt_u (local.get $n) (i32.const 4096))))
            (call $write (global.get $out) (local.get $p) (local.get $part) (i32.const 0x100))
            (local.set $p (i32.add (local.get $p) (local.get $part)))
            (local.set $n (i32.sub (local.get $n) (local.get $part)))
            (br $next)))
        (call $reset)))
    (core instance $m (instantiate $m (with "libc" (instance $libc))
      (with "host" (instance (export "get-stdout" (func $get-stdout)) (export "write" (func $write))))))
    (func (export "print") (param "text" (list u8))
      (canon lift (core func $m "print") (memory (core memory $libc "memory")) (realloc (core func $libc "realloc")))))
  (alias export $streams "stream-error" (type $stream-error))
  (alias export $stdout "get-stdout" (func $get-stdout))
  (alias export $streams "[method]output-stream.blocking-write-and-flush" (func $write))
  (instance $printer (instantiate $printer
    (with "error" (type $error)) (with "stream" (type $output-stream)) (with "stream-error" (type $stream-error))
    (with "get-stdout" (func $get-stdout)) (with "write" (func $write))))"""
