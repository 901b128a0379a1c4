/* cache: remembers across processes which modules are valid, and keeps their data images as pages to be
 * mapped.
 * In: a folder, the bytes of a module. Out: whether its bodies are known to be valid, its image
 * (run/image.h), which functions an earlier run has called, their IR and their machine code.
 * Design: no failure here is an error. What cannot be read or written is ignored, and the module is
 * validated.
 *
 * The name of an entry is a SHA-256 of the version of this program, the features and all bytes of the
 * module (in pieces of 1 MiB, so that threads can share the work). Anyone who can write to the folder
 * could have a module run unchecked. Therefore the folder and each file in it must belong to this user,
 * and no one else may be able to write to them. */
#ifndef TS_CORE_CACHE_H
#define TS_CORE_CACHE_H
#include "base/sha256.h"
#include "core/module/engine.h"

enum { TS_CACHE_MIN_BYTES = 16 * 1024 }; /* smaller modules are validated faster than they are looked up */

typedef struct ts_cache_entry {
    uint8_t key[TS_SHA256_BYTES];
    bool named;           /* the key is set; false only if there was no memory */
    bool known;           /* there is an entry: the module is valid */
    int fd;               /* of the entry; below 0 if there is none, or the module owns it */
    uint64_t at, lo, len; /* the image: its offset in the file, its range in memory 0; no image: len 0 */
} ts_cache_entry;
/* Called before decoding. Sets m->bodies_known if there is an entry, so that decoding can skip the code
 * section. The caller passes *out to ts_cache_commit or ts_cache_discard. */
void ts_cache_lookup(const ts_cache *c, ts_module *m, ts_cache_entry *out);
/* Called for a valid module: gives it the image of its entry, or writes the entry if there is none. */
void ts_cache_commit(const ts_cache *c, ts_module *m, ts_cache_entry *entry);
/* Closes the entry of a module that could not be loaded. */
void ts_cache_discard(ts_cache_entry *entry);
/* Passes the functions that an earlier run of the module called to ts_code_set_ahead. */
void ts_cache_calls_read(const ts_cache *c, ts_module *m);
/* Writes those of this run when it ends, unless there is a list already. */
void ts_cache_calls_write(const ts_cache *c, const ts_module *m);
/* The same for the IR and the machine code of the module (cache_code.c), which ts_tier_keep and ts_tier_kept take and
 * give. They are written when an eighth is new. */
void ts_cache_code_read(const ts_cache *c, ts_module *m);
void ts_cache_code_write(const ts_cache *c, ts_module *m);
/* The name of an entry: its key in hexadecimal digits, and its kind, which is short. */
enum { TS_CACHE_NAME = 80 };
void ts_cache_entry_name(const uint8_t key[TS_SHA256_BYTES], const char *kind, char name[TS_CACHE_NAME]);
#endif
