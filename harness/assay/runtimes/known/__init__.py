"""The runtimes that the harness knows: a file for each, in Python (`RUNTIMES`) or TOML (`description.py`)."""
