#!/bin/bash
# Fuzzes for HOURS of CPU time in all: builds every target with sanitizers and assertions, lets them run in turn from the
# corpora that were kept, minimises and keeps the corpora again, and prints a table with the lines that they reach.
#
# Usage: ci/fuzz_campaign.sh HOURS [TARGET…] [OPTION…]        (--help lists the options)
# In: the corpora of FUZZ_CORPORA or --corpora: a folder, an archive (.tar.xz, .tar.gz) or branch:NAME [build-fuzz/corpora].
# Out: the table; new corpora in that place; inputs that failed in build-fuzz/found, with a line that repeats each.
# Exit status: 0 nothing was found, 1 something was, 2 wrong usage or a build that failed.
set -e
cd "$(dirname "$0")/.."
python=.venv/bin/python
[ -x $python ] || python=python3
exec $python runtime/fuzz/campaign.py "$@"
