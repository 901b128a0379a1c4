/* usage: how much the instances of a store have used of each resource that has a limit.
 * In: a store. Out: the peak of each resource. Purpose: choosing limits. */
#ifndef TS_CORE_RUN_USAGE_H
#define TS_CORE_RUN_USAGE_H
#include "core/run/store.h"

typedef struct ts_store_usage {
    uint64_t fuel;        /* 0 if fuel is not metered */
    uint64_t stack_bytes; /* of the value stack, up to the highest slot that was written */
    uint64_t depth;       /* nested calls through the host or between components */
    uint64_t gc_bytes;    /* obtained from the system by the heap of structs, arrays and exceptions */
    uint64_t table_elems; /* of the largest table */
    uint64_t instances;   /* core instances */
    ts_refused memory, table;
} ts_store_usage;

/* It reads the value stack as far as it was used, so it is meant for the end of a run. */
void ts_store_get_usage(const ts_store *s, ts_store_usage *out);
/* Returns the k-th memory that this instance defines, counted from 0, or NULL. Memories never shrink, so
 * that its size is its peak. */
const ts_memory *ts_instance_own_memory(const ts_instance *i, uint32_t k);
#endif
