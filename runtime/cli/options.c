/* options: see options.h */
#include "cli/options.h"
#include "cli/option_table.h"
#include <stdio.h>
#include <string.h>

/* Returns the option of this command that an argv word names. *value is the value in the same word, or
 * NULL. */
static const ts_option *option_of(const char *arg, ts_cli_command command, const char **value) {
    const char *name = arg + 1 + (arg[1] == '-');
    size_t n = strcspn(name, "=");
    if (name == arg + 1) n = 1; /* -S WORD or -SWORD */
    *value = name == arg + 1 ? (name[1] ? name + 1 + (name[1] == '=') : NULL) : name[n] ? name + n + 1 : NULL;
    const ts_option *o = ts_cli_option_find(name, n);
    return o && (o->commands & command) && (o->name[1] != 0) == (arg[1] == '-') ? o : NULL;
}

static ts_status unknown(const char *arg, ts_cli_command command, ts_error *e) {
    const char *name = arg + strspn(arg, "-");
    size_t n = strcspn(name, "=");
    TS_TRY(ts_cli_foreign_option(arg, e));
    const ts_option *other = ts_cli_option_find(name, n);
    if (other && !(other->commands & command))
        return ts_fail(e, TS_USAGE, "--%s is an option of touchstone %s", other->name,
                       other->commands == TS_CLI_SERVE ? "serve" : "run");
    ts_nearest near = ts_nearest_to(name, n);
    for (int k = 0; k < 2; k++)
        for (const ts_option *o = k ? ts_policy_rows : ts_cli_rows; o->name; o++)
            if (o->help && *o->name && (o->commands & command)) ts_nearest_see(&near, o->name);
    return ts_fail(e, TS_USAGE, "there is no option %s%s%s (touchstone --help lists them)", arg,
                   near.best ? "; did you mean --" : "", near.best ? near.best : "");
}

/* Applies one option. Its value is in the same word or in the next one. */
static ts_status one(ts_reading *r, ts_cli_command command, char **argv, int argc, int *i, ts_error *e) {
    const char *v;
    char shown[64];
    const ts_option *o = option_of(argv[*i], command, &v);
    if (!o) return unknown(argv[*i], command, e);
    snprintf(shown, sizeof shown, "%s%s", o->name[1] ? "--" : "-", o->name);
    if (o->form == TS_OPTION_FLAG) {
        if (v) return ts_fail(e, TS_USAGE, "%s takes no value", shown);
    } else if (o->form != TS_OPTION_OPTIONAL && !v) {
        if (*i + 1 >= argc) return ts_fail(e, TS_USAGE, "%s needs a value", shown);
        v = argv[++*i];
    }
    return ts_option_set(r, o, shown, v, e);
}

static void note(void *data, const char *text) {
    (void)data;
    fprintf(stderr, "touchstone: %s\n", text);
}
/* Words after the component go to the guest. A user of serve may have meant them for the server. */
static void warn_of_trailing(const ts_cli_options *o, ts_cli_command command) {
    for (int i = 0; command == TS_CLI_SERVE && i < o->n_args; i++) {
        const char *v;
        if (o->args[i][0] != '-' || !option_of(o->args[i], command, &v)) continue;
        fprintf(stderr,
                "touchstone: warning: %s after %s is an argument of the guest: options of serve come before it\n",
                o->args[i], o->component);
        return;
    }
}

ts_status ts_cli_options_read(ts_cli_command command, int argc, char **argv, ts_wasi *w, ts_cli_options *o,
                              ts_error *e) {
    *o = (ts_cli_options){0};
    ts_reading r = {.w = w, .settings = &o->set, .note = note};
    const char *v;
    for (int i = 1; i < argc && argv[i][0] == '-'; i++) { /* find --outcome before anything can fail */
        const ts_option *known = option_of(argv[i], command, &v);
        if (known && known->target == offsetof(ts_cli_options, outcome))
            o->outcome = v ? v : i + 1 < argc ? argv[i + 1] : NULL;
    }
    int i = 1;
    for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
        if (strcmp(argv[i], "--") == 0) {
            i++;
            break;
        }
        TS_TRY(one(&r, command, argv, argc, &i, e));
    }
    ts_settings_finish(&o->set, w);
    if (i < argc) {
        o->component = argv[i];
        o->args = argv + i + 1;
        o->n_args = argc - i - 1;
    } else if (!o->show_grants) {
        return ts_fail(e, TS_USAGE, "%s: a component is expected (touchstone --help)",
                       command == TS_CLI_SERVE ? "serve" : "run");
    }
    warn_of_trailing(o, command);
    const char *slash = o->component ? strrchr(o->component, '/') : NULL;
    const char *argv0 = o->argv0 ? o->argv0 : slash ? slash + 1 : o->component;
    if (argv0) TS_TRY(ts_wasi_add_arg(w, argv0, e));
    for (int k = 0; k < o->n_args; k++) TS_TRY(ts_wasi_add_arg(w, o->args[k], e));
    return TS_OK;
}

void ts_cli_options_free(ts_cli_options *o) {
    ts_settings_free(&o->set);
}

ts_status ts_cli_linker(const ts_cli_options *o, ts_wasi *w, ts_linker **out, ts_error *e) {
    ts_linker *l;
    *out = NULL;
    TS_TRY(ts_linker_new(&l, e));
    ts_status s = ts_wasi_policy_link(&o->set.policy, l, e);
    if (s == TS_OK) s = ts_wasi_link(w, l, e);
    if (s == TS_OK)
        *out = l;
    else
        ts_linker_free(l);
    return s;
}
