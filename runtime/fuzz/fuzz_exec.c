/* fuzz_exec: runs valid modules in every form of code; what is observable must not depend on the form.
 * In: bytes from libFuzzer, a module. Out: no crash, no leak, no sanitizer report; the same results, traps,
 * memories, globals and tables with guard pages and explicit checks, with and without fuel, and with a
 * collection on every second allocation.
 * Seeds: modules of `wasm-tools smith`.
 * build: clang -fsanitize=fuzzer,address,undefined */
#include "exec_module.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t FUEL = 1000;

static void differ(const char *what, const fz_report *a, const fz_report *b) {
    fprintf(stderr, "fuzz_exec: %s: not the same\n--- guard pages, fuel\n%s--- the other\n%s", what, a->text, b->text);
    abort();
}

static void compare(const char *what, const uint8_t *data, size_t size, const fz_how *how, const fz_report *base) {
    fz_report r = {0};
    fz_run(data, size, how, &r);
    /* when the heap is full is up to the collector */
    if (!base->limited && !r.limited && (r.len != base->len || memcmp(r.text, base->text, r.len) != 0))
        differ(what, base, &r);
    fz_report_free(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fz_report base = {0};
    fz_run(data, size, &(fz_how){.deterministic = true, .fuel = FUEL}, &base);
    if (base.ran) {
        compare("explicit checks", data, size, &(fz_how){.checked = true, .deterministic = true, .fuel = FUEL}, &base);
        compare("collections", data, size, &(fz_how){.deterministic = true, .fuel = FUEL, .gc_stress = 2}, &base);
        if (!base.limited) {
            compare("no fuel", data, size, &(fz_how){.deterministic = true}, &base);
            compare("no fuel, explicit checks", data, size, &(fz_how){.checked = true, .deterministic = true}, &base);
        }
        fz_report free_nans = {0}; /* NaN bits may differ, and everything that depends on them */
        fz_run(data, size, &(fz_how){.fuel = FUEL}, &free_nans);
        fz_report_free(&free_nans);
    }
    fz_report_free(&base);
    return 0;
}
