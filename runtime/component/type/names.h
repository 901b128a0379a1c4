/* names: the lexical rules of labels, import and export names, semantic versions.
 * In: UTF-8 strings as decoded. Out: their kind and parts; the reason why a name is none.
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
    const char *resource; /* constructor, method, static: the first label */
    uint32_t resource_len;
} ts_extern_name;

bool ts_label_valid(const char *s, size_t len);
/* False: the reason is in buf. nested: allow several namespaces and projections. */
bool ts_extern_name_parse(const char *s, size_t len, bool nested, ts_extern_name *out, char *buf, size_t size);
/* The string that must be unique among the names of a scope; NULL: no memory. Its length goes to *out_len. */
char *ts_extern_name_key(ts_arena *arena, const char *s, size_t len, uint32_t *out_len);
char *ts_label_key(ts_arena *arena, const char *s, size_t len);
/* 🔗 canonversion: "1", "0.2", "0.0.3", "0.0.0". */
bool ts_canonversion_valid(const char *s, size_t len);
/* A version as semver.org has it. */
bool ts_semver_valid(const char *s, size_t len, char *buf, size_t size);

/* Names: "wasi:io/streams@0.2.3" → package/interface and version; semver track of a version is what must agree to link: 0.2.x → "0.2", 1.x → "1", 0.0.n → itself. */
typedef struct ts_iface_name {
    const char *base;
    uint32_t base_len;
    bool has_version;
    uint32_t major, minor, patch;
    const char *pre;
    uint32_t pre_len;
} ts_iface_name;
bool ts_name_parse(const char *name, size_t len, ts_iface_name *out);    /* false: not an interface name */
bool ts_name_compatible(const ts_iface_name *a, const ts_iface_name *b); /* same base, same semver track */
#endif
