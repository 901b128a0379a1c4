/* build_id: see build_id.h. */
#define _GNU_SOURCE
#include "sys/build_id.h"
#include <elf.h>
#include <link.h>
#include <string.h>

struct search {
    uintptr_t address; /* in the object whose note is wanted */
    uint8_t *out;
    size_t len;
};

static bool contains(const struct dl_phdr_info *object, uintptr_t address) {
    for (unsigned i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &object->dlpi_phdr[i];
        if (p->p_type == PT_LOAD && address - (object->dlpi_addr + p->p_vaddr) < p->p_memsz) return true;
    }
    return false;
}
static void read_notes(struct search *s, const uint8_t *at, size_t len) {
    ElfW(Nhdr) note;
    while (len >= sizeof note) {
        memcpy(&note, at, sizeof note);
        size_t name = ((size_t)note.n_namesz + 3) / 4 * 4, value = ((size_t)note.n_descsz + 3) / 4 * 4;
        if (name > len - sizeof note || value > len - sizeof note - name) return;
        const uint8_t *bytes = at + sizeof note;
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && memcmp(bytes, "GNU", 4) == 0 &&
            note.n_descsz <= TS_BUILD_ID_MAX) {
            memcpy(s->out, bytes + name, note.n_descsz);
            s->len = note.n_descsz;
            return;
        }
        at += sizeof note + name + value;
        len -= sizeof note + name + value;
    }
}
static int look(struct dl_phdr_info *object, size_t size, void *data) {
    (void)size;
    struct search *s = data;
    if (!contains(object, s->address)) return 0;
    for (unsigned i = 0; i < object->dlpi_phnum && !s->len; i++) {
        const ElfW(Phdr) *p = &object->dlpi_phdr[i];
        if (p->p_type == PT_NOTE) read_notes(s, (const uint8_t *)(object->dlpi_addr + p->p_vaddr), p->p_memsz);
    }
    return 1;
}

size_t ts_build_id(uint8_t out[TS_BUILD_ID_MAX]) {
    struct search s = {.address = (uintptr_t)look, .out = out};
    dl_iterate_phdr(look, &s);
    return s.len;
}
