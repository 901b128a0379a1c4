/* sys/entropy: random bytes of the OS.
 * In: a buffer. Out: filled, or an error (interrupted by a signal: TS_SYS_EINTR). Source: getrandom(2) */
#ifndef TS_SYS_ENTROPY_H
#define TS_SYS_ENTROPY_H
#include <stddef.h>
#include "sys/error.h"

ts_sys_err ts_sys_random(void *buf, size_t len);
#endif
