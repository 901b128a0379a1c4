/* sys/library: shared libraries that the system may have.
 * In: names. Out: addresses, NULL where there are none. A library stays loaded.
 * Source: POSIX dlopen, dlsym */
#ifndef TS_SYS_LIBRARY_H
#define TS_SYS_LIBRARY_H

void *ts_library_open(const char *name);
void *ts_library_symbol(void *library, const char *name);
#endif
