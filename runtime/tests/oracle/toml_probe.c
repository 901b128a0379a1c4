/* toml_probe: reads a TOML document on stdin and prints it as toml-test does, as JSON with the type of each
 * value.
 * In: a document. Out: the JSON and status 0, or the error on stderr and status 1.
 * runtime/tests/outside/test_toml.py and toml-test use it. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/toml.h"

static void string(const char *s, size_t len) {
    putchar('"');
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c == '"' || c == '\\')
            printf("\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            printf("\\u%04x", c);
        else
            putchar(c);
    }
    putchar('"');
}
static void tagged(const char *type, const char *s, size_t len) {
    printf("{\"type\":\"%s\",\"value\":", type);
    string(s, len);
    putchar('}');
}
static void print(const ts_toml *t) {
    char text[400];
    switch (t->kind) {
    case TS_TOML_STRING: tagged("string", t->text, t->len); break;
    case TS_TOML_INTEGER:
        snprintf(text, sizeof text, "%" PRId64, t->integer);
        tagged("integer", text, strlen(text));
        break;
    case TS_TOML_FLOAT:
        if (isnan(t->number))
            snprintf(text, sizeof text, "nan");
        else
            snprintf(text, sizeof text, "%.17g", t->number);
        tagged("float", text, strlen(text));
        break;
    case TS_TOML_BOOL: tagged("bool", t->text, t->len); break;
    case TS_TOML_OFFSET_DATETIME: tagged("datetime", t->text, t->len); break;
    case TS_TOML_LOCAL_DATETIME: tagged("datetime-local", t->text, t->len); break;
    case TS_TOML_LOCAL_DATE: tagged("date-local", t->text, t->len); break;
    case TS_TOML_LOCAL_TIME: tagged("time-local", t->text, t->len); break;
    case TS_TOML_ARRAY:
    case TS_TOML_TABLE:
        putchar(t->kind == TS_TOML_ARRAY ? '[' : '{');
        for (const ts_toml *c = t->first; c; c = c->next) {
            if (t->kind == TS_TOML_TABLE) {
                string(c->key, c->key_len);
                putchar(':');
            }
            print(c);
            if (c->next) putchar(',');
        }
        putchar(t->kind == TS_TOML_ARRAY ? ']' : '}');
        break;
    }
}

int main(void) {
    size_t len = 0, cap = 1 << 24;
    char *bytes = malloc(cap);
    ts_arena arena;
    ts_toml *root;
    ts_error e;
    if (!bytes) return 2;
    for (size_t n; len < cap && (n = fread(bytes + len, 1, cap - len, stdin)) > 0;) len += n;
    ts_arena_init(&arena);
    ts_error_init(&e);
    ts_status s = ts_toml_parse(&arena, "stdin", bytes, len, &root, &e);
    if (s == TS_OK) {
        print(root);
        putchar('\n');
    } else
        fprintf(stderr, "%s\n", e.message);
    ts_arena_free(&arena);
    free(bytes);
    return s != TS_OK;
}
