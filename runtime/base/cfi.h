/* cfi: which functions call, by pointers, what a build does not contain.
 * In: the compiler. Out: TS_UNCHECKED_CALLS.
 *
 * A build with CFI=1 (make/harden.mk) checks each call by a pointer: it must lead to a function of this build that has
 * the type of the pointer. Functions of shared libraries, functions of an embedder that links the shared library, and
 * machine code that is made at run time are none. A function that calls those says so, and calls nothing else by
 * pointers, because none of its calls is checked. */
#ifndef TS_BASE_CFI_H
#define TS_BASE_CFI_H

#if defined(__clang__)
#define TS_UNCHECKED_CALLS __attribute__((no_sanitize("cfi-icall")))
#else
#define TS_UNCHECKED_CALLS
#endif
#endif
