/* option: an option as a row of a table: its name, the type of its argument, where the value goes, whether a
 * policy may contain it, and its help text. rows.c has the rows that a policy may contain; the command adds
 * its own.
 * In: an option and its value as text. Out: grants in a context and fields of ts_settings; TS_USAGE with
 * words. */
#ifndef TS_WASI_OPTION_H
#define TS_WASI_OPTION_H
#include "base/error.h"
#include "base/quantity.h"
#include "base/vec.h"
#include "wasi/wasi.h"

/* What options set besides the grants of a context. */
typedef struct ts_settings {
    ts_wasi_policy policy; /* the first member: a ts_wasi_policy of ours is a ts_settings */
    bool unknown_imports_trap;
    TS_VEC(char *) denied, unstable; /* interfaces to deny and features to enable in the linker */
    TS_VEC(char *) kept;             /* strings that the fields above point to */
} ts_settings;
void ts_settings_free(ts_settings *s); /* not `s` itself */
/* What follows from the options as a whole: `deterministic` sets a clock and a seed that were not given. */
void ts_settings_finish(const ts_settings *s, ts_wasi *w);

/* Where the values of options go. `settings` may be the first member of a larger struct of the caller's,
 * whose other fields the caller's own rows set. */
typedef struct ts_reading {
    ts_wasi *w;
    ts_settings *settings;
    void (*note)(void *data, const char *text); /* for remarks to the user; NULL: none are made */
    void *note_data;
} ts_reading;

/* The form of an option's argument, and the C type of its value at `target`. */
typedef enum ts_option_form {
    TS_OPTION_FLAG,     /* no argument: bool */
    TS_OPTION_TEXT,     /* not empty: const char *, or passed to `apply` */
    TS_OPTION_ANY_TEXT, /* the same, which may be empty */
    TS_OPTION_LIST,     /* text for `apply`, whose messages are complete */
    TS_OPTION_OPTIONAL, /* as TEXT, but only as --name=VALUE; NULL without a value */
    TS_OPTION_NUMBER,   /* uint64_t */
    TS_OPTION_NUMBER32, /* uint32_t */
    TS_OPTION_SIZE,     /* bytes, uint64_t */
    TS_OPTION_SIZE32,   /* bytes, uint32_t */
    TS_OPTION_TIME,     /* nanoseconds, uint64_t */
    TS_OPTION_SWITCH,   /* a word of -S: y or n; `apply` gets "y" or "n" */
    TS_OPTION_IGNORED,  /* a word of -S whose number is parsed and ignored */
    TS_OPTION_ELSEWHERE /* a word of -S outside WASI 0.2, refused unless =n; or a limit that we do not have */
} ts_option_form;

typedef enum ts_option_in_policy {
    TS_OPTION_NEVER, /* not allowed in a policy */
    TS_OPTION_ONE,   /* one value */
    TS_OPTION_MANY   /* one value or an array of them */
} ts_option_in_policy;

typedef struct ts_option {
    const char *name;     /* without dashes; "": the row is a heading, which `help` holds */
    const char *argument; /* as shown in help; NULL: none */
    ts_option_form form;
    ts_option_in_policy policy;
    unsigned commands; /* the caller's set of commands that take it */
    size_t target;     /* offset from `settings`; TS_OPTION_APPLIES: call `apply` */
    ts_status (*apply)(ts_reading *r, const struct ts_option *o, const char *value, ts_error *e);
    uint64_t detail;  /* passed to apply; the maximum of a number, 0: no bound */
    const char *help; /* NULL: not listed */
} ts_option;
#define TS_OPTION_APPLIES ((size_t)-1)
enum { TS_OPTION_EVERY = 0xff }; /* all commands */

/* The last row has no name. Words are the words of -S; a policy may contain words too. */
extern const ts_option ts_policy_rows[], ts_word_rows[];
const ts_option *ts_option_find(const ts_option *rows, const char *name, size_t len); /* NULL: there is none */
/* Sets an option to a value (NULL for a flag). `shown` is the option as the user wrote it: "--fuel", "-S
 * tcp"; each message begins with it and the value. */
ts_status ts_option_set(ts_reading *r, const ts_option *o, const char *shown, const char *value,
                        ts_error *e) TS_MUST_USE;
/* Calls `fn` for each word of a list with commas until one fails; an empty word is TS_USAGE. `fn` may write
 * to the word. */
typedef ts_status (*ts_word_fn)(ts_reading *r, char *word, const char *list, ts_error *e);
ts_status ts_each_word(ts_reading *r, const char *option, const char *list, ts_word_fn fn, ts_error *e) TS_MUST_USE;
/* Applies a comma-separated list of words of -S, with their values. */
ts_status ts_words_set(ts_reading *r, const ts_option *o, const char *list, ts_error *e) TS_MUST_USE;

/* Checks a list of features of the component model; TS_USAGE names a word that is empty or unknown. */
ts_status ts_features_check(const char *list, ts_error *e) TS_MUST_USE;
/* The interfaces of WASI 0.2, some of them more than once; NULL after the last one. */
const char *ts_wasi_interface_at(uint32_t i);
#define TS_DID_YOU_MEAN(near) (near).best ? "; did you mean " : "", (near).best ? (near).best : ""

/* Reads a policy file as if its keys were options. *e has the path and the line. */
ts_status ts_policy_read(ts_reading *r, const char *path, ts_error *e) TS_MUST_USE;
#endif
