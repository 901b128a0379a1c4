"""assay: drives WASI Preview 2 components through runtimes and compares what they do."""

__version__ = "0.2.0"
