/* wasm_ops: the opcodes as an enumeration, what the table says of each, and reading one instruction.
 * In: a reader at an opcode. Out: struct ts_op, the opcode with its immediates. Only the format is checked.
 * spec: binary/instructions, appendix/index-instructions */
#ifndef TS_CORE_WASM_OPS_H
#define TS_CORE_WASM_OPS_H
#include "base/reader.h"
#include "core/module/module.h"

/* Opcodes are numbered so that no table is needed to find one: a one-byte opcode by its byte, the others from
 * a base for each prefix. */
enum {
    TS_OP_BASE_FB = 0x100,
    TS_OP_BASE_FC = 0x140,
    TS_OP_BASE_FD = 0x180,
    TS_OP_BASE_FE = 0x300,
    TS_OP_COUNT = 0x380,
};
#define TS_OP_NUM(code)                                                                                                \
    ((code) < 0x100         ? (code)                                                                                   \
     : (code) >> 16 == 0xFB ? TS_OP_BASE_FB + ((code) & 0xffff)                                                        \
     : (code) >> 16 == 0xFC ? TS_OP_BASE_FC + ((code) & 0xffff)                                                        \
     : (code) >> 16 == 0xFD ? TS_OP_BASE_FD + ((code) & 0xffff)                                                        \
                            : TS_OP_BASE_FE + ((code) & 0xffff))
enum {
#define OP(code, ident, text, imm, sig, feature, align, where) TS_OP_##ident = TS_OP_NUM(code),
#define OP_BY_HAND(code, ident, text, imm, feature, where) TS_OP_##ident = TS_OP_NUM(code),
#include "core/module/wasm_ops.def"
};

typedef enum ts_imm {
    TS_IMM_NONE,
    TS_IMM_BLOCK,       /* block */
    TS_IMM_LABEL,       /* index */
    TS_IMM_LABELS,      /* vec: n labels; index: the default one */
    TS_IMM_FUNC,        /* index */
    TS_IMM_TYPE,        /* index */
    TS_IMM_TYPE_TABLE,  /* index: type, index2: table */
    TS_IMM_LOCAL,       /* index */
    TS_IMM_GLOBAL,      /* index */
    TS_IMM_TABLE,       /* index */
    TS_IMM_TABLE2,      /* index: destination, index2: source */
    TS_IMM_MEM,         /* index */
    TS_IMM_MEM2,        /* index: destination, index2: source */
    TS_IMM_DATA,        /* index */
    TS_IMM_DATA_MEM,    /* index: data segment, index2: memory */
    TS_IMM_ELEM,        /* index */
    TS_IMM_ELEM_TABLE,  /* index: element segment, index2: table */
    TS_IMM_I32,         /* i64: sign-extended */
    TS_IMM_I64,         /* i64 */
    TS_IMM_F32,         /* f32: the bits */
    TS_IMM_F64,         /* f64: the bits */
    TS_IMM_V128,        /* bytes: 16 of them */
    TS_IMM_LANE,        /* lane */
    TS_IMM_SHUFFLE,     /* bytes: 16 lane numbers */
    TS_IMM_MEMARG,      /* index: memory, align, offset */
    TS_IMM_MEMARG_LANE, /* the same and lane */
    TS_IMM_HEAPTYPE,    /* heap */
    TS_IMM_VALTYPES,    /* vec: value types */
    TS_IMM_CATCHES,     /* block, vec: catch clauses */
    TS_IMM_TAG,         /* index */
    TS_IMM_FIELD,       /* index: type, index2: field */
    TS_IMM_TYPE_N,      /* index: type, index2: number of operands */
    TS_IMM_TYPE_DATA,   /* index: type, index2: data segment */
    TS_IMM_TYPE_ELEM,   /* index: type, index2: element segment */
    TS_IMM_TYPE2,       /* index: destination type, index2: source type */
    TS_IMM_CAST,        /* index: label, cast: two reference types */
    TS_IMM_ZERO,        /* one zero byte */
} ts_imm;

#define TS_F_BASE 0u
struct ts_op_info {
    const char *text; /* NULL: no opcode has this number */
    const char *sig;  /* NULL: the type is not fixed (OP_BY_HAND) */
    uint32_t code;
    uint32_t feature;
    uint8_t imm, align;
    bool is_const; /* constant expressions may contain it */
};
extern const struct ts_op_info ts_op_infos[TS_OP_COUNT];

/* A block type. VALUE: one result. TYPE: an index in the module's type space. A concrete heap type holds the
 * module's type index, as in the binary format; ts_canon_valtype gives the canonical type. */
typedef enum ts_block_kind { TS_BLOCK_EMPTY, TS_BLOCK_VALUE, TS_BLOCK_TYPE } ts_block_kind;
typedef struct ts_blocktype {
    ts_block_kind kind;
    union {
        ts_valtype value;
        uint32_t type;
    };
} ts_blocktype;

typedef struct ts_catch {
    uint8_t kind; /* 0 catch, 1 catch_ref, 2 catch_all, 3 catch_all_ref */
    uint32_t tag, label;
} ts_catch;

/* One instruction. The format of a vector is checked when the instruction is read. Callers that need its
 * elements read it again from `vec`: with ts_op_vec_reader and ts_read_u32 (LABELS), ts_read_valtype
 * (VALTYPES) or ts_read_catch (CATCHES). */
struct ts_op {
    uint16_t op; /* TS_OP_* */
    uint8_t lane, align;
    const uint8_t *at; /* the opcode's first byte */
    uint32_t index, index2;
    uint64_t offset;
    union {
        int64_t i64;
        uint32_t f32;
        uint64_t f64;
        const uint8_t *bytes;
        uint32_t heap;
        struct {
            ts_valtype from, to;
        } cast;
        struct {
            ts_blocktype block;
            uint32_t n; /* elements of vec */
            const uint8_t *vec;
        };
    };
};

/* Types as in the binary format: a concrete heap type is TS_HT_CONCRETE + an index in the module's type
 * space.
 * spec: binary/types */
ts_status ts_read_valtype(ts_reader *r, ts_valtype *out) TS_MUST_USE;
ts_status ts_read_reftype(ts_reader *r, ts_valtype *out) TS_MUST_USE;
ts_status ts_read_heaptype(ts_reader *r, uint32_t *heap) TS_MUST_USE;
ts_status ts_read_blocktype(ts_reader *r, ts_blocktype *out) TS_MUST_USE;
ts_status ts_read_catch(ts_reader *r, ts_catch *out) TS_MUST_USE;
/* Replace the index of a concrete heap type by the canonical id. The index must be valid. */
static inline uint32_t ts_canon_heap(const ts_module *m, uint32_t heap) {
    return heap >= TS_HT_CONCRETE ? TS_HT_CONCRETE + m->types[heap - TS_HT_CONCRETE] : heap;
}
static inline ts_valtype ts_canon_valtype(const ts_module *m, ts_valtype t) {
    return t < 0x100u << 8 ? t : (t & 0xff) | ts_canon_heap(m, ts_vt_heap(t)) << 8;
}

/* The TS_OP_* of a prefix byte and a sub-opcode, or 0xffff if no opcode has them. */
static inline uint32_t ts_op_prefixed(uint8_t prefix, uint32_t sub) {
    static const uint16_t base[4] = {TS_OP_BASE_FB, TS_OP_BASE_FC, TS_OP_BASE_FD, TS_OP_BASE_FE};
    static const uint16_t room[4] = {TS_OP_BASE_FC - TS_OP_BASE_FB, TS_OP_BASE_FD - TS_OP_BASE_FC,
                                     TS_OP_BASE_FE - TS_OP_BASE_FD, TS_OP_COUNT - TS_OP_BASE_FE};
    if (prefix < 0xfb || prefix > 0xfe || sub >= room[prefix - 0xfb]) return 0xffff;
    uint32_t op = base[prefix - 0xfb] + sub;
    return ts_op_infos[op].text ? op : 0xffff;
}

/* Read any instruction. ts_read_op calls it for all that it does not read itself. */
ts_status ts_read_op_slow(ts_reader *r, struct ts_op *out) TS_MUST_USE;
/* Report the opcode at `at` as illegal. */
ts_status ts_op_illegal(ts_reader *r, const uint8_t *at);

/* The short encodings of an instruction, by its first byte: the opcode and each immediate are one byte. */
struct ts_op_short {
    uint32_t
        may_set; /* the bits that they may set, of the first four bytes in little-endian order; 0: there are none */
    uint8_t len, imm;
    uint8_t index; /* the bits of the byte behind the opcode that are an index */
};
extern const struct ts_op_short ts_op_shorts[256];
/* Read one instruction with its immediates. Features are not checked: validation does that.
 * Short encodings are read here, without a branch that depends on the opcode: fields that the instruction does not have
 * get values too. */
TS_MUST_USE static inline ts_status ts_read_op(ts_reader *r, struct ts_op *out) {
    const uint8_t *p = r->at;
    if (TS_UNLIKELY(r->end - p < 4)) return ts_read_op_slow(r, out);
    const struct ts_op_short *s = &ts_op_shorts[p[0]];
    if (TS_UNLIKELY(ts_le32(p) & ~s->may_set)) return ts_read_op_slow(r, out);
    out->op = p[0];
    out->at = p;
    out->align = p[1];
    out->index = p[1] & s->index;
    out->offset = p[2];
    out->i64 = (p[1] ^ 0x40) - 0x40;
    if (s->imm == TS_IMM_BLOCK) {
        const bool is_empty = p[1] == 0x40;
        if (!is_empty && p[1] < TS_VT_V128) return ts_read_op_slow(r, out);
        out->block.kind = is_empty ? TS_BLOCK_EMPTY : TS_BLOCK_VALUE;
        out->block.value = p[1];
    }
    r->at += s->len;
    return TS_OK;
}

/* A reader over the vector of a LABELS, VALTYPES or CATCHES instruction, with the bounds of `of`, which is
 * any reader over the same body. */
static inline ts_reader ts_op_vec_reader(const ts_reader *of, const struct ts_op *op) {
    ts_reader r = *of;
    r.at = op->vec;
    return r;
}
#endif
