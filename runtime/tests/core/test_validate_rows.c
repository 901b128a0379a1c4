/* test_validate_rows: each row of wasm_ops.def with a fixed type, as an instruction among constants.
 * In: the opcode table. Out: the operands that a row names are accepted, all others are not, and in
 * unreachable code missing operands are. spec: valid/instructions */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "tests/module_help.h"
#include "core/module/wasm_ops.h"

static ts_engine *engine;
static ts_error err;
static int setup(void **state) {
    (void)state;
    if (ts_engine_create(&engine, &err) != TS_OK) return -1;
    ts_engine_set_features(engine, UINT32_MAX);
    return 0;
}
static int teardown(void **state) {
    (void)state;
    ts_engine_destroy(engine);
    return 0;
}

static void put_const(build *b, char letter) {
    static const uint8_t zeros[16];
    switch (letter) {
    case 'I': put(b, "\x42\0", 2); return;
    case 'f':
        put(b, "\x43", 1);
        put(b, zeros, 4);
        return;
    case 'F':
        put(b, "\x44", 1);
        put(b, zeros, 8);
        return;
    case 'V':
        put(b, "\xfd\x0c", 2);
        put(b, zeros, 16);
        return;
    default: put(b, "\x41\0", 2); return; /* i, and addresses: the memory is a 32-bit one */
    }
}

/* The instruction with immediates that are valid. Returns false for kinds of immediates that
 * name other things. */
static bool put_instruction(build *b, const struct ts_op_info *info) {
    static const uint8_t zeros[16];
    if (info->code < 0x100) {
        put(b, &(uint8_t){(uint8_t)info->code}, 1);
    } else {
        uint32_t sub = info->code & 0xffff;
        put(b, (const uint8_t[]){(uint8_t)(info->code >> 16), (uint8_t)(sub | 0x80), (uint8_t)(sub >> 7)}, 3);
    }
    switch ((ts_imm)info->imm) {
    case TS_IMM_NONE: return true;
    case TS_IMM_I32:
    case TS_IMM_I64:
    case TS_IMM_LANE:
    case TS_IMM_MEM:
    case TS_IMM_ZERO: put(b, zeros, 1); return true;
    case TS_IMM_F32: put(b, zeros, 4); return true;
    case TS_IMM_F64: put(b, zeros, 8); return true;
    case TS_IMM_V128:
    case TS_IMM_SHUFFLE: put(b, zeros, 16); return true;
    case TS_IMM_MEMARG: put(b, (const uint8_t[]){info->align, 0}, 2); return true;
    case TS_IMM_MEMARG_LANE: put(b, (const uint8_t[]){info->align, 0, 0}, 3); return true;
    default: return false;
    }
}

/* A function that pushes the n operands, but for the first `skip` of them, and one of another type at `wrong`
 * (-1: none); executes the instruction and drops its results. */
static ts_status check(const struct ts_op_info *info, int skip, int wrong, bool unreachable) {
    build b = {.len = 0};
    const char *colon = strchr(info->sig, ':');
    put(&b, "\0", 1);
    if (unreachable) put(&b, "\0", 1);
    for (int i = skip; i < colon - info->sig; i++) {
        char letter = info->sig[i];
        put_const(&b, i != wrong ? letter : letter == 'f' ? 'F' : 'f');
    }
    assert_true(put_instruction(&b, info));
    for (const char *s = colon + 1; *s; s++) put(&b, "\x1a", 1);
    put(&b, "\x0b", 1);
    return check_func(engine, BYTES(0x60, 0, 0), b.bytes, b.len, &err);
}

static void operands(void **state) {
    (void)state;
    unsigned rows = 0;
    for (uint32_t op = 0; op < TS_OP_COUNT; op++) {
        const struct ts_op_info *info = &ts_op_infos[op];
        build unused = {.len = 0};
        if (!info->text || !info->sig || !put_instruction(&unused, info)) continue;
        rows++;
        int n = (int)(strchr(info->sig, ':') - info->sig);
        ts_status st = check(info, 0, -1, false);
        if (st != TS_OK) print_error("%s: %s\n", info->text, err.message);
        assert_int_equal(st, TS_OK);
        for (int i = 0; i < n; i++) {
            assert_int_equal(check(info, 0, i, false), TS_INVALID);
            assert_non_null(strstr(err.message, "type mismatch"));
            assert_int_equal(check(info, 0, i, true), TS_INVALID);
        }
        for (int skip = 1; skip <= n; skip++) {
            assert_int_equal(check(info, skip, -1, false), TS_INVALID);
            assert_non_null(strstr(err.message, "type mismatch"));
            assert_int_equal(check(info, skip, -1, true), TS_OK);
        }
    }
    assert_true(rows > 400);
}

/* One value is not dropped, so the results have the types that the row names. */
static void results(void **state) {
    (void)state;
    static const char letters[] = "iIfF";
    static const uint8_t types[] = {0x7f, 0x7e, 0x7d, 0x7c};
    for (uint32_t op = 0; op < 0x100; op++) {
        const struct ts_op_info *info = &ts_op_infos[op];
        build body = {.len = 0};
        if (!info->text || !info->sig || !strchr(info->sig, ':')[1]) continue;
        const char *colon = strchr(info->sig, ':');
        put(&body, "\0", 1);
        for (const char *s = info->sig; s < colon; s++) put_const(&body, *s);
        assert_true(put_instruction(&body, info));
        put(&body, "\x0b", 1);
        char result = colon[1] == 'a' ? 'i' : colon[1];
        for (size_t i = 0; i < sizeof types; i++)
            assert_int_equal(check_func(engine, BYTES(0x60, 0, 1, types[i]), body.bytes, body.len, &err),
                             letters[i] == result ? TS_OK : TS_INVALID);
    }
}

/* spec: valid/instructions#constant-expressions; `end` closes the expression. */
static void constant(void **state) {
    (void)state;
    static const uint16_t allowed[] = {
        TS_OP_end,
        TS_OP_i32_const,
        TS_OP_i64_const,
        TS_OP_f32_const,
        TS_OP_f64_const,
        TS_OP_v128_const,
        TS_OP_i32_add,
        TS_OP_i32_sub,
        TS_OP_i32_mul,
        TS_OP_i64_add,
        TS_OP_i64_sub,
        TS_OP_i64_mul,
        TS_OP_ref_null,
        TS_OP_ref_func,
        TS_OP_ref_i31,
        TS_OP_struct_new,
        TS_OP_array_new,
        TS_OP_struct_new_default,
        TS_OP_array_new_default,
        TS_OP_array_new_fixed,
        TS_OP_global_get,
        TS_OP_any_convert_extern,
        TS_OP_extern_convert_any,
    };
    for (uint16_t op = 0; op < TS_OP_COUNT; op++) {
        bool is_const = false;
        for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++) is_const |= allowed[i] == op;
        assert_int_equal(ts_op_infos[op].is_const, is_const);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(operands), cmocka_unit_test(results),
                                       cmocka_unit_test(constant)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
