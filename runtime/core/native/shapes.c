/* shapes: see shapes.h. */
#include "core/code/compile.h"
#include "core/native/shapes.h"
#include <string.h>

#define ROW(...) {__VA_ARGS__},
#define BIN5(k, n, o, i, T)                                                                                            \
    BIN2(k, n, o, i, T, FORM_AS)                                                                                       \
    BIN2(k, n, o, i, T, FORM_SA) BIN2(k, n, o, i, T, FORM_SS) BIN2(k, n, o, i, T, FORM_AI) BIN2(k, n, o, i, T, FORM_SI)
#define BIN2(k, n, o, i, T, form)                                                                                      \
    ROW(k, form, 0, 0, IN_##i, IN_##o, sizeof(T), 0, FAMILY_##n)                                                       \
    ROW(k, form, 1, 0, IN_##i, IN_##o, sizeof(T), 0, FAMILY_##n)
#define UN4(k, n, o, i, T)                                                                                             \
    ROW(k, FORM_A, 0, 0, IN_##i, IN_##o, sizeof(T), 0, FAMILY_##n)                                                     \
    ROW(k, FORM_A, 1, 0, IN_##i, IN_##o, sizeof(T), 0, FAMILY_##n)                                                     \
    ROW(k, FORM_S, 0, 0, IN_##i, IN_##o, sizeof(T), 0, FAMILY_##n)                                                     \
    ROW(k, FORM_S, 1, 0, IN_##i, IN_##o, sizeof(T), 0, FAMILY_##n)
#define BR5(n, i, T)                                                                                                   \
    BR1(n, i, T, FORM_AS) BR1(n, i, T, FORM_SA) BR1(n, i, T, FORM_SS) BR1(n, i, T, FORM_AI) BR1(n, i, T, FORM_SI)
#define BR1(n, i, T, form) ROW(SHAPE_CMP_BR, form, 0, 0, IN_##i, IN_NONE, sizeof(T), 0, FAMILY_##n)
#define MEM(k, n, c, out, T, form, x, s) ROW(k, form, s, x, IN_##c, IN_##out, sizeof(T), !((T) - 1 > (T)0), FAMILY_##n)
#define LOAD2(n, o, T, form, x) MEM(SHAPE_LOAD, n, o, o, T, form, x, 0) MEM(SHAPE_LOAD, n, o, o, T, form, x, 1)
#define LOAD5(n, o, T, x)                                                                                              \
    LOAD2(n, o, T, FORM_A, x)                                                                                          \
    LOAD2(n, o, T, FORM_S, x) LOAD2(n, o, T, FORM_P, x) LOAD2(n, o, T, FORM_Q, x) LOAD2(n, o, T, FORM_I, x)
#define ST(n, i, T, x, form) MEM(SHAPE_STORE, n, i, NONE, T, form, x, 0)
#define STORE12(n, i, T, x)                                                                                            \
    ST(n, i, T, x, FORM_AS)                                                                                            \
    ST(n, i, T, x, FORM_SA)                                                                                            \
    ST(n, i, T, x, FORM_SS)                                                                                            \
    ST(n, i, T, x, FORM_AI)                                                                                            \
    ST(n, i, T, x, FORM_SI)                                                                                            \
    ST(n, i, T, x, FORM_PS)                                                                                            \
    ST(n, i, T, x, FORM_PI)                                                                                            \
    ST(n, i, T, x, FORM_QS)                                                                                            \
    ST(n, i, T, x, FORM_QI) ST(n, i, T, x, FORM_IS) ST(n, i, T, x, FORM_IA) ST(n, i, T, x, FORM_II)
#define STF(n, i, T, x, form) MEM(SHAPE_STOREF, n, i, NONE, T, form, x, 0)
#define STOREF5(n, i, T, x)                                                                                            \
    STF(n, i, T, x, FORM_A)                                                                                            \
    STF(n, i, T, x, FORM_S) STF(n, i, T, x, FORM_P) STF(n, i, T, x, FORM_Q) STF(n, i, T, x, FORM_I)

const ts_shape ts_shapes[TS_IR_COUNT] = {
#define IR_BIN(n, o, i, T, swap, nan, e) BIN5(SHAPE_BIN, n, o, i, T)
#define IR_DIV(n, T, c, e) BIN5(SHAPE_DIV, n, R, R, T)
#define IR_UN(n, o, i, T, nan, e) UN4(SHAPE_UN, n, o, i, T)
#define IR_UNX IR_UN
#define IR_TRUNC(n, o, i, T, f) UN4(SHAPE_TRUNC, n, o, i, T)
#define IR_CMP(n, neg, swap, i, T, e) BIN5(SHAPE_CMP, n, R, i, T) BR5(n, i, T)
#define IR_CMPX IR_CMP
#define IR_LOAD(n, o, T, V) LOAD5(n, o, T, 0) LOAD5(n, o, T, 1)
#define IR_STORE(n, i, T) STORE12(n, i, T, 0) STORE12(n, i, T, 1)
#define IR_STOREF(n, i, T) STOREF5(n, i, T, 0) STOREF5(n, i, T, 1)
#define IR_ADDBR(n, e)                                                                                                 \
    ROW(SHAPE_ADDBR, FORM_SI, 1, 0, IN_R, IN_R, 4, 0, FAMILY_addbr_##n)                                                \
    ROW(SHAPE_ADDBR, FORM_SS, 1, 0, IN_R, IN_R, 4, 0, FAMILY_addbr_##n)
#define IR_OP(n, w, s) ROW(SHAPE_OP + OP_##n, 0, 0, 0, IN_NONE, IN_NONE, 0, 0, FAMILY_NONE)
#define IR_SLOW(n, w, s) ROW(SHAPE_SLOW, 0, 0, 0, IN_NONE, IN_NONE, 0, 0, FAMILY_NONE)
#define IR_V(n, shape, nan) ROW(SHAPE_VECTOR, VECTOR_##shape, 0, 0, IN_NONE, IN_NONE, 16, 0, FAMILY_v_##n)
#include "core/code/ir_ops.def"
};

_Static_assert(SHAPE_OP + OP_COUNT <= UINT8_MAX, "a kind is a byte");

static uint8_t class_bit(unsigned class) {
    return class == IN_NONE ? 0 : (uint8_t)(1 << class);
}
static void reads(ts_operands *o, uint32_t slot, unsigned class) {
    o->read[o->n_reads] = (uint16_t)slot;
    o->read_classes[o->n_reads++] = class_bit(class);
}
static void writes(ts_operands *o, uint32_t slot, unsigned class) {
    o->write = (uint16_t)slot;
    o->write_classes = class_bit(class);
}
static void reads_range(ts_operands *o, uint32_t from, uint32_t to) {
    o->range_from = (uint16_t)from;
    o->range_to = (uint16_t)to;
}
static void calls(ts_operands *o, uint32_t from, uint32_t to) {
    o->is_exit = o->is_call = true;
    reads_range(o, from, to);
    o->acc_writes = 7;
}

static void reads_pair(ts_operands *o, uint32_t slot) {
    o->pair[o->n_pairs++] = (uint16_t)slot;
}
static void writes_pair(ts_operands *o, uint32_t slot) {
    o->write = (uint16_t)slot;
    o->writes_pair = true;
}

static void operands_of_vector(const ts_word *w, unsigned form, ts_operands *o) {
    const uint16_t *s = w[1].s;
    static const uint8_t class_of_four[] = {IN_R, IN_R, IN_F, IN_D}; /* I32, I64, F32, F64 */
    if (form >= VECTOR_REPLACE_I32) {
        reads_pair(o, s[1]);
        reads(o, s[2], class_of_four[form - VECTOR_REPLACE_I32]);
        writes_pair(o, s[0]);
    } else if (form >= VECTOR_EXTRACT_I32) {
        reads_pair(o, s[1]);
        writes(o, s[0], class_of_four[form - VECTOR_EXTRACT_I32]);
    } else if (form >= VECTOR_SPLAT_I32) {
        reads(o, s[1], class_of_four[form - VECTOR_SPLAT_I32]);
        writes_pair(o, s[0]);
    } else if (form == VECTOR_TEST) {
        reads_pair(o, s[1]);
        writes(o, s[0], IN_R);
    } else {
        reads_pair(o, s[1]);
        if (form == VECTOR_BINARY || form == VECTOR_TERNARY) reads_pair(o, s[2]);
        if (form == VECTOR_TERNARY) reads_pair(o, s[3]);
        if (form == VECTOR_SHIFT) reads(o, s[2], IN_R);
        writes_pair(o, s[0]);
    }
}

/* The operations that are functions of C. Their operands are integers and references, but for values of any type, whose
 * class is not known here. */
#define READS(k) (1u << (k))
#define WRITES 16u
static void operands_of_slow(const ts_word *w, ts_operands *o) {
    const uint16_t *s = w[1].s;
    unsigned fields = 0;
    o->is_exit = true;
    switch (w->u) {
    case TS_IR_memory_size:
    case TS_IR_table_size:
    case TS_IR_ref_func: fields = WRITES; break;
    case TS_IR_struct_new_default:
        o->is_exit = false;
        fields = WRITES;
        break;
    case TS_IR_load_any:
    case TS_IR_table_get:
    case TS_IR_ref_test:
    case TS_IR_ref_cast:
    case TS_IR_ref_i31:
    case TS_IR_i31_get_s:
    case TS_IR_i31_get_u:
    case TS_IR_struct_get:
    case TS_IR_array_len:
    case TS_IR_array_new_default: fields = READS(1) | WRITES; break;
    case TS_IR_memory_grow: fields = READS(2) | WRITES; break;
    case TS_IR_table_grow:
    case TS_IR_array_get: fields = READS(1) | READS(2) | WRITES; break;
    case TS_IR_array_new_data:
    case TS_IR_array_new_elem: fields = READS(0) | READS(1) | WRITES; break;
    case TS_IR_store_any:
    case TS_IR_table_set: fields = READS(0) | READS(1); break;
    case TS_IR_memory_fill:
    case TS_IR_memory_copy:
    case TS_IR_memory_init:
    case TS_IR_table_fill:
    case TS_IR_table_copy:
    case TS_IR_table_init: fields = READS(0) | READS(1) | READS(2); break;
    case TS_IR_data_drop:
    case TS_IR_elem_drop: break;
    case TS_IR_ref_as_non_null: fields = READS(0); break;
    case TS_IR_struct_new:
        o->is_exit = false;
        reads_range(o, s[0], s[2]);
        fields = WRITES;
        break;
    case TS_IR_array_new_fixed:
        reads_range(o, s[0], s[2]);
        fields = WRITES;
        break;
    case TS_IR_struct_set:
        o->is_exit = false;
        reads(o, s[0], IN_R);
        reads_range(o, s[1], s[1] + 2u); /* of any type */
        return;
    case TS_IR_array_set:
        o->is_exit = false;
        reads(o, s[0], IN_R);
        reads(o, s[1], IN_R);
        reads_range(o, s[2], s[2] + 2u);
        return;
    case TS_IR_v128_load_any:
        reads(o, s[1], IN_R);
        writes_pair(o, s[0]);
        return;
    case TS_IR_v128_store_any:
        reads(o, s[0], IN_R);
        reads_pair(o, s[1]);
        return;
    case TS_IR_v128_lane_mem:
        reads(o, s[0], IN_R);
        reads_pair(o, s[1]);
        if (!(s[3] & TS_LANE_STORE)) writes_pair(o, w[3].uw[1]);
        return;
    case TS_IR_f32x4_canon:
    case TS_IR_f64x2_canon:
        reads_pair(o, s[1]);
        writes_pair(o, s[0]);
        return;
    default: o->reads_all = true; return; /* values that may take two slots, and several results */
    }
    if (w->u == TS_IR_struct_get || w->u == TS_IR_array_get || w->u == TS_IR_array_len || w->u == TS_IR_ref_i31 ||
        w->u == TS_IR_i31_get_s || w->u == TS_IR_i31_get_u || w->u == TS_IR_ref_as_non_null)
        o->is_exit = false;
    for (unsigned k = 0; k < 4; k++)
        if (fields >> k & 1) reads(o, s[k], w->u == TS_IR_store_any && k == 1 ? IN_NONE : IN_R);
    if (fields & WRITES) writes(o, s[0], IN_NONE);
}

/* The others that have bodies of their own. */
static void operands_of_op(const ts_word *w, ts_operands *o) {
    const uint16_t *s = w[1].s;
    unsigned op = (unsigned)w->u;
    switch (op) {
    case TS_IR_select_r_S:
    case TS_IR_select_r_SS:
    case TS_IR_select_f_S:
    case TS_IR_select_f_SS:
    case TS_IR_select_d_S:
    case TS_IR_select_d_SS: {
        unsigned class = (op - TS_IR_select_r_A) / 4;
        reads(o, s[1], class);
        reads(o, s[2], class);
        reads(o, s[3], IN_R);
        o->acc_writes = (uint8_t)(1 << class);
        if ((op - TS_IR_select_r_A) & 1) writes(o, s[0], class);
        return;
    }
    case TS_IR_copyn:
        if (s[2] == 0) return;
        reads(o, s[1], IN_NONE);
        o->write = s[0];
        o->moved = s[2];
        return;
    case TS_IR_copy2:
        reads_pair(o, s[1]);
        writes_pair(o, s[0]);
        return;
    case TS_IR_global_get_v: writes_pair(o, s[0]); return;
    case TS_IR_global_set_v: reads_pair(o, s[0]); return;
    case TS_IR_select_v:
        reads(o, s[3], IN_R);
        reads_pair(o, s[1]);
        reads_pair(o, s[2]);
        writes_pair(o, s[0]);
        return;
    case TS_IR_v128_load:
        reads(o, s[1], IN_R);
        writes_pair(o, s[0]);
        return;
    case TS_IR_v128_store:
        reads(o, s[0], IN_R);
        reads_pair(o, s[1]);
        return;
    case TS_IR_v128_const: writes_pair(o, s[0]); return;
    case TS_IR_i8x16_shuffle:
        reads_pair(o, s[1]);
        reads_pair(o, s[2]);
        writes_pair(o, s[0]);
        return;
    case TS_IR_unreachable: o->is_exit = o->ends = true; return;
    case TS_IR_ret_n:
        if (s[1]) reads(o, s[0], IN_NONE);
        o->moved = s[1];
        o->ends = true;
        return;
    case TS_IR_call: calls(o, s[0], s[1]); return;
    case TS_IR_call_import: calls(o, s[0], NO_SLOT); return;
    case TS_IR_call_indirect:
        calls(o, s[0], s[1]);
        reads(o, s[3], IN_R);
        return;
    case TS_IR_call_ref:
        calls(o, s[0], s[1]);
        reads(o, s[2], IN_R);
        return;
    case TS_IR_return_call:
    case TS_IR_return_call_import:
    case TS_IR_return_call_indirect:
    case TS_IR_return_call_ref:
    case TS_IR_throw_:
    case TS_IR_throw_ref: o->is_exit = o->reads_all = o->ends = true; return;
    default: break;
    }
    o->is_exit = o->reads_all = true;
}

void ts_operands_of_other(const ts_word *w, ts_operands *o) {
    const ts_shape *p = &ts_shapes[w->u];
    memset(o, 0, sizeof *o);
    o->write = o->read[0] = o->read[1] = NO_SLOT;
    if (p->kind == SHAPE_SLOW)
        operands_of_slow(w, o);
    else if (p->kind == SHAPE_VECTOR)
        operands_of_vector(w, p->form, o);
    else
        operands_of_op(w, o);
    o->is_rare = o->n_reads > 2 || o->moved || o->n_pairs || o->range_to || o->writes_pair || o->is_call ||
                 o->reads_all || o->is_exit;
}

/* The opcodes whose operands are in a few fields. `n` of them are slots that are read, named by the fields a and
 * b, with values of the classes `of`. to: s0 names a slot that gets the result, of the classes `out`. acc: the
 * accumulators that are read. An operand that is absent is NO_SLOT with other low bits, from the row and from a
 * field, so that the absent operands of a function are spread over several rows (flow.c). */
#define BIT(class) (1 << IN_##class & ((1 << IN_NONE) - 1))
#define KNOWN(n, a, b, of, acc, to, out, ...)                                                                          \
    {.operands = {.read = {(n) > 0 ? 0 : NO_SLOT, (n) > 1 ? 0 : NO_SLOT + 0x20},                                       \
                  .read_classes = {of, of},                                                                            \
                  .n_reads = n,                                                                                        \
                  .write = (to) ? 0 : NO_SLOT + 0x40,                                                                  \
                  .acc_reads = acc,                                                                                    \
                  .write_classes = out,                                                                                \
                  __VA_ARGS__},                                                                                        \
     .field = {(n) > 0 ? (a) : 2, (n) > 1 ? (b) : 2},                                                                  \
     .is_known = true}
/* With and without a slot that gets the result, which an accumulator gets. */
#define KNOWN2(op, n, a, b, of, acc, out, ...)                                                                         \
    [TS_IR_##op] = KNOWN(n, a, b, of, acc, 0, out, .acc_writes = out, __VA_ARGS__),                                    \
    [TS_IR_##op##_S] = KNOWN(n, a, b, of, acc, 1, out, .acc_writes = out, __VA_ARGS__),
#define TWO_OPERANDS(n, of, out, ...)                                                                                  \
    KNOWN2(n##_AS, 1, 2, 0, of, of, out, __VA_ARGS__)                                                                  \
    KNOWN2(n##_SA, 1, 1, 0, of, of, out, __VA_ARGS__)                                                                  \
    KNOWN2(n##_SS, 2, 1, 2, of, 0, out, __VA_ARGS__)                                                                   \
    KNOWN2(n##_AI, 0, 0, 0, of, of, out, __VA_ARGS__)                                                                  \
    KNOWN2(n##_SI, 1, 1, 0, of, 0, out, __VA_ARGS__)
#define ONE_OPERAND(n, of, out) KNOWN2(n##_A, 0, 0, 0, of, of, out) KNOWN2(n##_S, 1, 1, 0, of, 0, out)
#define COMPARE_AND_BRANCH(n, of)                                                                                      \
    [TS_IR_br_##n##_AS] = KNOWN(1, 1, 0, of, of, 0, 0, .branches = true),                                              \
    [TS_IR_br_##n##_SA] = KNOWN(1, 0, 0, of, of, 0, 0, .branches = true),                                              \
    [TS_IR_br_##n##_SS] = KNOWN(2, 0, 1, of, 0, 0, 0, .branches = true),                                               \
    [TS_IR_br_##n##_AI] = KNOWN(0, 0, 0, of, of, 0, 0, .branches = true),                                              \
    [TS_IR_br_##n##_SI] = KNOWN(1, 0, 0, of, 0, 0, 0, .branches = true),
#define ADDRESSES(op, n, a, b, acc) [TS_IR_##op] = KNOWN(n, a, b, BIT(R), acc, 0, 0),
#define LOAD_FROM(n, out)                                                                                              \
    KNOWN2(n##A, 0, 0, 0, BIT(R), BIT(R), out)                                                                         \
    KNOWN2(n##S, 1, 1, 0, BIT(R), 0, out)                                                                              \
    KNOWN2(n##P, 1, 1, 0, BIT(R), 0, out)                                                                              \
    KNOWN2(n##Q, 0, 0, 0, BIT(R), BIT(R), out) KNOWN2(n##I, 0, 0, 0, BIT(R), 0, out)
#define STORE_TO(n)                                                                                                    \
    ADDRESSES(n##AS, 1, 1, 0, BIT(R))                                                                                  \
    ADDRESSES(n##SA, 1, 0, 0, BIT(R))                                                                                  \
    ADDRESSES(n##SS, 2, 0, 1, 0)                                                                                       \
    ADDRESSES(n##AI, 0, 0, 0, BIT(R))                                                                                  \
    ADDRESSES(n##SI, 1, 0, 0, 0)                                                                                       \
    ADDRESSES(n##PS, 2, 0, 1, 0)                                                                                       \
    ADDRESSES(n##PI, 1, 0, 0, 0)                                                                                       \
    ADDRESSES(n##QS, 1, 1, 0, BIT(R))                                                                                  \
    ADDRESSES(n##QI, 0, 0, 0, BIT(R))                                                                                  \
    ADDRESSES(n##IS, 1, 1, 0, 0) ADDRESSES(n##IA, 0, 0, 0, BIT(R)) ADDRESSES(n##II, 0, 0, 0, 0)
#define STORE_FLOAT_TO(n, of)                                                                                          \
    ADDRESSES(n##A, 0, 0, 0, of | BIT(R))                                                                              \
    ADDRESSES(n##S, 1, 0, 0, of)                                                                                       \
    ADDRESSES(n##P, 1, 0, 0, of) ADDRESSES(n##Q, 0, 0, 0, of | BIT(R)) ADDRESSES(n##I, 0, 0, 0, of)
#define ADD_AND_BRANCH(op, n, b)                                                                                       \
    [TS_IR_i32_addbr_##op] =                                                                                           \
        KNOWN(n, 1, b, BIT(R), 0, 1, BIT(R), .acc_writes = BIT(R), .branches = true, .reads_late = true),
#define OF_CLASS(c, C)                                                                                                 \
    [TS_IR_select_##c##_A] = KNOWN(2, 1, 2, BIT(C), BIT(R), 0, 0, .acc_writes = BIT(C)),                               \
    [TS_IR_select_##c##_AS] = KNOWN(2, 1, 2, BIT(C), BIT(R), 1, BIT(C), .acc_writes = BIT(C)),                         \
    [TS_IR_put_##c] = KNOWN(0, 0, 0, 0, BIT(C), 1, BIT(C)),                                                            \
    [TS_IR_global_get_##c##_A] = KNOWN(0, 0, 0, 0, 0, 0, 0, .acc_writes = BIT(C)),                                     \
    [TS_IR_global_get_##c##_S] = KNOWN(0, 0, 0, 0, 0, 1, BIT(C), .acc_writes = BIT(C)),                                \
    [TS_IR_ret_##c] = KNOWN(0, 0, 0, 0, BIT(C), 0, 0, .ends = true),                                                   \
    [TS_IR_ret_s_##c] = KNOWN(1, 0, 0, BIT(C), 0, 0, 0, .ends = true),
const ts_operand_row ts_operand_rows[TS_IR_COUNT] = {
#define IR_BIN(n, o, i, T, swap, nan, e) TWO_OPERANDS(n, BIT(i), BIT(o))
#define IR_DIV(n, T, c, e) TWO_OPERANDS(n, BIT(R), BIT(R), .divides = true)
#define IR_UN(n, o, i, T, nan, e) ONE_OPERAND(n, BIT(i), BIT(o))
#define IR_UNX IR_UN
#define IR_TRUNC(n, o, i, T, f) ONE_OPERAND(n, BIT(i), BIT(o))
#define IR_CMP(n, neg, swap, i, T, e) TWO_OPERANDS(n, BIT(i), BIT(R)) COMPARE_AND_BRANCH(n, BIT(i))
#define IR_CMPX IR_CMP
#define IR_LOAD(n, o, T, V) LOAD_FROM(n##_, BIT(o)) LOAD_FROM(n##_x, BIT(o))
#define IR_STORE(n, i, T) STORE_TO(n##_) STORE_TO(n##_x)
#define IR_STOREF(n, i, T) STORE_FLOAT_TO(n##_, BIT(i)) STORE_FLOAT_TO(n##_x, BIT(i))
#define IR_ADDBR(n, e) ADD_AND_BRANCH(n##_I, 1, 0) ADD_AND_BRANCH(n##_S, 2, 6) /* field 6: word2.1 */
#include "core/code/ir_ops.def"
    [TS_IR_i32_addbr_nz] = KNOWN(1, 1, 0, BIT(R), 0, 1, BIT(R), .acc_writes = BIT(R), .branches = true),
    [TS_IR_copy] = KNOWN(1, 1, 0, 0, 0, 1, 0),
    [TS_IR_const_s] = KNOWN(0, 0, 0, 0, 0, 1, 0),
    [TS_IR_global_set_s] = KNOWN(1, 0, 0, 0, 0, 0, 0),
    [TS_IR_global_set_r] = KNOWN(0, 0, 0, 0, BIT(R), 0, 0),
    [TS_IR_br] = KNOWN(0, 0, 0, 0, 0, 0, 0, .branches = true, .ends = true),
    [TS_IR_br_nz_A] = KNOWN(0, 0, 0, 0, BIT(R), 0, 0, .branches = true),
    [TS_IR_br_z_A] = KNOWN(0, 0, 0, 0, BIT(R), 0, 0, .branches = true),
    [TS_IR_br_nz_S] = KNOWN(1, 0, 0, BIT(R), 0, 0, 0, .branches = true),
    [TS_IR_br_z_S] = KNOWN(1, 0, 0, BIT(R), 0, 0, 0, .branches = true),
    [TS_IR_br_table_A] = KNOWN(0, 0, 0, 0, BIT(R), 0, 0, .is_table = true, .ends = true),
    [TS_IR_br_table] = KNOWN(1, 0, 0, BIT(R), 0, 0, 0, .is_table = true, .ends = true),
    [TS_IR_enter] = KNOWN(0, 0, 0, 0, 0, 0, 0),
    [TS_IR_enter0] = KNOWN(0, 0, 0, 0, 0, 0, 0),
    [TS_IR_fuel] = KNOWN(0, 0, 0, 0, 0, 0, 0),
    [TS_IR_count] = KNOWN(0, 0, 0, 0, 0, 0, 0),
    [TS_IR_ret] = KNOWN(0, 0, 0, 0, 0, 0, 0, .ends = true),
    KNOWN2(i32_shladd_A, 1, 1, 0, BIT(R), BIT(R), BIT(R)) KNOWN2(i32_shladd_S, 2, 1, 2, BIT(R), 0, BIT(R))
        OF_CLASS(r, R) OF_CLASS(f, F) OF_CLASS(d, D)};
