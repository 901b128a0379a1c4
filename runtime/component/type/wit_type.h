/* wit_type: component-level types from WIT text, for the host functions and values that an embedder
 * defines.
 * In: text with every type written out, and the resources that own<NAME> and borrow<NAME> may name.
 * Out: finished types in an arena; TS_USAGE or TS_INVALID with the column of the mistake.
 * spec: WIT.md#types; Explainer.md#type-definitions (the rules of names), Binary.md (the limits) */
#ifndef TS_COMPONENT_WIT_TYPE_H
#define TS_COMPONENT_WIT_TYPE_H
#include "base/arena.h"
#include "component/type/ctype.h"

/* The resource types that the text may name. */
typedef struct ts_wit_resources {
    /* Returns whether there is a resource of this name; its slot goes to *slot. NULL: there is none
     * at all. */
    bool (*find)(const void *data, const char *name, uint32_t *slot);
    const void *data;
} ts_wit_resources;

/* Parses "func(text: string) -> result<u32, string>". The names and types of the result lie in the arena. */
ts_status ts_wit_parse_func(const char *text, const ts_wit_resources *resources, ts_arena *arena,
                            const ts_cfunc_type **out, ts_error *e) TS_MUST_USE;
/* Parses "list<option<u8>>". */
ts_status ts_wit_parse_type(const char *text, const ts_wit_resources *resources, ts_arena *arena, const ts_ctype **out,
                            ts_error *e) TS_MUST_USE;
#endif
