/* fuzz_wast: any bytes as a script in JSON, run by the script runner. It can name m.wasm and c.wasm: guests/script.wat and
 * guests/script_component.wat.
 * In: bytes from libFuzzer. Out: no crash, no leak, no sanitizer report, and an exit status that the runner documents.
 * Run it with -close_fd_mask=3, since the runner prints.
 * build: clang -fsanitize=fuzzer,address,undefined */
#include "input.h"
#include "cli/wast/json.h"
#include "cli/wast/wast.h"
#include "guests/guests.h"
#include <fcntl.h>
#include <sys/stat.h>

static char folder[64];
static void leave(void) {
    char path[128];
    snprintf(path, sizeof path, "%s/m.wasm", folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/c.wasm", folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/s.json", folder);
    unlink(path);
    rmdir(folder);
}
static void write_file(const char *name, const void *bytes, size_t len) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || (len && write(fd, bytes, len) != (ssize_t)len)) abort();
    close(fd);
}
static void begin(void) {
    snprintf(folder, sizeof folder, "/tmp/touchstone-fuzz-XXXXXX");
    if (!mkdtemp(folder)) abort();
    atexit(leave);
    write_file("m.wasm", fz_guest_script, sizeof fz_guest_script);
    write_file("c.wasm", fz_guest_script_component, sizeof fz_guest_script_component);
}

static void tree(const ts_json *v, unsigned depth) {
    if (depth > 200) abort();
    if (v->str && v->str[v->len] != 0) abort();
    for (const ts_json *c = v->child; c; c = c->next) {
        if ((v->kind == TS_JSON_OBJECT) != (c->key != NULL) || (c->key && c->key[c->key_len] != 0)) abort();
        tree(c, depth + 1);
    }
}

/* The command would confine this process once and for all, after which libFuzzer writes no file. */
__attribute__((constructor)) static void leave_unconfined(void) {
    setenv("TOUCHSTONE_CONFINE", "off", 1);
}
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!folder[0]) begin();
    ts_arena arena;
    ts_error e;
    const ts_json *root;
    ts_arena_init(&arena);
    ts_error_init(&e);
    uint8_t *text = fz_bytes(fz_input_of(data, size));
    ts_status s = ts_json_parse(&arena, (const char *)text, size, &root, &e);
    fz_check(s, &e);
    if (s == TS_OK) tree(root, 0);
    ts_arena_free(&arena);
    free(text);
    /* A script that reads other files than ours, such as a terminal, would not be repeatable. */
    if (s != TS_OK || memmem(data, size, "..", 2) || memmem(data, size, "\\u002", 5)) return 0;
    char path[128];
    write_file("s.json", data, size);
    snprintf(path, sizeof path, "%s/s.json", folder);
    char *argv[] = {"wast", "--timeout", "2s", path, NULL};
    int status = ts_cli_wast(4, argv);
    if (status < 0 || status > 130) abort();
    return 0;
}
