/* sizes: see sizes.h */
#include "cli/sizes.h"
#include "cli/output.h"
#include "base/reader.h"
#include "base/vec.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { MAX_DEPTH = 1000, MAX_PRODUCERS = 1000 };
typedef enum byte_class {
    CLASS_CODE,
    CLASS_DATA,
    CLASS_NAMES,
    CLASS_DEBUG,
    CLASS_CUSTOM,
    CLASS_REST,
    N_CLASSES
} byte_class;

typedef struct bytes {
    const char *at;
    uint32_t len;
} bytes;
typedef struct custom {
    uint32_t part; /* index of its row in `parts` */
    bytes name;
    size_t size; /* including its header */
    const uint8_t *content;
    size_t content_len;
} custom;
typedef struct part { /* a core module, or a component without its modules and nested components */
    bool module;
    uint32_t index; /* among the parts of the same kind, in file order */
    bytes name;     /* from the section "name" */
    size_t total, classes[N_CLASSES];
    size_t sections[13]; /* of a component, by section id */
} part;
typedef struct sizes {
    TS_VEC(part) parts;
    TS_VEC(custom) customs;
    uint32_t modules, components;
    bool failed;
} sizes;

static void put_text(bytes s) {
    ts_cli_put_text(stdout, s.at, s.len);
}

static bool starts(bytes s, const char *with) {
    size_t n = strlen(with);
    return s.len >= n && memcmp(s.at, with, n) == 0;
}
static bool is(bytes s, const char *text) {
    return s.len == strlen(text) && starts(s, text);
}
static byte_class class_of(bytes name) {
    if (is(name, "name") || is(name, "component-name")) return CLASS_NAMES;
    if (starts(name, ".debug_") || is(name, "sourceMappingURL") || is(name, "external_debug_info")) return CLASS_DEBUG;
    return CLASS_CUSTOM;
}

/* Reads the name of the module or component itself, the first subsection of its name section. */
static bytes own_name(const custom *c) {
    ts_reader r = {.at = c->content, .end = c->content + c->content_len, .base = c->content}, sub;
    uint8_t id = 0;
    uint32_t size = 0;
    bytes name = {"", 0};
    if (ts_read_u8(&r, &id) != TS_OK || id != 0 || ts_read_u32(&r, &size) != TS_OK ||
        ts_read_sub(&r, size, &sub) != TS_OK || ts_read_name(&sub, &name.at, &name.len) != TS_OK)
        return (bytes){"", 0};
    return name;
}

static void add_custom(sizes *s, uint32_t part, ts_reader r, size_t size) {
    custom c = {.part = part, .size = size};
    if (ts_read_name(&r, &c.name.at, &c.name.len) != TS_OK) return;
    c.content = r.at;
    c.content_len = ts_reader_left(&r);
    byte_class k = class_of(c.name);
    s->parts.data[part].classes[k] += size;
    if (k == CLASS_NAMES && !s->parts.data[part].name.len) s->parts.data[part].name = own_name(&c);
    if (!ts_vec_push(&s->customs, c)) s->failed = true;
}

/* Measures a module or a component. The preamble says which of the two it is. */
static void walk(sizes *s, const uint8_t *from, size_t len, unsigned depth) {
    enum { CORE_MODULE = 1, COMPONENT = 4, CODE = 10, DATA = 11 };
    const bool module = len >= 8 && from[6] == 0;
    const uint32_t at = s->parts.len;
    if (len < 8 || depth > MAX_DEPTH) return;
    part p = {.module = module, .index = module ? s->modules++ : s->components++, .total = len, .name = {"", 0}};
    if (!ts_vec_push(&s->parts, p)) {
        s->failed = true;
        return;
    }
    ts_reader r = {.at = from + 8, .end = from + len, .base = from}, content;
    size_t nested = 0, classed = 0;
    while (!ts_reader_done(&r)) {
        const uint8_t *start = r.at;
        uint8_t id = 0;
        uint32_t size = 0;
        if (ts_read_u8(&r, &id) != TS_OK || ts_read_u32(&r, &size) != TS_OK || ts_read_sub(&r, size, &content) != TS_OK)
            return;
        const size_t whole = (size_t)(r.at - start);
        if (id == 0) {
            add_custom(s, at, content, whole);
            classed += whole;
        } else if (module && (id == CODE || id == DATA)) {
            s->parts.data[at].classes[id == CODE ? CLASS_CODE : CLASS_DATA] += whole;
            classed += whole;
        } else if (!module && (id == CORE_MODULE || id == COMPONENT)) {
            walk(s, content.at, ts_reader_left(&content), depth + 1);
            nested += ts_reader_left(&content);
        } else if (!module && id < 13) {
            s->parts.data[at].sections[id] += whole;
        }
    }
    part *own = &s->parts.data[at];
    own->total -= nested;
    own->classes[CLASS_REST] = own->total - classed;
}

static void put_part(const part *p) {
    printf("%s %" PRIu32, p->module ? "core module" : "component", p->index);
    if (p->name.len) putchar(' ');
    put_text(p->name);
}
static void put_row(size_t total, const size_t classes[N_CLASSES], size_t of) {
    printf("  %11zu %6.2f", total, of ? 100.0 * (double)total / (double)of : 0.0);
    for (int k = 0; k < N_CLASSES; k++) printf(" %11zu", classes[k]);
    putchar(' ');
}

static void print_table(const sizes *s, size_t len) {
    size_t sum[N_CLASSES] = {0};
    printf("sizes:\n  %11s %6s %11s %11s %11s %11s %11s %11s\n", "bytes", "%", "code", "data", "names", "debug",
           "custom", "rest");
    for (uint32_t i = 0; i < s->parts.len; i++) {
        const part *p = &s->parts.data[i];
        put_row(p->total, p->classes, len);
        put_part(p);
        putchar('\n');
        for (int k = 0; k < N_CLASSES; k++) sum[k] += p->classes[k];
    }
    put_row(len, sum, len);
    printf("total\n");
}

static void print_component_sections(const sizes *s) {
    static const char *const names[13] = {"custom",   "core module", "core instance", "core type", "component",
                                          "instance", "alias",       "type",          "canon",     "start",
                                          "import",   "export",      "value"};
    for (uint32_t i = 0; i < s->parts.len; i++) {
        const part *p = &s->parts.data[i];
        bool any = false;
        for (int k = 0; k < 13; k++) {
            if (p->module || !p->sections[k]) continue;
            if (!any) printf("  rest of component %" PRIu32 ": ", p->index);
            printf("%s%s %zu", any ? ", " : "", names[k], p->sections[k]);
            any = true;
        }
        if (any) putchar('\n');
    }
}

static void print_customs(const sizes *s) {
    if (!s->customs.len) return;
    printf("custom sections:\n");
    for (uint32_t i = 0; i < s->parts.len; i++) {
        bool any = false;
        for (uint32_t k = 0; k < s->customs.len; k++) {
            const custom *c = &s->customs.data[k];
            if (c->part != i) continue;
            printf(any ? ", " : "  ");
            if (!any) put_part(&s->parts.data[i]);
            if (!any) printf(": ");
            any = true;
            put_text(c->name);
            printf(" %zu", c->size);
        }
        if (any) putchar('\n');
    }
}

/* Format: field: value version, …; spec: ProducersSection.md */
static void print_producers(const sizes *s, const custom *c) {
    ts_reader r = {.at = c->content, .end = c->content + c->content_len, .base = c->content};
    uint32_t fields = 0, n = 0, shown = 0;
    if (ts_read_u32(&r, &fields) != TS_OK) return;
    printf("  ");
    put_part(&s->parts.data[c->part]);
    for (uint32_t f = 0; f < fields && shown < MAX_PRODUCERS; f++) {
        bytes field = {0}, value = {0}, version = {0};
        if (ts_read_name(&r, &field.at, &field.len) != TS_OK || ts_read_u32(&r, &n) != TS_OK) break;
        printf(f ? "; " : ": ");
        put_text(field);
        for (uint32_t i = 0; i < n && shown < MAX_PRODUCERS; i++, shown++) {
            if (ts_read_name(&r, &value.at, &value.len) != TS_OK ||
                ts_read_name(&r, &version.at, &version.len) != TS_OK)
                break;
            printf(i ? ", " : " ");
            put_text(value);
            if (version.len) putchar(' ');
            put_text(version);
        }
    }
    putchar('\n');
}

bool ts_cli_print_sizes(const uint8_t *file, size_t len) {
    sizes s = {0};
    walk(&s, file, len, 0);
    print_table(&s, len);
    print_component_sections(&s);
    print_customs(&s);
    bool first = true;
    for (uint32_t i = 0; i < s.customs.len; i++) {
        if (!is(s.customs.data[i].name, "producers")) continue;
        if (first) printf("producers:\n");
        first = false;
        print_producers(&s, &s.customs.data[i]);
    }
    ts_vec_free(&s.parts);
    ts_vec_free(&s.customs);
    return !s.failed;
}
