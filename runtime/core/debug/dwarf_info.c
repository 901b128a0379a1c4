/* dwarf_info: reads .debug_info: which functions have code, and where the compiler inlined calls.
 * In: the sections. Out: an index of functions, made in one pass over all units; what an address belongs
 * to, found by reading one function. spec: DWARF 5, 2.17, 3.3 and 7.5
 *
 * The sections come from guests, so every pass has a budget of steps, which is linear in their size. */
#include "core/debug/dwarf_int.h"

enum {
    MAX_FUNCTIONS = 1 << 20,
    MAX_HOPS = 4, /* references that are followed from an inlined call to the entry with the name */
    STEPS_PER_QUERY = 8 << 20,

    TAG_LEXICAL_BLOCK = 0x0b,
    TAG_INLINED_SUBROUTINE = 0x1d,
    TAG_CATCH_BLOCK = 0x25,
    TAG_SUBPROGRAM = 0x2e,
    TAG_TRY_BLOCK = 0x32,
};

/* DW_FORM_*, with the extensions of GCC that preceded DWARF 5. spec: DWARF 5, 7.5.6 */
enum {
    FORM_ADDR = 0x01,
    FORM_BLOCK2 = 0x03,
    FORM_BLOCK4 = 0x04,
    FORM_DATA2 = 0x05,
    FORM_DATA4 = 0x06,
    FORM_DATA8 = 0x07,
    FORM_STRING = 0x08,
    FORM_BLOCK = 0x09,
    FORM_BLOCK1 = 0x0a,
    FORM_DATA1 = 0x0b,
    FORM_FLAG = 0x0c,
    FORM_SDATA = 0x0d,
    FORM_STRP = 0x0e,
    FORM_UDATA = 0x0f,
    FORM_REF_ADDR = 0x10,
    FORM_REF1 = 0x11,
    FORM_REF2 = 0x12,
    FORM_REF4 = 0x13,
    FORM_REF8 = 0x14,
    FORM_REF_UDATA = 0x15,
    FORM_INDIRECT = 0x16,
    FORM_SEC_OFFSET = 0x17,
    FORM_EXPRLOC = 0x18,
    FORM_FLAG_PRESENT = 0x19,
    FORM_STRX = 0x1a,
    FORM_ADDRX = 0x1b,
    FORM_REF_SUP4 = 0x1c,
    FORM_STRP_SUP = 0x1d,
    FORM_DATA16 = 0x1e,
    FORM_LINE_STRP = 0x1f,
    FORM_REF_SIG8 = 0x20,
    FORM_IMPLICIT_CONST = 0x21,
    FORM_LOCLISTX = 0x22,
    FORM_RNGLISTX = 0x23,
    FORM_REF_SUP8 = 0x24,
    FORM_STRX1 = 0x25,
    FORM_STRX2 = 0x26,
    FORM_STRX3 = 0x27,
    FORM_STRX4 = 0x28,
    FORM_ADDRX1 = 0x29,
    FORM_ADDRX2 = 0x2a,
    FORM_ADDRX3 = 0x2b,
    FORM_ADDRX4 = 0x2c,
    FORM_GNU_ADDR_INDEX = 0x1f01,
    FORM_GNU_STR_INDEX = 0x1f02,
    FORM_GNU_REF_ALT = 0x1f20,
    FORM_GNU_STRP_ALT = 0x1f21,
};
/* DW_AT_*. spec: DWARF 5, 7.5.4 */
enum {
    AT_NAME = 0x03,
    AT_STMT_LIST = 0x10,
    AT_LOW_PC = 0x11,
    AT_HIGH_PC = 0x12,
    AT_ABSTRACT_ORIGIN = 0x31,
    AT_SPECIFICATION = 0x47,
    AT_RANGES = 0x55,
    AT_CALL_COLUMN = 0x57,
    AT_CALL_FILE = 0x58,
    AT_CALL_LINE = 0x59,
    AT_LINKAGE_NAME = 0x6e,
    AT_STR_OFFSETS_BASE = 0x72,
    AT_ADDR_BASE = 0x73,
    AT_RNGLISTS_BASE = 0x74,
};
/* DW_RLE_*. spec: DWARF 5, 2.17.3 */
enum {
    RLE_BASE_ADDRESSX = 1,
    RLE_STARTX_ENDX = 2,
    RLE_STARTX_LENGTH = 3,
    RLE_OFFSET_PAIR = 4,
    RLE_BASE_ADDRESS = 5,
    RLE_START_END = 6,
    RLE_START_LENGTH = 7,
};

/* --- values --------------------------------------------------------------------------------------------- */

static bool read_number(ts_reader *r, unsigned n, ts_dw_kind kind, ts_dw_value *out) {
    out->kind = kind;
    return ts_dw_read_uint(r, n, &out->number);
}
static bool read_leb(ts_reader *r, ts_dw_kind kind, ts_dw_value *out) {
    out->kind = kind;
    return ts_dw_read_uleb(r, &out->number);
}
/* The length of the block has n bytes, or is a LEB128 if n is 0. */
static bool skip_block(ts_reader *r, unsigned n, ts_dw_value *out) {
    out->kind = TS_DW_OTHER;
    return (n ? ts_dw_read_uint(r, n, &out->number) : ts_dw_read_uleb(r, &out->number)) && ts_dw_skip(r, out->number);
}

bool ts_dw_read_form(const ts_dw_context *c, ts_reader *r, uint64_t form, int64_t implicit, ts_dw_value *out) {
    unsigned offset = c->wide ? 8 : 4;
    int64_t s = 0;
    *out = (ts_dw_value){.kind = TS_DW_OTHER};
    if (form == FORM_INDIRECT) { /* the value begins with its form */
        if (!ts_dw_read_uleb(r, &form) || form == FORM_INDIRECT || form == FORM_IMPLICIT_CONST) return false;
    }
    switch (form) {
    case FORM_ADDR: return read_number(r, c->address_size, TS_DW_ADDRESS, out);
    case FORM_BLOCK2: return skip_block(r, 2, out);
    case FORM_BLOCK4: return skip_block(r, 4, out);
    case FORM_BLOCK:
    case FORM_EXPRLOC: return skip_block(r, 0, out);
    case FORM_BLOCK1: return skip_block(r, 1, out);
    case FORM_DATA1:
    case FORM_FLAG: return read_number(r, 1, TS_DW_NUMBER, out);
    case FORM_DATA2: return read_number(r, 2, TS_DW_NUMBER, out);
    case FORM_DATA4: return read_number(r, 4, TS_DW_NUMBER, out);
    case FORM_DATA8: return read_number(r, 8, TS_DW_NUMBER, out);
    case FORM_DATA16: return ts_dw_skip(r, 16);
    case FORM_STRING: out->kind = TS_DW_TEXT; return ts_dw_read_text(r, &out->text);
    case FORM_SDATA:
        if (ts_read_s64(r, &s) != TS_OK) return false;
        *out = (ts_dw_value){.kind = TS_DW_NUMBER, .number = (uint64_t)s};
        return true;
    case FORM_UDATA: return read_leb(r, TS_DW_NUMBER, out);
    case FORM_STRP: return read_number(r, offset, TS_DW_STR, out);
    case FORM_LINE_STRP: return read_number(r, offset, TS_DW_LINE_STR, out);
    case FORM_REF_ADDR: return read_number(r, c->version == 2 ? c->address_size : offset, TS_DW_INFO_REF, out);
    case FORM_REF1: return read_number(r, 1, TS_DW_UNIT_REF, out);
    case FORM_REF2: return read_number(r, 2, TS_DW_UNIT_REF, out);
    case FORM_REF4: return read_number(r, 4, TS_DW_UNIT_REF, out);
    case FORM_REF8: return read_number(r, 8, TS_DW_UNIT_REF, out);
    case FORM_REF_UDATA: return read_leb(r, TS_DW_UNIT_REF, out);
    case FORM_SEC_OFFSET: return read_number(r, offset, TS_DW_NUMBER, out);
    case FORM_FLAG_PRESENT:
        out->kind = TS_DW_NUMBER;
        out->number = 1;
        return true;
    case FORM_IMPLICIT_CONST: *out = (ts_dw_value){.kind = TS_DW_NUMBER, .number = (uint64_t)implicit}; return true;
    case FORM_STRX:
    case FORM_GNU_STR_INDEX: return read_leb(r, TS_DW_STRX, out);
    case FORM_STRX1:
    case FORM_STRX2:
    case FORM_STRX3:
    case FORM_STRX4: return read_number(r, (unsigned)form - FORM_STRX1 + 1, TS_DW_STRX, out);
    case FORM_ADDRX:
    case FORM_GNU_ADDR_INDEX: return read_leb(r, TS_DW_ADDRX, out);
    case FORM_ADDRX1:
    case FORM_ADDRX2:
    case FORM_ADDRX3:
    case FORM_ADDRX4: return read_number(r, (unsigned)form - FORM_ADDRX1 + 1, TS_DW_ADDRX, out);
    case FORM_LOCLISTX: return read_leb(r, TS_DW_OTHER, out);
    case FORM_RNGLISTX: return read_leb(r, TS_DW_RNGLISTX, out);
    case FORM_REF_SUP4: return ts_dw_skip(r, 4);
    case FORM_REF_SIG8:
    case FORM_REF_SUP8: return ts_dw_skip(r, 8);
    case FORM_STRP_SUP:
    case FORM_GNU_REF_ALT:
    case FORM_GNU_STRP_ALT: return ts_dw_skip(r, offset);
    default: return false;
    }
}

/* Reads an element of a table of offsets or addresses. */
static bool read_element(ts_dw_bytes table, uint64_t base, uint64_t index, unsigned size, uint64_t *out) {
    ts_reader r = ts_dw_reader(table);
    return index <= UINT32_MAX && base <= UINT32_MAX && ts_dw_skip(&r, base + index * size) &&
           ts_dw_read_uint(&r, size, out);
}

bool ts_dw_string(const ts_dw_context *c, ts_dw_value v, ts_dw_bytes *out) {
    ts_reader r = ts_dw_reader(v.kind == TS_DW_LINE_STR ? c->sections->line_str : c->sections->str);
    switch (v.kind) {
    case TS_DW_TEXT: *out = v.text; return true;
    case TS_DW_STRX:
        if (!read_element(c->sections->str_offsets, c->str_offsets_base, v.number, c->wide ? 8 : 4, &v.number))
            return false;
        break;
    case TS_DW_STR:
    case TS_DW_LINE_STR: break;
    default: return false;
    }
    return ts_dw_skip(&r, v.number) && ts_dw_read_text(&r, out);
}

static bool address_of(const ts_dw_context *c, ts_dw_value v, uint64_t *out) {
    *out = v.number;
    return v.kind == TS_DW_ADDRESS ||
           (v.kind == TS_DW_ADDRX && read_element(c->sections->addr, c->addr_base, v.number, c->address_size, out));
}

/* --- entries -------------------------------------------------------------------------------------------- */

typedef struct abbreviation {
    uint64_t code;
    uint32_t at; /* of its tag, in .debug_abbrev */
} abbreviation;
typedef struct abbreviations {
    TS_VEC(abbreviation) list;
    uint64_t from; /* where the table begins */
    bool read;
} abbreviations;

typedef struct unit {
    ts_dw_context c;
    uint32_t at, end; /* in .debug_info */
    uint64_t abbrev;
    ts_reader entries;
    uint64_t low;          /* the base of its ranges */
    ts_dw_value stmt_list; /* the offset of its line program in .debug_line */
} unit;

/* The attributes that are used here. */
typedef struct entry {
    uint64_t tag; /* 0: the end of a list of children */
    bool children;
    ts_dw_value name, linkage_name, stmt_list, low, high, ranges, origin, call_file, call_line, call_column,
        str_offsets_base, addr_base, rnglists_base;
} entry;

static bool spend_steps(uint64_t *steps, uint64_t n) {
    if (*steps < n) return false;
    *steps -= n;
    return true;
}

/* Reads the abbreviations of a unit. Returns false if they end too early or take too many steps.
 * spec: DWARF 5, 7.5.3 */
static bool read_abbreviations(const ts_dw_sections *s, uint64_t from, abbreviations *out, uint64_t *steps) {
    if (out->read && out->from == from) return true;
    ts_reader r = ts_dw_reader(s->abbrev);
    uint64_t code = 0, ignored = 0, attribute = 0, form = 0;
    int64_t implicit = 0;
    uint8_t children = 0;
    *out = (abbreviations){.list = {.data = out->list.data, .cap = out->list.cap}, .from = from};
    if (!ts_dw_skip(&r, from)) return false;
    while (ts_dw_read_uleb(&r, &code) && code != 0) {
        abbreviation a = {.code = code, .at = (uint32_t)(r.at - s->abbrev.at)};
        if (!spend_steps(steps, 1) || !ts_vec_push(&out->list, a)) return false;
        if (!ts_dw_read_uleb(&r, &ignored) || !ts_dw_read_u8(&r, &children)) return false;
        do {
            if (!spend_steps(steps, 1) || !ts_dw_read_uleb(&r, &attribute) || !ts_dw_read_uleb(&r, &form)) return false;
            if (form == FORM_IMPLICIT_CONST && ts_read_s64(&r, &implicit) != TS_OK) return false;
        } while (attribute != 0 || form != 0);
    }
    out->read = code == 0;
    return out->read;
}

/* Reads the next entry of a unit. spec: DWARF 5, 7.5.2 */
static bool read_entry(const unit *u, const abbreviations *known, ts_reader *r, entry *out, uint64_t *steps) {
    uint64_t code = 0, attribute = 0, form = 0;
    uint32_t i;
    int64_t implicit = 0;
    uint8_t children = 0;
    *out = (entry){.tag = 0};
    if (!spend_steps(steps, 1) || !ts_dw_read_uleb(r, &code)) return false;
    if (code == 0) return true;
    if (code <= known->list.len && known->list.data[code - 1].code == code) { /* compilers number them so */
        i = (uint32_t)code - 1;
    } else {
        for (i = 0; i < known->list.len && known->list.data[i].code != code; i++)
            if (!spend_steps(steps, 1)) return false;
        if (i == known->list.len) return false;
    }
    ts_reader a = ts_dw_reader(u->c.sections->abbrev);
    if (!ts_dw_skip(&a, known->list.data[i].at) || !ts_dw_read_uleb(&a, &out->tag) || !ts_dw_read_u8(&a, &children) ||
        out->tag == 0)
        return false;
    out->children = children != 0;
    for (;;) {
        ts_dw_value v;
        if (!spend_steps(steps, 1) || !ts_dw_read_uleb(&a, &attribute) || !ts_dw_read_uleb(&a, &form)) return false;
        if (form == FORM_IMPLICIT_CONST && ts_read_s64(&a, &implicit) != TS_OK) return false;
        if (attribute == 0 && form == 0) return true;
        if (!ts_dw_read_form(&u->c, r, form, implicit, &v)) return false;
        switch (attribute) {
        case AT_NAME: out->name = v; break;
        case AT_STMT_LIST: out->stmt_list = v; break;
        case AT_LOW_PC: out->low = v; break;
        case AT_HIGH_PC: out->high = v; break;
        case AT_ABSTRACT_ORIGIN:
        case AT_SPECIFICATION: out->origin = v; break;
        case AT_RANGES: out->ranges = v; break;
        case AT_CALL_COLUMN: out->call_column = v; break;
        case AT_CALL_FILE: out->call_file = v; break;
        case AT_CALL_LINE: out->call_line = v; break;
        case AT_LINKAGE_NAME: out->linkage_name = v; break;
        case AT_STR_OFFSETS_BASE: out->str_offsets_base = v; break;
        case AT_ADDR_BASE: out->addr_base = v; break;
        case AT_RNGLISTS_BASE: out->rnglists_base = v; break;
        default: break;
        }
    }
}

/* Reads the header and the first entry of the unit at `all`, which moves past the unit. Returns 1 if the
 * unit can be used, 0 if not, and -1 at the end of the section. spec: DWARF 5, 7.5.1 */
static int open_unit(const ts_dw_sections *s, ts_reader *all, unit *u, abbreviations *known, entry *first,
                     uint64_t *steps) {
    uint64_t v = 0;
    uint8_t kind = 1;
    ts_reader r;
    *u = (unit){.c = {.sections = s}, .at = (uint32_t)(all->at - s->info.at)};
    if (!spend_steps(steps, 1) || !ts_dw_next_unit(all, &u->c.wide, &r)) return -1;
    u->end = (uint32_t)(all->at - s->info.at);
    if (!ts_dw_read_uint(&r, 2, &v) || v < 2 || v > 5) return 0;
    u->c.version = (uint16_t)v;
    if (v == 5 && (!ts_dw_read_u8(&r, &kind) || (kind != 1 && kind != 3) || !ts_dw_read_u8(&r, &u->c.address_size)))
        return 0;
    if (!ts_dw_read_uint(&r, u->c.wide ? 8 : 4, &u->abbrev) || (v < 5 && !ts_dw_read_u8(&r, &u->c.address_size)))
        return 0;
    if (u->c.address_size != 4 && u->c.address_size != 8) return 0;
    /* the default bases: the ends of the headers of the first tables */
    u->c.str_offsets_base = u->c.addr_base = u->c.wide ? 16 : 8;
    u->c.rnglists_base = u->c.wide ? 20 : 12;
    if (!read_abbreviations(s, u->abbrev, known, steps) || !read_entry(u, known, &r, first, steps) || first->tag == 0)
        return 0;
    if (first->str_offsets_base.kind == TS_DW_NUMBER) u->c.str_offsets_base = first->str_offsets_base.number;
    if (first->addr_base.kind == TS_DW_NUMBER) u->c.addr_base = first->addr_base.number;
    if (first->rnglists_base.kind == TS_DW_NUMBER) u->c.rnglists_base = first->rnglists_base.number;
    if (!address_of(&u->c, first->low, &u->low)) u->low = 0;
    u->stmt_list = first->stmt_list;
    u->entries = r;
    return 1;
}

/* Sets the address range of an entry with low_pc and high_pc, which is an address or a size. spec: DWARF
 * 5, 2.17.2 */
static bool address_range(const unit *u, const entry *e, uint64_t *low, uint64_t *high) {
    if (!address_of(&u->c, e->low, low)) return false;
    if (e->high.kind == TS_DW_NUMBER)
        *high = *low + e->high.number;
    else if (!address_of(&u->c, e->high, high))
        return false;
    return *low < *high;
}

/* Up to DWARF 4, ranges are pairs in .debug_ranges. spec: DWARF 4, 2.17.3; for the function below, DWARF
 * 5, 2.17.3 */
static bool in_ranges_v4(const unit *u, uint64_t offset, uint64_t address, uint64_t *steps) {
    ts_reader r = ts_dw_reader(u->c.sections->ranges);
    uint64_t base = u->low, from = 0, to = 0, max = u->c.address_size == 4 ? UINT32_MAX : UINT64_MAX;
    if (!ts_dw_skip(&r, offset)) return false;
    while (spend_steps(steps, 1) && ts_dw_read_uint(&r, u->c.address_size, &from) &&
           ts_dw_read_uint(&r, u->c.address_size, &to)) {
        if (from == 0 && to == 0) return false;
        if (from == max)
            base = to;
        else if (base + from <= address && address < base + to)
            return true;
    }
    return false;
}
static bool in_ranges_v5(const unit *u, ts_dw_value list, uint64_t address, uint64_t *steps) {
    const ts_dw_context *c = &u->c;
    ts_reader r = ts_dw_reader(c->sections->rnglists);
    uint64_t at = list.number, base = u->low, from = 0, to = 0;
    if (list.kind == TS_DW_RNGLISTX) {
        if (!read_element(c->sections->rnglists, c->rnglists_base, list.number, c->wide ? 8 : 4, &at) ||
            at > UINT32_MAX)
            return false;
        at += c->rnglists_base;
    }
    if (!ts_dw_skip(&r, at)) return false;
    for (uint8_t kind = 0; spend_steps(steps, 1) && ts_dw_read_u8(&r, &kind) && kind != 0;) {
        ts_dw_value x = {.kind = TS_DW_ADDRX}, y = x;
        bool good = true;
        switch (kind) {
        case RLE_BASE_ADDRESSX:
            if (!ts_dw_read_uleb(&r, &x.number) || !address_of(c, x, &base)) return false;
            continue;
        case RLE_STARTX_ENDX:
            good = ts_dw_read_uleb(&r, &x.number) && ts_dw_read_uleb(&r, &y.number) && address_of(c, x, &from) &&
                   address_of(c, y, &to);
            break;
        case RLE_STARTX_LENGTH:
            good = ts_dw_read_uleb(&r, &x.number) && ts_dw_read_uleb(&r, &to) && address_of(c, x, &from);
            to += from;
            break;
        case RLE_OFFSET_PAIR:
            good = ts_dw_read_uleb(&r, &from) && ts_dw_read_uleb(&r, &to);
            from += base;
            to += base;
            break;
        case RLE_BASE_ADDRESS:
            if (!ts_dw_read_uint(&r, c->address_size, &base)) return false;
            continue;
        case RLE_START_END:
            good = ts_dw_read_uint(&r, c->address_size, &from) && ts_dw_read_uint(&r, c->address_size, &to);
            break;
        case RLE_START_LENGTH:
            good = ts_dw_read_uint(&r, c->address_size, &from) && ts_dw_read_uleb(&r, &to);
            to += from;
            break;
        default: return false;
        }
        if (!good) return false;
        if (from <= address && address < to) return true;
    }
    return false;
}

static bool contains(const unit *u, const entry *e, uint64_t address, uint64_t *steps) {
    uint64_t low = 0, high = 0;
    if (address_range(u, e, &low, &high)) return low <= address && address < high;
    if (e->ranges.kind != TS_DW_NUMBER && e->ranges.kind != TS_DW_RNGLISTX) return false;
    return u->c.version == 5 ? in_ranges_v5(u, e->ranges, address, steps)
                             : in_ranges_v4(u, e->ranges.number, address, steps);
}

/* --- the index ------------------------------------------------------------------------------------------ */

void ts_dw_info_index(const ts_dw_sections *s, ts_dw_functions *out) {
    ts_reader all = ts_dw_reader(s->info);
    abbreviations known = {.read = false};
    /* An entry has at least a byte and about six attributes, most of which have bytes too. Most tables are
     * read once. */
    uint64_t steps = 16 * ((uint64_t)s->info.len + s->abbrev.len) + 1024;
    unit u;
    entry e;
    for (int got; (got = open_unit(s, &all, &u, &known, &e, &steps)) >= 0;) {
        /* skip units without code, which have types and functions that are inlined elsewhere */
        if (!got || !e.children || (e.low.kind == TS_DW_ABSENT && e.ranges.kind == TS_DW_ABSENT)) continue;
        ts_reader r = u.entries;
        while (!ts_reader_done(&r)) {
            uint64_t low = 0, high = 0;
            uint32_t at = (uint32_t)(r.at - s->info.at);
            if (!read_entry(&u, &known, &r, &e, &steps)) break;
            /* the linker gives functions that it removed the address 0 or one beyond the section */
            if (e.tag != TAG_SUBPROGRAM || !address_range(&u, &e, &low, &high) || low == 0 || high > UINT32_MAX)
                continue;
            ts_dw_function f = {.low = (uint32_t)low, .high = (uint32_t)high, .unit = u.at, .entry = at};
            if (out->len == MAX_FUNCTIONS || !ts_vec_push(out, f)) goto out;
        }
    }
out:
    ts_vec_free(&known.list);
}

/* --- queries -------------------------------------------------------------------------------------------- */

typedef struct query {
    const ts_dw_sections *s;
    unit u; /* the function's unit */
    abbreviations known;
    uint64_t steps;
} query;

/* Returns the name of an entry, or of the entry that it refers to as its origin, in this unit or another. */
static ts_dw_bytes name_of(query *q, const entry *from) {
    ts_dw_bytes name = {0};
    entry e = *from;
    unit u = q->u;
    abbreviations other = {.read = false};
    for (unsigned hops = 0; hops < MAX_HOPS; hops++) {
        const abbreviations *known = u.at == q->u.at ? &q->known : &other;
        if (ts_dw_string(&u.c, e.name, &name) || ts_dw_string(&u.c, e.linkage_name, &name)) break;
        if (e.origin.kind != TS_DW_UNIT_REF && e.origin.kind != TS_DW_INFO_REF) break;
        uint64_t at = e.origin.number;
        if (e.origin.kind == TS_DW_UNIT_REF) at = at <= UINT32_MAX ? u.at + at : UINT64_MAX;
        if (at < u.at || at >= u.end) { /* in another unit: after link-time optimization */
            ts_reader all = ts_dw_reader(q->s->info);
            entry first;
            int got = 0;
            for (;;) {
                ts_reader before = all, in;
                bool wide;
                if (!spend_steps(&q->steps, 1) || !ts_dw_next_unit(&all, &wide, &in)) goto out;
                if (at >= (uint64_t)(all.at - q->s->info.at)) continue;
                all = before;
                break;
            }
            got = open_unit(q->s, &all, &u, &other, &first, &q->steps);
            if (got <= 0) goto out;
            known = &other;
        }
        ts_reader r = ts_dw_reader(q->s->info);
        if (!ts_dw_skip(&r, at)) break;
        r.end = q->s->info.at + u.end;
        if (!read_entry(&u, known, &r, &e, &q->steps) || e.tag == 0) break;
    }
out:
    ts_vec_free(&other.list);
    return name;
}

static uint32_t as_u32(ts_dw_value v) {
    return v.kind == TS_DW_NUMBER && v.number <= UINT32_MAX ? (uint32_t)v.number : 0;
}

/* Descends from the function's entry into the children that contain the address, and collects inlined
 * calls. */
static void collect_inlined(query *q, uint32_t entry_at, uint32_t address, ts_dw_place *out) {
    ts_reader r = ts_dw_reader(q->s->info);
    entry e;
    if (!ts_dw_skip(&r, entry_at)) return;
    r.end = q->s->info.at + q->u.end;
    if (ts_reader_left(&r) > TS_DW_MAX_BYTES) r.end = r.at + TS_DW_MAX_BYTES;
    if (!read_entry(&q->u, &q->known, &r, &e, &q->steps)) return;
    out->function = name_of(q, &e);
    /* depth: of the list of entries that is read; open: of the list whose entries may contain the address */
    for (uint32_t depth = e.children, open = 1; depth >= open && read_entry(&q->u, &q->known, &r, &e, &q->steps);) {
        if (e.tag == 0) {
            depth--;
            continue;
        }
        bool block = e.tag == TAG_LEXICAL_BLOCK || e.tag == TAG_TRY_BLOCK || e.tag == TAG_CATCH_BLOCK;
        if (depth == open && (block || e.tag == TAG_INLINED_SUBROUTINE) && contains(&q->u, &e, address, &q->steps)) {
            if (!block) {
                if (out->n_calls == TS_DW_MAX_INLINED) return;
                out->calls[out->n_calls++] = (ts_dw_call){.name = name_of(q, &e),
                                                          .file = as_u32(e.call_file),
                                                          .line = as_u32(e.call_line),
                                                          .column = as_u32(e.call_column)};
            }
            open = depth + 1;
        }
        depth += e.children;
    }
}

bool ts_dw_info_find(const ts_dw_sections *s, const ts_dw_functions *in, uint32_t address, ts_dw_place *out) {
    const ts_dw_function *f = NULL;
    out->function = (ts_dw_bytes){0};
    out->n_calls = 0;
    out->has_line = false;
    for (uint32_t i = 0; i < in->len && !f; i++)
        if (in->data[i].low <= address && address < in->data[i].high) f = &in->data[i];
    if (!f) return false;
    query q = {.s = s, .steps = STEPS_PER_QUERY};
    ts_reader all = ts_dw_reader(s->info);
    entry first;
    if (ts_dw_skip(&all, f->unit) && open_unit(s, &all, &q.u, &q.known, &first, &q.steps) > 0) {
        out->has_line = q.u.stmt_list.kind == TS_DW_NUMBER;
        out->line = q.u.stmt_list.number;
        collect_inlined(&q, f->entry, address, out);
    }
    ts_vec_free(&q.known.list);
    return true;
}
