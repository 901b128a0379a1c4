/* sizes: where the bytes of a component or core module are: code, data, names, debug information, custom
 * sections.
 * In: the bytes of a valid file. Out: tables on stdout. spec: binary/modules#sections,
 * Binary.md#component-definitions; tool-conventions ProducersSection.md */
#ifndef TS_CLI_SIZES_H
#define TS_CLI_SIZES_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Returns false if out of memory. */
bool ts_cli_print_sizes(const uint8_t *bytes, size_t len);
#endif
