/* emit_objects: the fields of a struct that machine code makes, for all processors. See emitter.h.
 * In: a type, the place of the fields. Out: stores of zeroes and of the slots that the fields are in. */
#include "core/native/emitter.h"

#if TS_HAS_MACHINE_CODE
enum { MOST_FIELD_BYTES = 128 };
bool ts_emit_fields_fit(const ts_deftype *t) {
    for (uint32_t i = 0; i < t->n_fields; i++)
        if (ts_vt_storage_size(t->fields[i].type) > 8) return false;
    return t->size <= MOST_FIELD_BYTES;
}
void ts_emit_fields(emitter *e, const ts_deftype *t, operand payload, bool with_values) {
    uint8_t filled[MOST_FIELD_BYTES / 8] = {0}; /* how many bytes of each eight */
    for (uint32_t i = 0; with_values && i < t->n_fields; i++)
        filled[t->fields[i].offset / 8] += (uint8_t)ts_vt_storage_size(t->fields[i].type);
    for (uint32_t at = 0; at < t->size; at += 8) {
        if (filled[at / 8] == 8) continue;
        room(&e->a, 0);
        ts_target_write_constant(e, at_mem(payload.reg, payload.disp + (int32_t)at), 0);
    }
    for (uint32_t i = 0; with_values && i < t->n_fields; i++) {
        const ts_field *f = &t->fields[i];
        room(&e->a, 0);
        ts_target_put_field(e, at_mem(payload.reg, payload.disp + (int32_t)f->offset), ts_vt_storage_size(f->type),
                            e->w[1].s[0] + i);
    }
}
#endif
