/* Lua: runs /in/main.lua. Errors are exceptions of WebAssembly, by the compiler's setjmp and longjmp. */
#include "lauxlib.h"
#include "lua.h"
#include "lualib.h"
#include <stdio.h>

/* The tag of longjmp's exceptions, which the compiler's library leaves to the program. */
__asm__(".globl __c_longjmp\n.tagtype __c_longjmp i32\n__c_longjmp:\n");

/* WASI has neither processes nor names of temporary files. */
int system(const char *command) {
    return command ? -1 : 0;
}
char *tmpnam(char *name) {
    (void)name;
    return NULL;
}
FILE *tmpfile(void) {
    return NULL;
}

int main(void) {
    lua_State *L = luaL_newstate();
    if (!L) return 4;
    luaL_openlibs(L);
    if (luaL_dofile(L, "/in/main.lua")) {
        fprintf(stderr, "lua: %s\n", lua_tostring(L, -1));
        return 5;
    }
    lua_close(L);
    return 0;
}
