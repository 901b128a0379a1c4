/* wasm_ops: the opcode table as data, and the slow path of reading one instruction.
 * In: a reader at an opcode. Out: struct ts_op, or a malformed error that names the opcode.
 * spec: binary/instructions, binary/types */
#include "core/module/wasm_ops.h"

enum { WHERE_BODY = false, WHERE_CONST = true };
const struct ts_op_info ts_op_infos[TS_OP_COUNT] = {
#define OP(code, ident, text, imm, sig, feature, align, where)                                                         \
    [TS_OP_##ident] = {text, sig, code, TS_F_##feature, TS_IMM_##imm, align, WHERE_##where},
#define OP_BY_HAND(code, ident, text, imm, feature, where) OP(code, ident, text, imm, NULL, feature, 0, where)
#include "core/module/wasm_ops.def"
};

ts_status ts_op_illegal(ts_reader *r, const uint8_t *at) {
    r->at = at;
    uint8_t b = *at++;
    if (b < 0xfb || b > 0xfe) return ts_reader_fail(r, "illegal opcode %02x", b);
    ts_reader sub = *r;
    sub.at = at;
    uint32_t n;
    TS_TRY(ts_read_u32(&sub, &n));
    return ts_reader_fail(r, "illegal opcode %02x %02x", b, n);
}

/* --- types --------------------------------------------------------------------------------------------- */

/* An index that does not fit becomes the largest one, which no module can define (see TS_MAX_TYPES in
 * decode.h). */
static uint32_t concrete(int64_t i) {
    const int64_t most = (1 << 24) - 1 - TS_HT_CONCRETE;
    return TS_HT_CONCRETE + (uint32_t)(i < most ? i : most);
}

static bool is_abstract(uint8_t b) {
    return b >= TS_HT_EXN && b <= TS_HT_NOEXN;
}

ts_status ts_read_heaptype(ts_reader *r, uint32_t *heap) {
    const uint8_t *at = r->at;
    int64_t v;
    TS_TRY(ts_read_s33(r, &v));
    if (v >= 0) {
        *heap = concrete(v);
        return TS_OK;
    }
    /* Abstract heap types are single bytes. A longer encoding of the same number is malformed. */
    if (r->at == at + 1 && is_abstract(*at)) {
        *heap = *at;
        return TS_OK;
    }
    r->at = at;
    return ts_reader_fail(r, "malformed heap type");
}

ts_status ts_read_valtype(ts_reader *r, ts_valtype *out) {
    uint8_t b = 0;
    TS_TRY(ts_read_u8(r, &b));
    if (b >= TS_VT_V128 && b <= TS_VT_I32) {
        *out = b;
        return TS_OK;
    }
    if (is_abstract(b)) {
        *out = ts_vt_ref(true, b);
        return TS_OK;
    }
    if (b == TS_VT_REF || b == TS_VT_REFNULL) {
        uint32_t heap;
        TS_TRY(ts_read_heaptype(r, &heap));
        *out = ts_vt_ref(b == TS_VT_REFNULL, heap);
        return TS_OK;
    }
    r->at--;
    return ts_reader_fail(r, "malformed value type %02x", b);
}

ts_status ts_read_reftype(ts_reader *r, ts_valtype *out) {
    const uint8_t *at = r->at;
    if (at < r->end && *at >= TS_VT_V128 && *at <= TS_VT_I32)
        return ts_reader_fail(r, "malformed reference type %02x", *at);
    return ts_read_valtype(r, out);
}

ts_status ts_read_blocktype(ts_reader *r, ts_blocktype *out) {
    if (r->at >= r->end) return ts_read_eof(r);
    const uint8_t *at = r->at;
    if (*at == 0x40) {
        r->at++;
        out->kind = TS_BLOCK_EMPTY;
        return TS_OK;
    }
    if (*at >= 0x40 && *at < 0x80) {
        out->kind = TS_BLOCK_VALUE;
        return ts_read_valtype(r, &out->value);
    }
    int64_t v;
    TS_TRY(ts_read_s33(r, &v));
    if (v < 0) {
        r->at = at;
        return ts_reader_fail(r, "malformed block type");
    }
    out->kind = TS_BLOCK_TYPE;
    out->type = (uint32_t)v;
    return TS_OK;
}

ts_status ts_read_catch(ts_reader *r, ts_catch *out) {
    TS_TRY(ts_read_u8(r, &out->kind));
    if (out->kind > 3) {
        r->at--;
        return ts_reader_fail(r, "malformed catch clause");
    }
    out->tag = 0;
    if (out->kind < 2) TS_TRY(ts_read_u32(r, &out->tag));
    return ts_read_u32(r, &out->label);
}

/* --- immediates ---------------------------------------------------------------------------------------- */

static ts_status read_memarg(ts_reader *r, struct ts_op *out) {
    const uint8_t *at = r->at;
    uint32_t flags;
    TS_TRY(ts_read_u32(r, &flags));
    if (flags >= 0x80) {
        r->at = at;
        return ts_reader_fail(r, "malformed memop flags");
    }
    out->align = flags & 0x3f;
    out->index = 0;
    if (flags & 0x40) TS_TRY(ts_read_u32(r, &out->index));
    return ts_read_u64(r, &out->offset);
}

static ts_status read_count(ts_reader *r, struct ts_op *out) {
    const uint8_t *at = r->at;
    TS_TRY(ts_read_u32(r, &out->n));
    if (out->n > ts_reader_left(r)) {
        r->at = at;
        return ts_reader_fail(r, "length out of bounds");
    }
    out->vec = r->at;
    return TS_OK;
}

static ts_status read_cast(ts_reader *r, struct ts_op *out) {
    uint8_t flags = 0;
    uint32_t from = 0, to = 0;
    TS_TRY(ts_read_u8(r, &flags));
    if (flags & 0xfc) {
        r->at--;
        return ts_reader_fail(r, "malformed br_on_cast flags");
    }
    TS_TRY(ts_read_u32(r, &out->index));
    TS_TRY(ts_read_heaptype(r, &from));
    TS_TRY(ts_read_heaptype(r, &to));
    out->cast.from = ts_vt_ref(flags & 1, from);
    out->cast.to = ts_vt_ref(flags & 2, to);
    return TS_OK;
}

ts_status ts_read_imm(ts_reader *r, struct ts_op *out) {
    uint32_t ignored;
    const uint8_t *p;
    switch ((ts_imm)ts_op_infos[out->op].imm) {
    case TS_IMM_NONE: return TS_OK;
    case TS_IMM_BLOCK: return ts_read_blocktype(r, &out->block);
    case TS_IMM_LABEL:
    case TS_IMM_FUNC:
    case TS_IMM_TYPE:
    case TS_IMM_LOCAL:
    case TS_IMM_GLOBAL:
    case TS_IMM_TABLE:
    case TS_IMM_MEM:
    case TS_IMM_DATA:
    case TS_IMM_ELEM:
    case TS_IMM_TAG: return ts_read_u32(r, &out->index);
    case TS_IMM_TYPE_TABLE:
    case TS_IMM_TABLE2:
    case TS_IMM_MEM2:
    case TS_IMM_DATA_MEM:
    case TS_IMM_ELEM_TABLE:
    case TS_IMM_FIELD:
    case TS_IMM_TYPE_N:
    case TS_IMM_TYPE_DATA:
    case TS_IMM_TYPE_ELEM:
    case TS_IMM_TYPE2: TS_TRY(ts_read_u32(r, &out->index)); return ts_read_u32(r, &out->index2);
    case TS_IMM_LABELS:
        TS_TRY(read_count(r, out));
        for (uint32_t i = 0; i < out->n; i++) TS_TRY(ts_read_u32(r, &ignored));
        return ts_read_u32(r, &out->index);
    case TS_IMM_VALTYPES:
        TS_TRY(read_count(r, out));
        for (uint32_t i = 0; i < out->n; i++) TS_TRY(ts_read_valtype(r, &ignored));
        return TS_OK;
    case TS_IMM_CATCHES:
        TS_TRY(ts_read_blocktype(r, &out->block));
        TS_TRY(read_count(r, out));
        for (uint32_t i = 0; i < out->n; i++) {
            ts_catch c;
            TS_TRY(ts_read_catch(r, &c));
        }
        return TS_OK;
    case TS_IMM_I32: return ts_read_s32(r, &out->i32);
    case TS_IMM_I64: return ts_read_s64(r, &out->i64);
    case TS_IMM_F32:
        TS_TRY(ts_read_bytes(r, 4, &p));
        out->f32 = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
        return TS_OK;
    case TS_IMM_F64:
        TS_TRY(ts_read_bytes(r, 8, &p));
        out->f64 = 0;
        for (unsigned i = 0; i < 8; i++) out->f64 |= (uint64_t)p[i] << (8 * i);
        return TS_OK;
    case TS_IMM_V128:
    case TS_IMM_SHUFFLE: return ts_read_bytes(r, 16, &out->bytes);
    case TS_IMM_LANE: return ts_read_u8(r, &out->lane);
    case TS_IMM_MEMARG: return read_memarg(r, out);
    case TS_IMM_MEMARG_LANE: TS_TRY(read_memarg(r, out)); return ts_read_u8(r, &out->lane);
    case TS_IMM_HEAPTYPE: return ts_read_heaptype(r, &out->heap);
    case TS_IMM_CAST: return read_cast(r, out);
    case TS_IMM_ZERO: {
        uint8_t b = 0;
        TS_TRY(ts_read_u8(r, &b));
        if (b == 0) return TS_OK;
        r->at--;
        return ts_reader_fail(r, "zero byte expected");
    }
    }
    return TS_OK;
}

ts_status ts_read_op_slow(ts_reader *r, struct ts_op *out) {
    uint8_t b = 0;
    out->at = r->at;
    TS_TRY(ts_read_u8(r, &b));
    if (b >= 0xfb && b <= 0xfe) {
        uint32_t sub = 0;
        TS_TRY(ts_read_u32(r, &sub));
        uint32_t op = ts_op_prefixed(b, sub);
        if (op == 0xffff) return ts_op_illegal(r, out->at);
        out->op = (uint16_t)op;
    } else {
        out->op = b;
        if (!ts_op_infos[b].text) return ts_op_illegal(r, out->at);
    }
    return ts_read_imm(r, out);
}
