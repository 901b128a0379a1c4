/* Calls through a table: a chain of small objects with methods. */
#include "bench.h"
typedef struct object object;
struct object {
    i32 (*step)(object *self, i32 x);
    i32 state;
    object *next;
};
static object objects[64];
static i32 add(object *o, i32 x) {
    return x + (o->state += 3);
}
static i32 xor_(object *o, i32 x) {
    return x ^ (o->state -= 5);
}
static i32 turn(object *o, i32 x) {
    return (i32)rotl((u32)x, o->state & 15);
}
static i32 mul(object *o, i32 x) {
    return x * (o->state | 1);
}
RUN i32 run(i32 n) {
    static i32 (*const methods[])(object *, i32) = {add, xor_, turn, mul};
    u32 seed = 7;
    for (i32 i = 0; i < 64; i++)
        objects[i] = (object){methods[next_random(&seed) & 3], i, i < 63 ? &objects[i + 1] : 0};
    i32 x = 1;
    for (i32 i = 0; i < n; i++)
        for (object *o = objects; o; o = o->next) x = o->step(o, x);
    return x;
}
