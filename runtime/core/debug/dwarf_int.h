/* dwarf_int: what dwarf.c (line programs, queries) and dwarf_info.c (functions, inlined calls) share.
 * In: the sections of a module. Out: values, or false if the bytes end too early or make no sense.
 * spec: DWARF 5, chapter 7 */
#ifndef TS_CORE_DWARF_INT_H
#define TS_CORE_DWARF_INT_H
#include "base/reader.h"
#include "base/vec.h"
#include <string.h>

enum {
    TS_DW_MAX_BYTES = 4 << 20, /* the most bytes that one query reads in a row */
    TS_DW_MAX_INLINED = 64,    /* the deepest nesting of inlined calls that is reported */
};

typedef struct ts_dw_bytes {
    const uint8_t *at;
    uint32_t len;
} ts_dw_bytes;

typedef struct ts_dw_sections {
    ts_dw_bytes line, line_str, str, info, abbrev, ranges, rnglists, addr, str_offsets;
} ts_dw_sections;

static inline bool ts_dw_read_uint(ts_reader *r, unsigned n, uint64_t *out) {
    const uint8_t *p;
    if (ts_read_bytes(r, n, &p) != TS_OK) return false;
    *out = 0;
    for (unsigned i = n; i-- > 0;) *out = *out << 8 | p[i];
    return true;
}
static inline bool ts_dw_read_u8(ts_reader *r, uint8_t *out) {
    return ts_read_u8(r, out) == TS_OK;
}
static inline bool ts_dw_read_uleb(ts_reader *r, uint64_t *out) {
    if (r->at < r->end && *r->at < 0x80) {
        *out = *r->at++;
        return true;
    }
    return ts_read_u64(r, out) == TS_OK;
}
static inline bool ts_dw_skip(ts_reader *r, uint64_t n) {
    if (n > ts_reader_left(r)) return false;
    if (n) r->at += n;
    return true;
}
/* Reads bytes up to a NUL, and the NUL. */
static inline bool ts_dw_read_text(ts_reader *r, ts_dw_bytes *out) {
    const uint8_t *nul = ts_reader_left(r) ? memchr(r->at, 0, ts_reader_left(r)) : NULL;
    if (!nul) return false;
    *out = (ts_dw_bytes){.at = r->at, .len = (uint32_t)(nul - r->at)};
    r->at = nul + 1;
    return true;
}
static inline ts_reader ts_dw_reader(ts_dw_bytes b) { /* an absent section reads as an empty one */
    return (ts_reader){.at = b.at, .end = b.at ? b.at + b.len : NULL, .base = b.at};
}

/* Sets *out to a reader of the next unit, and moves r past the unit. spec: DWARF 5, 7.4 */
static inline bool ts_dw_next_unit(ts_reader *r, bool *wide, ts_reader *out) {
    uint64_t len = 0;
    if (!ts_dw_read_uint(r, 4, &len)) return false;
    *wide = len == 0xffffffff;
    if (*wide ? !ts_dw_read_uint(r, 8, &len) : len >= 0xfffffff0) return false;
    return len <= ts_reader_left(r) && ts_read_sub(r, (size_t)len, out) == TS_OK;
}

/* --- values of attributes ------------------------------------------------------------------------------- */

/* How a unit encodes its values. */
typedef struct ts_dw_context {
    const ts_dw_sections *sections;
    uint16_t version;
    bool wide;            /* the 64-bit format, with offsets of 8 bytes */
    uint8_t address_size; /* 4, or 8 for wasm64 */
    uint64_t str_offsets_base, addr_base, rnglists_base;
} ts_dw_context;

typedef enum ts_dw_kind {
    TS_DW_ABSENT,
    TS_DW_NUMBER,   /* constants, flags, offsets in other sections */
    TS_DW_ADDRESS,  /* an offset in the contents of the code section */
    TS_DW_ADDRX,    /* an index in .debug_addr */
    TS_DW_TEXT,     /* a string in place */
    TS_DW_STR,      /* an offset in .debug_str */
    TS_DW_LINE_STR, /* an offset in .debug_line_str */
    TS_DW_STRX,     /* an index in .debug_str_offsets */
    TS_DW_RNGLISTX, /* an index of a list of ranges */
    TS_DW_UNIT_REF, /* the offset of an entry from the start of its unit */
    TS_DW_INFO_REF, /* the offset of an entry in .debug_info */
    TS_DW_OTHER,    /* a value that is not used here */
} ts_dw_kind;

typedef struct ts_dw_value {
    ts_dw_kind kind;
    uint64_t number;
    ts_dw_bytes text;
} ts_dw_value;

/* Reads the value of an attribute. `implicit` is the constant in the abbreviation, for
 * DW_FORM_implicit_const.
 * spec: DWARF 5, 7.5.5 */
bool ts_dw_read_form(const ts_dw_context *c, ts_reader *r, uint64_t form, int64_t implicit, ts_dw_value *out);
bool ts_dw_string(const ts_dw_context *c, ts_dw_value v, ts_dw_bytes *out);

/* --- functions ------------------------------------------------------------------------------------------ */

typedef struct ts_dw_function { /* a function that has code */
    uint32_t low, high;         /* addresses; high is excluded */
    uint32_t unit, entry;       /* offsets in .debug_info */
} ts_dw_function;
typedef struct ts_dw_functions {
    ts_dw_function *data;
    uint32_t len, cap;
} ts_dw_functions;

typedef struct ts_dw_call {
    ts_dw_bytes name;            /* of the called function; may be empty */
    uint32_t file, line, column; /* the place of the call; the file is a number in the unit's line program */
} ts_dw_call;

/* What an address belongs to. */
typedef struct ts_dw_place {
    ts_dw_bytes function; /* the name of the function; may be empty */
    bool has_line;        /* the unit has a line program */
    uint64_t line;        /* the offset of that program in .debug_line */
    uint32_t n_calls;     /* inlined calls, outermost first; the instruction belongs to the last one */
    ts_dw_call calls[TS_DW_MAX_INLINED];
} ts_dw_place;

/* Finds all functions, in the order of .debug_info. It leaves out what is wrong there or beyond the
 * limits. */
void ts_dw_info_index(const ts_dw_sections *s, ts_dw_functions *out);
/* Returns false if nothing is known about the address. */
bool ts_dw_info_find(const ts_dw_sections *s, const ts_dw_functions *in, uint32_t address, ts_dw_place *out);
#endif
