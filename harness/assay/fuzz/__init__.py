"""`assay fuzz`: generated sequences of WASI calls on several runtimes, and where the runtimes differ.

A script is a list of calls. One guest, fixtures/src/p2/fuzz-probe.c, plays many scripts in one process and prints a line
for each call (`play`). The lines are normalised, and the first call that differs is compared with what is known
(`compare`). A new difference is shrunk to the shortest script that shows it (`shrink`). Only `generate` needs hypothesis.
"""
