/* trace: a line for each call of a host function, and for each resource that is dropped */
#ifndef TS_COMPONENT_TRACE_H
#define TS_COMPONENT_TRACE_H
#include "component/abi/instance.h"

/* Set in a linker that has a trace. */
extern const ts_call_observer ts_trace_observer;
#endif
