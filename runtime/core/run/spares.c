/* spares: see spares.h */
#include "core/run/spares.h"
#include "core/run/image.h"
#include "sys/pages.h"
#include <stdlib.h>
#include <string.h>

enum {
    MAX_MEMORIES = 8,
    MAX_INSTANCES = 4,
    INSTANCE_MAX = 4 << 20, /* bytes: larger instances are not kept */
    /* up to this size in bytes, clearing the pages that were written is faster than returning all of them */
    CLEAR_MAX = 256 * 1024,
    PAGE_BYTES = 4096,
    STACK_KEPT = 256 * 1024, /* of each stack, these bytes are never returned to the system */
    STACK_ROUNDS = 64,       /* the others are returned each time that this many stacks have been kept */
};

typedef struct spare {
    uint8_t *base;
    size_t reserved;
    uint64_t len; /* committed bytes */
    /* The module whose image is mapped over it, or NULL. The reference keeps its address from being
     * reused. */
    ts_module *image_module;
} spare;

struct ts_spares {
    spare memories[MAX_MEMORIES];
    uint32_t n, next; /* next: the one to replace when all places are taken */
    ts_instance *instances[MAX_INSTANCES];
    uint32_t n_instances, next_instance;
    void *stack;
    size_t stack_len;
    uint32_t stack_rounds;
};

ts_spares *ts_spares_new(void) {
    return calloc(1, sizeof(ts_spares));
}

static void release_spare(spare *p) {
    ts_pages_release(p->base, p->reserved);
    ts_module_free(p->image_module);
    p->base = NULL;
    p->image_module = NULL;
}

static void release_instance(ts_instance *i) {
    ts_module_free(i->module);
    ts_pages_release(i, i->pages_len);
}

void ts_spares_free(ts_spares *s) {
    if (!s) return;
    for (uint32_t i = 0; i < s->n_instances; i++) release_instance(s->instances[i]);
    for (uint32_t i = 0; i < s->n; i++) release_spare(&s->memories[i]);
    ts_pages_release(s->stack, s->stack_len);
    free(s);
}

bool ts_spares_take_memory(ts_spares *s, const ts_module *module, ts_memory *m) {
    for (uint32_t i = 0; s && i < s->n; i++) {
        spare *p = &s->memories[i];
        if (p->len != m->len || (p->image_module && p->image_module != module)) continue;
        m->base = p->base;
        m->reserved = p->reserved;
        m->guarded = true;
        m->image_module = p->image_module;
        *p = s->memories[--s->n];
        return true;
    }
    return false;
}

static bool is_zero(const uint8_t *p) {
    uint64_t any = 0;
    for (size_t i = 0; i < PAGE_BYTES; i += 64) {
        uint64_t w[8];
        memcpy(w, p + i, sizeof w);
        any |= (w[0] | w[1]) | (w[2] | w[3]) | (w[4] | w[5]) | (w[6] | w[7]);
    }
    return any == 0;
}

/* Gives the first `len` bytes their first contents again. Returns false if the system cannot. */
static bool clear(ts_memory *m, uint64_t len) {
    ts_module *image = m->image_module;
    if (image) {
        ts_image_learn(image, m->base, len);
        if (ts_image_restore(image, m->base, len)) return true;
        if (!ts_pages_renew(m->base, len)) return false;
        ts_image_prepare(image, m->base);
        return true;
    }
    if (len > CLEAR_MAX) return ts_pages_renew(m->base, len);
    for (uint64_t at = 0; at < len; at += PAGE_BYTES)
        if (!is_zero(m->base + at)) memset(m->base + at, 0, PAGE_BYTES);
    return true;
}

bool ts_spares_keep_memory(ts_spares *s, ts_memory *m) {
    uint64_t len = m->type.min << m->type.page_log2;
    if (!s || !m->guarded || !m->base || len == 0) return false;
    if (m->len > len && !ts_pages_decommit(m->base + len, m->len - len)) return false;
    if (!clear(m, len)) return false;
    spare *p = &s->memories[s->n];
    if (s->n < MAX_MEMORIES) {
        s->n++;
    } else {
        p = &s->memories[s->next++ % MAX_MEMORIES];
        release_spare(p);
    }
    *p = (spare){.base = m->base, .reserved = m->reserved, .len = len, .image_module = m->image_module};
    m->base = NULL;
    m->image_module = NULL;
    return true;
}

ts_instance *ts_spares_take_instance(ts_spares *s, const ts_module *module) {
    for (uint32_t i = s ? s->n_instances : 0; i--;) { /* the one that was used last first */
        ts_instance *x = s->instances[i];
        if (x->module != module) continue;
        s->instances[i] = s->instances[--s->n_instances];
        return x;
    }
    return NULL;
}

bool ts_spares_keep_instance(ts_spares *s, ts_instance *i) {
    if (!s || !i->pages_len || i->pages_len > INSTANCE_MAX || i->own_form == TS_FORM_COUNT) return false;
    ts_instance **x = &s->instances[s->n_instances];
    if (s->n_instances < MAX_INSTANCES) {
        s->n_instances++;
    } else {
        x = &s->instances[s->next_instance++ % MAX_INSTANCES];
        release_instance(*x);
    }
    *x = i;
    return true;
}

void *ts_spares_take_stack(ts_spares *s, size_t len) {
    if (!s || !s->stack || s->stack_len != len) return NULL;
    void *stack = s->stack;
    s->stack = NULL;
    return stack;
}

/* The contents need not be cleared, because a frame is written before it is read. How much of the stack
 * was used is not known, so its far end is returned to the system from time to time. */
bool ts_spares_keep_stack(ts_spares *s, void *stack, size_t len) {
    if (!s || !stack || s->stack) return false;
    if (++s->stack_rounds % STACK_ROUNDS == 0 && len > STACK_KEPT &&
        !ts_pages_renew((uint8_t *)stack + STACK_KEPT, len - STACK_KEPT))
        return false;
    s->stack = stack;
    s->stack_len = len;
    return true;
}
