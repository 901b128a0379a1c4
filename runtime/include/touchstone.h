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

/* --- values ------------------------------------------------------------------------------------------------------------
 * A component value. Its type is known from elsewhere (ts_ctype): a value has no tag. What it points to belongs to a pool, to the
 * caller, or during a callback to the guest (arguments are valid until the callback returns). */
typedef struct ts_val ts_val;
struct ts_resource;
struct ts_val {
    union {
        bool b;
        int8_t s8; uint8_t u8; int16_t s16; uint16_t u16; int32_t s32; uint32_t u32; int64_t s64; uint64_t u64;
        float f32; double f64;
        uint32_t ch;
        struct { const char *ptr; size_t len; } str;       /* UTF-8 whatever the guest's encoding */
        struct { const void *ptr; size_t len; } raw;       /* list<u8>, <s8>, <u16> … <f64>: `len` elements, packed, native endian */
        struct { const ts_val *ptr; size_t len; } list;    /* list of anything else; record; tuple (len = n) */
        struct { const ts_val *payload; uint32_t disc; } variant; /* variant, enum, option (0 none, 1 some), result (0 ok, 1 error) */
        struct { const uint32_t *words; uint32_t bits; } flags;   /* up to 32 flags in bits (words NULL) */
        struct { uint64_t rep; struct ts_resource *rt; } handle;  /* own, borrow */
    };
};

typedef struct ts_engine ts_engine;       /* shared by all that follows; outlives it */
typedef struct ts_component ts_component; /* decoded and validated */
typedef struct ts_linker ts_linker;       /* what imports are bound to */
typedef struct ts_cstore ts_cstore;       /* the state of running instances; traps stay within instances */
typedef struct ts_cinstance ts_cinstance; /* a component instance; ends with its store */
typedef struct ts_cfunc ts_cfunc;         /* a function that a component instance exports; ends with its store */
typedef struct ts_ctype ts_ctype;         /* a component-level type; lives as long as what it was got from */
typedef struct ts_pool ts_pool;           /* memory for values */
typedef struct ts_host_call ts_host_call; /* a running call of a callback */

TS_API ts_status ts_engine_new(TS_OWN ts_engine **out, ts_error *e) TS_MUST_USE;
TS_API void ts_engine_free(ts_engine *engine);

TS_API TS_OWN ts_pool *ts_pool_new(void); /* NULL: no memory */
TS_API void *ts_pool_alloc(ts_pool *p, size_t size); /* zeroed; NULL: no memory */
TS_API void ts_pool_free(ts_pool *p);

/* --- components --- */
TS_API ts_status ts_component_load(ts_engine *engine, const void *bytes, size_t len, TS_OWN ts_component **out, ts_error *e) TS_MUST_USE; /* copies */
TS_API void ts_component_free(ts_component *c); /* instances keep what they need */
TS_API uint32_t ts_component_import_count(const ts_component *c);
TS_API const char *ts_component_import_name(const ts_component *c, uint32_t i); /* NULL: there is none */
TS_API uint32_t ts_component_export_count(const ts_component *c);
TS_API const char *ts_component_export_name(const ts_component *c, uint32_t i);

/* --- the linker: host functions and resources ---
 * interface: "my:host/log@1.0.0" (links compatible versions), a plain name, or "" for what is imported by itself.
 * type: WIT, with types written out: "func(text: string, level: enum { low, high }) -> result<u32, string>"; of resources of the
 * same interface: own<NAME>, borrow<NAME>. Methods are functions called "[method]NAME.f" with `self: borrow<NAME>` first. */
typedef ts_status (*ts_callback)(ts_host_call *c, void *data, const ts_val *args, ts_val *result);
typedef ts_status (*ts_drop_callback)(ts_host_call *c, void *data, uint64_t rep);
TS_API ts_status ts_linker_new(TS_OWN ts_linker **out, ts_error *e) TS_MUST_USE;
TS_API void ts_linker_free(ts_linker *l); /* after the stores that used it */
TS_API ts_status ts_linker_define_resource(ts_linker *l, const char *interface, const char *name, ts_drop_callback drop, void *data, ts_error *e) TS_MUST_USE;
TS_API ts_status ts_linker_define_func(ts_linker *l, const char *interface, const char *name, const char *type, ts_callback fn, void *data, ts_error *e) TS_MUST_USE;
TS_API void *ts_callback_alloc(ts_host_call *c, size_t size); /* for results: zeroed, gone after the call; NULL: no memory */
TS_API ts_status ts_callback_trap(ts_host_call *c, const char *fmt, ...) TS_PRINTF(2, 3); /* return what it returns */
TS_API ts_status ts_callback_exit(ts_host_call *c, int status); /* the same: ends the guest with TS_EXIT */

/* --- running --- */
typedef struct ts_run_limits { uint64_t memory_bytes, stack_bytes, fuel; } ts_run_limits; /* 0: the default */
TS_API ts_status ts_cstore_new(ts_engine *engine, const ts_run_limits *limits /* or NULL */, TS_OWN ts_cstore **out, ts_error *e) TS_MUST_USE;
TS_API void ts_cstore_free(ts_cstore *s); /* drops what guests hold of the host */
TS_API ts_status ts_component_instantiate(ts_cstore *s, ts_linker *l, ts_component *c, ts_cinstance **out, ts_error *e) TS_MUST_USE;
/* interface NULL: a function that is exported by itself. NULL: there is none. */
TS_API ts_cfunc *ts_cinstance_func(ts_cinstance *i, const char *interface, const char *name);
/* args: as many as the function has parameters; result: NULL when it has none; what it points to goes to the pool. */
TS_API ts_status ts_cfunc_invoke(ts_cstore *s, ts_cfunc *f, const ts_val *args, ts_val *result, ts_pool *pool, ts_error *e) TS_MUST_USE;
/* The same in WAVE notation: "add(1, 2)" → "3" in the pool. The name may be "interface#function". */
TS_API ts_status ts_cinstance_invoke_text(ts_cstore *s, ts_cinstance *i, const char *call, ts_pool *pool, const char **result, ts_error *e) TS_MUST_USE;
TS_API ts_status ts_handle_drop(ts_cstore *s, const ts_val *own, ts_error *e) TS_MUST_USE; /* an own<…> that a call has returned */

/* --- types --- */
TS_API uint32_t ts_cfunc_param_count(const ts_cfunc *f);
TS_API const char *ts_cfunc_param_name(const ts_cfunc *f, uint32_t i);
TS_API const ts_ctype *ts_cfunc_param_type(const ts_cfunc *f, uint32_t i);
TS_API const ts_ctype *ts_cfunc_result_type(const ts_cfunc *f); /* NULL: none */
TS_API const char *ts_ctype_kind(const ts_ctype *t);             /* "u32", "list", "record" … */
TS_API uint32_t ts_ctype_count(const ts_ctype *t);               /* fields, cases, flags, elements of a tuple */
TS_API const char *ts_ctype_name(const ts_ctype *t, uint32_t i); /* of them; NULL: none */
TS_API const ts_ctype *ts_ctype_type(const ts_ctype *t, uint32_t i); /* of them; of list and option 0 is the element; of result 0 ok, 1 error; NULL: none */
TS_API size_t ts_val_print(const ts_ctype *t, const ts_val *v, char *buf, size_t size); /* WAVE; returns as snprintf does */
TS_API ts_status ts_val_parse(const ts_ctype *t, const char *text, ts_pool *pool, ts_val *v, ts_error *e) TS_MUST_USE;

#ifdef __cplusplus
}
#endif
#endif
