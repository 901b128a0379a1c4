/* demangle: turns Rust symbols into readable paths, without hashes.
 * In: an untrusted name. Out: "core::option::Option<T>::unwrap", or false if it is not a Rust symbol.
 * The output is bounded by its buffer, the depth by a constant, and the time by the output and the input.
 * Source: RFC 2603 (v0, `_R…`) and the extensions that rustc's book on symbol mangling lists; the legacy
 * scheme, `_ZN…17h…E` */
#ifndef TS_BASE_DEMANGLE_H
#define TS_BASE_DEMANGLE_H
#include <stdbool.h>
#include <stddef.h>

/* Writes the name into buf, NUL-terminated; a name that is too long is cut at a character boundary.
 * If it returns false, the contents of buf are undefined. */
bool ts_demangle_rust(const char *name, size_t len, char *buf, size_t size);
#endif
