/* profile_write: writes a profile as one JSON object, which is in two formats at once.
 * In: a profile (profile.h). Out: "meta", "libs" and "threads" are a processed profile of the Firefox profiler;
 * "$schema", "shared" and "profiles" are a file of speedscope, which does not read the former. Each program ignores the
 * members of the other.
 * Source: firefox-devtools/profiler, processed profile format version 55; speedscope, file-format-schema.json */
#include "base/utf8.h"
#include "core/tools/profile.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The stacks with inlined functions as frames of their own. */
typedef struct node {
    uint32_t caller; /* a lower number, or TS_PROFILE_NONE */
    uint32_t line;
} node;
typedef struct writer {
    const ts_profile *p;
    FILE *f;
    TS_VEC(node) nodes;
    uint32_t *node_of;  /* by stack */
    uint32_t *new_node; /* by node: its number in the thread that is written */
    uint32_t *new_line, *new_function;
    uint32_t *numbers; /* scratch */
} writer;

static void put_string(FILE *f, const char *s) {
    bool valid = ts_utf8_valid((const uint8_t *)s, strlen(s));
    fputc('"', f);
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\')
            fprintf(f, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            fprintf(f, "\\u%04x", c);
        else
            fputc(c >= 0x80 && !valid ? '?' : c, f);
    }
    fputc('"', f);
}
static void put_number(FILE *f, const char *before, uint32_t n) { /* TS_PROFILE_NONE: null */
    if (n == TS_PROFILE_NONE)
        fprintf(f, "%snull", before);
    else
        fprintf(f, "%s%u", before, n);
}

static bool expand(writer *w) {
    const ts_profile *p = w->p;
    w->node_of = calloc((size_t)p->stacks.len + 1, sizeof *w->node_of);
    if (!w->node_of) return false;
    for (uint32_t i = 0; i < p->stacks.len; i++) {
        const ts_profile_stack *s = &p->stacks.data[i];
        const ts_profile_place *at = &p->places.data[s->place];
        uint32_t caller = s->caller == TS_PROFILE_NONE ? TS_PROFILE_NONE : w->node_of[s->caller];
        for (uint32_t k = 0; at->known && k < at->n; k++) {
            if (!ts_vec_push(&w->nodes, (node){caller, p->chains.data[at->first + k]})) return false;
            caller = w->nodes.len - 1;
        }
        w->node_of[i] = caller;
    }
    size_t most = p->lines.len > p->functions.len ? p->lines.len : p->functions.len;
    if (w->nodes.len > most) most = w->nodes.len;
    w->new_node = calloc((size_t)w->nodes.len + 1, sizeof *w->new_node);
    w->new_line = calloc((size_t)p->lines.len + 1, sizeof *w->new_line);
    w->new_function = calloc((size_t)p->functions.len + 1, sizeof *w->new_function);
    w->numbers = calloc(most + 1, sizeof *w->numbers);
    return w->new_node && w->new_line && w->new_function && w->numbers;
}

/* --- the Firefox profiler ------------------------------------------------------------------------------------- */
enum { UNUSED, USED };
/* Replaces USED by consecutive numbers, and lists the old ones in w->numbers. Returns how many there are. */
static uint32_t renumber(writer *w, uint32_t *a, uint32_t n) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < n; i++)
        if (a[i] == USED) {
            a[i] = count;
            w->numbers[count++] = i;
        }
    return count;
}
static void mark(writer *w, uint32_t thread) {
    const ts_profile *p = w->p;
    memset(w->new_node, 0, w->nodes.len * sizeof *w->new_node);
    memset(w->new_line, 0, p->lines.len * sizeof *w->new_line);
    memset(w->new_function, 0, p->functions.len * sizeof *w->new_function);
    for (uint32_t i = 0; i < p->samples.len; i++) {
        if (p->samples.data[i].thread != thread) continue;
        uint32_t n = w->node_of[p->samples.data[i].stack];
        for (; n != TS_PROFILE_NONE && !w->new_node[n]; n = w->nodes.data[n].caller) {
            uint32_t line = w->nodes.data[n].line;
            w->new_node[n] = USED;
            w->new_line[line] = USED;
            w->new_function[p->lines.data[line].function] = USED;
        }
    }
}
#define COLUMN(w, n, name, print)                                                                                      \
    do {                                                                                                               \
        fprintf((w)->f, ",\"%s\":[", (name));                                                                          \
        for (uint32_t i = 0; i < (n); i++) {                                                                           \
            const char *comma = i ? "," : "";                                                                          \
            print;                                                                                                     \
        }                                                                                                              \
        fprintf((w)->f, "]");                                                                                          \
    } while (0)
#define LITERAL(text) fprintf(w->f, "%s%s", comma, text)
#define NUMBER(n) put_number(w->f, comma, (n))

static void put_functions(writer *w) {
    const ts_profile *p = w->p;
    uint32_t n = renumber(w, w->new_function, p->functions.len);
#define FUNCTION (p->functions.data[w->numbers[i]])
    fprintf(w->f, ",\n\"funcTable\":{\"length\":%u", n);
    COLUMN(w, n, "name", NUMBER(FUNCTION.name));
    COLUMN(w, n, "isJS", LITERAL("false"));
    COLUMN(w, n, "relevantForJS", LITERAL("false"));
    COLUMN(w, n, "resource", LITERAL("-1"));
    COLUMN(w, n, "fileName", NUMBER(FUNCTION.file));
    COLUMN(w, n, "lineNumber", LITERAL("null"));
    COLUMN(w, n, "columnNumber", LITERAL("null"));
    fprintf(w->f, "}");
}
static void put_frames(writer *w) {
    const ts_profile *p = w->p;
    uint32_t n = renumber(w, w->new_line, p->lines.len);
#define LINE (p->lines.data[w->numbers[i]])
#define OR_NONE(n) ((n) ? (n) : TS_PROFILE_NONE)
    fprintf(w->f, ",\n\"frameTable\":{\"length\":%u", n);
    COLUMN(w, n, "address", LITERAL("-1"));
    COLUMN(w, n, "inlineDepth", LITERAL("0"));
    COLUMN(w, n, "category", NUMBER(LINE.kind));
    COLUMN(w, n, "subcategory", LITERAL("0"));
    COLUMN(w, n, "func", NUMBER(w->new_function[LINE.function]));
    COLUMN(w, n, "nativeSymbol", LITERAL("null"));
    COLUMN(w, n, "innerWindowID", LITERAL("null"));
    COLUMN(w, n, "line", NUMBER(OR_NONE(LINE.line)));
    COLUMN(w, n, "column", NUMBER(OR_NONE(LINE.column)));
    fprintf(w->f, "}");
}
static void put_stacks(writer *w) {
    uint32_t n = renumber(w, w->new_node, w->nodes.len);
#define NODE (w->nodes.data[w->numbers[i]])
    fprintf(w->f, ",\n\"stackTable\":{\"length\":%u", n);
    COLUMN(w, n, "prefix", NUMBER(NODE.caller == TS_PROFILE_NONE ? TS_PROFILE_NONE : w->new_node[NODE.caller]));
    COLUMN(w, n, "frame", NUMBER(w->new_line[NODE.line]));
    fprintf(w->f, "}");
}
#define EACH_SAMPLE(name, print)                                                                                       \
    do {                                                                                                               \
        const char *comma = "";                                                                                        \
        fprintf(w->f, ",\"%s\":[", (name));                                                                            \
        for (uint32_t i = 0; i < p->samples.len; i++) {                                                                \
            const ts_profile_sample *s = &p->samples.data[i];                                                          \
            if (s->thread != thread) continue;                                                                         \
            print;                                                                                                     \
            comma = ",";                                                                                               \
        }                                                                                                              \
        fprintf(w->f, "]");                                                                                            \
    } while (0)
static void put_samples(writer *w, uint32_t thread) {
    const ts_profile *p = w->p;
    uint32_t n = 0;
    for (uint32_t i = 0; i < p->samples.len; i++) n += p->samples.data[i].thread == thread;
    fprintf(w->f, ",\n\"samples\":{\"length\":%u,\"weightType\":\"samples\",\"weight\":null", n);
    EACH_SAMPLE("stack", {
        uint32_t node = w->node_of[s->stack];
        NUMBER(node == TS_PROFILE_NONE ? TS_PROFILE_NONE : w->new_node[node]);
    });
    EACH_SAMPLE("time", fprintf(w->f, "%s%.3f", comma, (double)s->time_ns / 1e6));
    EACH_SAMPLE("threadCPUDelta", fprintf(w->f, "%s%" PRIu64, comma, s->cpu_ns / 1000));
    fprintf(w->f, "}");
}
static void put_thread(writer *w, uint32_t thread) {
    const ts_profile *p = w->p;
    uint64_t id = p->threads.data[thread], process = ts_process_id();
    bool main = id == process;
    fprintf(w->f,
            "{\"name\":\"%s\",\"isMainThread\":%s,\"processType\":\"default\",\"processName\":\"touchstone\","
            "\"processStartupTime\":0,\"processShutdownTime\":null,\"registerTime\":0,\"unregisterTime\":null,"
            "\"pausedRanges\":[],\"pid\":\"%" PRIu64 "\",\"tid\":%" PRIu64,
            main ? "guest" : "guest on another thread", main || p->threads.len == 1 ? "true" : "false", process, id);
    mark(w, thread);
    put_functions(w); /* each of them numbers what the next ones refer to */
    put_frames(w);
    put_stacks(w);
    put_samples(w, thread);
    fprintf(w->f, ",\n\"markers\":{\"length\":0,\"category\":[],\"data\":[],\"endTime\":[],\"name\":[],\"phase\":[],"
                  "\"startTime\":[]},\n\"nativeSymbols\":{\"length\":0,\"address\":[],\"functionSize\":[],"
                  "\"libIndex\":[],\"name\":[]},\n\"resourceTable\":{\"length\":0,\"lib\":[],\"name\":[],\"host\":[],"
                  "\"type\":[]}");
    COLUMN(w, p->strings.len, "stringArray", {
        fputs(comma, w->f);
        put_string(w->f, p->strings.data[i]);
    });
    fprintf(w->f, "}");
}
static void put_firefox(writer *w) {
    const ts_profile *p = w->p;
    fprintf(w->f,
            "\"meta\":{\"version\":30,\"preprocessedProfileVersion\":55,\"product\":\"touchstone\",\"interval\":%.3f,"
            "\"startTime\":%.3f,\"processType\":0,\"stackwalk\":1,\"debug\":false,\"symbolicated\":true,"
            "\"usesOnlyOneStackType\":true,\"sourceCodeIsNotOnSearchfox\":true,\"markerSchema\":[],"
            "\"sampleUnits\":{\"time\":\"ms\",\"eventDelay\":\"ms\",\"threadCPUDelta\":\"\\u00b5s\"},\"categories\":["
            "{\"name\":\"Machine code\",\"color\":\"green\",\"subcategories\":[\"Other\"]},"
            "{\"name\":\"Interpreter\",\"color\":\"yellow\",\"subcategories\":[\"Other\"]},"
            "{\"name\":\"Host\",\"color\":\"blue\",\"subcategories\":[\"Other\"]},"
            "{\"name\":\"Other\",\"color\":\"grey\",\"subcategories\":[\"Other\"]}]},\n\"libs\":[],\n\"threads\":[",
            (double)p->period_ns / 1e6, p->started_ms);
    for (uint32_t i = 0; i < p->threads.len; i++) {
        fputs(i ? ",\n" : "", w->f);
        put_thread(w, i);
    }
    fprintf(w->f, "]");
}

/* --- speedscope ----------------------------------------------------------------------------------------------- */
/* Its frames are functions, so that its boxes are. Equal samples that follow each other are one. */
static void put_functions_of(writer *w, uint32_t n) {
    uint32_t depth = 0;
    for (; n != TS_PROFILE_NONE; n = w->nodes.data[n].caller) w->numbers[depth++] = w->nodes.data[n].line;
    fputc('[', w->f);
    while (depth-- > 0) fprintf(w->f, depth ? "%u," : "%u", w->p->lines.data[w->numbers[depth]].function);
    fputc(']', w->f);
}
static bool same_functions(const writer *w, uint32_t a, uint32_t b) {
    const ts_profile_line *lines = w->p->lines.data;
    while (a != b && a != TS_PROFILE_NONE && b != TS_PROFILE_NONE) {
        if (lines[w->nodes.data[a].line].function != lines[w->nodes.data[b].line].function) return false;
        a = w->nodes.data[a].caller;
        b = w->nodes.data[b].caller;
    }
    return a == b;
}
static void put_sampled(writer *w, uint32_t thread) {
    const ts_profile *p = w->p;
    uint32_t last = TS_PROFILE_NONE;
    uint64_t total = 0, sum = 0;
    const char *between = "";
    fprintf(w->f,
            "{\"type\":\"sampled\",\"unit\":\"milliseconds\",\"name\":\"thread %" PRIu64 "\",\"startValue\":0,"
            "\"samples\":[",
            p->threads.data[thread]);
    for (uint32_t i = 0; i < p->samples.len; i++) {
        if (p->samples.data[i].thread != thread) continue;
        uint32_t n = w->node_of[p->samples.data[i].stack];
        total += p->samples.data[i].cpu_ns;
        if (*between && same_functions(w, n, last)) continue;
        fputs(between, w->f);
        put_functions_of(w, n);
        between = ",";
        last = n;
    }
    fprintf(w->f, "],\n\"weights\":[");
    between = "";
    for (uint32_t i = 0; i < p->samples.len; i++) {
        if (p->samples.data[i].thread != thread) continue;
        uint32_t n = w->node_of[p->samples.data[i].stack];
        if (sum && !same_functions(w, n, last)) {
            fprintf(w->f, "%s%.3f", between, (double)sum / 1e6);
            between = ",";
            sum = 0;
        }
        sum += p->samples.data[i].cpu_ns;
        last = n;
    }
    if (sum) fprintf(w->f, "%s%.3f", between, (double)sum / 1e6);
    fprintf(w->f, "],\n\"endValue\":%.3f}", (double)total / 1e6);
}
static void put_speedscope(writer *w) {
    const ts_profile *p = w->p;
    fprintf(w->f, "{\"$schema\":\"https://www.speedscope.app/file-format-schema.json\",\n\"exporter\":\"touchstone\",\n"
                  "\"shared\":{\"frames\":[");
    for (uint32_t i = 0; i < p->functions.len; i++) {
        fprintf(w->f, i ? ",\n{\"name\":" : "\n{\"name\":");
        put_string(w->f, p->strings.data[p->functions.data[i].name]);
        if (p->functions.data[i].file != TS_PROFILE_NONE) {
            fprintf(w->f, ",\"file\":");
            put_string(w->f, p->strings.data[p->functions.data[i].file]);
        }
        fprintf(w->f, "}");
    }
    fprintf(w->f, "]},\n\"profiles\":[");
    for (uint32_t i = 0; i < p->threads.len; i++) {
        fputs(i ? ",\n" : "", w->f);
        put_sampled(w, i);
    }
    fprintf(w->f, "],\n");
}

bool ts_profile_write(ts_profile *p) {
    writer w = {.p = p, .f = p->file};
    bool ok = expand(&w);
    if (ok) {
        put_speedscope(&w);
        put_firefox(&w);
        fprintf(w.f, "}\n");
        ok = !ferror(w.f);
    }
    ts_vec_free(&w.nodes);
    free(w.node_of);
    free(w.new_node);
    free(w.new_line);
    free(w.new_function);
    free(w.numbers);
    return ok;
}
