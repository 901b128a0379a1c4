/* test_stack: every public call works on a thread with a small stack, or returns a status.
 * In: the deepest possible inputs, on threads of many sizes: nested types, components, instances, values,
 * calls, destructors, lists of the garbage collector. make_deep.py makes the component_deep_… inputs. Out:
 * cmocka results. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "tests/data/component_deep.h"
#include "sys/stack.h"
#include "touchstone.h"

#if defined(__SANITIZE_ADDRESS__)
#define SMALL (512 << 10)
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SMALL (512 << 10)
#endif
#endif
#ifndef SMALL
#define SMALL (256 << 10)
#define CALLS SMALL
#else
#define CALLS (16 << 20) /* without optimization the interpreter's frame takes half a megabyte */
#endif

/* A task runs on a thread of its own. cmocka's assertions belong to the test's thread, so the
 * task reports by text. */
typedef struct task {
    void (*fn)(struct task *t);
    size_t stack, enough; /* a stack that is enough; 0 means SMALL */
    const void *bytes;
    size_t len;
    char wrong[400]; /* "" if nothing failed */
    ts_status status;
} task;
static void *on_thread(void *data) {
    task *t = data;
    t->fn(t);
    return NULL;
}
static void run_on(size_t stack, task *t) {
    pthread_attr_t attr;
    pthread_t thread;
    t->stack = stack;
    if (!t->enough) t->enough = SMALL;
    t->wrong[0] = 0;
    assert_int_equal(pthread_attr_init(&attr), 0);
    assert_int_equal(pthread_attr_setstacksize(&attr, stack), 0);
    assert_int_equal(pthread_create(&thread, &attr, on_thread, t), 0);
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attr);
    if (t->wrong[0]) fail_msg("on %zu KiB: %s", stack >> 10, t->wrong);
}
/* Small stacks first: calls complete if the stack has the promised size, and return a status otherwise. */
static void run_on_all(task *t) {
    for (size_t kib = SMALL / 4096; kib <= 2 * SMALL / 1024; kib += SMALL / 8192) run_on(kib << 10, t);
    if (t->enough > 2 * SMALL) run_on(t->enough, t);
}
static bool small_enough(const task *t) { /* a status that reports a lack of stack is right */
    return t->stack < t->enough;
}

#define WANT(t, cond, ...)                                                                                             \
    do {                                                                                                               \
        if (!(cond)) {                                                                                                 \
            if (!(t)->wrong[0]) {                                                                                      \
                int n_ = snprintf((t)->wrong, sizeof(t)->wrong, "line %d: %s: ", __LINE__, #cond);                     \
                snprintf((t)->wrong + n_, sizeof(t)->wrong - (size_t)n_, __VA_ARGS__);                                 \
            }                                                                                                          \
            goto out;                                                                                                  \
        }                                                                                                              \
    } while (0)

/* --- inputs as bytes ------------------------------------------------------------------------------------ */
typedef struct buf {
    uint8_t *at;
    size_t len, cap;
} buf;
static void put(buf *b, const void *p, size_t n) {
    if (b->len + n > b->cap) {
        b->cap = (b->len + n) * 2;
        b->at = realloc(b->at, b->cap);
        assert_non_null(b->at);
    }
    if (n) memcpy(b->at + b->len, p, n);
    b->len += n;
}
static void byte(buf *b, uint8_t v) {
    put(b, &v, 1);
}
static void leb(buf *b, size_t v) {
    for (; v >= 128; v >>= 7) byte(b, (uint8_t)(v & 127) | 128);
    byte(b, (uint8_t)v);
}
static void section(buf *b, uint8_t id, const buf *content) {
    byte(b, id);
    leb(b, content->len);
    put(b, content->at, content->len);
}
static void preamble(buf *b) {
    put(b, "\0asm\x0d\0\1\0", 8);
}
/* The inner part is written first. */
static buf nested_components(unsigned depth) {
    buf in = {0};
    preamble(&in);
    while (depth--) {
        buf out = {0};
        preamble(&out);
        section(&out, 4, &in);
        free(in.at);
        in = out;
    }
    return in;
}
static buf nested_types(uint8_t kind, unsigned depth) {
    buf t = {0}, out = {0};
    byte(&t, 1);
    for (; depth; depth--) put(&t, (uint8_t[]){kind, 1, 1}, 3);
    put(&t, (uint8_t[]){kind, 0}, 2);
    preamble(&out);
    section(&out, 7, &t);
    free(t.at);
    return out;
}
/* Types that each contain the one before: instance { alias outer 1 (type N - 1); export "x" (instance N) } …,
 * with a resource type in the innermost one. The last one is imported. */
static buf chain_of_types(uint8_t kind, unsigned depth, bool import) {
    buf t = {0}, out = {0};
    leb(&t, depth + 1);
    put(&t, (uint8_t[]){kind, 1, 4, 0, 1, 'r', 3, 1}, 8); /* export "r" (type (sub resource)) */
    for (unsigned i = 0; i < depth; i++) {
        put(&t, (uint8_t[]){kind, 2, 2, 3, 2, 1}, 6);
        leb(&t, i);
        put(&t, (uint8_t[]){4, 0, 1, 'x', kind == 0x42 ? 5 : 4, 0}, 6);
    }
    preamble(&out);
    section(&out, 7, &t);
    t.len = 0;
    byte(&t, 1);
    put(&t, (uint8_t[]){0, 1, 'x', kind == 0x42 ? 5 : 4}, 4);
    leb(&t, depth);
    if (import) section(&out, 10, &t);
    free(t.at);
    return out;
}
/* list<option<tuple<… u8>>>, and a function of it. */
static buf chain_of_values(unsigned depth) {
    buf t = {0}, out = {0};
    leb(&t, depth + 1);
    put(&t, (uint8_t[]){0x70, 0x7d}, 2);
    for (unsigned i = 0; i + 1 < depth; i++) {
        put(&t,
            i % 3 == 0   ? (uint8_t[]){0x70}
            : i % 3 == 1 ? (uint8_t[]){0x6b}
                         : (uint8_t[]){0x6f, 1},
            i % 3 == 2 ? 2 : 1);
        leb(&t, i);
        if (i >= 64) { /* type indices are encoded as signed numbers */
            t.at[t.len - 1] |= 0x80;
            byte(&t, 0);
        }
    }
    put(&t, (uint8_t[]){0x40, 1, 1, 'x'}, 4);
    leb(&t, depth - 1);
    if (depth - 1 >= 64) {
        t.at[t.len - 1] |= 0x80;
        byte(&t, 0);
    }
    put(&t, (uint8_t[]){1, 0}, 2);
    preamble(&out);
    section(&out, 7, &t);
    t.len = 0;
    put(&t, (uint8_t[]){1, 0, 1, 'x', 1}, 5);
    leb(&t, depth);
    section(&out, 10, &t);
    free(t.at);
    return out;
}
/* A core module with one function of nested blocks, in a component. */
static buf nested_blocks(unsigned depth) {
    buf body = {0}, code = {0}, m = {0}, out = {0};
    byte(&body, 0);
    for (unsigned i = 0; i < depth; i++) put(&body, (uint8_t[]){2, 0x40}, 2);
    for (unsigned i = 0; i <= depth; i++) byte(&body, 0x0b);
    byte(&code, 1);
    leb(&code, body.len);
    put(&code, body.at, body.len);
    put(&m, "\0asm\1\0\0\0\1\4\1\x60\0\0\3\2\1\0", 18);
    section(&m, 10, &code);
    preamble(&out);
    section(&out, 1, &m);
    free(body.at);
    free(code.at);
    free(m.at);
    return out;
}

/* --- loading -------------------------------------------------------------------------------------------- */
static void load(task *t) {
    ts_error e;
    ts_engine *engine = NULL;
    ts_component *c = NULL;
    ts_linker *l = NULL;
    ts_cstore *s = NULL;
    ts_cinstance *i;
    ts_error_init(&e);
    WANT(t, ts_engine_new(&engine, &e) == TS_OK, "%s", e.message);
    t->status = ts_component_load_with(engine, t->bytes, t->len, "all", &c, &e);
    WANT(t, t->status == TS_OK || t->status == TS_INVALID || t->status == TS_LIMIT, "%d: %s", t->status, e.message);
    WANT(t, t->status == e.status, "%d, %d", t->status, e.status);
    if (c) {
        WANT(t, ts_linker_new(&l, &e) == TS_OK, "%s", e.message);
        ts_linker_set_unknown_imports_trap(l, true);
        WANT(t, ts_cstore_new(engine, NULL, &s, &e) == TS_OK, "%s", e.message);
        ts_status st = ts_component_instantiate(s, l, c, &i, &e);
        WANT(t, st == TS_OK || st == TS_UNLINKABLE || (st == TS_LIMIT && small_enough(t)), "%d: %s", st, e.message);
    }
out:
    ts_cstore_free(s);
    ts_linker_free(l);
    ts_component_free(c);
    ts_engine_free(engine);
}
static void loads(buf b, ts_status want) {
    task t = {.fn = load, .bytes = b.at, .len = b.len};
    run_on_all(&t);
    run_on(SMALL, &t);
    assert_int_equal(t.status, want);
    free(b.at);
}
static void types_in_types(void **state) {
    (void)state;
    const uint8_t kinds[] = {0x41, 0x42};
    for (int k = 0; k < 2; k++) {
        loads(nested_types(kinds[k], 97), TS_OK);
        loads(nested_types(kinds[k], 99), TS_OK);
        loads(nested_types(kinds[k], 100), TS_INVALID);
        loads(nested_types(kinds[k], 100000), TS_INVALID);
        loads(chain_of_types(kinds[k], 98, false), TS_OK);
        loads(chain_of_types(kinds[k], 98, true), TS_OK);
        loads(chain_of_types(kinds[k], 99, true), TS_INVALID);
    }
}
static void components_in_components(void **state) {
    (void)state;
    loads(nested_components(60), TS_OK);
    buf b = nested_components(999);
    task t = {.fn = load, .bytes = b.at, .len = b.len};
    run_on_all(&t);
    run_on(8 << 20, &t);
    assert_int_equal(t.status, TS_OK);
    free(b.at);
    loads(nested_components(20000), TS_LIMIT);
}
static void values_in_values(void **state) {
    (void)state;
    loads(chain_of_values(97), TS_OK);
    loads(chain_of_values(98), TS_INVALID); /* 101 with what is around it */
}
static void blocks_in_blocks(void **state) {
    (void)state;
    loads(nested_blocks(100000), TS_OK);
}

/* --- running -------------------------------------------------------------------------------------------- */
typedef struct world {
    ts_error e;
    ts_engine *engine;
    ts_component *c;
    ts_linker *l;
    ts_cstore *s;
    ts_cinstance *i;
    ts_pool *pool;
} world;
static ts_status echo(ts_host_call *c, void *data, const ts_val *args, ts_val *result) {
    (void)c, (void)data;
    *result = args[0];
    return TS_OK;
}
static ts_status seven(ts_host_call *c, void *data, const ts_val *args, ts_val *result) {
    (void)c, (void)data, (void)args;
    result->u32 = 7;
    return TS_OK;
}
static void world_end(world *w) {
    ts_pool_free(w->pool);
    ts_cstore_free(w->s);
    ts_linker_free(w->l);
    ts_component_free(w->c);
    ts_engine_free(w->engine);
}
static ts_status world_new(world *w, const task *t) {
    memset(w, 0, sizeof *w);
    ts_error_init(&w->e);
    ts_status s = ts_engine_new(&w->engine, &w->e);
    if (s == TS_OK) s = ts_component_load(w->engine, t->bytes, t->len, &w->c, &w->e);
    if (s == TS_OK) s = ts_linker_new(&w->l, &w->e);
    if (s == TS_OK) s = ts_cstore_new(w->engine, NULL, &w->s, &w->e);
    w->pool = ts_pool_new();
    return s;
}
static void type_text(char *out, size_t size, const char *const *forms, unsigned n_forms, unsigned depth,
                      const char *inner) {
    snprintf(out, size, "%s", inner);
    for (unsigned i = 0; i < depth; i++) {
        char *copy = strdup(out);
        snprintf(out, size, forms[(depth - 1 - i) % n_forms], copy);
        free(copy);
    }
}
/* Parses a value, prints it, calls a function with it, and prints the result. */
static ts_status there_and_back(task *t, world *w, const char *name, const char *text) {
    char *back = malloc(1 << 16);
    ts_val v, result;
    ts_status s = TS_USAGE;
    ts_error_init(&w->e);
    ts_cfunc *f = ts_cinstance_func(w->i, NULL, name);
    WANT(t, f, "no function");
    const ts_ctype *type = ts_cfunc_param_type(f, 0);
    s = ts_val_parse(type, text, w->pool, &v, &w->e);
    if (s == TS_LIMIT && small_enough(t)) goto out;
    WANT(t, s == TS_OK, "%s", w->e.message);
    size_t n = ts_val_print(type, &v, back, 1 << 16);
    WANT(t, n == strlen(text) && strcmp(text, back) == 0, "%s: %s", text, back);
    s = ts_cfunc_call(w->s, f, &v, &result, w->pool, &w->e);
    if ((s == TS_LIMIT || s == TS_EXHAUSTION) && small_enough(t)) goto out;
    WANT(t, s == TS_OK, "%d: %s", s, w->e.message);
    n = ts_val_print(type, &result, back, 1 << 16);
    WANT(t, n == strlen(text) && strcmp(text, back) == 0, "%s: %s", text, back);
out:
    free(back);
    return s;
}
static void deep_values(task *t) {
    enum { DEPTH = 97 }; /* as in make_deep.py */
    world w;
    static const char *const values[] = {"[%s]", "some(%s)", "ok(%s)", "(%s, 9)"}, *const some[] = {"some(%s)"};
    char *text = malloc(1 << 16);
    ts_status s = world_new(&w, t);
    if (s == TS_OK) s = ts_component_instantiate(w.s, w.l, w.c, &w.i, &w.e);
    if (s == TS_LIMIT && small_enough(t)) goto out;
    WANT(t, s == TS_OK, "%s", w.e.message);
    type_text(text, 1 << 16, values, 4, DEPTH, "3");
    if (there_and_back(t, &w, "mixed", text) != TS_OK) goto out;
    type_text(text, 1 << 16, some, 1, DEPTH, "3");
    if (there_and_back(t, &w, "options", text) != TS_OK) goto out;
    memset(text, '(', 60000);
    text[60000] = 0;
    ts_val v;
    s = ts_val_parse(ts_cfunc_param_type(ts_cinstance_func(w.i, NULL, "mixed"), 0), text, w.pool, &v, &w.e);
    WANT(t, s == TS_USAGE, "%d: %s", s, w.e.message);
out:
    free(text);
    world_end(&w);
}
static void values_deep(void **state) {
    (void)state;
    task t = {.fn = deep_values, .enough = CALLS, .bytes = component_deep_values, .len = sizeof component_deep_values};
    run_on_all(&t);
}
static void deep_notation(task *t) {
    world w;
    static const char *const types[] = {"list<%s>", "option<%s>", "tuple<%s, u8>", "record { a: %s }",
                                        "variant { a(%s), b }"};
    char *text = malloc(1 << 16);
    ts_status s = world_new(&w, t);
    if (s == TS_LIMIT && small_enough(t)) goto out;
    WANT(t, s == TS_OK, "%s", w.e.message);
    for (unsigned depth = 90; depth < 105; depth++) { /* with the function and the u8: 100 levels at most */
        char name[20];
        strcpy(text, "func(x: ");
        type_text(text + 8, (1 << 16) - 20, types, 5, depth, "u8");
        strcat(text, ")");
        snprintf(name, sizeof name, "f%u", depth);
        ts_error_init(&w.e);
        s = ts_linker_define_func(w.l, "", name, text, echo, NULL, &w.e);
        WANT(t, s == (depth <= 98 ? TS_OK : TS_USAGE) || (s == TS_LIMIT && small_enough(t)), "%u: %d: %s", depth, s,
             w.e.message);
    }
out:
    free(text);
    world_end(&w);
}
static void notation_deep(void **state) {
    (void)state;
    task t = {.fn = deep_notation, .bytes = component_deep_drops, .len = sizeof component_deep_drops};
    run_on_all(&t);
}

/* The instance that is bound to a deep import. */
static void deep_imports(task *t) {
    world w = {.e = {0}};
    ts_component *given = NULL;
    ts_cinstance *from = NULL, *i;
    ts_engine *engine = NULL;
    buf wants = chain_of_types(*(const uint8_t *)t->bytes, 95, true), has = {0}, x = {0};
    ts_error_init(&w.e);
    preamble(&has);
    /* instances made of exports: the innermost has a resource type */
    if (*(const uint8_t *)t->bytes == 0x42) {
        section(&has, 7, &(buf){.at = (uint8_t[]){1, 0x3f, 0x7f, 0}, .len = 4});
        section(&has, 5, &(buf){.at = (uint8_t[]){1, 1, 1, 0, 1, 'r', 3, 0}, .len = 8});
        for (unsigned k = 0; k < 95; k++) {
            x.len = 0;
            put(&x, (uint8_t[]){1, 1, 1, 0, 1, 'x', 5}, 7);
            leb(&x, k);
            section(&has, 5, &x);
        }
        x.len = 0;
        put(&x, (uint8_t[]){1, 0, 1, 'x', 5}, 5);
        leb(&x, 94);
        byte(&x, 0);
        section(&has, 11, &x);
    } else {
        buf types = chain_of_types(0x41, 94, false);
        has.len = 0;
        put(&has, types.at, types.len);
        free(types.at);
        put(&x, (uint8_t[]){1, 0, 1, 'x', 4}, 5);
        leb(&x, 94);
        section(&has, 10, &x); /* a component that imports what that type exports, which has to be exported */
        x.len = 0;
        put(&x, (uint8_t[]){1, 0, 1, 'x', 4, 0, 0}, 7);
        section(&has, 11, &x);
    }
    ts_status s = ts_engine_new(&engine, &w.e);
    w.engine = engine;
    if (s == TS_OK) s = ts_component_load(engine, wants.at, wants.len, &w.c, &w.e);
    if (s == TS_OK) s = ts_component_load(engine, has.at, has.len, &given, &w.e);
    if (s == TS_OK) s = ts_linker_new(&w.l, &w.e);
    if (s == TS_OK) s = ts_cstore_new(engine, NULL, &w.s, &w.e);
    if (s == TS_OK && *(const uint8_t *)t->bytes == 0x42) {
        s = ts_component_instantiate(w.s, w.l, given, &from, &w.e);
        if (s == TS_OK) s = ts_linker_add_instance(w.l, "x", from, &w.e);
    } else if (s == TS_OK) {
        s = ts_linker_add_component(w.l, "x", given, &w.e);
    }
    if (s == TS_OK) s = ts_component_instantiate(w.s, w.l, w.c, &i, &w.e);
    if (s == TS_LIMIT && small_enough(t)) goto out;
    bool instances = *(const uint8_t *)t->bytes == 0x42;
    WANT(t, s == (instances ? TS_OK : TS_UNLINKABLE), "%d: %s", s,
         w.e.message); /* the component wants an import that is not allowed */
out:
    free(wants.at);
    free(has.at);
    free(x.at);
    ts_component_free(given);
    world_end(&w);
}
static void imports_deep(void **state) {
    (void)state;
    const uint8_t kinds[] = {0x42, 0x41};
    for (int k = 0; k < 2; k++) {
        task t = {.fn = deep_imports, .bytes = &kinds[k]};
        run_on_all(&t);
    }
}

static void deep_chain(task *t) {
    world w;
    const char *r;
    ts_status s = world_new(&w, t);
    if (s == TS_OK) s = ts_linker_define_func(w.l, "", "last", "func() -> u32", seven, NULL, &w.e);
    if (s == TS_OK) s = ts_linker_define_func(w.l, "", "say", "func(x: string) -> string", echo, NULL, &w.e);
    if (s == TS_OK) s = ts_component_instantiate(w.s, w.l, w.c, &w.i, &w.e);
    if (s == TS_LIMIT && small_enough(t)) goto out;
    WANT(t, s == TS_OK, "%s", w.e.message);
    static const char *const calls[] = {"f10()", "s10(\"x\")", "f400()", "s400(\"x\")"}, *const results[] = {"17",
                                                                                                             "\"x\""};
    for (int k = 0; k < 4; k++) {
        ts_error_init(&w.e);
        s = ts_cinstance_call_text(w.s, w.i, calls[k], w.pool, &r, &w.e);
        WANT(t,
             s == (k < 2 ? TS_OK : TS_EXHAUSTION) ||
                 ((s == TS_EXHAUSTION || s == TS_LIMIT || s == TS_TRAP) && small_enough(t)),
             "%s: %d: %s", calls[k], s, w.e.message);
        if (s == TS_OK) WANT(t, strcmp(r, results[k]) == 0, "%s", r);
        if (k < 2) continue;
        ts_cstore_free(w.s); /* a trap closes the instances that it went through */
        w.s = NULL;
        ts_error_init(&w.e);
        WANT(t, ts_cstore_new(w.engine, NULL, &w.s, &w.e) == TS_OK, "%s", w.e.message);
        s = ts_component_instantiate(w.s, w.l, w.c, &w.i, &w.e);
        if (s == TS_LIMIT && small_enough(t)) goto out;
        WANT(t, s == TS_OK, "%s", w.e.message);
    }
out:
    world_end(&w);
}
static void calls_deep(void **state) {
    (void)state;
    task t = {.fn = deep_chain, .enough = CALLS, .bytes = component_deep_chain, .len = sizeof component_deep_chain};
    run_on_all(&t);
}

static void deep_drops(task *t) {
    world w;
    const char *r;
    ts_status s = world_new(&w, t);
    if (s == TS_OK) s = ts_component_instantiate(w.s, w.l, w.c, &w.i, &w.e);
    if (s == TS_LIMIT && small_enough(t)) goto out;
    WANT(t, s == TS_OK, "%s", w.e.message);
    s = ts_cinstance_call_text(w.s, w.i, "drop(8)", w.pool, &r, &w.e);
    WANT(t, s == TS_OK || ((s == TS_LIMIT || s == TS_EXHAUSTION) && small_enough(t)), "%d: %s", s, w.e.message);
    if (s != TS_OK) goto out;
    ts_val depth = {.u32 = 100000}, own;
    ts_cfunc *make = ts_cinstance_func(w.i, NULL, "make");
    WANT(t, make, "no function");
    s = ts_cfunc_call(w.s, make, &depth, &own, w.pool, &w.e);
    WANT(t, s == TS_OK, "%d: %s", s, w.e.message);
    /* the host drops a handle, and the guest's destructor drops the next one */
    s = ts_handle_drop(w.s, &own, &w.e);
    WANT(t, s == TS_EXHAUSTION, "%d: %s", s, w.e.message);
out:
    world_end(&w);
}
static void drops_deep(void **state) {
    (void)state;
    task t = {.fn = deep_drops, .enough = CALLS, .bytes = component_deep_drops, .len = sizeof component_deep_drops};
    run_on_all(&t);
}

static void deep_instances(task *t) {
    world w;
    ts_status s = world_new(&w, t);
    if (s == TS_OK) s = ts_component_instantiate(w.s, w.l, w.c, &w.i, &w.e);
    t->status = s;
    WANT(t, s == TS_OK || s == TS_LIMIT, "%d: %s", s, w.e.message);
out:
    world_end(&w);
}
static void instances_deep(void **state) {
    (void)state;
    task t = {.fn = deep_instances, .bytes = component_deep_siblings, .len = sizeof component_deep_siblings};
    run_on_all(&t);
    run_on(8 << 20, &t);
    assert_int_equal(t.status, TS_OK);
    /* 2^63 instances */
    task doubling = {.fn = deep_instances, .bytes = component_deep_doubling, .len = sizeof component_deep_doubling};
    run_on(8 << 20, &doubling);
    assert_int_equal(doubling.status, TS_LIMIT);
}

/* --- the host calls the guest that calls the host … ----------------------------------------------------- */
typedef struct bouncing {
    ts_core_instance *i;
    uint32_t deepest;
} bouncing;
static ts_status bounce(ts_core_call *c, void *data, const ts_core_val *args, ts_core_val *results) {
    bouncing *b = data;
    ts_core_extern x;
    ts_core_val arg = args[0];
    if (!ts_core_instance_export(b->i, "bounce", &x)) return TS_USAGE;
    arg.i32++;
    b->deepest = (uint32_t)arg.i32;
    return ts_core_func_call(ts_core_callback_store(c), x.func, &arg, 1, results, 1, ts_core_callback_error(c));
}
static ts_status core_call(ts_core_store *s, ts_core_instance *i, const char *name, int32_t arg, ts_error *e) {
    ts_core_extern x;
    ts_core_val v = {.type = TS_CORE_I32, .i32 = arg}, r;
    ts_error_init(e);
    if (!ts_core_instance_export(i, name, &x)) return TS_USAGE;
    return ts_core_func_call(s, x.func, &v, 1, &r, strcmp(name, "list") ? 1 : 0, e);
}
static void deep_core(task *t) {
    ts_error e;
    ts_engine *engine = NULL;
    ts_core_module *m = NULL;
    ts_core_store *s = NULL;
    bouncing b = {0};
    ts_error_init(&e);
    WANT(t, ts_engine_new(&engine, &e) == TS_OK, "%s", e.message);
    ts_status st = ts_core_module_load(engine, t->bytes, t->len, &m, &e);
    if (st == TS_OK) st = ts_core_store_new(engine, NULL, &s, &e);
    ts_core_item item;
    ts_core_extern x = {.kind = TS_CORE_FUNC};
    if (st == TS_OK && ts_core_module_import(m, 0, &item))
        st = ts_core_func_new(s, &item.type, bounce, &b, "bounce", &x.func, &e);
    if (st == TS_OK) st = ts_core_module_instantiate(s, m, &x, 1, "deep", &b.i, &e);
    if (st == TS_LIMIT && small_enough(t)) goto out;
    WANT(t, st == TS_OK, "%s", e.message);
    st = core_call(s, b.i, "bounce", 0, &e);
    WANT(t, st == TS_EXHAUSTION && strstr(e.message, "call stack exhausted"), "%d: %s", st, e.message);
    if (!small_enough(t)) WANT(t, b.deepest >= 10, "%u", b.deepest);
    st = core_call(s, b.i, "recurse", 100000000, &e);
    WANT(t, st == TS_EXHAUSTION, "%d: %s", st, e.message);
    st = core_call(s, b.i, "recurse", 1000, &e);
    WANT(t, st == TS_TRAP || (st == TS_EXHAUSTION && small_enough(t)), "%d: %s", st, e.message);
    st = core_call(s, b.i, "catch", 10000, &e);
    WANT(t, st == TS_OK || (st == TS_EXHAUSTION && small_enough(t)), "%d: %s", st, e.message);
    st = core_call(s, b.i, "list", 300000, &e);
    WANT(t, st == TS_OK || (st == TS_EXHAUSTION && small_enough(t)), "%d: %s", st, e.message);
    ts_core_store_collect(s);
out:
    ts_core_store_free(s);
    ts_core_module_free(m);
    ts_engine_free(engine);
}
static void core_deep(void **state) {
    (void)state;
    task t = {.fn = deep_core, .enough = CALLS, .bytes = component_deep_core, .len = sizeof component_deep_core};
    run_on_all(&t);
}

/* --- the stack itself ----------------------------------------------------------------------------------- */
static void bounds(task *t) {
    uintptr_t low = ts_stack_low(), here = (uintptr_t)__builtin_frame_address(0);
    WANT(t, low && low < here && here - low <= t->stack && here - low > t->stack / 2, "%zu", (size_t)(here - low));
    char *other = malloc(1 << 20);
    ts_stack_describe(other, 1 << 20); /* this thread does not run on that stack */
    WANT(t, ts_stack_low() == low, "%zu", (size_t)ts_stack_low());
    ts_stack_describe(NULL, 0);
    free(other);
out:;
}
static void the_stack_is_known(void **state) {
    (void)state;
    task t = {.fn = bounds};
    run_on(64 << 10, &t);
    run_on(SMALL, &t);
    run_on(16 << 20, &t);
    uintptr_t low = ts_stack_low(), here = (uintptr_t)__builtin_frame_address(0); /* of the main thread */
    assert_true(low && low < here);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_stack_is_known),
        cmocka_unit_test(types_in_types),
        cmocka_unit_test(components_in_components),
        cmocka_unit_test(values_in_values),
        cmocka_unit_test(blocks_in_blocks),
        cmocka_unit_test(values_deep),
        cmocka_unit_test(notation_deep),
        cmocka_unit_test(imports_deep),
        cmocka_unit_test(calls_deep),
        cmocka_unit_test(drops_deep),
        cmocka_unit_test(instances_deep),
        cmocka_unit_test(core_deep),
    };
    return cmocka_run_group_tests_name("stack", tests, NULL, NULL);
}
