/* engine: what all modules and stores of a process share: the canonical types, the features, the cache's
 * place.
 * In: an embedder's settings. Out: a value that modules and stores refer to and that outlives them.
 * spec: embedding */
#ifndef TS_CORE_ENGINE_H
#define TS_CORE_ENGINE_H
#include "core/module/module.h"

/* Where an engine's cache is. It also notes that some bytes are a host file in a certain state (sys/input.h):
 * a file that has been read in that state before need not be hashed again. load/cache.h says what the cache
 * holds. */
typedef struct ts_cache {
    int folder; /* an open one (sys/folder.h); below 0: no cache */
    const uint8_t *file;
    size_t file_len; /* 0: not known */
    uint64_t identity[5];
} ts_cache;

ts_status ts_engine_create(TS_OWN ts_engine **out, ts_error *e) TS_MUST_USE;
/* An engine lives as long as something refers to it: modules, components and stores hold it too. */
ts_engine *ts_engine_hold(ts_engine *e);
void ts_engine_destroy(ts_engine *e);
ts_type_registry *ts_engine_types(const ts_engine *e);
void ts_engine_set_features(ts_engine *e, uint32_t features);
uint32_t ts_engine_features(const ts_engine *e);
/* Whether functions of this engine's modules get machine code: TS_TIER_INTERPRETED if this build makes none. It is
 * constant once there is a module. */
ts_tier ts_engine_tier(const ts_engine *e);
/* Take or give back bytes of machine code. Taking fails at the limit. */
bool ts_engine_take_code(ts_engine *e, size_t len);
void ts_engine_give_code(ts_engine *e, size_t len);
struct ts_fcode;
struct ts_sampler;
/* A tool that follows the machine code of an engine's modules, on any thread. */
typedef struct ts_code_watch {
    void (*made)(struct ts_code_watch *w, struct ts_fcode *c); /* c->machine is new, and has not run yet; or NULL */
    /* code that belongs to no function, and lives as long as the engine; or NULL */
    void (*shared)(struct ts_code_watch *w, const uint8_t *code, uint32_t len, const char *name);
    void (*ends)(struct ts_code_watch *w, ts_module *m); /* all code of m is freed after that; or NULL */
    void (*free)(struct ts_code_watch *w);               /* the engine ends */
    struct ts_code_watch *next;
} ts_code_watch;
/* Add a tool, before the engine has a module. The engine owns it from then on. */
void ts_engine_watch(ts_engine *e, TS_OWN ts_code_watch *w);
/* The tool with this function `free`, or NULL. */
ts_code_watch *ts_engine_find_watch(const ts_engine *e, void (*free)(ts_code_watch *w));
/* Threads that run functions of this engine are visits of this sampler (sys/sampler.h). Set it before the engine has a
 * store. NULL: none. */
void ts_engine_set_sampler(ts_engine *e, struct ts_sampler *s);
struct ts_sampler *ts_engine_sampler(const ts_engine *e);
/* What the interpreter keeps for all stores of an engine. It is made when it is first needed. */
typedef struct ts_engine_part {
    void (*free)(struct ts_engine_part *p, ts_engine *e); /* the engine ends */
} ts_engine_part;
ts_engine_part *ts_engine_get_part(const ts_engine *e); /* NULL: not made yet */
/* Returns false if another thread was faster: p is the caller's still. */
bool ts_engine_set_part(ts_engine *e, TS_OWN ts_engine_part *p);
void ts_engine_code_made(const ts_engine *e, struct ts_fcode *c);
void ts_engine_code_shared(const ts_engine *e, const uint8_t *code, uint32_t len, const char *name);
void ts_engine_code_ends(const ts_engine *e, ts_module *m);
/* Note for the cache that these bytes are the contents of such a file. The note is valid until the next
 * call. */
void ts_engine_cache_file(ts_engine *e, const void *bytes, size_t len, const uint64_t identity[5]);
const ts_cache *ts_engine_get_cache(const ts_engine *e); /* NULL: no cache */
#endif
