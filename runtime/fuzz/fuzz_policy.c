/* fuzz_policy: any bytes as TOML, and as a policy file; with the options' values as a command line has them.
 * In: bytes from libFuzzer. The first byte chooses: a file of TOML, or lines with an option's name, `=` and a value.
 * Out: no crash, no leak, no sanitizer report; a document is read the same twice, its tree is sound, and each refusal
 * has a reason. Names are never looked up: __wrap_getaddrinfo knows none.
 * build: clang -fsanitize=fuzzer,address,undefined -Wl,--wrap=getaddrinfo */
#include "input.h"
#include <netdb.h>
#include "base/arena.h"
#include "base/toml.h"
#include "wasi/policy/option.h"

int __wrap_getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **out);
int __wrap_getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **out) {
    (void)name;
    (void)service;
    (void)hints;
    *out = NULL;
    return EAI_NONAME;
}

/* Every value is reachable once, counted, and has a line of the document. */
static uint64_t tree(const ts_toml *t, uint32_t lines, unsigned depth, uint64_t h) {
    if (depth > 10000) abort();
    h = (h ^ (uint64_t)t->kind) * 0x100000001b3u;
    for (size_t i = 0; i < t->len; i++) h = (h ^ (uint8_t)t->text[i]) * 0x100000001b3u;
    for (size_t i = 0; i < t->key_len; i++) h = (h ^ (uint8_t)t->key[i]) * 0x100000001b3u;
    if (t->line > lines) abort();
    if (t->kind == TS_TOML_STRING && t->text[t->len] != 0) abort();
    uint32_t n = 0;
    const ts_toml *last = NULL;
    for (const ts_toml *c = t->first; c; last = c, c = c->next, n++) {
        h = tree(c, lines, depth + 1, h);
        if (t->kind != TS_TOML_TABLE) continue;
        if (!c->key || c->key[c->key_len] != 0) abort();
    }
    if (last != t->last || n != t->count) abort();
    return h;
}
static ts_status read_toml(const char *text, size_t len, uint64_t *h) {
    ts_arena arena;
    ts_toml *root;
    ts_error e;
    uint32_t lines = 1;
    ts_arena_init(&arena);
    ts_error_init(&e);
    for (size_t i = 0; i < len; i++) lines += text[i] == '\n';
    ts_status s = ts_toml_parse(&arena, "p.toml", text, len, &root, &e);
    fz_check(s, &e);
    *h = s == TS_OK ? tree(root, lines, 0, 1) : 0;
    ts_arena_free(&arena);
    return s;
}

static void as_policy(const char *text, size_t len, bool grants_only) {
    ts_error e;
    ts_wasi *w;
    ts_linker *l;
    ts_wasi_policy *p = NULL;
    ts_error_init(&e);
    if (ts_wasi_new(&w, &e) != TS_OK || ts_linker_new(&l, &e) != TS_OK) abort();
    ts_status s = ts_wasi_policy_load(w, text, len, "p.toml", grants_only ? NULL : &p, &e);
    fz_check(s, &e);
    if ((s == TS_OK && !grants_only) != (p != NULL)) abort();
    if (p && ts_wasi_policy_link(p, l, &e) != TS_OK) abort();
    if (p && ts_wasi_link(w, l, &e) != TS_OK && !e.message[0]) abort();
    ts_wasi_policy_free(p);
    ts_linker_free(l);
    ts_wasi_free(w);
}

/* `NAME=VALUE` for each line; a line that begins with `-S=` is a list of words. */
static void as_options(fz_input in) {
    ts_error e;
    ts_wasi *w;
    ts_settings settings = {0};
    ts_error_init(&e);
    if (ts_wasi_new(&w, &e) != TS_OK) abort();
    ts_reading r = {.w = w, .settings = &settings};
    while (fz_left(&in)) {
        char *line = fz_string(fz_until(&in, '\n')), *value = strchr(line, '=');
        if (value) *value++ = 0;
        const ts_option *o = ts_option_find(ts_policy_rows, line, strlen(line));
        ts_error_init(&e);
        ts_status s = TS_OK;
        if (strcmp(line, "-S") == 0 && value)
            s = ts_words_set(&r, NULL, value, &e);
        else if (o && *o->name && (value || o->form == TS_OPTION_FLAG)) {
            char *kept = value ? strdup(value) : NULL; /* settings point to it */
            if (kept && !ts_vec_push(&settings.kept, kept)) abort();
            s = ts_option_set(&r, o, line, kept, &e);
        }
        fz_check(s, &e);
        free(line);
    }
    ts_settings_finish(&settings, w);
    ts_settings_free(&settings);
    ts_wasi_free(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fz_input in = fz_input_of(data, size);
    const uint8_t how = (uint8_t)fz_number(&in, 1);
    if (how == '-') {
        as_options(in);
        return 0;
    }
    size_t len = fz_left(&in);
    char *text = (char *)fz_bytes(in);
    uint64_t first, second;
    if (read_toml(text, len, &first) != read_toml(text, len, &second) || first != second) abort();
    as_policy(text, len, how == 'g');
    free(text);
    return 0;
}
