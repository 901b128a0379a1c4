/* exec_ops: the bodies of all internal operations, once. exec.c includes this file in one of three dispatch
 * skeletons, which define:
 *   OP(name) { body }       a body
 *   NEXT(n), JUMP(p)        continue n words behind pc, or at p
 *   STOP(st), TRAP(kind)    end the run
 *   SYNC_PC(), SYNC_FP()    keep pc, fp for locate_fault: before an access that may fault, and after a change
 *   of fp
 *   SYNC_CALLER(to)         keep the instruction that has called, for walk.h
 *   ACCESSED()              behind an access that may fault: pc changes no sooner
 * The registers of the machine are pc, fp, mem (memory 0 if it is guarded), x, inst, r, f and d.
 * spec: exec/instructions. No include guard: the skeleton in use includes this file. */

#define A16(k) (pc[1].s[k])
#define S(k) (fp[A16(k)])
#define EA(addr) ((addr) + (uint64_t)pc[1].uw[1])

/* operands and results by accumulator class */
#define RD_R(T) ((T)r)
#define RS_R(T, n) ((T)fp[n])
#define RI_R(T) ((T)(int64_t)pc[1].w[1])
#define RB_R(T) ((T)pc[2].u)
#define WR_R(v) (r = (uint64_t)(v))
#define WS_R(n) (fp[n] = r)
#define RD_F(T) ((T)f)
#define RS_F(T, n) (ts_float32((uint32_t)fp[n]))
#define RI_F(T) (ts_float32(pc[2].uw[0]))
#define RB_F(T) (ts_float32(pc[2].uw[0]))
#define WR_F(v) (f = (v))
#define WS_F(n) (fp[n] = ts_bits32(f))
#define RD_D(T) ((T)d)
#define RS_D(T, n) (ts_float64(fp[n]))
#define RI_D(T) (ts_float64(pc[2].u))
#define RB_D(T) (ts_float64(pc[2].u))
#define WR_D(v) (d = (v))
#define WS_D(n) (fp[n] = ts_bits64(d))
#define WI_R 2 /* words of the AI and SI forms */
#define WI_F 3
#define WI_D 3

#define BIN1(n, o, T, ga, gb, e, w)                                                                                    \
    OP(n) {                                                                                                            \
        T a = ga, b = gb;                                                                                              \
        WR_##o(e);                                                                                                     \
        NEXT(w);                                                                                                       \
    }                                                                                                                  \
    OP(n##_S) {                                                                                                        \
        T a = ga, b = gb;                                                                                              \
        WR_##o(e);                                                                                                     \
        WS_##o(A16(0));                                                                                                \
        NEXT(w);                                                                                                       \
    }
#define IR_BIN(n, o, i, T, swap, nan, e)                                                                               \
    BIN1(n##_AS, o, T, RD_##i(T), RS_##i(T, A16(2)), e, 2)                                                             \
    BIN1(n##_SA, o, T, RS_##i(T, A16(1)), RD_##i(T), e, 2)                                                             \
    BIN1(n##_SS, o, T, RS_##i(T, A16(1)), RS_##i(T, A16(2)), e, 2)                                                     \
    BIN1(n##_AI, o, T, RD_##i(T), RI_##i(T), e, WI_##i)                                                                \
    BIN1(n##_SI, o, T, RS_##i(T, A16(1)), RI_##i(T), e, WI_##i)

#define DIV1(n, T, ga, gb, c, e)                                                                                       \
    OP(n) {                                                                                                            \
        T a = ga, b = gb;                                                                                              \
        ts_trap_kind k = c;                                                                                            \
        if (TS_UNLIKELY(k != TS_TRAP_NONE)) TRAP(k);                                                                   \
        r = (uint64_t)(e);                                                                                             \
        NEXT(2);                                                                                                       \
    }                                                                                                                  \
    OP(n##_S) {                                                                                                        \
        T a = ga, b = gb;                                                                                              \
        ts_trap_kind k = c;                                                                                            \
        if (TS_UNLIKELY(k != TS_TRAP_NONE)) TRAP(k);                                                                   \
        r = (uint64_t)(e);                                                                                             \
        S(0) = r;                                                                                                      \
        NEXT(2);                                                                                                       \
    }
#define IR_DIV(n, T, c, e)                                                                                             \
    DIV1(n##_AS, T, RD_R(T), RS_R(T, A16(2)), c, e)                                                                    \
    DIV1(n##_SA, T, RS_R(T, A16(1)), RD_R(T), c, e)                                                                    \
    DIV1(n##_SS, T, RS_R(T, A16(1)), RS_R(T, A16(2)), c, e)                                                            \
    DIV1(n##_AI, T, RD_R(T), RI_R(T), c, e)                                                                            \
    DIV1(n##_SI, T, RS_R(T, A16(1)), RI_R(T), c, e)

#define UN1(n, o, T, ga, e)                                                                                            \
    OP(n) {                                                                                                            \
        T a = ga;                                                                                                      \
        WR_##o(e);                                                                                                     \
        NEXT(2);                                                                                                       \
    }                                                                                                                  \
    OP(n##_S) {                                                                                                        \
        T a = ga;                                                                                                      \
        WR_##o(e);                                                                                                     \
        WS_##o(A16(0));                                                                                                \
        NEXT(2);                                                                                                       \
    }
#define IR_UN(n, o, i, T, nan, e) UN1(n##_A, o, T, RD_##i(T), e) UN1(n##_S, o, T, RS_##i(T, A16(1)), e)
#define IR_UNX IR_UN

#define TRUNC1(n, T, ga, fn)                                                                                           \
    OP(n) {                                                                                                            \
        uint64_t v = 0;                                                                                                \
        ts_trap_kind k = fn(ga, &v);                                                                                   \
        if (TS_UNLIKELY(k != TS_TRAP_NONE)) TRAP(k);                                                                   \
        r = v;                                                                                                         \
        NEXT(2);                                                                                                       \
    }                                                                                                                  \
    OP(n##_S) {                                                                                                        \
        uint64_t v = 0;                                                                                                \
        ts_trap_kind k = fn(ga, &v);                                                                                   \
        if (TS_UNLIKELY(k != TS_TRAP_NONE)) TRAP(k);                                                                   \
        r = v;                                                                                                         \
        S(0) = r;                                                                                                      \
        NEXT(2);                                                                                                       \
    }
#define IR_TRUNC(n, o, i, T, fn) TRUNC1(n##_A, T, RD_##i(T), fn) TRUNC1(n##_S, T, RS_##i(T, A16(1)), fn)

#define BR1(n, T, ga, gb, e, nw)                                                                                       \
    OP(br_##n) {                                                                                                       \
        T a = ga, b = gb;                                                                                              \
        if (e) JUMP(pc + pc[1].w[1]);                                                                                  \
        NEXT(nw);                                                                                                      \
    }
#define IR_CMP(n, neg, swap, i, T, e)                                                                                  \
    IR_BIN(n, R, i, T, swap, ASIS, e)                                                                                  \
    BR1(n##_AS, T, RD_##i(T), RS_##i(T, A16(1)), e, 2)                                                                 \
    BR1(n##_SA, T, RS_##i(T, A16(0)), RD_##i(T), e, 2)                                                                 \
    BR1(n##_SS, T, RS_##i(T, A16(0)), RS_##i(T, A16(1)), e, 2)                                                         \
    BR1(n##_AI, T, RD_##i(T), RB_##i(T), e, 3)                                                                         \
    BR1(n##_SI, T, RS_##i(T, A16(0)), RB_##i(T), e, 3)
#define IR_CMPX IR_CMP

/* Memory 0. Of a guarded memory all addresses, at most 2^32 - 1 + 2^32 - 1, are reserved. With explicit
 * checks an address may have 64 bits, and the memory may have moved. */
#define CHECKED(ea_, addr_, off_, size_)                                                                               \
    uint64_t ea_;                                                                                                      \
    const ts_memory *m0 = inst->mems[0];                                                                               \
    if (TS_UNLIKELY(__builtin_add_overflow((addr_), (uint64_t)(off_), &ea_) || ea_ > m0->len ||                        \
                    m0->len - ea_ < (size_)))                                                                          \
    TRAP(TS_TRAP_MEMORY_OOB)
#define LOAD1(n, o, T, V, ea)                                                                                          \
    OP(n) {                                                                                                            \
        T v;                                                                                                           \
        SYNC_PC();                                                                                                     \
        memcpy(&v, mem + (ea), sizeof v);                                                                              \
        ACCESSED();                                                                                                    \
        WR_##o(V);                                                                                                     \
        NEXT(2);                                                                                                       \
    }                                                                                                                  \
    OP(n##_S) {                                                                                                        \
        T v;                                                                                                           \
        SYNC_PC();                                                                                                     \
        memcpy(&v, mem + (ea), sizeof v);                                                                              \
        ACCESSED();                                                                                                    \
        WR_##o(V);                                                                                                     \
        WS_##o(A16(0));                                                                                                \
        NEXT(2);                                                                                                       \
    }
#define LOADX1(n, o, T, V, addr, off)                                                                                  \
    OP(n) {                                                                                                            \
        T v;                                                                                                           \
        CHECKED(ea, addr, off, sizeof v);                                                                              \
        memcpy(&v, m0->base + ea, sizeof v);                                                                           \
        WR_##o(V);                                                                                                     \
        NEXT(2);                                                                                                       \
    }                                                                                                                  \
    OP(n##_S) {                                                                                                        \
        T v;                                                                                                           \
        CHECKED(ea, addr, off, sizeof v);                                                                              \
        memcpy(&v, m0->base + ea, sizeof v);                                                                           \
        WR_##o(V);                                                                                                     \
        WS_##o(A16(0));                                                                                                \
        NEXT(2);                                                                                                       \
    }
#define U32(e) ((uint64_t)(uint32_t)(e))
#define W1 (pc[1].uw[1])
#define IR_LOAD(n, o, T, V)                                                                                            \
    LOAD1(n##_A, o, T, V, EA(U32(r)))                                                                                  \
    LOAD1(n##_S, o, T, V, EA(U32(S(1))))                                                                               \
    LOAD1(n##_P, o, T, V, U32((uint32_t)S(1) + W1))                                                                    \
    LOAD1(n##_Q, o, T, V, U32((uint32_t)r + W1))                                                                       \
    LOAD1(n##_I, o, T, V, W1)                                                                                          \
    LOADX1(n##_xA, o, T, V, r, W1)                                                                                     \
    LOADX1(n##_xS, o, T, V, S(1), W1)                                                                                  \
    LOADX1(n##_xP, o, T, V, U32((uint32_t)S(1) + W1), 0)                                                               \
    LOADX1(n##_xQ, o, T, V, U32((uint32_t)r + W1), 0)                                                                  \
    LOADX1(n##_xI, o, T, V, (uint64_t)W1, 0)
#define STORE1(n, T, ea, val, nw)                                                                                      \
    OP(n) {                                                                                                            \
        T v = (T)(val);                                                                                                \
        SYNC_PC();                                                                                                     \
        memcpy(mem + (ea), &v, sizeof v);                                                                              \
        ACCESSED();                                                                                                    \
        NEXT(nw);                                                                                                      \
    }
#define STOREX1(n, T, addr, off, val, nw)                                                                              \
    OP(n) {                                                                                                            \
        T v = (T)(val);                                                                                                \
        CHECKED(ea, addr, off, sizeof v);                                                                              \
        memcpy(m0->base + ea, &v, sizeof v);                                                                           \
        NEXT(nw);                                                                                                      \
    }
#define IR_STORE(n, i, T)                                                                                              \
    STORE1(n##_AS, T, EA(U32(r)), S(1), 2)                                                                             \
    STORE1(n##_SA, T, EA(U32(S(0))), r, 2)                                                                             \
    STORE1(n##_SS, T, EA(U32(S(0))), S(1), 2)                                                                          \
    STORE1(n##_AI, T, EA(U32(r)), pc[2].u, 3)                                                                          \
    STORE1(n##_SI, T, EA(U32(S(0))), pc[2].u, 3)                                                                       \
    STORE1(n##_PS, T, U32((uint32_t)S(0) + W1), S(1), 2)                                                               \
    STORE1(n##_PI, T, U32((uint32_t)S(0) + W1), pc[2].u, 3)                                                            \
    STORE1(n##_QS, T, U32((uint32_t)r + W1), S(1), 2)                                                                  \
    STORE1(n##_QI, T, U32((uint32_t)r + W1), pc[2].u, 3)                                                               \
    STORE1(n##_IS, T, W1, S(1), 2)                                                                                     \
    STORE1(n##_IA, T, W1, r, 2)                                                                                        \
    STORE1(n##_II, T, W1, pc[2].u, 3)                                                                                  \
    STOREX1(n##_xAS, T, r, W1, S(1), 2)                                                                                \
    STOREX1(n##_xSA, T, S(0), W1, r, 2)                                                                                \
    STOREX1(n##_xSS, T, S(0), W1, S(1), 2)                                                                             \
    STOREX1(n##_xAI, T, r, W1, pc[2].u, 3)                                                                             \
    STOREX1(n##_xSI, T, S(0), W1, pc[2].u, 3)                                                                          \
    STOREX1(n##_xPS, T, U32((uint32_t)S(0) + W1), 0, S(1), 2)                                                          \
    STOREX1(n##_xPI, T, U32((uint32_t)S(0) + W1), 0, pc[2].u, 3)                                                       \
    STOREX1(n##_xQS, T, U32((uint32_t)r + W1), 0, S(1), 2)                                                             \
    STOREX1(n##_xQI, T, U32((uint32_t)r + W1), 0, pc[2].u, 3)                                                          \
    STOREX1(n##_xIS, T, (uint64_t)W1, 0, S(1), 2)                                                                      \
    STOREX1(n##_xIA, T, (uint64_t)W1, 0, r, 2)                                                                         \
    STOREX1(n##_xII, T, (uint64_t)W1, 0, pc[2].u, 3)
#define IR_STOREF(n, i, T)                                                                                             \
    STORE1(n##_A, T, EA(U32(r)), RD_##i(T), 2)                                                                         \
    STORE1(n##_S, T, EA(U32(S(0))), RD_##i(T), 2)                                                                      \
    STORE1(n##_P, T, U32((uint32_t)S(0) + W1), RD_##i(T), 2)                                                           \
    STORE1(n##_Q, T, U32((uint32_t)r + W1), RD_##i(T), 2)                                                              \
    STORE1(n##_I, T, W1, RD_##i(T), 2)                                                                                 \
    STOREX1(n##_xA, T, r, W1, RD_##i(T), 2)                                                                            \
    STOREX1(n##_xS, T, S(0), W1, RD_##i(T), 2)                                                                         \
    STOREX1(n##_xP, T, U32((uint32_t)S(0) + W1), 0, RD_##i(T), 2)                                                      \
    STOREX1(n##_xQ, T, U32((uint32_t)r + W1), 0, RD_##i(T), 2)                                                         \
    STOREX1(n##_xI, T, (uint64_t)W1, 0, RD_##i(T), 2)

#define ADDBR1(n, e, rhs)                                                                                              \
    OP(n) {                                                                                                            \
        uint32_t a = (uint32_t)S(1) + pc[2].uw[0];                                                                     \
        uint32_t b = (rhs);                                                                                            \
        r = a;                                                                                                         \
        S(0) = r;                                                                                                      \
        if (e) JUMP(pc + pc[1].w[1]);                                                                                  \
        NEXT(3);                                                                                                       \
    }
#define IR_ADDBR(n, e)                                                                                                 \
    ADDBR1(i32_addbr_##n##_I, e, pc[2].uw[1])                                                                          \
    ADDBR1(i32_addbr_##n##_S, e, (uint32_t)fp[pc[2].uw[1]])

/* Around a call of a C function that may take long: walk.h finds the frames there. */
#define CALLS_C(pc_, fp_) (x->out_pc = (pc_), x->out_fp = (fp_))
#define CALLED_C() (x->out_fp = NULL)

#define IR_SLOW(n, words, synopsis)                                                                                    \
    OP(n) {                                                                                                            \
        CALLS_C(pc, fp);                                                                                               \
        ts_trap_kind k = ts_slow_##n(x, inst, fp, pc);                                                                 \
        CALLED_C();                                                                                                    \
        if (TS_UNLIKELY(k != TS_TRAP_NONE)) TRAP(k);                                                                   \
        NEXT(words);                                                                                                   \
    }

#define V(k) (ts_simd_load(fp + A16(k)))
#define PUTV(v) (ts_simd_store(fp + A16(0), (v)))
#define IR_V(n, shape, nan)                                                                                            \
    OP(v_##n) {                                                                                                        \
        VB_##shape(n);                                                                                                 \
        NEXT(2);                                                                                                       \
    }
#define VB_UNARY(n) PUTV(ts_simd_##n(V(1)))
#define VB_BINARY(n) PUTV(ts_simd_##n(V(1), V(2)))
#define VB_TERNARY(n) PUTV(ts_simd_##n(V(1), V(2), V(3)))
#define VB_SHIFT(n) PUTV(ts_simd_##n(V(1), (uint32_t)S(2)))
#define VB_TEST(n) (S(0) = (uint32_t)ts_simd_##n(V(1)))
#define VB_SPLAT_I32(n) PUTV(ts_simd_##n((uint32_t)S(1)))
#define VB_SPLAT_I64(n) PUTV(ts_simd_##n(S(1)))
#define VB_SPLAT_F32(n) PUTV(ts_simd_##n(ts_float32((uint32_t)S(1))))
#define VB_SPLAT_F64(n) PUTV(ts_simd_##n(ts_float64(S(1))))
#define VB_EXTRACT_I32(n) (S(0) = (uint32_t)ts_simd_##n(V(1), A16(3)))
#define VB_EXTRACT_I64(n) (S(0) = ts_simd_##n(V(1), A16(3)))
#define VB_EXTRACT_F32(n) (S(0) = ts_bits32(ts_simd_##n(V(1), A16(3))))
#define VB_EXTRACT_F64(n) (S(0) = ts_bits64(ts_simd_##n(V(1), A16(3))))
#define VB_REPLACE_I32(n) PUTV(ts_simd_##n(V(1), A16(3), (uint32_t)S(2)))
#define VB_REPLACE_I64(n) PUTV(ts_simd_##n(V(1), A16(3), S(2)))
#define VB_REPLACE_F32(n) PUTV(ts_simd_##n(V(1), A16(3), ts_float32((uint32_t)S(2))))
#define VB_REPLACE_F64(n) PUTV(ts_simd_##n(V(1), A16(3), ts_float64(S(2))))

#define IR_OP(n, w, synopsis) /* below, by hand */
#include "core/code/ir_ops.def"

/* --- moving */
OP(copy) {
    S(0) = S(1);
    NEXT(2);
}
OP(copy2) {
    ts_slot lo = fp[A16(1)], hi = fp[A16(1) + 1];
    fp[A16(0)] = lo;
    fp[A16(0) + 1] = hi;
    NEXT(2);
}
OP(copyn) {
    memmove(fp + A16(0), fp + A16(1), A16(2) * sizeof *fp);
    NEXT(2);
}
OP(const_s) {
    S(0) = pc[2].u;
    NEXT(3);
}
OP(put_r) {
    S(0) = r;
    NEXT(2);
}
OP(put_f) {
    S(0) = ts_bits32(f);
    NEXT(2);
}
OP(put_d) {
    S(0) = ts_bits64(d);
    NEXT(2);
}
#define GLOBAL() (inst->globals[pc[1].uw[1]]->v)
OP(global_get_r_A) {
    r = GLOBAL()[0];
    NEXT(2);
}
OP(global_get_r_S) {
    r = GLOBAL()[0];
    S(0) = r;
    NEXT(2);
}
OP(global_get_f_A) {
    f = ts_float32((uint32_t)GLOBAL()[0]);
    NEXT(2);
}
OP(global_get_f_S) {
    f = ts_float32((uint32_t)GLOBAL()[0]);
    S(0) = ts_bits32(f);
    NEXT(2);
}
OP(global_get_d_A) {
    d = ts_float64(GLOBAL()[0]);
    NEXT(2);
}
OP(global_get_d_S) {
    d = ts_float64(GLOBAL()[0]);
    S(0) = ts_bits64(d);
    NEXT(2);
}
OP(global_get_v) {
    const ts_slot *g = GLOBAL();
    fp[A16(0)] = g[0];
    fp[A16(0) + 1] = g[1];
    NEXT(2);
}
OP(global_set_s) {
    GLOBAL()[0] = S(0);
    NEXT(2);
}
OP(global_set_r) {
    GLOBAL()[0] = r;
    NEXT(2);
}
OP(global_set_v) {
    ts_slot *g = GLOBAL();
    g[0] = fp[A16(0)];
    g[1] = fp[A16(0) + 1];
    NEXT(2);
}
#define SELECT(c, o)                                                                                                   \
    OP(select_##c##_A) {                                                                                               \
        uint32_t k = (uint32_t)r ? A16(1) : A16(2);                                                                    \
        WR_##o(RS_##o(uint64_t, k));                                                                                   \
        NEXT(3);                                                                                                       \
    }                                                                                                                  \
    OP(select_##c##_AS) {                                                                                              \
        uint32_t k = (uint32_t)r ? A16(1) : A16(2);                                                                    \
        WR_##o(RS_##o(uint64_t, k));                                                                                   \
        WS_##o(A16(0));                                                                                                \
        NEXT(3);                                                                                                       \
    }                                                                                                                  \
    OP(select_##c##_S) {                                                                                               \
        uint32_t k = (uint32_t)S(3) ? A16(1) : A16(2);                                                                 \
        WR_##o(RS_##o(uint64_t, k));                                                                                   \
        NEXT(3);                                                                                                       \
    }                                                                                                                  \
    OP(select_##c##_SS) {                                                                                              \
        uint32_t k = (uint32_t)S(3) ? A16(1) : A16(2);                                                                 \
        WR_##o(RS_##o(uint64_t, k));                                                                                   \
        WS_##o(A16(0));                                                                                                \
        NEXT(3);                                                                                                       \
    }
SELECT(r, R)
SELECT(f, F)
SELECT(d, D)
OP(select_v) {
    ts_v128 v = (uint32_t)S(3) ? V(1) : V(2);
    PUTV(v);
    NEXT(2);
}

/* --- control */
OP(br) {
    JUMP(pc + pc[1].w[1]);
}
OP(br_nz_A) {
    if ((uint32_t)r) JUMP(pc + pc[1].w[1]);
    NEXT(2);
}
OP(br_nz_S) {
    if ((uint32_t)S(0)) JUMP(pc + pc[1].w[1]);
    NEXT(2);
}
OP(br_z_A) {
    if (!(uint32_t)r) JUMP(pc + pc[1].w[1]);
    NEXT(2);
}
OP(br_z_S) {
    if (!(uint32_t)S(0)) JUMP(pc + pc[1].w[1]);
    NEXT(2);
}
OP(i32_addbr_nz) {
    uint32_t a = (uint32_t)S(1) + pc[2].uw[0];
    r = a;
    S(0) = r;
    if (a) JUMP(pc + pc[1].w[1]);
    NEXT(3);
}
#define SHLADD(n, src)                                                                                                 \
    OP(i32_shladd_##n) {                                                                                               \
        r = (uint32_t)S(1) + ((uint32_t)(src) << A16(3));                                                              \
        NEXT(2);                                                                                                       \
    }                                                                                                                  \
    OP(i32_shladd_##n##_S) {                                                                                           \
        r = (uint32_t)S(1) + ((uint32_t)(src) << A16(3));                                                              \
        S(0) = r;                                                                                                      \
        NEXT(2);                                                                                                       \
    }
SHLADD(A, r)
SHLADD(S, S(2))
OP(br_table_A) {
    uint32_t i = (uint32_t)r, n = pc[1].uw[1];
    JUMP(pc + pc[2 + (i < n ? i : n)].i);
}
OP(br_table) {
    uint32_t i = (uint32_t)S(0), n = pc[1].uw[1];
    JUMP(pc + pc[2 + (i < n ? i : n)].i);
}
OP(unreachable) {
    TRAP(TS_TRAP_UNREACHABLE);
}
OP(enter) {
    TS_ASSERT(fp >= x->stack && (uint32_t)A16(0) + A16(1) <= pc[1].uw[1]);
    if (TS_UNLIKELY(fp + pc[1].uw[1] > x->stack_end)) TRAP(TS_TRAP_STACK);
    SYNC_PC();
    SYNC_FP();
    ts_slot *z = fp + A16(0), *end = z + A16(1);
    do {
        *z++ = 0;
        __asm__("" : "+r"(z)); /* few locals: a call of memset would cost more */
    } while (z < end);
    NEXT(2);
}
OP(enter0) {
    TS_ASSERT(fp >= x->stack);
    if (TS_UNLIKELY(fp + pc[1].uw[1] > x->stack_end)) TRAP(TS_TRAP_STACK);
    SYNC_PC();
    SYNC_FP();
    NEXT(2);
}
OP(fuel) {
    ts_trap_kind k = TS_TRAP_NONE;
    ts_status st = ts_slow_fuel(x);
    (void)k;
    if (TS_UNLIKELY(st != TS_OK)) STOP(st);
    NEXT(1);
}
/* Several threads may count at once, and lose some. */
OP(count) {
    uint32_t *left = &((ts_word *)(uintptr_t)pc)[1].uw[1];
    uint32_t n = __atomic_load_n(left, __ATOMIC_RELAXED) - 1;
    __atomic_store_n(left, n, __ATOMIC_RELAXED);
    if (TS_UNLIKELY(n == 0)) GOTO_OP(count_down);
    NEXT(2);
}
OP(count_down) {
    if (ts_tier_up(inst->module, ts_exec_form(x->store, inst->module->n_mems ? inst->mems[0] : NULL), pc))
        JUMP(pc); /* it is an entry of machine code now */
    NEXT(2);
}
OP(compile) {
    ts_fcode *c = (ts_fcode *)((char *)(uintptr_t)pc - offsetof(ts_fcode, stub));
    ts_status st = ts_code_compile(c, x->err);
    if (TS_UNLIKELY(st != TS_OK)) STOP(st);
    JUMP(c->entry);
}
OP(finish) {
    STOP(TS_OK);
}
/* Back to the caller in another instance. */
#define STEP_OUT()                                                                                                     \
    do {                                                                                                               \
        pc = (const ts_word *)(uintptr_t)fp[TS_CROSS_PC];                                                              \
        inst = (ts_instance *)(uintptr_t)fp[TS_CROSS_INST];                                                            \
        fp = (ts_slot *)(uintptr_t)fp[TS_CROSS_FP];                                                                    \
        mem = inst->mem0_base;                                                                                         \
        x->inst = inst;                                                                                                \
        SYNC_FP();                                                                                                     \
    } while (0)
/* The callee's return has set the accumulators. */
OP(leave) {
    ts_slot *to = fp;
    uint64_t n = fp[TS_CROSS_RESULTS];
    STEP_OUT();
    for (uint64_t i = 0; i < n; i++) {
        to[i] = to[i + TS_CROSS_SLOTS];
        __asm__("" : "+r"(i)); /* few results: a call of memmove would cost more */
    }
    JUMP(pc);
}

#define PUSH_LINK(at, ret)                                                                                             \
    do {                                                                                                               \
        ts_slot *l_ = (at);                                                                                            \
        l_[0] = (uintptr_t)(ret);                                                                                      \
        l_[1] = (uintptr_t)fp;                                                                                         \
    } while (0)
#define ENTRY(c) ((const ts_word *)__atomic_load_n(&(c)->entry, __ATOMIC_ACQUIRE))
/* A call at `at` in the frame at `frame` ended with `st`. Continue in an exception handler, of this instance
 * or of a calling one, or end the run. */
#define UNWIND(at, frame, st)                                                                                          \
    do {                                                                                                               \
        ts_slot *fp_ = (frame);                                                                                        \
        ts_instance *in_ = inst;                                                                                       \
        const ts_word *h_ = ts_exec_unwind(x, &in_, (at), &fp_, (st));                                                 \
        if (!h_) STOP_UNWOUND();                                                                                       \
        inst = in_;                                                                                                    \
        mem = inst->mem0_base;                                                                                         \
        fp = fp_;                                                                                                      \
        SYNC_FP();                                                                                                     \
        JUMP(h_);                                                                                                      \
    } while (0)
/* A call of a host function, through C. Each accumulator gets the first result. */
#define CALL_HOST(fn, nfp, n)                                                                                          \
    do {                                                                                                               \
        ts_slot *io_ = (nfp);                                                                                          \
        CALLS_C(pc, fp);                                                                                               \
        ts_status st_ = ts_exec_call_out(x, inst, (fn), io_);                                                          \
        CALLED_C();                                                                                                    \
        if (TS_UNLIKELY(st_ != TS_OK)) UNWIND(pc, fp, st_);                                                            \
        r = io_[0];                                                                                                    \
        f = ts_float32((uint32_t)r);                                                                                   \
        d = ts_float64(r);                                                                                             \
        SYNC_FP();                                                                                                     \
        NEXT(n);                                                                                                       \
    } while (0)
/* A call into another instance. The arguments move up to make room for the state that is restored when it returns. */
#define MOVE_UP(at, n, by)                                                                                             \
    for (uint64_t i_ = (n); i_-- > 0;) {                                                                               \
        (at)[i_ + (by)] = (at)[i_];                                                                                    \
        __asm__("" : "+r"(i_)); /* as in enter */                                                                      \
    }
#define CROSS(to, at, n, slots, returns)                                                                               \
    do {                                                                                                               \
        (at)[TS_CROSS_INST] = (uintptr_t)inst;                                                                         \
        (at)[TS_CROSS_PC] = (uintptr_t)(pc + (n));                                                                     \
        (at)[TS_CROSS_FP] = (uintptr_t)fp;                                                                             \
        (at)[TS_CROSS_RESULTS] = (to)->def->result_slots;                                                              \
        fp = (at);                                                                                                     \
        PUSH_LINK((at) + (slots) + (to)->code->link, returns);                                                         \
        fp = (at) + (slots);                                                                                           \
        inst = (to)->inst;                                                                                             \
        mem = inst->mem0_base;                                                                                         \
        x->inst = inst;                                                                                                \
        JUMP(ENTRY((to)->code));                                                                                       \
    } while (0)
#define CALL_OTHER(fn, nfp, n)                                                                                         \
    do {                                                                                                               \
        const ts_func *to_ = (fn);                                                                                     \
        ts_slot *at_ = (nfp);                                                                                          \
        MOVE_UP(at_, to_->def->param_slots, TS_CROSS_SLOTS);                                                           \
        CROSS(to_, at_, n, TS_CROSS_SLOTS, x->leave);                                                                  \
    } while (0)
/* A call by an adapter that applies, once its instances are entered. */
#define CALL_ADAPTED(a, at, n)                                                                                         \
    do {                                                                                                               \
        const uint32_t params_ = (a)->callee->def->param_slots;                                                        \
        const ts_slot last_ = (at)[params_];                                                                           \
        MOVE_UP(at, params_, TS_CROSS_ADAPTER_SLOTS);                                                                  \
        adapter_begin(a, at);                                                                                          \
        (at)[TS_CROSS_LAST] = last_;                                                                                   \
        CROSS((a)->callee, at, n, TS_CROSS_ADAPTER_SLOTS, x->leave + 1);                                               \
    } while (0)
#define CALL_CONVERTED(a, at, n)                                                                                       \
    do {                                                                                                               \
        ts_status converted_ = TS_OK;                                                                                  \
        adapter_enter(a, x);                                                                                           \
        if ((a)->arguments) converted_ = (a)->arguments((a)->data, at, x->err);                                        \
        if (TS_UNLIKELY(converted_ != TS_OK)) UNWIND(pc, fp, converted_);                                              \
        CALL_ADAPTED(a, at, n);                                                                                        \
    } while (0)
#define CALL_OUT(fn, nfp, n)                                                                                           \
    do {                                                                                                               \
        ts_func *out_ = (fn);                                                                                          \
        if (!out_->is_host) CALL_OTHER(out_, nfp, n);                                                                  \
        const ts_adapter *a_ = out_->adapter;                                                                          \
        if (a_ && adapter_applies(a_, x)) {                                                                            \
            ts_slot *at_ = (nfp);                                                                                      \
            CALL_CONVERTED(a_, at_, n);                                                                                \
        }                                                                                                              \
        CALL_HOST(out_, nfp, n);                                                                                       \
    } while (0)
#define LEAVE_ADAPTER(a)                                                                                               \
    do {                                                                                                               \
        ts_slot *to_ = fp;                                                                                             \
        uint64_t n_ = fp[TS_CROSS_RESULTS];                                                                            \
        adapter_end(a, x, fp);                                                                                         \
        STEP_OUT();                                                                                                    \
        for (uint64_t i_ = 0; i_ < n_; i_++) {                                                                         \
            to_[i_] = to_[i_ + TS_CROSS_ADAPTER_SLOTS];                                                                \
            __asm__("" : "+r"(i_)); /* as in leave */                                                                  \
        }                                                                                                              \
        JUMP(pc);                                                                                                      \
    } while (0)
OP(leave_adapter) {
    const ts_adapter *a = (const ts_adapter *)(uintptr_t)fp[TS_CROSS_ADAPTER];
    if (a->result) GOTO_OP(leave_converted);
    LEAVE_ADAPTER(a);
}
OP(leave_converted) {
    const ts_adapter *a = (const ts_adapter *)(uintptr_t)fp[TS_CROSS_ADAPTER];
    ts_slot *results = fp + TS_CROSS_ADAPTER_SLOTS;
    ts_status st = a->result(a->data, results, fp[TS_CROSS_LAST], x->err);
    if (TS_UNLIKELY(st != TS_OK)) {
        STEP_OUT();
        UNWIND(pc - 1, fp, st);
    }
    r = results[0];
    f = ts_float32((uint32_t)r);
    d = ts_float64(r);
    LEAVE_ADAPTER(a);
}
OP(call) {
    ts_fcode *c = (ts_fcode *)(uintptr_t)pc[2].p;
    PUSH_LINK(fp + A16(1), pc + 3);
    fp += A16(0);
    JUMP(ENTRY(c));
}
/* The rare cases of a call are operations of their own, to which no instruction refers. Without calls of C
 * functions the common case needs no stack frame. */
OP(call_import) {
    const ts_func *fn = inst->funcs[pc[1].uw[1]];
    if (fn->is_host) {
        if (fn->adapter) GOTO_OP(call_import_adapted);
        GOTO_OP(call_import_host);
    }
    CALL_OTHER(fn, fp + A16(0), 2);
}
OP(call_import_adapted) {
    ts_adapter *a = inst->funcs[pc[1].uw[1]]->adapter;
    ts_slot *at = fp + A16(0);
    if (TS_UNLIKELY(a->left) && --a->left == 0) GOTO_OP(call_import_hot);
    if (TS_UNLIKELY(!adapter_applies(a, x))) GOTO_OP(call_import_host);
    if (a->arguments) GOTO_OP(call_import_converted);
    adapter_enter(a, x);
    CALL_ADAPTED(a, at, 2);
}
OP(call_import_hot) {
    ts_tier_adapter_up(x, inst->funcs[pc[1].uw[1]]->adapter);
    GOTO_OP(call_import_adapted);
}
OP(call_import_converted) {
    const ts_adapter *a = inst->funcs[pc[1].uw[1]]->adapter;
    ts_slot *at = fp + A16(0);
    CALL_CONVERTED(a, at, 2);
}
OP(call_import_host) {
    CALL_HOST(inst->funcs[pc[1].uw[1]], fp + A16(0), 2);
}
OP(call_indirect) {
    const ts_table *t = inst->tables[pc[2].uw[1]];
    uint64_t i = S(3);
    if (TS_UNLIKELY(i >= t->len)) TRAP(TS_TRAP_UNDEFINED_ELEM);
    const ts_func *fn = (const ts_func *)(uintptr_t)t->elems[i];
    if (TS_UNLIKELY(!fn)) TRAP(TS_TRAP_UNINIT_ELEM);
    if (TS_UNLIKELY(fn->type != pc[2].uw[0] || fn->inst != inst)) GOTO_OP(call_indirect_slow);
    PUSH_LINK(fp + A16(1), pc + 3);
    fp += A16(0);
    JUMP(ENTRY(fn->code));
}
OP(call_indirect_slow) {
    ts_func *fn = (ts_func *)(uintptr_t)inst->tables[pc[2].uw[1]]->elems[S(3)];
    if (fn->type != pc[2].uw[0] && !ts_match_def(x->store->types, fn->type, pc[2].uw[0])) TRAP(TS_TRAP_INDIRECT_TYPE);
    if (fn->inst == inst) {
        PUSH_LINK(fp + A16(1), pc + 3);
        fp += A16(0);
        JUMP(ENTRY(fn->code));
    }
    CALL_OUT(fn, fp + A16(0), 3);
}
OP(call_ref) {
    const ts_func *fn = (const ts_func *)(uintptr_t)S(2);
    if (TS_UNLIKELY(!fn)) TRAP(TS_TRAP_NULL_REF);
    if (TS_UNLIKELY(fn->inst != inst)) GOTO_OP(call_ref_out);
    PUSH_LINK(fp + A16(1), pc + 2);
    fp += A16(0);
    JUMP(ENTRY(fn->code));
}
OP(call_ref_out) {
    CALL_OUT((ts_func *)(uintptr_t)S(2), fp + A16(0), 2);
}
/* Tail calls: the caller's link moves behind the callee's parameters or results, whichever take more
 * slots. */
#define TAIL_ARGS(ret_, cfp_, n)                                                                                       \
    ts_slot ret_ = fp[A16(3)], cfp_ = fp[A16(3) + 1];                                                                  \
    memmove(fp, fp + A16(0), (n) * sizeof *fp)
#define TAIL_OUT(fn)                                                                                                   \
    do {                                                                                                               \
        ts_func *fn_ = (fn);                                                                                           \
        if (!cfp) { /* the outermost frame of the run: run() continues with fn_ */                                     \
            x->tail = fn_;                                                                                             \
            STOP(TS_OK);                                                                                               \
        }                                                                                                              \
        const ts_word *rpc = (const ts_word *)(uintptr_t)ret;                                                          \
        ts_slot *cf = (ts_slot *)(uintptr_t)cfp;                                                                       \
        CALLS_C(rpc - 1, cf);                                                                                          \
        ts_status st_ = ts_exec_call_out(x, inst, fn_, fp);                                                            \
        CALLED_C();                                                                                                    \
        if (TS_UNLIKELY(st_ != TS_OK)) UNWIND(rpc - 1, cf, st_); /* the frame is gone: as if the caller had called */  \
        r = fp[0];                                                                                                     \
        f = ts_float32((uint32_t)r);                                                                                   \
        d = ts_float64(r);                                                                                             \
        fp = cf;                                                                                                       \
        SYNC_FP();                                                                                                     \
        JUMP(rpc);                                                                                                     \
    } while (0)
OP(return_call) {
    TAIL_ARGS(ret, cfp, A16(2));
    fp[A16(1)] = ret;
    fp[A16(1) + 1] = cfp;
    JUMP(ENTRY((ts_fcode *)(uintptr_t)pc[2].p));
}
OP(return_call_import) {
    TAIL_ARGS(ret, cfp, A16(2));
    TAIL_OUT(inst->funcs[pc[2].u]);
}
OP(return_call_indirect) {
    const ts_table *t = inst->tables[pc[2].uw[1]];
    uint64_t i = fp[pc[3].s[0]];
    if (TS_UNLIKELY(i >= t->len)) TRAP(TS_TRAP_UNDEFINED_ELEM);
    ts_func *fn = (ts_func *)(uintptr_t)t->elems[i];
    if (TS_UNLIKELY(!fn)) TRAP(TS_TRAP_UNINIT_ELEM);
    if (TS_UNLIKELY(fn->type != pc[2].uw[0]) && !ts_match_def(x->store->types, fn->type, pc[2].uw[0]))
        TRAP(TS_TRAP_INDIRECT_TYPE);
    TAIL_ARGS(ret, cfp, A16(2));
    if (TS_LIKELY(fn->inst == inst)) {
        fp[A16(1)] = ret;
        fp[A16(1) + 1] = cfp;
        JUMP(ENTRY(fn->code));
    }
    TAIL_OUT(fn);
}
OP(return_call_ref) {
    ts_func *fn = (ts_func *)(uintptr_t)fp[pc[2].s[0]];
    if (TS_UNLIKELY(!fn)) TRAP(TS_TRAP_NULL_REF);
    TAIL_ARGS(ret, cfp, A16(2));
    if (TS_LIKELY(fn->inst == inst)) {
        fp[A16(1)] = ret;
        fp[A16(1) + 1] = cfp;
        JUMP(ENTRY(fn->code));
    }
    TAIL_OUT(fn);
}
#define RETURN()                                                                                                       \
    do {                                                                                                               \
        const ts_slot *l_ = fp + A16(3);                                                                               \
        const ts_word *to_ = (const ts_word *)(uintptr_t)l_[0];                                                        \
        fp = (ts_slot *)(uintptr_t)l_[1];                                                                              \
        SYNC_FP();                                                                                                     \
        SYNC_CALLER(to_);                                                                                              \
        JUMP(to_);                                                                                                     \
    } while (0)
OP(ret) {
    RETURN();
}
OP(ret_r) {
    fp[0] = r;
    RETURN();
}
OP(ret_f) {
    fp[0] = ts_bits32(f);
    RETURN();
}
OP(ret_d) {
    fp[0] = ts_bits64(d);
    RETURN();
}
OP(ret_s_r) {
    r = S(0);
    fp[0] = r;
    RETURN();
}
OP(ret_s_f) {
    f = ts_float32((uint32_t)S(0));
    fp[0] = ts_bits32(f);
    RETURN();
}
OP(ret_s_d) {
    d = ts_float64(S(0));
    fp[0] = ts_bits64(d);
    RETURN();
}
OP(ret_n) { /* the link is above all results, so the copy leaves it alone */
    memmove(fp, fp + A16(0), A16(1) * sizeof *fp);
    RETURN();
}
#define RAISE(st) UNWIND(pc, fp, st)
OP(throw_) {
    ts_trap_kind k = ts_slow_throw(x, inst, fp, pc);
    if (TS_UNLIKELY(k != TS_TRAP_NONE)) TRAP(k);
    RAISE(TS_EXCEPTION);
}
OP(throw_ref) {
    if (!S(0)) TRAP(TS_TRAP_NULL_REF);
    x->exn = S(0);
    RAISE(TS_EXCEPTION);
}

/* --- SIMD with a constant or memory 0 under guard pages */
OP(v128_load) {
    SYNC_PC();
    ts_v128 v = ts_simd_load(mem + EA((uint64_t)(uint32_t)S(1)));
    ACCESSED();
    PUTV(v);
    NEXT(2);
}
OP(v128_store) {
    SYNC_PC();
    uint8_t *p = mem + EA((uint64_t)(uint32_t)S(0));
#if defined(__aarch64__) /* a store over the end of a page may write the bytes in front of it before it faults */
    (void)*(const volatile uint8_t *)(p + 15);
#endif
    ts_simd_store(p, V(1));
    ACCESSED();
    NEXT(2);
}
OP(v128_const) {
    fp[A16(0)] = pc[2].u;
    fp[A16(0) + 1] = pc[3].u;
    NEXT(4);
}
OP(i8x16_shuffle) {
    ts_v128 v = ts_simd_i8x16_shuffle(V(1), V(2), (const uint8_t *)(pc + 2));
    PUTV(v);
    NEXT(4);
}
#undef A16
#undef S
#undef V
