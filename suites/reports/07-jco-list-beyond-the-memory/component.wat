;; A list argument of 16 bytes, of which 8 are behind the end of the memory, which is a trap.
(component
  (import "wasi:io/error@0.2.0" (instance $io-error (export "error" (type (sub resource)))))
  (alias export $io-error "error" (type $error))
  (import "wasi:io/streams@0.2.0" (instance $streams
    (export "output-stream" (type $output-stream (sub resource)))
    (alias outer 1 $error (type $outer-error))
    (export "error" (type $e (eq $outer-error)))
    (type $stream-error-def (variant (case "last-operation-failed" (own $e)) (case "closed")))
    (export "stream-error" (type $stream-error (eq $stream-error-def)))
    (export "[method]output-stream.blocking-write-and-flush" (func (param "self" (borrow $output-stream))
      (param "contents" (list u8)) (result (result (error $stream-error)))))))
  (alias export $streams "output-stream" (type $output-stream))
  (import "wasi:cli/stdout@0.2.0" (instance $stdout
    (alias outer 1 $output-stream (type $outer-stream))
    (export "output-stream" (type $s (eq $outer-stream)))
    (export "get-stdout" (func (result (own $s))))))

  (core module $libc
    (memory (export "memory") 1))
  (core instance $libc (instantiate $libc))
  (alias core export $libc "memory" (core memory $memory))
  (core func $get-stdout (canon lower (func $stdout "get-stdout")))
  (core func $print (canon lower (func $streams "[method]output-stream.blocking-write-and-flush") (memory $memory)))

  (core module $main
    (import "libc" "memory" (memory 1))
    (import "host" "get-stdout" (func $get-stdout (result i32)))
    (import "host" "print" (func $write-all (param i32 i32 i32 i32)))
    (data (i32.const 0x100) "before\n")
    (data (i32.const 0xfff8) "8 bytes\n")
    (data (i32.const 0x120) "the write returned an error\n")
    (data (i32.const 0x160) "the write returned ok\n")
    (global $out (mut i32) (i32.const 0))
    (func $print (param $text i32) (param $length i32)
      (call $write-all (global.get $out) (local.get $text) (local.get $length) (i32.const 0x700)))
    (func (export "run") (result i32)
      (global.set $out (call $get-stdout))
      (call $print (i32.const 0x100) (i32.const 7))
      (call $write-all (global.get $out) (i32.const 0xfff8) (i32.const 16) (i32.const 0x600))
      (if (i32.load8_u (i32.const 0x600))
        (then (call $print (i32.const 0x120) (i32.const 28)))
        (else (call $print (i32.const 0x160) (i32.const 22))))
      (i32.const 0)))
  (core instance $main (instantiate $main
    (with "libc" (instance $libc))
    (with "host" (instance
      (export "get-stdout" (func $get-stdout))
      (export "print" (func $print))))))
  (func $run (result (result)) (canon lift (core func $main "run")))
  (instance $run-instance (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $run-instance)))
