/* image: what a module's data segments make of its memory, as pages to be mapped copy on write: a further instance then takes
 * its data without a copy, and a page of it only when it writes there.
 * In: a module whose own memory 0 is written by constant, active segments. Out: a memory initialised, or false: copy them.
 * spec: exec/modules#instantiation (the same contents as by memory.init, one after another) */
#ifndef TS_CORE_IMAGE_H
#define TS_CORE_IMAGE_H
#include "core/run/objects.h"

enum { TS_IMAGE_MIN_BYTES = 64 * 1024 }; /* bytes of data below which copying is quicker */

/* Is there one for this module, and where? Sets lo and len. Every segment of memory 0 lies within its initial size then. */
bool ts_image_plan(const ts_module *m, uint64_t *lo, uint64_t *len);
bool ts_image_write(const ts_module *m, int fd, uint64_t file_at, uint64_t lo); /* write the segments */
void ts_image_adopt(ts_module *m, int fd, uint64_t file_at, uint64_t lo,
                    uint64_t len); /* a ready one: the file is the module's */
/* Map it over the instance's memory 0, which nothing has been written to; makes it when it is worth it. */
bool ts_image_apply(ts_instance *i);
/* Is this one of the segments that are in the image? */
bool ts_image_has_segment(const ts_module *m, uint32_t data);
void ts_image_free(ts_module *m);
#endif
