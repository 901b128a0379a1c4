/* CoreMark as one of our programs: `run(n)` does n iterations of the performance run. Its result is CoreMark's final CRC, with 0x10000
 * where CoreMark found its own results right. Times are taken outside, so its clock always says ten seconds: what it reckons from
 * them is never shown, and nothing here is a CoreMark score. */
#include "bench.h"
#include "coremark.h"

ee_u32 default_num_contexts = 1;
volatile ee_s32 seed1_volatile = 0, seed2_volatile = 0, seed3_volatile = 0x66, seed4_volatile = 0, seed5_volatile = 0;
static i32 result;

void portable_init(core_portable *p, int *argc, char *argv[]) {
    (void)argc;
    (void)argv;
    p->portable_id = 1;
}
void portable_fini(core_portable *p) {
    p->portable_id = 0;
}
void start_time(void) {}
void stop_time(void) {}
CORE_TICKS get_time(void) {
    return 10;
}
secs_ret time_in_secs(CORE_TICKS ticks) {
    return ticks;
}

static int begins(const char *text, const char *with) {
    while (*with && *text == *with) text++, with++;
    return !*with;
}
int ee_printf(const char *format, ...) {
    __builtin_va_list args;
    __builtin_va_start(args, format);
    if (begins(format, "[%d]crcfinal")) {
        (void)__builtin_va_arg(args, int);
        result |= __builtin_va_arg(args, int) & 0xffff;
    }
    if (begins(format, "Correct operation validated")) result |= 0x10000;
    __builtin_va_end(args);
    return 0;
}

RUN i32 run(i32 n) {
    result = 0;
    seed4_volatile = n;
    if (n > 0) coremark_main(); /* 0 would measure how many to do */
    return result;
}
