/* fuzz_inspect: any bytes as the file that `touchstone inspect` reads, with the code of a function or without.
 * In: bytes from libFuzzer; the last byte's lowest bits choose the function. Out: no crash, no leak, no sanitizer report,
 * and an exit status that the command documents. Run it with -close_fd_mask=3, since the command prints.
 * build: clang -fsanitize=fuzzer,address,undefined */
#include "input.h"
#include "cli/run.h"

/* The command would confine this process once and for all, after which libFuzzer writes no file. */
__attribute__((constructor)) static void leave_unconfined(void) {
    setenv("TOUCHSTONE_CONFINE", "off", 1);
}
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const functions[] = {NULL, NULL, "0", "1", "run", "_start"};
    fz_file f = fz_file_of(data, size);
    const char *function = functions[size ? data[size - 1] % (sizeof functions / sizeof *functions) : 0];
    char code[16], *words[] = {"inspect", NULL, NULL, NULL};
    int n = 1;
    if (function) {
        snprintf(code, sizeof code, "--code=%s", function);
        words[n++] = code;
    }
    words[n++] = f.path;
    int status = ts_cli_inspect(n, words);
    if (status < 0 || status > 130) abort();
    fz_file_close(&f);
    return 0;
}
