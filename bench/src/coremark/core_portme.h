/* What CoreMark's sources ask of a platform, for one without a libc: see port.c. Not a part of CoreMark. */
#ifndef CORE_PORTME_H
#define CORE_PORTME_H
typedef signed short ee_s16;
typedef unsigned short ee_u16;
typedef signed int ee_s32;
typedef unsigned int ee_u32;
typedef unsigned char ee_u8;
typedef double ee_f32;
typedef __UINTPTR_TYPE__ ee_ptr_int;
typedef __SIZE_TYPE__ ee_size_t;
typedef ee_u32 CORE_TICKS;
typedef struct CORE_PORTABLE_S {
    ee_u8 portable_id;
} core_portable;

#define HAS_FLOAT 0
#define HAS_TIME_H 0
#define HAS_STDIO 0
#define HAS_PRINTF 0
#define MAIN_HAS_NOARGC 1
#define MAIN_HAS_NORETURN 0
#define MULTITHREAD 1
#define SEED_METHOD SEED_VOLATILE
#define MEM_METHOD MEM_STATIC
#define MEM_LOCATION "STATIC"
#define COMPILER_VERSION __VERSION__
#define COMPILER_FLAGS "-O2"
#define PERFORMANCE_RUN 1
#define NULL ((void *)0)
#define align_mem(x) ((void *)(((ee_ptr_int)(x) + 3) & ~(ee_ptr_int)3))
#define main coremark_main

extern ee_u32 default_num_contexts;
void portable_init(core_portable *p, int *argc, char *argv[]);
void portable_fini(core_portable *p);
int ee_printf(const char *format, ...);
int coremark_main(void);
#endif
