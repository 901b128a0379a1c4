/* touchstone.h: the one public header of libtouchstone, a runtime for WebAssembly components and WASI 0.2.
 * In: bytes of a component, grants, host functions. Out: instances, calls with typed values, outcomes.
 * Sources: component-model Binary.md, CanonicalABI.md, Explainer.md; WebAssembly core specification 3.0.
 *
 * Ownership: a pointer returned through a TS_OWN parameter or as a TS_OWN result belongs to the caller, who ends it with the
 * function of the same type that is called `…_free`. All other pointers are borrowed for as long as what they came from lives.
 * Threads: an engine may be shared by threads; everything else belongs to one thread at a time. There is no global state. */
#ifndef TOUCHSTONE_H
#define TOUCHSTONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TS_OWN
#if defined(__GNUC__)
#define TS_MUST_USE __attribute__((warn_unused_result))
#define TS_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define TS_API __attribute__((visibility("default")))
#else
#define TS_MUST_USE
#define TS_PRINTF(f, a)
#define TS_API
#endif

/* What became of a step. Every status but TS_OK comes with a filled `ts_error`. */
typedef enum ts_status {
    TS_OK = 0,
    TS_MALFORMED,   /* the bytes are not in the binary format */
    TS_INVALID,     /* decoded, but a validation rule is broken */
    TS_UNLINKABLE,  /* an import is missing or of another type */
    TS_TRAP,        /* the guest trapped */
    TS_EXHAUSTION,  /* the guest's call stack is exhausted (a trap, told apart as the official scripts do) */
    TS_EXCEPTION,   /* a core exception left the outermost call */
    TS_EXIT,        /* the guest asked to exit: see ts_error.exit_status */
    TS_LIMIT,       /* a limit that the embedder set was reached */
    TS_INTERRUPTED, /* another thread asked to stop */
    TS_UNSUPPORTED, /* specified, and not implemented here */
    TS_NOMEM,       /* the host has no memory left */
    TS_IO,          /* a file of the host could not be read or written */
    TS_USAGE,       /* the embedder broke a rule of this header */
} ts_status;

typedef enum ts_trap_kind {
    TS_TRAP_NONE = 0,
    TS_TRAP_UNREACHABLE,
    TS_TRAP_MEMORY_OOB,
    TS_TRAP_TABLE_OOB,
    TS_TRAP_ARRAY_OOB,
    TS_TRAP_INT_OVERFLOW,
    TS_TRAP_INT_DIV_ZERO,
    TS_TRAP_BAD_CONVERSION,
    TS_TRAP_INDIRECT_TYPE,
    TS_TRAP_UNINIT_ELEM,
    TS_TRAP_UNDEFINED_ELEM,
    TS_TRAP_STACK,
    TS_TRAP_NULL_REF,
    TS_TRAP_CAST,
    TS_TRAP_EXCEPTION,
    TS_TRAP_CABI,          /* a trap of the canonical ABI */
    TS_TRAP_HOST,          /* raised by a host function */
    TS_TRAP_UNIMPLEMENTED, /* an import that nothing provides was called */
    TS_TRAP_ALLOC,         /* GC heap or table could not grow where the text says trap */
    TS_TRAP_COUNT
} ts_trap_kind;

/* One wasm frame of a backtrace, innermost first. Strings belong to the error. */
typedef struct ts_frame {
    char module[64];    /* name of the core module, or "" */
    char function[192]; /* from the name section, or "" */
    uint32_t func_index;
    uint64_t offset; /* of the instruction, in bytes from the start of the core module; 0 where unknown */
} ts_frame;

#define TS_MAX_FRAMES 64

/* The report of a failure. The caller owns it (usually on its stack); the first error wins: a filled error is not overwritten. */
typedef struct ts_error {
    ts_status status;
    ts_trap_kind trap;
    bool has_offset;
    uint64_t offset;   /* byte offset in the input, for malformed and invalid */
    char section[40];  /* the section of the input, or "" */
    int exit_status;   /* for TS_EXIT */
    char message[512]; /* one sentence, no newline */
    uint32_t n_frames; /* at most TS_MAX_FRAMES are kept; frames_total counts all */
    uint32_t frames_total;
    ts_frame frames[TS_MAX_FRAMES];
} ts_error;

TS_API const char *ts_status_name(ts_status s);        /* "malformed", "trap", … */
TS_API const char *ts_trap_kind_name(ts_trap_kind k);  /* "out-of-bounds-memory", … */
TS_API void ts_error_init(ts_error *e);
TS_API const char *ts_version(void);

#ifdef __cplusplus
}
#endif
#endif
