/* tree.wat in C with malloc and free: what it costs natively, where memory is given back by hand. */
#include "bench.h"
#include <stdlib.h>
typedef struct node {
    struct node *left, *right;
    i32 value;
} node;
static NOINLINE node *make(i32 depth, i32 value) {
    node *n = malloc(sizeof *n);
    if (!n) abort();
    n->left = depth ? make(depth - 1, (i32)((u32)value * 2)) : 0;
    n->right = depth ? make(depth - 1, (i32)((u32)value * 2 + 1)) : 0;
    n->value = value;
    return n;
}
static NOINLINE i32 sum(node *t) {
    if (!t) return 1;
    t->value = (i32)((u32)t->value + 3);
    return (i32)((u32)t->value + (u32)sum(t->left) * 3 - (u32)sum(t->right));
}
static NOINLINE void drop(node *t) {
    if (!t) return;
    drop(t->left);
    drop(t->right);
    free(t);
}
i32 run(i32 n) {
    node *keep = make(14, 1);
    u32 total = 0;
    for (i32 i = 0; i < n; i++) {
        node *t = make(10, i);
        total = total * 31 + (u32)sum(t);
        drop(t);
    }
    total += (u32)sum(keep);
    drop(keep);
    return (i32)total;
}
