/* dwarf: see dwarf.h. The first query runs every line program once, and keeps the position and the
 * address range of each sequence (about one per function). Each query then runs one sequence. An address
 * is an offset in the contents of the code section. The index takes 20 bytes per sequence, up to a limit,
 * and time linear in the sections; the time of a query is bounded. spec: DWARF 5, 6.2 */
#include "base/demangle.h"
#include "core/debug/dwarf.h"
#include "base/utf8.h"
#include "core/debug/dwarf_int.h"

enum {
    MAX_SEQUENCES = 1 << 20,
    MAX_PATH_KEPT = 1 << 10,
};

typedef struct sequence {
    uint32_t low, high; /* addresses; high is excluded */
    uint32_t unit, at;  /* offsets in .debug_line: of the unit's header and of the sequence's first opcode */
    uint32_t len;       /* bytes of the sequence */
} sequence;
typedef struct ts_dwarf {
    ts_dw_sections in;
    TS_VEC(sequence) sequences;
    ts_dw_functions functions;
} ts_dwarf;

/* The header of a line program. */
typedef struct unit {
    uint16_t version;
    bool wide; /* the 64-bit format: offsets of 8 bytes */
    uint8_t min_inst, line_range, opcode_base;
    int8_t line_base;
    const uint8_t *lengths; /* operands of standard opcode n: lengths[n - 1] */
    ts_reader tables;       /* the tables of directories and files */
    ts_reader program;
} unit;

/* A row of the table that a line program encodes. */
typedef struct row {
    uint64_t address;
    uint32_t file, line, column;
} row;

/* --- headers of line programs --------------------------------------------------------------------------- */

/* spec: DWARF 5, 6.2.4 */
static bool read_header(ts_reader r, bool wide, unit *u) {
    uint64_t v = 0, len = 0;
    uint8_t b = 0, base = 0;
    *u = (unit){.wide = wide};
    if (!ts_dw_read_uint(&r, 2, &v) || v < 2 || v > 5) return false;
    u->version = (uint16_t)v;
    if (v == 5 && !ts_dw_skip(&r, 2)) return false; /* the sizes of an address and of a segment selector */
    if (!ts_dw_read_uint(&r, wide ? 8 : 4, &len) || len > ts_reader_left(&r) ||
        ts_read_sub(&r, (size_t)len, &u->tables) != TS_OK)
        return false;
    u->program = r;
    r = u->tables;
    if (!ts_dw_read_u8(&r, &u->min_inst)) return false;
    if (u->version >= 4 && (!ts_dw_read_u8(&r, &b) || b != 1))
        return false; /* the operations per instruction; more than one exists on VLIW machines only */
    if (!ts_dw_read_u8(&r, &b) || !ts_dw_read_u8(&r, &base) || !ts_dw_read_u8(&r, &u->line_range) ||
        !ts_dw_read_u8(&r, &u->opcode_base))
        return false;
    u->line_base = (int8_t)base;
    if (u->line_range == 0 || u->opcode_base == 0) return false;
    u->lengths = r.at;
    if (!ts_dw_skip(&r, u->opcode_base - 1u)) return false;
    u->tables = r;
    return true;
}

/* --- line programs -------------------------------------------------------------------------------------- */

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

/* The result of running a sequence. */
typedef struct sequence_result {
    uint64_t low, high;
    /* The addresses do not decrease and are possible in a code section. Functions that a linker removed
     * have others. */
    bool ordered;
    bool found;
    row row; /* the last one at or below the address that is queried */
} sequence_result;

static void emit_row(sequence_result *out, const row *now, row *before, bool *has_before, uint64_t want) {
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

/* Runs the sequence that begins at r, and moves r past it. Returns false if its end is missing.
 * spec: DWARF 5, 6.2.5 */
static bool run_sequence(const unit *u, ts_reader *r, uint64_t want, sequence_result *out) {
    row now = {.file = 1, .line = 1}, before = {0};
    bool has_before = false;
    *out = (sequence_result){.ordered = true};
    while (!ts_reader_done(r)) {
        uint8_t op = 0;
        uint64_t v = 0;
        int64_t s = 0;
        if (!ts_dw_read_u8(r, &op)) return false;
        if (op >= u->opcode_base) { /* a special opcode advances address and line, and emits a row */
            unsigned n = op - u->opcode_base;
            now.address += (uint64_t)(n / u->line_range) * u->min_inst;
            now.line += (uint32_t)(int32_t)(u->line_base + (int)(n % u->line_range));
            emit_row(out, &now, &before, &has_before, want);
            continue;
        }
        switch (op) {
        case 0: { /* extended: a length, an opcode, operands */
            ts_reader ext;
            uint8_t kind = 0;
            if (!ts_dw_read_uleb(r, &v) || v == 0 || v > ts_reader_left(r) ||
                ts_read_sub(r, (size_t)v, &ext) != TS_OK || !ts_dw_read_u8(&ext, &kind))
                return false;
            if (kind == LNE_END_SEQUENCE) {
                emit_row(out, &now, &before, &has_before, want);
                out->high = now.address;
                return true;
            }
            if (kind == LNE_SET_ADDRESS && (v > 9 || !ts_dw_read_uint(&ext, (unsigned)v - 1, &now.address)))
                return false;
            break;
        }
        case LNS_COPY: emit_row(out, &now, &before, &has_before, want); break;
        case LNS_ADVANCE_PC:
            if (!ts_dw_read_uleb(r, &v)) return false;
            if (v > UINT32_MAX) out->ordered = false;
            now.address += (uint32_t)v * (uint64_t)u->min_inst;
            break;
        case LNS_ADVANCE_LINE:
            if (ts_read_s64(r, &s) != TS_OK) return false;
            now.line += (uint32_t)(uint64_t)s;
            break;
        case LNS_SET_FILE:
            if (!ts_dw_read_uleb(r, &v)) return false;
            now.file = v < UINT32_MAX ? (uint32_t)v : UINT32_MAX;
            break;
        case LNS_SET_COLUMN:
            if (!ts_dw_read_uleb(r, &v)) return false;
            now.column = v < UINT32_MAX ? (uint32_t)v : 0;
            break;
        case LNS_CONST_ADD_PC: now.address += (uint64_t)((255u - u->opcode_base) / u->line_range) * u->min_inst; break;
        case LNS_FIXED_ADVANCE_PC:
            if (!ts_dw_read_uint(r, 2, &v)) return false;
            now.address += v;
            break;
        default: /* unused or future opcodes: the header has their numbers of operands */
            for (unsigned i = 0; i < u->lengths[op - 1]; i++)
                if (!ts_dw_read_uleb(r, &v)) return false;
        }
    }
    return false;
}

/* --- names of files ------------------------------------------------------------------------------------- */

enum { LNCT_PATH = 1, LNCT_DIRECTORY_INDEX = 2 };

typedef struct entry { /* of the table of directories or of files */
    ts_dw_value path;
    uint64_t dir;
} entry;

/* Reads entry `want` of the table that begins at r, whose header describes the format of its entries. With
 * `past`, the entry may be absent, and r moves past the table. DWARF 5 alone has these tables. */
static bool read_table_v5(const ts_dw_context *c, ts_reader *r, uint64_t want, bool past, entry *out) {
    uint8_t n_forms = 0;
    uint64_t forms[2 * 255], n = 0;
    if (!ts_dw_read_u8(r, &n_forms)) return false;
    for (unsigned i = 0; i < 2u * n_forms; i++)
        if (!ts_dw_read_uleb(r, &forms[i])) return false;
    if (!ts_dw_read_uleb(r, &n) || (want >= n && !past)) return false;
    for (uint64_t k = 0; k < n; k++) {
        const uint8_t *before = r->at;
        entry e = {.dir = 0};
        for (unsigned i = 0; i < n_forms; i++) {
            ts_dw_value v;
            if (!ts_dw_read_form(c, r, forms[2 * i + 1], 0, &v)) return false;
            if (forms[2 * i] == LNCT_PATH) e.path = v;
            if (forms[2 * i] == LNCT_DIRECTORY_INDEX && v.kind == TS_DW_NUMBER) e.dir = v.number;
        }
        if (k == want) *out = e;
        if (k == want && !past) return true;
        if (r->at == before) return false; /* an entry has at least one byte */
    }
    return true;
}

static bool find_file_v5(const ts_dwarf *d, const unit *u, uint32_t file, ts_dw_bytes *dir, ts_dw_bytes *name) {
    ts_dw_context c = {.sections = &d->in, .version = 5, .wide = u->wide, .address_size = 4};
    ts_reader r = u->tables, again = u->tables;
    entry f = {.dir = 0}, g = {.dir = 0};
    if (!read_table_v5(&c, &r, UINT64_MAX, true, &g) || !read_table_v5(&c, &r, file, false, &f)) return false;
    if (!ts_dw_string(&c, f.path, name)) return false;
    /* Directory 0 is that of the compilation: no prefix. Kotlin's compiler has the path there, and `.` as the name. */
    bool alone = name->len == 1 && name->at[0] == '.';
    if (f.dir == 0 && !alone) return true;
    return read_table_v5(&c, &again, f.dir, false, &g) && ts_dw_string(&c, g.path, alone ? name : dir);
}

/* Up to DWARF 4 a table is a list of names, counted from 1, and an empty name ends it. */
static bool find_file_v4(const unit *u, uint32_t file, ts_dw_bytes *dir, ts_dw_bytes *name) {
    ts_reader r = u->tables, again;
    uint64_t at = 0, ignored = 0;
    ts_dw_bytes s = {0};
    do
        if (!ts_dw_read_text(&r, &s)) return false;
    while (s.len);
    for (uint32_t k = 1;; k++) {
        if (!ts_dw_read_text(&r, name) || name->len == 0 || !ts_dw_read_uleb(&r, &at) ||
            !ts_dw_read_uleb(&r, &ignored) || !ts_dw_read_uleb(&r, &ignored))
            return false;
        if (k == file) break;
    }
    *dir = (ts_dw_bytes){0};
    again = u->tables;
    for (uint64_t k = 0; k < at; k++)
        if (!ts_dw_read_text(&again, dir) || dir->len == 0) return false;
    return true;
}

/* Writes a path into buf. Of a path that is too long it keeps the end, from the start of a character on.
 * Control characters and bytes that are not UTF-8 become `?`. */
static void put_path(ts_dw_bytes dir, ts_dw_bytes name, char *buf, size_t size) {
    static const char ellipsis[] = "\xe2\x80\xa6"; /* … */
    uint8_t path[2 * MAX_PATH_KEPT + 1] = {0};
    uint32_t len = 0;
    bool shortened = false;
    ts_dw_bytes part[2] = {dir, name};
    if (dir.len == 0 || name.at[0] == '/') part[0].len = 0;
    for (unsigned i = 0; i < 2; i++) {
        uint32_t n = part[i].len;
        if (n > MAX_PATH_KEPT) {
            shortened = true;
            len = 0; /* drop the directory */
            n = MAX_PATH_KEPT;
        }
        if (n) memcpy(path + len, part[i].at + part[i].len - n, n);
        len += n;
        if (i == 0 && n && path[len - 1] != '/') path[len++] = '/';
    }
    if (shortened) /* the cut may be within a character */
        for (uint32_t i = 0; i < 3 && i < len && (path[i] & 0xc0) == 0x80; i++) path[i] = '?';
    bool utf8 = ts_utf8_valid(path, len);
    for (uint32_t i = 0; i < len; i++)
        if (path[i] < 0x20 || path[i] == 0x7f || (!utf8 && path[i] >= 0x80)) path[i] = '?';
    uint32_t from = 0, mark = 0;
    if (shortened || len >= size) {
        mark = size > sizeof ellipsis ? sizeof ellipsis - 1 : 0;
        if (len + mark >= size) from = len + mark - (uint32_t)size + 1;
        while (from < len && (path[from] & 0xc0) == 0x80) from++;
    }
    memcpy(buf, ellipsis, mark);
    memcpy(buf + mark, path + from, len - from);
    buf[mark + len - from] = 0;
}

/* --- the index ------------------------------------------------------------------------------------------ */

static bool find_sections(const ts_module *m, ts_dw_sections *d) {
    ts_reader r = {.at = m->bytes, .end = m->bytes + m->len, .base = m->bytes};
    if (!m->code_section || !ts_dw_skip(&r, 8)) return false;
    while (!ts_reader_done(&r)) {
        uint8_t id = 0;
        uint32_t size = 0, len = 0;
        const char *name;
        ts_reader s;
        if (ts_read_u8(&r, &id) != TS_OK || ts_read_u32(&r, &size) != TS_OK || ts_read_sub(&r, size, &s) != TS_OK)
            return false;
        if (id != 0 || ts_read_name(&s, &name, &len) != TS_OK) continue;
        static const char *const names[] = {".debug_line",     ".debug_line_str", ".debug_str",
                                            ".debug_info",     ".debug_abbrev",   ".debug_ranges",
                                            ".debug_rnglists", ".debug_addr",     ".debug_str_offsets"};
        ts_dw_bytes *to[] = {&d->line,   &d->line_str, &d->str,  &d->info,       &d->abbrev,
                             &d->ranges, &d->rnglists, &d->addr, &d->str_offsets};
        for (unsigned i = 0; i < sizeof to / sizeof *to; i++)
            if (!to[i]->at && len == strlen(names[i]) && memcmp(name, names[i], len) == 0)
                *to[i] = (ts_dw_bytes){.at = s.at, .len = (uint32_t)ts_reader_left(&s)};
    }
    return d->line.len > 0 || d->info.len > 0;
}

static void find_sequences(ts_dwarf *d) {
    ts_reader r = ts_dw_reader(d->in.line), in;
    for (bool wide; !ts_reader_done(&r);) {
        const uint8_t *start = r.at;
        unit u;
        if (!ts_dw_next_unit(&r, &wide, &in)) return;
        if (!read_header(in, wide, &u)) continue; /* skip this unit */
        while (!ts_reader_done(&u.program)) {
            const uint8_t *at = u.program.at;
            sequence_result out;
            if (!run_sequence(&u, &u.program, UINT64_MAX, &out)) break;
            if (!out.ordered || out.low == 0 || out.low == out.high || u.program.at - at > TS_DW_MAX_BYTES) continue;
            if (d->sequences.len == MAX_SEQUENCES) return;
            sequence s = {.low = (uint32_t)out.low,
                          .high = (uint32_t)out.high,
                          .unit = (uint32_t)(start - d->in.line.at),
                          .at = (uint32_t)(at - d->in.line.at),
                          .len = (uint32_t)(u.program.at - at)};
            if (!ts_vec_push(&d->sequences, s)) return; /* no memory: keep what has been found */
        }
    }
}

static void dwarf_free(ts_dwarf *d) {
    if (d) ts_vec_free(&d->sequences);
    if (d) ts_vec_free(&d->functions);
    free(d);
}

/* Returns the module's index, which the first caller makes. */
static const ts_dwarf *get_index(ts_module *m) {
    ts_dwarf **slot = &m->dwarf, *d = __atomic_load_n(slot, __ATOMIC_ACQUIRE), *before = NULL;
    ts_dw_sections found = {.line = {0}};
    if (d || !find_sections(m, &found)) return d;
    d = calloc(1, sizeof *d);
    if (!d) return NULL;
    d->in = found;
    find_sequences(d);
    ts_dw_info_index(&d->in, &d->functions);
    if (__atomic_compare_exchange_n(slot, &before, d, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) return d;
    dwarf_free(d); /* another thread has made one */
    return before;
}

void ts_dwarf_free(ts_module *m) {
    dwarf_free(m->dwarf);
    m->dwarf = NULL;
}

/* --- queries -------------------------------------------------------------------------------------------- */

/* Writes the name of a file that has this number in the line program at offset `at` of .debug_line. */
static bool put_file(const ts_dwarf *d, uint64_t at, uint32_t file, char *buf, size_t size) {
    ts_reader r = ts_dw_reader(d->in.line), in;
    bool wide;
    unit u;
    ts_dw_bytes dir = {0}, name = {0};
    if (!ts_dw_skip(&r, at) || !ts_dw_next_unit(&r, &wide, &in) || !read_header(in, wide, &u) ||
        ts_reader_left(&u.tables) > TS_DW_MAX_BYTES ||
        !(u.version == 5 ? find_file_v5(d, &u, file, &dir, &name) : find_file_v4(&u, file, &dir, &name)) ||
        name.len == 0)
        return false;
    put_path(dir, name, buf, size);
    return true;
}

/* Finds the source line of the instruction at this address. */
static bool find_line(const ts_dwarf *d, uint32_t want, char *file, size_t size, uint32_t *line, uint32_t *column) {
    const sequence *s = NULL;
    for (uint32_t i = 0; i < d->sequences.len && !s; i++)
        if (d->sequences.data[i].low <= want && want < d->sequences.data[i].high) s = &d->sequences.data[i];
    if (!s) return false;
    ts_reader r = ts_dw_reader(d->in.line), in;
    bool wide;
    unit u;
    sequence_result out;
    if (!ts_dw_skip(&r, s->unit) || !ts_dw_next_unit(&r, &wide, &in) || !read_header(in, wide, &u)) return false;
    r = ts_dw_reader((ts_dw_bytes){.at = d->in.line.at + s->at, .len = s->len});
    /* line 0 means that the instruction has no source line */
    if (!run_sequence(&u, &r, want, &out) || !out.found || out.row.line == 0 ||
        !put_file(d, s->unit, out.row.file, file, size))
        return false;
    *line = out.row.line;
    *column = out.row.column;
    return true;
}

static bool address_of(const ts_module *m, uint64_t module_offset, uint32_t *out) {
    uint64_t code = (uint64_t)(m->code_section - m->bytes);
    if (module_offset < code || module_offset - code >= m->code_section_len) return false;
    *out = (uint32_t)(module_offset - code);
    return true;
}

bool ts_dwarf_line(ts_module *m, uint64_t module_offset, char *file, size_t size, uint32_t *line, uint32_t *column) {
    const ts_dwarf *d = get_index(m);
    uint32_t at = 0;
    return d && size != 0 && address_of(m, module_offset, &at) && find_line(d, at, file, size, line, column);
}

/* Writes the name of a function. Its end is cut off if it is too long. */
static void put_name(ts_dw_bytes name, char *buf, size_t size) {
    if (name.len && ts_demangle_rust((const char *)name.at, name.len, buf, size)) return;
    uint32_t n = name.len < size - 1 ? name.len : (uint32_t)size - 1;
    while (n < name.len && n > 0 && (name.at[n] & 0xc0) == 0x80) n--;
    put_path((ts_dw_bytes){0}, (ts_dw_bytes){.at = name.at, .len = n}, buf, size);
}

uint32_t ts_dwarf_unfold(ts_module *m, ts_frame *frames, uint32_t max) {
    const ts_dwarf *d = get_index(m);
    uint32_t at = 0;
    if (max == 0 || !d || !address_of(m, frames->offset, &at)) return 1;
    ts_frame f = *frames, own = *frames;
    ts_dw_place *place = d->functions.len ? malloc(sizeof *place) : NULL;
    uint32_t n = 0;
    if (!find_line(d, at, f.file, sizeof f.file, &f.line, &f.column)) f.line = f.column = 0;
    if (place && ts_dw_info_find(&d->in, &d->functions, at, place)) {
        for (uint32_t k = place->n_calls; k-- > 0;) { /* the last one is the innermost */
            const ts_dw_call *c = &place->calls[k];
            f.inlined = true;
            put_name(c->name, f.function, sizeof f.function);
            if (n < max) frames[n] = f;
            n++;
            f.line = place->has_line && put_file(d, place->line, c->file, f.file, sizeof f.file) ? c->line : 0;
            f.column = f.line ? c->column : 0;
            if (!f.line) f.file[0] = 0;
        }
        f.inlined = false;
        memcpy(f.function, own.function, sizeof f.function);
        if (!f.function[0]) put_name(place->function, f.function, sizeof f.function);
    }
    if (n < max) frames[n] = f;
    free(place);
    return n + 1;
}
