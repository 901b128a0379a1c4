/* fuzz_wave: types in WIT, values and calls in WAVE, and core values in the notation of scripts: what the command line
 * and embedders give as text.
 * In: bytes from libFuzzer: a type or signature, a line feed, a value or the arguments; the first byte chooses.
 * Out: no crash, no leak, no sanitizer report; what is accepted prints as text that reads back as the same type and
 * value, and each refusal has a reason.
 * build: clang -fsanitize=fuzzer,address,undefined */
#include "input.h"
#include "component/type/wave.h"
#include "component/type/wit_type.h"
#include "component/type/val.h"
#include "core/run/store.h"
#include "core/run/text.h"

enum { ARENA_MOST = 64 << 20, TEXT_MOST = 1 << 20 };

static bool no_resource(const void *data, const char *name, uint32_t *slot) {
    (void)data;
    *slot = 0;
    return strcmp(name, "r") == 0;
}
static const ts_wit_resources resources = {no_resource, NULL};

/* Types that have no notation for values, or whose WIT names them otherwise. */
static bool has_values(const ts_ctype *t) {
    return !t->has_handle && t->nodes <= 10000;
}

static void type_again(const ts_ctype *t, ts_arena *arena) {
    char *text = malloc(TEXT_MOST);
    const ts_ctype *again;
    ts_error e;
    ts_error_init(&e);
    if (!text) abort();
    ts_ctype_print(t, NULL, text, TEXT_MOST);
    if (strlen(text) + 1 < TEXT_MOST && !t->has_handle) {
        ts_status s = ts_wit_parse_type(text, &resources, arena, &again, &e);
        if (s != TS_NOMEM && (s != TS_OK || !ts_ctype_equal(t, again, NULL, NULL))) {
            fprintf(stderr, "fuzz_wave: %s: %s\n", text, e.message);
            abort();
        }
    }
    free(text);
}

static void value_again(const ts_ctype *t, const ts_val *v, ts_arena *arena) {
    char *text = malloc(TEXT_MOST), small[5];
    ts_val again;
    ts_error e;
    ts_error_init(&e);
    if (!text) abort();
    size_t len = ts_wave_print(t, v, text, TEXT_MOST, 0);
    if (ts_wave_print(t, v, small, sizeof small, 0) != len || strlen(small) > 4) abort();
    (void)ts_wave_print(t, v, small, sizeof small, 1);
    if (len < TEXT_MOST && strlen(text) == len) {
        ts_status s = ts_wave_parse(t, text, arena, &again, &e);
        if (s != TS_NOMEM && (s != TS_OK || !ts_val_equal(t, v, &again))) {
            fprintf(stderr, "fuzz_wave: %s: %s\n", text, e.message);
            abort();
        }
    }
    free(text);
}

static void one_value(const char *type, const char *text) {
    ts_arena arena;
    const ts_ctype *t;
    ts_val v;
    ts_error e;
    ts_arena_init(&arena);
    arena.limit = ARENA_MOST;
    ts_error_init(&e);
    ts_status s = ts_wit_parse_type(type, &resources, &arena, &t, &e);
    fz_check(s, &e);
    if (s == TS_OK) {
        type_again(t, &arena);
        s = ts_wave_parse(t, text, &arena, &v, &e);
        fz_check(s, &e);
        if (s == TS_OK && has_values(t)) value_again(t, &v, &arena);
    }
    ts_arena_free(&arena);
}

static void one_call(const char *type, const char *text) {
    ts_arena arena;
    const ts_cfunc_type *t;
    ts_error e;
    char shown[256];
    ts_arena_init(&arena);
    arena.limit = ARENA_MOST;
    ts_error_init(&e);
    ts_status s = ts_wit_parse_func(type, &resources, &arena, &t, &e);
    fz_check(s, &e);
    if (s == TS_OK) {
        ts_cfunc_type_print(t, NULL, shown, sizeof shown);
        ts_val *args = ts_arena_array(&arena, (size_t)t->n_params + 1, sizeof *args);
        if (args) {
            s = ts_wave_parse_args(t, text, &arena, args, &e);
            fz_check(s, &e);
            for (uint32_t i = 0; s == TS_OK && i < t->n_params; i++)
                if (has_values(t->params[i].type)) value_again(t->params[i].type, &args[i], &arena);
        }
    }
    ts_arena_free(&arena);
}

/* A core value of the type that a letter chooses. */
static void core_value(uint8_t letter, const char *text) {
    static const ts_valtype types[] = {
        TS_VT_I32,      TS_VT_I64, TS_VT_F32, TS_VT_F64, TS_VT_V128, TS_VT_FUNCREF, TS_VT_REFNULL | TS_HT_ANY << 8,
        TS_VT_EXTERNREF};
    const ts_valtype t = types[letter % (sizeof types / sizeof *types)];
    ts_engine *engine;
    ts_store *store;
    ts_error e;
    ts_slot v[2] = {0}, again[2] = {0};
    char printed[TS_SLOT_TEXT];
    const char *at = text, *from = printed;
    ts_error_init(&e);
    if (ts_engine_create(&engine, &e) != TS_OK) return;
    if (ts_store_create(engine, &(ts_store_limits){0}, &store, &e) != TS_OK) abort();
    ts_status s = ts_slot_parse(store, t, &at, v, &e);
    fz_check(s, &e);
    if (at < text || at > text + strlen(text)) abort();
    if (s == TS_OK) {
        (void)ts_slot_print(store, t, v, printed);
        s = ts_slot_parse(store, t, &from, again, &e);
        if (s != TS_OK || *from || again[0] != v[0] || (t == TS_VT_V128 && again[1] != v[1])) {
            fprintf(stderr, "fuzz_wave: %s: %s\n", printed, e.message);
            abort();
        }
    }
    ts_store_destroy(store);
    ts_engine_destroy(engine);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fz_input in = fz_input_of(data, size);
    const uint8_t how = (uint8_t)fz_number(&in, 1);
    if (how >= '0' && how <= '7') {
        char *text = fz_string(in);
        core_value(how - '0', text);
        free(text);
        return 0;
    }
    char *type = fz_string(fz_until(&in, '\n')), *text = fz_string(in);
    (how == 'f' ? one_call : one_value)(type, text);
    free(type);
    free(text);
    return 0;
}
