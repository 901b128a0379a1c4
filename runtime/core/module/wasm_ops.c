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

/* A memarg's flags below 0x40 name no memory. */
#define MAY_SET(imm)                                                                                                   \
    ((imm) == TS_IMM_NONE     ? 0xffffffff                                                                             \
     : (imm) == TS_IMM_MEMARG ? 0xff7f3fff                                                                             \
     : (imm) == TS_IMM_BLOCK || (imm) == TS_IMM_LABEL || (imm) == TS_IMM_FUNC || (imm) == TS_IMM_LOCAL ||              \
             (imm) == TS_IMM_GLOBAL || (imm) == TS_IMM_I32 || (imm) == TS_IMM_I64                                      \
         ? 0xffff7fff                                                                                                  \
         : 0)
#define LEN(imm) ((imm) == TS_IMM_NONE ? 1 : (imm) == TS_IMM_MEMARG ? 3 : 2)
const struct ts_op_short ts_op_shorts[256] = {
#define OP(code, ident, text, imm, sig, feature, align, where)                                                         \
    [code] = {MAY_SET(TS_IMM_##imm), LEN(TS_IMM_##imm), TS_IMM_##imm, TS_IMM_##imm == TS_IMM_MEMARG ? 0 : 0xff},
#define OP_BY_HAND(code, ident, text, imm, feature, where) OP(code, ident, text, imm, NULL, feature, 0, where)
#define ONE_BYTE_OPS
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

/* Read the immediates of out->op by the kind that the table gives. */
static ts_status read_imm(ts_reader *r, struct ts_op *out) {
    uint32_t ignored;
    int32_t i32;
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
    case TS_IMM_I32:
        TS_TRY(ts_read_s32(r, &i32));
        out->i64 = i32;
        return TS_OK;
    case TS_IMM_I64: return ts_read_s64(r, &out->i64);
    case TS_IMM_F32:
        TS_TRY(ts_read_bytes(r, 4, &p));
        out->f32 = ts_le32(p);
        return TS_OK;
    case TS_IMM_F64:
        TS_TRY(ts_read_bytes(r, 8, &p));
        out->f64 = ts_le64(p);
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

static __attribute__((noinline)) ts_status read_any_op(ts_reader *r, struct ts_op *out) {
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
    return read_imm(r, out);
}

/* Read an LEB128 number of up to 8 bytes, all at once: *u is its bits, *i the same as a signed number. Returns its
 * length, or 9. */
static unsigned leb_at_once(const uint8_t *p, uint64_t *u, int64_t *i) {
    uint64_t v = ts_le64(p);
    const uint64_t last = ~v & 0x8080808080808080; /* the lowest of these bits is in its last byte */
    if (!last) return 9;
    const unsigned n = (unsigned)__builtin_ctzll(last) / 8 + 1, unused = 64 - 7 * n;
    v = (v & 0x007f007f007f007f) | (v >> 1 & 0x3f803f803f803f80);
    v = (v & 0x00003fff00003fff) | (v >> 2 & 0x0fffc0000fffc000);
    v = (v & 0x000000000fffffff) | (v >> 4 & 0x00fffffff0000000);
    *u = v << unused >> unused;
    *i = (int64_t)(v << unused) >> unused;
    return n;
}
/* Read an instruction whose last immediate alone is longer than in its short encoding, and has no unused bits, which
 * could be wrong. Returns false and does nothing if it is another one. */
static bool read_longer_op(ts_reader *r, struct ts_op *out) {
    const uint8_t *p = r->at;
    if (ts_reader_left(r) < 12) return false;
    const struct ts_op_short *s = &ts_op_shorts[p[0]];
    if (!s->may_set || s->imm == TS_IMM_BLOCK || (ts_le32(p) & ~s->may_set) != 0x80u << 8 * (s->len - 1)) return false;
    uint64_t u;
    int64_t i;
    const unsigned n = leb_at_once(p + s->len - 1, &u, &i);
    if (n > (s->imm == TS_IMM_MEMARG || s->imm == TS_IMM_I64 ? 8 : 4)) return false;
    out->op = p[0];
    out->at = p;
    out->align = p[1];
    out->index = s->imm == TS_IMM_MEMARG ? 0 : (uint32_t)u;
    out->offset = u;
    out->i64 = i;
    r->at += s->len - 1 + n;
    return true;
}
ts_status ts_read_op_slow(ts_reader *r, struct ts_op *out) {
    return read_longer_op(r, out) ? TS_OK : read_any_op(r, out);
}
