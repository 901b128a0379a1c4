/* QuickJS: runs /in/main.js, which prints by print(TEXT). */
#include "quickjs.h"
#include "script.h"

static JSValue print(JSContext *js, JSValueConst self, int n, JSValueConst *args) {
    (void)self;
    for (int i = 0; i < n; i++) {
        const char *text = JS_ToCString(js, args[i]);
        if (!text) return JS_EXCEPTION;
        printf("%s%s", i ? " " : "", text);
        JS_FreeCString(js, text);
    }
    putchar('\n');
    return JS_UNDEFINED;
}

int main(void) {
    size_t size;
    char *script = read_script("/in/main.js", &size);
    if (!script) return 4;
    JSRuntime *runtime = JS_NewRuntime();
    JSContext *js = JS_NewContext(runtime);
    if (!js) return 5;
    JSValue global = JS_GetGlobalObject(js);
    JS_SetPropertyStr(js, global, "print", JS_NewCFunction(js, print, "print", 1));
    JS_FreeValue(js, global);
    JSValue result = JS_Eval(js, script, size, "main.js", JS_EVAL_TYPE_GLOBAL);
    if (JS_IsException(result)) {
        JSValue problem = JS_GetException(js);
        fprintf(stderr, "quickjs: %s\n", JS_ToCString(js, problem));
        return 6;
    }
    JS_FreeValue(js, result);
    JS_FreeContext(js);
    JS_FreeRuntime(runtime);
    return 0;
}
