/* gdb_jit: tells gdb, and lldb, the functions with machine code, each by an ELF object in memory that has its symbol.
 * In: functions, as they get machine code, and modules that end. Out: the list that a debugger reads when the function
 * __jit_debug_register_code is called, where it has a breakpoint.
 * Source: GDB manual, "JIT Compilation Interface"; System V ABI, ELF-64 */
#include "base/vec.h"
#include "core/module/engine.h"
#include "core/native/machine.h"
#include "core/tools/tools.h"
#include "sys/thread.h"
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the interface, whose names gdb knows --------------------------------------------------------------------- */
enum { JIT_NOACTION, JIT_REGISTER, JIT_UNREGISTER };
struct jit_code_entry {
    struct jit_code_entry *next_entry, *prev_entry;
    const char *symfile_addr;
    uint64_t symfile_size;
};
struct jit_descriptor {
    uint32_t version, action_flag;
    struct jit_code_entry *relevant_entry, *first_entry;
};
/* Weak: another engine of the process may define them too, and the debugger looks at one. */
__attribute__((weak, visibility("default"))) struct jit_descriptor __jit_debug_descriptor = {.version = 1};
__attribute__((weak, noinline, visibility("default"))) void __jit_debug_register_code(void) {
    __asm__ volatile("" ::: "memory");
}
static ts_lock lock = {PTHREAD_MUTEX_INITIALIZER}; /* of the descriptor, which is the process's */

/* --- an object ------------------------------------------------------------------------------------------------ */
typedef struct elf_header {
    unsigned char ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
} elf_header;
typedef struct elf_section {
    uint32_t name, type;
    uint64_t flags, addr, offset, size;
    uint32_t link, info;
    uint64_t align, entsize;
} elf_section;
typedef struct elf_symbol {
    uint32_t name;
    unsigned char info, other;
    uint16_t section;
    uint64_t value, size;
} elf_symbol;
_Static_assert(sizeof(elf_header) == 64 && sizeof(elf_section) == 64 && sizeof(elf_symbol) == 24, "ELF-64");
#define SECTION_NAMES "\0.text\0.symtab\0.strtab"
enum { NONE, TEXT, SYMTAB, STRTAB, SECTIONS, NAME_TEXT = 1, NAME_SYMTAB = 7, NAME_STRTAB = 15 };
enum { TYPE_NOBITS = 8, TYPE_SYMTAB = 2, TYPE_STRTAB = 3, FLAG_ALLOC = 2, FLAG_EXEC = 4, GLOBAL_FUNC = 1 << 4 | 2 };
typedef struct object {
    struct jit_code_entry entry; /* the first member */
    const ts_module *module;     /* NULL: code that is the engine's */
    elf_header header;
    elf_section sections[SECTIONS];
    elf_symbol symbols[2];
    char strings[sizeof SECTION_NAMES + TS_CODE_NAME];
} object;
#define PLACE(member) (offsetof(object, member) - offsetof(object, header))

static object *object_new(const ts_module *module, const uint8_t *code, uint32_t size, const char *name) {
    object *o = calloc(1, sizeof *o);
    if (!o) return NULL;
    memcpy(o->strings, SECTION_NAMES, sizeof SECTION_NAMES);
    snprintf(o->strings + sizeof SECTION_NAMES, TS_CODE_NAME, "%s", name);
    o->module = module;
    o->header = (elf_header){.ident = {0x7f, 'E', 'L', 'F', 2, 1, 1},
                             .type = 1, /* relocatable, though its addresses are final */
#if defined(__aarch64__)
                             .machine = 183,
#else
                             .machine = 62,
#endif
                             .version = 1,
                             .shoff = PLACE(sections),
                             .ehsize = sizeof o->header,
                             .shentsize = sizeof *o->sections,
                             .shnum = SECTIONS,
                             .shstrndx = STRTAB};
    o->sections[TEXT] = (elf_section){.name = NAME_TEXT,
                                      .type = TYPE_NOBITS,
                                      .flags = FLAG_ALLOC | FLAG_EXEC,
                                      .addr = (uintptr_t)code,
                                      .size = size,
                                      .align = 16};
    o->sections[SYMTAB] = (elf_section){.name = NAME_SYMTAB,
                                        .type = TYPE_SYMTAB,
                                        .offset = PLACE(symbols),
                                        .size = sizeof o->symbols,
                                        .link = STRTAB,
                                        .info = 1,
                                        .align = 8,
                                        .entsize = sizeof *o->symbols};
    o->sections[STRTAB] = (elf_section){
        .name = NAME_STRTAB, .type = TYPE_STRTAB, .offset = PLACE(strings), .size = sizeof o->strings, .align = 1};
    o->symbols[1] = (elf_symbol){.name = sizeof SECTION_NAMES, .info = GLOBAL_FUNC, .section = TEXT, .size = size};
    o->entry.symfile_addr = (const char *)&o->header;
    o->entry.symfile_size = sizeof *o - offsetof(object, header);
    return o;
}

/* --- the list ------------------------------------------------------------------------------------------------- */
static void tell(struct jit_code_entry *e, uint32_t action) { /* under the lock */
    __jit_debug_descriptor.relevant_entry = e;
    __jit_debug_descriptor.action_flag = action;
    __jit_debug_register_code();
    __jit_debug_descriptor.action_flag = JIT_NOACTION;
}
typedef struct gdb_jit {
    ts_code_watch watch; /* the first member */
    TS_VEC(object *) objects;
} gdb_jit;
static void add(gdb_jit *g, const ts_module *module, const uint8_t *code, uint32_t size, const char *name) {
    object *o = object_new(module, code, size, name);
    ts_lock_take(&lock);
    if (o && ts_vec_push(&g->objects, o)) {
        o->entry.next_entry = __jit_debug_descriptor.first_entry;
        if (o->entry.next_entry) o->entry.next_entry->prev_entry = &o->entry;
        __jit_debug_descriptor.first_entry = &o->entry;
        tell(&o->entry, JIT_REGISTER);
    } else {
        free(o); /* the debugger does not know this function, for lack of memory */
    }
    ts_lock_give(&lock);
}
static void made(ts_code_watch *w, ts_fcode *c) {
    char name[TS_CODE_NAME];
    ts_code_name(c, name, sizeof name);
    add((gdb_jit *)w, c->module, c->machine->code, c->machine->len, name);
}
static void shared(ts_code_watch *w, const uint8_t *code, uint32_t size, const char *name) {
    add((gdb_jit *)w, NULL, code, size, name);
}
static void forget(object *o) { /* under the lock */
    struct jit_code_entry *e = &o->entry;
    if (e->prev_entry)
        e->prev_entry->next_entry = e->next_entry;
    else
        __jit_debug_descriptor.first_entry = e->next_entry;
    if (e->next_entry) e->next_entry->prev_entry = e->prev_entry;
    tell(e, JIT_UNREGISTER);
    free(o);
}
/* Forgets the code of a module; NULL: the engine's. */
static void forget_all(gdb_jit *g, const ts_module *m) {
    uint32_t kept = 0;
    ts_lock_take(&lock);
    for (uint32_t i = 0; i < g->objects.len; i++)
        if (g->objects.data[i]->module == m)
            forget(g->objects.data[i]);
        else
            g->objects.data[kept++] = g->objects.data[i];
    g->objects.len = kept;
    ts_lock_give(&lock);
}
static void module_ends(ts_code_watch *w, ts_module *m) {
    forget_all((gdb_jit *)w, m);
}
static void end(ts_code_watch *w) {
    gdb_jit *g = (gdb_jit *)w;
    forget_all(g, NULL); /* all modules have ended */
    ts_vec_free(&g->objects);
    free(g);
}
ts_status ts_engine_set_gdb_jit(ts_engine *engine, ts_error *e) {
    TS_NEED(e, engine);
    gdb_jit *g = calloc(1, sizeof *g);
    if (!g) return ts_fail_nomem(e);
    g->watch = (ts_code_watch){.made = made, .shared = shared, .ends = module_ends, .free = end};
    ts_engine_watch(engine, &g->watch);
    return TS_OK;
}
