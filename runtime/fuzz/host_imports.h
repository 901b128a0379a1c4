/* host_imports: functions and resources of the host for whatever a component imports.
 * In: a component, a linker. Out: definitions in the linker, whose results are drawn. */
#ifndef TS_FUZZ_HOST_IMPORTS_H
#define TS_FUZZ_HOST_IMPORTS_H
#include "component/run/linker.h"
#include "draw.h"

/* Defines what can be defined by a WIT type in text. Functions look at all bytes of their arguments. The component and
 * the draw must outlive the linker's last call. */
void fz_provide(ts_linker *l, const ts_component *c, fz_draw *d);
#endif
