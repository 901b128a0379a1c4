/* simd: operations on v128, whose operands and results are pairs of slots.
 * In: vector instructions that touch no memory. Out: code. spec: exec/instructions#vector-instructions */
#include "core/code/compiler.h"

/* The operands and the result of each operation. */
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
enum { NAN_ASIS = 0, NAN_CANON_F32 = TS_IR_f32x4_canon, NAN_CANON_F64 = TS_IR_f64x2_canon };
struct simd_info {
    uint16_t ir;
    uint16_t canon; /* the operation that makes NaNs of the result canonical; 0: none */
    uint8_t shape;
};
static const struct simd_info simd_infos[TS_OP_COUNT] = {
#define IR_V(n, shape, nan) [TS_OP_##n] = {TS_IR_v_##n, NAN_##nan, SHAPE_##shape},
#include "core/code/ir_ops.def"
};

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
    uint32_t canon = simd_infos[o->op].canon;
    if (canon && c->form & TS_FORM_DETERMINISTIC) emit_by_slots(c, canon, 1, CLASS_V128);
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
