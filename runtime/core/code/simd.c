/* simd: operations on v128, whose operands and results are pairs of slots.
 * In: vector instructions that touch no memory. Out: code. spec: exec/instructions#vector-instructions */
#include "core/code/compiler.h"

/* What the operands and the result are. */
enum {
    SHAPE_NONE,
    SHAPE_UNARY,
    SHAPE_BINARY,
    SHAPE_TERNARY,
    SHAPE_SHIFT,
    SHAPE_TEST,
    SHAPE_SPLAT_I32,
    SHAPE_SPLAT_I64,
    SHAPE_SPLAT_F32,
    SHAPE_SPLAT_F64,
    SHAPE_EXTRACT_I32,
    SHAPE_EXTRACT_I64,
    SHAPE_EXTRACT_F32,
    SHAPE_EXTRACT_F64,
    SHAPE_REPLACE_I32,
    SHAPE_REPLACE_I64,
    SHAPE_REPLACE_F32,
    SHAPE_REPLACE_F64,
};
struct simd_info {
    uint16_t ir;
    uint8_t shape;
};
static const struct simd_info simd_infos[TS_OP_COUNT] = {
#define IR_V(n, shape) [TS_OP_##n] = {TS_IR_v_##n, SHAPE_##shape},
#include "core/code/ir_simd.def"
#undef IR_V
};

/* Which lanes of its result are computed floats, so that their NaN bits are the engine's choice: 4, 8 or 0 bytes. */
static unsigned float_lanes(uint32_t op) {
    switch (op) {
#define OPS(t)                                                                                                         \
    case TS_OP_##t##_ceil:                                                                                             \
    case TS_OP_##t##_floor:                                                                                            \
    case TS_OP_##t##_trunc:                                                                                            \
    case TS_OP_##t##_nearest:                                                                                          \
    case TS_OP_##t##_sqrt:                                                                                             \
    case TS_OP_##t##_add:                                                                                              \
    case TS_OP_##t##_sub:                                                                                              \
    case TS_OP_##t##_mul:                                                                                              \
    case TS_OP_##t##_div:                                                                                              \
    case TS_OP_##t##_min:                                                                                              \
    case TS_OP_##t##_max:                                                                                              \
    case TS_OP_##t##_relaxed_madd:                                                                                     \
    case TS_OP_##t##_relaxed_nmadd:                                                                                    \
    case TS_OP_##t##_relaxed_min:                                                                                      \
    case TS_OP_##t##_relaxed_max:
    OPS(f32x4) case TS_OP_f32x4_demote_f64x2_zero:
        return 4;
    OPS(f64x2) case TS_OP_f64x2_promote_low_f32x4:
        return 8;
#undef OPS
        default : return 0;
    }
}
static void emit_simd_op(compiler *c, const struct ts_op *o) {
    const struct simd_info *si = &simd_infos[o->op];
    uint32_t at;
    switch (si->shape) {
    case SHAPE_UNARY: emit_by_slots(c, si->ir, 1, CLASS_V128); return;
    case SHAPE_BINARY: emit_by_slots(c, si->ir, 2, CLASS_V128); return;
    case SHAPE_TERNARY: emit_by_slots(c, si->ir, 3, CLASS_V128); return;
    case SHAPE_SHIFT: emit_by_slots(c, si->ir, 2, CLASS_V128); return;
    case SHAPE_TEST: emit_by_slots(c, si->ir, 1, CLASS_INT); return;
    case SHAPE_SPLAT_I32:
    case SHAPE_SPLAT_I64:
    case SHAPE_SPLAT_F32:
    case SHAPE_SPLAT_F64: emit_by_slots(c, si->ir, 1, CLASS_V128); return;
    case SHAPE_EXTRACT_I32:
    case SHAPE_EXTRACT_I64: at = emit_by_slots(c, si->ir, 1, CLASS_INT); break;
    case SHAPE_EXTRACT_F32: at = emit_by_slots(c, si->ir, 1, CLASS_F32); break;
    case SHAPE_EXTRACT_F64: at = emit_by_slots(c, si->ir, 1, CLASS_F64); break;
    default: at = emit_by_slots(c, si->ir, 2, CLASS_V128); break;
    }
    c->code.data[at + 1].s[3] = o->lane;
}
static void compile_simd_op(compiler *c, const struct ts_op *o) {
    emit_simd_op(c, o);
    unsigned n = c->form & TS_FORM_DETERMINISTIC ? float_lanes(o->op) : 0;
    if (n) emit_by_slots(c, n == 4 ? TS_IR_f32x4_canon : TS_IR_f64x2_canon, 1, CLASS_V128);
}

bool ts_compile_simd(compiler *c, const struct ts_op *o) {
    switch (o->op) {
    case TS_OP_v128_const: {
        uint32_t dst = result_slot(c, CLASS_V128);
        uint32_t at = emit(c, TS_IR_v128_const, CLASS_NONE, dst, 0, 0, 0);
        memcpy(&c->code.data[at + 2], o->bytes, 16);
        push_result(c, CLASS_V128, at);
        return true;
    }
    case TS_OP_i8x16_shuffle: {
        uint32_t at = emit_by_slots(c, TS_IR_i8x16_shuffle, 2, CLASS_V128);
        memcpy(&c->code.data[at + 2], o->bytes, 16);
        return true;
    }
    default:
        if (!simd_infos[o->op].shape) return false;
        compile_simd_op(c, o);
        return true;
    }
}
