/* demangle: symbols of Rust as a reader knows them: paths without hashes.
 * In: a name of any origin, which may be hostile. Out: "core::option::Option<T>::unwrap", or false where it is no symbol of Rust.
 * Bounded: the output by its buffer, the depth by a constant, the time by the output and the input.
 * Source: RFC 2603 (v0, `_R…`) and the extensions that rustc's book on symbol mangling lists; the legacy scheme, `_ZN…17h…E` */
#ifndef TS_BASE_DEMANGLE_H
#define TS_BASE_DEMANGLE_H
#include <stdbool.h>
#include <stddef.h>

/* Writes the name into buf, cut at the start of a character where it is too long, with a NUL. False: buf may hold anything. */
bool ts_demangle_rust(const char *name, size_t len, char *buf, size_t size);
#endif
