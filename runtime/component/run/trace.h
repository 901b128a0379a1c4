/* trace: a line for each call of a host function, and for each resource that is dropped */
#ifndef TS_COMPONENT_TRACE_H
#define TS_COMPONENT_TRACE_H
#include "component/abi/instance.h"

/* Ends the trace of a linker without writing another line. */
void ts_trace_free(ts_linker *l);
#endif
