/* describe: see describe.h */
#include "wasi/preview1/describe.h"
#include <string.h>

/* --- types ---------------------------------------------------------------------------------------------- */
#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof *(array)))
#define N(text) {.name = (text)}
#define NAMED(x, text) N(text),
#define ENUM(id, ...)                                                                                                  \
    static const ts_ct_case id##_cases[] = {__VA_ARGS__};                                                              \
    static const ts_ctype id = {.kind = TS_CT_ENUM, .n = COUNT(id##_cases), .cases = id##_cases}
#define FLAGS(id, ...)                                                                                                 \
    static const ts_ct_case id##_cases[] = {__VA_ARGS__};                                                              \
    static const ts_ctype id = {.kind = TS_CT_FLAGS, .n = COUNT(id##_cases), .cases = id##_cases}
#define RECORD(id, ...)                                                                                                \
    static const ts_ct_case id##_cases[] = {__VA_ARGS__};                                                              \
    static const ts_ctype id = {.kind = TS_CT_RECORD, .n = COUNT(id##_cases), .cases = id##_cases}
#define SIGNAL(text, action) N(text),

static const ts_ctype u8 = {.kind = TS_CT_U8, .size = 1, .align = 1};
static const ts_ctype u32 = {.kind = TS_CT_U32, .size = 4, .align = 4};
static const ts_ctype u64 = {.kind = TS_CT_U64, .size = 8, .align = 8};
static const ts_ctype s64 = {.kind = TS_CT_S64, .size = 8, .align = 8};
static const ts_ctype string = {.kind = TS_CT_STRING};
static const ts_ctype bytes = {.kind = TS_CT_LIST, .elem = &u8};
static const ts_ctype sizes = {.kind = TS_CT_LIST, .elem = &u32};
ENUM(errno_type, TS_P1_ERRNOS(NAMED));
ENUM(clockid, N("realtime"), N("monotonic"), N("process-cputime-id"), N("thread-cputime-id"));
ENUM(advice, N("normal"), N("sequential"), N("random"), N("willneed"), N("dontneed"), N("noreuse"));
ENUM(whence, N("set"), N("cur"), N("end"));
ENUM(signal_type, TS_P1_SIGNALS(SIGNAL));
ENUM(filetype, N("unknown"), N("block-device"), N("character-device"), N("directory"), N("regular-file"),
     N("socket-dgram"), N("socket-stream"), N("symbolic-link"));
FLAGS(rights, TS_P1_RIGHTS(NAMED));
FLAGS(lookupflags, N("symlink-follow"));
FLAGS(oflags, N("creat"), N("directory"), N("excl"), N("trunc"));
FLAGS(fdflags, N("append"), N("dsync"), N("nonblock"), N("rsync"), N("sync"));
FLAGS(fstflags, N("atim"), N("atim-now"), N("mtim"), N("mtim-now"));
FLAGS(riflags, N("recv-peek"), N("recv-waitall"));
FLAGS(sdflags, N("rd"), N("wr"));
RECORD(fdstat, {"fs-filetype", &filetype}, {"fs-flags", &fdflags}, {"fs-rights-base", &rights},
       {"fs-rights-inheriting", &rights});
RECORD(filestat, {"dev", &u64}, {"ino", &u64}, {"filetype", &filetype}, {"nlink", &u64}, {"size", &u64}, {"atim", &u64},
       {"mtim", &u64}, {"ctim", &u64});
static const ts_ct_case pair_cases[] = {{NULL, &u32}, {NULL, &u32}};
static const ts_ctype pair = {.kind = TS_CT_TUPLE, .n = 2, .cases = pair_cases};

#define RESULT(of) {.kind = TS_CT_RESULT, .elem = (of), .elem2 = &errno_type}
static const ts_ctype result_none = RESULT(NULL), result_u32 = RESULT(&u32), result_u64 = RESULT(&u64),
                      result_pair = RESULT(&pair), result_bytes = RESULT(&bytes), result_fdstat = RESULT(&fdstat),
                      result_filestat = RESULT(&filestat);

static const ts_ctype *type_of(char letter) {
    switch (letter) {
    case 'U': return &u64;
    case 'S': return &s64;
    case 's': return &string;
    case 'w': return &bytes;
    case 'r': return &sizes;
    case 'C': return &clockid;
    case 'A': return &advice;
    case 'W': return &whence;
    case 'G': return &signal_type;
    case 'R': return &rights;
    case 'L': return &lookupflags;
    case 'O': return &oflags;
    case 'F': return &fdflags;
    case 'T': return &fstflags;
    case 'E': return &riflags;
    case 'D': return &sdflags;
    default: return &u32;
    }
}
static bool is_pair(char letter) {
    return letter == 's' || letter == 'w' || letter == 'r' || letter == 'b';
}
static const ts_ctype *result_of(const char *r) {
    switch (*r) {
    case 0: return &result_none;
    case 'x': return NULL;
    case 'U': return &result_u64;
    case 'r':
    case 'b': return &result_bytes;
    case 'd': return &result_fdstat;
    case 't': return &result_filestat;
    default: return r[1] ? &result_pair : &result_u32;
    }
}
static const char *results_in(const char *letters) {
    return strchr(letters, ':') + 1;
}

void ts_p1_shape_of(const char *letters, ts_p1_shape *out) {
    *out = (ts_p1_shape){.returns = true};
    for (; *letters != ':'; letters++) {
        const bool wide = *letters == 'U' || *letters == 'S' || *letters == 'R';
        for (int k = 0; k <= is_pair(*letters); k++) out->core[out->n_core++] = wide ? TS_CORE_I64 : TS_CORE_I32;
        if (*letters != 'p') out->shown[out->n_shown++] = (ts_ct_case){.name = "", .type = type_of(*letters)};
    }
    out->first_result = out->n_core;
    const char *r = letters + 1;
    out->type = (ts_cfunc_type){.n_params = out->n_shown, .params = out->shown, .result = result_of(r)};
    out->returns = *r != 'x';
    for (; *r && *r != 'x'; r++) out->core[out->n_core++] = TS_CORE_I32;
}
uint32_t ts_p1_result_align(const char *letters, uint32_t i) {
    const char r = results_in(letters)[i];
    return r == 'U' || r == 'd' || r == 't' ? 8 : r == 'h' ? 2 : 4;
}

/* --- values ----------------------------------------------------------------------------------------------- */
/* The trace shows no more than the start of long lists; it counts their bytes. */
enum { SHOWN_BYTES = 64 };

/* Reads memory without a trap: NULL if it is out of bounds. */
static const uint8_t *peek(const ts_p1_call *c, uint64_t ptr, uint64_t len) {
    static const uint8_t none[1];
    if (!len) return none;
    return c->memory && ptr <= c->memory_len && len <= c->memory_len - ptr ? c->memory + ptr : NULL;
}
/* The bytes in a list of buffers, of which the first `limit` count. */
static bool shown_buffers(ts_p1_call *c, uint64_t ptr, uint64_t n, uint64_t limit, ts_val *v) {
    uint8_t *copy = ts_arena_alloc(c->host.arena, SHOWN_BYTES);
    const uint8_t *at = peek(c, ptr, n * TS_P1_IOVEC_SIZE);
    uint64_t total = 0;
    if (!copy || !at || n > TS_P1_MAX_BUFFERS) return false;
    for (uint64_t i = 0; i < n && total < limit; i++, at += TS_P1_IOVEC_SIZE) {
        uint64_t len = ts_p1_load32(at + 4);
        const uint8_t *from = peek(c, ts_p1_load32(at), len);
        if (!from) return false;
        if (len > limit - total) len = limit - total;
        if (total < SHOWN_BYTES) memcpy(copy + total, from, len < SHOWN_BYTES - total ? len : SHOWN_BYTES - total);
        total += len;
    }
    *v = (ts_val){.raw = {copy, (size_t)total}};
    return true;
}
static bool shown_sizes(ts_p1_call *c, uint64_t ptr, uint64_t n, ts_val *v) {
    const uint8_t *at = peek(c, ptr, n * TS_P1_IOVEC_SIZE);
    if (!at || n > TS_P1_MAX_BUFFERS) return false;
    uint32_t *out = ts_arena_array(c->host.arena, n ? (size_t)n : 1, sizeof *out);
    if (!out) return false;
    for (uint64_t i = 0; i < n; i++) out[i] = ts_p1_load32(at + i * TS_P1_IOVEC_SIZE + 4);
    *v = (ts_val){.raw = {out, (size_t)n}};
    return true;
}
static ts_val scalar(const ts_ctype *t, uint64_t v) {
    if (t->kind == TS_CT_ENUM) return (ts_val){.variant = {.disc = (uint32_t)v}};
    if (t->kind == TS_CT_FLAGS) return (ts_val){.flags = {.bits = (uint32_t)v}};
    return (ts_val){.u64 = v};
}
const ts_val *ts_p1_shown_args(ts_p1_call *c, const char *letters, const uint64_t *a) {
    ts_val *vals = ts_arena_array(c->host.arena, TS_P1_MAX_PARAMS, sizeof *vals), *v = vals;
    if (!vals) return NULL;
    for (; *letters != ':'; a += 1 + is_pair(*letters), letters++) {
        bool good = true;
        switch (*letters) {
        case 'p': continue;
        case 's': {
            const char *s = (const char *)peek(c, a[0], a[1]);
            good = s != NULL;
            *v = (ts_val){.str = {s, (size_t)a[1]}};
            break;
        }
        case 'w': good = shown_buffers(c, a[0], a[1], UINT64_MAX, v); break;
        case 'r': good = shown_sizes(c, a[0], a[1], v); break;
        case 'b': *v = (ts_val){.u64 = a[1]}; break;
        default: *v = scalar(type_of(*letters), a[0]);
        }
        if (!good) return NULL;
        v++;
    }
    return vals;
}

static ts_val fdstat_at(const uint8_t *at, ts_val *f) {
    f[0] = scalar(&filetype, at[0]);
    f[1] = scalar(&fdflags, at[2]);
    f[2] = scalar(&rights, ts_p1_load64(at + 8));
    f[3] = scalar(&rights, ts_p1_load64(at + 16));
    return (ts_val){.list = {f, 4}};
}
static ts_val filestat_at(const uint8_t *at, ts_val *f) {
    for (int i = 0; i < 8; i++) f[i] = (ts_val){.u64 = ts_p1_load64(at + 8 * (size_t)i)};
    f[2] = scalar(&filetype, at[16]);
    return (ts_val){.list = {f, 8}};
}
/* Finds the parameter with this letter; `results` is the pointer of the first result. */
static const uint64_t *param(const char *letters, char letter, const uint64_t *a) {
    for (; *letters != letter; a += 1 + is_pair(*letters), letters++) {
    }
    return a;
}
static bool payload(ts_p1_call *c, const char *letters, const uint64_t *a, ts_val *v) {
    const char *r = results_in(letters);
    const uint8_t *at = peek(c, c->results[0], *r == 'd' ? TS_P1_FDSTAT_SIZE : *r == 't' ? TS_P1_FILESTAT_SIZE : 4);
    if (!at) return false;
    switch (*r) {
    case 'U': *v = (ts_val){.u64 = ts_p1_load64(at)}; return true;
    case 'd': *v = fdstat_at(at, v + 1); return true;
    case 't': *v = filestat_at(at, v + 1); return true;
    case 'q': *v = (ts_val){.u64 = ts_p1_load32(at + 4)}; return true;
    case 'r': {
        const uint64_t *iovs = param(letters, 'r', a);
        return shown_buffers(c, iovs[0], iovs[1], ts_p1_load32(at), v);
    }
    case 'b': {
        const size_t n = ts_p1_load32(at);
        const uint8_t *buf = peek(c, param(letters, 'b', a)[0], n);
        *v = (ts_val){.raw = {buf, n}};
        return buf != NULL;
    }
    default:
        *v = (ts_val){.u64 = ts_p1_load32(at)};
        if (result_of(r) != &result_pair) return true;
        v[1] = *v;
        const uint8_t *second = peek(c, c->results[1], 4);
        v[2] = (ts_val){.u64 = second ? ts_p1_load32(second) : 0};
        *v = (ts_val){.list = {v + 1, 2}};
        return second != NULL;
    }
}
const ts_val *ts_p1_shown_result(ts_p1_call *c, const char *letters, const uint64_t *a) {
    enum { MOST = 1 + 1 + 8 };
    ts_val *v = ts_arena_array(c->host.arena, MOST, sizeof *v);
    if (!v) return NULL;
    v[0] = (ts_val){.variant = {.disc = c->error != TS_P1_SUCCESS, .payload = &v[1]}};
    if (c->error) {
        v[1] = scalar(&errno_type, c->error);
        return v;
    }
    return !*results_in(letters) || payload(c, letters, a, &v[1]) ? v : NULL;
}
