/* emit_a64_shuffles: i8x16.shuffle in the instructions of Advanced SIMD, of which one does many usual shuffles.
 * In: the lanes, two registers. Out: machine code.
 *
 * A byte of the result is named by its place among the 32 bytes of the operands. */
#include "core/native/emitter.h"
#if TS_HAS_MACHINE_CODE && defined(__aarch64__)

enum { B, D = 3, LANES = 16 };
typedef struct shuffle {
    const uint8_t *lanes; /* of the two vectors in the registers v */
    unsigned v[2];
} shuffle;

/* Whether the result has byte `from` of the registers at place i, of an instruction whose operands are first and
 * second: 0 or 1, of v. */
static bool is_byte(const shuffle *s, unsigned i, unsigned from, unsigned first, unsigned second) {
    unsigned of = from < LANES ? first : second, have = s->lanes[i];
    return (have & (LANES - 1)) == (from & (LANES - 1)) && s->v[have / LANES & 1] == s->v[of];
}
/* Which lane of the two operands an instruction puts into lane i of n. */
static unsigned source_of(uint32_t op, unsigned i, unsigned n) {
    unsigned odd = i & 1;
    switch (op) {
    case V_ZIP1: return i / 2 + odd * n;
    case V_ZIP2: return n / 2 + i / 2 + odd * n;
    case V_UZP1: return 2 * i;
    case V_UZP2: return 2 * i + 1;
    case V_TRN1: return i - odd + odd * n;
    case V_TRN2: return i - odd + 1 + odd * n;
    case V_REV64: return i ^ (n / 2 - 1);
    case V_REV32: return i ^ (n / 4 - 1);
    default: return i ^ (n / 8 - 1); /* V_REV16 */
    }
}
static bool permutes(const shuffle *s, uint32_t op, unsigned size, unsigned first, unsigned second) {
    unsigned bytes = 1u << size, n = LANES / bytes;
    for (unsigned i = 0; i < LANES; i++)
        if (!is_byte(s, i, source_of(op, i / bytes, n) * bytes + i % bytes, first, second)) return false;
    return true;
}
static bool is_part_of(const shuffle *s, unsigned begin, unsigned first, unsigned second) {
    for (unsigned i = 0; i < LANES; i++)
        if (!is_byte(s, i, begin + i, first, second)) return false;
    return true;
}
/* One instruction of two operands. */
static bool of_two(emitter *e, const shuffle *s, unsigned x, unsigned first, unsigned second) {
    static const uint32_t ops[] = {V_ZIP1, V_ZIP2, V_UZP1, V_UZP2, V_TRN1, V_TRN2};
    unsigned n = s->v[first], m = s->v[second];
    for (unsigned begin = 0; begin < LANES; begin++)
        if (is_part_of(s, begin, first, second)) {
            a64_vop(&e->a, V_EXT | begin << 11, x, n, m);
            return true;
        }
    for (unsigned size = B; size <= D; size++)
        for (unsigned k = 0; k < sizeof ops / sizeof *ops; k++)
            if (permutes(s, ops[k], size, first, second)) {
                a64_vop(&e->a, a64_lanes(ops[k], size), x, n, m);
                return true;
            }
    return false;
}
/* One instruction of one operand. */
static bool of_one(emitter *e, const shuffle *s, unsigned x, unsigned of) {
    static const uint32_t ops[] = {V_REV16, V_REV32, V_REV64};
    for (unsigned k = 0; k < sizeof ops / sizeof *ops; k++)
        for (unsigned size = B; size <= k; size++)
            if (permutes(s, ops[k], size, of, of)) {
                a64_vun(&e->a, a64_lanes(ops[k], size), x, s->v[of]);
                return true;
            }
    for (unsigned size = D + 1; size-- > B;)
        for (unsigned lane = 0, bytes = 1u << size; lane < LANES / bytes; lane++) {
            unsigned i = 0;
            while (i < LANES && is_byte(s, i, lane * bytes + i % bytes, of, of)) i++;
            if (i < LANES) continue;
            a64_vun(&e->a, a64_lane(V_DUP_LANE, size, lane), x, s->v[of]);
            return true;
        }
    return false;
}
/* By a table: of one register, or of two that follow each other. */
static void by_table(emitter *e, const shuffle *s, unsigned x) {
    uint64_t half[2];
    unsigned used = 0, n = s->v[0];
    for (unsigned i = 0; i < LANES; i++) used |= 1u << s->lanes[i] / LANES;
    memcpy(half, s->lanes, LANES);
    if (used == 2) {
        half[0] ^= 0x1010101010101010u;
        half[1] ^= 0x1010101010101010u;
        n = s->v[1];
    } else if (used == 3 && s->v[1] != s->v[0] + 1) {
        a64_vmov(&e->a, TMP_X, s->v[0]);
        a64_vmov(&e->a, TMP_Y, s->v[1]);
        n = TMP_X;
    }
    ts_a64_vector_const(e, x, half[0], half[1]);
    a64_vop(&e->a, used == 3 ? V_TBL2 : V_TBL, x, n, x);
}
void ts_a64_shuffle(emitter *e, const uint8_t lanes[16], unsigned x, unsigned a, unsigned b) {
    shuffle s = {lanes, {a, b}};
    for (unsigned of = 0; of < 2; of++)
        if (of_one(e, &s, x, of)) return;
    for (unsigned k = 0; k < 4; k++)
        if (of_two(e, &s, x, k & 1, k >> 1)) return;
    by_table(e, &s, x);
}
#endif
