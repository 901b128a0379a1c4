/* error: filling the caller's ts_error; the first error wins.
 * In: a status and a printf message. Out: the same status. */
#include "base/error.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT(x) #x
#define VERSION_TEXT(major, minor, patch) TEXT(major) "." TEXT(minor) "." TEXT(patch)
const char *ts_version(void) {
    return VERSION_TEXT(TOUCHSTONE_VERSION_MAJOR, TOUCHSTONE_VERSION_MINOR, TOUCHSTONE_VERSION_PATCH);
}

/* Deep call chains hold errors on the stack. */
_Static_assert(sizeof(ts_error) <= 700, "ts_error is small");

void ts_error_clear(ts_error *e) {
    if (!e) return;
    e->status = TS_OK;
    e->trap = TS_TRAP_NONE;
    e->limit = TS_LIMIT_NONE;
    e->has_offset = false;
    e->offset = 0;
    e->section[0] = 0;
    e->exit_status = 0;
    e->message[0] = 0;
    e->n_frames = 0;
    e->frames_total = 0;
}

void ts_error_init_frames(ts_error *e, ts_frame *frames, uint32_t n) {
    if (!e) return;
    e->frames = frames;
    e->max_frames = frames ? n : 0;
    ts_error_clear(e);
}

void ts_error_init(ts_error *e) {
    ts_error_init_frames(e, NULL, 0);
}

ts_error *ts_error_new(void) {
    struct {
        ts_error e;
        ts_frame frames[TS_MAX_FRAMES];
    } *both = malloc(sizeof *both);
    if (!both) return NULL;
    ts_error_init_frames(&both->e, both->frames, TS_MAX_FRAMES);
    return &both->e;
}

void ts_error_free(ts_error *e) {
    free(e);
}

void ts_error_copy(ts_error *to, const ts_error *from) {
    if (!to || !from || to == from) return;
    uint32_t n = from->n_frames < to->max_frames ? from->n_frames : to->max_frames, max = to->max_frames;
    ts_frame *frames = to->frames;
    *to = *from;
    to->frames = frames;
    to->max_frames = max;
    to->n_frames = n;
    if (n && frames != from->frames) memcpy(frames, from->frames, n * sizeof *frames);
}

static void fill(ts_error *e, ts_status s, const char *fmt, va_list ap) {
    ts_error_clear(e);
    e->status = s;
    vsnprintf(e->message, sizeof e->message, fmt, ap);
}

ts_status ts_fail(ts_error *e, ts_status s, const char *fmt, ...) {
    if (e && e->status == TS_OK) {
        va_list ap;
        va_start(ap, fmt);
        fill(e, s, fmt, ap);
        va_end(ap);
    }
    return s;
}

ts_status ts_fail_at(ts_error *e, ts_status s, uint64_t offset, const char *section, const char *fmt, ...) {
    if (e && e->status == TS_OK) {
        va_list ap;
        va_start(ap, fmt);
        fill(e, s, fmt, ap);
        va_end(ap);
        e->has_offset = true;
        e->offset = offset;
        if (section) snprintf(e->section, sizeof e->section, "%s", section);
    }
    return s;
}

ts_status ts_fail_trap(ts_error *e, ts_trap_kind k, const char *fmt, ...) {
    ts_status s = k == TS_TRAP_STACK ? TS_EXHAUSTION : TS_TRAP;
    if (e && e->status == TS_OK) {
        va_list ap;
        va_start(ap, fmt);
        fill(e, s, fmt, ap);
        va_end(ap);
        e->trap = k;
    }
    return s;
}

ts_status ts_fail_limit(ts_error *e, ts_limit_kind limit, ts_trap_kind k, const char *fmt, ...) {
    ts_status s = k == TS_TRAP_NONE ? TS_LIMIT : k == TS_TRAP_STACK ? TS_EXHAUSTION : TS_TRAP;
    if (e && e->status == TS_OK) {
        va_list ap;
        va_start(ap, fmt);
        fill(e, s, fmt, ap);
        va_end(ap);
        e->trap = k;
        e->limit = limit;
    }
    return s;
}

const char *ts_size_text(uint64_t bytes, char buf[TS_SIZE_TEXT]) {
    static const char *const units[] = {"GiB", "MiB", "KiB"};
    for (unsigned i = 0; i < 3; i++) {
        unsigned shift = 30 - 10 * i;
        if (bytes == 0 || bytes & ((1ull << shift) - 1)) continue;
        snprintf(buf, TS_SIZE_TEXT, "%llu %s", (unsigned long long)(bytes >> shift), units[i]);
        return buf;
    }
    snprintf(buf, TS_SIZE_TEXT, "%llu byte%s", (unsigned long long)bytes, bytes == 1 ? "" : "s");
    return buf;
}

const char *ts_time_text(uint64_t ns, char buf[TS_SIZE_TEXT]) {
    static const struct {
        const char *name;
        uint64_t ns;
    } units[] = {{"s", 1000000000}, {"ms", 1000000}, {"us", 1000}, {"ns", 1}};
    unsigned i = 0;
    while (ns % units[i].ns) i++;
    snprintf(buf, TS_SIZE_TEXT, "%llu %s", (unsigned long long)(ns / units[i].ns), units[i].name);
    return buf;
}

ts_status ts_error_locate(ts_error *e, ts_status s, uint64_t offset, const char *section) {
    if (e && e->status == s && !e->has_offset) {
        e->has_offset = true;
        e->offset = offset;
        snprintf(e->section, sizeof e->section, "%s", section ? section : "");
    }
    return s;
}

ts_status ts_fail_nomem(ts_error *e) {
    return ts_fail(e, TS_NOMEM, "out of memory");
}

const char *ts_status_name(ts_status s) {
    switch (s) {
    case TS_OK: return "ok";
    case TS_MALFORMED: return "malformed";
    case TS_INVALID: return "invalid";
    case TS_UNLINKABLE: return "link-error";
    case TS_TRAP: return "trap";
    case TS_EXHAUSTION: return "exhaustion";
    case TS_EXCEPTION: return "exception";
    case TS_EXIT: return "exited";
    case TS_LIMIT: return "limit";
    case TS_INTERRUPTED: return "interrupted";
    case TS_UNSUPPORTED: return "unsupported";
    case TS_NOMEM: return "out-of-memory";
    case TS_IO: return "io-error";
    case TS_USAGE: return "usage";
    }
    return "unknown";
}

const char *ts_trap_kind_name(ts_trap_kind k) {
    static const char *const names[TS_TRAP_COUNT] = {
        [TS_TRAP_NONE] = "none",
        [TS_TRAP_UNREACHABLE] = "unreachable",
        [TS_TRAP_MEMORY_OOB] = "out-of-bounds-memory",
        [TS_TRAP_TABLE_OOB] = "out-of-bounds-table",
        [TS_TRAP_ARRAY_OOB] = "out-of-bounds-array",
        [TS_TRAP_INT_OVERFLOW] = "integer-overflow",
        [TS_TRAP_INT_DIV_ZERO] = "integer-divide-by-zero",
        [TS_TRAP_BAD_CONVERSION] = "invalid-conversion-to-integer",
        [TS_TRAP_INDIRECT_TYPE] = "indirect-call-type-mismatch",
        [TS_TRAP_UNINIT_ELEM] = "uninitialized-element",
        [TS_TRAP_UNDEFINED_ELEM] = "undefined-element",
        [TS_TRAP_STACK] = "call-stack-exhausted",
        [TS_TRAP_NULL_REF] = "null-reference",
        [TS_TRAP_CAST] = "cast-failure",
        [TS_TRAP_EXCEPTION] = "uncaught-exception",
        [TS_TRAP_CABI] = "canonical-abi",
        [TS_TRAP_HOST] = "host",
        [TS_TRAP_UNIMPLEMENTED] = "unimplemented-import",
        [TS_TRAP_ALLOC] = "allocation-failed",
    };
    return k < TS_TRAP_COUNT && names[k] ? names[k] : "unknown";
}
