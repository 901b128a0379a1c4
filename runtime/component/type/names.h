/* names: the lexical rules of labels, of import and export names, and of semantic versions.
 * In: UTF-8 strings. Out: their kind and parts, or the reason why they are not valid.
 * spec: Explainer.md#import-and-export-definitions, #name-uniqueness */
#ifndef TS_COMPONENT_NAMES_H
#define TS_COMPONENT_NAMES_H
#include "base/arena.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum ts_name_kind {
    TS_NAME_LABEL,
    TS_NAME_CONSTRUCTOR,
    TS_NAME_METHOD,
    TS_NAME_STATIC,
    TS_NAME_INTERFACE
} ts_name_kind;
typedef struct ts_extern_name {
    ts_name_kind kind;
    const char *resource; /* for a constructor, method or static function: the first label */
    uint32_t resource_len;
} ts_extern_name;

bool ts_label_valid(const char *s, size_t len);
/* Parses a name. Returns false with the reason in buf. nested: several namespaces and projections are
 * allowed. */
bool ts_extern_name_parse(const char *s, size_t len, bool nested, ts_extern_name *out, char *buf, size_t size);
/* Returns the string that must be unique among the names of a scope, with a NUL behind it, or NULL if there is
 * no memory. Its length is stored in *out_len. */
char *ts_extern_name_key(ts_arena *arena, const char *s, size_t len, uint32_t *out_len);
char *ts_label_key(ts_arena *arena, const char *s, size_t len);
/* Returns whether a string is a canonversion (🔗): "1", "0.2", "0.0.3", "0.0.0". */
bool ts_canonversion_valid(const char *s, size_t len);
/* Returns whether a string is a version by semver.org, or false with the reason in buf. */
bool ts_semver_valid(const char *s, size_t len, char *buf, size_t size);

/* An interface name in parts: "a:b/c@0.2.3" has the base "a:b/c" and a version. Two versions are
 * compatible if their semver tracks agree: 0.2.x has the track "0.2", 1.x has "1", and 0.0.n stands
 * for itself. */
typedef struct ts_iface_name {
    const char *base;
    uint32_t base_len;
    bool has_version;
    uint32_t major, minor, patch;
    const char *pre;
    uint32_t pre_len;
} ts_iface_name;
/* returns false if it is not an interface name */
bool ts_name_parse(const char *name, size_t len, ts_iface_name *out);
/* the same base and the same semver track */
bool ts_name_compatible(const ts_iface_name *a, const ts_iface_name *b);
#endif
