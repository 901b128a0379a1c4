/* disassembler: see disassembler.h. */
#include "core/tools/disassembler.h"
#include "base/cfi.h"
#include "sys/library.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The part of struct cs_insn that is used. Version 5 has longer `bytes`. */
typedef struct insn4 {
    unsigned id;
    uint64_t address;
    uint16_t size;
    uint8_t bytes[16];
    char mnemonic[32], op_str[160];
} insn4;
typedef struct insn5 {
    unsigned id;
    uint64_t address;
    uint16_t size;
    uint8_t bytes[24];
    char mnemonic[32], op_str[160];
} insn5;
enum { ARCH_ARM64 = 1, ARCH_X86 = 3, MODE_ARM = 0, MODE_64 = 1 << 3 };

struct ts_disassembler {
    bool five;
    size_t handle;
    int (*open)(int arch, int mode, size_t *handle);
    int (*close)(size_t *handle);
    size_t (*disasm)(size_t handle, const uint8_t *code, size_t len, uint64_t address, size_t count, void **insn);
    void (*free)(void *insn, size_t count);
};

static TS_UNCHECKED_CALLS bool load(ts_disassembler *d) {
    void *library = ts_library_open("libcapstone.so.5");
    d->five = library != NULL;
    if (!library) library = ts_library_open("libcapstone.so.4");
    if (!library) return false;
    *(void **)&d->open = ts_library_symbol(library, "cs_open");
    *(void **)&d->close = ts_library_symbol(library, "cs_close");
    *(void **)&d->disasm = ts_library_symbol(library, "cs_disasm");
    *(void **)&d->free = ts_library_symbol(library, "cs_free");
    if (!d->open || !d->close || !d->disasm || !d->free) return false;
#if defined(__aarch64__)
    return d->open(ARCH_ARM64, MODE_ARM, &d->handle) == 0;
#else
    return d->open(ARCH_X86, MODE_64, &d->handle) == 0;
#endif
}
ts_disassembler *ts_disassembler_new(void) {
    ts_disassembler *d = calloc(1, sizeof *d);
    if (d && load(d)) return d;
    free(d);
    return NULL;
}
TS_UNCHECKED_CALLS void ts_disassembler_free(ts_disassembler *d) {
    if (d) d->close(&d->handle);
    free(d);
}
TS_UNCHECKED_CALLS size_t ts_disassemble(ts_disassembler *d, const uint8_t *code, size_t len, uint64_t address,
                                         char *text, size_t size) {
    void *one = NULL;
    if (d->disasm(d->handle, code, len, address, 1, &one) != 1) return 0;
    const insn4 *four = one;
    const insn5 *five = one;
    size_t n = d->five ? five->size : four->size;
    snprintf(text, size, "%-7s %s", d->five ? five->mnemonic : four->mnemonic, d->five ? five->op_str : four->op_str);
    d->free(one, 1);
    return n;
}
