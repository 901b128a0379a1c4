/* main: the command `touchstone`. It picks the subcommand.
 * In: argv. Out: the exit status. */
#include "cli/option_table.h"
#include "cli/outcome.h"
#include "base/quantity.h"
#include "cli/output.h"
#include "cli/run.h"
#include "cli/wast/wast.h"
#include "sys/descriptors.h"
#include "sys/killed.h"
#include <stdio.h>
#include <string.h>

typedef struct command {
    const char *name, *args, *text;
    int (*run)(int argc, char **argv);
} command;

static const command commands[] = {
    {"run", "[OPTION…] COMPONENT [ARG…]",
     "run a component that exports wasi:cli/run, or a core module of WASI preview 1 that exports _start", ts_cli_run},
    {"serve", "[OPTION…] COMPONENT [ARG…]", "answer HTTP with a component that exports wasi:http/incoming-handler",
     ts_cli_serve},
    {"validate", "[--features LIST] FILE", "check a component or a core module", ts_cli_validate},
    {"wast", "SCRIPT.json [--results FILE] [-v]", "run an official script that wasm-tools json-from-wast has converted",
     ts_cli_wast},
    {"inspect", "[--code FUNCTION] COMPONENT | --confinement [OPTION…]",
     "print a component's world, structure and sizes; the code of a function; or what --confine achieves",
     ts_cli_inspect},
};
enum { N_COMMANDS = sizeof commands / sizeof *commands };

static void synopsis(FILE *to, const command *c) {
    fprintf(to, "  touchstone %s %s\n      %s\n", c->name, c->args, c->text);
}
static void features(FILE *to) {
    const char *text, *name;
    fprintf(to, "\nFeatures of the component model, for --features (all: each of them):\n");
    for (uint32_t i = 0; (name = ts_component_feature(i, &text)) != NULL; i++) fprintf(to, "  %-20s %s\n", name, text);
}
static void statuses(FILE *to) {
    fprintf(to,
            "\nExit status: the guest's own; %d if it trapped; and of the command itself:\n"
            "  %d bad usage           %d malformed file   %d invalid file          %d an import cannot be linked\n"
            "  %d a limit was reached %d unreadable file  %d unsupported feature   %d internal error\n"
            "  A guest may exit with any of these itself: --outcome FILE distinguishes them.\n"
            "  If the command cannot write its own output (results, traces, logs, records): %d, and the reason on "
            "stderr.\n"
            "  wast: 1 if commands of the script fail, otherwise %d if some of them are not supported.\n",
            TS_CLI_TRAP, TS_CLI_USAGE, TS_CLI_MALFORMED, TS_CLI_INVALID, TS_CLI_LINK, TS_CLI_LIMIT, TS_CLI_IO,
            TS_CLI_UNSUPPORTED, TS_CLI_INTERNAL, TS_CLI_IO, TS_CLI_UNSUPPORTED);
}
static void outcome(FILE *to) {
    fprintf(to, "\nMembers of the object that --outcome writes:\n"
                "  outcome (exited, trap, limit, link-error, …), status, kind, limit (its option), message, offset,\n"
                "  section, imports, backtrace; and if something has run, usage: seconds, cpu_seconds, host_calls,\n"
                "  fuel (if it is limited); the peaks of stack_bytes, depth, gc_bytes, table_elements, handles,\n"
                "  resources and files; memories (module, bytes); refused: how often a limit refused memory_grow,\n"
                "  table_grow and files. Use these figures to choose limits.\n"
                "  confinement says what --confine achieved: mode, no_new_privileges, files, tcp_ports,\n"
                "  system_calls, limits, all_threads, landlock (its version), any_connect_port, any_listen_port,\n"
                "  makes_code, missing (what does not hold, and why).\n");
}
static void options(FILE *to, bool of_run, bool of_serve) {
    fprintf(to, of_serve ? "\nOptions of run and serve; in serve, grants and limits are those of each request.\n"
                         : "\nOptions of run.\n");
    ts_cli_options_help(to, (of_run ? TS_CLI_RUN : 0) | (of_serve ? TS_CLI_SERVE : 0));
    fprintf(to, "\nWords of -S:\n");
    ts_cli_words_help(to);
}
static void serve_options(FILE *to) {
    fprintf(to, "\nOptions of serve:\n");
    ts_cli_serve_help(to);
}

/* of NULL: of all commands. */
static void help(FILE *to, const command *of) {
    const bool all = !of, run = all || of->run == ts_cli_run, serve = all || of->run == ts_cli_serve;
    fprintf(to, "touchstone %s: runs WASI 0.2 components, and core modules of WASI preview 1\n\n", ts_version());
    for (int i = 0; i < N_COMMANDS; i++)
        if (all || of == &commands[i]) synopsis(to, &commands[i]);
    if (run)
        fprintf(to, "  touchstone [OPTION…] COMPONENT [ARG…]\n      the same as run, if COMPONENT contains a dot or a "
                    "slash\n");
    if (all) fprintf(to, "  touchstone [COMMAND] --help\n  touchstone --version\n");
    if (run || serve) options(to, run, serve);
    if (serve) serve_options(to);
    if (run || serve || of->run == ts_cli_validate) features(to);
    if (run) outcome(to);
    statuses(to);
}

static int command_of(int argc, char **argv) {
    if (argc < 2) {
        help(stderr, NULL);
        return TS_CLI_USAGE;
    }
    const char *word = argv[1];
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) {
        help(stdout, NULL);
        return 0;
    }
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) {
        printf("touchstone %s\n", ts_version());
        return 0;
    }
    for (int i = 0; i < N_COMMANDS; i++)
        if (strcmp(word, commands[i].name) == 0) {
            if (argc == 3 && (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0)) {
                help(stdout, &commands[i]);
                return 0;
            }
            return commands[i].run(argc - 1, argv + 1);
        }
    if (word[0] == '-' || strpbrk(word, "./"))
        return ts_cli_run(argc, argv); /* the word is an option of run, or a component */
    if (!*word) {
        fprintf(stderr, "touchstone: the command is empty (touchstone --help lists them)\n");
        return TS_CLI_USAGE;
    }
    ts_nearest near = ts_nearest_to(word, strlen(word));
    for (int i = 0; i < N_COMMANDS; i++) ts_nearest_see(&near, commands[i].name);
    fprintf(stderr, "touchstone: there is no command %s%s%s (touchstone --help lists them)\n", word,
            near.best ? "; did you mean " : "", near.best ? near.best : "");
    return TS_CLI_USAGE;
}

int main(int argc, char **argv) {
    if (!ts_sys_std_open()) return TS_CLI_IO; /* stderr is closed, so nothing can be reported */
    ts_sys_signals_quiet();
    ts_sys_on_truncated(NULL, "", TS_CLI_IO);
    return ts_cli_finish(command_of(argc, argv));
}
