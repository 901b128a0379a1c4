/* script: the whole of a file as a string. */
#ifndef REAL_SCRIPT_H
#define REAL_SCRIPT_H
#include <stdio.h>
#include <stdlib.h>

/* The caller frees it. *size does not count the NUL behind it. NULL: it cannot be read. */
static char *read_script(const char *path, size_t *size) {
    FILE *f = fopen(path, "rb");
    if (!f || fseek(f, 0, SEEK_END) != 0) return NULL;
    *size = (size_t)ftell(f);
    rewind(f);
    char *script = malloc(*size + 1);
    if (!script || fread(script, 1, *size, f) != *size) return NULL;
    script[*size] = 0;
    return script;
}
#endif
