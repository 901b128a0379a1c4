/* usage: what the instances of a store have taken, for those who choose limits.
 * In: a store. Out: the most of everything that a limit bounds. */
#ifndef TS_CORE_RUN_USAGE_H
#define TS_CORE_RUN_USAGE_H
#include "core/run/store.h"

typedef struct ts_store_usage {
    uint64_t fuel;        /* used; 0 where it is not metered */
    uint64_t stack_bytes; /* of the stack of values, as deep as it was written to */
    uint64_t depth;       /* nested calls through the host or between components */
    uint64_t gc_bytes;    /* held by the heap of structs, arrays and exceptions */
    uint64_t table_elems; /* of the largest table */
    uint64_t instances;   /* core instances */
    ts_refused memory, table;
} ts_store_usage;

/* Reads the whole stack: for the end of a run. */
void ts_store_get_usage(const ts_store *s, ts_store_usage *out);
/* A memory that this instance defines: k counts them from 0. NULL: there are no more. Memories never shrink: its size is the most. */
const ts_memory *ts_instance_own_memory(const ts_instance *i, uint32_t k);
#endif
