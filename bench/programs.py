"""The programs: what each is, how often it repeats its work, and what it needs of an engine."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Program:
    name: str
    title: str
    n: int  # wasm3 takes about a quarter of a second for it
    feature: str = ""  # "", "simd" or "gc"
    on_demand: bool = False  # third-party sources, not in this repository: see prepare.coremark_sources


PROGRAMS = (
    Program("fib", "recursive calls", 900),
    Program("indirect", "calls through a table", 250_000),
    Program("sieve", "sieve of Eratosthenes", 50),
    Program("nbody", "n-body, f64", 450_000),
    Program("sha256", "SHA-256", 70_000),
    Program("matmul", "matrix product, f64", 55),
    Program("sort", "quicksort, heapsort", 26),
    Program("interp", "a bytecode interpreter", 40_000),
    Program("strhash", "hashing of strings", 320),
    Program("marks", "list, matrix, state machine, CRC", 3_500),
    Program("json", "JSON parser", 900),
    Program("lz", "compressor, decompressor", 200),
    Program("coremark", "CoreMark, on demand", 800, on_demand=True),
    Program("blur", "image blur, SIMD", 1_000, "simd"),
    Program("tree", "trees, garbage collection", 1_000, "gc"),
)
FULL = 4  # factor of repetitions in the long form
