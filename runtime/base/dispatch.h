/* dispatch: how the interpreter of this build goes from one operation to the next, and whether it can change over to
 * machine code.
 *
 * Dispatch is by tail calls if the compiler has `musttail` and `preserve_none`, so that the whole state of the machine
 * is in argument registers. Other compilers use computed goto, as does -DTS_DISPATCH_GOTO. Sanitizers and coverage use
 * a switch (-DTS_DISPATCH_SWITCH). */
#ifndef TS_BASE_DISPATCH_H
#define TS_BASE_DISPATCH_H

#if !defined(TS_DISPATCH_SWITCH) && !defined(TS_DISPATCH_GOTO)
#if defined(__has_attribute)
#if __has_attribute(musttail) && __has_attribute(preserve_none)
#define TS_DISPATCH_TAIL 1
#endif
#endif
#ifndef TS_DISPATCH_TAIL
#define TS_DISPATCH_GOTO 1
#endif
#endif

/* Machine code has the state in the same registers, so that it needs this dispatch. */
#if defined(TS_DISPATCH_TAIL) && (defined(__x86_64__) || defined(__AARCH64EL__))
#define TS_HAS_MACHINE_CODE 1
#else
#define TS_HAS_MACHINE_CODE 0
#endif
#endif
