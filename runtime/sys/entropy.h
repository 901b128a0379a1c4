/* sys/entropy: random bytes from the OS.
 * In: a buffer. Out: the filled buffer, or an error (TS_SYS_EINTR if a signal interrupts). Source:
 * getrandom(2) */
#ifndef TS_SYS_ENTROPY_H
#define TS_SYS_ENTROPY_H
#include <stddef.h>
#include "sys/error.h"

ts_sys_err ts_sys_random(void *buf, size_t len);
#endif
