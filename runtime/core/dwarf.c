/* dwarf: see dwarf.h. The first question runs every line program once and keeps where its sequences (about one a function) are and
 * which addresses they cover; each question then runs one sequence. An address is an offset within the code section's contents.
 * Memory: 20 bytes a sequence, bounded; time: linear in the sections, then bounded. spec: DWARF 5, 6.2 */
#include "core/dwarf.h"
#include "base/reader.h"
#include "base/utf8.h"
#include "base/vec.h"
#include <string.h>

enum {
    MAX_SEQUENCES = 1 << 20,
    MAX_BYTES = 4 << 20, /* of one sequence, and of the tables of one unit: what a question runs through */
    MAX_PATH_KEPT = 1 << 10,
};

typedef struct sequence {
    uint32_t low, high; /* addresses, high excluded */
    uint32_t unit, at;  /* offsets in .debug_line: of the unit's header, of the sequence's first opcode */
    uint32_t len;
} sequence;
typedef struct bytes {
    const uint8_t *at;
    uint32_t len;
} bytes;
typedef struct ts_dwarf {
    bytes line, line_str, str;
    TS_VEC(sequence) sequences;
} ts_dwarf;

/* The header of a unit. */
typedef struct unit {
    uint16_t version;
    bool wide; /* the 64-bit format: offsets of 8 bytes */
    uint8_t min_inst, line_range, opcode_base;
    int8_t line_base;
    const uint8_t *lengths; /* operands of standard opcode n: lengths[n - 1] */
    ts_reader tables;       /* of directories and files */
    ts_reader program;
} unit;

/* A row of the table that a program stands for. */
typedef struct row {
    uint64_t address;
    uint32_t file, line, column;
} row;

/* --- reading ---------------------------------------------------------------------------------------------------------- */

static bool little(ts_reader *r, unsigned n, uint64_t *out) {
    const uint8_t *p;
    if (ts_read_bytes(r, n, &p) != TS_OK) return false;
    *out = 0;
    for (unsigned i = n; i-- > 0;) *out = *out << 8 | p[i];
    return true;
}
static bool byte(ts_reader *r, uint8_t *out) {
    return ts_read_u8(r, out) == TS_OK;
}
static bool uleb(ts_reader *r, uint64_t *out) {
    return ts_read_u64(r, out) == TS_OK;
}
static bool skip(ts_reader *r, uint64_t n) {
    if (n > ts_reader_left(r)) return false;
    if (n) r->at += n;
    return true;
}
/* Bytes up to a NUL, which is passed. */
static bool text(ts_reader *r, bytes *out) {
    const uint8_t *nul = ts_reader_left(r) ? memchr(r->at, 0, ts_reader_left(r)) : NULL;
    if (!nul) return false;
    *out = (bytes){.at = r->at, .len = (uint32_t)(nul - r->at)};
    r->at = nul + 1;
    return true;
}
static ts_reader reader_of(bytes b) { /* of nothing for a section that is absent */
    return (ts_reader){.at = b.at, .end = b.at ? b.at + b.len : NULL, .base = b.at};
}

/* The next unit: its reader; `r` moves past it. spec: DWARF 5, 7.4 */
static bool next_unit(ts_reader *r, bool *wide, ts_reader *out) {
    uint64_t len = 0;
    if (!little(r, 4, &len)) return false;
    *wide = len == 0xffffffff;
    if (*wide ? !little(r, 8, &len) : len >= 0xfffffff0) return false;
    return len <= ts_reader_left(r) && ts_read_sub(r, (size_t)len, out) == TS_OK;
}

/* spec: DWARF 5, 6.2.4 */
static bool read_header(ts_reader r, bool wide, unit *u) {
    uint64_t v = 0, len = 0;
    uint8_t b = 0, base = 0;
    *u = (unit){.wide = wide};
    if (!little(&r, 2, &v) || v < 2 || v > 5) return false;
    u->version = (uint16_t)v;
    if (v == 5 && !skip(&r, 2)) return false; /* sizes of an address and of a segment selector */
    if (!little(&r, wide ? 8 : 4, &len) || len > ts_reader_left(&r) ||
        ts_read_sub(&r, (size_t)len, &u->tables) != TS_OK)
        return false;
    u->program = r;
    r = u->tables;
    if (!byte(&r, &u->min_inst)) return false;
    if (u->version >= 4 && (!byte(&r, &b) || b != 1))
        return false; /* operations an instruction: a matter of VLIW machines */
    if (!byte(&r, &b) || !byte(&r, &base) || !byte(&r, &u->line_range) || !byte(&r, &u->opcode_base)) return false;
    u->line_base = (int8_t)base;
    if (u->line_range == 0 || u->opcode_base == 0) return false;
    u->lengths = r.at;
    if (!skip(&r, u->opcode_base - 1u)) return false;
    u->tables = r;
    return true;
}

/* --- line programs ---------------------------------------------------------------------------------------------------- */

enum {
    LNS_COPY = 1,
    LNS_ADVANCE_PC = 2,
    LNS_ADVANCE_LINE = 3,
    LNS_SET_FILE = 4,
    LNS_SET_COLUMN = 5,
    LNS_CONST_ADD_PC = 8,
    LNS_FIXED_ADVANCE_PC = 9,
    LNE_END_SEQUENCE = 1,
    LNE_SET_ADDRESS = 2,
};

/* What running a sequence gives. */
typedef struct ran {
    uint64_t low, high;
    bool ordered; /* its addresses do not go down and are ones of a code section: what linkers removed is elsewhere */
    bool found;
    row row; /* the last one at or below the wanted address */
} ran;

static void emit(ran *out, const row *now, row *before, bool *has_before, uint64_t want) {
    if (*has_before) {
        if (now->address < before->address) out->ordered = false;
        if (before->address <= want && want < now->address) {
            out->found = true;
            out->row = *before;
        }
    } else {
        out->low = now->address;
    }
    if (now->address > UINT32_MAX) out->ordered = false;
    *before = *now;
    *has_before = true;
}

/* Run to the end of the sequence that begins here; false when there is none. spec: DWARF 5, 6.2.5 */
static bool run_sequence(const unit *u, ts_reader *r, uint64_t want, ran *out) {
    row now = {.file = 1, .line = 1}, before = {0};
    bool has_before = false;
    *out = (ran){.ordered = true};
    while (!ts_reader_done(r)) {
        uint8_t op = 0;
        uint64_t v = 0;
        int64_t s = 0;
        if (!byte(r, &op)) return false;
        if (op >= u->opcode_base) { /* a special opcode: both advances and a row */
            unsigned n = op - u->opcode_base;
            now.address += (uint64_t)(n / u->line_range) * u->min_inst;
            now.line += (uint32_t)(int32_t)(u->line_base + (int)(n % u->line_range));
            emit(out, &now, &before, &has_before, want);
            continue;
        }
        switch (op) {
        case 0: { /* extended: a length, an opcode, operands */
            ts_reader ext;
            uint8_t kind = 0;
            if (!uleb(r, &v) || v == 0 || v > ts_reader_left(r) || ts_read_sub(r, (size_t)v, &ext) != TS_OK ||
                !byte(&ext, &kind))
                return false;
            if (kind == LNE_END_SEQUENCE) {
                emit(out, &now, &before, &has_before, want);
                out->high = now.address;
                return true;
            }
            if (kind == LNE_SET_ADDRESS && (v > 9 || !little(&ext, (unsigned)v - 1, &now.address))) return false;
            break;
        }
        case LNS_COPY: emit(out, &now, &before, &has_before, want); break;
        case LNS_ADVANCE_PC:
            if (!uleb(r, &v)) return false;
            if (v > UINT32_MAX) out->ordered = false;
            now.address += (uint32_t)v * (uint64_t)u->min_inst;
            break;
        case LNS_ADVANCE_LINE:
            if (ts_read_s64(r, &s) != TS_OK) return false;
            now.line += (uint32_t)(uint64_t)s;
            break;
        case LNS_SET_FILE:
            if (!uleb(r, &v)) return false;
            now.file = v < UINT32_MAX ? (uint32_t)v : UINT32_MAX;
            break;
        case LNS_SET_COLUMN:
            if (!uleb(r, &v)) return false;
            now.column = v < UINT32_MAX ? (uint32_t)v : 0;
            break;
        case LNS_CONST_ADD_PC: now.address += (uint64_t)((255u - u->opcode_base) / u->line_range) * u->min_inst; break;
        case LNS_FIXED_ADVANCE_PC:
            if (!little(r, 2, &v)) return false;
            now.address += v;
            break;
        default: /* those that say nothing here, and those of the future: their operands are counted in the header */
            for (unsigned i = 0; i < u->lengths[op - 1]; i++)
                if (!uleb(r, &v)) return false;
        }
    }
    return false;
}

/* --- names of files --------------------------------------------------------------------------------------------------- */

enum {
    FORM_DATA2 = 0x05,
    FORM_DATA4 = 0x06,
    FORM_DATA8 = 0x07,
    FORM_STRING = 0x08,
    FORM_BLOCK = 0x09,
    FORM_BLOCK1 = 0x0a,
    FORM_DATA1 = 0x0b,
    FORM_STRP = 0x0e,
    FORM_UDATA = 0x0f,
    FORM_DATA16 = 0x1e,
    FORM_LINE_STRP = 0x1f,
    LNCT_PATH = 1,
    LNCT_DIRECTORY_INDEX = 2,
};

typedef struct entry { /* of either table */
    bytes path;
    uint64_t dir;
} entry;

static bool read_form(const ts_dwarf *d, const unit *u, ts_reader *r, uint64_t form, bytes *string, uint64_t *number) {
    uint64_t v = 0;
    switch (form) {
    case FORM_STRING: return text(r, string);
    case FORM_STRP:
    case FORM_LINE_STRP: {
        ts_reader in = reader_of(form == FORM_STRP ? d->str : d->line_str);
        return little(r, u->wide ? 8 : 4, &v) && skip(&in, v) && text(&in, string);
    }
    case FORM_UDATA: return uleb(r, number);
    case FORM_DATA1: return little(r, 1, number);
    case FORM_DATA2: return little(r, 2, number);
    case FORM_DATA4: return little(r, 4, number);
    case FORM_DATA8: return little(r, 8, number);
    case FORM_DATA16: return skip(r, 16);
    case FORM_BLOCK: return uleb(r, &v) && skip(r, v);
    case FORM_BLOCK1: return little(r, 1, &v) && skip(r, v);
    default: return false;
    }
}

/* Entry `want` of the table that begins here, then past the table. DWARF 5: the table says how its entries look. */
static bool table_5(const ts_dwarf *d, const unit *u, ts_reader *r, uint64_t want, bool past, entry *out) {
    uint8_t n_forms = 0;
    uint64_t forms[2 * 255], n = 0, ignored = 0;
    if (!byte(r, &n_forms)) return false;
    for (unsigned i = 0; i < 2u * n_forms; i++)
        if (!uleb(r, &forms[i])) return false;
    if (!uleb(r, &n) || (want >= n && !past)) return false;
    if (n_forms == 0) return n == 0;
    for (uint64_t k = 0; k < n; k++) { /* an entry takes a byte at least */
        entry e = {.path = {0}};
        for (unsigned i = 0; i < n_forms; i++)
            if (!read_form(d, u, r, forms[2 * i + 1], &e.path,
                           forms[2 * i] == LNCT_DIRECTORY_INDEX ? &e.dir : &ignored))
                return false;
        if (k == want) *out = e;
        if (k == want && !past) return true;
    }
    return true;
}

static bool file_5(const ts_dwarf *d, const unit *u, uint32_t file, bytes *dir, bytes *name) {
    ts_reader r = u->tables, again = u->tables;
    entry f = {.path = {0}}, g = {.path = {0}};
    if (!table_5(d, u, &r, UINT64_MAX, true, &g) || !table_5(d, u, &r, file, false, &f)) return false;
    if (f.dir != 0 && !table_5(d, u, &again, f.dir, false, &g)) return false;
    *dir = g.path; /* 0 is the folder of the compilation */
    *name = f.path;
    return true;
}

/* Up to DWARF 4: names that an empty one ends, counted from 1. */
static bool file_4(const unit *u, uint32_t file, bytes *dir, bytes *name) {
    ts_reader r = u->tables, again;
    uint64_t at = 0, ignored = 0;
    bytes s = {0};
    do
        if (!text(&r, &s)) return false;
    while (s.len);
    for (uint32_t k = 1;; k++) {
        if (!text(&r, name) || name->len == 0 || !uleb(&r, &at) || !uleb(&r, &ignored) || !uleb(&r, &ignored))
            return false;
        if (k == file) break;
    }
    *dir = (bytes){0};
    again = u->tables;
    for (uint64_t k = 0; k < at; k++)
        if (!text(&again, dir) || dir->len == 0) return false;
    return true;
}

/* The path into buf, its end when it is too long, at the start of a character; what a terminal would obey or is not UTF-8 is `?`. */
static void put_path(bytes dir, bytes name, char *buf, size_t size) {
    static const char cut[] = "\xe2\x80\xa6"; /* … */
    uint8_t path[2 * MAX_PATH_KEPT + 1];
    uint32_t len = 0;
    bool shortened = false;
    bytes part[2] = {dir, name};
    if (dir.len == 0 || name.at[0] == '/') part[0].len = 0;
    for (unsigned i = 0; i < 2; i++) {
        uint32_t n = part[i].len;
        if (n > MAX_PATH_KEPT) {
            shortened = true;
            len = 0; /* what stood before it */
            n = MAX_PATH_KEPT;
        }
        if (n) memcpy(path + len, part[i].at + part[i].len - n, n);
        len += n;
        if (i == 0 && n && path[len - 1] != '/') path[len++] = '/';
    }
    if (shortened) /* within a character, perhaps */
        for (uint32_t i = 0; i < 3 && i < len && (path[i] & 0xc0) == 0x80; i++) path[i] = '?';
    bool utf8 = ts_utf8_valid(path, len);
    for (uint32_t i = 0; i < len; i++)
        if (path[i] < 0x20 || path[i] == 0x7f || (!utf8 && path[i] >= 0x80)) path[i] = '?';
    uint32_t from = 0, mark = 0;
    if (shortened || len >= size) {
        mark = size > sizeof cut ? sizeof cut - 1 : 0;
        if (len + mark >= size) from = len + mark - (uint32_t)size + 1;
        while (from < len && (path[from] & 0xc0) == 0x80) from++;
    }
    memcpy(buf, cut, mark);
    memcpy(buf + mark, path + from, len - from);
    buf[mark + len - from] = 0;
}

/* --- the index -------------------------------------------------------------------------------------------------------- */

static bool find_sections(const ts_module *m, ts_dwarf *d) {
    ts_reader r = {.at = m->bytes, .end = m->bytes + m->len, .base = m->bytes};
    if (!m->code_section || !skip(&r, 8)) return false;
    while (!ts_reader_done(&r)) {
        uint8_t id = 0;
        uint32_t size = 0, len = 0;
        const char *name;
        ts_reader s;
        if (ts_read_u8(&r, &id) != TS_OK || ts_read_u32(&r, &size) != TS_OK || ts_read_sub(&r, size, &s) != TS_OK)
            return false;
        if (id != 0 || ts_read_name(&s, &name, &len) != TS_OK) continue;
        static const char *const names[] = {".debug_line", ".debug_line_str", ".debug_str"};
        bytes *to[] = {&d->line, &d->line_str, &d->str};
        for (unsigned i = 0; i < 3; i++)
            if (!to[i]->at && len == strlen(names[i]) && memcmp(name, names[i], len) == 0)
                *to[i] = (bytes){.at = s.at, .len = (uint32_t)ts_reader_left(&s)};
    }
    return d->line.len > 0;
}

static void find_sequences(ts_dwarf *d) {
    ts_reader r = reader_of(d->line), in;
    for (bool wide; !ts_reader_done(&r);) {
        const uint8_t *start = r.at;
        unit u;
        if (!next_unit(&r, &wide, &in)) return;
        if (!read_header(in, wide, &u)) continue; /* the next may be better */
        while (!ts_reader_done(&u.program)) {
            const uint8_t *at = u.program.at;
            ran out;
            if (!run_sequence(&u, &u.program, UINT64_MAX, &out)) break;
            if (!out.ordered || out.low == 0 || out.low == out.high || u.program.at - at > MAX_BYTES) continue;
            if (d->sequences.len == MAX_SEQUENCES) return;
            sequence s = {.low = (uint32_t)out.low,
                          .high = (uint32_t)out.high,
                          .unit = (uint32_t)(start - d->line.at),
                          .at = (uint32_t)(at - d->line.at),
                          .len = (uint32_t)(u.program.at - at)};
            if (!ts_vec_push(&d->sequences, s)) return; /* no memory: what is known so far */
        }
    }
}

static void dwarf_free(ts_dwarf *d) {
    if (d) ts_vec_free(&d->sequences);
    free(d);
}

/* The module's index, made by whoever needs it first. */
static const ts_dwarf *index_of(const ts_module *m) {
    ts_dwarf **slot = &((ts_module *)(uintptr_t)m)->dwarf, *d = __atomic_load_n(slot, __ATOMIC_ACQUIRE),
             found = {.line = {0}}, *before = NULL;
    if (d || !find_sections(m, &found)) return d;
    d = calloc(1, sizeof *d);
    if (!d) return NULL;
    *d = found;
    find_sequences(d);
    if (__atomic_compare_exchange_n(slot, &before, d, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) return d;
    dwarf_free(d); /* another thread was faster */
    return before;
}

void ts_dwarf_free(ts_module *m) {
    dwarf_free(m->dwarf);
    m->dwarf = NULL;
}

/* --- questions -------------------------------------------------------------------------------------------------------- */

bool ts_dwarf_line(const ts_module *m, uint64_t module_offset, char *file, size_t size, uint32_t *line,
                   uint32_t *column) {
    const ts_dwarf *d = index_of(m);
    if (!d || size == 0) return false;
    uint64_t code = (uint64_t)(m->code_section - m->bytes);
    if (module_offset < code || module_offset - code >= m->code_section_len) return false;
    uint64_t want = module_offset - code;
    const sequence *s = NULL;
    for (uint32_t i = 0; i < d->sequences.len && !s; i++)
        if (d->sequences.data[i].low <= want && want < d->sequences.data[i].high) s = &d->sequences.data[i];
    if (!s) return false;
    ts_reader r = reader_of(d->line), in;
    bool wide;
    unit u;
    ran out;
    if (!skip(&r, s->unit) || !next_unit(&r, &wide, &in) || !read_header(in, wide, &u)) return false;
    r = reader_of((bytes){.at = d->line.at + s->at, .len = s->len});
    /* line 0: the compiler says that the instruction comes from nowhere */
    if (!run_sequence(&u, &r, want, &out) || !out.found || out.row.line == 0) return false;
    bytes dir = {0}, name = {0};
    if (ts_reader_left(&u.tables) > MAX_BYTES ||
        !(u.version == 5 ? file_5(d, &u, out.row.file, &dir, &name) : file_4(&u, out.row.file, &dir, &name)) ||
        name.len == 0)
        return false;
    put_path(dir, name, file, size);
    *line = out.row.line;
    *column = out.row.column;
    return true;
}
