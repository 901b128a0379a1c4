/* run_tiers: runs modules interpreted and as machine code. What is observable must be the same, the place where fuel or
 * the stack is used up included.
 * In: paths of modules, one a line on stdin. Out: on stdout for each a line "same", or both reports; then "end". */
#include "exec_module.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t *read_file(const char *path, size_t *len) {
    FILE *f = fopen(path, "rb");
    size_t cap = 1 << 24;
    uint8_t *bytes = f ? malloc(cap) : NULL;
    if (bytes) *len = fread(bytes, 1, cap, f);
    if (f) fclose(f);
    return bytes;
}
static bool compare(const uint8_t *bytes, size_t len, fz_how how, const char *name) {
    fz_report interpreted = {0};
    how.tier = TS_TIER_INTERPRETED;
    fz_run(bytes, len, &how, &interpreted);
    bool same = true;
    for (int mixed = 0; mixed < 2 && same; mixed++) {
        fz_report compiled = {0};
        how.tier = mixed ? TS_TIER_COMPILED_MIXED : TS_TIER_COMPILED_AT_ONCE;
        fz_run(bytes, len, &how, &compiled);
        same = compiled.len == interpreted.len && memcmp(compiled.text, interpreted.text, compiled.len) == 0;
        if (!same)
            printf("%s, %s\n--- interpreted\n%s--- machine code\n%s", name, mixed ? "mixed" : "at once",
                   interpreted.text, compiled.text);
        fz_report_free(&compiled);
    }
    fz_report_free(&interpreted);
    return same;
}

int main(void) {
    char path[4096];
    while (fgets(path, sizeof path, stdin)) {
        path[strcspn(path, "\n")] = 0;
        size_t len = 0;
        uint8_t *bytes = read_file(path, &len);
        if (!bytes) return 1;
        if (compare(bytes, len, (fz_how){.deterministic = true}, "guard pages") &&
            compare(bytes, len, (fz_how){.deterministic = true, .checked = true}, "explicit checks") &&
            compare(bytes, len, (fz_how){.deterministic = true, .fuel = 1000}, "fuel") &&
            compare(bytes, len, (fz_how){.deterministic = true, .gc_stress = 2}, "collections"))
            printf("same\n");
        printf("end\n");
        fflush(stdout);
        free(bytes);
    }
    return 0;
}
