/* cache: which modules have been found valid before, by their contents; and their data as pages that can be mapped.
 * In: a folder of this user's, a decoded module. Out: that its bodies need not be looked at again; its image (image.h).
 * The name of an entry is a SHA-256 over the version of this program, the features and all bytes of the module (in pieces of a MiB,
 * so that several threads can share the work). Who can write to the folder could have a module run unchecked: hence it must be
 * this user's own, and so must every file in it; anything else is as if it were not there. What cannot be read or written is no
 * error: the module is validated as ever. */
#ifndef TS_CORE_CACHE_H
#define TS_CORE_CACHE_H
#include "base/sha256.h"
#include "core/module/engine.h"

enum { TS_CACHE_MIN_BYTES = 64 * 1024 }; /* bytes of a module below which validating it is quicker */

typedef struct ts_cache_entry {
    uint8_t key[TS_SHA256_BYTES];
    bool named;           /* there is a key: false only where memory was short */
    bool known;           /* valid */
    int fd;               /* of the entry, while known: below 0 once it is the module's */
    uint64_t at, lo, len; /* its image: where it lies in the file, and the range of the memory; len 0: none */
} ts_cache_entry;
/* Before decoding: sets m->bodies_known, so that the code section need not be walked through. */
void ts_cache_lookup(const ts_cache *c, ts_module *m, ts_cache_entry *out);
/* Of a valid module: gives it its image if it has one, or writes the entry; ends the entry's file. */
void ts_cache_commit(const ts_cache *c, ts_module *m, ts_cache_entry *entry);
void ts_cache_discard(ts_cache_entry *entry); /* the module was not valid after all, or there is no memory */
/* The functions that earlier runs of the module called, for ts_code_set_ahead; and, when it ends, those of this run if there are none. */
void ts_cache_calls_read(const ts_cache *c, ts_module *m);
void ts_cache_calls_write(const ts_cache *c, const ts_module *m);
#endif
