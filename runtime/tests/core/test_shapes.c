/* test_shapes: what machine code thinks that an operation reads and writes, against its name and its synopsis.
 * In: native/shapes.h; the forms in the names of the opcodes, the synopses in ir_ops.def. Out: cmocka results. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include "core/native/shapes.h"

/* The slots that the fields of an instruction name. */
enum { S0 = 100, LATE = 200, NOT_SEEN = 0x7f7f };
static ts_operands operands_of(unsigned op) {
    ts_word w[4] = {{.u = op}, {.s = {S0, S0 + 1, S0 + 2, S0 + 3}}};
    for (unsigned i = 0; i < 4; i++) w[2].s[i] = w[3].s[i] = NOT_SEEN;
    w[2].uw[1] = LATE;
    ts_operands o;
    ts_operands_of(w, &o);
    return o;
}
static unsigned bit(unsigned class) {
    return class == IN_NONE ? 0 : 1u << class;
}
/* What is expected of an instruction. */
typedef struct expected {
    unsigned n, slot[MAX_READS], classes[MAX_READS]; /* that are read */
    unsigned acc_reads, acc_writes, write_classes;
    bool writes, branches, is_table, ends, divides, reads_late;
} expected;
static void read_slot(expected *x, unsigned slot, unsigned classes) {
    assert_true(x->n < MAX_READS);
    x->slot[x->n] = slot;
    x->classes[x->n++] = classes;
}
static bool has_read(const ts_operands *o, const expected *x, unsigned i, bool with_classes) {
    for (unsigned k = 0; k < o->n_reads; k++)
        if (o->read[k] == x->slot[i] && (!with_classes || o->read_classes[k] == x->classes[i])) return true;
    return false;
}
/* Returns what differs, or NULL. */
static const char *difference(const ts_operands *o, const expected *x, bool with_classes) {
    if (o->n_reads != x->n) return "the number of slots that it reads";
    for (unsigned i = 0; i < x->n; i++)
        if (!has_read(o, x, i, with_classes)) return "a slot that it reads";
    for (unsigned k = x->n; k < 2; k++)
        if (o->read[k] < NO_SLOT) return "a slot that it does not read";
    if (o->acc_reads != x->acc_reads) return "the accumulators that it reads";
    if (o->acc_writes != x->acc_writes) return "the accumulators that it writes";
    if (x->writes ? o->write != S0 : o->write < NO_SLOT) return "the slot that it writes";
    if (x->writes && with_classes && o->write_classes != x->write_classes)
        return "the class of the slot that it writes";
    if (o->branches != x->branches || o->is_table != x->is_table || o->ends != x->ends) return "where control goes";
    if (o->divides != x->divides || o->reads_late != x->reads_late) return "how it computes";
    if (o->n_pairs || o->moved || o->range_to || o->writes_pair || o->reads_all || o->is_call || o->is_exit)
        return "what only others do";
    return NULL;
}

/* --- families: by the letters of the form, see ir.h --- */
static bool is_form(const char *s, size_t len) {
    if (len > 1 && *s == 'x') s++, len--;
    return len >= 1 && len <= 2 && strspn(s, "ASIPQ") >= len;
}
/* The letters at the end of a name, without the `x` in front and the _S behind. */
typedef struct form {
    const char *letters;
    size_t n;
    bool to_slot;
} form;
static form form_of(const char *name) {
    const char *last = strrchr(name, '_') + 1, *before = last - 2;
    while (before > name && before[-1] != '_') before--;
    form f = {last, strlen(last), false};
    if (strcmp(last, "S") == 0 && is_form(before, (size_t)(last - 1 - before)))
        f = (form){before, (size_t)(last - 1 - before), true};
    if (f.n > 1 && *f.letters == 'x') f.letters++, f.n--;
    return f;
}
static void operand(expected *x, char letter, unsigned slot, unsigned class) {
    if (letter == 'S' || letter == 'P') read_slot(x, slot, bit(class));
    if (letter == 'A' || letter == 'Q') x->acc_reads |= bit(class);
}
static unsigned of_a_family(unsigned op) {
    const ts_shape *p = &ts_shapes[op];
    if (p->kind > SHAPE_STOREF) return 0;
    const form f = form_of(ts_ir_names[op]);
    const bool has_address = p->kind == SHAPE_LOAD || p->kind == SHAPE_STORE || p->kind == SHAPE_STOREF,
               from_s0 = p->kind == SHAPE_CMP_BR || p->kind == SHAPE_STORE || p->kind == SHAPE_STOREF;
    const unsigned first = from_s0 ? S0 : S0 + 1;
    expected x = {.writes = f.to_slot,
                  .write_classes = bit(p->out),
                  .acc_writes = bit(p->out),
                  .branches = p->kind == SHAPE_CMP_BR,
                  .divides = p->kind == SHAPE_DIV};
    for (unsigned i = 0; i < f.n; i++) operand(&x, f.letters[i], first + i, has_address ? IN_R : p->in);
    if (p->kind == SHAPE_STOREF) x.acc_reads |= bit(p->in);
    const ts_operands o = operands_of(op);
    const char *what = f.to_slot == p->to_slot ? difference(&o, &x, true) : "whether it writes a slot";
    if (what) fail_msg("%s: %s", ts_ir_names[op], what);
    return 1;
}
static void families(void **state) {
    (void)state;
    unsigned n = 0;
    for (unsigned op = 0; op < TS_IR_COUNT; op++) n += of_a_family(op);
    assert_true(n > 1500);
}
static void loop_counters(void **state) {
    (void)state;
    unsigned n = 0;
    for (unsigned op = 0; op < TS_IR_COUNT; op++) {
        if (ts_shapes[op].kind != SHAPE_ADDBR) continue;
        expected x = {
            .acc_writes = 1 << IN_R, .write_classes = 1 << IN_R, .writes = true, .branches = true, .reads_late = true};
        read_slot(&x, S0 + 1, 1 << IN_R);
        if (form_of(ts_ir_names[op]).letters[0] == 'S') read_slot(&x, LATE, 1 << IN_R);
        const ts_operands o = operands_of(op);
        const char *what = difference(&o, &x, true);
        if (what) fail_msg("%s: %s", ts_ir_names[op], what);
        n++;
    }
    assert_int_equal(n, 20);
}

/* --- opcodes with bodies of their own: by the synopsis --- */
static const char *const synopses[TS_IR_COUNT] = {
#define IR_OP(n, w, s) [TS_IR_##n] = s,
#include "core/code/ir_ops.def"
};
static bool is_word(char c) {
    return isalnum((unsigned char)c) || c == '_';
}
static void synopsis(const char *s, expected *x) {
    static const char letters[] = "RFD";
    for (const char *c = s; *c; c++) {
        const bool begins = c == s || !is_word(c[-1]);
        unsigned field;
        if (begins && sscanf(c, "S[s%1u]", &field) == 1) {
            const bool set = strncmp(c + 5, " :=", 3) == 0;
            if (set) x->writes = true;
            if (!set) read_slot(x, S0 + field, 0);
        }
        const char *letter = strchr(letters, *c);
        if (begins && letter && !is_word(c[1]))
            *(strncmp(c + 1, " :=", 3) == 0 ? &x->acc_writes : &x->acc_reads) |= 1u << (letter - letters);
    }
    x->branches = strstr(s, "goto w1") != NULL;
    x->is_table = strstr(s, "goto word[") != NULL;
    x->ends = strncmp(s, "goto", 4) == 0;
}
static void bodies_of_their_own(void **state) {
    (void)state;
    unsigned n = 0;
    for (unsigned op = TS_IR_i32_addbr_nz; op <= TS_IR_br_table; op++) {
        expected x = {0};
        if (!synopses[op] || strstr(synopses[op], "..")) continue; /* several slots at once */
        synopsis(synopses[op], &x);
        const ts_operands o = operands_of(op);
        const char *what = difference(&o, &x, false);
        if (what) fail_msg("%s: %s", ts_ir_names[op], what);
        n++;
    }
    assert_true(n > 35);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(families),
        cmocka_unit_test(loop_counters),
        cmocka_unit_test(bodies_of_their_own),
    };
    return cmocka_run_group_tests_name("shapes", tests, NULL, NULL);
}
