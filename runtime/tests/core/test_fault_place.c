/* test_fault_place: an access outside memory 0 is reported at its own instruction, with its caller, in every form of
 * loads and stores: address and value in a slot, in an accumulator, constant, or a sum.
 * In: modules as bytes. Out: cmocka results. spec: exec/instructions#memory-instructions */
#include "tests/seed_help.h"
#include "tests/module_help.h"
#include "core/module/wasm_ops.h"
#include "core/run/exec.h"

enum { SLOT, ACCUMULATOR, CONSTANT, SLOT_PLUS_CONSTANT, ACCUMULATOR_PLUS_CONSTANT, ADDRESSES, VALUES = CONSTANT + 1 };

static void put_u8(build *b, unsigned v) {
    put(b, &(uint8_t){(uint8_t)v}, 1);
}
/* Parameter 0 is an address outside the memory: 0x20000. */
static void put_address(build *b, int kind) {
    switch (kind) {
    case SLOT:
    case SLOT_PLUS_CONSTANT: put(b, "\x20\0", 2); break;
    case ACCUMULATOR:
    case ACCUMULATOR_PLUS_CONSTANT: put(b, "\x20\0\x20\0\x72", 5); break; /* i32.or */
    default: put(b, "\x41\x80\x80\x08", 4); break;
    }
    if (kind == SLOT_PLUS_CONSTANT || kind == ACCUMULATOR_PLUS_CONSTANT) put(b, "\x41\x08\x6a", 3); /* i32.add */
}
/* Locals 1 to 5 are an i32, an i64, an f32, an f64 and a v128. */
static void put_value(build *b, int kind, char letter) {
    static const char letters[] = "iIfFV";
    static const uint8_t add[] = {0x6a, 0x7c, 0x92, 0xa0};
    static const uint8_t zeros[16];
    unsigned which = (unsigned)(strchr(letters, letter) - letters);
    if (kind == CONSTANT) {
        static const uint8_t lens[] = {1, 1, 4, 8, 16};
        if (letter == 'V')
            put(b, "\xfd\x0c", 2);
        else
            put_u8(b, 0x41 + which);
        put(b, zeros, lens[which]);
        return;
    }
    put(b, (const uint8_t[]){0x20, (uint8_t)(which + 1)}, 2);
    if (kind != ACCUMULATOR) return;
    put(b, (const uint8_t[]){0x20, (uint8_t)(which + 1)}, 2);
    if (letter == 'V')
        put(b, "\xfd\x50", 2); /* v128.or */
    else
        put_u8(b, add[which]);
}

/* Two functions: the first one calls the second one, which makes the access. Returns the offsets of both instructions. */
static build access_module(const struct ts_op_info *info, int address, int value, size_t *call, size_t *access) {
    build b = module_start(), code = {.len = 0}, body = {.len = 0}, bodies = {.len = 0};
    SECTION(&b, 1, 1, 0x60, 1, 0x7f, 0);
    SECTION(&b, 3, 2, 0, 0);
    SECTION(&b, 5, 1, 0, 1);
    SECTION(&b, 7, 1, 1, 'f', 0, 0);
    put(&code, "\0\x01\x1a\x20\0\x10\1\x0b", 8);
    code.bytes[1] = 0x01; /* nop, twice: the call's offset differs from the access's */
    code.bytes[2] = 0x01;
    put(&body, "\5\1\x7f\1\x7e\1\x7d\1\x7c\1\x7b", 11);
    put_address(&body, address);
    const char *colon = strchr(info->sig, ':');
    if (colon - info->sig == 2) put_value(&body, value, info->sig[1]);
    size_t at = body.len;
    if (info->code >= 0x100) put_u8(&body, info->code >> 16);
    put(&body, (const uint8_t[]){(uint8_t)info->code, info->align, 0}, 3);
    if (colon[1]) put_u8(&body, 0x1a);
    put_u8(&body, 0x0b);
    put(&bodies, (const uint8_t[]){2, (uint8_t)code.len}, 2);
    *call = bodies.len + 5;
    put(&bodies, code.bytes, code.len);
    put_u8(&bodies, (unsigned)body.len);
    *access = bodies.len + at;
    put(&bodies, body.bytes, body.len);
    size_t base = b.len + 2;
    section(&b, 10, bodies.bytes, bodies.len);
    *call += base;
    *access += base;
    return b;
}

static void check(const struct ts_op_info *info, int address, int value, const ts_store_limits *limits) {
    ts_frame frames[4];
    ts_error e;
    ts_error_init_frames(&e, frames, 4);
    ts_engine *engine = NULL;
    ts_module *m = NULL;
    ts_store *s = NULL;
    ts_instance *i = NULL;
    size_t call, access;
    build b = access_module(info, address, value, &call, &access);
    assert_int_equal(ts_engine_create(&engine, &e), TS_OK);
    ts_engine_set_tier(engine, seed_tier);
    ts_status st = ts_module_new(engine, b.bytes, b.len, true, &m, &e);
    if (st != TS_OK) print_error("%s: %s\n", info->text, e.message);
    assert_int_equal(st, TS_OK);
    assert_int_equal(ts_store_create(engine, limits, &s, &e), TS_OK);
    assert_int_equal(ts_instantiate(s, m, NULL, "faults", &i, &e), TS_OK);
    if (!limits->explicit_checks && ts_fault_install()) assert_true(i->mems[0]->guarded);
    ts_slot io[1] = {0x20000};
    assert_int_equal(ts_call(s, i->funcs[0], io, &e), TS_TRAP);
    assert_int_equal(e.trap, TS_TRAP_MEMORY_OOB);
    if (e.n_frames != 2 || e.frames[0].offset != access || e.frames[1].offset != call)
        print_error("%s, address %d, value %d: %u frames, at 0x%llx (0x%zx) and 0x%llx (0x%zx)\n", info->text, address,
                    value, e.n_frames, (unsigned long long)e.frames[0].offset, access,
                    (unsigned long long)e.frames[1].offset, call);
    assert_int_equal(e.n_frames, 2);
    assert_int_equal(e.frames[0].func_index, 1);
    assert_int_equal(e.frames[0].offset, access);
    assert_int_equal(e.frames[1].func_index, 0);
    assert_int_equal(e.frames[1].offset, call);
    ts_store_destroy(s);
    ts_module_free(m);
    ts_engine_destroy(engine);
}

static void every_access_in_tier(const ts_store_limits *limits) {
    unsigned n = 0;
    for (uint32_t op = 0; op < TS_OP_COUNT; op++) {
        const struct ts_op_info *info = &ts_op_infos[op];
        if (!info->text || info->imm != TS_IMM_MEMARG || info->feature == TS_F_THREADS) continue;
        n++;
        for (int address = 0; address < ADDRESSES; address++)
            for (int value = 0; value < (info->sig[1] == ':' ? 1 : VALUES); value++)
                check(info, address, value, limits);
    }
    assert_int_equal(n, 23 + 14); /* those of numbers and those of vectors */
}

static void every_access(const ts_store_limits *limits) {
    for
        EACH_SEED_TIER(i) every_access_in_tier(limits);
}

static void guarded(void **state) {
    (void)state;
    seed_handlers();
    assert_true(ts_exec_locates_faults());
    every_access(&(ts_store_limits){0});
    every_access(&(ts_store_limits){.fuel = 1000});
}
static void checked(void **state) {
    (void)state;
    every_access(&(ts_store_limits){.explicit_checks = true});
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(guarded), cmocka_unit_test(checked)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
