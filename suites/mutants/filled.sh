#!/bin/sh
# Runs the program beside this link, whose name is that of the link without `-filled`.
# The C library fills what the program allocates: a fault that reads memory before it is written shows each time.
MALLOC_PERTURB_=165 exec "${0%-filled}" "$@"
