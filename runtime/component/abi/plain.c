/* plain: lists of scalars, and of records and variants of scalars, copied from memory to memory.
 * In: bytes and a plain type. Out: bytes, or traps in the order of loading. spec:
 * CanonicalABI.md#loading, #storing */
#include "component/abi/plain.h"
#include "component/abi/trap.h"
#include "component/abi/scalar.h"
#include <string.h>

/* Integers of 1, 2 or 4 bytes. Constant sizes compile to a move instead of a call. */
static uint32_t load_int(const uint8_t *from, uint32_t nbytes) {
    uint16_t v16;
    uint32_t v32;
    switch (nbytes) {
    case 1: return *from;
    case 2: memcpy(&v16, from, sizeof v16); return v16;
    default: memcpy(&v32, from, sizeof v32); return v32;
    }
}
static void copy_bytes(uint8_t *to, const uint8_t *from, uint32_t nbytes) {
    switch (nbytes) {
    case 1: *to = *from; return;
    case 2: memcpy(to, from, 2); return;
    case 4: memcpy(to, from, 4); return;
    case 8: memcpy(to, from, 8); return;
    default: memcpy(to, from, nbytes); return;
    }
}

static ts_status check(ts_error *e, const ts_ctype *t, const uint8_t *from) { /* t->needs_check is set */
    switch (t->kind) {
    case TS_CT_CHAR: {
        uint32_t c;
        return ts_convert_i32_to_char(e, load_int(from, 4), &c);
    }
    case TS_CT_RECORD:
    case TS_CT_TUPLE:
        for (uint32_t i = 0; i < t->n; i++) {
            const ts_ctype *part = t->cases[i].type;
            if (part->needs_check) TS_TRY(check(e, part, from + t->offsets[i]));
        }
        return TS_OK;
    default: { /* cabi: load_variant */
        uint32_t disc = load_int(from, t->disc_size), n = ts_ctype_n_cases(t);
        TS_TRAP_IF(e, disc >= n, "invalid variant discriminant: %u of %u cases", disc, n);
        const ts_ctype *payload = ts_ctype_case(t, disc);
        return payload && payload->needs_check ? check(e, payload, from + t->payload_offset) : TS_OK;
    }
    }
}

ts_status ts_plain_check(ts_error *e, const ts_ctype *elem, const uint8_t *from, uint64_t n) {
    for (uint64_t i = 0; elem->needs_check && i < n; i++) TS_TRY(check(e, elem, from + i * elem->size));
    return TS_OK;
}

static void copy(const ts_ctype *t, uint8_t *to, const uint8_t *from) {
    if (t->bitwise) {
        copy_bytes(to, from, t->size);
        return;
    }
    switch (t->kind) {
    case TS_CT_BOOL: *to = *from != 0; return;
    case TS_CT_F32: {
        float f;
        memcpy(&f, from, 4);
        f = ts_canonicalize_nan32(f);
        memcpy(to, &f, 4);
        return;
    }
    case TS_CT_F64: {
        double f;
        memcpy(&f, from, 8);
        f = ts_canonicalize_nan64(f);
        memcpy(to, &f, 8);
        return;
    }
    case TS_CT_FLAGS: { /* cabi: unpack_flags_from_int, pack_flags_into_int */
        uint32_t v = load_int(from, t->size) & ts_flags_mask(t);
        copy_bytes(to, (const uint8_t *)&v, t->size);
        return;
    }
    case TS_CT_RECORD:
    case TS_CT_TUPLE:
        for (uint32_t i = 0; i < t->n; i++) {
            const ts_ctype *part = t->cases[i].type;
            const uint32_t at = t->offsets[i];
            if (part->bitwise)
                copy_bytes(to + at, from + at, part->size);
            else
                copy(part, to + at, from + at);
        }
        return;
    default: {
        copy_bytes(to, from, t->disc_size);
        const ts_ctype *payload = ts_ctype_case(t, load_int(from, t->disc_size));
        if (payload) copy(payload, to + t->payload_offset, from + t->payload_offset);
    }
    }
}

void ts_plain_copy(const ts_ctype *elem, uint8_t *to, const uint8_t *from, uint64_t n) {
    if (n == 0) return;
    if (elem->bitwise) {
        memcpy(to, from, n * elem->size);
        return;
    }
    for (uint64_t i = 0; i < n; i++) copy(elem, to + i * elem->size, from + i * elem->size);
}
