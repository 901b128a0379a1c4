/* emit_adapter: what emit_adapter.c asks of a processor, beside the moves and jumps of emitter.h.
 * In: registers, operands. Out: machine code of one step of a call between components. */
#ifndef TS_CORE_EMIT_ADAPTER_H
#define TS_CORE_EMIT_ADAPTER_H
#include "core/native/adapter.h"
#include "core/native/emitter.h"

#if TS_HAS_MACHINE_CODE
/* At the call, ADAPTER has the adapter, and AT the place of the arguments. PC is the instruction of the IR. The others
 * are for one step or some, and DEPTH is the depth of the call. The steps keep what they are not said to change. */
#if defined(__x86_64__)
enum { ADAPTER = RAX, AT = ACC_R, PART = RDX, DEPTH = RCX, OTHER = R8 };
#else
enum { ADAPTER = X0, AT = ACC_R, PART = X1, DEPTH = 2, OTHER = 3 };
#endif

/* 32 bits. */
void ts_target_read_u32(emitter *e, unsigned to, operand from);
void ts_target_write_u32(emitter *e, operand to, unsigned from);
/* The flags are those of an unsigned comparison of 32 bits, for CC_AE. */
void ts_target_compare_u32(emitter *e, unsigned a, unsigned b);
void ts_target_compare_limit(emitter *e, unsigned reg, uint32_t limit);
/* to = from + imm. */
void ts_target_add_u32(emitter *e, unsigned to, unsigned from, int32_t imm);
void ts_target_add(emitter *e, unsigned to, unsigned from, int32_t imm);
void ts_target_address(emitter *e, unsigned to, const void *address);
/* Return the condition that it is so. */
int ts_target_is_false(emitter *e, operand flag);
int ts_target_is_nan(emitter *e, bool two, unsigned reg);
/* One of n words of 8 bytes, of which this is the first, is not 0. It changes OTHER. */
int ts_target_any_is_set(emitter *e, operand first, uint32_t n);
void ts_target_set_flag(emitter *e, operand flag, bool to);
/* Reads an integer of 64 bits and converts it as the step asks. Chars and cases of enums are checked elsewhere. */
void ts_target_read_flat(emitter *e, const ts_flat_step *s, unsigned to, operand from);
/* Go on at an operation of the interpreter. It changes ADAPTER. */
void ts_target_go_to(emitter *e, const void *operation);
#endif
#endif
