/* conditions: see conditions.h */
#define _GNU_SOURCE
#include "cli/conditions.h"
#include "base/sha256.h"
#include "cli/output.h"
#include "cli/show_grants.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put_string(FILE *to, const char *s) {
    fputc('"', to);
    for (; *s; s++) {
        if (*s == '"' || *s == '\\') fputc('\\', to);
        if (*s == '\n')
            fputs("\\n", to);
        else
            fputc(*s, to);
    }
    fputc('"', to);
}

/* Returns false for lines about the record itself or about speed. */
static bool about_the_run(const char *line) {
    static const char *const others[] = {"record = ", "replay = ", "cache = ", "max-time = ", "confine = "};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strncmp(line, others[i], strlen(others[i])) == 0) return false;
    return true;
}
/* Turns the line "NAME" = "VALUE" of [env] into env."NAME" = CHECKSUM. */
static void put_variable(FILE *to, const char *line) {
    const char *split = strstr(line, "\" = ");
    uint8_t digest[TS_SHA256_BYTES];
    char hex[2 * TS_SHA256_BYTES + 1];
    ts_sha256 h;
    if (!split) return;
    ts_sha256_begin(&h);
    ts_sha256_add(&h, split, strlen(split));
    ts_sha256_end(&h, digest);
    ts_sha256_hex(digest, hex);
    fprintf(to, "env.%.*s = %.16s\n", (int)(split + 1 - line), line, hex);
}

char *ts_cli_conditions(const ts_cli_options *o, const ts_wasi *w) {
    char *text = NULL, *grants = NULL;
    size_t n, m;
    FILE *to = open_memstream(&text, &n), *from = open_memstream(&grants, &m);
    bool good = to && from;
    if (good) {
        ts_cli_print_grants(from, o, w);
        if (o->argv0) {
            fputs("argv0 = ", to);
            put_string(to, o->argv0);
            fputc('\n', to);
        }
        if (o->n_args) {
            fputs("arguments = [", to);
            for (int i = 0; i < o->n_args; i++) {
                if (i) fputs(", ", to);
                put_string(to, o->args[i]);
            }
            fputs("]\n", to);
        }
        if (o->canonical_nans) fputs("canonical-nans = true\n", to);
        if (o->invoke) {
            fputs("invoke = ", to);
            put_string(to, o->invoke);
            fputc('\n', to);
        }
    }
    if (from) good &= fclose(from) == 0;
    bool env = false;
    for (char *line = good ? grants : NULL, *next; line && *line; line = next) {
        next = line + strcspn(line, "\n");
        if (*next) *next++ = 0;
        env |= strcmp(line, "[env]") == 0;
        if (env)
            put_variable(to, line);
        else if (about_the_run(line))
            fprintf(to, "%s\n", line);
    }
    if (to) good &= fclose(to) == 0;
    free(grants);
    if (good) return text;
    free(text);
    return NULL;
}

/* Returns the value of a key's line and its length, or NULL if the text has no such key. */
static const char *value_of(const char *text, const char *key, size_t key_len, size_t *len) {
    for (const char *line = text; *line; line += *len + (line[*len] == '\n')) {
        *len = strcspn(line, "\n");
        if (*len < key_len + 3 || memcmp(line, key, key_len) != 0 || memcmp(line + key_len, " = ", 3) != 0) continue;
        *len -= key_len + 3;
        return line + key_len + 3;
    }
    return NULL;
}
static bool is_recorded(const char *key) { /* true if a replay takes this from the record */
    static const char *const limits[] = {"max-",     "fuel",      "stack", "deterministic",        "features",
                                         "unstable", "canonical", "deny",  "unknown-imports-trap", "invoke",
                                         "engine"};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        if (strncmp(key, limits[i], strlen(limits[i])) == 0) return false;
    return true;
}
static void put_text(const char *s, size_t len) {
    enum { MOST = 200 };
    ts_cli_put_text(stderr, s, len < MOST ? len : MOST);
    if (len > MOST) fputs("…", stderr);
}
static void put_state(const char *value, size_t len, bool secret) {
    if (!value)
        fputs("not given", stderr);
    else if (secret)
        fputs("given", stderr);
    else
        put_text(value, len);
}

static void warn(const char *key, size_t key_len, const char *here, size_t here_len, const char *there,
                 size_t there_len) {
    const bool secret = strncmp(key, "env.", 4) == 0, recorded = is_recorded(key);
    fputs("touchstone: warning: --replay: ", stderr);
    put_text(key, key_len);
    if (secret && here && there) { /* both are checksums, which say nothing to a reader */
        fputs(": its value differs from the recorded one", stderr);
    } else {
        fputs(": recorded: ", stderr);
        put_state(there, there_len, secret);
        fputs("; here: ", stderr);
        put_state(here, here_len, secret);
    }
    fputs(recorded ? "; the guest gets what was recorded\n" : "; the run may take another course\n", stderr);
}

/* Arguments and grants, which a replay may do without. */
static bool is_grant(const char *key) {
    return is_recorded(key) && strncmp(key, "arguments ", 10) != 0 && strncmp(key, "argv0 ", 6) != 0;
}
/* A replay without any grants is usual. One with some of them looks as if it had the rest too: list what is
 * left out. */
static void warn_of_left_out(const char *here, const char *recorded) {
    enum { MOST = 12 };
    bool any = false;
    unsigned n = 0;
    for (const char *line = here; *line; line += strcspn(line, "\n"), line += *line == '\n') any |= is_grant(line);
    for (const char *line = any ? recorded : ""; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        size_t len = strcspn(line, "\n"), other_len;
        const char *split = memmem(line, len, " = ", 3);
        if (!split || !is_grant(line) || value_of(here, line, (size_t)(split - line), &other_len)) continue;
        if (++n > MOST) continue;
        fputs(n == 1 ? "touchstone: warning: --replay: recorded, but not given here: " : ", ", stderr);
        put_text(line, (size_t)(split - line));
    }
    if (n)
        fputs(n > MOST ? " and others; the guest gets what was recorded\n" : "; the guest gets what was recorded\n",
              stderr);
}

void ts_cli_conditions_compare(const char *here, const char *recorded) {
    for (int pass = 0; pass < 2; pass++) { /* first what is given here, then what only the record has */
        const char *text = pass ? recorded : here, *other = pass ? here : recorded;
        for (const char *line = text; *line;) {
            size_t len = strcspn(line, "\n"), other_len = 0;
            const char *split = memmem(line, len, " = ", 3);
            if (split) {
                size_t key_len = (size_t)(split - line), value_len = len - key_len - 3;
                const char *there = value_of(other, line, key_len, &other_len), *value = split + 3;
                bool same = there && other_len == value_len && memcmp(there, value, value_len) == 0;
                if (!pass && !same) warn(line, key_len, value, value_len, there, other_len);
                if (pass && !there && !is_recorded(line)) warn(line, key_len, NULL, 0, value, value_len);
            }
            line += len + (line[len] == '\n');
        }
    }
    warn_of_left_out(here, recorded);
}
