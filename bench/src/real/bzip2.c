/* bzip2's library: compresses /in/text into /out/text.bz2, and decompresses it again. */
#include "bzlib.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void bz_internal_error(int code) {
    fprintf(stderr, "bzip2: internal error %d\n", code);
    exit(3);
}

static char *read_all(const char *path, unsigned *size) {
    FILE *f = fopen(path, "rb");
    if (!f || fseek(f, 0, SEEK_END) != 0) exit(4);
    *size = (unsigned)ftell(f);
    rewind(f);
    char *data = malloc(*size + 1);
    if (!data || fread(data, 1, *size, f) != *size) exit(4);
    fclose(f);
    return data;
}

int main(void) {
    unsigned size, packed_size, back_size;
    char *text = read_all("/in/text", &size);
    packed_size = size + size / 100 + 600;
    back_size = size;
    char *packed = malloc(packed_size), *back = malloc(size + 1);
    if (!packed || !back) return 4;
    int status = BZ2_bzBuffToBuffCompress(packed, &packed_size, text, size, 9, 0, 30);
    if (status != BZ_OK) return 5;
    FILE *out = fopen("/out/text.bz2", "wb");
    if (!out || fwrite(packed, 1, packed_size, out) != packed_size || fclose(out) != 0) return 6;
    status = BZ2_bzBuffToBuffDecompress(back, &back_size, packed, packed_size, 0, 0);
    if (status != BZ_OK || back_size != size || memcmp(back, text, size) != 0) return 7;
    printf("%u bytes, %u compressed\n", size, packed_size);
    return 0;
}
