/* fuzz_tiers: runs valid modules interpreted and as machine code; what is observable must be the same.
 * In: bytes from libFuzzer, a module. Out: no crash, no leak; the same results, traps, memories, globals and tables when
 * each function is compiled at once and when it changes its tier in its middle, the place where fuel is used up included.
 * Sanitizers would turn machine code off, so it is built without them, with assertions.
 * build: clang -fsanitize=fuzzer */
#include "exec_module.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void compare(const uint8_t *data, size_t size, fz_how how, const char *name, bool *ran) {
    static const ts_tier tiers[] = {TS_TIER_COMPILED_AT_ONCE, TS_TIER_COMPILED_MIXED};
    fz_report interpreted = {0};
    how.tier = TS_TIER_INTERPRETED;
    fz_run(data, size, &how, &interpreted);
    *ran = interpreted.ran;
    for (int i = 0; i < 2 && interpreted.ran; i++) {
        fz_report compiled = {0};
        how.tier = tiers[i];
        fz_run(data, size, &how, &compiled);
        if (compiled.len != interpreted.len || memcmp(compiled.text, interpreted.text, compiled.len) != 0) {
            fprintf(stderr, "fuzz_tiers: %s, %s: not the same\n--- interpreted\n%s--- machine code\n%s", name,
                    i ? "mixed" : "at once", interpreted.text, compiled.text);
            abort();
        }
        fz_report_free(&compiled);
    }
    fz_report_free(&interpreted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    bool ran;
    compare(data, size, (fz_how){.deterministic = true, .fuel = 1000}, "fuel", &ran);
    if (ran)
        compare(data, size, (fz_how){.deterministic = true, .checked = true, .fuel = 1000}, "explicit checks", &ran);
    if (ran) compare(data, size, (fz_how){.deterministic = true, .fuel = 1000, .gc_stress = 2}, "collections", &ran);
    return 0;
}
