/* names: the custom section "name": the names of a module and its functions. Symbols of Rust become paths.
 * In: a module. Out: a name, cut to the buffer's size at a character's start. An error in the section ends
 * the search. spec: appendix/custom */
#include "base/demangle.h"
#include "base/reader.h"
#include "core/module/module.h"
#include <string.h>

enum { SUB_MODULE = 0, SUB_FUNCTION = 1 };

static void put(const char *name, uint32_t len, char *buf, size_t size) {
    if (len >= size) {
        len = (uint32_t)size - 1;
        while (len > 0 && ((uint8_t)name[len] & 0xc0) == 0x80) len--; /* never cut within a character */
    }
    memcpy(buf, name, len);
    buf[len] = 0;
}

/* A reader over the subsection with this id. */
static bool subsection(const ts_module *m, uint8_t want, ts_reader *out) {
    if (!m->names.at) return false;
    ts_reader r = {.at = m->names.at, .end = m->names.at + m->names.len, .base = m->bytes};
    while (!ts_reader_done(&r)) {
        uint8_t id = 0;
        uint32_t size = 0;
        if (ts_read_u8(&r, &id) != TS_OK || ts_read_u32(&r, &size) != TS_OK || ts_read_sub(&r, size, out) != TS_OK)
            return false;
        if (id == want) return true;
    }
    return false;
}

bool ts_module_name(const ts_module *m, char *buf, size_t size) {
    ts_reader r;
    const char *name;
    uint32_t len = 0;
    if (size == 0 || !subsection(m, SUB_MODULE, &r) || ts_read_name(&r, &name, &len) != TS_OK) return false;
    put(name, len, buf, size);
    return true;
}

/* Names are in the order of their indices, so this linear search ends early. Only backtraces use it. */
bool ts_module_func_name(const ts_module *m, uint32_t func, char *buf, size_t size) {
    ts_reader r;
    uint32_t n = 0;
    if (size == 0 || !subsection(m, SUB_FUNCTION, &r) || ts_read_u32(&r, &n) != TS_OK) return false;
    for (uint32_t i = 0; i < n; i++) {
        const char *name;
        uint32_t index = 0, len = 0;
        if (ts_read_u32(&r, &index) != TS_OK || ts_read_name(&r, &name, &len) != TS_OK || index > func) return false;
        if (index != func) continue;
        if (!ts_demangle_rust(name, len, buf, size)) put(name, len, buf, size);
        return true;
    }
    return false;
}
