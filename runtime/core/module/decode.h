/* decode: what decoding leaves for validation alone.
 * In: - Out: the type section as in the bytes. spec: binary/types */
#ifndef TS_CORE_DECODE_H
#define TS_CORE_DECODE_H
#include "base/reader.h"
#include "core/module/module.h"

/* Limits of this implementation. spec: appendix/implementation */
enum {
    TS_MAX_TYPES = 1000000,
    TS_MAX_LOCALS = 50000,
    TS_MAX_SUBTYPE_DEPTH = 63,
};

typedef struct ts_raw_group {
    uint32_t first, n; /* members are types first … first + n - 1 */
    uint64_t offset;   /* in the module, for messages */
} ts_raw_group;
/* A heap type in a member is TS_HT_CONCRETE + an index in the module's type space. More than one supertype is
 * invalid; n_supers keeps the count, so that validation can report it. */
typedef struct ts_raw_types {
    uint32_t n_groups;
    ts_raw_group *groups;
    ts_rec_member *members; /* n_types of the module */
    uint32_t *n_supers;
} ts_raw_types;

/* Returns the length of `i32.const N, end` at `at`, or 0 if something else is there, or if N is longer than usual. Thousands
 * of data segments begin with it. */
uint32_t ts_short_i32_const(const uint8_t *at, const uint8_t *end);
/* Find the end of the expression at r->at by reading every instruction up to the `end` that closes it. */

ts_status ts_decode_expr(ts_reader *r, ts_const_expr *out) TS_MUST_USE;
/* Report the first malformed function body. Bodies are read but not validated. */
ts_status ts_decode_check_bodies(const ts_module *m, ts_error *e) TS_MUST_USE;
/* Read the local declarations of a function body and call back for each run of equal locals. Too many locals
 * are malformed. */
ts_status ts_decode_locals(ts_reader *r, ts_status (*each)(void *data, uint32_t n, ts_valtype t, uint64_t offset),
                           void *data) TS_MUST_USE;
#endif
