/* build_id: tells this build of the library from every other one.
 * In: the note that the linker leaves in the program or library. Out: its bytes. */
#ifndef TS_SYS_BUILD_ID_H
#define TS_SYS_BUILD_ID_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TS_BUILD_ID_MAX = 64 };
/* Returns the number of bytes, or 0 if there is no such note. */
size_t ts_build_id(uint8_t out[TS_BUILD_ID_MAX]);
#endif
