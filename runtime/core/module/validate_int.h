/* validate_int: the state of validating one body, shared by validate.c (the fast loop) and validate_ops.c
 * (the rest).
 * In: - Out: the operand and control stacks of the algorithm. spec: appendix/algorithm */
#ifndef TS_CORE_VALIDATE_INT_H
#define TS_CORE_VALIDATE_INT_H
#include "core/module/decode.h"
#include "core/module/wasm_ops.h"

struct ts_vframe {
    const ts_valtype *params, *results; /* results NULL and n_results 1: `one` is the result */
    uint32_t n_params, n_results;
    uint32_t height;      /* of the operand stack below this frame */
    uint32_t init_height; /* of set_log when the frame began */
    ts_valtype one;
    uint16_t op; /* TS_OP_block, loop, if_, else_, try_table; the body itself is a block */
    bool unreachable;
};

/* One per thread; its arrays are kept from body to body. */
struct ts_validator {
    const ts_module *m;
    const ts_type_registry *types;
    ts_error *e;
    ts_reader r;        /* reads the body */
    bool is_const;      /* a constant expression */
    uint32_t n_globals; /* how many globals it may name */
    /* operands; each byte that is left in the body may push one: see ts_v_reserve */
    ts_valtype *stack;
    size_t sp, cap;
    /* frames */
    struct ts_vframe *frames;
    uint32_t n_frames, cap_frames;
    /* locals */
    ts_valtype *locals;
    uint32_t n_locals, cap_locals;
    bool track_init;   /* some local has no default value */
    bool *local_set;   /* cap_locals of them */
    uint32_t *set_log; /* locals that were set, in order; the end of a frame undoes them */
    uint32_t n_log, cap_log;
};

/* Make room for n operands and for one more for each byte that is left in the body. */
ts_status ts_v_reserve(struct ts_validator *v, size_t n) TS_MUST_USE;
ts_status ts_v_push_frame(struct ts_validator *v, uint16_t op, const ts_valtype *params, uint32_t n_params,
                          const ts_valtype *results, uint32_t n_results, ts_valtype one) TS_MUST_USE;
ts_status ts_v_invalid(struct ts_validator *v, const uint8_t *at, const char *fmt, ...) TS_PRINTF(3, 4);
ts_status ts_v_check_type(struct ts_validator *v, ts_valtype *t, const uint8_t *at) TS_MUST_USE;
/* Validate the instruction at r.at. After the end of the outermost frame n_frames is 0. */
ts_status ts_v_instr(struct ts_validator *v) TS_MUST_USE;
#endif
