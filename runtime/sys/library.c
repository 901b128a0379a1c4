/* sys/library: see library.h. */
#include "sys/library.h"
#include <dlfcn.h>

void *ts_library_open(const char *name) {
    return dlopen(name, RTLD_NOW | RTLD_LOCAL);
}
void *ts_library_symbol(void *library, const char *name) {
    return dlsym(library, name);
}
