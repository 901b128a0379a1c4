/* test_reader: the bounded reader, and reading instructions.
 * In: byte strings, right and broken. Out: values, or a malformed error at the right offset. spec:
 * binary/values */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "core/module/wasm_ops.h"
#include <string.h>

static ts_error err;
static ts_reader over(const uint8_t *p, size_t n) {
    ts_error_init(&err);
    return (ts_reader){.at = p, .end = p + n, .base = p, .section = "test", .err = &err};
}
#define READER(...) over((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void unsigned_leb(void **state) {
    (void)state;
    uint32_t v;
    uint64_t w;
    ts_reader r = READER(0xe5, 0x8e, 0x26, 0x7f);
    assert_int_equal(ts_read_u32(&r, &v), TS_OK);
    assert_int_equal(v, 624485);
    assert_int_equal(ts_read_u32(&r, &v), TS_OK);
    assert_int_equal(v, 127);
    assert_true(ts_reader_done(&r));
    r = READER(0xff, 0xff, 0xff, 0xff, 0x0f);
    assert_int_equal(ts_read_u32(&r, &v), TS_OK);
    assert_int_equal(v, UINT32_MAX);
    r = READER(0xff, 0xff, 0xff, 0xff, 0x1f);
    assert_int_equal(ts_read_u32(&r, &v), TS_MALFORMED);
    assert_string_equal(err.message, "integer too large");
    assert_int_equal(err.offset, 4);
    r = READER(0x80, 0x80, 0x80, 0x80, 0x80, 0x00);
    assert_int_equal(ts_read_u32(&r, &v), TS_MALFORMED);
    assert_string_equal(err.message, "integer representation too long");
    r = READER(0x80, 0x80);
    assert_int_equal(ts_read_u32(&r, &v), TS_MALFORMED);
    assert_string_equal(err.message, "unexpected end");
    r = READER(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01);
    assert_int_equal(ts_read_u64(&r, &w), TS_OK);
    assert_true(w == UINT64_MAX);
    r = READER(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02);
    assert_int_equal(ts_read_u64(&r, &w), TS_MALFORMED);
}

static void signed_leb(void **state) {
    (void)state;
    int32_t v;
    int64_t w;
    ts_reader r = READER(0x40, 0x3f, 0x80, 0x7f);
    assert_int_equal(ts_read_s32(&r, &v), TS_OK);
    assert_int_equal(v, -64);
    assert_int_equal(ts_read_s32(&r, &v), TS_OK);
    assert_int_equal(v, 63);
    assert_int_equal(ts_read_s32(&r, &v), TS_OK);
    assert_int_equal(v, -128);
    r = READER(0x80, 0x80, 0x80, 0x80, 0x78);
    assert_int_equal(ts_read_s32(&r, &v), TS_OK);
    assert_int_equal(v, INT32_MIN);
    r = READER(0x80, 0x80, 0x80, 0x80, 0x70);
    assert_int_equal(ts_read_s32(&r, &v), TS_MALFORMED);
    r = READER(0xff, 0xff, 0xff, 0xff, 0x0f);
    assert_int_equal(ts_read_s33(&r, &w), TS_OK);
    assert_true(w == UINT32_MAX);
    r = READER(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f);
    assert_int_equal(ts_read_s64(&r, &w), TS_OK);
    assert_true(w == INT64_MIN);
}

static void names(void **state) {
    (void)state;
    const char *s;
    uint32_t n;
    ts_reader r = READER(3, 0xe2, 0x82, 0xac);
    assert_int_equal(ts_read_name(&r, &s, &n), TS_OK);
    assert_int_equal(n, 3);
    r = READER(2, 0xc0, 0x80); /* overlong */
    assert_int_equal(ts_read_name(&r, &s, &n), TS_MALFORMED);
    assert_string_equal(err.message, "malformed UTF-8 encoding");
    r = READER(3, 0xed, 0xa0, 0x80); /* a surrogate */
    assert_int_equal(ts_read_name(&r, &s, &n), TS_MALFORMED);
    r = READER(4, 'a', 'b');
    assert_int_equal(ts_read_name(&r, &s, &n), TS_MALFORMED);
}

/* Every opcode is found by its code, and has a readable signature and a text. */
static void table(void **state) {
    (void)state;
    unsigned n = 0;
    for (uint32_t op = 0; op < TS_OP_COUNT; op++) {
        const struct ts_op_info *i = &ts_op_infos[op];
        if (!i->text) continue;
        n++;
        if (i->code < 0x100)
            assert_int_equal(i->code, op);
        else
            assert_int_equal(ts_op_prefixed((uint8_t)(i->code >> 16), i->code & 0xffff), op);
        if (!i->sig) continue;
        assert_non_null(strchr(i->sig, ':'));
        assert_int_equal(strspn(i->sig, "iIfFVat:"), strlen(i->sig));
    }
    assert_int_equal(n, 570);
    assert_int_equal(ts_op_prefixed(0xfb, 0x1f), 0xffff);
    assert_int_equal(ts_op_prefixed(0xfd, 0x9a), 0xffff);
    assert_int_equal(ts_op_prefixed(0xfd, 0xffffffff), 0xffff);
    assert_string_equal(ts_op_infos[TS_OP_i32x4_dot_i16x8_s].text, "i32x4.dot_i16x8_s");
    assert_string_equal(ts_op_infos[TS_OP_i64_atomic_rmw32_cmpxchg_u].text, "i64.atomic.rmw32.cmpxchg_u");
}

static void immediates(void **state) {
    (void)state;
    struct ts_op op;
    ts_reader r = READER(0x0e, 2, 5, 6, 7, 0x6a); /* br_table 5 6 7; i32.add */
    assert_int_equal(ts_read_op(&r, &op), TS_OK);
    assert_int_equal(op.op, TS_OP_br_table);
    assert_int_equal(op.n, 2);
    assert_int_equal(op.index, 7);
    ts_reader labels = ts_op_vec_reader(&r, &op);
    uint32_t label;
    assert_int_equal(ts_read_u32(&labels, &label), TS_OK);
    assert_int_equal(label, 5);
    assert_int_equal(ts_read_op(&r, &op), TS_OK);
    assert_int_equal(op.op, TS_OP_i32_add);
    r = READER(0xfd, 0x54, 0x40, 3, 9, 15); /* v128.load8_lane of memory 3, offset 9, lane 15 */
    assert_int_equal(ts_read_op(&r, &op), TS_OK);
    assert_int_equal(op.op, TS_OP_v128_load8_lane);
    assert_int_equal(op.index, 3);
    assert_int_equal(op.offset, 9);
    assert_int_equal(op.lane, 15);
    r = READER(0xfb, 0x18, 2, 1, 0x6e, 0x05); /* br_on_cast 1 anyref-non-null (ref null 5) */
    assert_int_equal(ts_read_op(&r, &op), TS_OK);
    assert_int_equal(op.cast.from, ts_vt_ref(false, TS_HT_ANY));
    assert_int_equal(op.cast.to, ts_vt_ref(true, TS_HT_CONCRETE + 5));
    r = READER(0x28, 0x80, 0x01, 0x00);
    assert_int_equal(ts_read_op(&r, &op), TS_MALFORMED);
    assert_string_equal(err.message, "malformed memop flags");
    r = READER(0xff);
    assert_int_equal(ts_read_op(&r, &op), TS_MALFORMED);
    assert_string_equal(err.message, "illegal opcode ff");
    r = READER(0xfc, 0x7f);
    assert_int_equal(ts_read_op(&r, &op), TS_MALFORMED);
    assert_string_equal(err.message, "illegal opcode fc 7f");
    r = READER(0x43, 0, 0);
    assert_int_equal(ts_read_op(&r, &op), TS_MALFORMED);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(unsigned_leb), cmocka_unit_test(signed_leb),
                                       cmocka_unit_test(names), cmocka_unit_test(table), cmocka_unit_test(immediates)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
