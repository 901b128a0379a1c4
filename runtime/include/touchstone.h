/* touchstone.h: the one public header of libtouchstone, a runtime for WebAssembly components, WASI 0.2 and
 * core modules. In: bytes of a component or a core module, host functions, limits. Out: instances, calls with
 * typed values, outcomes. Sources: component-model Binary.md, CanonicalABI.md, Explainer.md; WebAssembly core
 * specification 3.0.
 *
 * Vocabulary. ts_NOUN_new makes an object and ts_NOUN_free ends it. ts_NOUN_load makes one from bytes,
 * ts_NOUN_instantiate makes an instance of one, and ts_NOUN_call calls a function. ts_NOUN_set_… replaces a
 * setting; ts_NOUN_add_… and ts_linker_define_… add something. ts_wasi_allow_… and ts_wasi_deny_… are grants,
 * and ts_wasi_limit_… limits. A program that defines TOUCHSTONE_OLD_NAMES before it includes this header can
 * use the names of version 0.1.
 *
 * Ownership. A pointer returned through a TS_OWN parameter or as a TS_OWN result belongs to the caller, who
 * ends it with the function ts_NOUN_free of its type. All other pointers are borrowed for as long as the
 * object lives that they were taken from.
 *
 * Threads. Engines, components, core modules and grants (ts_wasi_grants) may be shared: any number of threads
 * may load in one engine, and instantiate one component or module, at the same time. A linker may be shared
 * while no thread changes it, if it has no trace and no WASI context. Everything else (stores with their
 * instances, WASI contexts, pools, errors, policies) belongs to one thread at a time; only the functions
 * …_interrupt may be called from other threads. A shared object may be freed when no other thread uses the
 * same pointer any more. There is no global state except the signal handler of ts_fault_set_enabled.
 *
 * Mistakes of the caller. TS_USAGE, with a message, is returned for a pointer that is NULL where one is
 * needed, for objects of another store or engine, and for values of another type. A function without a status
 * returns NULL, 0 or false, or does nothing. Engines, linkers, modules and components may be freed before the
 * objects that were made from them: those keep what they need. Not detected: the use of a store (or of its
 * instances and functions), a pool or a WASI context after its end, and anything that is freed twice.
 *
 * Stack. A call needs 64 KiB of the stack of its thread, guests and callbacks included, and most of that is
 * left for a callback. Recursion whose depth the input decides needs as much again at each level. A thread of
 * 96 KiB runs guests; one of 256 KiB allows 50 nested calls through the host, and types of any allowed
 * nesting. If less stack is left, the status is TS_LIMIT, or TS_EXHAUSTION for guests that call deeper and
 * deeper. A thread that runs on another stack than its own (fibers) reports it with ts_thread_set_stack;
 * otherwise only ts_run_limits.depth bounds the depth of calls there. */
#ifndef TOUCHSTONE_H
#define TOUCHSTONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__cplusplus) && defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wnested-anon-types" /* C11 has them, and every C++ compiler */
#pragma clang diagnostic ignored "-Wgnu-anonymous-struct"
#endif

/* The version of this header; ts_version() reports the library's. Releases: CHANGELOG.md. */
#define TOUCHSTONE_VERSION_MAJOR 0
#define TOUCHSTONE_VERSION_MINOR 2
#define TOUCHSTONE_VERSION_PATCH 0

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

/* The result of a step. Every status except TS_OK comes with a filled `ts_error`. */
typedef enum ts_status {
    TS_OK = 0,
    TS_MALFORMED,   /* the bytes are not in the binary format */
    TS_INVALID,     /* decoded, but a validation rule is broken */
    TS_UNLINKABLE,  /* an import is missing or of another type */
    TS_TRAP,        /* the guest trapped */
    TS_EXHAUSTION,  /* the guest's call stack is exhausted; a trap with its own status */
    TS_EXCEPTION,   /* a core exception left the outermost call */
    TS_EXIT,        /* the guest asked to exit: see ts_error.exit_status */
    TS_LIMIT,       /* a limit that the embedder set was reached */
    TS_INTERRUPTED, /* another thread asked to stop */
    TS_UNSUPPORTED, /* specified, but not implemented here */
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
    TS_TRAP_ALLOC,         /* the GC heap or a table could not grow where the specification says trap */
    TS_TRAP_COUNT
} ts_trap_kind;

/* The limit of ts_run_limits or ts_wasi_limit_… that a failure is about. */
typedef enum ts_limit_kind {
    TS_LIMIT_NONE = 0,
    TS_LIMIT_MEMORY,
    TS_LIMIT_TABLE, /* elements of a table, handles of a component instance */
    TS_LIMIT_STACK,
    TS_LIMIT_DEPTH,
    TS_LIMIT_GC,
    TS_LIMIT_FUEL,
    TS_LIMIT_TIME, /* the embedder's own, kept by an interruption */
    TS_LIMIT_INSTANCES,
    TS_LIMIT_OBJECTS,
    TS_LIMIT_FILES,
    TS_LIMIT_RANDOM,
    TS_LIMIT_HTTP_FIELDS,
    TS_LIMIT_COUNT
} ts_limit_kind;

/* One wasm frame of a backtrace, innermost first. */
typedef struct ts_frame {
    char module[64];    /* name of the core module, or "" */
    char function[192]; /* from the name section, or "" */
    uint32_t func_index;
    uint64_t offset;       /* of the instruction, in bytes from the start of the core module; 0: unknown */
    char file[96];         /* the source file, if the module contains DWARF, or "" */
    uint32_t line, column; /* 0: unknown */
    bool inlined;          /* inlined into the next frame, whose func_index and offset these are */
} ts_frame;

#define TS_MAX_FRAMES 64

/* The report of a failure. The caller owns it (usually on its stack), and the first error is kept: a filled
 * error is not overwritten. Every `ts_error *` parameter may be NULL; then only the status is reported. An
 * error takes at most 700 bytes and has no room for a backtrace of its own: the caller gives it room with
 * ts_error_init_frames, or makes an error with room with ts_error_new. Copy an error with ts_error_copy;
 * after an assignment, both would use the same room. */
typedef struct ts_error {
    ts_status status;
    ts_trap_kind trap;
    ts_limit_kind limit; /* TS_LIMIT_NONE: the failure is not about a limit */
    bool has_offset;
    uint64_t offset;   /* byte offset in the input, for malformed and invalid */
    char section[40];  /* the section of the input, or "" */
    int exit_status;   /* for TS_EXIT */
    char message[512]; /* one sentence, no newline */
    uint32_t n_frames; /* the frames that were kept, at most max_frames; frames_total counts all of them */
    uint32_t frames_total;
    uint32_t max_frames; /* the room for frames; 0: none */
    ts_frame *frames;    /* the caller's, or NULL */
} ts_error;

TS_API const char *ts_status_name(ts_status s);       /* "malformed", "trap", … */
TS_API const char *ts_trap_kind_name(ts_trap_kind k); /* "out-of-bounds-memory", … */
TS_API void ts_error_init(ts_error *e);               /* no failure, no room for frames */
/* The same with room for a backtrace of `n` frames, which must live as long as the error is used. */
TS_API void ts_error_init_frames(ts_error *e, ts_frame *frames, uint32_t n);
TS_API TS_OWN ts_error *ts_error_new(void); /* with room for TS_MAX_FRAMES frames; NULL: no memory */
TS_API void ts_error_free(ts_error *e);     /* of ts_error_new */
TS_API void ts_error_clear(ts_error *e);    /* for another use; the room for frames stays */
TS_API void ts_error_copy(ts_error *to,
                          const ts_error *from); /* `to` keeps its own room and gets as many frames as fit */
TS_API const char *ts_version(void);             /* "0.2.0" */

/* --- values ---
 * A component value. It has no tag: its type is known from elsewhere (ts_ctype). The memory that it points to
 * belongs to a pool or to the caller. The arguments of a callback belong to the guest and are valid until it
 * returns. */
typedef struct ts_val ts_val;
struct ts_resource;
struct ts_val {
    union {
        bool b;
        int8_t s8;
        uint8_t u8;
        int16_t s16;
        uint16_t u16;
        int32_t s32;
        uint32_t u32;
        int64_t s64;
        uint64_t u64;
        float f32;
        double f64;
        uint32_t ch;
        struct {
            const char *ptr;
            size_t len;
        } str; /* UTF-8, whatever the guest's encoding */
        struct {
            const void *ptr;
            size_t len;
        } raw; /* list<u8>, <s8>, <u16> … <f64>: `len` elements, packed, native endian */
        struct {
            const ts_val *ptr;
            size_t len;
        } list; /* a list of any other type; a record or tuple (len is the number of its fields) */
        struct {
            const ts_val *payload;
            uint32_t disc;
        } variant; /* variant, enum, option (0 none, 1 some), result (0 ok, 1 error) */
        struct {
            const uint32_t *words;
            uint32_t bits;
        } flags; /* up to 32 flags in bits (words NULL) */
        struct {
            uint64_t rep;
            struct ts_resource *rt;
        } handle; /* own, borrow */
    };
};

typedef struct ts_engine ts_engine;       /* shared by all of the following */
typedef struct ts_component ts_component; /* decoded and validated */
typedef struct ts_linker ts_linker;       /* what imports are bound to */
typedef struct ts_cstore ts_cstore;       /* the state of running instances; traps stay within instances */
typedef struct ts_cinstance ts_cinstance; /* a component instance; ends with its store */
typedef struct ts_cfunc ts_cfunc;         /* a function that a component instance exports; ends with its store */
typedef struct ts_ctype ts_ctype;         /* a type; lives as long as the object that it was taken from */
typedef struct ts_pool ts_pool;           /* memory for values */
typedef struct ts_host_call ts_host_call; /* a running call of a callback */

/* The stack that the calling thread runs on, where it is not the one that the system gave to the thread: its
 * lowest address and its size in bytes. (NULL, 0): the thread's own stack again. */
TS_API void ts_thread_set_stack(const void *low, size_t size);

TS_API ts_status ts_engine_new(TS_OWN ts_engine **out, ts_error *e) TS_MUST_USE;
TS_API void ts_engine_free(ts_engine *engine);
/* How functions run. */
typedef enum ts_tier {
    TS_TIER_DEFAULT,          /* TS_TIER_COMPILED */
    TS_TIER_INTERPRETED,      /* no machine code is made, and no page of the process becomes executable */
    TS_TIER_COMPILED,         /* functions start interpreted, and get machine code when they have become hot */
    TS_TIER_COMPILED_AT_ONCE, /* they get it on their first call (for tests) */
    TS_TIER_COMPILED_MIXED,   /* after a few calls or iterations, of another number in each place (for tests) */
} ts_tier;
/* Choose the tier, before the engine has a module. Machine code exists for x86-64 and aarch64, in builds by clang 19 or
 * later. Elsewhere, and where the system refuses executable memory, functions are interpreted. */
TS_API void ts_engine_set_tier(ts_engine *engine, ts_tier tier);
/* Returns whether name is interpreter, compiled, compiled-at-once or compiled-mixed. Then *out is that tier. */
TS_API bool ts_tier_named(const char *name, ts_tier *out);
/* Limit the machine code of all modules of the engine to so many bytes [256 MiB]. A function that does not fit is
 * interpreted. */
TS_API void ts_engine_set_max_code(ts_engine *engine, uint64_t bytes);
/* Tell Linux perf the names of functions that get machine code, in /tmp/perf-PID.map, which stays when the process
 * ends. Call it before the engine has a module, for one engine of a process. TS_IO: the file cannot be written. */
TS_API ts_status ts_engine_set_perf_map(ts_engine *engine, ts_error *e) TS_MUST_USE;
/* Tell gdb and lldb the symbols of functions that get machine code, by the JIT interface of gdb
 * (__jit_debug_register_code). Call it before the engine has a module. */
TS_API ts_status ts_engine_set_gdb_jit(ts_engine *engine, ts_error *e) TS_MUST_USE;
/* Sample which functions guests of this engine run, once in every period_ns of CPU time of each thread [0: 1 ms], and
 * write a file that the Firefox profiler and speedscope open. The library installs a handler for SIGPROF. Call it
 * before the engine has a module, for one engine of a process at a time. TS_IO: the file cannot be written.
 * TS_UNSUPPORTED: the system or the processor is not among those where stacks can be sampled. */
TS_API ts_status ts_engine_profile(ts_engine *engine, const char *path, uint64_t period_ns, ts_error *e) TS_MUST_USE;
/* Stop sampling, and write the file. Without this call it is written, and errors are ignored, when the engine ends:
 * after ts_engine_free, and with the last object that was made in it. */
TS_API ts_status ts_engine_profile_end(ts_engine *engine, ts_error *e) TS_MUST_USE;
/* Remembers in a folder, which is created if necessary, which core modules were valid, by their contents, and
 * their machine code: loading one of them again is faster, and it need not become hot again. The folder is
 * trusted, so TS_IO is returned if other users may write to it, as if it cannot be used. Call this before
 * anything is loaded, and while no other thread loads. */
TS_API ts_status ts_engine_set_cache(ts_engine *engine, const char *folder, ts_error *e) TS_MUST_USE;

/* Linear memories have guard pages. The library installs a handler for SIGSEGV and SIGBUS with the first
 * memory; it turns the fault of an access beyond a memory into a trap and passes all other faults on to the
 * handler that was installed before. A program that installs a handler later must pass faults on in the same
 * way, or switch this off: memories that are made while it is off have no guard pages, and each access to
 * them is checked, which takes more time. Existing memories stay as they are. The setting is that of the
 * whole process; any thread may change it [on]. */
TS_API void ts_fault_set_enabled(bool on);

TS_API TS_OWN ts_pool *ts_pool_new(void);            /* NULL: no memory */
TS_API void *ts_pool_alloc(ts_pool *p, size_t size); /* zeroed; NULL: no memory */
TS_API void ts_pool_free(ts_pool *p);

/* --- components --- */
TS_API ts_status ts_component_load(ts_engine *engine, const void *bytes, size_t len, TS_OWN ts_component **out,
                                   ts_error *e) TS_MUST_USE; /* copies */
TS_API void ts_component_free(ts_component *c);              /* instances keep what they need */
/* As ts_component_load, with features of the component model that WASI 0.2 does not have: "values,maps"
 * (ts_component_feature lists them), "all", or "" for none. */
TS_API ts_status ts_component_load_with(ts_engine *engine, const void *bytes, size_t len, const char *features,
                                        TS_OWN ts_component **out, ts_error *e) TS_MUST_USE;
TS_API const char *ts_component_feature(uint32_t i,
                                        const char **text /* its description; or NULL */); /* NULL: no more */
TS_API uint32_t ts_component_import_count(const ts_component *c);
TS_API const char *ts_component_import_name(const ts_component *c, uint32_t i); /* NULL: there is none */
TS_API uint32_t ts_component_export_count(const ts_component *c);
TS_API const char *ts_component_export_name(const ts_component *c, uint32_t i);

/* --- the linker: host functions and resources ---
 * interface: "my:host/log@1.0.0" (links compatible versions), a plain name, or "" for functions imported by
 * themselves. type: WIT, with all types written out: "func(text: string, level: enum { low, high }) ->
 * result<u32, string>"; own<NAME> and borrow<NAME> for resources of the same interface. A method is a
 * function of the name "[method]NAME.f" whose first parameter is `self: borrow<NAME>`. */
typedef ts_status (*ts_callback)(ts_host_call *c, void *data, const ts_val *args, ts_val *result);
typedef ts_status (*ts_drop_callback)(ts_host_call *c, void *data, uint64_t rep);
TS_API ts_status ts_linker_new(TS_OWN ts_linker **out, ts_error *e) TS_MUST_USE;
TS_API void ts_linker_free(ts_linker *l); /* stores that used it keep what they need */
TS_API ts_status ts_linker_define_resource(ts_linker *l, const char *interface, const char *name, ts_drop_callback drop,
                                           void *data, ts_error *e) TS_MUST_USE;
TS_API ts_status ts_linker_define_func(ts_linker *l, const char *interface, const char *name, const char *type,
                                       ts_callback fn, void *data, ts_error *e) TS_MUST_USE;
/* 🪙 A value in WAVE notation, of a type without resources; for components loaded with the feature "values".
 */
TS_API ts_status ts_linker_define_value(ts_linker *l, const char *interface, const char *name, const char *type,
                                        const char *value, ts_error *e) TS_MUST_USE;
/* Provides an existing object for imports of this name: the exports of an instance (of the same store;
 * compatible versions link), a core module, or a component. The last one of a name replaces those before. */
TS_API ts_status ts_linker_add_instance(ts_linker *l, const char *name, ts_cinstance *i, ts_error *e) TS_MUST_USE;
struct ts_module;
TS_API ts_status ts_linker_add_module(ts_linker *l, const char *name, struct ts_module *m, ts_error *e) TS_MUST_USE;
TS_API ts_status ts_linker_add_component(ts_linker *l, const char *name, ts_component *c, ts_error *e) TS_MUST_USE;
TS_API void *ts_callback_alloc(ts_host_call *c,
                               size_t size); /* for results: zeroed, freed after the call; NULL: no memory */
TS_API ts_status ts_callback_trap(ts_host_call *c, const char *fmt, ...) TS_PRINTF(2, 3); /* return its result */
TS_API ts_status ts_callback_exit(ts_host_call *c, int status); /* the same; ends the guest with TS_EXIT */

/* --- limits ---
 * Limits of a store, of components or core modules. 0 means the default, which is given in brackets. The
 * message of a refusal names the limit. */
typedef struct ts_run_limits {
    /* bytes of each linear memory [4 GiB; of a 64-bit one 16 GiB]. Making a larger one is TS_LIMIT;
     * memory.grow returns -1 */
    uint64_t memory_bytes;
    uint64_t stack_bytes; /* bytes of the stack of values, which bounds the depth of calls [8 MiB]: TS_EXHAUSTION */
    uint64_t fuel;        /* calls and loop iterations [unmetered]: TS_LIMIT */
    uint64_t table_elems; /* of each table [10 million], as memory_bytes; also handles of a component instance */
    uint64_t gc_bytes;    /* heap of structs, arrays and exceptions [1 GiB]: TS_TRAP with TS_TRAP_ALLOC */
    uint64_t instances;   /* core instances, and as many component instances [100,000]: TS_LIMIT */
    /* nested calls through the host or between components [200]: TS_EXHAUSTION. Each takes some of the
     * thread's own stack */
    uint32_t depth;
    bool interruptible; /* another thread may interrupt calls */
    bool deterministic; /* operations produce canonical NaNs only */
} ts_run_limits;

/* --- WASI 0.2 ---
 * A context is what a guest has of the host: stdio, and what is granted here. A context serves one store at a
 * time and must outlive it. Strings are copied. A grant that is not wholly understood is TS_USAGE and grants
 * nothing. */
typedef struct ts_wasi ts_wasi;

TS_API ts_status ts_wasi_new(TS_OWN ts_wasi **out, ts_error *e) TS_MUST_USE;
/* The grants of a context as a value, from which any number of threads can make contexts. The value is
 * constant: once it was taken, a further grant to any of its contexts is TS_USAGE (a function without a
 * status does nothing). Its directories are open, its names are looked up and its certificates are read, so
 * later changes of these have no effect. Returns NULL if w is NULL. */
typedef struct ts_wasi_grants ts_wasi_grants;
TS_API TS_OWN ts_wasi_grants *ts_wasi_grants_new(ts_wasi *w);
TS_API ts_status ts_wasi_new_from(ts_wasi_grants *g, TS_OWN ts_wasi **out, ts_error *e) TS_MUST_USE;
TS_API void ts_wasi_grants_free(ts_wasi_grants *g); /* contexts that were made from it stay valid */
TS_API void ts_wasi_free(ts_wasi *w);               /* closes what the guest has left open */

/* Strings are copied. Arguments and names must be UTF-8 (TS_USAGE). */
TS_API ts_status ts_wasi_add_arg(ts_wasi *w, const char *arg, ts_error *e) TS_MUST_USE;
TS_API ts_status ts_wasi_set_env(ts_wasi *w, const char *name, size_t name_len, const char *value, ts_error *e)
    TS_MUST_USE; /* the last value of a name wins; a name is not empty and has no = */
TS_API ts_status ts_wasi_set_cwd(ts_wasi *w, const char *guest_path, ts_error *e) TS_MUST_USE;
/* A host directory under a name for the guest, which no other directory has. TS_IO: it cannot be opened. */
TS_API ts_status ts_wasi_allow_dir(ts_wasi *w, const char *host, const char *guest, bool read_only,
                                   ts_error *e) TS_MUST_USE;
/* The network. Nothing is granted by default; what is not granted returns access-denied. */
typedef enum ts_wasi_net_use {
    TS_WASI_TCP_CONNECT,
    TS_WASI_TCP_LISTEN, /* to bind and listen */
    TS_WASI_UDP_PEER,   /* to exchange datagrams with, from any address with a port that the OS picks */
    TS_WASI_UDP_BIND,
} ts_wasi_net_use;
/* HOST:PORT. HOST is an IP address (IPv6 in brackets), ADDRESS/BITS (with no bits set beyond them), * or, to
 * connect and to send to, a name, which is looked up now and which the guest may look up. PORT is a number,
 * FROM-TO, or *. TS_IO: the name has no address. */
TS_API ts_status ts_wasi_allow_address(ts_wasi *w, ts_wasi_net_use use, const char *host_port, ts_error *e) TS_MUST_USE;
TS_API ts_status ts_wasi_allow_name(ts_wasi *w, const char *name,
                                    ts_error *e) TS_MUST_USE; /* "*.example.org": all below it */
TS_API void ts_wasi_allow_network(ts_wasi *w, bool all);      /* every address, TCP and UDP */
TS_API void ts_wasi_allow_names(ts_wasi *w, bool all);        /* every name */
TS_API void ts_wasi_allow_tcp(ts_wasi *w, bool any);          /* false: not even a socket [true] */
TS_API void ts_wasi_allow_udp(ts_wasi *w, bool any);
/* HTTP requests. Nothing is granted by default; what is not granted fails with HTTP-request-denied.
 * HOST[:PORT]. HOST is a name, an IP address (IPv6 in brackets), *.NAME (all below it) or *. Without PORT:
 * all. */
TS_API ts_status ts_wasi_allow_http(ts_wasi *w, const char *host_port, ts_error *e) TS_MUST_USE;
/* ADDRESS[/BITS], or `private`: all addresses that are not globally reachable by IANA's registries of
 * special-purpose addresses, or are multicast. No request is sent there, by whatever name: it fails with
 * destination-IP-prohibited. A rule for an IPv4 address also holds for IPv6 addresses that contain it
 * (mapped, compatible, NAT64, 6to4, Teredo). */
TS_API ts_status ts_wasi_deny_http(ts_wasi *w, const char *addresses, ts_error *e) TS_MUST_USE;
TS_API ts_status ts_wasi_allow_http_all(ts_wasi *w, bool all, ts_error *e) TS_MUST_USE;
/* A file with the certificates (PEM) of the authorities to trust instead of the system's. TS_IO: it cannot be
 * read. */
TS_API ts_status ts_wasi_set_http_ca(ts_wasi *w, const char *path, ts_error *e) TS_MUST_USE;
/* Runs that can be repeated. The guest gets a clock of its own: its wall clock starts at start_s (seconds
 * since 1970) and start_ns (below 10^9), its monotonic clock at 0. Each reading advances it by one
 * microsecond, and a wait for nothing but time takes none. With a seed, all randomness comes from it. */
TS_API void ts_wasi_set_clock(ts_wasi *w, uint64_t start_s, uint32_t start_ns);
TS_API void ts_wasi_set_seed(ts_wasi *w, uint64_t seed);
/* The host file behind stdin (0), stdout (1) or stderr (2); fd below 0: none, so the stream is closed from
 * the start. Default: those of 0, 1 and 2 that are open when the context is made. The file stays the
 * caller's. */
TS_API void ts_wasi_set_stdio(ts_wasi *w, int which, int fd);
/* Ends the run at the guest's next wait, or in the one that it is in, with TS_INTERRUPTED. May be called from
 * any thread and from a signal handler. It does not end a system call that blocks by itself, such as a read
 * of a file system that does not answer; the run then ends when that call returns. */
TS_API void ts_wasi_interrupt(ts_wasi *w);
/* Prepares a context for another instance after the store of the last one was freed: what the guest left open
 * is closed, and its clock and randomness start anew. */
TS_API void ts_wasi_reset(ts_wasi *w);
/* The most host objects (streams, descriptors, pollables …) that a guest may hold [1,000,000]. */
TS_API void ts_wasi_limit_objects(ts_wasi *w, uint64_t n);
/* The most host files (files, directories, sockets) that are open for the guest at once [as many as the OS
 * allows]. One more is refused as if the OS had no more. */
TS_API void ts_wasi_limit_files(ts_wasi *w, uint64_t n);
/* The most bytes that a guest may make files grow by, holes included, less what it removes again by set-size
 * and truncate [not counted]. Beyond, the error is quota; of a write that does not fit, the part that fits is
 * written. */
TS_API void ts_wasi_limit_disk(ts_wasi *w, uint64_t bytes);
/* The most random bytes of one call [as many as a call may return], and the most bytes of the fields of one
 * HTTP message [131,072, which is also the maximum]. Beyond, the guest traps. */
TS_API void ts_wasi_limit_random(ts_wasi *w, uint64_t n);
TS_API void ts_wasi_limit_http_fields(ts_wasi *w, uint64_t n);
/* Makes a linker provide all of WASI 0.2 (0.2.0 to 0.2.12) from this context. To run a command, call its
 * export ts_cinstance_func(i, "wasi:cli/run@0.2.0", "run"): its result has disc 0 for ok. If the guest has
 * exited, the status is TS_EXIT, and ts_error.exit_status is the guest's. */
TS_API ts_status ts_wasi_link(ts_wasi *w, ts_linker *l, ts_error *e) TS_MUST_USE;
/* ts_linker_deny: links as if nothing provided an interface ("wasi:clocks/wall-clock", without a version) or
 * package; a name that nothing provides is TS_USAGE when a component is linked. ts_linker_enable_unstable:
 * links the unstable functions of a feature ("clocks-timezone"). ts_linker_set_unknown_imports_trap:
 * components with imports that nothing provides can run, and trap when they call one. */
TS_API void ts_linker_deny(ts_linker *l, const char *interface);
TS_API void ts_linker_enable_unstable(ts_linker *l, const char *feature);
TS_API void ts_linker_set_unknown_imports_trap(ts_linker *l, bool on);
/* Reports each call of a host function as a line without a newline. Lines are passed to `line` on the thread
 * that makes the call. filter: interfaces, separated by commas ("wasi:io/streams", "io/streams", "streams";
 * "io": a whole package), which must live as long as the trace; NULL: all. */
typedef struct ts_trace {
    void (*line)(void *data, const char *line, size_t len);
    void *data;
    const char *filter;
    /* Of successive calls that differ only in a result of numbers, the first has a line, and a line after it
     * counts the others: "… 384 more calls of wasi:clocks/monotonic-clock@0.2.3 now". Different errors are
     * different calls. */
    bool fold;
    /* A line begins with the seconds since ts_linker_set_trace and ends with those that the call took: "
     * <0.000012>" */
    bool times;
    bool summary; /* at the end of the trace: a table of calls, time, bytes and errors by function */
    bool quiet;   /* only the lines of that table */
} ts_trace;
/* NULL ends the trace; calls that were counted, but have no line yet, get one. */
TS_API void ts_linker_set_trace(ts_linker *l, const ts_trace *t);

/* --- records ---
 * A record is a file with every answer that WASI gave in one run. A replay gives the same answers to the same
 * component without the outside world: it opens no file and no connection, and only repeats the output to
 * stdout and stderr.
 *
 * Call ts_wasi_record or ts_wasi_replay once, before ts_wasi_link, and ts_wasi_record_end after the run. A
 * context that records or replays serves one run. The component is identified by its bytes, which are not
 * kept. */
/* path: the file, which is created or emptied. conditions: a text of the caller's about the run (options,
 * arguments), which the record keeps; at most 4 GiB, NULL: none. TS_IO: the file cannot be written. TS_USAGE:
 * the context records or replays already, or is linked. */
TS_API ts_status ts_wasi_record(ts_wasi *w, const char *path, const void *component, size_t len, const char *conditions,
                                ts_error *e) TS_MUST_USE;
/* conditions (may be NULL): receives the text of the record, which lives as long as the context. TS_IO: the
 * file cannot be read. TS_USAGE: it is not a record, is damaged, or is a record of another component. A guest
 * that calls another function than the recorded one, or with other arguments, traps. */
TS_API ts_status ts_wasi_replay(ts_wasi *w, const char *path, const void *component, size_t len,
                                const char **conditions, ts_error *e) TS_MUST_USE;
/* Completes the record; without this, a replay of it ends in "the record is cut short". TS_IO: the record
 * could not be written, now or earlier. Of a replay: TS_TRAP if the recorded run went on, TS_IO if what it
 * printed could not be printed again. TS_OK if w neither records nor replays. */
TS_API ts_status ts_wasi_record_end(ts_wasi *w, ts_error *e) TS_MUST_USE;

/* --- confinement ---
 * The process gives up what neither the grants nor the caller need, so that a fault of the engine does not
 * reach further than the grants. The kernel refuses it from then on, to all code of the process, and nothing of
 * this can be undone:
 *   - new privileges, core dumps
 *   - files outside the granted directories (read-only ones can only be read), those that `writes` lists and
 *     the cache; where names may be looked up or HTTP is granted, also the files of the name service and the
 *     system's certificates (Landlock)
 *   - connections by TCP to other ports than the granted ones, and listening on others (Landlock, version 4 on)
 *   - every system call that the runtime does not need (seccomp): new processes and programs, tracing, mounts,
 *     namespaces, modules, keys, io_uring …; kinds of sockets that are not granted; executable memory */
typedef enum ts_confine_mode {
    TS_CONFINE_DEFAULT, /* TS_CONFINE_TRY */
    TS_CONFINE_OFF,
    TS_CONFINE_TRY,     /* as far as the kernel can */
    TS_CONFINE_REQUIRE, /* TS_UNSUPPORTED if a part is not possible */
} ts_confine_mode;
/* Returns whether name is off, try or require. Then *out is that mode. */
TS_API bool ts_confine_mode_named(const char *name, ts_confine_mode *out);
/* What the process needs besides the grants. */
typedef struct ts_confine_needs {
    const char *cache;         /* the folder of ts_engine_set_cache, which exists; NULL: none */
    const char *const *writes; /* paths of files that the caller writes later; NULL: none. They are made if absent */
    uint32_t n_writes;
    bool listens; /* the caller will listen on a TCP port of its own, `port` (0: one that the OS picks) */
    uint16_t port;
    bool time_zones; /* the linker has the feature clocks-timezone */
    bool makes_code; /* an engine is not TS_TIER_INTERPRETED: pages may become executable, and then not be written to */
    uint64_t max_time_ns; /* bounds the processor time of the process, on every core; 0: no bound */
} ts_confine_needs;
/* What holds. */
typedef struct ts_confinement {
    ts_confine_mode mode;
    bool no_new_privileges, files, tcp_ports, system_calls, limits;
    bool all_threads;  /* `files` and `tcp_ports` hold for all threads: there were no others */
    uint32_t landlock; /* the kernel's version of Landlock; 0: none */
    /* What the ports of TCP are restricted to: those of the grants, or every port (a grant names none) */
    bool any_connect_port, any_listen_port;
    bool makes_code;   /* as in the needs */
    char missing[240]; /* what does not hold, and why; "" if all does */
} ts_confinement;
/* Confine the process to the grants of w and to *needs. Call it after the last grant and ts_engine_set_cache,
 * before the first byte of a guest is decoded and before other threads are made. Later grants to any context
 * have no effect beyond these. The libraries that the grants need (libcurl) are loaded before. out may be NULL.
 * TS_UNSUPPORTED, with TS_CONFINE_REQUIRE alone: a part is not possible; what is possible may hold already. */
TS_API ts_status ts_wasi_confine(ts_wasi *w, ts_confine_mode mode, const ts_confine_needs *needs, ts_confinement *out,
                                 ts_error *e) TS_MUST_USE;

/* --- policies ---
 * A policy is a TOML 1.0 text that grants and limits: the same as the command's --policy. Its keys are the
 * names of options (`touchstone --help`: dir, env, tcp-connect, http-allow, max-memory …) and the words of -S
 * (inherit-network …). An unknown key, or a value that is not wholly understood, is TS_USAGE with its line.
 */
/* What a policy sets besides the grants of the context. The caller applies it, or refuses it. Strings live as
 * long as the policy. */
typedef struct ts_wasi_policy {
    ts_run_limits limits;    /* for ts_cstore_new; 0: the policy does not have the key */
    uint64_t max_time_ns;    /* of the whole run; 0: no limit. The caller interrupts the run */
    const char *features;    /* for ts_component_load_with; NULL: none */
    const char *cache;       /* a folder, for ts_engine_set_cache; NULL: none */
    ts_tier tier;            /* for ts_engine_set_tier */
    uint64_t max_code;       /* for ts_engine_set_max_code; 0: the policy does not have the key */
    const char *record;      /* a path, for ts_wasi_record; NULL: none */
    const char *replay;      /* a path, for ts_wasi_replay; NULL: none */
    ts_confine_mode confine; /* for ts_wasi_confine */
} ts_wasi_policy;
/* Reads a text of `len` bytes (at most 4 GiB), grants what it grants to w, and returns the rest in *out. With
 * out NULL, a key that does not concern w is TS_USAGE. name: for messages; NULL: "policy". Paths are relative
 * to the working directory. Fails with TS_USAGE, TS_IO (a directory or file that the policy names cannot be
 * opened) or TS_NOMEM; keys before the one that failed stay granted, so do not run a guest with w then. */
TS_API ts_status ts_wasi_policy_load(ts_wasi *w, const char *text, size_t len, const char *name,
                                     TS_OWN ts_wasi_policy **out, ts_error *e) TS_MUST_USE;
/* The same from a file of at most 1 MiB. TS_IO: it cannot be read. */
TS_API ts_status ts_wasi_policy_load_file(ts_wasi *w, const char *path, TS_OWN ts_wasi_policy **out,
                                          ts_error *e) TS_MUST_USE;
TS_API void ts_wasi_policy_free(ts_wasi_policy *p);
/* Applies the keys deny, unstable and unknown-imports-trap to a linker. */
TS_API ts_status ts_wasi_policy_link(const ts_wasi_policy *p, ts_linker *l, ts_error *e) TS_MUST_USE;

/* --- running --- */
TS_API ts_status ts_cstore_new(ts_engine *engine, const ts_run_limits *limits /* or NULL */, TS_OWN ts_cstore **out,
                               ts_error *e) TS_MUST_USE;
TS_API void ts_cstore_free(ts_cstore *s); /* drops the host resources that guests still hold */
/* As ts_core_store_interrupt; it also wakes a guest that waits in a function of WASI, as ts_wasi_interrupt
 * does. */
TS_API void ts_cstore_interrupt(ts_cstore *s);
TS_API ts_status ts_component_instantiate(ts_cstore *s, ts_linker *l, ts_component *c, ts_cinstance **out,
                                          ts_error *e) TS_MUST_USE;
/* interface NULL: a function that is exported by itself. Returns NULL if there is none. */
TS_API ts_cfunc *ts_cinstance_func(ts_cinstance *i, const char *interface, const char *name);
/* 🪙 An exported value and its type, which live as long as the store. NULL: there is none. */
TS_API const ts_val *ts_cinstance_value(ts_cinstance *i, const char *interface, const char *name,
                                        const ts_ctype **type);
/* args: as many as the function has parameters. result: may be NULL; the pool owns the memory that it points
 * to. */
TS_API ts_status ts_cfunc_call(ts_cstore *s, ts_cfunc *f, const ts_val *args, ts_val *result, ts_pool *pool,
                               ts_error *e) TS_MUST_USE;
/* The same in WAVE notation: "add(1, 2)" → "3" in the pool. The name may be "interface#function". */
TS_API ts_status ts_cinstance_call_text(ts_cstore *s, ts_cinstance *i, const char *call, ts_pool *pool,
                                        const char **result, ts_error *e) TS_MUST_USE;
TS_API ts_status ts_handle_drop(ts_cstore *s, const ts_val *own,
                                ts_error *e) TS_MUST_USE; /* an own<…> that a call has returned */

/* --- types --- */
TS_API uint32_t ts_cfunc_param_count(const ts_cfunc *f);
TS_API const char *ts_cfunc_param_name(const ts_cfunc *f, uint32_t i);
TS_API const ts_ctype *ts_cfunc_param_type(const ts_cfunc *f, uint32_t i);
TS_API const ts_ctype *ts_cfunc_result_type(const ts_cfunc *f);  /* NULL: none */
TS_API const char *ts_ctype_kind(const ts_ctype *t);             /* "u32", "list", "record" … */
TS_API uint32_t ts_ctype_count(const ts_ctype *t);               /* fields, cases, flags, elements of a tuple */
TS_API const char *ts_ctype_name(const ts_ctype *t, uint32_t i); /* of them; NULL: none */
TS_API const ts_ctype *
ts_ctype_type(const ts_ctype *t,
              uint32_t i); /* of them; of list and option 0 is the element; of result 0 ok, 1 error; NULL: none */
TS_API size_t ts_val_print(const ts_ctype *t, const ts_val *v, char *buf,
                           size_t size); /* WAVE; returns as snprintf does */
TS_API ts_status ts_val_parse(const ts_ctype *t, const char *text, ts_pool *pool, ts_val *v, ts_error *e) TS_MUST_USE;

/* --- core modules ---
 * The engine without components. A module is constant, so stores of any number of threads may instantiate it
 * at the same time. A store belongs to one thread at a time. It owns everything that is made in it:
 * instances, functions, memories, tables, globals and tags live as long as the store, and may not be given to
 * another one. */
typedef struct ts_module ts_core_module; /* decoded and validated */
typedef struct ts_store ts_core_store;
typedef struct ts_instance ts_core_instance;
typedef struct ts_func ts_core_func;
typedef struct ts_memory ts_core_memory;
typedef struct ts_table ts_core_table;
typedef struct ts_global ts_core_global;
typedef struct ts_tag ts_core_tag;
typedef struct ts_exec ts_core_call; /* a running call of a callback */

/* A value type. References to defined types come from modules and are valid in their whole engine. */
typedef uint32_t ts_core_type;
#define TS_CORE_I32 0x7fu
#define TS_CORE_I64 0x7eu
#define TS_CORE_F32 0x7du
#define TS_CORE_F64 0x7cu
#define TS_CORE_V128 0x7bu
#define TS_CORE_FUNCREF 0x7063u
#define TS_CORE_EXTERNREF 0x6f63u
#define TS_CORE_ANYREF 0x6e63u
#define TS_CORE_EQREF 0x6d63u
#define TS_CORE_I31REF 0x6c63u
#define TS_CORE_STRUCTREF 0x6b63u
#define TS_CORE_ARRAYREF 0x6a63u
#define TS_CORE_EXNREF 0x6963u
TS_API const char *ts_core_type_name(ts_core_type t, char buf[48]); /* "i32", "(ref null 5)": into buf, returns buf */
TS_API bool ts_core_type_is_ref(ts_core_type t);
TS_API bool ts_core_type_is_funcref(const ts_engine *engine, ts_core_type t); /* its values are in `func` below */

/* A value with its type. A reference that is not to a function is 0 for null, and otherwise opaque
 * (ts_core_ref_…). An object that a call returned lives until the guest runs again, unless it is held. */
typedef struct ts_core_val {
    ts_core_type type;
    union {
        int32_t i32;
        int64_t i64;
        float f32;
        double f64;
        uint8_t v128[16];   /* lane 0 first */
        ts_core_func *func; /* NULL: null */
        uint64_t ref;
    };
} ts_core_val;
TS_API uint64_t ts_core_ref_host(uint64_t v); /* an externref of the host's own: any number below 2^62 */
TS_API bool ts_core_ref_host_value(uint64_t ref, uint64_t *v); /* false: it is none */
TS_API uint64_t ts_core_ref_i31(int32_t v);                    /* its low 31 bits */
TS_API bool ts_core_ref_i31_value(uint64_t ref, int32_t *v);
TS_API ts_status ts_core_ref_hold(ts_core_store *s, uint64_t ref,
                                  ts_error *e) TS_MUST_USE; /* keeps an object alive; counted */
TS_API void ts_core_ref_release(ts_core_store *s, uint64_t ref);

/* The kinds of imports and exports, and their types. To make an object, fill the fields of its kind and leave
 * the others zero. */
typedef enum ts_core_kind { TS_CORE_FUNC, TS_CORE_TABLE, TS_CORE_MEMORY, TS_CORE_GLOBAL, TS_CORE_TAG } ts_core_kind;
typedef struct ts_core_externtype {
    ts_core_kind kind;
    /* functions and tags; at most 1000 parameters and 1000 results */
    uint32_t n_params, n_results;
    const ts_core_type *params, *results;
    /* the number of a type that a module defines, which replaces the four fields above; 0: none */
    uint32_t defined;
    /* tables and globals */
    ts_core_type type;
    bool mut;
    /* tables (elements) and memories (pages) */
    uint64_t min, max;
    bool has_max, is64, shared;
    uint32_t page_size; /* of memories; 0: 65536 */
} ts_core_externtype;
typedef struct ts_core_extern {
    ts_core_kind kind;
    union {
        ts_core_func *func;
        ts_core_table *table;
        ts_core_memory *memory;
        ts_core_global *global;
        ts_core_tag *tag;
    };
} ts_core_extern;

TS_API ts_status ts_core_module_load(ts_engine *engine, const void *bytes, size_t len, TS_OWN ts_core_module **out,
                                     ts_error *e) TS_MUST_USE; /* copies */
TS_API void ts_core_module_free(ts_core_module *m);            /* instances keep what they need */
typedef struct ts_core_item { /* `module` of exports is NULL. Names end with a NUL and may contain others. */
    const char *module, *name;
    size_t module_len, name_len;
    ts_core_externtype type;
} ts_core_item;
TS_API uint32_t ts_core_module_import_count(const ts_core_module *m);
TS_API bool ts_core_module_import(const ts_core_module *m, uint32_t i, ts_core_item *out); /* false: there is none */
TS_API uint32_t ts_core_module_export_count(const ts_core_module *m);
TS_API bool ts_core_module_export(const ts_core_module *m, uint32_t i, ts_core_item *out);

TS_API ts_status ts_core_store_new(ts_engine *engine, const ts_run_limits *limits /* or NULL */,
                                   TS_OWN ts_core_store **out, ts_error *e) TS_MUST_USE;
TS_API void ts_core_store_free(ts_core_store *s);
/* May be called from any thread: the running call ends with TS_INTERRUPTED; if none runs, the next one does.
 * The store must have been made with `interruptible` or `fuel`. */
TS_API void ts_core_store_interrupt(ts_core_store *s);
TS_API uint64_t ts_core_store_fuel(const ts_core_store *s); /* left; UINT64_MAX: unmetered */
TS_API ts_status ts_core_store_set_fuel(ts_core_store *s, uint64_t fuel,
                                        ts_error *e) TS_MUST_USE; /* of stores made with fuel */
TS_API void ts_core_store_collect(ts_core_store *s);              /* the garbage, now */

/* imports: in the module's order. Runs the start function. If instantiation fails, what it has written stays
 * written, as the specification says. */
TS_API ts_status ts_core_module_instantiate(ts_core_store *s, ts_core_module *m, const ts_core_extern *imports,
                                            uint32_t n_imports, const char *name /* for backtraces, or NULL */,
                                            ts_core_instance **out, ts_error *e) TS_MUST_USE;
TS_API bool ts_core_instance_export(const ts_core_instance *i, const char *name,
                                    ts_core_extern *out); /* false: there is none */
TS_API bool ts_core_instance_export_at(const ts_core_instance *i, uint32_t index,
                                       ts_core_extern *out); /* in the module's order */
TS_API void ts_core_extern_describe(const ts_core_store *s, const ts_core_extern *x,
                                    ts_core_externtype *out); /* min: the size now */

/* A callback gets arguments of its function's parameter types, and results that are zero or null, which it
 * fills in. It returns TS_OK, or the result of one of the three functions below, or the failure of a call
 * that it made with ts_core_callback_error. */
typedef ts_status (*ts_core_callback)(ts_core_call *c, void *data, const ts_core_val *args, ts_core_val *results);
TS_API ts_status ts_core_func_new(ts_core_store *s, const ts_core_externtype *type, ts_core_callback fn, void *data,
                                  const char *name /* for messages, or NULL */, ts_core_func **out,
                                  ts_error *e) TS_MUST_USE;
TS_API ts_core_store *ts_core_callback_store(ts_core_call *c);
TS_API const ts_core_instance *ts_core_callback_caller(ts_core_call *c); /* NULL: the host */
TS_API ts_error *
ts_core_callback_error(ts_core_call *c); /* for calls that the callback makes and whose failure it returns */
TS_API ts_status ts_core_callback_trap(ts_core_call *c, const char *fmt, ...) TS_PRINTF(2, 3);
TS_API ts_status ts_core_callback_exit(ts_core_call *c, int status); /* ends the guest with TS_EXIT */
TS_API ts_status ts_core_callback_throw(ts_core_call *c, ts_core_tag *tag, const ts_core_val *args, uint32_t n_args);

TS_API ts_status ts_core_func_call(ts_core_store *s, ts_core_func *f, const ts_core_val *args, uint32_t n_args,
                                   ts_core_val *results, uint32_t n_results, ts_error *e) TS_MUST_USE;
/* The exception of the last call that ended with TS_EXCEPTION: its tag (NULL: there was none), and its
 * arguments, as many as the tag has. */
TS_API ts_core_tag *ts_core_exception_tag(const ts_core_store *s);
TS_API ts_status ts_core_exception_args(ts_core_store *s, ts_core_val *args, uint32_t n_args, ts_error *e) TS_MUST_USE;

TS_API ts_status ts_core_memory_new(ts_core_store *s, const ts_core_externtype *type, ts_core_memory **out,
                                    ts_error *e) TS_MUST_USE;
TS_API uint8_t *ts_core_memory_data(ts_core_memory *m);       /* until the guest runs or the memory grows */
TS_API uint64_t ts_core_memory_size(const ts_core_memory *m); /* in bytes */
TS_API uint64_t ts_core_memory_pages(const ts_core_memory *m);
TS_API bool ts_core_memory_read(const ts_core_memory *m, uint64_t at, void *to,
                                size_t len); /* false: out of bounds, nothing is copied */
TS_API bool ts_core_memory_write(ts_core_memory *m, uint64_t at, const void *from, size_t len);
TS_API ts_status ts_core_memory_grow(ts_core_store *s, ts_core_memory *m, uint64_t delta, uint64_t *old /* or NULL */,
                                     ts_error *e) TS_MUST_USE;

TS_API ts_status ts_core_table_new(ts_core_store *s, const ts_core_externtype *type, const ts_core_val *init,
                                   ts_core_table **out, ts_error *e) TS_MUST_USE;
TS_API uint64_t ts_core_table_size(const ts_core_table *t);
TS_API ts_status ts_core_table_get(ts_core_store *s, const ts_core_table *t, uint64_t i, ts_core_val *out,
                                   ts_error *e) TS_MUST_USE;
TS_API ts_status ts_core_table_set(ts_core_store *s, ts_core_table *t, uint64_t i, const ts_core_val *v,
                                   ts_error *e) TS_MUST_USE;
TS_API ts_status ts_core_table_grow(ts_core_store *s, ts_core_table *t, uint64_t delta, const ts_core_val *init,
                                    uint64_t *old /* or NULL */, ts_error *e) TS_MUST_USE;

TS_API ts_status ts_core_global_new(ts_core_store *s, const ts_core_externtype *type, const ts_core_val *v,
                                    ts_core_global **out, ts_error *e) TS_MUST_USE;
TS_API void ts_core_global_get(const ts_core_store *s, const ts_core_global *g, ts_core_val *out);
TS_API ts_status ts_core_global_set(ts_core_store *s, ts_core_global *g, const ts_core_val *v, ts_error *e) TS_MUST_USE;
TS_API ts_status ts_core_tag_new(ts_core_store *s, const ts_core_externtype *type, ts_core_tag **out,
                                 ts_error *e) TS_MUST_USE;

/* The names of version 0.1, for programs that were written for it. They will go before 1.0. */
#ifdef TOUCHSTONE_OLD_NAMES
#define ts_engine_cache ts_engine_set_cache
#define ts_core_module_new ts_core_module_load
#define ts_core_instantiate ts_core_module_instantiate
#define ts_cfunc_invoke ts_cfunc_call
#define ts_cinstance_invoke_text ts_cinstance_call_text
#define ts_linker_unknown_imports_trap ts_linker_set_unknown_imports_trap
#define ts_wasi_create ts_wasi_new
#define ts_wasi_destroy ts_wasi_free
#define ts_wasi_arg ts_wasi_add_arg
#define ts_wasi_env ts_wasi_set_env
#define ts_wasi_cwd ts_wasi_set_cwd
#define ts_wasi_dir ts_wasi_allow_dir
#define ts_wasi_allow ts_wasi_allow_address
#define ts_wasi_clock ts_wasi_set_clock
#define ts_wasi_seed ts_wasi_set_seed
#define ts_wasi_stdio ts_wasi_set_stdio
#define ts_wasi_http_ca ts_wasi_set_http_ca
#define ts_wasi_stop ts_wasi_interrupt
#endif

#if defined(__cplusplus) && defined(__clang__)
#pragma clang diagnostic pop
#endif
#ifdef __cplusplus
}
#endif
#endif
