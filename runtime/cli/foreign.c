/* foreign: wasmtime options that users type from habit. An option with an equal here is applied;
 * any other is refused with a message that says what to write instead.
 * In: an option, the keys of -W. Out: our option, or TS_USAGE.
 * Source: wasmtime run --help, -W help, of versions 1 to 40 */
#include "cli/option_table.h"
#include "base/quantity.h"
#include <stdlib.h>
#include <string.h>

typedef struct hint {
    const char *name, *instead;
} hint;

ts_status ts_cli_foreign_option(const char *arg, ts_error *e) {
    static const hint hints[] = {
        {"-C", "there is no code generation to set; omit it (--cache FOLDER remembers what was valid)"},
        {"--codegen", "there is no code generation to set; omit it (--cache FOLDER remembers what was valid)"},
        {"-O", "there is nothing to optimize; omit it"},
        {"--optimize", "there is nothing to optimize; omit it"},
        {"--opt-level", "there is nothing to optimize; omit it"},
        {"-D", "backtraces have files and lines without it, where the guest was built with -g; omit it (--trace "
               "prints each WASI call)"},
        {"--debug", "backtraces have files and lines without it, where the guest was built with -g; omit it"},
        {"-g", "backtraces have files and lines without it, where the guest was built with -g; omit it"},
        {"--wasm", "write -W"},
        {"--wasi", "write -S"},
        {"--wasi-modules", "write -S"},
        {"--wasm-features", "features of WASI 0.2 are always on; write --features LIST for later ones"},
        {"--wasm-timeout", "write --max-time TIME"},
        {"--max-wasm-stack", "write --stack SIZE"},
        {"--allow-unknown-exports", "unknown exports are always allowed; omit it"},
        {"--trap-unknown-imports", "write --unknown-imports-trap"},
        {"--default-values-unknown-imports", "write --unknown-imports-trap: a call of such an import traps"},
        {"--epoch-interruption", "write --max-time TIME"},
        {"--relaxed-simd-deterministic", "results of relaxed SIMD are always those of the deterministic profile"},
        {"--enable-cranelift-nan-canonicalization", "write --deterministic"},
        {"--config", "write --policy FILE.toml"},
        {"--disable-cache", "nothing is cached without --cache; omit it"},
        {"--preload", "only components run here: compose them with `wac plug`"},
        {"--listenfd", "grant --tcp-listen ADDRESS:PORT: the guest binds by wasi:sockets"},
        {"--tcplisten", "grant --tcp-listen ADDRESS:PORT: the guest binds by wasi:sockets"},
        {"--wasi-nn", "wasi:nn is not about WASI 0.2"},
        {"--profile", "there is no profiler; --trace prints each WASI call"},
        {"--allow-precompiled", "only WebAssembly itself runs here"},
        {"--target", "there is no code generation to set; omit it"},
        {"--cranelift-set", "there is no code generation to set; omit it"},
        {"--program-name", "write --argv0 NAME"},
        {"--addr", "it is an option of touchstone serve"},
        {"--volume", "write --dir HOST::GUEST"},
    };
    size_t n = strcspn(arg, "=");
    if (arg[0] == '-' && arg[1] && arg[1] != '-') n = 2; /* a short option with its value, as in -Ccache=y */
    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++)
        if (strlen(hints[i].name) == n && memcmp(hints[i].name, arg, n) == 0)
            return ts_fail(e, TS_USAGE, "%s is not an option here: %s", hints[i].name, hints[i].instead);
    return TS_OK;
}

/* These features are always on. Asking for them is accepted; turning one off (=n) is refused. */
static const char *const always[] = {
    "simd", "relaxed-simd",        "bulk-memory", "multi-memory",   "multi-value",     "tail-call",      "memory64",
    "gc",   "function-references", "exceptions",  "extended-const", "component-model", "reference-types"};
static const hint equals[] = {{"max-memory-size", "max-memory"},
                              {"fuel", "fuel"},
                              {"timeout", "max-time"},
                              {"max-wasm-stack", "stack"},
                              {"max-table-elements", "max-table"},
                              {"unknown-imports-trap", "unknown-imports-trap"}};
static const hint features[] = {{"component-model-async", "async"},
                                {"component-model-async-builtins", "more-async-builtins"},
                                {"component-model-async-stackful", "async-stackful"},
                                {"component-model-more-async-builtins", "more-async-builtins"},
                                {"component-model-threading", "threads"},
                                {"component-model-error-context", "error-context"},
                                {"component-model-fixed-length-lists", "fixed-length-lists"},
                                {"component-model-map", "maps"}};

static const char *in(const hint *h, size_t n, const char *key) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(h[i].name, key) == 0) return h[i].instead;
    return NULL;
}
static ts_status wasm_word(ts_reading *r, char *key, const char *list, ts_error *e) {
    char *value = strchr(key, '='), shown[80];
    if (value) *value++ = 0;
    bool yes = !value || strcmp(value, "y") == 0 || strcmp(value, "yes") == 0 || strcmp(value, "true") == 0;
    bool no = value && (strcmp(value, "n") == 0 || strcmp(value, "no") == 0 || strcmp(value, "false") == 0);
    snprintf(shown, sizeof shown, "-W %.60s", key);
    const char *ours = in(equals, sizeof equals / sizeof *equals, key);
    if (ours) {
        const ts_option *o = ts_cli_option_find(ours, strlen(ours));
        if (o->form == TS_OPTION_FLAG) {
            if (!yes && !no) return ts_fail(e, TS_USAGE, "%s=%s: y or n is expected", shown, value);
            return ts_option_set(r, o, shown, yes ? "y" : "n", e);
        }
        if (!value) return ts_fail(e, TS_USAGE, "%s: %s=%s is expected", shown, shown, o->argument);
        return ts_option_set(r, o, shown, value, e);
    }
    if (strcmp(key, "nan-canonicalization") == 0 && (yes || no)) {
        ((ts_cli_options *)r->settings)->canonical_nans = yes;
        return TS_OK;
    }
    for (size_t i = 0; i < sizeof always / sizeof *always; i++)
        if (strcmp(always[i], key) == 0)
            return yes ? TS_OK
                       : ts_fail(e, TS_USAGE, "%s=%s: this is always on and cannot be turned off", shown, value);
    if ((ours = in(features, sizeof features / sizeof *features, key)) != NULL)
        return no ? TS_OK : ts_fail(e, TS_USAGE, "%s is not an option here: write --features %s", shown, ours);
    if (strcmp(key, "epoch-interruption") == 0)
        return ts_fail(e, TS_USAGE, "%s is not an option here: write --max-time TIME", shown);
    return ts_fail(
        e, TS_USAGE,
        "%s, of -W %s, is not an option here: -W takes max-memory-size, max-table-elements, max-wasm-stack, fuel, "
        "timeout, nan-canonicalization, unknown-imports-trap, and what is always on (simd, gc, memory64 …)",
        shown, list);
}
ts_status ts_cli_wasm_words(ts_reading *r, const ts_option *o, const char *list, ts_error *e) {
    (void)o;
    return ts_each_word(r, "-W", list, wasm_word, e);
}

ts_status ts_cli_mapdir(ts_reading *r, const ts_option *o, const char *value, ts_error *e) {
    (void)o;
    const char *sep = strstr(value, "::");
    if (!sep || sep == value || !sep[2] || strchr(sep + 2, ':') || memchr(value, ':', (size_t)(sep - value)))
        return ts_fail(e, TS_USAGE, "GUEST::HOST is expected; or write --dir HOST::GUEST");
    char *guest = strndup(value, (size_t)(sep - value));
    if (!guest) return ts_fail_nomem(e);
    ts_status s = ts_wasi_allow_dir(r->w, sep + 2, guest, false, e);
    free(guest);
    return s;
}
