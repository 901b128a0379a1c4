/* test_reader: the bounded reader, and reading instructions.
 * In: byte strings, right and broken. Out: values, or a malformed error at the right offset. spec:
 * binary/values */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "core/module/wasm_ops.h"
#include <stdlib.h>
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

/* Numbers of every length, and what is malformed for some of their readers. */
static const char *const lebs[] = {
    "\x00",
    "\x01",
    "\x3f",
    "\x40",
    "\x70",
    "\x7b",
    "\x7f",
    "\x80\x00",
    "\x80\x01",
    "\xff\x3f",
    "\xff\x7f",
    "\xe5\x8e\x26",
    "\xff\xff\x40",
    "\x80\x80\x80\x00",
    "\xd2\xa4\xc9\x73",
    "\xff\xff\xff\xff\x00",
    "\xff\xff\xff\xff\x07",
    "\xff\xff\xff\xff\x0f",
    "\xff\xff\xff\xff\x7f",
    "\x80\x80\x80\x80\x10",
    "\x80\x80\x80\x80\x80\x00",
    "\xf1\xe2\xd3\xc4\xb5\xa6\x17",
    "\xf1\xe2\xd3\xc4\xb5\xa6\x97\x08",
    "\xf1\xe2\xd3\xc4\xb5\xa6\x97\x78",
    "\xf1\xe2\xd3\xc4\xb5\xa6\x97\x88\x71",
    "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00",
    "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
    "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x02",
    "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00",
};
enum { N_LEBS = sizeof lebs / sizeof *lebs, MOST_BYTES = 48 };
static size_t put_leb(uint8_t *to, unsigned i) {
    const size_t n = lebs[i][0] ? strlen(lebs[i]) : 1;
    const size_t zero = i > 0 && (lebs[i][n - 1] & 0x80) ? 1 : 0; /* the last byte is 0 */
    memcpy(to, lebs[i], n + zero);
    return n + zero;
}
/* The same instruction read where many bytes follow it, and byte by byte because none does. */
static void read_both_ways(const uint8_t *bytes, size_t len) {
    uint8_t padded[MOST_BYTES], *end = malloc(len);
    struct ts_op fast, slow;
    assert_non_null(end);
    memcpy(end, bytes, len);
    memset(padded, 0xff, sizeof padded);
    memcpy(padded, bytes, len);
    ts_reader r = over(end, len);
    const ts_status status = ts_read_op_slow(&r, &slow);
    const ts_error slow_error = err;
    const uint64_t slow_offset = ts_reader_offset(&r);
    r = over(padded, sizeof padded);
    assert_int_equal(ts_read_op(&r, &fast), status);
    assert_string_equal(err.message, slow_error.message);
    assert_int_equal(err.offset, slow_error.offset);
    assert_int_equal(ts_reader_offset(&r), slow_offset);
    if (status == TS_OK) {
        assert_int_equal(slow_offset, len);
        assert_int_equal(fast.op, slow.op);
        assert_ptr_equal(fast.at, padded);
        switch ((ts_imm)ts_op_infos[fast.op].imm) {
        case TS_IMM_NONE: break;
        case TS_IMM_I32:
        case TS_IMM_I64: assert_int_equal(fast.i64, slow.i64); break;
        case TS_IMM_BLOCK:
            assert_int_equal(fast.block.kind, slow.block.kind);
            if (fast.block.kind != TS_BLOCK_EMPTY) assert_int_equal(fast.block.type, slow.block.type);
            break;
        case TS_IMM_MEMARG:
            assert_int_equal(fast.align, slow.align);
            assert_int_equal(fast.offset, slow.offset); /* fall through */
        default: assert_int_equal(fast.index, slow.index); break;
        }
    }
    free(end);
}
static void encodings(void **state) {
    (void)state;
    unsigned n = 0;
    for (unsigned op = 0; op < 0x100; op++) {
        uint8_t bytes[MOST_BYTES] = {(uint8_t)op};
        switch (ts_op_infos[op].text ? (ts_imm)ts_op_infos[op].imm : TS_IMM_ZERO) {
        case TS_IMM_NONE: read_both_ways(bytes, 1); break;
        case TS_IMM_BLOCK:
        case TS_IMM_LABEL:
        case TS_IMM_FUNC:
        case TS_IMM_TYPE:
        case TS_IMM_TAG:
        case TS_IMM_LOCAL:
        case TS_IMM_GLOBAL:
        case TS_IMM_TABLE:
        case TS_IMM_MEM:
        case TS_IMM_I32:
        case TS_IMM_I64:
            for (unsigned i = 0; i < N_LEBS; i++) read_both_ways(bytes, 1 + put_leb(bytes + 1, i));
            break;
        case TS_IMM_MEMARG:
            for (unsigned i = 0; i < N_LEBS; i++)
                for (unsigned k = 0; k < N_LEBS; k++) {
                    size_t len = 1 + put_leb(bytes + 1, i);
                    if (bytes[1] < 0x80 && bytes[1] & 0x40) len += put_leb(bytes + len, (i + k) % N_LEBS);
                    read_both_ways(bytes, len + put_leb(bytes + len, k));
                }
            break;
        default: continue;
        }
        n++;
    }
    assert_int_equal(n, 186);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(unsigned_leb), cmocka_unit_test(signed_leb),
                                       cmocka_unit_test(names),        cmocka_unit_test(table),
                                       cmocka_unit_test(immediates),   cmocka_unit_test(encodings)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
