/* memory: see memory.h. */
#include "core/run/memory.h"
#include "core/run/call.h"
#include "core/run/spares.h"
#include "sys/fault.h"
#include "sys/pages.h"
#include <stdlib.h>
#include <string.h>

#define GIB (1024ull * 1024 * 1024)

/* The size of a guarded reservation in bytes: a 32-bit index plus a 32-bit static offset cannot reach
 * beyond it, the widest access included. */
static const uint64_t GUARDED_RESERVE = 8 * GIB + 65536;

static uint64_t memory_limit(const ts_store *s, const ts_limits *t) {
    if (s->limits.memory_bytes) return s->limits.memory_bytes;
    return t->is64 ? 16 * GIB : 4 * GIB;
}

/* The maximum in pages that the type itself allows, regardless of the store's limits. */
static uint64_t type_maximum(const ts_limits *t) {
    uint8_t log2 = t->page_log2;
    uint64_t index_pages = t->is64 ? (log2 ? 1ull << (64 - log2) : UINT64_MAX) : 1ull << (32 - log2);
    return t->has_max && t->max < index_pages ? t->max : index_pages;
}
/* Saturates at UINT64_MAX. */
static uint64_t pages_to_bytes(uint64_t pages, uint8_t log2) {
    return pages > UINT64_MAX >> log2 ? UINT64_MAX : pages << log2;
}

ts_status ts_memory_make(ts_store *s, const ts_limits *type, ts_memory **out, ts_error *e) {
    return ts_memory_make_for(s, NULL, type, out, e);
}
ts_status ts_memory_make_for(ts_store *s, const ts_module *module, const ts_limits *type, ts_memory **out,
                             ts_error *e) {
    *out = NULL;
    const uint8_t log2 = type->page_log2;
    const uint64_t max = type_maximum(type);
    uint64_t allowed = memory_limit(s, type) >> log2;
    if (type->min > max || type->min > allowed) {
        char want[TS_SIZE_TEXT], most[TS_SIZE_TEXT], page[TS_SIZE_TEXT];
        return ts_fail_limit(
            e, TS_LIMIT_MEMORY, TS_TRAP_NONE, "a memory of %s (%llu page%s of %s) is over the limit of %s",
            ts_size_text(pages_to_bytes(type->min, log2), want), (unsigned long long)type->min,
            type->min == 1 ? "" : "s", ts_size_text(1ull << log2, page), ts_size_text(memory_limit(s, type), most));
    }
    ts_memory *m = ts_arena_alloc(&s->arena, sizeof *m);
    if (!m) return ts_fail_nomem(e);
    m->store = s;
    m->type = *type;
    m->max_pages = max < allowed ? max : allowed;
    m->pages = type->min;
    m->len = type->min << log2;
    if (!type->is64 && log2 == 16 && !s->limits.explicit_checks && ts_fault_install() && ts_exec_locates_faults()) {
        bool kept = ts_spares_take_memory(s->limits.spares, module, m);
        if (!kept) m->base = ts_pages_reserve(GUARDED_RESERVE);
        if (kept) {
            if (ts_vec_push(&s->mems, m)) {
                *out = m;
                return TS_OK;
            }
            ts_memory_release(m);
            return ts_fail_nomem(e);
        }
        if (m->base) {
            m->reserved = GUARDED_RESERVE;
            m->guarded = true;
        }
    }
    if (!m->base) { /* no guard pages: reserve the memory's maximum, so that growing need not move it */
        uint64_t most = m->max_pages << log2;
        if (most > 0) m->base = ts_pages_reserve(most);
        if (m->base) m->reserved = most;
    }
    if (m->base && !ts_pages_commit(m->base, m->len)) ts_memory_release(m);
    if (!m->base && m->max_pages > 0) { /* no room to reserve: growing will move the memory */
        m->guarded = false;
        m->reserved = m->len ? m->len : 1;
        m->base = ts_pages_resize(NULL, 0, m->reserved);
        if (!m->base) return ts_fail_nomem(e);
    }
    if (!ts_vec_push(&s->mems, m)) {
        ts_memory_release(m);
        return ts_fail_nomem(e);
    }
    *out = m;
    return TS_OK;
}

/* spec: exec/modules#growing-memories */
int64_t ts_memory_grow(ts_store *s, ts_memory *m, uint64_t delta) {
    uint64_t old = m->pages;
    if (delta > m->max_pages - old) {
        if (delta <= type_maximum(&m->type) - old)
            ts_refuse(&s->refused_memory, pages_to_bytes(old + delta, m->type.page_log2));
        return -1;
    }
    if (delta == 0) return (int64_t)old;
    uint64_t len = (old + delta) << m->type.page_log2;
    if (len <= m->reserved) {
        size_t from = m->len & ~(uint64_t)(ts_pages_size() - 1); /* 1-byte pages may end inside one */
        if (!ts_pages_commit(m->base + from, len - from)) return -1;
    } else {
        uint64_t most = m->max_pages << m->type.page_log2, want = len + len / 2;
        if (want > most) want = most;
        uint8_t *base = ts_pages_resize(m->base, m->reserved, want);
        if (!base) base = ts_pages_resize(m->base, m->reserved, want = len);
        if (!base) return -1;
        m->reserved = want;
        if (base != m->base) {
            m->base = base;
            for (ts_instance *i = s->instances; i; i = i->next)
                if (i->module->n_mems && i->mems[0] == m) i->mem0_base = base;
        }
    }
    m->pages = old + delta;
    m->len = len;
    return (int64_t)old;
}

void ts_memory_release(ts_memory *m) {
    ts_pages_release(m->base, m->reserved);
    ts_module_free(m->image_module);
    m->base = NULL;
    m->image_module = NULL;
}
