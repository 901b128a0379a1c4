/* option: see option.h. This file reads values and words; rows.c has the rows. */
#include "wasi/policy/option.h"
#include "wasi/context.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const ts_option *ts_option_find(const ts_option *rows, const char *name, size_t len) {
    for (; len && rows->name; rows++)
        if (strlen(rows->name) == len && memcmp(rows->name, name, len) == 0) return rows;
    return NULL;
}

static ts_status number(const ts_option *o, const char *value, void *target, ts_error *e) {
    bool bytes = o->form == TS_OPTION_SIZE || o->form == TS_OPTION_SIZE32,
         is32 = o->form == TS_OPTION_SIZE32 || o->form == TS_OPTION_NUMBER32;
    uint64_t n, most = o->detail ? o->detail : is32 ? UINT32_MAX : UINT64_MAX;
    TS_TRY(ts_quantity_parse(value,
                             bytes                       ? TS_QUANTITY_BYTES
                             : o->form == TS_OPTION_TIME ? TS_QUANTITY_TIME
                                                         : TS_QUANTITY_PLAIN,
                             &n, e));
    if (n > most) return ts_fail(e, TS_USAGE, "out of range: at most %llu", (unsigned long long)most);
    if (is32)
        *(uint32_t *)target = (uint32_t)n;
    else
        *(uint64_t *)target = n;
    return TS_OK;
}

static ts_status set(ts_reading *r, const ts_option *o, const char *value, ts_error *e) {
    void *target = o->target == TS_OPTION_APPLIES ? NULL : (char *)r->settings + o->target;
    uint64_t ignored;
    switch (o->form) {
    case TS_OPTION_NUMBER:
    case TS_OPTION_NUMBER32:
    case TS_OPTION_SIZE:
    case TS_OPTION_SIZE32:
    case TS_OPTION_TIME:
        if (target) return number(o, value, target, e);
        break;
    case TS_OPTION_FLAG:
        if (target) {
            *(bool *)target = !value || *value == 'y';
            return TS_OK;
        }
        break;
    case TS_OPTION_IGNORED: return ts_quantity_parse(value, TS_QUANTITY_PLAIN, &ignored, e);
    case TS_OPTION_TEXT:
    case TS_OPTION_OPTIONAL:
        if (value && !*value) return ts_fail(e, TS_USAGE, "the value is empty");
        break;
    case TS_OPTION_ANY_TEXT:
    case TS_OPTION_LIST:
    case TS_OPTION_SWITCH:
    case TS_OPTION_ELSEWHERE: break;
    }
    if (target) {
        *(const char **)target = value;
        return TS_OK;
    }
    return o->apply ? o->apply(r, o, value, e) : TS_OK;
}
ts_status ts_option_set(ts_reading *r, const ts_option *o, const char *shown, const char *value, ts_error *e) {
    if (o->form == TS_OPTION_LIST) return set(r, o, value, e);
    ts_error why;
    ts_error_init(&why);
    ts_status s = set(r, o, value, &why);
    if (s == TS_OK) return TS_OK;
    size_t n = value ? strlen(value) : 0;
    if (n && strncmp(why.message, value, n) == 0 && (why.message[n] == ':' || why.message[n] == ' '))
        return ts_fail(e, s, "%s %s", shown, why.message); /* the message begins with the value itself */
    return ts_fail(e, s, n ? "%s %.200s: %s" : "%s%s: %s", shown, n ? value : "", why.message);
}

/* Returns "y" or "n" for the spellings that wasmtime accepts, or NULL for anything else. */
static const char *yes_or_no(const char *value) {
    static const char *const yes[] = {"y", "yes", "true", "on", "1"}, *const no[] = {"n", "no", "false", "off", "0"};
    for (int i = 0; i < 5; i++) {
        if (strcmp(value, yes[i]) == 0) return "y";
        if (strcmp(value, no[i]) == 0) return "n";
    }
    return NULL;
}

static ts_status word(ts_reading *r, char *text, const char *list, ts_error *e) {
    (void)list;
    char *eq = strchr(text, '='), shown[64];
    if (eq) *eq++ = 0;
    const ts_option *o = ts_option_find(ts_word_rows, text, strlen(text));
    if (!o) {
        ts_nearest near = ts_nearest_to(text, strlen(text));
        for (const ts_option *w = ts_word_rows; w->name; w++) ts_nearest_see(&near, w->name);
        return ts_fail(e, TS_USAGE, "-S %s: there is no such word%s%s (touchstone --help lists them)", text,
                       TS_DID_YOU_MEAN(near));
    }
    snprintf(shown, sizeof shown, "-S %s", o->name);
    if (o->argument && !o->detail && !eq && o->form != TS_OPTION_ELSEWHERE)
        return ts_fail(e, TS_USAGE, "%s: %s=%s is expected", shown, shown, o->argument);
    if (o->form == TS_OPTION_ELSEWHERE && o->detail)
        return ts_fail(e, TS_USAGE,
                       "%s: this limit of wasmtime's does not exist here (--max-table limits handles, --max-memory "
                       "what calls take)",
                       shown);
    if (o->argument && !eq) return ts_fail(e, TS_USAGE, "%s: %s=%s is expected", shown, shown, o->argument);
    if (o->argument) return ts_option_set(r, o, shown, eq, e);
    const char *value = yes_or_no(eq ? eq : "y");
    if (o->form == TS_OPTION_ELSEWHERE && (!value || *value == 'y'))
        return ts_fail(e, TS_USAGE, "%s: this word of wasmtime's is not about WASI 0.2, and is not supported", shown);
    if (!value) return ts_fail(e, TS_USAGE, "%s=%s: y or n is expected", shown, eq);
    if (!o->apply) return TS_OK;
    ts_error why;
    ts_error_init(&why);
    ts_status s = o->apply(r, o, value, &why);
    return s == TS_OK ? s : ts_fail(e, s, "%s: %s", shown, why.message);
}

ts_status ts_each_word(ts_reading *r, const char *option, const char *list, ts_word_fn word_fn, ts_error *e) {
    char *copy = strdup(list);
    if (!copy) return ts_fail_nomem(e);
    ts_status s = TS_OK;
    for (char *at = copy; at && s == TS_OK;) {
        char *next = strchr(at, ',');
        if (next) *next++ = 0;
        s = *at ? word_fn(r, at, list, e)
                : ts_fail(e, TS_USAGE, "%s %s: there is an empty word in the list", option, list);
        at = next;
    }
    free(copy);
    return s;
}
ts_status ts_words_set(ts_reading *r, const ts_option *o, const char *list, ts_error *e) {
    (void)o;
    return ts_each_word(r, "-S", list, word, e);
}

void ts_settings_free(ts_settings *s) {
    for (uint32_t i = 0; i < s->denied.len; i++) free(s->denied.data[i]);
    for (uint32_t i = 0; i < s->unstable.len; i++) free(s->unstable.data[i]);
    for (uint32_t i = 0; i < s->kept.len; i++) free(s->kept.data[i]);
    ts_vec_free(&s->denied);
    ts_vec_free(&s->unstable);
    ts_vec_free(&s->kept);
}
void ts_settings_finish(const ts_settings *s, ts_wasi *w) {
    if (!s->policy.limits.deterministic) return;
    if (!w->grants->clock_own) ts_wasi_set_clock(w, 0, 0);
    if (!w->grants->seeded) ts_wasi_set_seed(w, 0);
}
