/* image: the data image of a module: what its data segments make of its memory, as pages that can be
 * mapped copy on write. Further instances then get their data without a copy, and a page of their own only
 * where they write.
 * In: a module that defines memory 0 and fills it by active segments at constant offsets. Out: an
 * initialized memory, or false if the segments have to be copied.
 * spec: exec/modules#instantiation (the contents are those that memory.init leaves, segment by segment) */
#ifndef TS_CORE_IMAGE_H
#define TS_CORE_IMAGE_H
#include "core/run/objects.h"

enum { TS_IMAGE_MIN_BYTES = 64 * 1024 }; /* below this amount of data, copying is faster */

/* Returns whether an image of this module is possible and worthwhile. Then *lo and *len are its range in
 * memory 0, in bytes and whole pages, and every segment of memory 0 lies within the memory's initial size. */
bool ts_image_plan(const ts_module *m, uint64_t *lo, uint64_t *len);
/* Writes the segments into a file, where address `lo` of the memory is at the offset `file_at`. False: I/O
 * error. */
bool ts_image_write(const ts_module *m, int fd, uint64_t file_at, uint64_t lo);
/* Gives the module an image that is in a file already. The module takes ownership of fd. */
void ts_image_adopt(ts_module *m, int fd, uint64_t file_at, uint64_t lo, uint64_t len);
/* Maps the image over the instance's memory 0, which has not been written to. The image is made when a
 * module's second instance asks for it. Returns false if the segments have to be copied. */
bool ts_image_apply(ts_instance *i);
/* Returns whether this data segment is part of the image: it is active and of memory 0. */
static inline bool ts_image_has_segment(const ts_module *m, uint32_t data) {
    return m->datas[data].mode == TS_SEG_ACTIVE && m->datas[data].mem == 0;
}
/* Finds out which pages an instance of the module has written, from the `len` bytes of its memory, which has the image;
 * once for a module, after an early instance. */
void ts_image_learn(ts_module *m, const uint8_t *base, uint64_t len);
/* Gives the `len` bytes of a memory with the image their first contents again, where the pages that an instance writes are
 * known, and those that this one has written. They stay the memory's own. Returns false if nothing was done. */
bool ts_image_restore(ts_module *m, uint8_t *base, uint64_t len);
/* Gives a memory with the image, which is clear, its own copies of these pages at once. An instance would get them one
 * after the other, each by a page fault that interrupts the other processors. The contents stay the same. */
void ts_image_prepare(const ts_module *m, uint8_t *base);
void ts_image_free(ts_module *m);
#endif
