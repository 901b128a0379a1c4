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
#define IR_OP(n, w, s) ROW(SHAPE_OP, OP_##n, 0, 0, IN_NONE, IN_NONE, 0, 0, FAMILY_NONE)
#define IR_SLOW(n, w, s) ROW(SHAPE_SLOW, 0, 0, 0, IN_NONE, IN_NONE, 0, 0, FAMILY_NONE)
#define IR_V(n, shape, nan) ROW(SHAPE_VECTOR, VECTOR_##shape, 0, 0, IN_NONE, IN_NONE, 16, 0, FAMILY_v_##n)
#include "core/code/ir_ops.def"
};

static void reads(ts_operands *o, uint32_t slot, unsigned class) {
    o->read[o->n_reads] = (uint16_t)slot;
    o->read_class[o->n_reads++] = (uint8_t)class;
}
static void writes(ts_operands *o, uint32_t slot, unsigned class) {
    o->write = (uint16_t)slot;
    o->write_class = (uint8_t)class;
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
    o->write_class = IN_NONE;
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

/* The opcodes with bodies of their own: those whose operands are in a few fields. */
enum { BRANCHES = 1, ENDS = 2, TABLE = 4, WRITES_S0 = 8, KNOWN = 16 };
#define NONE_READ 0, {0}, {0}
#define READS_ONE(field, class)                                                                                        \
    1, {field}, {                                                                                                      \
        IN_##class                                                                                                     \
    }
#define READS_TWO(a, class_a, b, class_b)                                                                              \
    2, {a, b}, {                                                                                                       \
        IN_##class_a, IN_##class_b                                                                                     \
    }
#define BIT(class) (1 << IN_##class)
typedef struct op_operands {
    uint8_t n, field[2], class[2];
    uint8_t acc_reads, acc_writes, write_class;
    uint8_t traits;
} op_operands;
#define SELECT(c, C)                                                                                                   \
    [OP_select_##c##_A] = {READS_TWO(1, C, 2, C), BIT(R), BIT(C), IN_NONE, KNOWN},                                     \
    [OP_select_##c##_AS] = {READS_TWO(1, C, 2, C), BIT(R), BIT(C), IN_##C, KNOWN | WRITES_S0}
#define BY_CLASS(c, C)                                                                                                 \
    [OP_put_##c] = {NONE_READ, BIT(C), 0, IN_##C, KNOWN | WRITES_S0},                                                  \
    [OP_global_get_##c##_A] = {NONE_READ, 0, BIT(C), IN_NONE, KNOWN},                                                  \
    [OP_global_get_##c##_S] = {NONE_READ, 0, BIT(C), IN_##C, KNOWN | WRITES_S0},                                       \
    [OP_ret_##c] = {NONE_READ, BIT(C), 0, IN_NONE, KNOWN | ENDS},                                                      \
    [OP_ret_s_##c] = {READS_ONE(0, C), 0, 0, IN_NONE, KNOWN | ENDS}, SELECT(c, C)
static const op_operands operands_by_op[OP_COUNT] = {
    BY_CLASS(r, R),
    BY_CLASS(f, F),
    BY_CLASS(d, D),
    [OP_i32_addbr_nz] = {READS_ONE(1, R), 0, BIT(R), IN_R, KNOWN | WRITES_S0 | BRANCHES},
    [OP_i32_shladd_A] = {READS_ONE(1, R), BIT(R), BIT(R), IN_NONE, KNOWN},
    [OP_i32_shladd_A_S] = {READS_ONE(1, R), BIT(R), BIT(R), IN_R, KNOWN | WRITES_S0},
    [OP_i32_shladd_S] = {READS_TWO(1, R, 2, R), 0, BIT(R), IN_NONE, KNOWN},
    [OP_i32_shladd_S_S] = {READS_TWO(1, R, 2, R), 0, BIT(R), IN_R, KNOWN | WRITES_S0},
    [OP_copy] = {READS_ONE(1, NONE), 0, 0, IN_NONE, KNOWN | WRITES_S0},
    [OP_const_s] = {NONE_READ, 0, 0, IN_NONE, KNOWN | WRITES_S0},
    [OP_global_set_s] = {READS_ONE(0, NONE), 0, 0, IN_NONE, KNOWN},
    [OP_global_set_r] = {NONE_READ, BIT(R), 0, IN_NONE, KNOWN},
    [OP_br] = {NONE_READ, 0, 0, IN_NONE, KNOWN | BRANCHES | ENDS},
    [OP_br_nz_A] = {NONE_READ, BIT(R), 0, IN_NONE, KNOWN | BRANCHES},
    [OP_br_z_A] = {NONE_READ, BIT(R), 0, IN_NONE, KNOWN | BRANCHES},
    [OP_br_nz_S] = {READS_ONE(0, R), 0, 0, IN_NONE, KNOWN | BRANCHES},
    [OP_br_z_S] = {READS_ONE(0, R), 0, 0, IN_NONE, KNOWN | BRANCHES},
    [OP_br_table_A] = {NONE_READ, BIT(R), 0, IN_NONE, KNOWN | TABLE | ENDS},
    [OP_br_table] = {READS_ONE(0, R), 0, 0, IN_NONE, KNOWN | TABLE | ENDS},
    [OP_enter] = {NONE_READ, 0, 0, IN_NONE, KNOWN},
    [OP_enter0] = {NONE_READ, 0, 0, IN_NONE, KNOWN},
    [OP_fuel] = {NONE_READ, 0, 0, IN_NONE, KNOWN},
    [OP_count] = {NONE_READ, 0, 0, IN_NONE, KNOWN},
    [OP_ret] = {NONE_READ, 0, 0, IN_NONE, KNOWN | ENDS},
};
/* Without a branch. */
static uint16_t slot_if(bool condition, uint16_t slot) {
    return slot | (uint16_t)((unsigned)condition - 1);
}
static void reads_fields(ts_operands *o, const uint16_t *s, unsigned n, const uint8_t *field) {
    o->n_reads = (uint8_t)n;
    o->read[0] = slot_if(n > 0, s[field[0]]);
    o->read[1] = slot_if(n > 1, s[field[1]]);
}
static void operands_of_op(const op_operands *f, const uint16_t *s, ts_operands *o) {
    reads_fields(o, s, f->n, f->field);
    o->read_class[0] = f->class[0];
    o->read_class[1] = f->class[1];
    o->acc_reads = f->acc_reads;
    o->acc_writes = f->acc_writes;
    o->write = slot_if(f->traits & WRITES_S0, s[0]);
    o->write_class = f->write_class;
    o->branches = f->traits & BRANCHES;
    o->ends = f->traits & ENDS;
    o->is_table = f->traits & TABLE;
}
/* The others. */
static void operands_of_other(const ts_word *w, ts_operands *o) {
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
        o->write_class = IN_NONE;
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

/* The operands of the other families, by kind and form: the accumulators, and the fields with slots. */
enum { ACC = 1, ACC_INT = 2 }; /* of the class of the operands; the integer one, for an address */
typedef struct form_operands {
    uint8_t accumulators, n, field[2];
} form_operands;
#define TWO_OPERANDS(a, b)                                                                                             \
    {                                                                                                                  \
        [FORM_AS] = {ACC, 1, {b}}, [FORM_SA] = {ACC, 1, {a}}, [FORM_SS] = {0, 2, {a, b}},                              \
        [FORM_AI] = {ACC, 0, {0}}, [FORM_SI] = {0, 1, {a}},                                                            \
    }
#define ONE_OPERAND                                                                                                    \
    {                                                                                                                  \
        [FORM_A] = {ACC, 0, {0}},                                                                                      \
        [FORM_S] = {0, 1, {1}},                                                                                        \
    }
static const form_operands operands_by_form[][12] = {
    [SHAPE_BIN] = TWO_OPERANDS(1, 2),
    [SHAPE_DIV] = TWO_OPERANDS(1, 2),
    [SHAPE_CMP] = TWO_OPERANDS(1, 2),
    [SHAPE_CMP_BR] = TWO_OPERANDS(0, 1),
    [SHAPE_UN] = ONE_OPERAND,
    [SHAPE_TRUNC] = ONE_OPERAND,
    [SHAPE_LOAD] =
        {[FORM_A] = {ACC_INT, 0, {0}}, [FORM_S] = {0, 1, {1}}, [FORM_P] = {0, 1, {1}}, [FORM_Q] = {ACC_INT, 0, {0}}},
    [SHAPE_STORE] = {[FORM_AS] = {ACC_INT, 1, {1}},
                     [FORM_SA] = {ACC_INT, 1, {0}},
                     [FORM_SS] = {0, 2, {0, 1}},
                     [FORM_AI] = {ACC_INT, 0, {0}},
                     [FORM_SI] = {0, 1, {0}},
                     [FORM_PS] = {0, 2, {0, 1}},
                     [FORM_PI] = {0, 1, {0}},
                     [FORM_QS] = {ACC_INT, 1, {1}},
                     [FORM_QI] = {ACC_INT, 0, {0}},
                     [FORM_IS] = {0, 1, {1}},
                     [FORM_IA] = {ACC_INT, 0, {0}}},
    [SHAPE_STOREF] = {[FORM_A] = {ACC | ACC_INT, 0, {0}},
                      [FORM_S] = {ACC, 1, {0}},
                      [FORM_P] = {ACC, 1, {0}},
                      [FORM_Q] = {ACC | ACC_INT, 0, {0}},
                      [FORM_I] = {ACC, 0, {0}}},
};
static void operands_of_addbr(const ts_word *w, const ts_shape *p, ts_operands *o) {
    o->branches = o->reads_late = true;
    reads(o, w[1].s[1], IN_R);
    if (p->form == FORM_SS) reads(o, w[2].uw[1], IN_R);
    writes(o, w[1].s[0], IN_R);
    o->acc_writes = 1 << IN_R;
}
void ts_operands_of(const ts_word *w, ts_operands *o) {
    const ts_shape *p = &ts_shapes[w->u];
    memset(o, 0, sizeof *o);
    o->write = o->read[0] = o->read[1] = NO_SLOT;
    switch ((ts_shape_kind)p->kind) {
    case SHAPE_OP: {
        const op_operands *f = &operands_by_op[p->form];
        if (f->traits) {
            operands_of_op(f, w[1].s, o);
            return;
        }
        operands_of_other(w, o);
        break;
    }
    case SHAPE_SLOW: operands_of_slow(w, o); break;
    case SHAPE_VECTOR: operands_of_vector(w, p->form, o); break;
    case SHAPE_ADDBR: operands_of_addbr(w, p, o); return;
    default: {
        const form_operands *f = &operands_by_form[p->kind][p->form];
        const uint16_t *s = w[1].s;
        const bool addresses = p->kind == SHAPE_LOAD || p->kind == SHAPE_STORE || p->kind == SHAPE_STOREF;
        reads_fields(o, s, f->n, f->field);
        o->read_class[0] = o->read_class[1] = addresses ? IN_R : p->in;
        o->acc_reads =
            (uint8_t)((f->accumulators & ACC) << p->in | (unsigned)(f->accumulators & ACC_INT) / ACC_INT << IN_R);
        o->acc_writes = (uint8_t)(1u << p->out & ((1u << IN_NONE) - 1));
        o->write = slot_if(p->to_slot, s[0]);
        o->write_class = p->out;
        o->branches = p->kind == SHAPE_CMP_BR;
        o->divides = p->kind == SHAPE_DIV;
        return;
    }
    }
    o->is_rare = o->moved || o->n_pairs || o->range_to || o->writes_pair || o->is_call || o->reads_all;
}
