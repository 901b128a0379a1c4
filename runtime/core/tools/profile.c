/* profile: see profile.h. */
#include "core/tools/profile.h"
#include "core/tools/places.h"
#include "sys/clock.h"
#include "sys/descriptors.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PLACES = 512 };                               /* of a stack */
enum { MOST_SAMPLES = 16 << 20, MOST_STACKS = 16 << 20 }; /* some hours of one thread */

/* --- interning ------------------------------------------------------------------------------------------------ */
/* The number of a key, which is `next` if it is new. Returns false if there is no memory. */
static bool number_of(ts_profile *p, ts_map *m, const void *key, size_t len, uint32_t next, uint32_t *out) {
    if (ts_map_get(m, key, len, out)) return true;
    char *kept = ts_arena_strndup(&p->arena, key, len);
    *out = next;
    return kept && ts_map_put(m, kept, len, next, NULL);
}
#define INTERN(p, map, vec, value, out)                                                                                \
    (number_of((p), &(p)->map, &(value), sizeof(value), (p)->vec.len, (out)) &&                                        \
     (*(out) < (p)->vec.len || ts_vec_push(&(p)->vec, (value))))

static bool string_of(ts_profile *p, const char *text, uint32_t *out) {
    size_t len = strlen(text);
    if (ts_map_get(&p->string_map, text, len, out)) return true;
    char *kept = ts_arena_strndup(&p->arena, text, len);
    *out = p->strings.len;
    return kept && ts_vec_push(&p->strings, kept) && ts_map_put(&p->string_map, kept, len, *out, NULL);
}

/* --- samples -------------------------------------------------------------------------------------------------- */
static size_t take(void *subject, const ts_sampled *at, void *to) {
    return ts_exec_walk(subject, at, to, MOST_PLACES) * sizeof(ts_place);
}
static bool place_of(ts_profile *p, const ts_place *at, uint32_t *out) {
    if (!number_of(p, &p->place_map, at, sizeof *at, p->places.len, out)) return false;
    return *out < p->places.len || ts_vec_push(&p->places, (ts_profile_place){.at = *at});
}
static bool add(ts_profile *p, const ts_sample *s) {
    const ts_place *places = s->bytes;
    uint32_t stack = TS_PROFILE_NONE, thread = 0;
    if (p->samples.len >= MOST_SAMPLES || p->stacks.len >= MOST_STACKS) return false;
    for (size_t i = s->len / sizeof *places; i-- > 0;) {
        ts_profile_stack one = {.caller = stack};
        if (!place_of(p, &places[i], &one.place) || !INTERN(p, stack_map, stacks, one, &stack)) return false;
    }
    while (thread < p->threads.len && p->threads.data[thread] != s->thread) thread++;
    if (thread == p->threads.len && !ts_vec_push(&p->threads, s->thread)) return false;
    return ts_vec_push(&p->samples, (ts_profile_sample){stack, thread, s->time_ns - p->started_ns, s->cpu_ns});
}
static void keep(void *data, const ts_sample *s) {
    ts_profile *p = data;
    ts_lock_take(&p->lock);
    if (!add(p, s)) p->lost++;
    ts_lock_give(&p->lock);
}

/* --- from places to lines ------------------------------------------------------------------------------------- */
typedef struct group {
    ts_profile *p;
    const uint32_t *members;
    bool failed;
} group;
static bool line_of(ts_profile *p, const ts_frame *f, uint32_t kind, uint32_t *out) {
    ts_profile_function fn = {.file = TS_PROFILE_NONE};
    ts_profile_line l = {.kind = kind, .line = f->line, .column = f->column};
    char name[sizeof f->module + sizeof f->function + 2];
    snprintf(name, sizeof name, "%s%s%s", f->module, f->module[0] ? "!" : "", f->function);
    return string_of(p, name, &fn.name) && (!f->file[0] || string_of(p, f->file, &fn.file)) &&
           INTERN(p, function_map, functions, fn, &l.function) && INTERN(p, line_map, lines, l, out);
}
static void found(void *data, uint32_t i, const ts_place_source *s) {
    group *g = data;
    ts_profile *p = g->p;
    ts_profile_place *at = &p->places.data[g->members[i]];
    uint32_t first = p->chains.len, line = 0;
    for (uint32_t k = s->n; k-- > 0 && !g->failed;) {
        uint32_t kind = k == 0 && s->calls_c ? TS_PROFILE_HOST
                        : s->machine         ? TS_PROFILE_MACHINE
                                             : TS_PROFILE_INTERPRETED;
        g->failed = !line_of(p, &s->frames[k], kind, &line) || !ts_vec_push(&p->chains, line);
    }
    if (g->failed) return;
    at->known = true;
    at->first = first;
    at->n = p->chains.len - first;
}
typedef struct by_code {
    const ts_fcode *code;
    uint32_t place;
} by_code;
static int compare(const void *a, const void *b) {
    const by_code *x = a, *y = b;
    if (x->code != y->code) return (uintptr_t)x->code < (uintptr_t)y->code ? -1 : 1;
    return x->place < y->place ? -1 : x->place > y->place;
}
static bool find_function(ts_profile *p, const by_code *list, uint32_t n) {
    const ts_place **places = calloc(n, sizeof *places);
    uint32_t *members = calloc(n, sizeof *members);
    group g = {.p = p, .members = members, .failed = !places || !members};
    for (uint32_t i = 0; !g.failed && i < n; i++) {
        members[i] = list[i].place;
        places[i] = &p->places.data[list[i].place].at;
    }
    bool ok = !g.failed && ts_places_each(list->code, places, n, found, &g) && !g.failed;
    free(places);
    free(members);
    return ok;
}
/* Finds the lines of all places of a module, or of all modules (NULL). Places that stay unknown, for lack of memory,
 * are left out. */
static void find_lines(ts_profile *p, const ts_module *m) {
    TS_VEC(by_code) list = {0};
    for (uint32_t i = 0; i < p->places.len; i++) {
        ts_profile_place *at = &p->places.data[i];
        if (at->known || (m && (!at->at.code || at->at.code->module != m))) continue;
        if (at->at.code && !ts_vec_push(&list, (by_code){at->at.code, i})) break;
        ts_frame deeper = {.function = "(deeper frames)"};
        uint32_t line;
        if (at->at.code || !line_of(p, &deeper, TS_PROFILE_HOST, &line) || !ts_vec_push(&p->chains, line)) continue;
        at->known = true;
        at->first = p->chains.len - 1;
        at->n = 1;
    }
    if (list.len) qsort(list.data, list.len, sizeof *list.data, compare);
    for (uint32_t i = 0, next; i < list.len; i = next) {
        for (next = i; next < list.len && list.data[next].code == list.data[i].code;) next++;
        (void)find_function(p, &list.data[i], next - i);
    }
    ts_vec_free(&list);
}
/* A place without a line does not tell the file of its function. Other places of the function may. */
static void join_functions(ts_profile *p) {
    uint32_t *with_file = calloc((size_t)p->strings.len + 1, sizeof *with_file); /* by name: a function + 1 */
    for (uint32_t i = 0; with_file && i < p->functions.len; i++)
        if (p->functions.data[i].file != TS_PROFILE_NONE) with_file[p->functions.data[i].name] = i + 1;
    for (uint32_t i = 0; with_file && i < p->lines.len; i++) {
        const ts_profile_function *f = &p->functions.data[p->lines.data[i].function];
        if (f->file == TS_PROFILE_NONE && with_file[f->name]) p->lines.data[i].function = with_file[f->name] - 1;
    }
    free(with_file);
}
/* The functions of a module end: no place may refer to them afterwards. */
static void module_ends(ts_code_watch *w, ts_module *m) {
    ts_profile *p = (ts_profile *)w;
    ts_lock_take(&p->lock);
    if (p->file) find_lines(p, m);
    ts_map_free(&p->place_map); /* another function may get the same address */
    for (uint32_t i = 0; i < p->places.len; i++) {
        ts_profile_place *at = &p->places.data[i];
        if (at->at.code && at->at.code->module == m) at->at = (ts_place){.kind = TS_PLACE_DEEPER};
    }
    ts_lock_give(&p->lock);
}

/* --- the file ------------------------------------------------------------------------------------------------- */
/* Returns false if the file could not be written. */
static bool finish(ts_profile *p) {
    if (!p->file) return true;
    ts_sampler_stop(p->sampler);
    ts_lock_take(&p->lock);
    find_lines(p, NULL);
    join_functions(p);
    bool ok = ts_profile_write(p);
    ok = fclose(p->file) == 0 && ok;
    p->file = NULL;
    ts_lock_give(&p->lock);
    return ok;
}
static void end(ts_code_watch *w) {
    ts_profile *p = (ts_profile *)w;
    (void)finish(p);
    ts_sampler_free(p->sampler);
    ts_lock_destroy(&p->lock);
    ts_map_free(&p->string_map);
    ts_map_free(&p->function_map);
    ts_map_free(&p->line_map);
    ts_map_free(&p->place_map);
    ts_map_free(&p->stack_map);
    ts_vec_free(&p->strings);
    ts_vec_free(&p->functions);
    ts_vec_free(&p->lines);
    ts_vec_free(&p->chains);
    ts_vec_free(&p->places);
    ts_vec_free(&p->stacks);
    ts_vec_free(&p->samples);
    ts_vec_free(&p->threads);
    ts_arena_free(&p->arena);
    free(p->path);
    free(p);
}
static ts_status start(ts_profile *p, ts_error *e) {
    p->file = ts_sys_fopen(p->path, "w");
    if (!p->file)
        return ts_fail(e, TS_IO, "cannot write the profile %s: %s", p->path, ts_sys_err_text(ts_sys_err_of(errno)));
    const ts_sampling how = {
        .period_ns = p->period_ns, .room = (MOST_PLACES + 1) * sizeof(ts_place), .take = take, .keep = keep, .data = p};
    p->started_ns = ts_sys_monotonic();
    ts_sys_err err = ts_sampler_new(&how, &p->sampler);
    if (!err) return TS_OK;
    fclose(p->file);
    return ts_fail(e, TS_UNSUPPORTED, "threads cannot be sampled here: %s", ts_sys_err_text(err));
}
ts_status ts_engine_profile(ts_engine *engine, const char *path, uint64_t period_ns, ts_error *e) {
    TS_NEED(e, engine);
    TS_NEED(e, path);
    ts_profile *p = calloc(1, sizeof *p);
    char *copy = strdup(path);
    if (!p || !copy || !ts_lock_init(&p->lock)) {
        free(p);
        free(copy);
        return ts_fail_nomem(e);
    }
    p->path = copy;
    p->period_ns = period_ns ? period_ns : 1000000;
    const ts_sys_time wall = ts_sys_wall();
    p->started_ms = (double)wall.s * 1e3 + wall.ns / 1e6;
    ts_arena_init(&p->arena);
    ts_status s = start(p, e);
    if (s != TS_OK) {
        ts_lock_destroy(&p->lock);
        free(copy);
        free(p);
        return s;
    }
    p->watch = (ts_code_watch){.ends = module_ends, .free = end};
    ts_engine_watch(engine, &p->watch);
    ts_engine_set_sampler(engine, p->sampler);
    return TS_OK;
}
ts_status ts_engine_profile_end(ts_engine *engine, ts_error *e) {
    TS_NEED(e, engine);
    ts_profile *p = (ts_profile *)ts_engine_find_watch(engine, end);
    if (!p) return ts_fail(e, TS_USAGE, "the engine has no profile");
    if (finish(p)) return TS_OK;
    return ts_fail(e, TS_IO, "the profile %s could not be written", p->path);
}
