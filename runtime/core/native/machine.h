/* machine: machine code where it runs: many functions side by side, in pages that nobody can write to.
 * In: what native.h made. Out: executable pages, and which word of the IR an instruction belongs to.
 *
 * A room is address space, filled from its beginning. The next code goes behind what is there, into the same page if that
 * has space left: new pages get a copy of what the page has already, and the new code; they become executable, and then
 * take the page's place at once, while other threads execute it. So no page is ever writable and executable, and no
 * page that is executable becomes writable. */
#ifndef TS_CORE_MACHINE_H
#define TS_CORE_MACHINE_H
#include "base/vec.h"
#include "core/native/native.h"
#include "sys/thread.h"

/* The machine code of one function. */
typedef struct ts_machine_code {
    uint8_t *code; /* in the room */
    uint32_t len, n_faults;
    const ts_native_entry *faults; /* the instructions that access a guarded memory, by `code` */
    bool owns_faults;
} ts_machine_code;

typedef struct ts_machine_region {
    uint8_t *base;
    size_t len, used; /* bytes of address space; from the beginning on */
} ts_machine_region;
typedef struct ts_machine_room {
    ts_engine *engine;
    ts_lock lock;
    TS_VEC(ts_machine_region) regions; /* the last one is filled */
} ts_machine_room;

/* An empty room. Returns false if the system has no lock. The room does not move, and outlives its code. */
bool ts_machine_room_init(ts_machine_room *r, ts_engine *engine) TS_MUST_USE;
/* Gives the pages back. The room may be all zero. */
void ts_machine_room_free(ts_machine_room *r);

/* One function that is installed. */
typedef struct ts_machine_job {
    const ts_native *native;
    const ts_native_source *from; /* not NULL: the copy is linked for it */
    bool shares_faults;           /* native->faults outlives the code, which does not copy it */
    ts_machine_code *made;        /* the result: NULL, or the caller's, who calls ts_machine_free */
} ts_machine_job;
/* Copies the code of n functions into the room, all of it at once: a few system calls for many functions. `made` is NULL
 * if there is no memory, if the system refuses executable pages, or if the engine's limit is reached. Any thread may call
 * it. */
void ts_machine_install(ts_machine_room *r, ts_machine_job *jobs, uint32_t n);
/* Frees what describes the code, which stays in the room. NULL is allowed. */
void ts_machine_free(ts_machine_code *m);
/* Whether the address is in this code. Then *word is the word of the IR that the instruction there belongs to, or
 * UINT32_MAX if it does not access a guarded memory. */
bool ts_machine_has(const ts_machine_code *m, uintptr_t address, uint32_t *word);
#endif
